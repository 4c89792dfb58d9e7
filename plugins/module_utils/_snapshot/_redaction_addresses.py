# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Pseudonyms for IP addresses that keep which address lies in which range.

The mapping preserves prefixes: two addresses have as many leading bits in common after it as before (J. Xu, J. Fan, M. Ammar, S. Moon, "Prefix-Preserving IP
Address Anonymization", ICNP 2002). So a /24 stays inside its /16, ranges that overlapped still do, and the verdicts on CIDRs stay what they are. The leading
bits that tell private, shared, link-local and documentation ranges apart are kept, for the same reason; loopback, multicast and 0.0.0.0 stay what they are.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import typing as t

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = re.compile(rf"(?<![\d.])(?P<address>{_OCTET}(?:\.{_OCTET}){{3}})(?:(?P<slash>[/-])(?P<length>3[0-2]|[12]?\d)(?![\d.]))?(?!\.?\d)")
# In names: submariner-cable-cluster-2-192-168-200-21, ip-10-0-3-7.ec2.internal. The last four of a row of numbers.
_DASHED = re.compile(rf"(?<!\d)(?P<address>{_OCTET}(?:-{_OCTET}){{3}})(?!-?\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?P<address>(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?P<slash>/(?P<length>\d{1,3}))?(?![\w:.])")
# Leading bits that are kept, by first octet; 8 for all others.
_KEPT = {172: 16, 192: 16, 198: 16, 203: 24, 169: 16, 100: 10}
_UNCHANGED = (0, 127, *range(224, 240), 255)
KEPT_V6 = 16


class Pseudonyms:
    """One mapping.

    :param key: the same key gives the same mapping, so that addresses of one clusterset agree over several bundles; whoever has it can undo the mapping.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._bits: dict[tuple[int, str], int] = {}

    def text(self, text: str) -> str:
        """``text`` with every address and CIDR replaced."""
        text = _IPV4.sub(self._v4, text)
        text = _DASHED.sub(lambda found: self._dashed(found.group("address")), text)
        return _IPV6.sub(self._v6, text) if ":" in text else text

    def object(self, node: t.Any) -> t.Any:
        """A copy of JSON with the addresses in its strings and keys replaced."""
        if isinstance(node, dict):
            return {self.text(key): self.object(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.object(entry) for entry in node]
        return self.text(node) if isinstance(node, str) else node

    def address(self, address: str) -> str:
        """The pseudonym of one address; what must stay recognisable stays."""
        parsed = ipaddress.ip_address(address)
        value, width = int(parsed), parsed.max_prefixlen
        first = value >> 24 if width == 32 else -1
        if first in _UNCHANGED or (width == 128 and (value >> 112 == 0 or value >> 120 == 0xFF)):
            return address
        kept = _KEPT.get(first, 8) if width == 32 else KEPT_V6
        mapped = self._mapped(value, width, kept)
        return str(ipaddress.IPv4Address(mapped) if width == 32 else ipaddress.IPv6Address(mapped))

    def _mapped(self, value: int, width: int, kept: int) -> int:
        bits = format(value, f"0{width}b")
        mapped = value
        for position in range(kept, width):
            if self._flips(width, bits[:position]):
                mapped ^= 1 << (width - 1 - position)
        return mapped

    def _flips(self, width: int, prefix: str) -> int:
        cached = self._bits.get((width, prefix))
        if cached is None:
            cached = hmac.new(self._key, f"{width}:{prefix}".encode(), hashlib.sha256).digest()[0] & 1
            if len(self._bits) < 1_000_000:
                self._bits[(width, prefix)] = cached
        return cached

    def cidr(self, address: str, length: int) -> str:
        """The pseudonym of ``address`` as it stands before ``/length``: host bits that were zero stay zero."""
        parsed = ipaddress.ip_address(address)
        width = parsed.max_prefixlen
        mapped = ipaddress.ip_address(self.address(address))
        hosts = (1 << (width - length)) - 1
        if int(parsed) & hosts == 0:
            mapped = type(mapped)(int(mapped) & ~hosts)
        return str(mapped)

    def _v4(self, found: re.Match[str]) -> str:
        address, slash, length = found.group("address"), found.group("slash"), found.group("length")
        if slash is None:
            return self._network_or_address(address)
        return f"{self.cidr(address, int(length))}{slash}{length}"

    def _network_or_address(self, address: str) -> str:
        """An address alone; one that ends in zeros, as the first of a range does, keeps them."""
        value = int(ipaddress.IPv4Address(address))
        zeros = next((bits for bits in (16, 8) if value & ((1 << bits) - 1) == 0), 0)
        return self.cidr(address, 32 - zeros)

    def _dashed(self, text: str) -> str:
        return self._network_or_address(text.replace("-", ".")).replace(".", "-")

    def _v6(self, found: re.Match[str]) -> str:
        address, length = found.group("address"), found.group("length")
        try:
            ipaddress.IPv6Address(address)
        except ValueError:
            return found.group()
        if length is None or int(length) > 128:
            return self.address(address) + (found.group("slash") or "")
        return f"{self.cidr(address, int(length))}/{length}"
