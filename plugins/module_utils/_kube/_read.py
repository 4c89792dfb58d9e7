# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reading: many lists at once, page by page, each item projected as its page arrives."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import OK, KubeError, NotFoundError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._pages import OddObject

T = t.TypeVar("T")
R = t.TypeVar("R")

# More keep an API server no busier (measured with curl: eight transfers at a time are hardly sooner done than one after the other), and take memory.
LISTS_AT_ONCE = 4
PAGE_SIZES = (500, 500, 100)  # objects, of the first reading and of each further one; 500 is what kubectl asks for


class ListRequest(t.NamedTuple):
    """One list to read.

    :param key: under which the result is returned.
    :param path: of the collection, such as ``/api/v1/nodes``.
    :param project: from the object's JSON to the record that is kept; None leaves the item out.
    :param most: read no more than this many objects (at least), the first ones in the API's order; 0 reads all.
    """

    key: str
    path: str
    project: t.Callable[[dict[str, t.Any]], t.Any]
    label_selector: str = ""
    field_selector: str = ""
    most: int = 0


@dataclass(frozen=True)
class ListResult:
    """All items of a list (the first ``most`` ones where so many were asked for), or the error that says why there are none; never some of them."""

    items: tuple[t.Any, ...] = ()
    error: KubeError | None = None
    where: str = ""  # "GET /api/v1/nodes", for evidence
    resource_version: str = ""  # of the list, to watch from
    partial: bool = False  # there are more than the ``most`` that were asked for

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


def read_all(connection: Connection, requests: t.Sequence[ListRequest], deadline: Deadline, workers: int = LISTS_AT_ONCE) -> dict[str, ListResult]:
    """Read several lists at once and return each under its key. One list's failure is its own; nothing is raised for it.

    :param connection: what stands in for one and answers lists by itself (a bundle, or what notes down a live one's answers) has a ``read_lists``.
    :param workers: lists read at the same time.
    """
    stand_in = getattr(connection, "read_lists", None)
    if stand_in is not None:
        return t.cast("dict[str, ListResult]", stand_in(requests, deadline))
    results = in_parallel(lambda request: read_list(connection, request, deadline), requests, workers)
    return {request.key: result for request, result in zip(requests, results)}


def in_parallel(function: t.Callable[[T], R], arguments: t.Sequence[T], workers: int = 8) -> list[R]:
    """What ``function`` returns for each argument, in their order; at most ``workers`` calls run at the same time."""
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(arguments))), thread_name_prefix="submariner-read") as pool:
        return list(pool.map(function, arguments))


def read_list(connection: Connection, request: ListRequest, deadline: Deadline) -> ListResult:
    """Read one list whole, or return why not.

    A continue token lives about five minutes (etcd's compaction); when it has expired the list is read anew from its beginning:
    once as before, then in smaller pages, which a server in trouble answers sooner.
    """
    where = f"GET {request.path}"
    error: KubeError | None = None
    for page_size in PAGE_SIZES:
        try:
            items, version, partial = _read_pages(connection, request, page_size, deadline)
            return ListResult(items, None, where, version, partial)
        except KubeError as failure:
            error = failure
            if failure.status != 410:
                break
    return ListResult((), error, where)


def _read_pages(connection: Connection, request: ListRequest, page_size: int, deadline: Deadline) -> tuple[tuple[t.Any, ...], str, bool]:
    kept: list[t.Any] = []
    seen: set[str] = set()
    token = ""
    page_size = min(page_size, request.most or page_size)
    while True:
        query = {
            "limit": page_size,
            "labelSelector": request.label_selector,
            "fieldSelector": request.field_selector,
            "continue": token,
        }
        try:
            page = connection.request_page(request.path, query, request.project, deadline)
        except OddObject as odd:
            raise KubeError(f"{connection.label}: GET {request.path} returned an object {odd}. Look at it with kubectl get -o yaml.", status=200) from odd
        if not page.is_list:
            raise KubeError(f"{connection.label}: GET {request.path} was answered with a {page.kind}, not with a list.", status=200)
        several = bool(token or page.token)
        for uid, record in page.entries:
            if several and uid:
                if uid in seen:
                    continue
                seen.add(uid)
            kept.append(record)
        previous, token = token, page.token
        if not token or 0 < request.most <= len(kept):
            return tuple(kept), page.resource_version, bool(token)
        if token == previous:
            raise KubeError(f"{connection.label}: GET {request.path} gives the same page again and again (its continue token does not move).", status=200)


def get_object(connection: Connection, path: str, deadline: Deadline) -> dict[str, t.Any] | None:
    """Return the object's JSON, None where the object (not its kind) does not exist.

    :raises KubeError: it cannot be known.
    """
    try:
        return connection.request("GET", path, deadline=deadline)
    except NotFoundError:
        return None
