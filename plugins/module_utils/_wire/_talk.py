# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a responder and those who probe it say to each other over TCP, as bytes. Opens no socket.

A connection carries one order: a head, what belongs to it, the responder's answer; then the responder closes.

- ``ECHO``: ``length`` bytes follow. The responder answers ``RECEIVED`` and their SHA-256 as soon as it has all, and then the bytes. So a stall before the
  receipt is one of the way there, and a stall after it one of the way back.
- ``SINK``: up to ``length`` bytes follow, until the sender closes its half. The answer is ``RECEIVED``, how many came, and in how many microseconds.
- ``HEARD``: the answer is ``RECEIVED``, how many bytes of JSON follow, and these: how many datagrams came with the nonce, and this host's checksum errors.
- ``STATUS``, ``RENEW`` (``length`` is the new lifetime in seconds) and ``STOP`` are heard from the responder's own host only. The answer is JSON as above.
"""

from __future__ import annotations

import json
import struct
import typing as t

PORT = 28470  # below Kubernetes' NodePorts and Linux' ephemeral ports, and nobody's by IANA's list
ORDER = b"fsmt"
RECEIVED = b"fsmT"
ECHO, SINK, HEARD, STATUS, RENEW, STOP = b"e", b"s", b"h", b"?", b"r", b"x"
LOCAL = (STATUS, RENEW, STOP)
DIGEST = 32
MOST_ECHO = 1 << 20  # bytes
MOST_SINK = 1 << 30
MOST_LIFETIME = 24 * 3600  # seconds
_HEAD = struct.Struct("!4sc8sQ")
HEAD = _HEAD.size
_COUNTED = struct.Struct("!QQ")
COUNTED = _COUNTED.size
_LENGTH = struct.Struct("!I")
LENGTH = _LENGTH.size
MOST_JSON = 1 << 16


class Order(t.NamedTuple):
    kind: bytes
    nonce: bytes
    length: int


def head(kind: bytes, nonce: bytes, length: int) -> bytes:
    return _HEAD.pack(ORDER, kind, nonce, length)


def order_of(data: bytes) -> t.Optional[Order]:
    """The order of a head; None when it is none of ours, or asks for more than a responder gives."""
    if len(data) != HEAD:
        return None
    mark, kind, nonce, length = _HEAD.unpack(data)
    most = {ECHO: MOST_ECHO, SINK: MOST_SINK, HEARD: 0, STATUS: 0, STOP: 0, RENEW: MOST_LIFETIME}.get(kind, -1)
    return Order(kind, nonce, length) if mark == ORDER and length <= most else None


def counted(length: int, microseconds: int) -> bytes:
    return RECEIVED + _COUNTED.pack(length, microseconds)


def counts_of(data: bytes) -> t.Tuple[int, int]:
    """Bytes and microseconds, of what follows ``RECEIVED``."""
    length, microseconds = _COUNTED.unpack(data)
    return length, microseconds


def told(document: t.Mapping[str, t.Any]) -> bytes:
    text = json.dumps(document).encode()
    return RECEIVED + _LENGTH.pack(len(text)) + text


def length_of(data: bytes) -> int:
    """How many bytes of JSON follow."""
    return min(_LENGTH.unpack(data)[0], MOST_JSON)


def filler(nonce: bytes, length: int) -> bytes:
    """Contents of an exchange: every 8 bytes tell where they belong, so that a part that is lost or repeated shows."""
    whole = b"".join(nonce[:4] + struct.pack("!I", number) for number in range(length // 8 + 1))
    return whole[:length]
