# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incident files: what they may say and what is said to who wrote one wrong."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path

import pytest

from tests.lab import incident, specs, templates
from tests.lab.conditions import Condition, unmet
from tests.lab.info import ClusterInfo, LabError, LabInfo

MINIMAL = """
title: nothing is wrong
clusters:
  - {name: cluster-1, pod_cidr: 10.46.0.0/16, service_cidr: 10.45.0.0/16}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(incident, "INCIDENTS", tmp_path)
    made = tmp_path / "900"
    made.mkdir()
    (made / "incident.yml").write_text(MINIMAL)
    return made


def lab_with(folder: Path, *names: str) -> LabInfo:
    clusters = (
        ClusterInfo(each, folder / each, f"https://127.0.0.1:{n}", f"10.{n}.0.0/16", "10.45.0.0/16", "v1.27.9", "0.16.3") for n, each in enumerate(names, 10)
    )
    return LabInfo(dir=folder, clusters=tuple(clusters))


def test_minimal_incident_gets_defaults(folder: Path) -> None:
    loaded = incident.load("900")
    cluster = loaded.clusters[0]
    assert (cluster.kubernetes_version, cluster.submariner_version) == (specs.DEFAULT_KUBERNETES, specs.DEFAULT_SUBMARINER)
    assert [each.ip for each in cluster.nodes] == ["192.168.46.11"]
    assert (loaded.crds, loaded.stand_ins, loaded.steps, loaded.ready, loaded.stages) == ((), (), (), (), None)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (MINIMAL.replace("10.46.0.0/16", "10.46.0.0/33"), "10.46.0.0/33"),
        (MINIMAL.replace("10.46.0.0/16", "10.46.0.1/16"), "has host bits set"),
        (MINIMAL.replace("pod_cidr", "podcidr"), "podcidr"),
        (MINIMAL.replace("title", "name"), "unknown key name"),
        (MINIMAL.replace("title: nothing is wrong", ""), "'title'"),
        (MINIMAL + "steps: [{run: subctl show all}]", "subctl show all"),
        (MINIMAL + "ready: [{cluster: cluster-1, path: /api}]", "expect"),
        ("title: [", "ParserError"),
    ],
)
def test_wrong_incident_is_named(folder: Path, content: str, complaint: str) -> None:
    (folder / "incident.yml").write_text(content)
    with pytest.raises(LabError) as error:
        incident.load("900")
    assert str(folder / "incident.yml") in str(error.value)
    assert complaint in str(error.value)


def test_unknown_incident_lists_the_known(folder: Path) -> None:
    with pytest.raises(LabError, match="no incident '901'; known are: 900"):
        incident.load("901")


def test_objects_come_in_order_and_with_their_clusters_variables(folder: Path) -> None:
    for name, text in {
        "common/20-later.yaml": "{kind: A, cidr: '${pod_cidr}', other: '${cluster_2_pod_cidr}'}\n---\n",
        "common/10-first.yaml": "{kind: B, price: $$5}",
        "cluster-2/00-own.yaml": "{kind: C, server: ${server_port}}",
    }.items():
        path = folder / "objects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    lab = lab_with(folder, "cluster-1", "cluster-2")
    first, second = (incident.load("900").objects(lab, each) for each in lab.clusters)
    assert first == [{"kind": "B", "price": "$5"}, {"kind": "A", "cidr": "10.10.0.0/16", "other": "10.11.0.0/16"}]
    assert second[1:] == [{"kind": "A", "cidr": "10.11.0.0/16", "other": "10.11.0.0/16"}, {"kind": "C", "server": 11}]


@pytest.mark.parametrize(("text", "complaint"), [("${pod_cdir}", "unknown variable 'pod_cdir'"), ("costs $ 5", "lone dollar sign")])
def test_wrong_template_is_named(text: str, complaint: str) -> None:
    with pytest.raises(LabError, match=f"somewhere .*{complaint}"):
        templates.fill(text, {"pod_cidr": "10.46.0.0/16"}, "somewhere")


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_default_clusters_overlap_nowhere(count: int) -> None:
    clusters = specs.default_clusters(count)
    assert [each.name for each in clusters] == [f"cluster-{n}" for n in range(1, count + 1)]
    networks = [ipaddress.ip_network(cidr) for each in clusters for cidr in (each.pod_cidr, each.service_cidr)]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(networks, 2))
    assert len({each.nodes[0].ip for each in clusters}) == count


def condition(expect: dict, **more: object) -> Condition:
    return Condition("cluster-1", "it is so", "/path", expect, **more)


POD = {"metadata": {"name": "a", "labels": {"k8s.io/app": "x"}}, "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]}}


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"status.phase": "Running"}, ""),
        ({"status.podIPs.0.ip": "10.0.0.1"}, ""),
        ({"status.podIPs.1.ip": "10.0.0.1"}, "status.podIPs.1.ip is missing, not '10.0.0.1'"),
        ({r"metadata.labels.k8s\.io/app": "x"}, ""),
        ({"status.phase": "Failed"}, "status.phase is 'Running', not 'Failed'"),
        ({"status.phase": {"exists": True}}, ""),
        ({"status.phase": {"exists": False}}, "status.phase is 'Running'"),
        ({"spec": {"exists": False}}, ""),
        ({"spec": {"exists": True}}, "spec is missing"),
    ],
)
def test_condition_of_an_object(expect: dict, reason: str) -> None:
    assert unmet(condition(expect), POD) == reason


def test_condition_of_a_collection() -> None:
    pending = {"metadata": {"name": "b"}, "status": {"phase": "Pending"}}
    running = condition({"status.phase": "Running"})
    assert unmet(running, []) == "0 of 0 objects are so"
    assert unmet(running, [pending]) == "0 of 1 objects are so; b: status.phase is 'Pending', not 'Running'"
    assert unmet(running, [POD, pending]) == ""
    assert unmet(condition({"status.phase": "Running"}, at_least=2), [POD, pending]).startswith("1 of 2")
    assert unmet(condition({"status.phase": "Running"}, every=True), [POD, pending]).startswith("1 of 2")
    assert unmet(condition({"status.phase": "Running"}, every=True, at_least=2), [POD, POD]) == ""
