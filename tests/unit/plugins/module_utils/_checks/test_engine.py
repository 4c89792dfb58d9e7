# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's promises, the engine's handling of odd checks, findings' journey through JSON."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, select, unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Snapshot
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import broken, cluster, judged


def run(function, **keywords):
    return judge_cluster(Facts.of(cluster()), [check("odd", title="odd", severity="error", **keywords)(function)])


class TestCatalogue:
    def test_ids_are_unique_and_speakable(self):
        ids = [entry.id for entry in CHECKS]
        assert len(ids) == len(set(ids))
        assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", name) for name in ids)

    @pytest.mark.parametrize("entry", CHECKS, ids=lambda entry: entry.id)
    def test_every_check_is_described_and_needs_what_exists(self, entry):
        assert entry.description and entry.title
        assert entry.severity in SEVERITIES
        assert all(isinstance(getattr(Snapshot("", "", ""), name), Answer) for name in entry.needs)

    def test_unknown_severity(self):
        with pytest.raises(ValueError, match="fatal"):
            check("odd", title="odd", severity="fatal")


class TestSelect:
    def test_all(self):
        assert select(CHECKS) == CHECKS

    def test_patterns(self):
        assert {entry.id for entry in select(CHECKS, ["remote-pool-*"], ["*-operator-*", "*-labels-*", "*-agent-*"])} == {
            "remote-pool-missing",
            "remote-pool-stale",
            "remote-pool-orphaned",
            "remote-pool-blocked",
            "remote-pool-fields",
        }

    @pytest.mark.parametrize(("wanted", "skipped"), [(["cdir*"], []), ([], ["kube-poxy-mode"])])
    def test_pattern_that_matches_nothing(self, wanted, skipped):
        with pytest.raises(InputError, match="kube-proxy-mode"):
            select(CHECKS, wanted, skipped)

    def test_tags(self):
        assert {tag for entry in select(CHECKS, ["tag:mtu"]) for tag in entry.tags} >= {"mtu"}
        assert all("pools" in entry.tags and "versions" not in entry.tags for entry in select(CHECKS, ["tag:pool*"], ["tag:versions"]))
        assert len(select(CHECKS, ["tag:mtu", "submariner-cidr-wrong"])) == len(select(CHECKS, ["tag:mtu"])) + 1

    def test_tag_that_no_check_has(self):
        with pytest.raises(InputError, match=r"No tag matches 'mut'\. Tags: .*mtu"):
            select(CHECKS, ["tag:mut"])

    def test_checks_of_a_user_are_selected_like_others(self):
        own = check("own-check", title="own", severity="info", tags=("custom",))(lambda facts: ())
        assert select((*CHECKS, own), ["own-*"]) == select((*CHECKS, own), ["tag:custom"]) == (own,)


class TestEngine:
    def test_cannot_judge(self):
        def function(facts):
            raise CannotJudge("the moon is down")

        judgement = run(function)
        assert judgement.unknown == (("odd", "the moon is down"),)
        assert judgement.passed == ()

    def test_not_applicable_is_no_pass(self):
        def function(facts):
            raise NotApplicable()

        judgement = run(function)
        assert (judgement.findings, judgement.passed, judgement.unknown) == ((), (), ())

    def test_broken_check_does_not_hide_the_others(self):
        def function(facts):
            yield Problem("something", "found before it broke")
            raise KeyError("surprise")

        judgement = run(function)
        assert [finding.verdict for finding in judgement.findings] == ["fail", "unknown"]
        assert "KeyError: 'surprise'" in judgement.findings[1].missing

    def test_catalogue_fills_the_finding(self):
        def function(facts):
            yield Problem("something", "is wrong")

        finding = run(function, references=("here",)).findings[0]
        assert (finding.severity, finding.cluster, finding.references, finding.key) == ("error", "cluster-1", ("here",), "cluster-1/odd")


class TestFinding:
    @pytest.mark.parametrize("finding", [*judged(broken()).findings, unreadable("cluster-9", "refused")], ids=lambda finding: finding.id)
    def test_survives_the_journey(self, finding):
        again = Finding.from_dict(json.loads(json.dumps(finding.to_dict())))
        assert again == finding

    @pytest.mark.parametrize("change", [{"severity": "fatal"}, {"verdict": "maybe"}, {"evidence": [7]}, {"id": None, "remedy": 3}])
    def test_nonsense(self, change):
        plain = {**unreadable("cluster-9", "refused").to_dict(), **change}
        with pytest.raises(InputError):
            Finding.from_dict(plain)

    def test_missing_key(self):
        plain = unreadable("cluster-9", "refused").to_dict()
        del plain["title"]
        with pytest.raises(InputError):
            Finding.from_dict(plain)
