# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the route agent stand-in creates and deletes Calico pools, and when it gives up."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from tests.lab.client import ApiError
from tests.lab.standins._pools import PoolHandler, client_go_text, delay, pool
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]

NODE = "alpha-1"
NOT_SERVED = ApiError(404, "Not Found", "404 page not found")
AWAY = ApiError(503, "Service Unavailable", "service unavailable")


class Calico:
    """Pools by name; refuses with ``error`` while it is set."""

    def __init__(self) -> None:
        self.pools: dict[str, Object] = {}
        self.error: ApiError | None = None
        self.calls = 0

    def create(self, wanted: Object) -> None:
        self.calls += 1
        if self.error:
            raise self.error
        if wanted["metadata"]["name"] in self.pools:
            raise ApiError(409, "AlreadyExists", "exists")
        self.pools[wanted["metadata"]["name"]] = wanted

    def delete(self, name: str) -> None:
        self.calls += 1
        if self.error:
            raise self.error
        if name not in self.pools:
            raise ApiError(404, "NotFound", "gone", {"message": "gone"})
        del self.pools[name]


class Agent:
    """A handler with its surroundings and a clock."""

    def __init__(self, tmp_path: Path, version: tuple[int, int, int] = (0, 18, 1)) -> None:
        self.calico = Calico()
        self.log = ConsoleLog(tmp_path / "agent.log")
        self.now = 0.0
        self.handler = PoolHandler("alpha", NODE, SubmarinerVersion(*version), self.calico, self.log, scale=1.0)

    def see(self, *endpoints: Object) -> None:
        self.handler.observe(list(endpoints), self.now)

    def settle(self, seconds: float = 1000.0) -> None:
        """Lets so much time pass."""
        until = self.now + seconds
        due = self.handler.handle_due(self.now)
        while due is not None and due <= until:
            self.now = due
            due = self.handler.handle_due(self.now)
        self.now = until

    @property
    def lines(self) -> list[str]:
        return self.log.path.read_text().splitlines() if self.log.begun else []


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


def endpoint(cluster: str, *subnets: str, host: str = NODE, uid: str = "1", born: str = "2026-01-01T00:00:00Z") -> Object:
    name = f"{cluster}-cable"
    spec = {"cluster_id": cluster, "cable_name": name, "hostname": host, "private_ip": "192.168.0.1", "subnets": list(subnets)}
    return {"metadata": {"name": name, "uid": f"{name}-{uid}", "creationTimestamp": born}, "spec": spec}


LOCAL = endpoint("alpha", "10.45.0.0/16", "10.46.0.0/24")
REMOTE = endpoint("bravo", "10.43.0.0/16", "10.42.0.0/24", host="bravo-1")
WIDE = endpoint("bravo", "10.43.0.0/16", "10.42.0.0/16", host="bravo-1")
POOLS_24 = {"submariner-bravo-10.43.0.0-16", "submariner-bravo-10.42.0.0-24"}
POOLS_16 = {"submariner-bravo-10.43.0.0-16", "submariner-bravo-10.42.0.0-16"}


@pytest.mark.parametrize("order", [(LOCAL, REMOTE), (REMOTE, LOCAL)])
def test_the_gateway_node_has_a_pool_for_every_remote_subnet(agent: Agent, order: tuple[Object, Object]) -> None:
    agent.see(*order)
    agent.settle()
    assert set(agent.calico.pools) == POOLS_24
    assert any("TransitionToGateway" in line for line in agent.lines)


def test_other_nodes_create_none(agent: Agent) -> None:
    agent.see(endpoint("alpha", "10.45.0.0/16", host="alpha-2"), REMOTE)
    agent.settle()
    assert agent.calico.calls == 0


def test_a_node_that_becomes_the_gateway_later_creates_them_then(agent: Agent) -> None:
    agent.see(endpoint("alpha", "10.45.0.0/16", host="alpha-2"), REMOTE)
    agent.settle()
    agent.see(endpoint("alpha", "10.45.0.0/16", uid="2"), REMOTE)
    agent.settle()
    assert set(agent.calico.pools) == POOLS_24


def test_ipv6_subnets_get_no_pool(agent: Agent) -> None:
    agent.see(LOCAL, endpoint("bravo", "10.43.0.0/16", "fd00:42::/56"))
    agent.settle()
    assert set(agent.calico.pools) == {"submariner-bravo-10.43.0.0-16"}


def test_an_updated_endpoint_changes_nothing(agent: Agent) -> None:
    agent.see(LOCAL, REMOTE)
    agent.settle()
    agent.see(LOCAL, WIDE)
    agent.settle()
    assert set(agent.calico.pools) == POOLS_24


def test_a_recreated_endpoint_replaces_the_pools(agent: Agent) -> None:
    agent.see(LOCAL, REMOTE)
    agent.settle()
    agent.see(LOCAL, endpoint("bravo", *WIDE["spec"]["subnets"], uid="2", born="2026-01-01T00:00:09Z"))
    agent.settle()
    assert set(agent.calico.pools) == POOLS_16


def test_a_removed_endpoint_takes_the_pools_of_its_last_subnets_along(agent: Agent) -> None:
    agent.see(LOCAL, REMOTE)
    agent.settle()
    agent.see(LOCAL, WIDE)
    agent.see(LOCAL)
    agent.settle()
    assert set(agent.calico.pools) == {"submariner-bravo-10.42.0.0-24"}


def test_it_gives_up_after_twenty_tries_and_stays_so(agent: Agent) -> None:
    agent.calico.error = NOT_SERVED
    agent.see(LOCAL, REMOTE)
    agent.settle()
    tries = sum("Error handling created endpoint" in line for line in agent.lines)
    assert tries == 20
    assert 'Ignoring create event for endpoint "bravo", as its requeued for more than 20 times' in agent.lines[-1]
    agent.calico.error = None
    agent.see(LOCAL, REMOTE)
    agent.settle()
    assert agent.calico.pools == {}


def test_all_tries_take_six_minutes(agent: Agent) -> None:
    assert sum(delay(number) for number in range(1, 22)) == pytest.approx(381.15)
    agent.calico.error = AWAY
    agent.see(LOCAL, REMOTE)
    agent.settle(381.0)
    assert not any("Ignoring" in line for line in agent.lines)
    agent.settle(0.3)
    assert any("Ignoring" in line for line in agent.lines)


def test_a_cure_within_that_time_helps(agent: Agent) -> None:
    agent.calico.error = AWAY
    agent.see(LOCAL, REMOTE)
    agent.settle(100)
    agent.calico.error = None
    agent.settle(60)
    assert set(agent.calico.pools) == POOLS_24


def test_what_is_tried_again_is_the_endpoint_of_now(agent: Agent) -> None:
    agent.calico.error = AWAY
    agent.see(LOCAL, REMOTE)
    agent.settle(100)
    agent.see(LOCAL, WIDE)
    agent.calico.error = None
    agent.settle(60)
    assert set(agent.calico.pools) == POOLS_16


def test_an_adopted_agent_creates_nothing_for_what_it_has_seen(agent: Agent) -> None:
    agent.handler.adopt([LOCAL, REMOTE])
    agent.see(LOCAL, REMOTE)
    agent.settle()
    assert agent.calico.calls == 0
    other = endpoint("charlie", "10.99.0.0/16")
    agent.see(LOCAL, REMOTE, other)
    agent.settle()
    assert set(agent.calico.pools) == {"submariner-charlie-10.99.0.0-16"}


def test_existing_pools_are_taken_as_they_are(agent: Agent) -> None:
    agent.calico.pools = {"submariner-bravo-10.42.0.0-24": {"spec": {"disabled": False}}}
    agent.see(LOCAL, REMOTE)
    agent.settle()
    assert agent.calico.pools["submariner-bravo-10.42.0.0-24"] == {"spec": {"disabled": False}}
    assert not any(" ERR " in line for line in agent.lines)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NOT_SERVED, "the server could not find the requested resource (post ippools.projectcalico.org)"),
        (AWAY, "the server is currently unable to handle the request (post ippools.projectcalico.org)"),
        (ApiError(422, "Invalid", "CIDR overlaps with IPPool(x)", {"message": "CIDR overlaps with IPPool(x)"}), "CIDR overlaps with IPPool(x)"),
    ],
)
def test_errors_are_told_in_client_gos_words(agent: Agent, error: ApiError, expected: str) -> None:
    assert client_go_text(error, "post") == expected
    agent.calico.error = error
    agent.see(LOCAL, REMOTE)
    agent.settle(1)
    text = "\n".join(agent.lines)
    assert f'ClusterID \\"bravo\\" subnet \\"10.42.0.0/24\\" (is Calico API server running?): {expected}' in text


def test_a_transition_that_fails_warns_by_endpoint_name(agent: Agent) -> None:
    agent.see(REMOTE)
    agent.settle()
    agent.calico.error = NOT_SERVED
    agent.see(LOCAL, REMOTE)
    agent.settle(1)
    assert any(re.search(r"WRN .*ippool_handler.go:\d+ CalicoIPPool +Failed to create ippool bravo-cable", line) for line in agent.lines)


@pytest.mark.parametrize(("version", "exported"), [((0, 16, 7), None), ((0, 17, 2), None), ((0, 17, 3), True), ((0, 18, 0), None), ((0, 19, 0), True)])
def test_the_pool_by_release(version: tuple[int, int, int], exported: bool | None) -> None:
    wanted = pool("bravo", "10.42.0.0/24", SubmarinerVersion(*version))
    assert wanted["metadata"] == {"name": "submariner-bravo-10.42.0.0-24", "labels": {"submariner.io/ippool": "true"}}
    assert wanted["spec"].get("disableBGPExport") is exported
    assert {key: wanted["spec"][key] for key in ("cidr", "disabled", "natOutgoing")} == {"cidr": "10.42.0.0/24", "disabled": True, "natOutgoing": False}


@pytest.mark.parametrize(("version", "expected"), [((0, 16, 7), POOLS_24), ((0, 17, 0), POOLS_16)])
def test_0_16_transitions_with_endpoints_as_first_seen(tmp_path: Path, version: tuple[int, int, int], expected: set[str]) -> None:
    agent = Agent(tmp_path, version)
    agent.see(REMOTE)
    agent.settle()
    agent.see(WIDE)
    agent.see(WIDE, LOCAL)
    agent.settle()
    assert set(agent.calico.pools) == expected
