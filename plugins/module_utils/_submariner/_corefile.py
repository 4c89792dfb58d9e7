# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a Corefile says of forwarding: its server blocks, their zones, and where each forwards to.

The grammar is that of Caddy's files (https://coredns.io/manual/configuration/): labels and an opening brace begin a server block, plugins stand one in
a line, some with a block of their own, ``#`` begins a comment.
"""

from __future__ import annotations

import typing as t


class ServerBlock(t.NamedTuple):
    """``zones`` without port and trailing dot; the root zone is ".". ``forwards`` maps a plugin's zone to its targets."""

    zones: tuple[str, ...]
    forwards: tuple[tuple[str, tuple[str, ...]], ...]


class Corefile(t.NamedTuple):
    blocks: tuple[ServerBlock, ...]
    imports: tuple[str, ...]

    def targets(self, domain: str) -> tuple[str, ...] | None:
        """Where queries for ``domain`` are forwarded to: by the most specific server block for it. None where only the root zone's block would match."""
        best: ServerBlock | None = None
        length = 0
        for block in self.blocks:
            for zone in block.zones:
                if _within(domain, zone) and len(zone) > length and zone != ".":
                    best, length = block, len(zone)
        if best is None:
            return None
        return tuple(target for zone, targets in best.forwards for target in targets if zone == "." or _within(domain, zone))

    @property
    def root_targets(self) -> tuple[str, ...]:
        """Where everything else is forwarded to."""
        return tuple(target for block in self.blocks if "." in block.zones for zone, targets in block.forwards for target in targets if zone == ".")


def parse_corefile(text: str) -> Corefile:
    """Read a Corefile; what is not understood is passed over, since CoreDNS has plugins without end."""
    blocks: list[ServerBlock] = []
    imports: list[str] = []
    labels: list[str] = []
    zones: tuple[str, ...] = ()
    forwards: list[tuple[str, tuple[str, ...]]] = []
    depth = 0
    for line in text.splitlines():
        words = _words(line)
        opens, closes = words.count("{"), words.count("}")
        plain = [word for word in words if word not in ("{", "}")]
        if depth == 0:
            if plain[:1] == ["import"]:
                imports += plain[1:]
            elif plain:
                labels += plain
            if opens:
                zones, labels, forwards = tuple(_zone(label) for label in labels), [], []
        elif depth == 1 and plain:
            if plain[0] == "import":
                imports += plain[1:]
            elif plain[0] in ("forward", "proxy") and len(plain) > 2:
                forwards.append((_zone(plain[1]), tuple(_address(word) for word in plain[2:])))
        depth = max(depth + opens - closes, 0)
        if closes and depth == 0 and zones:
            blocks.append(ServerBlock(zones, tuple(forwards)))
            zones = ()
    return Corefile(tuple(blocks), tuple(imports))


def _words(line: str) -> list[str]:
    return line.split("#", 1)[0].replace(",", " ").split()


def _zone(label: str) -> str:
    bare = label.rpartition("://")[2]
    name, colon, port = bare.rpartition(":")
    host = name if colon and port.isdigit() else bare
    return host.rstrip(".").lower() or "."


def _address(target: str) -> str:
    """An upstream without scheme and port."""
    bare = target.rpartition("://")[2]
    if bare.startswith("["):
        return bare[1:].partition("]")[0]
    return bare.partition(":")[0] if bare.count(":") == 1 else bare


def _within(domain: str, zone: str) -> bool:
    return zone == "." or domain == zone or domain.endswith(f".{zone}")
