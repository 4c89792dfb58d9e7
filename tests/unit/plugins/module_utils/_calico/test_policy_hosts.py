# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HostEndpoints, failsafe ports, and what reaches a node."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, ESP, INGRESS, TCP, UDP, Entity, Flow
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_hosts import (
    at_host,
    covers_address,
    failsafes,
    host_action,
    host_entity,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container, DaemonSet, EnvVar, FelixConfiguration, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.policies import gnp, host_endpoint, rules

NODE = (ipaddress.ip_network("192.0.2.1/32"),)
PEER = (ipaddress.ip_network("192.0.2.2/32"),)
AUTO = host_endpoint(profiles=["projectcalico-default-allow"], ips=["192.0.2.1"])
NAMED = host_endpoint(interface="eth0", ips=["192.0.2.1"])
ALLOW_VXLAN = {"action": "Allow", "protocol": "UDP", "destination": {"ports": [4800]}}


def felix(name="default", **spec):
    return FelixConfiguration(Ref("FelixConfiguration", name), "projectcalico.org/v3", spec)


def calico_node(**env):
    container = Container("calico-node", "calico/node", (), (), tuple(EnvVar(key, value) for key, value in env.items()))
    return DaemonSet(Ref("DaemonSet", "calico-node", "kube-system"), {}, (container,), 1, 1)


def into(port=4800, protocol=UDP):
    return Flow(INGRESS, host_entity(None, PEER), Entity(NODE), protocol, port)


def outcome(endpoint, flow, *policies, felix_configurations=(), node=None, **keywords):
    return at_host(endpoint, flow, rules(*policies), failsafes("node-1", felix_configurations, node), **keywords)


class TestProfiles:
    def test_without_policies(self):
        assert outcome(AUTO, into()).is_allowed
        assert outcome(NAMED, into()).is_dropped
        assert outcome(NAMED, into()).dropped_by == ("no policy and no profile allows it",)

    def test_unknown_profile(self):
        assert outcome(host_endpoint(profiles=["mine"]), into()).is_unknown

    def test_a_policy_outranks_the_profile(self):
        assert outcome(AUTO, into(), gnp("hosts", ingress=[])).is_dropped
        assert outcome(AUTO, into(), gnp("hosts", ingress=[ALLOW_VXLAN])).is_allowed
        assert outcome(AUTO, into(4500), gnp("hosts", ingress=[ALLOW_VXLAN])).is_dropped

    def test_only_policies_that_select_it(self):
        assert outcome(AUTO, into(), gnp("pods", selector="projectcalico.org/orchestrator == 'k8s'", ingress=[])).is_allowed
        assert outcome(AUTO, into(), gnp("pods", namespace_selector="all()", ingress=[])).is_allowed

    def test_esp(self):
        flow = into(None, ESP)
        assert outcome(AUTO, flow, gnp("hosts", ingress=[{"action": "Allow", "protocol": 50}])).is_allowed
        assert outcome(AUTO, flow, gnp("hosts", ingress=[{"action": "Allow", "protocol": "UDP"}])).is_dropped


class TestFailsafe:
    @pytest.mark.parametrize(("protocol", "port", "open_"), [(TCP, 22, True), (TCP, 6443, True), (UDP, 68, True), (UDP, 4500, False), (TCP, 8080, False)])
    def test_default(self, protocol, port, open_):
        assert outcome(NAMED, into(port, protocol)).is_allowed is open_

    def test_outbound(self):
        flow = Flow(EGRESS, Entity(NODE), Entity(PEER), UDP, 53)
        assert outcome(NAMED, flow).is_allowed
        assert outcome(NAMED, flow._replace(port=4500)).is_dropped

    def test_configured(self):
        configured = felix(failsafeInboundHostPorts=[{"protocol": "UDP", "port": 4800}, {"port": 8080, "net": "192.0.2.0/24"}])
        assert outcome(NAMED, into(), felix_configurations=[configured]).is_allowed
        assert outcome(NAMED, into(8080, TCP), felix_configurations=[configured]).is_allowed
        assert outcome(NAMED, into(22, TCP), felix_configurations=[configured]).is_dropped
        elsewhere = felix(failsafeInboundHostPorts=[{"protocol": "udp", "port": 4800, "net": "198.51.100.0/24"}])
        assert outcome(NAMED, into(), felix_configurations=[elsewhere]).is_dropped

    def test_none_at_all(self):
        assert outcome(NAMED, into(22, TCP), felix_configurations=[felix(failsafeInboundHostPorts=[])]).is_dropped

    def test_the_nodes_own_configuration_and_the_environment_outrank_it(self):
        general, own = felix(failsafeInboundHostPorts=[]), felix("node.node-1", failsafeInboundHostPorts=[{"protocol": "udp", "port": 4800}])
        assert outcome(NAMED, into(), felix_configurations=[general, own]).is_allowed
        assert outcome(NAMED, into(), felix_configurations=[own], node=calico_node(FELIX_FAILSAFEINBOUNDHOSTPORTS="none")).is_dropped
        listed = calico_node(FELIX_FAILSAFEINBOUNDHOSTPORTS="22, udp:0.0.0.0/0:4800,tcp:[fd00::]/8:80")
        assert outcome(NAMED, into(), node=listed).is_allowed
        assert outcome(NAMED, into(22, TCP), node=listed).is_allowed
        assert outcome(NAMED, into(80, TCP), node=listed).is_dropped

    def test_where_it_was_read(self):
        assert failsafes("node-1", [felix(failsafeInboundHostPorts=[])], None).source == (
            "FelixConfiguration default spec.failsafeInboundHostPorts and Felix's default"
        )


class TestStages:
    DENY = {"action": "Deny", "protocol": "UDP", "destination": {"ports": [4800]}}

    def test_untracked_and_pre_dnat_policies_decide_first(self):
        allow = gnp("allow", ingress=[{"action": "Allow"}])
        assert outcome(AUTO, into(), gnp("raw", ingress=[self.DENY], do_not_track=True, apply_on_forward=True), allow).is_dropped
        assert outcome(AUTO, into(), gnp("dnat", ingress=[self.DENY], pre_dnat=True, apply_on_forward=True), allow).is_dropped
        assert outcome(AUTO, into(), gnp("raw", ingress=[{"action": "Allow"}], do_not_track=True), gnp("deny", ingress=[])).is_allowed

    def test_they_have_no_default_action(self):
        elsewhere = {"action": "Allow", "protocol": "TCP"}
        assert outcome(AUTO, into(), gnp("dnat", ingress=[elsewhere], pre_dnat=True)).is_allowed

    def test_forwarded_packets(self):
        assert outcome(NAMED, into(), forwarded=True).is_allowed
        assert outcome(NAMED, into(), gnp("hosts", ingress=[]), forwarded=True).is_allowed
        assert outcome(NAMED, into(), gnp("forward", ingress=[], apply_on_forward=True), forwarded=True).is_dropped
        assert outcome(NAMED, into(22, TCP), gnp("forward", ingress=[], apply_on_forward=True), forwarded=True).is_dropped

    def test_partly_decided_early(self):
        odd = {"action": "Deny", "source": {"domains": ["example.com"]}}
        found = outcome(AUTO, into(), gnp("dnat", ingress=[odd], pre_dnat=True))
        assert found.is_unknown and "domains" in found.unknown[0]

    def test_uncertain_selection(self):
        found = outcome(AUTO, into(), gnp("broken", selector="=", ingress=[]))
        assert found.is_unknown and found.unknown == ("whether GlobalNetworkPolicy broken selects it",)


class TestAddresses:
    @pytest.mark.parametrize(
        ("endpoint", "expected"),
        [
            (host_endpoint(), True),
            (host_endpoint(interface="eth0", ips=["192.0.2.1"]), True),
            (host_endpoint(interface="eth1", ips=["198.51.100.1"]), False),
            (host_endpoint(interface="", ips=["192.0.2.1"]), True),
            (host_endpoint(interface="eth0"), None),
            (host_endpoint(interface=""), False),
        ],
    )
    def test_which_packets_meet_it(self, endpoint, expected):
        assert covers_address(endpoint, NODE) is expected

    def test_peers_are_found_by_the_labels_of_their_endpoint(self):
        peer = Flow(INGRESS, host_entity(host_endpoint(ips=["192.0.2.2"], role="node"), PEER), Entity(NODE), UDP, 4800)
        policy = gnp("hosts", ingress=[{"action": "Allow", "source": {"selector": "role == 'node'"}}])
        assert outcome(AUTO, peer, policy).is_allowed
        assert outcome(AUTO, into(), policy).is_dropped


class TestHostAction:
    def test_precedence(self):
        assert host_action([], None) == ("drop", "Felix's default")
        configured = felix(defaultEndpointToHostAction="Return")
        assert host_action([configured], None)[0] == "return"
        assert host_action([configured], calico_node(FELIX_DEFAULTENDPOINTTOHOSTACTION="ACCEPT")) == (
            "accept",
            "DaemonSet kube-system/calico-node FELIX_DEFAULTENDPOINTTOHOSTACTION",
        )
