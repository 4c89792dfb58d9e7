# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the route agent's log says of its search for the CNI interface."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import (
    CNI_RETRIES,
    FOUND,
    GAVE_UP,
    TRIES,
    WAIT_SECONDS,
    WAITING,
    discovery_in,
    line_time,
)

ERROR = 'unable to find CNI Interface on the host which has IP from ["10.46.0.0/16"]'
START = "2024-08-19T10:00:00.000Z INF ..agent_driver/main.go:77 main Starting submariner-route-agent"
AFTER = "2024-08-19T10:00:20.000Z INF ..kubeproxy/kp_packetfilter.go:150 KubeProxy Creating chains"


def wait(second):
    said = f"Waiting for CNI interface discovery: Error discovering the CNI interface: {ERROR}"
    return f"2024-08-19T10:00:{second:02d}.000Z INF ..kp_packetfilter.go:119 KubeProxy {said}"


def given_up(minute=2):
    return f'2024-08-19T10:0{minute}:08.000Z ERR ..kp_packetfilter.go:142 KubeProxy Error discovering the CNI interface error="{ERROR}"'


def test_the_waits_add_up_to_what_is_said():
    assert round(sum(4 * 1.2**attempt for attempt in range(TRIES - 1))) in range(WAIT_SECONDS - 2, WAIT_SECONDS + 3)


@pytest.mark.parametrize(
    ("version", "retries"),
    [
        ("0.16.3", False),
        ("0.17.2", False),
        ("0.17.3", True),
        ("0.18.0", False),
        ("0.18.1", True),
        ("0.19.0", True),
        ("0.22.1", True),
        ("devel", True),
        ("", None),
    ],
)
def test_which_versions_retry(version, retries):
    assert CNI_RETRIES.holds_in(version) is retries


def test_gave_up_after_all_tries():
    found = discovery_in([START, *(wait(second) for second in range(TRIES)), given_up(), AFTER])
    assert (found.state, found.waits, found.cidrs) == (GAVE_UP, TRIES, ("10.46.0.0/16",))
    assert found.first_at == "2024-08-19T10:00:00.000Z"
    assert found.last_at == "2024-08-19T10:02:08.000Z"
    assert found.line.endswith('"')


def test_gave_up_at_once():
    assert discovery_in([START, given_up(0), AFTER]).state == GAVE_UP


def test_older_wording():
    line = "E0819 10:00:00.123456 1 kp_iptables.go:99] Error retrieving the CNI interface for 10.46.0.0/24: nothing"
    found = discovery_in([line])
    assert (found.state, found.cidrs, found.first_at) == (GAVE_UP, ("10.46.0.0/24",), "")


def test_waits_that_ended_well():
    found = discovery_in([START, wait(0), wait(4), AFTER])
    assert (found.state, found.waits) == (FOUND, 2)


def test_still_waiting():
    assert discovery_in([START, wait(0), wait(4)]).state == WAITING


def test_all_tries_used_up_and_nothing_after():
    assert discovery_in([wait(second) for second in range(TRIES)]).state == GAVE_UP


def test_silence_is_success():
    assert discovery_in([START, AFTER]).state == FOUND
    assert discovery_in([]).state == FOUND


def test_colours_do_not_hide_the_time():
    assert line_time("\x1b[90m2024-08-19T10:00:00.000Z\x1b[0m \x1b[31mERR\x1b[0m Error") == "2024-08-19T10:00:00.000Z"
    assert line_time("E0819 text") == ""
