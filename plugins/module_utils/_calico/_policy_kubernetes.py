# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kubernetes' NetworkPolicies in Calico's terms, as Calico itself takes them.

After projectcalico/calico libcalico-go/lib/backend/k8s/conversion: they stand in tier ``default`` with order 1000, allow and never deny, and their pod
selectors mean pods alone.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, ORCHESTRATOR_LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import CalicoPolicy, NetworkPolicy

API = "networking.k8s.io/v1"
ORDER = 1000.0
PREFIX = "knp.default."  # under which Calico's API shows Kubernetes' policies among its own
ANY_POD = f"{ORCHESTRATOR_LABEL} == 'k8s'"

JsonObject = t.Mapping[str, t.Any]


def as_calico(policy: NetworkPolicy) -> CalicoPolicy:
    """The same policy as a record of Calico's."""
    types = policy.policy_types or ((INGRESS, EGRESS) if policy.egress else (INGRESS,))
    return CalicoPolicy(
        ref=policy.ref,
        api_version=API,
        tier="default",
        order=ORDER,
        selector=_pods(policy.pod_selector),
        types=tuple(types),
        ingress=tuple(rule for entry in policy.ingress for rule in _rules(entry, "from", "source")),
        egress=tuple(rule for entry in policy.egress for rule in _rules(entry, "to", "destination")),
    )


def without_copies(policies: t.Iterable[CalicoPolicy]) -> tuple[CalicoPolicy, ...]:
    """Less those in which projectcalico.org/v3 repeats Kubernetes' own."""
    return tuple(policy for policy in policies if not policy.ref.name.startswith(PREFIX))


def label_selector(selector: t.Any) -> str:
    """A LabelSelector in Calico's language; an empty one selects everything."""
    if not isinstance(selector, dict):
        return ""
    labels = selector.get("matchLabels")
    terms = [f"{key} == {_quoted(value)}" for key, value in sorted(labels.items())] if isinstance(labels, dict) else []
    expressions = selector.get("matchExpressions")
    for entry in expressions if isinstance(expressions, list) else []:
        if isinstance(entry, dict):
            terms.append(_expression(str(entry.get("key") or ""), str(entry.get("operator") or ""), entry.get("values")))
    return " && ".join(terms)


def _expression(key: str, operator: str, values: t.Any) -> str:
    listed = ", ".join(_quoted(value) for value in values) if isinstance(values, list) else ""
    forms = {
        "In": f"{key} in {{{listed}}}",
        "NotIn": f"{key} not in {{{listed}}}",
        "Exists": f"has({key})",
        "DoesNotExist": f"!has({key})",
    }
    return forms.get(operator, operator or key)  # what Kubernetes knows no operator for stays no selector


def _quoted(value: t.Any) -> str:
    text = str(value)
    return f"'{text}'" if "'" not in text else f'"{text}"'


def _pods(selector: t.Any) -> str:
    chosen = label_selector(selector)
    return f"{ANY_POD} && {chosen}" if chosen else ANY_POD


def _rules(entry: JsonObject, peers_key: str, side: str) -> t.Iterator[dict[str, t.Any]]:
    """One rule for each pair of a peer and a protocol."""
    peers = [_peer(peer) for peer in _objects(entry.get(peers_key))] or [{}]
    for peer in peers:
        for protocol, ports in _ports(_objects(entry.get("ports"))):
            rule: dict[str, t.Any] = {"action": "Allow", **({"protocol": protocol} if protocol else {})}
            if peer:
                rule[side] = dict(peer)
            if ports:
                rule["destination"] = {**rule.get("destination", {}), "ports": ports}
            yield rule


def _peer(peer: JsonObject) -> dict[str, t.Any]:
    block = peer.get("ipBlock")
    if isinstance(block, dict):
        excluded = block.get("except")
        return {"nets": [str(block.get("cidr") or "")], **({"notNets": list(excluded)} if isinstance(excluded, list) and excluded else {})}
    chosen = {"selector": _pods(peer.get("podSelector"))}
    if "namespaceSelector" in peer and peer["namespaceSelector"] is not None:
        chosen["namespaceSelector"] = label_selector(peer["namespaceSelector"]) or "all()"
    return chosen


def _ports(entries: t.Sequence[JsonObject]) -> t.Iterator[tuple[str, list[t.Any]]]:
    """Protocols with their ports; an empty list means all of a protocol, and no protocol all of them."""
    if not entries:
        yield "", []
    grouped: dict[str, list[t.Any]] = {}
    unlimited = set()
    for entry in entries:
        protocol = str(entry.get("protocol") or "TCP")
        ports = grouped.setdefault(protocol, [])
        if entry.get("port") is None:
            unlimited.add(protocol)
        else:
            ports.append(f"{entry['port']}:{entry['endPort']}" if entry.get("endPort") else entry["port"])
    for protocol, ports in grouped.items():
        yield protocol, [] if protocol in unlimited else ports


def _objects(value: t.Any) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
