# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers, the comparison with an earlier report, and lines of inventories."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._report._files import rendered
from ansible_collections.fathom.submariner.plugins.module_utils._report._inventory import Text, located, settings_in
from ansible_collections.fathom.submariner.plugins.module_utils._report._lines import lines
from ansible_collections.fathom.submariner.plugins.module_utils._report._previous import compared, parse_result
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report, failed_by, ordered, outcome, summary
from ansible_collections.fathom.submariner.plugins.module_utils._report._waivers import parse_waivers, remarks, waive
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report.reports import finding

GOOD = """\
# Known to the network team
- id: some-check
  cluster: "cluster-*"
  reason: The move is CHG-1207
  expires: 2026-12-31
- {id: other-check, cluster: '*', reason: noise, expires: "2026-01-31"}
"""


def report_of(*findings, passed=()):
    return Report((ClusterResult("cluster-1", passed=tuple(passed)),), ordered(findings))


class TestWaivers:
    rules = parse_waivers(GOOD, "waivers.yml", yaml)

    def test_parsed_with_their_lines(self):
        assert [(rule.id, rule.cluster, rule.expires, rule.where) for rule in self.rules] == [
            ("some-check", "cluster-*", "2026-12-31", "waivers.yml line 2"),
            ("other-check", "*", "2026-01-31", "waivers.yml line 6"),
        ]

    @pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
    def test_an_empty_file_waives_nothing(self, text):
        assert parse_waivers(text, "w", yaml) == ()

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("- id: [", 1, "no YAML"),
            ("id: x", 1, "a list of waivers is wanted"),
            ("- x", 1, "a waiver is a mapping"),
            (GOOD.replace("reason: The", "reasons: The"), 4, "'reasons'"),
            (GOOD.replace("2026-12-31", "2026-02-30"), 5, "2026-02-30"),
            (GOOD.replace("2026-12-31", "next year"), 5, "next year"),
            (GOOD.replace("  reason: The move is CHG-1207\n", ""), 2, "lacks reason"),
            (GOOD.replace('  cluster: "cluster-*"\n', "  cluster:\n"), 3, "cluster must be a text"),
            (GOOD.replace("expires: 2026-12-31", "id: again"), 5, "id is given twice"),
            ("- id: a\n  cluster: [b]\n", 2, "cluster must be a text"),
        ],
    )
    def test_a_bad_file_names_line_and_reason(self, text, line, reason):
        with pytest.raises(InputError) as caught:
            parse_waivers(text, "waivers.yml", yaml)
        assert caught.value.message.startswith(f"waivers.yml line {line}:") and reason in caught.value.message

    def test_what_is_waived_is_shown_and_fails_nothing(self):
        report = report_of(*waive([finding("blocker"), finding(id="third")], self.rules, "2026-12-31"))
        assert [entry.id for entry in report.failed] == ["third"] and [entry.id for entry in report.waived] == ["some-check"]
        assert [entry.id for entry in failed_by(report, fail_on="info", fail_on_unknown=True)] == ["third"]
        assert (summary(report)["waived"], summary(report)["blocker"], outcome(report)) == (1, 0, "fail")
        screen = "\n".join(lines(report))
        assert "Waived:" in screen and "until 2026-12-31: The move is CHG-1207" in screen
        for text in rendered(report, (), generated_at="x").values():
            assert "CHG-1207" in text or text.startswith("# HELP") or '"results": []' in text

    def test_an_expired_one_comes_back_and_says_so(self):
        report = report_of(*waive([finding("error")], self.rules, "2027-01-01"))
        assert [entry.id for entry in failed_by(report, fail_on="error", fail_on_unknown=False)] == ["some-check"]
        assert "Waiver expired on 2026-12-31" in "\n".join(lines(report))
        assert "Waiver expired on 2026\\-12\\-31" in rendered(report, (), generated_at="x")["markdown"].replace("2026-12-31", "2026\\-12\\-31")

    def test_other_clusters_and_checks_are_not_waived(self):
        assert all(entry.waiver is None for entry in waive([finding(cluster="edge"), finding(id="x")], self.rules, "2026-01-01"))

    def test_unknown_can_be_waived(self):
        report = report_of(*waive([finding("blocker", UNKNOWN)], self.rules, "2026-05-05"))
        assert report.unknown == () and outcome(report) == "ok"

    def test_the_longest_of_several_holds(self):
        twice = parse_waivers(GOOD + GOOD.replace("2026-12-31", "2027-06-30"), "w", yaml)
        assert waive([finding()], twice, "2027-01-01")[0].waived

    def test_remarks(self):
        notes = remarks([finding()], self.rules, {"some-check"})
        assert notes == ("waivers.yml line 6 waives other-check, and no check has that id.",)
        assert "the waiver can go" in remarks([], self.rules, {"some-check", "other-check"})[0]


def earlier(*findings, **changes):
    return {"format": 1, "generated_at": "2026-11-20T06:00:00Z", "findings": [entry.to_dict() for entry in findings], **changes}


class TestPrevious:
    def test_new_persisting_fixed(self):
        before = earlier(finding(subject="old"), finding(subject="both", severity="warning"), finding(id="other-check", subject="gone"))
        report = compared(report_of(finding(subject="both"), finding(subject="fresh"), passed=["other-check"]), before)
        assert {entry.subject: entry.trend for entry in report.findings} == {"both": "persisting", "fresh": "new"}
        assert [(entry.subject, entry.judged) for entry in report.comparison.gone] == [("gone", True), ("old", True)]
        assert (summary(report)["new"], summary(report)["fixed"]) == (1, 2)
        screen = "\n".join(lines(report))
        assert "Changes: 1 new, 2 fixed, 1 persisting since 2026-11-20T06:00:00Z" in screen and "(new)" in screen

    @pytest.mark.parametrize(
        "now", [report_of(finding(verdict=UNKNOWN)), report_of(), Report((), ())], ids=["unknown now", "not asked now", "cluster not in this run"]
    )
    def test_what_was_not_judged_is_not_fixed(self, now):
        report = compared(now, earlier(finding(subject="old")))
        assert report.comparison.fixed == () and [entry.subject for entry in report.comparison.unclear] == ["old"]
        assert summary(report)["fixed"] == 0

    def test_what_was_unknown_before_is_new_when_it_fails(self):
        assert compared(report_of(finding()), earlier(finding(verdict=UNKNOWN))).findings[0].trend == "new"

    def test_our_own_file_is_read(self):
        report = report_of(finding())
        text = rendered(report, (), generated_at="2026-11-20T06:00:00Z")["json"]
        again = compared(report, parse_result(text, "result.json"))
        assert again.findings[0].trend == "persisting" and again.comparison.since == "2026-11-20T06:00:00Z"

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"findings": 3}', '{"findings": [], "format": 99}'])
    def test_anything_else_is_refused(self, text):
        with pytest.raises(InputError, match="result.json"):
            parse_result(text, "result.json")

    def test_a_finding_that_is_none(self):
        with pytest.raises(InputError):
            compared(report_of(), {"findings": [{"id": 3}]})


class TestInventory:
    all_yml = Text(
        "group_vars/all.yml", "---\n# kube_proxy_mode: ipvs\nkube_proxy_mode: ipvs  # as before\ncalico_mtu: 1500\nkube_pods_subnet: '10.0.0.0/16'\n"
    )
    hosts = Text("inventory.yml", "submariner_clusters:\n  hosts:\n    cluster-1: {context: one, submariner_cluster_cidr: 10.46.0.0/24}\n")
    ini = Text("hosts.ini", '[clusters]\ncluster-1 context=one submariner_cluster_cidr="10.46.0.0/24" my_kube_proxy_mode=ipvs\n')

    def test_only_known_settings_are_read(self):
        found = settings_in([self.all_yml, self.hosts, self.ini])
        assert [(line.setting.name, line.value, line.path, line.number) for line in found] == [
            ("kube_proxy_mode", "ipvs", "group_vars/all.yml", 3),
            ("calico_mtu", "1500", "group_vars/all.yml", 4),
            ("kube_pods_subnet", "10.0.0.0/16", "group_vars/all.yml", 5),
            ("submariner_cluster_cidr", "10.46.0.0/24", "inventory.yml", 3),
            ("submariner_cluster_cidr", "10.46.0.0/24", "hosts.ini", 2),
        ]

    def test_encrypted_files_hold_nothing(self):
        assert settings_in([Text("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\nkube_proxy_mode: ipvs\n")]) == ()

    def places(self, *findings):
        return [[(entry.file, entry.line) for entry in item.evidence if entry.file] for item in located(findings, settings_in([self.all_yml, self.hosts]))]

    def test_a_value_that_is_wrong_by_itself(self):
        assert self.places(finding(id="kube-proxy-mode"), finding(id="mtu-too-large")) == [[("group_vars/all.yml", 3)], []]

    def test_a_value_that_the_finding_shows(self):
        wrong = finding(id="submariner-cidr-wrong", evidence=(Evidence("Submariner", "status.clusterCIDR", "10.46.0.0/24"),))
        assert self.places(wrong, replace(wrong, evidence=())) == [[("inventory.yml", 3)], []]

    def test_unknown_is_not_located(self):
        assert self.places(finding(id="kube-proxy-mode", verdict=UNKNOWN)) == [[]]

    def test_variables_of_one_host_concern_no_other(self):
        lines_of_host = settings_in([Text("host_vars/cluster-2.yml", "kube_proxy_mode: ipvs\n")])
        own, other = located([finding(id="kube-proxy-mode", cluster="cluster-2"), finding(id="kube-proxy-mode", cluster="cluster-1")], lines_of_host)
        assert own.evidence and not other.evidence

    def test_it_survives_the_journey(self):
        item = located([finding(id="kube-proxy-mode")], settings_in([self.all_yml]))[0]
        assert type(item).from_dict(json.loads(json.dumps(item.to_dict()))).evidence == item.evidence
