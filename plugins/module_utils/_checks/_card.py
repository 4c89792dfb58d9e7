# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A cluster's card: what the other clusters of the set must know of it, small and JSON-able.

One module run sees one cluster. Cards travel through Ansible's results to the one task that looks at the whole clusterset.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field, fields, replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import CALICO, Facts, why_not_agreed
from ansible_collections.fathom.submariner.plugins.module_utils._checks._proxies import proxies
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._network._few_ranges import in_few_ranges
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import NAMESPACE

FORMAT = 1  # grows when a card of an older release could be misread


@dataclass(frozen=True)
class CardRange:
    """The truth about pods or Services. ``cidrs`` is empty where it is not agreed, ``why_not`` then says why."""

    cidrs: tuple[str, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class CardEndpoint:
    """An Endpoint as this cluster holds it: its own, or a remote one."""

    cluster_id: str
    object: str
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class CardPool:
    """An IPPool. ``local`` ones give addresses to this cluster's own pods."""

    name: str
    cidr: str
    made_by_submariner: bool
    local: bool


@dataclass(frozen=True)
class CardConnection:
    """What an active gateway of this cluster says of its connection to another one."""

    cluster_id: str
    status: str
    message: str = ""
    latency: str = ""


@dataclass(frozen=True)
class Card:
    """``unread`` maps the names of answers that could not be read to the reason; "" in ``error`` means that the cluster was read."""

    cluster: str
    error: str = ""
    joined: bool = False
    cluster_id: str = ""
    pods: CardRange = CardRange()
    services: CardRange = CardRange()
    announced: tuple[CardEndpoint, ...] = ()
    remote: tuple[CardEndpoint, ...] = ()
    pools: tuple[CardPool, ...] = ()
    calico_handler: bool = False
    active_gateways: tuple[str, ...] = ()
    globalnet: bool = False
    status_wrong: bool = False  # Submariner's status does not hold the true CIDRs
    kubernetes_version: str = ""
    calico_version: str = ""
    submariner_version: str = ""
    unread: t.Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT
    connections: tuple[CardConnection, ...] = ()
    candidate: bool = False  # known by its ranges alone: a cluster that is not diagnosed, and not joined
    node_networks: tuple[str, ...] = ()  # ranges that hold the InternalIPs of its nodes
    global_cidrs: tuple[str, ...] = ()  # its part of the Globalnet range
    proxies: tuple[str, ...] = ()  # addresses of the proxies that its Submariner goes through
    cable_driver: str = ""
    planned_id: str = ""  # of a cluster that is not joined: the id under which it would be
    left_ids: tuple[str, ...] = ()  # of a cluster that is not joined: ids of earlier joins of its own, whose Cluster is still here
    known_from: str = ""  # whose Endpoints tell of it, where nobody read it

    @property
    def true_subnets(self) -> tuple[str, ...]:
        """What its Endpoint must announce without Globalnet; () where a part is not known."""
        return (*self.services.cidrs, *self.pods.cidrs) if self.services.cidrs and self.pods.cidrs else ()

    @property
    def facts(self) -> tuple[str, ...]:
        """A few words for the head of a report."""
        words = (
            "candidate" if self.candidate else "",
            f"Kubernetes {self.kubernetes_version}" if self.kubernetes_version else "",
            f"Calico {self.calico_version}" if self.calico_version else "",
            f"Submariner {self.submariner_version}" if self.submariner_version else "" if self.joined or self.error or self.candidate else "not joined",
            f"pods {', '.join(self.pods.cidrs)}" if self.pods.cidrs else "",
            f"services {', '.join(self.services.cidrs)}" if self.services.cidrs else "",
        )
        return tuple(word for word in words if word)

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types, for a module's result."""
        return _plain(asdict(self))

    @classmethod
    def from_dict(cls, plain: t.Mapping[str, t.Any]) -> Card:
        """The reverse of :meth:`to_dict`.

        :raises InputError: ``plain`` is no card, or one of a format that this release does not know.
        """
        if plain.get("format") != FORMAT:
            raise InputError(
                f"A card has format {plain.get('format')!r}, and this release of fathom.submariner reads {FORMAT}: diagnose all clusters with one release."
            )
        unknown = sorted(set(plain) - {entry.name for entry in fields(cls)})
        if unknown:
            raise InputError(f"A card has keys that this release of fathom.submariner does not know: {', '.join(unknown)}.")
        try:
            return cls(
                **{
                    **plain,
                    "unread": dict(plain.get("unread") or {}),
                    "pods": _range(plain.get("pods") or {}),
                    "services": _range(plain.get("services") or {}),
                    "announced": _endpoints(plain.get("announced") or ()),
                    "remote": _endpoints(plain.get("remote") or ()),
                    "pools": tuple(CardPool(**entry) for entry in plain.get("pools") or ()),
                    "active_gateways": tuple(plain.get("active_gateways") or ()),
                    "connections": tuple(CardConnection(**entry) for entry in plain.get("connections") or ()),
                    **{name: tuple(map(str, plain.get(name) or ())) for name in ("node_networks", "global_cidrs", "proxies", "left_ids")},
                }
            )
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise InputError(f"A card is not of the form that fathom.submariner.diagnose returns: {error}.") from error


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _range(plain: t.Mapping[str, t.Any]) -> CardRange:
    return CardRange(tuple(map(str, plain.get("cidrs") or ())), str(plain.get("why_not") or ""))


def _endpoints(plain: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[CardEndpoint, ...]:
    return tuple(CardEndpoint(str(entry["cluster_id"]), str(entry["object"]), tuple(map(str, entry["subnets"]))) for entry in plain)


def card_of(facts: Facts) -> Card:
    """The card of a cluster that was read."""
    snapshot = facts.snapshot
    answers: dict[str, Answer[t.Any]] = {
        "submariners": snapshot.submariners,
        "endpoints": snapshot.endpoints,
        "ip_pools": snapshot.ip_pools,
        "gateways": snapshot.gateways,
        "nodes": snapshot.nodes,
    }
    calico_versions = [entry.calico_version for entry in snapshot.cluster_informations.items] + [
        entry.calico_version for entry in snapshot.installations.items
    ]
    card = Card(
        cluster=snapshot.cluster,
        pods=_card_range(facts, POD),
        services=_card_range(facts, SERVICE),
        pools=tuple(
            CardPool(pool.ref.name, pool.cidr, pool.is_submariner, not pool.disabled and not pool.is_submariner) for pool in snapshot.ip_pools.items
        ),
        kubernetes_version=next(iter(snapshot.server_version.items), ""),
        calico_version=next(filter(None, calico_versions), ""),
        unread={name: _reason(answer) for name, answer in answers.items() if not answer.known},
        node_networks=_node_networks(facts),
    )
    if not facts.joined:
        left = (entry.cluster_id for entry in snapshot.submariner_clusters.items if entry.ref.namespace == NAMESPACE)
        return replace(card, left_ids=tuple(dict.fromkeys(left)))
    return replace(
        card,
        joined=True,
        cluster_id=facts.submariner.cluster_id,
        announced=_card_endpoints(facts.own_endpoints),
        remote=_card_endpoints(facts.remote_endpoints),
        calico_handler=facts.submariner.network_plugin == CALICO,
        active_gateways=tuple(gateway.ref.name for gateway in facts.active_gateways),
        globalnet=facts.globalnet,
        status_wrong=bool(facts.wrong_subjects()),
        submariner_version=facts.submariner.version,
        connections=tuple(
            CardConnection(entry.cluster_id, entry.status, entry.message[:200], entry.latency_average)
            for gateway in facts.active_gateways
            for entry in gateway.connections
        ),
        global_cidrs=parse_cidrs(facts.submariner.status_global_cidr or facts.submariner.global_cidr).cidrs,
        proxies=tuple(proxy.host for proxy in proxies(facts) if parse_address(proxy.host) is not None),
        cable_driver=next((endpoint.backend for endpoint in facts.own_endpoints), ""),
    )


def unreadable_card(cluster: str, reason: str) -> Card:
    """The card of a cluster that could not be read."""
    return Card(cluster=cluster, error=reason)


def _reason(answer: Answer[t.Any]) -> str:
    return f"{answer.where}: {answer.state.replace('_', ' ')}" + (f": {answer.detail}" if answer.detail else "")


def _node_networks(facts: Facts) -> tuple[str, ...]:
    addresses = (parse_address(ip) for node in facts.snapshot.nodes.items for ip in node.internal_ips)
    return tuple(str(network) for network in in_few_ranges(address for address in addresses if address is not None))


def _card_range(facts: Facts, subject: str) -> CardRange:
    agreed = tuple(str(network) for network in facts.truth.networks(subject))
    verdicts = [facts.truth.of(subject, family) for family in FAMILIES]
    return CardRange(agreed, "" if agreed else why_not_agreed(verdicts[0]))


def _card_endpoints(endpoints: t.Iterable[t.Any]) -> tuple[CardEndpoint, ...]:
    return tuple(CardEndpoint(entry.cluster_id, str(entry.ref), entry.subnets) for entry in endpoints)
