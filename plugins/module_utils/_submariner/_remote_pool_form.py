# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What an IPPool for a remote subnet must look like, and what corrects one that does not.

The fields are those that Submariner's route agent sets (submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go), with Calico's defaults
spelled out (projectcalico/calico libcalico-go/lib/clientv3/ippool.go): neither crd.projectcalico.org/v1 nor native CRDs fill them in. Nor does
Calico's aggregated API look at a dry run: what it would refuse has to be known here.

Labels are plain ones through every API. Up to Calico 3.27 libcalico keeps them there; newer releases move them into annotation
``projectcalico.org/metadata`` when they write the object, and read those of both places (libcalico-go/lib/backend/k8s/resources/resources.go).
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import WantedPool, pool_owner

LABEL = "submariner.io/ippool"
V3 = "projectcalico.org/v3"
V1 = "crd.projectcalico.org/v1"

_BLOCK_SIZES = {4: 26, 6: 122}
_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
_USES = ("Workload", "Tunnel")
_LOAD_BALANCER = ("LoadBalancer",)


def range_problem(cidr: str) -> str:
    """Why Calico takes no pool of that range, in words; "" where it does. Host bits are no problem: they are cleared."""
    parsed = parse_cidrs(cidr)
    if parsed.problems or len(parsed.networks) != 1:
        return parsed.problems[0] if parsed.problems else f"{cidr!r} is not one range"
    (network,) = parsed.networks
    clash = next((entry for entry in _LINK_LOCAL if entry.version == network.version and entry.overlaps(network)), None)  # type: ignore[arg-type]
    return f"{network} overlaps the link-local range {clash}" if clash else ""


def pool_name(wanted: WantedPool) -> str:
    """The name that the route agent gives the pool, so that it takes ours for its own. It makes none for IPv6, whose colons no name may have."""
    return wanted.name.replace(":", "-")


def new_pool(wanted: WantedPool, api_version: str, calico: str) -> dict[str, t.Any]:
    """The whole object for a remote subnet.

    :param wanted: of a range without problem.
    :param calico: the running release as text, "" where it is not known: disableBGPExport and allowedUses exist from 3.21 on.
    """
    (network,) = parse_cidrs(wanted.cidr).networks
    spec: dict[str, t.Any] = {
        "cidr": str(network),
        "blockSize": _BLOCK_SIZES[network.version],
        "disabled": True,
        "ipipMode": "Never",
        "natOutgoing": False,
        "nodeSelector": "all()",
        "vxlanMode": "Never",
    }
    if _knows_uses(calico):
        spec.update(allowedUses=list(_USES), disableBGPExport=True)
    return {"apiVersion": api_version, "kind": "IPPool", "metadata": {"name": pool_name(wanted), "labels": {LABEL: "true"}}, "spec": spec}


def correction(pool: IPPool, calico: str) -> dict[str, t.Any]:
    """The merge patch (RFC 7386) that makes a pool right for a remote subnet; {} where it is.

    A pool that has one of Submariner's names gets its label, too: by that label Submariner's uninstall finds its pools.
    """
    spec: dict[str, t.Any] = {}
    if not pool.disabled:
        spec["disabled"] = True
    if pool.nat_outgoing:
        spec["natOutgoing"] = False
    for field, mode in (("ipipMode", pool.ipip_mode), ("vxlanMode", pool.vxlan_mode)):
        if mode not in ("", "Never"):
            spec[field] = "Never"
    if pool.allowed_uses == _LOAD_BALANCER:
        spec["allowedUses"] = list(_USES)
    if not pool.disable_bgp_export and _knows_uses(calico):
        spec["disableBGPExport"] = True
    patch: dict[str, t.Any] = {"spec": spec} if spec else {}
    if pool_owner(pool) and pool.all_labels and pool.labels.get(LABEL) != "true":
        patch["metadata"] = {"labels": {LABEL: "true"}}
    return patch


def shown(patch: t.Mapping[str, t.Any]) -> str:
    """A correction in words: ``disabled: true, natOutgoing: false``."""
    fields = {**patch.get("spec", {}), **(patch.get("metadata") or {}).get("labels", {})}
    return ", ".join(f"{name}: {_text(value)}" for name, value in fields.items())


def _text(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else ", ".join(value) if isinstance(value, list) else str(value)


def _knows_uses(calico: str) -> bool:
    return at_least(calico, 3, 21) is not False
