# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import socket

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets, _ways
from ansible_collections.fathom.submariner.plugins.module_utils._wire._packets import ExtendedError
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import ClosedPort, Datagrams, Icmp, NotPermitted, Udp, believed_mtu

NONCE = b"12345678"


@pytest.mark.parametrize(("refused", "expected"), [((), socket.SOCK_DGRAM), ((socket.SOCK_DGRAM,), socket.SOCK_RAW)])
def test_ping_sockets_come_first_and_raw_ones_second(monkeypatch, refused, expected):
    class Opened:
        def close(self):
            pass

    def opening(_family, kind, _protocol):
        if kind in refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        return Opened()

    monkeypatch.setattr(_ways.socket, "socket", opening)
    way = Icmp(4, "10.0.0.2")
    assert way._kind == expected
    # A raw socket also sees errors about others' packets.
    other = _packets.echo_request(4, way._identifier ^ 1, 1, b"")
    assert way.is_ours(other) == (expected == socket.SOCK_DGRAM) and way.is_ours(way.message(NONCE, 1, 40))


def test_where_neither_is_allowed_it_says_what_would_help(monkeypatch):
    def refused(_family, _kind, _protocol):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(_ways.socket, "socket", refused)
    with pytest.raises(NotPermitted) as raised:
        Icmp(6, "fd00::2")
    assert "ping socket: Permission denied, raw socket: Permission denied" in raised.value.why and "net.ipv4.ping_group_range" in raised.value.why


def test_answers_are_told_from_strangers():
    way = Udp(4, "127.0.0.1", 9)
    sent = {0: way.message(NONCE, 0, 100)}
    answer = _packets.answer_to(sent[0])
    assert way.matched(NONCE, sent, answer) == (0, False)
    assert way.matched(NONCE, sent, answer[:-1] + b"\0") == (0, True)
    assert way.matched(b"87654321", sent, answer) is None and way.matched(NONCE, {}, answer) is None and way.matched(NONCE, sent, b"noise") is None


def test_a_closed_port_takes_the_targets_own_word_alone():
    way = ClosedPort(6, "fd00:0::2")
    said = ExtendedError(111, 3, 1, 4, 0, "fd00::2")
    assert way.is_arrival(said) and not way.is_arrival(said._replace(offender="fd00::1")) and not way.is_arrival(said._replace(code=1))
    assert way.matched(NONCE, {0: b""}, b"") is None and way.gap > 1 and not way.echoes


def test_sockets_are_told_apart_by_what_they_set():
    with Udp(4, "127.0.0.1", 9).open() as probing, Datagrams(4, "127.0.0.1", 9).open() as plain:
        assert probing.getsockopt(0, 10) == 3 and plain.getsockopt(0, 10) != 3
        assert probing.getsockopt(0, 11) == plain.getsockopt(0, 11) == 1


def test_the_loopback_is_believed_to_be_wide():
    assert believed_mtu(4, "127.0.0.1") >= 16384
    assert believed_mtu(4, "255.255.255.255") is None
