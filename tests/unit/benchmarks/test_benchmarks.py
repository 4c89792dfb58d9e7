# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the benchmark that need no cluster: its objects, its tables and its plot, and what it measures a process by."""

from __future__ import annotations

import json
import tarfile
import xml.etree.ElementTree as ElementTree

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_calico as calico
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as kubernetes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as nodes
from tests.benchmarks import objects, offline, page
from tests.benchmarks.measure import Failed, run

RESULTS = {
    "machine": {"cpus": 2, "python": "3.11.7", "load": 0.1},
    "nodes": 5000,
    "requests": 90,
    "mib": 1024,
    "online": {
        "curl": {"wall": 2.0, "cpu": 0.3, "rss": 12.0},
        "module": {"wall": 3.0, "cpu": 3.5, "rss": 95.0, "statistics": {"requests": 90, "retries": 0, "bytes_read": 9_000_000, "seconds": 2.1}},
        "playbook": {"wall": 4.0, "cpu": 5.0, "rss": 99.0},
        "k8s_info": {"wall": 80.0, "cpu": 90.0, "rss": 900.0},
    },
    "offline": {"bundle": {"wall": 20.0, "cpu": 21.0, "rss": 200.0}},
}


def of_kind(kind, amount):
    return [obj for batch in objects.cluster_objects(amount) for obj in batch if obj["kind"] == kind]


def test_amounts():
    assert len(of_kind("Node", 7)) == len(of_kind("IPAMBlock", 7)) == len(of_kind("RouteAgent", 7)) == 7
    agents = [pod for pod in of_kind("Pod", 7) if kubernetes.pod(pod).containers]
    assert len(agents) == 14


def test_names_are_unique():
    names = [(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for batch in objects.cluster_objects(600) for obj in batch]
    assert len(set(names)) == len(names)


def test_bodies_are_as_large_as_real_ones():
    (pod,) = [pod for pod in of_kind("Pod", 1) if pod["metadata"]["name"].startswith("calico-node")]
    assert 3_000 < len(json.dumps(pod)) < 9_000  # the API server adds managedFields
    assert 3_000 < len(json.dumps(of_kind("Node", 1)[0])) < 9_000


def test_records_say_what_they_should():
    node = nodes.node(of_kind("Node", 5)[3])
    assert node.is_gateway and node.ready and node.condition("NetworkUnavailable").status == "False"
    block = calico.ipam_block(of_kind("IPAMBlock", 5)[4])
    assert (block.node, block.used) == (of_kind("Node", 5)[4]["metadata"]["name"], 12)


def test_bundle(tmp_path):
    path = offline.write_bundle(tmp_path / "bundle.tar", 8, lambda text: None)
    assert 6 * offline.MIB < path.stat().st_size < 10 * offline.MIB
    with tarfile.open(path) as archive:
        names = archive.getnames()
        assert any(name.endswith("submariner-routeagent.log") for name in names)
        kinds = {item["kind"] for name in names if name.endswith(".json") for item in json.load(archive.extractfile(name))["items"]}
    assert {"Node", "Pod", "IPAMBlock", "Submariner", "Installation"} <= kinds


def test_tables():
    text = page.tables(RESULTS)
    assert "diagnose: reading and judging" in text
    assert "1.50" in text  # to curl
    assert "20.0 times as fast" in text
    assert "1,024 MiB" in text


def test_plot_is_xml_with_a_bar_for_each():
    root = ElementTree.fromstring(page.plot(RESULTS))
    bars = [element for element in root.iter("{http://www.w3.org/2000/svg}rect") if element.get("height") == "20"]
    assert len(bars) == 2 * len(RESULTS["online"])


def test_figures_are_replaced_in_the_document():
    document = f"before\n\n{page.BEGIN}\n\nold\n\n{page.END}\nafter\n"
    replaced = page.with_tables(document, "new\n")
    assert "old" not in replaced and "new" in replaced and replaced.startswith("before") and replaced.endswith("after\n")
    assert page.with_tables(replaced, "new\n") == replaced
    with pytest.raises(ValueError, match="lacks"):
        page.with_tables("nothing", "new\n")


class TestMeasuring:
    def test_a_process(self):
        cost = run(["python3", "-c", "import sys; x = bytearray(30 << 20); print(sys.stdin.read())"], stdin="hello")
        assert cost.output.strip() == "hello"
        assert cost.rss > 30
        assert cost.wall > 0

    def test_the_measuring_process_does_not_count(self):
        held = bytearray(120 << 20)
        held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
        assert run(["true"]).rss < 60

    def test_failure_is_told(self):
        with pytest.raises(Failed, match="exit code 3.*oh no"):
            run(["bash", "-c", "echo oh no; exit 3"])
