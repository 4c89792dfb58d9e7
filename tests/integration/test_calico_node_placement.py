# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where calico-node runs, changed on clusters at rest: what is written where on each install method, what is refused, and that a second run writes nothing."""

from __future__ import annotations

import contextlib

import pytest
import yaml

from tests.integration.pools_and_records import Trial, without_state
from tests.integration.role_arguments import module_arguments

pytestmark = pytest.mark.lab

LABEL = "submariner.fathom-ansible.github.io/calico-node"
OPT_OUT = {"key": LABEL, "operator": "NotIn", "values": ["excluded"]}
INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
CHART_CONFIG = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs/rke2-calico"
UNFIT = {"operator": "003-operator-module-missing", "kubespray": "003-kubespray-module-missing", "manifest": "003-manifest-architecture"}
ASKED = {"wait": False, "allow_disruption": True, "cordon": True}


def is_control_plane(node):
    return any(f"node-role.kubernetes.io/{role}" in node["metadata"]["labels"] for role in ("control-plane", "master"))


class Place:
    """One cluster of a layout lab, its worker, and the remedy on it; all that was written is put back at the end."""

    def __init__(self, bench, lab, **options):
        self.lab = lab
        self.cluster = lab.cluster("cluster-1")
        self.admin = self.cluster.admin()
        self.bench = bench
        self.nodes = {each["metadata"]["name"]: each for each in self.admin.list("/api/v1/nodes")}
        self.gateway = next(name for name, each in self.nodes.items() if "submariner.io/gateway" in each["metadata"]["labels"])
        others = [name for name in self.nodes if name != self.gateway]
        self.worker = next((name for name in others if not is_control_plane(self.nodes[name])), others[0])  # ROKS labels every worker master, too
        self.options = {**ASKED, **options}

    def trial(self, **options):
        return Trial(self.bench, self.cluster, "calico_node_placement", **{**self.options, **options})

    def again(self, role):
        """The role of a play, run as Ansible would."""
        given = dict(role)
        name, arguments = module_arguments(self.lab, self.cluster.name, given.pop("role"), given)
        (result,) = self.bench.modules.run((name, {**arguments, "_ansible_check_mode": False, "_ansible_diff": True}))
        return result

    def node(self, name):
        return self.admin.get(f"/api/v1/nodes/{name}")

    def affinity(self, daemon_set):
        found = self.admin.get(daemon_set)["spec"]["template"]["spec"]
        return found.get("affinity")


@pytest.fixture
def placed(bench):
    with contextlib.ExitStack() as stack:

        def place(layout, incident=None, **options):
            lab = stack.enter_context(bench.planted(layout, incident or layout))
            stack.enter_context(without_state(*lab.clusters))
            made = Place(bench, lab, **options)
            stack.callback(put_back, made)
            return made

        yield place


def put_back(place):
    """By the module itself; the nodes' cordon, too."""
    for mode in ("exclude", "include"):
        result = place.trial(state="absent", mode=mode, max_excluded=9, force=True, write_live=True).run()
        assert not result.get("failed"), result
    for name in place.nodes:
        spec, labels = place.node(name)["spec"], place.node(name)["metadata"]["labels"]
        assert not spec.get("unschedulable") and LABEL not in labels and spec.get("taints") == place.nodes[name]["spec"].get("taints"), name


def required(*expressions):
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}}}


@pytest.mark.xdist_group("operator")
def test_the_operators_installation(placed):
    place = placed("operator", UNFIT["operator"])
    before = place.admin.get(INSTALLATION)["spec"]
    trial = place.trial(nodes=[place.worker], taint=True)
    done = trial.repair()
    spec = place.admin.get(INSTALLATION)["spec"]
    assert spec["calicoNodeDaemonSet"] == {"spec": {"template": {"spec": {"affinity": required(OPT_OUT)}}}}
    # Typha's own anti-affinity would be replaced, so it stands in what is written.
    typha = spec["typhaDeployment"]["spec"]["template"]["spec"]["affinity"]
    assert typha["nodeAffinity"] == required(OPT_OUT)["nodeAffinity"]
    node = place.node(place.worker)
    assert node["metadata"]["labels"][LABEL] == "excluded" and node["spec"]["unschedulable"] is True
    assert {"key": LABEL, "value": "excluded", "effect": "NoExecute"}.items() <= node["spec"]["taints"][-1].items()
    assert (done["lost"], done["without"]) == ([place.worker], [place.worker])
    assert [each["target"] for each in done["needs_person"]] == [f"node {place.worker}"]
    undone = place.trial(state="absent").repair()
    assert undone["without"] == [] and LABEL not in place.node(place.worker)["metadata"]["labels"]
    assert place.admin.get(INSTALLATION)["spec"] == before


@pytest.mark.xdist_group("operator")
def test_every_refusal_writes_nothing(placed):
    place = placed("operator")
    control = next(name for name, each in place.nodes.items() if is_control_plane(each))
    for options, said in (
        ({"nodes": [place.gateway]}, "gateway of Submariner"),
        ({"nodes": [control]}, "control plane"),
        ({"nodes": ["no-such-node"]}, "there is no node no-such-node"),
        ({"nodes": [place.worker], "cordon": False}, "need the network"),
        ({"nodes": [place.worker], "max_excluded": 0}, "max_excluded is 0"),
        ({"nodes": [place.worker], "allow_disruption": False}, "allow_disruption"),
        ({"nodes": [place.worker], "label": "node-role.kubernetes.io/worker"}, "means something else"),
        ({"mode": "include", "nodes": [place.worker]}, "would be without calico-node"),
        ({}, "name the nodes"),
    ):
        refused, written = place.trial().writes(**options)
        assert refused["failed"] and said in refused["msg"] and written == [], (options, refused["msg"])


@pytest.mark.xdist_group("operator")
def test_the_copied_affinity_is_refused_where_it_stands(placed):
    place = placed("operator")
    path = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
    copied = required({"key": "node-role.kubernetes.io/worker", "operator": "Exists"})
    place.admin.merge_patch(path, {"spec": {"template": {"spec": {"affinity": copied}}}})
    try:
        refused, written = place.trial().writes(nodes=[place.worker])
    finally:
        place.admin.merge_patch(path, {"spec": {"template": {"spec": {"affinity": None}}}})
    assert refused["failed"] and "node-role.kubernetes.io/worker Exists" in refused["msg"] and written == []
    assert len([line for line in refused["simulation"] if "is not there: node-role.kubernetes.io/worker Exists" in line]) == 3


@pytest.mark.xdist_group("operator")
def test_opting_in_labels_every_node_before_the_affinity(placed):
    place = placed("operator", cordon=False)
    done = place.trial(mode="include").repair()
    assert [line.startswith("Node ") for line in done["lines"]] == [True] * 3 + [False]
    assert done["without"] == [] and done["needs_person"] == []
    assert {place.node(name)["metadata"]["labels"][LABEL] for name in place.nodes} == {"included"}
    affinity = place.admin.get(INSTALLATION)["spec"]["calicoNodeDaemonSet"]["spec"]["template"]["spec"]["affinity"]
    assert affinity == required({"key": LABEL, "operator": "In", "values": ["included"]})


@pytest.mark.xdist_group("rke2")
def test_rke2_keeps_it_in_its_values(placed):
    place = placed("rke2")
    done = place.trial(nodes=[place.worker]).repair()
    values = yaml.safe_load(place.admin.get(CHART_CONFIG)["spec"]["valuesContent"])
    assert values["installation"]["calicoNodeDaemonSet"]["spec"]["template"]["spec"]["affinity"] == required(OPT_OUT)
    assert place.node(place.worker)["metadata"]["labels"][LABEL] == "excluded" and done["lost"] == [place.worker]


@pytest.mark.xdist_group("helm")
def test_a_helm_release_needs_its_values_first(placed):
    place = placed("helm")
    told, written = place.trial().writes(nodes=[place.worker])
    assert not told["changed"] and written == [] and "Not labelled yet" in told["lines"][-1]
    values = yaml.safe_load(told["needs_person"][0]["paste"])
    assert values["installation"]["calicoNodeDaemonSet"]["spec"]["template"]["spec"]["affinity"] == required(OPT_OUT)
    done = place.trial(nodes=[place.worker], write_live=True).run()
    assert done["changed"] and place.node(place.worker)["metadata"]["labels"][LABEL] == "excluded"


@pytest.mark.parametrize("layout", [pytest.param("kubespray", marks=pytest.mark.exhaustive), "manifest"])
@pytest.mark.xdist_group("manifest")
def test_without_the_operator_the_workloads_themselves(placed, layout):
    place = placed(layout, UNFIT[layout])
    path = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
    done = place.trial(nodes=[place.worker]).repair()
    assert place.affinity(path) == required(OPT_OUT)
    assert place.node(place.worker)["metadata"]["labels"][LABEL] == "excluded"
    told = [each["target"] for each in done["needs_person"]] + [str(each) for each in done.get("warnings", [])]
    assert any("Kubespray" in each for each in told) is (layout == "kubespray")
    assert any("kubectl replace" in each for each in told) is (layout == "manifest")
    place.trial(state="absent").repair()
    assert place.affinity(path) is None


@pytest.mark.xdist_group("kubespray")
def test_kubespray_has_a_variable_for_opting_in(placed):
    place = placed("kubespray", cordon=False)
    done = place.trial(mode="include").run()
    pasted = yaml.safe_load(done["needs_person"][0]["paste"])
    template = "nodeSelector:\n        " + pasted["calico_ds_nodeselector"]
    assert yaml.safe_load(template)["nodeSelector"] == {"kubernetes.io/os": "linux", LABEL: "included"}


@pytest.mark.xdist_group("kubespray")
def test_what_is_handed_over_for_after_kubespray_can_be_run(placed):
    place = placed("kubespray", UNFIT["kubespray"])
    path = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
    done = place.trial(nodes=[place.worker], value="true", max_excluded=2, architectures=["amd64", "arm64"]).run()
    assert not done.get("failed"), done
    wanted = place.affinity(path)
    place.admin.merge_patch(path, {"spec": {"template": {"spec": {"affinity": None}}}})  # cluster.yml has made it anew
    (paste,) = [each["paste"] for each in done["needs_person"] if each["target"] == "the playbook that runs Kubespray"]
    ((role,),) = [play["roles"] for play in yaml.safe_load(paste)]
    again = place.again(role)
    assert again["changed"] and place.affinity(path) == wanted and "arm64" in str(wanted), again
    place.trial(state="absent", value="true", architectures=["amd64", "arm64"]).repair()


@pytest.mark.xdist_group("roks")
def test_roks_is_ibms(placed):
    place = placed("roks")
    refused, written = place.trial().writes(nodes=[place.worker])
    assert refused["failed"] and "IBM does not support" in refused["msg"] and written == []
