# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""projectcalico.org/v3 objects in crd.projectcalico.org/v1 and back."""

from __future__ import annotations

import json

import pytest

from tests.lab.standins._calico_storage import KINDS, METADATA, kinds, stored_path, to_stored, to_v3

STORED = {
    "apiVersion": "crd.projectcalico.org/v1",
    "kind": "IPPool",
    "metadata": {
        "name": "a",
        "uid": "crd-uid",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-02T00:00:00Z",
        "generation": 3,
        "labels": {"submariner.io/ippool": "true"},
        "annotations": {METADATA: '{"uid":"calico-uid","creationTimestamp":"2026-01-01T00:00:00Z"}', "mine": "yes"},
    },
    "spec": {"cidr": "10.42.0.0/24", "blockSize": 26, "nodeSelector": "all()"},
}


def test_reading_takes_the_metadata_from_the_annotation_and_the_identity_from_the_crd():
    obj = to_v3(STORED)
    assert obj["apiVersion"] == "projectcalico.org/v3"
    assert obj["metadata"] == {
        "name": "a",
        "uid": "crd-uid",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"submariner.io/ippool": "true"},
        "annotations": {"mine": "yes"},
    }
    assert METADATA in STORED["metadata"]["annotations"]


def test_what_was_written_without_the_api_server_shows_as_it_is():
    bare = {"kind": "IPPool", "apiVersion": "crd.projectcalico.org/v1", "metadata": {"name": "b", "uid": "u", "generation": 1}, "spec": {"cidr": "10.9.0.0/16"}}
    obj = to_v3(bare)
    assert obj["metadata"] == bare["metadata"]
    assert obj["spec"] == {"cidr": "10.9.0.0/16", "blockSize": 26, "nodeSelector": "all()"}


def test_storing_copies_labels_and_annotations_as_calico_3_27_does():
    stored = to_stored(to_v3(STORED))
    assert stored["apiVersion"] == "crd.projectcalico.org/v1"
    assert stored["metadata"]["labels"] == {"submariner.io/ippool": "true"}
    assert stored["metadata"]["annotations"]["mine"] == "yes"
    assert json.loads(stored["metadata"]["annotations"][METADATA]) == {"uid": "crd-uid", "creationTimestamp": "2026-01-01T00:00:00Z"}
    assert stored["metadata"]["resourceVersion"] == "7"
    assert to_v3(stored) == to_v3(STORED)


@pytest.mark.parametrize("version", ["v3.28.0", "v3.30.1"])
def test_from_3_28_on_labels_and_annotations_live_in_the_annotation_alone(version):
    obj = to_v3(STORED)
    obj["metadata"]["labels"]["operator.tigera.io/kept"] = "x"
    stored = to_stored(obj, version)
    assert stored["metadata"]["labels"] == {"operator.tigera.io/kept": "x"}
    assert set(stored["metadata"]["annotations"]) == {METADATA}
    aside = json.loads(stored["metadata"]["annotations"][METADATA])
    assert (aside["labels"], aside["annotations"]) == ({"submariner.io/ippool": "true"}, {"mine": "yes"})
    assert to_v3(stored) == obj


def test_a_namespaced_object_keeps_its_namespace():
    policy = {"kind": "NetworkPolicy", "apiVersion": "projectcalico.org/v3", "metadata": {"name": "a", "namespace": "shop", "uid": "u", "creationTimestamp": "t"}}
    stored = to_stored(policy, "v3.30.0")
    assert stored["metadata"]["namespace"] == "shop"
    assert to_v3(stored)["metadata"]["namespace"] == "shop"


@pytest.mark.parametrize(("version", "has_tiers"), [("", False), ("v3.28.9", False), ("v3.29.0", True), ("v3.31.0-0.dev", True)])
def test_tiers_are_served_from_3_29_on(version, has_tiers):
    assert ("tiers" in kinds(version)) == has_tiers


def test_where_objects_are_kept():
    policies = KINDS["networkpolicies"]._replace(namespace="shop")
    assert stored_path(policies, "a") == "/apis/crd.projectcalico.org/v1/namespaces/shop/networkpolicies/a"
    assert stored_path(KINDS["ippools"]) == "/apis/crd.projectcalico.org/v1/ippools"
