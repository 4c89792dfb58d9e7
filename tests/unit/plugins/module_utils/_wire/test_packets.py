# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets
from ansible_collections.fathom.submariner.plugins.module_utils._wire._packets import ExtendedError

NONCE = b"12345678"


def errors(errno, origin, kind, code, info, address=b""):
    return struct.pack("=IBBBBII", errno, origin, kind, code, 0, info, 0) + address


@given(mark=st.sampled_from([_packets.PLAIN, _packets.RECEIPT, _packets.ECHO]), sequence=st.integers(0, 2**32 - 1), length=st.integers(16, 2000))
def test_a_payload_is_known_again_and_has_its_length(mark, sequence, length):
    made = _packets.payload(mark, NONCE, sequence, length)
    assert len(made) == length
    assert _packets.sequence_of(mark, NONCE, made) == sequence == _packets.sequence_of(mark, NONCE, made[:16])
    assert _packets.sequence_of(mark, b"87654321", made) is None and _packets.sequence_of(mark, NONCE, made[:15]) is None


@given(mark=st.sampled_from([_packets.RECEIPT, _packets.ECHO]), length=st.integers(16, 1500), at=st.integers(0, 1499), change=st.integers(1, 255))
def test_an_answer_shows_any_change_of_the_contents(mark, length, at, change):
    sent = _packets.payload(mark, NONCE, 1, length)
    assert _packets.is_unchanged(sent, _packets.answer_to(sent))
    at = at % length
    changed = sent[:at] + bytes((sent[at] ^ change,)) + sent[at + 1 :]
    # A receipt is cut to the length of what it answers: of datagrams too small for a digest it shows changes of the stamp alone, or by chance.
    if mark == _packets.ECHO or length >= 48:
        assert not _packets.is_unchanged(sent, _packets.answer_to(changed) or b"")


@given(st.binary(max_size=200))
def test_a_responder_never_answers_more_than_it_got_and_never_an_answer(data):
    for question in (data, _packets.RECEIPT + data, _packets.ECHO + data):
        answer = _packets.answer_to(question)
        assert answer is None or (len(answer) <= len(question) and _packets.answer_to(answer) is None)
    assert _packets.answer_to(_packets.PLAIN + data) is None


@given(st.binary(max_size=300))
def test_the_checksum_of_a_packet_with_its_checksum_is_zero(data):
    request = _packets.echo_request(4, 7, 9, data)
    assert _packets.checksum(request) == 0 and request[0] == 8


def test_the_checksum_of_the_rfc():
    """RFC 1071, section 3: the sum of these bytes is ddf2."""
    assert _packets.checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF


@pytest.mark.parametrize(
    ("family", "packet", "with_header", "payload"),
    [
        (4, b"\0\0ccii12data", False, b"data"),
        (4, b"\x45" + bytes(19) + b"\0\0ccii12data", True, b"data"),
        (4, b"\x46" + bytes(23) + b"\0\0ccii12data", True, b"data"),
        (6, b"\x81\0ccii12data", True, b"data"),
        (4, b"\x08\0ccii12data", False, None),
        (4, b"", True, None),
        (6, b"\x81\0", False, None),
    ],
)
def test_echo_replies(family, packet, with_header, payload):
    assert _packets.echo_reply(family, packet, with_header) == payload


def test_a_quoted_request_tells_its_identifier():
    assert _packets.quoted_identifier(4, _packets.echo_request(4, 0x1234, 1, b"x" * 40)[:8]) == 0x1234
    assert _packets.quoted_identifier(6, _packets.echo_request(6, 0x1234, 1, b"")) == 0x1234
    assert _packets.quoted_identifier(4, b"\x08\0") is None and _packets.quoted_identifier(4, bytes(8)) is None


@pytest.mark.parametrize(
    ("data", "expected", "words"),
    [
        (errors(90, 2, 3, 4, 1400, bytes.fromhex("02000000c0000201") + bytes(8)), ExtendedError(90, 2, 3, 4, 1400, "192.0.2.1"), "fragmentation needed"),
        (
            errors(90, 3, 2, 0, 1280, bytes.fromhex("0a00000000000000fd09000000000000000000000000000200000000")),
            ExtendedError(90, 3, 2, 0, 1280, "fd09::2"),
            "packet too big",
        ),
        (errors(90, 1, 0, 0, 1500, bytes(16)), ExtendedError(90, 1, 0, 0, 1500, ""), "ICMP type 0 code 0"),
        (errors(113, 2, 3, 13, 0), ExtendedError(113, 2, 3, 13, 0, ""), "communication administratively prohibited"),
        (errors(113, 3, 4, 7, 0), ExtendedError(113, 3, 4, 7, 0, ""), "ICMPv6 type 4 code 7"),
    ],
)
def test_extended_errors(data, expected, words):
    assert _packets.extended_error(data) == expected
    assert _packets.meaning(expected) == words
    assert _packets.is_too_big(expected) == (expected.errno == 90 and expected.origin != 1)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_extended_error_or_none(data):
    found = _packets.extended_error(data)
    assert (found is None) == (len(data) < 16)


def test_port_unreachable_of_both_families():
    assert _packets.is_port_unreachable(ExtendedError(111, 2, 3, 3, 0, "")) and _packets.is_port_unreachable(ExtendedError(111, 3, 1, 4, 0, ""))
    assert not _packets.is_port_unreachable(ExtendedError(111, 2, 3, 1, 0, ""))


@pytest.mark.parametrize(("family", "size", "length"), [(4, 1500, 1472), (6, 1500, 1452)])
def test_the_size_counts_all_headers(family, size, length):
    assert _packets.payload_length(family, size) == length
