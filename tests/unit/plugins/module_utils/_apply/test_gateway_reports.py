# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Gateway's record counts when it is written anew, and what a gateway has left that is gone does not."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _awaiting as awaiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _cluster_state as state
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _proof as proof
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _route_agent as agents
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_reports import Reports
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import connect
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Wanted
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube import faulty_api as faults
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner import members

ALL = "/apis/submariner.io/v1/gateways"
OWN = "/apis/submariner.io/v1/namespaces/submariner-operator/gateways"
SUBNETS = ("10.43.0.0/16", "10.42.0.0/16")
REMOTE = Wanted("cluster-2", SUBNETS[1], SUBNETS[0])
HERE = members.member("cluster-1", ("10.46.0.0/16", "10.45.0.0/16"), remote={"cluster-2": SUBNETS})


def record(name="node-1", ha_status="active", status="connected", beat="1", version="7", failure=""):
    """As submariner pkg/cableengine/syncer/syncer.go writes it."""
    metadata = {"name": name, "namespace": "submariner-operator", "resourceVersion": version}
    if beat:
        metadata["annotations"] = {"update-timestamp": beat}
    connection = {"status": status, "endpoint": {"cluster_id": "cluster-2", "subnets": list(SUBNETS)}}
    return {"metadata": metadata, "status": {"haStatus": ha_status, "statusFailure": failure, "connections": [connection]}}


def missing(found):
    return agents.missing_connections(found, ["cluster-2"])


def test_it_counts_when_its_time_has_moved():
    reports = Reports()
    told = reports.judge([record(beat="1700000000")], missing)
    assert told == "what the active Gateway tells is old: it has not been written while this was waiting, last at 2023-11-14T22:13:20Z"
    assert reports.judge([record(beat="1700000000", version="8")], missing) == told, "somebody else wrote it"
    assert reports.judge([record(beat="1700000005")], missing) is True


def test_without_a_time_the_version_must_have_moved():
    reports = Reports()
    assert reports.judge([record(beat="")], missing) is not True
    assert reports.judge([record(beat="", version="8")], missing) is True


def test_one_that_is_gone_neither_proves_nor_hinders():
    reports = Reports()
    reports.judge([record("gone", beat="1"), record("alive", status="error", beat="1")], missing)
    assert "cluster-2 is error" in reports.judge([record("gone", beat="1"), record("alive", status="error", beat="2")], missing)
    assert reports.judge([record("gone", status="error", beat="1"), record("alive", beat="3")], missing) is True


@pytest.fixture
def api():
    with faults.FaultyApi() as served:
        served.objects[ALL] = served.objects[OWN] = {}
        yield served


@pytest.fixture
def member(api):
    return Member("cluster-1", connect({"host": api.url, "api_key": "the-token"}, patience=faults.QUICK))


class Beating:
    """Gateways of which some go on writing."""

    def __init__(self, api, path, names):
        self.api, self.path, self.names, self.stop = api, path, names, threading.Event()

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()

    def __exit__(self, *dummy):
        self.stop.set()

    def run(self):
        beat = 1
        while not self.stop.wait(0.05):
            beat += 1
            for name in self.names:
                found = self.api.objects[self.path][name]
                self.api.put(self.path, name, metadata={**found["metadata"], "annotations": {"update-timestamp": str(beat)}}, status=found["status"])


def plant(api, path, *records):
    for each in records:
        api.put(path, each["metadata"]["name"], **each)


WAITS = {
    "connections": lambda member, deadline: agents.wait_for_gateways(
        SimpleNamespace(member=member, deadline=deadline), HERE, missing, "the connections to other clusters"
    ),
    "proof of a join": lambda member, deadline: proof._await_connection(member, HERE, REMOTE, deadline),  # pylint: disable=protected-access
    "a restarted gateway": lambda member, deadline: awaiting.await_gateway(member, HERE, HERE.pods.items[0], REMOTE, deadline),
}


@pytest.mark.parametrize("what", WAITS)
def test_a_record_of_long_ago_proves_nothing(api, member, what):
    plant(api, OWN, record(beat="1700000000"))
    with pytest.raises(SubmarinerError, match="has not been written while this was waiting, last at 2023-11-14"):
        WAITS[what](member, Deadline(0.5))


@pytest.mark.parametrize("what", WAITS)
def test_one_that_is_written_on_does(api, member, what):
    plant(api, OWN, record())
    with Beating(api, OWN, ["node-1"]):
        WAITS[what](member, Deadline(10))


def test_a_restarted_gateway_of_a_node_that_is_called_otherwise(api, member):
    plant(api, OWN, record("host-of-node-1"))
    (there,) = HERE.gateways.items
    renamed = members.ok(there._replace(ref=there.ref._replace(name="host-of-node-1"), private_ips=("10.0.0.1",)))
    nodes = members.ok(members.node("node-1")._replace(internal_ips=("10.0.0.1",)))
    snapshot = HERE.__class__(**{**HERE.__dict__, "gateways": renamed, "nodes": nodes})
    with Beating(api, OWN, ["host-of-node-1"]):
        awaiting.await_gateway(member, snapshot, snapshot.pods.items[0], REMOTE, Deadline(10))
    with pytest.raises(TimedOutError, match="there is no Gateway of node node-1"):
        awaiting.await_gateway(member, HERE, HERE.pods.items[0], REMOTE, Deadline(0.3))


class TestHealthyGateways:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setattr(state, "STALE", 0.6)

    def test_those_that_report(self, api, member):
        plant(api, ALL, record("a"), record("b", ha_status="passive"), record("gone"), record("ill", failure="no tunnel"))
        with Beating(api, ALL, ["a", "b", "ill"]):
            assert state.healthy_gateways(member, Deadline(10)) == 2

    def test_all_report_and_nobody_waits_on(self, api, member):
        plant(api, ALL, record("a"), record("b", ha_status="passive"))
        started = time.monotonic()
        with Beating(api, ALL, ["a", "b"]):
            assert state.healthy_gateways(member, Deadline(10)) == 2
        assert time.monotonic() - started < 0.5

    def test_one_of_2023(self, api, member):
        plant(api, ALL, record(beat="1700000000"))
        assert state.healthy_gateways(member, Deadline(10)) == 0

    def test_none(self, api, member):
        assert state.healthy_gateways(member, Deadline(10)) == 0
        del api.objects[ALL]
        assert state.healthy_gateways(member, Deadline(10)) == 0

    def test_not_known(self, api, member):
        api.inject("GET", "/gateways", *[faults.status(403, "Forbidden", "no")] * 5)
        assert state.healthy_gateways(member, Deadline(10)) is None
