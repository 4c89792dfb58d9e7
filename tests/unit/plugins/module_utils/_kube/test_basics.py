# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deadline, the pauses, and the words of single answers."""

from __future__ import annotations

import ast
import json
import threading
import time
from pathlib import Path

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils import _deps
from ansible_collections.fathom.submariner.plugins.module_utils._kube import _answers, _errors, _identity
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Patience
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline, DeadlineExpired, call_within
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._kube._transport import Reply
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _model

ROOT = Path(__file__).parents[5]


def reply(status=200, body=b"", **headers):
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, len(body))


# Deadlines.


def test_a_deadline_runs_out():
    deadline = Deadline(0.05)
    assert 0 < deadline.left() <= 0.05 and not deadline.expired and deadline.seconds == 0.05
    time.sleep(0.06)
    assert deadline.left() == 0 and deadline.expired


def test_a_call_within_its_deadline_returns_or_raises_as_itself():
    assert call_within(Deadline(5), lambda: 7) == 7
    with pytest.raises(TimeoutError):  # its own, not ours
        call_within(Deadline(5), lambda: (_ for _ in ()).throw(TimeoutError()))


def test_a_call_that_takes_too_long_is_left_behind():
    release = threading.Event()
    start = time.monotonic()
    with pytest.raises(DeadlineExpired):
        call_within(Deadline(0.05), lambda: release.wait(5))
    release.set()
    assert time.monotonic() - start < 1


def test_after_the_deadline_a_call_is_not_begun():
    called = []
    with pytest.raises(DeadlineExpired):
        call_within(Deadline(0), lambda: called.append(1))
    assert called == []


# Pauses.


def test_pauses_double_up_to_their_longest_and_jitter():
    patience = Patience(first_pause=1.0, longest_pause=8.0)
    for attempt, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (10000, 8.0)):
        pauses = [patience.pause(attempt) for dummy in range(50)]
        assert longest / 2 <= min(pauses) and max(pauses) <= longest and len(set(pauses)) > 1


@pytest.mark.parametrize("asked, shortest", [(5.0, 5.0), (60.0, 30.0), (0.0, 0.1)])
def test_the_server_is_given_the_time_that_it_asks_for_up_to_a_cap(asked, shortest):
    pauses = [Patience().pause(1, asked) for dummy in range(50)]
    assert shortest <= min(pauses) and max(pauses) <= max(shortest, 0.2) + 0.2


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({}, None),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "Sat, 21 Nov 2026 12:00:30 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 30.0),  # by the server's clock, not ours
        ({"Retry_After": "Sat, 21 Nov 2026 11:00:00 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 0.0),
        ({"Retry_After": "Sat, 21 Nov 2026 12:00:30 GMT"}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert _answers.retry_after(reply(429, **headers)) == seconds


# Answers.


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'{"a": 1}', b"\xff\xfe", b"[" * 100000, b""])
def test_what_is_no_object_is_broken(body):
    with pytest.raises(_answers.BrokenBody):
        _answers.parse_object(reply(200, body))


def test_the_version_endpoint_has_no_kind():
    assert _answers.parse_object(reply(200, b'{"major": "1", "gitVersion": "v1.27.9+rke2r1"}'))["gitVersion"] == "v1.27.9+rke2r1"


def test_a_404_without_an_object_in_it_is_about_the_kind():
    of_object = b'{"kind": "Status", "reason": "NotFound", "message": "nodes \\"x\\" not found", "details": {"name": "x"}}'
    of_kind = b'{"kind": "Status", "reason": "NotFound", "message": "the server could not find the requested resource", "details": {}}'
    assert isinstance(_answers.error_of("L", "GET", "/p", reply(404, of_object)), _errors.NotFoundError)
    for body in (of_kind, b"404 page not found"):
        error = _answers.error_of("L", "GET", "/p", reply(404, body))
        assert error.state == _errors.NOT_SERVED and not isinstance(error, _errors.NotFoundError)


def test_a_long_answer_is_quoted_in_part():
    assert len(_answers.error_of("L", "GET", "/p", reply(500, b"x" * 1000000)).message) < 1500


@pytest.mark.parametrize(
    "message, shown",
    [
        (r'"" is invalid: patch: Invalid value: "{\"spec\":{\"ceIPSecPSK\":\"s3cr3t\"}}": strict decoding error: unknown field "x"',
         '"" is invalid: patch: Invalid value: strict decoding error: unknown field "x"'),
        ('spec: Invalid value: map[string]interface {}{"token":"s3cr3t"}: must be object', "spec: Invalid value: must be object"),
        ('spec.token: Invalid value: "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t": too long', "spec.token: Invalid value: too long"),
        ('spec.cidr: Invalid value: "10.46.0.0/16": field is immutable', 'spec.cidr: Invalid value: "10.46.0.0/16": field is immutable'),
        ("two\n  lines", "two lines"),
    ],
)
def test_what_the_server_quotes_of_an_object_is_not_shown(message, shown):
    body = json.dumps({"kind": "Status", "reason": "Invalid", "message": message}).encode()
    error = _answers.error_of("L", "PATCH", "/p", reply(422, body))
    assert error.api_message == shown and "s3cr3t" not in error.message and isinstance(error, _errors.InvalidError)


@pytest.mark.parametrize(
    "status, message, advice",
    [
        (403, 'nodes is forbidden: User "system:anonymous" cannot list resource "nodes"', "No credentials were sent"),
        (403, 'nodes is forbidden: User "jane" cannot list resource "nodes"', "Grant this"),
        (400, "Client sent an HTTP request to an HTTPS server.", "https://"),
        (400, "unable to parse requirement", "does not understand"),
        (401, "Unauthorized", "renew"),
    ],
)
def test_the_advice_fits_the_answer(status, message, advice):
    body = json.dumps({"kind": "Status", "message": message, "reason": "Forbidden"}).encode()
    assert advice in _answers.error_of("L", "GET", "/p", reply(status, body)).message


# What must agree with what.


def test_the_states_are_the_snapshots():
    for name in ("OK", "FORBIDDEN", "NOT_SERVED", "UNAVAILABLE", "TIMED_OUT"):
        assert getattr(_errors, name) == getattr(_model, name)


def test_the_version_is_the_collections():
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"] == _identity.VERSION


def documented(fragment):
    tree = ast.parse((ROOT / "plugins" / "doc_fragments" / f"{fragment}.py").read_text(encoding="utf-8"))
    texts = {node.targets[0].id: node.value.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)}
    return {name: yaml.safe_load(text) for name, text in texts.items()}


def test_every_connection_option_is_documented_as_it_is():
    options = documented("_auth")["DOCUMENTATION"]["options"]
    assert set(options) == set(AUTH_ARGUMENT_SPEC)
    for name, spec in AUTH_ARGUMENT_SPEC.items():
        assert options[name]["type"] == spec["type"] and options[name].get("aliases", []) == spec.get("aliases", []), name
        assert "K8S_AUTH_" in str(options[name]), name
    assert set(options["proxy_headers"]["suboptions"]) == set(AUTH_ARGUMENT_SPEC["proxy_headers"]["options"])
    assert f"kubernetes >= {_deps.MINIMUM_KUBERNETES}" in documented("_auth")["DOCUMENTATION"]["requirements"]


def test_the_attribute_fragments_are_whole():
    fragments = documented("_attributes")
    assert set(fragments["DOCUMENTATION"]["attributes"]) == set(fragments["INFO_MODULE"]["attributes"]) == {"check_mode", "diff_mode", "idempotent"}
    assert fragments["ACTIONGROUP"]["attributes"]["action_group"]["membership"] == ["fathom.submariner.submariner"]
