# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One TCP exchange with a responder, and what the kernel says it cost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
import struct
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _talk
from ansible_collections.fathom.submariner.plugins.module_utils._wire._packets import IP_HEADER
from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import received
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import FAMILY, socket_address

THERE = "there"
BACK = "back"
LEAST_SEGMENT = 536  # bytes (RFC 9293 section 3.7.1)
_TCP_INFO = 11
_HEADER, _TIMESTAMPS, _SYN_OPTIONS = 20, 12, 20
_CHUNK = 1 << 16


class Cost(t.NamedTuple):
    """:param packets: segments that left this host, repetitions included.
    :param segment: bytes of payload in the largest segment; 0 when it is unknown.
    """

    packets: int = 0
    bytes: int = 0
    segment: int = 0


class TcpOutcome(t.NamedTuple):
    """
    :param done: the whole exchange happened.
    :param silent: nothing came any more; else ``said`` tells who refused.
    :param direction: ``there`` or ``back`` where it can be told in which an exchange stalled.
    """

    done: bool = False
    connected: bool = False
    silent: bool = False
    stranger: bool = False
    direction: str = ""
    corrupt: bool = False
    said: str = ""
    milliseconds: t.Optional[float] = None
    cost: Cost = Cost()


def reserve(length: int) -> int:
    """Packets that an exchange of so many bytes may send: handshake, data, acknowledgements of as much, and some repetitions."""
    return 12 + 2 * (length // LEAST_SEGMENT + 1)


def cost_of(opened: socket.socket, family: int) -> Cost:
    """What a connection sent so far, of the kernel's struct tcp_info (linux/tcp.h); kernels before 4.19 tell no bytes and count as nothing."""
    try:
        info = opened.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 256)
    except OSError:
        return Cost()
    if len(info) < 208:
        return Cost()
    segment = struct.unpack_from("=I", info, 16)[0]
    segments = struct.unpack_from("=I", info, 136)[0]
    size = struct.unpack_from("=Q", info, 200)[0]
    header = IP_HEADER[family] + _HEADER + (_TIMESTAMPS if info[5] & 1 else 0)
    opening = _SYN_OPTIONS - (_TIMESTAMPS if info[5] & 1 else 0) if segments else 0
    return Cost(segments, size + segments * header + opening, segment)


class Connection:
    """
    :param patience: seconds for connecting, and again for every silence afterwards.
    """

    def __init__(self, family: int, address: str, port: int, patience: float) -> None:
        self._family = family
        self._to = socket_address(address, port)
        self._patience = patience

    def echo(self, length: int) -> TcpOutcome:
        """Sends so many bytes and has them sent back."""
        return self._with_socket(lambda opened: self._echo(opened, length))

    def throughput(self, seconds: float, most: int) -> t.Tuple[TcpOutcome, t.Optional[float]]:
        """Sends for so long, but no more than so many bytes; the outcome and megabits (10^6) per second as the other side saw them."""
        figures: t.List[float] = []
        outcome = self._with_socket(lambda opened: self._pour(opened, seconds, most, figures))
        return outcome, figures[0] if figures else None

    def ask(self, kind: bytes, nonce: bytes = bytes(8), length: int = 0) -> t.Optional[t.Dict[str, t.Any]]:
        """What a responder tells; None when there is none, or it does not tell."""
        try:
            with socket.socket(self._to_family, socket.SOCK_STREAM) as opened:
                opened.settimeout(self._patience)
                opened.connect(self._to)
                opened.sendall(_talk.head(kind, nonce, length))
                if received(opened, len(_talk.RECEIVED)) != _talk.RECEIVED:
                    return None
                told = json.loads(received(opened, _talk.length_of(received(opened, _talk.LENGTH))))
        except (OSError, ValueError, struct.error):
            return None
        return told if isinstance(told, dict) else None

    @property
    def _to_family(self) -> int:
        return FAMILY[self._family]

    def _with_socket(self, talk: t.Callable[[socket.socket], TcpOutcome]) -> TcpOutcome:
        with socket.socket(self._to_family, socket.SOCK_STREAM) as opened:
            opened.settimeout(self._patience)
            try:
                opened.connect(self._to)
            except OSError as error:
                return _broken(error, TcpOutcome()._replace(cost=cost_of(opened, self._family)))
            outcome = talk(opened)
            try:
                if outcome.done:
                    # The responder closes first. With that acknowledged, our own end is the last packet, and the kernel has counted it.
                    opened.recv(1)
                opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was broken before
            return outcome._replace(cost=cost_of(opened, self._family))

    def _echo(self, opened: socket.socket, length: int) -> TcpOutcome:
        nonce = os.urandom(8)
        data = _talk.filler(nonce, length)
        at = TcpOutcome(connected=True, direction=THERE)
        begun = time.monotonic()
        try:
            opened.sendall(_talk.head(_talk.ECHO, nonce, length) + data)
            receipt = received(opened, len(_talk.RECEIVED) + _talk.DIGEST)
            if receipt[: len(_talk.RECEIVED)] != _talk.RECEIVED:
                return at._replace(stranger=bool(receipt), silent=False, said="" if receipt else "the other side ended the connection")
            corrupt = receipt[len(_talk.RECEIVED) :] != hashlib.sha256(data).digest()
            at = at._replace(direction=BACK, corrupt=corrupt)
            back = received(opened, length)
        except OSError as error:
            return _broken(error, at)
        done = len(back) == length
        taken = (time.monotonic() - begun) * 1000
        # Where the contents were changed is told by the receipt; a whole exchange has no direction in which it failed.
        direction = THERE if corrupt else BACK if back != data else ""
        return at._replace(
            done=done, direction=direction, corrupt=corrupt or (done and back != data), milliseconds=taken, said="" if done else "the other side ended early"
        )

    def _pour(self, opened: socket.socket, seconds: float, most: int, figures: t.List[float]) -> TcpOutcome:
        nonce = os.urandom(8)
        most = min(most, _talk.MOST_SINK)
        chunk = _talk.filler(nonce, _CHUNK)
        at = TcpOutcome(connected=True, direction=THERE)
        try:
            opened.sendall(_talk.head(_talk.SINK, nonce, most))
            end, sent = time.monotonic() + seconds, 0
            while sent < most and time.monotonic() < end:
                sent += opened.send(chunk[: most - sent])
            opened.shutdown(socket.SHUT_WR)
            answer = received(opened, len(_talk.RECEIVED) + _talk.COUNTED)
        except OSError as error:
            return _broken(error, at)
        if len(answer) != len(_talk.RECEIVED) + _talk.COUNTED:
            return at._replace(said="the other side ended early")
        count, microseconds = _talk.counts_of(answer[len(_talk.RECEIVED) :])
        if microseconds:
            figures.append(count * 8 / microseconds)
        return at._replace(done=True, direction="")


def _broken(error: OSError, at: TcpOutcome) -> TcpOutcome:
    if isinstance(error, socket.timeout) or error.errno == errno.ETIMEDOUT:
        return at._replace(silent=True)
    if error.errno == errno.ECONNREFUSED:
        return at._replace(said="nobody listens there, or a firewall resets it", direction="")
    return at._replace(said=str(error.strerror or error), direction="")
