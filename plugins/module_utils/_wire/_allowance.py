# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How many packets may still be sent, and how many were. Shared by the threads of one run."""

from __future__ import annotations

import threading


class Allowance:
    """
    :param packets: the bound; ``take`` never exceeds it.
    :ivar sent: packets taken so far.
    """

    def __init__(self, packets: int) -> None:
        self.most = packets
        self.sent = 0
        self._reservations = 0
        self._changed = threading.Condition()

    def take(self) -> bool:
        """Whether one more may be sent; it counts as sent then."""
        with self._changed:
            if self.sent >= self.most:
                return False
            self.sent += 1
            return True

    def give_back(self) -> None:
        """A packet that was taken and not sent."""
        with self._changed:
            self.sent -= 1
            self._changed.notify_all()

    def reserve(self, packets: int) -> bool:
        """Whether so many may be sent by somebody else than us, such as the kernel; they count as sent until ``settle`` tells how many were.

        Waits for other reservations to be settled where these stand in the way, since most need fewer packets than they reserve.
        """
        with self._changed:
            while self.sent + packets > self.most:
                if not self._reservations:
                    return False
                self._changed.wait()
            self.sent += packets
            self._reservations += 1
            return True

    def settle(self, reserved: int, sent: int) -> None:
        """Of a reservation, so many were sent."""
        with self._changed:
            self.sent += sent - reserved
            self._reservations -= 1
            self._changed.notify_all()
