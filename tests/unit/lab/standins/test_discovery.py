# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each release of the Submariner operator finds on clusters of known shape."""

from __future__ import annotations

import typing as t

import pytest

from tests.lab.standins._discovery import ClusterNetwork, DiscoveryError, OptionPanic, discover, option_value, service_cidr_of
from tests.lab.standins._version import SubmarinerVersion

Object = dict[str, t.Any]

REFUSAL_1_27 = (
    'Service "invalid-svc" is invalid: spec.clusterIPs: Invalid value: []string{"1.1.1.1"}: failed to allocate IP 1.1.1.1: '
    "the provided IP (1.1.1.1) is not in the valid range. The range of valid IPs is 10.45.0.0/16"
)
REFUSAL_1_33 = (
    'Service "invalid-svc" is invalid: spec.clusterIPs: Invalid value: ["1.1.1.1"]: failed to allocate IP 1.1.1.1: '
    "the provided network does not match the current range"
)
OLD, BACKPORTED, LATEST = SubmarinerVersion(0, 17, 3), SubmarinerVersion(0, 18, 1), SubmarinerVersion(0, 21, 1)


class Cluster:
    """A cluster by its objects; implements View."""

    def __init__(self, **parts: t.Any) -> None:
        self.parts = parts
        self.created = 0

    def pods(self, label: str) -> list[Object]:
        key, _, value = label.partition("=")
        return [pod for pod in self.parts.get("pods", []) if pod["metadata"]["labels"].get(key) == value]

    def nodes(self) -> list[Object]:
        return [{"metadata": {"name": f"n{number}"}, "spec": {"podCIDR": cidr}} for number, cidr in enumerate(self.parts.get("nodes", []))]

    def config_maps(self) -> list[Object]:
        return self.parts.get("config_maps", [])

    def daemon_sets(self) -> list[Object]:
        return self.parts.get("daemon_sets", [])

    def openshift_network(self) -> Object | None:
        return self.parts.get("openshift")

    def service_cidr(self) -> list[str] | None:
        return self.parts.get("service_cidr")

    def invalid_service(self) -> str | None:
        self.created += 1
        return self.parts.get("refusal", REFUSAL_1_27)


def pod(label: str, command: list[str] | None = None, args: list[str] | None = None, env: dict[str, str] | None = None) -> Object:
    key, _, value = label.partition("=")
    variables = [{"name": name, "value": text} for name, text in (env or {}).items()]
    return {
        "metadata": {"name": value, "namespace": "kube-system", "labels": {key: value}},
        "spec": {"containers": [{"command": command, "args": args, "env": variables}]},
    }


def daemon_set(name: str, namespace: str = "kube-system", labels: dict[str, str] | None = None, config_map: str | None = None) -> Object:
    volumes = [{"name": "flannel-cfg", "configMap": {"name": config_map}}] if config_map else [{"name": "run", "hostPath": {}}]
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels or {}}, "spec": {"template": {"spec": {"volumes": volumes}}}}


def rke2(**parts: t.Any) -> Cluster:
    """Binary in command, options in args, one node, Calico by its operator."""
    return Cluster(
        **{
            "pods": [
                pod("component=kube-controller-manager", ["kube-controller-manager"], ["--x=y", "--cluster-cidr=10.46.0.0/16"]),
                pod("component=kube-apiserver", ["kube-apiserver"], ["--service-cluster-ip-range=10.45.0.0/16"]),
            ],
            "nodes": ["10.46.0.0/24"],
            "daemon_sets": [daemon_set("calico-node", "calico-system")],
            **parts,
        }
    )


@pytest.mark.parametrize(
    ("version", "pods"),
    [((0, 16, 0), "10.46.0.0/24"), ((0, 17, 3), "10.46.0.0/24"), ((0, 18, 0), "10.46.0.0/24"), ((0, 18, 1), "10.46.0.0/16"), ((0, 19, 0), "10.46.0.0/16")],
)
def test_rke2_with_one_node(version: tuple[int, int, int], pods: str) -> None:
    cluster = rke2()
    found, error = discover(cluster, SubmarinerVersion(*version))
    assert error is None
    assert found == ClusterNetwork("calico", (pods,), ("10.45.0.0/16",))
    assert cluster.created == (0 if version >= (0, 18, 1) else 1)


def test_two_nodes_leave_nothing_to_fall_back_on() -> None:
    found, error = discover(rke2(nodes=["10.46.0.0/24", "10.46.1.0/24"]), OLD)
    assert error is None
    assert found == ClusterNetwork("calico", (), ("10.45.0.0/16",))


def test_the_config_map_alone_makes_it_calico() -> None:
    found, _ = discover(rke2(daemon_sets=[], config_maps=[{"metadata": {"name": "calico-config", "namespace": "x"}}]), BACKPORTED)
    assert found is not None and found.plugin == "calico"


def test_without_any_plugin_it_is_generic() -> None:
    found, _ = discover(rke2(daemon_sets=[]), BACKPORTED)
    assert found == ClusterNetwork("generic", ("10.46.0.0/16",), ("10.45.0.0/16",))


def test_openshift_wins_over_everything() -> None:
    network = {"spec": {"clusterNetwork": [{"cidr": "10.128.0.0/14"}, {"cidr": "10.132.0.0/14"}], "serviceNetwork": ["172.30.0.0/16"], "networkType": "Calico"}}
    found, _ = discover(rke2(openshift=network), OLD)
    assert found == ClusterNetwork("calico", ("10.128.0.0/14", "10.132.0.0/14"), ("172.30.0.0/16",))


@pytest.mark.parametrize("missing", ["clusterNetwork", "serviceNetwork", "networkType"])
def test_an_unfinished_openshift_network_is_an_error_before_0_19(missing: str) -> None:
    spec = {"clusterNetwork": [{"cidr": "10.128.0.0/14"}], "serviceNetwork": ["172.30.0.0/16"], "networkType": "Calico"}
    del spec[missing]
    cluster = rke2(openshift={"spec": spec})
    found, error = discover(cluster, OLD)
    assert found is None and missing in str(error)
    found, error = discover(cluster, SubmarinerVersion(0, 19, 0))
    assert error is None and found is not None and found.plugin == "generic"


@pytest.mark.parametrize("version", [SubmarinerVersion(0, 18, 1), SubmarinerVersion(0, 19, 0), SubmarinerVersion(0, 21, 0)])
def test_kubernetes_1_33_without_a_visible_api_server(version: SubmarinerVersion) -> None:
    found, error = discover(Cluster(nodes=["10.42.0.0/24"], refusal=REFUSAL_1_33, service_cidr=["10.43.0.0/16"]), version)
    assert found is None
    assert "could not determine the service IP range via service creation - the expected error was not returned" in str(error)


def test_0_21_1_reads_the_service_cidr_object() -> None:
    cluster = Cluster(nodes=["10.42.0.0/24"], refusal=REFUSAL_1_33, service_cidr=["10.43.0.0/16"])
    assert discover(cluster, LATEST) == (ClusterNetwork("generic", ("10.42.0.0/24",), ("10.43.0.0/16",)), None)
    assert cluster.created == 0


def test_an_api_server_pod_saves_old_releases_on_kubernetes_1_33() -> None:
    pods = [pod("component=kube-apiserver", ["kube-apiserver", "--service-cluster-ip-range=10.43.0.0/16"])]
    found, error = discover(Cluster(pods=pods, nodes=["10.42.0.0/24"], refusal=REFUSAL_1_33), OLD)
    assert error is None and found is not None and found.service_cidrs == ("10.43.0.0/16",)


def test_since_0_19_a_plugin_keeps_what_it_found_beside_the_error() -> None:
    cluster = Cluster(pods=[pod("name=weave-net", env={"IPALLOC_RANGE": "10.32.0.0/12"})], nodes=["10.42.0.0/24"], refusal=REFUSAL_1_33)
    found, error = discover(cluster, SubmarinerVersion(0, 19, 0))
    assert found == ClusterNetwork("weave-net", ("10.32.0.0/12",), ()) and error is not None
    assert discover(cluster, BACKPORTED)[0] is None


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ({"pods": [pod("app=kindnet", env={"POD_SUBNET": "10.244.0.0/16"})]}, ("kindnet", ("10.244.0.0/16",))),
        ({"daemon_sets": [daemon_set("canal", labels={"k8s-app": "canal"}, config_map="canal-config")]}, ("canal-flannel", ("10.99.0.0/16",))),
        ({"daemon_sets": [daemon_set("kube-flannel-ds", config_map="canal-config")]}, ("flannel", ("10.99.0.0/16",))),
        ({"daemon_sets": [daemon_set("kube-flannel-ds")]}, ("flannel", ("10.46.0.0/24",))),
    ],
)
def test_other_plugins(objects: dict[str, t.Any], expected: tuple[str, tuple[str, ...]]) -> None:
    config = {"metadata": {"name": "canal-config", "namespace": "kube-system"}, "data": {"net-conf.json": '{"Network": "10.99.0.0/16"}'}}
    found, _ = discover(Cluster(nodes=["10.46.0.0/24"], config_maps=[config], **objects), OLD)
    assert found is not None and (found.plugin, found.pod_cidrs) == expected


def test_ovn_without_its_config_map_is_completed_by_the_generic_finder() -> None:
    found, _ = discover(Cluster(pods=[pod("app=ovnkube-node")], nodes=["10.46.0.0/24"]), OLD)
    assert found == ClusterNetwork("OVNKubernetes", ("10.46.0.0/24",), ("10.45.0.0/16",))


def test_kube_proxy_is_asked_by_another_label_after_0_19() -> None:
    options = {"component=kube-proxy": "--cluster-cidr=10.1.0.0/16", "k8s-app=kube-proxy": "--cluster-cidr=10.2.0.0/16"}
    cluster = Cluster(pods=[pod(label, ["kube-proxy", option]) for label, option in options.items()])
    assert discover(cluster, BACKPORTED)[0].pod_cidrs == ("10.1.0.0/16",)
    assert discover(cluster, LATEST)[0].pod_cidrs == ("10.2.0.0/16",)


@pytest.mark.parametrize(
    ("command", "args", "old", "backported"),
    [
        (["kcm", "--cluster-cidr=10.1.0.0/16"], None, "10.1.0.0/16", "10.1.0.0/16"),
        (["kcm"], ["--cluster-cidr=10.1.0.0/16"], "", "10.1.0.0/16"),
        (None, ["--cluster-cidr=10.1.0.0/16"], "", ""),
        (["/bin/sh", "-c", "exec kcm --cluster-cidr=10.1.0.0/16 --v=2"], None, "10.1.0.0/16", "10.1.0.0/16"),
        (["kcm", "--cluster-cidr=10.1.0.0/16,fd00::/48"], None, "10.1.0.0/16,fd00::/48", "10.1.0.0/16,fd00::/48"),
        (["kcm", "--other=x"], ["--more"], "", ""),
    ],
)
def test_where_options_are_looked_for(command: list[str] | None, args: list[str] | None, old: str, backported: str) -> None:
    subject = pod("component=kube-controller-manager", command, args)
    assert option_value(subject, "--cluster-cidr", OLD) == old
    assert option_value(subject, "--cluster-cidr", BACKPORTED) == backported


def test_dual_stack_lists_stay_one_string_until_0_19() -> None:
    cluster = rke2(pods=[pod("component=kube-controller-manager", ["kcm", "--cluster-cidr=10.1.0.0/16,fd00::/48"])])
    assert discover(cluster, SubmarinerVersion(0, 19, 0))[0].pod_cidrs == ("10.1.0.0/16,fd00::/48",)
    assert discover(cluster, LATEST)[0].pod_cidrs == ("10.1.0.0/16", "fd00::/48")


def test_an_option_and_its_value_as_two_words_panic() -> None:
    with pytest.raises(OptionPanic, match="index out of range"):
        discover(rke2(pods=[pod("component=kube-controller-manager", ["kcm", "--cluster-cidr", "10.1.0.0/16"])]), OLD)


def test_the_refusal_of_an_invalid_service() -> None:
    assert service_cidr_of(REFUSAL_1_27) == "10.45.0.0/16"
    with pytest.raises(DiscoveryError, match="the expected error was not returned"):
        service_cidr_of(REFUSAL_1_33)
    with pytest.raises(DiscoveryError, match="none was returned"):
        service_cidr_of(None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v0.19.0-rc3", (0, 19, 0)), ("0.17.3", (0, 17, 3)), ("devel", None), ("release-0.18", None)],
)
def test_versions(text: str, expected: tuple[int, int, int] | None) -> None:
    assert SubmarinerVersion.parse(text) == expected
    assert SubmarinerVersion.of_image(f"registry:5000/submariner/submariner-operator:{text}") == expected


def test_an_image_without_a_tag_names_no_version() -> None:
    assert SubmarinerVersion.of_image("registry:5000/submariner-operator") is None


def test_backports_are_in_two_release_lines() -> None:
    having = [each for each in ((0, 16, 7), (0, 17, 2), (0, 17, 3), (0, 18, 0), (0, 18, 1), (0, 19, 0)) if SubmarinerVersion(*each).disables_bgp_export]
    assert having == [(0, 17, 3), (0, 18, 1), (0, 19, 0)]
