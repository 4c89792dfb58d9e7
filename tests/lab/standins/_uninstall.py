# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clean-up that the Submariner operator runs before it lets a deleted Submariner resource go.

Imitates submariner-operator controllers/submariner/cleanup.go and controllers/uninstall/uninstall.go at v0.16.0 and v0.19.0-rc3: each
component's DaemonSet is deleted, then one named ``…-uninstall`` runs the component once per node as an init container; two minutes
after the deletion all that is given up, and what the nodes still carry stays. An init container of the lab ends at once, so that its
end is the annotation which the stand-in that plays the component sets when it is done. Without that stand-in the time runs out.

Of the two minutes only those that stand-ins spend are scaled: how long the lab's real controllers take to exchange the pods must not
decide whether the clean-up succeeds.
"""

from __future__ import annotations

import datetime
import time
import typing as t

from tests.lab.client import ApiError, Client
from tests.lab.info import LabInfo
from tests.lab.standins import _objects as objects
from tests.lab.standins._workloads import Workloads
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]

COMPONENT_READY_SECONDS = 120.0
# What of it has usually gone by when the one-time pods run.
EXCHANGE_SECONDS = 10.0
REQUEUE_SECONDS = 0.5
CONFLICTS = 5
_CALLER = "controllers/uninstall/uninstall.go"

EXCHANGING, RUNNING, COMPLETE = "exchanging", "running", "complete"


class Uninstall:
    """One resource's clean-up.

    :param client: the operator's.
    :param lab: for its time scale.
    :param log: the operator's log.
    """

    def __init__(self, client: Client, lab: LabInfo, log: ConsoleLog) -> None:
        self._client = client
        self._lab = lab
        self._log = log
        self._deleted: set[str] = set()
        self._created: set[str] = set()
        self._running_since: float | None = None
        self._complete = False
        self._timed_out = False

    def step(self, submariner: Object, workloads: Workloads) -> float | None:
        """Does what can be done now; returns the seconds after which to look again, or None when the finalizer has been dropped."""
        components = [workloads.gateway(), workloads.route_agent()]
        one_time = [workloads.uninstall(each) for each in components]
        if not (self._complete or self._timed_out):
            self._advance(submariner, components, one_time)
        if not (self._complete or self._timed_out):
            return self._lab.scaled(REQUEUE_SECONDS)
        for each in one_time:
            self._delete(f"{objects.DAEMON_SETS}/{each['metadata']['name']}")
        if self._complete and submariner["spec"].get("serviceDiscoveryEnabled") and self._delete(f"{objects.SERVICE_DISCOVERIES}/service-discovery"):
            return self._lab.scaled(REQUEUE_SECONDS)
        self._drop_finalizer(submariner)
        return None

    def _advance(self, submariner: Object, components: list[Object], one_time: list[Object]) -> None:
        state = self._state(components, one_time)
        self._complete = state == COMPLETE
        now = time.monotonic()
        if state == EXCHANGING:
            self._timed_out = _age(submariner) >= COMPONENT_READY_SECONDS
        elif self._running_since is None:
            self._running_since = now
        elif not self._complete:
            self._timed_out = now - self._running_since >= self._lab.scaled(COMPONENT_READY_SECONDS - EXCHANGE_SECONDS)
        if self._timed_out:
            self._info("Timed out waiting for components to complete - aborting")

    def _state(self, components: list[Object], one_time: list[Object]) -> str:
        """How far the clean-up is. The one-time pods of all components start together, so that their times compare as upstream's do."""
        for each in components:
            name = each["metadata"]["name"]
            if name not in self._deleted:
                self._delete(f"{objects.DAEMON_SETS}/{name}")
                self._deleted.add(name)
        pods = self._client.list(objects.PODS)
        if any(objects.with_label(pods, each["metadata"]["name"]) for each in components):
            return EXCHANGING
        for each in one_time:
            if each["metadata"]["name"] not in self._created:
                self._create(each)
                self._created.add(each["metadata"]["name"])
        states = {self._task_state(each["metadata"]["name"], pods) for each in one_time}
        return next(each for each in (EXCHANGING, RUNNING, COMPLETE) if each in states)

    def _task_state(self, task: str, pods: list[Object]) -> str:
        found = self._client.find(f"{objects.DAEMON_SETS}/{task}") or {}
        state = found.get("status", {})
        wanted = state.get("desiredNumberScheduled", 0)
        if not found or state.get("observedGeneration", 0) < found["metadata"]["generation"] or state.get("numberReady", 0) != wanted:
            return EXCHANGING
        done = [objects.UNINSTALLED in (pod["metadata"].get("annotations") or {}) for pod in objects.with_label(pods, task)]
        return COMPLETE if all(done) and len(done) >= wanted else RUNNING

    def _drop_finalizer(self, submariner: Object) -> None:
        """Garbage collection and whoever waits for the end write to the resource, too: a conflict is tried again with what is there then."""
        path = f"{objects.SUBMARINERS}/{submariner['metadata']['name']}"
        for attempt in range(CONFLICTS + 1):
            current = self._client.find(path)
            if current is None or current["metadata"]["uid"] != submariner["metadata"]["uid"]:
                return
            left = [each for each in current["metadata"].get("finalizers") or () if each != objects.CLEANUP_FINALIZER]
            try:
                self._client.merge_patch(path, {"metadata": {"finalizers": left, "resourceVersion": current["metadata"]["resourceVersion"]}})
                return
            except ApiError as error:
                if error.not_found:
                    return
                if not error.conflict or attempt == CONFLICTS:
                    raise

    def _create(self, daemon_set: Object) -> None:
        try:
            self._client.create(objects.DAEMON_SETS, daemon_set)
            self._info("Created DaemonSet:", daemon_set["metadata"]["name"])
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    def _delete(self, path: str) -> bool:
        """Whether there was something to delete."""
        try:
            self._client.delete(path, propagationPolicy="Background")
        except ApiError as error:
            if error.not_found:
                return False
            raise
        self._info("Deleted:", path.rpartition("/")[2])
        return True

    def _info(self, message: str, name: str = "") -> None:
        fields = {"name": name, "namespace": objects.NAMESPACE} if name else {}
        self._log.info(f"{_CALLER}:87", "controller_submariner", message, **fields)


def _age(submariner: Object) -> float:
    """Seconds since the resource was deleted."""
    deleted = datetime.datetime.strptime(submariner["metadata"]["deletionTimestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return (datetime.datetime.now(datetime.timezone.utc) - deleted).total_seconds()
