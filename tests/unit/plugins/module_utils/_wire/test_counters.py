# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _counters

SNMP = """Ip: Forwarding DefaultTTL
Ip: 1 64
Icmp: InMsgs InErrors InCsumErrors
Icmp: 9 1 2
Tcp: RtoAlgorithm MaxConn InCsumErrors
Tcp: 1 -1 3
Udp: InDatagrams InCsumErrors IgnoredMulti
Udp: 8 4 0
"""
SNMP6 = "Ip6InReceives                   \t7\nUdp6InCsumErrors                \t5\nIcmp6InCsumErrors               \t6\n"


def test_both_tables():
    assert _counters.parse(SNMP) == {"icmp": 2, "tcp": 3, "udp": 4}
    assert _counters.parse(SNMP6) == {"udp": 5, "icmp": 6}


def test_old_kernels_have_no_such_columns():
    assert _counters.parse("Udp: InDatagrams InErrors\nUdp: 5 0\n") == {}


@given(st.text())
def test_any_text_is_read(text):
    assert set(_counters.parse(text)) <= {"icmp", "tcp", "udp"}


def test_what_was_added():
    added = _counters.since({"udp": 1, "tcp": 2}, {"udp": 4, "tcp": 2, "icmp": 1})
    assert added == {"udp": 3, "icmp": 1} and _counters.told(added) == "1 icmp, 3 udp"


def test_this_host_has_them():
    assert all(value >= 0 for value in _counters.checksum_errors().values())


def test_what_cannot_be_read_adds_nothing(monkeypatch, tmp_path):
    (tmp_path / "snmp").write_text(SNMP)
    monkeypatch.setattr(_counters, "FILES", (str(tmp_path / "snmp"), str(tmp_path / "missing")))
    assert _counters.checksum_errors() == {"icmp": 2, "tcp": 3, "udp": 4}
