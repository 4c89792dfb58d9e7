# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``iptables-save`` and ``nft list ruleset`` to the rules that decide over what Calico and Submariner receive and forward.

Kept are rules that accept, drop or reject one of their ports or protocols, those that drop or reject without naming a port, those that accept without naming
one, the jumps that lead to them, and the policies of chains. Left out are the rules of Calico, kube-proxy and container runtimes, which come from the cluster
and not from the host (of them the jump into Felix' own chain stays, since what Felix accepts there is not dropped later), and those of tables that translate
addresses. Order is that of the tool, since the first rule that matches decides.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_nft_sets as nft_sets
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_sockets import PORTS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import FirewallRule

ACCEPT, DROP, REJECT, RETURN, JUMP, GOTO = "accept", "drop", "reject", "return", "jump", "goto"
NFTABLES, IPTABLES = "nftables", "iptables"
# Protocols that stand for themselves: ESP and AH of IPsec, IP in IP, and ICMP, whose "fragmentation needed" tells path MTUs.
_PROTOCOLS = {
    "50": "esp", "51": "ah", "4": "4", "ipencap": "4", "ipip": "4", "ipv4": "4",
    "1": "icmp", "58": "icmpv6", "17": "udp", "6": "tcp", "ipv6-icmp": "icmpv6", "all": "", "0": "",
}  # fmt: skip
_TELLING = frozenset(("esp", "ah", "4", "icmp", "icmpv6"))
_FOREIGN = ("cali-", "KUBE-", "CNI-", "DOCKER", "FLANNEL-", "kube-", "cilium", "CILIUM", "LIBVIRT")
_FELIX_TABLE = "calico"  # of its nftables data plane
_FELIX_INPUT = "cali-INPUT"
_TABLES = frozenset(("filter", "mangle", "raw", "security"))
_BUILT_IN = frozenset(("INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING"))
_SAVED_VERDICT = re.compile(r"\s-([jg]) (\S+)")
_SAVED_PORTS = re.compile(r"(!\s)?--(?:dports?|destination-ports?) (\S+)")
_SAVED_PROTOCOL = re.compile(r"(!\s)?-p (\S+)")
_NFT_VERDICT = re.compile(r"(?:^|\s)(?:(accept|drop|reject|return)\b|(jump|goto) (\S+))")
_NFT_REJECT_WITH = re.compile(r"\breject with .*")
_NFT_PORTS = re.compile(r"\b(?:tcp|udp|sctp|th) dport (!= )?(\{[^}]*\}|\S+)")
_NFT_PROTOCOL = re.compile(r"\b(?:meta l4proto|ip protocol|ip6 nexthdr) (?!\. )(!= )?(\{[^}]*\}|\S+)")
_NFT_HEADER = re.compile(r"(?:^|\s)(tcp|udp|sctp|icmpv6|icmp) (?:[ds]port|flags|type|code|option|length)\b")  # names its protocol without being asked for it
_NFT_MAP = re.compile(r"\bvmap \{([^}]*)\}")
_NFT_OTHER_MAP = re.compile(r"\bdport\b.*\bvmap\b")
_NFT_HIDDEN_MAP = re.compile(r"\bvmap @")
_NFT_COUNTER = re.compile(r"\bcounter packets \d+ bytes \d+ ?")
_NFT_HOOK = re.compile(r"type (\w+) hook (\w+).*?;(?:.*?policy (\w+);)?")
_NFT_OBJECTS = re.compile(r"(?:set|map|flowtable|counter|quota|limit|ct|secmark|synproxy|meter)\s")
_NFT_BLOCK = re.compile(rf"(?:table|chain)\s|{_NFT_OBJECTS.pattern}")
_NFT_UNTOLD = re.compile(r"#|\bxt (?:match|target)\b|\b[su]port \. ")  # an extension of iptables that nft has no words for
_NFT_UNTOLD_REJECT = re.compile(r'(?:\bxt target "?|#\s?(?:xt_)?)REJECT\b"?')
_QUOTED = re.compile(r'"[^"]*"')


def saved_chains(text: str, family: str) -> dict[str, list[str]]:
    """The rules of ``iptables-save`` by chain, such as ``ip filter INPUT``, of tables that decide over packets."""
    found: dict[str, list[str]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif table in _TABLES and line.startswith("-A ") and len(line.split()) > 1:
            found.setdefault(f"{family} {table} {line.split()[1]}", []).append(line)
    return found


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
        elif table in _TABLES and line.startswith("-A ") and len(line.split()) > 1:
            chain = line.split()[1]
            rule = _iptables_rule(line, IPTABLES, f"{family} {table} {chain}", ports) if not chain.startswith(_FOREIGN) else None
            if rule is not None:
                found.append(rule)
    return _telling(found)


def _iptables_rule(line: str, tool: str, chain: str, ports: t.Collection[int]) -> FirewallRule | None:
    bare = _QUOTED.sub('""', line)
    decided = _SAVED_VERDICT.search(bare)
    if decided is None:
        return None
    way, name = decided.groups()
    if name in ("ACCEPT", "DROP", "REJECT", "RETURN"):
        verdict, target = name.lower(), ""
    else:  # another chain; or LOG, MARK and the like, which no rule is in
        verdict, target = JUMP if way == "j" else GOTO, name
    protocol = _SAVED_PROTOCOL.search(bare)
    named = _SAVED_PORTS.search(bare)
    return _kept(
        FirewallRule(
            tool,
            chain,
            verdict,
            _protocol(protocol.group(2)) if protocol is not None and not protocol.group(1) else "",
            tuple(each.replace(":", "-") for each in named.group(2).split(",")) if named is not None else (),
            line,
            target,
        ),
        ports,
        inverted=named is not None and bool(named.group(1)),
    )


def _telling(rules: t.Sequence[FirewallRule]) -> tuple[FirewallRule, ...]:
    """Without jumps into chains of which nothing was kept, and without returns out of chains that drop nothing."""
    deciding = {(rule.tool, rule.chain) for rule in rules if rule.verdict in (ACCEPT, DROP, REJECT)}
    jumps = [(rule, (rule.tool, f"{rule.chain.rpartition(' ')[0]} {rule.target}")) for rule in rules if rule.target]
    more = True
    while more:
        reaching = {(rule.tool, rule.chain) for rule, target in jumps if target in deciding or rule.target == _FELIX_INPUT}
        more = not reaching <= deciding
        deciding |= reaching
    leading = {id(rule) for rule, target in jumps if target in deciding or rule.target == _FELIX_INPUT}
    return tuple(rule for rule in rules if (id(rule) in leading if rule.target else rule.verdict != RETURN or (rule.tool, rule.chain) in deciding))


def _reached(rules: t.Sequence[FirewallRule], first: t.Iterable[str], tables: t.Container[str]) -> tuple[FirewallRule, ...]:
    """Without the chains of ``tables`` that no jump leads to from the first ones."""
    reached, ways = set(first), list(first)
    while ways:
        chain = ways.pop()
        new = {f"{chain.rpartition(' ')[0]} {rule.target}" for rule in rules if rule.chain == chain and rule.target} - reached
        reached |= new
        ways += new
    return tuple(rule for rule in rules if rule.chain in reached or rule.chain.rpartition(" ")[0] not in tables)


class Ruleset(t.NamedTuple):
    """:param unclear: rules that decide over ports by a map or a set whose contents cannot be told."""

    rules: tuple[FirewallRule, ...] = ()
    unclear: tuple[str, ...] = ()


class _Chain(t.NamedTuple):
    """:param hook: the line that says of a base chain where it hangs, empty for one that others jump to."""

    table: str
    name: str
    hook: str
    lines: list[str]


def sets_of_ports(text: str) -> tuple[tuple[str, str], ...]:
    """Table and name of the sets that rules of ``nft list ruleset`` look a destination port up in."""
    chains = (chain for chain in _chains(text) if not _is_foreign(chain))
    return tuple(dict.fromkeys((chain.table, name) for chain in chains for line in chain.lines for name in nft_sets.named_sets(line)))


def nftables_rules(
    text: str, ports: t.Collection[int] = (), saved: t.Mapping[str, t.Sequence[str]] | None = None, sets: nft_sets.Sets | None = None
) -> Ruleset:
    """``nft list ruleset``.

    :param ports: further ones that matter.
    :param saved: of :func:`saved_chains`, for rules that nft has no words for. Everything else is nft's to say: what iptables prints of a rule that it has not
        made itself may lack the rule's ports.
    :param sets: those of :func:`sets_of_ports` that were read.
    """
    found: list[FirewallRule] = []
    unclear: list[str] = []
    chains = _chains(text)
    for chain in chains:
        name = f"{chain.table} {chain.name}"
        if _is_foreign(chain):
            continue
        hook = _NFT_HOOK.match(chain.hook)
        if hook is not None and hook.group(1) == "nat":
            continue
        if hook is not None:
            found.append(FirewallRule(NFTABLES, name, DROP if hook.group(3) == DROP else ACCEPT, text=chain.hook))
        of_iptables = (saved or {}).get(name, ())
        for number, line in enumerate(chain.lines):
            bare = _QUOTED.sub('""', line)
            # Both print a line for each rule of the chain.
            if len(of_iptables) == len(chain.lines) and (_NFT_UNTOLD.search(bare) or " --ports " in of_iptables[number]):
                rule = _iptables_rule(of_iptables[number], NFTABLES, name, ports)
                found += [rule] if rule is not None else []
            elif _NFT_OTHER_MAP.search(bare) and (_NFT_MAP.search(bare) is None or " . " in bare):
                unclear.append(f"{name}: {line}")
            else:
                try:
                    found += [rule for each in _without_map(line) for rule in _of_line(each, chain, ports, sets or {})]
                except ValueError:
                    unclear.append(f"{name}: {line}")
    told = _telling(found)
    # Without a map that hides where it leads, a chain that nothing leads to does nothing.
    hooked = {f"{chain.table} {chain.name}": chain.table for chain in chains if chain.hook}
    hiding = {chain.table for chain in chains if any(_NFT_HIDDEN_MAP.search(line) for line in chain.lines)}
    told = _reached(told, hooked, {table for table in hooked.values() if table not in hiding})
    # That a chain accepts what none of its rules decides over is worth telling where it has some.
    with_rules = {rule.chain for rule in told if not _NFT_HOOK.match(rule.text)}
    return Ruleset(tuple(rule for rule in told if rule.chain in with_rules or rule.verdict == DROP), tuple(unclear))


def _is_foreign(chain: _Chain) -> bool:
    table = chain.table.partition(" ")[2]
    return chain.name.startswith(_FOREIGN) or table.startswith(_FOREIGN) or table == _FELIX_TABLE


def _chains(text: str) -> list[_Chain]:
    """The chains of tables that act, each with its rules in order."""
    found: list[_Chain] = []
    dormant: set[str] = set()
    table, inside, depth = "", False, 0  # depth: inside a set, map or the like
    for line in _joined(text):
        if depth:
            depth += line.count("{") - line.count("}")
        elif line.startswith("table "):
            table, inside = " ".join(line[len("table ") :].rstrip("{ ").split()), False
        elif line == "}":
            inside = False
        elif line.startswith("chain ") and line.endswith("{"):
            found.append(_Chain(table, line[len("chain ") : -1].strip().strip('"'), "", []))
            inside = True
        elif not inside and _NFT_OBJECTS.match(line) and line.endswith("{"):
            depth = 1
        elif not inside and line.startswith("flags ") and "dormant" in line:
            dormant.add(table)
        elif inside and _NFT_HOOK.match(line):
            found[-1] = found[-1]._replace(hook=line)
        elif inside:
            found[-1].lines.append(line)
    return [chain for chain in found if chain.table not in dormant]


def _without_map(line: str) -> t.Iterator[str]:
    """``udp dport vmap { 4789 : drop, 4800 : accept }`` as a rule for each element of the map."""
    found = _NFT_MAP.search(line)
    if found is None:
        yield line
        return
    for element in _elements(found.group(1)):
        key, _colon, verdict = _NFT_COUNTER.sub("", element).partition(" : ")
        yield f"{line[: found.start()]}{key.strip()} {verdict.strip()}{line[found.end() :]}"


def _joined(text: str) -> t.Iterator[str]:
    """Lines, without comments, and with those of a set in a rule in one."""
    held = ""
    for raw in text.splitlines():
        line = raw.strip()
        # A rule, which is indented, may begin with a "#", too: with the name of an extension of iptables.
        if not line or raw.startswith("#"):
            continue
        held = f"{held} {line}" if held else line
        unclosed = _QUOTED.sub("", held).count("{") > _QUOTED.sub("", held).count("}")
        if unclosed and not (held.endswith("{") and _NFT_BLOCK.match(held)):
            continue
        yield held
        held = ""


def _of_line(line: str, chain: _Chain, ports: t.Collection[int], sets: nft_sets.Sets) -> t.Iterator[FirewallRule]:
    """One rule for each protocol that the line names.

    :raises ValueError: what it matches cannot be told.
    """
    bare = _NFT_REJECT_WITH.sub("reject", _QUOTED.sub('""', _NFT_UNTOLD_REJECT.sub("reject", line)))
    decided = _NFT_VERDICT.search(re.sub(r"\{[^}]*\}", "{}", bare))
    if decided is None:
        return
    name, table = f"{chain.table} {chain.name}", chain.table
    rule = FirewallRule(NFTABLES, name, decided.group(1) or decided.group(2), target=(decided.group(3) or "").strip('"'))
    looked = nft_sets.looked_up(line, table, sets)
    if looked is not None:
        kept = [_kept(rule._replace(protocol=_protocol(each.protocol), ports=each.ports, text=each.line), ports, inverted=False) for each in looked]
        yield from (each for each in kept if each is not None)
        return
    named = _NFT_PORTS.search(bare)
    inverted = named is not None and bool(named.group(1))
    of_rule = nft_sets.ports_of(_elements(named.group(2)), table, sets) if named is not None else ()
    if named is not None and not of_rule and not inverted:
        return  # of a set without elements no packet is
    header = _NFT_HEADER.search(bare)
    several = _NFT_PROTOCOL.search(bare)
    protocols = [_protocol(each) for each in _elements(several.group(2))] if several is not None and not several.group(1) else []
    if header is not None:
        protocols = [header.group(1)]
    text = nft_sets.with_excepted(line, table, sets) if inverted else line
    for each in protocols or [""]:
        one = _kept(rule._replace(protocol=each, ports=of_rule, text=text), ports, inverted)
        if one is not None:
            yield one


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
