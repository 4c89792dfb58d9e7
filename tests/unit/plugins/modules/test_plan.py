# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of clusters that could not be read, and stop rules that make no sense."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils import basic

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.modules import plan, plan_info


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    def call(*clusters, **arguments):
        given = {"findings": [], "clusters": list(clusters), "dest": str(tmp_path / "plan.json"), "run": "r", **arguments}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as ended:
            plan.main()
        return json.loads(capsys.readouterr().out), ended.value.code or 0

    return call


def told(name, error=""):
    """As plan_info returns it."""
    cluster = {"name": name, "uid": "" if error else f"uid-{name}", "clusterset": "", "joined": None if error else True}
    return {"cluster": cluster, "baseline": [], "lock": {}, "paused": "", "interrupted": {}, "error": error}


@pytest.mark.parametrize("predictions", [None, []])
def test_none_of_which_could_be_read_fails_and_names_them_with_the_reasons(run, tmp_path, predictions):
    result, code = run(told("a", "connection refused."), told("b", "token expired."), predictions=predictions)
    assert code == 1 and result["msg"] == "There is nothing to plan: none of the clusters could be read. a: connection refused. b: token expired."
    assert not (tmp_path / "plan.json").exists()


def test_one_of_which_could_be_read_leaves_out_the_others_and_names_them(run, tmp_path):
    result, code = run(told("a"), told("b", "token expired."), predictions=[])
    assert code == 0 and (tmp_path / "plan.json").exists()
    (person,) = result["needs_a_person"]
    assert (person["cluster"], person["blocked"]) == ("b", True)
    assert person["text"] == "It could not be read, so nothing is planned for it: token expired."
    assert "token expired." in " ".join(result["lines"])


@pytest.mark.parametrize("name", ["max_failures", "min_healthy_gateways"])
def test_a_stop_rule_below_nothing_is_refused(name):
    rules = {"name": "c1", "max_failures": 0, "min_healthy_gateways": 0}
    plan_info.require_sensible(rules)
    with pytest.raises(InputError, match=f"c1: {name} is -1"):
        plan_info.require_sensible({**rules, name: -1})
