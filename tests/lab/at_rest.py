# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What controllers, scheduler and kubelets would have made of a cluster's objects, for clusters in which none of them runs. Pure.

* A DaemonSet gets a pod on every node that its nodeSelector, required node affinity and tolerations allow, and its counts
  (kubernetes pkg/controller/daemon). Deployments get a ReplicaSet and pods, the last of the allowed nodes first, and their counts.
* Pods run and are ready; with ``hostNetwork`` they have their node's address, otherwise one of the node's block (``addresses.py``).
* A pod is called ``<DaemonSet>-<suffix>`` or ``<Deployment>-<TEMPLATE_HASH>-<suffix>``; the suffix tells the node: ``cp7k2`` is the first (the control
  plane), ``gw4x9`` the gateway, ``wk8p5`` the last. A second replica on a node ends in ``2``.
* Containers have started when their node was Ready, a little later each; an object's ``at_rest: {since: TIME}`` says otherwise for its pods.

What an object says of its status stands; the rest is filled in. ``at_rest: {status: false}`` leaves the object as it is.
"""

from __future__ import annotations

import datetime
import typing as t
import zlib

from tests.lab.addresses import Addresses
from tests.lab.client import Object
from tests.lab.info import NodeInfo
from tests.lab.merging import merged
from tests.lab.templates import roles

TEMPLATE_HASH = "6f7d9c5b84"
REVISION = "5c8f7b6d94"
SUFFIXES = {"control_plane": "cp7k2", "worker": "wk8p5", "gateway": "gw4x9"}
OTHER_SUFFIX = "nd{:d}q3"
KEY = "at_rest"
# Seconds after the node's Ready: static pods are older than it, Calico comes before whatever needs its network.
STATIC_SECONDS = -20
HOST_NETWORK_SECONDS = 25
NETWORKED_SECONDS = 75


class Machinery:
    """The controllers of one cluster.

    :param nodes: its Node objects, as planted.
    :param infos: the same nodes, for their roles.
    :param addresses: of their pods.
    """

    def __init__(self, nodes: t.Sequence[Object], infos: t.Sequence[NodeInfo], addresses: Addresses) -> None:
        self._nodes = {each["metadata"]["name"]: each for each in nodes}
        self._addresses = addresses
        self._suffixes = {node.name: OTHER_SUFFIX.format(n) for n, node in enumerate(infos)}
        self._suffixes.update({node.name: SUFFIXES[role] for role, node in roles(infos).items()})

    def complete(self, objects: t.Iterable[Object]) -> list[Object]:
        """The objects with their statuses, each followed by what would have been made of it."""
        found: list[Object] = []
        for given in objects:
            obj = dict(given)
            options = obj.pop(KEY, None) or {}
            if options.get("status") is False:
                found.append(obj)
            elif obj["kind"] == "DaemonSet":
                found += self._daemon_set(obj, options)
            elif obj["kind"] == "Deployment":
                found += self._deployment(obj, options)
            elif obj["kind"] == "Pod" and obj["spec"].get("nodeName"):
                found.append(self._pod(obj, options))
            else:
                found.append(obj)
        return found

    def _daemon_set(self, obj: Object, options: Object) -> list[Object]:
        template, metadata = obj["spec"]["template"], obj["metadata"]
        pods = []
        for node in self._allowed(template["spec"]):
            labels = {"controller-revision-hash": REVISION, "pod-template-generation": "1"}
            pods.append(self._of_template(template, metadata, f"{metadata['name']}-{self._suffixes[node]}", node, labels, _owner(obj), options))
        count = len(pods)
        counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberReady", "updatedNumberScheduled")
        status = {**dict.fromkeys(counts, count), "numberMisscheduled": 0, "observedGeneration": 1}
        return [merged({"status": status}, obj), *pods]

    def _deployment(self, obj: Object, options: Object) -> list[Object]:
        spec, metadata = obj["spec"], obj["metadata"]
        template, replicas = spec["template"], spec.get("replicas", 1)
        name = f"{metadata['name']}-{TEMPLATE_HASH}"
        labels = {"pod-template-hash": TEMPLATE_HASH}
        labelled = merged(template, {"metadata": {"labels": labels}})
        replica_set = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": labelled["metadata"]["labels"],
                "annotations": {"deployment.kubernetes.io/revision": "1"},
                "ownerReferences": [_owner(obj)],
            },
            "spec": {"replicas": replicas, "selector": {"matchLabels": {**spec["selector"]["matchLabels"], **labels}}, "template": labelled},
            "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas, "observedGeneration": 1},
        }
        allowed = self._allowed(template["spec"])[::-1]
        pods = []
        for number in range(replicas if allowed else 0):
            node, again = allowed[number % len(allowed)], number // len(allowed)
            suffix = self._suffixes[node] if not again else f"{self._suffixes[node][:-1]}{again + 1}"
            pods.append(self._of_template(template, metadata, f"{name}-{suffix}", node, labels, _owner(replica_set), options))
        since = options.get("since") or self._since(pods[0], options) if pods else ""
        conditions = [
            {"type": kind, "status": "True", "reason": reason, "message": "", "lastTransitionTime": since, "lastUpdateTime": since}
            for kind, reason in (("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable"))
        ]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), len(pods))
        status = {**counts, "observedGeneration": 1, **({"conditions": conditions} if pods else {})}
        made = merged({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "1"}}, "status": status}, obj)
        return [made, replica_set, *pods]

    def _of_template(self, template: Object, metadata: Object, name: str, node: str, labels: Object, owner: Object, options: Object) -> Object:
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **template["metadata"],
                "name": name,
                "namespace": metadata["namespace"],
                "labels": {**template["metadata"]["labels"], **labels},
                "ownerReferences": [owner],
            },
            "spec": {**template["spec"], "nodeName": node},
        }
        return self._pod(pod, options)

    def _pod(self, pod: Object, options: Object) -> Object:
        """A pod that runs, unless it says otherwise itself."""
        spec, since = pod["spec"], self._since(pod, options)
        node_ip = self._internal_ip(spec["nodeName"])
        identity = f"{pod['metadata'].get('namespace')}/{pod['metadata']['name']}"
        address = node_ip if spec.get("hostNetwork") else self._addresses.of_pod(spec["nodeName"], identity)
        kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        status = {
            "phase": "Running",
            "qosClass": "Burstable",
            "hostIP": node_ip,
            "hostIPs": [{"ip": node_ip}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": since,
            "conditions": [{"type": each, "status": "True", "lastProbeTime": None, "lastTransitionTime": since} for each in kinds],
            "containerStatuses": [_running(each, identity, since) for each in spec["containers"]],
        }
        if spec.get("initContainers"):
            status["initContainerStatuses"] = [_completed(each, identity, since) for each in spec["initContainers"]]
        made = merged({"status": status}, pod)
        if not pod["metadata"].get("ownerReferences"):
            node = {"apiVersion": "v1", "kind": "Node", "name": spec["nodeName"], "controller": True}
            made["metadata"]["ownerReferences"] = [node]
        return made

    def _since(self, pod: Object, options: Object) -> str:
        if options.get("since"):
            return str(options["since"])
        node = self._nodes[pod["spec"]["nodeName"]]
        ready = next((each["lastTransitionTime"] for each in node["status"].get("conditions") or () if each["type"] == "Ready"), "")
        if not ready:
            return ""
        static = (pod["metadata"].get("annotations") or {}).get("kubernetes.io/config.source") == "file"
        seconds = STATIC_SECONDS if static else HOST_NETWORK_SECONDS if pod["spec"].get("hostNetwork") else NETWORKED_SECONDS
        moment = datetime.datetime.strptime(ready, "%Y-%m-%dT%H:%M:%SZ") + datetime.timedelta(seconds=seconds)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _internal_ip(self, node: str) -> str:
        return next(each["address"] for each in self._nodes[node]["status"]["addresses"] if each["type"] == "InternalIP")

    def _allowed(self, pod_spec: Object) -> list[str]:
        """The names of the nodes that a pod may run on, in the nodes' order."""
        return [name for name, node in self._nodes.items() if _selects(pod_spec, node) and _tolerates(pod_spec, node)]


def _selects(pod_spec: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (pod_spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    return terms is None or any(all(_matches(each, labels) for each in term.get("matchExpressions") or ()) for term in terms)


def _matches(expression: Object, labels: t.Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator in ("In", "NotIn"):
        return (labels.get(key) in values) == (operator == "In")
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) == (operator == "Exists")
    raise ValueError(f"a node affinity with operator {operator} is not played here")


def _tolerates(pod_spec: Object, node: Object) -> bool:
    """Whether no taint that keeps pods away is left untolerated (kubernetes component-helpers scheduling/corev1)."""
    tolerations = pod_spec.get("tolerations") or ()
    taints = [each for each in node["spec"].get("taints") or () if each["effect"] in ("NoSchedule", "NoExecute")]
    return all(any(_tolerated(taint, each) for each in tolerations) for taint in taints)


def _tolerated(taint: Object, toleration: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", "")


def _owner(obj: Object) -> Object:
    """Its uid is filled in when the object has been planted."""
    owner = {key: obj[key] for key in ("apiVersion", "kind")}
    return {**owner, "name": obj["metadata"]["name"], "controller": True, "blockOwnerDeletion": True}


def _running(container: Object, identity: str, since: str) -> Object:
    return {**_status(container, identity), "ready": True, "started": True, "state": {"running": {"startedAt": since}}}


def _completed(container: Object, identity: str, since: str) -> Object:
    status = _status(container, identity)
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": since, "finishedAt": since, "containerID": status["containerID"]}
    return {**status, "ready": True, "started": False, "state": {"terminated": ended}}


def _status(container: Object, identity: str) -> Object:
    image = container["image"]
    return {
        "name": container["name"],
        "image": image,
        "imageID": f"{image.partition('@')[0].rpartition(':')[0]}@sha256:{_digest(image)}",
        "containerID": f"containerd://{_digest(identity + '/' + container['name'])}",
        "restartCount": 0,
        "lastState": {},
    }


def _digest(text: str) -> str:
    """64 hexadecimal digits that look like a digest and are the same each time."""
    return "".join(f"{zlib.crc32(f'{n}{text}'.encode()):08x}" for n in range(8))
