# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that a finding on nodes gives: to these nodes and no others, and without a consent that nobody has given."""

from __future__ import annotations

import re

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_remedies import on_nodes

NODES = [f"node-{number}" for number in range(145)]


def limits(remedy):
    return [each.split(",") for each in re.findall(r" -l (\S+)", remedy.text)]


@pytest.mark.parametrize("count", [1, 20, 21, 45, 100])
def test_commands_name_every_node_once_and_no_more_than_twenty_each(count):
    remedy = on_nodes("c1", "node_offload", NODES[:count], "Do it.", {"x": 1})
    assert [name for limit in limits(remedy) for name in limit] == NODES[:count] and max(map(len, limits(remedy))) <= 20
    assert "-l submariner_nodes" not in remedy.text and "of cluster c1:" in remedy.text and "cluster c1" in remedy.target
    assert remedy.text.count("ansible submariner_nodes ") == remedy.text.count("-e '{\"x\": 1}'") == len(limits(remedy)) == -(-count // 20)


def test_a_finding_stays_readable_where_there_are_very_many():
    remedy = on_nodes("c1", "node_offload", NODES, "Do it.")
    assert len(limits(remedy)) == 5 and "then the other 45, 20 at a time" in remedy.text and remedy.target.endswith("node-19 and 125 more")


def test_consent_is_asked_for_and_not_filled_in():
    remedy = on_nodes("c1", "node_offload", NODES[:2], "Do it.", {"x": 1}, disruptive=True)
    command, _dot, words = remedy.text.partition("'. ")
    assert remedy.disruptive and "allow_disruption" not in command and "refused without -e submariner_allow_disruption=true" in words
    assert "allow_disruption" not in on_nodes("c1", "node_sysctl", NODES[:2], "Do it.", {"x": 1}).text
