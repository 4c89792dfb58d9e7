# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import time

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets, _talk
from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import Responder, Terms, responder_line
from ansible_collections.fathom.submariner.plugins.module_utils._wire._tcp import Connection

ADDRESS = "127.0.0.2"


def ask(port, kind, **more):
    return Connection(4, "127.0.0.1", port, 5.0).ask(kind, **more)


def test_datagrams_are_answered_and_counted(responder):
    port = responder()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(30)
        for mark in (_packets.ECHO, _packets.RECEIPT):
            question = _packets.payload(mark, b"nonce678", 1, 200)
            asking.sendto(question, (ADDRESS, port))
            assert _packets.is_unchanged(question, asking.recv(2000))
    assert ask(port, _talk.HEARD, nonce=b"nonce678")["heard"] == 2
    assert ask(port, _talk.HEARD, nonce=b"another1")["heard"] == 0
    status = ask(port, _talk.STATUS)
    assert status["answered"] == {"tcp": 0, "udp": 2} and status["heard_from"] == {"127.0.0.1": {"tcp": 0, "udp": 2}}
    assert "2 udp answered, of 127.0.0.1 (0 tcp, 2 udp)" in responder_line(status)


def test_orders_come_from_the_own_host_alone(responder):
    port = responder()
    other = Connection(4, ADDRESS, port, 5.0)
    with socket.socket() as asking:
        asking.bind(("127.0.0.3", 0))
        asking.settimeout(30)
        asking.connect((ADDRESS, port))
        asking.sendall(_talk.head(_talk.STOP, bytes(8), 0))
        assert asking.recv(100) == b""
    assert other.echo(10).done


def test_strangers_are_not_answered(responder):
    port = responder(peers=("192.0.2.0/24", "2001:db8::/32"))
    with socket.socket() as asking:
        asking.bind(("127.0.0.3", 0))
        asking.settimeout(30)
        asking.connect((ADDRESS, port))
        try:
            assert asking.recv(10) == b""
        except ConnectionResetError:
            pass  # closed with our bytes unread
    assert ask(port, _talk.STATUS)["answered"] == {"tcp": 0, "udp": 0}


def test_a_lifetime_ends_and_can_begin_anew(responder):
    port = responder(lifetime=60.0)
    assert ask(port, _talk.RENEW, length=500)["left"] > 400
    renewed = []
    made = Responder(Terms((ADDRESS,), port + 1 if port < 65535 else port - 1, lifetime=0.0), renewed.append)
    made.serve()
    assert renewed == []


def test_it_says_what_it_was_before_it_ends(responder):
    """The process ends with the loop: an answer that comes later never leaves it."""
    port = responder()
    made = Responder(Terms((ADDRESS,), port + 1 if port < 65535 else port - 1, lifetime=60.0))
    ended = []

    class Asking:
        def sendall(self, data):
            ended.append(made._end < time.monotonic())

    made._answer(Asking(), _talk.Order(_talk.STOP, bytes(8), 0))
    assert ended == [False] and made._end <= time.monotonic()
    made.serve()


def test_nonsense_is_closed(responder):
    port = responder()
    with socket.create_connection((ADDRESS, port), 30) as asking:
        asking.sendall(bytes(_talk.HEAD))
        assert asking.recv(10) == b""


def test_errors_are_told():
    status = {"addresses": ["10.0.0.1"], "port": 1, "answered": {}, "heard_from": {}, "checksum_errors": {"udp": 2}}
    assert responder_line(status).endswith("2 udp dropped for wrong checksums")
