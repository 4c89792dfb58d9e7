# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Messages to and from the kernel's ipset (include/uapi/linux/netfilter/ipset/ip_set.h) as bytes, and the netlink frame around them."""

from __future__ import annotations

import struct
import typing as t

SUBSYSTEM = 6  # NFNL_SUBSYS_IPSET
PROTOCOL, LIST, TYPE = 1, 7, 13  # IPSET_CMD_*
ATTR_PROTOCOL, ATTR_NAME, ATTR_TYPE, ATTR_REVISION, ATTR_FAMILY, ATTR_FLAGS, ATTR_LEAST = 1, 2, 3, 4, 5, 6, 10  # the last is PROTOCOL_MIN and REVISION_MIN
LIST_NAMES = 2  # IPSET_FLAG_LIST_SETNAME
OLDEST_PROTOCOL = 6  # kernels since 2.6.39 speak it, those since 4.20 also 7
_REQUEST, _ACK, _DUMP = 1, 4, 0x300
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_NET_ORDER = 0x4000  # NLA_F_NET_BYTEORDER
_TYPE_MASK = 0x3FFF

Attributes = t.Dict[int, bytes]


class KernelError(Exception):
    """The kernel refused: ``errno`` as of errno(3)."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


class Answer(t.NamedTuple):
    """:param done: whether this was all."""

    messages: tuple[Attributes, ...]
    done: bool


def request(command: int, sequence: int, attributes: t.Sequence[tuple[int, bytes]], family: int = 2) -> bytes:
    """One message.

    :param family: 2 for IPv4 (AF_INET).
    """
    body = struct.pack("=BBH", family, 0, 0) + b"".join(_attribute(number, value) for number, value in attributes)
    flags = _REQUEST | (_DUMP if command == LIST else _ACK)
    return _HEADER.pack(_HEADER.size + len(body), SUBSYSTEM << 8 | command, flags, sequence, 0) + body


def _attribute(number: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, number) + value + b"\0" * (-length % 4)


def byte(value: int) -> bytes:
    return bytes((value,))


def name(value: str) -> bytes:
    return value.encode("ascii") + b"\0"


def flags(value: int) -> bytes:
    return struct.pack(">I", value)


FLAGS_NUMBER = ATTR_FLAGS | _NET_ORDER


def answer(data: bytes, sequence: int) -> Answer:
    """Read what one call of recv(2) brought; messages of another sequence are passed over, a cut one ends it.

    :raises KernelError: the kernel refused.
    """
    found: list[Attributes] = []
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _flags, number, _port = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            break
        body = data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3
        if number != sequence:
            continue
        if kind == _ERROR:
            code = struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
            if code:
                raise KernelError(-code)
            return Answer(tuple(found), True)
        if kind == _DONE:
            return Answer(tuple(found), True)
        if kind >> 8 == SUBSYSTEM:
            found.append(attributes_of(body[4:]))
    return Answer(tuple(found), False)


def attributes_of(data: bytes) -> Attributes:
    found: Attributes = {}
    at = 0
    while at + 4 <= len(data):
        length, number = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            break
        found[number & _TYPE_MASK] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def first_byte(found: t.Mapping[int, bytes], number: int) -> int | None:
    value = found.get(number)
    return value[0] if value else None


def text(found: t.Mapping[int, bytes], number: int) -> str:
    return found.get(number, b"").split(b"\0", 1)[0].decode("utf-8", "replace")
