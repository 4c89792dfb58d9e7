# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of pods as Calico's IPAM deals them out: a block of 64 a node, its first address for the node's tunnel (calico libcalico-go/lib/ipam). Pure.

The blocks lie apart from each other and outside the nodes' ``spec.podCIDR``, which Calico does not look at.
"""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from tests.lab.client import Object

BLOCK_BITS = 26
FIRST_BLOCK, BLOCK_STEP = 29, 47
CRD_VERSION = "crd.projectcalico.org/v1"
TUNNEL_KINDS = {"VXLAN": ("vxlan-tunnel-addr", "vxlanTunnelAddress"), "IPIP": ("ipip-tunnel-addr", "ipipTunnelAddress")}


class Addresses:
    """The blocks of one cluster's nodes, and what is taken of them."""

    def __init__(self, pod_cidr: str, nodes: t.Sequence[str], encapsulation: str = "VXLAN") -> None:
        network = ipaddress.ip_network(pod_cidr)
        self._pods = network
        self._encapsulation = encapsulation
        self._blocks = {name: _nth(network, BLOCK_BITS, FIRST_BLOCK + BLOCK_STEP * n) for n, name in enumerate(nodes)}
        self._taken: dict[str, dict[str, int]] = {name: {} for name in nodes}

    def tunnel(self, node: str) -> str:
        """The address of the node's ``vxlan.calico`` or ``tunl0``."""
        return str(self._blocks[node][0])

    def of_pod(self, node: str, pod: str) -> str:
        """A pod's address; the same one for the same pod.

        :param pod: namespace and name.
        """
        taken = self._taken[node]
        return str(self._blocks[node][taken.setdefault(pod, len(taken) + 1)])

    def node_cidr(self, number: int, mask: int = 24) -> str:
        """What kube-controller-manager gives to the node of that number, counted from 0, as ``spec.podCIDR``."""
        return str(_nth(self._pods, mask, number))

    def blocks(self) -> list[Object]:
        """The IPAMBlock and BlockAffinity of every node."""
        found = []
        for node, block in self._blocks.items():
            name = str(block).translate(str.maketrans("./", "--"))
            taken = {0: None, **{ordinal: pod for pod, ordinal in self._taken[node].items()}}
            spec: Object = {
                "affinity": f"host:{node}",
                "allocations": [sorted(taken).index(n) if n in taken else None for n in range(block.num_addresses)],
                "attributes": [self._attribute(node, taken[n]) for n in sorted(taken)],
                "cidr": str(block),
                "deleted": False,
                "strictAffinity": False,
                "unallocated": [n for n in range(block.num_addresses) if n not in taken],
            }
            found.append({"apiVersion": CRD_VERSION, "kind": "IPAMBlock", "metadata": {"name": name}, "spec": spec})
            affinity = {"cidr": str(block), "deleted": "false", "node": node, "state": "confirmed"}
            found.append({"apiVersion": CRD_VERSION, "kind": "BlockAffinity", "metadata": {"name": f"{node}-{name}"}, "spec": affinity})
        return found

    def _attribute(self, node: str, pod: str | None) -> Object:
        if pod is None:
            handle, kind = TUNNEL_KINDS[self._encapsulation]
            return {"handle_id": f"{handle}-{node}", "secondary": {"node": node, "type": kind}}
        namespace, _slash, name = pod.partition("/")
        return {"handle_id": f"k8s-pod-network.{namespace}.{name}", "secondary": {"namespace": namespace, "node": node, "pod": name}}


def _nth(network: t.Any, prefix: int, number: int) -> t.Any:
    """The subnet of that number. Raises ValueError when the network has fewer."""
    found = next(itertools.islice(network.subnets(new_prefix=prefix), number, None), None)
    if found is None:
        raise ValueError(f"{network} has no {number + 1} subnets of /{prefix}")
    return found
