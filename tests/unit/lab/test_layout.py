# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts: consistent pairs of clusters, each as its install method makes it; and incidents on them, as far as no lab is needed."""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
from pathlib import Path

import pytest

from tests.lab import incident as incidents, layout as layouts, resting
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.standins import _tigera_render as render

ALL = layouts.names()
OPERATORS = {"rke2", "operator", "helm", "roks"}


def lab_of(layout: layouts.Layout, folder: Path) -> LabInfo:
    clusters = [
        ClusterInfo(**{field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}, dir=folder / spec.name, server=f"https://127.0.0.1:{port}")
        for port, spec in enumerate(layout.clusters, start=6443)
    ]
    return LabInfo(dir=folder, clusters=tuple(clusters))


@pytest.fixture(scope="module", params=ALL)
def planned(request, tmp_path_factory):
    """Name of a layout, and its objects by cluster, kind, namespace and name."""
    layout = layouts.load(request.param)
    lab = lab_of(layout, tmp_path_factory.mktemp("layout"))
    objects = resting.objects([resting.prepare(layout, lab, each) for each in lab.clusters])
    return layout, {cluster: {(each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each for each in found} for cluster, found in objects.items()}


def of_kind(objects, kind):
    return [each for key, each in objects.items() if key[0] == kind]


def test_there_is_a_layout_for_every_install_method():
    assert ALL == ["helm", "kubespray", "manifest", "operator", "rke2", "roks"]


def test_nothing_overlaps(planned):
    layout, _objects = planned
    ranges = [ipaddress.ip_network(cidr) for each in layout.clusters for cidr in (each.pod_cidr, each.service_cidr)]
    nodes = [ipaddress.ip_address(node.ip) for each in layout.clusters for node in each.nodes]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(ranges, 2))
    assert not any(address in network for address in nodes for network in ranges)


def test_each_cluster_knows_the_other_as_it_is(planned):
    layout, objects = planned
    for spec, other in zip(layout.clusters, reversed(layout.clusters)):
        mine = objects[spec.name]
        endpoints = {each["spec"]["cluster_id"]: each["spec"] for key, each in mine.items() if key[:2] == ("Endpoint", "submariner-operator")}
        assert endpoints[spec.name]["subnets"] == [spec.service_cidr, spec.pod_cidr]
        assert endpoints[other.name]["subnets"] == [other.service_cidr, other.pod_cidr]
        gateway = of_kind(mine, "Gateway")[0]
        assert gateway["status"]["localEndpoint"] == endpoints[spec.name]
        assert [(each["status"], each["endpoint"]) for each in gateway["status"]["connections"]] == [("connected", endpoints[other.name])]
        pools = {each["spec"]["cidr"]: each["spec"] for each in of_kind(mine, "IPPool")}
        assert set(pools) == {spec.pod_cidr, other.pod_cidr, other.service_cidr}
        assert all(pools[cidr]["disableBGPExport"] and pools[cidr]["disabled"] for cidr in (other.pod_cidr, other.service_cidr))


def test_pods_have_addresses_of_the_pod_cidr_or_their_nodes(planned):
    layout, objects = planned
    for spec in layout.clusters:
        nodes = {each.name: each.ip for each in spec.nodes}
        pods = of_kind(objects[spec.name], "Pod")
        assert len({each["status"]["podIP"] for each in pods if not each["spec"].get("hostNetwork")}) >= 5
        for pod in pods:
            if pod["spec"].get("hostNetwork"):
                assert pod["status"]["podIP"] == nodes[pod["spec"]["nodeName"]]
            else:
                assert ipaddress.ip_address(pod["status"]["podIP"]) in ipaddress.ip_network(spec.pod_cidr)


def test_calico_is_installed_as_the_layouts_name_says(planned):
    layout, objects = planned
    mine = objects["cluster-1"]
    assert bool(of_kind(mine, "Installation")) == (layout.name in OPERATORS)
    assert bool(of_kind(mine, "HelmChart")) == (layout.name == "rke2")
    assert bool(of_kind(mine, "ClusterVersion")) == (layout.name == "roks")
    namespace = "calico-system" if layout.name in OPERATORS else "kube-system"
    assert mine["DaemonSet", namespace, "calico-node"]["status"]["numberReady"] == 3
    assert ("ConfigMap", "kube-system", "calico-config") in mine or layout.name in OPERATORS


def test_only_the_first_cluster_has_the_broker(planned):
    _layout, objects = planned
    assert len(of_kind(objects["cluster-1"], "Broker")) == 1
    assert of_kind(objects["cluster-2"], "Broker") == []
    published = [each["spec"]["cluster_id"] for key, each in objects["cluster-1"].items() if key[:2] == ("Endpoint", "submariner-k8s-broker")]
    assert sorted(published) == ["cluster-1", "cluster-2"]


def test_every_owner_is_planted(planned):
    _layout, objects = planned
    for found in objects.values():
        for each in found.values():
            for owner in each["metadata"].get("ownerReferences") or ():
                places = (each["metadata"].get("namespace", ""), "")
                assert any((owner["kind"], place, owner["name"]) in found for place in places), each["metadata"]["name"]


def test_an_unknown_layout_is_named():
    with pytest.raises(LabError, match="no layout 'k3s'; known are: helm, "):
        layouts.load("k3s")


def test_a_layouts_name_is_its_incident_in_health():
    healthy = incidents.load("rke2")
    assert (healthy.layout.name, healthy.changes, [each.at_rest for each in healthy.clusters]) == ("rke2", (), [True, True])


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes an incident on a layout and loads it."""
    monkeypatch.setattr(incidents, "INCIDENTS", tmp_path)

    def write(changes: str, rest: str = "expect: []"):
        folder = tmp_path / "x"
        folder.mkdir(exist_ok=True)
        (folder / "incident.yml").write_text(f"title: t\nlayout: rke2\nchanges: {changes}\n{rest}\n")
        return incidents.load("x")

    return write


def test_an_incident_on_a_layout_has_its_clusters(written):
    found = written('[{cluster: "*", stop: calico-api-server}]', "expect: [{cluster: cluster-1, id: a, severity: blocker}]")
    assert [each.name for each in found.clusters] == ["cluster-1", "cluster-2"]
    assert incidents.on_layout("rke2") == ["x"]
    assert (found.expect[0].severity, found.expect[0].verdict) == ("blocker", "fail")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ("[{cluster: a, stop: x, delete: {}}]", "change 1 has `cluster` and one of"),
        ("[{stop: x}]", "change 1 has `cluster`"),
        ("[{cluster: a, patch: {}}]", "`patch` goes with either"),
        ("[{cluster: a, patch: {}, merge: {}, json: []}]", "`patch` goes with either"),
        ("[{cluster: a, stop: x}, {cluster: a, stop: x, when: now}]", "change 2: unknown key when"),
    ],
)
def test_a_wrong_change_is_named(written, changes, complaint):
    with pytest.raises(LabError) as error:
        written(changes)
    assert complaint in str(error.value)
    assert "incident.yml" in str(error.value)


def test_an_incident_must_say_what_it_expects(written):
    with pytest.raises(LabError, match="expect"):
        written("[]", "")


def test_every_incident_of_the_lab_can_be_read():
    for name in ALL:
        for identifier in incidents.on_layout(name):
            found = incidents.load(identifier)
            assert found.changes or found.logs or (found.dir / "logs").is_dir(), identifier
            assert {each.severity for each in found.expect} <= {"blocker", "error", "warning", "info"}, identifier
            assert {each.cluster for each in found.expect} <= {"clusterset", "cluster-1", "cluster-2"}, identifier


def test_the_operator_would_render_what_is_planted(planned):
    """So that an awake lab moves nothing before somebody changes something."""
    for objects in planned[1].values():
        daemon_set = objects.get(("DaemonSet", "calico-system", "calico-node"))
        for installation in of_kind(objects, "Installation"):
            assert render.calico_node(daemon_set, daemon_set, installation["status"]["computed"]) == daemon_set["spec"]
