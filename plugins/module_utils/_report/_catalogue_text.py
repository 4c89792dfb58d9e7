# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The catalogue for a terminal: all checks in a list, one of them explained."""

from __future__ import annotations

import re
import textwrap
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, Check
from ansible_collections.fathom.submariner.plugins.module_utils._report._references import url_of
from ansible_collections.fathom.submariner.plugins.module_utils._report._text import wrapped

INDENT = " " * 10

# What repairs the ordinary case of an area, for checks that say nothing of their own.
AREA_REMEDIES = {
    "agents": "Restart the route agent of the node once calico-node is ready there; newer releases of Submariner wait for it. The finding names pod and node.",
    "autodetection": "Set Calico's address autodetection to the nodes' InternalIP, where the install method keeps it.",
    "broker": "Restore the way to the broker, or remove the records of clusters that have left. The finding names them.",
    "calico-api": "Enable, or repair, Calico's API server in the way of the install method. The finding names the object.",
    "cidr": "Correct the CIDRs with role fathom.submariner.join, or choose ranges that are free. The finding says which.",
    "dns": "Make the cluster's DNS forward clusterset.local to Lighthouse, where the platform keeps its configuration.",
    "globalnet": "Give every cluster a range of its own in the Globalnet range, or take Globalnet for all or none.",
    "health": "Bring the component back that the finding names; its evidence says why it is not running.",
    "leftovers": "Remove what an earlier Submariner left, in the order that the finding gives.",
    "membership": "Join the cluster with role fathom.submariner.join, under a cluster id of its own.",
    "mtu": "Change the knob that is in effect for the install method, then restart the pods that are older. The finding names knob and value.",
    "ownership": "Nothing is broken: make changes where the owner that the finding names will keep them.",
    "policy": "Allow the flow that the finding names, in the policy that drops it or in one of a higher order.",
    "pools": "Create, correct or remove the IPPool that the finding names; Submariner creates missing ones when its agent is restarted.",
    "rollout": "Repair the nodes that hold the rollout up. The finding names nodes and cause.",
    "versions": "Upgrade to the release that the finding names, or take its workaround.",
}


def list_lines(checks: t.Sequence[Check], *, width: int) -> list[str]:
    """Area by area: severity and id, beneath them the title."""
    result: list[str] = []
    for area, members in by_area(checks):
        result += ["", area.upper()] if result else [area.upper()]
        for check in members:
            result.append(f"  {check.severity:<8}  {check.id}")
            result += wrapped(check.title, indent=" " * 12, width=width)
    counts = ", ".join(f"{sum(check.severity == severity for check in checks)} {severity}" for severity in reversed(SEVERITIES))
    return [*result, "", *wrapped(f"{len(checks)} checks: {counts}. One of them explained: -e submariner_check=ID", width=width)]


def by_area(checks: t.Sequence[Check]) -> list[tuple[str, list[Check]]]:
    """The checks of each area, the gravest first; areas by name."""
    areas: dict[str, list[Check]] = {}
    for check in checks:
        areas.setdefault(check.area, []).append(check)
    return [(area, sorted(areas[area], key=lambda check: (-SEVERITIES.index(check.severity), check.id))) for area in sorted(areas)]


def explain_lines(check: Check, *, width: int) -> list[str]:
    """All that the catalogue knows of one check."""
    result = [f"{check.id}  ({check.severity}, {check.area})", *wrapped(check.title, width=width), ""]
    for paragraph in paragraphs(check.description):
        result += [*wrapped(paragraph, width=width), ""]
    for label, text in meaning(check):
        result += wrapped(text, indent=INDENT, first=f"{label}:".ljust(len(INDENT)), width=width)
    for position, reference in enumerate(check.references):
        url = url_of(reference)
        shown = f"{reference} {url}" if url and url != reference else reference
        result += wrapped(shown, indent=INDENT, first="See:".ljust(len(INDENT)) if not position else INDENT, width=width)
    return result


def meaning(check: Check) -> list[tuple[str, str]]:
    """Labels and sentences: whom it concerns, what it reads, what its verdicts mean, what repairs it."""
    reads = [name.replace("_", " ") for name in (("submariners", *check.needs) if check.joined is not None else check.needs)]
    unread = "any of what it reads" if reads else "what it looks at"
    return [
        ("Concerns", _concerns(check)),
        ("Reads", ", ".join(dict.fromkeys(reads)) or ("the card of every cluster" if check.scope == CLUSTERSET else "all that was read")),
        ("Passed", "What the title says holds. What it reads was read."),
        ("Failed", f"It does not hold; {check.severity} as a rule, and a finding may be better or worse than the rule."),
        ("Unknown", f"{unread.capitalize()} could not be read (forbidden, not served, timed out, not in the bundle). Never counts as passed."),
        ("Repair", check.remedy or AREA_REMEDIES.get(check.area, "The finding says what repairs the case at hand, with its objects and values.")),
        ("Tags", ", ".join(check.tags) or "none"),
    ]


def _concerns(check: Check) -> str:
    if check.scope == CLUSTERSET:
        return "all clusters together"
    return {True: "clusters with Submariner", False: "clusters without Submariner", None: "every cluster"}[check.joined]


def paragraphs(description: str) -> list[str]:
    """The paragraphs of a docstring, each in one line, without the marks of reStructuredText for literals."""
    text = textwrap.dedent("\n".join(description.splitlines()[1:]))
    whole = "\n".join([*description.splitlines()[:1], text])
    return [" ".join(part.replace("``", "").split()) for part in re.split(r"\n\s*\n", whole) if part.strip()]


def to_dict(check: Check) -> dict[str, t.Any]:
    """Plain JSON types, for module check_info."""
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity,
        "area": check.area,
        "tags": list(check.tags),
        "scope": check.scope,
        "needs": list(check.needs),
        "joined": check.joined,
        "references": list(check.references),
        "description": "\n\n".join(paragraphs(check.description)),
        "remedy": check.remedy,
    }
