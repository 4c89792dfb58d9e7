# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections of report.html: what stands in them, and when they are left out."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNKNOWN, Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._report._html import html_document
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_cidrs import cidrs_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_findings import findings_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_mtu import mtu_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_rest import (
    changes_section,
    passed_section,
    subctl_section,
    unknown_section,
    waived_section,
)
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_timeline import duration, seconds, timelines_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report
from ansible_collections.fathom.submariner.plugins.module_utils._report._subctl_comparison import SubctlComparison
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report import reports
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report.reports import finding

EMPTY = Report((), ())
AT = "2026-11-21T15:00:00Z"


def words(markup):
    """The text of a fragment, as a reader gets it."""
    reader = HTMLParser(convert_charrefs=True)
    parts = []
    reader.handle_data = parts.append
    reader.feed(str(markup))
    return " ".join(" ".join(parts).split())


def with_mtu(**changes):
    return Report((ClusterResult("cluster-1", details={"mtu": {**reports.MTU, **changes}}),), ())


class TestDocument:
    def test_it_says_the_verdict_first(self):
        text = html_document(reports.incident(), generated_at=AT)
        assert "<title>Submariner: Cross-cluster traffic is broken</title>" in text
        assert "Content-Security-Policy" in text and "default-src &#x27;none&#x27;" in text

    @pytest.mark.parametrize(
        ("report", "verdict"),
        [
            (EMPTY, "All is well"),
            (replace(EMPTY, findings=(finding("warning"),)), "Nothing is broken, but not all is well"),
            (replace(EMPTY, findings=(finding("error"),)), "Something is broken"),
            (replace(EMPTY, findings=(finding("error", UNKNOWN),)), "Not everything could be checked"),
        ],
    )
    def test_verdicts(self, report, verdict):
        assert verdict in words(html_document(report, generated_at=AT))

    def test_nothing_outside_is_named_but_links(self):
        text = html_document(reports.everything(), generated_at=AT)
        assert not re.search(r"<(script|img|link|iframe|object|embed|video|audio|source|base)\b", text)
        assert not re.search(r"url\(|@import|src=", text)
        assert set(re.findall(r'(\w+)="https?:', text)) == {"href"}

    def test_empty_sections_are_left_out(self):
        text = html_document(EMPTY, generated_at=AT)
        assert not re.search(r'id="(findings|mtu|cidrs|waived|unknown|changes|subctl|notes)"', text)

    def test_size(self):
        assert len(html_document(reports.thousands(), generated_at=AT).encode()) < 1_000_000
        assert len(html_document(reports.ring(30), generated_at=AT).encode()) < 500_000


class TestFindings:
    def test_cause_evidence_remedy_consequences(self):
        text = words(findings_section(reports.incident()))
        for expected in (
            "Submariner was told a node's /24",
            "10.46.0.0/24",
            "status.clusterCIDR",
            "Interrupts cross-cluster traffic",
            'join_cluster_cidr: "10.46.0.0/16"',
        ):
            assert expected in text
        assert "consequences, gone when this is repaired" in text

    def test_what_is_broken_is_open_and_hints_are_folded(self):
        section = findings_section(replace(EMPTY, findings=(finding("blocker"), finding("warning"))))
        assert section.count("<article") == 1 and section.count("<details") == 1

    def test_what_is_left_out_is_counted(self):
        text = words(findings_section(reports.thousands()))
        assert re.search(r"[\d,]+ further causes", text) and "are listed there alone" in text
        wide = replace(EMPTY, findings=(finding(evidence=tuple(Evidence("o", "f", str(number)) for number in range(100))),))
        assert "the first 40 of 100 rows" in words(findings_section(wide))

    def test_an_inventory_line_is_named(self):
        located = replace(EMPTY, findings=(finding(evidence=(Evidence("inventory", "kube_proxy_mode", "ipvs", "set here", "group_vars/all.yml", 7),)),))
        assert "group_vars/all.yml line 7" in words(findings_section(located))


class TestCidrs:
    def test_truth_and_evidence(self):
        text = words(cidrs_section(reports.incident()))
        assert "Pods, IPv4 10.46.0.0/16 agreed" in text
        assert "It tells the other clusters: 10.45.0.0/16, 10.46.0.0/24 . That is not what it really has." in text
        assert "hands the addresses out" in text and "the share of a node" in text

    def test_right_is_said_plainly(self):
        assert "That is not what it really has" not in words(cidrs_section(replace(reports.incident(), clusters=reports.incident().clusters[:0])) or "")
        assert cidrs_section(EMPTY) is None


class TestMtu:
    def test_bars_are_to_scale(self):
        section = ElementTree.fromstring(str(mtu_section(with_mtu())))
        bars = [
            [(part.get("class"), int(part.get("width"))) for part in bar.iter("rect")] for bar in section.iter("svg") if bar.get("viewBox") == "0 0 1500 20"
        ]
        assert bars[0] == [("track", 1500), ("payload", 1500)]
        assert bars[1] == [("track", 1500), ("payload", 1450), ("added", 50)]
        assert bars[3] == [("track", 1500), ("payload", 1420), ("added", 80)]
        assert ("over", 50) in bars[6]

    def test_what_is_too_large_is_said(self):
        text = words(mtu_section(with_mtu()))
        assert "A pod that starts now has 50 too large" in text
        assert "pod interfaces: data.veth_mtu 50 too large" in text
        assert "VXLAN: spec.vxlanMTU overrides the environment" in text and "not in effect" in text

    def test_an_unknown_link_claims_nothing(self):
        text = words(mtu_section(with_mtu(link=None, largest_pod_mtu=None, largest_across_clusters=None)))
        assert "not known" in text and "too large" not in text

    def test_none(self):
        assert mtu_section(EMPTY) is None and mtu_section(Report((ClusterResult("x", details={"mtu": None}),), ())) is None


class TestTimelines:
    def test_dots_are_to_scale_and_numbered(self):
        section = ElementTree.fromstring(str(timelines_section(Report((ClusterResult("cluster-1", details={"timelines": [reports.TIMELINE]}),), ()))))
        places = [float(dot.get("cx")) for dot in section.iter("circle")]
        assert places[0] == 20.0 and places[-1] == 880.0
        assert places[1] == pytest.approx(20 + 860 * 39 / 138, abs=0.1)
        text = words(ElementTree.tostring(section, encoding="unicode"))
        assert "5 +2 min 18 s calico-node became ready" in text and reports.TIMELINE["verdict"] in text

    def test_times_that_are_none_are_shown_as_they_are(self):
        line = {**reports.TIMELINE, "events": [{"at": "yesterday", "what": "something"}]}
        section = timelines_section(Report((ClusterResult("x", details={"timelines": [line]}),), ()))
        assert "yesterday" in section and "<svg" not in section

    @pytest.mark.parametrize(("at", "expected"), [("1970-01-01T00:01:00Z", 60), ("2026-11-20T03:10:02.5+00:00", 1795144202), ("2026-11-20", None), ("", None)])
    def test_seconds(self, at, expected):
        assert seconds(at) == expected

    @pytest.mark.parametrize(("length", "expected"), [(0, "0 s"), (75, "1 min 15 s"), (90061, "1 d 1 h"), (-5, "-5 s")])
    def test_duration(self, length, expected):
        assert duration(length) == expected


class TestTheRest:
    def test_changes(self):
        text = words(changes_section(reports.everything()))
        assert "New (1)" in text and "Fixed (1)" in text and "No gateway is active" in text
        assert "Gone, but not judged this time: no repair is claimed (1)" in text
        assert changes_section(EMPTY) is None

    def test_unknown(self):
        assert "forbidden" in words(unknown_section(reports.everything()))
        assert unknown_section(EMPTY) is None

    def test_waived(self):
        text = words(waived_section(reports.everything()))
        assert "Waived until 2026-12-31: Migration is planned, CHG-1207 (waivers.yml line 2)" in text
        assert waived_section(EMPTY) is None

    def test_passed(self):
        assert "clusterset-cidr-overlap" in words(passed_section(reports.ring(2)))
        assert passed_section(EMPTY) is None

    def test_subctl(self):
        rows = (
            SubctlComparison("cluster-1", "CIDRs do not overlap", "passed", ("blocker submariner-cidr-wrong: told a /24",), "It compares wrong with wrong."),
        )
        text = words(subctl_section(replace(EMPTY, subctl=rows)))
        assert "CIDRs do not overlap passed blocker submariner-cidr-wrong: told a /24 It compares wrong with wrong." in text
        assert subctl_section(EMPTY) is None
