# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The addresses that pods and Services really have.

Of a large cluster not all pods are read. Where Calico's IPAM hands out the addresses, its blocks stand for those that were not: each block in use lies
inside the range of the pods, so both its ends do.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import calico_ipam, unread
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, covers, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE, Reality, UsedAddress
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPAMBlock, Snapshot

_ENDED = ("Succeeded", "Failed")


def pod_reality(snapshot: Snapshot) -> Reality:
    """The addresses of pods that have one of their own: not on the host network, and not ended (their addresses are free again).

    Of a large cluster those of the pods that were read, and the ends of all blocks in use.
    """
    addresses = tuple(UsedAddress(pod.ref, address) for pod in snapshot.pods.items if not pod.host_network and pod.phase not in _ENDED for address in pod.ips)
    if not snapshot.pods.known:
        return Reality(POD, addresses, f"pods: {unread(snapshot.pods)}")
    if not snapshot.pods.partial:
        return Reality(POD, addresses)
    if not calico_ipam(snapshot):
        return Reality(POD, addresses, f"pods: there are more than the {len(snapshot.pods.items)} that were looked at ({snapshot.pods.where})")
    if not snapshot.ipam_blocks.ok:
        return Reality(POD, addresses, f"the IPAMBlocks, which stand for the pods that were not looked at: {unread(snapshot.ipam_blocks)}")
    return Reality(POD, (*addresses, *_ends(used_blocks(snapshot))))


def service_reality(snapshot: Snapshot) -> Reality:
    """The ClusterIPs of all Services (headless ones have none)."""
    return Reality(
        SERVICE,
        tuple(UsedAddress(service.ref, address) for service in snapshot.services.items for address in service.cluster_ips),
        "" if snapshot.services.known else f"services: {unread(snapshot.services)}",
    )


def used_blocks(snapshot: Snapshot) -> list[tuple[IPAMBlock, Network]]:
    """Blocks with an address in use, less those of pools that are not for pods."""
    elsewhere = parse_cidrs(pool.cidr for pool in snapshot.ip_pools.items if pool.allowed_uses and "Workload" not in pool.allowed_uses).networks
    found = [(block, network) for block in snapshot.ipam_blocks.items if block.used for network in parse_cidrs(block.cidr).networks]
    return [(block, network) for block, network in found if not elsewhere or not covers(elsewhere, (network,))]


def _ends(blocks: t.Iterable[tuple[IPAMBlock, Network]]) -> t.Iterator[UsedAddress]:
    for block, network in blocks:
        yield UsedAddress(block.ref, str(network.network_address))
        yield UsedAddress(block.ref, str(network.broadcast_address))
