# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognising how Calico was installed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import calico_ipam, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ClusterInformation, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.clusters import (
    cluster, config_map, daemon_set, forbidden, helm_chart, installation, node, ok, openshift, pool, rke2,
)

CALICO_NODE = daemon_set("calico-node")
INFORMATION = ClusterInformation(Ref("ClusterInformation", "default"), "v3.26.4", "k8s,bgp,kubespray")


@pytest.mark.parametrize(
    ("fields", "method", "platform"),
    [
        ({"installations": ok(installation()), "helm_charts": ok(helm_chart("rke2-calico"))}, "operator-rke2", ""),
        ({"installations": ok(installation(annotations={"meta.helm.sh/release-name": "calico"}))}, "operator-helm", ""),
        ({"installations": ok(installation())}, "operator", ""),
        ({"installations": ok(installation()), "openshift_networks": ok(openshift())}, "operator", "openshift"),
        (
            {"installations": ok(installation()), "openshift_networks": ok(openshift()), "nodes": ok(node("w", labels={"ibm-cloud.kubernetes.io/zone": "z"}))},
            "operator", "roks",
        ),
        ({"daemon_sets": ok(daemon_set("rke2-canal", labels={"k8s-app": "canal"})), "nodes": ok(node("n", kubelet="v1.30.1+rke2r1"))}, "canal", "rke2"),
        ({"daemon_sets": ok(CALICO_NODE), "config_maps": ok(config_map("calico-config", {"cluster_type": "kubespray,bgp"}))}, "kubespray", ""),
        (
            {
                "daemon_sets": ok(daemon_set("calico-node", env=[("IP_AUTODETECTION_METHOD", "can-reach=$(NODEIP)")])),
                "ip_pools": ok(pool("default-pool", "10.1.0.0/16")),
            },
            "kubespray", "",
        ),
        ({"daemon_sets": ok(CALICO_NODE), "config_maps": ok(config_map("calico-config", {"veth_mtu": "0"}))}, "manifest", ""),
        ({"daemon_sets": ok(CALICO_NODE), "nodes": ok(node("m", labels={"microk8s.io/cluster": "true"}))}, "microk8s", ""),
        ({"daemon_sets": ok(CALICO_NODE), "nodes": ok(node("k", kubelet="v1.30.1+k3s1"))}, "manifest", "k3s"),
        ({"daemon_sets": ok(daemon_set("calico-node", "elsewhere"))}, "unknown", ""),
        ({"cluster_informations": ok(INFORMATION)}, "unknown", ""),
        ({}, "none", ""),
    ],
)
def test_the_ladder(fields, method, platform):
    found = detect_install_method(cluster(**fields))
    assert (found.method, found.platform, found.missing) == (method, platform, ())
    assert bool(found.durable) == (method not in ("unknown", "none"))
    assert bool(found.evidence) == (method != "none")


def test_the_cluster_of_the_report():
    found = detect_install_method(rke2())
    assert (found.method, found.platform, found.durable, found.calico_ipam) == ("operator-rke2", "rke2", "HelmChartConfig kube-system/rke2-calico", True)


def test_what_could_not_be_read_is_not_taken_for_absent():
    found = detect_install_method(cluster(installations=forbidden("GET /apis/operator.tigera.io/v1/installations")))
    assert found.method == "unknown"
    assert found.missing == ("forbidden (GET /apis/operator.tigera.io/v1/installations): x is forbidden",)
    assert found.unlisted == ("installations.operator.tigera.io",)


OF_HELM = {"installations": ok(installation(annotations={"meta.helm.sh/release-name": "rke2-calico"}))}
OF_OPENSHIFT = {"installations": ok(installation()), "openshift_networks": ok(openshift())}
AS_KUBESPRAY = daemon_set("calico-node", env=[("IP_AUTODETECTION_METHOD", "can-reach=$(NODEIP)")])


@pytest.mark.parametrize(
    ("fields", "method", "unlisted"),
    [
        ({**OF_HELM, "helm_charts": forbidden()}, "operator-helm", ("helmcharts.helm.cattle.io",)),
        ({"installations": ok(installation()), "helm_charts": forbidden()}, "operator", ("helmcharts.helm.cattle.io",)),
        ({**OF_HELM, "openshift_networks": forbidden()}, "operator-helm", ("networks.config.openshift.io",)),
        ({"installations": ok(installation()), "openshift_networks": forbidden()}, "operator", ("networks.config.openshift.io",)),
        ({**OF_OPENSHIFT, "nodes": forbidden()}, "operator", ("nodes",)),
        ({"daemon_sets": ok(CALICO_NODE), "config_maps": forbidden()}, "manifest", ("configmaps",)),
        ({"daemon_sets": ok(CALICO_NODE), "installations": forbidden()}, "manifest", ("installations.operator.tigera.io",)),
        ({"daemon_sets": ok(CALICO_NODE), "nodes": forbidden()}, "manifest", ("nodes",)),
        ({"daemon_sets": ok(AS_KUBESPRAY), "ip_pools": forbidden()}, "manifest", ("ippools.crd.projectcalico.org",)),
        # What could not have changed it is not missed.
        ({**OF_HELM, "helm_charts": ok(helm_chart("rke2-calico")), "openshift_networks": forbidden()}, "operator-rke2", ()),
        ({"installations": ok(installation()), "daemon_sets": forbidden(), "config_maps": forbidden(), "nodes": forbidden()}, "operator", ()),
        ({"daemon_sets": ok(CALICO_NODE), "helm_charts": forbidden(), "ip_pools": forbidden()}, "manifest", ()),
        (
            {"daemon_sets": ok(CALICO_NODE), "config_maps": replace(forbidden(), items=(config_map("calico-config", {"cluster_type": "kubespray"}),))},
            "kubespray", (),
        ),
    ],
)
def test_a_list_that_decides_and_is_not_there(fields, method, unlisted):
    found = detect_install_method(cluster(**fields))
    assert (found.method, found.unlisted, len(found.missing)) == (method, unlisted, len(unlisted))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"installations": ok(installation(cni="", ipam=""))}, True),
        ({"installations": ok(installation(ipam="HostLocal"))}, False),
        ({"installations": ok(installation(cni="AmazonVPC", ipam="AmazonVPC"))}, False),
        ({"daemon_sets": ok(CALICO_NODE)}, True),
        ({"daemon_sets": ok(daemon_set("calico-node", env=[("CALICO_NETWORKING_BACKEND", "none")]))}, False),
        ({"daemon_sets": ok(CALICO_NODE), "config_maps": ok(config_map("calico-config", {"cni_network_config": '{"ipam": {"type": "host-local"}}'}))}, False),
        ({"daemon_sets": ok(daemon_set("canal"))}, False),
        ({}, None),
        ({"daemon_sets": forbidden()}, None),
    ],
)
def test_who_gives_pods_their_addresses(fields, expected):
    assert calico_ipam(cluster(**fields)) is expected
