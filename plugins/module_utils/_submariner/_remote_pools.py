# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The IPPools that Submariner's route agent keeps on a Calico cluster for the subnets of remote clusters.

Names and rules: submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go (since 0.16).
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint, IPPool


class WantedPool(t.NamedTuple):
    cluster_id: str
    cidr: str

    @property
    def name(self) -> str:
        """The name that the route agent gives it."""
        return f"submariner-{self.cluster_id}-{self.cidr.replace('/', '-')}"


def wanted_pools(endpoints: t.Iterable[Endpoint], own_cluster_id: str) -> tuple[WantedPool, ...]:
    """The pools that a cluster needs: one for each IPv4 subnet of each remote Endpoint, as it is announced."""
    wanted = {
        WantedPool(endpoint.cluster_id, subnet)
        for endpoint in endpoints
        if endpoint.cluster_id != own_cluster_id
        for subnet in endpoint.subnets
        if _network(subnet) is not None and _network(subnet).version == 4
    }
    return tuple(sorted(wanted))


def stale_pools(pools: t.Iterable[IPPool], wanted: t.Iterable[WantedPool]) -> tuple[IPPool, ...]:
    """Pools that Submariner made and that belong to no remote subnet any more.

    They are not harmless: Calico refuses every pool that overlaps one, so a stale /24 keeps the right /16 out
    (libcalico-go validates against all pools, disabled ones included), and the route agent never deletes on an Endpoint's update.
    """
    live = {pool.cidr for pool in wanted}
    return tuple(pool for pool in pools if pool.is_submariner and pool.cidr not in live)


def pool_owner(pool: IPPool) -> str:
    """The remote cluster's id in the name that the route agent gave a pool; "" where the name is not of its scheme.

    A hyphen may stand in an id as well, so the id is what the CIDR's own spelling leaves of the name.
    """
    prefix, suffix = "submariner-", f"-{pool.cidr.replace('/', '-')}"
    name = pool.ref.name
    return name[len(prefix) : -len(suffix)] if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix) else ""


def same_range(pool: IPPool, cidr: str) -> bool:
    """True for a pool of exactly that range, however the two are spelled."""
    network = _network(pool.cidr)
    return network is not None and network == _network(cidr)


def overlapping_pools(pools: t.Iterable[IPPool]) -> tuple[tuple[IPPool, IPPool], ...]:
    """Every pair of pools that have addresses in common, equal ranges included, each pair once and in the order of the pools' ranges.

    Calico's API server refuses such a pool, disabled or not; calicoctl of another version, crd.projectcalico.org/v1 and native CRDs let it in.
    """
    known = sorted((entry for entry in ((_network(pool.cidr), pool) for pool in pools) if entry[0] is not None), key=_by_range)
    pairs = []
    for position, (network, pool) in enumerate(known):
        for other, later in known[position + 1 :]:
            if other.version != network.version or other.network_address > network.broadcast_address:
                break
            pairs.append((pool, later))
    return tuple(pairs)


def _by_range(entry: tuple[t.Any, IPPool]) -> tuple[int, int, int, str]:
    network, pool = entry
    return network.version, int(network.network_address), network.prefixlen, pool.ref.name


def missing_pools(pools: t.Iterable[IPPool], wanted: t.Iterable[WantedPool]) -> tuple[WantedPool, ...]:
    """Wanted pools whose CIDR no pool has, whoever made it."""
    present = {pool.cidr for pool in pools}
    return tuple(pool for pool in wanted if pool.cidr not in present)


def blocking_pools(pools: t.Iterable[IPPool], wanted: WantedPool) -> tuple[IPPool, ...]:
    """Pools that overlap a wanted one without being equal to it: Calico refuses the wanted one while they exist."""
    network = _network(wanted.cidr)
    if network is None:
        return ()
    return tuple(pool for pool in pools if pool.cidr != wanted.cidr and _overlaps(_network(pool.cidr), network))


def _network(text: str) -> t.Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _overlaps(one: t.Any, other: t.Any) -> bool:
    return one is not None and other is not None and one.version == other.version and one.overlaps(other)
