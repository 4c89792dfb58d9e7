# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The race after a reboot, judged from moments and logs."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import (
    BLIND,
    LATE,
    SEES,
    STILL_WAITING,
    UNREAD,
    WRONG_CIDR,
    agent_starts,
    reboot_timelines,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import reboots
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.reboots import rebooted

UNREAD_LOGS = answer(NOT_READ)


def state(**changes):
    (start,) = agent_starts(rebooted(**changes))
    return start.state


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (BLIND, {"lines": [reboots.STARTED, *reboots.waits(), reboots.GAVE_UP]}),
        (BLIND, {"lines": [reboots.STARTED, reboots.GAVE_UP], "version": "0.18.0"}),
        (WRONG_CIDR, {"lines": [reboots.WRONG_CIDR], "version": "0.16.3", "said": "10.46.0.0/24"}),
        (STILL_WAITING, {"lines": [reboots.STARTED, *reboots.waits(3)]}),
        (SEES, {"lines": [reboots.STARTED, *reboots.waits(3), "2026-01-01T10:00:20Z INF done"]}),
        (SEES, {"lines": [reboots.STARTED], "version": "0.18.0", "calico_at": "2026-01-01T10:10:00Z"}),
        (SEES, {}),  # logs were read where they tell something, and this agent's start does not stand out
        (UNREAD, {"logs": UNREAD_LOGS}),
        (LATE, {"logs": UNREAD_LOGS, "version": "0.18.0"}),
        (LATE, {"logs": UNREAD_LOGS, "calico_at": "2026-01-01T10:05:00Z"}),
        (UNREAD, {"logs": UNREAD_LOGS, "version": "0.18.0", "calico_at": "2026-01-01T10:00:01Z"}),
        # Calico was restarted days after the agent's start, and the agent days after the node: neither tells of a race.
        (UNREAD, {"logs": UNREAD_LOGS, "version": "0.18.0", "calico_at": "2026-01-09T10:00:00Z"}),
        (UNREAD, {"logs": UNREAD_LOGS, "version": "0.18.0", "agent_at": "2026-01-05T10:00:00Z", "calico_at": "2026-01-05T10:00:30Z"}),
    ],
)
def test_state(expected, changes):
    assert state(**changes) == expected


@pytest.mark.parametrize(("version", "late"), [("0.18.0", 35.0), ("0.19.0", 35.0 - 128)])
def test_the_wait_of_the_version_counts(version, late):
    (start,) = agent_starts(rebooted(version=version))
    assert start.late == late


def test_the_version_is_the_agents_own():
    snapshot = rebooted(version="0.19.0")
    (start,) = agent_starts(snapshot)
    assert (start.version, start.retries) == ("0.19.0", True)


class TestTimelines:
    def test_events_are_in_order_and_name_their_source(self):
        (timeline,) = reboot_timelines(rebooted(version="0.18.0", lines=[reboots.STARTED, reboots.GAVE_UP]))
        assert [event.what for event in timeline.events] == [
            "the agent's previous run ended (Unknown, exit code 255)",
            "the node became Ready",
            "the route agent started",
            "calico-node started",
            "calico-node became ready",
            "the agent gives up looking for the CNI interface",
        ]
        assert [event.at for event in timeline.events] == sorted(event.at for event in timeline.events)
        assert all(event.object and event.field for event in timeline.events)
        assert timeline.verdict.startswith("Running but blind") and "looks once" in timeline.verdict

    def test_as_json(self):
        plain = reboot_timelines(rebooted())[0].to_dict()
        assert set(plain) == {"node", "events", "verdict"}
        assert set(plain["events"][0]) == {"at", "what", "object", "field"}

    def test_none_without_submariner(self):
        assert reboot_timelines(cluster(joined=False)) == ()

    @pytest.mark.parametrize(
        ("words", "changes"),
        [
            ("wrong cluster CIDR (10.46.0.0/24)", {"lines": [reboots.WRONG_CIDR], "version": "0.16.3"}),
            ("still looking", {"lines": reboots.waits(2)}),
            ("Perhaps blind", {"logs": UNREAD_LOGS, "version": "0.18.0"}),
            ("log was not read", {"logs": UNREAD_LOGS}),
            ("found Calico's interface", {"lines": [reboots.STARTED]}),
            ("how long private looks is not known", {"lines": [reboots.GAVE_UP], "version": "private"}),
        ],
    )
    def test_verdict(self, words, changes):
        assert words in reboot_timelines(rebooted(**changes))[0].verdict
