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

FILES = ("result.json", "summary.md", "junit.xml")


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
