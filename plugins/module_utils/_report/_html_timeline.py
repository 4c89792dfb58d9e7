# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Timelines of reboots: what came before what, drawn to scale in time."""

from __future__ import annotations

import calendar
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report

MOST = 40  # timelines in the file
MOST_EVENTS = 30  # of one
WIDTH = 900.0
NEAR = 34.0  # dots nearer than this are set on different heights

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|\+00:00)")


def timelines_section(report: Report) -> Markup | None:
    """None where there is none."""
    found = [(cluster.name, line) for cluster in report.clusters for line in cluster.details.get("timelines") or () if isinstance(line, dict)]
    if not found:
        return None
    more = len(found) - MOST
    return element(
        "section",
        element("h2", "What happened when nodes came back"),
        element("p", "A route agent that starts before Calico is up on its node programs nothing and stays ready. The order of events tells.", class_="lead"),
        [_timeline(cluster, line, number) for number, (cluster, line) in enumerate(found[:MOST])],
        element("p", f"{more:,} more timelines are in result.json.", class_="soft") if more > 0 else None,
        id="timelines",
    )


def seconds(at: str) -> int | None:
    """An RFC 3339 time in UTC as seconds since 1970; None for anything else."""
    match = _RFC3339.fullmatch(at)
    return calendar.timegm(tuple(map(int, match.groups())) + (0, 0, 0)) if match else None


def _timeline(cluster: str, line: t.Mapping[str, t.Any], number: int) -> Markup:
    events = [event for event in line.get("events") or () if isinstance(event, dict)][:MOST_EVENTS]
    times = [seconds(str(event.get("at", ""))) for event in events]
    node = str(line.get("node", ""))
    return element(
        "div",
        element("h3", f"{cluster}: node {node}"),
        element("p", str(line.get("verdict") or "")),
        _track(times, f"Timeline of {node}", number),
        element("ol", [_event(position, *pair, times) for position, pair in enumerate(zip(events, times), 1)], class_="events") if events else None,
        class_="sheet",
    )


def _event(position: int, event: t.Mapping[str, t.Any], time: int | None, times: t.Sequence[int | None]) -> Markup:
    start = next((entry for entry in times if entry is not None), None)
    when = str(event.get("at", "")) if time is None or start is None else f"+{duration(time - start)}"
    place = " ".join(str(event[key]) for key in ("object", "field") if event.get(key))
    return element(
        "li",
        element("b", position),
        element("span", when, class_="when", title=str(event.get("at", ""))),
        element("span", str(event.get("what", "")), element("span", f" ({place})", class_="soft") if place else None),
    )


def duration(length: int) -> str:
    """``75`` is ``1 min 15 s``."""
    sign, length = ("-", -length) if length < 0 else ("", length)
    parts = [(length // 86400, "d"), (length % 86400 // 3600, "h"), (length % 3600 // 60, "min"), (length % 60, "s")]
    shown = [f"{count} {unit}" for count, unit in parts if count]
    return sign + (" ".join(shown[:2]) or "0 s")


def _track(times: t.Sequence[int | None], title: str, number: int) -> Markup | None:
    """Numbered dots on a line; the list beneath tells what they are. None where fewer than two times are known, or all are the same."""
    known = [(position, time) for position, time in enumerate(times, 1) if time is not None]
    first, last = min((time for _position, time in known), default=0), max((time for _position, time in known), default=0)
    if first == last:
        return None
    dots: list[t.Any] = []
    lanes = [-NEAR * 2] * 3
    for position, time in known:
        x = 20 + (WIDTH - 40) * (time - first) / (last - first)
        lane = next((index for index, end in enumerate(lanes) if x - end >= NEAR), lanes.index(min(lanes)))
        lanes[lane] = x
        y = 78 - 26 * lane
        dots += [
            element("path", d=f"M{x:.1f} 100V{y}", class_="axis"),
            element("circle", cx=f"{x:.1f}", cy=y, r=12, class_="dot"),
            element("text", position, x=f"{x:.1f}", y=y + 4.5, text_anchor="middle", font_size=13, font_weight=650),
        ]
    name = f"timeline-{number}"
    top = 78 - 26 * max(index for index, end in enumerate(lanes) if end > 0) - 18
    return element(
        "div",
        element(
            "svg",
            element("title", title, id=name),
            element("path", d=f"M8 100H{WIDTH - 8:g}", class_="axis"),
            dots,
            element("text", "0", x=20, y=120, text_anchor="middle", font_size=13, class_="soft-text"),
            element("text", f"+{duration(last - first)}", x=WIDTH - 8, y=120, text_anchor="end", font_size=13, class_="soft-text"),
            viewbox=f"0 {top} {WIDTH:g} {126 - top}",
            role="img",
            aria_labelledby=name,
            style="min-width: 34rem; width: 100%; height: auto; display: block",
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=f"{title}, scrolls",
    )
