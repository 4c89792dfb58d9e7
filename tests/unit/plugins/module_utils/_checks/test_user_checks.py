# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own checks: what a file may hold, what is refused with file and line, and what the checks find."""

from __future__ import annotations

import jmespath
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._checks import _user_checks
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, select
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._user_checks import parse_user_checks
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, node, not_served, ok

BAD_NODES = ok(node("node-1")._replace(ready=False), node("node-2"))


def written(expression="nodes.items[?ready==`false`].ref.name", **fields):
    entry = {"id": "site-nodes", "severity": "warning", "expression": expression, "message": "Nodes are not ready", **fields}
    return yaml.safe_dump([entry], sort_keys=False)


def parse(text, taken=()):
    return parse_user_checks(text, "site.yml", yaml, jmespath, taken)


def findings(text, **changes):
    return judge_cluster(Facts.of(cluster(**changes)), parse(text)).findings


def one(text, **changes):
    found = findings(text, **changes)
    assert len(found) == 1
    return found[0]


class TestVerdicts:
    def test_pass(self):
        judgement = judge_cluster(Facts.of(cluster()), parse(written()))
        assert (judgement.passed, judgement.findings) == (("site-nodes",), ())

    def test_fail(self):
        found = one(written(remedy="Repair them.", impact="Less room.", references=["https://wiki.example.com/nodes"]), nodes=BAD_NODES)
        assert (found.id, found.severity, found.verdict, found.title) == ("site-nodes", "warning", "fail", "Nodes are not ready")
        assert (found.remedy.text, found.impact, found.references) == ("Repair them.", "Less room.", ("https://wiki.example.com/nodes",))
        assert [entry.value for entry in found.evidence] == ["node-1"]

    @pytest.mark.parametrize("expression", ["nodes.items[?ready==`false`].ref.name", "length(nodes.items[?ready==`false`]) > `0`"])
    def test_unknown_where_the_answer_is_missing(self, expression):
        found = one(written(expression), nodes=answer(FORBIDDEN))
        assert found.verdict == "unknown" and "nodes could not be read" in found.missing

    def test_needs_of_its_own(self):
        text = written("host_endpoints.state == 'forbidden'", needs=[])
        assert one(text, host_endpoints=answer(FORBIDDEN)).verdict == "fail"
        assert findings(text) == ()
        assert one(written(needs=["tiers"]), tiers=answer(FORBIDDEN)).verdict == "unknown"

    def test_what_does_not_exist_is_an_empty_answer(self):
        assert findings(written("helm_charts.items[?failed]"), helm_charts=not_served()) == ()

    @pytest.mark.parametrize(("expression", "says"), [("join(',', nodes.items)", "join"), ("length(server_version.state == 'ok')", "length")])
    def test_an_expression_that_breaks_is_unknown(self, expression, says):
        found = one(written(expression))
        assert found.verdict == "unknown"
        assert found.missing.startswith("site.yml, line 3, expression: ") and says in found.missing

    def test_a_number_is_no_verdict(self):
        found = one(written("length(nodes.items)"))
        assert found.verdict == "unknown" and "gives the number 1; compare it" in found.missing

    def test_subject_and_evidence(self):
        evidence = "result[].{object: join('', ['Node ', @]), field: 'status', value: 'not ready'}"
        found = one(written(subject="result[0]", evidence=evidence), nodes=BAD_NODES)
        assert found.subject == "node-1"
        assert (found.evidence[0].object, found.evidence[0].field, found.evidence[0].value) == ("Node node-1", "status", "not ready")

    def test_evidence_is_bounded(self):
        many = ok(*(node(f"node-{number}")._replace(ready=False) for number in range(20)))
        found = one(written("nodes.items[?!ready].{value: ref.name, note: join('', [ref.name, ` `])}"), nodes=many)
        assert len(found.evidence) == 9 and found.evidence[-1].value == "12 more"
        long = one(written("join('', [cluster, 'x'])", evidence="join('', nodes.items[].ref.name)"), nodes=ok(node("n" * 500)))
        assert len(long.evidence[0].value) == 201

    def test_true(self):
        assert one(written("server_version.items[0] != 'v1.0.0'")).evidence[0].note == "server_version.items[0] != 'v1.0.0'"

    def test_joined(self):
        text = written("cluster == 'cluster-1'", joined=False)
        assert findings(text) == ()
        assert len(findings(text, joined=False)) == 1

    def test_labels_and_text_stay_text(self):
        found = one(written("nodes.items[].ref.name", message="{{ 7 * 7 }} <b>"), nodes=BAD_NODES)
        assert found.title == "{{ 7 * 7 }} <b>"


class TestFiles:
    def test_a_mapping_with_checks(self):
        assert parse(yaml.safe_dump({"checks": yaml.safe_load(written())}))[0].id == "site-nodes"

    def test_nothing_yet(self):
        assert parse("[]") == () and parse("checks: []") == ()

    def test_what_a_check_is_made_of(self):
        check = parse(written(tags=["kernel", "user"], title="All nodes are ready"))[0]
        assert (check.tags, check.title, check.needs, check.area, check.description) == (
            ("user", "kernel"), "All nodes are ready", ("nodes",), "user", "Nodes are not ready",
        )  # fmt: skip
        assert parse(written())[0].title == "Not: Nodes are not ready"

    def test_selection(self):
        checks = parse(written())
        assert select(checks, ["site-*"]) == select(checks, ["tag:user"]) == checks
        assert select(checks, ["cidr-truth"]) == ()
        assert select((), ["site-nodes"], elsewhere=["site-nodes"]) == ()
        with pytest.raises(InputError, match="No check matches 'sight-\\*'"):
            select(checks, ["sight-*"])

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "site.yml, line 1: a list of checks was expected"),
            ("check: []", "site.yml, line 1: a list of checks was expected"),
            ("- 7", "site.yml, line 1: a check is a mapping"),
            ("- id: a-b\n  severity: x", "site.yml, line 1: the check has no expression"),
            (written(colour="red"), "site.yml, line 5: a check has no key 'colour'"),
            (written(severity="fatal"), "site.yml, line 2: severity 'fatal' is none of info, warning, error, blocker"),
            (written(id="Bad"), "site.yml, line 1: id 'Bad' is not of the form"),
            (written(id="kube-proxy-mode"), "site.yml, line 1: id kube-proxy-mode is taken"),
            (written() + written(), "site.yml, line 5: id site-nodes is taken: the check of line 1 has it"),
            (written("nodes.items[?ready"), "site.yml, line 3: expression: no JMESPath"),
            (written("node.items"), "site.yml, line 3: expression: there is no 'node' in a snapshot; there are cluster"),
            (written("nodes.items || node"), "there is no 'node' in a snapshot"),
            (written("@.node"), "there is no 'node' in a snapshot"),
            (written("result"), "there is no 'result' in a snapshot"),
            (written("lenght(nodes.items) > `1`"), "there is no function lenght(); there are abs"),
            (written("nodes.items[?lenght(ref.name) > `1`]"), "there is no function lenght()"),
            (written(subject="resultt"), "site.yml, line 5: subject: there is no 'resultt'"),
            (written(needs=["node"]), "site.yml, line 6: needs: there is no answer 'node'"),
            (written(needs="nodes"), "site.yml, line 5: needs must be a list of texts"),
            (written(joined="yes"), "site.yml, line 5: joined must be true or false"),
            (written(message=7), "site.yml, line 4: message must be a text, put it in quotes"),
            (written(message=" "), "site.yml, line 4: message must be a text"),
            ("- id: a\n  id: b", "site.yml, line 2: key id stands here twice"),
            ("- [a: {", "site.yml, line 1: this is no YAML"),
            ("a: 1\n--- \nb: 2", "site.yml, line 2: this is no YAML: but found another document"),
            ("- &a [*a]", "or inside itself"),
            ("- " + "[" * 50 + "]" * 50, "nested more than 20 levels"),
            ("- ? [a]\n  : b", "a key must be a text"),
            ("\x1f", "site.yml, line 1: this is no YAML"),
            ("- !!python/object:os.system x", "this is no YAML"),
        ],
    )
    def test_refused_with_file_and_line(self, text, says):
        with pytest.raises(InputError) as caught:
            parse(text, taken=("kube-proxy-mode",))
        assert says in caught.value.message
        assert caught.value.message.startswith("site.yml")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_file_or_an_input_error(text):
    try:
        checks = parse(text)
    except InputError as error:
        assert error.message.startswith("site.yml")
    else:
        assert checks == ()


@settings(deadline=None)
@given(st.text(alphabet="nodes.items[]?*|&!`'\"()@, <>=0123456789", max_size=30))
def test_any_expression_is_refused_or_judged(expression):
    try:
        checks = parse(written(expression))
    except InputError as error:
        assert "site.yml, line" in error.message
    else:
        judgement = judge_cluster(Facts.of(cluster()), checks)
        assert len(judgement.findings) + len(judgement.passed) == 1
        assert "broke on what this cluster holds" not in str(judgement.unknown)


def test_the_snapshot_is_converted_once(monkeypatch):
    made = []
    monkeypatch.setattr(_user_checks, "to_plain", lambda snapshot: made.append(1) or {"nodes": {"items": []}})
    checks = parse(written() + written(id="site-more"))
    assert judge_cluster(Facts.of(cluster()), checks).passed == ("site-nodes", "site-more")
    assert len(made) == 1
