# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc/net/{tcp,udp}[6] to listeners."""

from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_sockets as parse
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Listener

UDP = """   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 3518: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 3467167 2 00000000fd803836 0
 3529: 0100000A:12C0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 3467173 2 00000000fb8e3c04 0
 3530: 0100007F:1194 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 3467174 2 00000000fb8e3c04 0
"""
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:00B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20 1 0000000000000000 100 0 0 10 0
   1: 0100007F:A000 0100007F:00B3 01 00000000:00000000 00:00000000 00000000     0        0 21 1 0000000000000000 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 1 0000000000000000 100 0 0 10 0
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 23
   1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 24
"""


def test_what_listens():
    assert parse.listeners(UDP, "udp", "little") == (Listener("udp", "0.0.0.0", 4789), Listener("udp", "10.0.0.1", 4800))
    assert parse.listeners(TCP, "tcp", "little") == (Listener("tcp", "0.0.0.0", 179), Listener("tcp", "0.0.0.0", 22))
    mapped = str(ipaddress.ip_address("::ffff:127.0.0.1"))  # which Python versions write differently
    assert parse.listeners(TCP6, "tcp", "little") == (Listener("tcp", "::", 0x1538), Listener("tcp", mapped, 8080))


def test_those_that_matter():
    found = (Listener("tcp", "0.0.0.0", 22), Listener("udp", "0.0.0.0", 4800), Listener("udp", "0.0.0.0", 4800), Listener("tcp", "0.0.0.0", 4800))
    assert parse.that_matter(found) == (Listener("udp", "0.0.0.0", 4800),)
    assert parse.that_matter(found, [22]) == (Listener("tcp", "0.0.0.0", 22), Listener("udp", "0.0.0.0", 4800))


@given(st.ip_addresses(), st.sampled_from(["little", "big"]), st.integers(0, 65535))
def test_addresses_of_either_byte_order(address, order, port):
    words = struct.unpack(f"{'<' if order == 'little' else '>'}{len(address.packed) // 4}I", address.packed)
    written = "".join(f"{word:08X}" for word in words)
    other = "0" * len(written)
    row = f"  77: {written}:{port:04X} {other}:0000 07 00000000:00000000 00:00000000 00000000 0 0 1\n"
    assert parse.listeners(row, "udp", order) == (Listener("udp", str(address), port),)


@given(st.text(alphabet=st.sampled_from("0123456789ABCDEF: \n")))
def test_nothing_makes_it_fail(text):
    assert all(0 <= each.port <= 65535 for each in parse.listeners(text, "tcp"))
