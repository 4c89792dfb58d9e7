# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a diagnosis hands to the report beside its findings: the gateways, the nodes, the MTU budget and the timelines, small and JSON-able.

It travels through Ansible's results, so every list is capped, and the count of what was left out goes with it.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Connection, Gateway
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import reboot_timelines

MOST_NAMES = 20
MOST_GATEWAYS = 10
MOST_CONNECTIONS = 120  # of all gateways together, those of active ones first
MOST_MESSAGE = 160  # characters
MOST_ROWS = 12  # of the CIDR evidence, a subject and source

# Go's time.Duration.String(): "1.234ms", "850µs", "1m2.5s".
_PART = re.compile(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)")
_MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}


def details_of(facts: Facts) -> dict[str, t.Any]:
    """``{"gateways": [...], "gateways_more": int, "nodes": {...}, "mtu": {...}|None, "timelines": [...], "problems": [...]}``.

    What breaks on a cluster's oddities is left out and named in ``problems``: no drawing is worth a diagnosis.
    """
    gateways = sorted(facts.gateways, key=lambda gateway: gateway.ha_status != "active") if facts.joined else []
    problems: list[str] = []
    picture = _attempt("the MTU budget", lambda: mtu_picture(facts.snapshot), problems)
    timelines = _attempt("the timelines", lambda: reboot_timelines(facts.snapshot, facts.truth), problems)
    return {
        "gateways": _gateways(gateways[:MOST_GATEWAYS]),
        "gateways_more": max(0, len(gateways) - MOST_GATEWAYS),
        "nodes": _nodes(facts),
        "mtu": None if picture is None else picture.to_dict(),
        "timelines": [entry.to_dict() for entry in timelines or ()],
        "problems": problems,
    }


def _attempt(what: str, make: t.Callable[[], t.Any], problems: list[str]) -> t.Any:
    try:
        return make()
    except Exception as error:  # pylint: disable=broad-except
        problems.append(f"{what} could not be made, please report it: {type(error).__name__}: {error}")
        return None


def milliseconds(duration: str) -> float | None:
    """Go's notation of a duration in milliseconds; None for what is none."""
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        return None
    try:
        return round(sum(float(number) * _MILLISECONDS[unit] for number, unit in parts), 3)
    except ValueError:
        return None


def capped_cidrs(truth: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The verdict on the CIDRs with at most MOST_ROWS rows of evidence a subject and source: each node of thousands has a podCIDR.

    ``more`` counts what was left out, as ``{"pod node_pod_cidr": 4988}``. Module cluster_cidrs_info returns them all.
    """
    kept: list[t.Any] = []
    seen: dict[str, int] = {}
    for row in truth.get("evidence") or ():
        key = f"{row['subject']} {row['source']}"
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= MOST_ROWS:
            kept.append(row)
    return {**truth, "evidence": kept, "more": {key: count - MOST_ROWS for key, count in seen.items() if count > MOST_ROWS}}


def _gateways(gateways: t.Sequence[Gateway]) -> list[dict[str, t.Any]]:
    left = MOST_CONNECTIONS
    made = []
    for gateway in gateways:
        shown = gateway.connections[:left]
        left -= len(shown)
        made.append(_gateway(gateway, shown))
    return made


def _gateway(gateway: Gateway, shown: t.Sequence[Connection]) -> dict[str, t.Any]:
    return {
        "node": gateway.ref.name,
        "ha_status": gateway.ha_status,
        "failure": gateway.status_failure[:MOST_MESSAGE],
        "version": gateway.version,
        "subnets": list(gateway.local_subnets),
        "connections": [_connection(entry) for entry in shown],
        "connections_more": len(gateway.connections) - len(shown),
    }


def _connection(entry: Connection) -> dict[str, t.Any]:
    return {
        "cluster_id": entry.cluster_id,
        "hostname": entry.hostname,
        "status": entry.status,
        "message": entry.message[:MOST_MESSAGE],
        "using_ip": entry.using_ip,
        "latency_ms": milliseconds(entry.latency_average),
    }


def _nodes(facts: Facts) -> dict[str, t.Any] | None:
    """None where the nodes could not be read: no number is better than a wrong one."""
    answer = facts.snapshot.nodes
    if not answer.known:
        return None
    not_ready = [node.ref.name for node in answer.items if node.ready is not True]
    return {
        "total": len(answer.items),
        "ready": sum(node.ready is True for node in answer.items),
        "not_ready": not_ready[:MOST_NAMES],
        "gateways": [node.ref.name for node in answer.items if node.is_gateway][:MOST_NAMES],
    }
