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

    def step(self, submariner: Object, workloads: Workloads) -> float | None:
        """Does what can be done now; returns the seconds after which to look again, or None when the finalizer has been dropped."""
        components = [workloads.gateway(), workloads.route_agent()]
        one_time = [workloads.uninstall(each) for each in components]
        states = [self._component(*each) for each in zip(components, one_time)]
        complete = all(each == COMPLETE for each in states)
        timed_out = not complete and self._timed_out(submariner, states)
        if timed_out:
            self._info("Timed out waiting for components to complete - aborting")
        elif not complete:
            return self._lab.scaled(REQUEUE_SECONDS)
        for each in one_time:
            self._delete(f"{objects.DAEMON_SETS}/{each['metadata']['name']}")
        if not timed_out and submariner["spec"].get("serviceDiscoveryEnabled") and self._delete(f"{objects.SERVICE_DISCOVERIES}/service-discovery"):
            return self._lab.scaled(REQUEUE_SECONDS)
        metadata = submariner["metadata"]
        left = [each for each in metadata["finalizers"] if each != objects.CLEANUP_FINALIZER]
        patch = {"metadata": {"finalizers": left, "resourceVersion": metadata["resourceVersion"]}}
        self._client.merge_patch(f"{objects.SUBMARINERS}/{metadata['name']}", patch)
        return None

    def _timed_out(self, submariner: Object, states: list[str]) -> bool:
        if EXCHANGING in states:
            return _age(submariner) >= COMPONENT_READY_SECONDS
        now = time.monotonic()
        if self._running_since is None:
            self._running_since = now
        return now - self._running_since >= self._lab.scaled(COMPONENT_READY_SECONDS - EXCHANGE_SECONDS)

    def _component(self, daemon_set: Object, one_time: Object) -> str:
        """How far a component's clean-up is."""
        name, task = daemon_set["metadata"]["name"], one_time["metadata"]["name"]
        if name not in self._deleted:
            self._delete(f"{objects.DAEMON_SETS}/{name}")
            self._deleted.add(name)
        pods = self._client.list(objects.PODS)
        if objects.with_label(pods, name):
            return EXCHANGING
        if task not in self._created:
            self._create(one_time)
            self._created.add(task)
        found = self._client.find(f"{objects.DAEMON_SETS}/{task}")
        state = (found or {}).get("status", {})
        wanted = state.get("desiredNumberScheduled", 0)
        if found is None or state.get("observedGeneration", 0) < found["metadata"]["generation"] or state.get("numberReady", 0) != wanted:
            return EXCHANGING
        done = [objects.UNINSTALLED in (pod["metadata"].get("annotations") or {}) for pod in objects.with_label(pods, task)]
        return COMPLETE if all(done) and len(done) >= wanted else RUNNING

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
