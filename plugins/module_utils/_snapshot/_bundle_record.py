# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Noting down what a live cluster answers, while it is read for a snapshot: the raw objects that the snapshot is made of, without secrets."""

from __future__ import annotations

import json
import threading
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection, Usage
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, ListResult, read_all
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import TARGETS, Target
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import Question, Single, object_file
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import MOST_BYTES
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import Redactor
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction_addresses import Pseudonyms

LogPiece = t.Tuple[str, str, str, bool, bool]  # namespace, pod, container, previous, whether it is the end
# Who wrote which field tells who looks after an object; of these nobody asks.
_WITHOUT_MANAGERS = frozenset(
    ("nodes", "pods", "events", "services", "namespaces", "network_policies", "endpoints", "submariner_clusters", "gateways", "route_agents", "ipam_blocks")
)
_OTHER_PODS = "pods/others"
_POD_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "ownerReferences")
_POD_SPEC = ("nodeName", "hostNetwork")
_POD_STATUS = ("phase", "podIP", "podIPs", "startTime", "reason", "message", "conditions")
_CONTAINER_STATUS = ("name", "ready", "restartCount")


class Slot(t.NamedTuple):
    """Where an object stands in the spool."""

    offset: int
    length: int


class Cleaner:
    """What an object and a text go through before they are noted."""

    def __init__(self, redactor: Redactor | None, pseudonyms: Pseudonyms | None) -> None:
        self._redactor, self._pseudonyms = redactor, pseudonyms

    def object(self, obj: t.Any) -> t.Any:
        cleaned = self._redactor.object(obj) if self._redactor is not None else obj
        return self._pseudonyms.object(cleaned) if self._pseudonyms is not None else cleaned

    def text(self, text: str) -> str:
        cleaned = self._redactor.text(text) if self._redactor is not None else text
        return self._pseudonyms.text(cleaned) if self._pseudonyms is not None else cleaned

    def words(self, text: str) -> str:
        """The API's own words, such as an error's."""
        cleaned = self._redactor.known(text) if self._redactor is not None else text
        return self._pseudonyms.text(cleaned) if self._pseudonyms is not None else cleaned

    def line(self, line: bytes) -> bytes:
        """A noted object again, now that all secrets of the cluster have been met."""
        return self._redactor.known(line.decode("utf-8"), escaped=True).encode("utf-8") if self._redactor is not None else line


class Recorder:
    """Stands between a snapshot's reader and a connection."""

    def __init__(self, connection: Connection, spool: t.BinaryIO, cleaner: Cleaner) -> None:
        self._connection = connection
        self._spool = spool
        self._end = 0
        self._lock = threading.Lock()
        self.cleaner = cleaner
        self.server = connection.server
        self.label = connection.label
        self.name = connection.name
        self.questions: dict[str, Question] = {}
        self.slots: dict[str, tuple[Slot, ...]] = {}
        self.singles: dict[str, Single] = {}
        self.logs: dict[LogPiece, str | KubeError] = {}

    def usage(self) -> Usage:
        return self._connection.usage()

    def read_lists(self, requests: t.Sequence[ListRequest], deadline: Deadline) -> dict[str, ListResult]:
        """As ``read_all``, noting every object that a record was made of."""
        results = read_all(self._connection, [request._replace(project=self._noting(request)) for request in requests], deadline)
        answers = {}
        for request in requests:
            result = results[request.key]
            self.slots[request.key] = tuple(slot for _record, slot in result.items)
            self.questions[request.key] = Question(
                request.path,
                result.state,
                result.where,
                self.cleaner.words(result.detail),
                result.error.status if result.error is not None else 0,
                result.partial,
                object_file(request.key) if result.items else "",
                len(result.items),
            )
            answers[request.key] = replace(result, items=tuple(record for record, _slot in result.items))
        return answers

    def _noting(self, request: ListRequest) -> t.Callable[[dict[str, t.Any]], t.Any]:
        target = TARGETS[request.key]

        def project(obj: dict[str, t.Any]) -> t.Any:
            record = request.project(obj)
            return None if record is None else (record, self._note(target, obj, record))

        return project

    def _note(self, target: Target, obj: t.Mapping[str, t.Any], record: t.Any) -> Slot:
        kind = str(obj.get("kind") or "") or _kind_of(target, record)
        whole = {"apiVersion": target.api_version, **({"kind": kind} if kind else {}), **trimmed(target, obj)}
        line = json.dumps(self.cleaner.object(whole), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        with self._lock:
            slot = Slot(self._end, len(line))
            self._spool.seek(slot.offset)
            self._spool.write(line)
            self._end += len(line)
        return slot

    def lines(self, key: str) -> t.Iterator[bytes]:
        """The objects noted for a question, each as JSON on one line."""
        for slot in self.slots.get(key, ()):
            self._spool.seek(slot.offset)
            yield self.cleaner.line(self._spool.read(slot.length))

    def request(self, method: str, path: str, query: t.Mapping[str, t.Any] | None = None, **options: t.Any) -> dict[str, t.Any]:
        """As :meth:`Connection.request`, noting the answer.

        :raises KubeError: as there.
        """
        try:
            body = self._connection.request(method, path, query, **options)
        except KubeError as error:
            self.singles[path] = Single(None, error.state, self.cleaner.words(error.message), error.status)
            raise
        self.singles[path] = Single(self.cleaner.object(body))
        return body

    def request_text(self, path: str, query: t.Mapping[str, t.Any] | None = None, deadline: Deadline | None = None) -> str:
        """As :meth:`Connection.request_text`, for logs, noting the text.

        :raises KubeError: as there.
        """
        options = query or {}
        _empty, _api, _version, _namespaces, namespace, _pods, pod, _log = path.split("/")
        piece = (namespace, pod, str(options.get("container") or ""), bool(options.get("previous")), bool(options.get("tailLines")))
        try:
            text = self._connection.request_text(path, query, deadline)
        except KubeError as error:
            self.logs[piece] = error
            raise
        # Of an end more is asked for than is used.
        self.logs[piece] = text[-MOST_BYTES:] if piece[-1] else text
        return text


def trimmed(target: Target, obj: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The object without what no question asks of it: other people's workloads are theirs, and half of every object is book-keeping."""
    kept = dict(obj)
    metadata = dict(kept.get("metadata") or {})
    if target.field in _WITHOUT_MANAGERS:
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            metadata["annotations"] = {key: value for key, value in annotations.items() if not key.startswith("kubectl.kubernetes.io/last-applied")}
    kept["metadata"] = metadata
    if target.field == "nodes" and isinstance(kept.get("status"), dict):
        kept["status"] = {key: value for key, value in kept["status"].items() if key != "images"}
    if target.request.key == _OTHER_PODS:
        kept["metadata"] = _subset(metadata, _POD_METADATA)
        kept["spec"] = _subset(kept.get("spec"), _POD_SPEC)
        status = kept.get("status")
        kept["status"] = _subset(status, _POD_STATUS)
        statuses = status.get("containerStatuses") if isinstance(status, dict) else None
        if isinstance(statuses, list):
            kept["status"]["containerStatuses"] = [_subset(entry, _CONTAINER_STATUS) for entry in statuses]
    return kept


def _subset(found: t.Any, keys: t.Iterable[str]) -> dict[str, t.Any]:
    return {key: found[key] for key in keys if key in found} if isinstance(found, dict) else {}


def _kind_of(target: Target, record: t.Any) -> str:
    """Items of a list of a typed API carry no kind: the record knows it, but for Events, whose record names what they are about."""
    return "Event" if target.field == "events" else str(getattr(getattr(record, "ref", None), "kind", ""))
