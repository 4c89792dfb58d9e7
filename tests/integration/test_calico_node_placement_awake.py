# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where calico-node runs, changed on clusters that react: the simulation against the real DaemonSet controller, and unfit nodes left out and taken back in."""

from __future__ import annotations

import random
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import exclusions
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_kubernetes import daemon_set as project_daemon_set
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_nodes import node as project_node
from tests.integration.modules import Modules
from tests.integration.pools_and_records import Trial

pytestmark = pytest.mark.lab

LABEL = "submariner.fathom-ansible.github.io/calico-node"
PODS = "/api/v1/namespaces/calico-system/pods"
DAEMON_SETS = "/apis/apps/v1/namespaces/default/daemonsets"
WORKER = "alpha-worker-1"
SECONDS = 60.0


@pytest.fixture(scope="module")
def modules():
    made = Modules()
    yield made
    made.close()


class Bench:
    """What ``Trial`` wants."""

    def __init__(self, modules):
        self.modules = modules


def trial(modules, lab, **options):
    usual = {"allow_disruption": True, "cordon": True, "wait_timeout": 120}
    return Trial(Bench(modules), lab.cluster("cluster-1"), "calico_node_placement", **{**usual, **options})


def findings(modules, lab):
    (result,) = modules.run(("diagnose", {"kubeconfig": str(lab.cluster("cluster-1").kubeconfig), "cluster": "cluster-1", "timeout": 300}))
    ours = ("calico-rollout", "calico-node", "calico-operator", "gateway-without")
    return {each["id"]: each for each in result["findings"] if each["id"].startswith(ours)}


def where(admin):
    """Nodes that have a pod of calico-node, and of these the ones where it is ready."""
    pods = admin.list(PODS, labelSelector="k8s-app=calico-node")
    ready = [each for each in pods if any(entry["type"] == "Ready" and entry["status"] == "True" for entry in each["status"].get("conditions", []))]
    return {each["spec"]["nodeName"] for each in pods}, {each["spec"]["nodeName"] for each in ready}


def changes(result):
    """Which fields of which objects are written; what the rollout that follows does to a Node is in both of its states."""
    return [(each["after_header"], missing_from(each["before"], each["after"])) for each in result["diff"]]


def done_once(told, again):
    """A second run writes nothing: not even a try."""
    result, written = again
    assert not told.get("failed"), told
    assert (result.get("failed", False), result["changed"], written) == (False, False, []), (result, written)


@pytest.mark.xdist_group("operator, awake")
def test_an_unfit_node_is_left_out_as_the_finding_says(awake_labs, modules):
    with awake_labs.planted("operator", "003-operator-module-missing") as lab:
        remedy = findings(modules, lab)["calico-rollout-stalled"]["remedy"]
        assert remedy["role"] == "fathom.submariner.calico_node_placement"
        options = {name.removeprefix("calico_node_placement_"): value for name, value in remedy["variables"].items()}
        told = trial(modules, lab, **options).run(check=True)
        done = trial(modules, lab, **options).run()
        assert not done.get("failed"), done
        assert (changes(done), done["lost"]) == (changes(told), [WORKER])
        admin = lab.cluster("cluster-1").admin()
        others = {each["metadata"]["name"] for each in admin.list("/api/v1/nodes")} - {WORKER}
        assert where(admin) == (others, others)
        left = findings(modules, lab)
        assert "calico-rollout-stalled" not in left and "calico-operator-degraded" not in left
        assert not [each for each in left.values() if each["severity"] in ("error", "blocker")], left
        done_once(done, trial(modules, lab, **options).writes())
        # The node is as unfit as it was: bringing it back fails, and leaves it out.
        failed = trial(modules, lab, nodes=[WORKER], state="absent", cordon=False, wait_timeout=75).run()
        assert failed["failed"] and f"not ready on {WORKER}" in failed["msg"], failed
        assert f"Taken back: Node {WORKER}: labelled {LABEL}=excluded" in failed["msg"]
        assert admin.get(f"/api/v1/nodes/{WORKER}")["metadata"]["labels"][LABEL] == "excluded"


@pytest.mark.xdist_group("operator, awake")
@pytest.mark.exhaustive
def test_there_and_back_on_a_healthy_cluster(awake_labs, modules):
    with awake_labs.planted("operator") as lab:
        admin = lab.cluster("cluster-1").admin()
        before = admin.get("/apis/operator.tigera.io/v1/installations/default")["spec"]
        everywhere = where(admin)[0]
        done = trial(modules, lab, nodes=[WORKER]).run()
        assert not done.get("failed"), done
        assert where(admin)[0] == everywhere - {WORKER}
        back = trial(modules, lab, state="absent").run()
        assert not back.get("failed"), back
        assert back["gained"] == [WORKER] and where(admin) == (everywhere, everywhere)
        assert admin.get("/apis/operator.tigera.io/v1/installations/default")["spec"] == before
        node = admin.get(f"/api/v1/nodes/{WORKER}")
        assert LABEL not in node["metadata"]["labels"] and not node["spec"].get("unschedulable")
        done_once(back, trial(modules, lab, state="absent").writes())


@pytest.mark.xdist_group("operator, awake")
@pytest.mark.exhaustive
def test_an_opt_in_and_new_nodes(awake_labs, modules):
    with awake_labs.planted("operator") as lab:
        admin = lab.cluster("cluster-1").admin()
        everywhere = where(admin)[0]
        done = trial(modules, lab, mode="include").run()
        assert not done.get("failed") and done["without"] == [], done
        assert where(admin) == (everywhere, everywhere)
        out = trial(modules, lab, mode="include", state="absent", nodes=[WORKER], cordon=False).run()
        assert out["failed"] and "need the network" in out["msg"]
        admin.merge_patch(f"/api/v1/nodes/{WORKER}", {"spec": {"unschedulable": True}})
        out = trial(modules, lab, mode="include", state="absent", nodes=[WORKER]).run()
        assert not out.get("failed") and where(admin)[0] == everywhere - {WORKER}, out
        come = trial(modules, lab, mode="include", nodes=[WORKER]).run()
        assert not come.get("failed") and come["gained"] == [WORKER], come
        assert where(admin) == (everywhere, everywhere)


@pytest.mark.xdist_group("rke2, awake")
@pytest.mark.exhaustive
def test_rke2_leaves_it_to_helm(awake_labs, modules):
    with awake_labs.planted("rke2") as lab:
        admin = lab.cluster("cluster-1").admin()
        nodes = admin.list("/api/v1/nodes")
        records = [project_node(each) for each in nodes]
        worker = next(each.ref.name for each in records if not each.is_gateway and not each.is_control_plane)
        done = trial(modules, lab, nodes=[worker]).run()
        assert not done.get("failed"), done
        assert where(admin)[0] == {each["metadata"]["name"] for each in nodes} - {worker}
        done_once(done, trial(modules, lab, nodes=[worker]).writes())


def drawn(source):
    """A required node affinity as the API server takes it."""
    keys = ["kubernetes.io/hostname", "node-role.kubernetes.io/control-plane", "submariner.io/gateway", "rank", "absent"]
    values = ["true", "", "1", "2", "10", WORKER]

    def expression():
        operator = source.choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])
        count = {"Exists": 0, "DoesNotExist": 0, "Gt": 1, "Lt": 1}.get(operator, source.randint(1, 3))
        chosen = [source.choice(["1", "2", "5"]) if operator in ("Gt", "Lt") else source.choice(values) for dummy in range(count)]
        return {"key": source.choice(keys), "operator": operator, **({"values": chosen} if chosen else {})}

    def term():
        fields = [{"key": "metadata.name", "operator": source.choice(["In", "NotIn"]), "values": [WORKER]}] if source.random() < 0.25 else []
        return {"matchExpressions": [expression() for dummy in range(source.randint(0, 2))], **({"matchFields": fields} if fields else {})}

    return [term() for dummy in range(source.randint(1, 3))]


@pytest.mark.xdist_group("operator, awake")
@pytest.mark.exhaustive
def test_the_simulation_decides_as_the_daemon_set_controller_does(awake_labs):
    source = random.Random(11)
    with awake_labs.planted("operator") as lab:
        client = lab.cluster("cluster-1").client("planter")
        for number, each in enumerate(client.list("/api/v1/nodes")):
            client.merge_patch(f"/api/v1/nodes/{each['metadata']['name']}", {"metadata": {"labels": {"rank": str(number + 1)}}})
        for number in range(40):
            affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": drawn(source)}}}
            selector = source.choice([{}, {}, {}, {"rank": "2"}])
            tolerations = source.choice([[{"operator": "Exists"}], [{"key": "other", "operator": "Exists"}]])
            labels = {"drawn": f"d{number}"}
            spec = {"affinity": affinity, "nodeSelector": selector, "tolerations": tolerations, "containers": [{"name": "c", "image": "example.com/c:1"}]}
            body = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}
            client.create(DAEMON_SETS, {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": f"d{number}"}, "spec": body})
        nodes = [project_node(each) for each in client.list("/api/v1/nodes")]
        began = time.monotonic()
        while True:
            made = {each["metadata"]["name"]: each for each in client.list(DAEMON_SETS)}
            waiting = [name for name, each in made.items() if each.get("status", {}).get("observedGeneration") != each["metadata"]["generation"]]
            if not waiting or time.monotonic() - began > SECONDS:
                break
            time.sleep(0.2)
        assert not waiting
        wanted = {}
        for pod in client.list("/api/v1/namespaces/default/pods", labelSelector="drawn"):
            terms = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
            wanted.setdefault(pod["metadata"]["labels"]["drawn"], set()).add(terms[0]["matchFields"][0]["values"][0])
        told = {}
        for name, each in made.items():
            out = {entry.node.ref.name for entry in exclusions(project_daemon_set(each), nodes)}
            told[name] = {node.ref.name for node in nodes} - out
        assert {name: chosen for name, chosen in told.items() if chosen} == wanted
        assert {name: len(chosen) for name, chosen in told.items()} == {name: each["status"]["desiredNumberScheduled"] for name, each in made.items()}
        assert 10 < len(wanted) < 40
