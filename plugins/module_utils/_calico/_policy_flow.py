# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A flow as policy rules see it: two ends, a protocol and a port."""

from __future__ import annotations

import ipaddress
import typing as t
from functools import lru_cache

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, overlap

INGRESS = "Ingress"
EGRESS = "Egress"
TCP = 6
UDP = 17
ESP = 50
PROTOCOLS = {"TCP": TCP, "UDP": UDP, "ICMP": 1, "ICMPV6": 58, "SCTP": 132, "UDPLITE": 136, "ESP": ESP}
MOST_PARTS = 512  # pieces that a range is cut into: a cluster with more nets inside one remote CIDR is judged on the first of them

NAMESPACE_LABEL = "projectcalico.org/namespace"
ORCHESTRATOR_LABEL = "projectcalico.org/orchestrator"


class Entity(t.NamedTuple):
    """One end of a flow.

    :param networks: where its address lies; () when that is not known.
    :param labels: those that selectors see, None for what is no endpoint of this Calico (a remote cluster: no selector can match it).
    :param namespace: of a pod, "" for a host and for what is outside.
    :param namespace_labels: of that namespace.
    """

    networks: tuple[Network, ...] = ()
    labels: Labels | None = None
    namespace: str = ""
    namespace_labels: Labels = Labels({})

    @property
    def is_pod(self) -> bool:
        return bool(self.namespace)


class Flow(t.NamedTuple):
    """Packets in one direction, at the endpoint whose policies are asked. ``port`` is the destination's, None for any of them."""

    direction: str
    source: Entity
    destination: Entity
    protocol: int
    port: int | None = None


def pod_entity(namespace: str, networks: t.Sequence[Network], namespace_labels: Labels, labels: t.Mapping[str, str] | None = None) -> Entity:
    """A pod; without ``labels`` any pod of the namespace, of whose labels nothing but what Calico adds is known."""
    own = {NAMESPACE_LABEL: namespace, ORCHESTRATOR_LABEL: "k8s"}
    known = Labels({**(labels or {}), **own}, open=labels is None)
    return Entity(tuple(networks), known, namespace, namespace_labels)


@lru_cache(maxsize=8192)
def net(text: str) -> Network | None:
    """An entry of ``nets`` or ``ipBlock``: a CIDR or a single address, ``0.0.0.0/0`` included. None when it is neither."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def nets(texts: t.Any) -> tuple[Network, ...]:
    """The ranges of a list as it stands in an object; what is no range selects nothing (Calico drops it when it reads the rule)."""
    listed = texts if isinstance(texts, (list, tuple)) else ()
    return tuple(network for network in (net(str(text)) for text in listed) if network is not None)


def parts(whole: Network, cuts: t.Iterable[Network]) -> tuple[tuple[Network, ...], bool]:
    """Cut a range so that each piece lies wholly inside or wholly outside each of ``cuts``.

    :returns: the pieces in ascending order, and whether there were so many that the rest was left out.
    """
    pieces: list[Network] = [whole]
    for cut in dict.fromkeys(cuts):
        inside = [piece for piece in pieces if overlap((piece,), (cut,)) and piece.prefixlen < cut.prefixlen]
        for piece in inside:
            pieces.remove(piece)
            pieces += [cut, *piece.address_exclude(cut)]  # type: ignore[arg-type]
        if len(pieces) > MOST_PARTS:
            return tuple(sorted(pieces, key=_place)[:MOST_PARTS]), True
    return tuple(sorted(pieces, key=_place)), False


def _place(network: Network) -> tuple[int, int]:
    return int(network.network_address), network.prefixlen
