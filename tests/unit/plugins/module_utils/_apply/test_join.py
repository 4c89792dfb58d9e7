# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a join says and plans before its first write. That nothing is written then, the lab's audit logs show."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _join as joining
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Deployment, Ref, SubmarinerCluster
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._join_options import OPTIONS
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import clusters
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner import members

TOKEN = base64.b64encode(b"CANARY-TOKEN").decode()
BROKER = {
    "brokerURL": "https://broker.example:6443", "ClientToken": {"data": {"token": TOKEN}}, "IPSecPSK": {"data": {"psk": TOKEN}}, "Components": ["connectivity"],
}  # fmt: skip


class Recorder:
    """A writer that notes down what is written to one cluster."""

    def __init__(self, name, written):
        self.name = name
        self.written = written
        self.diff = []

    def lock(self):
        pass

    def read(self, path):
        name = path.rpartition("/")[2]
        return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1"}}

    def patch(self, path, found, patch, **options):
        self.written.append(f"{self.name}: patch {path.rpartition('/')[2]}")

    def delete(self, path, found):
        self.written.append(f"{self.name}: delete {path.rpartition('/')[2]}")

    def go_outside(self, entry, write):
        self.written.append(f"{self.name}: subctl")
        write()


class Prediction:
    """A writer in check mode before a cluster whose nodes have no label."""

    def __init__(self, outcome):
        self.diff = outcome.diff

    def read(self, path):
        return {"kind": "Node", "metadata": {"name": path.rpartition("/")[2], "resourceVersion": "1"}}

    def patch(self, path, found, patch, **options):
        self.diff.append({"before": found, "after": patch})


@pytest.fixture
def join(monkeypatch, tmp_path):
    """Join an unjoined RKE2 cluster in check mode; ``subctl`` is a script that only knows its version."""
    program = tmp_path / "subctl"
    program.write_text('#!/bin/sh\nif [ "$1" = version ]; then echo "subctl version: v0.18.1"; fi\n')
    program.chmod(0o755)
    broker = tmp_path / "broker-info.subm"
    broker.write_bytes(base64.urlsafe_b64encode(json.dumps(BROKER).encode()))

    def run(snapshot=None, check_mode=True, broker_info=str(broker), allow_disruption=False, correction="patch", peers=(), written=None, **options):
        monkeypatch.setattr(joining, "read_members", lambda group, deadline: [snapshot or unjoined(), *peers])
        request = joining.Request(
            options={**{option.name: None for option in OPTIONS}, "cluster_id": "cluster-1", **options},
            broker_info=broker_info,
            subctl=str(program),
            gateway_nodes=(),
            complete_no_proxy=True,
            correction=correction,
            allow_disruption=allow_disruption,
            join_timeout=5,
            check_mode=check_mode,
            min_healthy_gateways=run.least,
        )
        connection = SimpleNamespace(server="https://10.1.2.3:6443", host_params={"kubeconfig": "/etc/k", "context": "west"})
        outcome = Outcome()

        def member(name):
            return Member(name, connection, Prediction(outcome) if written is None else Recorder(name, written))

        return joining.join(request, member("cluster-1"), [member(peer.cluster) for peer in peers], outcome, Deadline(5)), outcome

    run.program, run.broker, run.paused, run.healthy, run.least = program, broker, {}, {}, 0
    monkeypatch.setattr(joining, "why_paused", lambda member, namespace, deadline: run.paused.get(member.name, ""))
    monkeypatch.setattr(joining, "healthy_gateways", lambda member, deadline: run.healthy.get(member.name))
    return run


def unjoined():
    found = clusters.rke2()
    return found.__class__(
        **{
            **found.__dict__,
            "server_version": clusters.ok("v1.27.9+rke2r1"),
            "config_maps": clusters.ok(clusters.config_map("kube-proxy", {"config.conf": "mode: iptables\n"})),
            "submariners": members.ok(),
            "deployments": members.ok(),
            "endpoints": members.ok(),
            "gateways": members.ok(),
        }
    )


def test_check_mode_shows_the_whole_command_line_and_the_object(join):
    result, outcome = join(natt=False, https_proxy="http://user:CANARY-PASSWORD@proxy:3128", no_proxy=["example.com"])
    assert result.action == "join"
    words = " ".join(result.command)
    assert "--kubeconfig /etc/k --context west --clusterid=cluster-1 --clustercidr=10.46.0.0/16 --servicecidr=10.45.0.0/16 --natt=false" in words
    assert "--no-proxy=example.com," in words and "10.45.0.0/16" in words and "10.1.2.3" in words and "broker.example" in words
    assert "CANARY" not in words and "CANARY" not in json.dumps(outcome.diff)
    assert outcome.diff[0]["after"]["spec"]["clusterCIDR"] == "10.46.0.0/16"
    assert outcome.diff[0]["after"]["spec"]["natEnabled"] is False
    assert [step.action for step in outcome.steps] == ["label_gateway", "run_subctl_join"]
    assert [entry["after"] for entry in outcome.diff[1:]] == [{"metadata": {"labels": {"submariner.io/gateway": "true"}}}]


def test_a_join_without_a_broker_file_is_bad_input(join):
    with pytest.raises(InputError, match="join needs broker_info"):
        join(broker_info=None)


def test_an_option_that_this_subctl_has_not_is_bad_input(join):
    with pytest.raises(InputError, match="Option enable_clusterset_ip needs subctl 0.19.0"):
        join(enable_clusterset_ip=True)


@pytest.mark.parametrize(
    "options, expected",
    [({"health_check": False}, "health_check=false is no cure"), ({"force_udp_encaps": True, "cable_driver": "wireguard"}, "force_udp_encaps has no effect")],
)
def test_an_option_that_is_no_cure_is_warned_of(join, options, expected):
    assert any(expected in warning for warning in join(**options)[1].warnings)
    assert not any(expected in warning for warning in join()[1].warnings)


def joined(cluster_cidr, **spec):
    found = unjoined()
    return found.__class__(
        **{
            **found.__dict__,
            "submariners": members.ok(members.submariner("cluster-1", cluster_cidr, clusters.SERVICE_CIDR, natEnabled=True, **spec)),
            "endpoints": members.ok(members.endpoint("cluster-1", clusters.SERVICE_CIDR, cluster_cidr), members.endpoint("cluster-2", "10.9.0.0/16")),
        }
    )


def test_a_member_that_no_connection_was_given_for_is_warned_of(join):
    result, outcome = join(joined(clusters.POD_CIDR))
    assert result.action == "unchanged"
    assert any("cluster-2 is in the same cluster set, and no connection was given" in warning for warning in outcome.warnings)


def test_a_rejoin_without_consent_is_refused_with_what_it_would_do(join):
    with pytest.raises(RefusedError, match="needs allow_disruption=true.*natt is True and should be False"):
        join(joined(clusters.POD_CIDR), check_mode=False, correction="rejoin", natt=False)


def test_a_rejoin_whose_proxy_password_is_lost_asks_for_it(join):
    snapshot = joined(clusters.POD_CIDR)
    operator = clusters.container("submariner-operator", env=[("HTTPS_PROXY", "http://user:********@proxy:3128")])
    deployment = Deployment(Ref("Deployment", "submariner-operator", members.NAMESPACE), (operator,), 1, 1)
    snapshot = snapshot.__class__(**{**snapshot.__dict__, "deployments": members.ok(deployment)})
    with pytest.raises(InputError, match="https_proxy holds a password"):
        join(snapshot, correction="rejoin", natt=False)



PEER = ("10.9.0.0/16", "10.8.0.0/16")
STALE = members.pool("submariner-cluster-1-10-46-0-0-24", "10.46.0.0/24")


def peer(cluster_id="cluster-2", status="connected", **fields):
    """A member of the set that holds an Endpoint of cluster-1, whose pools are not those that this cluster will have."""
    remote = {"cluster-1": ("10.45.0.0/24", "10.46.0.0/24")}
    found = members.member(cluster_id, PEER, pools=[STALE], **{"remote": remote, **fields})
    connection = members.connection("cluster-1", "10.46.0.0/24", status=status)
    return found.__class__(**{**found.__dict__, "gateways": members.ok(members.gateway("node-1", connection) if status else members.gateway("node-1"))})


class TestAnIdThatAnotherClusterHas:
    def refused(self, join, *peers, snapshot=None, **options):
        written = []
        with pytest.raises(RefusedError) as caught:
            join(snapshot, check_mode=False, peers=peers, written=written, **options)
        assert written == [] and "Nothing was written" in caught.value.message
        return caught.value.message

    def test_one_that_a_peer_is_connected_to_keeps_its_pools(self, join):
        assert "'cluster-1' is that of another cluster, which lives: Gateway submariner-operator/node-1 of cluster-2 is connected" in self.refused(join, peer())

    def test_consent_to_interrupt_traffic_is_none_to_take_an_id(self, join):
        self.refused(join, peer(), allow_disruption=True)

    def test_a_peer_may_be_joined_under_it(self, join):
        twin = peer("cluster-1", status="")
        assert "west is joined under that id" in self.refused(join, twin.__class__(**{**twin.__dict__, "cluster": "west"}))

    def test_records_of_one_that_is_silent_are_pointed_to(self, join):
        message = self.refused(join, peer(status="error"))
        assert "Endpoint submariner-operator/cluster-1-cable on cluster-2" in message and "broker_records_cluster_id: [cluster-1]" in message

    def test_its_own_record_says_that_the_id_is_its_own(self, join):
        own = SubmarinerCluster(Ref("Cluster", "cluster-1", members.NAMESPACE), "cluster-1", (), (), ())
        here = unjoined()
        here = here.__class__(**{**here.__dict__, "submariner_clusters": members.ok(own)})
        message = self.refused(join, peer(status="error"), snapshot=here)
        assert "needs allow_disruption=true" in message and "delete_pool IPPool submariner-cluster-1-10-46-0-0-24" in message


class TestStalePoolsOfAPeer:
    """Nobody's: no Endpoint on the peer has their range."""

    @pytest.fixture(autouse=True)
    def nothing_after(self, monkeypatch):
        monkeypatch.setattr(joining.correcting, "await_joined", lambda *arguments: None)
        monkeypatch.setattr(joining, "_correct_and_prove", lambda case: None)

    def test_they_need_consent(self, join):
        with pytest.raises(RefusedError, match="needs allow_disruption=true.*delete_pool"):
            join(check_mode=False, peers=[peer(status="", remote={})], written=[])
        assert any("without it, the real run is refused" in warning for warning in join(peers=[peer(status="", remote={})])[1].warnings)

    def test_they_stay_where_subctl_refuses(self, join):
        join.program.write_text('#!/bin/sh\n[ "$1" = version ] && echo "subctl version: v0.18.1" && exit\necho "Cluster IDs must be unique"; exit 1\n')
        written = []
        with pytest.raises(SubmarinerError, match="another member has the id"):
            join(check_mode=False, allow_disruption=True, peers=[peer(status="", remote={})], written=written)
        assert [entry for entry in written if "delete" in entry] == []

    def test_they_go_as_soon_as_subctl_has_ended(self, join):
        written = []
        outcome = join(check_mode=False, allow_disruption=True, peers=[peer(status="", remote={})], written=written)[1]
        assert written[-2:] == ["cluster-1: subctl", "cluster-2: delete submariner-cluster-1-10-46-0-0-24"]
        assert [step.action for step in outcome.steps] == ["label_gateway", "run_subctl_join", "delete_pool"]

    def test_with_globalnet_they_are_no_concern_of_this_join(self, join):
        join.broker.write_bytes(base64.urlsafe_b64encode(json.dumps({**BROKER, "Components": ["connectivity", "globalnet"]}).encode()))
        written = []
        join(check_mode=False, peers=[peer(status="", remote={})], written=written)
        assert [entry for entry in written if "delete" in entry] == []


class TestWhatIsAskedOfEachClusterThatIsWrittenTo:
    """cluster-2 has a stale pool, whose removal interrupts its traffic; cluster-1 is not joined yet, so that nothing of it is interrupted."""

    @pytest.fixture(autouse=True)
    def nothing_after(self, monkeypatch):
        monkeypatch.setattr(joining.correcting, "await_joined", lambda *arguments: None)
        monkeypatch.setattr(joining, "_correct_and_prove", lambda case: None)

    @pytest.mark.parametrize("name", ["cluster-1", "cluster-2"])
    def test_one_that_is_paused_keeps_all_from_being_written_to(self, join, name):
        join.paused[name] = "the night shift said so"
        written = []
        with pytest.raises(RefusedError, match=f"^{name}: the run is paused: the night shift said so. Nothing was written") as caught:
            join(check_mode=False, allow_disruption=True, peers=[peer(status="", remote={})], written=written)
        assert written == [] and caught.value.details == {"stopped": True}

    @pytest.mark.parametrize(("healthy", "told"), [(1, "1 of its gateways are healthy"), (None, "how many of its gateways are healthy could not be read")])
    def test_one_with_too_few_gateways_does_too(self, join, healthy, told):
        join.least, join.healthy = 2, {"cluster-2": healthy}
        written = []
        with pytest.raises(RefusedError, match=f"^cluster-2: {told}, and min_healthy_gateways is 2. Nothing was written") as caught:
            join(check_mode=False, allow_disruption=True, peers=[peer(status="", remote={})], written=written)
        assert written == [] and caught.value.details == {"stopped": True}

    def test_enough_are_enough(self, join):
        join.least, join.healthy = 2, {"cluster-2": 2}
        written = []
        join(check_mode=False, allow_disruption=True, peers=[peer(status="", remote={})], written=written)
        assert "cluster-2: delete submariner-cluster-1-10-46-0-0-24" in written


def test_what_interrupts_a_peer_after_a_join_needs_consent_as_well(join, monkeypatch):
    step = joining.correction.Step("restart_route_agent", "cluster-2", "Pod submariner-operator/agent-a", "no IPPool", True)
    monkeypatch.setattr(joining.correcting, "await_joined", lambda *arguments: None)
    monkeypatch.setattr(joining.correcting, "correct", lambda local, peers, wanted, outcome, deadline, require: require(step))
    monkeypatch.setattr(joining, "prove", lambda *arguments: None)
    quiet = members.member("cluster-2", PEER)
    with pytest.raises(RefusedError, match="cluster-1 is joined, and what is left to do interrupts traffic of cluster-2.*Run this again"):
        join(check_mode=False, peers=[quiet], written=[])
    join(check_mode=False, allow_disruption=True, peers=[quiet], written=[])


def test_a_broker_without_connectivity_is_refused_before_a_node_is_labelled(join):
    join.broker.write_bytes(base64.urlsafe_b64encode(json.dumps({**BROKER, "Components": ["service-discovery"]}).encode()))
    written = []
    with pytest.raises(InputError, match=r"without connectivity \(components: service-discovery\)"):
        join(check_mode=False, written=written)
    assert written == []


def test_the_broker_that_is_asked_for_is_reached_without_the_proxy(join):
    words = " ".join(join(https_proxy="http://proxy:3128", broker_url="https://other.example:6443")[0].command)
    assert "other.example" in words.split("--no-proxy=")[1].split()[0] and "broker.example" not in words


def test_a_password_that_everybody_on_this_host_can_read_is_warned_of(join):
    warned = join(https_proxy="http://user:CANARY@proxy:3128")[1].warnings
    assert any("every user of this host can read it" in warning for warning in warned) and "CANARY" not in str(warned)
    assert not any("password" in warning for warning in join(https_proxy="http://proxy:3128")[1].warnings)
