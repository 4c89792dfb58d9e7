# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status that a kubelet reports of a pod (kubernetes pkg/kubelet/status/generate.go). Pure."""

from __future__ import annotations

import datetime
import typing as t

Object = dict[str, t.Any]

KINDS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
LATE_KINDS = ("Ready", "ContainersReady")


def stamp() -> str:
    """Now, as the API writes moments."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def running(pod: Object, node_ip: str, now: str, *, ready: bool) -> Object:
    """Of a pod on its host's network whose containers run."""
    spec = pod["spec"]
    states = {kind: ready if kind in LATE_KINDS else True for kind in KINDS}
    return {
        "phase": "Running",
        "hostIP": node_ip,
        "hostIPs": [{"ip": node_ip}],
        "podIP": node_ip,
        "podIPs": [{"ip": node_ip}],
        "startTime": now,
        "conditions": [_condition(kind, state, now, spec) for kind, state in states.items()],
        "initContainerStatuses": [_container(each, now, ended=True, ready=True) for each in spec.get("initContainers") or ()],
        "containerStatuses": [_container(each, now, ended=False, ready=ready) for each in spec["containers"]],
    }


def as_broken(pod: Object, earlier: Object, node_ip: str, now: str) -> Object:
    """Of a pod that fares no better on its node than an earlier one did: that one's containers and conditions."""
    kept = {key: earlier[key] for key in ("phase", "conditions", "containerStatuses", "initContainerStatuses") if key in earlier}
    return {**running(pod, node_ip, now, ready=False), **kept}


def is_ready(pod: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ())


def _condition(kind: str, state: bool, now: str, spec: Object) -> Object:
    found = {"type": kind, "status": str(state), "lastProbeTime": None, "lastTransitionTime": now}
    if state:
        return found
    names = " ".join(each["name"] for each in spec["containers"])
    return {**found, "reason": "ContainersNotReady", "message": f"containers with unready status: [{names}]"}


def _container(container: Object, now: str, *, ended: bool, ready: bool) -> Object:
    state = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}} if ended else {"running": {"startedAt": now}}
    image = container["image"]
    return {"name": container["name"], "image": image, "imageID": image, "restartCount": 0, "ready": ready, "started": not ended, "state": state}
