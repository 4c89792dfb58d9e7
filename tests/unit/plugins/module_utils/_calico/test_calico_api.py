# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a dead Calico API server is dead, and the step that repairs it in each way of installing Calico."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _dead_api as dead
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_repair import repair
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_request import api_request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import AGGREGATED, DEAD, MIGRATING, NATIVE, NONE, UNKNOWN, api_state
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    TIMED_OUT,
    UNAVAILABLE,
    ApiService,
    Condition,
    ContainerStatus,
    DatastoreMigration,
    Deployment,
    Event,
    Pod,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, not_served, ok

SAN = (
    "failing or missing response from https://10.43.1.1:443/apis/projectcalico.org/v3: tls: failed to verify certificate: x509: certificate is valid for "
    "calico-api, calico-api.calico-apiserver.svc, calico-api.calico-apiserver.svc.cluster.local, not calico-api.calico-system.svc"
)
NAME = "calico-api.calico-system.svc"


def service(available, reason, message="", name="calico-system/calico-api"):
    return ok(ApiService(Ref("APIService", "v3.projectcalico.org"), name, available, reason, message))


def pod(*statuses, ready=False, node="node-1", phase="Running", conditions=()):
    labels = {"k8s-app": "calico-apiserver"}
    return Pod(
        Ref("Pod", "calico-apiserver-1", "calico-system"), "u", node, False, phase, ready, (), labels, statuses=tuple(statuses), conditions=tuple(conditions)
    )


def cause_of(reason, message="", **changes):
    snapshot = cluster(ip_pools_v3=answer(UNAVAILABLE), api_services=service(False, reason, message), **changes)
    return dead.dead_cause(snapshot, api_state(snapshot))


class TestState:
    @pytest.mark.parametrize(
        ("changes", "state"),
        [
            ({}, AGGREGATED),
            ({"api_services": service(True, "Passed")}, AGGREGATED),
            ({"api_services": service(True, "Local", name="")}, NATIVE),
            ({"ip_pools_v3": not_served()}, NONE),
            ({"ip_pools_v3": not_served(), "api_services": service(False, "ServiceNotFound")}, DEAD),
            ({"ip_pools_v3": answer(UNAVAILABLE)}, DEAD),
            ({"ip_pools_v3": answer(NOT_READ), "api_services": service(False, "MissingEndpoints")}, DEAD),
            ({"ip_pools_v3": answer(NOT_READ), "api_services": service(True, "Passed")}, AGGREGATED),
            ({"ip_pools_v3": answer(FORBIDDEN), "api_services": service(True, "Local", name="")}, NATIVE),
            ({"ip_pools_v3": answer(TIMED_OUT), "api_services": service(True, "Passed")}, UNKNOWN),
            ({"ip_pools_v3": answer(NOT_READ), "api_groups": ok("apps/v1")}, NONE),
            ({"ip_pools_v3": answer(NOT_READ), "api_services": ok(ApiService(Ref("APIService", "v1.apps"), "", True, "Local", ""))}, NONE),
            ({"ip_pools_v3": answer(NOT_READ)}, UNKNOWN),
            ({"datastore_migrations": ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), "Migrating"))}, MIGRATING),
            ({"datastore_migrations": ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), "Complete"))}, AGGREGATED),
        ],
    )
    def test_every_state(self, changes, state):
        judged = api_state(cluster(**changes))
        assert judged.state == state
        assert bool(judged.missing) == (state == UNKNOWN)
        assert judged.seen[0].object.startswith("GET /")


class TestCause:
    @pytest.mark.parametrize(
        ("reason", "message", "cause"),
        [
            ("FailedDiscoveryCheck", SAN, dead.WRONG_NAME),
            ("FailedDiscoveryCheck", "x509: certificate has expired or is not yet valid", dead.EXPIRED),
            ("FailedDiscoveryCheck", "x509: certificate signed by unknown authority", dead.UNTRUSTED),
            ("FailedDiscoveryCheck", "dial tcp 10.43.1.1:5443: i/o timeout", dead.UNREACHABLE),
            ("ServiceNotFound", "service/calico-api in calico-system is not present", dead.SERVICE_GONE),
            ("ServicePortError", "service/calico-api is not listening on port 443", dead.PORT),
        ],
    )
    def test_told_by_the_condition(self, reason, message, cause):
        assert cause_of(reason, message).cause == cause

    def test_name_of_the_new_namespace(self):
        found = cause_of("FailedDiscoveryCheck", SAN)
        assert (found.why, found.namespace) == (f"its certificate is not for {NAME}", "calico-system")

    def test_missing_secret(self):
        mount = 'MountVolume.SetUp failed for volume "calico-apiserver-certs" : secret "calico-apiserver-certs" not found'
        event = Event(Ref("Pod", "calico-apiserver-1", "calico-apiserver"), "FailedMount", mount, 12, "2026-01-01T00:00:00Z")
        found = cause_of("MissingEndpoints", "endpoints for service/calico-api have no addresses", events=ok(event), pods=ok(pod(phase="Pending")))
        assert (found.cause, found.seen[0].field) == (dead.NO_SECRET, "event FailedMount")

    @pytest.mark.parametrize(
        ("waiting", "cause"), [("ImagePullBackOff", dead.IMAGE), ("ErrImagePull", dead.IMAGE), ("CrashLoopBackOff", dead.CRASH), ("", dead.NOT_READY)]
    )
    def test_pods(self, waiting, cause):
        status = ContainerStatus("calico-apiserver", False, 7, "mirrored-calico-apiserver:v3.30.3", waiting_reason=waiting)
        assert cause_of("MissingEndpoints", pods=ok(pod(status))).cause == cause

    def test_unscheduled(self):
        waiting = pod(node="", phase="Pending", conditions=[Condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")])
        found = cause_of("MissingEndpoints", pods=ok(waiting))
        assert (found.cause, found.seen[0].note) == (dead.UNSCHEDULED, "0/3 nodes are available")

    def test_no_pods(self):
        deployment = Deployment(Ref("Deployment", "calico-apiserver", "calico-system"), (), 0, 0)
        found = cause_of("EndpointsNotFound", pods=ok(), deployments=ok(deployment))
        assert (found.cause, found.seen[0].value) == (dead.NO_PODS, "0")

    def test_unread_pods_are_no_evidence_of_none(self):
        assert cause_of("MissingEndpoints", "no addresses", pods=answer(FORBIDDEN)).cause == dead.OTHER

    def test_ready_pods_explain_nothing(self):
        found = cause_of("FailedDiscoveryCheck", "bad status from https://10.43.1.1: 403", pods=ok(pod(ready=True)))
        assert (found.cause, found.why) == (dead.OTHER, "bad status from https://10.43.1.1: 403")


class TestRepair:
    def step(self, cause, changes, version="v3.31.2"):
        found = dead.DeadCause(cause, "why", "calico-system")
        return repair(found, api_request(cluster(**changes)), version)

    @pytest.mark.parametrize("changes", [methods.operator(), methods.helm(), methods.rke2()], ids=["operator", "helm", "rke2"])
    def test_certificate_of_the_operator(self, changes):
        found = self.step(dead.WRONG_NAME, changes)
        assert "issued the certificate in Secret tigera-operator/calico-apiserver-certs" in found.text
        assert "Where it is tigera-operator-signer, or there is none, delete that Secret and Secret calico-system/calico-apiserver-certs" in found.text
        assert "your own, which the operator does not renew" in found.text and "calico-api.calico-system.svc, calico-api.calico-system.svc.DOMAIN" in found.text
        assert "3.31.5" in found.text
        assert "3.31.5" not in self.step(dead.WRONG_NAME, changes, "v3.32.1").text

    def test_certificate_of_kubespray(self):
        assert "cluster.yml --tags network" in self.step(dead.EXPIRED, methods.kubespray()).text

    @pytest.mark.parametrize(("cause", "verb"), [(dead.NO_SECRET, "Create Secret"), (dead.EXPIRED, "Replace Secret")])
    def test_certificate_of_the_manifest(self, cause, verb):
        found = self.step(cause, methods.manifest())
        assert found.text.startswith(verb)
        assert "caBundle" in found.text

    def test_left_over(self):
        assert "kubectl delete apiservice" in self.step(dead.SERVICE_GONE, methods.operator()).text

    @pytest.mark.parametrize("cause", [dead.PORT, dead.IMAGE, dead.CRASH, dead.UNSCHEDULED, dead.NO_PODS, dead.NOT_READY, dead.OTHER])
    def test_harm_can_always_be_ended(self, cause):
        found = self.step(cause, methods.operator())
        assert "deleting the APIService" in found.text
        assert found.target

    def test_network(self):
        assert "TCP 5443" in self.step(dead.UNREACHABLE, methods.manifest()).text

    def test_first_rollout_first(self):
        changes = methods.operator(installations=ok(methods.installation(variant="")), operator_api_servers=ok(methods.api_server(state="")))
        assert self.step(dead.NO_PODS, changes).text.startswith("Repair calico-node on the node")
