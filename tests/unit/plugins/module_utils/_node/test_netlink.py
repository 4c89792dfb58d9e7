# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the kernel's ipset as bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _netlink as netlink


def message(kind, sequence, body):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, sequence, 0) + body + b"\0" * (-len(body) % 4)


def attribute(number, value):
    return struct.pack("=HH", 4 + len(value), number) + value + b"\0" * (-len(value) % 4)


def ours(sequence, *attributes):
    return message(netlink.SUBSYSTEM << 8 | netlink.TYPE, sequence, b"\2\0\0\0" + b"".join(attributes))


def test_the_bytes_of_a_question():
    found = netlink.request(netlink.TYPE, 7, [(1, netlink.byte(7)), (3, netlink.name("hash:ip")), (5, netlink.byte(2))])
    assert found == (
        struct.pack("=IHHII", 48, 0x060D, 5, 7, 0)
        + b"\x02\0\0\0"
        + struct.pack("=HH", 5, 1) + b"\7\0\0\0"
        + struct.pack("=HH", 12, 3) + b"hash:ip\0"
        + struct.pack("=HH", 5, 5) + b"\2\0\0\0"
    )  # fmt: skip
    assert struct.unpack_from("=H", netlink.request(netlink.LIST, 1, []), 6)[0] == 0x301  # a dump


def test_answers_until_the_last():
    two = ours(3, attribute(3, b"hash:ip\0"), attribute(4, b"\6"), attribute(10 | 0x4000, b"\0"))
    found = netlink.answer(two + ours(9, attribute(4, b"\1")), 3)
    assert not found.done and len(found.messages) == 1
    (only,) = found.messages
    assert netlink.text(only, 3) == "hash:ip" and netlink.first_byte(only, 4) == 6 and netlink.first_byte(only, 10) == 0
    assert netlink.first_byte(only, 99) is None and netlink.text(only, 99) == ""
    assert netlink.answer(two + message(3, 3, b"\0\0\0\0"), 3).done
    assert netlink.answer(message(2, 3, struct.pack("=i", 0)), 3) == netlink.Answer((), True)


def test_a_refusal():
    with pytest.raises(netlink.KernelError) as raised:
        netlink.answer(message(2, 3, struct.pack("=i", -1) + bytes(16)), 3)
    assert raised.value.errno == 1


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=40), max_size=6))
def test_attributes_come_back(wanted):
    assert netlink.attributes_of(b"".join(attribute(number, value) for number, value in wanted.items())) == wanted
    asked = netlink.request(netlink.TYPE, 5, list(wanted.items()))
    assert netlink.answer(asked, 5).messages == (wanted,)


@given(st.binary(max_size=200), st.integers(0, 3))
def test_no_bytes_make_it_fail(data, sequence):
    try:
        netlink.answer(data, sequence)
    except netlink.KernelError as error:
        assert error.errno
