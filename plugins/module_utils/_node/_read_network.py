# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Links, addresses, routes, rules, listeners and the firewall of a host."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_firewall as firewall
from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_nft_sets as nft_sets
from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_routes as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._ethtool import Features
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_links import links as links_of
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_sockets import listeners, that_matter
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_system import number
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_system import sysctl_path
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    LOADABLE,
    MISSING,
    FirewallRule,
    Listener,
    NodeLink,
    NodeRoute,
    NodeRule,
)

# A node of a big cluster with BGP has a route for each block of every other node.
MOST_ROUTES = 4000
MOST_RULES = 400
MOST_SETS = 20
_UP = 0x1  # IFF_UP
# The ends of pods' links, of which a node has hundreds: their features are the pod's own.
_WORKLOADS = ("cali",)
_ABSENT = (LOADABLE, MISSING)
_FAMILIES = (("iptables", "ip"), ("ip6tables", "ip6"))
_OF_NFT = re.compile(r"nf_tables|xtables-save")  # the latter before 1.8.5


def read_links(host: Host, sight: Sight, features: Features | None = None) -> tuple[NodeLink, ...]:
    try:
        found = links_of(host.output(["ip", "-j", "-d", "address", "show"]))
    except Unreadable as error:
        found = _links_of_sysfs(host, sight)
        for what in ("links.addresses", "links.kind", "links.vxlan", "links.parent"):
            sight.miss(what, error.why)
    asked = features or Features(host)
    acting = sight.of("links.rp_filter", lambda: number(host.text(sysctl_path("net.ipv4.conf.all.rp_filter"))), None, absent=-1)
    return tuple(_with_settings(host, sight, link, asked, acting) for link in found)


def _links_of_sysfs(host: Host, sight: Sight) -> tuple[NodeLink, ...]:
    found = []
    for name in sight.of("links", lambda: host.names("/sys/class/net"), ()):
        folder = f"/sys/class/net/{name}"
        if not host.exists(f"{folder}/ifindex"):  # bonding_masters is a file
            continue
        try:
            flags = int(host.text(f"{folder}/flags").strip() or "0", 16)
            index, mtu = number(host.text(f"{folder}/ifindex")), number(host.text(f"{folder}/mtu"))
            mac = host.text(f"{folder}/address").strip()
        except (Unreadable, ValueError) as error:
            sight.miss(f"links.{name}", str(error))
            continue
        found.append(NodeLink(name, index or 0, mtu or 0, up=bool(flags & _UP), running=_has_carrier(host, folder), mac=mac))
    return tuple(sorted(found, key=lambda link: link.index))


def _has_carrier(host: Host, folder: str) -> bool:
    try:
        return host.text(f"{folder}/carrier").strip() == "1"
    except Unreadable:  # the kernel answers EINVAL for a link that is down
        return False


def _with_settings(host: Host, sight: Sight, link: NodeLink, features: Features, acting: int | None) -> NodeLink:
    def sysctl(name: str) -> int | None:
        return sight.of("links.rp_filter", lambda: number(host.text(sysctl_path(name, link.name))), None, absent=-1)

    own = sysctl("net.ipv4.conf.%.rp_filter")
    forwarding = sysctl("net.ipv4.conf.%.forwarding")
    offloads: dict[str, bool] = {}
    if not link.name.startswith(_WORKLOADS):
        offloads = sight.of("links.offloads", lambda: features.of(link.name), {})
    try:
        driver = host.link(f"/sys/class/net/{link.name}/device/driver").rpartition("/")[2]
    except Unreadable:  # it is no card
        driver = ""
    return link._replace(
        driver=driver,
        rp_filter=_known(own),
        rp_filter_acting=max(own, acting) if _known(own) is not None and acting is not None and acting >= 0 else None,
        forwarding=bool(forwarding) if _known(forwarding) is not None else None,
        offloads=offloads,
    )


def _known(value: int | None) -> int | None:
    """Without IPv4 on a link it has no such setting."""
    return None if value is None or value < 0 else value


def read_rules(host: Host, sight: Sight) -> tuple[NodeRule, ...]:
    found: list[NodeRule] = []
    for family in (4, 6):
        found += sight.of("rules", lambda family=family: parse.rules(host.output(["ip", "-j", f"-{family}", "rule", "show"]), family), ())
    return tuple(found)


def read_routes(host: Host, sight: Sight, rules: t.Sequence[NodeRule]) -> tuple[NodeRoute, ...]:
    """Of tables main, 149, 150 and those that a rule leads to, IPv4's before IPv6's."""
    wanted = parse.wanted_tables(rules)
    found: list[NodeRoute] = []
    for family in (4, 6):
        argv = ["ip", "-j", f"-{family}", "route", "show", "table", "all"]
        every = sight.of("routes", lambda family=family, argv=tuple(argv): parse.routes(host.output(argv), family), ())
        found += [route for route in every if route.table in wanted and not route.destination.startswith("fe80::")]
    if len(found) > MOST_ROUTES:
        sight.miss("routes", f"there are {len(found)}: the first {MOST_ROUTES} are here")
    return tuple(found[:MOST_ROUTES])


def read_listeners(host: Host, sight: Sight, ports: t.Collection[int]) -> tuple[Listener, ...]:
    found: list[Listener] = []
    for protocol in ("tcp", "udp"):
        found += sight.of("listeners", lambda protocol=protocol: listeners(host.text(f"/proc/net/{protocol}"), protocol), ())
        # A kernel without IPv6 has no such file.
        path = f"/proc/net/{protocol}6"
        found += sight.of("listeners", lambda path=path, protocol=protocol: listeners(host.text(path), protocol), (), absent=())
    return that_matter(found, ports)


def read_firewall(host: Host, sight: Sight, modules: t.Mapping[str, str], ports: t.Collection[int]) -> tuple[FirewallRule, ...]:
    """:param modules: states by name. Where a kernel has no nf_tables, or no ip_tables, there are no rules of theirs, and asking for them would load it."""
    found: list[FirewallRule] = []
    if modules.get("nf_tables") not in _ABSENT:
        found += _read_nf_tables(host, sight, ports)
    for prefix, family in _FAMILIES:
        if _has_legacy_tables(host, modules, prefix):
            saved = _saved(host, sight, f"{prefix}-legacy-save", f"{prefix}-save")
            if saved is None:
                sight.miss("firewall.iptables", f"{prefix} has tables, and there is no program {prefix}-save")
            found += firewall.iptables_rules(saved or "", family, ports)
    found = list(dict.fromkeys(found))
    if len(found) > MOST_RULES:
        sight.miss("firewall", f"of {len(found)} rules that matter the first {MOST_RULES} are here")
    return tuple(found[:MOST_RULES])


def _read_nf_tables(host: Host, sight: Sight, ports: t.Collection[int]) -> tuple[FirewallRule, ...]:
    """By nft, which shows all that is there; iptables' nft variant tells only of rules that it has made itself, and of others less than they say."""
    saved = {family: _saved_of_nft(host, prefix, sight) for prefix, family in _FAMILIES}
    ruleset = _ruleset(host, sight)
    if ruleset is None:
        for text in saved.values():
            if "is incompatible, use 'nft' tool" in text:
                sight.miss("firewall", "iptables-nft-save cannot show rules that were made with nft, and nft did not show them")
        return tuple(rule for family, text in saved.items() for rule in firewall.iptables_rules(text, family, ports))
    chains = {name: lines for family, text in saved.items() for name, lines in firewall.saved_chains(text, family).items()}
    found = firewall.nftables_rules(ruleset, ports, chains, _sets(host, firewall.sets_of_ports(ruleset)))
    if found.unclear:
        sight.miss("firewall", f"{len(found.unclear)} rules decide over ports by a map or a set that they do not show: {found.unclear[0]}")
    return found.rules


def _sets(host: Host, asked: t.Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The elements of sets of ports, one by one: the list of rules is without all sets'. Of a set that was not read its rule keeps the name."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for table, name in asked[:MOST_SETS]:
        try:
            elements = nft_sets.elements(host.output(["nft", "list", "set", *table.split(), name]))
        except Unreadable:
            continue
        if elements is not None:
            found[table, name] = elements
    return found


def _saved_of_nft(host: Host, prefix: str, sight: Sight) -> str:
    """What iptables' nft variant prints, empty where it is not the one that is installed."""
    found = _saved(host, sight, f"{prefix}-nft-save")
    if found is None:
        found = _saved(host, sight, f"{prefix}-save") or ""
        return found if _OF_NFT.search(found) else ""
    return found


def _saved(host: Host, sight: Sight, *programs: str) -> str | None:
    """What the first of these programs that is installed writes, empty where it failed; None where there is none."""
    for program in programs:
        try:
            return host.output([program], timeout=15.0)
        except Unreadable as error:
            if not error.absent:
                sight.miss("firewall", error.why)
                return ""
    return None


def _has_legacy_tables(host: Host, modules: t.Mapping[str, str], prefix: str) -> bool:
    """Whether there are tables of the legacy iptables: they come into being when they are first asked for, and a file that root may read names them."""
    module = "ip6_tables" if prefix == "ip6tables" else "ip_tables"
    try:
        return bool(host.text(f"/proc/net/{module}_names").strip())
    except Unreadable as error:
        return not error.absent and modules.get(module) not in _ABSENT


def _ruleset(host: Host, sight: Sight) -> str | None:
    """Without the elements of sets, of which Calico's nftables dataplane has thousands; nft before 0.9.1 does not know how. None where nft does not answer."""
    try:
        return host.output(["nft", "-t", "list", "ruleset"], timeout=15.0)
    except Unreadable as error:
        if error.absent:
            sight.miss("firewall.nftables", "there is no program nft to ask nf_tables with")
            return None
    return sight.of("firewall", lambda: host.output(["nft", "list", "ruleset"], timeout=15.0), None)
