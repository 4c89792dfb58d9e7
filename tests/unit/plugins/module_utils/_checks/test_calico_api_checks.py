# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of Calico's API: pass, fail and unknown of each, and what they say in each way of installing Calico."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    TIMED_OUT,
    UNAVAILABLE,
    ApiService,
    Condition,
    HelmChartConfig,
    Namespace,
    PodLog,
    Ref,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, not_served, ok, pool, submariner
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_not_asked, expect_pass, expect_unknown

API = "calico-api-unavailable"
DELETION = "calico-api-stalls-deletion"
ROKS = "calico-api-before-roks-upgrade"
STORES = "calico-stores-differ"
ETCD = "calico-datastore-etcd"
TIERS = "calico-tiers-wait"


def service(available, reason, message="", name="calico-apiserver/calico-api"):
    return ok(ApiService(Ref("APIService", "v3.projectcalico.org"), name, available, reason, message))


DEAD = service(False, "MissingEndpoints", "no endpoints")


def text_of(finding):
    return "\n".join(" ".join(entry[:4]) for entry in finding.evidence)


def absent(changes, **more):
    """An API that is not served, with every pool missing."""
    return cluster(pools=[], ip_pools_v3=not_served(), **{**changes, **more})


class TestStates:
    def test_answers(self):
        expect_pass(cluster(), API)
        expect_pass(cluster(api_services=service(True, "Passed")), API)

    def test_native(self):
        expect_pass(cluster(api_services=service(True, "Local", name="")), API)

    def test_absent_with_all_pools_is_a_warning(self):
        finding = expect_fail(cluster(ip_pools_v3=not_served()), API)
        assert finding.severity == "warning"

    def test_absent_with_a_missing_pool_is_the_cause(self):
        snapshot = cluster(pools=[], ip_pools_v3=not_served())
        assert expect_fail(snapshot, API).severity == "blocker"
        consequence = expect_fail(snapshot, "remote-pool-missing")
        assert (consequence.severity, consequence.caused_by) == ("warning", f"cluster-1/{API}")
        # An API server that comes later brings no pool: the route agent has given up by then.
        assert consequence.remedy.role == "fathom.submariner.remote_ippools"

    def test_absent_before_a_join(self):
        finding = expect_fail(cluster(joined=False, ip_pools_v3=not_served()), API)
        assert finding.severity == "warning"
        assert "routeagent" not in finding.remedy.text

    @pytest.mark.parametrize(("pools", "severity"), [(None, "error"), ([], "blocker")])
    def test_dead(self, pools, severity):
        finding = expect_fail(cluster(pools=pools, ip_pools_v3=answer(UNAVAILABLE), api_services=DEAD), API)
        assert (finding.severity, "registered but does not answer" in finding.title) == (severity, True)
        assert "MissingEndpoints: no endpoints" in text_of(finding)

    def test_log_of_the_agent_is_evidence(self):
        line = "WRN ..._handler.go:131 CalicoIPPool Failed (post ippools.projectcalico.org)"
        log = PodLog(Ref("Pod", "submariner-routeagent-x", "submariner-operator"), "submariner-routeagent", f"{line}\nINF other\n{line}")
        assert "CalicoIPPool Failed (post ippools.projectcalico.org) 2 such lines" in text_of(expect_fail(cluster(ip_pools_v3=not_served(), logs=ok(log)), API))

    @pytest.mark.parametrize("state", [FORBIDDEN, TIMED_OUT, NOT_READ])
    def test_unknown(self, state):
        expect_unknown(cluster(ip_pools_v3=answer(state)), API)

    def test_not_asked(self):
        expect_not_asked(cluster(joined=submariner("cluster-1", plugin="canal-flannel"), ip_pools_v3=not_served()), API)
        policy_only = ok(methods.installation("EKS", cni="AmazonVPC"))
        expect_not_asked(cluster(installations=policy_only, ip_pools_v3=not_served()), API)


class TestWhyNotEnabled:
    """Incident 000 in every way of installing Calico: why there is no API server, and the exact durable step."""

    @pytest.mark.parametrize(
        ("changes", "why", "step", "target"),
        [
            (methods.rke2(), "chart rke2-calico v3.26.300 leaves it off by default", "apiServer.enabled: true", "HelmChartConfig kube-system/rke2-calico"),
            (methods.operator(), "there is no operator.tigera.io APIServer", "APIServer named default", "APIServer default"),
            (methods.helm(), "the Helm release calico has apiServer.enabled off", "helm upgrade calico", "Helm release tigera-operator/calico"),
            (methods.kubespray(), "Kubespray leaves it off", "calico_apiserver_enabled: true", "Kubespray's inventory"),
            (methods.manifest(), "calico.yaml does not contain it", "manifests/apiserver.yaml of Calico v3.26.3", "manifest apiserver.yaml"),
            (methods.microk8s(), "microk8s does not ship it", "manifests/apiserver.yaml", "manifest apiserver.yaml"),
            (methods.roks(), "on OpenShift 4.15 IBM does not install it", "before the cluster is upgraded to OpenShift 4.16", "APIServer default"),
            (methods.roks("v1.29.8+632b078"), "on OpenShift 4.16 IBM's master installs it", "Open a case with IBM Cloud", "IBM's master"),
        ],
        ids=["rke2", "operator", "helm", "kubespray", "manifest", "microk8s", "roks-4.15", "roks-4.16"],
    )
    def test_by_method(self, changes, why, step, target):
        finding = expect_fail(absent(changes), API)
        assert finding.severity == "blocker"
        assert why in text_of(finding)
        assert step in finding.remedy.text
        assert "submariner-routeagent" in finding.remedy.text
        assert target in finding.remedy.target
        assert finding.remedy.role == ("" if "IBM's master" in target else "fathom.submariner.calico_api_server")
        assert not finding.remedy.disruptive

    def test_the_helm_command_does_not_upgrade_calico(self):
        text = expect_fail(absent(methods.helm()), API).remedy.text
        assert "helm upgrade calico projectcalico/tigera-operator --namespace tigera-operator --version v3.30.3 --reuse-values --set apiServer" in text
        unknown = ok(methods.installation(release="calico", version=""))
        text = expect_fail(absent(methods.helm(installations=unknown)), API).remedy.text
        assert "--version INSTALLED_VERSION" in text and "helm list -n tigera-operator" in text

    @pytest.mark.parametrize(
        ("values", "problem", "why"),
        [
            ({"apiServer.enabled": "false"}, "", "HelmChartConfig rke2-calico switches it off (apiServer.enabled: false)"),
            ({"apiServer.enabled": "true"}, "", "asks for it, but the chart has not been applied"),
            ({"installation.calicoNetwork.mtu": "1400"}, "", "leaves it off by default, and no HelmChartConfig sets"),
            ({}, "line 3: mapping values are not allowed here", "cannot be read (line 3: mapping values are not allowed here)"),
        ],
    )
    def test_helm_chart_config(self, values, problem, why):
        config = HelmChartConfig(Ref("HelmChartConfig", "rke2-calico", "kube-system"), values, problem)
        assert why in text_of(expect_fail(absent(methods.rke2(helm_chart_configs=ok(config))), API))

    def test_helm_chart_config_that_cannot_be_read(self):
        assert "HelmChartConfigs could not be read: forbidden" in text_of(expect_fail(absent(methods.rke2(helm_chart_configs=answer(FORBIDDEN))), API))

    @pytest.mark.parametrize(
        ("chart", "server", "why"),
        [
            ("v3.22.101", "v1.23.6+rke2r1", "chart rke2-calico v3.22.101 asks for it by default"),
            ("", "v1.23.6+rke2r1", "RKE2 v1.23.6+rke2r1 asks for it by default"),
            ("", "v1.33.1+rke2r1", "RKE2 v1.33.1+rke2r1 leaves it off by default"),
            ("v3.32.100", "v1.36.3+rke2r1", "chart rke2-calico v3.32.100 leaves it off by default"),
            ("", "unreleased", "it depends on the version"),
        ],
    )
    def test_default_of_the_chart(self, chart, server, why):
        assert why in text_of(expect_fail(absent(methods.rke2(chart, server_version=ok(server))), API))

    def test_first_rollout(self):
        changes = methods.operator(installations=ok(methods.installation(variant="")), operator_api_servers=ok(methods.api_server(state="")))
        finding = expect_fail(absent(changes), API)
        assert "waits for Calico's first rollout" in finding.title
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/calico-rollout-stalled")
        assert "status.variant is empty" in text_of(finding)

    def test_asked_for_and_degraded(self):
        status = TigeraStatus(Ref("TigeraStatus", "apiserver"), (Condition("Degraded", "True", "ResourceNotReady", "no such image"),))
        changes = methods.operator(operator_api_servers=ok(methods.api_server(state="")), tigera_statuses=ok(status))
        finding = expect_fail(absent(changes), API)
        assert "was asked for but is not installed" in finding.title
        assert "ResourceNotReady: no such image" in text_of(finding)

    def test_two_api_servers(self):
        changes = methods.operator(operator_api_servers=ok(methods.api_server(), methods.api_server("tigera-secure")))
        assert "there are 2 APIServers (default, tigera-secure)" in text_of(expect_fail(absent(changes), API))

    @pytest.mark.parametrize(
        "changes",
        [
            methods.operator(installations=ok(methods.installation(variant="")), operator_api_servers=ok(methods.api_server(state=""))),
            methods.operator(operator_api_servers=ok(methods.api_server(state=""))),
            methods.operator(operator_api_servers=ok(methods.api_server(), methods.api_server("tigera-secure"))),
            methods.operator(operator_api_servers=answer(FORBIDDEN)),
            methods.rke2(helm_chart_configs=ok(HelmChartConfig(Ref("HelmChartConfig", "rke2-calico", "kube-system"), {}, "line 3"))),
        ],
        ids=["first-rollout", "asked-for", "two", "unread", "broken-values"],
    )
    def test_what_the_role_would_only_wait_for_or_refuse_is_a_persons(self, changes):
        assert expect_fail(absent(changes), API).remedy.role == ""

    @pytest.mark.parametrize(
        ("changes", "reason", "message", "role"),
        [
            (methods.operator(operator_api_servers=ok(methods.api_server())), "FailedDiscoveryCheck", "x509: certificate has expired", True),
            (methods.operator(operator_api_servers=ok(methods.api_server())), "MissingEndpoints", "no endpoints", False),
            (methods.operator(), "ServiceNotFound", "", True),
            (methods.manifest(), "FailedDiscoveryCheck", "x509: certificate signed by unknown authority", True),
            (methods.manifest(), "MissingEndpoints", "no endpoints", True),
            (methods.manifest(), "FailedDiscoveryCheck", "dial tcp 10.0.0.1:5443: i/o timeout", False),
            (methods.kubespray(), "ServiceNotFound", "", True),
            (methods.roks("v1.29.8+632b078"), "ServiceNotFound", "", False),
        ],
    )
    def test_a_dead_one_is_the_roles_where_its_cause_lies_in_objects(self, changes, reason, message, role):
        finding = expect_fail(cluster(**{**changes, "ip_pools_v3": answer(UNAVAILABLE), "api_services": service(False, reason, message)}), API)
        assert finding.remedy.role == ("fathom.submariner.calico_api_server" if role else "")

    def test_unread_operator(self):
        assert "could not be read" in text_of(expect_fail(absent(methods.operator(operator_api_servers=answer(FORBIDDEN))), API))


class TestStalledDeletion:
    def namespace(self, group, deleted_at="2026-01-01T00:00:00Z"):
        failed = Condition("NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", f"unable to retrieve the complete list of server APIs: {group}")
        return Namespace(Ref("Namespace", "old-shop"), {}, deleted_at, (failed,))

    def test_passes(self):
        expect_pass(cluster(namespaces=ok(Namespace(Ref("Namespace", "shop"), {}))), DELETION)

    def test_follows_from_the_dead_api(self):
        stuck = self.namespace("projectcalico.org/v3: the server is currently unable to handle the request")
        finding = expect_fail(cluster(ip_pools_v3=answer(UNAVAILABLE), api_services=DEAD, namespaces=ok(stuck)), DELETION)
        assert finding.title == "The Calico API keeps old-shop from being deleted"
        assert (finding.severity, finding.caused_by) == ("warning", f"cluster-1/{API}")

    def test_alone_it_is_an_error(self):
        assert expect_fail(cluster(namespaces=ok(self.namespace("projectcalico.org/v3"))), DELETION).severity == "error"

    def test_another_api(self):
        assert expect_fail(cluster(namespaces=ok(self.namespace("metrics.k8s.io/v1beta1"))), DELETION).severity == "warning"

    def test_unknown(self):
        expect_unknown(cluster(namespaces=answer(FORBIDDEN)), DELETION)


class TestEtcd:
    def test_named(self):
        changes = methods.without_operator(methods.calico_node(DATASTORE_TYPE="etcdv3"), ip_pools_v1=ok(), ip_pools=ok(), ip_pools_v3=not_served())
        finding = expect_fail(cluster(pools=[], **changes), ETCD)
        assert "10.42.0.0/16" in finding.remedy.text
        expect_not_asked(cluster(pools=[], **changes), API)

    def test_default_of_calico_node(self):
        changes = methods.without_operator(methods.calico_node(IP="autodetect"), ip_pools_v1=not_served(), ip_pools=not_served(), ip_pools_v3=not_served())
        assert "unset means etcdv3" in text_of(expect_fail(cluster(**changes), ETCD))

    def test_passes(self):
        expect_pass(cluster(), ETCD)
        expect_pass(cluster(**methods.manifest()), ETCD)

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(FORBIDDEN)), ETCD)


class TestRoksUpgrade:
    def test_own_api_server(self):
        assert "brings IBM's" in expect_fail(cluster(**methods.roks()), ROKS).title

    def test_none(self):
        expect_pass(cluster(**methods.roks(), ip_pools_v3=not_served()), ROKS)

    def test_not_asked(self):
        expect_not_asked(cluster(), ROKS)
        expect_not_asked(cluster(**methods.roks("v1.29.8")), ROKS)

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), ROKS)


class TestTiers:
    degraded = TigeraStatus(Ref("TigeraStatus", "tiers"), (Condition("Degraded", "True", "ResourceNotReady", "Waiting for Tigera API server to be ready"),))

    def test_without_an_api_server(self):
        finding = expect_fail(cluster(**methods.rke2(tigera_statuses=ok(self.degraded))), TIERS)
        assert (finding.severity, "no traffic depends on it" in finding.title) == ("info", True)

    def test_passes(self):
        expect_pass(cluster(), TIERS)
        expect_pass(cluster(**methods.rke2(tigera_statuses=ok(self.degraded), operator_api_servers=ok(methods.api_server(state="")))), TIERS)

    def test_unknown(self):
        expect_unknown(cluster(tigera_statuses=answer(TIMED_OUT)), TIERS)


class TestStores:
    def test_passes(self):
        expect_pass(cluster(), STORES)

    def test_aggregated_that_shows_another_storage(self):
        assert "does not read this cluster's storage" in text_of(expect_fail(cluster(ip_pools_v1=ok(pool("other", "10.9.0.0/16"))), STORES))

    def test_native_ignores_what_is_left_in_v1(self):
        native = service(True, "Local", name="")
        expect_pass(cluster(api_services=native, ip_pools_v1=ok()), STORES)
        finding = expect_fail(cluster(api_services=native, ip_pools_v1=ok(pool("by-hand", "10.9.0.0/16"))), STORES)
        assert "by-hand" in finding.title and "native v3 objects alone" in text_of(finding)

    def test_not_asked(self):
        expect_not_asked(cluster(ip_pools_v3=not_served()), STORES)
        expect_not_asked(cluster(ip_pools_v1=not_served()), STORES)

    def test_unknown(self):
        expect_unknown(cluster(ip_pools_v1=answer(FORBIDDEN)), STORES)
