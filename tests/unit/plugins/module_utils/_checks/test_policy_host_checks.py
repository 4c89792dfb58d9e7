# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies against what Submariner itself needs: HostEndpoints, and Lighthouse's pods."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    FelixConfiguration,
    HostEndpoint,
    Namespace,
    Node,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.policies import gnp, knp
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    connection,
    container,
    daemon_set,
    endpoint,
    gateway,
    judged,
    ok,
    pod,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

NODES_ID = "policy-node-traffic-dropped"
PODS_ID = "policy-service-discovery-dropped"
AUTO = ("projectcalico-default-allow",)


def node(name, ip, **labels):
    return Node(Ref("Node", name), labels, {}, (), (ip,), True, "v1.30.0", "")


NODES = (node("node-1", "192.168.0.1", **{"submariner.io/gateway": "true"}), node("node-2", "192.168.0.3"))


def host_endpoint(name, ip, *, interface="*", profiles=(), ips=True):
    return HostEndpoint(Ref("HostEndpoint", f"{name}-auto-hep"), name, interface, (ip,) if ips else (), tuple(profiles), {"role": "node"})


def on_hosts(*policies, profiles=AUTO, hosts=None, **changes):
    made = [host_endpoint(item.ref.name, item.internal_ips[0], profiles=profiles) for item in NODES] if hosts is None else hosts
    remote = endpoint("cluster-2", "10.43.0.0/16", "10.42.0.0/16")._replace(private_ip="192.168.0.2")
    fields = {
        "nodes": ok(*NODES),
        "host_endpoints": ok(*made),
        "calico_policies": ok(*policies),
        "endpoints": ok(endpoint("cluster-1", "10.45.0.0/16", "10.46.0.0/16"), remote),
    }
    return cluster(**{**fields, **changes})


def udp(*ports):
    return {"action": "Allow", "protocol": "UDP", "destination": {"ports": list(ports)}}


METRICS = {"action": "Allow", "protocol": "TCP", "destination": {"ports": [8080]}}
HOSTS = "role == 'node'"


def lost(snapshot):
    """What is lost, with its severity, in the words of the titles."""
    return {(finding.severity, finding.title.split(" (")[0].removeprefix("HostEndpoints drop ")) for finding in judged(snapshot, NODES_ID).findings}


class TestHostEndpoints:
    def test_none(self):
        expect_pass(on_hosts(hosts=[]), NODES_ID)

    def test_automatic_ones_let_everything_through(self):
        expect_pass(on_hosts(), NODES_ID)

    def test_by_hand_without_policy(self):
        found = lost(on_hosts(profiles=()))
        assert found == {("blocker", "UDP 4500"), ("error", "UDP 4490"), ("blocker", "UDP 4800"), ("warning", "TCP 8080")}

    def test_a_policy_without_4800(self):
        policy = gnp("hosts", selector=HOSTS, ingress=[udp(4500, 4490), METRICS], egress=[{"action": "Allow"}])
        finding = expect_fail(on_hosts(policy), NODES_ID)
        assert finding.severity == "blocker"
        assert finding.title == "HostEndpoints drop UDP 4800 (vx-submariner, between nodes and the gateway) on node-1, node-2"
        assert "GlobalNetworkPolicy hosts: no rule allows it" in finding.evidence[0].note
        assert "allows UDP 4800" in finding.remedy.text

    def test_complete_policy(self):
        policy = gnp("hosts", selector=HOSTS, ingress=[udp("4490:4500", 4800), METRICS], egress=[udp(4490, 4500, 4800)])
        expect_pass(on_hosts(policy), NODES_ID)

    def test_rules_that_name_the_peers(self):
        peers = {"action": "Allow", "source": {"selector": HOSTS}}
        remote = {"action": "Allow", "source": {"nets": ["192.168.0.2/32"]}}
        expect_pass(on_hosts(gnp("hosts", selector=HOSTS, ingress=[peers, remote])), NODES_ID)
        assert lost(on_hosts(gnp("hosts", selector=HOSTS, ingress=[peers]))) == {("blocker", "UDP 4500"), ("error", "UDP 4490")}

    def test_failsafe_ports(self):
        ports = [{"protocol": "udp", "port": port} for port in (4500, 4490, 4800)] + [{"protocol": "tcp", "port": 8080}]
        felix = FelixConfiguration(
            Ref("FelixConfiguration", "default"), "projectcalico.org/v3", {"failsafeInboundHostPorts": ports, "failsafeOutboundHostPorts": ports}
        )
        expect_pass(on_hosts(profiles=(), felix_configurations=ok(felix)), NODES_ID)

    def test_the_port_that_the_user_chose(self):
        joined = submariner("cluster-1", ceIPSecNATTPort=4511)
        policy = gnp("hosts", selector=HOSTS, ingress=[udp(4490, 4500, 4800), METRICS])
        assert lost(on_hosts(policy, submariners=ok(joined))) == {("blocker", "UDP 4511")}

    def test_esp_without_nat(self):
        active = gateway(connection("cluster-2")._replace(using_nat=False))
        policy = gnp("hosts", selector=HOSTS, ingress=[udp(4490, 4500, 4800), METRICS])
        assert lost(on_hosts(policy, gateways=ok(active))) == {("blocker", "IP protocol 50")}
        forced = submariner("cluster-1", ceIPSecForceUDPEncaps=True)
        expect_pass(on_hosts(policy, gateways=ok(active), submariners=ok(forced)), NODES_ID)

    def test_broker(self):
        def joined(server):
            return ok(submariner("cluster-1", brokerK8sApiServer=server))

        closed = gnp("hosts", selector=HOSTS, egress=[udp(4490, 4500, 4800)])
        expect_pass(on_hosts(closed, submariners=joined("203.0.113.1:6443")), NODES_ID)
        assert lost(on_hosts(closed, submariners=joined("203.0.113.1:443"))) == {("error", "TCP 443 to the broker's API server on node-1")}

    def test_forwarded_pod_traffic(self):
        nodes_only = {"action": "Allow", "source": {"nets": ["192.168.0.0/16"]}}
        closed = gnp("forward", selector=HOSTS, ingress=[nodes_only], apply_on_forward=True)
        assert lost(on_hosts(closed)) == {("blocker", "forwarded pod traffic")}
        opened = closed._replace(ingress=(*closed.ingress, {"action": "Allow", "source": {"nets": ["10.42.0.0/16"]}}))
        expect_pass(on_hosts(opened), NODES_ID)

    def test_another_interface(self):
        elsewhere = [host_endpoint("node-1", "198.51.100.1", interface="eth1")]
        expect_pass(on_hosts(hosts=elsewhere), NODES_ID)


class TestHostEndpointsUnknown:
    def test_an_interface_without_addresses(self):
        snapshot = on_hosts(hosts=[host_endpoint("node-1", "", interface="eth0", ips=False)])
        findings = judged(snapshot, NODES_ID).findings
        assert {finding.verdict for finding in findings} == {"unknown"}
        assert "has no expectedIPs" in findings[0].missing

    @pytest.mark.parametrize("name", ["host_endpoints", "calico_policies", "nodes", "endpoints"])
    def test_unread(self, name):
        expect_unknown(on_hosts(**{name: answer(FORBIDDEN)}), NODES_ID)

    @pytest.mark.parametrize("name", ["felix_configurations", "tiers"])
    def test_what_could_turn_the_verdict(self, name):
        findings = judged(on_hosts(profiles=(), **{name: answer(FORBIDDEN)}), NODES_ID).findings
        assert findings and {finding.verdict for finding in findings} == {"unknown"}
        assert "forbidden" in findings[0].missing

    def test_a_peer_without_address(self):
        nameless = endpoint("cluster-2", "10.42.0.0/16")._replace(private_ip="", public_ip="")
        policy = gnp("hosts", selector=HOSTS, ingress=[{"action": "Allow", "source": {"nets": ["192.168.0.0/16"]}}])
        changes = {"endpoints": ok(endpoint("cluster-1", "10.46.0.0/16"), nameless), "gateways": ok(gateway())}
        findings = judged(on_hosts(policy, **changes), NODES_ID).findings
        assert [finding.verdict for finding in findings] == ["unknown"]
        assert "its address is not known" in findings[0].missing


def with_lighthouse(*policies, kubernetes=(), server="203.0.113.1:6443", **changes):
    names = (NAMESPACE, "kube-system")
    pods = (
        pod(NAMESPACE, "submariner-lighthouse-agent-1", "10.46.1.1", labels={"app": "submariner-lighthouse-agent"}),
        pod(NAMESPACE, "submariner-lighthouse-coredns-1", "10.46.1.2", labels={"app": "submariner-lighthouse-coredns"}),
        pod("kube-system", "coredns-1", "10.46.1.3", labels={"k8s-app": "kube-dns"}),
    )
    fields = {
        "pods": ok(*cluster().pods.items, *pods),
        "namespaces": ok(*(Namespace(Ref("Namespace", name), {"kubernetes.io/metadata.name": name}) for name in names)),
        "calico_policies": ok(*policies),
        "network_policies": ok(*kubernetes),
        "submariners": ok(submariner("cluster-1", brokerK8sApiServer=server)),
        "daemon_sets": calico_node(FELIX_DEFAULTENDPOINTTOHOSTACTION="ACCEPT"),
    }
    return cluster(**{**fields, **changes})


def calico_node(**env):
    """All DaemonSets of a healthy cluster, calico-node with this environment."""
    made = daemon_set("calico-node")._replace(ref=Ref("DaemonSet", "calico-node", "calico-system"), containers=(container("calico-node", **env),))
    return ok(*(item for item in cluster().daemon_sets.items if item.ref.name != "calico-node"), made)


class TestServiceDiscovery:
    DENY = gnp("default-deny", types=("Ingress", "Egress"))

    def test_healthy(self):
        expect_pass(with_lighthouse(), PODS_ID)

    def test_without_lighthouse(self):
        expect_not_asked(cluster(), PODS_ID)

    def test_global_default_deny(self):
        titles = [finding.title for finding in judged(with_lighthouse(self.DENY), PODS_ID).findings]
        assert titles == [
            "Lighthouse's agent to the broker's API server (TCP 6443) is dropped",
            "DNS from the cluster's DNS to Lighthouse's (UDP 53) is dropped",
            "DNS from the cluster's DNS to Lighthouse's (UDP 53) is dropped",
        ]

    def test_submariners_namespace_excepted(self):
        spared = self.DENY._replace(namespace_selector="projectcalico.org/name not in {'kube-system', 'submariner-operator'}")
        expect_pass(with_lighthouse(spared), PODS_ID)

    def test_allowed_where_needed(self):
        broker = {"action": "Allow", "protocol": "TCP", "destination": {"nets": ["203.0.113.1"], "ports": [6443]}}
        dns = {"action": "Allow", "protocol": "UDP", "destination": {"ports": [53]}}
        expect_pass(with_lighthouse(self.DENY, gnp("submariner", order=1, egress=[broker, dns], ingress=[dns])), PODS_ID)

    def test_a_broker_by_name_needs_dns(self):
        broker = {"action": "Allow", "protocol": "TCP"}
        dns_in = {"action": "Allow", "protocol": "UDP", "source": {"namespaceSelector": "projectcalico.org/name == 'kube-system'"}}
        policies = (
            gnp("deny", types=("Egress", "Ingress"), namespace_selector="projectcalico.org/name == 'submariner-operator'"),
            gnp("submariner", order=1, egress=[broker], ingress=[dns_in], namespace_selector="projectcalico.org/name == 'submariner-operator'"),
        )
        finding = expect_fail(with_lighthouse(*policies, server="broker.example.com:6443"), PODS_ID)
        assert finding.title == "Lighthouse's agent to DNS (UDP 53) is dropped"
        assert finding.subject.endswith("submariner-lighthouse-agent-1")

    def test_cis_profile_of_rke2(self):
        """What RKE2's profile cis puts into kube-system leaves DNS open both ways."""
        own = knp("default-network-policy", "kube-system", ingress=[{"from": [{"podSelector": {}}]}])
        dns = knp(
            "default-network-dns-policy",
            "kube-system",
            pod_selector={"matchLabels": {"k8s-app": "kube-dns"}},
            ingress=[{"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}],
        )
        expect_pass(with_lighthouse(kubernetes=[own, dns]), PODS_ID)

    def test_broker_on_the_pods_own_node(self):
        here = {"server": "192.168.0.1:6443"}
        expect_pass(with_lighthouse(**here), PODS_ID)
        finding = expect_fail(with_lighthouse(**here, daemon_sets=calico_node()), PODS_ID)
        assert "defaultEndpointToHostAction drop (Felix's default)" in finding.evidence[0].note

    def test_broker_by_name_and_rule_by_address(self):
        broker = {"action": "Allow", "protocol": "TCP", "destination": {"nets": ["203.0.113.1"]}}
        dns = {"action": "Allow", "protocol": "UDP", "destination": {"ports": [53]}}
        snapshot = with_lighthouse(self.DENY, gnp("submariner", order=1, egress=[broker, dns], ingress=[dns]), server="broker.example.com:6443")
        assert "its address is not known" in expect_unknown(snapshot, PODS_ID).missing

    @pytest.mark.parametrize("name", ["calico_policies", "network_policies", "namespaces", "pods"])
    def test_unread(self, name):
        expect_unknown(with_lighthouse(**{name: answer(FORBIDDEN)}), PODS_ID)

    def test_unread_tiers(self):
        findings = judged(with_lighthouse(self.DENY, tiers=answer(FORBIDDEN)), PODS_ID).findings
        assert findings and {finding.verdict for finding in findings} == {"unknown"}

    def test_a_policy_by_service_account_may_select_it(self):
        maybe = gnp("by-account", types=("Egress",), service_account_selector="team == 'a'")
        findings = judged(with_lighthouse(maybe), PODS_ID).findings
        assert {finding.verdict for finding in findings} == {"unknown"}
        assert "whether GlobalNetworkPolicy by-account selects it" in findings[0].missing
