# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import hashlib
import socket
import threading

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _talk
from ansible_collections.fathom.submariner.plugins.module_utils._wire._tcp import Connection, reserve

ADDRESS = "127.0.0.2"


@pytest.mark.parametrize("length", [1, 64, 16384])
def test_an_echo(responder, length):
    outcome = Connection(4, ADDRESS, responder(), 30.0).echo(length)
    assert outcome.done and outcome.connected and not outcome.corrupt and outcome.direction == ""
    assert outcome.cost.packets >= 4 and outcome.cost.bytes > length and outcome.cost.segment > 0
    assert outcome.milliseconds > 0


def test_a_throughput_keeps_to_its_bound(responder):
    outcome, rate = Connection(4, ADDRESS, responder(), 30.0).throughput(30.0, 300000)
    assert outcome.done and (rate is None or rate > 0)
    assert 300000 < outcome.cost.bytes < 330000


def played(answer):
    """A server that answers one connection with something after it has read the head."""
    server = socket.create_server((ADDRESS, 0))

    def serve():
        accepted = server.accept()[0]
        with accepted, server, contextlib.suppress(OSError):  # the client may be gone already
            accepted.settimeout(30)
            accepted.recv(1 << 16)
            if answer is not None:
                accepted.sendall(answer)
                accepted.shutdown(socket.SHUT_WR)
            accepted.recv(1 << 16)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b" " * 40, {"stranger": True, "done": False}),
        (_talk.RECEIVED + bytes(32) + b"x" * 8, {"corrupt": True, "direction": "there"}),
        (None, {"silent": True, "direction": "there", "done": False}),
        (b"", {"done": False, "said": "the other side ended the connection"}),
    ],
)
def test_other_answers(answer, expected):
    outcome = Connection(4, ADDRESS, played(answer), 0.3).echo(8)
    assert {name: getattr(outcome, name) for name in expected} == expected and outcome.connected


def test_contents_changed_on_the_way_back(monkeypatch):
    monkeypatch.setattr(_talk, "filler", lambda nonce, length: b"expected")
    outcome = Connection(4, ADDRESS, played(_talk.RECEIVED + hashlib.sha256(b"expected").digest() + b"otherwise"[:8]), 5.0).echo(8)
    assert outcome.done and outcome.corrupt and outcome.direction == "back"


def test_nobody_there():
    with socket.socket() as unused:
        unused.bind((ADDRESS, 0))
        outcome = Connection(4, ADDRESS, unused.getsockname()[1], 5.0).echo(1)
        assert not outcome.connected and "nobody listens" in outcome.said
        assert Connection(4, ADDRESS, unused.getsockname()[1], 5.0).ask(_talk.STATUS) is None


def test_more_is_reserved_than_segments_are_needed():
    assert reserve(16384) > 2 * 16384 / 1448
