# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab writes about itself, and what its command line refuses."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path

import pytest
import yaml

from tests.lab import __main__ as command, audit, files, incident, kubelet, lab as labs, process, specs, standins, status
from tests.lab.info import ClusterInfo, LabError, LabInfo, NodeInfo


@pytest.fixture
def lab(tmp_path: Path) -> LabInfo:
    rest = ("10.46.0.0/16", "10.45.0.0/16", "v1.27.9", "0.16.3", (NodeInfo("a", "b"),))
    clusters = tuple(ClusterInfo(f"cluster-{n}", tmp_path / f"cluster-{n}", f"https://127.0.0.1:{n}", *rest) for n in (1, 2))
    return LabInfo(dir=tmp_path, clusters=clusters, stand_ins=("broker",), without=("subctl",), incident="001", stages=Path("/s"), supervisor=7, expires=1.5)


def test_lab_file_gives_back_what_was_saved(lab: LabInfo) -> None:
    lab.save()
    assert LabInfo.load(lab.dir) == lab
    other = dataclasses.replace(lab, stages=None, incident=None, expires=None)
    other.save()
    assert LabInfo.load(lab.dir) == other
    assert [path.name for path in lab.dir.iterdir()] == ["lab.json"]


def test_no_lab_and_broken_lab_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=f"no lab in {tmp_path}.*tests.lab up --dir {tmp_path}"):
        LabInfo.load(tmp_path)
    (tmp_path / "lab.json").write_text("{")
    with pytest.raises(LabError, match="cannot be read"):
        LabInfo.load(tmp_path)


def test_unknown_cluster_is_told_with_the_known(lab: LabInfo) -> None:
    assert lab.cluster("cluster-2").server == "https://127.0.0.1:2"
    with pytest.raises(LabError, match="no cluster 'cluster-3'; it has cluster-1, cluster-2"):
        lab.cluster("cluster-3")


def test_scaled_time(lab: LabInfo) -> None:
    assert lab.scaled(128) == pytest.approx(6.4)


def test_inventory_names_broker_file_and_subctl_once_they_exist(lab: LabInfo) -> None:
    files.write_inventory(lab)
    group = yaml.safe_load(lab.inventory.read_text())["all"]["children"]["submariner_clusters"]
    assert group["hosts"]["cluster-1"] == {
        "kubeconfig": str(lab.dir / "cluster-1" / "kubeconfig"),
        "context": "cluster-1",
        "submariner_cluster_id": "cluster-1",
    }
    assert group["vars"] == {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    lab.broker_info.touch()
    files.write_subctl(lab)
    files.write_inventory(lab)
    added = yaml.safe_load(lab.inventory.read_text())["all"]["children"]["submariner_clusters"]["vars"]
    assert (added["submariner_broker_info"], added["submariner_subctl"]) == (str(lab.broker_info), str(lab.subctl))
    assert lab.subctl.stat().st_mode & 0o111


def test_folder_is_for_one_lab(tmp_path: Path) -> None:
    assert not files.is_held(tmp_path)
    with files.lock(tmp_path):
        assert files.is_held(tmp_path)
        with pytest.raises(LabError, match="a lab runs in .* already: end it with"), files.lock(tmp_path):
            pytest.fail("the folder was given twice")
    assert not files.is_held(tmp_path)


@pytest.mark.parametrize("keep_logs", [True, False])
def test_removal_leaves_a_users_files(lab: LabInfo, keep_logs: bool) -> None:
    lab.save()
    mine = lab.dir / "report.html"
    logs = {lab.dir / "supervisor.log", lab.dir / "cluster-1" / "audit.log"}
    lost = {lab.inventory, lab.subctl, lab.dir / "cluster-1" / "kubeconfig", lab.dir / "cluster-1" / "pki" / "ca.key", lab.dir / "cluster-1" / "logs" / "x.log"}
    for path in {mine, *logs, *lost}:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    files.remove(lab.dir, ["cluster-1", "cluster-2"], keep_logs=keep_logs)
    assert {path for path in lab.dir.rglob("*") if path.is_file()} == ({mine, *logs} if keep_logs else {mine})


def test_removal_of_all_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    (folder / "cluster-1").mkdir(parents=True)
    files.remove(folder, ["cluster-1"], keep_logs=False)
    assert not folder.exists()


def options(**more: object) -> labs.Options:
    return labs.Options(dir=Path("/nowhere"), **more)


def test_clusters_of_options() -> None:
    assert [each.name for each in options().specs()] == ["cluster-1", "cluster-2"]
    assert [each.kubernetes_version for each in options(clusters=1, kubernetes_version="v1.33.1").specs()] == ["v1.33.1"]


def test_versions_replace_those_of_an_incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "900").mkdir()
    cluster = "{name: c, pod_cidr: 10.46.0.0/16, service_cidr: 10.45.0.0/16, submariner_version: 0.16.3}"
    (tmp_path / "900" / "incident.yml").write_text(f"{{title: t, clusters: [{cluster}]}}")
    monkeypatch.setattr(incident, "INCIDENTS", tmp_path)
    planted = incident.load("900")
    spec = options(incident=planted, submariner_version="0.21.1").specs()[0]
    assert (spec.submariner_version, spec.kubernetes_version) == ("0.21.1", specs.DEFAULT_KUBERNETES)
    with pytest.raises(LabError, match="does not fit incident 900, which has 1"):
        options(incident=planted, clusters=2).specs()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"clusters": 0}, "--clusters 0: a lab has 1 to 50"),
        ({"clusters": 51}, "--clusters 51"),
        ({"without": ("brokr",)}, "--without brokr: no such stand-in; known are: broker, "),
    ],
)
def test_options_that_cannot_be(given: dict, complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        options(**given).specs()


def test_command_line_tells_errors_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["status"], ["down"], ["plant", "--incident", "001"]):
        assert command.main([*arguments, "--dir", str(tmp_path)]) == command.FAILED
        assert capsys.readouterr().err.startswith(f"ERROR: no lab in {tmp_path}")
    assert command.main(["up", "--dir", str(tmp_path), "--incident", "nonsense"]) == command.FAILED
    known = capsys.readouterr().err
    assert known.startswith("ERROR: no incident 'nonsense'; known are: ") and "001, " in known and "rke2" in known


def test_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(labs.build, "binaries", lambda say: labs.build.Binaries({}))
    with pytest.raises(LabError, match="no lab can be started in .*/file/lab: .*Choose another folder"):
        labs.start(labs.Options(dir=tmp_path / "file" / "lab"), lambda text: None)


def test_dead_lab_is_told(lab: LabInfo) -> None:
    lab.save()
    with pytest.raises(LabError, match="does not run any more: clear it with"):
        status.describe(lab.dir)


def test_stand_ins_are_found_by_their_module() -> None:
    assert {"broker", "calico-api-server", "route-agent", "subctl", "submariner-gateway", "submariner-operator"} <= set(standins.names())
    for name in set(standins.names()) - {standins.SUBCTL}:
        assert standins.load(name).name == name
    with pytest.raises(ImportError):
        standins.load("no-such")


def test_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert process.tail(log) == ""
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    assert process.tail(log, 2) == "line 98\nline 99"
    assert process.is_bind_conflict("listen tcp 127.0.0.1:1: bind: address already in use")
    assert not process.is_bind_conflict("permission denied")


def test_free_port_is_free_and_taken_ones_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", process.free_port())) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(process.random, "sample", lambda ports, count: [port])
        with pytest.raises(OSError, match="is free on 127.0.0.1"):
            process.free_port()


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({}, b"a\nb\nc"),
        ({"tail_lines": "2"}, b"b\nc"),
        ({"tail_lines": "0"}, b""),
        ({"limit_bytes": "3"}, b"a\nb"),
        ({"tail_lines": "1", "limit_bytes": "9"}, b"c"),
    ],
)
def test_selected_part_of_a_log(asked: dict, answer: bytes) -> None:
    assert kubelet.select_log(b"a\nb\nc", **asked) == answer


EVENT = (
    '{"user":{"username":"%s"},"verb":"patch","requestURI":"/apis/submariner.io/v1alpha1/namespaces/ns/submariners/s%s","objectRef":'
    '{"apiGroup":"submariner.io","resource":"submariners","namespace":"ns","name":"s","subresource":"status"},'
    '"responseStatus":{"code":200},"userAgent":"x/1"}\n'
)
REVIEW = (
    '{"user":{"username":"admin"},"verb":"create","requestURI":"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",'
    '"objectRef":{"apiGroup":"authorization.k8s.io","resource":"selfsubjectaccessreviews"},"responseStatus":{"code":201}}\n'
)


def test_writes_of_an_audit_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(EVENT % ("admin", ""))
    before = audit.marker(log)
    with log.open("a") as file:
        file.write(EVENT % ("standin:broker", "") + EVENT % ("admin", "?dryRun=All&fieldManager=x") + REVIEW)
    assert audit.writes(log, since=before) == []
    assert [each.uri.rpartition("?")[2] for each in audit.writes(log, dry_run=True)] == ["dryRun=All&fieldManager=x"]
    assert [each.user for each in audit.writes(log, "standin:broker")] == ["standin:broker"]
    with log.open("a") as file:
        file.write(EVENT % ("admin", "") + (EVENT % ("admin", ""))[:40])
    (event,) = audit.writes(log, since=before)
    assert (event.verb, event.group, event.resource) == ("patch", "submariner.io", "submariners/status")
    assert (event.namespace, event.name, event.status) == ("ns", "s", 200)
