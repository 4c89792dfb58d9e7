# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One remediation at a time: a Lease on every cluster that is written to, held by a run.

A Lease (coordination.k8s.io/v1) as leader election uses it (client-go tools/leaderelection): holder, renewal time and duration are in its spec; it is
free when it has no holder or was not renewed for its duration. Holder and taker may have clocks that differ, so neither is asked: how long ago a
renewal was is told by the API server's clock alone, which stamps every change in ``metadata.managedFields``, those of a dry run included.
An annotation names the process that the run is: where that is seen to be dead, nobody needs to wait for the end of the duration. The tasks of a run, which
are processes of their own, share its lock by its id. Another playbook of the same id (one plan, carried out twice) is another run.
"""

from __future__ import annotations

import datetime
import threading
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _process as processes
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._process import Process
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._kube._write import create, merge_patch

NAME = "fathom-submariner"
PROCESS = f"{DOMAIN}/process"  # annotation: the process that the holder is
ROLLBACK = "rollback-"  # how the ids of runs begin that undo another one
DURATION = 120  # seconds without a renewal after which others may take it
_RENEWAL = 20.0  # seconds between two renewals
_TIMEOUT = 15.0  # seconds for one renewal
_ATTEMPTS = 3  # to give it back
_LOOK = 2.0  # seconds between two looks at whether the process lives for which a lock is kept


class Lease:
    """The lock of one cluster, held by a run; a context manager is not enough, since a run is many processes.

    :ivar taken: what is to be said of the run from which the lock was taken, which ended without giving it back; "" where there was none.
    :ivar shared: whether the run had the lock before, so that giving it back is for whoever took it.
    :param run: the holder: its tasks share it.
    :param steal: take it from whoever holds it, for a holder that is known to be dead.
    :param duration: seconds without a renewal after which others may take it. A run that holds it for longer already keeps that.
    :param lasting: whether the run outlives this process, which else is the run, so that its lock dies with it.
    :param process: that a lasting run is; None where it is not known: then its id alone tells it from others.
    """

    def __init__(
        self,
        member: Member,
        namespace: str,
        run: str,
        *,
        steal: bool = False,
        duration: int = DURATION,
        lasting: bool = False,
        process: Process | None = None,
    ) -> None:
        self._member = member
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._collection}/{NAME}"
        self._namespace = namespace
        self._run = run
        self._steal = steal
        self._duration = duration
        self._lasting = lasting
        self._process = process if lasting else processes.this_process()
        self._holder = process if lasting else None  # whose death ends the run; None while that is not known
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lost = ""
        self._lasts = duration  # what the Lease itself says: a run may hold it for longer than this task asks for
        self._renewed = float("-inf")  # by _clock(), before the request was sent
        self.taken = ""
        self.shared = False

    def acquire(self, deadline: Deadline) -> None:
        """Take or renew the lock, and renew it from now on until :meth:`pause` or :meth:`release`.

        :raises RefusedError: another run holds it; says which, since when, and how to go on.
        :raises KubeError: the Lease cannot be read or written.
        """
        began = _clock()
        found = get_object(self._member.connection, self._path, deadline)
        if found is None:
            self._holder = self._process
            metadata = {"name": NAME, "namespace": self._namespace, "annotations": {PROCESS: processes.written(self._holder) or ""}}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": self._spec(0)}
            try:
                create(self._member.connection, self._collection, body, deadline=deadline)
            except ConflictError:
                self._take(self._found_after_conflict(deadline), deadline)
        else:
            try:
                self._take(found, deadline)
            except ConflictError:
                self._take(self._found_after_conflict(deadline), deadline)
        self._renewed = began
        self._renew_from_now_on()

    def keep(self) -> None:
        """Renew the lock, which then needs to last no longer than DURATION, until the run has given it back or lost it, or its process has ended.

        A dead run's lock is not given back here: whoever takes it shall say that there was one.
        """
        first, due = True, _clock()
        while processes.is_dead(self._process) is False and not self._lost:
            if _clock() >= due:
                try:
                    self._renew(Deadline(_TIMEOUT), {"leaseDurationSeconds": DURATION} if first else {})
                    first = False
                except KubeError:
                    pass  # as in _keep
                due = _clock() + _RENEWAL
            time.sleep(_LOOK)

    def require_free(self, deadline: Deadline) -> None:
        """
        :raises RefusedError: :meth:`acquire` would be refused now.
        """
        found = get_object(self._member.connection, self._path, deadline)
        if found is not None:
            self._require_mine(found, deadline)

    def pause(self) -> None:
        """Stop renewing, and leave the lock to the next task of the same run."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=_TIMEOUT)
            self._thread = None

    def release(self, deadline: Deadline) -> bool:
        """Give the lock back where this run holds it; return whether it did."""
        self.pause()
        for attempt in range(_ATTEMPTS):
            found = get_object(self._member.connection, self._path, deadline)
            if found is None or not self._is_mine(found, self._holder):
                return False
            patch = {"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}, "metadata": {"annotations": {PROCESS: None}}}
            try:
                merge_patch(self._member.connection, self._path, patch, resource_version=found["metadata"]["resourceVersion"], deadline=deadline)
                return True
            except ConflictError:  # another task of the same run has just renewed it
                if attempt + 1 == _ATTEMPTS:
                    raise
        return False

    def require(self) -> None:
        """Be sure of the lock before a write; asks the server only where renewals have failed for so long that it may expire.

        :raises RefusedError: the lock was lost meanwhile, or may have been, or the playbook has ended, whose task this is and which nobody hears any more:
            nothing more may be written.
        """
        if processes.is_dead(self._holder):
            raise RefusedError(f"{self._member.name}: the playbook of this run ({self._holder}) has ended before this task. Nothing more was written.")
        if not self._lost and _clock() - self._renewed > self._lasts - _RENEWAL:
            self._renew_now()
        if self._lost:
            raise RefusedError(f"{self._member.name}: the lock of this run was lost: {self._lost}. Nothing more was written.")

    def _found_after_conflict(self, deadline: Deadline) -> dict[str, t.Any]:
        """The Lease that somebody else wrote at the same moment: judged once more, as it is now."""
        found = get_object(self._member.connection, self._path, deadline)
        if found is None:
            raise RefusedError(
                f"{self._member.name}: Lease {self._namespace}/{NAME} comes and goes: somebody else takes and removes it. Nothing was written. Try again."
            )
        return found

    def _is_mine(self, found: t.Mapping[str, t.Any], process: Process | None) -> bool:
        """Whether this run holds the lock, and not another playbook of the same id.

        :param process: that the run is; None where it is not known, or any will do.
        """
        if (found.get("spec") or {}).get("holderIdentity") != self._run:
            return False
        holds = process_in(found)
        return holds is None or process is None or holds == process

    def _require_mine(self, found: dict[str, t.Any], deadline: Deadline) -> None:
        """
        :raises RefusedError: another run holds the lock, and may live.
        """
        spec = found.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        self.taken = ""
        if not holder or self._is_mine(found, self._process if self._lasting else None):
            return
        process = process_in(found)
        if self._steal:
            why = "its lock was stolen, as submariner_steal_lock says"
        elif processes.is_dead(process):
            why = f"{process} is gone"
        else:
            age = self._age(found, deadline)
            left = int(spec.get("leaseDurationSeconds") or DURATION) - age
            if left > 0:
                raise RefusedError(self._busy(holder, process, str(spec.get("acquireTime") or ""), age, left), holder=holder)
            why = f"it has not renewed its lock for {age:.0f} s" if age < float("inf") else "nothing tells when it renewed its lock"
        if holder != self._run:  # who goes on with a dead run needs not be told of it
            self.taken = f"{self._member.name}: {abandoned(holder, why)}"

    def _busy(self, holder: str, process: Process | None, since: str, age: float, left: float) -> str:
        parts = (f"Lease {self._namespace}/{NAME}", str(process or ""), f"held since {since}" if since else "", f"renewed {age:.0f} s ago")
        held = ", ".join(filter(None, parts))
        alive = "That process lives. " if processes.is_dead(process) is False else ""
        if holder == self._run:
            other = "It has this run's id: the same plan, or the same submariner_run, was started twice."
        else:
            other = "To go on with that very run, give its id as submariner_run."
        return (
            f"{self._member.name}: run {holder} is at work on this cluster ({held}). Nothing was written. {alive}Wait until it ends; "
            f"submariner_wait_for_lock=SECONDS makes role remediate wait. If it is dead, its lock expires in {left:.0f} s; submariner_steal_lock=true "
            f"of the roles remediate and rollback takes it at once, and kubectl -n {self._namespace} delete lease {NAME} frees it. {other}"
        )

    def _take(self, found: dict[str, t.Any], deadline: Deadline) -> None:
        self._require_mine(found, deadline)
        spec = found.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        transitions = int(spec.get("leaseTransitions") or 0)
        mine = self._spec(transitions if holder == self._run else transitions + 1)
        self._holder = process_in(found)
        self.shared = holder == self._run and not processes.is_dead(self._holder)
        patch: dict[str, t.Any] = {"spec": mine}
        if holder == self._run:
            mine["acquireTime"] = spec.get("acquireTime") or mine["acquireTime"]
            mine["leaseDurationSeconds"] = max(mine["leaseDurationSeconds"], int(spec.get("leaseDurationSeconds") or 0))
        if not self.shared or (self._lasting and self._process is not None):
            self._holder = self._process
            patch["metadata"] = {"annotations": {PROCESS: processes.written(self._holder)}}
        version = (found.get("metadata") or {}).get("resourceVersion")
        merge_patch(self._member.connection, self._path, patch, resource_version=version, deadline=deadline)
        self._lasts = mine["leaseDurationSeconds"]

    def _age(self, found: dict[str, t.Any], deadline: Deadline) -> float:
        """Seconds since the Lease was renewed, by the API server's clock."""
        attempt = merge_patch(self._member.connection, self._path, {"spec": {"renewTime": _now()}}, resource_version=None, dry_run=True, deadline=deadline)
        before, now = _stamped(found), _stamped(attempt)
        return max(0.0, (now - before).total_seconds()) if before and now else float("inf")

    def _spec(self, transitions: int) -> dict[str, t.Any]:
        now = _now()
        return {"holderIdentity": self._run, "leaseDurationSeconds": self._duration, "acquireTime": now, "renewTime": now, "leaseTransitions": transitions}

    def _renew_from_now_on(self) -> None:
        self.pause()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, args=(self._stop,), name="submariner-lease", daemon=True)
        self._thread.start()

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(_RENEWAL):
            try:
                self._renew(Deadline(_TIMEOUT))
            except KubeError:
                continue  # the lock outlives several failures; require() knows when it may have expired
            if self._lost:
                return

    def _renew_now(self) -> None:
        """
        :raises RefusedError: the server could not be asked whether the lock is still this run's.
        """
        deadline = Deadline(_TIMEOUT)
        for attempt in range(_ATTEMPTS):
            try:
                self._renew(deadline)
                return
            except KubeError as error:
                if isinstance(error, ConflictError) and attempt + 1 < _ATTEMPTS:
                    continue  # somebody has just written it: this run's own thread, another task of the run, or a taker
                raise RefusedError(
                    f"{self._member.name}: the lock of this run (Lease {self._namespace}/{NAME}) was last renewed {_clock() - self._renewed:.0f} s ago, "
                    f"lasts {self._lasts} s, and could not be renewed now, so another run may have taken it: {error.message.rstrip('.')}. "
                    "Nothing more was written. Run it again when the API server answers."
                ) from error

    def _renew(self, deadline: Deadline, also: t.Mapping[str, t.Any] | None = None) -> None:
        began = _clock()
        found = get_object(self._member.connection, self._path, deadline)
        if found is None or not self._is_mine(found, self._holder):
            spec = (found or {}).get("spec") or {}
            holder = spec.get("holderIdentity") or "nobody"
            self._lost = f"it is held by {holder} now" + (f", in {process_in(found or {})}" if holder == self._run else "")
            return
        patch = {"spec": {"renewTime": _now(), **(also or {})}}
        written = merge_patch(self._member.connection, self._path, patch, resource_version=found["metadata"]["resourceVersion"], deadline=deadline)
        self._renewed = began
        self._lasts = int(written["spec"].get("leaseDurationSeconds") or DURATION)  # the run's keeper may have shortened it


def process_in(lease: t.Mapping[str, t.Any]) -> Process | None:
    """The process that the holder of a Lease is; None where it does not tell."""
    return processes.read(((lease.get("metadata") or {}).get("annotations") or {}).get(PROCESS))


def abandoned(holder: str, why: str) -> str:
    """What is to be said of a run that ended without giving its lock back.

    :param why: that is believed.
    """
    if holder.startswith(ROLLBACK):
        return f"{holder} ended without giving back the lock ({why}). What it had put back is marked: run the rollback again to put back the rest."
    return (
        f"run {holder} ended without giving back the lock ({why}). What it wrote stays as it is; "
        f"fathom.submariner.rollback -e submariner_run={holder} puts it back."
    )


def _clock() -> float:
    """Seconds that have passed for everybody: Linux' monotonic clock stands still while a machine sleeps, and its locks expire meanwhile."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # MicroTime


def _stamped(obj: t.Mapping[str, t.Any]) -> datetime.datetime | None:
    """When the API server last changed an object."""
    times = [str(entry["time"]) for entry in (obj.get("metadata") or {}).get("managedFields") or [] if entry.get("time")]
    return datetime.datetime.strptime(max(times), "%Y-%m-%dT%H:%M:%SZ") if times else None
