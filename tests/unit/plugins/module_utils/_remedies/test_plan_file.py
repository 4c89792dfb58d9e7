# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan file: made, read back, and refused when it is not what was made."""

from __future__ import annotations

import copy
import json
import pathlib

import jsonschema
import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _signature as signature
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outage import Outage
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._plan_file import Prediction, make_plan, predictions, read_plan, require_same_cluster
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._steps import Cluster, Draft, ForPerson, Step

ROOT = pathlib.Path(__file__).resolve().parents[5]
CLUSTERS = [Cluster("a", "uid-a", "east", True), Cluster("b", "uid-b", "east", True)]
PRECONDITION = {"path": "/api/v1/namespaces/x/configmaps/y", "uid": "u", "resource_version": "7", "content": {"kind": "ConfigMap", "data": {"k": "v"}}}


def step(n, kind, cluster, depends_on=(), **fields):
    role = f"{order.COLLECTION}{order.KINDS[kind].role}"
    return Step(
        n,
        kind,
        cluster,
        role,
        {f"{order.KINDS[kind].role}_x": n},
        (f"{cluster}/finding-{n}",),
        "Do it.",
        fields.get("disruptive", False),
        Outage(0, "none"),
        "T",
        depends_on,
    )


DRAFT = Draft(
    (step(1, order.API_SERVER, "a"), step(2, order.POOLS, "a", (1,)), step(3, order.MTU, "b", disruptive=True)),
    (ForPerson("a", "a/gate", "Set it.", gate=True),),
    ("b/odd",),
)


def made(told=None, key="", draft=DRAFT):
    known = {
        1: Prediction(1, True, ("adds it",), ({"before": {}, "after": {"a": "ü"}},), (PRECONDITION,)),
        2: Prediction(2, failed="there is no API"),
        3: Prediction(3, True),
    }
    return make_plan(draft, CLUSTERS, list({**known, **(told or {})}.values()), run="run-1", created="2026-11-21T18:00:00Z", version="0.1.0", key=key)


def test_a_plan_is_of_the_documented_form_and_comes_back_as_it_was():
    plan = made()
    schema = json.loads((ROOT / "docs/plan-1.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(plan, schema)
    assert read_plan(json.dumps(plan, indent=2), "plan.json", version="0.1.0") == plan
    assert [(each["n"], each["predicted"], each["predicted_after"]) for each in plan["steps"]] == [(1, True, []), (2, False, [1]), (3, True, [])]


@pytest.mark.parametrize("field", [name for name in made()["steps"][0] if name not in ("digest", "digests")])
def test_an_altered_field_is_named_with_its_step(field):
    plan = made()
    value = plan["steps"][0][field]
    plan["steps"][0][field] = {
        bool: lambda: not value,
        int: lambda: value + 7,
        str: lambda: value + "x",
        list: lambda: [*value, 9],
        dict: lambda: {**value, "x": 9},
    }[type(value)]()
    with pytest.raises((RefusedError, InputError)) as caught:
        read_plan(json.dumps(plan), "plan.json")
    assert field in caught.value.message
    assert "step" in caught.value.message


def test_a_step_that_was_taken_out_or_moved_is_noticed():
    for change in (lambda steps: steps.pop(), lambda steps: steps.reverse(), lambda steps: steps.append(copy.deepcopy(steps[0]))):
        plan = made()
        change(plan["steps"])
        with pytest.raises(RefusedError, match="added, removed or reordered"):
            read_plan(json.dumps(plan), "plan.json")


@pytest.mark.parametrize("field", ["run", "created", "clusters", "needs_a_person", "unknown", "collection"])
def test_what_is_altered_outside_of_steps_is_named_too(field):
    plan = made()
    plan[field] = plan[field] + "x" if isinstance(plan[field], str) else []
    with pytest.raises(RefusedError, match=f"the plan's {field}"):
        read_plan(json.dumps(plan), "plan.json")


def forged(plan):
    """By somebody who can compute digests."""
    plan["steps"][0]["variables"] = {"calico_api_server_x": "evil"}
    plan["steps"][0] = signature.sealed(plan["steps"][0])
    return {**signature.sealed({name: value for name, value in plan.items() if name != "signature"}), "signature": plan["signature"]}


def test_a_digest_does_not_protect_against_forgery_and_a_signature_does():
    assert read_plan(json.dumps(forged(made())), "plan.json")["steps"][0]["variables"] == {"calico_api_server_x": "evil"}
    assert read_plan(json.dumps(made(key="k")), "plan.json", key="k")["run"] == "run-1"
    with pytest.raises(RefusedError, match="the signature is not that of this submariner_plan_key"):
        read_plan(json.dumps(forged(made(key="k"))), "plan.json", key="k")


def test_a_key_that_only_one_side_has_is_refused():
    with pytest.raises(RefusedError, match="is not signed"):
        read_plan(json.dumps(made()), "plan.json", key="k")
    with pytest.raises(RefusedError, match="give submariner_plan_key"):
        read_plan(json.dumps(made(key="k")), "plan.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1}', json.dumps({**made(), "steps": [1]}), json.dumps({**made(), "steps": None})]
)
def test_what_is_no_plan_is_bad_input(text):
    with pytest.raises(InputError, match="plan.json is no plan"):
        read_plan(text, "plan.json")


def test_a_role_that_is_no_remedy_is_not_run_from_a_plan():
    plan = made()
    plan["steps"][0]["role"] = "fathom.submariner.rollback"
    plan["steps"][0] = signature.sealed(plan["steps"][0])
    plan = {**signature.sealed(plan), "signature": ""}
    with pytest.raises(RefusedError, match=r"no remedies of this collection: fathom.submariner.rollback \(step 1\)"):
        read_plan(json.dumps(plan), "plan.json")


def test_a_plan_of_another_version_is_refused():
    with pytest.raises(RefusedError, match="made by version 0.1.0 .* and this is 0.2.0"):
        read_plan(json.dumps(made()), "plan.json", version="0.2.0")


def test_a_plan_is_never_applied_to_another_cluster_of_the_same_name():
    require_same_cluster(made(), "a", "uid-a")
    with pytest.raises(RefusedError, match="another cluster called a"):
        require_same_cluster(made(), "a", "uid-b")
    with pytest.raises(RefusedError, match="z is not in this plan"):
        require_same_cluster(made(), "z", "uid-z")


def test_a_plan_whose_step_would_set_another_s_variable_is_refused():
    """Whoever alters an unsigned plan can seal it again; it still sets nothing but what its role reads."""
    plan = made()
    changed = signature.sealed({**plan["steps"][0], "variables": {"calico_api_server_x": 1, "ansible_python_interpreter": "/tmp/mine"}})
    text = json.dumps({**signature.sealed({**plan, "steps": [changed, *plan["steps"][1:]]}), "signature": ""})
    with pytest.raises(RefusedError, match=r"sets variables that are not its roles' own: ansible_python_interpreter .step 1.. Nothing was written"):
        read_plan(text, "plan.json")


def test_a_step_that_is_refused_already_now_takes_those_that_need_it_along():
    plan = made({1: Prediction(1, failed="canal is not supported")})
    assert [each["kind"] for each in plan["steps"]] == [order.MTU]
    assert [entry["blocked"] for entry in plan["needs_a_person"]] == [False, True, True]
    assert [entry["text"] for entry in plan["needs_a_person"][1:]] == [
        "fathom.submariner.calico_api_server cannot be run: canal is not supported",
        "fathom.submariner.remote_ippools cannot be run: there is no API",
    ]


def test_a_step_with_nothing_to_do_is_left_out_and_its_finding_is_not_forgotten():
    plan = made({1: Prediction(1), 2: Prediction(2)})
    assert [(each["n"], each["kind"], each["depends_on"]) for each in plan["steps"]] == [(1, order.MTU, [])]
    assert [entry["finding"] for entry in plan["needs_a_person"]] == ["a/gate", "a/finding-1", "a/finding-2"]


def test_a_step_with_nothing_to_do_yet_is_kept_for_what_comes_before_it():
    assert [each["kind"] for each in made({2: Prediction(2)})["steps"]] == [order.API_SERVER, order.POOLS, order.MTU]


def test_a_cluster_that_could_not_be_read_is_not_forgotten_and_keeps_no_other_from_being_planned():
    known = {"run": "r", "created": "c", "version": "0.1.0"}
    plan = make_plan(Draft(DRAFT.steps[:1]), [CLUSTERS[0], Cluster("b")], [Prediction(1, True)], **known, unread={"b": "connection refused"})
    assert [each["cluster"] for each in plan["steps"]] == ["a"]
    assert [(each["cluster"], each["finding"], each["blocked"]) for each in plan["needs_a_person"]] == [("b", "b/cluster-unreadable", True)]
    assert plan["needs_a_person"][0]["text"] == "It could not be read, so nothing is planned for it: connection refused"


def test_what_a_module_asks_of_a_person_stands_with_its_step():
    plan = made({3: Prediction(3, True, needs_person=({"text": "Set it.", "target": "values", "paste": "mtu: 1"},), disruptive=("rolls out",))})
    assert plan["needs_a_person"][-1] == {
        "cluster": "b",
        "finding": "b/finding-3",
        "text": "Set it.",
        "target": "values",
        "paste": "mtu: 1",
        "gate": False,
        "step": 3,
        "blocked": False,
    }
    assert plan["steps"][2]["disruptive"] is True


def test_predictions_of_modules_without_preconditions_rest_on_the_submariner():
    told = [
        {"n": 1, "result": {"changed": True, "diff": {"before": "", "after": "x"}}},
        {"n": 2, "result": {"preconditions": [PRECONDITION], "outage": {"seconds": 9, "source": "3 pods"}}},
    ]
    found = predictions(DRAFT, told, {"a": [{"path": "/s"}]})
    assert (found[0].preconditions, found[1].preconditions) == (({"path": "/s"},), (PRECONDITION,))
    options = {"remedy": "calico_mtu", "options": {"mtu": 1380}}
    (unpredicted,) = predictions(DRAFT, [{"n": 1, "failed": "not yet", "result": {"preconditions": [options]}}], {"a": [{"path": "/s"}]})
    assert unpredicted.preconditions == ({"path": "/s"}, options)
    assert found[0].diff == ({"before": "", "after": "x"},)
    assert found[1].outage == {"seconds": 9, "source": "facts: 3 pods"}
    with pytest.raises(InputError, match="A prediction is not"):
        predictions(DRAFT, [{"result": {}}], {})
