# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the route agent's log says of IPPools.

The agent tries to create the pools of an Endpoint up to 20 times, some minutes altogether, and then drops the event: nothing but a restart of its pod
makes it try again (submariner pkg/event/controller, pkg/routeagent_driver/handlers/calico/ippool_handler.go).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import PodLog, Ref, Snapshot

CONTAINER = "submariner-routeagent"
GAVE_UP = "Ignoring create event for endpoint"
NOT_SERVED = "post ippools.projectcalico.org"
OVERLAPS = "CIDR overlaps with IPPool"
CHARACTERS = 200


class PoolLine(t.NamedTuple):
    """The last line of one kind in one pod's log, and how many of that kind there are in what was kept of the log."""

    pod: Ref
    kind: str  # GAVE_UP, NOT_SERVED or OVERLAPS
    text: str
    count: int


def pool_lines(snapshot: Snapshot) -> tuple[PoolLine, ...]:
    """One line a pod and kind, in the order of the story: refused, overlapping, given up."""
    found = []
    for log in snapshot.logs.items:
        if log.container == CONTAINER and not log.previous:
            found.extend(_of_log(log))
    return tuple(found)


def _of_log(log: PodLog) -> t.Iterator[PoolLine]:
    for kind in (NOT_SERVED, OVERLAPS, GAVE_UP):
        lines = [line for line in log.lines if kind in line]
        if lines:
            yield PoolLine(log.ref, kind, _around(lines[-1].strip(), kind), len(lines))


def _around(line: str, kind: str) -> str:
    """As much of a line as evidence shows: what makes it one of this kind may stand at its very end."""
    if len(line) <= CHARACTERS:
        return line
    end = max(line.index(kind) + len(kind), CHARACTERS)
    return line[:CHARACTERS] if end == CHARACTERS else f"…{line[end - CHARACTERS + 1 : end]}"
