# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of Submariner's workloads, versions and leftovers: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import card_of, unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_clusterset
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._version_skew import image_version
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    TIMED_OUT,
    UNAVAILABLE,
    Condition,
    ContainerStatus,
    Namespace,
    PodLog,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    agent,
    answer,
    cluster,
    connection,
    daemon_set,
    deployment,
    endpoint,
    gateway,
    judged,
    local_pool,
    ok,
    only,
    pod,
    remote_pool,
    set_judged,
    submariner,
    values,
    without,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_pass, expect_unknown

ROUTE_AGENT = "submariner-routeagent"
OPERATOR = deployment("submariner-operator")


def waiting(name, reason, message="", **fields):
    return ContainerStatus(name, False, fields.pop("restarts", 0), f"quay.example/{name}:0.19.0", waiting_reason=reason, waiting_message=message, **fields)


class TestRouteAgent:
    ID = "route-agent-not-ready"

    def failing(self, *statuses, lines=(), **changes):
        broken = agent(ROUTE_AGENT, "10.46.0.0/16", "10.45.0.0/16", ready=False)._replace(statuses=statuses)
        kept = without(cluster(), "pods", broken.ref.name).pods.items
        logs = ok(PodLog(broken.ref, ROUTE_AGENT, "\n".join(lines), previous=True)) if lines else ok()
        return cluster(pods=ok(*kept, broken), daemon_sets=ok(daemon_set(ROUTE_AGENT, ready=0), daemon_set("submariner-gateway")), logs=logs, **changes)

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_fails(self):
        finding = expect_fail(cluster(daemon_sets=ok(daemon_set(ROUTE_AGENT, desired=3, ready=2))), self.ID)
        assert finding.title == "The route agent is ready on 2 of 3 nodes"

    def test_vxlan(self):
        crashed = waiting(ROUTE_AGENT, "CrashLoopBackOff", exit_code=1, exit_reason="Error")
        finding = expect_fail(self.failing(crashed, lines=["FTL Unable to create VxLAN interface on gateway node (node-1)"]), self.ID)
        assert finding.severity == "error" and "vx-submariner" in finding.title and "modprobe vxlan" in finding.remedy.text

    def test_handlers_on_a_dead_calico_api(self):
        crashed = waiting(ROUTE_AGENT, "CrashLoopBackOff", exit_code=1, exit_reason="Error")
        snapshot = self.failing(crashed, lines=["FTL Error registering the handlers"], ip_pools_v3=answer(UNAVAILABLE))
        finding = expect_fail(snapshot, self.ID)
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/calico-api-unavailable")

    def test_image(self):
        assert expect_fail(self.failing(waiting(ROUTE_AGENT, "ErrImagePull", "not found")), self.ID).caused_by == "cluster-1/image-pull-failed"

    def test_init_container_that_waits(self):
        init = waiting("submariner-routeagent-init", "CreateContainerConfigError", 'secret "x" not found', init=True)
        finding = expect_fail(self.failing(init), self.ID)
        assert "waits: CreateContainerConfigError" in finding.title
        assert any(entry.field.startswith("status.initContainerStatuses[") for entry in finding.evidence)

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(TIMED_OUT)), self.ID)
        expect_unknown(cluster(daemon_sets=ok()), self.ID)
        expect_unknown(cluster(pods=answer(FORBIDDEN)), self.ID)


class TestComponents:
    ID = "component-unavailable"

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(deployments=ok(OPERATOR, deployment("submariner-lighthouse-agent"), deployment("submariner-lighthouse-coredns"))), self.ID)

    def test_no_operator(self):
        finding = expect_fail(cluster(deployments=ok()), self.ID)
        assert (finding.title, finding.severity) == ("submariner-operator is not there", "error")

    def test_scaled_to_none(self):
        found = expect_fail(cluster(deployments=ok(deployment("submariner-operator", replicas=0, available=0))), self.ID)
        assert "(scaled to none)" in found.title

    def test_lighthouse_crashes(self):
        crashed = waiting("submariner-lighthouse-agent", "CrashLoopBackOff", exit_code=2, exit_reason="Error")
        bad = pod(NAMESPACE, "submariner-lighthouse-agent-5d8-x", "10.46.1.1", labels={"app": "submariner-lighthouse-agent"}, ready=False)
        snapshot = cluster(
            deployments=ok(OPERATOR, deployment("submariner-lighthouse-agent", available=0)), pods=ok(*cluster().pods.items, bad._replace(statuses=(crashed,)))
        )
        finding = expect_fail(snapshot, self.ID)
        assert finding.title == "submariner-lighthouse-agent has 0 of 1 replicas: its pod crashes with exit code 2"

    @pytest.mark.parametrize(("name", "severity"), [("submariner-globalnet", "error"), ("submariner-metrics-proxy", "warning")])
    def test_daemon_sets_must_be_ready(self, name, severity):
        finding = expect_fail(cluster(daemon_sets=ok(daemon_set(name, desired=2, ready=1))), self.ID)
        assert (finding.title, finding.severity) == (f"{name} is ready on 1 of 2 nodes", severity)

    def test_unknown(self):
        expect_unknown(cluster(deployments=answer(FORBIDDEN)), self.ID)


class TestImages:
    ID = "image-pull-failed"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_one_finding_for_an_image(self):
        stuck = [
            pod(NAMESPACE, f"submariner-lighthouse-agent-{number}", "", ready=False)._replace(
                statuses=(waiting("lighthouse-agent", "ImagePullBackOff", "no such host \x1b[31m" + "x" * 400),)
            )
            for number in range(9)
        ]
        finding = expect_fail(cluster(pods=ok(*cluster().pods.items, *stuck)), self.ID)
        assert finding.subject == "image quay.example/lighthouse-agent:0.19.0"
        assert len(finding.evidence) == 7 and finding.evidence[-1].object == "4 more"
        assert all("\x1b" not in entry.note and len(entry.note) <= 200 for entry in finding.evidence)

    def test_others_images_are_not_ours(self):
        other = pod("shop", "web-3", "", ready=False)._replace(statuses=(waiting("web", "ErrImagePull"),))
        expect_pass(cluster(pods=ok(*cluster().pods.items, other)), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(pods=answer(TIMED_OUT)), self.ID)


class TestRestarts:
    ID = "component-restarts"

    def restarted(self, restarts, **fields):
        status = ContainerStatus(ROUTE_AGENT, True, restarts, "x:1", "2026-01-01T10:00:00Z", exit_code=137, exit_reason="OOMKilled", **fields)
        again = agent(ROUTE_AGENT, "10.46.0.0/16", "10.45.0.0/16", restarts=restarts)._replace(statuses=(status,))
        return cluster(pods=ok(*without(cluster(), "pods", again.ref.name).pods.items, again))

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(self.restarted(4), self.ID)

    def test_fails(self):
        finding = expect_fail(self.restarted(5, finished_at="2026-01-01T09:59:00Z"), self.ID)
        assert finding.severity == "warning"
        assert "OOMKilled, exit code 137" in values(finding)

    def test_a_component_is_one_finding_on_however_many_nodes(self):
        many = [
            agent(ROUTE_AGENT, "10.46.0.0/16", "10.45.0.0/16", restarts=5 + number)._replace(ref=Ref("Pod", f"{ROUTE_AGENT}-{number}", NAMESPACE))
            for number in range(40)
        ]
        finding = expect_fail(cluster(pods=ok(*cluster().pods.items, *many)), self.ID)
        assert "and 37 more have restarted up to 44 times" in finding.title
        assert len(finding.evidence) == 3

    def test_unknown(self):
        expect_unknown(cluster(pods=answer(FORBIDDEN)), self.ID)


class TestVersionSkew:
    ID = "version-skew"

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(deployments=ok(deployment("submariner-operator", image="quay.io/submariner/submariner-operator:0.19.0"))), self.ID)

    def test_an_operator_that_was_left_behind(self):
        finding = expect_fail(cluster(deployments=ok(deployment("submariner-operator", image="quay.io/submariner/submariner-operator:0.18.0"))), self.ID)
        assert finding.title == "Parts of Submariner have different versions: 0.19.0, 0.18.0"
        assert (finding.severity, finding.subject) == ("warning", "Deployment submariner-operator/submariner-operator")

    def test_what_the_gateway_reports(self):
        expect_fail(cluster(gateways=ok(gateway(connection("cluster-2"), version="0.17.2"))), self.ID)

    @pytest.mark.parametrize(
        ("image", "version"),
        [
            ("quay.io/submariner/submariner-route-agent:0.19.0", "0.19.0"),
            ("registry:5000/submariner/submariner-gateway:v0.18.1@sha256:00", "v0.18.1"),
            ("registry:5000/submariner-gateway@sha256:00", ""),
            ("registry:5000/submariner-gateway", ""),
            ("quay.io/brancz/kube-rbac-proxy:v0.18.0", ""),
        ],
    )
    def test_image_version(self, image, version):
        assert image_version(image) == version

    def test_unknown(self):
        expect_unknown(cluster(deployments=answer(FORBIDDEN)), self.ID)


class TestClustersetVersions:
    ID = "clusterset-version-skew"

    def run(self, other):
        return set_judged([cluster("cluster-1"), cluster("cluster-2", joined=submariner("cluster-2", version=other))], self.ID)

    def test_passes(self):
        assert self.run("0.19.2").passed == (self.ID,)

    @pytest.mark.parametrize(("other", "severity"), [("0.18.1", "info"), ("0.17.3", "warning")])
    def test_fails(self, other, severity):
        (finding,) = self.run(other).findings
        assert (finding.severity, finding.title) == (severity, f"The clusters run different versions of Submariner: cluster-1 0.19.0, cluster-2 {other}")

    def test_unknown(self):
        cards = [card_of(Facts.of(cluster("cluster-1"))), unreadable_card("cluster-2", "connection refused")]
        (finding,) = judge_clusterset(cards, only(self.ID)).findings
        assert (finding.cluster, finding.verdict, finding.missing) == ("cluster-2", "unknown", "connection refused")

    def test_a_private_tag_says_nothing(self):
        assert self.run("our-build-7").findings == ()


class TestDeletion:
    ID = "submariner-deletion-stuck"
    GOING = ok(cluster().submariner._replace(deleting=True))

    def terminating(self, since, message):
        conditions = (Condition("NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", message),)
        return cluster(namespaces=ok(Namespace(Ref("Namespace", NAMESPACE), {}, since, conditions)))

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(self.terminating("2025-12-31T23:59:00Z", "soon done"), self.ID)

    def test_nobody_removes_the_finalizer(self):
        finding = expect_fail(cluster(submariners=self.GOING, deployments=ok()), self.ID)
        assert finding.severity == "error" and "controllers.submariner.io/cleanup" in finding.remedy.text

    def test_going_on(self):
        assert expect_fail(cluster(submariners=self.GOING), self.ID).severity == "warning"

    def test_namespace(self):
        finding = expect_fail(self.terminating("2025-12-31T20:00:00Z", "some finalizer remains"), self.ID)
        assert (finding.severity, finding.title) == ("error", "The namespace submariner-operator has been Terminating for 4 h")

    def test_namespace_behind_a_dead_api(self):
        found = expect_fail(self.terminating("2025-12-31T20:00:00Z", "unable to retrieve the complete list of server APIs: projectcalico.org/v3"), self.ID)
        assert (found.severity, found.caused_by) == ("warning", "cluster-1/calico-api-unavailable")

    def test_unknown(self):
        expect_unknown(cluster(deployments=answer(FORBIDDEN)), self.ID)


class TestUninstall:
    ID = "uninstall-left-running"
    LEFT = daemon_set("submariner-gateway-uninstall")

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_fails_also_where_submariner_is_gone(self):
        for found in (cluster(daemon_sets=ok(self.LEFT)), cluster(daemon_sets=ok(self.LEFT), submariners=ok())):
            finding = expect_fail(found, self.ID)
            assert finding.subject.endswith("submariner-gateway-uninstall")
            assert "delete daemonset submariner-gateway-uninstall" in finding.remedy.text

    def test_passes_while_a_removal_is_going_on(self):
        going = ok(cluster().submariner._replace(deleting=True))
        expect_pass(cluster(daemon_sets=ok(self.LEFT), submariners=going), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(TIMED_OUT)), self.ID)


class TestLeftovers:
    ID = "submariner-leftovers"

    def test_passes(self):
        expect_pass(cluster(joined=False), self.ID)

    def test_fails(self):
        pools = ok(local_pool("10.46.0.0/16"), remote_pool("cluster-2", "10.42.0.0/24"))
        finding = expect_fail(cluster(joined=False, ip_pools=pools, endpoints=ok(endpoint("cluster-2", "10.42.0.0/24"))), self.ID)
        assert finding.severity == "warning" and finding.title.startswith("2 objects")

    @pytest.mark.parametrize("state", [FORBIDDEN, NOT_READ])
    def test_unknown(self, state):
        expect_unknown(cluster(joined=False, ip_pools=answer(state)), self.ID)


def test_a_whole_registry_that_is_gone_is_one_error():
    stuck = agent("submariner-gateway", "10.46.0.0/16", "10.45.0.0/16", ready=False)._replace(statuses=(waiting("submariner-gateway", "ErrImagePull"),))
    other = agent(ROUTE_AGENT, "10.46.0.0/16", "10.45.0.0/16", ready=False)._replace(statuses=(waiting(ROUTE_AGENT, "ErrImagePull"),))
    kept = without(cluster(), "pods", stuck.ref.name, other.ref.name).pods.items
    sets = [daemon_set(name, "10.46.0.0/16", "10.45.0.0/16", ready=0) for name in ("submariner-gateway", ROUTE_AGENT)]
    calico = [item for item in cluster().daemon_sets.items if item.ref.name == "calico-node"]
    snapshot = cluster(pods=ok(*kept, stuck, other), daemon_sets=ok(*calico, *sets), gateways=ok())
    severe = {finding.id for finding in judged(snapshot).findings if finding.severity in ("error", "blocker") and finding.verdict == "fail"}
    assert severe == {"image-pull-failed"}
