# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    OK,
    Answer,
    Container,
    Deployment,
    EnvVar,
    Ref,
    Snapshot,
    SubmarinerCluster,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _join_decision as decision
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner import members


def joined(environment=(), **spec):
    env = tuple(EnvVar(name, value) for name, value in environment)
    operator = Deployment(Ref("Deployment", "submariner-operator", members.NAMESPACE), (Container("submariner-operator", "i", (), (), env),), 1, 1)
    return Snapshot(
        "cluster-1",
        "test",
        "",
        submariners=members.ok(members.submariner("cluster-1", "10.46.0.0/16", "10.45.0.0/16", natEnabled=True, cableDriver="libreswan", **spec)),
        deployments=members.ok(operator),
    )


SAME = {"cluster_id": "cluster-1", "cluster_cidr": "10.46.0.0/16", "service_cidr": "10.45.0.0/16"}


def test_a_cluster_without_submariner_is_joined():
    assert decision.decide(Snapshot("c", "", "", submariners=Answer(OK, (), "x")), SAME, "patch").action == decision.JOIN


@pytest.mark.parametrize("correction", ["patch", "rejoin", "fail"])
def test_a_cluster_that_is_joined_as_asked_is_never_joined_again(correction):
    assert decision.decide(joined(), SAME, correction) == decision.Decision(decision.CORRECT, ())


def test_options_that_were_not_mentioned_are_not_compared():
    assert decision.decide(joined(airGappedDeployment=True), {**SAME, "air_gapped": None}, "fail").differences == ()


def test_a_wrong_cidr_is_corrected_in_place():
    decided = decision.decide(joined(), {**SAME, "cluster_cidr": "10.47.0.0/16"}, "patch")
    assert decided.action == decision.CORRECT
    assert decided.differences == (decision.Difference("cluster_cidr", "10.46.0.0/16", "10.47.0.0/16"),)


def test_what_cannot_be_patched_is_refused_by_name():
    with pytest.raises(RefusedError, match=r"cable_driver is 'libreswan' and should be 'wireguard' cannot be corrected in place.*correction=rejoin"):
        decision.decide(joined(), {**SAME, "cable_driver": "wireguard"}, "patch")


def test_rejoin_is_chosen_when_asked():
    decided = decision.decide(joined(), {**SAME, "cable_driver": "wireguard"}, "rejoin")
    assert (decided.action, [entry.option for entry in decided.differences]) == (decision.REJOIN, ["cable_driver"])


def test_fail_names_every_difference():
    with pytest.raises(RefusedError, match="natt is True and should be False; cable_driver") as caught:
        decision.decide(joined(), {**SAME, "natt": False, "cable_driver": "vxlan"}, "fail")
    assert [entry["option"] for entry in caught.value.details["differences"]] == ["natt", "cable_driver"]


def test_another_cluster_id_is_bad_input():
    with pytest.raises(InputError, match="joined as 'cluster-1'.*'west'"):
        decision.decide(joined(), {**SAME, "cluster_id": "west"}, "rejoin")


def test_an_unreadable_cluster_is_not_taken_for_an_unjoined_one():
    snapshot = Snapshot("c", "", "", submariners=Answer(FORBIDDEN, (), "GET /apis/submariner.io/v1alpha1/submariners", "forbidden"))
    with pytest.raises(RefusedError, match="whether Submariner is installed could not be read"):
        decision.decide(snapshot, SAME, "patch")


def test_a_submariner_that_is_being_deleted_is_waited_for_by_the_user():
    snapshot = Snapshot("c", "", "", submariners=members.ok(members.submariner("cluster-1", deleting=True)))
    with pytest.raises(RefusedError, match="is being deleted"):
        decision.decide(snapshot, SAME, "rejoin")


def test_proxies_are_read_from_the_operators_environment_and_lists_have_no_order():
    snapshot = joined([("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "b,a")])
    assert decision.decide(snapshot, {**SAME, "https_proxy": "http://proxy:3128", "no_proxy": ["a", "b"]}, "fail").differences == ()
    assert [entry.option for entry in decision.decide(snapshot, {**SAME, "no_proxy": ["a"]}, "rejoin").differences] == ["no_proxy"]


def test_globalnet_off_differs_only_from_a_cluster_that_has_a_global_cidr():
    assert decision.decide(joined(), {**SAME, "globalnet": False}, "fail").differences == ()
    assert decision.decide(joined(), {**SAME, "globalnet": True}, "fail").differences == ()


def test_a_proxys_password_is_no_part_of_a_difference():
    with pytest.raises(RefusedError) as caught:
        decision.decide(joined(), {**SAME, "https_proxy": "http://user:CANARY@proxy:3128"}, "fail")
    assert "CANARY" not in caught.value.message and "CANARY" not in str(caught.value.details)
    assert "http://user:********@proxy:3128" in caught.value.message


def at(namespace, record):
    return record._replace(ref=record.ref._replace(namespace=namespace))


def free(records=(), clusters=(), peers=()):
    answers = {"submariners": members.ok(), "endpoints": members.ok(*records), "submariner_clusters": members.ok(*clusters)}
    here = Snapshot("cluster-3", "test", "2026-01-01T00:00:00Z", **answers)
    decision.require_free_id("cluster-3", here, peers)


CLUSTER = SubmarinerCluster(Ref("Cluster", "cluster-3", members.NAMESPACE), "cluster-3", (), (), ())
CIDRS = ("10.8.0.0/16", "10.9.0.0/16")


class TestAFreeId:
    def test_nobody_knows_it(self):
        free(records=[members.endpoint("cluster-2", *CIDRS)], peers=[members.member("cluster-2", CIDRS, remote={"cluster-1": ("10.1.0.0/16", "10.2.0.0/16")})])

    @pytest.mark.parametrize("records", [{"records": [at("broker", members.endpoint("cluster-3", *CIDRS))]}, {"clusters": [at("broker", CLUSTER)]}])
    def test_this_cluster_hosts_the_broker_that_knows_it(self, records):
        with pytest.raises(RefusedError, match="on cluster-3. Nothing was written.*broker_records"):
            free(**records)

    def test_a_copy_of_its_own_in_its_own_namespace_is_left_to_its_gateway(self):
        free(records=[members.endpoint("cluster-3", *CIDRS)])

    def test_its_own_cluster_makes_records_on_peers_its_own(self):
        peer = members.member("cluster-2", CIDRS, remote={"cluster-3": ("10.1.0.0/16", "10.2.0.0/16")}, carried={"cluster-1": ("10.5.0.0/16",)})
        free(clusters=[CLUSTER], peers=[peer])
        with pytest.raises(RefusedError, match="or this one left it behind: Endpoint submariner-operator/cluster-3-cable on cluster-2"):
            free(peers=[peer])

    def test_no_record_of_its_own_outweighs_one_that_lives(self):
        with pytest.raises(RefusedError, match="which lives: west is joined under that id"):
            twin = members.member("cluster-3", CIDRS)
            free(clusters=[CLUSTER], peers=[twin.__class__(**{**twin.__dict__, "cluster": "west"})])
