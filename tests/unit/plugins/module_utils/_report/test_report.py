# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report in all its forms."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import card_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, Evidence, Finding, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble
from ansible_collections.fathom.submariner.plugins.module_utils._report._files import rendered
from ansible_collections.fathom.submariner.plugins.module_utils._report._lines import lines
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report, failed_by, ordered, outcome, summary
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Statistics
from ansible_collections.fathom.submariner.plugins.modules.diagnose import result
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, broken, cluster


def diagnosed(snapshot):
    facts = Facts.of(snapshot)
    judgement = judge_cluster(facts)
    return json.loads(
        json.dumps(result(snapshot.cluster, judgement.findings, card_of(facts), judgement.passed, facts.truth.to_dict(), snapshot.statistics))
    )


def report_on(*snapshots):
    return assemble([diagnosed(snapshot) for snapshot in snapshots], CHECKS)


def finding(severity="error", verdict="fail", **fields):
    defaults = {
        "id": "some-check",
        "cluster": "cluster-1",
        "subject": "thing",
        "title": "is wrong",
        "missing": "a list" if verdict == UNKNOWN else "",
    }
    return Finding(severity=severity, verdict=verdict, **{**defaults, **fields})


def report_of(*findings):
    return Report((ClusterResult("cluster-1"),), ordered(findings))


HEALTHY = report_on(cluster("cluster-1"), cluster("cluster-2"))
BROKEN = report_on(broken("cluster-1"), broken("cluster-2"))


class TestAssemble:
    def test_failed_task_is_an_unreadable_cluster(self):
        report = assemble([diagnosed(cluster("cluster-1")), {"failed": True, "msg": "no such context", "item": "cluster-2"}], CHECKS)
        unreadable = [entry for entry in report.findings if entry.id == "cluster-unreadable"]
        assert [(entry.cluster, entry.missing, entry.verdict) for entry in unreadable] == [("cluster-2", "no such context", "unknown")]
        assert outcome(report) == "unknown"

    @pytest.mark.parametrize(
        "entry",
        [
            {},
            {"cluster": "x"},
            {"cluster": "x", "findings": [], "card": {}},
            {"cluster": "x", "findings": [{}], "card": {"format": 1, "cluster": "x"}},
            {"skipped": True},
        ],
    )
    def test_nonsense(self, entry):
        with pytest.raises(InputError):
            assemble([entry], CHECKS)

    def test_same_name_twice(self):
        with pytest.raises(InputError, match="name of its own"):
            report_on(cluster("cluster-1"), cluster("cluster-1"))

    def test_clusterset_is_judged(self):
        assert {entry.id for entry in BROKEN.findings} >= {"clusterset-pool-wrong", "clusterset-endpoint-wrong"}
        assert "clusterset-cidr-overlap" in BROKEN.clusterset_passed


class TestVerdict:
    def test_order(self):
        first = [(entry.severity, bool(entry.caused_by)) for entry in BROKEN.findings]
        assert first == [("blocker", False)] * 2 + [("warning", True)] * 4 + [("info", True)] * 2

    def test_unknown_comes_last(self):
        assert [entry.verdict for entry in ordered([finding("blocker", UNKNOWN), finding("info")])] == ["fail", "unknown"]

    @pytest.mark.parametrize(
        ("findings", "expected"),
        [
            ([], "ok"),
            ([finding("info")], "ok"),
            ([finding("warning")], "warn"),
            ([finding("error")], "fail"),
            ([finding("blocker"), finding("error", UNKNOWN)], "fail"),
            ([finding("warning"), finding("error", UNKNOWN)], "unknown"),
            ([finding("info", UNKNOWN)], "ok"),
        ],
    )
    def test_outcome(self, findings, expected):
        assert outcome(report_of(*findings)) == expected

    @pytest.mark.parametrize(
        ("fail_on", "fail_on_unknown", "expected"),
        [
            ("error", False, ["b", "e"]),
            ("blocker", False, ["b"]),
            ("warning", False, ["b", "e", "w"]),
            ("info", True, ["b", "e", "w", "i", "u"]),
            ("error", True, ["b", "e", "u"]),
            ("never", True, []),
        ],
    )
    def test_failed_by(self, fail_on, fail_on_unknown, expected):
        severities = {"b": "blocker", "e": "error", "w": "warning", "i": "info"}
        findings = [finding(severity, id=name) for name, severity in severities.items()] + [finding("error", UNKNOWN, id="u")]
        assert [entry.id for entry in failed_by(report_of(*findings), fail_on=fail_on, fail_on_unknown=fail_on_unknown)] == expected

    def test_unreadable_cluster_always_counts(self):
        dead = report_of(finding("blocker", UNKNOWN, id="cluster-unreadable"))
        assert failed_by(dead, fail_on="blocker", fail_on_unknown=False)
        assert not failed_by(dead, fail_on="never", fail_on_unknown=True)

    def test_summary(self):
        assert summary(BROKEN) == {
            "clusters": 2,
            "info": 2,
            "warning": 4,
            "error": 0,
            "blocker": 2,
            "unknown": 0,
            "passed": summary(BROKEN)["passed"],
            "waived": 0,
            "new": 0,
            "fixed": 0,
        }
        assert summary(HEALTHY)["passed"] == sum(len(entry.passed) for entry in HEALTHY.clusters) + len(HEALTHY.clusterset_passed)


class TestLines:
    def test_healthy(self):
        screen = lines(HEALTHY)
        assert screen[0] == "2 clusters: nothing found"
        assert screen[-1].startswith("OK: ")

    def test_incident_says_what_why_and_how(self):
        text = "\n".join(lines(BROKEN))
        assert text.startswith("2 clusters: 2 blockers, 4 warnings, 2 info")
        for expected in (
            "1. BLOCKER  cluster-1  submariner-cidr-wrong",
            "Submariner was told a node's /24 is the whole cluster",
            "status.clusterCIDR",
            "only node node-1",
            "Breaks:",
            "Follows: cluster-2",
            "Repair:",
            "role fathom.submariner.join",
            'join_cluster_cidr: "10.46.0.0/16"',
            "Interrupts cross-cluster traffic",
            "FAIL. To repair: ansible-playbook fathom.submariner.remediate",
        ):
            assert expected in text, expected

    def test_variables_of_a_role_read_back_as_they_are(self):
        variables = {"a": "0123", "b": "no", "c": ["1e3", "worker-1"], "d": True, "e": 1450, "f": {"g": "on"}, "h": "10.46.0.0/16", "i": "^vx-submariner$,x: y"}
        (broken, *_rest) = BROKEN.findings
        screen = lines(replace(BROKEN, findings=(replace(broken, remedy=Remedy("Do it.", "some.role", variables)),)))
        start = next(number for number, line in enumerate(screen) if line.strip() == "role some.role")
        assert yaml.safe_load(textwrap.dedent("\n".join(screen[start + 1 : start + 1 + len(variables)]))) == variables

    def test_two_findings_not_eight(self):
        assert [line for line in lines(BROKEN) if line[:2] in ("1.", "2.", "3.")] == [
            "1. BLOCKER  cluster-1  submariner-cidr-wrong",
            "2. BLOCKER  cluster-2  submariner-cidr-wrong",
        ]

    def test_eighty_columns(self):
        wide = [line for line in lines(BROKEN) if len(line) > 80]
        assert all(len(line.split()) == 1 for line in wide), wide

    def test_unknown_is_grouped_by_what_is_missing(self):
        screen = lines(report_on(cluster("cluster-1", submariners=answer(FORBIDDEN)), cluster("cluster-2")))
        assert "Not judged:" in screen
        assert sum("submariners could not be read" in line for line in screen) == 1

    def test_consequence_whose_cause_was_not_judged_stands_alone(self):
        screen = lines(report_of(finding("warning", caused_by="cluster-9/elsewhere")))
        assert "1. WARNING  cluster-1  some-check" in screen

    def test_warnings_only(self):
        assert lines(report_of(finding("warning")))[-1].startswith("WARN")
        assert lines(report_of(finding("error")))[-1].startswith("FAIL. A person must act")
        assert lines(report_of(finding("error", UNKNOWN)))[-1].startswith("UNKNOWN")


EVIL = "\x1b[2Jname</failure>\u202e|`<script>"


class TestHostileText:
    report = Report(
        (ClusterResult(EVIL, (EVIL,), ("some-pass",)),),
        (
            finding(
                cluster=EVIL,
                subject=EVIL,
                title=EVIL,
                impact=EVIL,
                evidence=(Evidence(EVIL, EVIL, EVIL, EVIL),),
                remedy=Remedy(EVIL, EVIL, {EVIL: EVIL}, target=EVIL),
                references=(EVIL,),
            ),
            finding(verdict=UNKNOWN, cluster=EVIL, missing=EVIL),
        ),
    )

    def test_nowhere(self):
        files = rendered(self.report, self.report.findings[:1], generated_at="now")
        for text in ("\n".join(lines(self.report)), *files.values()):
            assert "\x1b" not in text and "\u202e" not in text
        ElementTree.fromstring(files["junit"])
        json.loads(files["json"])

    def test_markdown_text_is_escaped(self):
        document = rendered(self.report, (), generated_at="now")["markdown"]
        prose = [line for line in document.splitlines() if line.startswith("## ")]
        assert prose and all("<script>" not in line for line in prose)


class TestFiles:
    def test_result_json(self):
        plain = json.loads(rendered(BROKEN, (), generated_at="2026-01-01T00:00:00Z")["json"])
        assert (plain["format"], plain["outcome"], plain["generated_at"]) == (1, "fail", "2026-01-01T00:00:00Z")
        assert set(plain["findings"][0]) >= {"id", "severity", "verdict", "cluster", "subject", "title", "evidence", "impact", "remedy", "references"}

    def test_equal_reports_are_equal_files(self):
        again = report_on(broken("cluster-1"), broken("cluster-2"))
        assert rendered(BROKEN, (), generated_at="x") == rendered(again, (), generated_at="x")

    def test_statistics_do_not_count(self):
        slower = [replace(broken(name), statistics=Statistics(1, 2, 3, 4.5), taken_at="later") for name in ("cluster-1", "cluster-2")]
        assert rendered(BROKEN, (), generated_at="x") == rendered(report_on(*slower), (), generated_at="x")

    def test_junit(self):
        fails = failed_by(BROKEN, fail_on="error", fail_on_unknown=False)
        root = ElementTree.fromstring(rendered(BROKEN, fails, generated_at="2026-01-01T00:00:00Z")["junit"])
        suites = {suite.get("name"): suite for suite in root}
        assert list(suites) == ["cluster-1", "cluster-2", "clusterset"]
        assert suites["cluster-1"].get("failures") == "1"
        failure = suites["cluster-1"].find(".//failure")
        assert "10.46.0.0/24" in failure.text
        for suite in root:
            assert int(suite.get("tests")) == len(suite.findall("testcase"))
            assert int(suite.get("failures")) == len(suite.findall(".//failure"))
            assert int(suite.get("skipped")) == len(suite.findall(".//skipped"))

    def test_junit_of_an_unreadable_cluster(self):
        report = assemble([{"failed": True, "msg": "refused", "cluster": "dead"}], CHECKS)
        root = ElementTree.fromstring(rendered(report, failed_by(report, fail_on="error", fail_on_unknown=False), generated_at="x")["junit"])
        assert root.find("./testsuite[@name='dead']").get("failures") == "1"

    def test_markdown(self):
        document = rendered(BROKEN, (), generated_at="2026-01-01T00:00:00Z")["markdown"]
        assert document.startswith("# Submariner diagnosis: fail\n")
        assert "| `10.46.0.0/24` | status.clusterCIDR |" in document
        assert "Role `fathom.submariner.join`" in document
