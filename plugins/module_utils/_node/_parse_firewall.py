# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``iptables-save`` and ``nft list ruleset`` to the rules that decide over what Calico and Submariner receive and forward.

Kept are rules that accept, drop or reject one of their ports or protocols, those that drop or reject without naming a port, those that accept without naming
one, and the policies of chains. Left out are the rules of Calico, kube-proxy and container runtimes, which come from the cluster and not from the host, and
those of tables that translate addresses. Order is that of the tool, since the first rule that matches decides.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_sockets import PORTS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import FirewallRule

ACCEPT, DROP, REJECT = "accept", "drop", "reject"
NFTABLES, IPTABLES = "nftables", "iptables"
# Protocols that stand for themselves: ESP and AH of IPsec, IP in IP, and ICMP, whose "fragmentation needed" tells path MTUs.
_PROTOCOLS = {
    "50": "esp", "51": "ah", "4": "4", "ipencap": "4", "ipip": "4", "ipv4": "4",
    "1": "icmp", "58": "icmpv6", "17": "udp", "6": "tcp", "ipv6-icmp": "icmpv6",
}  # fmt: skip
_TELLING = frozenset(("esp", "ah", "4", "icmp", "icmpv6"))
_FOREIGN = ("cali-", "KUBE-", "CNI-", "DOCKER", "FLANNEL-", "kube-", "cilium", "CILIUM", "LIBVIRT")
_TABLES = frozenset(("filter", "mangle", "raw", "security"))
_BUILT_IN = frozenset(("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"))
_SAVED_VERDICT = re.compile(r"\s-(?:j|g) (ACCEPT|DROP|REJECT)\b")
_SAVED_PORTS = re.compile(r"(!\s)?--(?:dports?|destination-ports?) (\S+)")
_SAVED_PROTOCOL = re.compile(r"(!\s)?-p (\S+)")
_NFT_VERDICT = re.compile(r"(?:^|\s)(accept|drop|reject)\b")
_NFT_PORTS = re.compile(r"\b(?:tcp|udp|sctp|th) dport (!= )?(\{[^}]*\}|\S+)")
_NFT_PROTOCOL = re.compile(r"\b(?:meta l4proto|ip protocol|ip6 nexthdr) (!= )?(\{[^}]*\}|\S+)")
_NFT_DPORT = re.compile(r"\b(tcp|udp|sctp) dport\b")
_NFT_ICMP = re.compile(r"\b(icmpv6|icmp) (?:type|code)\b")
_NFT_MAP = re.compile(r"(?<!\. )\b(tcp|udp|sctp|th) dport vmap \{([^}]*)\}")
_NFT_OTHER_MAP = re.compile(r"\bdport\b.*\bvmap\b")
_NFT_HOOK = re.compile(r"type (\w+) hook (\w+).*?;(?:.*?policy (\w+);)?")
_NFT_OBJECTS = re.compile(r"(?:set|map|flowtable|counter|quota|limit|ct|secmark|synproxy|meter)\s")
_NFT_BLOCK = re.compile(rf"(?:table|chain)\s|{_NFT_OBJECTS.pattern}")
_QUOTED = re.compile(r'"[^"]*"')


def iptables_rules(text: str, family: str, ports: t.Collection[int] = ()) -> tuple[FirewallRule, ...]:
    """``iptables-save``.

    :param family: ``ip`` or ``ip6``, for the names of chains.
    :param ports: further ones that matter.
    """
    found = []
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif table in _TABLES and line.startswith(":"):
            words = line[1:].split()
            # Accepting is every chain's policy where nobody changed it.
            if len(words) > 1 and words[0] in _BUILT_IN and words[1] == "DROP":
                found.append(FirewallRule(IPTABLES, f"{family} {table} {words[0]}", DROP, text=" ".join(words[:2])))
        elif table in _TABLES and line.startswith("-A "):
            chain = line.split()[1]
            rule = _iptables_rule(line, f"{family} {table} {chain}", ports) if not chain.startswith(_FOREIGN) else None
            if rule is not None:
                found.append(rule)
    return tuple(found)


def _iptables_rule(line: str, chain: str, ports: t.Collection[int]) -> FirewallRule | None:
    bare = _QUOTED.sub('""', line)
    verdict = _SAVED_VERDICT.search(bare)
    if verdict is None:
        return None
    protocol = _SAVED_PROTOCOL.search(bare)
    named = _SAVED_PORTS.search(bare)
    return _kept(
        FirewallRule(
            IPTABLES,
            chain,
            verdict.group(1).lower(),
            _protocol(protocol.group(2)) if protocol is not None and not protocol.group(1) else "",
            tuple(each.replace(":", "-") for each in named.group(2).split(",")) if named is not None else (),
            line,
        ),
        ports,
        inverted=named is not None and bool(named.group(1)),
    )


class Ruleset(t.NamedTuple):
    """:param unclear: rules that decide over ports by a map whose contents they do not show."""

    rules: tuple[FirewallRule, ...] = ()
    unclear: tuple[str, ...] = ()


def nftables_rules(text: str, ports: t.Collection[int] = (), without_iptables: bool = False) -> Ruleset:
    """``nft list ruleset``.

    :param ports: further ones that matter.
    :param without_iptables: leave out the tables that iptables' nft variant keeps, since they were read with ``iptables-save``.
    """
    found: list[FirewallRule] = []
    unclear: list[str] = []
    table, chain = "", ""
    of_interest, depth = False, 0  # depth: inside a set, map or the like
    for line in _joined(text):
        if depth:
            depth += line.count("{") - line.count("}")
        elif line.startswith("table "):
            table, chain = " ".join(line[len("table ") :].rstrip("{ ").split()), ""
        elif line == "}":
            chain, of_interest = "", False
        elif line.startswith("chain ") and line.endswith("{"):
            chain = line[len("chain ") : -1].strip().strip('"')
            of_interest = not chain.startswith(_FOREIGN) and not table.partition(" ")[2].startswith(_FOREIGN)
            of_interest = of_interest and not (without_iptables and _is_of_iptables(table, chain))
        elif not chain and _NFT_OBJECTS.match(line) and line.endswith("{"):
            depth = 1
        elif chain:
            hook = _NFT_HOOK.match(line)
            if hook is not None:
                of_interest = of_interest and hook.group(1) != "nat"
                if of_interest and hook.group(3) == DROP:
                    found.append(FirewallRule(NFTABLES, f"{table} {chain}", DROP, text=line))
            elif of_interest:
                bare = _QUOTED.sub('""', line)
                by_map = _NFT_MAP.search(bare)
                if by_map is not None:
                    found += _of_map(line, by_map, f"{table} {chain}", ports)
                elif _NFT_OTHER_MAP.search(bare):
                    unclear.append(f"{table} {chain}: {line}")
                else:
                    found += _of_line(line, bare, f"{table} {chain}", ports)
    return Ruleset(tuple(found), tuple(unclear))


def _of_map(line: str, found: t.Match[str], chain: str, ports: t.Collection[int]) -> t.Iterator[FirewallRule]:
    """``udp dport vmap { 4789 : drop, 4800 : accept }``: a rule for each port."""
    protocol, elements = found.groups()
    for element in _elements(elements):
        port, _colon, verdict = (part.strip() for part in element.partition(" : "))
        if verdict in (ACCEPT, DROP):
            rule = _kept(FirewallRule(NFTABLES, chain, verdict, "" if protocol == "th" else protocol, (port,), line), ports, inverted=False)
            if rule is not None:
                yield rule


def _joined(text: str) -> t.Iterator[str]:
    """Lines, without comments, and with those of a set in a rule in one."""
    held = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        held = f"{held} {line}" if held else line
        unclosed = _QUOTED.sub("", held).count("{") > _QUOTED.sub("", held).count("}")
        if unclosed and not (held.endswith("{") and _NFT_BLOCK.match(held)):
            continue
        yield held
        held = ""


def _is_of_iptables(table: str, chain: str) -> bool:
    family, _space, name = table.partition(" ")
    return family in ("ip", "ip6") and name in _TABLES | {"nat"} and (chain in _BUILT_IN or chain == chain.upper() or chain.startswith("ufw"))


def _of_line(line: str, bare: str, chain: str, ports: t.Collection[int]) -> t.Iterator[FirewallRule]:
    """One rule for each protocol that the line names.

    :param bare: the line without what stands in quotes.
    """
    # A verdict inside braces is one of a map: which element it belongs to is not told by this line.
    verdict = _NFT_VERDICT.search(re.sub(r"\{[^}]*\}", "{}", bare))
    if verdict is None:
        return
    named = _NFT_PORTS.search(bare)
    protocol = _NFT_DPORT.search(bare) or _NFT_ICMP.search(bare)
    several = _NFT_PROTOCOL.search(bare)
    protocols = [_protocol(each) for each in _elements(several.group(2))] if several is not None and not several.group(1) else []
    if protocol is not None:
        protocols = [protocol.group(1)]
    of_rule = tuple(_elements(named.group(2))) if named is not None else ()
    for each in protocols or [""]:
        rule = _kept(FirewallRule(NFTABLES, chain, verdict.group(1), each, of_rule, line), ports, inverted=named is not None and bool(named.group(1)))
        if rule is not None:
            yield rule


def _elements(text: str) -> list[str]:
    return [each.strip() for each in text.strip("{} ").split(",") if each.strip()]


def _protocol(name: str) -> str:
    return _PROTOCOLS.get(name, name)


def _kept(rule: FirewallRule, ports: t.Collection[int], inverted: bool) -> FirewallRule | None:
    if inverted:  # all ports but these: the text tells it, the field cannot
        return rule._replace(ports=())
    if not rule.ports or rule.protocol in _TELLING:
        return rule
    wanted = {*ports, *(port for known in PORTS.values() for port in known)}
    # Ports of a named set are not in the text.
    return rule if any(each.startswith("@") or any(_covers(each, port) for port in wanted) for each in rule.ports) else None


def _covers(text: str, port: int) -> bool:
    """Whether ``4800``, or ``30000-32767``, covers a port; of a service's name nobody knows, so it may."""
    least, _dash, most = text.partition("-")
    if not least.isdigit():
        return True
    return int(least) <= port <= (int(most) if most.isdigit() else int(least) if not _dash else 65535)
