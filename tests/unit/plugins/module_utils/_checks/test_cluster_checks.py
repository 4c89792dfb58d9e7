# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check of one cluster: a cluster on which it passes, one on which it fails, one on which it cannot be judged."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    NOT_SERVED,
    TIMED_OUT,
    UNAVAILABLE,
    ApiService,
    ConfigMap,
    Installation,
    Ref,
    Service,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    agent,
    answer,
    broken,
    cluster,
    component,
    connection,
    daemon_set,
    endpoint,
    gateway,
    judged,
    local_pool,
    node,
    not_served,
    ok,
    pod,
    pool,
    remote_pool,
    submariner,
    values,
    without,
)


def one(snapshot, check_id):
    """The single finding of one check."""
    findings = judged(snapshot, check_id).findings
    assert [finding.id for finding in findings] == [check_id]
    return findings[0]


def fails(snapshot, check_id):
    finding = one(snapshot, check_id)
    assert finding.verdict == "fail", finding
    return finding


def unknown(snapshot, check_id):
    finding = one(snapshot, check_id)
    assert finding.verdict == "unknown", finding
    assert finding.missing
    assert judged(snapshot, check_id).passed == ()
    return finding


def passes(snapshot, check_id):
    judgement = judged(snapshot, check_id)
    assert judgement.findings == ()
    assert judgement.passed == (check_id,)


def not_asked(snapshot, check_id):
    judgement = judged(snapshot, check_id)
    assert (judgement.findings, judgement.passed) == ((), ())


class TestHealthy:
    @pytest.mark.parametrize("name", ["cluster-1", "cluster-2"])
    def test_nothing_is_found(self, name):
        judgement = judged(cluster(name))
        assert judgement.findings == ()
        assert {"submariner-cidr-wrong", "kube-proxy-mode", "remote-pool-missing", "connection-not-connected"} <= set(judgement.passed)

    def test_pinned(self):
        assert judged(cluster(joined=submariner("cluster-1", pinned="10.46.0.0/16", pinned_services="10.45.0.0/16"))).findings == ()

    def test_health_check_off_is_a_choice(self):
        assert judged(cluster(joined=submariner("cluster-1", health_check=False))).findings == ()

    def test_repaired_incident_finds_nothing(self):
        repaired = submariner("cluster-1", pinned="10.46.0.0/16", pinned_services="10.45.0.0/16", version="0.17.3", health_check=False)
        assert judged(cluster(joined=repaired)).findings == ()


class TestIncident001:
    def test_one_root_and_its_consequence(self):
        findings = judged(broken()).findings
        assert [(finding.id, finding.severity, finding.caused_by) for finding in findings] == [
            ("submariner-cidr-wrong", "blocker", ""),
            ("health-check-hides-cidr", "info", "cluster-1/submariner-cidr-wrong"),
        ]

    def test_the_story(self):
        root = judged(broken()).findings[0]
        assert root.title.startswith("Submariner was told a node's /24 is the whole cluster")
        told = {(entry.object.split()[0], entry.field): entry for entry in root.evidence}
        assert told["Submariner", "status.clusterCIDR"].value == "10.46.0.0/24"
        assert told["Submariner", "spec.clusterCIDR"].value == ""
        assert told["DaemonSet", "env SUBMARINER_CLUSTERCIDR"].value == "10.46.0.0/24"
        assert told["Endpoint", "spec.subnets"].value == "10.45.0.0/16, 10.46.0.0/24"
        assert told["Cluster", "spec.cluster_cidr"].value == "10.46.0.0/24"
        assert "only node node-1" in told["Node", "spec.podCIDR"].note
        assert told["IPPool", "spec.cidr"].value == "10.46.0.0/16"
        assert "2 of 2 pods" in told["Pod", "status.podIPs"].note

    def test_the_remedy(self):
        remedy = judged(broken()).findings[0].remedy
        assert remedy.role == "fathom.submariner.join"
        assert dict(remedy.variables) == {
            "join_cluster_id": "cluster-1",
            "join_cluster_cidr": "10.46.0.0/16",
            "join_service_cidr": "10.45.0.0/16",
            "join_correction": "patch",
        }
        assert remedy.disruptive


class TestNotJoined:
    def test_only_information(self):
        findings = judged(cluster(joined=False)).findings
        assert [(finding.id, finding.severity) for finding in findings] == [("not-joined", "info"), ("discovery-before-join", "info")]
        assert findings[0].remedy.variables == {"join_cluster_cidr": "10.46.0.0/16", "join_service_cidr": "10.45.0.0/16"}

    def test_truth_and_kube_proxy_are_judged(self):
        assert {"cidr-truth", "kube-proxy-mode", "calico-api-unavailable"} <= set(judged(cluster(joined=False)).passed)

    def test_discovery_names_the_releases(self):
        finding = fails(cluster(joined=False), "discovery-before-join")
        assert finding.title.startswith("Left to discovery, Submariner 0.16.7 to 0.18.0 would")
        assert set(values(finding)) <= {"10.46.0.0/24", ""} | {"10.45.0.0/16"}

    def test_passes_where_every_release_reads_the_options(self):
        command = ["kube-controller-manager", "--cluster-cidr=10.46.0.0/16"]
        server = ["kube-apiserver", "--service-cluster-ip-range=10.45.0.0/16"]
        snapshot = cluster(joined=False, pods=ok(component("kube-controller-manager", command=command), component("kube-apiserver", command=server)))
        passes(snapshot, "discovery-before-join")

    def test_release_that_cannot_be_deployed(self):
        snapshot = cluster(joined=False, server_version=ok("v1.33.1+k3s1"), pods=ok(pod("shop", "web", "10.46.181.2")))
        found = judged(snapshot, "discovery-before-join").findings
        assert any("before 0.21.1 cannot be deployed" in finding.title and finding.severity == "warning" for finding in found)

    def test_unknown(self):
        unknown(cluster(joined=False, nodes=answer(FORBIDDEN)), "discovery-before-join")
        unknown(cluster(submariners=answer(FORBIDDEN)), "not-joined")

    def test_joined(self):
        passes(cluster(), "not-joined")
        not_asked(cluster(), "discovery-before-join")


class TestForbiddenSubmariners:
    def test_nothing_that_needs_it_passes(self):
        judgement = judged(cluster(submariners=answer(FORBIDDEN)))
        unknown_ids = {finding.id for finding in judgement.findings if finding.verdict == "unknown"}
        assert {"submariner-cidr-wrong", "remote-pool-missing", "gateway-not-ready", "not-joined"} <= unknown_ids
        assert all("forbidden" in finding.missing for finding in judgement.findings)
        assert not unknown_ids & set(judgement.passed)


class TestCidrTruth:
    def test_passes(self):
        passes(cluster(), "cidr-truth")

    def test_conflict_lists_every_source(self):
        live = cluster()
        pods = [item for item in live.pods.items if item.ref.name != "kube-controller-manager"]
        snapshot = cluster(
            pods=ok(*pods, component("kube-controller-manager", "--cluster-cidr=10.99.0.0/16")),
            helm_charts=ok(),
            ip_pools=ok(local_pool("10.46.0.0/16")),
        )
        snapshot = without(snapshot, "pods", "web-1", "web-2")
        finding = fails(snapshot, "cidr-truth")
        assert "contradict" in finding.title
        assert {"10.46.0.0/16", "10.99.0.0/16"} <= set(values(finding))

    def test_addresses_outside(self):
        live = cluster()
        finding = fails(cluster(pods=ok(*live.pods.items, pod("shop", "stray", "172.16.5.5"))), "cidr-truth")
        assert "outside" in finding.title
        assert "172.16.5.5" in values(finding)

    def test_unknown(self):
        snapshot = cluster(
            ip_pools=answer(FORBIDDEN),
            pods=answer(FORBIDDEN),
            helm_charts=answer(FORBIDDEN),
            installations=answer(FORBIDDEN),
            nodes=answer(FORBIDDEN),
        )
        missing = [finding.missing for finding in judged(snapshot, "cidr-truth").findings]
        assert any("pod CIDR" in text for text in missing)
        assert "cidr-truth" not in judged(snapshot, "cidr-truth").passed


class TestSubmarinerCidrs:
    def test_empty(self):
        finding = judged(cluster(joined=submariner("cluster-1", said="")), "submariner-cidr-wrong").findings[0]
        assert finding.title == "Submariner does not know this cluster's pod CIDR (10.46.0.0/16)"

    def test_pinned_wrong(self):
        finding = fails(cluster(joined=submariner("cluster-1", said="10.99.0.0/16", pinned="10.99.0.0/16")), "submariner-cidr-wrong")
        assert "is pinned to the pod CIDR 10.99.0.0/16, but this cluster has 10.46.0.0/16" in finding.title

    def test_service_cidr(self):
        finding = fails(cluster(joined=submariner("cluster-1", said_services="10.96.0.0/12")), "submariner-cidr-wrong")
        assert "service CIDR 10.96.0.0/12" in finding.title
        assert "SUBMARINER_SERVICECIDR" in " ".join(entry.field for entry in finding.evidence)

    def test_host_bits_are_the_same_range(self):
        passes(cluster(joined=submariner("cluster-1", said="10.46.7.1/16")), "submariner-cidr-wrong")

    def test_unknown_where_truth_is(self):
        snapshot = cluster(ip_pools=answer(FORBIDDEN), pods=answer(FORBIDDEN), helm_charts=answer(FORBIDDEN), installations=answer(FORBIDDEN))
        findings = judged(snapshot, "submariner-cidr-wrong").findings
        assert findings and all(finding.verdict == "unknown" for finding in findings)

    def test_not_pinned_and_would_change(self):
        finding = fails(cluster(joined=submariner("cluster-1", version="0.17.3", pinned_services="10.45.0.0/16")), "submariner-cidr-unpinned")
        assert "a restart of the operator would change it to 10.46.0.0/24" in finding.title
        assert finding.severity == "warning"

    def test_not_pinned_and_would_stay(self):
        passes(cluster(), "submariner-cidr-unpinned")

    def test_pinned_is_safe(self):
        passes(
            cluster(joined=submariner("cluster-1", version="0.17.3", pinned="10.46.0.0/16", pinned_services="10.45.0.0/16")),
            "submariner-cidr-unpinned",
        )

    def test_unpinned_unknown(self):
        unknown(cluster(nodes=answer(TIMED_OUT)), "submariner-cidr-unpinned")
        assert "names no release" in unknown(cluster(joined=submariner("cluster-1", version="our-build")), "submariner-cidr-unpinned").missing


class TestDataPlane:
    def test_passes(self):
        passes(cluster(), "data-plane-cidr-outdated")
        passes(broken(), "data-plane-cidr-outdated")

    def test_daemon_set_not_updated(self):
        old = daemon_set("submariner-gateway", "10.46.0.0/24", "10.45.0.0/16")
        finding = fails(cluster(daemon_sets=ok(old, daemon_set("submariner-routeagent", "10.46.0.0/16", "10.45.0.0/16"))), "data-plane-cidr-outdated")
        assert values(finding) == ["10.46.0.0/24"]
        assert "DaemonSets were not" in finding.title

    def test_pod_not_restarted(self):
        snapshot = without(cluster(), "pods", "submariner-gateway-abcde")
        stale = agent("submariner-gateway", "10.46.0.0/24", "10.45.0.0/16")
        finding = fails(cluster(pods=ok(*snapshot.pods.items, stale)), "data-plane-cidr-outdated")
        assert finding.subject == f"Pod {NAMESPACE}/submariner-gateway-abcde"
        assert finding.remedy.role == "fathom.submariner.join"

    def test_unknown(self):
        unknown(cluster(daemon_sets=answer(FORBIDDEN)), "data-plane-cidr-outdated")


class TestAnnounced:
    def test_passes(self):
        passes(cluster(), "announced-cidr-wrong")
        passes(broken(), "announced-cidr-wrong")

    def test_gateway_not_restarted(self):
        finding = fails(cluster(announced=("10.45.0.0/16", "10.46.0.0/24")), "announced-cidr-wrong")
        assert finding.evidence[0].value == "10.45.0.0/16, 10.46.0.0/24"
        assert finding.caused_by == ""

    def test_third_value_follows_the_wrong_status(self):
        snapshot = broken(announced=("10.45.0.0/16", "10.46.9.0/24"))
        assert fails(snapshot, "announced-cidr-wrong").caused_by == "cluster-1/submariner-cidr-wrong"

    def test_globalnet_announces_something_else(self):
        joined = submariner("cluster-1", globalCIDR="242.0.0.0/16")
        not_asked(cluster(joined=joined, announced=("242.0.0.0/16",)), "announced-cidr-wrong")

    def test_unknown(self):
        unknown(cluster(endpoints=answer(UNAVAILABLE)), "announced-cidr-wrong")
        assert "has not announced" in unknown(cluster(endpoints=ok(endpoint("cluster-2", "10.42.0.0/16"))), "announced-cidr-wrong").missing

    def test_copies_of_the_broker_are_not_its_own(self):
        own = cluster().endpoints.items
        snapshot = cluster(endpoints=ok(*own, endpoint("cluster-1", "10.46.0.0/24", namespace="submariner-k8s-broker")))
        passes(snapshot, "announced-cidr-wrong")


class TestHealthCheck:
    def test_all(self):
        passes(cluster(), "health-check-hides-cidr")
        assert fails(broken(), "health-check-hides-cidr").severity == "info"
        unknown(cluster(submariners=answer(FORBIDDEN)), "health-check-hides-cidr")


class TestDiscoveryFails:
    def test_passes(self):
        passes(cluster(), "discovery-fails")

    def test_no_api_server_pod(self):
        snapshot = without(
            cluster(server_version=ok("v1.33.4+k3s1"), joined=submariner("cluster-1", version="0.20.0")),
            "pods",
            "kube-apiserver",
            "kube-controller-manager",
        )
        finding = fails(snapshot, "discovery-fails")
        assert "0.21.1" in finding.remedy.text

    def test_fixed_release(self):
        snapshot = without(cluster(server_version=ok("v1.33.4+k3s1"), joined=submariner("cluster-1", version="0.21.1")), "pods", "kube-apiserver")
        passes(snapshot, "discovery-fails")

    def test_unknown(self):
        unknown(cluster(server_version=answer(FORBIDDEN)), "discovery-fails")
        unknown(cluster(joined=submariner("cluster-1", version="our-build")), "discovery-fails")


class TestKubeProxy:
    def of(self, *kube_proxies, nodes=None, config_maps=None):
        return cluster(pods=ok(*kube_proxies), nodes=nodes or ok(node(node_args=())), config_maps=config_maps or ok())

    def config(self, text):
        return ok(ConfigMap(Ref("ConfigMap", "kube-proxy", "kube-system"), {"config.conf": text}))

    @pytest.mark.parametrize("args", [["--proxy-mode=ipvs"], ["--proxy-mode", "ipvs"], ["--v=2 --proxy-mode=ipvs"]])
    def test_ipvs_of_a_pod(self, args):
        finding = fails(self.of(component("kube-proxy", *args)), "kube-proxy-mode")
        assert "ipvs mode, which Submariner does not support" in finding.title
        assert finding.severity == "error"

    @pytest.mark.parametrize("text", ["mode: ipvs", 'kind: KubeProxyConfiguration\nmode: "ipvs"\nipvs:\n  mode: x\n', "mode: 'ipvs' # why"])
    def test_ipvs_of_the_config_map(self, text):
        fails(self.of(config_maps=self.config(text)), "kube-proxy-mode")

    @pytest.mark.parametrize("args", [["server", "--kube-proxy-arg", "proxy-mode=ipvs"], ["agent", "--kube-proxy-arg=--proxy-mode=ipvs"]])
    def test_ipvs_of_node_arguments(self, args):
        fails(self.of(nodes=ok(node(node_args=args))), "kube-proxy-mode")

    def test_nftables_is_a_warning(self):
        assert fails(self.of(component("kube-proxy", "--proxy-mode=nftables")), "kube-proxy-mode").severity == "warning"

    @pytest.mark.parametrize("text", ['mode: ""', "kind: KubeProxyConfiguration\n", "mode: iptables", "ipvs:\n  mode: ipvs\n"])
    def test_default_and_iptables_pass(self, text):
        passes(self.of(config_maps=self.config(text)), "kube-proxy-mode")

    def test_passes(self):
        passes(cluster(), "kube-proxy-mode")
        passes(self.of(nodes=ok(node(node_args=("server",)))), "kube-proxy-mode")
        passes(self.of(component("kube-proxy", "--cluster-cidr=10.46.0.0/16")), "kube-proxy-mode")

    def test_unknown(self):
        assert "something else may do its work" in unknown(self.of(), "kube-proxy-mode").missing
        only_a_file = self.of(component("kube-proxy", "--config=/var/lib/kube-proxy/config.conf"), config_maps=answer(FORBIDDEN))
        assert "ConfigMaps could not be read" in unknown(only_a_file, "kube-proxy-mode").missing
        unknown(self.of(nodes=ok(node(node_args=("server", "--disable-kube-proxy")))), "kube-proxy-mode")

    def test_many_nodes_are_few_rows(self):
        finding = fails(self.of(*(component("kube-proxy", "--proxy-mode=ipvs") for _number in range(50))), "kube-proxy-mode")
        assert len(finding.evidence) == 5
        assert finding.evidence[-1].object == "46 more"


class TestCalicoApi:
    dead = ApiService(Ref("APIService", "v3.projectcalico.org"), "calico-apiserver/calico-api", False, "MissingEndpoints", "no endpoints")

    def test_passes(self):
        passes(cluster(), "calico-api-unavailable")

    def test_not_served_with_all_pools_is_a_warning(self):
        finding = fails(cluster(ip_pools_v3=not_served()), "calico-api-unavailable")
        assert finding.severity == "warning"
        assert "HelmChartConfig kube-system/rke2-calico" in finding.remedy.text

    def test_not_served_with_a_missing_pool_is_the_cause(self):
        snapshot = cluster(pools=[], ip_pools_v3=not_served())
        assert fails(snapshot, "calico-api-unavailable").severity == "error"
        assert fails(snapshot, "remote-pool-missing").caused_by == "cluster-1/calico-api-unavailable"

    def test_dead(self):
        finding = fails(cluster(ip_pools_v3=answer(UNAVAILABLE), api_services=ok(self.dead)), "calico-api-unavailable")
        assert "registered but does not answer" in finding.title
        assert "MissingEndpoints" in finding.evidence[1].note

    def test_before_a_join(self):
        assert fails(cluster(joined=False, ip_pools_v3=not_served()), "calico-api-unavailable").severity == "warning"

    def test_other_plugin(self):
        not_asked(cluster(joined=submariner("cluster-1", plugin="canal-flannel"), ip_pools_v3=not_served()), "calico-api-unavailable")

    @pytest.mark.parametrize("state", [FORBIDDEN, TIMED_OUT, NOT_READ])
    def test_unknown(self, state):
        unknown(cluster(ip_pools_v3=answer(state)), "calico-api-unavailable")


class TestRemotePools:
    right = [remote_pool("cluster-2", "10.43.0.0/16"), remote_pool("cluster-2", "10.42.0.0/16")]

    def test_pass(self):
        for check_id in ("remote-pool-missing", "remote-pool-stale", "remote-pool-blocked", "remote-pool-fields"):
            passes(cluster(), check_id)

    def test_unknown(self):
        for check_id in ("remote-pool-missing", "remote-pool-stale", "remote-pool-blocked", "remote-pool-fields"):
            unknown(cluster(ip_pools=answer(FORBIDDEN)), check_id)
            unknown(cluster(endpoints=answer(FORBIDDEN)), check_id)

    def test_other_plugin(self):
        not_asked(cluster(joined=submariner("cluster-1", plugin="generic"), pools=[]), "remote-pool-missing")

    def test_missing(self):
        finding = fails(cluster(pools=self.right[:1]), "remote-pool-missing")
        assert finding.title == "Calico has no IPPool for 10.42.0.0/16 of cluster-2"
        assert "submariner-cluster-2-10.42.0.0-16" in finding.remedy.text

    def test_hand_made_pool_counts(self):
        passes(cluster(pools=[self.right[0], pool("podwestcluster", "10.42.0.0/16")]), "remote-pool-missing")

    def test_stale_that_keeps_the_right_one_out(self):
        snapshot = cluster(pools=[self.right[0], remote_pool("cluster-2", "10.42.0.0/24")])
        finding = fails(snapshot, "remote-pool-stale")
        assert finding.severity == "error"
        assert finding.title == "The left-over IPPool 10.42.0.0/24 keeps the pool 10.42.0.0/16 of cluster-2 out"
        passes(snapshot, "remote-pool-missing")
        passes(snapshot, "remote-pool-blocked")

    def test_stale_beside(self):
        finding = fails(cluster(pools=[*self.right, remote_pool("cluster-3", "10.50.0.0/16")]), "remote-pool-stale")
        assert finding.severity == "warning"

    def test_blocked_by_hand(self):
        snapshot = cluster(pools=[self.right[0], pool("by-hand", "10.42.0.0/17")])
        assert fails(snapshot, "remote-pool-blocked").title == "IPPool by-hand (10.42.0.0/17) keeps the pool 10.42.0.0/16 of cluster-2 out"
        passes(snapshot, "remote-pool-missing")
        passes(snapshot, "remote-pool-stale")

    def test_blocked_by_this_cluster(self):
        finding = fails(cluster(remote=("10.43.0.0/16", "10.46.128.0/17"), pools=self.right[:1]), "remote-pool-blocked")
        assert "overlap" in finding.evidence[0].note
        assert "Globalnet" in finding.remedy.text

    @pytest.mark.parametrize(
        ("fields", "severity"),
        [
            ({"nat_outgoing": True}, "error"),
            ({"disabled": False}, "error"),
            ({"allowed_uses": ("LoadBalancer",)}, "error"),
            ({"disable_bgp_export": False}, "warning"),
        ],
    )
    def test_fields(self, fields, severity):
        bgp = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", (), (), "v3.26.3", "Enabled")
        snapshot = cluster(pools=[self.right[0], remote_pool("cluster-2", "10.42.0.0/16", **fields)], installations=ok(bgp))
        assert fails(snapshot, "remote-pool-fields").severity == severity

    def test_export_is_harmless_without_bgp(self):
        passes(cluster(pools=[self.right[0], remote_pool("cluster-2", "10.42.0.0/16", disable_bgp_export=False)]), "remote-pool-fields")


class TestGateway:
    def test_passes(self):
        passes(cluster(), "gateway-not-ready")

    def test_no_node_is_labelled(self):
        assert (
            fails(cluster(daemon_sets=ok(daemon_set("submariner-gateway", desired=0, ready=0))), "gateway-not-ready").title
            == "No node is labelled as a gateway"
        )

    def test_crash_loop(self):
        crashing = agent("submariner-gateway", "10.46.0.0/16", "10.45.0.0/16", ready=False, restarts=17)
        snapshot = without(cluster(), "pods", "submariner-gateway-abcde")
        snapshot = cluster(pods=ok(*snapshot.pods.items, crashing), daemon_sets=ok(daemon_set("submariner-gateway", ready=0)))
        finding = fails(snapshot, "gateway-not-ready")
        assert "17 restarts" in finding.evidence[1].note

    def test_none_active(self):
        assert fails(cluster(gateways=ok(gateway(ha_status="passive"))), "gateway-not-ready").title == "No gateway is active"
        assert fails(cluster(gateways=ok()), "gateway-not-ready").title == "No gateway has ever reported"

    def test_failure_of_the_active_one(self):
        assert values(fails(cluster(gateways=ok(gateway(connection("cluster-2"), failure="cable engine stopped"))), "gateway-not-ready")) == [
            "cable engine stopped"
        ]

    def test_unknown(self):
        unknown(cluster(gateways=answer(FORBIDDEN)), "gateway-not-ready")


class TestRouteAgent:
    def test_passes(self):
        passes(cluster(), "route-agent-not-ready")

    def test_fails(self):
        finding = fails(cluster(daemon_sets=ok(daemon_set("submariner-routeagent", desired=3, ready=2))), "route-agent-not-ready")
        assert finding.title == "The route agent is ready on 2 of 3 nodes"

    def test_unknown(self):
        unknown(cluster(daemon_sets=answer(TIMED_OUT)), "route-agent-not-ready")
        unknown(cluster(daemon_sets=ok()), "route-agent-not-ready")


class TestLeftovers:
    LEFT = daemon_set("submariner-gateway-uninstall")

    def test_passes(self):
        passes(cluster(), "uninstall-left-running")

    def test_fails_also_where_submariner_is_gone(self):
        for found in (cluster(daemon_sets=ok(self.LEFT)), cluster(daemon_sets=ok(self.LEFT), submariners=ok())):
            finding = fails(found, "uninstall-left-running")
            assert finding.subject.endswith("submariner-gateway-uninstall")
            assert "delete daemonset submariner-gateway-uninstall" in finding.remedy.text

    def test_passes_while_a_removal_is_going_on(self):
        going = cluster()
        going = cluster(daemon_sets=ok(self.LEFT), submariners=ok(going.submariner._replace(deleting=True)))
        passes(going, "uninstall-left-running")

    def test_unknown(self):
        unknown(cluster(daemon_sets=answer(TIMED_OUT)), "uninstall-left-running")


class TestConnections:
    def test_passes(self):
        passes(cluster(), "connection-not-connected")

    def test_error(self):
        finding = fails(cluster(gateways=ok(gateway(connection("cluster-2", "error", "Failed to successfully ping")))), "connection-not-connected")
        assert finding.evidence[0].note == "Failed to successfully ping"

    def test_no_connection_at_all(self):
        assert "has no connection to cluster-2" in fails(cluster(gateways=ok(gateway())), "connection-not-connected").title

    def test_one_of_two_gateways_is_enough(self):
        passes(cluster(gateways=ok(gateway(connection("cluster-2", "connecting"), connection("cluster-2")))), "connection-not-connected")

    def test_unknown(self):
        unknown(cluster(gateways=ok(gateway(ha_status="passive"))), "connection-not-connected")
        unknown(cluster(gateways=answer(NOT_READ)), "connection-not-connected")


class TestNeverAPass:
    """Whatever one list answers instead of its items, no check that needs it passes on the emptiness."""

    @pytest.mark.parametrize("state", [FORBIDDEN, UNAVAILABLE, TIMED_OUT, NOT_READ])
    @pytest.mark.parametrize(
        "field", ["pods", "nodes", "daemon_sets", "ip_pools", "endpoints", "gateways", "submariners", "submariner_clusters", "server_version"]
    )
    def test_unread_list(self, field, state):
        complete = set(judged(broken()).passed) | {finding.id for finding in judged(broken()).findings}
        judgement = judged(broken(**{field: answer(state)}))
        seen = set(judgement.passed) | {finding.id for finding in judgement.findings}
        assert complete <= seen
        assert any(finding.verdict == "unknown" and state.replace("_", " ") in finding.missing for finding in judgement.findings)

    def test_not_served_is_an_answer(self):
        assert judged(cluster(service_cidrs=answer(NOT_SERVED), openshift_networks=answer(NOT_SERVED))).findings == ()

    def test_service_outside_is_seen(self):
        stray = Service(Ref("Service", "odd", "shop"), ("10.200.0.1",))
        assert "cidr-truth" in [finding.id for finding in judged(cluster(services=ok(stray))).findings]
