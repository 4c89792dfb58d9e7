# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Adding a demand to an affinity that stands, and taking it away again, so that everything else of it stays in force.

tigera/operator replaces the affinity that it would render by the one in Installation (pkg/render/common/components, ``ApplyDaemonSetOverrides``). What
stands must therefore be in what is written: a user's own rules, the presets that keep calico-node off nodes which are none on AKS and EKS
(pkg/render/node.go, csi.go), and the anti-affinity that spreads Typha over zones (pkg/render/typha.go).
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_terms import REQUIRED, expressions_of

Affinity = t.Dict[str, t.Any]
_PRESETS: t.Mapping[str, tuple[str, str]] = {"AKS": ("type", "virtual-kubelet"), "EKS": ("eks.amazonaws.com/compute-type", "fargate")}


class Requirement(t.NamedTuple):
    """One expression that every alternative of the required node affinity must hold."""

    key: str
    operator: str  # In or NotIn
    values: tuple[str, ...]

    def expression(self) -> dict[str, t.Any]:
        """As it stands in ``matchExpressions``."""
        return {"key": self.key, "operator": self.operator, "values": list(self.values)}

    def implied_by(self, expression: t.Mapping[str, t.Any]) -> bool:
        """True where ``expression`` demands this already, or more: ``DoesNotExist`` of the key is more than NotIn."""
        if expression.get("key") != self.key or expression.get("field"):
            return False
        operator, values = expression.get("operator"), {str(value) for value in expression.get("values") or ()}
        if self.operator == "NotIn":
            return operator == "DoesNotExist" or (operator == "NotIn" and values >= set(self.values))
        return operator == "In" and bool(values) and values <= set(self.values)


def node_affinity(affinity: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """``nodeAffinity`` of an affinity, {} where it has none."""
    found = (affinity or {}).get("nodeAffinity")
    return found if isinstance(found, dict) else {}


def terms_of(affinity: t.Mapping[str, t.Any] | None) -> list[t.Any] | None:
    """``nodeSelectorTerms`` of the required node affinity, None where nothing is required."""
    required = node_affinity(affinity).get(REQUIRED)
    if not isinstance(required, dict):
        return None
    terms = required.get("nodeSelectorTerms")
    return terms if isinstance(terms, list) else []


def demands(affinity: t.Mapping[str, t.Any] | None, requirement: Requirement) -> bool:
    """Whether every alternative that can select a node demands it."""
    terms = terms_of(affinity)
    return terms is not None and all(any(map(requirement.implied_by, expressions_of(term))) for term in terms if expressions_of(term))


def mentions(affinity: t.Mapping[str, t.Any] | None, requirement: Requirement) -> bool:
    """Whether any alternative demands it."""
    return any(requirement.implied_by(entry) for term in terms_of(affinity) or () for entry in expressions_of(term))


def with_requirement(affinity: t.Mapping[str, t.Any] | None, requirement: Requirement) -> Affinity:
    """A copy of the affinity that selects what it selected, of that only what meets the requirement."""
    result: Affinity = copy.deepcopy(dict(affinity or {}))
    if demands(affinity, requirement):
        return result
    terms = terms_of(affinity)
    added = [_with(term, requirement) for term in ([{}] if terms is None else terms) if terms is None or expressions_of(term)]
    # Alternatives that select nothing select nothing still: with the requirement alone they would select nearly everything.
    empty = [term for term in terms or () if not expressions_of(term)]
    required = {**(node_affinity(affinity).get(REQUIRED) or {}), "nodeSelectorTerms": added + copy.deepcopy(empty)}
    result["nodeAffinity"] = {**copy.deepcopy(node_affinity(affinity)), REQUIRED: required}
    return result


def _with(term: t.Mapping[str, t.Any], requirement: Requirement) -> dict[str, t.Any]:
    if any(map(requirement.implied_by, expressions_of(term))):
        return copy.deepcopy(dict(term))
    return {**copy.deepcopy(dict(term)), "matchExpressions": [*copy.deepcopy(term.get("matchExpressions") or []), requirement.expression()]}


def without_requirement(affinity: t.Mapping[str, t.Any] | None, requirement: Requirement) -> Affinity | None:
    """A copy of the affinity without what demands the requirement; None where nothing is left of it."""
    result: Affinity = copy.deepcopy(dict(affinity or {}))
    terms = terms_of(affinity)
    if terms is not None:
        kept = [_without(term, requirement) for term in terms]
        own = dict(node_affinity(result))
        if any(expressions_of(before) and not expressions_of(after) for before, after in zip(terms, kept)):
            del own[REQUIRED]  # this alternative demanded nothing else, so without it every node is selected
        else:
            own[REQUIRED] = {**own[REQUIRED], "nodeSelectorTerms": kept}
        result["nodeAffinity"] = own
    return {key: value for key, value in result.items() if value not in (None, {})} or None


def _without(term: t.Any, requirement: Requirement) -> t.Any:
    if not isinstance(term, dict) or not isinstance(term.get("matchExpressions"), list):
        return term
    kept = [entry for entry in term["matchExpressions"] if not (isinstance(entry, dict) and requirement.implied_by(entry))]
    rest = {key: value for key, value in term.items() if key != "matchExpressions"}
    return {**rest, "matchExpressions": kept} if kept else rest


def preset(component: str, provider: str, typha_affinity: t.Mapping[str, t.Any] | None = None) -> Affinity | None:
    """The affinity that the operator renders by itself, where Installation says none for the component.

    :param provider: ``kubernetesProvider``, of status.computed.
    :param typha_affinity: Installation's older field ``typhaAffinity``, which the operator renders together with its own anti-affinity.
    """
    if component == "calico-typha":
        return {**_of_typha(typha_affinity), "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_spread("calico-typha")]}}
    if provider not in _PRESETS:
        return None
    key, value = _PRESETS[provider]
    return with_requirement(None, Requirement(key, "NotIn", (value,)))


def _of_typha(typha_affinity: t.Mapping[str, t.Any] | None) -> Affinity:
    wanted = {key: value for key, value in node_affinity(typha_affinity).items() if value}
    return {"nodeAffinity": copy.deepcopy(wanted)} if wanted else {}


def _spread(app: str) -> dict[str, t.Any]:
    selector = {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": [app]}]}
    return {"weight": 1, "podAffinityTerm": {"labelSelector": selector, "topologyKey": "topology.kubernetes.io/zone"}}


def change(before: t.Any, after: t.Any) -> dict[str, t.Any]:
    """The merge patch (RFC 7386) that makes ``after`` of ``before``: keys that are gone are None, lists are replaced."""
    patch: dict[str, t.Any] = {key: None for key in before or {} if key not in (after or {})}
    for key, value in (after or {}).items():
        had = (before or {}).get(key)
        if had == value:
            continue
        patch[key] = change(had, value) if isinstance(had, dict) and isinstance(value, dict) else value
    return patch
