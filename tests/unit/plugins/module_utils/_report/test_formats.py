# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that programs read: SARIF, Prometheus' text format, JUnit, the JSON Schema, the comment on a pull request."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, Evidence, Waiver
from ansible_collections.fathom.submariner.plugins.module_utils._report._files import rendered
from ansible_collections.fathom.submariner.plugins.module_utils._report._lines import lines
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report, artifacts, failed_by, ordered, to_dict
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report import reports
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report.reports import finding

AT = "2026-11-21T15:00:00Z"
SCHEMA = json.loads((Path(__file__).resolve().parents[5] / "docs/result-1.schema.json").read_text(encoding="utf-8"))
LOCATED = finding("error", id="kube-proxy-mode", evidence=(Evidence("inventory", "kube_proxy_mode", "ipvs", "set here", "group vars/all.yml", 7),))


def report_of(*findings, passed=()):
    return Report((ClusterResult("cluster-1", passed=tuple(passed)),), ordered(findings))


def files(report, fail_on="error", fail_on_unknown=False):
    return rendered(report, failed_by(report, fail_on=fail_on, fail_on_unknown=fail_on_unknown), generated_at=AT)


@functools.cache
def big():
    """Making the files of thousands of findings takes seconds."""
    return files(reports.thousands())


class TestSchema:
    @pytest.mark.parametrize("make", [reports.incident, reports.everything, reports.hostile, lambda: reports.ring(5, silent=[2]), lambda: Report((), ())])
    def test_every_report_fits(self, make):
        jsonschema = pytest.importorskip("jsonschema", reason="a development dependency that the oldest environment does not have")
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        jsonschema.validate(json.loads(files(make())["json"]), SCHEMA)

    def test_it_names_every_key_and_itself(self):
        plain = to_dict(reports.everything(), generated_at=AT)
        assert set(plain) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
        assert plain["$schema"] == SCHEMA["$id"]
        assert set(plain["findings"][0]) == set(SCHEMA["$defs"]["finding"]["properties"])
        assert set(plain["clusters"][0]) == set(SCHEMA["$defs"]["cluster"]["properties"])


class TestSarif:
    def test_only_what_a_line_answers_for(self):
        run = json.loads(files(report_of(LOCATED, finding("blocker")))["sarif"])["runs"][0]
        assert [entry["ruleId"] for entry in run["results"]] == ["kube-proxy-mode"]
        place = run["results"][0]["locations"][0]["physicalLocation"]
        assert place == {"artifactLocation": {"uri": "group%20vars/all.yml", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 7}}
        assert run["tool"]["driver"]["rules"][run["results"][0]["ruleIndex"]]["id"] == "kube-proxy-mode"
        assert run["results"][0]["level"] == "error"

    def test_absolute_paths_have_no_base(self):
        elsewhere = replace(LOCATED, evidence=(LOCATED.evidence[0]._replace(file="/etc/inv é.yml"),))
        location = json.loads(files(report_of(elsewhere))["sarif"])["runs"][0]["results"][0]["locations"][0]
        assert location["physicalLocation"]["artifactLocation"] == {"uri": "/etc/inv%20%C3%A9.yml"}

    def test_waived_is_suppressed(self):
        waived = replace(LOCATED, waiver=Waiver("planned", "2026-12-31", "w line 1"))
        assert json.loads(files(report_of(waived))["sarif"])["runs"][0]["results"][0]["suppressions"][0]["justification"] == "planned"

    def test_no_results_is_a_valid_file(self):
        plain = json.loads(files(report_of(finding()))["sarif"])
        assert plain["version"] == "2.1.0" and plain["runs"][0]["results"] == [] and plain["runs"][0]["tool"]["driver"]["rules"] == []


class TestMetrics:
    sample = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\.)*",?)+)\})? (-?\d+)')

    def samples(self, report, **options):
        text = files(report, **options)["metrics"]
        assert text.endswith("\n") and "\n\n" not in text
        found, kinds = {}, []
        for line in text.splitlines():
            if line.startswith("#"):
                kinds.append(tuple(line.split()[1:3]))
                continue
            match = self.sample.fullmatch(line)
            assert match, line
            found[match[1].removeprefix("submariner_diagnosis_"), match[2] or ""] = int(match[3])
        assert len(kinds) == len(set(kinds)), "HELP and TYPE stand once a family"
        return found

    def test_counts(self):
        found = self.samples(report_of(finding("blocker"), finding("blocker", subject="b"), finding("error", UNKNOWN, id="u"), passed=["a", "b"]))
        assert found["findings", 'cluster="cluster-1",check="some-check",severity="blocker"'] == 2
        assert found["not_judged", 'cluster="cluster-1",check="u"'] == 1
        assert found["checks_passed", 'cluster="cluster-1"'] == 2
        assert found["cluster_read", 'cluster="cluster-1"'] == 1
        assert (found["failing", ""], found["outcome", 'outcome="fail"'], found["outcome", 'outcome="ok"']) == (2, 1, 0)
        assert found["last_run_timestamp_seconds", ""] == 1795273200

    def test_labels_are_bounded_and_escaped(self):
        small, large = (len(self.samples(report_of(*[finding(subject=f"s{number}") for number in range(count)]))) for count in (1, 500))
        assert small == large
        assert self.samples(reports.hostile())

    def test_an_unread_cluster_is_zero(self):
        assert self.samples(reports.ring(3, silent=[2]))["cluster_read", 'cluster="site-02"'] == 0


class TestJunit:
    def suites(self, report, **options):
        return {suite.get("name"): suite for suite in ElementTree.fromstring(files(report, **options)["junit"])}

    def test_a_case_is_a_check(self):
        report = report_of(finding("error", subject="a"), finding("error", subject="b"), finding("error", UNKNOWN, id="u"), passed=["mtu-too-large"])
        suite = self.suites(report)["cluster-1"]
        assert [(case.get("classname"), case.get("name")) for case in suite] == [("mtu", "mtu-too-large"), ("other", "some-check"), ("other", "u")]
        assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {"tests": "3", "failures": "1", "skipped": "1", "errors": "0"}
        failure = suite.find(".//failure")
        assert failure.get("type") == "error" and "a" in failure.text and "b" in failure.text
        assert suite.find(".//skipped").get("message") == "a list"

    def test_what_does_not_fail_the_run_passes_and_tells(self):
        suite = self.suites(report_of(finding("warning"), replace(finding(id="w"), waiver=Waiver("planned", "2026-12-31", "x"))))["cluster-1"]
        assert suite.get("failures") == "0"
        assert [case.find("system-out").text.partition(":")[0] for case in suite] == ["error, waived until 2026-12-31 (planned)", "warning"]

    def test_unknown_that_fails_the_run_is_a_failure(self):
        suite = self.suites(report_of(finding("error", UNKNOWN)), fail_on_unknown=True)["cluster-1"]
        assert (suite.get("failures"), suite.get("skipped")) == ("1", "0")

    def test_thousands_are_one_case(self):
        root = ElementTree.fromstring(big()["junit"])
        case = root.find("./testsuite[@name='cluster-1']/testcase[@name='route-agent-blind']")
        assert "worker-04999" in case.find("failure").text


class TestMarkdown:
    def test_it_fits_into_a_comment(self):
        document = big()["markdown"]
        assert len(document) < 65_536
        assert "## Further findings" in document and "more, see result.json" in document

    def test_changes_waivers_and_what_is_missing(self):
        document = files(reports.everything())["markdown"]
        assert "1 new, 1 fixed" in document and "fixed: cluster-2: No gateway is active" in document
        assert "<summary>Waived: 1</summary>" in document and "<summary>Not judged:" in document


class TestArtifacts:
    def test_they_are_small_whatever_was_found(self):
        report = reports.thousands()
        fails = failed_by(report, fail_on="info", fail_on_unknown=True)
        assert len(json.dumps(artifacts(report, fails))) < 20_000

    def test_counts_for_each_cluster(self):
        report = report_of(finding("blocker"), finding("error", UNKNOWN, id="u"), passed=["a"])
        plain = artifacts(report, report.failed)
        assert plain["clusters"] == {"cluster-1": {"verdict": "blocker", "info": 0, "warning": 0, "error": 0, "blocker": 1, "unknown": 1, "passed": 1}}
        assert (plain["outcome"], plain["failed_by"]) == ("fail", ["cluster-1/some-check"])


class TestScreen:
    def test_it_stays_a_screen(self):
        screen = lines(reports.thousands())
        assert len(screen) < 600
        assert any(re.fullmatch(r"and \d+ more, see result.json of the report", line) for line in screen)
        wide = lines(report_of(finding(evidence=tuple(Evidence("Node", "spec.podCIDR", str(number)) for number in range(100)))))
        assert len(wide) < 120 and "   and 75 more values" in wide


def test_areas_come_from_the_catalogue():
    suite = TestJunit().suites(report_of(passed=[check.id for check in CHECKS]))["cluster-1"]
    assert {case.get("name"): case.get("classname") for case in suite} == {check.id: check.area for check in CHECKS}
