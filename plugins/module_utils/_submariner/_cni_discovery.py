# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How the route agent looks for the CNI's interface when it starts, and what its log tells of it.

It takes the first interface with an address inside the cluster CIDR (submariner pkg/cni/cni_iface.go). Not finding one is not fatal: the agent runs,
is Ready, and never looks again. Without the interface it does not set rp_filter to loose on it, does not translate 240.0.0.0/8 and makes no routes in
table 150: host networks lose the remote clusters, and answers that come in another way than they went out are dropped.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import moment
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import plain_line
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import Change

# 12 tries with pauses of 4 s, each 1.2 times the last (submariner pkg/routeagent_driver/handlers/kubeproxy/kp_packetfilter.go).
TRIES = 12
WAIT_SECONDS = 128
CNI_RETRIES = Change(
    "cni-retries", ("0.17.3", "0.18.1", "0.19.0-rc0"), f"looks for the CNI interface {TRIES} times in {WAIT_SECONDS} s (before: once)",
    "submariner#3120, #3121, pkg/routeagent_driver/handlers/kubeproxy/kp_packetfilter.go",
)

GAVE_UP = "gave up"
WAITING = "waiting"
FOUND = "found"  # nothing in the log speaks against it: the agent says something only when it does not find the interface

_WAIT = "Waiting for CNI interface discovery"
_FAILED = ("Error discovering the CNI interface", "Error retrieving the CNI interface", "unable to find CNI Interface on the host")
_CIDR = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}\b")


class Discovery(t.NamedTuple):
    """What one run of an agent wrote. Times are those of its log lines, "" where they carry none; ``cidrs`` those that it looked in."""

    state: str
    waits: int = 0
    first_at: str = ""
    last_at: str = ""
    line: str = ""  # the last one that speaks of it
    cidrs: tuple[str, ...] = ()


def discovery_in(lines: t.Sequence[str]) -> Discovery:
    """Read one run's log.

    Each wait repeats the error that it waits for, so the error counts only where the line is not a wait. Waits that are followed by anything else
    ended well; those that end the log go on.
    """
    waits = 0
    first_at = last_at = spoken = ""
    gave_up = False
    cidrs: tuple[str, ...] = ()
    after = False
    for line in lines:
        waiting = _WAIT in line
        failed = not waiting and any(part in line for part in _FAILED)
        if not waiting and not failed:
            after = after or bool(waits and line.strip())
            continue
        waits += waiting
        gave_up = gave_up or failed
        after = False
        first_at = first_at or line_time(line)
        last_at = line_time(line) or last_at
        spoken = plain_line(line)
        cidrs = tuple(_CIDR.findall(line)) or cidrs
    state = GAVE_UP if gave_up or (waits >= TRIES and not after) else WAITING if waits and not after else FOUND
    return Discovery(state, waits, first_at, last_at, spoken, cidrs)


def line_time(line: str) -> str:
    """The RFC 3339 time that a log line begins with, "" where it begins with none."""
    word = plain_line(line).split(" ", 1)[0]
    return word if moment(word) is not None else ""
