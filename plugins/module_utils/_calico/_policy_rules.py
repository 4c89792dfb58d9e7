# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether one rule of a policy matches a flow.

The meaning of a rule's fields is that of projectcalico/calico libcalico-go/lib/backend/syncersv1/updateprocessors/rules.go: as soon as a rule of a
namespaced policy names endpoints, it means those of its own namespace, and ``all()`` in a namespaceSelector means pods of any namespace.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import NAMESPACE_LABEL, PROTOCOLS, Entity, Flow, nets
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import (
    Labels,
    SelectorError,
    Verdict,
    conjunction,
    disjunction,
    negation,
    parse_selector,
)
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, covers, overlap
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NetworkSet

JsonObject = t.Mapping[str, t.Any]
SOME_PORTS = "some ports only"


class Match(t.NamedTuple):
    """``verdict`` None: some of the flow's packets, or it cannot be told; ``reasons`` then say why. With ``some_ports`` alone it is the ports."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    some_ports: bool = False


class NetworkSets(t.NamedTuple):
    """The NetworkSets and GlobalNetworkSets of a cluster; ``missing`` says why they could not be read."""

    items: tuple[NetworkSet, ...] = ()
    missing: str = ""


def match(rule: JsonObject, flow: Flow, owner: str, sets: NetworkSets) -> Match:
    """:param owner: namespace of the policy, "" for a global one."""
    some_ports = False
    reasons: list[str] = []
    verdicts: list[Verdict] = [_version(rule, flow), _protocol(rule, flow)]
    for side, entity in (("source", flow.source), ("destination", flow.destination)):
        spec = rule.get(side)
        if not isinstance(spec, dict) or not spec:
            continue
        verdict, why = _entity(spec, entity, owner, sets)
        verdicts.append(verdict)
        reasons += [f"{side}: {reason}" for reason in why] if verdict is None else []
        port_verdict, why_port = _ports(spec, flow.port if side == "destination" else None, side)
        verdicts.append(port_verdict)
        if port_verdict is None:
            some_ports = some_ports or why_port == SOME_PORTS
            reasons += [] if why_port == SOME_PORTS else [why_port]
    if rule.get("icmp") or rule.get("notICMP"):
        verdicts.append(False if rule.get("icmp") else True)
    if rule.get("http"):
        verdicts.append(None)
        reasons.append("it looks into HTTP requests")
    whole = conjunction(verdicts)
    return Match(whole, tuple(reasons) if whole is None else (), some_ports and whole is None)


def _version(rule: JsonObject, flow: Flow) -> Verdict:
    version = rule.get("ipVersion")
    families = {network.version for network in (*flow.source.networks, *flow.destination.networks)}
    return True if version in (None, 0) or not families else version in families


def _protocol(rule: JsonObject, flow: Flow) -> Verdict:
    wanted, unwanted = rule.get("protocol"), rule.get("notProtocol")
    return (wanted in (None, "") or _number(wanted) == flow.protocol) and (unwanted in (None, "") or _number(unwanted) != flow.protocol)


def _number(protocol: t.Any) -> int | None:
    text = str(protocol)
    return int(text) if text.isdigit() else PROTOCOLS.get(text.upper())


def _ports(spec: JsonObject, port: int | None, side: str) -> tuple[Verdict, str]:
    verdicts: list[Verdict] = []
    for key, wanted in (("ports", True), ("notPorts", False)):
        listed = spec.get(key)
        if not isinstance(listed, list) or not listed:
            continue
        if port is None:
            return None, SOME_PORTS if side == "destination" else "it depends on the client's port"
        held = disjunction(_port(entry, port) for entry in listed)
        verdicts.append(held if wanted else negation(held))
    verdict = conjunction(verdicts)
    return verdict, "it names a port by name" if verdict is None else ""


def _port(entry: t.Any, port: int) -> Verdict:
    """A number, a range ``first:last``, or the name of a container's port, of which a snapshot knows nothing."""
    first, _colon, last = str(entry).partition(":")
    if not first.isdigit() or (last and not last.isdigit()):
        return None
    return int(first) <= port <= int(last or first)


def _entity(spec: JsonObject, entity: Entity, owner: str, sets: NetworkSets) -> tuple[Verdict, list[str]]:
    reasons: list[str] = []
    verdicts: list[Verdict] = []

    def add(verdict: Verdict, reason: str) -> None:
        verdicts.append(verdict)
        if verdict is None:
            reasons.append(reason)

    if spec.get("nets"):
        add(_within(entity.networks, nets(spec["nets"])), _address(spec["nets"], entity))
    if spec.get("notNets"):
        add(negation(_within(entity.networks, nets(spec["notNets"]))), _address(spec["notNets"], entity))
    if spec.get("services"):
        add(None, "it names a Service")
    if spec.get("domains"):
        add(None, "it names domains")
    try:
        for key in ("selector", "notSelector", "namespaceSelector"):
            parse_selector(str(spec.get(key) or ""))  # a broken one breaks the policy, whether or not anything would be asked of it
        if any(spec.get(key) for key in ("selector", "namespaceSelector", "serviceAccounts")) or (owner and spec.get("notSelector")):
            add(_selected(spec, entity, owner, sets), _unselected(entity, sets))
        if spec.get("notSelector"):
            add(negation(_any_of(lambda labels, namespace, of_namespace: _says(spec["notSelector"], labels), entity, sets)), _unselected(entity, sets))
    except SelectorError as error:
        add(None, str(error))
    return conjunction(verdicts), reasons


def _within(networks: t.Sequence[Network], ranges: t.Sequence[Network]) -> Verdict:
    if not networks:
        return None
    if len(networks) == 1 and any(networks[0].version == one.version and networks[0].subnet_of(one) for one in ranges):  # type: ignore[arg-type]
        return True
    if not overlap(networks, ranges):
        return False
    return True if covers(ranges, networks) else None


def _address(listed: t.Any, entity: Entity) -> str:
    ranges = ", ".join(map(str, listed[:3])) + (", …" if len(listed) > 3 else "")
    return f"nets {ranges} hold a part of it" if entity.networks else f"whether nets {ranges} hold it: its address is not known"


def _unselected(entity: Entity, sets: NetworkSets) -> str:
    return sets.missing or (
        "it depends on labels of single pods" if entity.labels is not None and entity.labels.open else "it depends on what is not known of it"
    )


def _selected(spec: JsonObject, entity: Entity, owner: str, sets: NetworkSets) -> Verdict:
    def says(labels: Labels, namespace: str, of_namespace: Labels) -> Verdict:
        verdicts = [_in_namespaces(str(spec.get("namespaceSelector") or ""), namespace, of_namespace, owner), _says(spec.get("selector"), labels)]
        if spec.get("serviceAccounts"):
            verdicts.append(None if namespace and labels is entity.labels else False)
        return conjunction(verdicts)

    return _any_of(says, entity, sets)


def _in_namespaces(selector: str, namespace: str, of_namespace: Labels, owner: str) -> Verdict:
    if not selector:
        return not owner or namespace == owner
    return namespaces_matched(selector, namespace, of_namespace)


def namespaces_matched(selector: str, namespace: str, labels: Labels) -> Verdict:
    """A namespaceSelector on a namespace, or with an empty name on what is in none.

    :raises SelectorError: it is no selector.
    """
    known = Labels({**labels.known, NAMESPACE_LABEL: namespace}, labels.open) if namespace else Labels({})
    return parse_selector(selector.replace("all()", f"has({NAMESPACE_LABEL})")).matches(known)


def _says(selector: t.Any, labels: Labels) -> Verdict:
    return parse_selector(str(selector or "")).matches(labels)


def _any_of(says: t.Callable[[Labels, str, Labels], Verdict], entity: Entity, sets: NetworkSets) -> Verdict:
    """Whether the endpoint itself is meant, or a set of networks that holds its address."""
    verdicts: list[Verdict] = []
    if entity.labels is not None:
        verdicts.append(says(entity.labels, entity.namespace, entity.namespace_labels))
    for item in sets.items:
        held = _within(entity.networks, nets(item.nets))
        if held is not False:
            namespace = item.ref.namespace
            verdicts.append(conjunction((held, says(Labels(item.labels), namespace, Labels({}, open=bool(namespace))))))
    if sets.missing:
        verdicts.append(None)
    return disjunction(verdicts)
