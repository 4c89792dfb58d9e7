# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Waiting for a collection of objects to look right: one list, then one watch, woken by events."""

from __future__ import annotations

import json
import queue
import threading
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._transport import Fault, Watch

Objects = t.List[t.Dict[str, t.Any]]

_LONGEST_WATCH = 300  # seconds, asked of the server; then the watch is opened anew
_SILENCE = 3.0  # times the connection's idle time: a server sends a bookmark each minute


def wait_for(
    connection: Connection,
    path: str,
    predicate: t.Callable[[Objects], bool | str],
    *,
    deadline: Deadline,
    what: str,
    label_selector: str = "",
    field_selector: str = "",
) -> Objects:
    """Return the objects of a collection as soon as ``predicate`` is True of them.

    A server that cannot be reached is waited for, too, until the deadline.

    :param path: of the collection.
    :param predicate: is given all objects, at once and after each change; returns True, or what is still missing, in words (or False).
    :param what: is awaited, as the rest of "waited for ...".
    :raises TimedOutError: says what was awaited and what was last seen; ``details["last_seen"]`` holds the latter.
    :raises KubeError: the collection may not be listed or watched, or does not exist.
    """
    watcher = _Watcher(connection, ListRequest("", path, dict, label_selector, field_selector), deadline)
    threading.Thread(target=watcher.run, name="submariner-watch", daemon=True).start()
    objects: dict[tuple[str, str], dict[str, t.Any]] = {}
    verdict: bool | str = False
    try:
        while True:
            for kind, content in watcher.changes(deadline):
                _apply(objects, kind, content)
            verdict = predicate(list(objects.values()))
            if verdict is True:
                return list(objects.values())
    except queue.Empty:
        raise _timed_out(connection, path, what, deadline, watcher, objects, verdict) from None
    finally:
        watcher.stop()


def _apply(objects: dict[tuple[str, str], dict[str, t.Any]], kind: str, content: t.Any) -> None:
    if kind == "FAILED":
        raise content
    if kind == "LIST":
        objects.clear()
        objects.update((_key(obj), obj) for obj in content)
    elif kind == "DELETED":
        objects.pop(_key(content), None)
    else:
        objects[_key(content)] = content


def _key(obj: t.Mapping[str, t.Any]) -> tuple[str, str]:
    metadata = obj.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _timed_out(
    connection: Connection, path: str, what: str, deadline: Deadline, watcher: _Watcher, objects: t.Mapping[t.Any, t.Any], verdict: bool | str
) -> TimedOutError:
    if not watcher.listed:
        seen = "nothing: the objects could not be read"
    else:
        names = ", ".join("/".join(part for part in key if part) for key in sorted(objects)[:10])
        seen = (verdict if isinstance(verdict, str) and verdict else f"{len(objects)} objects{f' ({names})' if names else ''}").rstrip(".")
    trouble = f" The API server's last trouble: {watcher.trouble.message}" if watcher.trouble else ""
    return TimedOutError(
        f"{connection.label}: waited {deadline.seconds:g} s for {what} (WATCH {path}). Last seen: {seen}.{trouble}",
        last_seen=seen,
    )


class _Watcher:
    """Lists once and watches on, in a thread of its own, whose end nobody waits for; what it learns goes into a queue."""

    def __init__(self, connection: Connection, request: ListRequest, deadline: Deadline) -> None:
        self._connection = connection
        self._request = request
        self._deadline = deadline
        self._changes: queue.SimpleQueue[tuple[str, t.Any]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._watch: Watch | None = None
        self._version = ""  # to watch from; "" when the list must be read (anew)
        self.listed = False
        self.trouble: KubeError | None = None  # why nothing is being heard at the moment

    def changes(self, deadline: Deadline) -> list[tuple[str, t.Any]]:
        """Block until there is a change, and return all that have come.

        :raises queue.Empty: none came before the deadline.
        """
        found = [self._changes.get(timeout=deadline.left())]
        while not self._changes.empty():
            found.append(self._changes.get())
        return found

    def stop(self) -> None:
        self._stopped.set()
        watch = self._watch
        if watch is not None:
            watch.interrupt()

    def run(self) -> None:
        failures = 0
        while not self._stopped.is_set() and not self._deadline.expired:
            try:
                if not self._version:
                    self._list()
                failures = 0 if self._follow() else failures + 1
            except TimedOutError as error:
                self.trouble = error
                return  # the waiter's own clock ends the wait
            except KubeError as error:
                if error.status == 410:
                    self._version = ""
                elif not error.transient:
                    self._changes.put(("FAILED", error))
                    return
                self.trouble = error
                failures += 1
            if failures:
                self._stopped.wait(min(self._connection.patience.pause(failures), self._deadline.left()))

    def _list(self) -> None:
        result = read_list(self._connection, self._request, self._deadline)
        if result.error is not None:
            raise result.error
        self._version = result.resource_version
        self.listed = True
        self._changes.put(("LIST", result.items))

    def _follow(self) -> bool:
        """Put events into the queue until the watch ends; False where it ended so soon that opening another at once would be a busy loop."""
        connection, request = self._connection, self._request
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": max(1, int(min(self._deadline.left(), _LONGEST_WATCH))),
            "labelSelector": request.label_selector,
            "fieldSelector": request.field_selector,
        }
        began, heard = time.monotonic(), False
        self._watch = connection.open_watch(request.path, query, self._deadline, connection.patience.idle * _SILENCE)
        self.trouble = None
        try:
            for line in self._watch.lines() if not self._stopped.is_set() else ():
                if line.strip():
                    self._take(line)
                    heard = True
        except Fault:
            pass  # silence, or a cut: go on from the last version
        finally:
            self._watch.close()
        return heard or time.monotonic() - began > connection.patience.first_pause

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            kind, obj = event["type"], event["object"]
            version = str((obj.get("metadata") or {}).get("resourceVersion") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"{self._connection.label}: WATCH {self._request.path} was answered with something that is no event."
            raise KubeError(message, status=200, transient=True) from None
        if kind == "ERROR":
            # 410: the version is too old. Anything else that ends a watch is cured by a new list, too.
            self._version = ""
            raise KubeError(f"{self._connection.label}: WATCH {self._request.path} was ended: {obj.get('message')}", status=410)
        self._version = version or self._version
        if kind != "BOOKMARK":
            self._changes.put((kind, obj))
