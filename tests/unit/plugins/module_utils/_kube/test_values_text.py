# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chart values in diff and journal: everything but the secrets."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import HIDDEN, before_after, clean, holds_hidden
from ansible_collections.fathom.submariner.plugins.module_utils._kube._values_text import hide_secrets
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._undo import known

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    "text",
    [
        f"password: {SECRET}\n",
        f"registry:\n  dockerPassword: '{SECRET}'  # rotate\n",
        f"imagePullSecrets: [{SECRET}]\n",
        f"imagePullSecrets:\n  regcred:\n    auths: {{x: {{auth: {SECRET}}}}}\n",
        f"apiKey: |\n  {SECRET}\n  more\nother: 1\n",
        f"env:\n- name: BGP_PASSWORD\n  value: {SECRET}\n",
        f"tls: {{key: {SECRET}}}\n",
        f"ca:\n  tls.key: {SECRET}\n",
        f"data: |\n  -----BEGIN RSA PRIVATE KEY-----\n  {SECRET}\n",
        f"proxy: http://user:{SECRET}@proxy:3128\n",
        f"proxy: http://ghp-{SECRET}@proxy:3128\n",
        f"# old password: {SECRET}\na: 1\n",
        f"a: 1 # token={SECRET}\n",
        f"? accessToken\n: {SECRET}\n",
        f'"pass\\u0077ord": {SECRET}\n',
        f"broken: [\npassword: {SECRET}\n",
        f"a: &secretToken {SECRET}\ntoken: *secretToken\n",
    ],
)
def test_a_secret_is_hidden(text):
    shown = clean({"kind": "HelmChartConfig", "spec": {"valuesContent": text}})
    assert SECRET not in str(shown) and HIDDEN in shown["spec"]["valuesContent"] and holds_hidden(shown)
    assert SECRET not in str(clean({"spec": {"valuesContent": text}})), "as in a patch, which has no kind"


@pytest.mark.parametrize(
    "text", ["", "a: 1\n", "installation:\n  calicoNetwork: # pods\n    mtu: 1400\n", "keyboard: x\n", "tokens: false\nsecretName:\n", "a: [\n"]
)
def test_what_is_none_stays(text):
    assert hide_secrets(text, HIDDEN) == text
    assert not holds_hidden(clean({"kind": "HelmChart", "spec": {"valuesContent": text}}))


def test_the_rest_stays_readable():
    text = f"# head\npassword: {SECRET} # beside\nb:\n  token: |\n    {SECRET}\n  c: 1\n"
    assert hide_secrets(text, HIDDEN) == f"# head\npassword: {HIDDEN} # beside\nb:\n  token: {HIDDEN}\n  c: 1\n"


def test_a_secret_that_changes_shows_that_it_does():
    def state(value):
        return {"kind": "HelmChartConfig", "spec": {"valuesContent": f"password: {value}\n"}}

    diff = before_after(state("one"), state("two"), "x")
    assert diff["before"]["spec"]["valuesContent"] == "password: (hidden, will change)\n"
    assert diff["after"]["spec"]["valuesContent"] == "password: (hidden, changed)\n"
    same = before_after(state("one"), state("one"), "x")
    assert same["before"] == same["after"]


KEYS = st.sampled_from(["a", "password", "mtu"])
TREES = st.recursive(
    st.sampled_from(["x", "", 1, True, None]), lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=8
)


@given(TREES)
def test_every_value_below_a_secret_key_is_hidden_and_no_other(tree):
    def expected(node, secret):
        if isinstance(node, dict):
            return {key: expected(value, secret or key == "password") for key, value in node.items()}
        if isinstance(node, list):
            return [expected(entry, secret) for entry in node]
        return HIDDEN if secret and node not in ("", None) and not isinstance(node, bool) else node

    text = yaml.safe_dump({"top": tree, "password": "y"}, default_flow_style=None)
    text = "\n".join(line for line in text.splitlines()) + "\n"
    if "&" in text:
        return
    assert yaml.safe_load(hide_secrets(text, HIDDEN)) == expected({"top": tree, "password": "y"}, False)


def text_rule(tree):
    return yaml.safe_load(hide_secrets(yaml.safe_dump(tree), HIDDEN))


@pytest.mark.parametrize(
    "tree",
    [
        {"registry": {"password": SECRET, "host": "r"}},
        {"imagePullSecrets": [SECRET], "mtu": 1400},
        {"env": [{"name": "BGP_PASSWORD", "value": SECRET}, {"name": "MTU", "value": "1400"}]},
        {"tls": {"key": SECRET, "crt": "c"}, "ca": {"tls.key": SECRET}},
        {"proxy": f"http://user:{SECRET}@proxy:3128"},
        {"proxy": f"http://ghp-{SECRET}@proxy:3128"},
        {"token": {"number": 7, "on": True, "none": None, "empty": ""}},
    ],
)
@pytest.mark.parametrize("kind", [{"kind": "HelmChartConfig"}, {"kind": "HelmChart"}, {}])
def test_values_that_are_an_object_are_hidden_as_their_text_is(kind, tree):
    shown = clean({**kind, "spec": {"values": tree}})
    assert shown["spec"]["values"] == text_rule(tree)
    assert SECRET not in str(shown) and holds_hidden(shown)


def test_options_of_helm_set_are_paths():
    given = {
        "registry.password": SECRET, "registry.auth.user": SECRET, "auth[0].x": SECRET, "env[0].name": "DB_PASSWORD", "env[0].value": SECRET,
        "env[1].name": "MTU", "env[1].value": "1", "global.clusterCIDR": "10.46.0.0/16", "apiServer.enabled": True, "pin.token": 1234,
    }  # fmt: skip
    shown = clean({"kind": "HelmChart", "spec": {"set": given}})["spec"]["set"]
    hidden = {"registry.password", "registry.auth.user", "auth[0].x", "env[0].value", "pin.token"}
    assert shown == {key: HIDDEN if key in hidden else value for key, value in given.items()}


def test_an_object_of_values_that_changes_and_cannot_be_put_back():
    def state(value):
        return {"kind": "HelmChartConfig", "spec": {"values": {"password": value, "mtu": 1400}}}

    diff = before_after(state(1), state(2), "x")
    assert (diff["before"]["spec"]["values"], diff["after"]["spec"]["values"]) == (
        {"password": "(hidden, will change)", "mtu": 1400}, {"password": "(hidden, changed)", "mtu": 1400},
    )  # fmt: skip
    assert known(clean(state(1))) == ({"kind": "HelmChartConfig", "spec": {"values": {"mtu": 1400}}}, ("spec.values.password",))


def test_wranglers_copy_of_the_object_is_left_out():
    copy = {"objectset.rio.cattle.io/applied": '{"spec":{"valuesContent":"password: ' + SECRET + '"}}', "other": "stays"}
    assert clean({"kind": "HelmChartConfig", "metadata": {"annotations": copy}})["metadata"] == {"annotations": {"other": "stays"}}
