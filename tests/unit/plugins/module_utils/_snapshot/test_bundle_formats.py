# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats that others write: told by their content, merged by cluster, and silent about nothing that they do not hold."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ, NOT_SERVED, OK
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.bundles import folder, listed, node, replay, tar, zipped
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.samples import SAMPLES

UID = "11111111-2222-4333-8444-{:012d}"


def submariner(cluster_id="alpha", number=1, **metadata):
    return {
        "apiVersion": "submariner.io/v1alpha1",
        "kind": "Submariner",
        "metadata": {"name": "submariner", "namespace": "submariner-operator", "uid": UID.format(number), **metadata},
        "spec": {"clusterID": cluster_id, "version": "0.19.0"},
    }


def endpoint(name, namespace="submariner-operator"):
    return {
        "apiVersion": "submariner.io/v1",
        "kind": "Endpoint",
        "metadata": {"name": name, "namespace": namespace, "uid": UID.format(77)},
        "spec": {"cluster_id": name, "subnets": ["10.0.0.0/16"]},
    }


def pod(name, namespace="kube-system", labels=None, **metadata):
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": UID.format(abs(hash(name)) % 10**9), "labels": labels or {}, **metadata},
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "args": ["--cluster-cidr=10.46.0.0/16"]}]},
        "status": {"phase": "Running"},
    }


def as_yaml(*objects):
    return "---\n".join(yaml.safe_dump(obj) for obj in objects)


def yaml_list(*objects):
    return yaml.safe_dump({"apiVersion": "v1", "items": list(objects), "kind": "List"})


class TestGather:
    FILES = {
        "submariners_submariner-operator_submariner.yaml": as_yaml(submariner()),
        "endpoints_submariner-operator_alpha.yaml": as_yaml(endpoint("alpha")),
        "endpoints_submariner-k8s-broker_beta.yaml": as_yaml(endpoint("beta", "submariner-k8s-broker")),
        "submariner-routeagent-abcde.log": "first line\n",
        "submariner-routeagent-abcde.log.prev": "line before\n",
        "n1_ip-a.log": "ip -d a\n",
    }
    SUMMARY = (
        "<html><title>subctl gather report for alpha</title><table><tr><td>subctl version:</td><td>v0.19.1</td></tr>"
        "<tr><td>Kubernetes Server version:</td><td>v1.30.1&#43;rke2r1</td></tr></table></html>"
    )

    def test_a_folder_a_cluster_since_0_14(self, tmp_path):
        files = {f"submariner-20261121/ctx/{name}": text for name, text in self.FILES.items()}
        tar(tmp_path / "b.tgz", {**files, "submariner-20261121/ctx/summary.html": self.SUMMARY})
        bundle = open_bundle(str(tmp_path / "b.tgz"))
        assert [(cluster.name, cluster.cluster_id, cluster.formats) for cluster in bundle.clusters] == [("ctx", "alpha", ("subctl gather",))]
        snapshot = bundle.snapshot()
        assert snapshot.server_version.items == ("v1.30.1+rke2r1",)
        assert snapshot.submariner.cluster_id == "alpha"
        # The broker's copies, which gather reads with the broker's credentials, are not this cluster's.
        assert [item.ref.name for item in snapshot.endpoints.items] == ["alpha"]
        # Asked by gather and empty; not asked by gather.
        assert (snapshot.gateways.state, snapshot.route_agents.state) == (OK, OK)
        assert (snapshot.nodes.state, snapshot.ip_pools.state) == (NOT_READ, NOT_READ)
        assert "subctl gather" in snapshot.nodes.detail
        assert {(log.ref.name, log.previous, log.text) for log in snapshot.logs.items} == {
            ("submariner-routeagent-abcde", False, "first line"),
            ("submariner-routeagent-abcde", True, "line before"),
        }

    def test_a_prefix_a_cluster_before(self, tmp_path):
        files = {f"submariner-2022/alpha_{name}": text for name, text in self.FILES.items() if "broker" not in name}
        files.update(
            {f"submariner-2022/beta_{name}": text.replace(" alpha", " beta").replace(UID.format(1), UID.format(2)) for name, text in self.FILES.items()}
        )
        files["submariner-2022/broker_endpoints_submariner-k8s-broker_alpha.yaml"] = as_yaml(endpoint("alpha", "submariner-k8s-broker"))
        bundle = open_bundle(str(zipped(tmp_path / "b.zip", files)))
        assert [cluster.name for cluster in bundle.clusters] == ["alpha", "beta"]
        assert bundle.snapshot("alpha").submariner.cluster_id == "alpha"
        assert bundle.snapshot("beta").submariner.cluster_id == "beta"

    def test_route_agents_are_known_of_since_subctl_0_19(self, tmp_path):
        files = {f"g/ctx/{name}": text for name, text in self.FILES.items()}
        tar(tmp_path / "b.tgz", {**files, "g/ctx/summary.html": self.SUMMARY.replace("v0.19.1", "v0.18.4")})
        assert replay(tmp_path / "b.tgz").route_agents.state == NOT_READ


class TestDump:
    @pytest.mark.parametrize("form", ["json", "yaml"])
    def test_all_namespaces(self, tmp_path, form):
        root = dump(tmp_path, ("kube-system", "kube-public", "submariner-operator"), form)
        snapshot = replay(root)
        assert [found.ref.name for found in snapshot.nodes.items] == ["n1"]
        assert {found.ref.name for found in snapshot.pods.items} == {"kube-controller-manager-n1", "submariner-gateway-abcde"}
        assert (snapshot.pods.state, snapshot.daemon_sets.state, snapshot.events.state) == (OK, OK, OK)
        assert (snapshot.submariners.state, snapshot.namespaces.state) == (NOT_READ, NOT_READ)
        assert "cluster-info dump" in snapshot.submariners.detail
        log = next(found for found in snapshot.logs.items if found.ref.name == "submariner-gateway-abcde")
        assert (log.container, log.text) == ("submariner-gateway", "it said this")

    def test_of_two_namespaces_the_others_are_unknown(self, tmp_path):
        snapshot = replay(dump(tmp_path, ("default", "other"), "json"))
        assert snapshot.pods.state == NOT_READ and "not of kube-system" in snapshot.pods.detail
        assert snapshot.nodes.ok

    def test_on_standard_output(self, tmp_path):
        text = listed(node("n1"), kind="NodeList").replace('"kind": "Node",', "") + listed(kind="EventList")
        pods = listed(pod("submariner-gateway-abcde", "submariner-operator", {"app": "submariner-gateway"}), kind="PodList")
        start = "==== START logs for container submariner-gateway of pod submariner-operator/submariner-gateway-abcde ====\n"
        log = f"{start}hello\n==== END logs for container x ====\n"
        (tmp_path / "dump.json").write_text(text + pods + log + listed(kind="DeploymentList"))
        snapshot = replay(tmp_path / "dump.json")
        assert [found.ref.name for found in snapshot.nodes.items] == ["n1"]
        assert [found.ref.name for found in snapshot.pods.items] == ["submariner-gateway-abcde"]


def dump(root, namespaces, form):
    def write(kind, *items):
        content = {
            "kind": f"{kind}List",
            "apiVersion": {"DaemonSet": "apps/v1", "Deployment": "apps/v1"}.get(kind, "v1"),
            "metadata": {},
            "items": items or None,
        }
        return json.dumps(content, indent=4) if form == "json" else yaml.safe_dump({**content, "items": list(items)})

    bare = {key: value for key, value in node("n1").items() if key not in ("kind", "apiVersion")}
    files = {f"dump/nodes.{form}": write("Node", bare)}
    pods = {
        "kube-system": pod("kube-controller-manager-n1", labels={"component": "kube-controller-manager"}),
        "submariner-operator": pod("submariner-gateway-abcde", "submariner-operator", {"app": "submariner-gateway"}),
    }
    for namespace in namespaces:
        for stem, kind in (("replication-controllers", "ReplicationController"), ("events", "Event"), ("daemonsets", "DaemonSet"), ("services", "Service")):
            files[f"dump/{namespace}/{stem}.{form}"] = write(kind)
        files[f"dump/{namespace}/pods.{form}"] = write("Pod", *([pods[namespace]] if namespace in pods else []))
    start = "==== START logs for container submariner-gateway of pod submariner-operator/submariner-gateway-abcde ====\n"
    files["dump/submariner-operator/submariner-gateway-abcde/logs.txt"] = (
        f"{start}it said this\n==== END logs for container submariner-gateway of pod x/y ====\n"
    )
    return folder(root, files)


class TestInspect:
    def test_must_gather(self, tmp_path):
        root = "must-gather.local.123/quay-io-sha256-abc"
        network = {"apiVersion": "config.openshift.io/v1", "kind": "Network", "metadata": {"name": "cluster"}, "spec": {"serviceNetwork": ["172.30.0.0/16"]}}
        api = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.apps"}, "spec": {}}
        snapshot = replay(
            tar(
                tmp_path / "must-gather.tar",
                {
                    f"{root}/cluster-scoped-resources/core/nodes/n1.yaml": as_yaml(node("n1")),
                    f"{root}/cluster-scoped-resources/config.openshift.io/networks.yaml": yaml_list(network),
                    f"{root}/cluster-scoped-resources/apiregistration.k8s.io/apiservices/v1.apps.yaml": as_yaml(api),
                    f"{root}/namespaces/kube-system/core/pods.yaml": yaml.safe_dump({"apiVersion": "v1", "items": [pod("a")], "kind": "PodList"}),
                    f"{root}/namespaces/submariner-operator/submariner.io/submariners/submariner.yaml": as_yaml(submariner()),
                    f"{root}/namespaces/submariner-operator/core/pods.yaml": yaml.safe_dump(
                        {"apiVersion": "v1", "items": [pod("submariner-gateway-x", "submariner-operator", {"app": "submariner-gateway"})], "kind": "PodList"}
                    ),
                    f"{root}/namespaces/submariner-operator/pods/submariner-gateway-x/submariner-gateway/submariner-gateway/logs/current.log": "now\n",
                    f"{root}/namespaces/submariner-operator/pods/submariner-gateway-x/submariner-gateway/submariner-gateway/logs/previous.log": "then\n",
                },
                mode="w",
            )
        )
        assert snapshot.openshift_networks.items[0].spec_service_networks == ("172.30.0.0/16",)
        assert snapshot.pods.ok and len(snapshot.pods.items) == 2
        assert snapshot.submariners.ok
        assert snapshot.helm_charts.state == NOT_SERVED  # no APIService of its group
        assert [(log.text, log.previous) for log in snapshot.logs.items] == [("now", False), ("then", True)]


class TestPlain:
    def test_any_names_lists_single_objects_and_documents(self, tmp_path):
        folder(
            tmp_path,
            {
                "a.json": listed(node("n1"), node("n2")),
                "everything.txt": yaml_list(submariner()) + "---\n" + as_yaml(endpoint("alpha")),
                "ippools.projectcalico.org.yaml": yaml_list(),
                "logs/submariner-operator/submariner-gateway-abcde/submariner-gateway.log": "hello\n",
                "notes.md": "# nothing",
            },
        )
        snapshot = replay(tmp_path)
        assert [found.ref.name for found in snapshot.nodes.items] == ["n1", "n2"]
        assert snapshot.submariners.ok
        assert (snapshot.ip_pools_v3.state, snapshot.ip_pools_v3.items) == (OK, ())  # an empty List, named by its file
        assert snapshot.endpoints.state == NOT_READ and len(snapshot.endpoints.items) == 1  # one object is not a list of all
        assert snapshot.logs.items[0].text == "hello"

    def test_items_that_do_not_say_what_they_are_are_told_by_their_list(self, tmp_path):
        bare = {key: value for key, value in endpoint("alpha").items() if key not in ("kind", "apiVersion")}
        (tmp_path / "x.yaml").write_text(yaml.safe_dump({"apiVersion": "submariner.io/v1", "items": [bare], "kind": "EndpointList"}))
        assert [found.ref.name for found in replay(tmp_path).endpoints.items] == ["alpha"]

    def test_lists_indented_by_other_tools_and_windows(self, tmp_path):
        text = "apiVersion: v1\r\nkind: List\r\nitems:\r\n  - apiVersion: v1\r\n    kind: Node\r\n    metadata:\r\n      name: n1\r\n"
        text += "  - apiVersion: v1\r\n    kind: Node\r\n"
        (tmp_path / "x.yaml").write_bytes((text + "    metadata:\r\n      name: n2\r\n      creationTimestamp: 2026-01-01T00:00:00Z\r\n").encode("utf-16"))
        found = replay(tmp_path).nodes
        assert [(entry.ref.name, entry.created) for entry in found.items] == [("n1", ""), ("n2", "2026-01-01T00:00:00Z")]
        assert found.ok

    def test_pods_of_one_namespace_are_not_all_pods(self, tmp_path):
        (tmp_path / "p.json").write_text(listed(*[{"apiVersion": "v1", "kind": "Pod", **pod(name, "shop")} for name in "ab"]))
        assert replay(tmp_path).pods.state == NOT_READ

    def test_what_no_definition_names_is_not_served(self, tmp_path):
        definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "submariners.submariner.io"}}
        (tmp_path / "x.json").write_text(listed(definition, node("n1")))
        snapshot = replay(tmp_path)
        assert (snapshot.gateways.state, snapshot.submariners.state, snapshot.helm_charts.state) == (NOT_SERVED, NOT_READ, NOT_READ)


class TestMerging:
    def test_formats_of_one_cluster_meet_by_their_objects(self, tmp_path):
        folder(
            tmp_path,
            {
                "one/nodes.json": listed(node("n1"), submariner("alpha", 1)),
                "two/gather/ctx-a/submariners_submariner-operator_submariner.yaml": as_yaml(submariner("alpha", 1)),
                "three/nodes.json": listed(node("m1"), submariner("beta", 2)),
            },
        )
        bundle = open_bundle(str(tmp_path))
        assert [(cluster.name, len(cluster.formats)) for cluster in bundle.clusters] == [("ctx-a", 2), ("beta", 1)]

    def test_of_one_object_the_newer_reading_wins_and_says_so(self, tmp_path):
        old, new = node("n1", "10.1.0.0/24", UID.format(5), "9"), node("n1", "10.2.0.0/24", UID.format(5), "10")
        folder(tmp_path, {"b/x.json": listed(new), "a/x.json": listed(old)})
        found = replay(tmp_path).nodes
        assert [entry.pod_cidrs for entry in found.items] == [("10.2.0.0/24",)]
        assert "newest" in found.where

    def test_what_a_newer_whole_list_has_no_more_is_gone(self, tmp_path):
        stale, kept = node("gone", uid=UID.format(6)), node("n1", uid=UID.format(5))
        fresh = node("n1", uid=UID.format(5))
        fresh["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-11-20T11:00:00Z"
        folder(tmp_path, {"a/x.json": listed(stale, kept), "b/x.json": listed(fresh)})
        assert [entry.ref.name for entry in replay(tmp_path).nodes.items] == ["n1"]

    def test_names_are_unique_and_harmless(self, tmp_path):
        folder(
            tmp_path,
            {"a/x.json": listed(submariner("{{ lookup('pipe','id') }}", 1)), "b/x.json": listed(submariner("b", 2)), "c/x.json": listed(submariner("b", 3))},
        )
        names = [cluster.name for cluster in open_bundle(str(tmp_path)).clusters]
        assert len(set(names)) == 3
        assert all(name.replace("-", "").replace(".", "").replace("_", "").isalnum() for name in names)

    def test_a_cluster_that_is_not_there(self, tmp_path):
        (tmp_path / "x.json").write_text(listed(submariner("alpha")))
        bundle = open_bundle(str(tmp_path))
        assert bundle.choose("alpha") == "alpha"
        with pytest.raises(InputError, match="holds no cluster gamma. It holds alpha"):
            bundle.snapshot("gamma")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no samples beside the checkout")
class TestSamples:
    def test_all_formats_of_two_clusters(self):
        bundle = open_bundle(str(SAMPLES))
        assert [(cluster.name, len(cluster.formats)) for cluster in bundle.clusters] == [("cluster-1", 3), ("cluster-2", 3)]
        snapshot = bundle.snapshot("cluster-1")
        assert snapshot.submariner.status_cluster_cidr == "10.46.0.0/24"
        assert len(snapshot.pods.items) == 27 and len(snapshot.ip_pools.items) == 3
        assert any("CNI interface" in line for log in snapshot.logs.items for line in log.lines)
        assert not bundle.problems.texts()

    def test_gather_alone(self):
        snapshot = replay(SAMPLES / "cluster-1/gather.tar.gz")
        assert snapshot.server_version.items == ("v1.36.1+rke2r1",)
        assert len(snapshot.endpoints.items) == 2 and snapshot.nodes.state == NOT_READ


class TestManyPods:
    """Of other people's pods no more are parsed than are asked for; of the system's every one."""

    @staticmethod
    def pods():
        others = [{"apiVersion": "v1", "kind": "Pod", **pod(f"web-{number:04d}", "a", {"app": "web"})} for number in range(700)]
        agents = [
            {"apiVersion": "v1", "kind": "Pod", **pod(f"agent-{number:04d}", "submariner-operator", {"app": "submariner-routeagent", "x": '"app":'})}
            for number in range(30)
        ]
        return [*others, *agents, {"apiVersion": "v1", "kind": "Pod", **pod("apiserver", "kube-system", {"component": "kube-apiserver"})}]

    @pytest.mark.parametrize("form", ["indented", "typed", "compact", "yaml"])
    def test_whatever_the_form(self, tmp_path, form):
        pods = self.pods()
        bare = [{key: value for key, value in entry.items() if key not in ("apiVersion", "kind")} for entry in pods]
        text = {
            "indented": lambda: listed(*pods),
            "typed": lambda: listed(*bare, kind="PodList"),
            "compact": lambda: json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}),
            "yaml": lambda: yaml_list(*pods),
        }[form]()
        (tmp_path / ("pods.yaml" if form == "yaml" else "pods.json")).write_text(text)
        found = replay(tmp_path).pods
        assert found.ok and found.partial
        names = [entry.ref.name for entry in found.items]
        assert sum(name.startswith("agent-") for name in names) == 30 and "apiserver" in names
        assert sum(name.startswith("web-") for name in names) == 500
