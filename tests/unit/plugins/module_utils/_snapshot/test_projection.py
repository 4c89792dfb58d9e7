# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From raw JSON to records: what is kept, what is dropped, and what odd objects do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_calico as calico
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_containers as containers
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as kubernetes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as nodes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_platform as platform
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as submariner
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._requests import REQUESTS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import EnvVar, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.raw import named

SECRET = "s3cr3t-do-not-keep"


class TestSecrets:
    def test_submariner_spec(self):
        record = submariner.submariner(
            named(
                "submariner",
                "submariner-operator",
                spec={
                    "brokerK8sApiServerToken": SECRET,
                    "brokerK8sCA": SECRET,
                    "ceIPSecPSK": SECRET,
                    "ceIPSecPSKSecret": "submariner-ipsec-psk",
                    "clusterID": "one",
                },
            )
        )
        assert SECRET not in repr(record)
        assert record.spec == {"ceIPSecPSKSecret": "submariner-ipsec-psk", "clusterID": "one"}

    def test_environment(self):
        entries = [
            {"name": "CE_IPSEC_PSK", "value": SECRET},
            {"name": "BROKER_K8S_APISERVERTOKEN", "value": SECRET},
            {"name": "SOMETHING_NEW", "value": SECRET},
            {"name": "SUBMARINER_GLOBALCIDR"},
            {"name": "SUBMARINER_CLUSTERCIDR", "valueFrom": {"fieldRef": {}}},
            {"name": "HTTPS_PROXY", "value": f"http://user:{SECRET}@proxy:3128"},
            {"name": "NO_PROXY", "value": "10.0.0.0/8,.svc"},
        ]
        record = containers.container({"name": "gateway", "env": entries})
        assert SECRET not in repr(record)
        assert record.env == (
            EnvVar("SUBMARINER_GLOBALCIDR", ""),
            EnvVar("HTTPS_PROXY", "http://user:********@proxy:3128"),
            EnvVar("NO_PROXY", "10.0.0.0/8,.svc"),
        )

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--token", SECRET],
            [f"--token={SECRET}"],
            ["--agent-token", SECRET, "--cni", "calico"],
            [f"--datastore-endpoint=postgres://u:{SECRET}@db/k"],
            ["--etcd-s3-secret-key", SECRET],
        ],
    )
    def test_node_arguments(self, arguments):
        annotations = {
            "rke2.io/node-args": json.dumps(["server", *arguments, "--cluster-cidr", "10.46.0.0/16"]),
            "rke2.io/node-env": json.dumps({"RKE2_TOKEN": SECRET}),
        }
        record = nodes.node(named("one", metadata={"annotations": annotations}))
        assert SECRET not in repr(record)
        assert json.loads(record.annotations["rke2.io/node-args"])[-2:] == ["--cluster-cidr", "10.46.0.0/16"]

    def test_node_arguments_that_are_no_list(self):
        assert nodes.masked_arguments(f"--token {SECRET}") == ""
        assert nodes.masked_arguments("{}") == ""

    def test_helm_values_and_config_maps(self):
        chart = platform.helm_chart(named("rke2-calico", spec={"set": {"global.clusterCIDR": "10.46.0.0/16", "password": SECRET}}))
        assert chart.set_values == {"global.clusterCIDR": "10.46.0.0/16"}
        config = kubernetes.config_map(
            named(
                "calico-config",
                data={
                    "cluster_type": "kubespray",
                    "etcd_key": SECRET,
                    "cni_network_config": f'{{"type": "calico", "ipam": {{"type": "host-local"}}, "key": "{SECRET}", "mtu": __CNI_MTU__}}',
                },
            )
        )
        assert config.data == {"cluster_type": "kubespray", "cni_network_config": '"type": "calico", "type": "host-local", "mtu": __CNI_MTU__'}


class TestPods:
    def test_system_pod_keeps_its_command_line(self):
        raw = named(
            "kcm",
            "kube-system",
            metadata={"labels": {"component": "kube-controller-manager"}},
            spec={"hostNetwork": True, "nodeName": "one", "containers": [{"name": "kcm", "args": ["--cluster-cidr=10.46.0.0/16"]}]},
            status={
                "phase": "Running",
                "podIPs": [{"ip": "192.168.0.1"}],
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"restartCount": 3}],
            },
        )
        record = kubernetes.pod(raw)
        assert record.containers[0].args == ("--cluster-cidr=10.46.0.0/16",)
        assert (record.host_network, record.ready, record.restarts, record.ips) == (True, True, 3, ("192.168.0.1",))

    def test_other_pod_keeps_neither_labels_nor_containers(self):
        record = kubernetes.pod(
            named("web", "shop", metadata={"labels": {"app": "web"}}, spec={"containers": [{"name": "web"}]}, status={"podIP": "10.46.1.1"})
        )
        assert (record.labels, record.containers, record.ips) == ({}, (), ("10.46.1.1",))


class TestServices:
    @pytest.mark.parametrize(
        ("spec", "ips"),
        [
            ({"clusterIPs": ["10.45.0.1", "fd00::1"]}, ("10.45.0.1", "fd00::1")),
            ({"clusterIP": "None"}, ()),
            ({"type": "ExternalName"}, ()),
            ({"clusterIP": "10.45.0.9"}, ("10.45.0.9",)),
        ],
    )
    def test_cluster_ips(self, spec, ips):
        assert kubernetes.service(named("one", spec=spec)).cluster_ips == ips


class TestPools:
    def test_labels_of_the_annotation(self):
        metadata = {"annotations": {"projectcalico.org/metadata": json.dumps({"labels": {"submariner.io/ippool": "true"}})}}
        record = calico.ip_pool_v1(named("hand-named", metadata=metadata, spec={"cidr": "10.42.0.0/16", "disabled": True}))
        assert record.is_submariner
        assert (record.api_version, record.disabled, record.nat_outgoing, record.vxlan_mode) == ("crd.projectcalico.org/v1", True, False, "Never")

    @pytest.mark.parametrize("annotation", ["", "no json", "[]", "7", '{"labels": 7}'])
    def test_annotation_that_is_none(self, annotation):
        raw = named("one", metadata={"labels": {"a": "b"}, "annotations": {"projectcalico.org/metadata": annotation}})
        assert calico.labels_of(raw) == {"a": "b"}

    def test_old_spelling_of_nat(self):
        assert calico.ip_pool_v1(named("one", spec={"nat-outgoing": True})).nat_outgoing
        assert not calico.ip_pool_v1(named("one", spec={"nat-outgoing": True, "natOutgoing": False})).nat_outgoing

    def test_installation_prefers_what_is_computed(self):
        raw = named(
            "default",
            spec={"calicoNetwork": {"bgp": "Enabled"}},
            status={"computed": {"calicoNetwork": {"bgp": "Disabled", "ipPools": [{"cidr": "10.46.0.0/16"}]}}},
        )
        record = calico.installation(raw)
        assert (record.bgp, record.computed_pools, record.spec_pools) == ("Disabled", ("10.46.0.0/16",), ())


class TestGateways:
    def test_connections(self):
        peer = {"cluster_id": "two", "hostname": "host", "subnets": ["10.42.0.0/16"]}
        status = {
            "haStatus": "active",
            "connections": [{"endpoint": peer, "status": "connected", "latencyRTT": {"average": "2ms"}}],
            "localEndpoint": {"subnets": ["10.46.0.0/16"]},
        }
        record = submariner.gateway(named("one", "submariner-operator", status=status))
        assert record.ref == Ref("Gateway", "one", "submariner-operator")
        assert (record.connections[0].cluster_id, record.connections[0].latency_average) == ("two", "2ms")

    def test_plural_addresses_of_newer_releases(self):
        record = submariner.endpoint(named("one", spec={"cluster_id": "one", "privateIPs": ["192.168.0.1"], "healthCheckIPs": ["10.46.0.1"]}))
        assert (record.private_ip, record.health_check_ip) == ("192.168.0.1", "10.46.0.1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "spec",
                    "status",
                    "name",
                    "labels",
                    "annotations",
                    "containers",
                    "conditions",
                    "cidr",
                    "subnets",
                    "connections",
                    "data",
                    "set",
                    "podIPs",
                    "valuesContent",
                    "managedFields",
                    "fieldsV1",
                    "ownerReferences",
                    "allocations",
                    "affinity",
                    "order",
                    "servers",
                    "involvedObject",
                    "containerStatuses",
                    "state",
                    "env",
                    "valueFrom",
                    "template",
                    "remoteEndpoints",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(raw=JSON)
def test_odd_objects_do_not_raise(raw):
    for request in REQUESTS:
        record = request.project(raw if isinstance(raw, dict) else {"spec": raw, "status": raw, "metadata": raw})
        assert record is None or record.ref.kind
