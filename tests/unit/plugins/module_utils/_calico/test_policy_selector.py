# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's selector language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import (
    DEEPEST,
    Labels,
    SelectorError,
    conjunction,
    disjunction,
    negation,
    parse_selector,
)

WEB = {"app": "web-frontend", "tier/x.y-z": "1", "projectcalico.org/namespace": "shop"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("   ", True),
        ("all()", True),
        ("all( )", True),
        ("!all()", False),
        ("!!all()", True),
        ("global()", False),
        ("!global()", True),
        ("has(app)", True),
        ("has( app )", True),
        ("has(nothing)", False),
        ("! has(nothing)", True),
        ("app == 'web-frontend'", True),
        ('app=="web-frontend"', True),
        ("app == 'db'", False),
        ("app != 'db'", True),
        ("nothing != 'db'", True),
        ("nothing == ''", False),
        ("app in {'db', 'web-frontend'}", True),
        ("app in {'db',}", False),
        ("app in {}", False),
        ("app not in {'db'}", True),
        ("app not  in {'web-frontend'}", False),
        ("nothing not in {'db'}", True),
        ("nothing in {'db'}", False),
        ("app contains 'b-f'", True),
        ("app starts with 'web'", True),
        ("app starts  with 'eb'", False),
        ("app ends with 'end'", True),
        ("nothing ends with ''", False),
        ("tier/x.y-z == '1'", True),
        ("app == 'db' || has(app) && tier/x.y-z == '1'", True),
        ("(app == 'db' || has(app)) && tier/x.y-z == '2'", False),
        ("!(app == 'db') && !has(nothing)", True),
        ("projectcalico.org/namespace == 'shop'", True),
        ("in == 'x' || has(in)", False),
        ("has == 'x'", False),
    ],
)
def test_on_known_labels(text, expected):
    assert parse_selector(text).matches(Labels(WEB)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all()", True),
        ("app == 'web-frontend'", True),
        ("app == 'db'", False),
        ("nothing == 'x'", None),
        ("has(nothing)", None),
        ("nothing != 'x'", None),
        ("has(nothing) || has(app)", True),
        ("has(nothing) && app == 'db'", False),
        ("has(nothing) && has(app)", None),
        ("!has(nothing)", None),
        ("global()", False),
    ],
)
def test_on_a_thing_whose_other_labels_are_not_known(text, expected):
    assert parse_selector(text).matches(Labels(WEB, open=True)) is expected


def test_global_of_something_without_namespace():
    assert parse_selector("global()").matches(Labels({})) is True
    assert parse_selector("global()").matches(Labels({}, open=True)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("app = 'x'", "character 5"),
        ("app == x", "a string in quotes was expected at character 8"),
        ("app == 'x", "character 8"),
        ("app", "an operator was expected at character 4"),
        ("has()", "a label was expected"),
        ("has(app", ") was expected"),
        ("(has(app)", ") was expected"),
        ("has(app))", "an operator or the end was expected at character 9"),
        ("has(app) has(b)", "an operator or the end"),
        ("app in {'a' 'b'}", "} was expected"),
        ("app not 'x'", "an operator was expected"),
        ("app starts 'x'", "an operator was expected"),
        ("&& has(app)", "a label, has()"),
        ("has(app) &", "character 10"),
        ("a == 'b'\n&& has(c)", "character 9"),
        ("(" * (DEEPEST + 1) + "all()", "parentheses"),
    ],
)
def test_what_is_no_selector(text, says):
    with pytest.raises(SelectorError) as caught:
        parse_selector(text)
    assert says in str(caught.value)


LABELS = st.sampled_from(["a", "b.c/d", "projectcalico.org/name", "x_y-z"])
VALUES = st.text("abxyz-./_ ", max_size=5)
QUOTED = VALUES.map(lambda value: f"'{value}'")


def leaves():
    """Pairs of a selector's text and what it must say of a mapping of labels."""

    def comparison(label, value, other):
        sets = {value, other}
        return st.sampled_from(
            [
                (f"has({label})", lambda known: label in known),
                (f"{label} == '{value}'", lambda known: known.get(label) == value),
                (f"{label} != '{value}'", lambda known: known.get(label) != value),
                (f"{label} in {{'{value}', '{other}'}}", lambda known: known.get(label) in sets),
                (f"{label} not in {{'{value}','{other}'}}", lambda known: known.get(label) not in sets),
                (f"{label} contains '{value}'", lambda known: label in known and value in known[label]),
                (f"{label} starts with '{value}'", lambda known: label in known and known[label].startswith(value)),
                (f"{label} ends with '{value}'", lambda known: label in known and known[label].endswith(value)),
                ("all()", lambda known: True),
            ]
        )

    return st.tuples(LABELS, VALUES, VALUES).flatmap(lambda parts: comparison(*parts))


def branches(inner):
    both = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda one: (f"!({one[0]})", lambda known: not one[1](known))),
        both.map(lambda pair: (f"({pair[0][0]}) && ({pair[1][0]})", lambda known: pair[0][1](known) and pair[1][1](known))),
        both.map(lambda pair: (f"({pair[0][0]} || {pair[1][0]})", lambda known: pair[0][1](known) or pair[1][1](known))),
    )


@settings(deadline=None)
@given(st.recursive(leaves(), branches, max_leaves=8), st.dictionaries(LABELS, VALUES))
def test_says_what_it_means(selector, known):
    text, meaning = selector
    assert parse_selector(text).matches(Labels(known)) is bool(meaning(known))


@settings(deadline=None)
@given(st.recursive(leaves(), branches, max_leaves=8), st.dictionaries(LABELS, VALUES), st.dictionaries(LABELS, VALUES))
def test_a_verdict_on_part_of_the_labels_holds_for_all_of_them(selector, known, further):
    early = parse_selector(selector[0]).matches(Labels(known, open=True))
    late = parse_selector(selector[0]).matches(Labels({**further, **known}))
    assert early is None or early is late


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_selector_or_a_selector_error(text):
    try:
        verdict = parse_selector(text).matches(Labels({}, open=True))
    except SelectorError as error:
        assert str(error)
    else:
        assert verdict in (True, False, None)


@settings(deadline=None)
@given(st.lists(st.sampled_from([True, False, None]), max_size=4))
def test_three_valued_logic(verdicts):
    assert disjunction(verdicts) is negation(conjunction([negation(verdict) for verdict in verdicts]))
    if None not in verdicts:
        assert conjunction(verdicts) is all(verdicts)
