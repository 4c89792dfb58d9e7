# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading logs: bounded, without colours and secrets, and what it means that some could not be read."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, NOT_SERVED, OK, TIMED_OUT, UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import LogTarget
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import MOST_BYTES, clean, pod_log, read_logs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection

TARGET = LogTarget(Ref("Pod", "agent", "ns"), "main", False, "")
PATH = "/api/v1/namespaces/ns/pods/agent/log"


def other(name):
    return TARGET._replace(ref=Ref("Pod", name, "ns"))


def read(*targets, logs=None, failures=None):
    return read_logs(FakeConnection(failures=failures, logs=logs), targets, Deadline(10))


def failure(state):
    return KubeError(f"{state} as the test wants", state)


def test_short_log_is_read_once():
    connection = FakeConnection(logs={PATH: "one\ntwo\n"})
    found = read_logs(connection, [TARGET], Deadline(10))
    assert (found.state, found.items[0].lines, connection.asked) == (OK, ("one", "two"), [PATH])


def test_long_log_has_a_beginning_and_an_end():
    text = "".join(f"line {number:06}\n" for number in range(20_000))
    found = read(TARGET, logs={PATH: text}).items[0]
    assert found.lines[0] == "line 000000"
    assert found.lines[-1] == "line 019999"
    assert len(found.text) <= MOST_BYTES and len(found.tail) <= MOST_BYTES


def test_end_does_not_repeat_the_beginning():
    lines = [f"line {number}" for number in range(10)]
    found = pod_log(TARGET, "\n".join(lines[:6]) + "\nline", "\n".join(lines[3:]))
    assert found.lines == tuple(lines)


def test_cut_line_is_dropped():
    assert pod_log(TARGET, "whole\nhal", "far\naway").lines == ("whole", "far", "away")


def test_colours():
    assert clean("\x1b[90m2026-01-01\x1b[0m \x1b[32mINF\x1b[0m started") == "2026-01-01 INF started"


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0abc.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "https://user:hunter2@proxy:3128".removeprefix("https://").removesuffix("@proxy:3128"),
    ],
)
def test_secrets(secret):
    assert secret not in clean(f"before https://{secret}@proxy:3128 after" if "hunter2" in secret else f"before {secret} after")


def test_one_missing_log_is_no_failure():
    found = read(TARGET, other("gone"), logs={PATH: "one\n"})
    assert (found.state, len(found.items), found.partial) == (OK, 1, True)
    assert "1 of 2 logs" in found.detail


def test_forbidden_is_told():
    found = read(TARGET, other("secret"), logs={PATH: "one\n"}, failures={"/api/v1/namespaces/ns/pods/secret/log": failure(FORBIDDEN)})
    assert (found.state, len(found.items)) == (FORBIDDEN, 1)


@pytest.mark.parametrize(("state", "told"), [(UNAVAILABLE, UNAVAILABLE), (TIMED_OUT, TIMED_OUT), (NOT_SERVED, UNAVAILABLE)])
def test_none_could_be_read(state, told):
    assert read(TARGET, failures={PATH: failure(state)}).state == told


def test_nothing_to_read():
    assert (read().state, read().items) == (OK, ())
