# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How much probing costs at the most: packets, bytes and seconds, reckoned before anything is sent.

All figures are upper bounds. A search that meets no loss sends each size once; one that meets losses repeats them, and waits for each.
"""

from __future__ import annotations

import math
import typing as t

SMALLEST = 68  # bytes; RFC 791 section 3.2: every link of IPv4 carries a datagram of so many
HINTS = 4  # next-hop MTUs named by routers that a search follows, with two sizes for each
SMALL_EXCHANGE = 10  # packets of a short exchange over TCP, both directions: opening, a line each way, closing, each acknowledged
LARGE_SEGMENT = 500  # bytes; segments of a large exchange are reckoned as small as a clamped connection over a bad path makes them
HEADERS = 60  # bytes of IPv6 and TCP on top of each segment; of IPv4 and UDP fewer


class Budget(t.NamedTuple):
    """:param packets: sent and answered.
    :param bytes: of IP packets, headers included.
    :param seconds: of the slowest node; the nodes probe at the same time.
    """

    packets: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Probing(t.NamedTuple):
    """What one node is asked to do.

    :param searches: path MTU searches: addresses times protocols.
    :param exchanges: exchanges with a responder: addresses times protocols times sizes.
    :param largest: bytes of the largest packet that a search tries.
    :param large: bytes of a large exchange.
    :param throughput_bytes: bound of one throughput measurement, 0 for none; ``throughput_seconds`` its bound in time.
    :param packets: the module's own bound on packets of all searches of this node, 0 for none; ``exchange_packets`` that on packets of all exchanges.
    """

    searches: int = 0
    exchanges: int = 0
    largest: int = 1500
    large: int = 16384
    throughputs: int = 0
    throughput_bytes: int = 0
    throughput_seconds: float = 0.0
    timeout: float = 1.0
    retries: int = 2
    workers: int = 8
    packets: int = 400
    exchange_packets: int = 2000


def steps(largest: int, smallest: int = SMALLEST) -> int:
    """The sizes that a search tries between two sizes at the most: both of them, a binary search, and what routers' answers make it try besides."""
    return 2 + 2 * HINTS + math.ceil(math.log2(max(1, largest - smallest)))


def of_node(probing: Probing) -> Budget:
    """What one node sends and receives, and how long it takes.

    Each size of a search is sent once and, lost, ``retries`` more times; what arrives comes back in the same size.
    """
    attempts = steps(probing.largest) * (1 + probing.retries)
    sent = _bounded(probing.searches * attempts, probing.packets)
    rounds = math.ceil(probing.searches / max(1, probing.workers))
    of_exchange = SMALL_EXCHANGE + 2 * math.ceil(probing.large / LARGE_SEGMENT)
    exchanged = _bounded(probing.exchanges * of_exchange, probing.exchange_packets)
    size = HEADERS + LARGE_SEGMENT
    measured = 2 * math.ceil(probing.throughput_bytes / LARGE_SEGMENT) if probing.throughput_bytes else 0
    waits = math.ceil(probing.exchanges / max(1, probing.workers)) * (1 + probing.retries) * probing.timeout
    return Budget(
        2 * sent + exchanged + probing.throughputs * measured,
        2 * sent * probing.largest + exchanged * size + probing.throughputs * measured * size,
        rounds * attempts * probing.timeout + waits + probing.throughputs * (probing.throughput_seconds + probing.timeout),
    )


def of_all(nodes: t.Iterable[Probing]) -> Budget:
    """What all nodes cost together: packets and bytes add up, the time is the slowest node's."""
    packets, size, seconds = 0, 0, 0.0
    for each in map(of_node, nodes):
        packets, size, seconds = packets + each.packets, size + each.bytes, max(seconds, each.seconds)
    return Budget(packets, size, seconds)


def described(budget: Budget, nodes: int) -> str:
    """One sentence for a person."""
    return (
        f"At most {budget.packets} packets and {budget.bytes / 1e6:.1f} MB in all, sent and received by {nodes} nodes at the same time, "
        f"for {math.ceil(budget.seconds)} seconds where every packet is lost."
    )


def _bounded(packets: int, most: int) -> int:
    return min(packets, most) if most else packets
