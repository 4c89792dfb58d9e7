# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes: sent once, or again only after the object was seen unchanged. What reached the server decides, not what we say."""

from __future__ import annotations

import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import (
    FORBIDDEN,
    NOT_SERVED,
    TIMED_OUT,
    UNAVAILABLE,
    ConflictError,
    InvalidError,
    KubeError,
    NotFoundError,
    TimedOutError,
    UncertainError,
)
from ansible_collections.fathom.submariner.plugins.module_utils._kube._write import create, delete, merge_patch
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube import faulty_api as faults

POOLS = "/apis/projectcalico.org/v3/ippools"
POOL = f"{POOLS}/pool"
BODY = {"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": "pool"}, "spec": {"cidr": "10.46.0.0/16", "uses": ["Workload"]}}

# Ways to lose the answer of a request that the server never acted on, and of one that it did act on.
LOST = {
    "reset": faults.reset,
    "silence": faults.silence,
    "cut": faults.cut,
    "web page": faults.login_page,
    "500": faults.status(500, "InternalError", "etcdserver: request timed out"),
    "502": faults.text(502, "<html></html>", "text/html"),
    "503 of a load balancer": faults.text(503, "<html></html>", "text/html"),
    "504 with Retry-After": faults.status(504, "Timeout", "request did not complete within the allotted timeout", Retry_After="0"),
}
# Ways to be told that the server has not acted.
REFUSED = {
    "429": faults.status(429, "TooManyRequests", "too many requests", Retry_After="0"),
    "503 with Retry-After": faults.status(503, "ServiceUnavailable", "apiserver is shutting down", Retry_After="0"),
    "aggregated": faults.text(503, "service unavailable\n"),
}


@pytest.fixture
def pools(api):
    api.objects[POOLS] = {}
    return api


@pytest.fixture
def pool(pools):
    return pools.put(POOLS, "pool", spec={"cidr": "10.46.0.0/24", "uses": ["Workload"]})


@pytest.fixture(autouse=True)
def patience(request, connection):
    if "silence" in request.node.name:
        connection.patience = faults.IMPATIENT


def deadline():
    return Deadline(20)


def make(connection, **keywords):
    return create(connection, POOLS, BODY, deadline=deadline(), **keywords)


def change(connection, pool, **keywords):
    version = keywords.pop("resource_version", pool["metadata"]["resourceVersion"])
    return merge_patch(connection, POOL, {"spec": {"cidr": "10.46.0.0/16"}}, resource_version=version, deadline=deadline(), **keywords)


def test_create_sends_one_strictly_validated_post_under_our_name(pools, connection):
    made = make(connection)
    assert made["metadata"]["uid"] == "uid-pool" and made["spec"] == BODY["spec"]
    (call,) = pools.calls
    assert (call.method, call.path, call.body) == ("POST", POOLS, BODY)
    assert call.query == {"fieldManager": "fathom-submariner", "fieldValidation": "Strict"}
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["User-Agent"].startswith("fathom-submariner/")


def test_a_dry_run_says_so_to_the_server_and_changes_nothing(pools, connection, pool):
    before = pools.version
    merge = change(connection, pool, dry_run=True)
    gone = delete(connection, POOL, uid="uid-pool", dry_run=True, deadline=deadline())
    made = create(connection, POOLS, {**BODY, "metadata": {"name": "other"}}, dry_run=True, deadline=deadline())
    assert merge["spec"]["cidr"] == "10.46.0.0/16" and gone is True and made["metadata"]["name"] == "other"
    assert pools.version == before and set(pools.objects[POOLS]) == {"pool"}
    assert [call.query["dryRun"] for call in pools.calls] == ["All", "All", "All"]
    assert pools.of("DELETE")[0].body["dryRun"] == ["All"]  # the server ignores the query's where there is a body


def test_a_dry_run_is_repeated_after_any_loss(pools, connection):
    pools.inject("POST", POOLS, faults.reset, faults.login_page)
    make(connection, dry_run=True)
    assert [call.method for call in pools.calls] == ["POST", "POST", "POST"]


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED.keys())
def test_a_write_that_was_not_begun_is_sent_again(pools, connection, pool, fault):
    pools.inject("POST", POOLS, fault)
    pools.inject("PATCH", POOL, fault)
    pools.inject("DELETE", POOL, fault)
    create(connection, POOLS, {**BODY, "metadata": {"name": "other"}}, deadline=deadline())
    change(connection, pool)
    assert delete(connection, POOL, deadline=deadline()) is True
    assert [call.method for call in pools.calls] == ["POST", "POST", "PATCH", "PATCH", "DELETE", "DELETE"]


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_create_that_was_carried_out_is_recognized_and_not_sent_again(pools, connection, fault):
    pools.inject("POST", POOLS, faults.processed_then(fault))
    assert make(connection)["metadata"]["uid"] == "uid-pool"
    assert [call.method for call in pools.calls] == ["POST", "GET"]


@pytest.mark.parametrize("fault", [value for key, value in LOST.items() if key != "cut"], ids=[key for key in LOST if key != "cut"])
def test_a_create_that_was_not_carried_out_is_sent_again_after_looking(pools, connection, fault):
    pools.inject("POST", POOLS, fault)
    make(connection)
    assert [call.method for call in pools.calls] == ["POST", "GET", "POST"]


def test_a_create_that_lands_after_we_looked_is_recognized(pools, connection):
    def late(handler, call):
        handler.server.api.put(POOLS, "pool", **BODY)
        handler.proceed(call)

    pools.inject("POST", POOLS, faults.reset, late)
    assert make(connection)["spec"] == BODY["spec"]
    assert [call.method for call in pools.calls] == ["POST", "GET", "POST", "GET"]


def test_a_create_whose_name_somebody_else_took_is_a_conflict_that_names_the_difference(pools, connection):
    def taken(handler, call):
        handler.server.api.put(POOLS, "pool", spec={"cidr": "10.99.0.0/16", "uses": ["Workload"]})
        handler.reset()

    pools.inject("POST", POOLS, taken)
    with pytest.raises(ConflictError, match="spec.cidr"):
        make(connection)
    assert len(pools.of("POST")) == 1


def test_a_create_that_is_always_lost_ends_after_three_looks(pools, connection):
    pools.inject("POST", POOLS, *[faults.reset] * 10)
    with pytest.raises(UncertainError) as caught:
        make(connection)
    assert len(pools.of("POST")) == len(pools.of("GET")) == 3
    for part in (pools.url, f"POST {POOLS}", "may or may not have been carried out", "Read the object"):
        assert part in caught.value.message


def test_a_create_without_a_name_is_never_sent_again(pools, connection):
    pools.inject("POST", POOLS, faults.reset)
    with pytest.raises(UncertainError):
        create(connection, POOLS, {**BODY, "metadata": {"generateName": "pool-"}}, deadline=deadline())
    assert [call.method for call in pools.calls] == ["POST"]


def test_when_looking_fails_too_both_failures_are_told(pools, connection):
    pools.inject("POST", POOLS, faults.reset)
    pools.inject("GET", POOL, faults.status(403, "Forbidden", 'ippools "pool" is forbidden: User "u" cannot get resource'))
    with pytest.raises(UncertainError) as caught:
        make(connection)
    assert "POST was sent and its answer was lost" in caught.value.message and "cannot get resource" in caught.value.message
    assert caught.value.state == FORBIDDEN and len(pools.of("POST")) == 1


def test_create_of_what_exists_is_a_conflict(pools, connection, pool):
    with pytest.raises(ConflictError) as caught:
        make(connection)
    assert caught.value.reason == "AlreadyExists" and 'things "pool" already exists' in caught.value.message
    assert [call.method for call in pools.calls] == ["POST"]


def test_a_patch_carries_the_version_that_it_was_computed_from(pools, connection, pool):
    changed = change(connection, pool)
    assert changed["spec"] == {"cidr": "10.46.0.0/16", "uses": ["Workload"]}
    (call,) = pools.calls
    assert call.headers["Content-Type"] == "application/merge-patch+json"
    assert call.body == {"metadata": {"resourceVersion": pool["metadata"]["resourceVersion"]}, "spec": {"cidr": "10.46.0.0/16"}}
    assert call.query == {"fieldManager": "fathom-submariner", "fieldValidation": "Strict"}


def test_a_patch_of_a_changed_object_is_a_conflict_and_not_forced(pools, connection, pool):
    pools.put(POOLS, "pool", spec={"cidr": "10.50.0.0/16"})
    with pytest.raises(ConflictError, match="has been modified.*decide anew"):
        change(connection, {"metadata": {"resourceVersion": "1"}})
    assert [call.method for call in pools.calls] == ["PATCH"]
    assert pools.objects[POOLS]["pool"]["spec"] == {"cidr": "10.50.0.0/16"}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_patch_that_was_carried_out_is_recognized(pools, connection, pool, fault):
    pools.inject("PATCH", POOL, faults.processed_then(fault))
    assert change(connection, pool)["spec"]["cidr"] == "10.46.0.0/16"
    assert [call.method for call in pools.calls] == ["PATCH", "GET"]


@pytest.mark.parametrize("version", [True, False], ids=["with a version", "without one"])
def test_a_patch_that_was_not_carried_out_is_sent_again_after_looking(pools, connection, pool, version):
    pools.inject("PATCH", POOL, faults.reset)
    change(connection, pool, **({} if version else {"resource_version": None}))
    assert [call.method for call in pools.calls] == ["PATCH", "GET", "PATCH"]


def test_a_lost_patch_of_an_object_that_somebody_else_then_changed_is_a_conflict(pools, connection, pool):
    def overtaken(handler, call):
        handler.server.api.put(POOLS, "pool", spec={"cidr": "10.50.0.0/16"})
        handler.reset()

    pools.inject("PATCH", POOL, overtaken)
    with pytest.raises(ConflictError, match="spec.cidr"):
        change(connection, pool)
    assert [call.method for call in pools.calls] == ["PATCH", "GET"]


def test_a_lost_patch_of_an_object_that_then_disappeared_says_so(pools, connection, pool):
    def deleted(handler, call):
        handler.server.api.remove(POOLS, "pool")
        handler.reset()

    pools.inject("PATCH", POOL, deleted)
    with pytest.raises(NotFoundError, match="disappeared"):
        change(connection, pool)


def test_a_patch_of_nothing_is_not_found(pools, connection):
    with pytest.raises(NotFoundError) as caught:
        change(connection, {"metadata": {"resourceVersion": "1"}})
    assert caught.value.status == 404 and POOL in caught.value.message


def test_delete_tells_deleted_from_gone_already(pools, connection, pool):
    assert delete(connection, POOL, uid="uid-pool", resource_version=pool["metadata"]["resourceVersion"], deadline=deadline()) is True
    assert delete(connection, POOL, uid="uid-pool", deadline=deadline()) is False
    assert pools.calls[0].body["preconditions"] == {"uid": "uid-pool", "resourceVersion": pool["metadata"]["resourceVersion"]}
    assert pools.calls[0].body["propagationPolicy"] == "Background", "else the pods of a Job would stay"


def test_delete_leaves_another_object_of_the_same_name_alone(pools, connection, pool):
    with pytest.raises(ConflictError, match="Precondition failed"):
        delete(connection, POOL, uid="uid-of-the-old-one", deadline=deadline())
    assert "pool" in pools.objects[POOLS]


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
def test_a_delete_that_was_carried_out_is_recognized(pools, connection, pool, fault):
    pools.inject("DELETE", POOL, faults.processed_then(fault))
    assert delete(connection, POOL, uid="uid-pool", deadline=deadline()) is True
    assert [call.method for call in pools.calls] == ["DELETE", "GET"]


def test_a_delete_that_was_not_carried_out_is_sent_again_after_looking(pools, connection, pool):
    pools.inject("DELETE", POOL, faults.reset)
    assert delete(connection, POOL, uid="uid-pool", deadline=deadline()) is True
    assert [call.method for call in pools.calls] == ["DELETE", "GET", "DELETE"]


def test_a_lost_delete_that_waits_for_finalizers_counts_as_done(pools, connection, pool):
    def terminating(handler, call):
        handler.server.api.put(POOLS, "pool", metadata={"deletionTimestamp": "2026-11-21T12:00:00Z"})
        handler.reset()

    pools.inject("DELETE", POOL, terminating)
    assert delete(connection, POOL, uid="uid-pool", deadline=deadline()) is True
    assert len(pools.of("DELETE")) == 1


def test_a_lost_delete_without_a_uid_is_never_sent_again_while_something_is_there(pools, connection, pool):
    pools.inject("DELETE", POOL, faults.reset)
    with pytest.raises(UncertainError):
        delete(connection, POOL, deadline=deadline())
    assert [call.method for call in pools.calls] == ["DELETE", "GET"]


def test_a_lost_delete_after_which_another_object_has_the_name_counts_as_done(pools, connection, pool):
    def recreated(handler, call):
        handler.server.api.remove(POOLS, "pool")
        handler.server.api.put(POOLS, "pool", metadata={"uid": "uid-new"})
        handler.reset()

    pools.inject("DELETE", POOL, recreated)
    assert delete(connection, POOL, uid="uid-pool", deadline=deadline()) is True
    assert len(pools.of("DELETE")) == 1 and "pool" in pools.objects[POOLS]


@pytest.mark.parametrize(
    "code, reason, message",
    [
        (400, "BadRequest", 'admission webhook "guard.example.org" denied the request: no'),
        (403, "Forbidden", 'admission webhook "guard.example.org" denied the request: no'),
        (403, "Forbidden", 'ippools "pool" is forbidden: exceeded quota: pools, requested: 1, used: 3, limited: 3'),
        (422, "Invalid", 'IPPool "pool" is invalid: spec.cidr: Invalid value: "x": field is immutable'),
    ],
)
def test_what_the_server_or_admission_refuses_is_invalid_and_not_sent_again(pools, connection, code, reason, message):
    pools.inject("POST", POOLS, faults.status(code, reason, message))
    with pytest.raises(InvalidError) as caught:
        make(connection)
    assert caught.value.api_message == message and message in caught.value.message and caught.value.status == code
    assert len(pools.calls) == 1


def test_a_webhook_that_times_out_is_looked_after_and_its_words_reach_the_user(pools, connection):
    message = 'Internal error occurred: failed calling webhook "guard.example.org": context deadline exceeded'
    pools.inject("POST", POOLS, *[faults.status(500, "InternalError", message)] * 3)
    with pytest.raises(UncertainError) as caught:
        make(connection)
    assert message in caught.value.message and caught.value.state == UNAVAILABLE
    assert pools.objects[POOLS] == {}


def test_a_forbidden_write_is_forbidden(pools, connection):
    message = 'ippools.projectcalico.org is forbidden: User "diagnose" cannot create resource "ippools" in API group "projectcalico.org" at the cluster scope'
    pools.inject("POST", POOLS, faults.status(403, "Forbidden", message))
    with pytest.raises(KubeError) as caught:
        make(connection)
    assert not isinstance(caught.value, InvalidError) and caught.value.state == FORBIDDEN and message in caught.value.message


def test_a_write_to_a_kind_that_is_not_served_says_so(pools, connection):
    with pytest.raises(KubeError) as caught:
        create(connection, "/apis/absent.org/v1/things", BODY, deadline=deadline())
    assert caught.value.state == NOT_SERVED and not isinstance(caught.value, NotFoundError)


def test_a_storm_of_429_leaves_nothing_half_written(pools, connection):
    connection.patience = faults.QUICK._replace(longest_retry_after=60)
    pools.inject("POST", POOLS, *[faults.status(429, "TooManyRequests", "slow down", Retry_After=seconds) for seconds in ("0", "0", "60")])
    with pytest.raises(TimedOutError, match="slow down"):  # and not uncertain
        make(connection)
    assert len(pools.of("POST")) == 3
    assert pools.objects[POOLS] == {}


def test_a_dripping_answer_to_a_write_ends_with_the_deadline_and_the_outcome_unknown(pools, connection):
    pools.inject("POST", POOLS, faults.processed_then(faults.drip))
    start = time.monotonic()
    with pytest.raises(UncertainError) as caught:
        create(connection, POOLS, BODY, deadline=Deadline(0.4))
    assert time.monotonic() - start < 3.0
    assert caught.value.state == TIMED_OUT and "may or may not" in caught.value.message


def test_after_the_deadline_nothing_is_written(pools, connection):
    with pytest.raises(TimedOutError):  # and not uncertain
        create(connection, POOLS, BODY, deadline=Deadline(0))
    assert pools.calls == []
