# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is noted on a node under maintenance, that it can be undone exactly, and what must be there again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import content, merged
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as project
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ContainerStatus
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _maintenance as maintenance
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_restart_order import (
    GATEWAY,
    STANDBY,
    TUNNEL,
    WORKER,
    a_node,
    three,
    with_pod,
)


def raw(cordoned=False, gateway=False, boot="boot-1", ready="True", annotations=None):
    node = {
        "kind": "Node",
        "metadata": {"name": WORKER, "labels": {"kubernetes.io/os": "linux"}, "annotations": {"x": "y", **(annotations or {})}},
        "spec": {"podCIDR": "10.46.1.0/24"},
        "status": {"nodeInfo": {"bootID": boot}, "conditions": [{"type": "Ready", "status": ready, "reason": "R", "message": "M"}]},
    }
    if cordoned:
        node["spec"]["unschedulable"] = True
    if gateway:
        node["metadata"]["labels"]["submariner.io/gateway"] = "true"
    return node


@given(st.booleans(), st.booleans(), st.booleans())
def test_returning_undoes_preparing_exactly(cordoned, gateway, hands_over):
    before = raw(cordoned, gateway or hands_over)
    mark = maintenance.new_mark(three(), before, hands_over=hands_over)
    prepared = merged(before, maintenance.preparing(before, mark))
    assert prepared["spec"]["unschedulable"] is True and maintenance.mark_of(prepared) == mark
    assert ("submariner.io/gateway" in prepared["metadata"]["labels"]) is ((gateway or hands_over) and not hands_over)
    assert content(merged(prepared, maintenance.returning(prepared))) == content(before)


@given(st.booleans())
def test_preparing_twice_writes_nothing_and_keeps_what_was_noted_first(hands_over):
    before = raw(gateway=hands_over)
    first = maintenance.new_mark(three(), before, hands_over=hands_over)
    prepared = merged(before, maintenance.preparing(before, first))
    again = maintenance.preparing(prepared, maintenance.new_mark(three(), prepared, hands_over=False))
    assert not missing_from(prepared, again)
    assert maintenance.mark_of(merged(prepared, again)) == first


def test_a_node_that_nobody_prepared_is_not_written():
    assert maintenance.returning(raw(cordoned=True)) == {}


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"boot_id": "x", "cordoned": true, "unlabelled": false, "started": [], "connected": []}'])
def test_what_is_no_mark_of_ours_is_none(text):
    assert maintenance.mark_of(raw(annotations={maintenance.ANNOTATION: text})) is None


def test_what_is_noted():
    mark = maintenance.new_mark(three(), raw(), hands_over=False, draining=("uid-1",))
    assert mark == maintenance.Mark("boot-1", True, False, {order.AGENT: "2026-01-01T10:00:05Z"}, ("cluster-2",), ("uid-1",))
    assert maintenance.started_on(three().pods.items, GATEWAY) == dict.fromkeys((order.AGENT, order.GATEWAY), "2026-01-01T10:00:05Z")


def test_what_a_drain_began_with_is_noted_beside_the_rest():
    mark = maintenance.Mark("boot-1", True, True, {"calico-node": "x"}, ("cluster-2",), ("uid-1",))
    node = raw(annotations={maintenance.ANNOTATION: mark.text()})
    assert maintenance.mark_of(merged(node, maintenance.noting(node, ("uid-1", "uid-2")))) == mark._replace(draining=("uid-1", "uid-2"))
    assert maintenance.noting(raw(), ("uid-1",)) == {}


@pytest.mark.parametrize(("gateway", "unlabelled", "awaited"), [(True, False, True), (True, True, False), (False, False, False), (False, True, False)])
def test_the_gateway_is_awaited_where_it_is_to_run(gateway, unlabelled, awaited):
    found = maintenance.awaited_on(raw(gateway=gateway), maintenance.Mark(unlabelled=unlabelled))
    assert found == ("calico-node", order.AGENT, order.GATEWAY)[: 3 if awaited else 2]


class TestStandbys:
    def test_the_other_gateway(self):
        assert maintenance.standbys(three(), GATEWAY) == (STANDBY,)

    @pytest.mark.parametrize("node", [a_node(STANDBY, ready=False), a_node(STANDBY)._replace(unschedulable=True), a_node(STANDBY)._replace(labels={})])
    def test_not_one_whose_node_is_unfit(self, node):
        assert maintenance.standbys(three(nodes=[node]), GATEWAY) == ()

    def test_not_one_whose_pod_is_not_ready(self):
        assert maintenance.standbys(with_pod(three(), f"{order.GATEWAY}-{STANDBY}", ready=False), GATEWAY) == ()


def test_other_nodes_that_are_not_back():
    marked = a_node(WORKER, {**TUNNEL, maintenance.ANNOTATION: "{}"})
    snapshot = three(nodes=[marked])
    assert maintenance.unfinished(snapshot.nodes.items, GATEWAY) == (WORKER,)
    assert maintenance.unfinished(snapshot.nodes.items, WORKER) == ()


@pytest.mark.parametrize(
    ("node", "old", "words"),
    [
        (None, "", "does not exist"),
        (raw(), "boot-1", "not been rebooted yet"),
        (raw(ready="Unknown"), "boot-0", "not Ready (R: M)"),
        (raw(), "boot-0", ""),
        (raw(), "", ""),
    ],
)
def test_until_the_node_is_back(node, old, words):
    found = maintenance.node_missing(node, old)
    assert words in found and bool(found) is bool(words)


@pytest.mark.parametrize(
    ("changes", "before", "words"),
    [
        ({}, "", ""),
        ({}, "2026-01-01T09:00:00Z", ""),
        ({}, "2026-01-01T10:00:05Z", "has not been started anew"),
        ({"ready": False}, "2026-01-01T09:00:00Z", "is not Ready"),
        ({"deleting": True}, "", "there is no"),
        ({"statuses": (ContainerStatus(order.AGENT, True, 1, "x"),)}, "2026-01-01T09:00:00Z", "has not been started anew"),
    ],
)
def test_until_a_pod_is_back(changes, before, words):
    snapshot = with_pod(three(), f"{order.AGENT}-{WORKER}", **changes) if changes else three()
    found = maintenance.pod_missing(snapshot.pods.items, WORKER, order.AGENT, before)
    assert words in found and bool(found) is bool(words)


def test_the_tunnel():
    assert not maintenance.tunnel_missing(a_node(WORKER), builders.PODS["cluster-1"])
    assert "no address on a tunnel" in maintenance.tunnel_missing(a_node(WORKER, {}), builders.PODS["cluster-1"])



def test_a_mark_survives_the_projection_of_a_node():
    mark = maintenance.Mark("b", True)
    assert project.node(raw(annotations={maintenance.ANNOTATION: mark.text()})).annotations[maintenance.ANNOTATION] == mark.text()
