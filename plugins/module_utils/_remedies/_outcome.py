# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What came of a run: the outcome of every step, the proof by a second diagnosis, and one screen that says it."""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN, UNREADABLE, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _stop_rules as rules
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._stop_rules import Outcome

WIDTH = 80
MOST_LINES = 8  # findings that are told by a line each
MOST_KEYS = 100  # names in the statistics: AWX makes extra variables of them


class Result(t.NamedTuple):
    """
    :param repaired: steps that were carried out and whose findings are gone.
    :param unchanged: steps in which nothing was left to do.
    :param consent: steps that interrupt traffic, without consent.
    :param failed: steps that failed, and those whose finding is still there, each with the reason.
    :param left: steps that were not begun, each with the reason.
    :param people: what needs a person, as in the plan, and what modules said meanwhile.
    :param remaining: keys of findings of which a step should have been the remedy and that are still there.
    :param uncovered: findings that a further run has a step for, which none of this run's was for: what was hidden by what has been repaired, or is new.
    """

    repaired: tuple[int, ...]
    unchanged: tuple[int, ...]
    consent: tuple[int, ...]
    failed: t.Mapping[int, str]
    left: t.Mapping[int, str]
    people: tuple[t.Mapping[str, t.Any], ...]
    remaining: tuple[str, ...]
    uncovered: tuple[Finding, ...] = ()

    @property
    def success(self) -> bool:
        """Nothing failed, was stopped, could not be run or waits for consent. What only a person may do is neither failure nor repair."""
        return not (self.failed or self.left or self.consent or self.blocked)

    @property
    def blocked(self) -> int:
        """How many roles could not be run, as was known from the plan on."""
        return sum(bool(entry.get("blocked")) for entry in self.people)


def judge(
    plan: t.Mapping[str, t.Any], outcomes: t.Sequence[Outcome], after: t.Sequence[Finding] | None, more_people: t.Sequence[t.Mapping[str, t.Any]] = ()
) -> Result:
    """Compare what was to be done with what was done and, where it was read again, with what the clusters say now.

    A finding counts as gone only where its check judged again: one that could not be judged, or whose cluster could not be read, is not repaired.

    :param after: the findings of the diagnosis after the last step; None where there was none.
    """
    states = {outcome.n: outcome for outcome in outcomes}
    still = _still_there(after or ())
    failed: dict[int, str] = {}
    left: dict[int, str] = {}
    repaired, unchanged, consent, remaining = [], [], [], []
    for step in plan["steps"]:
        number = step["n"]
        outcome = states.get(number, Outcome(number, rules.STOPPED, "its cluster left the run before it"))
        unproved = [f"{key} {still[key]}" for key in step["findings"] if key in still] + [
            f"{key} cannot be judged: its cluster could not be read"
            for key in step["findings"]
            if f"{key.partition('/')[0]}/{UNREADABLE}" in still and key not in still
        ]
        if outcome.state == rules.FAILED:
            failed[number] = outcome.message
        elif outcome.state == rules.CONSENT:
            consent.append(number)
        elif outcome.state in (rules.SKIPPED, rules.STOPPED):
            left[number] = outcome.message
        elif unproved:
            failed[number] = f"it was carried out, and {'; '.join(unproved[:3])}"
            remaining += [key for key in step["findings"] if key in still]
        elif outcome.state == rules.DONE:
            repaired.append(number)
        else:
            unchanged.append(number)
    # What depends on a step that needs consent waits for the same consent.
    waiting = {number: message for number, message in left.items() if _waits_for_consent(plan, number, set(consent))}
    consent += sorted(waiting)
    left = {number: message for number, message in left.items() if number not in waiting}
    people = _unique((*plan["needs_a_person"], *more_people))
    return Result(
        tuple(repaired), tuple(unchanged), tuple(sorted(consent)), failed, left, people, tuple(dict.fromkeys(remaining)), tuple(_uncovered(plan, after or ()))
    )


def _uncovered(plan: t.Mapping[str, t.Any], after: t.Sequence[Finding]) -> t.Iterator[Finding]:
    known = {key for step in plan["steps"] for key in step["findings"]} | {entry.get("finding") for entry in plan["needs_a_person"]}
    failed = {finding.key: finding for finding in after if finding.verdict == FAIL and not finding.waived}
    for finding in failed.values():
        follows = finding.caused_by != finding.key and finding.caused_by in failed
        if finding.remedy is not None and order.kind_of(finding.remedy.role) and finding.key not in known and not follows:
            yield finding


def _waits_for_consent(plan: t.Mapping[str, t.Any], number: int, consent: set[int]) -> bool:
    needs = {step["n"]: step["depends_on"] for step in plan["steps"]}
    waiting, found = list(needs.get(number, ())), set()
    while waiting:
        each = waiting.pop()
        if each in consent:
            return True
        if each not in found:
            found.add(each)
            waiting += needs.get(each, ())
    return False


def _still_there(findings: t.Iterable[Finding]) -> dict[str, str]:
    found: dict[str, str] = {}
    for finding in findings:
        if finding.waived:
            continue
        if finding.verdict == FAIL:
            found[finding.key] = f"is still there: {finding.title}"
        elif finding.verdict == UNKNOWN:
            found.setdefault(finding.key, f"cannot be judged any more: {finding.missing or finding.title}")
    return found


def _unique(entries: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[t.Mapping[str, t.Any], ...]:
    """Entries once each: a module says the same in the plan's check mode and in the run."""
    found = {}
    for entry in entries:
        found.setdefault((entry["cluster"], entry["text"], entry.get("target", ""), entry.get("paste", "")), entry)
    return tuple(found.values())


def plan_lines(plan: t.Mapping[str, t.Any], *, allow_disruption: bool) -> list[str]:
    """The plan on one screen: a paragraph a step, then what a person must do."""
    lines = [f"Plan {plan['run']}: {_count(len(plan['steps']), 'step')} on {_count(len({step['cluster'] for step in plan['steps']}), 'cluster')}"]
    for step in plan["steps"]:
        lines += _titled(step)
        lines += _indented(step["text"])
        if not step["predicted"]:
            lines += _indented(f"Its change is known when step {' and '.join(map(str, step['predicted_after']))} is done.")
        for said in step["lines"] if step["predicted"] else ():
            lines += _indented(f"- {said}")
        if step["disruptive"]:
            agreed = "" if allow_disruption else " Needs consent: allow_disruption."
            lines += _indented(f"Interrupts traffic for about {step['outage']['seconds']} s ({step['outage']['source']}).{agreed}")
    lines += _people_lines(plan["needs_a_person"])
    if plan["unknown"]:
        lines += ["", *_wrapped(f"Not judged, so nothing is planned for it: {', '.join(plan['unknown'][:12])}")]
    return lines if plan["steps"] or plan["needs_a_person"] else [f"Plan {plan['run']}: nothing to do.", *lines[1:]]


def result_lines(plan: t.Mapping[str, t.Any], result: Result, *, run: str) -> list[str]:
    """One screen for a terminal of 80 columns."""
    steps = {step["n"]: step for step in plan["steps"]}
    lines = [f"Run {run}: {_verdict(result)}"]
    for title, numbers in (("Repaired", result.repaired), ("Nothing left to do", result.unchanged)):
        if numbers:
            lines += ["", f"{title}:"]
        for number in numbers:
            lines += _titled(steps[number])
    if result.consent:
        lines += ["", "Needs consent to interrupt traffic (submariner_allow_disruption=true):"]
    for number in result.consent:
        lines += _titled(steps[number])
        if steps[number]["disruptive"]:
            lines += _indented(f"about {steps[number]['outage']['seconds']} s ({steps[number]['outage']['source']})")
    for title, reasons in (("Failed", result.failed), ("Not begun", result.left)):
        if reasons:
            lines += ["", f"{title}:"]
        for number, reason in reasons.items():
            lines += [*_titled(steps[number]), *_indented(reason)]
    lines += _people_lines(result.people)
    if result.uncovered:
        lines += ["", "Seen only now; run remediate again for it:"]
    for finding in result.uncovered[:MOST_LINES]:
        lines += _indented(f"{finding.key}: {finding.title}")
    if len(result.uncovered) > MOST_LINES:
        lines += _indented(f"and {len(result.uncovered) - MOST_LINES} more")
    if result.repaired or result.failed:
        consent = " -e submariner_allow_disruption=true" if any(_undoing_interrupts(steps[each]) for each in (*result.repaired, *result.failed)) else ""
        lines += ["", *_wrapped(f"To undo: ansible-playbook fathom.submariner.rollback -e submariner_run={run}{consent}")]
    return lines


def _undoing_interrupts(step: t.Mapping[str, t.Any]) -> bool:
    """Also of a pool that is created without interrupting anything."""
    return step["disruptive"] or step["role"] == f"{order.COLLECTION}{order.POOLS}"


def statistics(plan: t.Mapping[str, t.Any], result: Result, *, run: str) -> dict[str, t.Any]:
    """Counts and names for the next job of a workflow; small, and nothing that could be a secret."""
    return {
        "run": run,
        "steps": len(plan["steps"]),
        "repaired": len(result.repaired),
        "unchanged": len(result.unchanged),
        "needs_consent": len(result.consent),
        "needs_a_person": len(result.people) - result.blocked,
        "blocked": result.blocked,
        "failed": len(result.failed),
        "not_begun": len(result.left),
        "remaining": list(result.remaining[:MOST_KEYS]),
        "uncovered": [finding.key for finding in result.uncovered[:MOST_KEYS]],
    }


def _verdict(result: Result) -> str:
    counts = (
        (len(result.repaired), "repaired"),
        (len(result.unchanged), "had nothing left to do"),
        (len(result.consent), "need consent"),
        (len(result.failed), "failed"),
        (len(result.left), "not begun"),
    )
    said = [f"{number} {what}" for number, what in counts if number]
    if result.blocked:
        said.append(f"{result.blocked} cannot be run")
    if result.uncovered:
        said.append(f"{len(result.uncovered)} for a further run")
    if len(result.people) > result.blocked:
        said.append(f"{_count(len(result.people) - result.blocked, 'change')} for a person")
    return ", ".join(said) or "nothing to do"


def _people_lines(entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    lines = ["", "Needs a person:"] if entries else []
    for entry in entries:
        first = " (before all else)" if entry.get("gate") else ""
        lines += _wrapped(f"{entry['cluster']}{first}: {entry['text']}", "  ", "    ")
        if entry.get("target"):
            lines += _indented(f"in {entry['target']}")
        lines += [f"      {line}" for line in str(entry.get("paste") or "").splitlines()]  # to be copied, so never wrapped
    return lines


def _titled(step: t.Mapping[str, t.Any]) -> list[str]:
    needs = f", after step {', '.join(map(str, step['depends_on']))}" if step["depends_on"] else ""
    return _wrapped(f"{step['n']}. {step['role'].rpartition('.')[2]} on {step['cluster']}{needs}", "  ", "     ")


def _indented(text: str) -> list[str]:
    return _wrapped(text, "     ", "       " if text.startswith("- ") else "     ")


def _wrapped(text: str, first: str = "", rest: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, WIDTH - 8, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )  # 8: Ansible's own indent


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
