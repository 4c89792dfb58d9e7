# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One total deadline for a whole task, and a way to keep it whatever the network does."""

from __future__ import annotations

import threading
import time
import typing as t
from concurrent import futures

T = t.TypeVar("T")


class DeadlineExpired(Exception):
    """A call was abandoned because its deadline passed. Private to ``_kube``: becomes a TimedOutError with words."""


class Deadline:
    """A moment on the monotonic clock.

    :param seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        return self.left() == 0.0


def call_within(deadline: Deadline, function: t.Callable[[], T]) -> T:
    """Return what ``function`` returns, or raise DeadlineExpired when that takes too long.

    A socket's timeout bounds one read, not their sum: a peer that sends a byte a second outlives any of them, and
    name resolution and credential plugins have none at all. So the call runs in a daemon thread, which is left behind when
    the deadline passes; ``function`` must have no effect any more once ``deadline.expired`` is true.
    """
    if deadline.expired:
        raise DeadlineExpired()
    outcome: futures.Future[T] = futures.Future()

    def run() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # pylint: disable=broad-except
            outcome.set_exception(error)

    threading.Thread(target=run, name="submariner-call", daemon=True).start()
    done, dummy = futures.wait([outcome], timeout=deadline.left())
    if not done:
        raise DeadlineExpired()
    return outcome.result()
