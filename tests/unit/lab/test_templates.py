# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of templates."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.lab.info import ClusterInfo, LabError, NodeInfo
from tests.lab.templates import Values, cluster_variables, fill, fill_tree

NOW = datetime.datetime(2026, 3, 1, 12, 0, 30, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds_ago_30", "2026-03-01T12:00:00Z"),
        ("minutes_ago_1", "2026-03-01T11:59:30Z"),
        ("hours_ago_13", "2026-02-28T23:00:30Z"),
        ("days_ago_1", "2026-02-28T12:00:30Z"),
        ("service_ip_10", "10.45.0.10"),
        ("service_ip_258", "10.45.1.2"),
    ],
)
def test_moments_and_service_addresses(name, value):
    assert fill("${%s}" % name, Values({"service_cidr": "10.45.0.0/16"}, NOW), "here") == value


def test_more_values_keep_the_moment():
    values = Values({"a": "1"}, NOW) | {"b": "2"}
    assert fill("$a $b ${seconds_ago_0}", values, "here") == "1 2 2026-03-01T12:00:30Z"


@pytest.mark.parametrize("name", ["weeks_ago_1", "minutes_ago", "service_ip_1"])
def test_unknown_names_are_named(name):
    with pytest.raises(LabError, match=f"here uses the unknown variable '{name}'"):
        fill("${%s}" % name, Values({}, NOW), "here")


def test_texts_of_a_tree_are_filled_and_nothing_else():
    tree = {"${a}": ["$a", 1, None, True, {"x": "$$a"}]}
    assert fill_tree(tree, Values({"a": "1"}), "here") == {"1": ["1", 1, None, True, {"x": "$a"}]}


def test_nodes_are_named_by_their_part():
    nodes = (NodeInfo("c", "192.168.1.1"), NodeInfo("g", "192.168.1.2", {"submariner.io/gateway": "true"}), NodeInfo("w", "192.168.1.3"))
    cluster = ClusterInfo("cluster-1", Path("cluster-1"), "https://127.0.0.1:6443", "10.46.0.0/16", "10.45.0.0/16", "v1.31.9", "0.19.0", nodes)
    values = cluster_variables(cluster)
    assert [values[f"{role}_node"] for role in ("control_plane", "gateway", "worker")] == ["c", "g", "w"]
    assert values["gateway_node_ip"] == "192.168.1.2"
    assert values["server_port"] == "6443"
