# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""DNS queries and answers as bytes (RFC 1035, RFC 6891). Opens no socket."""

from __future__ import annotations

import struct
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

PORT = 53
TYPES = {"A": 1, "AAAA": 28, "TXT": 16, "SRV": 33, "DNSKEY": 48, "ANY": 255}
PLAIN_MOST = 512  # bytes of an answer without EDNS (RFC 1035 section 4.2.1)
EDNS_SIZE = 4096
_HEAD = struct.Struct("!HHHHHH")
_RESPONSE, _RECURSION, _TRUNCATED = 0x8000, 0x0100, 0x0200
_CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


class Answer(t.NamedTuple):
    """:param same_question: the question came back as it was asked."""

    identifier: int
    code: str
    truncated: bool
    same_question: bool


def question(name: str, kind: str) -> bytes:
    """
    :raises InputError: the name or the type cannot be asked for.
    """
    if kind not in TYPES:
        raise InputError(f"{kind!r} is no type of DNS record that can be asked for here: {', '.join(TYPES)}.")
    labels = [label.encode("utf-8") for label in name.rstrip(".").split(".")]
    if not all(0 < len(label) < 64 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise InputError(f"{name!r} is no name that DNS can be asked for.")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0" + struct.pack("!HH", TYPES[kind], 1)


def query(identifier: int, asked: bytes, edns: bool) -> bytes:
    """A query that wants recursion.

    :param asked: of ``question``.
    :param edns: allow an answer of ``EDNS_SIZE`` bytes.
    """
    extra = b"\0" + struct.pack("!HHIH", 41, EDNS_SIZE, 0, 0) if edns else b""
    return _HEAD.pack(identifier, _RECURSION, 1, 0, 0, 1 if edns else 0) + asked + extra


def answer_of(data: bytes, asked: bytes) -> t.Optional[Answer]:
    """An answer to a query; None of what is none."""
    if len(data) < _HEAD.size:
        return None
    identifier, flags, _questions, _answers, _authorities, _additional = _HEAD.unpack_from(data)
    if not flags & _RESPONSE:
        return None
    back = data[_HEAD.size : _HEAD.size + len(asked)]
    # Servers of old answer a query that they could not read without its question.
    same = back.lower() == asked.lower() or len(data) == _HEAD.size
    return Answer(identifier, _CODES.get(flags & 15, f"code {flags & 15}"), bool(flags & _TRUNCATED), same)
