# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The journal of a run: what every object was before it was written, kept twice, so that a run can be undone after anything.

On the controller, in ``DIRECTORY/RUN/CLUSTER.jsonl`` (mode 0600): a line of JSON before each write, with the whole object as it was, and one after it.
In the cluster, in ConfigMap ``fathom-submariner-journal-RUN``: the same entries without the whole objects, only with what undoes the write.
An entry that was intended and never done tells that the run was killed in between: the object itself says whether it was written.
The ConfigMap is what numbers the entries, since every writer has that one, wherever its files are.
Neither copy holds a secret: its value is replaced by a mark, and whoever rolls back is told what cannot be put back.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import clean
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._kube._write import create, merge_patch
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import (
    CREATE,
    DELETE,
    DONE,
    FAILED,
    INTENDED,
    PATCH,
    RESTART,
    SUBCTL_JOIN,
    UNDONE,
    history,
    read_data,
    read_lines,
)

__all__ = ("CREATE", "DELETE", "DONE", "FAILED", "INTENDED", "PATCH", "RESTART", "SUBCTL_JOIN", "UNDONE", "Entry", "Journal")

PREFIX = "fathom-submariner-journal-"
LABEL_RUN = f"{DOMAIN}/run"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "fathom.submariner"

_RUN = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # a label's value, and the end of a ConfigMap's name
_ATTEMPTS = 10  # to get a number, while somebody else writes the journal of the same run
_FULL = 700_000  # bytes of a ConfigMap after which the next one is begun: etcd takes about 1 MiB of one object


class Entry(t.NamedTuple):
    """One write, before it is made.

    :param verb: CREATE, PATCH, DELETE, or RESTART for a pod, which nothing can put back and something else replaces; SUBCTL_JOIN for what that program did.
    :param path: of the object at the API server.
    :param object: for people, such as ``Installation default``.
    :param before: the object as it was, without secrets; None where there was none.
    :param patch: what is sent, without secrets.
    :param undo: merge patch that undoes a PATCH, without secrets; None for other verbs.
    :param remedy: the module that writes.
    :param irreversible: what of it no rollback can put back, for people; "" where ``undo`` or the verb tells all.
    """

    verb: str
    path: str
    object: str
    uid: str
    resource_version: str
    before: t.Mapping[str, t.Any] | None
    patch: t.Mapping[str, t.Any] | None
    undo: t.Mapping[str, t.Any] | None
    remedy: str
    irreversible: str = ""


def require_run(run: str) -> str:
    """Return the id of a run where it can be one.

    :raises InputError: it cannot be part of an object's name.
    """
    if not _RUN.fullmatch(run):
        raise InputError(f"The run id {run!r} must be 1 to 63 lower-case letters, digits and dashes. Nothing was written.")
    return run


class Journal:
    """Of one run on one cluster.

    :ivar run: its id.
    """

    def __init__(self, member: Member, namespace: str, run: str, directory: str | None) -> None:
        self._member = member
        self._namespace = namespace
        self.run = run
        self._file = file_name(directory, run, member.name) if directory else None
        self._part = 0
        self._size = 0
        self._version = ""  # of the last ConfigMap, with all that it holds counted; "" where it is not known, or there is none
        self._next: int | None = None

    def intend(self, entry: Entry, deadline: Deadline) -> int:
        """Write an entry to both copies before the write itself; return its number.

        :raises SubmarinerError: it cannot be kept, so that nothing may be written.
        """
        line = {"state": INTENDED, "at": _now(), "run": self.run, "cluster": self._member.name, **entry._asdict()}
        short = {key: value for key, value in line.items() if key != "before" or entry.verb == DELETE}
        number = self._number(short, deadline)
        self._append({"n": number, **line, "before": clean(entry.before) or None})
        return number

    def _number(self, line: t.Mapping[str, t.Any], deadline: Deadline) -> int:
        """Write an entry to the cluster under a number that nobody else gets, and return that."""
        for dummy in range(_ATTEMPTS):
            if self._next is None:
                self._next = self._find_end(deadline)
            number = self._next
            try:
                self._keep(f"{number:05d}.{INTENDED}", {"n": number, **line}, deadline, alone=True)
                return number
            except ConflictError:
                self._next = None
        raise SubmarinerError(
            f"{self._member.name}: somebody else writes the journal of run {self.run} (ConfigMap {self._namespace}/{config_map_name(self.run, self._part)}) "
            "again and again, so nothing more was written to this cluster. Look whether the same run was started twice."
        )

    def mark(self, number: int, state: str, after: t.Mapping[str, t.Any] | None, why: str, deadline: Deadline) -> None:
        """Note what became of an entry: DONE with the object as it is, FAILED with the reason, or UNDONE by a rollback."""
        metadata = (after or {}).get("metadata") or {}
        line: dict[str, t.Any] = {
            "n": number,
            "state": state,
            "at": _now(),
            "uid": metadata.get("uid", ""),
            "resource_version": metadata.get("resourceVersion", ""),
        }
        if why:
            line["why"] = why
        self._append({**line, "after": clean(after) or None})
        self._keep(f"{number:05d}.{state}", line, deadline)

    def written_paths(self, deadline: Deadline) -> set[str]:
        """The paths of the objects that the run has written here, as far as the cluster's copy tells."""
        parts = enumerate(read_parts(self._member, self._namespace, self.run, deadline))
        lines = [line for part, data in parts for line in read_data(data, config_map_name(self.run, part))[0]]
        return {record.path for record in history(None, lines).records if record.state != FAILED}

    def _append(self, line: t.Mapping[str, t.Any]) -> None:
        if self._file is None:
            return
        try:
            os.makedirs(os.path.dirname(self._file), mode=0o700, exist_ok=True)
            handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(json.dumps(line, sort_keys=True) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise SubmarinerError(
                f"The journal {self._file} cannot be written ({error.strerror}), so nothing more was written to {self._member.name}."
            ) from error

    def _keep(self, key: str, line: t.Mapping[str, t.Any], deadline: Deadline, *, alone: bool = False) -> None:
        """Write a line to the cluster.

        :param alone: only where nobody else has written since what is there was counted.
        :raises ConflictError: somebody has.
        """
        text = json.dumps(line, sort_keys=True)
        if self._size and self._size + len(text) > _FULL:
            self._part, self._size, self._version = self._part + 1, 0, ""
        name = config_map_name(self.run, self._part)
        collection = f"/api/v1/namespaces/{self._namespace}/configmaps"
        try:
            if not self._version and (alone or get_object(self._member.connection, f"{collection}/{name}", deadline) is None):
                labels = {LABEL_MANAGED_BY: MANAGER, LABEL_RUN: self.run}
                body = {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": name, "namespace": self._namespace, "labels": labels},
                    "data": {key: text},
                }
                stored = create(self._member.connection, collection, body, deadline=deadline)
            else:
                version = self._version if alone else None
                stored = merge_patch(self._member.connection, f"{collection}/{name}", {"data": {key: text}}, resource_version=version, deadline=deadline)
        except KubeError as error:
            if alone and isinstance(error, ConflictError):
                raise
            raise SubmarinerError(
                f"{self._member.name}: the journal, ConfigMap {self._namespace}/{name}, cannot be written, so nothing more was written to this cluster. "
                f"{error.message} Another namespace can be chosen with state_namespace."
            ) from error
        last = self._count(stored)
        if self._next is not None:
            self._next = max(self._next, last + 1)

    def _count(self, found: t.Mapping[str, t.Any]) -> int:
        """Remember a ConfigMap as the one to go on with; return the highest number in it."""
        data = found.get("data") or {}
        self._size, self._version = sum(map(len, data.values())), str(found["metadata"].get("resourceVersion") or "")
        return max([0, *(int(number) for number in (key.partition(".")[0] for key in data) if number.isdecimal())])

    def _find_end(self, deadline: Deadline) -> int:
        """The number after the last one of this run, and the ConfigMap to go on with: the run may have been killed, or be at its tenth task.

        Of both copies: a number that one of them has already must not become another write's where somebody has removed the other.
        """
        last = max([0, *(line["n"] for line in read_lines(read_file(self._file) or "", self._file)[0])]) if self._file else 0
        self._part, self._size, self._version = 0, 0, ""
        for self._part, found in enumerate(_read_config_maps(self._member, self._namespace, self.run, deadline)):
            last = max(last, self._count(found))
        return last + 1


def file_name(directory: str, run: str, cluster: str) -> str:
    """The controller's copy of the journal of a run on a cluster."""
    return os.path.join(directory, run, f"{cluster.replace(os.sep, '_')}.jsonl")


def read_file(path: str) -> str | None:
    """The text of a controller's copy; None where there is none.

    :raises InputError: it is there and cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The journal {path} cannot be read: {error}. Give another journal_dir.") from error


def config_map_name(run: str, part: int) -> str:
    """A run's id has no dot, so that no other run's name can end like the number of a part."""
    return f"{PREFIX}{run}" + (f".{part}" if part else "")


def read_parts(member: Member, namespace: str, run: str, deadline: Deadline) -> list[dict[str, str]]:
    """Return the data of the ConfigMaps of a run, in their order; [] where it has written nothing."""
    return [dict(found.get("data") or {}) for found in _read_config_maps(member, namespace, run, deadline)]


def _read_config_maps(member: Member, namespace: str, run: str, deadline: Deadline) -> list[dict[str, t.Any]]:
    parts: list[dict[str, t.Any]] = []
    while True:
        found = get_object(member.connection, f"/api/v1/namespaces/{namespace}/configmaps/{config_map_name(run, len(parts))}", deadline)
        if found is None:
            return parts
        parts.append(found)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
