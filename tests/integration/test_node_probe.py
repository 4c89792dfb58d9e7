# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probing from pods on a cluster at rest: what is written, that it goes again, and that the pods' program finds what modules on hosts find."""

from __future__ import annotations

import gzip
import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._probe_archive import program
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_objects as objects
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._probe_pods import report_of
from tests.integration.clusterset import playbook
from tests.integration.pools_and_records import Trial, without_state
from tests.integration.probe_pods import READY, SELECTOR, ProbePods
from tests.netns import shapes
from tests.netns.asking import PATIENCE, contrasts, paths

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("roks")]

PORT = 28470


@pytest.fixture
def lab(bench):
    with bench.planted("roks", "roks") as found:
        yield found


@pytest.fixture
def cluster(lab):
    with without_state(lab.cluster("cluster-1")):
        yield lab.cluster("cluster-1")


def nodes_of(cluster):
    """Names of two nodes, and their addresses."""
    found = {}
    for node in cluster.admin().list("/api/v1/nodes")[:2]:
        found[node["metadata"]["name"]] = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
    return found


def targets(nodes):
    """Each node probes the other."""
    found = {}
    for node, own in nodes.items():
        others = [{"address": address, "name": name, "path": "underlay", "port": PORT} for name, address in nodes.items() if name != node]
        mtu = [{**each, "protocols": ["icmp", "udp"]} for each in others]
        exchanges = [{**each, "protocols": ["tcp", "udp"], "sizes": ["small", "large"]} for each in others]
        found[node] = {"path_mtu": mtu, "path_probe": exchanges, "answers_on": [own]}
    return found


def canned(node, cluster="cluster-1", **more):
    document = {"apiVersion": "fathom.submariner/v1", "kind": "NodeProbes", "metadata": {"name": node, "cluster": cluster}, "origin": "pod"}
    report = {"apiVersion": "fathom.submariner/v1", "kind": "PodReport", "documents": [document], "lines": ["all is open"], "notes": [], **more}
    return json.dumps(report, separators=(",", ":")) + "\n"


def left(cluster):
    """Everything of ours that is there."""
    admin = cluster.admin()
    kinds = ("/apis/batch/v1/jobs", "/api/v1/configmaps", "/api/v1/pods", "/api/v1/namespaces")
    return [each["metadata"]["name"] for kind in kinds for each in admin.list(kind, labelSelector=SELECTOR) if "deletionTimestamp" not in each["metadata"]]


def trial(bench, cluster, **options):
    given = {"image": "registry.invalid/python:3", "wait_timeout": 60, **options}
    return Trial(bench, cluster, "node_probe", **given)


@pytest.mark.lab
def test_what_is_made_is_foretold_and_gone_afterwards(bench, cluster, tmp_path):
    nodes = nodes_of(cluster)
    with ProbePods(cluster, tmp_path, lambda node, folder: (canned(node), READY)) as pods:
        wanted = trial(bench, cluster, targets=targets(nodes), image_pull_secrets=["pull"])
        told, tried = wanted.writes(check=True)
        assert not told.get("failed"), told
        assert told["changed"] and told["preconditions"] and all("dryRun=All" in each for each in tried), tried
        assert left(cluster) == [] and pods.jobs == []
        done, written = wanted.writes()
        assert not done.get("failed"), done
        assert done["lines"] == told["lines"] and [each["after_header"] for each in done["diff"]] == [each["after_header"] for each in told["diff"]]
        assert {each["metadata"]["name"] for each in done["documents"]} == set(nodes) and done["missing"] == {}
        assert {each["origin"] for each in done["documents"]} == {"pod"}
        assert left(cluster) == []
    real = [each for each in written if "dryRun=All" not in each and "fathom-submariner-probe" in each]
    assert [each.split(" ")[0] for each in real] == ["create", "create", "delete", "delete", "delete"], "and the namespace itself"
    (job,) = pods.jobs
    assert {pod["spec"]["nodeName"] for pod in pods.pods} == set(nodes)
    for pod in pods.pods:
        assert pod["spec"]["hostNetwork"] and not pod["spec"]["automountServiceAccountToken"]
        assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["probe", "scratch"], "no token was mounted"
        assert pod["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW"]}
    assert job["spec"]["activeDeadlineSeconds"] == 120 and job["spec"]["ttlSecondsAfterFinished"] == 60


@pytest.mark.lab
def test_in_a_namespace_of_the_users_the_diff_is_the_servers(bench, cluster, tmp_path):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    planter = cluster.client("planter")
    planter.create("/api/v1/namespaces", space)
    try:
        with ProbePods(cluster, tmp_path, lambda node, folder: (canned(node), READY)):
            wanted = trial(bench, cluster, targets=targets(nodes_of(cluster)), namespace="mine")
            told, tried = wanted.writes(check=True)
            assert not told.get("failed"), told
            assert [each for each in tried if "jobs" in each and "dryRun=All" in each] and [each for each in tried if "configmaps" in each], tried
            done = wanted.run()
            assert done["diff"][:2] == told["diff"][:2] and done["lines"] == told["lines"], (told["diff"], done["diff"])
            assert left(cluster) == []
        assert "deletionTimestamp" not in planter.get("/api/v1/namespaces/mine")["metadata"]
    finally:
        planter.delete("/api/v1/namespaces/mine")


@pytest.mark.lab
def test_what_a_killed_run_left_goes_and_then_nothing_is_written(bench, cluster, tmp_path):
    nodes = nodes_of(cluster)
    kept = []

    def kill(node, folder):
        kept.append((node, folder))
        return "", {"phase": "Running"}

    with ProbePods(cluster, tmp_path, kill) as pods:
        timed = trial(bench, cluster, targets=targets(nodes), wait_timeout=3).run()
        assert timed["failed"] and "no probe pod has reported" in timed["msg"] and "probing" in timed["msg"], timed
        assert left(cluster) == [], "also a failed run cleans up"
        planter = cluster.client("planter")
        label = dict(each.split("=") for each in SELECTOR.split(","))
        planter.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "leftover", "labels": label}})
        (job, *_) = pods.jobs
        body = {key: value for key, value in job["spec"].items() if key != "selector"}
        body["template"] = {**body["template"], "metadata": {"labels": label}}
        metadata = {"name": "node-probe", "labels": label}
        planter.create("/apis/batch/v1/namespaces/leftover/jobs", {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": body})
        absent = trial(bench, cluster, state="absent", namespace="leftover")
        told = absent.run(check=True)
        done = absent.run()
        assert done["lines"] == told["lines"] == [
            "Remove Job leftover/node-probe that an earlier run left behind.",
            "Remove namespace leftover that an earlier run left behind.",
        ]
        assert done["diff"] == told["diff"] and left(cluster) == []
        again, written = absent.writes()
        assert (again["changed"], again["lines"], written) == (False, [], [])


@pytest.mark.lab
def test_a_refusal_of_pods_is_told(bench, cluster, tmp_path):
    planter = cluster.client("planter")
    said = 'pods "node-probe-0-" is forbidden: unable to validate against any security context constraint: [provider "restricted-v2": Forbidden]'

    def deny(job):
        namespace = job["metadata"]["namespace"]
        involved = {"kind": "Job", "namespace": namespace, "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
        event = {"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "FailedCreate", "message": f"Error creating: {said}"}
        planter.create(f"/api/v1/namespaces/{namespace}/events", {**event, "metadata": {"name": "denied"}, "involvedObject": involved})

    class Denying(ProbePods):
        def _serve(self, job):
            self._served.add(job["metadata"]["uid"])
            deny(job)

    with Denying(cluster, tmp_path, lambda node, folder: ("", {})):
        result = trial(bench, cluster, targets=targets(nodes_of(cluster)), wait_timeout=4).run()
    assert result["failed"] and said in result["msg"] and "oc adm policy add-scc-to-user privileged -z default" in result["msg"], result
    assert left(cluster) == []


@pytest.mark.lab
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"targets": {}}, "targets is empty"),
        ({"targets": {"a": {"path_mtu": [{"address": "nowhere"}]}}}, "targets: those of a"),
        ({"targets": {"no-such-node": {}}}, "none of the nodes in targets"),
        ({"wait": False}, "wait=false"),
        ({"port": 0}, "port is 0"),
        ({"image": ""}, "image is empty"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_written(bench, cluster, options, said):
    result, written = trial(bench, cluster, **{"targets": {"a": {}}, **options}).writes()
    assert result["failed"] and said in result["msg"] and written == [], (result, written)


def start_pod(host, node, folder):
    """What the pod on a node does: the ConfigMap's program, with the template's command, on the node's network."""
    variables = [f"NODE_NAME={node}", f"DONE_FILE={folder / f'done-{node}'}"]
    return host.start("env", *variables, "python3", "-I", str(folder / objects.PROGRAM), str(folder / objects.ORDER))


@pytest.fixture
def line(world):
    """Two nodes, and between them a link that loses what is large."""
    found = shapes.line(world, (1500, 1400, 1500))
    shapes.no_icmp_errors(found.routers[0])
    return found


def require_same(line, node, asked, found):
    """What the pod on a node has found is what the modules find there."""
    same = paths(line.a, *asked["path_mtu"])
    compared = ("answer", "mtu", "lost", "next_hop_mtu", "reporter", "link_mtu", "device", "family", "why")
    theirs = {(each["target"], each["protocol"]): each for each in found["NodeProbes"]["paths"]}
    assert {key: [each[name] for name in compared] for key, each in theirs.items()} == {key: [each[name] for name in compared] for key, each in same.items()}
    assert {(each["answer"], each["mtu"]) for each in theirs.values()} == {("black_hole", 1400)}
    exchanged = contrasts(line.a, *asked["path_probe"])
    answers = {(each["protocol"], each["size"]): (each["answer"], each["direction"]) for each in found["NodeProbes"]["contrasts"]}
    assert answers == {key: (each["answer"], each["direction"]) for key, each in exchanged.items() if key[0]}
    assert answers["tcp", "small"][0] == answers["udp", "small"][0] == "open" and found["NodeProbes"]["origin"] == "pod"
    module = line.a.module("node_info", {"name": node})["host"]
    assert [(each["name"], each["mtu"]) for each in found["NodeInfo"]["links"]] == [(each["name"], each["mtu"]) for each in module["links"]]
    assert "firewall" in {each["what"] for each in found["NodeInfo"]["unseen"]} and found["NodeInfo"]["system"]["distribution"] == ""


@pytest.mark.netns
def test_the_program_finds_what_the_modules_find(line, tmp_path):
    addresses = {"one": line.address(line.a), "two": line.address(line.b)}
    shared = {"timeout": PATIENCE, "retries": 2, "workers": 8}
    settings = {"cluster": "c", "cluster_cidrs": [], "port": PORT, "lifetime": 100, "gather": 30.0, "mtu": shared, "exchanges": shared}
    asked = targets(addresses)
    (tmp_path / objects.PROGRAM).write_bytes(program())
    (tmp_path / objects.ORDER).write_bytes(gzip.compress(json.dumps(objects.order(asked, host_network=True, **settings)).encode()))
    started = {node: start_pod(host, node, tmp_path) for node, host in (("one", line.a), ("two", line.b))}
    logs = {node: process.stdout.readline() for node, process in started.items()}
    found = {each["kind"]: each for each in report_of(logs["one"], "one")["documents"]}
    # The pod on the other node still answers, as the modules' responder would.
    require_same(line, "one", asked["one"], found)
    for node, process in started.items():
        assert (tmp_path / f"done-{node}").exists()
        process.terminate()
        process.wait(20)
    assert not line.b.run("ss", "-Hlnut", "sport", "=", f":{PORT}").stdout, "a pod ends at once when it is removed"


@pytest.mark.lab
@pytest.mark.netns
def test_the_playbook_keeps_what_the_pods_found(lab, cluster, line, tmp_path):
    one, two = nodes_of(cluster)
    hosts = {one: line.a, two: line.b}
    asked = targets({one: line.address(line.a), two: line.address(line.b)})
    running = {}

    def answer(node, folder):
        running[node] = start_pod(hosts[node], node, folder)
        return running[node].stdout.readline(), READY

    variables = {"submariner_probe_image": "registry.invalid/python:3", "node_probe_targets": asked, "node_probe_timeout": PATIENCE}
    given = tmp_path / "given.json"
    given.write_text(json.dumps({**variables, "node_probe_wait_timeout": 100, "submariner_node_reports": str(tmp_path / "reports")}), encoding="utf-8")
    (tmp_path / "files").mkdir()
    with ProbePods(cluster, tmp_path / "files", answer) as pods:
        done = playbook(lab, "node_probe", "-e", f"@{given}", "--limit", cluster.name)
        assert done.returncode == 0, done.stdout
        assert len(pods.pods) == 2 and left(cluster) == []
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((tmp_path / "reports").iterdir())]
    assert {(each["metadata"]["name"], each["metadata"]["cluster"]) for each in documents} == {(one, cluster.name), (two, cluster.name)}
    require_same(line, one, asked[one], {each["kind"]: each for each in documents if each["metadata"]["name"] == one})
    for process in running.values():
        process.terminate()
        process.wait(20)
