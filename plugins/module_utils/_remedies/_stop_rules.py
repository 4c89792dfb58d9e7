# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a step may begin: consent, what it depends on, and what stops a run."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._remedies._order import joins_any

# What became of a step.
DONE, UNCHANGED, FAILED = "done", "unchanged", "failed"
CONSENT, SKIPPED, STOPPED = "needs consent", "skipped", "stopped"
ENDED_WELL = (DONE, UNCHANGED)


class Outcome(t.NamedTuple):
    n: int
    state: str
    message: str = ""


class Rules(t.NamedTuple):
    """What a run is stopped by.

    :param max_failures: steps that may fail in a clusterset (a cluster that is in none counts for itself) before no new step begins in it. Before a
        cluster is joined to a set, those of all sets count.
    :param min_healthy_gateways: a disruptive step begins only where at least so many gateways of its cluster are healthy; 0 asks nothing.
    """

    allow_disruption: bool = False
    max_failures: int = 1
    min_healthy_gateways: int = 0


class Surroundings(t.NamedTuple):
    """What was found just before a step.

    :param paused: why, "" where the run is not paused.
    :param closed: why the time window is closed, "" where it is open or there is none.
    :param healthy_gateways: None where that could not be read.
    """

    paused: str = ""
    closed: str = ""
    healthy_gateways: int | None = None


def must_wait(step: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any], outcomes: t.Sequence[Outcome], rules: Rules, around: Surroundings) -> Outcome | None:
    """Why a step of a plan may not begin, None where it may.

    A step that is left out for want of consent is no failure; what depends on it is skipped and named all the same.
    """
    number = step["n"]
    states = {outcome.n: outcome for outcome in outcomes}
    for need in step["depends_on"]:
        before = states.get(need)
        if before is None or before.state not in ENDED_WELL:
            return Outcome(number, SKIPPED, f"it depends on step {need}, which {_told(before)}")
    if step["disruptive"] and not rules.allow_disruption:
        return Outcome(number, CONSENT, "it interrupts traffic: allow_disruption=true (submariner_allow_disruption) agrees to that")
    failed = _failures(step, plan, outcomes)
    if rules.max_failures and len(failed) >= rules.max_failures:
        where = "on what this cluster may be joined to" if _joins_any(step, plan) else "in this clusterset"
        return Outcome(number, STOPPED, f"{_steps(failed)} failed {where}, and max_failures is {rules.max_failures}")
    if around.paused:
        return Outcome(number, STOPPED, f"the run is paused: {around.paused}")
    if around.closed:
        return Outcome(number, STOPPED, around.closed)
    if step["disruptive"] and rules.min_healthy_gateways:
        healthy = around.healthy_gateways
        if healthy is None:
            return Outcome(number, STOPPED, "how many gateways are healthy could not be read, and min_healthy_gateways is set")
        if healthy < rules.min_healthy_gateways:
            return Outcome(number, STOPPED, f"{healthy} gateways of {step['cluster']} are healthy, and min_healthy_gateways is {rules.min_healthy_gateways}")
    return None


def out_of_order(step: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any], outcomes: t.Sequence[Outcome], hosts: t.Collection[str]) -> list[int]:
    """Earlier steps on clusters of this run of which nothing is known yet: the play does not run its hosts in lockstep.

    :param hosts: clusters that are still in the run.
    """
    known = {outcome.n for outcome in outcomes}
    return [other["n"] for other in plan["steps"] if other["n"] < step["n"] and other["cluster"] in hosts and other["n"] not in known]


def _failures(step: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any], outcomes: t.Iterable[Outcome]) -> list[int]:
    if _joins_any(step, plan):
        return [outcome.n for outcome in outcomes if outcome.state == FAILED]
    sets = {entry["name"]: entry["clusterset"] or f"cluster {entry['name']}" for entry in plan["clusters"]}
    clusters = {other["n"]: other["cluster"] for other in plan["steps"]}
    own = sets.get(step["cluster"])
    return [outcome.n for outcome in outcomes if outcome.state == FAILED and sets.get(clusters.get(outcome.n, "")) == own]


def _joins_any(step: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any]) -> bool:
    return joins_any(step["kind"], next((entry["clusterset"] for entry in plan["clusters"] if entry["name"] == step["cluster"]), ""))


def _told(outcome: Outcome | None) -> str:
    if outcome is None:
        return "was not run"
    return {FAILED: "failed", CONSENT: "needs consent", SKIPPED: "was skipped", STOPPED: "was not begun"}.get(outcome.state, outcome.state)


def _steps(numbers: t.Sequence[int]) -> str:
    return f"step{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
