# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an MTU was written, what is not in force yet, and which pods are older."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import calico_node_pods, knob_change, older_than, pending
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_remedy import set_mtu, settable
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import HelmChart, HelmChartConfig, Node, OpenShiftNetwork, Pod, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import (
    ADDED,
    CHANGED,
    calico_pod,
    daemon_set,
    kubespray,
    manifest,
    ok,
    operator,
    snapshot,
    written,
)


def pod(name, created, **fields):
    return Pod(Ref("Pod", name, "shop"), "uid", "a", False, "Running", True, ("10.42.0.9",), created=created)._replace(**fields)


def change(cluster):
    return knob_change(cluster, read_settings(cluster))


class TestKnobChange:
    def test_of_an_installation(self):
        cluster = operator(1400)
        installation = cluster.installations.items[0]._replace(origin=written(CHANGED, "spec.calicoNetwork.mtu"), created=ADDED)
        found = change(operator(1400, installations=ok(installation)))
        assert (found.at, found.by, found.exact, found.created) == (CHANGED, "kubectl-patch", True, ADDED)

    def test_a_manager_that_owns_much_makes_it_inexact(self):
        origin = written(CHANGED, "spec.calicoNetwork.mtu", "spec.cni.type", "spec.registry", "spec.imagePath", by="helm")
        cluster = operator(1400, installations=ok(operator(1400).installations.items[0]._replace(origin=origin)))
        assert change(cluster).exact is False

    def test_of_a_config_map(self):
        assert change(manifest("1400", origin=written(CHANGED, "data.veth_mtu"))).at == CHANGED

    def test_of_kubesprays_daemon_set(self):
        cluster = kubespray(1400, 1400)
        template = cluster.daemon_sets.items[0]._replace(origin=written(CHANGED, "spec.template.spec"))
        assert change(kubespray(1400, 1400, daemon_sets=ok(template))).at == CHANGED

    @pytest.mark.parametrize("cluster", [operator(), manifest("0"), manifest("1400")])
    def test_none_where_it_is_automatic_or_nobody_is_recorded(self, cluster):
        assert change(cluster) is None


def test_older_pods_are_those_with_an_interface_of_their_own():
    pods = [
        pod("old", ADDED),
        pod("new", "2026-03-02T00:00:00Z"),
        pod("host", ADDED, host_network=True),
        pod("done", ADDED, phase="Succeeded"),
        pod("none", ADDED, ips=()),
    ]
    assert [entry.ref.name for entry in older_than(pods, CHANGED)] == ["old"]


def test_pods_of_calico_node_by_owner_or_label():
    mine = calico_pod("a", namespace="calico-system")
    labelled = mine._replace(owner="", labels={"k8s-app": "calico-node"}, ref=Ref("Pod", "b", "calico-system"))
    others = [mine._replace(owner="DaemonSet/csi-node-driver"), mine._replace(ref=Ref("Pod", "c", "shop"))]
    cluster = snapshot(pods=ok(mine, labelled, *others))
    assert calico_node_pods(cluster, calico_node(cluster)) == (mine, labelled)


class TestPending:
    def chart(self, value, found=None, failed=""):
        config = HelmChartConfig(Ref("HelmChartConfig", "rke2-calico", "kube-system"), {"installation.calicoNetwork.mtu": value} if value else {})
        chart = HelmChart(Ref("HelmChart", "rke2-calico", "kube-system"), {}, failed=failed)
        return operator(found, helm_chart_configs=ok(config), helm_charts=ok(chart))

    def of(self, cluster):
        return [(entry.value, entry.in_force) for entry in pending(cluster, read_settings(cluster))]

    def test_a_value_of_the_chart_that_was_not_rendered(self):
        assert self.of(self.chart("1400")) == [("1400", "automatic")]
        assert self.of(self.chart("1400", 1450)) == [("1400", "1450")]
        assert "no such value" in pending(self.chart("1400", failed="no such value"), read_settings(self.chart("1400")))[0].why

    def test_nothing_is_pending(self):
        assert self.of(self.chart("1400", 1400)) == self.of(self.chart("")) == self.of(operator(1400)) == []

    def test_an_installation_that_was_not_taken_up(self):
        installation = operator(1450).installations.items[0]._replace(spec={"calicoNetwork": {"mtu": 1400}})
        assert self.of(operator(1450, installations=ok(installation))) == [("1400", "1450")]

    def test_calico_node_that_started_before_the_config_map_was_changed(self):
        origin = written(CHANGED, "data.veth_mtu")
        found = pending(
            manifest("1400", origin=origin, pods=ok(calico_pod("a"), calico_pod("b", created="2026-03-01T13:00:00Z"))), read_settings(manifest("1400"))
        )
        assert [entry.why for entry in found] == [
            f"calico-node has run since before {CHANGED} on 1 nodes (a) and writes the CNI configuration only when it starts"
        ]
        assert self.of(manifest("1400", origin=origin, pods=ok(calico_pod("b", created="2026-03-01T13:00:00Z")))) == []


class TestRemedy:
    def rke2(self):
        return operator(1500, helm_charts=ok(HelmChart(Ref("HelmChart", "rke2-calico", "kube-system"), {})))

    def helm(self):
        installation = operator(1500).installations.items[0]._replace(annotations={"meta.helm.sh/release-name": "calico"})
        return operator(1500, installations=ok(installation))

    @pytest.mark.parametrize(
        ("kind", "text", "target"),
        [
            ("rke2", "installation.calicoNetwork.mtu: 1450 in the valuesContent of HelmChartConfig", "HelmChartConfig kube-system/rke2-calico"),
            ("helm", "values of the Helm release", "Helm release"),
            ("operator", 'patch installation default --type merge -p \'{"spec":{"calicoNetwork":{"mtu":1450}}}\'', "Installation default"),
            ("manifest", 'veth_mtu: "1450" in ConfigMap kube-system/calico-config', "ConfigMap kube-system/calico-config"),
            ("kubespray", "calico_mtu: 1450", "Kubespray's inventory"),
            ("canal", "calico.vethuMTU", "canal's ConfigMap"),
        ],
    )
    def test_names_the_place_that_lasts(self, kind, text, target):
        canal = snapshot(daemon_sets=ok(daemon_set("kube-system", "rke2-canal")))
        cluster = {
            "rke2": self.rke2,
            "helm": self.helm,
            "operator": lambda: operator(1500),
            "manifest": manifest,
            "kubespray": kubespray,
            "canal": lambda: canal,
        }[kind]()
        made = set_mtu(cluster, 1450)
        assert text in made.text and "recreate the pods" in made.text
        assert made.target.startswith(target)
        assert "1450" not in set_mtu(cluster, None).text or kind == "canal"
        assert settable(cluster, 1450) == (kind not in ("helm", "canal"))

    def test_kubesprays_two_traps_are_named(self):
        text = set_mtu(kubespray(), 1400).text
        assert "a string" in text and "calico_veth_mtu" in text

    def test_ibm_supports_nothing_below_1450(self):
        node = Node(Ref("Node", "w"), {"ibm-cloud.kubernetes.io/zone": "x"}, {}, (), (), True, "v1.29.1", ADDED)
        network = OpenShiftNetwork(Ref("Network", "cluster"), "Calico", (), (), (), ())
        roks = operator(1500, nodes=ok(node), openshift_networks=ok(network))
        assert " to 1450 (IBM" in set_mtu(roks, 1380).text
        assert settable(roks, 1450) and not settable(roks, 1449)
