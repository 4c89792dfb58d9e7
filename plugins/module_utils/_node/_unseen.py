# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Keeping the list of what could not be seen, while one thing after another is read."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Unseen

T = t.TypeVar("T")


class Sight:
    """What has not been seen so far."""

    def __init__(self) -> None:
        self._unseen: dict[str, str] = {}

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        return tuple(Unseen(what, why) for what, why in self._unseen.items())

    def miss(self, what: str, why: str) -> None:
        """Note that ``what``, a dotted field of the document, was not seen. Of several reasons the first stands."""
        self._unseen.setdefault(what, why)

    def of(self, what: str, read: t.Callable[[], T], otherwise: T, absent: T | None = None) -> T:
        """What ``read`` returns; ``otherwise``, and a note, when it cannot.

        :param absent: what it means that there is no such file or program; without one that is a note as well.
        """
        try:
            return read()
        except Unreadable as error:
            if error.absent and absent is not None:
                return absent
            self.miss(what, error.why)
            return otherwise
