# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The evidence on the CIDRs: what each cluster's ranges are, who says so, and what was found to differ."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._html_parts import badge, head_cell, labelled, table
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, counted, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report

MOST_ROWS = 60  # of one cluster
BUDGET = 200_000  # characters for the evidence of all clusters; beyond it a cluster keeps its verdict

_STATUS = {"agreed": "ok", "conflict": "error", "refuted": "error", "unknown": "unknown", "absent": "info"}
_SUBJECTS = {"pod": "Pods", "service": "Services"}
_STANDINGS = {
    "authority": "hands the addresses out",
    "live": "runs with it",
    "install": "asked for at installation",
    "stated": "stated by the user",
    "shown": "shown only, never a candidate",
}


def cidrs_section(report: Report) -> Markup | None:
    """None where no cluster has a verdict."""
    clusters = [cluster for cluster in report.clusters if cluster.cidrs]
    if not clusters:
        return None
    used = 0
    sheets = []
    for cluster in clusters:
        evidence = _evidence(cluster)
        used += len(evidence)
        sheets.append(element("div", element("h3", cluster.name), _verdicts(cluster), evidence if used <= BUDGET else _left_out(), class_="sheet"))
    return element(
        "section",
        element("h2", "CIDRs and their evidence"),
        element(
            "p", "The true ranges are those that hand addresses out and that every address in use confirms, whatever Submariner was told.", class_="lead"
        ),
        sheets,
        id="cidrs",
    )


def _left_out() -> Markup:
    return element("p", "The evidence of this cluster is in result.json.", class_="soft small")


def _verdicts(cluster: ClusterResult) -> Markup:
    rows = []
    for subject, name in _SUBJECTS.items():
        for family, verdict in (cluster.cidrs.get(subject) or {}).items():
            status = str(verdict.get("status", ""))
            if status == "absent" and family == "ipv6":
                continue
            rows.append(
                element(
                    "tr",
                    head_cell(f"{name}, {family.replace('ipv', 'IPv')}"),
                    labelled("Range", element("code", ", ".join(verdict.get("cidrs") or ()) or "none"), class_="value"),
                    labelled("Verdict", badge(_STATUS.get(status, "unknown"), status)),
                    labelled("Because", str(verdict.get("because", ""))),
                )
            )
    caption = f"What {cluster.name} really has"
    wrong = [element("p", element("b", "Contradiction: "), str(problem)) for problem in cluster.cidrs.get("problems") or ()]
    announced = _announced(cluster)
    return Markup(table(caption, ("Of", "Range", "Verdict", "Because"), rows) + Markup("").join(wrong) + (announced or ""))


def _announced(cluster: ClusterResult) -> Markup | None:
    card = cluster.card
    if card is None or not card.announced:
        return None
    subnets = ", ".join(dict.fromkeys(subnet for endpoint in card.announced for subnet in endpoint.subnets))
    right = bool(card.true_subnets) and set(subnets.split(", ")) == set(card.true_subnets)
    comment = "" if right or card.globalnet or not card.true_subnets else ". That is not what it really has."
    return element("p", "It tells the other clusters: ", element("code", subnets or "nothing"), comment, class_="ink-blocker" if comment else "soft")


def _evidence(cluster: ClusterResult) -> Markup:
    rows = [row for row in cluster.cidrs.get("evidence") or () if isinstance(row, dict)]
    more = len(rows) - MOST_ROWS if len(rows) > MOST_ROWS else 0
    more += sum((cluster.cidrs.get("more") or {}).values())
    return element(
        "details",
        element("summary", f"Evidence: {counted(len(rows[:MOST_ROWS]), 'row')}" + (f" of {len(rows[:MOST_ROWS]) + more:,}" if more else "")),
        table(
            f"Where {cluster.name}'s ranges were read, the most trusted source of each first",
            ("Of", "Value", "Where it was read", "What it is worth"),
            [_row(row) for row in rows[:MOST_ROWS]],
        ),
        class_="plain",
    )


def _row(row: t.Mapping[str, t.Any]) -> Markup:
    shown = ", ".join(row.get("cidrs") or ()) or str(row.get("raw") or "")
    remark = str(row.get("problem") or row.get("caveat") or "")
    worth = _STANDINGS.get(str(row.get("standing")), "")
    return element(
        "tr",
        labelled("Of", _SUBJECTS.get(str(row.get("subject")), "")),
        labelled("Value", element("code", shown) if shown else "not readable", class_="value"),
        labelled("", element("span", str(row.get("object", "")), class_="object"), element("code", str(row.get("field", "")), class_="field soft")),
        labelled("Worth", worth + (": " if worth and remark else "") + remark),
    )
