# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workloads a placement is about, where their affinity is written, and what must stand in Installation."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _placement_words as words
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import patch_for
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_decision import AffinityChange
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import LABEL, parse_request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_workloads import (
    fields_of,
    fragment_of,
    places,
    refuse_old_operator,
    workloads_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, OK, Answer, Container, Deployment, Ref
from ansible_collections.fathom.submariner.plugins.modules.calico_node_placement import ARGUMENTS
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.placements import affinity, cluster, daemon_set, opt_out, request, workload

ROLE = yaml.safe_load((Path(__file__).parents[5] / "roles/calico_node_placement/meta/argument_specs.yml").read_text(encoding="utf-8"))
TYPHA = Deployment(Ref("Deployment", "calico-typha", "calico-system"), (), 2, 2)
ARM = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}


def override(value):
    return {"spec": {"template": {"spec": value}}}


def operator(version):
    image = Container("tigera-operator", f"quay.io/tigera/operator:{version}", (), (), ())
    return Answer(OK, (Deployment(Ref("Deployment", "tigera-operator", "tigera-operator"), (image,), 1, 1),))


def definition(**spec):
    schema = {"openAPIV3Schema": {"properties": {"spec": spec}}}
    return {"spec": {"versions": [{"name": "v1", "schema": schema}]}}


def raw(affinity_, **spec):
    return {"metadata": {"name": "x", "namespace": "calico-system"}, "spec": {**spec, "template": {"spec": {"affinity": affinity_} if affinity_ else {}}}}


def test_what_is_there_is_placed():
    csi = daemon_set()._replace(ref=Ref("DaemonSet", "csi-node-driver", "calico-system"))
    found = cluster(daemon_sets=(daemon_set(), csi), deployments=Answer(OK, (TYPHA,)))
    assert list(places(found, request("n"))) == ["calico-node", "csi-node-driver", "calico-typha"]
    assert list(places(found, request("n", components=("calico-node",)))) == ["calico-node"]
    assert list(places(cluster(), request("n"))) == ["calico-node"]


def test_before_the_operator_has_made_it():
    assert places(cluster(daemon_sets=()), request("n")) == {"calico-node": Ref("DaemonSet", "calico-node", "calico-system")}


def test_somebody_elses_workload_of_that_name_is_not():
    mine = daemon_set()._replace(ref=Ref("DaemonSet", "csi-node-driver", "storage"))
    assert list(places(cluster(daemon_sets=(daemon_set(), mine)), request("n"))) == ["calico-node"]


def test_with_the_operator_the_installation_holds_it():
    spec = {"calicoNodeDaemonSet": override({"affinity": affinity([ARM]), "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]})}
    (made,), warnings = workloads_of(cluster(spec=spec), {"calico-node": raw(affinity([opt_out()]))}, None)
    assert (made.written, made.stands, made.field, warnings) == (affinity([ARM]), affinity([opt_out()]), "calicoNodeDaemonSet", [])
    assert made.node_selector == {"a": "b"} and made.tolerations == ({"operator": "Exists"},)


def test_the_overlay_decides():
    found = cluster(spec={"calicoNodeDaemonSet": override({"affinity": affinity([ARM])})})
    outranking = {"calicoNodeDaemonSet": override({"affinity": affinity([opt_out()])})}
    over = found.installations.items[0]._replace(ref=Ref("Installation", "overlay"), spec=outranking)
    found = dataclasses.replace(found, installations=Answer(OK, (*found.installations.items, over)))
    assert workloads_of(found, {"calico-node": None}, None)[0][0].written == affinity([opt_out()])


def test_without_the_operator_the_template_holds_it():
    made = daemon_set()._replace(ref=Ref("DaemonSet", "calico-node", "kube-system"))
    found = cluster(daemon_sets=(made,), installations=Answer(NOT_SERVED))
    (workload_,), _warnings = workloads_of(found, {"calico-node": raw(affinity([ARM]))}, None)
    assert (workload_.written, workload_.field, workload_.preset) == (affinity([ARM]), "", None)


def test_typha_keeps_what_the_operator_gives_it():
    (made,), _warnings = workloads_of(cluster(), {"calico-typha": raw({"podAntiAffinity": {}}, replicas=3)}, None)
    assert made.replicas == 3 and made.written is None and "podAntiAffinity" in made.preset


def test_fields_that_the_operator_does_not_know():
    fields = fields_of(definition(properties={"calicoNodeDaemonSet": {}, "variant": {}}))
    assert fields == {"calicoNodeDaemonSet", "variant"}
    made, warnings = workloads_of(cluster(), {"calico-node": None, "calico-typha": None}, fields)
    assert [each.ref.name for each in made] == ["calico-node"] and "no field typhaDeployment" in warnings[0]
    assert fields_of(definition(**{"properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True})) is None
    assert fields_of(None) is None


@pytest.mark.parametrize(("version", "fields"), [("v1.27.16", None), ("v1.36.7", frozenset(("variant",))), ("latest", frozenset())])
def test_an_operator_without_the_field_is_refused(version, fields):
    with pytest.raises(RefusedError, match="has no field calicoNodeDaemonSet"):
        refuse_old_operator(cluster(deployments=operator(version)), fields)


@pytest.mark.parametrize("version", ["v1.28.0", "v1.42.3", "latest"])
def test_others_are_not(version):
    found = cluster(deployments=operator(version))
    assert refuse_old_operator(found, frozenset(("calicoNodeDaemonSet",))) is None and refuse_old_operator(found, None) is None


def test_a_fragment_replaces_the_affinity_alone():
    fragment, replace = fragment_of([AffinityChange(workload(), affinity([ARM]))], {"calicoNodeDaemonSet": override({"nodeSelector": {"a": "b"}})})
    assert fragment == {"calicoNodeDaemonSet": override({"affinity": affinity([ARM])})}
    assert replace == ("calicoNodeDaemonSet.spec.template.spec.affinity",)


@pytest.mark.parametrize(
    ("spec", "left"),
    [
        ({"a": 1, "calicoNodeDaemonSet": override({"affinity": affinity([ARM])})}, {"a": 1}),
        ({"calicoNodeDaemonSet": override({"affinity": {}, "nodeSelector": {}})}, {"calicoNodeDaemonSet": override({"nodeSelector": {}})}),
        (
            {"calicoNodeDaemonSet": {**override({"affinity": {}}), "metadata": {"labels": {}}}},
            {"calicoNodeDaemonSet": {"metadata": {"labels": {}}}},
        ),
        ({"calicoNodeDaemonSet": override({"nodeSelector": {}})}, {"calicoNodeDaemonSet": override({"nodeSelector": {}})}),
    ],
)
def test_an_affinity_that_goes_takes_along_what_held_nothing_else(spec, left):
    fragment, replace = fragment_of([AffinityChange(workload(), None)], spec)
    assert merged(spec, patch_for(spec, fragment, replace)) == left


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "other": st.just(1),
        "calicoNodeDaemonSet": st.fixed_dictionaries(
            {"spec": st.fixed_dictionaries({"template": st.fixed_dictionaries({"spec": st.dictionaries(st.just("nodeSelector"), st.just({"a": "b"}))})})},
            optional={"metadata": st.just({"labels": {"a": "b"}})},
        ),
    },
)


@given(SPECS)
def test_there_and_back_leaves_what_people_wrote(spec):
    there = merged(spec, patch_for(spec, *fragment_of([AffinityChange(workload(), affinity([ARM]))], spec)))
    back = merged(there, patch_for(there, *fragment_of([AffinityChange(workload(), None)], there)))
    held = spec.get("calicoNodeDaemonSet")
    hollow = held is not None and held["spec"]["template"]["spec"] == {}
    assert back == spec if not hollow else back.get("other") == spec.get("other")
    assert "affinity" not in str(back)


def test_kubesprays_variable_is_pasted_under_node_selector():
    variables = words.kubespray_variables(request(mode="include", value="included"), there=True)
    assert variables["calico_ds_nodeselector"] == f"kubernetes.io/os: linux\n        {LABEL}: included"
    assert words.kubespray_variables(request(mode="include"), there=False) == {"calico_ds_nodeselector": "kubernetes.io/os: linux"}


@pytest.mark.parametrize("odd", ["true", "on", "No", "null", "0123", "1.5", "1e3", "0x10", "included"])
def test_what_kubespray_renders_of_it_are_texts(odd):
    inventory = yaml.safe_load(dump(words.kubespray_variables(request(mode="include", key=odd, value=odd), there=True)))
    rendered = f"    spec:\n      nodeSelector:\n        {inventory['calico_ds_nodeselector']}\n      hostNetwork: true\n"  # calico-node.yml.j2
    assert yaml.safe_load(rendered) == {"spec": {"nodeSelector": {"kubernetes.io/os": "linux", odd: odd}, "hostNetwork": True}}


ODD = st.sampled_from(["true", "on", "no", "0123", "1e3", "a"])


@given(
    st.lists(st.sampled_from(["jetson-1", "0123", "1e3", "true", "12"]), unique=True, min_size=1),
    st.fixed_dictionaries(
        {},
        optional={
            "value": ODD,
            "label": st.one_of(ODD, st.just("example.com/0x1")),
            "mode": st.just("include"),
            "components": st.just(["calico-node", "calico-typha"]),
            "architectures": st.just(["amd64", "arm64"]),
            "max_excluded": st.integers(0, 9),
            "batch_size": st.integers(1, 9),
            "pause": st.integers(0, 9),
            **{name: st.booleans() for name in ("canary", "cordon", "taint")},
        },
    ),
    st.sampled_from([{}, {"allow_disruption": True}, {"allow_disruption": True, "wait": False, "wait_timeout": 7200}]),
)
def test_what_is_run_after_kubespray_asks_the_same(nodes, options, more):
    defaults = {name: option.get("default") for name, option in ARGUMENTS.items()}
    asked = parse_request({**defaults, "nodes": nodes, **options})
    _text, _target, paste = words.after_kubespray(asked, more)
    (play,) = yaml.safe_load(paste)
    (role,) = play["roles"]
    assert (play["hosts"], play["gather_facts"], role.pop("role")) == ("submariner_clusters", False, "fathom.submariner.calico_node_placement")
    given_ = {name.removeprefix("calico_node_placement_"): value for name, value in role.items()}
    assert set(role) <= set(ROLE["argument_specs"]["main"]["options"])
    assert more.items() <= given_.items()
    assert parse_request({**defaults, **given_}) == asked
    assert not any(given_.get(name, ()) == default for name, default in defaults.items())
