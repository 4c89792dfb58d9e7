# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module report: clusters that are only planned, and subctl's verdicts beside ours."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.modules import report
from ansible_collections.fathom.submariner.tests.unit.plugins.modules.test_report import BROKEN, HEALTHY

GREEN = " • Checking gateway connections  ...\n ✓ Checking gateway connections\n"


@pytest.fixture
def run(capsys, module_args):
    def call(**options):
        with module_args(options), pytest.raises(SystemExit) as ended:
            report.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    return call


class TestCandidates:
    def test_overlap(self, run):
        result = run(clusters=HEALTHY, candidates={"new": {"pods": ["10.42.0.0/16"], "services": ["10.99.0.0/16"]}})[1]
        found = [entry for entry in result["findings"] if entry["id"] == "clusterset-cidr-overlap"]
        assert [(entry["severity"], entry["subject"]) for entry in found] == [("error", "cluster-2 and new")]
        assert "Free in this clusterset: pods 10.0.0.0/16" in found[0]["remedy"]["text"]
        assert result["summary"]["clusters"] == 2

    def test_that_fits(self, run):
        assert run(clusters=HEALTHY, candidates={"new": ["10.99.0.0/16", "10.98.0.0/16"]})[1]["outcome"] == "ok"

    def test_one_that_was_read_is_left_out(self, run):
        code, result = run(clusters=HEALTHY, candidates={"cluster-1": ["10.42.0.0/16"]})
        assert code == 0 and "clusterset-cidr-overlap" in result["passed"]

    def test_nonsense(self, run):
        code, result = run(clusters=HEALTHY, candidates={"new": ["nonsense"]})
        assert code == 1 and result["msg"].startswith("candidates: ")


class TestUserChecks:
    def test_their_ids_may_be_named_here_too(self, run):
        own = {**HEALTHY[0], "passed": ["site-nodes"]}
        assert run(clusters=[own, HEALTHY[1]], checks=["site-*", "tag:user"])[0] == 0
        assert "No check matches 'sight-*'" in run(clusters=[own, HEALTHY[1]], checks=["sight-*"])[1]["msg"]


class TestSubctl:
    def test_beside_ours(self, run, tmp_path):
        saved = tmp_path / "subctl.txt"
        saved.write_text(f'Cluster "cluster-1"\n{GREEN}Cluster "cluster-2"\n{GREEN}', encoding="utf-8")
        (tmp_path / "report").mkdir()
        code, result = run(clusters=BROKEN, subctl_diagnose=str(saved), dest=str(tmp_path / "report"))
        assert code == 0
        written = json.loads((tmp_path / "report/result.json").read_text(encoding="utf-8"))
        rows = [row for row in written["subctl"] if row["cluster"] == "cluster-1"]
        assert (rows[0]["check"], rows[0]["subctl_verdict"]) == ("Checking gateway connections", "passed")
        assert any("submariner-cidr-wrong" in text for row in rows for text in row["ours"])

    @pytest.mark.parametrize("text", [None, "command not found: subctl"])
    def test_no_such_output(self, run, tmp_path, text):
        saved = tmp_path / "subctl.txt"
        if text is not None:
            saved.write_text(text, encoding="utf-8")
        code, result = run(clusters=HEALTHY, subctl_diagnose=str(saved))
        assert code == 1 and str(saved) in result["msg"]
