# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Many addresses in few ranges."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Address, Network, collapse, of_family

MOST_RANGES = 32


def in_few_ranges(addresses: t.Iterable[Address], most: int = MOST_RANGES) -> tuple[Network, ...]:
    """Ranges that hold all of ``addresses``, at most ``most`` of each family.

    As long as they are few, exactly those addresses; else one bit after the other is given up at the end of every address, so that neighbours join.
    """
    exact = collapse({_single(address) for address in addresses})
    result: list[Network] = []
    for family in ("ipv4", "ipv6"):
        ranges = of_family(exact, family)
        while len(ranges) > most:
            longest = max(network.prefixlen for network in ranges)
            ranges = collapse(network.supernet(new_prefix=longest - 1) if network.prefixlen == longest else network for network in ranges)
        result += ranges
    return tuple(result)


def _single(address: Address) -> Network:
    return ipaddress.ip_network(address)
