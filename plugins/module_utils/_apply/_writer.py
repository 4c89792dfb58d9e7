# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The one way by which a remedy writes: predicted by the API server, journalled, on the version that it was computed from.

In check mode only the prediction is asked for, so that its diff is what the real run's diff will be.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _journal as journalling
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Entry, Journal
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import content, differing, inverse, merged, shown
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube import _write as kube
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after, clean, missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import NOT_SERVED, ConflictError, InvalidError, KubeError, UncertainError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._evict import EvictionBlockedError, evict
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import FIELD_MANAGER
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._following import REACHED, is_among, may_follow

_ATTEMPTS = 4  # of one patch, while controllers write the status of the object
_NO_DRY_RUN = "does not support dry run"  # apiserver pkg/admission/plugin/webhook/errors: a webhook with side effects

Object = t.Dict[str, t.Any]


class Writer:
    """Writes to one cluster on behalf of one remedy. ``diff``, ``warnings`` and ``preconditions`` grow while it works.

    :ivar changed: whether anything was, or in check mode would be, written.
    :ivar locked: whether it holds the cluster's lock.
    :ivar preconditions: what the remedy was computed from: the first state of every object that it read.
    :param expected: preconditions of a plan, which must still hold when an object is first read; those of other objects are ignored.
    """

    def __init__(
        self, member: Member, remedy: str, journal: Journal, lease: Lease, deadline: Deadline, *, check_mode: bool, expected: t.Sequence[Object] = ()
    ) -> None:
        self.member = member
        self.check_mode = check_mode
        self.deadline = deadline
        self.changed = False
        self.diff: list[Object] = []
        self.warnings: list[str] = []
        self.preconditions: list[Object] = []
        self._remedy = remedy
        self._journal = journal
        self._lease = lease
        self.locked = False
        self._expected = {str(each["path"]): each for each in expected}
        self._seen: set[str] = set()
        self._kept: dict[str, Object] = {}  # by path, what must stand there at the end
        self._written: dict[str, Object | None] = {}  # in check mode: what is there no more, or would be there

    @property
    def extent(self) -> str:
        """How far it got, as a sentence for an error."""
        return "Nothing more was written." if self.changed and not self.check_mode else "Nothing was written."

    def require_preconditions(self, *, for_good: bool = False) -> None:
        """Look at every object that the plan was made of, before anything is written.

        :param for_good: do not compare them again when the remedy first reads them: subctl may have changed them by then.
        :raises RefusedError: one has changed since; names the fields.
        :raises KubeError: one cannot be read.
        """
        for path in self._expected:
            try:
                found = get_object(self.member.connection, path, self.deadline)
            except KubeError as error:
                if error.state != NOT_SERVED:
                    raise
                found = None  # no object can be there without its API
            if for_good:
                self._note(path, found)
            else:
                self._compare(path, found)

    def read(self, path: str) -> Object | None:
        """Return an object, None where there is none; in check mode as this task would have left it.

        :raises RefusedError: it is not any more what the plan was made of; names the fields.
        :raises KubeError: it cannot be read.
        """
        if path in self._written:
            return self._written[path]
        found = get_object(self.member.connection, path, self.deadline)
        self._note(path, found)
        return found

    def create(self, path: str, body: Object) -> Object:
        """Create an object in the collection ``path``, and return it.

        :raises ConflictError: it exists meanwhile.
        :raises InvalidError: the server refuses it.
        :raises SubmarinerError: the server would store, or has stored, something else.
        """
        name = body["metadata"]["name"]
        own = f"{path}/{name}"
        self._note(own, None)
        if self.check_mode and self._inside_of_new(path):
            predicted = body  # the server would only say that there is no such namespace
        else:
            predicted = self._predict(lambda: kube.create(self.member.connection, path, body, dry_run=True, deadline=self.deadline), body)
        self._require_predicted(body, predicted, body)
        self._show(None, predicted, body)
        if self.check_mode:
            self._written[own] = predicted
            return predicted
        entry = Entry(journalling.CREATE, own, _named(body), "", "", None, clean(body), None, self._remedy)
        return self._carry_out(entry, body, lambda: kube.create(self.member.connection, path, body, deadline=self.deadline))

    def patch(self, path: str, found: Object, patch: Object, *, irreversible: str = "", one_way: bool = False) -> Object:
        """Apply a merge patch to an object as it was read, and return it; does nothing where it has all of it already.

        :param irreversible: what goes with it that no rollback can put back, a sentence for people.
        :param one_way: no rollback is to undo it.
        :raises ConflictError: the object has changed since it was read.
        :raises InvalidError: the server refuses the change.
        :raises SubmarinerError: the server would store, or has stored, something else.
        """
        self._note(path, found)
        if not missing_from(found, patch):
            return found
        if self.check_mode and path in self._written:
            predicted = merged(found, patch)  # of an object that this task would have made or changed before
        else:
            predicted = self._predict(lambda: self._merge(path, found, patch, dry_run=True), merged(found, patch))
        self._require_predicted(found, predicted, patch)
        self._show(found, predicted, found)
        if self.check_mode:
            self._written[path] = predicted
            return predicted
        undo = {} if one_way else shown(inverse(found, patch), found)
        entry = self._entry(journalling.PATCH, path, found, shown(patch, found), undo)._replace(irreversible=irreversible)
        return self._carry_out(entry, patch, lambda: self._merge(path, found, patch))

    def delete(self, path: str, found: Object, *, restart: bool = False) -> None:
        """Delete an object as it was read.

        :param restart: a pod, in whose place another one comes, or what was only made for a while: nothing is left to be undone, and whoever changes it
            meanwhile changes nothing that lasts.
        :raises ConflictError: the object has changed since it was read, or another object of that name is there.
        """
        self._note(path, found)
        if not (self.check_mode and path in self._written):
            self._predict(lambda: self._delete(path, found, dry_run=True, any_version=restart), None)
        self._show(found, None, found)
        if self.check_mode:
            self._written[path] = None
            return
        entry = self._entry(journalling.RESTART if restart else journalling.DELETE, path, found, None, None)
        self._carry_out(entry, None, lambda: self._delete(path, found, any_version=restart))

    def rehearse(self, path: str, found: Object | None, wanted: Object) -> None:
        """Ask the server whether it would take a write, before another object is written that is half a change without this one.

        :param found: the object as it was read, None where it is to be created.
        :param wanted: the merge patch, or the whole object.
        :raises InvalidError: it would not.
        :raises SubmarinerError: it would store something else.
        """
        if self.check_mode or (found is not None and not missing_from(found, wanted)):
            return
        if found is None:
            collection = path.rpartition("/")[0]
            predicted = self._predict(lambda: kube.create(self.member.connection, collection, wanted, dry_run=True, deadline=self.deadline), wanted)
        else:
            predicted = self._predict(lambda: self._merge(path, found, wanted, dry_run=True), merged(found, wanted))
        self._require_predicted(found or wanted, predicted, wanted)

    def require_kept(self) -> None:
        """Look once more at every object that was created or patched, when all is done.

        :raises SubmarinerError: somebody has put one back meanwhile; names the fields and who wrote last.
        """
        told = self.put_back(self.deadline)
        if told:
            raise SubmarinerError(told)

    def put_back(self, deadline: Deadline) -> str:
        """Which of the objects that were created or patched is not so any more, and who wrote it last, as sentences; "" where all are.

        :raises KubeError: one cannot be read.
        """
        told = []
        for path, wanted in self._kept.items():
            found = get_object(self.member.connection, path, deadline)
            lost = missing_from(found, wanted) if found is not None else ("all of it",)
            if lost:
                who = _last_other(found)
                told.append(
                    f"{self.member.name}: {_named(found) if found else path} was written and is not so any more, in {', '.join(lost[:5])}: "
                    f"{who} has put it back. Change it where {who} takes it from, or it does not last."
                )
        return " ".join(told)

    def evict(self, path: str, found: Object) -> str:
        """Evict a pod as it was read, in whose place another one comes; return why it cannot be evicted now, "" where it was.

        In check mode, one that cannot be evicted now is shown as gone all the same: the real run waits until it can be.

        :raises ConflictError: another pod of that name is there.
        """
        self._note(path, found)
        uid = str(found["metadata"].get("uid") or "")
        blocked = ""
        try:
            evict(self.member.connection, path, uid=uid, dry_run=True, deadline=self.deadline)
            if not self.check_mode:
                entry = self._entry(journalling.RESTART, path, found, None, None)
                self._carry_out(entry, None, lambda: evict(self.member.connection, path, uid=uid, deadline=self.deadline))
        except EvictionBlockedError as error:
            blocked = error.api_message or error.message
        if self.check_mode:
            self._written[path] = None
        if self.check_mode or not blocked:
            self._show(found, None, found)
        return blocked

    def go_outside(self, entry: Entry, write: t.Callable[[], t.Any]) -> None:
        """Make a write that goes another way, such as subctl's: under the lock, and with an entry in the journal.

        :raises SubmarinerError: as ``write`` does, which may have written some of it then.
        """
        self.lock()
        number = self._journal.intend(entry, self.deadline)
        self.changed = True
        try:
            write()
        except SubmarinerError as error:
            self._journal.mark(number, journalling.FAILED, None, error.message, Deadline(max(self.deadline.left(), 10.0)))
            raise
        self._journal.mark(number, journalling.DONE, None, "", Deadline(max(self.deadline.left(), 10.0)))

    def lock(self) -> None:
        """Take the cluster's lock before the first write; also for writes that go another way, such as subctl's.

        :raises RefusedError: another run has it.
        """
        if self.check_mode:
            return
        if not self.locked:
            self._lease.acquire(self.deadline)
            self.locked = True
            if self._lease.taken:
                self.warnings.append(self._lease.taken)
        self._lease.require()

    def _inside_of_new(self, path: str) -> bool:
        """Whether a collection is in a namespace that this task would have created."""
        namespace = path.partition("/namespaces/")[2].partition("/")[0]
        return bool(namespace) and self._written.get(f"/api/v1/namespaces/{namespace}") is not None

    def _entry(self, verb: str, path: str, found: Object, patch: Object | None, undo: Object | None) -> Entry:
        metadata = found["metadata"]
        return Entry(
            verb, path, _named(found), str(metadata.get("uid", "")), str(metadata.get("resourceVersion", "")), clean(found), patch, undo, self._remedy
        )

    def _carry_out(self, entry: Entry, wanted: Object | None, write: t.Callable[[], t.Any]) -> t.Any:
        self.lock()
        number = self._journal.intend(entry, self.deadline)
        try:
            result = write()
        except UncertainError:
            self.changed = True  # as far as anybody can say; the entry stays open
            raise
        except KubeError as error:
            self._journal.mark(number, journalling.FAILED, None, error.message, Deadline(max(self.deadline.left(), 10.0)))
            raise
        self.changed = True
        after = result if isinstance(result, dict) else None
        self._journal.mark(number, journalling.DONE, after, "", Deadline(max(self.deadline.left(), 10.0)))
        if wanted is None:
            self._kept.pop(entry.path, None)
        else:
            self._kept[entry.path] = _composed(self._kept.get(entry.path, {}), wanted)
        lost = missing_from(after, wanted) if after is not None and wanted is not None else ()
        if lost:
            raise SubmarinerError(
                f"{self.member.name}: {entry.object} was written, and the API server stored something else in {', '.join(lost[:5])}: an admission "
                "webhook or policy changes it. Look at kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies."
            )
        return result

    def _merge(self, path: str, found: Object, patch: Object, *, dry_run: bool = False) -> Object:
        def send(version: str | None) -> Object:
            return kube.merge_patch(self.member.connection, path, patch, resource_version=version, dry_run=dry_run, deadline=self.deadline)

        return self._on_its_version(path, found, send)

    def _delete(self, path: str, found: Object, *, any_version: bool, dry_run: bool = False) -> bool:
        def send(version: str | None) -> bool:
            uid = found["metadata"].get("uid")
            return kube.delete(self.member.connection, path, uid=uid, resource_version=version, dry_run=dry_run, deadline=self.deadline)

        try:
            return send(None) if any_version else self._on_its_version(path, found, send)
        except ConflictError:
            now = get_object(self.member.connection, path, self.deadline)
            if now is not None and not (now["metadata"].get("uid") == found["metadata"].get("uid") and now["metadata"].get("deletionTimestamp")):
                raise
            return False  # somebody else has deleted it meanwhile

    def _on_its_version(self, path: str, found: Object, send: t.Callable[[str | None], t.Any]) -> t.Any:
        """Send a write on the version that it was computed from, or on a later one that differs from it in its status alone.

        :raises ConflictError: somebody has changed more than that.
        """
        version = found["metadata"].get("resourceVersion")
        for attempt in range(_ATTEMPTS):
            try:
                return send(version)
            except ConflictError:
                now = get_object(self.member.connection, path, self.deadline)
                if attempt + 1 == _ATTEMPTS or differing({"content": content(found), "uid": found["metadata"].get("uid")}, now):
                    raise
                version = t.cast(dict, now)["metadata"].get("resourceVersion")
        raise AssertionError("the last attempt returns or raises")

    def _require_predicted(self, named: Object, predicted: Object, wanted: Object) -> None:
        """
        :raises SubmarinerError: what the server would store is not what is wanted, so that it is not sent.
        """
        lost = missing_from(predicted, wanted)
        if lost:
            raise SubmarinerError(
                f"{self.member.name}: {_named(named)} is left as it is: the API server would store something else in {', '.join(lost[:5])}, because an "
                f"admission webhook or policy changes what is written. {self.extent} Look at kubectl get mutatingwebhookconfigurations,"
                "mutatingadmissionpolicies."
            )

    def _predict(self, ask: t.Callable[[], t.Any], otherwise: Object | None) -> t.Any:
        """What the server says that a write would lead to.

        :param otherwise: our own prediction, for where an admission webhook keeps the server from answering.
        """
        try:
            return ask()
        except InvalidError as error:
            if _NO_DRY_RUN not in error.message + error.api_message:
                raise
            self.warnings.append(f"{self.member.name}: the diff is computed here, because the API server cannot predict the write: {error.api_message}")
            return otherwise

    def _show(self, before: Object | None, after: Object | None, named: Object) -> None:
        self.diff.append(before_after(_shown(before), _shown(after), f"{self.member.name}: {_named(named)}"))
        if self.check_mode:
            self.changed = True

    def _note(self, path: str, found: Object | None) -> None:
        """Remember, and compare with the plan, the first state in which an object is seen."""
        if path in self._seen:
            return
        self._seen.add(path)
        metadata = (found or {}).get("metadata") or {}
        self.preconditions.append(
            {
                "path": path,
                "uid": str(metadata.get("uid") or ""),
                "resource_version": str(metadata.get("resourceVersion") or ""),
                "content": content(found),
            }
        )
        self._compare(path, found)

    def _compare(self, path: str, found: Object | None) -> None:
        expected = self._expected.get(path)
        if expected is None:
            return
        fields = differing(expected, found)
        if fields and not self._by_this_run(expected, found):
            what = _named(found) if found else path
            raise RefusedError(
                f"{self.member.name}: {what} has changed since the plan was made, in {', '.join(fields[:8])}. {self.extent} Make a new plan."
            )

    def _by_this_run(self, expected: Object, found: Object | None) -> bool:
        """Whether what an object is now comes of what steps before this one have written."""
        if not expected.get(REACHED):
            return False
        return may_follow(expected, found) or is_among(str(expected["path"]), self._journal.written_paths(self.deadline))


def _last_other(found: Object | None) -> str:
    """The field manager that changed an object last, of those that are not this collection and write more than its status."""
    fields = ((found or {}).get("metadata") or {}).get("managedFields") or []
    others = [entry for entry in fields if entry.get("manager") != FIELD_MANAGER and entry.get("subresource") != "status"]
    return str(max(others, key=lambda entry: str(entry.get("time") or ""), default={}).get("manager") or "somebody")


def _composed(first: t.Any, then: t.Any) -> t.Any:
    """One merge patch for two, one after the other."""
    if not (isinstance(first, dict) and isinstance(then, dict)):
        return then
    return {**first, **{key: _composed(first.get(key), value) for key, value in then.items()}}


def _shown(obj: Object | None) -> Object | None:
    return None if obj is None else {key: value for key, value in obj.items() if key != "status"}


def _named(obj: t.Mapping[str, t.Any]) -> str:
    metadata = obj.get("metadata") or {}
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj.get('kind', 'object')} {where}{metadata.get('name', '')}"
