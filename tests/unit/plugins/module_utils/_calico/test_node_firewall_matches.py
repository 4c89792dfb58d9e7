# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a flow a rule's text matches, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall_matches import ALL, NONE, SOME, Packets, matched, names_port

VXLAN = Packets("udp", 4789)
CABLE = Packets("udp", 4500)
BGP = Packets("tcp", 179)


@pytest.mark.parametrize("iptables, nft, extent", [
    ("", "", ALL),
    ("-p udp -m udp --dport 4789", "udp dport 4789", ALL),  # the fields have judged them
    ("-p udp -m udp ! --dport 53", "udp dport != 53", ALL),
    ("-p udp -m udp ! --dport 4789", "udp dport != { 53, 4000-5000 }", NONE),
    ("! -p tcp", "meta l4proto != tcp", ALL),
    ("! -p udp", "meta l4proto != udp", NONE),
    ("-p udp -m udp --sport 53", "udp sport 53", NONE),
    ("-p udp -m udp ! --sport 53", "udp sport != 53", ALL),
    ("-p udp -m udp --sport 1024:65535", "udp sport 1024-65535", ALL),
    ("-p udp -m udp --sport 10000:20000", "udp sport @many", SOME),
    ("-m conntrack --ctstate NEW,ESTABLISHED", "ct state new,established", ALL),
    ("-m conntrack --ctstate INVALID", "ct state { invalid, related }", NONE),
    ("-m conntrack ! --ctstate NEW", "ct state != new", NONE),
    ("-i lo", 'iifname "lo"', NONE),
    ("! -i lo", 'iifname != "lo"', ALL),
    ("-i eth0", 'iifname { "eth0", "lo" }', SOME),
    ("-i cali+", 'iifname "cali*"', NONE),
    ("-s 10.0.0.0/8", "ip saddr 10.0.0.0/8", SOME),
    ("-s 127.0.0.0/8", "ip saddr 127.0.0.0/8", NONE),
    ("-d 224.0.0.0/4", "ip daddr 224.0.0.0/4", NONE),
    ("-m addrtype --dst-type LOCAL", "fib daddr type local", ALL),
    ("-m pkttype --pkt-type broadcast", "meta pkttype { broadcast, multicast }", NONE),
    ("-f", "ip frag-off & 8191 != 0", NONE),
    ("-m limit --limit 10/sec", "limit rate 10/second", SOME),
    ("-m mark --mark 0x1/0x1", "meta mark & 0x00000001 == 0x00000001", SOME),
    ('-m comment --comment "-s 1.1.1.1"', 'comment "ip saddr 1.1.1.1"', ALL),
    ("-m conntrack --ctstate NEW -m limit --limit 1/sec", "ct state new limit rate 1/second", SOME),
    ("-m limit --limit 1/sec -m conntrack --ctstate INVALID", "limit rate 1/second ct state invalid", NONE),
])  # fmt: skip
def test_both_languages(iptables, nft, extent):
    assert matched(f"-A INPUT {iptables} -j DROP", VXLAN) == extent
    for verdict in ("drop", "counter packets 1 bytes 2 accept", "goto x", 'log prefix "ct state invalid " reject with icmp type admin-prohibited'):
        assert matched(f"{nft} {verdict}", VXLAN) == extent


@pytest.mark.parametrize("iptables, nft, extent", [
    ("--tcp-flags FIN,SYN,RST,ACK SYN", "tcp flags syn / fin,syn,rst,ack", ALL),
    ("! --tcp-flags FIN,SYN,RST,ACK SYN", "tcp flags & (fin | syn | rst | ack) == ack", NONE),
    ("--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE", "tcp flags ! fin,syn,rst,psh,ack,urg", NONE),
    ("--tcp-flags SYN,RST SYN,RST", "tcp flags & (syn | rst) == (syn | rst)", NONE),
])  # fmt: skip
def test_the_first_packet_of_a_connection(iptables, nft, extent):
    assert matched(f"-A INPUT -p tcp -m tcp {iptables} -j DROP", BGP) == matched(f"{nft} drop", BGP) == extent
    assert matched("tcp flags & (fin | syn | rst | ack) != syn ct state new drop", BGP) != ALL


def test_cables_send_from_their_own_port():
    assert matched("udp sport 4500 accept", CABLE) == SOME and matched("udp sport 4500 accept", VXLAN) == NONE


def test_either_port():
    text = "-A INPUT -p udp -m multiport --ports 4789,500 -j DROP"
    assert (matched(text, VXLAN), names_port(text, VXLAN)) == (ALL, True)
    assert (matched(text, CABLE), names_port(text, CABLE)) == (NONE, False)
    assert not names_port(text.replace("--ports", "! --ports"), VXLAN) and matched(text.replace("--ports", "! --ports"), VXLAN) == NONE


@pytest.mark.parametrize("text", ["meta nfproto ipv6 drop", "ip6 saddr fd00::/8 drop", "ip6 nexthdr udp drop"])
def test_ipv6(text):
    assert (matched(text, VXLAN), matched(text, VXLAN._replace(ipv6=True))) == (NONE, SOME)


@pytest.mark.parametrize("text", ["INPUT DROP", "type filter hook input priority filter; policy drop;"])
def test_policies(text):
    assert matched(text, VXLAN) == ALL


WORDS = st.sampled_from(
    ["-m", "!", "--tcp-flags", "-c", "-i", "lo", "--ports", "x", "drop", "ct state", "{ a, b }", "tcp flags", "!=", '"', ".", "-j", "--ctstate"]
)


@given(st.lists(WORDS))
def test_any_text_ends_with_an_answer(words):
    for text in (" ".join(words), " ".join(("-A INPUT", *words))):
        assert matched(text, BGP) in (NONE, SOME, ALL)


@given(st.lists(st.sampled_from(["-p udp", "-m conntrack --ctstate NEW", "! -i lo", "-m strange", "-s 10.0.0.0/8", "-i lo"]), max_size=5))
def test_a_match_more_never_matches_more(matches):
    def extent(parts):
        return matched(" ".join(("-A INPUT", *parts, "-j DROP")), VXLAN)

    assert extent(matches) <= extent(matches[:-1])
