# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The sets of nftables that rules look a destination port up in: those with a name, and those of several fields (concatenations, nft(8))."""

from __future__ import annotations

import re
import typing as t

MOST_ELEMENTS = 20000  # of one set; one with more counts as not read
_FIELD = r"(?:(?:meta|ip6?|tcp|udp|udplite|sctp|dccp|th|ether|ct|vlan) )?[\w-]+"
_CONCATENATION = re.compile(rf"(?<!\S)(?P<fields>{_FIELD}(?: \. {_FIELD})+) (?P<not>!= )?(?P<set>\{{[^}}]*\}}|@\S+)")
_PORTS = re.compile(r"\bdport (?:!= )?(@\S+)")
_OTHER_THAN_PORTS = re.compile(r"(\bdport != )(@\S+)")
_PROTOCOLS = ("meta l4proto", "ip protocol", "ip6 nexthdr")
_QUOTED = re.compile(r'"[^"]*"')
_OF_ELEMENT = re.compile(r' (?:(?:timeout|expires) \S+|counter packets \d+ bytes \d+|comment "[^"]*"|limit rate .*)')

# Elements by table and name of the set, such as ``("inet filter", "tunnel_ports")``.
Sets = t.Mapping[t.Tuple[str, str], t.Sequence[str]]


class Looked(t.NamedTuple):
    """What a rule with a concatenation matches, of one protocol.

    :param protocol: as the rule names it, empty for any.
    :param ports: of the destination, empty for any; that of a set that was not read is its name.
    :param line: the rule; where nothing but protocol and port is looked up, with two matches in place of the concatenation.
    """

    protocol: str
    ports: tuple[str, ...]
    line: str


def named_sets(line: str) -> t.Iterator[str]:
    """The sets, without ``@``, that a rule looks a destination port up in."""
    found = _CONCATENATION.search(line)
    if found is not None and " dport" in found["fields"] and found["set"].startswith("@"):
        yield found["set"][1:]
    for name in _PORTS.findall(line):
        yield name[1:]


def elements(text: str) -> tuple[str, ...] | None:
    """What ``nft list set`` prints; None where it holds too many, or is none."""
    flat = " ".join(text.split())
    if not re.match(r"table \S+ \S+ \{ set ", flat):
        return None
    inside = re.search(r"\belements = \{([^}]*)\}", _QUOTED.sub('""', flat))
    found = of_set(inside[1]) if inside is not None else ()
    return found if len(found) <= MOST_ELEMENTS else None


def of_set(text: str) -> tuple[str, ...]:
    """``{ a, b timeout 1h }`` without what is no part of the values."""
    pieces = _QUOTED.sub('""', text).strip("{} ").split(",")
    return tuple(_OF_ELEMENT.sub("", f" {each.strip()}").strip() for each in pieces if each.strip())


def ports_of(ports: t.Sequence[str], table: str, sets: Sets) -> tuple[str, ...]:
    """With the elements of a named set that was read in place of its name."""
    return tuple(port for each in ports for port in sets.get((table, each[1:]) if each.startswith("@") else ("", ""), (each,)))


def with_excepted(line: str, table: str, sets: Sets) -> str:
    """A rule for all ports but those of a named set, with those where they were read: no field has them."""

    def shown(found: t.Match[str]) -> str:
        known = sets.get((table, found[2][1:]))
        return found[0] if known is None else f"{found[1]}{{ {', '.join(known)} }}"

    return _OTHER_THAN_PORTS.sub(shown, line)


def looked_up(line: str, table: str, sets: Sets) -> tuple[Looked, ...] | None:
    """What a rule with a concatenation matches; None for one without, or of fields that are neither protocol nor port.

    :raises ValueError: it cannot be told.
    """
    found = _CONCATENATION.search(line)
    fields = found["fields"].split(" . ") if found is not None else []
    protocol_at = next((at for at, field in enumerate(fields) if field in _PROTOCOLS), None)
    port_at = next((at for at, field in enumerate(fields) if field.endswith(" dport")), None)
    if found is None or (protocol_at is None and port_at is None):
        return None
    if found["not"]:
        raise ValueError(line)
    header = fields[port_at].partition(" ")[0] if port_at is not None else "th"
    usual = "" if header == "th" else header
    named = found["set"].startswith("@")
    values = sets.get((table, found["set"][1:])) if named else of_set(found["set"])
    if values is None:
        return (Looked(usual, (found["set"],) if port_at is not None else (), line),)
    ports: dict[str, dict[str, None]] = {}
    for value in values:
        parts = value.split(" . ")
        if len(parts) != len(fields):
            raise ValueError(line)
        of_protocol = ports.setdefault(parts[protocol_at] if protocol_at is not None else usual, {})
        if port_at is not None:
            of_protocol[parts[port_at]] = None
    plain = len(fields) == 2 and protocol_at is not None and port_at is not None
    return tuple(Looked(each, tuple(own), _plain(line, found, each, own) if plain else line) for each, own in ports.items())


def _plain(line: str, found: t.Match[str], protocol: str, ports: t.Iterable[str]) -> str:
    return f"{line[: found.start()]}meta l4proto {protocol} th dport {{ {', '.join(ports)} }}{line[found.end() :]}"
