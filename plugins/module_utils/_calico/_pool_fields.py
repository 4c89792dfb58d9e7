# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which fields of the IPPool of a remote subnet are wrong, and what each of them breaks.

Calico masquerades a packet whose source lies in a pool with natOutgoing and whose destination lies in no pool; a disabled pool counts as one
(projectcalico/calico felix/rules/nat.go). That is all that Submariner wants of a remote pool.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool

# The first patches of each line in which a pool for load balancers alone no longer counts as a pool (projectcalico/calico#12769, #12861).
_LOAD_BALANCER_IGNORED = ((3, 31, 6), (3, 32, 1))


class WrongField(t.NamedTuple):
    """One field, what it breaks, the severity of that, and the value that it must have."""

    seen: Seen
    breaks: str
    severity: str
    right: str


def wrong_fields(
    pool: IPPool, cluster_id: str, *, bgp: bool | None, calico: str, in_use: t.Collection[str] = (), bgp_note: str = ""
) -> tuple[WrongField, ...]:
    """Everything that is wrong with one pool of a remote cluster.

    :param bgp: whether BIRD exports routes here, None where that is not known.
    :param calico: the running release as text, "" where it is not known.
    :param in_use: the encapsulations that this cluster's own pools use, ``vxlanMode`` or ``ipipMode``: a remote pool adds nothing to those.
    :param bgp_note: since when Submariner sets disableBGPExport itself, in words.
    """
    return tuple(_wrong(pool, cluster_id, bgp, calico, in_use, bgp_note))


def _wrong(pool: IPPool, cluster_id: str, bgp: bool | None, calico: str, in_use: t.Collection[str], bgp_note: str) -> t.Iterator[WrongField]:
    where = str(pool.ref)
    if not pool.disabled:
        breaks = f"Calico may give pods of this cluster addresses of {cluster_id}."
        yield WrongField(Seen(where, "spec.disabled", "false"), breaks, "error", "disabled: true")
    if pool.nat_outgoing:
        yield WrongField(Seen(where, "spec.natOutgoing", "true"), "Traffic from this range is masqueraded.", "error", "natOutgoing: false")
    if pool.allowed_uses == ("LoadBalancer",):
        ignored = load_balancer_pools_ignored(calico)
        breaks = "Calico 3.31.6, 3.32.1 and newer masquerade traffic to it, since pools for load balancers alone do not count."
        severity = "warning" if ignored is False else "error"
        yield WrongField(Seen(where, "spec.allowedUses", "LoadBalancer", f"Calico {calico}" if calico else ""), breaks, severity, "no allowedUses LoadBalancer")
    for field, mode in (("vxlanMode", pool.vxlan_mode), ("ipipMode", pool.ipip_mode)):
        if mode not in ("", "Never") and field not in in_use:
            breaks = f"Felix takes {field.removesuffix('Mode')} encapsulation for wanted because of it: it makes the tunnel device and may lower the pods' MTU."
            yield WrongField(Seen(where, f"spec.{field}", mode), breaks, "warning", f"{field}: Never")
    if not pool.disable_bgp_export and bgp is not False:
        breaks = "With BGP, other nodes may learn the remote range through the default interface instead of vx-submariner, often only after a reboot."
        note = bgp_note if bgp else f"{bgp_note}; whether BGP runs here is not known"
        yield WrongField(Seen(where, "spec.disableBGPExport", "false", note), breaks, "warning", "disableBGPExport: true")


def masquerades(pools: t.Iterable[IPPool]) -> bool:
    """Whether Calico masquerades what this cluster's pods send: some IPv4 pool of its own has natOutgoing.

    With BGP and routable pods often none has, and then a pool that is missing for a remote subnet changes nothing. Without any pool of its own to tell
    by, it is taken to masquerade.
    """
    own = [pool for pool in pools if not pool.is_submariner and ":" not in pool.cidr and pool.allowed_uses != ("LoadBalancer",)]
    return not any(not pool.disabled for pool in own) or any(pool.nat_outgoing for pool in own)


def encapsulations(pools: t.Iterable[IPPool]) -> frozenset[str]:
    """The encapsulations that some pool asks for, as names of its fields."""
    fields = {field for pool in pools for field, mode in (("vxlanMode", pool.vxlan_mode), ("ipipMode", pool.ipip_mode)) if mode not in ("", "Never")}
    return frozenset(fields)


def load_balancer_pools_ignored(calico: str) -> bool | None:
    """Whether this release masquerades traffic to a pool that is for load balancers alone; None where the release is not known."""
    version = parse_calico_version(calico)
    if version is None:
        return None
    same_line = [first for first in _LOAD_BALANCER_IGNORED if first[:2] == version[:2]]
    return version >= same_line[0] if same_line else version > _LOAD_BALANCER_IGNORED[-1]
