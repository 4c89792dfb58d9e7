# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods whose container ends again and again, as the kubelet reports them."""

from __future__ import annotations

import datetime
import typing as t

from tests.lab.client import Client
from tests.lab.standins._objects import PODS

Object = dict[str, t.Any]

# kubelet: the first pause and the longest between two starts of a failing container.
FIRST_PAUSE_SECONDS = 10.0
LAST_PAUSE_SECONDS = 300.0


def pause(restarts: int) -> float:
    """Unscaled seconds before a container's next start."""
    return min(FIRST_PAUSE_SECONDS * 2 ** min(restarts, 10), LAST_PAUSE_SECONDS)


def crashed_status(pod: Object, exit_code: int, now: str) -> Object:
    """The status of a pod whose first container has just ended: waiting in CrashLoopBackOff, not ready."""
    status = pod.get("status", {})
    statuses = [dict(each) for each in status.get("containerStatuses") or ()]
    name, restarts = statuses[0]["name"], statuses[0]["restartCount"]
    metadata = pod["metadata"]
    back_off = f"back-off {int(pause(restarts))}s restarting failed container={name} pod={metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    statuses[0].update(
        ready=False,
        started=False,
        restartCount=restarts + 1,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": back_off}},
        lastState={"terminated": {"exitCode": exit_code, "reason": "Error", "startedAt": now, "finishedAt": now}},
    )
    return {"containerStatuses": statuses, "conditions": _conditions(status, "False", now)}


def running_status(pod: Object, now: str) -> Object:
    """The status of a pod whose first container has been started and stays."""
    status = pod.get("status", {})
    statuses = [dict(each) for each in status.get("containerStatuses") or ()]
    statuses[0].update(ready=True, started=True, state={"running": {"startedAt": now}})
    return {"containerStatuses": statuses, "conditions": _conditions(status, "True", now)}


def is_crash_looping(pod: Object) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"


class CrashLoops:
    """Keeps the failing pods of one component.

    :param client: may patch pod status.
    :param scale: of the pauses.
    """

    def __init__(self, client: Client, scale: float) -> None:
        self._client = client
        self._scale = scale
        self._due: dict[str, float] = {}

    def crashed(self, pod: Object, exit_code: int, now: float) -> None:
        """Reports the end of the pod's container and plans its next start."""
        restarts = pod["status"]["containerStatuses"][0]["restartCount"]
        self._due[pod["metadata"]["uid"]] = now + pause(restarts) * self._scale
        self._patch(pod, crashed_status(pod, exit_code, _stamp()))

    def started(self, pod: Object) -> None:
        """Reports that the pod's container runs, if it was in a crash loop."""
        self._due.pop(pod["metadata"]["uid"], None)
        if is_crash_looping(pod):
            self._patch(pod, running_status(pod, _stamp()))

    def wait(self, pod: Object, now: float) -> float:
        """Seconds until the pod's container is started again; 0 when it is time, or when it is in no crash loop known here."""
        return max(self._due.get(pod["metadata"]["uid"], now) - now, 0.0)

    def forget_all_but(self, uids: t.Container[str]) -> None:
        self._due = {uid: due for uid, due in self._due.items() if uid in uids}

    def _patch(self, pod: Object, status: Object) -> None:
        self._client.merge_patch(f"{PODS}/{pod['metadata']['name']}/status", {"status": status})


def _conditions(status: Object, ready: str, now: str) -> list[Object]:
    changed = []
    for each in status.get("conditions") or ():
        if each["type"] in ("Ready", "ContainersReady") and each["status"] != ready:
            each = {**each, "status": ready, "lastTransitionTime": now}
            if ready == "False":
                each.update(reason="ContainersNotReady", message="containers with unready status")
            else:
                each = {key: value for key, value in each.items() if key not in ("reason", "message")}
        changed.append(each)
    return changed


def _stamp() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
