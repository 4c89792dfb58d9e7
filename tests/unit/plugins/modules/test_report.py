# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module report: files and verdict."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import card_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.modules import report
from ansible_collections.fathom.submariner.plugins.modules.diagnose import result as diagnosis
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import broken, cluster

FILES = ("findings.sarif", "junit.xml", "metrics.prom", "report.html", "result.json", "summary.md")


def diagnosed(*snapshots):
    made = []
    for snapshot in snapshots:
        facts = Facts.of(snapshot)
        judgement = judge_cluster(facts)
        made.append(json.loads(json.dumps(diagnosis(snapshot.cluster, judgement.findings, card_of(facts), judgement.passed))))
    return made


HEALTHY = diagnosed(cluster("cluster-1"), cluster("cluster-2"))
BROKEN = diagnosed(broken("cluster-1"), broken("cluster-2"))


@pytest.fixture
def run(capsys, module_args):
    def call(**options):
        with module_args(options), pytest.raises(SystemExit) as ended:
            report.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def test_verdict_without_files(run):
    code, result = run(clusters=BROKEN)
    assert (code, result["changed"], result["outcome"], result["files"]) == (0, False, "fail", {})
    assert result["failed_by"] == ["cluster-1/submariner-cidr-wrong", "cluster-2/submariner-cidr-wrong"]
    assert result["summary"]["blocker"] == 2
    assert result["lines"][0].startswith("2 clusters: 2 blockers")


def test_fail_on(run):
    assert run(clusters=BROKEN, fail_on="never")[1]["failed_by"] == []
    assert len(run(clusters=BROKEN, fail_on="info")[1]["failed_by"]) > 2
    assert run(clusters=HEALTHY, fail_on="info")[1]["failed_by"] == []


def test_failed_task_counts(run):
    failed = {"failed": True, "msg": "no such context", "cluster": "cluster-2"}
    result = run(clusters=[HEALTHY[0], failed])[1]
    assert result["failed_by"] == ["cluster-2/cluster-unreadable"]


def test_files_are_written_once(run, tmp_path):
    dest = tmp_path / "report"
    first = run(clusters=BROKEN, dest=str(dest))[1]
    assert first["changed"]
    assert sorted(path.name for path in dest.iterdir()) == sorted(FILES)
    assert first["files"]["json"] == str(dest / "result.json")
    before = contents(dest)
    again = run(clusters=BROKEN, dest=str(dest))[1]
    assert not again["changed"]
    assert contents(dest) == before


def test_other_content_is_written(run, tmp_path):
    run(clusters=BROKEN, dest=str(tmp_path))
    assert run(clusters=HEALTHY, dest=str(tmp_path))[1]["changed"]
    assert json.loads((tmp_path / "result.json").read_text())["outcome"] == "ok"


@pytest.mark.parametrize("name", FILES)
def test_a_lost_or_edited_file_is_made_again(run, tmp_path, name):
    run(clusters=BROKEN, dest=str(tmp_path))
    (tmp_path / name).unlink()
    assert run(clusters=BROKEN, dest=str(tmp_path))[1]["changed"]
    (tmp_path / name).write_text("edited")
    assert run(clusters=BROKEN, dest=str(tmp_path))[1]["changed"]
    assert (tmp_path / name).read_text() != "edited"


def test_check_mode_writes_nothing(run, tmp_path):
    dest = tmp_path / "report"
    assert run(clusters=BROKEN, dest=str(dest), _ansible_check_mode=True)[1]["changed"]
    assert not dest.exists()


def test_unwritable_destination(run, tmp_path):
    (tmp_path / "file").write_text("not a directory")
    code, result = run(clusters=BROKEN, dest=str(tmp_path / "file" / "report"))
    assert code == 1
    assert "report" in result["msg"] and "Traceback" not in result["msg"]


def test_nonsense(run):
    code, result = run(clusters=[{"surprise": 1}])
    assert code == 1
    assert "Entry 1 of clusters is no result of fathom.submariner.diagnose" in result["msg"]
    assert run(clusters=BROKEN, checks=["nothing-like-it"])[0] == 1


WAIVERS = """\
- id: submariner-cidr-wrong
  cluster: cluster-1
  reason: CHG-1207
  expires: "2999-12-31"
- id: no-such-check
  cluster: "*"
  reason: misspelt
  expires: "2999-12-31"
"""


class TestWaivers:
    def test_waived_is_shown_and_does_not_fail(self, run, tmp_path):
        (tmp_path / "waivers.yml").write_text(WAIVERS)
        result = run(clusters=BROKEN, waivers=str(tmp_path / "waivers.yml"))[1]
        assert result["failed_by"] == ["cluster-2/submariner-cidr-wrong"]
        assert result["summary"]["waived"] == 1 and result["summary"]["blocker"] == 1
        assert "Note: waivers.yml line 5 waives no-such-check, and no check has that id." in result["lines"]

    def test_an_expired_one_fails_again(self, run, tmp_path):
        (tmp_path / "waivers.yml").write_text(WAIVERS.replace("2999", "2001"))
        result = run(clusters=BROKEN, waivers=str(tmp_path / "waivers.yml"))[1]
        assert "cluster-1/submariner-cidr-wrong" in result["failed_by"]
        assert any("Waiver expired on 2001-12-31: CHG-1207" in line for line in result["lines"])

    @pytest.mark.parametrize(("text", "said"), [(None, "There is no file of waivers"), ("- id: x\n", "waivers.yml line 1"), ("\udcff", "cannot be read")])
    def test_a_bad_file_is_named(self, run, tmp_path, text, said):
        if text is not None:
            (tmp_path / "waivers.yml").write_bytes(text.encode(errors="surrogateescape"))
        code, result = run(clusters=BROKEN, waivers=str(tmp_path / "waivers.yml"))
        assert code == 1 and said in result["msg"]


class TestPrevious:
    def test_the_folder_that_is_written_to(self, run, tmp_path):
        options = {"dest": str(tmp_path), "previous": str(tmp_path)}
        first = run(clusters=BROKEN, **options)[1]
        assert "comparison" not in first and first["summary"]["new"] == 0
        second = run(clusters=HEALTHY, **options)[1]
        assert {entry["id"] for entry in second["comparison"]["gone"] if entry["judged"]} >= {"submariner-cidr-wrong"}
        third = run(clusters=BROKEN, **options)[1]
        assert third["summary"]["new"] == third["summary"]["blocker"] + third["summary"]["error"] + third["summary"]["warning"] + third["summary"]["info"]

    def test_a_file_elsewhere_must_exist(self, run, tmp_path):
        code, result = run(clusters=BROKEN, dest=str(tmp_path), previous=str(tmp_path / "old" / "result.json"))
        assert code == 1 and "There is no earlier report" in result["msg"]

    def test_a_file_that_is_no_report(self, run, tmp_path):
        (tmp_path / "old.json").write_text("[]")
        code, result = run(clusters=BROKEN, previous=str(tmp_path / "old.json"))
        assert code == 1 and "old.json is no result.json" in result["msg"]


class TestInventory:
    def test_a_line_becomes_evidence_and_sarif(self, run, tmp_path, monkeypatch):
        (tmp_path / "group_vars").mkdir()
        (tmp_path / "group_vars/all.yml").write_text("kube_pods_subnet: 10.46.0.0/24\ntoken: s3cret-token\n")
        (tmp_path / "hosts.yml").write_text("submariner_clusters: {}\n")
        (tmp_path / "group_vars/broken.yml").write_bytes(b"\xff\xfe kube_pods_subnet: 10.46.0.0/24")
        monkeypatch.chdir(tmp_path)
        result = run(clusters=BROKEN, dest=str(tmp_path / "report"), inventory=[str(tmp_path / "hosts.yml"), "localhost,"])[1]
        located = [entry for finding in result["findings"] for entry in finding["evidence"] if entry["file"]]
        assert {(entry["file"], entry["line"], entry["value"]) for entry in located} == {("group_vars/all.yml", 1, "10.46.0.0/24")}
        sarif = (tmp_path / "report/findings.sarif").read_text()
        assert '"uri": "group_vars/all.yml"' in sarif
        assert "s3cret-token" not in json.dumps(result) + "".join(path.read_text() for path in (tmp_path / "report").iterdir())

    def test_folders_are_walked_and_programs_left_alone(self, tmp_path):
        for name in ("a.yml", "sub/b", "script.py", ".hidden/c.yml", ".d.yml"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
        assert [path.removeprefix(f"{tmp_path}/") for path in report.inventory_files([str(tmp_path)])] == ["a.yml", "sub/b"]


SUBCTL = """\
Cluster "cluster-1"
 \u2713 Calico CNI detected, checking if the Submariner IPPool pre-requisites are configured
"""


class TestSubctl:
    def test_green_beside_red(self, run, tmp_path):
        (tmp_path / "subctl.txt").write_text(SUBCTL)
        result = run(clusters=BROKEN, dest=str(tmp_path / "report"), subctl_diagnose=str(tmp_path / "subctl.txt"))[1]
        rows = json.loads((tmp_path / "report/result.json").read_text())["subctl"]
        assert any(row["subctl_verdict"] == "passed" and row["ours"] and row["reason"] for row in rows)
        assert "Why subctl diagnose differs:" in result["lines"]

    @pytest.mark.parametrize("text", [None, "hello"])
    def test_what_is_none_is_refused(self, run, tmp_path, text):
        if text:
            (tmp_path / "subctl.txt").write_text(text)
        code, result = run(clusters=BROKEN, subctl_diagnose=str(tmp_path / "subctl.txt"))
        assert code == 1 and "subctl diagnose" in result["msg"]


def test_artifacts_are_returned(run):
    result = run(clusters=BROKEN)[1]
    assert result["artifacts"]["clusters"]["cluster-1"]["blocker"] == 1
    assert result["artifacts"]["failed_by"] == result["failed_by"]


def test_no_temporary_file_is_left(run, tmp_path):
    run(clusters=BROKEN, dest=str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
