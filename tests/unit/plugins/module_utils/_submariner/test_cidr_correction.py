# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Answer
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import (
    AWAIT_OPERATOR,
    DELETE_POOL,
    PATCH_SUBMARINER,
    RESTART_GATEWAY,
    RESTART_ROUTE_AGENT,
    Wanted,
    pods_of,
    steps,
    unconnected,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner import members

RIGHT = ("10.46.0.0/16", "10.45.0.0/16")
WRONG = ("10.46.0.0/24", "10.45.0.0/16")
PEER = ("10.42.0.0/16", "10.43.0.0/16")
WANTED = Wanted("cluster-1", *RIGHT)
ANNOUNCED = {"cluster-1": (RIGHT[1], RIGHT[0])}
ANNOUNCED_WRONG = {"cluster-1": (WRONG[1], WRONG[0])}
SERVICE_POOL = members.pool("submariner-cluster-1-10.45.0.0-16", "10.45.0.0/16")
RIGHT_POOL = members.pool("submariner-cluster-1-10.46.0.0-16", "10.46.0.0/16")
STALE_POOL = members.pool("submariner-cluster-1-10.46.0.0-24", "10.46.0.0/24")


def kinds(found):
    return [(step.action, step.cluster) for step in found]


def local(cidrs=RIGHT, **keywords):
    return members.member("cluster-1", cidrs, remote={"cluster-2": (PEER[1], PEER[0])}, **keywords)


def peer(remote=None, pools=(SERVICE_POOL, RIGHT_POOL), **keywords):
    return members.member("cluster-2", PEER, remote=remote or ANNOUNCED, pools=pools, **keywords)


def test_nothing_to_do_where_all_is_right():
    assert steps(local(), [peer()], WANTED) == ()


def test_a_wrong_cluster_is_corrected_here_first_then_on_its_peer_pools_before_agents():
    found = steps(local(WRONG, spec=("", "")), [peer(ANNOUNCED_WRONG, pools=(SERVICE_POOL, STALE_POOL))], WANTED)
    assert kinds(found) == [
        (PATCH_SUBMARINER, "cluster-1"),
        (RESTART_GATEWAY, "cluster-1"),
        (RESTART_ROUTE_AGENT, "cluster-1"),
        (DELETE_POOL, "cluster-2"),
        (RESTART_GATEWAY, "cluster-2"),
        (RESTART_ROUTE_AGENT, "cluster-2"),
    ]
    assert "10.46.0.0/24" in found[3].why
    assert all(step.disruptive for step in found)


def test_a_correction_that_was_interrupted_after_the_patch_goes_on_with_the_peer():
    found = steps(local(), [peer(pools=(SERVICE_POOL, STALE_POOL), carried=ANNOUNCED_WRONG)], WANTED)
    assert kinds(found) == [(DELETE_POOL, "cluster-2"), (RESTART_GATEWAY, "cluster-2"), (RESTART_ROUTE_AGENT, "cluster-2")]


def test_a_spec_that_is_right_and_not_reconciled_is_waited_for_without_a_write():
    (step,) = steps(local(status=("", "")), [], WANTED)
    assert (step.action, step.disruptive) == (AWAIT_OPERATOR, False)
    assert "not reconciled yet" in step.why


def test_a_gateway_that_still_announces_the_wrong_cidr_is_restarted():
    found = steps(local(announced=(WRONG[1], WRONG[0])), [], WANTED)
    assert kinds(found) == [(RESTART_GATEWAY, "cluster-1")]
    assert "announces 10.45.0.0/16, 10.46.0.0/24" in found[0].why


def test_pods_that_run_with_the_wrong_cidr_are_restarted():
    assert kinds(steps(local(running=WRONG), [], WANTED)) == [(RESTART_GATEWAY, "cluster-1"), (RESTART_ROUTE_AGENT, "cluster-1")]


def test_the_peers_agent_is_left_alone_when_its_pools_are_there():
    found = steps(local(), [peer(carried=ANNOUNCED_WRONG)], WANTED)
    assert kinds(found) == [(RESTART_GATEWAY, "cluster-2")]


def with_answers(snapshot, **answers):
    return snapshot.__class__(**{**snapshot.__dict__, **answers})


def test_only_the_agent_on_the_active_gateways_node_is_restarted_for_pools():
    before = peer(pools=(SERVICE_POOL,))
    two_agents = with_answers(before, pods=members.ok(*before.pods.items, members.pod("submariner-routeagent", "agent-b", on="node-2", cidrs=PEER)))
    assert [step.object for step in steps(local(), [two_agents], WANTED)] == ["Pod submariner-operator/agent-a"]


def elsewhere(snapshot, private_ip):
    """The same with a node that is called by its address, as on ROKS: the Gateway is called after its host."""
    pods = members.ok(*(pod._replace(node="10.240.0.4") for pod in snapshot.pods.items))
    (gateway,) = snapshot.gateways.items
    gateway = gateway._replace(ref=gateway.ref._replace(name="kube-br1-0004"), private_ips=(private_ip,))
    node = members.node("10.240.0.4")._replace(internal_ips=("10.240.0.4",))
    return with_answers(snapshot, pods=pods, gateways=members.ok(gateway), nodes=members.ok(node))


def test_a_gateway_that_is_not_called_like_its_node_is_restarted_too():
    found = steps(local(), [elsewhere(peer(pools=(SERVICE_POOL,), carried=ANNOUNCED_WRONG), "10.240.0.4")], WANTED)
    assert kinds(found) == [(RESTART_GATEWAY, "cluster-2"), (RESTART_ROUTE_AGENT, "cluster-2")]


def test_a_peer_whose_active_gateway_is_on_no_known_node_is_not_left_half_done():
    with pytest.raises(RefusedError, match="cluster-2: Gateway .*/kube-br1-0004 is active, and on which node it runs cannot be told.*Nothing was written"):
        steps(local(), [elsewhere(peer(), "192.0.2.1")], WANTED)


def test_pods_on_the_active_gateways_node_come_last():
    snapshot = members.member("cluster-1", RIGHT)
    pods = members.ok(members.pod("submariner-routeagent", "agent-a"), members.pod("submariner-routeagent", "agent-b", on="node-2"))
    snapshot = with_answers(snapshot, pods=pods)
    assert [pod.ref.name for pod in pods_of(snapshot, "submariner-routeagent")] == ["agent-b", "agent-a"]


def test_pools_of_other_remote_clusters_are_not_stale():
    third = {**ANNOUNCED, "cluster-3": ("10.99.0.0/16", "10.98.0.0/16")}
    pools = (SERVICE_POOL, RIGHT_POOL, members.pool("submariner-cluster-3-10.98.0.0-16", "10.98.0.0/16"))
    assert steps(local(), [peer(third, pools=pools)], WANTED) == ()


def test_the_peers_own_pools_are_never_deleted():
    own = members.pool("default-ipv4-ippool", "10.42.0.0/16", submariners=False)
    by_hand = members.pool("some-other-site", "10.200.0.0/16", submariners=False)
    assert steps(local(), [peer(pools=(SERVICE_POOL, RIGHT_POOL, own, by_hand))], WANTED) == ()


def test_a_pool_that_is_not_submariners_and_stands_in_the_way_is_refused_by_name():
    with pytest.raises(RefusedError, match=r"IPPool old-site \(10\.46\.0\.0/20\).*not made by Submariner"):
        steps(local(), [peer(pools=(members.pool("old-site", "10.46.0.0/20", submariners=False),))], WANTED)


def test_a_hand_made_pool_with_the_right_cidr_will_do():
    assert steps(local(), [peer(pools=(SERVICE_POOL, members.pool("podwestcluster", "10.46.0.0/16", submariners=False)))], WANTED) == ()


@pytest.mark.parametrize("answer", ["endpoints", "gateways", "pods", "ip_pools"])
def test_a_peer_that_cannot_be_read_is_no_peer_without_remains(answer):
    snapshot = peer()
    unread = with_answers(snapshot, **{answer: Answer(FORBIDDEN, (), "GET /x", "not allowed")})
    with pytest.raises(RefusedError, match=f"cluster-2: {answer} could not be read"):
        steps(local(), [unread], WANTED)


@pytest.mark.parametrize("answer", ["endpoints", "gateways", "pods"])
def test_a_cluster_that_cannot_be_read_is_not_taken_for_one_that_is_right(answer):
    unread = with_answers(local(), **{answer: Answer(FORBIDDEN, (), "GET /x", "not allowed")})
    with pytest.raises(RefusedError, match=f"cluster-1: {answer} could not be read"):
        steps(unread, [], WANTED)


def test_with_globalnet_the_peers_are_left_alone():
    snapshot = local()
    snapshot = with_answers(snapshot, submariners=members.ok(members.submariner("cluster-1", *RIGHT, global_cidr="242.0.0.0/16")))
    assert steps(snapshot, [peer(ANNOUNCED_WRONG, pools=(STALE_POOL,))], WANTED) == ()


@pytest.mark.parametrize(
    "gateways, expected",
    [
        ((), "no Gateway is active"),
        ((members.gateway("n", ha="passive"),), "no Gateway is active"),
        ((members.gateway("n"),), "no connection to cluster-1"),
        ((members.gateway("n", members.connection("cluster-1", *ANNOUNCED["cluster-1"], status="error")),), "is error to cluster-1"),
        ((members.gateway("n", members.connection("cluster-1", *ANNOUNCED_WRONG["cluster-1"])),), "carries 10.45.0.0/16, 10.46.0.0/24"),
    ],
)
def test_what_keeps_a_connection_from_being_proved(gateways, expected):
    snapshot = peer()
    assert expected in unconnected(with_answers(snapshot, gateways=members.ok(*gateways)), WANTED)


def test_a_connection_that_carries_the_wanted_subnets_is_proved():
    assert unconnected(peer(), WANTED) == ""
