# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module node_fitness: documents in, verdicts out."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.plugins.modules import node_fitness
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.test_node_fitness import bare, without

PLANNED = {"calico_version": "v3.31.5", "pod_cidrs": ["10.42.0.0/16"]}


@pytest.fixture
def run(capsys, module_args):
    def call(**options):
        with module_args({**PLANNED, **options}), pytest.raises(SystemExit) as ended:
            node_fitness.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def documents(*hosts):
    return [json.loads(json.dumps(document_of(host))) for host in hosts]


class TestModule:
    def test_the_specification_is_the_documentations(self):
        options = yaml.safe_load(node_fitness.DOCUMENTATION)["options"]
        spec = node_fitness.argument_spec()
        assert {name: option.get("default") for name, option in options.items()} == {name: entry.get("default") for name, entry in spec.items()}
        assert {name: option["type"] for name, option in options.items()} == {name: entry["type"] for name, entry in spec.items()}

    def test_verdicts(self, run):
        code, result = run(documents=documents(bare(), without("ip_set", name="jetson-1")), nodes=["cluster-1/node-1", "cluster-1/node-9"])
        assert (code, result["changed"]) == (0, False)
        assert (result["fit"], result["unfit"], result["unknown"]) == (["node-1"], ["jetson-1"], ["node-9"])
        assert result["placement"]["cluster-1"]["calico_node_placement_nodes"] == ["jetson-1"]
        assert [entry["node"] for entry in result["nodes"]] == ["jetson-1", "node-1", "node-9"]
        assert result["nodes"][0]["reasons"][0]["calico"] is True and "not reached" in result["nodes"][2]["unknown"][0]

    def test_files_and_the_newest_of_a_node(self, run, tmp_path):
        old = without("ip_set")._replace(taken_at="2025-01-01T00:00:00Z")
        for name, host in (("new", bare()), ("old", old)):
            (tmp_path / f"{name}.json").write_text(json.dumps(document_of(host)))
        assert run(node_reports=[str(tmp_path)])[1]["fit"] == ["node-1"]

    def test_two_clusters_may_have_a_node_of_one_name(self, run):
        result = run(documents=documents(bare(), without("ip_set", cluster="cluster-2")))[1]
        assert [(entry["cluster"], entry["verdict"]) for entry in result["nodes"]] == [("cluster-1", "fit"), ("cluster-2", "unfit")]
        assert list(result["placement"]) == ["cluster-2"]

    def test_a_document_without_a_cluster_takes_that_of_the_list(self, run):
        result = run(documents=documents(without("ip_set", cluster="")), nodes=["cluster-7/node-1"])[1]
        assert list(result["placement"]) == ["cluster-7"] and result["unknown"] == []

    def test_without_submariner_and_calico(self, run):
        assert run(documents=documents(without("esp4")), cable_driver="none", data_plane="none")[1]["fit"] == ["node-1"]

    @pytest.mark.parametrize("names", [["node-1.example.net"], ["node-9", "node-8"]])
    def test_a_gateway_that_is_no_node(self, run, names):
        code, result = run(documents=documents(bare("node-1.example.net")), nodes=["cluster-1/node-9"], gateways=["node-1", *names])
        strange = ", ".join(["node-1", *([] if len(names) == 1 else ["node-8"])])
        assert code == 1 and result["msg"].startswith(f"gateways: no node is called {strange}; there are node-1.example.net, node-9.")
        assert run(documents=documents(bare()), nodes=["cluster-1/node-9"], gateways=["node-1", "node-9"])[0] == 0

    @pytest.mark.parametrize("options, said", [
        ({}, "nothing to judge"), ({"documents": [{"kind": "Pod"}]}, "documents[0]"), ({"node_reports": ["/nowhere.json"]}, "/nowhere.json"),
        ({"nodes": ["node-1"], "pod_cidrs": ["10.42.0.0"]}, "pod_cidrs"),
    ])  # fmt: skip
    def test_input_that_cannot_be_used(self, run, options, said):
        code, result = run(**options)
        assert code == 1 and said in result["msg"]
