# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Ranges that nobody uses yet, for a cluster that is still to be built."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, collapse

# RFC 1918, the large block first; RFC 6598 (100.64.0.0/10) is left out, since clouds and tunnels use it for themselves.
PRIVATE: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
UNIQUE_LOCAL: tuple[Network, ...] = (ipaddress.ip_network("fd00::/8"),)  # RFC 4193
MOST_PROPOSED = 256


def free_ranges(used: t.Iterable[Network], prefix: int, count: int = 1, within: t.Sequence[Network] = PRIVATE) -> tuple[Network, ...]:
    """The first ``count`` ranges of ``prefix`` bits that overlap nothing in use, nor each other.

    Within one block they ascend; the blocks are searched in their order. Fewer are returned where there are no more.

    :param used: ranges of any size and family.
    :param prefix: length of the prefix that each must have.
    :raises ValueError: ``prefix`` is no length of the family of ``within``, or ``count`` is not between 0 and MOST_PROPOSED.
    """
    if not 0 <= count <= MOST_PROPOSED:
        raise ValueError(f"count {count} is not between 0 and {MOST_PROPOSED}")
    taken = collapse(used)
    found: list[Network] = []
    for block in within:
        if not 0 <= prefix <= block.max_prefixlen:
            raise ValueError(f"{prefix} is no prefix length of {block}")
        for network in _in_block(taken, prefix, block):
            if len(found) == count:
                return tuple(found)
            found.append(network)
    return tuple(found[:count])


def _in_block(taken: t.Sequence[Network], prefix: int, block: Network) -> t.Iterator[Network]:
    """The free ranges of one block, ascending. What is taken is passed in one step, whatever its size."""
    if prefix < block.prefixlen:
        return
    size = 1 << (block.max_prefixlen - prefix)
    obstacles = sorted((int(one.network_address), int(one.broadcast_address)) for one in taken if one.version == block.version and one.overlaps(block))
    start, last, position = int(block.network_address), int(block.broadcast_address), 0
    while start + size - 1 <= last:
        while position < len(obstacles) and obstacles[position][1] < start:
            position += 1
        if position < len(obstacles) and obstacles[position][0] <= start + size - 1:
            beyond = obstacles[position][1] + 1
            start = -(-beyond // size) * size
            continue
        made: Network = ipaddress.ip_network((start, prefix)) if block.version == 4 else ipaddress.IPv6Network((start, prefix))
        yield made
        start += size
