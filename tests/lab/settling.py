# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until what has been planted has had its effect."""

from __future__ import annotations

import time

from tests.lab import files
from tests.lab.client import ApiError, Client
from tests.lab.conditions import Condition, unmet
from tests.lab.info import LabError, LabInfo
from tests.lab.store import PLANTER

POLL_SECONDS = 0.1
STAND_IN_SECONDS = 60.0


def wait_for(lab: LabInfo, condition: Condition) -> None:
    """Returns when a condition holds. Raises LabError that says what was seen last."""
    client = lab.cluster(condition.cluster).client(PLANTER)
    deadline = time.monotonic() + condition.timeout
    while reason := _reason(client, condition):
        if time.monotonic() > deadline:
            raise LabError(
                f"{condition.cluster}: not so after {condition.timeout:.0f} s: {condition.what} ({condition.path}: {reason}). "
                f"See {lab.dir / 'stand-ins.log'}"
            )
        time.sleep(POLL_SECONDS)


def wait_for_stand_ins(lab: LabInfo) -> None:
    """Returns when those run that ``lab.json`` wants, and no others. Raises LabError."""
    wanted = lab.wanted
    deadline = time.monotonic() + STAND_IN_SECONDS
    while (running := set(files.read_running(lab.dir))) != wanted:
        if time.monotonic() > deadline:
            raise LabError(f"of the stand-ins {', '.join(sorted(running))} run, not {', '.join(sorted(wanted))}: see {lab.dir / 'stand-ins.log'}")
        time.sleep(POLL_SECONDS)


def _reason(client: Client, condition: Condition) -> str:
    try:
        answer = client.get(condition.path)
    except ApiError as error:
        if error.not_found or error.unreachable:
            return str(error)
        raise LabError(f"{condition.cluster}: {condition.path} cannot be read: {error}") from error
    return unmet(condition, answer["items"] if "items" in answer else answer)
