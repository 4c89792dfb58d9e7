# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Correcting objects that exist: those of this collection wholly, those of others as little as possible, and each only once."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_drift import correction, service_port

RELEASE = objects.Release((3, 30, 3), (1, 31), "registry.example/calico/apiserver:v3.30.3")
OLDER = objects.Release((3, 25, 2), (1, 31), "registry.example/calico/apiserver:v3.25.2")
WANTED = [*objects.supporting_objects(RELEASE), objects.deployment(RELEASE)]


def by_name(release, name):
    bodies = (*objects.supporting_objects(release), objects.deployment(release))
    return next(body for body in bodies if body["metadata"]["name"] == name and "roleRef" not in body)


def deployment(release=RELEASE, **changes):
    return {**objects.deployment(release), **changes}


def foreign(body):
    """The same object without the mark of this collection."""
    body = copy.deepcopy(body)
    del body["metadata"]["labels"][objects.MANAGED_BY]
    return body


@pytest.mark.parametrize("body", WANTED, ids=objects.named)
def test_what_is_as_it_should_be_is_left_alone(body):
    stored = {**copy.deepcopy(body), "status": {"x": 1}}
    stored["metadata"].update(uid="u", resourceVersion="7", managedFields=[])
    assert correction(stored, body) == {}
    assert correction(foreign(stored), body) == {}


@pytest.mark.parametrize("old", [*objects.supporting_objects(OLDER), objects.deployment(OLDER)], ids=objects.named)
def test_an_object_of_an_older_release_becomes_the_new_one_at_once(old):
    new = next(body for body in WANTED if objects.path_of(body) == objects.path_of(old))
    for found in (old, foreign(old)):
        patched = merged(found, correction(found, new))
        assert correction(patched, new) == {}
        if objects.made_here(found):
            assert patched == new


class TestOthersObjects:
    def test_the_image_moves_to_the_release_and_keeps_its_registry(self):
        found = foreign(deployment(OLDER))
        found["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "sidecar:v1"})
        found["spec"]["template"]["spec"]["containers"][0]["image"] = "docker.io/calico/apiserver:v3.25.2"
        patch = correction(found, deployment())
        assert list(patch) == ["spec"] and list(patch["spec"]) == ["template"]
        images = [each["image"] for each in patch["spec"]["template"]["spec"]["containers"]]
        assert images == ["docker.io/calico/apiserver:v3.30.3", "sidecar:v1"]

    def test_an_image_that_cannot_be_pulled_moves_to_the_registry_of_calico_node(self):
        found = foreign(deployment())
        found["spec"]["template"]["spec"]["containers"][0]["image"] = "docker.io/calico/apiserver:v3.30.3"
        assert correction(found, deployment()) == {}
        patch = correction(found, deployment(), image_fails=True)
        assert patch["spec"]["template"]["spec"]["containers"][0]["image"] == RELEASE.image

    def test_nothing_else_of_a_deployment_is_touched(self):
        found = foreign(deployment())
        found["spec"]["replicas"] = 3
        found["spec"]["template"]["spec"]["tolerations"] = []
        found["spec"]["template"]["spec"]["containers"][0]["args"] = ["-v=5"]
        assert correction(found, deployment()) == {}

    def test_one_that_was_scaled_away_comes_back(self):
        found = foreign(deployment())
        found["spec"]["replicas"] = 0
        assert correction(found, deployment()) == {"spec": {"replicas": 1}}

    def test_rules_that_a_newer_release_needs_are_added_to_those_that_are_there(self):
        found, wanted = foreign(by_name(OLDER, "calico-crds")), by_name(RELEASE, "calico-crds")
        patch = correction(found, wanted)
        assert patch["rules"][: len(found["rules"])] == found["rules"]
        assert any("stagednetworkpolicies" in rule["resources"] for rule in patch["rules"])

    @pytest.mark.parametrize(
        "rules",
        [
            [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
            [{"apiGroups": ["", "extensions", "networking.k8s.io", "crd.projectcalico.org"], "resources": ["*"], "verbs": ["*"]}],
        ],
    )
    def test_wider_rules_are_enough(self, rules):
        assert correction({**foreign(by_name(RELEASE, "calico-crds")), "rules": rules}, by_name(RELEASE, "calico-crds")) == {}

    def test_a_rule_for_some_names_is_not_one_for_all(self):
        rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["one"]}]
        assert correction({**foreign(by_name(RELEASE, "calico-crds")), "rules": rules}, by_name(RELEASE, "calico-crds"))["rules"] != rules

    def test_a_binding_without_our_service_account_gets_it(self):
        wanted = next(body for body in WANTED if body["kind"] == "ClusterRoleBinding")
        other = {"kind": "User", "name": "x", "apiGroup": "rbac.authorization.k8s.io"}
        assert correction({**foreign(wanted), "subjects": [other]}, wanted) == {"subjects": [other, *wanted["subjects"]]}

    def test_a_service_that_leads_elsewhere_is_left_alone(self):
        wanted = by_name(RELEASE, "calico-api")
        assert correction({**foreign(wanted), "spec": {"type": "ExternalName", "externalName": "x", "ports": [{"port": 8443}]}}, wanted) == {}
        assert correction({**foreign(wanted), "spec": {"type": "ClusterIP"}}, wanted) == {"spec": {"ports": wanted["spec"]["ports"]}}


def test_our_own_deployment_may_be_scaled_up():
    found = deployment()
    found["spec"]["replicas"] = 2
    assert correction(found, deployment()) == {}
    found["spec"]["replicas"] = 0
    assert correction(found, deployment())["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("service", "port"),
    [(None, 443), ({}, 443), ({"spec": {"ports": [{"port": 8443}]}}, 8443), ({"spec": {"ports": [{"port": 8443}, {"port": 443}]}}, 443)],
)
def test_the_api_service_follows_the_port_of_the_service_that_is_there(service, port):
    assert service_port(service) == port


words = st.sampled_from(["", "*", "crd.projectcalico.org", "networking.k8s.io", "nodes", "ippools", "tiers", "get", "list", "watch", "create"])
some_words = st.lists(words, max_size=3)
some_rules = st.lists(st.fixed_dictionaries({"apiGroups": some_words, "resources": some_words, "verbs": some_words}), max_size=3)


@given(some_rules)
def test_correcting_any_role_of_others_is_done_once_and_takes_nothing_away(rules):
    wanted = by_name(RELEASE, "calico-crds")
    found = {**foreign(wanted), "rules": rules}
    patched = merged(found, correction(found, wanted))
    assert patched["rules"][: len(rules)] == rules
    assert correction(patched, wanted) == {}
