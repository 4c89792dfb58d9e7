# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""From the results of many diagnoses to one report."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import TAG, judge_clusterset, unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._user_checks import AREA as USER_AREA
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._report._candidates import candidate_cards, without_known
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report, ordered

NAMES = ("cluster", "item", "name")


def assemble(
    results: t.Sequence[t.Mapping[str, t.Any]],
    checks: t.Sequence[Check],
    candidates: t.Mapping[str, t.Any] | None = None,
    cluster_ids: t.Mapping[str, t.Any] | None = None,
) -> Report:
    """Judge the clusterset and put everything in order.

    :param results: of module diagnose, one for each cluster; the result of a failed task is a cluster that could not be read.
    :param checks: the checks to run; those of single clusters have run already.
    :param candidates: ranges of clusters that are only planned, by name, as the user writes them. Those of a cluster that was read are left out.
    :param cluster_ids: by name the ids under which clusters are to be joined; their names where none is given.
    :raises InputError: a result is none of module diagnose, two are of the same cluster, or a candidate's ranges are no CIDRs.
    """
    clusters: list[ClusterResult] = []
    cards: list[Card] = []
    findings: list[Finding] = []
    for position, result in enumerate(results, 1):
        name, card, found, passed = _read(position, result)
        if not (card.joined or card.error or card.candidate):
            card = replace(card, planned_id=str((cluster_ids or {}).get(name) or name))
        cidrs, details = (dict(result.get(key) or {}) if isinstance(result.get(key), dict) else {} for key in ("cidrs", "details"))
        if name in (cluster.name for cluster in clusters):
            raise InputError(
                f"Two results are of the cluster {name!r}: give every cluster a name of its own (option cluster of fathom.submariner.diagnose)."
            )
        clusters.append(ClusterResult(name, card.facts, passed, card, cidrs, details))
        cards.append(card)
        findings += found
    stated, notes = without_known(candidate_cards(candidates or {}), cards)
    cards += stated
    judgement = judge_clusterset(cards, checks)
    notes += tuple(f"{cluster.name}: {problem}" for cluster in clusters for problem in cluster.details.get("problems") or ())
    return Report(tuple(clusters), ordered([*findings, *judgement.findings]), judgement.passed, notes=notes)


def judged_elsewhere(results: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Ids of all checks that the results tell of, users' own among them, and the tag that those have: patterns may name them here, too."""
    listed = [entry.get("id") for result in results for entry in result.get("findings") or () if isinstance(entry, dict)]
    listed += [entry for result in results for entry in result.get("passed") or ()]
    return [f"{TAG}{USER_AREA}", *sorted({str(entry) for entry in listed if entry})]


def _read(position: int, result: t.Mapping[str, t.Any]) -> tuple[str, Card, list[Finding], tuple[str, ...]]:
    name = str(next((result[key] for key in NAMES if isinstance(result.get(key), str) and result[key]), ""))
    if result.get("failed") or result.get("unreachable") is True:
        name = name or f"result {position}"
        reason = str(result.get("msg") or "its diagnosis failed without saying why")
        return name, unreadable_card(name, reason), [unreadable(name, reason)], ()
    if not name or not isinstance(result.get("card"), dict) or not isinstance(result.get("findings"), list):
        raise InputError(
            f"Entry {position} of clusters{f' ({name})' if name else ''} is no result of fathom.submariner.diagnose: it needs cluster, findings and card. "
            "A host whose diagnosis was skipped has none: leave it out."
        )
    found = [Finding.from_dict(entry) for entry in result["findings"]]
    return name, Card.from_dict(result["card"]), found, tuple(map(str, result.get("passed") or ()))
