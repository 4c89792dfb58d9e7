# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' own objects: containers and their states, workloads, nodes, events, and who looks after an object."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_containers as containers
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as kubernetes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as nodes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, Container, ContainerStatus, EnvVar, Manager, Ref, Taint
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_origin import MOST_FIELDS, origin
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.raw import named

SECRET = "s3cr3t-do-not-keep"


def variables(*entries):
    return containers.container({"name": "one", "env": list(entries)}).env


class TestEnvironment:
    @pytest.mark.parametrize(
        "name",
        ["FELIX_VXLANMTU", "FELIX_IPINIPMTU", "FELIX_WIREGUARDMTUV6", "FELIX_MTUIFACEPATTERN", "CNI_MTU", "CALICO_API_GROUP", "SUBMARINER_HALT_ON_CERT_ERROR"],
    )
    def test_kept(self, name):
        assert variables({"name": name, "value": "1400"}) == (EnvVar(name, "1400"),)

    def test_from_a_config_map(self):
        entry = {"name": "FELIX_VXLANMTU", "valueFrom": {"configMapKeyRef": {"name": "calico-config", "key": "veth_mtu"}}}
        record = containers.container({"name": "one", "env": [entry]})
        assert record.env == (EnvVar("FELIX_VXLANMTU", "", "calico-config/veth_mtu"),)
        assert record.env_value("FELIX_VXLANMTU") is None

    def test_presence_alone(self):
        assert variables({"name": "ETCD_ENDPOINTS", "value": f"https://root:{SECRET}@etcd"}) == (EnvVar("ETCD_ENDPOINTS", containers.MASK),)
        assert variables({"name": "ETCD_ENDPOINTS", "valueFrom": {"secretKeyRef": {}}}) == (EnvVar("ETCD_ENDPOINTS", containers.MASK),)
        assert variables({"name": "ETCD_ENDPOINTS"}) == (EnvVar("ETCD_ENDPOINTS", ""),)

    def test_dropped(self):
        assert variables({"name": "FELIX_ETCDKEY", "value": SECRET}, {"name": "TOKEN", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}) == ()

    @pytest.mark.parametrize(
        ("text", "summary"),
        [
            ('{"mtu": 1400, "type": "calico"}', '"mtu": 1400, "type": "calico"'),
            ('{"mtu": __CNI_MTU__}', '"mtu": __CNI_MTU__'),
            ('{"mtu": "1400", "password": "' + SECRET + '"}', '"mtu": 1400'),
            ("", ""),
        ],
    )
    def test_cni_configuration(self, text, summary):
        assert containers.cni_summary(text) == summary


class TestContainerStatuses:
    def test_running_after_a_crash(self):
        status = {
            "name": "agent",
            "ready": True,
            "restartCount": 2,
            "image": "agent:1",
            "state": {"running": {"startedAt": "t2"}},
            "lastState": {"terminated": {"exitCode": 255, "reason": "Error", "message": "panic", "finishedAt": "t1"}},
        }
        assert containers.container_statuses({"status": {"containerStatuses": [status]}}) == (
            ContainerStatus("agent", True, 2, "agent:1", "t2", "", "", 255, "Error", "panic", "t1"),
        )

    def test_waiting_init_container(self):
        status = {"name": "install-cni", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
        (record,) = containers.container_statuses({"status": {"initContainerStatuses": [status]}})
        assert (record.init, record.waiting_reason, record.waiting_message, record.exit_code) == (True, "ImagePullBackOff", "no such image", None)

    def test_long_messages_keep_their_end(self):
        status = {"name": "one", "state": {"terminated": {"exitCode": 1, "message": "x" * 5000 + "the cause"}}}
        (record,) = containers.container_statuses({"status": {"containerStatuses": [status]}})
        assert record.exit_message.endswith("the cause")
        assert len(record.exit_message) == containers.LONGEST_MESSAGE


class TestPods:
    def test_system_pod(self):
        raw = named(
            "agent",
            "ns",
            metadata={
                "labels": {"app": "submariner-routeagent", "controller-revision-hash": "abc"},
                "ownerReferences": [{"kind": "Node", "name": "x"}, {"kind": "DaemonSet", "name": "submariner-routeagent", "controller": True}],
                "deletionTimestamp": "t",
            },
            spec={"initContainers": [{"name": "init"}]},
            status={"startTime": "t0", "reason": "Evicted", "message": "full", "conditions": [{"type": "Ready", "status": "False"}]},
        )
        record = kubernetes.pod(raw)
        assert (record.owner, record.revision, record.deleting, record.started_at) == ("DaemonSet/submariner-routeagent", "abc", True, "t0")
        assert (record.reason, record.message, record.init_containers[0].name) == ("Evicted", "full", "init")
        assert record.conditions == (Condition("Ready", "False"),)


class TestWorkloads:
    def test_daemon_set(self):
        pod_spec = {
            "containers": [{"name": "calico-node"}],
            "initContainers": [{"name": "install-cni"}],
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "affinity": {"nodeAffinity": {"required": 1}},
            "tolerations": [{"operator": "Exists"}],
        }
        annotations = {"hash.operator.tigera.io/cni-config": "h", "kubectl.kubernetes.io/restartedAt": "t", "other": SECRET}
        raw = named(
            "calico-node",
            "calico-system",
            spec={
                "template": {"metadata": {"annotations": annotations}, "spec": pod_spec},
                "updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}},
            },
            status={
                "desiredNumberScheduled": 5,
                "currentNumberScheduled": 5,
                "updatedNumberScheduled": 4,
                "numberReady": 3,
                "numberAvailable": 2,
                "numberUnavailable": 1,
                "numberMisscheduled": 1,
            },
        )
        record = kubernetes.daemon_set(raw)
        assert [container.name for container in record.containers] == ["calico-node", "install-cni"]
        assert record.init_containers == (Container("install-cni", "", (), (), ()),)
        assert (record.desired, record.current, record.updated, record.ready, record.available, record.unavailable, record.misscheduled) == (
            5,
            5,
            4,
            3,
            2,
            1,
            1,
        )
        assert (record.max_unavailable, record.node_selector, record.node_affinity) == ("10%", {"kubernetes.io/os": "linux"}, {"required": 1})
        assert record.tolerations == ({"operator": "Exists"},)
        assert set(record.template_annotations) == {"hash.operator.tigera.io/cni-config", "kubectl.kubernetes.io/restartedAt"}

    def test_deployment(self):
        record = kubernetes.deployment(named("op", "ns", metadata={"labels": {"a": "b"}}, status={"readyReplicas": 1, "updatedReplicas": 1}))
        assert (record.labels, record.ready, record.updated, record.replicas) == ({"a": "b"}, 1, 1, 1)

    def test_service_of_a_load_balancer(self):
        key = "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type"
        raw = named(
            "gateway",
            "ns",
            metadata={"annotations": {key: "public", "other": SECRET}},
            spec={"type": "LoadBalancer"},
            status={"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}, {"hostname": "lb.invalid"}, {}]}},
        )
        record = kubernetes.service(raw)
        assert (record.type, record.annotations, record.external_ips) == ("LoadBalancer", {key: "public"}, ("203.0.113.1", "lb.invalid"))

    def test_corefile(self):
        record = kubernetes.config_map(named("coredns", "kube-system", data={"Corefile": "clusterset.local:53 {}", "other": SECRET}))
        assert record.data == {"Corefile": "clusterset.local:53 {}"}


class TestNodes:
    def test_whole_node(self):
        raw = named(
            "one",
            spec={"unschedulable": True, "providerID": "ibm://x", "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
            status={
                "addresses": [{"type": "ExternalIP", "address": "203.0.113.1"}, {"type": "InternalIP", "address": "192.168.0.1"}],
                "nodeInfo": {"bootID": "b", "kernelVersion": "5.4", "osImage": "os", "operatingSystem": "linux", "architecture": "amd64"},
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "t", "lastHeartbeatTime": "later"}],
            },
        )
        record = nodes.node(raw)
        assert record.taints == (Taint("k", "v", "NoSchedule"),)
        assert (record.unschedulable, record.provider_id, record.external_ips, record.internal_ips) == (True, "ibm://x", ("203.0.113.1",), ("192.168.0.1",))
        assert (record.boot_id, record.kernel_version, record.os_image, record.operating_system, record.architecture) == ("b", "5.4", "os", "linux", "amd64")
        assert record.condition("Ready") == Condition("Ready", "True", since="t")


class TestEvents:
    def test_core(self):
        raw = named("x.1", "ns", involvedObject={"kind": "Pod", "name": "x", "namespace": "ns"}, reason="BackOff", message="m", count=7, lastTimestamp="t")
        record = kubernetes.event(raw)
        assert (record.ref, record.reason, record.message, record.count, record.last_seen) == (Ref("Pod", "x", "ns"), "BackOff", "m", 7, "t")

    def test_series(self):
        record = kubernetes.event(named("x", series={"count": 3, "lastObservedTime": "t2"}, eventTime="t1"))
        assert (record.count, record.last_seen) == (3, "t2")

    def test_bare(self):
        record = kubernetes.event(named("x", metadata={"creationTimestamp": "t0"}))
        assert (record.ref.kind, record.count, record.last_seen) == ("Event", 1, "t0")


def test_namespace():
    raw = named(
        "stuck",
        metadata={"deletionTimestamp": "t", "labels": {"a": "b"}},
        status={"conditions": [{"type": "NamespaceDeletionDiscoveryFailure", "status": "True"}]},
    )
    record = kubernetes.namespace(raw)
    assert (record.deleted_at, record.labels, record.conditions[0].type) == ("t", {"a": "b"}, "NamespaceDeletionDiscoveryFailure")


class TestOrigin:
    def test_keys_of_tools(self):
        kept = {"app.kubernetes.io/managed-by": "Helm", "kustomize.toolkit.fluxcd.io/name": "apps", "addon.open-cluster-management.io/addon-name": "submariner"}
        annotations = {
            "meta.helm.sh/release-name": "calico",
            "objectset.rio.cattle.io/applied": SECRET,
            "kubectl.kubernetes.io/last-applied-configuration": SECRET,
        }
        metadata = {"labels": {**kept, "app": "x"}, "annotations": annotations, "ownerReferences": [{"kind": "Submariner", "name": "submariner"}]}
        record = origin(named("one", metadata=metadata))
        assert record.labels == kept
        assert record.annotations == {"meta.helm.sh/release-name": "calico"}
        assert record.owners == ("Submariner/submariner",)

    def test_managers(self):
        fields = {
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                ".": {},
                "f:clusterCIDR": {},
                "f:template": {"f:spec": {"f:containers": {'k:{"name":"x"}': {".": {}}}}},
                "f:list": {'v:"a"': {}},
            },
        }
        entry = {"manager": "argocd-controller", "operation": "Apply", "time": "t", "subresource": "status", "fieldsV1": fields}
        record = origin(named("one", metadata={"managedFields": [entry]}))
        paths = ("metadata.labels.app", "spec.clusterCIDR", "spec.template.spec", "spec.list")
        assert record.managers == (Manager("argocd-controller", "Apply", "t", "status", paths),)

    def test_many_fields_are_bounded(self):
        entry = {"manager": "m", "fieldsV1": {"f:data": {f"f:key-{number}": {} for number in range(5000)}}}
        assert len(origin(named("one", metadata={"managedFields": [entry]})).managers[0].fields) == MOST_FIELDS


def test_node_arguments_survive_nesting():
    assert nodes.masked_arguments("[" * 100_000) == ""
    assert json.loads(nodes.masked_arguments('["server", "--token", "x"]')) == ["server", "--token", containers.MASK]
