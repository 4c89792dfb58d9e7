# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Address ranges: parsing what people and programs write, normalising it, and comparing sets of it.

Nothing here raises on bad text: what is no CIDR becomes a *problem* in words, since one broken value of one object must not
hide what all the other objects say.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import typing as t

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

IPV4 = "ipv4"
IPV6 = "ipv6"
FAMILIES = (IPV4, IPV6)

_SEPARATORS = re.compile(r"[\s,]+")
_QUOTES = "\"'`"
_LEADING_ZERO = re.compile(r"(?:^|\.)0[0-9]")
_SHOWN_CHARACTERS = 60


class ParsedCidrs(t.NamedTuple):
    """What a text says.

    :param networks: the ranges in order of first appearance, each once, host bits cleared.
    :param problems: one sentence for each piece that is no range. Empty when every piece was understood.
    :param notes: one sentence for each piece that was understood only after it had been normalised.
    """

    networks: tuple[Network, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def cidrs(self) -> tuple[str, ...]:
        """The ranges as text, normalised."""
        return tuple(str(network) for network in self.networks)

    def of(self, family: str) -> tuple[Network, ...]:
        """The ranges of one address family (``ipv4`` or ``ipv6``)."""
        return of_family(self.networks, family)


def parse_cidrs(text: str | t.Iterable[str] | None) -> ParsedCidrs:
    """Read every CIDR of a text (or of several texts), separated by commas or white space, quoted or not.

    Accepted and normalised with a note: host bits set (``10.42.7.1/16``), IPv4-mapped IPv6 (``::ffff:10.42.0.0/112``).
    Refused with a problem: an address without a prefix length (it would silently become a /32), leading zeros (octal to some
    parsers and decimal to others; Go's ``net/netip`` refuses them, too), netmask notation, zones, ``/0`` (no cluster has the
    whole address space), and anything else that is no CIDR. Never raises.

    :param text: a text, an iterable of texts, or None, which is as good as an empty one.
    """
    texts = (text,) if isinstance(text, str) else tuple(text or ())
    networks: dict[Network, None] = {}
    problems: dict[str, None] = {}
    notes: dict[str, None] = {}
    for piece in (piece for entry in texts for piece in _SEPARATORS.split(str(entry))):
        bare = piece.strip(_QUOTES)
        if not bare:
            continue
        network, problem, note = _parse_one(bare)
        if network is not None:
            networks.setdefault(network)
        if problem:
            problems.setdefault(problem)
        if note:
            notes.setdefault(note)
    return ParsedCidrs(tuple(networks), tuple(problems), tuple(notes))


def _parse_one(piece: str) -> tuple[Network | None, str, str]:
    """:returns: (network or None, problem, note)"""
    shown = _shown(piece)
    address, slash, prefix = piece.partition("/")
    if not slash:
        what = "an address without a prefix length" if parse_address(address) is not None else "no CIDR"
        return None, f"{shown} is {what}", ""
    if not (prefix.isascii() and prefix.isdigit()) or (len(prefix) > 1 and prefix.startswith("0")):
        return None, f"{shown} is no CIDR: its prefix length is not a plain number", ""
    if _LEADING_ZERO.search(address.rpartition(":")[2] if "." in address else ""):
        return None, f"{shown} has leading zeros, which some programs read as octal: write the address without them", ""
    parsed = parse_address(address, unmap=False)
    if parsed is None or len(prefix) > 3 or int(prefix) > parsed.max_prefixlen:
        return None, f"{shown} is no CIDR", ""
    if int(prefix) == 0:
        return None, f"{shown} is the whole address space, not the range of a cluster", ""
    network = ipaddress.ip_network((parsed, int(prefix)), strict=False)
    mapped = _unmapped(network)
    if mapped is not None:
        return mapped, "", f"{shown} is an IPv4-mapped IPv6 range: read as {mapped}"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return None, f"{shown} is an IPv4-mapped IPv6 range that holds all of IPv4 or more", ""
    if network.network_address != parsed:
        return network, "", f"{shown} has host bits set: read as {network}"
    return network, "", ""


def _unmapped(network: Network) -> Network | None:
    if not isinstance(network, ipaddress.IPv6Network) or network.prefixlen <= 96 or network.network_address.ipv4_mapped is None:
        return None
    return ipaddress.IPv4Network((int(network.network_address.ipv4_mapped), network.prefixlen - 96))


def _shown(piece: str) -> str:
    # repr() keeps terminal escapes and line breaks of hostile values out of messages.
    return repr(piece if len(piece) <= _SHOWN_CHARACTERS else piece[:_SHOWN_CHARACTERS] + "…")


@functools.lru_cache(maxsize=16384)  # the same nodes' and pods' addresses, asked for by one check after the other
def parse_address(text: str, *, unmap: bool = True) -> Address | None:
    """One IP address, None when the text is none. IPv4-mapped IPv6 becomes IPv4 unless ``unmap`` is False."""
    if "%" in text or _LEADING_ZERO.search(text if ":" not in text else ""):
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if unmap and isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def family_of(item: Network | Address) -> str:
    """``ipv4`` or ``ipv6``."""
    return IPV4 if item.version == 4 else IPV6


def of_family(networks: t.Iterable[Network], family: str) -> tuple[Network, ...]:
    return tuple(network for network in networks if family_of(network) == family)


def collapse(networks: t.Iterable[Network]) -> tuple[Network, ...]:
    """The same addresses in the fewest ranges: sorted, IPv4 first. Two sets are equal when their collapsed forms are."""
    everything = tuple(networks)
    collapsed: list[Network] = []
    for family in FAMILIES:
        collapsed.extend(ipaddress.collapse_addresses(of_family(everything, family)))  # type: ignore[type-var]
    return tuple(collapsed)


def covers(outer: t.Iterable[Network], inner: t.Iterable[Network]) -> bool:
    """True when every address of ``inner`` is one of ``outer``, also where only several ranges of ``outer`` together hold it.

    An empty ``inner`` is covered by anything.
    """
    ranges = collapse(outer)
    return all(any(_within(network, other) for other in ranges) for network in inner)


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def same(left: t.Iterable[Network], right: t.Iterable[Network]) -> bool:
    """True when both are the same set of addresses, however it is cut into ranges."""
    return collapse(left) == collapse(right)


def overlap(left: t.Iterable[Network], right: t.Iterable[Network]) -> tuple[tuple[Network, Network], ...]:
    """Every pair, one range of each side, that has an address in common."""
    others = tuple(right)
    return tuple(
        (network, other) for network in left for other in others if network.version == other.version and network.overlaps(other)
    )


def holds(networks: t.Iterable[Network], address: Address) -> bool:
    """True when the address lies in one of the ranges."""
    return any(address.version == network.version and address in network for network in networks)
