# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's and its operator's objects, and policies."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_calico as calico
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_policies as policies
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.raw import named


class TestPools:
    def test_whole_pool(self):
        raw = named(
            "default",
            metadata={"creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-02T00:00:00Z"},
            spec={"cidr": "10.46.0.0/16", "blockSize": 26, "nodeSelector": "all()"},
            status={"conditions": [{"type": "Allocatable", "status": "True"}]},
        )
        record = calico.ip_pool_v3(raw)
        assert (record.block_size, record.node_selector, record.deleting, record.all_labels) == (26, "all()", True, True)
        assert record.conditions == (Condition("Allocatable", "True"),)

    @pytest.mark.parametrize(
        ("metadata", "told"),
        [({}, False), ({"labels": {"a": "b"}}, True), ({"annotations": {"projectcalico.org/metadata": "{}"}}, True)],
    )
    def test_labels_that_cannot_be_told(self, metadata, told):
        assert calico.ip_pool_v1(named("one", metadata=metadata)).all_labels is told


class TestOperator:
    def test_installation_keeps_its_spec_less_secrets(self):
        raw = named(
            "default",
            spec={"imagePullSecrets": [{"name": "pull"}], "calicoNetwork": {"mtu": 1400}},
            status={"mtu": 1450, "variant": "Calico", "computed": {"imagePullSecrets": [], "calicoNetwork": {"mtu": 1400}}},
        )
        record = calico.installation(raw)
        assert record.spec == record.computed == {"calicoNetwork": {"mtu": 1400}}
        assert (record.mtu, record.variant) == (1450, "Calico")

    def test_statuses(self):
        raw = named(
            "calico", status={"conditions": [{"type": "Degraded", "status": "True", "reason": "PodFailure", "message": "no", "lastTransitionTime": "then"}]}
        )
        assert calico.tigera_status(raw).condition("Degraded") == Condition("Degraded", "True", "PodFailure", "no", "then")
        assert calico.operator_api_server(named("default", status={"state": "Ready"})).state == "Ready"

    @pytest.mark.parametrize(("ready", "kept"), [(True, True), (False, False), (None, None), ("yes", None)])
    def test_datastore(self, ready, kept):
        assert calico.cluster_information(named("default", spec={"datastoreReady": ready})).datastore_ready is kept

    def test_migration(self):
        assert calico.datastore_migration(named("v1-to-v3", status={"phase": "Migrating"})).phase == "Migrating"


class TestConfigurations:
    def test_felix_keeps_what_it_says(self):
        record = calico.felix_configuration_v1(named("default", spec={"vxlanMTU": 1400, "failsafeInboundHostPorts": [], "bpfEnabled": False, "unsaid": None}))
        assert record.spec == {"vxlanMTU": 1400, "failsafeInboundHostPorts": [], "bpfEnabled": False}
        assert record.api_version == "crd.projectcalico.org/v1"
        assert calico.felix_configuration_v3(named("default")).api_version == "projectcalico.org/v3"

    def test_others(self):
        assert calico.bgp_configuration(named("default", spec={"asNumber": 64512})).spec == {"asNumber": 64512}
        assert calico.kube_controllers_configuration(named("default")).ref.kind == "KubeControllersConfiguration"


class TestBlocks:
    def test_used(self):
        record = calico.ipam_block(named("10-46-0-0-26", spec={"cidr": "10.46.0.0/26", "affinity": "host:node-1", "allocations": [0, None, 1, None]}))
        assert (record.cidr, record.node, record.used) == ("10.46.0.0/26", "node-1", 2)

    @pytest.mark.parametrize("spec", [{"deleted": True}, {"affinity": "virtual:load-balancer"}])
    def test_no_block_of_a_node(self, spec):
        assert calico.ipam_block(named("one", spec=spec)) is None

    def test_without_affinity(self):
        assert calico.ipam_block(named("one", spec={"cidr": "10.46.0.0/26"})).node == ""


class TestPolicies:
    def test_calico_policy(self):
        raw = named("deny", spec={"tier": "security", "order": 10, "selector": "all()", "types": ["Egress"], "egress": [{"action": "Deny"}], "preDNAT": True})
        record = policies.calico_policy("globalnetworkpolicies", "v3")(raw)
        assert (record.ref.kind, record.tier, record.order, record.types) == ("GlobalNetworkPolicy", "security", 10.0, ("Egress",))
        assert (record.egress, record.pre_dnat, record.staged) == (({"action": "Deny"},), True, False)

    @pytest.mark.parametrize(
        ("spec", "types"),
        [({}, ("Ingress",)), ({"egress": [{}]}, ("Egress",)), ({"ingress": [{}], "egress": [{}]}, ("Ingress", "Egress")), ({"ingress": [{}]}, ("Ingress",))],
    )
    def test_types_of_calico_by_default(self, spec, types):
        record = policies.calico_policy("networkpolicies", "v1")(named("one", "ns", spec=spec))
        assert (record.types, record.tier, record.order) == (types, "default", None)

    def test_staged(self):
        record = policies.calico_policy("stagedkubernetesnetworkpolicies", "v3")(named("one", "ns", spec={"policyTypes": ["Egress"]}))
        assert record.staged and record.types == ("Egress",)

    @pytest.mark.parametrize(("spec", "types"), [({}, ("Ingress",)), ({"egress": [{}]}, ("Ingress", "Egress")), ({"policyTypes": ["Egress"]}, ("Egress",))])
    def test_types_of_kubernetes_by_default(self, spec, types):
        assert policies.network_policy(named("one", "ns", spec=spec)).policy_types == types

    def test_tier(self):
        assert policies.tier(named("default", spec={"order": 1000000})).default_action == "Deny"
        assert policies.tier(named("pass", spec={"defaultAction": "Pass", "order": "high"})).order is None


class TestSelectedObjects:
    def test_labels_of_v1_stand_in_the_annotation(self):
        metadata = {"annotations": {"projectcalico.org/metadata": json.dumps({"labels": {"role": "gateway"}})}}
        raw = named(
            "one", metadata=metadata, spec={"node": "node-1", "expectedIPs": ["192.168.0.1"], "interfaceName": "*", "profiles": ["p"], "nets": ["10.0.0.0/8"]}
        )
        endpoint = policies.host_endpoint_v1(raw)
        assert (endpoint.labels, endpoint.node, endpoint.expected_ips, endpoint.interface_name) == ({"role": "gateway"}, "node-1", ("192.168.0.1",), "*")
        assert policies.host_endpoint_v3(raw).labels == {}
        network_set = policies.network_set("globalnetworksets", "v1")(raw)
        assert (network_set.ref.kind, network_set.labels, network_set.nets) == ("GlobalNetworkSet", {"role": "gateway"}, ("10.0.0.0/8",))
        assert policies.network_set("networksets", "v3")(raw).labels == {}
