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

PAGE_SIZES = (500, 500, 100)  # objects, of the first reading and of each further one; 500 is what kubectl asks for


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


def read_all(connection: Connection, requests: t.Sequence[ListRequest], deadline: Deadline, workers: int = 8) -> dict[str, ListResult]:
    """Read several lists at once and return each under its key. One list's failure is its own; nothing is raised for it.

    :param workers: lists read at the same time; API priority and fairness gives a user about that many seats.
    """
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(requests))), thread_name_prefix="submariner-read") as pool:
        running = [(request.key, pool.submit(read_list, connection, request, deadline)) for request in requests]
        return {key: future.result() for key, future in running}


def read_list(connection: Connection, request: ListRequest, deadline: Deadline) -> ListResult:
    """Read one list whole, or return why not.

    A continue token lives about five minutes (etcd's compaction); when it has expired the list is read anew from its beginning:
    once as before, then in smaller pages, which a server in trouble answers sooner.
    """
    where = f"GET {request.path}"
    error: KubeError | None = None
    for page_size in PAGE_SIZES:
        try:
            items, version = _read_pages(connection, request, page_size, deadline)
            return ListResult(items, None, where, version)
        except KubeError as failure:
            error = failure
            if failure.status != 410:
                break
    return ListResult((), error, where)


def _read_pages(connection: Connection, request: ListRequest, page_size: int, deadline: Deadline) -> tuple[tuple[t.Any, ...], str]:
    kept: list[t.Any] = []
    seen: set[str] = set()
    token = ""
    while True:
        query = {
            "limit": page_size,
            "labelSelector": request.label_selector,
            "fieldSelector": request.field_selector,
            "continue": token,
        }
        page = connection.request("GET", request.path, query, deadline=deadline)
        items = page.get("items") or []  # a nil slice in Go is null
        if not str(page.get("kind", "")).endswith("List") or not isinstance(items, list):
            raise KubeError(f"{connection.label}: GET {request.path} was answered with a {page.get('kind')}, not with a list.", status=200)
        metadata = page.get("metadata") or {}
        several = bool(token or metadata.get("continue"))
        for item in items:
            uid = (item.get("metadata") or {}).get("uid", "") if several else ""
            if uid in seen:
                continue
            if uid:
                seen.add(uid)
            record = _projected(connection, request, item)
            if record is not None:
                kept.append(record)
        previous, token = token, str(metadata.get("continue") or "")
        if not token:
            return tuple(kept), str(metadata.get("resourceVersion") or "")
        if token == previous:
            raise KubeError(f"{connection.label}: GET {request.path} gives the same page again and again (its continue token does not move).", status=200)


def _projected(connection: Connection, request: ListRequest, item: dict[str, t.Any]) -> t.Any:
    try:
        return request.project(item)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        metadata = item.get("metadata") or {} if isinstance(item, dict) else {}
        name = "/".join(str(part) for part in (metadata.get("namespace"), metadata.get("name")) if part)
        raise KubeError(
            f"{connection.label}: GET {request.path} returned an object {name or '(without a name)'} that is not shaped as its API says "
            f"({type(error).__name__}: {error}). Look at it with kubectl get -o yaml.",
            status=200,
        ) from error


def get_object(connection: Connection, path: str, deadline: Deadline) -> dict[str, t.Any] | None:
    """Return the object's JSON, None where the object (not its kind) does not exist.

    :raises KubeError: it cannot be known.
    """
    try:
        return connection.request("GET", path, deadline=deadline)
    except NotFoundError:
        return None
