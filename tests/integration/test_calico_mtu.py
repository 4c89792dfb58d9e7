# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's MTU on clusters at rest, one of each kind of installation: what is written where, and that it is written once.

What comes of it is seen in ``test_calico_mtu_awake.py``.
"""

from __future__ import annotations

import contextlib
import json

import pytest
import yaml

from tests.integration.clusterset import playbook, recap
from tests.integration.pools_and_records import Trial, without_state
from tests.lab.client import ApiError

pytestmark = pytest.mark.lab

INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
CHART = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs/rke2-calico"
NODE = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
CONFIG = "/api/v1/namespaces/kube-system/configmaps/calico-config"
FELIX = "/apis/crd.projectcalico.org/v1/felixconfigurations/default"
GATEWAY = "/api/v1/nodes/alpha-gateway-1"
CLAMP = "submariner.io/tcp-clamp-mss"
ALLOWED = {"allow_disruption": True, "wait": False}


@pytest.fixture
def planted(bench):
    """Plants an incident of a layout, and gives cluster-1 and a way to try the remedy on it."""
    with contextlib.ExitStack() as stack:

        def plant(layout, incident):
            lab = stack.enter_context(bench.planted(layout, incident))
            stack.enter_context(without_state(*lab.clusters))
            cluster = lab.cluster("cluster-1")
            stack.enter_context(kept(cluster))
            return cluster, lambda **options: Trial(bench, cluster, "calico_mtu", **{**ALLOWED, **options})

        yield plant


@contextlib.contextmanager
def kept(cluster):
    """Afterwards what the remedy may write is as it was when it was planted."""
    admin = cluster.admin()
    before = {path: found for path in (INSTALLATION, CHART, NODE, CONFIG, FELIX, GATEWAY) if (found := find(admin, path)) is not None}
    try:
        yield
    finally:
        for path, obj in before.items():
            version = admin.get(path)["metadata"]["resourceVersion"]
            admin.replace(path, {**obj, "metadata": {**obj["metadata"], "resourceVersion": version}})


def find(admin, path):
    try:
        return admin.get(path)
    except ApiError as error:
        assert error.status == 404
        return None


def get(cluster, path):
    return cluster.admin().get(path)


def environment(cluster):
    spec = get(cluster, NODE)["spec"]["template"]["spec"]
    return {entry["name"]: entry.get("value") for part in ("initContainers", "containers") for each in spec[part] for entry in each.get("env", [])}


def mtu_findings(bench, cluster):
    (result,) = bench.modules.run(("diagnose", {"kubeconfig": str(cluster.kubeconfig), "cluster": cluster.name, "timeout": 300}))
    return {each["id"]: each for each in result["findings"] if each["id"].startswith(("mtu-", "tcp-")) and each["verdict"] == "fail"}


@pytest.mark.xdist_group("operator")
def test_operator(planted, bench):
    cluster, trial = planted("operator", "004-operator-mtu-too-large")
    remedy = mtu_findings(bench, cluster)["mtu-too-large"]["remedy"]
    assert (remedy["role"], remedy["variables"], remedy["disruptive"]) == ("fathom.submariner.calico_mtu", {"calico_mtu_mtu": 1450}, True)
    refused, written = trial(mtu="1450", allow_disruption=False).writes()
    assert refused["failed"] and "calico-node starts anew on all 3 nodes" in refused["msg"] and "allow_disruption" in refused["msg"] and written == []
    too_large, written = trial(mtu="1500").writes()
    assert too_large["failed"] and written == []
    done = trial(mtu="auto", across_clusters=False).repair()
    assert (done["mtu"], done["previous_mtu"]) == (1450, 1500)
    assert get(cluster, INSTALLATION)["spec"]["calicoNetwork"]["mtu"] == 1450
    lines = [each["line"] for each in done["budget"]]
    assert lines[0].startswith("link between the nodes: 1500 (") and "the kernel refused 1500 and keeps 1450" in lines[0]
    assert lines[1].startswith("VXLAN: 1500 - 50 = 1450") and any(line.startswith("libreswan cable: 1500 - 120 = 1380") for line in lines)
    assert {(each["namespace"], each["kind"], each["name"]): each["way"] for each in done["outdated"]}["shop", "Deployment", "storefront"] == "rollout restart"
    assert done["outdated_pods"] >= len(done["outdated"]) == done["outdated_workloads"]


@pytest.mark.xdist_group("operator")
def test_operator_across_clusters_and_back_to_calico(planted):
    cluster, trial = planted("operator", "operator")
    nothing, written = trial(mtu="0").writes()
    assert (nothing["changed"], nothing["mtu"], written) == (False, 0, [])
    assert trial(mtu="auto").repair()["mtu"] == 1380
    assert trial(mtu=0).repair()["disruptive"]
    assert "mtu" not in get(cluster, INSTALLATION)["spec"]["calicoNetwork"]


@pytest.mark.xdist_group("operator")
def test_clamp(planted, bench):
    cluster, trial = planted("operator", "mtu-clamp-too-large")
    remedy = mtu_findings(bench, cluster)["tcp-clamp-mss"]["remedy"]
    assert (remedy["role"], remedy["variables"]) == ("fathom.submariner.calico_mtu", {"calico_mtu_tcp_clamp_mss": 1340})
    done = trial(tcp_clamp_mss="auto", allow_disruption=False).repair()
    assert (done["mtu"], done["tcp_clamp_mss"], done["restart_route_agents"]) == (None, 1340, ["alpha-gateway-1"])
    assert get(cluster, GATEWAY)["metadata"]["annotations"][CLAMP] == "1340"
    assert CLAMP not in get(cluster, "/api/v1/nodes/alpha-worker-1")["metadata"].get("annotations", {})
    assert "tcp-clamp-mss" not in mtu_findings(bench, cluster)
    assert trial(tcp_clamp_mss=1340).run()["restart_route_agents"] == ["alpha-gateway-1"], "its agent still runs with the former one"
    trial(tcp_clamp_mss=0).repair()
    assert CLAMP not in get(cluster, GATEWAY)["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Nothing is asked for"),
        ({"mtu": "", "tcp_clamp_mss": ""}, "Nothing is asked for"),
        ({"mtu": "14OO"}, "mtu is '14OO'"),
        ({"mtu": "1400", "restart_workloads": "all"}, "needs wait=true"),
        ({"restart_workloads": "listed", "wait": True}, "workloads names none"),
        ({"restart_workloads": "listed", "wait": True, "workloads": ["shop/storefront"]}, "NAMESPACE/KIND/NAME"),
        ({"mtu": "1500"}, "does not fit the links between the nodes, at most 1450 does"),
        ({"tcp_clamp_mss": 1341}, "at most 1340 do"),
        ({"mtu": "auto", "link_mtu": "500"}, "link_mtu"),
    ],
)
@pytest.mark.xdist_group("operator")
def test_what_cannot_be_right_is_refused_before_anything_is_written(planted, options, said):
    _cluster, trial = planted("operator", "operator")
    result, written = trial(**options).writes()
    assert result["failed"] and said in result["msg"] and written == [], result


@pytest.mark.xdist_group("operator")
def test_the_role_takes_the_answers_of_a_survey(bench, tmp_path):
    """All of them texts, "" for what was not answered."""
    book = tmp_path / "mtu.yml"
    play = {"name": "MTU", "hosts": "cluster-1", "gather_facts": False, "connection": "local", "roles": [{"role": "fathom.submariner.calico_mtu"}]}
    book.write_text(json.dumps([play]), encoding="utf-8")
    answers = {"calico_mtu_mtu": "auto", "calico_mtu_across_clusters": "false", "calico_mtu_link_mtu": "", "calico_mtu_tcp_clamp_mss": "auto"}
    answers |= {"calico_mtu_restart_workloads": "", "calico_mtu_cable_driver": "", "submariner_allow_disruption": "true"}
    with bench.planted("operator", "operator") as lab:
        done = playbook(lab, str(book), "--check", "-e", json.dumps(answers))
    assert recap(done)["cluster-1"]["failed"] == 0 and recap(done)["cluster-1"]["changed"] == 1, done.stdout
    assert "MTU for pods: 1450" in done.stdout and "headers of IP and TCP: 1380 - 40 = 1340" in done.stdout
    assert "storefront" in done.stdout and "alpha-gateway-1" in done.stdout


@pytest.mark.xdist_group("rke2")
def test_rke2(planted):
    cluster, trial = planted("rke2", "004-rke2-mtu-too-large")
    before = yaml.safe_load(get(cluster, CHART)["spec"]["valuesContent"])
    trial(mtu="1450").repair()
    after = yaml.safe_load(get(cluster, CHART)["spec"]["valuesContent"])
    assert after["installation"]["calicoNetwork"].pop("mtu") == 1450
    assert before["installation"]["calicoNetwork"].pop("mtu") == 1500 and before == after
    assert get(cluster, INSTALLATION)["spec"]["calicoNetwork"]["mtu"] == 1450


@pytest.mark.xdist_group("helm")
def test_helm_is_for_a_person_unless_live_objects_may_be_written(planted):
    cluster, trial = planted("helm", "004-helm-mtu-too-large")
    told, written = trial(mtu="1450").writes()
    assert (told.get("failed", False), told["changed"], written) == (False, False, []), told
    assert "mtu: 1450" in told["needs_person"][0]["paste"] and told["disruptive"] == []
    trial(mtu="1450", write_live=True).repair()
    assert get(cluster, INSTALLATION)["spec"]["calicoNetwork"]["mtu"] == 1450


@pytest.mark.xdist_group("manifest")
def test_manifest(planted, bench):
    cluster, trial = planted("manifest", "004-manifest-mtu-too-large")
    done = trial(mtu="1450").repair()
    assert get(cluster, CONFIG)["data"]["veth_mtu"] == "1450"
    assert get(cluster, NODE)["spec"]["template"]["metadata"]["annotations"] == {"submariner.fathom-ansible.github.io/mtu": "1450"}
    assert [each["after_header"].split(": ")[1] for each in done["diff"]] == ["ConfigMap kube-system/calico-config", "DaemonSet kube-system/calico-node"]
    assert "mtu-too-large" not in mtu_findings(bench, cluster)


@pytest.mark.xdist_group("manifest")
def test_manifest_where_felix_configuration_says_something_else(planted):
    cluster, trial = planted("manifest", "mtu-felix-env-precedence")
    told = trial(mtu="1450").run(check=True)
    assert told["overrides"] == [{"where": "FelixConfiguration default", "field": "spec.vxlanMTU", "value": "1400", "wins": False}]
    trial(mtu="1450", correct_overrides=True).repair()
    assert "vxlanMTU" not in get(cluster, FELIX)["spec"]


@pytest.mark.xdist_group("kubespray")
def test_kubespray(planted, bench):
    cluster, trial = planted("kubespray", "004-kubespray-mtu-string")
    done = trial(mtu="1450").repair()
    found = environment(cluster)
    assert {found[name] for name in ("CNI_MTU", "FELIX_VXLANMTU", "FELIX_IPINIPMTU", "FELIX_WIREGUARDMTU")} == {"1450"}
    assert json.loads(found["CNI_NETWORK_CONFIG"])["plugins"][0]["mtu"] == 1450
    assert found["FELIX_IPV6SUPPORT"] == "false" and found["CNI_CONF_NAME"] == "10-calico.conflist"
    (person,) = done["needs_person"]
    assert yaml.safe_load(person["paste"]) == {"calico_mtu": 1450} and "calico_veth_mtu" in person["text"]
    assert "mtu-too-large" not in mtu_findings(bench, cluster)


@pytest.mark.xdist_group("kubespray")
def test_kubespray_with_pods_larger_than_the_tunnel(planted, bench):
    cluster, trial = planted("kubespray", "mtu-veth-bigger-than-tunnel")
    remedy = mtu_findings(bench, cluster)["mtu-pod-exceeds-tunnel"]["remedy"]
    assert remedy["variables"] == {"calico_mtu_mtu": 1430}
    trial(mtu=remedy["variables"]["calico_mtu_mtu"]).repair()
    assert not {"mtu-pod-exceeds-tunnel", "mtu-setting-ignored"} & set(mtu_findings(bench, cluster))


@pytest.mark.xdist_group("roks")
def test_roks(planted):
    cluster, trial = planted("roks", "004-roks-jumbo-mtu")
    refused, written = trial(mtu="auto").writes()
    assert refused["failed"] and "IBM supports an MTU of 1450" in refused["msg"] and written == []
    done = trial(mtu="auto", across_clusters=False).repair()
    assert done["mtu"] == 1480 and "Reboot or replace the workers" in done["needs_person"][0]["text"]
    assert get(cluster, INSTALLATION)["spec"]["calicoNetwork"]["mtu"] == 1480
