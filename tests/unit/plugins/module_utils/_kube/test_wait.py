# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: one list, one watch, woken by events, ended by the deadline whatever the server does."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import connect
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, NOT_SERVED, TIMED_OUT, KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube import faulty_api as faults

PODS = "/api/v1/namespaces/submariner-operator/pods"


@pytest.fixture
def pods(api):
    api.objects[PODS] = {}
    api.put(PODS, "gateway", phase="Pending")
    return api


def names(objects):
    return sorted(obj["metadata"]["name"] for obj in objects)


def phase(objects):
    return {obj["metadata"]["name"]: obj["phase"] for obj in objects}.get("gateway")


def running(objects):
    return phase(objects) == "Running" or f"gateway is {phase(objects)}"


def wait(connection, predicate=running, seconds=20.0, **keywords):
    return wait_for(connection, PODS, predicate, deadline=Deadline(seconds), what="the gateway pod to run", **keywords)


def later(api, *changes, after=("WATCH", 1)):
    """Make ``changes`` in order, from the moment that so many watches are open."""
    method, count = after

    def run():
        end = time.monotonic() + 15
        while len([call for call in api.calls if (call.query.get("watch") is not None) == (method == "WATCH")]) < count and time.monotonic() < end:
            time.sleep(0.005)
        for change in changes:
            change()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def watches(api):
    return [call for call in api.calls if call.query.get("watch")]


def lists(api):
    return [call for call in api.calls if not call.query.get("watch")]


def test_what_is_so_already_needs_no_event(pods, connection):
    pods.put(PODS, "gateway", phase="Running")
    assert names(wait(connection)) == ["gateway"]
    assert len(lists(pods)) == 1


def test_an_event_wakes_the_waiter_over_one_watch(pods, connection):
    later(
        pods,
        lambda: pods.put(PODS, "agent", phase="Running"),
        lambda: pods.put(PODS, "old", phase="Failed"),
        lambda: pods.remove(PODS, "old"),
        lambda: pods.put(PODS, "gateway", phase="Running"),
    )
    start = time.monotonic()
    assert names(wait(connection, label_selector="app=x", field_selector="spec.nodeName=n")) == ["agent", "gateway"]
    assert time.monotonic() - start < 3.0
    (listed,), (watched,) = lists(pods), watches(pods)
    assert watched.query["resourceVersion"] == "101" and watched.query["allowWatchBookmarks"] == "true"
    for call in (listed, watched):
        assert (call.query["labelSelector"], call.query["fieldSelector"]) == ("app=x", "spec.nodeName=n")


def test_the_predicate_sees_every_state_that_lasts_and_is_asked_once_for_each_wake(pods, connection):
    seen = []

    def watching(objects):
        seen.append(phase(objects))
        return running(objects)

    def change_after(state):
        def change():
            while seen[-1:] != [state]:
                time.sleep(0.002)
            pods.put(PODS, "gateway", phase={"Pending": "Creating", "Creating": "Running"}[state])

        return change

    later(pods, change_after("Pending"), change_after("Creating"))
    wait(connection, watching)
    assert seen == ["Pending", "Creating", "Running"]


def test_nothing_is_asked_while_nothing_happens(pods, connection):
    with pytest.raises(TimedOutError):
        wait(connection, seconds=0.9)
    assert 1 <= len(pods.calls) <= 2  # a list, and on a machine that is not too busy for it one watch, in the whole time


def test_the_deadline_says_what_was_awaited_and_last_seen(pods, connection):
    start = time.monotonic()
    with pytest.raises(TimedOutError) as caught:
        wait(connection, seconds=0.3)
    assert 0.3 <= time.monotonic() - start < 3.0
    assert caught.value.state == TIMED_OUT and caught.value.details == {"last_seen": "gateway is Pending"}
    for part in (pods.url, "0.3 s", "the gateway pod to run", PODS, "Last seen: gateway is Pending"):
        assert part in caught.value.message


def test_without_words_of_the_predicate_the_objects_are_named(pods, connection):
    with pytest.raises(TimedOutError, match=r"1 objects \(gateway\)"):
        wait(connection, lambda objects: False, seconds=0.2)


def test_a_watch_whose_version_is_too_old_begins_anew_with_a_list(pods, connection):
    def compacted(handler, call):
        pods.forget_history()
        handler.proceed(call)

    pods.inject("WATCH", PODS, compacted)
    later(pods, lambda: pods.put(PODS, "gateway", phase="Running"), after=("WATCH", 2))
    assert phase(wait(connection)) == "Running"
    assert len(lists(pods)) == 2 and len(watches(pods)) == 2


def test_410_as_the_status_of_a_watch_begins_anew_too(pods, connection):
    pods.inject("WATCH", PODS, faults.status(410, "Expired", "too old"))
    later(pods, lambda: pods.put(PODS, "gateway", phase="Running"), after=("WATCH", 2))
    assert phase(wait(connection)) == "Running"
    assert len(lists(pods)) == 2


@pytest.mark.parametrize(
    "fault",
    [
        faults.reset,
        faults.status(500, "InternalError", "no"),
        faults.status(429, "TooManyRequests", "slow", Retry_After="0"),
        faults.text(503, "service unavailable\n"),
        faults.login_page,
        faults.silence,
    ],
)
def test_a_watch_that_breaks_goes_on_from_where_it_was(pods, connection, fault):
    connection.patience = faults.IMPATIENT if fault is faults.silence else faults.QUICK
    pods.inject("WATCH", PODS, fault)
    later(pods, lambda: pods.put(PODS, "gateway", phase="Running"), after=("WATCH", 2))
    assert phase(wait(connection)) == "Running"
    assert len(lists(pods)) == 1
    assert [call.query["resourceVersion"] for call in watches(pods)] == ["101", "101"]


def test_a_watch_that_is_cut_in_an_event_does_not_lose_it(pods, connection):
    def half_an_event(handler, call):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        pods.put(PODS, "gateway", phase="Running")
        handler.chunk(b'{"type": "MODIFIED", "object": {"metadata": {"name": "gat')
        handler.reset()

    pods.inject("WATCH", PODS, half_an_event)
    assert phase(wait(connection)) == "Running"
    assert len(lists(pods)) == 1 and len(watches(pods)) == 2


def test_bookmarks_move_the_version_and_are_no_change(pods, connection):
    asked = []

    def bookmark(handler, call):
        pods.version = 500
        handler.stream(iter([{"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "500"}}}]))

    def predicate(objects):
        asked.append(len(objects))
        return running(objects)

    pods.inject("WATCH", PODS, bookmark)
    later(pods, lambda: pods.put(PODS, "gateway", phase="Running"), after=("WATCH", 2))
    wait(connection, predicate)
    assert [call.query["resourceVersion"] for call in watches(pods)] == ["101", "500"]
    assert asked == [1, 1]


def test_a_server_that_ends_every_watch_at_once_is_not_hammered(pods, connection):
    def ended(handler, call):
        handler.stream(iter(()))

    pods.inject("WATCH", PODS, *[ended] * 1000)
    with pytest.raises(TimedOutError):
        wait(connection, seconds=0.5)
    assert 2 < len(watches(pods)) < 40


@pytest.mark.parametrize("method, state", [("GET", FORBIDDEN), ("WATCH", FORBIDDEN)])
def test_what_may_not_be_read_is_said_at_once(pods, connection, method, state):
    pods.inject(method, PODS, faults.status(403, "Forbidden", f'pods is forbidden: User "u" cannot {method} resource'))
    with pytest.raises(KubeError) as caught:
        wait(connection)
    assert caught.value.state == state and f'cannot {method} resource' in caught.value.message and f"{method} {PODS}" in caught.value.message


def test_what_is_not_served_is_said_at_once(api, connection):
    with pytest.raises(KubeError) as caught:
        wait(connection)
    assert caught.value.state == NOT_SERVED


def test_a_server_that_is_away_for_a_while_is_waited_for(pods, connection):
    pods.inject("GET", PODS, *[faults.reset] * 9)
    pods.put(PODS, "gateway", phase="Running")
    assert phase(wait(connection)) == "Running"
    assert len(lists(pods)) == 10


def test_a_server_that_stays_away_ends_with_the_deadline_and_its_trouble(pods, connection):
    pods.inject("GET", PODS, *[faults.status(503, "ServiceUnavailable", "etcd is gone")] * 1000)
    with pytest.raises(TimedOutError) as caught:
        wait(connection, seconds=0.6)
    assert "could not be read" in caught.value.message and "etcd is gone" in caught.value.message


def test_a_watch_that_drips_does_not_outlive_the_deadline(pods, connection):
    pods.inject("WATCH", PODS, faults.drip)
    start = time.monotonic()
    with pytest.raises(TimedOutError):
        wait(connection, seconds=0.4)
    assert time.monotonic() - start < 3.0


def test_the_watch_is_hung_up_when_the_wait_is_over(pods, connection):
    earlier = set(threading.enumerate())
    later(pods, lambda: pods.put(PODS, "gateway", phase="Running"))
    wait(connection, seconds=60)
    for thread in [thread for thread in set(threading.enumerate()) - earlier if thread.name == "submariner-watch"]:
        thread.join(2)
        assert not thread.is_alive()


def test_an_error_of_the_predicate_reaches_its_author(pods, connection):
    with pytest.raises(ZeroDivisionError):
        wait(connection, lambda objects: 1 / 0)


def test_a_wrong_certificate_is_not_waited_out(tls_api, tmp_path):
    server, other_ca = tls_api.server, tls_api.other_ca
    server.objects[PODS] = {}
    stranger = connect({"host": server.url, "ca_cert": other_ca}, patience=faults.QUICK)
    start = time.monotonic()
    with pytest.raises(KubeError, match="certificate is not accepted"):
        wait(stranger, seconds=5)
    assert time.monotonic() - start < 3.0
