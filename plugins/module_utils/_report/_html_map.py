# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The picture of the clusterset: inline SVG, laid out by number of clusters.

One or two clusters get cards side by side (and stacked, for a narrow screen), three to eight a ring of cards, more a ring of dots. A tunnel's state is told
by a word, by the pattern of its line and by its colour; the table beneath says the same in text.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, clipped, counted, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._topology import (
    ABSENT,
    CONNECTED,
    CONNECTING,
    ERROR,
    UNREAD,
    Member,
    Topology,
    Tunnel,
)

MOST_CARDS = 8  # more members are drawn as dots
LINE = 21  # height of a line of text in a card
MOST_CROSSES = 40
LABELLED = 6  # with more tunnels than this, the healthy ones carry no label

LOOKS = {CONNECTED: "ok", CONNECTING: "warning", ABSENT: "error", ERROR: "error", UNREAD: "unknown"}
WORDS = {"": "not diagnosed", "unread": "NOT READ", "unknown": "UNKNOWN", "ok": "OK"}


class Point(t.NamedTuple):
    x: float
    y: float


def drawn(picture: Topology, where_broken: str) -> Markup:
    """The figure; ``where_broken`` is the sentence that stands for it to those who do not see it."""
    count = len(picture.members)
    description = f"{counted(count, 'cluster')}, {counted(len(picture.tunnels), 'tunnel')}. {where_broken}"
    if count <= 2:
        wide, narrow = _pair(picture, description, stacked=False), _pair(picture, description, stacked=True)
        return element("div", element("div", wide, class_="wide"), element("div", narrow, class_="narrow"), class_="map")
    ring = element("div", _ring(picture, description), class_="wide scroll", tabindex="0", role="region", aria_label="Picture of the clusterset, scrolls")
    return element("div", ring, class_="map ring")


def _svg(name: str, width: float, height: float, description: str, *children: t.Any) -> Markup:
    return element(
        "svg",
        element("title", "The clusterset", id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *children,
        viewbox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def _pair(picture: Topology, description: str, *, stacked: bool) -> Markup:
    cards = [_card_lines(member) for member in picture.members]
    height = max(map(_card_height, cards), default=0)
    wide, between = (346.0, 118.0) if stacked else (352.0, 296.0)
    places = [Point(7 if stacked else 0, 0), Point(7, height + between) if stacked else Point(wide + between, 0)]
    if len(cards) == 1 and not stacked:
        places = [Point((2 * wide + between - wide) / 2, 0)]
    size = (360.0, len(cards) * height + (len(cards) - 1) * between) if stacked else (2 * wide + between, height)
    parts: list[t.Any] = []
    for tunnel in picture.tunnels:
        if stacked:
            ends = Point(180, height), Point(180, height + between)
        else:
            ends = Point(wide, height / 2), Point(wide + between, height / 2)
        parts += [_line(tunnel, *ends, cross=0.14 if stacked else 0.08), _label(tunnel, Point((ends[0].x + ends[1].x) / 2, (ends[0].y + ends[1].y) / 2))]
    parts += [_card(member, lines, place, wide, height) for member, lines, place in zip(picture.members, cards, places)]
    return _svg("map-narrow" if stacked else "map-wide", size[0] + 2, size[1] + 2, description, element("g", parts, transform="translate(1 1)"))


def _ring(picture: Topology, description: str) -> Markup:
    count = len(picture.members)
    dots = count > MOST_CARDS
    cards = [[] if dots else _card_lines(member, short=True) for member in picture.members]
    wide, high = 214.0, max(map(_card_height, cards), default=0)
    width = 960.0
    radius = Point(320.0, max(250.0, count * 9.5)) if dots else Point(width / 2 - wide / 2 - 4, max(190.0, 60 + count * 42))
    margin = 46.0 if dots else high / 2 + 6
    centre = Point(width / 2, radius.y + margin)
    places = {}
    for position, member in enumerate(picture.members):
        angle = -math.pi / 2 + 2 * math.pi * position / count
        places[member.name] = Point(centre.x + radius.x * math.cos(angle), centre.y + radius.y * math.sin(angle))
    # Healthy tunnels lie under the others, so that nothing hides what is broken.
    tunnels = sorted(picture.tunnels, key=lambda tunnel: not tunnel.healthy)
    thin = len(tunnels) > LABELLED
    ill = sum(not tunnel.healthy for tunnel in tunnels)
    cross = 0.5 if dots and ill <= MOST_CROSSES else 0.0
    parts: list[t.Any] = [_line(tunnel, places[tunnel.one], places[tunnel.other], thin=thin and tunnel.healthy, cross=cross) for tunnel in tunnels]
    if dots:
        parts += [_dot(member, places[member.name], centre) for member in picture.members]
    else:
        parts += [
            _card(member, lines, Point(places[member.name].x - wide / 2, places[member.name].y - high / 2), wide, high)
            for member, lines in zip(picture.members, cards)
        ]
    if not dots:
        order = [member.name for member in picture.members]
        for tunnel in tunnels:
            if not thin or not tunnel.healthy:
                apart = abs(order.index(tunnel.one) - order.index(tunnel.other))
                parts.append(_label(tunnel, _label_place(places[tunnel.one], places[tunnel.other], apart, count), short=True))
    return _svg("map-wide", width, max(place.y for place in places.values()) + margin, description, parts)


def _label_place(one: Point, other: Point, apart: int, count: int) -> Point:
    """Halfway between neighbours; nearer to one end on a chord, since all chords cross in the middle."""
    share = 0.5 if apart in (1, count - 1) else 0.36
    return Point(one.x + (other.x - one.x) * share, one.y + (other.y - one.y) * share)


def _look(tunnel: Tunnel) -> str:
    return "blocked" if tunnel.blocked_by else LOOKS[tunnel.state]


def _line(tunnel: Tunnel, one: Point, other: Point, *, thin: bool = False, cross: float = 0.0) -> Markup:
    """``cross`` is the share of the way at which a line that is not well is crossed out, 0 for not."""
    path = element("path", d=f"M{one.x:.1f} {one.y:.1f}L{other.x:.1f} {other.y:.1f}", class_=f"tunnel {_look(tunnel)}{' thin' if thin else ''}")
    if tunnel.healthy or tunnel.state == UNREAD or not cross:
        return path
    x, y = one.x + (other.x - one.x) * cross, one.y + (other.y - one.y) * cross
    return Markup(path + element("path", d=f"M{x - 6:.1f} {y - 6:.1f}l12 12m0 -12l-12 12", class_="cross"))


def _label(tunnel: Tunnel, place: Point, *, short: bool = False) -> Markup:
    latency = f"{tunnel.latency_ms:.3g} ms" if tunnel.latency_ms is not None else ""
    first, look = tunnel.state, {"ok": "ok", "warning": "warning", "unknown": "unknown"}.get(_look(tunnel), "blocker")
    if tunnel.blocked_by:
        first = "up, traffic broken" if short else "tunnel up, traffic broken"
    rows = [first, *([latency] if latency else [])]
    wide = max(len(row) for row in rows) * 8.1 + 22
    high = 18 * len(rows) + 10
    texts = [
        element(
            "text",
            row,
            x=f"{place.x:.1f}",
            y=f"{place.y - high / 2 + 19 + 18 * index:.1f}",
            text_anchor="middle",
            font_size=13.5,
            font_weight=400 if index else 600,
            class_=look,
        )
        for index, row in enumerate(rows)
    ]
    box = element("rect", x=f"{place.x - wide / 2:.1f}", y=f"{place.y - high / 2:.1f}", width=f"{wide:.1f}", height=high, rx=9, class_=f"pill {look}")
    return Markup(box + Markup("").join(texts))


def _card_lines(member: Member, *, short: bool = False) -> list[tuple[str, str]]:
    """Text and class of each line beneath the name."""
    most = 24 if short else 38
    lines = []
    if not member.diagnosed:
        return [("known to the others, not diagnosed", "soft-text")] if not short else [("not diagnosed", "soft-text")]
    for label, value, look in (
        ("pods", member.pods, "mono-text"),
        ("services", member.services, "mono-text"),
        ("announces", member.announced, "mono-text blocker"),
    ):
        if value:
            lines.append((clipped(f"{label} {value}", most), look))
    active = [node for node, status in member.gateways if status == "active"]
    others = len(member.gateways) - len(active)
    if active or others:
        spare = f" + {others} passive" if others and not short else ""
        lines.append((clipped(f"gateway {active[0]}" if active else "no active gateway", most - len(spare)) + spare, "" if active else "blocker"))
    if not short:
        lines += [(clipped(text, most + 3), "soft-text") for text in (member.nodes, member.versions) if text]
    elif not member.joined and member.versions:
        lines.append((member.versions, "soft-text"))
    return lines


def _card_height(lines: t.Sequence[t.Any]) -> float:
    return 52.0 + LINE * len(lines) + (10 if lines else 0)


def _card(member: Member, lines: t.Sequence[tuple[str, str]], place: Point, wide: float, high: float) -> Markup:
    word = WORDS.get(member.verdict, member.verdict.upper())
    badge = len(word) * 8.2 + 20
    look = member.verdict if member.diagnosed else "plain"
    ghost = "" if member.diagnosed and member.joined else " ghost"
    parts = [
        element("rect", x=place.x, y=place.y, width=wide, height=high, rx=12, class_=f"box {member.verdict}{ghost}"),
        element("rect", x=f"{place.x + wide - badge - 12:.1f}", y=place.y + 13, width=f"{badge:.1f}", height=22, rx=11, class_=f"pill {look}"),
        element(
            "text", word, x=f"{place.x + wide - badge / 2 - 12:.1f}", y=place.y + 28.5, text_anchor="middle", font_size=11.5, font_weight=650, class_=look
        ),
        element(
            "text",
            element("title", member.name),
            clipped(member.name, int((wide - badge - 38) / 11.5)),
            x=place.x + 16,
            y=place.y + 30,
            font_size=17,
            font_weight=650,
        ),
    ]
    for index, (text, look_of_line) in enumerate(lines):
        parts.append(element("text", text, x=place.x + 16, y=place.y + 59 + LINE * index, font_size=13.5, class_=look_of_line or None))
    return Markup(element("g", parts))


def _dot(member: Member, place: Point, centre: Point) -> Markup:
    """A member of a large set: a dot whose shape tells its verdict, its name outside of the ring."""
    look = member.verdict if member.diagnosed else "plain"
    broken = member.verdict in ("blocker", "error")
    shape = (
        element("rect", x=f"{place.x - 9:.1f}", y=f"{place.y - 9:.1f}", width=18, height=18, rx=3, class_=f"pill {look}")
        if broken
        else element("circle", cx=f"{place.x:.1f}", cy=f"{place.y:.1f}", r=9, class_=f"pill {look}")
    )
    length = math.hypot(place.x - centre.x, place.y - centre.y) or 1
    out = Point(place.x + (place.x - centre.x) / length * 18, place.y + (place.y - centre.y) / length * 18)
    anchor = "middle" if abs(place.x - centre.x) < 24 else "start" if place.x > centre.x else "end"
    word = "" if member.verdict in ("ok", "info") else f" {WORDS.get(member.verdict, member.verdict.upper())}"
    return Markup(
        element(
            "g",
            shape,
            element(
                "text",
                element("title", member.name),
                clipped(member.name, 15),
                element("tspan", word, font_size=10.5, class_=f"{look}") if word else None,
                x=f"{out.x:.1f}",
                y=f"{out.y + 4:.1f}",
                text_anchor=anchor,
                font_size=13,
                font_weight=650 if broken else 400,
            ),
        )
    )
