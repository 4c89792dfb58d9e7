# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of nodes from files and bundles into the snapshot of their cluster."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _node_reports as reports
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ, OK, Answer, Ref, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import given_reports, read_reports, with_reports
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Address, NodeHost, NodeLink, Unseen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import Contrast, NodeProbes, PathMtu
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction_addresses import Pseudonyms
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.bundles import collect, replay
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.samples import sample_connection

HOST = NodeHost("n1", "2026-11-21T10:00:00Z", links=(NodeLink("eth0", 2, 1500, addresses=(Address("10.0.0.1/24"),)),), unseen=(Unseen("ipset", "not root"),))
PROBES = NodeProbes("n1", "2026-11-21T10:00:00Z", paths=(PathMtu("10.0.0.2", answer="open", mtu=1500),))


def write(path, record):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document_of(record)))
    return str(path)


def snapshot(*nodes, cluster="cluster-1", **more):
    return Snapshot(cluster, "", "", nodes=Answer(OK, tuple(SimpleNamespace(ref=Ref("Node", name)) for name in nodes)), **more)


class TestFiles:
    def test_files_and_folders(self, tmp_path):
        one = write(tmp_path / "a.json", HOST)
        write(tmp_path / "folder/b.json", PROBES)
        write(tmp_path / "folder/below/c.json", HOST._replace(node="n2"))
        (tmp_path / "folder/other.json").write_text('{"kind": "Pod"}')
        (tmp_path / "folder/no.json").write_text("no JSON")
        (tmp_path / "folder/notes.txt").write_text(json.dumps(document_of(HOST)))
        found = read_reports([one, str(tmp_path / "folder")])
        assert [(record.node, record.where) for record in found.records] == [
            ("n1", one), ("n1", str(tmp_path / "folder/b.json")), ("n2", str(tmp_path / "folder/below/c.json")),
        ]  # fmt: skip
        assert not found.problems and read_reports([]) == reports.Reports()

    def test_a_damaged_document_of_a_folder_hides_no_other(self, tmp_path):
        write(tmp_path / "a.json", HOST)
        whole = json.dumps(document_of(HOST))
        (tmp_path / "b.json").write_text(whole[:200])
        (tmp_path / "c.json").write_text(whole.replace('"mtu": 1500', '"mtu": "1500"'))
        warned = []
        found = given_reports(SimpleNamespace(warn=warned.append), {"node_reports": [str(tmp_path)]})
        assert [record.node for record in found] == ["n1"]
        assert len(warned) == 2 and "b.json" in warned[0] and "links[0].mtu is '1500'" in warned[1]

    def test_many_damaged_documents_are_counted(self, tmp_path):
        for number in range(13):
            (tmp_path / f"{number}.json").write_text('{"apiVersion": "fathom.submariner/v1", ')
        warned = []
        assert not given_reports(SimpleNamespace(warn=warned.append), {"node_reports": [str(tmp_path)]})
        assert len(warned) == 11 and warned[-1] == "node_reports: 3 more documents cannot be used"

    @pytest.mark.parametrize(
        "content, why", [("{}", "is no document of kind"), ('{"apiVersion": "fathom.submariner/v1"', "Expecting"), (None, "cannot be read")]
    )
    def test_a_file_that_is_named_must_be_one(self, tmp_path, content, why):
        if content is not None:
            (tmp_path / "a.json").write_text(content)
        with pytest.raises(InputError, match=why):
            read_reports([str(tmp_path / "a.json")])

    def test_a_folder_without_any_and_a_file_without_end(self, tmp_path, monkeypatch):
        (tmp_path / "a.json").write_text("{}")
        with pytest.raises(InputError, match="holds no document of a node in its 1 .json files"):
            read_reports([str(tmp_path)])
        monkeypatch.setattr(reports, "LARGEST", 1)
        with pytest.raises(InputError, match="larger than 1 bytes"):
            read_reports([str(tmp_path / "a.json")])


class TestWhose:
    def test_a_named_cluster_or_any_with_a_node_of_the_name(self):
        named = HOST._replace(cluster="cluster-1", node="gone")
        other = HOST._replace(cluster="cluster-2")
        found = with_reports(snapshot("n1", "n2"), [HOST, named, other, HOST._replace(node="n3"), PROBES])
        assert found.node_hosts.items == (named, HOST) and found.node_hosts.state == OK
        assert found.node_hosts.partial and found.node_probes.partial  # n2 was not looked at
        assert found.node_probes.items == (PROBES,)
        assert not with_reports(snapshot("n1"), [HOST]).node_hosts.partial

    def test_the_names_that_a_cluster_goes_by(self):
        known = snapshot(submariners=Answer(OK, (SimpleNamespace(cluster_id="east"),)))
        for name, expected in (("cluster-1", 1), ("east", 1), ("in-the-bundle", 1), ("west", 0)):
            assert len(with_reports(known, [HOST._replace(cluster=name)], ["in-the-bundle", ""]).node_hosts.items) == expected

    def test_none_of_this_cluster_is_no_answer(self):
        before = snapshot("n9")
        found = with_reports(before, [HOST])
        assert found.node_hosts == Answer(NOT_READ, (), "", "none of the 1 documents that were given is a NodeInfo of a node of this cluster")
        assert with_reports(before, []) is before

    def test_the_newest_counts(self):
        newer = HOST._replace(taken_at="2026-11-21T11:00:00Z")
        contrasts = NodeProbes("n1", "2026-11-21T09:00:00Z", contrasts=(Contrast("10.0.0.2"),))
        from_pod = PROBES._replace(origin="pod")
        older = PROBES._replace(taken_at="2026-11-20T10:00:00Z")
        found = with_reports(snapshot("n1"), [newer, HOST, contrasts, PROBES, older, from_pod])
        assert found.node_hosts.items == (newer,)
        assert set(found.node_probes.items) == {contrasts, PROBES, from_pod}
        again = with_reports(found, [HOST._replace(taken_at="2026-11-21T12:00:00Z", where="x")])
        assert again.node_hosts.items[0].where == "x" and set(again.node_probes.items) == set(found.node_probes.items)

    def test_where_they_stand(self):
        hosts = [HOST._replace(node=f"n{number}", where=f"nodes/n{number}.json") for number in (1, 2, 3)]
        assert with_reports(snapshot("n1", "n2", "n3"), hosts).node_hosts.where == "nodes/n1.json and 2 more"


class TestBundles:
    @pytest.fixture
    def node(self, tmp_path):
        """Name of a node of the sample cluster."""
        collect(sample_connection("cluster-1"), tmp_path / "first.tar.gz", "cluster-1")
        return replay(tmp_path / "first.tar.gz").nodes.items[0].ref.name

    @pytest.mark.parametrize("dest", ["b.tar.gz", "b"])
    def test_our_own_bundle_holds_them(self, tmp_path, node, dest):
        host, probes = HOST._replace(node=node), PROBES._replace(node=node, cluster="cluster-1")
        live = collect(sample_connection("cluster-1"), tmp_path / dest, "cluster-1", reports=(host, probes, HOST._replace(node="elsewhere")))
        again = replay(tmp_path / dest)
        assert [record._replace(where="") for record in again.node_hosts.items] == [host]
        assert [record._replace(where="") for record in again.node_probes.items] == [probes]
        assert again.node_hosts.items[0].where == f"nodes/NodeInfo-1-{node}.json"
        assert replace(again.node_hosts, items=(), where="") == replace(live.node_hosts, items=(), where="")

    def test_their_addresses_get_pseudonyms(self, tmp_path, node):
        host = HOST._replace(node=node, links=(NodeLink("eth0", addresses=(Address("172.31.7.5/24"),)),))
        collect(sample_connection("cluster-1"), tmp_path / "b", "cluster-1", reports=(host,), pseudonyms=Pseudonyms(b"k" * 32))
        content = b"".join(path.read_bytes() for path in (tmp_path / "b/nodes").iterdir())
        assert b"172.31.7.5" not in content and b"/24" in content
        assert len(replay(tmp_path / "b").node_hosts.items[0].links) == 1

    def test_anywhere_in_anybodys_bundle(self, tmp_path):
        nodes = {"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "0" * 8}}]}
        files = {
            "dump/nodes.json": json.dumps(nodes),
            "ssh/n1.json": json.dumps(document_of(HOST), indent=1),
            "ssh/deep/n1-probes.json": "\n" + json.dumps(document_of(PROBES), sort_keys=True),
            "ssh/damaged.json": json.dumps(document_of(HOST))[:300],
            "ssh/wrong.json": json.dumps({**document_of(HOST), "links": 5}),
        }
        with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content.encode()))
        bundle = open_bundle(str(tmp_path / "b.tar.gz"))
        assert len(bundle.clusters) == 1
        found = bundle.snapshot()
        assert found.node_hosts.items == (HOST._replace(where="ssh/n1.json"),)
        assert found.node_probes.items == (PROBES._replace(where="ssh/deep/n1-probes.json"),)
        told = " ".join(bundle.problems.texts())
        assert "ssh/damaged.json" in told and "links is 5, and a list is wanted" in told

    def test_one_that_is_larger_than_what_is_looked_at_first(self, tmp_path):
        many = HOST._replace(links=tuple(NodeLink(f"cali{number}", number, 1450, "veth") for number in range(1, 3000)))
        (tmp_path / "b").mkdir()
        (tmp_path / "b/nodes.json").write_text('{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"n1"}}]}')
        write(tmp_path / "b/n1.json", many)
        assert (tmp_path / "b/n1.json").stat().st_size > 128 * 1024
        assert len(replay(tmp_path / "b").node_hosts.items[0].links) == 2999

    def test_documents_alone_are_no_cluster(self, tmp_path):
        write(tmp_path / "n1.json", HOST)
        with pytest.raises(InputError, match="holds nothing of a cluster"):
            open_bundle(str(tmp_path))
