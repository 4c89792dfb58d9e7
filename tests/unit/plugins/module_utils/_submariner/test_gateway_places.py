# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which node a Gateway runs, where nodes are not called like their hosts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _gateway_places as places
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, ok
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_restart_order import GATEWAY, GAVE_UP, STANDBY, WORKER, three

HOST, OTHER = "kube-br1-0004", "kube-br1-0005"
STATUS = "gateway.submariner.io/status"
ADDRESSES = {GATEWAY: "10.240.0.4", STANDBY: "10.240.0.5", WORKER: "10.240.0.6"}


def elsewhere(*, ips=None, labels=None, statuses=None, told=None):
    """As three(), with Gateways that are called after hosts whose names no Node has.

    :param ips: {Gateway: private address}. :param labels: {Node: kubernetes.io/hostname}. :param statuses: {Node: what its gateway's pod is labelled}.
    """
    snapshot, ips, labels, statuses = three(told), ips or {}, labels or {}, statuses or {}

    def record(gateway, name):
        return gateway._replace(ref=gateway.ref._replace(name=name), private_ips=(ips[name],) if name in ips else ())

    def node(found):
        name = found.ref.name
        return found._replace(internal_ips=(ADDRESSES[name],), labels={**found.labels, "kubernetes.io/hostname": labels.get(name, name)})

    def pod(found):
        status = statuses.get(found.node) if found.labels.get("app") == order.GATEWAY else None
        return found._replace(labels={**found.labels, STATUS: status}) if status else found

    records = map(record, snapshot.gateways.items, (HOST, OTHER))
    nodes, pods = map(node, snapshot.nodes.items), map(pod, snapshot.pods.items)
    return replace(snapshot, gateways=ok(*records), nodes=ok(*nodes), pods=ok(*pods))


TELLING = [
    {"ips": {HOST: "10.240.0.4", OTHER: "10.240.0.5"}},
    {"labels": {GATEWAY: "Kube-BR1-0004", STANDBY: OTHER}},
    {"statuses": {GATEWAY: "active", STANDBY: "passive"}},
    {"ips": {OTHER: "10.240.0.5"}, "statuses": {GATEWAY: "active"}},
]


def test_a_gateway_that_is_called_like_its_node():
    assert places.places(three()) == {GATEWAY: GATEWAY, STANDBY: STANDBY} and places.why_unplaced(three()) == ""


@pytest.mark.parametrize("evidence", TELLING)
def test_by_address_by_label_of_the_node_or_by_label_of_the_pod(evidence):
    snapshot = elsewhere(**evidence)
    assert places.places(snapshot) == {HOST: GATEWAY, OTHER: STANDBY}
    assert places.active_nodes(snapshot) == {GATEWAY} and places.why_unplaced(snapshot) == ""


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"ips": {HOST: "192.0.2.1"}},
        {"statuses": {GATEWAY: "passive", STANDBY: "passive"}},
        {"statuses": {GATEWAY: "active", STANDBY: "active"}},
        {"labels": {GATEWAY: HOST, STANDBY: HOST}},
    ],
)
def test_what_tells_nothing_is_named(evidence):
    snapshot = elsewhere(**evidence)
    assert HOST not in places.places(snapshot) and places.active_nodes(snapshot) == frozenset()
    why = places.why_unplaced(snapshot)
    for word in (f"Gateway submariner-operator/{HOST} is active", "kubernetes.io/hostname", "private address", f"{STATUS}=active", "delete the record"):
        assert word in why


def test_what_a_gateway_has_left_that_is_gone_is_in_nobodys_way():
    snapshot = elsewhere()
    gone = replace(snapshot, pods=ok(*(pod for pod in snapshot.pods.items if pod.labels.get("app") != order.GATEWAY)))
    assert places.why_unplaced(gone) == "" and places.active_nodes(gone) == frozenset()
    assert places.why_unplaced(replace(snapshot, pods=answer("forbidden"))) != ""


def test_a_record_that_comes_later_is_placed_like_the_one_before():
    snapshot = elsewhere(statuses={GATEWAY: "active", STANDBY: "passive"})
    later = snapshot.gateways.items[0]._replace(ha_status="passive")
    assert places.node_of(later, snapshot) == GATEWAY
    newcomer = later._replace(ref=later.ref._replace(name="kube-br1-0006"), private_ips=(ADDRESSES[WORKER],))
    assert places.node_of(newcomer, snapshot) == WORKER


def test_the_agent_beside_the_active_gateway_still_comes_last_and_interrupts():
    choice = order.choose(elsewhere(**TELLING[0], told=dict.fromkeys((GATEWAY, STANDBY, WORKER), GAVE_UP)))
    assert [(each.node, each.disruptive) for each in choice.restarts] == [(WORKER, False), (STANDBY, False), (GATEWAY, True)]
