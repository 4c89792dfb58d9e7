# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for calico-node on the nodes of an awake lab, and for what other new pods log.

A new pod of calico-node notes the address that it detects on its Node, tells of it and of the pods' MTU in its log, reports that the network is there,
and becomes ready after a few (scaled) seconds; one that goes reports that the network is not (calico node/pkg/lifecycle/{startup,shutdown}). What it
detects stands in ``_autodetected.py``.

On a node where calico-node was broken when the lab was roused a new pod is broken in the same way, with the same log: for good, or until the image is
another one where it could not be pulled. One that is held (``adversaries.never_ready``) runs and never becomes ready.

Other new pods get the log that their layout has for them; Submariner's write their own.
"""

from __future__ import annotations

import re
import threading
import time
import typing as t
from pathlib import Path

from tests.lab import layout as layouts, woken
from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _autodetected, _kubelet_status as kubelet
from tests.lab.standins._loop import Loop
from tests.lab.standins._objects import ROUTE_AGENT, internal_ip, pod_fingerprint
from tests.lab.templates import fill

Object = dict[str, t.Any]

PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"
FELIX = "/apis/crd.projectcalico.org/v1/felixconfigurations/default"
APP = "calico-node"
ADDRESS = "projectcalico.org/IPv4Address"
START_SECONDS = 10.0
SUBMARINERS_OWN = ("submariner-routeagent", "submariner-gateway", "submariner-operator")
HELD = "lab.fathom.submariner/held"
_MTU = re.compile(r"Determined pod MTU mtu=\d+")
_MOMENT = re.compile(r"\$\{(?:seconds|minutes|hours|days)_ago_\d+\}")
_ADDRESS = re.compile(r"Using autodetected IPv4 address [^\n]*")


class CalicoNode:
    name = "calico-node"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        self._layout = layouts.load(str(lab.layout))
        self._known = woken.pod_uids(cluster)
        before = [each for each in woken.woken(cluster).values() if each["kind"] == "Pod" and _is_calico_node(each) and each["spec"].get("nodeName")]
        self._broken = {each["spec"]["nodeName"]: each for each in before if not kubelet.is_ready(each)}
        self._on_nodes: dict[str, str] = {each["metadata"]["uid"]: each["spec"]["nodeName"] for each in before}
        self._due: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        loop.watch(self._client, PODS, lambda pod: (pod_fingerprint(pod), pod.get("status", {}).get("podIP")))
        loop.run(self._step)

    def _step(self) -> float | None:
        pods = self._client.list(PODS)
        new = [each for each in pods if each["metadata"]["uid"] not in self._known and each["spec"].get("nodeName")]
        present = {each["metadata"]["uid"] for each in pods if "deletionTimestamp" not in each["metadata"]}
        for uid in [each for each in self._on_nodes if each not in present]:
            self._stopped(self._on_nodes.pop(uid))
        waits = []
        for pod in new:
            if "deletionTimestamp" in pod["metadata"]:
                continue
            if not _is_calico_node(pod):
                self._log(pod)
            elif not kubelet.is_ready(pod):
                waits.append(self._bring_up(pod))
        return min((each for each in waits if each is not None), default=None)

    def _bring_up(self, pod: Object) -> float | None:
        """One step of a starting pod; after how many seconds the next one is due."""
        uid, node_name = pod["metadata"]["uid"], pod["spec"]["nodeName"]
        node = self._client.get(f"{NODES}/{node_name}")
        now = time.monotonic()
        if uid not in self._due:
            self._due[uid] = now + self._lab.scaled(START_SECONDS)
            self._on_nodes[uid] = node_name
            broken = self._broken_as(pod)
            if broken is not None:
                self._due[uid] = float("inf")
                self._write_status(pod, kubelet.as_broken(pod, broken["status"], internal_ip(node), kubelet.stamp()))
                self._copy_log(broken, pod)
                return None
            self._write_status(pod, kubelet.running(pod, internal_ip(node), kubelet.stamp(), ready=False))
        if now < self._due[uid]:
            return None if self._due[uid] == float("inf") else self._due[uid] - now
        if HELD in pod["metadata"]["labels"]:
            self._due[uid] = float("inf")
            return None
        self._started(pod, node)
        return None

    def _started(self, pod: Object, node: Object) -> None:
        spaces = self._client.list(f"/api/v1/namespaces/{pod['metadata']['namespace']}/configmaps")
        env = _autodetected.environment(pod, {each["metadata"]["name"]: each for each in spaces})
        found, told = _autodetected.address(env, internal_ip(node), self._has_submariner(node["metadata"]["name"]))
        felix = (self._client.find(FELIX) or {}).get("spec") or {}
        encapsulation = "ipip" if self._layout.encapsulation == "IPIP" else "vxlan"
        mtu = _autodetected.pod_mtu(env, felix, encapsulation, int(self._layout.variables["pod_mtu"]))
        text = self._layout_log(pod)
        text = _MTU.sub(f"Determined pod MTU mtu={mtu}", text)
        self._write_log(pod, _ADDRESS.sub(told, text) if told else text)
        path = f"{NODES}/{node['metadata']['name']}"
        if found and (node["metadata"].get("annotations") or {}).get(ADDRESS) != found:
            self._client.merge_patch(path, {"metadata": {"annotations": {ADDRESS: found}}})
        self._set_network(node["metadata"]["name"], up=True)
        self._write_status(pod, kubelet.running(pod, internal_ip(node), kubelet.stamp(), ready=True))

    def _stopped(self, node_name: str) -> None:
        if node_name:
            self._set_network(node_name, up=False)

    def _set_network(self, node_name: str, *, up: bool) -> None:
        """The condition NetworkUnavailable of a node."""
        node = self._client.find(f"{NODES}/{node_name}")
        if node is None:
            return
        reason, message = ("CalicoIsUp", "Calico is running on this node") if up else ("CalicoIsDown", "Calico is shutting down on this node")
        conditions = list(node["status"].get("conditions") or ())
        wanted = {"type": "NetworkUnavailable", "status": str(not up), "reason": reason, "message": message}
        current = next((each for each in conditions if each["type"] == wanted["type"]), {})
        if current.get("status") == wanted["status"] and current.get("reason") == reason:
            return
        now = kubelet.stamp()
        wanted.update(lastHeartbeatTime=now, lastTransitionTime=now)
        changed = [wanted, *(each for each in conditions if each["type"] != wanted["type"])]
        self._client.merge_patch(f"{NODES}/{node_name}/status", {"status": {"conditions": changed}})

    def _broken_as(self, pod: Object) -> Object | None:
        """The earlier pod of calico-node that was broken on this pod's node, if this one fares no better."""
        earlier = self._broken.get(pod["spec"]["nodeName"])
        if earlier is None:
            return None
        waiting = [each.get("state", {}).get("waiting", {}).get("reason", "") for each in (*earlier["status"].get("containerStatuses", ()),
                   *earlier["status"].get("initContainerStatuses", ()))]  # fmt: skip
        pulls = any(each in ("ImagePullBackOff", "ErrImagePull") for each in waiting)
        return None if pulls and _images(pod) != _images(earlier) else earlier

    def _has_submariner(self, node_name: str) -> bool:
        """Whether Submariner's VXLAN device is on the node: a route agent runs there."""
        agents = self._client.list(PODS, labelSelector=f"app={ROUTE_AGENT}")
        return any(each["spec"].get("nodeName") == node_name and each.get("status", {}).get("phase") == "Running" for each in agents)

    def _write_status(self, pod: Object, status: Object) -> None:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
        try:
            self._client.merge_patch(path, {"status": status})
        except ApiError as error:
            if not error.not_found:
                raise

    def _log(self, pod: Object) -> None:
        if pod.get("status", {}).get("podIP") and pod["metadata"]["uid"] not in self._due:
            self._due[pod["metadata"]["uid"]] = 0.0
            self._write_log(pod, self._layout_log(pod))

    def _layout_log(self, pod: Object) -> str:
        """What the layout has for the pod's first container that it knows, as of now."""
        metadata, spec = pod["metadata"], pod["spec"]
        template = self._layout.log(metadata["namespace"], spec["containers"][0]["name"])
        if template is None or spec["containers"][0]["name"] in SUBMARINERS_OWN:
            return ""
        own = {"pod": metadata["name"], "node": spec["nodeName"], "pod_ip": pod.get("status", {}).get("podIP", "")}
        node = self._client.get(f"{NODES}/{spec['nodeName']}")
        values = self._layout.values(self._lab, self._cluster) | {**own, "node_ip": internal_ip(node)}
        return fill(_MOMENT.sub(kubelet.stamp(), template.read_text(encoding="utf-8")), values, template)

    def _write_log(self, pod: Object, text: str) -> None:
        metadata = pod["metadata"]
        if text:
            path = self._cluster.pod_log(metadata["namespace"], metadata["name"], pod["spec"]["containers"][0]["name"])
            path.write_text(text, encoding="utf-8")

    def _copy_log(self, earlier: Object, pod: Object) -> None:
        for container in pod["spec"]["containers"]:
            path = self._cluster.pod_log(earlier["metadata"]["namespace"], earlier["metadata"]["name"], container["name"])
            if path.exists():
                self._write_log(pod, path.read_text(encoding="utf-8"))


def _is_calico_node(pod: Object) -> bool:
    return (pod["metadata"].get("labels") or {}).get("k8s-app") == APP


def _images(pod: Object) -> list[str]:
    return [each["image"] for each in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"])]
