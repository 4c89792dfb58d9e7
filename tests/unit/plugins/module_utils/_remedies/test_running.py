# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a step may begin, and what is said of a run afterwards."""

from __future__ import annotations

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, UNREADABLE, Finding, Remedy, Waiver
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _stop_rules as rules
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outcome import judge, plan_lines, result_lines, statistics
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._stop_rules import Outcome, Rules, Surroundings, must_wait, out_of_order


def step(n, cluster, depends_on=(), disruptive=False, kind="route_agent"):
    return {
        "n": n, "kind": kind, "cluster": cluster, "role": "fathom.submariner.join", "depends_on": list(depends_on), "disruptive": disruptive,
        "findings": [f"{cluster}/f{n}"],
        "text": "Do it.", "outage": {"seconds": 30, "source": "estimate: 1 gateway"}, "predicted": True, "predicted_after": [], "lines": ["adds a thing"],
    }  # fmt: skip


CLUSTERS = [
    {"name": "a", "clusterset": "east"},
    {"name": "b", "clusterset": "east"},
    {"name": "c", "clusterset": "west"},
    {"name": "d", "clusterset": ""},
    {"name": "e", "clusterset": ""},
]
PLAN = {
    "run": "r", "clusters": CLUSTERS, "needs_a_person": [], "unknown": [],
    "steps": [step(1, "a"), step(2, "a", [1]), step(3, "b", disruptive=True), step(4, "c"), step(5, "d"), step(6, "e"), step(7, "b", [3])],
}  # fmt: skip


def decided(number, *outcomes, around=Surroundings(), **options):
    found = must_wait(PLAN["steps"][number - 1], PLAN, outcomes, Rules(**options), around)
    return found and (found.state, found.message)


def test_a_step_may_begin():
    assert decided(1) is None
    assert decided(2, Outcome(1, rules.DONE)) is None
    assert decided(2, Outcome(1, rules.UNCHANGED)) is None
    assert decided(3, allow_disruption=True) is None


@pytest.mark.parametrize(
    "outcome, told",
    [
        (Outcome(1, rules.FAILED), "failed"),
        (Outcome(1, rules.CONSENT), "needs consent"),
        (Outcome(1, rules.SKIPPED), "was skipped"),
        (Outcome(9, rules.DONE), "was not run"),
    ],
)
def test_a_step_is_skipped_when_what_it_needs_was_not_done(outcome, told):
    assert decided(2, outcome) == (rules.SKIPPED, f"it depends on step 1, which {told}")


def test_consent_is_asked_for_before_anything_that_would_stop_the_run():
    assert decided(3, around=Surroundings(paused="x"))[0] == rules.CONSENT


def test_a_failure_stops_its_clusterset_and_no_other():
    failed = Outcome(1, rules.FAILED)
    assert decided(3, failed, allow_disruption=True) == (rules.STOPPED, "step 1 failed in this clusterset, and max_failures is 1")
    assert decided(4, failed) is None and decided(5, failed) is None
    assert decided(6, Outcome(5, rules.FAILED)) is None, "clusters of no clusterset have nothing to do with one another"
    assert decided(3, failed, allow_disruption=True, max_failures=2) is None
    assert decided(3, failed, Outcome(2, rules.FAILED), allow_disruption=True, max_failures=2)[0] == rules.STOPPED
    assert decided(3, failed, allow_disruption=True, max_failures=0) is None


def test_a_failure_anywhere_stops_the_join_of_a_cluster_that_is_in_no_set_yet():
    plan = {**PLAN, "steps": [step(1, "a"), step(2, "c"), step(3, "d", kind="join"), step(4, "b", kind="join")]}

    def found(number, *failed, **options):
        return must_wait(plan["steps"][number - 1], plan, [Outcome(each, rules.FAILED) for each in failed], Rules(**options), Surroundings())

    assert found(3) is None
    assert found(3, 1).message == "step 1 failed on what this cluster may be joined to, and max_failures is 1"
    assert found(3, 2, max_failures=2) is None
    assert found(4, 2) is None, "b is a member of east, and c is not"


@pytest.mark.parametrize(
    "around, told", [(Surroundings(paused="audit day"), "the run is paused: audit day"), (Surroundings(closed="it is noon"), "it is noon")]
)
def test_pause_and_window_stop_every_step(around, told):
    assert decided(1, around=around) == (rules.STOPPED, told)


@pytest.mark.parametrize("healthy, told", [(0, "0 gateways of b are healthy, and min_healthy_gateways is 1"), (None, "could not be read"), (1, "")])
def test_a_disruptive_step_needs_healthy_gateways(healthy, told):
    found = decided(3, around=Surroundings(healthy_gateways=healthy), allow_disruption=True, min_healthy_gateways=1)
    assert (found is None) if not told else told in found[1]
    assert decided(1, around=Surroundings(healthy_gateways=0), min_healthy_gateways=1) is None


def test_a_play_that_is_not_in_lockstep_is_told():
    assert out_of_order(PLAN["steps"][3], PLAN, [Outcome(1, rules.DONE)], ["a", "b", "c"]) == [2, 3]
    assert out_of_order(PLAN["steps"][3], PLAN, [Outcome(1, rules.DONE)], ["c"]) == []


def finding(check, cluster="a", **fields):
    return Finding(check, "error", cluster, "s", "It is broken", **fields)


def test_a_step_whose_finding_is_still_there_has_failed():
    result = judge(PLAN, [Outcome(1, rules.DONE), Outcome(4, rules.DONE), Outcome(5, rules.UNCHANGED)], [finding("f1")])
    assert result.repaired == (4,) and result.unchanged == (5,)
    assert "a/f1 is still there: It is broken" in result.failed[1] and result.remaining == ("a/f1",)
    assert not result.success and set(result.left) == {2, 3, 6, 7}


@pytest.mark.parametrize("after", [finding("f1", verdict=UNKNOWN, missing="pods"), finding(UNREADABLE, verdict=UNKNOWN, missing="refused")])
def test_what_cannot_be_judged_any_more_is_not_repaired(after):
    assert 1 in judge(PLAN, [Outcome(1, rules.DONE)], [after]).failed


def test_what_the_repair_uncovered_is_left_to_a_further_run():
    remedy = Remedy("Add it.", "fathom.submariner.remote_ippools")
    hidden = finding("hidden", remedy=remedy)
    others = [
        finding("f1", remedy=remedy),  # of this run
        finding("follows", remedy=remedy, caused_by="a/hidden"),
        finding("by-hand", remedy=Remedy("Ask them.")),
        finding("of-a-node", remedy=Remedy("Load it.", "fathom.submariner.node_modules")),
        finding("waived", remedy=remedy, waiver=Waiver("a reason", "2030-01-01", "waivers.yml line 1")),
        finding("of-a-person", remedy=remedy),
    ]
    plan = {**PLAN, "needs_a_person": [{"cluster": "a", "finding": "a/of-a-person", "text": "Set it.", "target": "", "paste": ""}]}
    outcomes = [Outcome(number, rules.DONE) for number in range(1, 8)]
    result = judge(plan, outcomes, [hidden, *others[1:]])
    assert result.uncovered == (hidden,) and result.success
    lines = result_lines(plan, result, run="r")
    assert "1 for a further run" in lines[0] and "Seen only now; run remediate again for it:" in lines and "a/hidden: It is broken" in "".join(lines)
    assert statistics(plan, result, run="r")["uncovered"] == ["a/hidden"]
    assert judge(plan, outcomes, [others[0]]).uncovered == () and judge(plan, outcomes, None).uncovered == ()


def test_what_waits_for_a_step_without_consent_waits_for_consent_too():
    outcomes = [Outcome(number, rules.DONE) for number in (1, 2, 4, 5, 6)] + [Outcome(3, rules.CONSENT), Outcome(7, rules.SKIPPED, "it depends on step 3")]
    result = judge(PLAN, outcomes, [])
    assert result.consent == (3, 7) and not result.left and not result.failed and not result.success
    counts = statistics(PLAN, result, run="r")
    assert (counts["repaired"], counts["needs_consent"], counts["failed"], counts["not_begun"]) == (5, 2, 0, 0)


def test_a_person_s_part_is_no_failure_and_a_role_that_cannot_be_run_is_one():
    outcomes = [Outcome(number, rules.DONE) for number in range(1, 8)]
    person = {"cluster": "a", "text": "Set it.", "target": "", "paste": "", "gate": False}
    assert judge({**PLAN, "needs_a_person": [person]}, outcomes, []).success
    result = judge({**PLAN, "needs_a_person": [person, {**person, "text": "It cannot.", "blocked": True}]}, outcomes, [])
    assert not result.success and "1 cannot be run, 1 change for a person" in result_lines(PLAN, result, run="r")[0]


def test_what_a_person_must_do_is_said_once_and_can_be_pasted():
    person = {"cluster": "a", "text": "Set it in git. " * 12, "target": "values.yaml", "paste": "mtu: 1400\nother: a-long-line-" + "x" * 90, "gate": True}
    plan = {**PLAN, "needs_a_person": [person]}
    result = judge(plan, [], None, [dict(person)])
    assert len(result.people) == 1
    lines = result_lines(plan, result, run="r")
    assert "      mtu: 1400" in lines and any(line.endswith("x" * 90) for line in lines)
    assert all(len(line) <= 76 for line in lines if "x" * 90 not in line)


def test_the_screen_names_every_step_with_its_reason():
    outcomes = [
        Outcome(1, rules.DONE),
        Outcome(2, rules.FAILED, "the server says no"),
        Outcome(3, rules.CONSENT),
        Outcome(4, rules.STOPPED, "the run is paused"),
    ]
    text = "\n".join(result_lines(PLAN, judge(PLAN, outcomes, []), run="r"))
    for said in ("Repaired:\n  1. join on a", "the server says no", "Not begun:\n  4. join on c", "the run is paused", "about 30 s", "submariner_run=r"):
        assert said in text
    assert "Run r: 1 repaired, 2 need consent, 1 failed" in text


def test_the_plan_says_what_interrupts_and_what_is_not_known_yet():
    plan = {**PLAN, "steps": [step(1, "a", disruptive=True), {**step(2, "a", [1]), "predicted": False, "predicted_after": [1]}], "unknown": ["b/odd"]}
    text = " ".join(" ".join(plan_lines(plan, allow_disruption=False)).split())
    for said in ("Plan r: 2 steps on 1 cluster", "- adds a thing", "Needs consent: allow_disruption", "known when step 1 is done", "after step 1", "b/odd"):
        assert said in text
    assert plan_lines({**PLAN, "steps": []}, allow_disruption=False) == ["Plan r: nothing to do."]
