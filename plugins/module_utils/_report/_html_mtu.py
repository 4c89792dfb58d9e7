# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The MTU budget, drawn to scale from zero: what a link carries, what each tunnel takes of it, what is left for a pod, and what is configured."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._html_parts import badge
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, clipped, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report

MOST_CONFIGURED = 30
PODS = "pod interfaces"  # the consumer that the largest pod MTU limits


def mtu_section(report: Report) -> Markup | None:
    """None where no cluster has a budget."""
    drawn = [
        element("div", element("h3", cluster.name), _budget(cluster.details["mtu"]), class_="sheet")
        for cluster in report.clusters
        if isinstance(cluster.details.get("mtu"), dict)
    ]
    if not drawn:
        return None
    lead = "What the link carries, less what the widest tunnel on the way adds to a packet, is what a pod may send in one piece. Bars are to scale."
    return element("section", element("h2", "MTU budget"), element("p", lead, class_="lead"), drawn, id="mtu")


def _budget(mtu: t.Mapping[str, t.Any]) -> Markup:
    link, largest, across, pod = (_number(mtu.get(key)) for key in ("link", "largest_pod_mtu", "largest_across_clusters", "pod"))
    steps = [step for step in mtu.get("steps") or () if isinstance(step, dict)]
    configured = [entry for entry in mtu.get("configured") or () if isinstance(entry, dict)][:MOST_CONFIGURED]
    values = [value for value in map(_number, (entry.get("value") for entry in configured)) if value is not None]
    scale = max([*values, link or 0, pod or 0, 1])
    rows = []
    if link is not None:
        rows.append(_step("Link", f"{link:,}", _bar(scale, link), str(mtu.get("link_source") or "")))
        for step in steps:
            taken = _number(step.get("bytes")) or 0
            rows.append(
                _step([str(step.get("what", "")), f" takes {taken}"], f"{link - taken:,}", _bar(scale, link - taken, added=taken), str(step.get("why") or ""))
            )
    for name, value in (("Largest MTU of a pod within the cluster", largest), ("Largest packet to another cluster", across)):
        if value is not None:
            rows.append(_step(element("b", name), element("b", f"{value:,}"), _bar(scale, value)))
    if pod is not None:
        rows.append(_step(["A pod that starts now has ", _excess(pod, largest)], f"{pod:,}", _limited(scale, pod, largest)))
    # A packet is in one tunnel at a time (submariner pkg/routeagent_driver): the largest of them counts, not their sum.
    unknown = "The link's MTU is not known, so neither is the budget." if link is None else ""
    limits = {str(step.get("what")): link - (_number(step.get("bytes")) or 0) for step in steps} if link is not None else {}
    knobs = [_knob(scale, {**limits, PODS: largest}, entry) for entry in configured]
    return Markup(
        (element("p", unknown, class_="soft") if unknown else "")
        + element("div", rows, class_="budget")
        + (element("h4", "Configured") + element("div", knobs, class_="budget") if knobs else "")
    )


def _knob(scale: int, limits: t.Mapping[str, int | None], entry: t.Mapping[str, t.Any]) -> Markup:
    """``limits`` are by consumer, which stands before the colon of the knob's name."""
    value = _number(entry.get("value"))
    knob, effective = str(entry.get("knob", "")), bool(entry.get("effective"))
    limit = limits.get(knob.partition(":")[0]) if effective else None
    shown = f"{value:,}" if value is not None else clipped(entry.get("value") or "unset", 24)
    remarks = [part for part in ("" if effective else "not in effect", str(entry.get("note") or "")) if part]
    name = [element("b", knob), " ", _excess(value, limit), element("span", "; ".join(remarks), class_="soft small") if remarks else None]
    drawn = element("span") if value is None else _limited(scale, value, limit)
    return _step(name, shown, drawn, str(entry.get("where") or ""))


def _excess(value: int | None, limit: int | None) -> Markup | None:
    return badge("error", f"{value - limit} too large") if value is not None and limit is not None and value > limit else None


def _limited(scale: int, value: int, limit: int | None) -> Markup:
    """A bar whose part beyond the limit stands out."""
    if limit is None or value <= limit:
        return _bar(scale, value, limit=limit)
    return _bar(scale, limit, over=value - limit, limit=limit)


def _step(what: t.Any, size: t.Any, drawn: Markup, why: str = "") -> Markup:
    label = element("div", what, element("div", why, class_="soft small") if why else None, class_="what")
    return element("div", label, drawn, element("div", size, class_="bytes"), class_="step")


def _bar(scale: int, kept: int, *, added: int = 0, over: int = 0, limit: int | None = None) -> Markup:
    """A bar of ``scale`` units; the numbers beside it say the same, so that it is hidden from screen readers."""
    parts = [
        element("rect", width=scale, height=20, class_="track"),
        element("rect", width=max(kept, 0), height=20, class_="payload"),
        element("rect", x=kept, width=added, height=20, class_="added") if added > 0 else None,
        element("rect", x=kept, width=over, height=20, class_="over") if over > 0 else None,
        element("path", d=f"M{limit} 0V20", class_="limit") if limit is not None else None,
    ]
    return element("svg", parts, viewbox=f"0 0 {scale} 20", preserveaspectratio="none", aria_hidden="true", focusable="false")


def _number(value: t.Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
