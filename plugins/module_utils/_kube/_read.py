# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reading: many lists at once, page by page, each item projected as its page arrives."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import OK, KubeError, NotFoundError, TimedOutError, UNAVAILABLE

PAGE_SIZE = 500  # objects; what kubectl asks for


class ListRequest(t.NamedTuple):
    """One list to read.

    :param key: under which the result is returned.
    :param path: of the collection, such as ``/api/v1/nodes``.
    :param project: from the object's JSON to the record that is kept; None leaves the item out.
    """

    key: str
    path: str
    project: t.Callable[[dict[str, t.Any]], t.Any]
    label_selector: str = ""
    field_selector: str = ""


@dataclass(frozen=True)
class ListResult:
    """All items of a list, or the error that says why there are none; never some of the items."""

    items: tuple[t.Any, ...] = ()
    error: KubeError | None = None
    where: str = ""  # "GET /api/v1/nodes", for evidence
    resource_version: str = ""  # of the list, to watch from

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def state(self) -> str:
        """``ok`` or the error's state: forbidden, not_served, unavailable, timed_out."""
        return OK if self.error is None else self.error.state

    @property
    def detail(self) -> str:
        return "" if self.error is None else self.error.message
