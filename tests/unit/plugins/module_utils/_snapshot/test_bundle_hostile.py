# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles from anywhere: refused, bounded, or read as far as they go, and never without saying so."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_archive import Problems, walk
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import Damaged, Limits
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ, OK
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.bundles import folder, listed, node, replay, tar, zipped

NODES = listed(node("n1"))


def read_all(path, limits=Limits()):
    """Paths and contents, and the problems' words."""
    problems = Problems()
    found = {}
    for member in walk(str(path), problems, limits):
        try:
            found[member.path] = member.stream.read()
        except Damaged as error:
            problems.add(member.path, str(error))
    return found, " | ".join(problems.texts())


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "a/../../evil.json", "C:\\evil.json", "..\\evil.json"])
@pytest.mark.parametrize("make", [tar, zipped])
def test_names_that_lead_out_are_left_out(tmp_path, name, make):
    path = make(tmp_path / "bundle", {name: NODES, "good/nodes.json": NODES})
    found, problems = read_all(path)
    assert list(found) == ["good/nodes.json"]
    assert "leads out of the archive" in problems and "evil.json" in problems
    assert replay(path).nodes.ok


def test_links_and_devices_are_left_out(tmp_path):
    odd = [link("a", "/etc/passwd"), link("b", "nodes.json", tarfile.LNKTYPE), link("c", "", tarfile.CHRTYPE), link("d", "", tarfile.FIFOTYPE)]
    found, problems = read_all(tar(tmp_path / "bundle.tar", {"nodes.json": NODES}, "w", odd))
    assert list(found) == ["nodes.json"]
    assert problems.count("left out: it is a link") == 2 and problems.count("no regular file") == 2
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert read_all(tmp_path / "bundle.zip") == ({}, "link: left out: it is a link")


def test_links_and_pipes_in_a_folder_are_left_out(tmp_path):
    root = folder(tmp_path / "root", {"nodes.json": NODES})
    (root / "link.json").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.json")
    found, problems = read_all(root)
    assert list(found) == ["nodes.json"]
    assert "link.json: left out" in problems and "pipe.json: left out" in problems


class TestBombs:
    LIMITS = Limits(total=64 * 1024 * 1024, ratio=50, ratio_from=1024 * 1024, files=20, depth=3, nested_zip=64 * 1024)

    def test_ratio(self, tmp_path):
        tar(tmp_path / "b.tgz", {"nodes.json": NODES, "zeros.log": bytes(8 * 1024 * 1024)})
        found, problems = read_all(tmp_path / "b.tgz", self.LIMITS)
        assert "nodes.json" in found and "zeros.log" not in found
        assert "refused from here on" in problems and "50 times its size" in problems

    def test_total(self, tmp_path):
        noise = os.urandom(1024 * 1024)
        tar(tmp_path / "b.tgz", {f"{number}.log": noise for number in range(4)})
        found, problems = read_all(tmp_path / "b.tgz", self.LIMITS._replace(total=2 * 1024 * 1024, ratio=1000))
        assert len(found) < 4 and "more than 2 MiB" in problems

    @pytest.mark.parametrize("make", [tar, zipped])
    def test_number_of_files(self, tmp_path, make):
        found, problems = read_all(make(tmp_path / "b", {f"{number}.json": "{}" for number in range(50)}), self.LIMITS)
        assert len(found) <= 20 and "files" in problems

    def test_depth(self, tmp_path):
        content = b"bottom"
        for number in range(6):
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                archive.writestr(f"level-{number}", content)
            content = stream.getvalue()
        (tmp_path / "b.zip").write_bytes(content)
        found, problems = read_all(tmp_path / "b.zip", self.LIMITS)
        assert not found and "archives inside archives are opened 3 deep" in problems

    def test_a_large_zip_inside_an_archive(self, tmp_path):
        inner = zipped(tmp_path / "inner.zip", {"x.log": os.urandom(100_000)}).read_bytes()
        found, problems = read_all(tar(tmp_path / "b.tar", {"inner.zip": inner, "nodes.json": NODES}, "w"), self.LIMITS)
        assert list(found) == ["nodes.json"] and "unpack it" in problems

    def test_a_header_that_claims_gigabytes(self, tmp_path):
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.XHDTYPE, 4 * 1024**3
        (tmp_path / "b.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
        found, problems = read_all(tmp_path / "b.tar")
        assert not found and "a header has 4294967296 bytes" in problems

    def test_a_zip_that_claims_millions_of_files(self, tmp_path):
        data = bytearray(zipped(tmp_path / "b.zip", {"nodes.json": NODES}).read_bytes())
        end = data.rfind(b"PK\x05\x06")
        data[end + 8 : end + 12] = struct.pack("<HH", 60_000, 60_000)
        (tmp_path / "b.zip").write_bytes(data)
        found, problems = read_all(tmp_path / "b.zip", self.LIMITS)
        assert not found and "60000 files" in problems

    def test_yaml_aliases(self, tmp_path):
        lines = ["apiVersion: v1", "kind: Node", "metadata:", "  name: bomb", "a: &a [x, x]"]
        lines += [f"{chr(98 + number)}: &{chr(98 + number)} [*{chr(97 + number)}, *{chr(97 + number)}]" for number in range(24)]
        folder(tmp_path, {"bomb.yaml": "\n".join(lines), "nodes.json": NODES})
        bundle = open_bundle(str(tmp_path))
        snapshot = bundle.snapshot()
        assert [found.ref.name for found in snapshot.nodes.items] == ["n1"]
        assert snapshot.nodes.state == NOT_READ and "aliases" in snapshot.nodes.detail

    @pytest.mark.parametrize("opening", ["[", '{"a":'])
    def test_depth_of_documents(self, tmp_path, opening):
        folder(tmp_path, {"deep.json": '{"apiVersion":"v1","kind":"Node","spec":' + opening * 200_000, "nodes.json": NODES})
        bundle = open_bundle(str(tmp_path))
        assert len(bundle.snapshot().nodes.items) == 1
        assert any("deep.json: line 1" in text for text in bundle.problems.texts())

    def test_an_object_that_never_ends(self, tmp_path):
        folder(tmp_path, {"endless.json": '{"apiVersion":"v1","kind":"Node","x":"' + "y" * 3_000_000 + '"}', "nodes.json": NODES})
        bundle = open_bundle(str(tmp_path), Limits(document=1_000_000))
        assert len(bundle.snapshot().nodes.items) == 1
        assert any("endless.json: line 1: an object has more than" in text for text in bundle.problems.texts())


class TestDamage:
    @pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
    def test_what_stands_before_a_cut_is_used_and_the_rest_is_unknown(self, tmp_path, part):
        noise = {f"logs/a/b/{number}.log": os.urandom(4000) for number in range(20)}
        files = {"nodes.json": NODES, **noise, "submariners.submariner.io.json": listed()}
        data = tar(tmp_path / "whole.tgz", files).read_bytes()
        (tmp_path / "cut.tgz").write_bytes(data[: int(len(data) * part)])
        bundle = open_bundle(str(tmp_path / "cut.tgz"))
        snapshot = bundle.snapshot()
        assert snapshot.nodes.state == OK
        assert snapshot.submariners.state == NOT_READ
        assert any("cut short" in text for text in bundle.problems.texts())
        assert replay(tmp_path / "whole.tgz").submariners.state == OK

    def test_a_list_cut_in_the_middle_is_not_all_there_is(self, tmp_path):
        text = listed(*[node(f"n{number}") for number in range(50)])
        data = gzip.compress(text[: len(text) // 2].encode())
        (tmp_path / "nodes.json.gz").write_bytes(data)
        snapshot = replay(tmp_path)
        assert snapshot.nodes.state == NOT_READ and 0 < len(snapshot.nodes.items) < 50
        assert "nodes.json" in snapshot.nodes.detail and "cut short" in snapshot.nodes.detail

    def test_gather_cut_short_claims_no_empty_lists(self, tmp_path):
        submariner = (
            "apiVersion: submariner.io/v1alpha1\nkind: Submariner\nmetadata:\n  name: submariner\n  namespace: x\n  uid: 00000000-0000-4000-8000-000000000001\n"
        )
        endpoint = "apiVersion: submariner.io/v1\nkind: Endpoint\nmetadata:\n  name: e\n  namespace: x\n"
        files = {"g/c/submariners_x_submariner.yaml": submariner, "g/c/endpoints_x_e.yaml": endpoint, "g/c/z.log": os.urandom(30_000)}
        whole = tar(tmp_path / "whole.tgz", files)
        assert replay(whole).gateways.state == OK
        (tmp_path / "cut.tgz").write_bytes(whole.read_bytes()[:15_000])
        assert replay(tmp_path / "cut.tgz").gateways.state == NOT_READ

    def test_a_broken_document_is_named_and_the_others_go_on(self, tmp_path):
        good = "- apiVersion: v1\n  kind: Node\n  metadata:\n    name: n1\n"
        bad = "- apiVersion: v1\n  kind: Node\n  metadata:\n    name: [n2\n"
        (tmp_path / "nodes.yaml").write_text(f"apiVersion: v1\nitems:\n{good}{bad}{good.replace('n1', 'n3')}kind: List\n")
        bundle = open_bundle(str(tmp_path))
        snapshot = bundle.snapshot()
        assert [found.ref.name for found in snapshot.nodes.items] == ["n1", "n3"]
        assert snapshot.nodes.state == NOT_READ
        assert "nodes.yaml: line 10" in snapshot.nodes.detail or "nodes.yaml: line 11" in snapshot.nodes.detail

    def test_json_that_breaks_off(self, tmp_path):
        folder(tmp_path, {"a.json": NODES, "b.json": '{"apiVersion": "v1",\n "kind": "Service",\n "metadata": {oops}}' + " " * 500})
        bundle = open_bundle(str(tmp_path))
        assert bundle.snapshot().nodes.ok
        assert any("b.json: line 3" in text for text in bundle.problems.texts())

    def test_an_odd_object_hides_no_other(self, tmp_path):
        (tmp_path / "x.json").write_text(
            listed({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "odd"}, "status": {"conditions": 7}}, node("n1"), 5, None, [])
        )
        assert [found.ref.name for found in replay(tmp_path).nodes.items] == ["n1", "odd"]

    def test_bytes_that_are_no_text_and_repeated_keys(self, tmp_path):
        raw = b'{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Node","metadata":{"name":"x","name":"n\xff1"}}]}'
        (tmp_path / "x.json").write_bytes(raw)
        assert [found.ref.name for found in replay(tmp_path).nodes.items] == ["n\ufffd1"]
        (tmp_path / "x.json").unlink()
        (tmp_path / "x.yaml").write_bytes(b"apiVersion: v1\nkind: List\nitems:\n- kind: Node\n  apiVersion: v1\n  metadata:\n    name: a\n    name: n\xff1\n")
        assert [found.ref.name for found in replay(tmp_path).nodes.items] == ["n\ufffd1"]

    @given(st.binary(max_size=2000))
    @settings(max_examples=150, deadline=None)
    def test_anything_at_all_ends_in_words(self, tmp_path_factory, data):
        path = tmp_path_factory.mktemp("any") / "b"
        for prefix in (b"", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"apiVersion: v1\nkind: Node\n", b'{"kind":"NodeList","items":['):
            path.write_bytes(prefix + data)
            try:
                assert open_bundle(str(path)).snapshot().cluster
            except InputError as error:
                assert "b" in error.message

    @given(st.integers(0, 5000), st.integers(0, 255))
    @settings(max_examples=100, deadline=None)
    def test_one_wrong_byte(self, tmp_path_factory, position, value):
        folder_ = tmp_path_factory.mktemp("one")
        data = bytearray(tar(folder_ / "b.tgz", {"nodes.json": NODES, "x.yaml": "apiVersion: v1\nkind: Node\nmetadata: {name: n2}\n"}).read_bytes())
        data[position % len(data)] = value
        (folder_ / "b.tgz").write_bytes(data)
        try:
            snapshot = open_bundle(str(folder_ / "b.tgz")).snapshot()
            assert snapshot.cluster == "b" or snapshot.cluster
        except InputError as error:
            assert "b.tgz" in error.message


class TestRefused:
    def test_nothing_there(self, tmp_path):
        with pytest.raises(InputError, match="No such file"):
            open_bundle(str(tmp_path / "missing"))

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x7fELF\x02\x01", b"hello\n", gzip.compress(b""), b"PK\x05\x06" + bytes(18)],
        ids=["empty", "program", "text", "gzip", "zip"],
    )
    def test_no_bundle(self, tmp_path, content):
        (tmp_path / "x.tar.gz").write_bytes(content)
        with pytest.raises(InputError, match="holds nothing of a cluster"):
            open_bundle(str(tmp_path / "x.tar.gz"))

    def test_an_encrypted_zip_says_so(self, tmp_path):
        data = bytearray(zipped(tmp_path / "x.zip", {"nodes.json": NODES}).read_bytes())
        data[6] |= 1
        data[data.find(b"PK\x01\x02") + 8] |= 1
        (tmp_path / "x.zip").write_bytes(data)
        with pytest.raises(InputError, match="encrypted"):
            open_bundle(str(tmp_path / "x.zip"))

    def test_a_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="neither a folder nor a file"):
            open_bundle(str(tmp_path / "pipe"))

    def test_zstd_is_named(self, tmp_path):
        (tmp_path / "x.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(50))
        with pytest.raises(InputError, match="zstd"):
            open_bundle(str(tmp_path / "x.tar.zst"))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz", "w"])
def test_every_compression_and_long_names(tmp_path, mode):
    long = "/".join(["x" * 60] * 5) + "/nodes.json"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "b", mode, format=form) as archive:
            info = tarfile.TarInfo(long)
            info.size = len(NODES)
            archive.addfile(info, io.BytesIO(NODES.encode()))
        found, problems = read_all(tmp_path / "b")
        assert list(found) == [long] and found[long] == NODES.encode() and not problems
