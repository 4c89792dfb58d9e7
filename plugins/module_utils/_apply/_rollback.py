# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Undoing a run on one cluster: newest write first, each put back by the fields that were written, nothing of anybody else's overwritten."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _journal as journalling
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Journal
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube import _write as kube
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after, missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, InvalidError, KubeError, NotFoundError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _undo as undoing
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import History, Record
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._order import KINDS
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._undo import Undo

MAINTENANCE = "node_maintenance"  # cordons, drains and hands the gateway over
_ATTEMPTS = 3  # to put one object back while something else writes other fields of it


class Rollback:
    """One rollback on one cluster; grows while it works, so that an error can still tell what was put back.

    :ivar lines: what was put back, or in check mode would be, a sentence each.
    :ivar cannot: what cannot be put back, a sentence each.
    :ivar refused: what somebody else has changed since.
    """

    def __init__(self, member: Member, journal: Journal, lease: Lease, deadline: Deadline, *, check_mode: bool, force: bool) -> None:
        self._member = member
        self._journal = journal
        self._lease = lease
        self._deadline = deadline
        self._check_mode = check_mode
        self._force = force
        self._seen: dict[str, dict[str, t.Any] | None] = {}  # in check mode: objects as this rollback would have left them
        self.locked = False
        self.changed = False
        self.lines: list[str] = []
        self.cannot: list[str] = []
        self.refused: list[str] = []
        self.diff: list[dict[str, t.Any]] = []

    def decide(self, found: History, remedy: str) -> list[tuple[Record, Undo]]:
        """What is to be done, newest first, each with the object as the rollback of the newer ones leaves it. Nothing is written.

        :param remedy: only what this module wrote; "" for all of it.
        :raises RefusedError: the two copies of the journal differ, so that neither can be trusted.
        """
        if found.problems and not self._force:
            told = "; ".join(found.problems[:5])
            raise RefusedError(f"{self._member.name}: the journal cannot be trusted: {told}. Nothing was written. force=true goes by the controller's file.")
        decided = []
        for record in reversed(found.records):
            if remedy and record.remedy != remedy:
                continue
            if record.state == undoing.journal.UNDONE or (record.state == undoing.journal.FAILED and record.verb != undoing.journal.SUBCTL_JOIN):
                continue
            current = self._read(record.path)
            decision = undoing.undo(record, current, force=self._force)
            self._seen[record.path] = _after(decision, current)
            decided.append((record, decision))
        self._seen.clear()
        return decided

    def disruptive(self, decided: t.Iterable[tuple[Record, Undo]]) -> list[str]:
        """What of it interrupts traffic: putting back what a disruptive remedy wrote is as disruptive as that was."""
        writes = (undoing.WRITE_PATCH, undoing.REMOVE, undoing.MAKE)
        roles = {MAINTENANCE, *(kind.role for kind in KINDS.values() if kind.disruptive)}
        told = [
            f"{record.object} is put back, which {record.remedy} wrote" for record, decision in decided if decision.action in writes and record.remedy in roles
        ]
        return told + [
            f"{record.object} is removed: without it, traffic with its range leaves masqueraded"
            for record, decision in decided
            if decision.action == undoing.REMOVE and record.remedy not in roles and "/ippools/" in record.path
        ]

    def carry_out(self, decided: t.Sequence[tuple[Record, Undo]]) -> None:
        """Do it. One that is refused does not keep the others, of other objects, from being put back.

        :raises SubmarinerError: a write failed.
        """
        held: set[str] = set()  # paths of which something newer could not be put back
        later = []
        for record, dummy in decided:
            if record.path in held:
                self.refused.append(f"{record.object} is left alone, since a newer write to it could not be put back")
                continue
            settled = False
            if self._overlapped(record):
                later.append(record)
            else:
                try:
                    settled = self._settle(record)
                except InvalidError:
                    later.append(record)
            if not settled:
                held.add(record.path)
        for record in later:  # what stood in the way may have been put back meanwhile
            overlapped = self._overlapped(record)
            if overlapped:
                self.cannot.append(overlapped)
                self._mark(record, Undo(undoing.CANNOT, reason=overlapped), None)
                continue
            try:
                self._settle(record)
            except InvalidError as error:
                self.refused.append(f"{record.object}: the API server refuses it as it was: {error.api_message or error.message}")

    def _overlapped(self, record: Record) -> str:
        """Why a pool that was deleted cannot come back, "" for all else."""
        if record.verb != undoing.journal.DELETE or "/ippools/" not in record.path or self._read(record.path) is not None:
            return ""
        collection = record.path.rpartition("/")[0]
        listed = self._member.connection.request("GET", collection, deadline=self._deadline).get("items") or ()
        return undoing.overlapped(record, [pool for pool in listed if self._remains(f"{collection}/{pool['metadata']['name']}")])

    def _remains(self, path: str) -> bool:
        """Whether an object is there; in check mode, whether this rollback would have left it."""
        return self._seen.get(path, {}) is not None

    def _settle(self, record: Record) -> bool:
        """Put one entry back; return whether older ones of the same object may be."""
        for attempt in range(_ATTEMPTS):
            found = self._read(record.path)
            decision = undoing.undo(record, found, force=self._force)
            if decision.lost:
                self.cannot.append(f"{record.object}: the values of {', '.join(decision.lost[:5])} are secrets, which no journal keeps")
            if decision.action == undoing.CANNOT:
                self.cannot.append(decision.reason)
            elif record.irreversible and decision.action in (undoing.WRITE_PATCH, undoing.NOTHING) and decision.mark and attempt == 0:
                self.cannot.append(record.irreversible)
            if decision.action == undoing.REFUSE:
                self.refused.append(decision.reason)
            if decision.action not in (undoing.WRITE_PATCH, undoing.REMOVE, undoing.MAKE):
                self._mark(record, decision, None)
                return decision.action not in (undoing.REFUSE, undoing.CANNOT) or record.verb in (undoing.journal.RESTART, undoing.journal.SUBCTL_JOIN)
            try:
                after = self._write(record, decision, found)
            except (ConflictError, NotFoundError):
                if attempt + 1 == _ATTEMPTS:
                    raise
                continue
            self._mark(record, decision, after)
            return True
        return False

    def _write(self, record: Record, decision: Undo, found: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
        connection = self._member.connection
        where = f"{self._member.name}: {record.object}"
        self._lock()
        if decision.action == undoing.REMOVE:
            metadata = t.cast(dict, found)["metadata"]
            if not (self._check_mode and record.path in self._seen):
                uid, version = metadata.get("uid"), metadata.get("resourceVersion")
                kube.delete(connection, record.path, uid=uid, resource_version=version, dry_run=self._check_mode, deadline=self._deadline)
            after = None
            said = f"{record.object} removed, which {record.remedy} had created"
        elif decision.action == undoing.MAKE:
            body = self._with_owners(record, t.cast(dict, decision.body))
            after = kube.create(connection, record.path.rpartition("/")[0], body, dry_run=self._check_mode, deadline=self._deadline)
            said = f"{record.object} created again, which {record.remedy} had deleted"
        else:
            patch = t.cast(dict, decision.body)
            if self._check_mode and record.path in self._seen:
                after = merged(found, patch)
            else:
                version = t.cast(dict, found)["metadata"].get("resourceVersion")
                after = kube.merge_patch(connection, record.path, patch, resource_version=version, dry_run=self._check_mode, deadline=self._deadline)
            said = f"{record.object} put back as it was before {record.remedy}"
            lost = missing_from(after, patch)
            if lost:
                self.changed = True
                done = "would be put back, and the API server would store" if self._check_mode else "was put back, and the API server stored"
                raise SubmarinerError(f"{where} {done} something else in {', '.join(lost[:5])}: an admission webhook or policy changes what is written.")
        self.changed = True
        self.lines.append(said)
        self.diff.append(before_after(_shown(found), _shown(after), where))
        if self._check_mode:
            self._seen[record.path] = after
        return after

    def _with_owners(self, record: Record, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """With the owners that still are who they were: an object whose owner is gone would be collected as garbage at once."""
        namespace = record.path.partition("/namespaces/")[2].partition("/")[0]
        kept = [dict(owner) for owner in undoing.owners(record) if self._owner_uid(owner, namespace) == owner.get("uid")]
        return {**body, "metadata": {**body["metadata"], "ownerReferences": kept}} if kept else body

    def _owner_uid(self, owner: t.Mapping[str, t.Any], namespace: str) -> str:
        version = str(owner.get("apiVersion") or "")
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            listed = self._member.connection.request("GET", base, deadline=self._deadline)
        except KubeError:
            return ""
        for resource in listed.get("resources") or ():
            if resource.get("kind") == owner.get("kind") and "/" not in resource["name"]:
                scope = f"/namespaces/{namespace}" if resource.get("namespaced") else ""
                found = get_object(self._member.connection, f"{base}{scope}/{resource['name']}/{owner.get('name')}", self._deadline)
                return str(((found or {}).get("metadata") or {}).get("uid") or "")
        return ""

    def _read(self, path: str) -> dict[str, t.Any] | None:
        return self._seen[path] if path in self._seen else get_object(self._member.connection, path, self._deadline)

    def _mark(self, record: Record, decision: Undo, after: dict[str, t.Any] | None) -> None:
        if self._check_mode or not decision.mark:
            return
        self._lock()
        self._journal.mark(record.n, journalling.UNDONE, after, decision.reason, Deadline(max(self._deadline.left(), 10.0)))

    def _lock(self) -> None:
        if self._check_mode:
            return
        if not self.locked:
            self._lease.acquire(self._deadline)
            self.locked = True
        self._lease.require()


def _after(decision: Undo, found: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
    """The object as a decision leaves it, as far as that can be told without asking the server."""
    if decision.action == undoing.REMOVE:
        return None
    if decision.action == undoing.MAKE:
        return dict(decision.body or {})
    return merged(found, decision.body or {}) if decision.action == undoing.WRITE_PATCH else found


def _shown(obj: t.Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    return None if obj is None else {key: value for key, value in obj.items() if key != "status"}
