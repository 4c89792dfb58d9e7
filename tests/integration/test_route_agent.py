# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarting the route agents that need it, on layouts that react: planted, restarted, proved, and the second run writes nothing."""

from __future__ import annotations

import pytest

from tests.integration.modules import PATIENCE, Modules
from tests.lab import audit

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rke2, awake")]

ROUTE_AGENT = "app=submariner-routeagent"
TUNNEL = "projectcalico.org/IPv4VXLANTunnelAddr"
BLIND = ("002-rke2-reboot", pytest.param("002-operator-slow-calico", marks=pytest.mark.exhaustive))


@pytest.fixture(scope="module")
def modules():
    running = Modules()
    yield running
    running.close()


def run(modules, cluster, *, check=False, **options):
    arguments = {"kubeconfig": str(cluster.kubeconfig), "name": cluster.name, "wait_timeout": PATIENCE, "_ansible_check_mode": check, **options}
    return modules.run(("route_agent", arguments))[0]


def agents(cluster):
    """{node: UID of its route agent}"""
    pods = cluster.admin().list("/api/v1/namespaces/submariner-operator/pods", labelSelector=ROUTE_AGENT)
    return {pod["spec"]["nodeName"]: pod["metadata"]["uid"] for pod in pods if not pod["metadata"].get("deletionTimestamp")}


def blind(modules, cluster):
    found = modules.run(("diagnose", {"kubeconfig": str(cluster.kubeconfig), "cluster": cluster.name, "timeout": PATIENCE}))[0]
    return [each for each in found["findings"] if each["id"] == "route-agent-blind" and each["verdict"] == "fail"]


@pytest.mark.parametrize("incident", BLIND)
def test_the_blind_agent_is_restarted_and_no_other(awake_labs, modules, incident):
    with awake_labs.planted(incident.split("-")[1], incident) as lab:
        cluster = lab.cluster("cluster-1")
        found = blind(modules, cluster)
        assert len(found) == 1 and found[0]["remedy"]["role"] == "fathom.submariner.route_agent"
        before, marker = agents(cluster), audit.marker(cluster.audit_log)
        predicted = run(modules, cluster, check=True, allow_disruption=True)
        assert predicted["changed"] and audit.writes(cluster.audit_log, since=marker) == [] and agents(cluster) == before

        done = run(modules, cluster, allow_disruption=True)
        assert not done.get("failed"), done["msg"]
        assert (done["diff"], done["lines"]) == (predicted["diff"], predicted["lines"])
        (healed,) = done["restarted"]
        after = agents(cluster)
        assert {node for node in after if after[node] != before[node]} == {healed["node"]}
        assert after[healed["node"]] == healed["uid"] and "Event handler" in healed["evidence"]
        deleted = [event for event in audit.writes(cluster.audit_log, since=marker) if event.resource == "pods"]
        assert [event.verb for event in deleted] == ["delete"]
        assert blind(modules, cluster) == []

        marker = audit.marker(cluster.audit_log)
        assert not run(modules, cluster, allow_disruption=True)["changed"]
        assert audit.writes(cluster.audit_log, since=marker, dry_run=True) == [] == audit.writes(cluster.audit_log, since=marker)


@pytest.mark.exhaustive
def test_nothing_is_restarted_in_vain(awake_labs, modules):
    with awake_labs.planted("rke2", "002-rke2-reboot") as lab:
        cluster = lab.cluster("cluster-1")
        cluster.client("planter").merge_patch("/api/v1/nodes/alpha-agent-1", {"metadata": {"annotations": {TUNNEL: None}}})
        before, marker = agents(cluster), audit.marker(cluster.audit_log)
        for options in ({}, {"nodes": ["alpha-agent-1"]}):
            refused = run(modules, cluster, allow_disruption=True, **options)
            assert refused["failed"] and "has no address on a tunnel of Calico yet" in refused["msg"] and "Nothing was written" in refused["msg"]
        assert agents(cluster) == before and audit.writes(cluster.audit_log, since=marker) == []
        assert "there is no Node nowhere" in run(modules, cluster, nodes=["nowhere"])["msg"]


@pytest.mark.exhaustive
def test_nothing_is_restarted_that_would_be_told_a_wrong_cidr(awake_labs, modules):
    with awake_labs.planted("rke2") as lab:
        cluster = lab.cluster("cluster-1")
        planter = cluster.client("planter")
        daemon_set = "/apis/apps/v1/namespaces/submariner-operator/daemonsets/submariner-routeagent"
        template = planter.get(daemon_set)["spec"]["template"]["spec"]["containers"]
        for entry in template[0]["env"]:
            if entry["name"] == "SUBMARINER_CLUSTERCIDR":
                entry["value"] = "10.99.0.0/16"
        strategy = {"type": "OnDelete", "rollingUpdate": None}
        planter.merge_patch(daemon_set, {"spec": {"updateStrategy": strategy, "template": {"spec": {"containers": template}}}})
        before = agents(cluster)
        refused = run(modules, cluster, nodes=["alpha-agent-1"])
        assert refused["failed"] and "not in the cluster CIDR 10.99.0.0/16" in refused["msg"]
        assert agents(cluster) == before


def test_the_gateways_agent_wants_consent_and_comes_last(awake_labs, modules):
    with awake_labs.planted("rke2") as lab:
        cluster = lab.cluster("cluster-1")
        before, nodes = agents(cluster), sorted(agents(cluster))
        refused = run(modules, cluster, nodes=nodes)
        assert refused["failed"] and "submariner_allow_disruption" in refused["msg"] and agents(cluster) == before
        done = run(modules, cluster, nodes=[",".join(nodes)], allow_disruption=True)
        assert not done.get("failed"), done["msg"]
        assert [each["node"] for each in done["restarted"]] == ["alpha-agent-1", "alpha-server-1", "alpha-gateway-1"]
        assert not set(agents(cluster).values()) & set(before.values())
        later = run(modules, cluster, nodes=nodes, started_before="2026-01-01T00:00:00Z", allow_disruption=True)
        assert not later["changed"]
