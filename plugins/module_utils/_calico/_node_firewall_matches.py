# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which of the packets of a flow a firewall rule matches, by its text: all, some, or none.

A flow is the first packets that another node sends to this one, by unicast, over a link between them. A rule matches all of them only if every match of it is
one that is known here: of a match that is not it is never certain what it leaves out.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import CABLE_DEVICES, VX_SUBMARINER

NONE, SOME, ALL = 0, 1, 2
UDP, TCP, ESP = "udp", "tcp", "esp"
IP_IN_IP = "4"  # IP protocol number
SPELLINGS: t.Mapping[str, tuple[str, ...]] = {
    IP_IN_IP: ("4", "ipencap", "ipip", "ipv4"), ESP: ("esp", "50", "ipv6-crypt"), UDP: ("udp", "17"), TCP: ("tcp", "6"),
}  # fmt: skip
# Ports that a program, or the kernel for VXLAN, sends from when it has not bound one (net.ipv4.ip_local_port_range); others may have another range.
_EPHEMERAL = (32768, 60999)
_MANY = 1000  # ports of a range that may be another ip_local_port_range
_NEW = ("new", "untracked")
_LATER = ("established", "related", "invalid", "dnat", "snat")
_LOCAL_LINKS = re.compile(
    rf"lo|cali.*|tunl0|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|bpf(?:in|out)\.cali|flannel.*|cni.*|docker.*|br-[0-9a-f]+|veth.*|virbr.*"
    rf"|podman.*|lxcbr.*|lxdbr.*|kube-ipvs0|nodelocaldns|{VX_SUBMARINER}|{'|'.join(CABLE_DEVICES.values())}"
)
_LOOPBACK = re.compile(r"127\..*|::1(?:/128)?")
_TO_MANY = re.compile(r"2(?:2[4-9]|3\d)\..*|255\.255\.255\.255(?:/32)?|ff[0-9a-f]{2}:.*", re.IGNORECASE)
_EVERYBODY = ("0.0.0.0/0", "::/0")
_WORDS = re.compile(r'"(?:\\.|[^"\\])*"|\S+')


class Packets(t.NamedTuple):
    """The packets of a flow that are asked after.

    :param port: None for a protocol without ports.
    :param ipv6: whether there are any of IPv6.
    """

    protocol: str
    port: int | None
    ipv6: bool = False


def matched(text: str, packets: Packets) -> int:
    """:param text: a rule as ``iptables-save`` (from ``-A`` on) or ``nft list ruleset`` prints it; protocol and ports of the destination are judged by their
    fields, but for what the fields cannot tell.
    """
    return _of_iptables(text, packets) if text.startswith("-A ") else _of_nft(text, packets)


def names_port(text: str, packets: Packets) -> bool:
    """``--ports`` of iptables, which matches either end's port, names that of the flow."""
    found = re.search(r"(!\s)?--ports (\S+)", text)
    return found is not None and not found.group(1) and packets.port is not None and _listed(packets.port, _split(found.group(2)))


def within(port: int, ports: str) -> bool:
    first, _dash, last = ports.replace(":", "-").partition("-")
    return first.isdecimal() and (last or first).isdecimal() and int(first) <= port <= int(last or first)


def _listed(port: int, ports: t.Iterable[str]) -> bool:
    return any(within(port, each) for each in ports)


def _split(text: str) -> list[str]:
    """``{ a, b }``, ``a,b`` or ``a``."""
    return [each.strip().strip('"') for each in text.strip("{} ").split(",") if each.strip()]


def _not(inverted: bool, extent: int) -> int:
    return ALL - extent if inverted else extent


def _each(values: t.Iterable[str], extent: t.Callable[[str], int]) -> int:
    """Of several values any suffices."""
    return max((extent(value) for value in values), default=SOME)


def _by_source_port(ports: t.Sequence[str], packets: Packets) -> int:
    """Cables, WireGuard and NAT discovery send from the port that they listen on, everything else from one of many that the kernel chooses."""
    own = packets.port is not None and _listed(packets.port, ports)
    if own and any(within(_EPHEMERAL[0], each) and within(_EPHEMERAL[1], each) for each in ports):
        return ALL
    return SOME if own or any(_is_wide(each) for each in ports) else NONE


def _is_wide(ports: str) -> bool:
    """What lets a flow in that comes from ports the kernel chooses; of a set or a service's name nobody knows."""
    first, _dash, last = ports.replace(":", "-").partition("-")
    return not first.isdecimal() or bool(last) and (not last.isdecimal() or int(last) - int(first) >= _MANY)


def _by_either_port(ports: t.Sequence[str], packets: Packets) -> int:
    return ALL if packets.port is not None and _listed(packets.port, ports) else _by_source_port(ports, packets)


def _by_link(name: str) -> int:
    if name in ("*", "+"):
        return ALL
    return NONE if _LOCAL_LINKS.fullmatch(name) else SOME


def _by_source(address: str) -> int:
    return ALL if address in _EVERYBODY else NONE if _LOOPBACK.fullmatch(address) else SOME


def _by_destination(address: str) -> int:
    return ALL if address in _EVERYBODY else NONE if _LOOPBACK.fullmatch(address) or _TO_MANY.fullmatch(address) else SOME


def _by_state(state: str) -> int:
    return ALL if state.lower() in _NEW else NONE if state.lower() in _LATER else SOME


def _by_kind(kind: str) -> int:
    """Of the destination's address, or of the packet on its link."""
    return {"local": ALL, "unicast": ALL, "host": ALL, "broadcast": NONE, "multicast": NONE, "anycast": NONE}.get(kind.lower(), SOME)


def _by_flags(mask: str, wanted: str, packets: Packets) -> int:
    """The first packet of a connection has SYN alone."""
    if packets.protocol != TCP:
        return NONE
    names = {"ALL": {"FIN", "SYN", "RST", "PSH", "ACK", "URG"}, "NONE": set()}
    masked, set_ = (names.get(each.upper(), set(each.upper().split(","))) for each in (mask, wanted))
    return ALL if masked & {"SYN"} == set_ else NONE


def _of_iptables(text: str, packets: Packets) -> int:
    words = _WORDS.findall(text)[2:]
    extent, inverted = ALL, False
    while words:
        word = words.pop(0)
        if word in ("-j", "-g"):  # all after it is the target's
            break
        if word == "!":
            inverted = True
            continue
        extent = min(extent, _of_option(word, words, inverted, packets))
        inverted = False
    return extent


# Extensions whose every option is known below; others limit a rule though they may have no option at all.
_EXTENSIONS = frozenset(("tcp", "udp", "udplite", "sctp", "dccp", "esp", "comment", "multiport", "conntrack", "state", "addrtype", "pkttype"))
_ONE_WORD: t.Mapping[str, t.Callable[[str, Packets], int]] = {
    **dict.fromkeys(("--sport", "--sports", "--source-port", "--source-ports"), lambda word, packets: _by_source_port(_split(word), packets)),
    "--ports": lambda word, packets: _by_either_port(_split(word), packets),
    **dict.fromkeys(("--ctstate", "--state"), lambda word, _packets: _each(_split(word), _by_state)),
    **dict.fromkeys(("-i", "--in-interface"), lambda word, _packets: _by_link(word.strip('"').replace("+", "*"))),
    **dict.fromkeys(("-s", "--source"), lambda word, _packets: _by_source(word)),
    **dict.fromkeys(("-d", "--destination"), lambda word, _packets: _by_destination(word)),
    **dict.fromkeys(("--dst-type", "--pkt-type"), lambda word, _packets: _each(_split(word), _by_kind)),
}
_DESTINATION_PORTS = ("--dport", "--dports", "--destination-port", "--destination-ports")
_TAKES_ONE = frozenset(("--comment", "-p", "--tcp-flags", *_DESTINATION_PORTS, *_ONE_WORD))


def _of_option(word: str, words: list[str], inverted: bool, packets: Packets) -> int:
    """:param words: what follows; the option's own are taken away."""
    if word == "-m":
        return ALL if words and words.pop(0) in _EXTENSIONS else SOME
    if word == "-f":
        return _not(inverted, NONE)
    if word == "-c":
        del words[:2]
        return ALL
    if word not in _TAKES_ONE:  # of an option that is not known nobody knows how many words it has
        return SOME
    value = words.pop(0) if words else ""
    if word == "--comment":
        return ALL
    if word == "-p":
        return ALL if not inverted else NONE if value in SPELLINGS[packets.protocol] else ALL
    if word in _DESTINATION_PORTS:
        return _but_for_ports(inverted, _split(value), packets)
    if word == "--tcp-flags":
        return _not(inverted, _by_flags(value, words.pop(0) if words else "", packets))
    return _not(inverted, _ONE_WORD[word](value, packets))


def _but_for_ports(inverted: bool, ports: t.Sequence[str], packets: Packets) -> int:
    """The field tells the ports of the destination, but for all ports but some."""
    if not inverted:
        return ALL
    if packets.port is not None and _listed(packets.port, ports):
        return NONE
    return ALL if all(each[:1].isdecimal() for each in ports) else SOME


_SAVED_POLICY = re.compile(r"[A-Z]+ (?:DROP|ACCEPT)")
_VALUE = r"(?P<not>!= )?(?P<value>\{[^}]*\}|\S+)"
# nft's words that say nothing of the packet, and the verdict with all that follows.
_SAYS_NOTHING = re.compile(
    r'\bcomment "[^"]*"|\blog(?: (?:prefix|level|group|snaplen|queue-threshold|flags) (?:"[^"]*"|\S+))*|\bcounter(?: packets \d+ bytes \d+| name \S+)?'
    r"|\b(?:meta|ct) \S+ set (?:\S+ (?:and|or|xor|&|\||\^) )*\S+|\bnotrack\b|(?:^|\s)(?:accept|drop|return|continue|(?:jump|goto) \S+|reject(?: with .*)?)\s*$"
)
_TCP_FLAGS = re.compile(
    r"\btcp flags (?:(?P<wanted>[a-z,]+) / (?P<mask>[a-z,]+)"
    r"|& (?:\((?P<masked>[a-z |]+)\)|(?P<single>[a-z]+)) == (?:\((?P<several>[a-z |]+)\)|(?P<one>[a-z]+|0x0)))"
)
_NO_FLAGS = re.compile(r"\btcp flags ! (?P<mask>[a-z,]+)")


def _value(found: t.Match[str]) -> list[str]:
    return _split(found.group("value"))


def _by_protocol(found: t.Match[str], packets: Packets) -> int:
    """The field tells it, but for all protocols but one."""
    return ALL if not found["not"] else NONE if set(_value(found)) & set(SPELLINGS[packets.protocol]) else ALL


def _by_family(families: t.Sequence[str], packets: Packets) -> int:
    found = {"ipv4": ALL, "ip": ALL, "ipv6": NONE, "ip6": NONE}
    return _each(families, lambda family: SOME if packets.ipv6 else found.get(family, SOME))


_NFT: t.Sequence[tuple[t.Pattern[str], t.Callable[[t.Match[str], Packets], int]]] = (
    (re.compile(rf"\b(?:meta l4proto|ip protocol) {_VALUE}"), _by_protocol),
    (re.compile(rf"\bip6 nexthdr {_VALUE}"), lambda found, packets: min(_by_protocol(found, packets), SOME if packets.ipv6 else NONE)),
    (re.compile(rf"\b(?:tcp|udp|sctp|th) dport {_VALUE}"), lambda found, packets: _but_for_ports(bool(found["not"]), _value(found), packets)),
    (re.compile(rf"\b(?:tcp|udp|sctp|th) sport {_VALUE}"), lambda found, packets: _not(bool(found["not"]), _by_source_port(_value(found), packets))),
    (re.compile(rf"\bct (?:state|status) {_VALUE}"), lambda found, _packets: _not(bool(found["not"]), _each(_value(found), _by_state))),
    (re.compile(rf"\b(?:meta )?iif(?:name)? {_VALUE}"), lambda found, _packets: _not(bool(found["not"]), _each(_value(found), _by_link))),
    (re.compile(rf"\bip6 [sd]addr {_VALUE}"), lambda _found, packets: SOME if packets.ipv6 else NONE),
    (re.compile(rf"\bip saddr {_VALUE}"), lambda found, _packets: _not(bool(found["not"]), _each(_value(found), _by_source))),
    (re.compile(rf"\bip daddr {_VALUE}"), lambda found, _packets: _not(bool(found["not"]), _each(_value(found), _by_destination))),
    (re.compile(rf"\bfib daddr type {_VALUE}"), lambda found, _packets: _not(bool(found["not"]), _each(_value(found), _by_kind))),
    (re.compile(rf"\b(?:meta )?pkttype {_VALUE}"), lambda found, _packets: _not(bool(found["not"]), _each(_value(found), _by_kind))),
    (re.compile(rf"\b(?:meta )?nfproto {_VALUE}"), lambda found, packets: _not(bool(found["not"]), _by_family(_value(found), packets))),
    (re.compile(rf"\bmeta protocol {_VALUE}"), lambda found, packets: _not(bool(found["not"]), _by_family(_value(found), packets))),
    (re.compile(r"\bip frag-off & (?:8191|0x1fff|0x00001fff) != 0(?:x0)?"), lambda _found, _packets: NONE),
    (_NO_FLAGS, lambda found, packets: _by_flags(found["mask"], "NONE", packets)),
    (_TCP_FLAGS, lambda found, packets: _by_flags(
        (found["mask"] or found["masked"] or found["single"]).replace(" | ", ","),
        (found["wanted"] or found["several"] or found["one"]).replace(" | ", ",").replace("0x0", "NONE"), packets,
    )),
)  # fmt: skip


def _of_nft(text: str, packets: Packets) -> int:
    if _is_policy(text):
        return SOME if ' device "' in text or " devices " in text else ALL
    rest = _SAYS_NOTHING.sub(" ", text)
    for _time in range(2):  # what comes after the verdict goes first
        rest = _SAYS_NOTHING.sub(" ", rest)
    if " . " in rest:  # several fields in one set: what is in it belongs together
        return SOME
    extent = ALL
    for pattern, judge in _NFT:
        for found in pattern.finditer(rest):
            extent = min(extent, judge(found, packets))
        rest = pattern.sub(" ", rest)
    return extent if not rest.strip() else min(extent, SOME)


def _is_policy(text: str) -> bool:
    return text.startswith("type ") or _SAVED_POLICY.fullmatch(text) is not None
