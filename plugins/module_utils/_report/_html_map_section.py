# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The clusterset: its picture, what is wrong in a sentence, and the same in tables."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._html_map import LOOKS, drawn
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_parts import badge, head_cell, labelled, table
from ansible_collections.fathom.submariner.plugins.module_utils._report._markup import Markup, counted, element
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report
from ansible_collections.fathom.submariner.plugins.module_utils._report._topology import Member, Topology, Tunnel, topology

MOST_OPEN = 12  # healthy tunnels that are listed without folding
MOST_ROWS = 450  # 30 clusters have 435 tunnels
_BADGES = {"": ("plain", "not diagnosed"), "unread": ("unknown", "not read"), "unknown": ("unknown", "unknown"), "ok": ("ok", "ok")}
_LEGEND = (
    ("ok", "connected"),
    ("blocked", "connected, but a blocker at an end"),
    ("warning", "connecting"),
    ("error", "no connection, or in error"),
    ("unknown", "not known"),
)


def map_section(report: Report) -> Markup | None:
    """None where there is no cluster."""
    picture = topology(report)
    if not picture.members:
        return None
    broken = _where_broken(picture)
    return element(
        "section",
        element("h2", "The clusterset"),
        element("p", broken, class_="lead"),
        element("div", drawn(picture, broken), _legend(picture), class_="sheet"),
        element("div", _members(picture.members), class_="sheet"),
        element("div", _tunnels(picture), class_="sheet") if picture.tunnels else None,
        id="clusterset",
    )


def _where_broken(picture: Topology) -> str:
    """What the picture shows, in words."""
    if not picture.tunnels:
        return "No two of these clusters are joined." if len(picture.members) > 1 else "One cluster, and no tunnel to another."
    down = [tunnel for tunnel in picture.tunnels if not tunnel.healthy and not tunnel.blocked_by]
    blocked = [tunnel for tunnel in picture.tunnels if tunnel.blocked_by]
    sentences = []
    if down:
        sentences.append(f"Not connected: {_named(down)}.")
    if blocked:
        ends = list(dict.fromkeys(name for tunnel in blocked for name in tunnel.blocked_by))
        verb = "is up, and traffic is" if len(blocked) == 1 else "are up, and traffic is"
        sentences.append(f"{counted(len(blocked), 'tunnel')} {verb} broken all the same: see the blockers of {_few(ends)}.")
    return " ".join(sentences) or "Every tunnel is connected."


def _named(tunnels: t.Sequence[Tunnel]) -> str:
    return _few([f"{tunnel.one} – {tunnel.other} ({tunnel.state})" for tunnel in tunnels])


def _few(names: t.Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _legend(picture: Topology) -> Markup | None:
    present = {"blocked" if tunnel.blocked_by else LOOKS[tunnel.state] for tunnel in picture.tunnels}
    entries = [
        element(
            "li", element("svg", element("path", d="M3 8H39", class_=f"tunnel {look}"), viewbox="0 0 42 16", aria_hidden="true", focusable="false"), words
        )
        for look, words in _LEGEND
        if look in present
    ]
    return element("ul", entries, class_="legend", aria_label="Lines in the picture") if entries else None


def _members(members: t.Sequence[Member]) -> Markup:
    rows = []
    for member in members:
        look, word = _BADGES.get(member.verdict, (member.verdict, member.verdict))
        gateways = ", ".join(f"{node} ({status})" for node, status in member.gateways)
        rows.append(
            element(
                "tr",
                head_cell(member.name),
                labelled("Verdict", badge(look, word)),
                labelled("Pods", element("code", member.pods) if member.pods else "", class_="value"),
                labelled("Services", element("code", member.services) if member.services else "", class_="value"),
                labelled("Gateways", gateways),
                labelled("Nodes and versions", ", ".join(part for part in (member.nodes, member.versions) if part)),
            )
        )
    return table("Clusters", ("Cluster", "Verdict", "Pods", "Services", "Gateways", "Nodes and versions"), rows)


def _tunnels(picture: Topology) -> Markup:
    ill = [tunnel for tunnel in picture.tunnels if not tunnel.healthy]
    well = [tunnel for tunnel in picture.tunnels if tunnel.healthy]
    if len(well) <= MOST_OPEN:
        return _tunnel_table("Tunnels, as the active gateways report them", [*ill, *well])
    folded = element("details", element("summary", f"{len(well):,} tunnels are connected"), _tunnel_table("Tunnels that are connected", well), class_="plain")
    return Markup((_tunnel_table("Tunnels that are not well", ill) if ill else "") + folded)


def _tunnel_table(caption: str, tunnels: t.Sequence[Tunnel]) -> Markup:
    rows = []
    for tunnel in tunnels[:MOST_ROWS]:
        look = LOOKS[tunnel.state]
        views = "; ".join(f"{view.by}{f' ({view.gateway})' if view.gateway else ''}: {view.state}" for view in tunnel.views)
        remark = f"blocker on {' and '.join(tunnel.blocked_by)}" if tunnel.blocked_by else tunnel.message
        latency = f"{tunnel.latency_ms:.3g} ms" if tunnel.latency_ms is not None else ""
        rows.append(
            element(
                "tr",
                head_cell(f"{tunnel.one} – {tunnel.other}"),
                labelled("State", badge("error" if look == "error" else look, tunnel.state)),
                labelled("Latency", latency, class_="number"),
                labelled("Seen by", views),
                labelled("Remark", remark),
            )
        )
    return table(caption, ("Between", "State", "Latency", "Seen by", "Remark"), rows)
