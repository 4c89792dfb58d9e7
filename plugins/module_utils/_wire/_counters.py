# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How many packets this host's kernel threw away because their checksum was wrong: the mark of broken checksum offload somewhere on the way."""

from __future__ import annotations

import typing as t

FILES = ("/proc/net/snmp", "/proc/net/snmp6")
# Names in the kernel's tables to ours; see snmp_counter.rst of the kernel's documentation.
NAMES = {"Udp.InCsumErrors": "udp", "Tcp.InCsumErrors": "tcp", "Icmp.InCsumErrors": "icmp", "Udp6InCsumErrors": "udp", "Icmp6InCsumErrors": "icmp"}


def parse(text: str) -> t.Dict[str, int]:
    """``{"udp": 3, ...}`` of /proc/net/snmp (two lines a table) or /proc/net/snmp6 (one line a counter)."""
    found: t.Dict[str, int] = {}
    heads: t.Dict[str, t.List[str]] = {}
    for words in (line.split() for line in text.splitlines()):
        if len(words) == 2 and not words[0].endswith(":"):
            pairs = [(words[0], words[1])]
        elif words and words[0] in heads:
            table = words[0][:-1]
            pairs = [(f"{table}.{name}", value) for name, value in zip(heads.pop(words[0]), words[1:])]
        else:
            heads[words[0] if words else ""] = words[1:]
            pairs = []
        for name, value in pairs:
            if name in NAMES and value.lstrip("-").isdigit():
                found[NAMES[name]] = found.get(NAMES[name], 0) + int(value)
    return found


def checksum_errors() -> t.Dict[str, int]:
    """Since this host's network (its namespace) began; a table that cannot be read adds nothing."""
    total: t.Dict[str, int] = {}
    for path in FILES:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found = parse(file.read())
        except OSError:
            continue
        for name, value in found.items():
            total[name] = total.get(name, 0) + value
    return total


def since(before: t.Mapping[str, int], after: t.Mapping[str, int]) -> t.Dict[str, int]:
    """What was added, without those that stayed."""
    return {name: value - before.get(name, 0) for name, value in after.items() if value > before.get(name, 0)}


def told(added: t.Mapping[str, int]) -> str:
    """In words: ``3 udp, 1 tcp``."""
    return ", ".join(f"{value} {name}" for name, value in sorted(added.items()))
