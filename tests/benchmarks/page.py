# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as tables and a plot: reStructuredText and SVG, from results.json alone."""

from __future__ import annotations

import typing as t
from html import escape

BEGIN, END = ".. figures begin", ".. figures end"
BASE = "curl"  # ratios are to curl, one request after the other
LABELS = {
    "curl": "curl, one after the other",
    "curl_parallel": "curl, four at a time",
    "module": "diagnose: reading and judging",
    "playbook": "diagnose in a playbook",
    "kubectl": "kubectl get -o json",
    "k8s_info": "kubernetes.core.k8s_info in a playbook",
    "bundle": "diagnose of a bundle",
}

Results = t.Mapping[str, t.Any]


def tables(results: Results) -> str:
    """The part of the documentation that a run writes."""
    machine = results["machine"]
    lines = [
        f"{results['nodes']:,} nodes, {2 * results['nodes']:,} agent pods, {results['requests']} requests; {machine['cpus']} CPUs, "
        f"Python {machine['python']}, load {machine['load']} when it began. The best run of each counts.",
        "",
        *_table(["Read by", "Wall s", "CPU s", "Peak MiB", "To curl"], [_row(name, row, results["online"]) for name, row in results["online"].items()]),
    ]
    statistics = results["online"].get("module", {}).get("statistics")
    if statistics:
        read = f"{statistics['bytes_read'] / 2**20:.1f} MiB as received, {statistics['seconds']:.2f} s for reading alone"
        lines += ["", f"The module says of itself: {statistics['requests']} requests, {statistics['retries']} retries, {read}."]
    if {"playbook", "k8s_info"} <= set(results["online"]):
        factor = results["online"]["k8s_info"]["wall"] / results["online"]["playbook"]["wall"]
        lines += ["", f"Playbook against playbook, diagnose is {factor:.1f} times as fast as k8s_info, which only reads."]
    if "offline" in results:
        row = results["offline"]["bundle"]
        lines += ["", f"Offline: a bundle of {results['mib']:,} MiB is read and judged in {row['wall']:.1f} s, {row['cpu']:.1f} CPU s, {row['rss']:.0f} MiB."]
    return "\n".join(lines) + "\n"


def _row(name: str, row: Results, rows: Results) -> list[str]:
    ratio = f"{row['wall'] / rows[BASE]['wall']:.2f}" if BASE in rows else ""
    return [LABELS[name], f"{row['wall']:.2f}", f"{row['cpu']:.2f}", f"{row['rss']:.0f}", ratio]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'*' if position == 0 else ' '} - {cell}" for position, cell in enumerate(row)]
    return lines


def with_tables(document: str, written: str) -> str:
    """The document with its figures replaced. Raises ValueError where it has no place for them."""
    before, begin, rest = document.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document lacks {BEGIN!r} or {END!r}")
    return f"{before}{BEGIN}\n\n{written}\n{END}{after}"


def plot(results: Results) -> str:
    """Bars of wall time and of memory, one pair for each contender."""
    names = list(results["online"])
    bar, left, width = 34, 290, 760
    height = 64 + bar * len(names) + 24
    panels = (("wall", "Seconds (wall)", left, 250, "#2563eb"), ("rss", "MiB resident (peak)", left + 270, 190, "#b45309"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(_title(results))}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold" fill="#111827">{escape(_title(results))}</text>',
    ]
    for key, title, x, space, colour in panels:
        parts.append(f'<text x="{x}" y="50" fill="#374151">{escape(title)}</text>')
        most = max(results["online"][name][key] for name in names) or 1
        for position, name in enumerate(names):
            y = 64 + bar * position
            value = results["online"][name][key]
            length = max(2.0, (space - 60) * value / most)
            fill = colour if name in ("module", "playbook") else "#9ca3af"
            parts.append(f'<rect x="{x}" y="{y}" width="{length:.1f}" height="20" fill="{fill}"/>')
            parts.append(f'<text x="{x + length + 6:.1f}" y="{y + 15}" fill="#111827">{value:.3g}</text>')
    for position, name in enumerate(names):
        parts.append(f'<text x="{left - 10}" y="{64 + bar * position + 15}" text-anchor="end" fill="#111827">{escape(LABELS[name])}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _title(results: Results) -> str:
    return f"One cluster of {results['nodes']:,} nodes and {2 * results['nodes']:,} agent pods, read whole"
