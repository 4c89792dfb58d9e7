# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and objects, read from a server that goes wrong."""

from __future__ import annotations

import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Usage, connect
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import (
    FORBIDDEN,
    NOT_SERVED,
    TIMED_OUT,
    UNAVAILABLE,
    KubeError,
)
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, get_object, read_all, read_list
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube import faulty_api as faults
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import IMPATIENT, QUICK

THINGS = "/apis/example.org/v1/things"
NAMES = tuple(f"thing-{index:04}" for index in range(1201))


def name_of(item):
    return item["metadata"]["name"]


def request(path=THINGS, **keywords):
    return ListRequest("things", path, name_of, **keywords)


@pytest.fixture
def things(api):
    api.objects[THINGS] = {name: {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": name, "uid": f"uid-{name}"}} for name in NAMES}
    return api


def read(connection, seconds=5.0, **keywords):
    return read_list(connection, request(**keywords), Deadline(seconds))


def test_a_list_is_read_whole_in_pages_of_500(things, connection):
    result = read(connection)
    assert result.items == NAMES
    assert (result.state, result.detail, result.where, result.resource_version) == ("ok", "", f"GET {THINGS}", "100")
    assert [(call.query["limit"], call.query.get("continue")) for call in things.calls] == [("500", None), ("500", "500"), ("500", "1000")]


def test_a_request_carries_credentials_and_says_who_asks(things, connection):
    read(connection, label_selector="a=b", field_selector="metadata.name=x")
    call = things.calls[0]
    assert call.headers["Authorization"] == "Bearer the-token"
    assert call.headers["User-Agent"].startswith("fathom-submariner/")
    assert call.headers["Accept"] == "application/json"
    assert (call.query["labelSelector"], call.query["fieldSelector"]) == ("a=b", "metadata.name=x")


def test_projection_may_leave_items_out(things, connection):
    result = read_list(connection, ListRequest("things", THINGS, lambda item: name_of(item) if name_of(item).endswith("7") else None), Deadline(5))
    assert result.items == tuple(name for name in NAMES if name.endswith("7"))


def test_an_object_that_the_projection_cannot_read_is_named(things, connection):
    del things.objects[THINGS]["thing-0003"]["kind"]
    result = read_list(connection, ListRequest("things", THINGS, lambda item: item["kind"]), Deadline(5))
    assert result.state == UNAVAILABLE and result.items == ()
    assert "thing-0003" in result.detail and "KeyError" in result.detail and THINGS in result.detail


def test_an_item_that_comes_twice_over_pages_is_kept_once(things, connection):
    def shifted(handler, call):
        handler.reply(200, {"kind": "ThingList", "metadata": {}, "items": [things.objects[THINGS][name] for name in NAMES[499:502]]})

    things.inject("GET", THINGS, faults.passed, shifted)
    assert read(connection).items == NAMES[:502]


def test_a_continue_token_that_does_not_move_is_an_error(things, connection):
    def stuck(handler, call):
        handler.reply(200, {"kind": "ThingList", "metadata": {"continue": "x"}, "items": []})

    things.inject("GET", THINGS, *[stuck] * 5)
    assert "same page again" in read(connection).detail
    assert len(things.calls) == 2


@pytest.mark.parametrize("items", [None, []], ids=["null", "empty"])
def test_an_empty_list_is_ok(things, connection, items):
    things.inject("GET", THINGS, lambda handler, call: handler.reply(200, {"kind": "ThingList", "metadata": {"resourceVersion": "5"}, "items": items}))
    result = read(connection)
    assert result.ok and result.items == () and result.resource_version == "5"


TRANSIENT = {
    "429": faults.status(429, "TooManyRequests", "too many requests", Retry_After="0"),
    "500": faults.status(500, "InternalError", "etcdserver: leader changed"),
    "502 web page": faults.text(502, "<html><title>Bad Gateway</title></html>", "text/html"),
    "503": faults.status(503, "ServiceUnavailable", "apiserver is shutting down", Retry_After="0"),
    "504": faults.status(504, "Timeout", "request did not complete"),
    "reset": faults.reset,
    "cut": faults.cut,
    "half, with a fitting Content-Length": faults.half_but_complete,
    "login page with 200": faults.login_page,
    "empty body": faults.text(200, ""),
    "broken gzip": faults.broken_gzip,
    "silence": faults.silence,
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_passing_fault_on_any_page_is_retried(things, connection, fault):
    connection.patience = IMPATIENT if fault is faults.silence else QUICK
    things.inject("GET", THINGS, fault, faults.passed, fault, fault)
    result = read(connection, seconds=20)
    assert result.items == NAMES
    assert connection.usage().retries == 3 and connection.usage().requests == len(things.calls) == 6


@pytest.mark.parametrize(
    "variant, least, most", [(faults.gzipped, 5_000, 40_000), (faults.chunked, 100_000, 200_000), (faults.chunked_gzip, 5_000, 40_000)]
)
def test_other_encodings_of_a_body_are_read_and_counted_as_received(things, connection, variant, least, most):
    things.inject("GET", THINGS, variant, variant, variant)
    assert read(connection).items == NAMES
    assert connection.usage().retries == 0 and least < connection.usage().bytes_read < most


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_fault_that_stays_is_unavailable_after_the_attempts(things, connection, code):
    things.inject("GET", THINGS, *[faults.status(code, "Whatever", "etcd has no leader")] * 10)
    result = read(connection)
    assert result.state == UNAVAILABLE and result.error.transient and result.error.status == code
    assert len(things.calls) == QUICK.attempts
    for part in (things.url, f"GET {THINGS}", str(code), "etcd has no leader"):
        assert part in result.detail


def test_a_login_page_that_stays_is_named_with_its_title(things, connection):
    things.inject("GET", THINGS, *[faults.login_page] * 10)
    result = read(connection)
    assert result.state == UNAVAILABLE
    assert 'a web page ("Sign in to Corp")' in result.detail and things.url in result.detail and "proxies" in result.detail


def test_a_table_is_not_taken_for_an_empty_list(things, connection):
    things.inject("GET", THINGS, faults.table)
    result = read(connection)
    assert result.state == UNAVAILABLE and "a Table, not with a list" in result.detail


def test_a_redirect_is_not_followed(things, connection):
    things.inject("GET", THINGS, faults.text(302, "", Location="https://login.example.org/start?state=secret"))
    result = read(connection)
    assert result.state == UNAVAILABLE and len(things.calls) == 1
    assert "redirected to https://login.example.org/start (302)" in result.detail and "secret" not in result.detail


def test_retry_after_is_honoured(things, connection):
    things.inject("GET", THINGS, faults.status(429, "TooManyRequests", "slow down", Retry_After="1"))
    patient = QUICK._replace(longest_retry_after=0.25)
    connection.patience = patient
    start = time.monotonic()
    assert read(connection).ok
    assert time.monotonic() - start >= 0.25  # what the server asked for, capped


def test_a_storm_of_429_ends_before_the_deadline_and_not_by_counting(things, connection):
    things.inject("GET", THINGS, *[faults.status(429, "TooManyRequests", "slow down", Retry_After="0")] * 500)
    start = time.monotonic()
    result = read(connection, seconds=0.9)
    assert time.monotonic() - start < 3.0
    assert result.state == TIMED_OUT and "slow down" in result.detail and "0.9 s" in result.detail
    assert len(things.calls) > QUICK.attempts


def test_a_wait_that_would_outlast_the_deadline_is_not_begun(things, connection):
    things.inject("GET", THINGS, faults.status(429, "TooManyRequests", "slow down", Retry_After="60"))
    connection.patience = QUICK._replace(longest_retry_after=60.0)
    start = time.monotonic()
    assert read(connection, seconds=5).state == TIMED_OUT
    assert time.monotonic() - start < 3.0


@pytest.mark.parametrize("fault", [faults.drip, faults.drip_body], ids=["from the first byte", "of the body"])
def test_a_slow_drip_does_not_outlive_the_deadline(things, connection, fault):
    things.inject("GET", THINGS, fault)
    start = time.monotonic()
    result = read(connection, seconds=0.5)
    assert 0.4 < time.monotonic() - start < 3.0  # the drip itself lasts a quarter of an hour
    assert result.state == TIMED_OUT and f"GET {THINGS}" in result.detail


def expired(handler, call):
    handler.reply(*faults.failure(410, "Expired", "The provided continue parameter is too old"))


def test_an_expired_continue_token_restarts_the_list_once_then_with_smaller_pages(things, connection):
    things.inject("GET", THINGS, faults.passed, expired, faults.passed, expired)
    result = read(connection)
    assert result.items == NAMES
    limits = [(call.query["limit"], call.query.get("continue")) for call in things.calls]
    assert limits[:5] == [("500", None), ("500", "500"), ("500", None), ("500", "500"), ("100", None)]
    assert len(limits) == 4 + 13


def test_a_list_that_always_expires_is_given_up(things, connection):
    things.inject("GET", THINGS, *[faults.passed, expired] * 5)
    result = read(connection)
    assert result.state == UNAVAILABLE and result.items == () and "continue parameter is too old" in result.detail
    assert len(things.calls) == 6


def test_forbidden_not_served_unavailable_and_timed_out_are_four_answers(things, connection):
    forbidden = 'things.example.org is forbidden: User "diagnose" cannot list resource "things" in API group "example.org" at the cluster scope'
    things.objects.update({f"{THINGS}-{suffix}": {} for suffix in ("a", "b", "c")})
    things.inject("GET", "-a", faults.status(403, "Forbidden", forbidden))
    things.inject("GET", "-b", *[faults.status(503, "ServiceUnavailable", "overloaded")] * 10)
    things.inject("GET", "-c", faults.drip)
    requests = [ListRequest(suffix, f"{THINGS}-{suffix}", name_of) for suffix in ("a", "b", "c")]
    requests += [ListRequest("none", "/apis/absent.org/v1/things", name_of), ListRequest("ok", THINGS, name_of)]
    results = read_all(connection, requests, Deadline(1.5))
    assert {key: result.state for key, result in results.items()} == {
        "a": FORBIDDEN, "b": UNAVAILABLE, "c": TIMED_OUT, "none": NOT_SERVED, "ok": "ok"
    }
    assert forbidden in results["a"].detail and "RBAC" in results["a"].detail
    assert "CRD" in results["none"].detail and "/apis/absent.org/v1/things" in results["none"].detail
    assert results["ok"].items == NAMES
    assert len(things.of("GET", "-a")) == 1  # neither forbidden nor not served gets better by asking again
    assert len(things.of("GET", "/apis/absent.org/v1/things")) == 1


@pytest.mark.parametrize("body", ["service unavailable\n", "error trying to reach service: dial tcp 10.43.0.9:443: connect: connection refused"])
def test_an_aggregated_api_that_is_down_is_unavailable_by_name_and_soon(things, connection, body):
    things.inject("GET", "/v3/ippools", *[faults.text(503, body)] * 10)
    requests = [ListRequest("pools", "/apis/projectcalico.org/v3/ippools", name_of), ListRequest("things", THINGS, name_of)]
    results = read_all(connection, requests, Deadline(5))
    assert results["pools"].state == UNAVAILABLE and results["things"].items == NAMES
    assert "aggregated API server behind projectcalico.org" in results["pools"].detail and body.strip() in results["pools"].detail
    assert len(things.of("GET", "/v3/ippools")) == 2


def test_a_dead_server_is_not_waited_for_once_for_each_list(things):
    things.__exit__()
    connection = connect({"host": things.url}, patience=QUICK)
    results = read_all(connection, [ListRequest(str(index), f"{THINGS}-{index}", name_of) for index in range(40)], Deadline(5), workers=4)
    assert {result.state for result in results.values()} == {UNAVAILABLE}
    assert "Connection refused" in results["0"].detail and things.url in results["0"].detail
    assert connection.usage().requests < 40 + 4 * QUICK.attempts


def test_many_threads_share_a_connection_and_everything_is_counted(things, connection):
    requests = [ListRequest(str(index), THINGS, name_of) for index in range(12)]
    results = read_all(connection, requests, Deadline(10), workers=6)
    assert all(result.items == NAMES for result in results.values())
    usage = connection.usage()
    assert isinstance(usage, Usage)
    assert usage.requests == len(things.calls) == 36 and usage.retries == 0
    assert usage.bytes_read > 12 * 1201 * 50 and 0 < usage.seconds < 10


def test_get_object_tells_an_absent_object_from_an_absent_kind(things, connection):
    assert get_object(connection, f"{THINGS}/thing-0001", Deadline(5))["metadata"]["uid"] == "uid-thing-0001"
    assert get_object(connection, f"{THINGS}/gone", Deadline(5)) is None
    with pytest.raises(KubeError) as caught:
        get_object(connection, "/apis/absent.org/v1/things/x", Deadline(5))
    assert caught.value.state == NOT_SERVED


def test_an_expired_deadline_sends_nothing(things, connection):
    result = read(connection, seconds=0)
    assert result.state == TIMED_OUT
    assert things.calls == []
