# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be shown of an object."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after, clean, missing_from

SUBMARINER = {
    "apiVersion": "submariner.io/v1alpha1",
    "kind": "Submariner",
    "metadata": {
        "name": "submariner", "namespace": "submariner-operator", "uid": "1", "resourceVersion": "2", "generation": 3, "creationTimestamp": "x",
        "selfLink": "/x", "managedFields": [{}], "labels": {"a": "b"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"spec":{"ceIPSecPSK":"s3cr3t"}}', "kept": "yes"},
    },
    "spec": {"clusterCIDR": "10.46.0.0/24", "brokerK8sApiServerToken": "s3cr3t", "brokerK8sCA": "s3cr3t", "ceIPSecPSK": "s3cr3t", "natEnabled": False},
}


def test_book_keeping_goes_and_secrets_are_hidden():
    before = json.dumps(SUBMARINER)
    assert clean(SUBMARINER) == {
        "apiVersion": "submariner.io/v1alpha1",
        "kind": "Submariner",
        "metadata": {"name": "submariner", "namespace": "submariner-operator", "labels": {"a": "b"}, "annotations": {"kept": "yes"}},
        "spec": {
            "clusterCIDR": "10.46.0.0/24", "brokerK8sApiServerToken": "(hidden)", "brokerK8sCA": "(hidden)", "ceIPSecPSK": "(hidden)", "natEnabled": False
        },
    }
    assert json.dumps(SUBMARINER) == before


def test_metadata_that_is_all_book_keeping_becomes_empty():
    assert clean({"kind": "X", "metadata": {"uid": "1", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}) == {
        "kind": "X", "metadata": {}
    }


def test_a_secret_shows_its_keys_only():
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"token": "czNjcjN0"}, "stringData": {"psk": "s3cr3t"}, "type": "Opaque"}
    assert clean(secret) == {"apiVersion": "v1", "kind": "Secret", "data": {"token": "(hidden)"}, "stringData": {"psk": "(hidden)"}, "type": "Opaque"}
    assert clean({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}})["data"] == {"a": "b"}


@pytest.mark.parametrize("name", ["CE_IPSEC_PSK", "BROKER_K8S_APISERVERTOKEN", "BROKER_K8S_CA", "DB_PASSWORD"])
def test_secrets_in_a_pods_environment_are_hidden(name):
    env = [{"name": name, "value": "s3cr3t"}, {"name": "SUBMARINER_CLUSTERCIDR", "value": "10.0.0.0/8"}, {"name": name, "value": ""}]
    pod = {"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"env": env}]}}}}
    values = [entry["value"] for entry in clean(pod)["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert values == ["(hidden)", "10.0.0.0/8", ""]


def test_no_object_is_an_empty_one():
    assert clean(None) == {} and clean({}) == {}
    assert before_after(None, {"kind": "X"}, "h") == {"before_header": "h", "after_header": "h", "before": {}, "after": {"kind": "X"}}
    assert before_after({"kind": "X"}, None, "h")["after"] == {}


def test_a_secret_that_changes_shows_that_it_does_and_no_more():
    after = json.loads(json.dumps(SUBMARINER))
    after["spec"]["ceIPSecPSK"] = "other"
    after["spec"]["clusterCIDR"] = "10.46.0.0/16"
    diff = before_after(SUBMARINER, after, "cluster-1: Submariner")
    assert (diff["before"]["spec"]["ceIPSecPSK"], diff["after"]["spec"]["ceIPSecPSK"]) == ("(hidden, will change)", "(hidden, changed)")
    assert diff["before"]["spec"]["brokerK8sCA"] == diff["after"]["spec"]["brokerK8sCA"] == "(hidden)"
    assert diff["after"]["spec"]["clusterCIDR"] == "10.46.0.0/16"
    assert "s3cr3t" not in json.dumps(diff) and "other" not in json.dumps(diff)


def test_secrets_in_lists_are_compared_one_by_one():
    def pod(value):
        return {"spec": {"env": [{"name": "A", "value": "1"}, {"name": "PSK", "value": value}]}}

    diff = before_after(pod("s3cr3t"), pod("other"), "h")
    assert [entry["value"] for entry in diff["after"]["spec"]["env"]] == ["1", "(hidden, changed)"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metadata", "data", "spec", "value", "name", "ceIPSecPSK", "kind"]), inner),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["spec", "status", "data", "items"]), VALUES),
    st.dictionaries(st.sampled_from(["spec", "status", "data"]), VALUES),
)
def test_any_two_objects_can_be_shown_and_equal_ones_show_equal(one, other):
    diff = before_after(one, other, "h")
    assert set(diff["before"]) == set(one) and set(diff["after"]) == set(other)
    same = before_after(one, json.loads(json.dumps(one)), "h")
    assert same["before"] == same["after"]


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES))
def test_an_object_has_all_of_itself(obj):
    assert missing_from(obj, obj) == ()


@pytest.mark.parametrize(
    "found, wanted, missing",
    [
        ({"spec": {"a": 1, "default": 2}}, {"spec": {"a": 1}}, ()),
        ({"spec": {"a": 2}}, {"spec": {"a": 1}}, ("spec.a",)),
        ({"spec": {}}, {"spec": {"a": None}}, ()),
        ({"spec": {"a": 1}}, {"spec": {"a": None}}, ("spec.a",)),
        ({}, {"spec": {"a": {"b": 1, "c": None}}}, ("spec.a.b",)),
        ({"l": [{"a": 1, "x": 1}, 2]}, {"l": [{"a": 1}, 2]}, ()),
        ({"l": [{"a": 1}, 3]}, {"l": [{"a": 1}, 2]}, ("l[1]",)),
        ({"l": [1]}, {"l": [1, 2]}, ("l",)),
        ({}, {"l": []}, ()),
        ({"a": "x"}, {"a": {"b": 1}}, ("a.b",)),
    ],
)
def test_missing_from(found, wanted, missing):
    assert missing_from(found, wanted) == missing


def test_the_certificates_of_an_api_service_are_kept_and_not_shown():
    def api_service(bundle):
        return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v3.x"}, "spec": {"version": "v3", "caBundle": bundle}}

    assert clean(api_service("b25l"))["spec"]["caBundle"] == "b25l"
    shown = before_after(api_service("b25l"), api_service("dHdv"), "x")
    assert [shown[key]["spec"] for key in ("before", "after")] == [
        {"version": "v3", "caBundle": "(hidden, will change)"},
        {"version": "v3", "caBundle": "(hidden, changed)"},
    ]
    assert before_after(None, api_service("b25l"), "x")["after"]["spec"] == {"version": "v3", "caBundle": "(hidden)"}
    assert before_after(api_service("b25l"), api_service("b25l"), "x")["before"] == clean(api_service("(hidden)"))


def test_what_the_server_makes_anew_for_each_dry_run_of_a_job_is_not_shown():
    def job(uid):
        labels = {"batch.kubernetes.io/controller-uid": uid, "controller-uid": uid, "app": "x"}
        spec = {"selector": {"matchLabels": dict(labels)}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c"}]}}}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec}

    shown = before_after(None, job("u-1"), "x")["after"]
    assert shown == before_after(None, job("u-2"), "x")["after"]
    assert shown["spec"]["selector"] == {"matchLabels": {"app": "x"}} and shown["spec"]["template"]["spec"] == {"containers": [{"name": "c"}]}


def test_of_a_config_map_the_bytes_are_summed_up_and_an_owner_is_named():
    def config_map(uid, data):
        owner = {"kind": "Job", "name": "j", "uid": uid}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "ownerReferences": [owner]}, "binaryData": {"program": data}}

    shown = before_after(config_map("u-1", "AAAA"), config_map("u-2", "BBBBBBBB"), "x")
    assert [shown[key]["metadata"]["ownerReferences"] for key in ("before", "after")] == [[{"kind": "Job", "name": "j"}]] * 2
    assert shown["before"]["binaryData"]["program"].startswith("(4 characters of base64, SHA-256 ")
    assert shown["after"]["binaryData"]["program"].startswith("(8 characters") and clean(config_map("u-1", "AAAA"))["binaryData"] == {"program": "AAAA"}


@pytest.mark.parametrize(("address", "shown"), [("10.233.0.0", {}), ("None", {"clusterIP": "None", "clusterIPs": ["None"]})])
def test_the_address_that_a_new_service_is_given_is_not_shown(address, shown):
    made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": address, "clusterIPs": [address], "type": "ClusterIP"}}
    assert before_after(None, made, "h")["after"]["spec"] == {**shown, "type": "ClusterIP"}
    changed = before_after(made, {**made, "spec": {**made["spec"], "ports": []}}, "h")
    assert changed["before"]["spec"]["clusterIP"] == changed["after"]["spec"]["clusterIP"] == address
