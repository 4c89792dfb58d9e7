# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What tiers of policies do with a flow at one endpoint, without sending a packet.

After https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy and projectcalico/calico felix/calc: tiers by order, in each the
policies that select the endpoint and are of the flow's direction, by order; the first rule that matches decides; where policies of a tier select the
endpoint and none decides, the tier's default action does; what all tiers let pass meets the endpoint's profiles.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, Entity, Flow
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_rules import NetworkSets, match, namespaces_matched
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import SelectorError, Verdict, conjunction, parse_selector
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import CalicoPolicy, Ref, Tier

ALLOWED = "allowed"
DROPPED = "dropped"

DEFAULT_TIER = "default"
DEFAULT_TIER_ORDER = 1_000_000.0  # projectcalico/calico api/pkg/apis/projectcalico/v3/tier.go


class Outcome(t.NamedTuple):
    """``possible`` holds what may become of the flow's packets. With both, ``unknown`` says what could not be evaluated; empty, it is a matter of ports."""

    possible: frozenset[str]
    dropped_by: tuple[str, ...] = ()  # policy and rule, or a tier's end
    allowed_by: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_dropped(self) -> bool:
        return self.possible == {DROPPED}

    @property
    def is_allowed(self) -> bool:
        return self.possible == {ALLOWED}

    @property
    def is_unknown(self) -> bool:
        return len(self.possible) > 1 and bool(self.unknown)


class Policies(t.NamedTuple):
    """All that decides in one cluster."""

    policies: tuple[CalicoPolicy, ...]
    tiers: tuple[Tier, ...]
    sets: NetworkSets


class Selection(t.NamedTuple):
    """The policies that select an endpoint; ``perhaps`` are those of which that depends on labels that are not known."""

    certain: tuple[CalicoPolicy, ...]
    perhaps: tuple[CalicoPolicy, ...]


def directions(policy: CalicoPolicy) -> tuple[str, ...]:
    """Its types, with Calico's default where none are stated."""
    if policy.types:
        return policy.types
    if not policy.egress:
        return (INGRESS,)
    return (INGRESS, EGRESS) if policy.ingress else (EGRESS,)


def selects(policy: CalicoPolicy, entity: Entity) -> Verdict:
    """Whether a policy applies to an endpoint, whatever the direction. One with a broken selector applies to nothing that can be told."""
    if entity.labels is None or policy.staged:
        return False
    if policy.ref.namespace and policy.ref.namespace != entity.namespace:
        return False
    try:
        verdicts = [parse_selector(policy.selector).matches(entity.labels)]
        if policy.namespace_selector:
            verdicts.append(namespaces_matched(policy.namespace_selector, entity.namespace, entity.namespace_labels))
    except SelectorError:
        return None
    if policy.service_account_selector:
        verdicts.append(None if entity.is_pod else False)
    return conjunction(verdicts)


def selection(policies: t.Iterable[CalicoPolicy], entity: Entity, direction: str) -> Selection:
    certain, perhaps = [], []
    for policy in policies:
        if direction in directions(policy):
            verdict = selects(policy, entity)
            if verdict is not False:
                (certain if verdict else perhaps).append(policy)
    return Selection(tuple(certain), tuple(perhaps))


def evaluate(applied: t.Iterable[CalicoPolicy], flow: Flow, rules: Policies, *, profile: str | None = ALLOWED, at_end: bool = True) -> Outcome:
    """What becomes of ``flow`` at an endpoint that the policies ``applied`` select.

    :param profile: what the endpoint's profiles do with what no tier decides; None where that is not known.
    :param at_end: False for policies whose tier has no default action (preDNAT, doNotTrack): what no rule decides goes on.
    """
    possible: set[str] = set()
    dropped: dict[str, None] = {}
    allowed: dict[str, None] = {}
    unknown: dict[str, None] = {}
    undecided = True  # some of the packets reach the tier at hand
    for tier, policies in _by_tier(applied, rules.tiers):
        if not undecided:
            break
        here, passed = True, False
        for policy, number, rule in _rules(policies, flow.direction):
            action = str(rule.get("action") or "Allow").lower()
            if action == "log":
                continue
            found = match(rule, flow, policy.ref.namespace, rules.sets)
            if found.verdict is False:
                continue
            name = f"{policy.ref} {flow.direction.lower()} rule {number}"
            for reason in found.reasons:
                unknown.setdefault(f"{name}: {reason}")
            if action == "pass":
                passed = True
            else:
                possible.add(ALLOWED if action == "allow" else DROPPED)
                (allowed if action == "allow" else dropped).setdefault(name)
            if found.verdict is True:
                here = False
                break
        if here and at_end and tier.default_action != "Pass":
            possible.add(DROPPED)
            dropped.setdefault(_end_of(tier, policies))
            here = False
        undecided = here or passed
    if undecided:
        possible.update((ALLOWED, DROPPED) if profile is None else (profile,))
        if profile is None:
            unknown.setdefault("its profiles are not known")
        if profile == DROPPED:
            dropped.setdefault("no policy and no profile allows it")
    return Outcome(frozenset(possible), tuple(dropped), tuple(allowed), tuple(unknown))


def together(outcomes: t.Iterable[Outcome]) -> Outcome:
    """The outcome of several flows, or of one at an endpoint of which several things may be true."""
    listed = list(outcomes)
    if len(listed) == 1:
        return listed[0]

    def merged(field: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for outcome in listed for text in getattr(outcome, field)))

    return Outcome(frozenset().union(*(outcome.possible for outcome in listed)), merged("dropped_by"), merged("allowed_by"), merged("unknown"))


def _by_tier(applied: t.Iterable[CalicoPolicy], tiers: t.Sequence[Tier]) -> list[tuple[Tier, list[CalicoPolicy]]]:
    """Tiers that have a policy here, in the order in which they are asked; without an order means last."""
    known = {tier.ref.name: tier for tier in tiers}
    grouped: dict[str, list[CalicoPolicy]] = {}
    for policy in applied:
        grouped.setdefault(policy.tier, []).append(policy)
    pairs = [(known.get(name) or _tier(name), sorted(policies, key=_policy_place)) for name, policies in grouped.items()]
    return sorted(pairs, key=lambda pair: (_order(pair[0].order, pair[0].ref.name), pair[0].ref.name))


def _tier(name: str) -> Tier:
    """A tier that the snapshot does not hold: Calico before 3.29 has no tiers but ``default``."""
    return Tier(Ref("Tier", name), None)


def _order(order: float | None, name: str = "") -> float:
    if order is not None:
        return order
    return DEFAULT_TIER_ORDER if name == DEFAULT_TIER else math.inf


def _policy_place(policy: CalicoPolicy) -> tuple[float, str, str]:
    return (math.inf if policy.order is None else policy.order, policy.ref.name, policy.ref.namespace)


def _rules(policies: t.Iterable[CalicoPolicy], direction: str) -> t.Iterator[tuple[CalicoPolicy, int, t.Mapping[str, t.Any]]]:
    for policy in policies:
        for number, rule in enumerate(policy.ingress if direction == INGRESS else policy.egress, 1):
            yield policy, number, rule


def _end_of(tier: Tier, policies: t.Sequence[CalicoPolicy]) -> str:
    names = ", ".join(str(policy.ref) for policy in policies[:3]) + (f" and {len(policies) - 3} more" if len(policies) > 3 else "")
    return f"{names}: no rule allows it" + ("" if tier.ref.name == DEFAULT_TIER else f", and tier {tier.ref.name} ends in {tier.default_action}")
