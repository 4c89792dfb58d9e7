# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which sizes to try next: a binary search for the largest packet that arrives, helped by what routers say. Sends nothing.

It assumes what holds of every path between two hosts at one moment: a size that arrives means that smaller ones do.
"""

from __future__ import annotations

import math
import typing as t

HINTS = 4  # next-hop MTUs that the search follows; a router that invents them costs no more than so many


class Search:
    """Ask ``following()`` for a size, try it, ``tell`` what came of it, until it is None.

    :param least: bytes of the smallest packet to try; when it is lost, nothing larger is tried.
    :param most: bytes of the largest.
    :ivar arrived: largest size known to arrive; None when none is.
    :ivar lost: smallest size known not to; None when none is.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least = min(least, most)
        self._most = most
        self._hinted = 0
        self._wishes: list[int] = []
        self.arrived: t.Optional[int] = None
        self.lost: t.Optional[int] = None

    def following(self) -> t.Optional[int]:
        """The next size to try; None when the search is over."""
        if self.arrived is None:
            return self._least if self.lost is None else None
        if self.lost is None:
            return self._most if self.arrived < self._most else None
        while self._wishes:
            wish = self._wishes.pop(0)
            if self.arrived < wish < self.lost:
                return wish
        return (self.arrived + self.lost) // 2 if self.lost - self.arrived > 1 else None

    def tell(self, size: int, arrived: bool, hint: t.Optional[int] = None) -> None:
        """What came of a size that ``following`` named.

        :param hint: next-hop MTU that somebody on the way named. It and the size after it are tried first, since a router may err or be one of several.
        """
        if arrived:
            self.arrived = size
        else:
            self.lost = size
        if hint and self._hinted < HINTS:
            self._hinted += 1
            self._wishes[:0] = [hint, hint + 1]


def most_sizes(least: int, most: int) -> int:
    """Sizes that a search tries at the most, both ends included."""
    return 2 + 2 * HINTS + (math.ceil(math.log2(most - least)) if most > least else 0)


def most_packets(least: int, most: int, tries: int) -> int:
    """Packets that a search sends at the most when a size is given up after so many."""
    return tries * most_sizes(least, most)
