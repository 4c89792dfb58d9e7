# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which agents and gateways are restarted, why, in which order, and which are not since it would be in vain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ, ApiService, Condition, EnvVar, Ref, RemoteEndpoint, RouteAgent
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders, reboots
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import NAMESPACE, answer, ok

GATEWAY, STANDBY, WORKER = "a-gateway", "b-standby", "c-worker"
NODES = (GATEWAY, STANDBY, WORKER)
TUNNEL = {"projectcalico.org/IPv4VXLANTunnelAddr": "10.46.7.64"}
GAVE_UP = [reboots.STARTED, *reboots.waits(), reboots.GAVE_UP]
SERVED = ApiService(Ref("APIService", "v3.projectcalico.org"), "calico-apiserver/calico-api", True, "Passed", "")
NO_POOLS = "2026-01-01T09:00:00.000Z ERR ..r.go:10 EventController Error: the server could not find the requested resource (post ippools.projectcalico.org)"
DROPPED = "2026-01-01T09:06:00.000Z ERR ..r.go:20 EventController Ignoring create event for endpoint cluster-2"


def a_node(name, annotations=None, ready=True):
    labels = {"submariner.io/gateway": "true"} if name in (GATEWAY, STANDBY) else {}
    made = builders.node(name)._replace(labels=labels, annotations=TUNNEL if annotations is None else annotations, ready=ready)
    return made._replace(conditions=(Condition("Ready", "True", since=reboots.NODE_READY),))


def a_pod(app, node):
    made = builders.agent(app, builders.PODS["cluster-1"], builders.SERVICES["cluster-1"])
    status = reboots.status(app, "2026-01-01T10:00:05Z")
    return made._replace(ref=Ref("Pod", f"{app}-{node}", NAMESPACE), uid=f"uid-{app}-{node}", node=node, statuses=(status,), started_at="2026-01-01T10:00:05Z")


def three(told=None, nodes=(), reports=(), **changes):
    """Three nodes that came up at 10:00: the active gateway, a passive one, and a worker.

    :param told: {node: lines} of the logs of route agents.
    """
    pods = [a_pod(order.AGENT, name) for name in NODES] + [a_pod(order.GATEWAY, name) for name in (GATEWAY, STANDBY)]
    pods += [builders.calico_pod(name)._replace(conditions=(Condition("Ready", "True", since="2026-01-01T10:00:40Z"),)) for name in NODES]
    given_nodes = {node.ref.name: node for node in nodes}
    fields = {
        "nodes": ok(*(given_nodes.get(name, a_node(name)) for name in NODES)),
        "pods": ok(*pods),
        "gateways": ok(
            builders.gateway(builders.connection("cluster-2"), node=GATEWAY), builders.gateway(node=STANDBY, ha_status="passive")
        ),
        "logs": ok(*(reboots.log(*lines, name=f"{order.AGENT}-{name}") for name, lines in (told or {}).items())),
        "route_agents": ok(*reports),
        "api_services": ok(SERVED),
        **changes,
    }
    return builders.cluster(**fields)


def said(choice):
    return [(each.app, each.node) for each in choice.restarts]


def report(node, status):
    return RouteAgent(Ref("RouteAgent", node, NAMESPACE), "v0.19.0", "", (RemoteEndpoint("cluster-2", "host", (), "", status, "no answer"),))


def with_pod(snapshot, name, **changes):
    pods = tuple(pod._replace(**changes) if pod.ref.name == name else pod for pod in snapshot.pods.items)
    return replace(snapshot, pods=replace(snapshot.pods, items=pods))


def with_env(snapshot, name, cidr):
    pod = next(pod for pod in snapshot.pods.items if pod.ref.name == name)
    container = pod.containers[0]._replace(env=(EnvVar("SUBMARINER_CLUSTERCIDR", cidr), EnvVar("SUBMARINER_SERVICECIDR", builders.SERVICES["cluster-1"])))
    return with_pod(snapshot, name, containers=(container,))


class TestWhatNeedsIt:
    def test_nothing_where_all_see(self):
        assert order.choose(three({name: [reboots.STARTED] for name in NODES})) == order.Choice()

    def test_exactly_those_that_gave_up(self):
        choice = order.choose(three({GATEWAY: [reboots.STARTED], STANDBY: [reboots.STARTED], WORKER: GAVE_UP}))
        assert said(choice) == [(order.AGENT, WORKER)]
        assert "never looks again" in choice.restarts[0].why and not choice.restarts[0].disruptive

    def test_the_active_gateways_agent_comes_last_and_interrupts(self):
        choice = order.choose(three(dict.fromkeys(NODES, GAVE_UP)))
        assert [(each.node, each.disruptive) for each in choice.restarts] == [(WORKER, False), (STANDBY, False), (GATEWAY, True)]

    def test_one_that_still_searches_is_left_alone(self):
        assert not order.choose(three({WORKER: [reboots.STARTED, *reboots.waits(3)]})).restarts

    @pytest.mark.parametrize(("text", "needed"), [([NO_POOLS, DROPPED], True), ([], True), ([NO_POOLS.replace("T09:00:00", "T11:59:30")], False)])
    def test_one_that_gave_up_on_pools_or_never_tried_but_not_one_that_still_tries(self, text, needed):
        lacking = ok(builders.local_pool(builders.PODS["cluster-1"]))
        snapshot = three({GATEWAY: [reboots.STARTED, *text]}, ip_pools=lacking, ip_pools_v3=lacking, ip_pools_v1=lacking)
        choice = order.choose(replace(snapshot, taken_at="2026-01-01T12:00:00Z"))
        assert said(choice) == ([(order.AGENT, GATEWAY)] if needed else [])
        assert all("10.42.0.0/16" in each.why for each in choice.restarts)

    def test_pools_that_another_one_blocks_are_not_cured_by_a_restart(self):
        stale = builders.remote_pool("cluster-2", "10.42.0.0/24")
        pools = ok(builders.local_pool(builders.PODS["cluster-1"]), builders.remote_pool("cluster-2", builders.SERVICES["cluster-2"]), stale)
        assert not order.choose(three({GATEWAY: [NO_POOLS, DROPPED]}, ip_pools=pools, ip_pools_v3=pools, ip_pools_v1=pools)).restarts

    def test_pools_cannot_be_made_while_the_api_is_down(self):
        lacking = ok(builders.local_pool(builders.PODS["cluster-1"]))
        dead = ok(SERVED._replace(available=False, reason="MissingEndpoints"))
        down = {"ip_pools": lacking, "ip_pools_v3": answer("unavailable"), "ip_pools_v1": lacking, "api_services": dead}
        assert not order.choose(three({GATEWAY: [NO_POOLS, DROPPED]}, **down)).restarts

    def test_one_with_cidrs_that_its_daemon_set_has_no_more(self):
        choice = order.choose(with_env(three(), f"{order.AGENT}-{WORKER}", "10.46.0.0/24"))
        assert said(choice) == [(order.AGENT, WORKER)]
        assert "SUBMARINER_CLUSTERCIDR=10.46.0.0/24" in choice.restarts[0].why

    def test_one_with_another_image_than_its_daemon_set(self):
        snapshot = three()
        pod = next(pod for pod in snapshot.pods.items if pod.ref.name == f"{order.AGENT}-{WORKER}")
        old = pod.containers[0]._replace(image="submariner-routeagent:0.18.0")
        assert said(order.choose(with_pod(snapshot, pod.ref.name, containers=(old,)))) == [(order.AGENT, WORKER)]

    def test_gateways_only_when_asked_and_before_agents(self):
        snapshot = with_env(three({WORKER: GAVE_UP}), f"{order.GATEWAY}-{GATEWAY}", "10.46.0.0/24")
        snapshot = with_env(snapshot, f"{order.GATEWAY}-{STANDBY}", "10.46.0.0/24")
        assert said(order.choose(snapshot)) == [(order.AGENT, WORKER)]
        assert said(order.choose(snapshot, gateways=True)) == [(order.GATEWAY, STANDBY), (order.GATEWAY, GATEWAY), (order.AGENT, WORKER)]

    def test_where_the_log_was_not_read_the_order_and_a_failed_ping_together_tell(self):
        unread = {"logs": answer(NOT_READ)}
        late = three(reports=[report(WORKER, "error")], **unread)
        late = with_pod(late, "calico-node-c-worker", conditions=(Condition("Ready", "True", since="2026-01-01T10:09:00Z"),))
        assert said(order.choose(late)) == [(order.AGENT, WORKER)]

    def test_what_nothing_tells_is_unknown_unless_a_ping_came_back(self):
        choice = order.choose(three(reports=[report(WORKER, "connected")], logs=answer(NOT_READ)))
        assert not choice.restarts
        assert [text.split(" on ")[1].split(":")[0] for text in choice.unknown] == [GATEWAY, STANDBY]


class TestInVain:
    @pytest.mark.parametrize(
        ("node", "words"),
        [
            (a_node(WORKER, {}), "has no address on a tunnel of Calico yet"),
            (a_node(WORKER, {"projectcalico.org/IPv4IPIPTunnelAddr": "172.16.1.1"}), "172.16.1.1, which is not in the cluster CIDR 10.46.0.0/16"),
            (a_node(WORKER, ready=False), "is not Ready"),
        ],
    )
    def test_a_node_on_which_the_next_agent_would_be_blind_too(self, node, words):
        choice = order.choose(three({WORKER: GAVE_UP, STANDBY: GAVE_UP}, nodes=[node]))
        assert said(choice) == [(order.AGENT, STANDBY)]
        assert len(choice.in_vain) == 1 and words in choice.in_vain[0]

    def test_ipip_counts_as_well(self):
        node = a_node(WORKER, {"projectcalico.org/IPv4IPIPTunnelAddr": "10.46.9.1"})
        assert said(order.choose(three({WORKER: GAVE_UP}, nodes=[node]))) == [(order.AGENT, WORKER)]

    def test_agents_that_are_told_a_wrong_cidr(self):
        told = builders.submariner("cluster-1", said="10.46.0.0/24")
        snapshot = three({WORKER: [reboots.WRONG_CIDR]}, submariners=ok(told))
        choice = order.choose(snapshot)
        assert not choice.restarts and "fathom.submariner.join" in choice.in_vain[0]


class TestNamed:
    def test_what_runs_there_and_nothing_else(self):
        snapshot = three({WORKER: GAVE_UP})
        assert said(order.choose(snapshot, [GATEWAY])) == [(order.AGENT, GATEWAY)]
        assert said(order.choose(snapshot, [GATEWAY, STANDBY], gateways=True)) == [
            (order.GATEWAY, STANDBY), (order.GATEWAY, GATEWAY), (order.AGENT, STANDBY), (order.AGENT, GATEWAY),
        ]

    def test_what_has_started_since_is_left_alone(self):
        snapshot = with_pod(three(), f"{order.AGENT}-{WORKER}", started_at="2026-01-02T00:00:00Z")
        assert said(order.choose(snapshot, [WORKER, STANDBY], started_before="2026-01-01T12:00:00Z")) == [(order.AGENT, STANDBY)]


class TestTelling:
    def test_logs_are_read_of_those_that_may_have_met_the_race(self):
        snapshot = three(logs=answer(NOT_READ))
        assert {pod.node for pod in order.telling(snapshot)} == set(NODES)
        days_later = reboots.status(order.AGENT, "2026-01-09T10:00:05Z")
        calm = with_pod(with_pod(snapshot, f"{order.AGENT}-{WORKER}", statuses=(days_later,)), f"{order.AGENT}-{GATEWAY}", statuses=(days_later,))
        assert {pod.node for pod in order.telling(calm)} == {GATEWAY, STANDBY}

    def test_and_of_those_that_fail(self):
        days_later = reboots.status(order.AGENT, "2026-01-09T10:00:05Z")
        snapshot = with_pod(three(reports=[report(WORKER, "error")], logs=answer(NOT_READ)), f"{order.AGENT}-{WORKER}", statuses=(days_later,))
        assert WORKER in {pod.node for pod in order.telling(snapshot)}


@st.composite
def restarts(draw):
    nodes = draw(st.lists(st.sampled_from([f"n{index}" for index in range(8)]), unique=True))
    made = [order.Restart(app, node, a_pod(app, node), "", False) for node in nodes for app in draw(st.sets(st.sampled_from([order.AGENT, order.GATEWAY])))]
    names = st.sampled_from([f"n{index}" for index in range(8)])
    return made, draw(st.frozensets(names, max_size=1)), draw(st.frozensets(names))


class TestOrder:
    @given(restarts())
    def test_nothing_is_lost_or_doubled(self, case):
        given_restarts, active, gateways = case
        assert sorted(map(str, order.in_order(given_restarts, active, gateways | active))) == sorted(map(str, given_restarts))

    @given(restarts())
    def test_gateways_first_and_of_each_kind_the_active_nodes_last(self, case):
        given_restarts, active, gateways = case
        found = order.in_order(given_restarts, active, gateways | active)
        assert [each.app for each in found] == sorted((each.app for each in found), key=lambda app: app != order.GATEWAY)
        for app in (order.GATEWAY, order.AGENT):
            ranks = [(each.node in active, each.node in gateways | active) for each in found if each.app == app]
            assert ranks == sorted(ranks)

    @given(restarts(), st.randoms())
    def test_the_order_does_not_depend_on_that_of_the_input(self, case, random):
        given_restarts, active, gateways = case
        shuffled = list(given_restarts)
        random.shuffle(shuffled)
        assert order.in_order(shuffled, active, gateways) == order.in_order(given_restarts, active, gateways)
