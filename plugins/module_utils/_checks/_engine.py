# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Runs checks and makes findings of what they yield."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN, UNREADABLE, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import (
    CLUSTER,
    CLUSTERSET,
    CannotJudge,
    Check,
    NotApplicable,
    Problem,
)
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError


TAG = "tag:"  # begins a pattern of tags instead of ids


@dataclass(frozen=True)
class Judgement:
    """``findings`` hold failures and unknown verdicts; ``passed`` and ``unknown`` are ids of checks, ``unknown`` with what was missing."""

    findings: tuple[Finding, ...] = ()
    passed: tuple[str, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


def select(
    checks: t.Sequence[Check], wanted: t.Sequence[str] = (), skipped: t.Sequence[str] = (), elsewhere: t.Collection[str] = ()
) -> tuple[Check, ...]:
    """The checks that one of the patterns ``wanted`` names (all when empty) and none of ``skipped``.

    A pattern is a shell pattern of ids, or of tags when it begins with ``tag:`` (``tag:mtu``, ``tag:calico-*``).

    :param elsewhere: ids, and tags led by ``tag:``, that exist although no check here has them: those of users' own checks, which ran before.
    :raises InputError: a pattern names no check, neither of the catalogue nor of ``checks``: a misspelt one would silently check nothing.
    """
    known = {entry.id: entry for entry in (*CHECKS, *checks)}.values()
    for pattern in (*wanted, *skipped):
        if not any(named_by(check, pattern) for check in known) and not fnmatch.filter(elsewhere, pattern):
            kind, names = ("tag", {tag for check in known for tag in check.tags}) if pattern.startswith(TAG) else ("check", {check.id for check in known})
            raise InputError(f"No {kind} matches {pattern.removeprefix(TAG)!r}. {kind.capitalize()}s: {', '.join(sorted(names))}.")
    return tuple(
        check
        for check in checks
        if (not wanted or any(named_by(check, pattern) for pattern in wanted)) and not any(named_by(check, pattern) for pattern in skipped)
    )


def named_by(check: Check, pattern: str) -> bool:
    """Whether a pattern of :func:`select` names the check."""
    if pattern.startswith(TAG):
        return any(fnmatch.fnmatchcase(tag, pattern.removeprefix(TAG)) for tag in check.tags)
    return fnmatch.fnmatchcase(check.id, pattern)


def judge_cluster(facts: Facts, checks: t.Sequence[Check] = CHECKS) -> Judgement:
    """All cluster-scope ``checks`` on one cluster."""
    results = []
    for check in checks:
        if check.scope == CLUSTER and (check.joined is None or facts.joined in (None, check.joined)):
            problems = _cluster_problems(check, facts)
            if problems is not None:
                results.append((check, problems))
    return _judgement(results, facts.snapshot.cluster)


def judge_clusterset(cards: t.Sequence[Card], checks: t.Sequence[Check] = CHECKS) -> Judgement:
    """All clusterset-scope ``checks`` on the cards of all clusters."""
    results = []
    for check in checks:
        if check.scope == CLUSTERSET:
            problems = _run(check, tuple(cards))
            if problems is not None:
                results.append((check, problems))
    return _judgement(results, CLUSTERSET)


def judge(checks: t.Sequence[Check], subject: t.Any, cluster: str) -> Judgement:
    """``checks`` on whatever they look at that is neither a cluster's facts nor cards, such as an inventory.

    :param cluster: what the findings are about.
    """
    results = [(check, problems) for check in checks for problems in [_run(check, subject)] if problems is not None]
    return _judgement(results, cluster)


def unreadable(cluster: str, reason: str) -> Finding:
    """The one finding of a cluster that gave no snapshot at all."""
    return Finding(
        id=UNREADABLE,
        severity="blocker",
        cluster=cluster,
        subject=f"cluster {cluster}",
        title="This cluster could not be read: nothing about it is known",
        verdict=UNKNOWN,
        missing=reason,
        impact="Every check of this cluster, and of its peers against it, is unknown.",
    )


def _cluster_problems(check: Check, facts: Facts) -> list[Problem] | None:
    needs = dict.fromkeys(check.needs if check.joined is None else ("submariners", *check.needs))
    reasons = [missing(getattr(facts.snapshot, name), name.replace("_", " ")) for name in needs]
    unread = "; ".join(reason for reason in reasons if reason)
    if unread:
        return [_not_judged(check, unread)]
    return _run(check, facts)


def _run(check: Check, subject: t.Any) -> list[Problem] | None:
    """None where the question does not arise. A check that breaks on what a cluster holds is unknown, and must not hide the others."""
    problems: list[Problem] = []
    try:
        problems.extend(check.run(subject))
    except NotApplicable:
        return problems or None
    except CannotJudge as error:
        problems.append(_not_judged(check, str(error)))
    except Exception as error:  # pylint: disable=broad-except
        problems.append(_not_judged(check, f"the check itself broke on what this cluster holds, please report it: {type(error).__name__}: {error}"))
    return problems


def _not_judged(check: Check, reason: str) -> Problem:
    return Problem(subject="", title=check.title, missing=reason)


def _judgement(results: t.Iterable[tuple[Check, list[Problem]]], cluster: str) -> Judgement:
    findings: list[Finding] = []
    passed: list[str] = []
    unknown: list[tuple[str, str]] = []
    for check, problems in results:
        made = [_finding(check, problem, cluster) for problem in problems]
        findings += made
        unknown += [(finding.id, finding.missing) for finding in made if finding.verdict == UNKNOWN]
        if not made:
            passed.append(check.id)
    return Judgement(tuple(findings), tuple(passed), tuple(unknown))


def _finding(check: Check, problem: Problem, cluster: str) -> Finding:
    where = problem.cluster or cluster
    return Finding(
        id=check.id,
        severity=problem.severity or check.severity,
        cluster=where,
        subject=problem.subject or (where if where == CLUSTERSET else f"cluster {where}"),
        title=problem.title,
        verdict=UNKNOWN if problem.missing else FAIL,
        evidence=problem.evidence,
        impact=problem.impact,
        missing=problem.missing,
        remedy=problem.remedy,
        references=check.references,
        caused_by=problem.caused_by,
    )
