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
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Deployment, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._join_options import OPTIONS
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import clusters
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner import members

TOKEN = base64.b64encode(b"CANARY-TOKEN").decode()
BROKER = {"brokerURL": "https://broker.example:6443", "ClientToken": {"data": {"token": TOKEN}}, "IPSecPSK": {"data": {"psk": TOKEN}}, "Components": []}


class Prediction:
    """A writer in check mode before a cluster whose nodes have no label."""

    def __init__(self, outcome):
        self.diff = outcome.diff

    def read(self, path):
        return {"kind": "Node", "metadata": {"name": path.rpartition("/")[2], "resourceVersion": "1"}}

    def patch(self, path, found, patch):
        self.diff.append({"before": found, "after": patch})


@pytest.fixture
def join(monkeypatch, tmp_path):
    """Join an unjoined RKE2 cluster in check mode; ``subctl`` is a script that only knows its version."""
    program = tmp_path / "subctl"
    program.write_text('#!/bin/sh\n[ "$1" = version ] && echo "subctl version: v0.18.1"\n')
    program.chmod(0o755)
    broker = tmp_path / "broker-info.subm"
    broker.write_bytes(base64.urlsafe_b64encode(json.dumps(BROKER).encode()))

    def run(snapshot=None, check_mode=True, broker_info=str(broker), allow_disruption=False, correction="patch", **options):
        monkeypatch.setattr(joining, "read_members", lambda group, deadline: [snapshot or unjoined()])
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
        )
        connection = SimpleNamespace(server="https://10.1.2.3:6443", host_params={"kubeconfig": "/etc/k", "context": "west"})
        outcome = Outcome()
        return joining.join(request, Member("cluster-1", connection, Prediction(outcome)), (), outcome, Deadline(5)), outcome

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

