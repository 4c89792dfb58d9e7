# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values merged into a text of YAML: nothing else of the text changes, and what cannot be changed safely is refused."""

from __future__ import annotations

import copy
import difflib

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError, edited, load_documents, same
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import (
    leaves,
    merge_values,
    outranked_by,
    parse_values,
    patch_for,
    with_fragment,
)
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged as apply_patch

METHOD = {"installation": {"calicoNetwork": {"nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}}}}
WHOLE = ("installation.calicoNetwork.nodeAddressAutodetectionV4",)

USERS = """\
# Values of our site, see the wiki.
felixConfiguration:
    wireguardEnabled: true   # decided on Monday
installation:   # of Calico
    calicoNetwork:
        bgp: Disabled
        # the VPN takes 80 bytes
        mtu: 1370  # bytes
        nodeAddressAutodetectionV4:
            firstFound: true
    registry: "registry.example.com"

script: |
    # no comment of YAML
    echo 'mtu: 9000'
"""


def merge(text, fragment, replace=()):
    return merge_values(text, fragment, replace, yaml)


class TestMerge:
    def test_only_what_must_change_changes(self):
        after = merge(USERS, METHOD, WHOLE)
        assert after.changed
        assert after.text == USERS.replace("            firstFound: true\n", "          kubernetes: NodeInternalIP\n")

    def test_a_scalar_keeps_its_comment(self):
        after = merge(USERS, {"installation": {"calicoNetwork": {"mtu": 1400}}}).text
        assert after == USERS.replace("mtu: 1370  # bytes", "mtu: 1400  # bytes")

    def test_a_new_key_stands_where_its_siblings_stand(self):
        after = merge(USERS, {"installation": {"imagePath": "rancher"}}).text
        assert after == USERS.replace('.example.com"\n', '.example.com"\n    imagePath: rancher\n')

    def test_none_removes_the_key_and_nothing_else(self):
        after = merge(USERS, {"installation": {"registry": None}}).text
        assert after == USERS.replace('    registry: "registry.example.com"\n', "")

    def test_what_is_there_already_leaves_the_text_alone(self):
        assert merge(USERS, {"felixConfiguration": {"wireguardEnabled": True}}) == (USERS, False)
        assert merge(USERS, {"installation": {"absent": None}}) == (USERS, False)

    def test_text_that_looks_like_the_number_is_not_the_number(self):
        assert merge("mtu: '1400' # quoted\n", {"mtu": 1400}).text == "mtu: 1400 # quoted\n"

    @pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n", "null\n", "--- # begin\n# more\n"])
    def test_values_that_are_none_yet(self, text):
        after = merge(text, METHOD).text
        assert parse_values(after, yaml) == METHOD
        assert all(line in after for line in text.splitlines() if "#" in line)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("installation: {calicoNetwork: {mtu: 1400}}  # flow\n", 'installation: {calicoNetwork: {mtu: 1400, "bgp": "Disabled"}}  # flow\n'),
            ("installation: {calicoNetwork: {}}\n", 'installation: {calicoNetwork: {"bgp": "Disabled"}}\n'),
            ("installation: # empty\nother: 1\n", "installation: # empty\n  calicoNetwork:\n    bgp: Disabled\nother: 1\n"),
            ("installation: ~ # empty\nother: 1\n", "installation: # empty\n  calicoNetwork:\n    bgp: Disabled\nother: 1\n"),
            ('{"installation": {"calicoNetwork": {"bgp": "Enabled"}}}', '{"installation": {"calicoNetwork": {"bgp": "Disabled"}}}'),
            ("a: 1\r\ninstallation:\r\n  calicoNetwork:\r\n    mtu: 1\r\n", "a: 1\r\ninstallation:\r\n  calicoNetwork:\r\n    mtu: 1\r\n    bgp: Disabled\r\n"),
            ("installation:\n  calicoNetwork:\n    mtu: 1", "installation:\n  calicoNetwork:\n    mtu: 1\n    bgp: Disabled"),
            ("installation:\n  calicoNetwork:\n    note: |-\n      x", "installation:\n  calicoNetwork:\n    note: |-\n      x\n    bgp: Disabled"),
            # At the end it would give the block scalar a line break that it does not have.
            ("installation:\n  calicoNetwork:\n    note: |\n      x", "installation:\n  calicoNetwork:\n    bgp: Disabled\n    note: |\n      x"),
            ("installation:\n  calicoNetwork:\n    bgp: |\n      Enabled\n    mtu: 1\n", "installation:\n  calicoNetwork:\n    bgp: Disabled\n    mtu: 1\n"),
            (
                "installation:\n  calicoNetwork:\n    bgp:\n    - a\n    - b # c\n    mtu: 1\n",
                "installation:\n  calicoNetwork:\n    bgp: Disabled\n    mtu: 1\n",
            ),
            ("x: &x {mtu: 1}\ninstallation:\n  calicoNetwork:\n    mtu: *y\n".replace("*y", "*x"), None),
        ],
    )
    def test_spelling(self, text, expected):
        after = merge(text, {"installation": {"calicoNetwork": {"bgp": "Disabled"}}}).text
        if expected is None:
            expected = text + "    bgp: Disabled\n"
        assert after == expected

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("shared: &s\n  mtu: 1\ninstallation:\n  calicoNetwork: *s\n", "an anchor"),
            ("installation:\n  calicoNetwork: &s\n    mtu: 1\nother: *s\n", "an anchor"),
            ("base: &b\n  calicoNetwork:\n    mtu: 1\ninstallation:\n  <<: *b\n", "a merge key"),
            ("installation:\n  calicoNetwork:\n    mtu: 1\n  calicoNetwork:\n    mtu: 2\n", "a key that stands twice"),
            ("installation: [\n", "no YAML in line"),
            ("installation:\n\tmtu: 1\n", "no YAML in line 2"),
            ("- a\n- b\n", "no mapping"),
            ("a: 1\n---\nb: 2\n", "several YAML documents"),
            ("a: &a [*a]\n", "inside itself"),
            ("\n".join(["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)]) + "\n", "aliases"),
            ("installation: !vault secret\n", "no YAML"),
        ],
    )
    def test_what_is_refused(self, text, reason):
        with pytest.raises(EditError, match=reason):
            merge(text, {"installation": {"calicoNetwork": {"bgp": "Disabled"}}})

    def test_a_refusal_does_not_tell_the_text(self):
        with pytest.raises(EditError) as caught:
            merge("password: hunter2: x\n", METHOD)
        assert "hunter2" not in caught.value.message

    def test_an_alias_is_replaced_where_its_name_stands(self):
        text = "shared: &mtu 1400\ninstallation:\n  mtu: *mtu  # as above\n"
        assert merge(text, {"installation": {"mtu": 1300}}).text == text.replace("*mtu ", "1300 ")


class TestFragments:
    def test_leaves(self):
        assert list(leaves({"a": {"b": 1, "c": {}}, "d": None, "e": [1]})) == ["a.b", "a.c", "d", "e"]

    def test_patch_removes_by_name_what_stands_beside_a_replaced_value(self):
        found = {"calicoNetwork": {"mtu": 1400, "nodeAddressAutodetectionV4": {"firstFound": True, "interface": "eth0"}}}
        fragment = {"calicoNetwork": {"nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}}}
        patch = patch_for(found, fragment, ["calicoNetwork.nodeAddressAutodetectionV4"])
        assert patch == {"calicoNetwork": {"nodeAddressAutodetectionV4": {"firstFound": None, "interface": None, "kubernetes": "NodeInternalIP"}}}
        assert patch_for(found, fragment, []) == fragment

    def test_helm_set_outranks_values(self):
        fragment = {"installation": {"calicoNetwork": {"mtu": 1400}}}
        assert outranked_by(["global.clusterCIDR", "installation.calicoNetwork.mtuX"], fragment) == ()
        assert outranked_by(["installation.calicoNetwork.mtu"], fragment) == ("installation.calicoNetwork.mtu",)
        assert outranked_by(["installation"], fragment) == ("installation",)
        assert outranked_by(["installation.calicoNetwork.mtu.deeper"], fragment) == ("installation.calicoNetwork.mtu.deeper",)

    def test_same_tells_types(self):
        assert not same({"a": 1}, {"a": True}) and not same([1], [1.0]) and not same("1", 1)
        assert same({"a": [1], "b": None}, {"b": None, "a": [1]})


KEYS = st.sampled_from(["installation", "calicoNetwork", "mtu", "bgp", "apiServer", "enabled", "on", "a.b/c", "true", "1", "x y", "#k", "ключ"])
SCALARS = st.one_of(
    st.integers(-9, 99999),
    st.booleans(),
    st.sampled_from(["", "yes", "null", "~", "0x1f", "1_000", "1e3", "12:30:45", "a # b", "a: b", " lead", "trail ", "- x", "|", "é", "*a", "&a"]),
    st.sampled_from(["multi\nline", "end\n", "\n", "\n\nx", " x\ny", "tab\there\n", "two\n\n"]),
    st.text("abcXYZ019 :#-'\"{}[],|>&*!%@\\`?~", max_size=12),
)
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=10)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=5)
FRAGMENTS = st.recursive(
    st.one_of(SCALARS, st.none(), st.lists(SCALARS, max_size=2)), lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3), max_leaves=6
).filter(lambda value: isinstance(value, dict))


@st.composite
def texts(draw):
    """A text as people write them: block or flow style, with comments above and beside what they explain."""
    value = draw(MAPPINGS)
    style, indent = draw(st.sampled_from([False, None, True])), draw(st.sampled_from([2, 4]))
    text = yaml.safe_dump(value, default_flow_style=style, indent=indent, allow_unicode=True, width=1000)
    lines = []
    for number, line in enumerate(text.splitlines()):
        lines += [f"{' ' * draw(st.integers(0, 6))}# comment {number}"] if draw(st.integers(0, 3)) == 0 else []
        lines.append(line + (f"  # beside {number}" if draw(st.integers(0, 5)) == 0 else ""))
    commented = "\n".join(lines) + "\n"
    if _parses_to(commented, value):  # inside a scalar of several lines there are no comments
        text = commented
    return text if draw(st.booleans()) else text.rstrip("\n"), value


def _parses_to(text, value):
    try:
        return yaml.safe_load(text) == value
    except yaml.YAMLError:
        return False


QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@QUICK
@given(texts(), FRAGMENTS)
def test_merging_means_the_merge_and_is_idempotent(written, fragment):
    text, _value = written
    before = parse_values(text, yaml)
    wanted = with_fragment(before, fragment, ())
    after = merge(text, fragment)
    assert same(parse_values(after.text, yaml), wanted)
    assert merge(after.text, fragment) == (after.text, False)
    assert same(before, parse_values(text, yaml))


@QUICK
@given(texts(), FRAGMENTS)
def test_comments_and_other_values_stay_byte_for_byte(written, fragment):
    """What is new are the fragment's own lines; what is gone was replaced or removed by it: whole lines of others never are."""
    text, value = written
    after = merge(text, fragment).text
    wanted = with_fragment(value, fragment, ())
    touched = {key for key in value if key not in wanted or not same(value[key], wanted[key])}
    if touched or not value or yaml.compose(text).flow_style:
        return  # lines of the fragment's own keys may go; where none of them is there yet, every line must stay
    lines = after.splitlines()
    matcher = difflib.SequenceMatcher(None, text.splitlines(), lines, autojunk=False)
    assert all(tag in ("equal", "insert") for tag, *_rest in matcher.get_opcodes())


@QUICK
@given(texts())
def test_every_comment_survives_a_change_elsewhere(written):
    text, value = written
    after = merge(text, {"newcomer": {"deep": [1, {"x": "y"}]}}).text
    comments = [[line for line in each.splitlines() if "# comment" in line or "# beside" in line] for each in (text, after)]
    assert comments[0] == comments[1] or yaml.compose(text).flow_style  # a flow mapping grows in the middle of its line
    assert same(parse_values(after, yaml), {**value, "newcomer": {"deep": [1, {"x": "y"}]}})


@QUICK
@given(texts(), MAPPINGS)
def test_any_mapping_can_take_the_place_of_any_other(written, wanted):
    text, _value = written
    after = edited(text, wanted, yaml)
    assert same((load_documents(after, yaml) or [None])[0] or {}, wanted)


@QUICK
@given(MAPPINGS)
def test_dump_is_read_back(value):
    assert same(parse_values(dump(value), yaml), value)
    assert same(load_documents(dump([value, "no"]), yaml)[0], [value, "no"])


@QUICK
@given(MAPPINGS, FRAGMENTS, st.lists(st.sampled_from(["installation", "installation.calicoNetwork", "apiServer", "mtu"]), max_size=2))
def test_the_patch_does_to_an_object_what_the_merge_does_to_values(found, fragment, replace):
    kept = copy.deepcopy(found)
    patched = apply_patch(found, patch_for(found, fragment, replace))
    assert same(patched, with_fragment(found, fragment, replace))
    assert same(found, kept)
