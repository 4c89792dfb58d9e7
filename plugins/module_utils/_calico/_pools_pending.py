# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the operator does to IPPools once the Calico API server answers.

From 1.34 on (Calico 3.28) it brings the pools that carry its label to what the Installation lists, and only through projectcalico.org/v3. Without an API
server whatever was changed in the Installation, or in a pool, waits: TigeraStatus ``ippools`` is degraded, and nothing else shows it
(tigera/operator pkg/controller/ippool/pool_controller.go).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least, calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import base_installation
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import unread
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import covers, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Installation, IPPool, Snapshot

MANAGED_BY = "app.kubernetes.io/managed-by"
OPERATOR = "tigera-operator"
STATUS = "ippools"
WAITS = "while Calico API server is unavailable"  # the end of the operator's messages

_FIRST = (3, 28)
_MODES = {
    "IPIP": ("Always", "Never"),
    "IPIPCrossSubnet": ("CrossSubnet", "Never"),
    "VXLAN": ("Never", "Always"),
    "VXLANCrossSubnet": ("Never", "CrossSubnet"),
    "None": ("Never", "Never"),
}
_DEFAULT_USES = ("Tunnel", "Workload")


class Pending(t.NamedTuple):
    """
    :param lines: what will become of pools, or that it could not be told, the rest of a sentence each.
    :param harm: why the API server must not be enabled before somebody has seen to it, as a whole sentence; "" where it may.
    """

    lines: tuple[str, ...] = ()
    harm: str = ""


def pending_pools(snapshot: Snapshot) -> Pending:
    """Compare the operator's pools with the Installation's list. Nothing where no operator is, or one that leaves pools alone."""
    installation = base_installation(snapshot)
    if installation is None or at_least(calico_version(snapshot), *_FIRST) is False:
        return Pending()
    answers = ((snapshot.ip_pools_v1, "the IPPools of crd.projectcalico.org/v1"), (snapshot.tigera_statuses, "the TigeraStatuses"))
    unknown = [f"{what} could not be read: {unread(answer)}" for answer, what in answers if not answer.known]
    lines = [f"what the operator deletes or changes of the IPPools could not be told ({'; '.join(unknown)})"] if unknown else []
    pools = snapshot.ip_pools_v1.items
    own = [pool for pool in pools if pool.labels.get(MANAGED_BY) == OPERATOR]
    gone = [pool for pool in own if pool.cidr not in installation.spec_pools]
    lines += [f"the operator deletes IPPool {pool.ref.name} ({pool.cidr}), which {installation.ref} does not list" for pool in gone]
    for pool in own:
        changes = _changes(pool, installation)
        if changes:
            lines.append(f"the operator changes IPPool {pool.ref.name} ({pool.cidr}) to what {installation.ref} says: {', '.join(changes)}")
    if pools:
        lines += [
            f"the operator makes an IPPool of {cidr}, which {installation.ref} lists, and pods get addresses of it"
            for cidr in installation.spec_pools
            if cidr not in [pool.cidr for pool in pools]
        ]
    if not lines and not any(_lacks_default(pool, _listed(pool, installation)) for pool in own):
        lines += _said(snapshot)
    return Pending(tuple(lines), _harm(snapshot, gone, installation))


def _said(snapshot: Snapshot) -> t.Iterator[str]:
    """What only the operator sees, such as a field that this collection does not read."""
    for status in snapshot.tigera_statuses.items:
        degraded = status.condition("Degraded") if status.ref.name == STATUS else None
        if degraded is not None and degraded.status == "True" and WAITS in degraded.message:
            message = degraded.message.rstrip(": ")
            yield f'the operator changes IPPools, and does not tell which ({status.ref}: "{message}")'


def _listed(pool: IPPool, installation: Installation) -> t.Mapping[str, t.Any]:
    listed = (installation.spec.get("calicoNetwork") or {}).get("ipPools") or []
    return next((entry for entry in listed if entry.get("cidr") == pool.cidr), {})


def _lacks_default(pool: IPPool, entry: t.Mapping[str, t.Any]) -> bool:
    """The operator compares literally: since Calico 3.30 it also waits to write a default into every pool of an earlier release, which changes nothing."""
    return bool((entry.get("assignmentMode") and not pool.assignment_mode) or (entry.get("allowedUses") and not pool.allowed_uses))


def _changes(pool: IPPool, installation: Installation) -> list[str]:
    """The fields that the operator would set; what the Installation does not say is its default, which it has written there long ago."""
    entry = _listed(pool, installation)
    if not entry:
        return []
    wanted: list[tuple[str, t.Any, t.Any]] = [
        ("disabled", pool.disabled, bool(entry.get("disableNewAllocations"))),
        ("disableBGPExport", pool.disable_bgp_export, bool(entry.get("disableBGPExport"))),
    ]
    if entry.get("encapsulation") in _MODES:
        ipip, vxlan = _MODES[entry["encapsulation"]]
        wanted += [("ipipMode", pool.ipip_mode, ipip), ("vxlanMode", pool.vxlan_mode, vxlan)]
    if entry.get("natOutgoing"):
        wanted.append(("natOutgoing", pool.nat_outgoing, entry["natOutgoing"] == "Enabled"))
    if entry.get("blockSize"):
        wanted.append(("blockSize", pool.block_size, entry["blockSize"]))
    if entry.get("nodeSelector"):
        wanted.append(("nodeSelector", pool.node_selector or "all()", entry["nodeSelector"]))
    if entry.get("assignmentMode"):
        wanted.append(("assignmentMode", pool.assignment_mode or "Automatic", entry["assignmentMode"]))
    if entry.get("allowedUses"):
        wanted.append(("allowedUses", sorted(pool.allowed_uses or _DEFAULT_USES), sorted(entry["allowedUses"])))
    return [f"{field} {_shown(now)} becomes {_shown(then)}" for field, now, then in wanted if now != then]


def _shown(value: t.Any) -> str:
    if isinstance(value, list):
        return " and ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _harm(snapshot: Snapshot, gone: t.Sequence[IPPool], installation: Installation) -> str:
    told = []
    for pool in gone:
        if not snapshot.ipam_blocks.known:
            told.append(f"whether addresses of IPPool {pool.ref.name} ({pool.cidr}) are in use could not be read ({unread(snapshot.ipam_blocks)})")
            continue
        range_ = parse_cidrs(pool.cidr).networks
        used = sum(block.used for block in snapshot.ipam_blocks.items if range_ and covers(range_, parse_cidrs(block.cidr).networks))
        if used:
            told.append(f"{used} addresses of IPPool {pool.ref.name} ({pool.cidr}) are in use")
    if not told:
        return ""
    return (
        f"Once the Calico API server answers, the operator deletes IPPools that {installation.ref} does not list, and {'; '.join(told)}: pods with such "
        "addresses would lose their masquerading and encapsulation. List the pool again (spec.calicoNetwork.ipPools, on RKE2 and Helm by the chart's values), "
        "or move the pods to another pool first."
    )
