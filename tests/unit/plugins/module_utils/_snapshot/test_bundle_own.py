# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own bundle: what it holds replays to the snapshot that it was made of, and to the same findings."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import tarfile

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ, Answer
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction_addresses import Pseudonyms
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.bundles import collect, replay
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.samples import CANARIES, sample_connection

POD = {
    "metadata": {"name": "submariner-gateway-x", "namespace": "submariner-operator", "uid": "u1", "labels": {"app": "submariner-gateway"}},
    "spec": {
        "nodeName": "n1",
        "hostNetwork": True,
        "containers": [{"name": "submariner-gateway", "env": [{"name": "CE_IPSEC_PSK", "value": "planted-Secret-1"}]}],
    },
    "status": {"phase": "Running", "containerStatuses": [{"name": "submariner-gateway", "ready": True, "restartCount": 1, "state": {"running": {}}}]},
}
OTHER = {
    "metadata": {"name": "shop", "namespace": "shop", "uid": "u2", "labels": {"app": "shop"}},
    "spec": {"nodeName": "n1", "containers": [{"name": "shop", "env": [{"name": "CUSTOMER", "value": "their own business"}]}]},
    "status": {"phase": "Running", "podIP": "10.46.1.9", "containerStatuses": [{"restartCount": 2}]},
}
LOG = "/api/v1/namespaces/submariner-operator/pods/submariner-gateway-x/log"


def differing(one, other):
    """Fields of two snapshots whose answers differ."""
    return [
        field.name for field in dataclasses.fields(one) if field.name not in ("where", "statistics") and getattr(one, field.name) != getattr(other, field.name)
    ]


def findings(snapshot):
    return [finding.to_dict() for finding in judge_cluster(Facts.of(snapshot)).findings]


def fake(**keywords):
    lists = {"/api/v1/pods": [POD, OTHER], "/api/v1/nodes": [{"metadata": {"name": "n1", "uid": "n"}}], "/api/v1/services": []}
    return FakeConnection({**lists, **keywords.pop("lists", {})}, **keywords)


@pytest.mark.parametrize("dest", ["bundle.tar.gz", "folder"])
@pytest.mark.parametrize("name", ["cluster-1", "cluster-2"])
def test_a_real_cluster_replays_to_the_same_snapshot_and_findings(tmp_path, name, dest):
    live = collect(sample_connection(name), tmp_path / dest, name)
    again = replay(tmp_path / dest)
    assert differing(live, again) == []
    assert findings(live) == findings(again) and findings(live)
    assert again.cluster == name
    assert again.statistics.requests == live.statistics.requests


def test_failures_replay_as_they_were(tmp_path):
    failures = {
        "/api/v1/nodes": KubeError("nodes are forbidden (403)", FORBIDDEN, status=403),
        "/apis/projectcalico.org/v3/ippools": KubeError("503 from the aggregator", UNAVAILABLE, status=503),
        LOG: KubeError("the kubelet does not answer", UNAVAILABLE, status=500),
    }
    live = collect(fake(failures=failures, groups=["projectcalico.org/v3", "apps/v1"]), tmp_path / "b.tar.gz")
    again = replay(tmp_path / "b.tar.gz")
    assert differing(live, again) == []
    assert (again.nodes.state, again.ip_pools_v3.state) == (FORBIDDEN, UNAVAILABLE)
    assert "kubelet" in again.logs.detail


@pytest.mark.parametrize("size", [30, 70_000, 400_000])
def test_logs_of_any_length_replay(tmp_path, size):
    text = "".join(f"line {number} of a log\n" for number in range(size // 15))
    live = collect(fake(logs={LOG: text}), tmp_path / "b.tar.gz")
    again = replay(tmp_path / "b.tar.gz")
    assert live.logs.items and live.logs.items[0].text
    assert again.logs == live.logs


def test_secrets_in_a_log_do_not_move_where_it_is_cut(tmp_path):
    line = "2026-11-21T10:00:00Z token eyJhbGciOiJSUzI1NiIs.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJlc2lnbmF0dXJl end\n"
    live = collect(fake(logs={LOG: "".join(f"{number} {line}" for number in range(5000))}), tmp_path / "b.tar.gz")
    again = replay(tmp_path / "b.tar.gz")
    assert again.logs.items[0].text == live.logs.items[0].text
    assert b"eyJhbGci" not in unpacked(tmp_path / "b.tar.gz")


def unpacked(path):
    with tarfile.open(path) as archive:
        return b"".join(archive.extractfile(member).read() for member in archive.getmembers())


def test_no_secret_and_no_foreign_workload_is_in_it(tmp_path):
    collect(sample_connection("cluster-1"), tmp_path / "one.tar.gz")
    content = unpacked(tmp_path / "one.tar.gz")
    assert not [canary for canary in CANARIES if canary.encode() in content]
    collect(fake(logs={LOG: "psk is planted-Secret-1\n"}), tmp_path / "two.tar.gz")
    content = unpacked(tmp_path / "two.tar.gz")
    assert b"planted-Secret-1" not in content and b"CE_IPSEC_PSK" in content
    assert b"their own business" not in content and b"10.46.1.9" in content


def test_unredacted_only_when_asked(tmp_path):
    collect(fake(), tmp_path / "b.tar.gz", redact=False)
    assert b"planted-Secret-1" in unpacked(tmp_path / "b.tar.gz")


@pytest.mark.parametrize("dest", ["bundle.tar.gz", "folder"])
def test_the_same_answers_are_the_same_bytes_for_the_owner_alone(tmp_path, dest):
    written = []
    for number in (1, 2):
        path = tmp_path / str(number) / dest
        collect(fake(), path)
        files = [path] if path.is_file() else sorted(entry for entry in path.rglob("*") if entry.is_file())
        assert {stat.S_IMODE(os.stat(file).st_mode) for file in files} == {0o600}
        written.append([file.read_bytes() for file in files])
    assert written[0] == written[1]


def test_a_bundle_replaces_a_bundle_and_nothing_else(tmp_path):
    dest = tmp_path / "folder"
    collect(fake(), dest)
    collect(fake(lists={"/api/v1/nodes": []}), dest)
    assert replay(dest).nodes.items == ()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "diary").write_text("private")
    with pytest.raises(InputError, match="something else than a bundle"):
        collect(fake(), foreign)
    assert (foreign / "diary").read_text() == "private"
    with pytest.raises(InputError, match="is a folder"):
        os.mkdir(tmp_path / "x.tar.gz")
        collect(fake(), tmp_path / "x.tar.gz")
    assert sorted(os.listdir(tmp_path)) == ["folder", "foreign", "x.tar.gz"]


def test_a_disk_that_refuses_leaves_the_old_bundle(tmp_path, monkeypatch):
    dest = tmp_path / "b.tar.gz"
    collect(fake(), dest)
    before = dest.read_bytes()

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        collect(fake(lists={"/api/v1/nodes": []}), dest)
    assert dest.read_bytes() == before
    assert os.listdir(tmp_path) == ["b.tar.gz"]


def test_without_logs(tmp_path):
    collect(fake(), tmp_path / "b.tar.gz", logs=False)
    assert (replay(tmp_path / "b.tar.gz").logs.state, replay(tmp_path / "b.tar.gz").nodes.ok) == (NOT_READ, True)


def test_a_newer_format_is_refused(tmp_path):
    collect(fake(), tmp_path / "folder")
    index = tmp_path / "folder/index.json"
    index.write_text(index.read_text().replace('"version": 1', '"version": 99'))
    with pytest.raises(InputError, match="newer version"):
        replay(tmp_path / "folder")


def test_a_question_that_an_older_version_did_not_ask_is_not_read(tmp_path):
    collect(fake(), tmp_path / "folder")
    index = tmp_path / "folder/index.json"
    content = json.loads(index.read_text())
    del content["questions"]["nodes"]
    index.write_text(json.dumps(content))
    snapshot = replay(tmp_path / "folder")
    assert snapshot.nodes.state == NOT_READ and "bundle of this collection" in snapshot.nodes.detail


def test_pseudonyms_keep_the_verdicts(tmp_path):
    live = collect(sample_connection("cluster-1"), tmp_path / "b.tar.gz", "cluster-1", pseudonyms=Pseudonyms(b"a key of sixteen bytes or more"))
    again = replay(tmp_path / "b.tar.gz")
    content = unpacked(tmp_path / "b.tar.gz")
    assert b"10.46." not in content and b"192.168.100.11" not in content and b"192-168-100-11" not in content
    assert [(finding["id"], finding["severity"]) for finding in findings(live)] == [(finding["id"], finding["severity"]) for finding in findings(again)]
    ok = [field.name for field in dataclasses.fields(live) if isinstance(getattr(live, field.name), Answer) and getattr(live, field.name).ok]
    assert all(len(getattr(live, name).items) == len(getattr(again, name).items) for name in ok)


def test_several_bundles_in_one_folder_are_several_clusters(tmp_path):
    for name in ("cluster-1", "cluster-2"):
        collect(sample_connection(name), tmp_path / f"{name}.tar.gz", name)
    bundle = open_bundle(str(tmp_path))
    assert [cluster.name for cluster in bundle.clusters] == ["cluster-1", "cluster-2"]
    assert bundle.snapshot("cluster-2").submariner.cluster_id == "cluster-2"
    with pytest.raises(InputError, match="several clusters: cluster-1, cluster-2"):
        bundle.snapshot()
