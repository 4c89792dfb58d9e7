# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The objects by which nodes are probed from pods.

A Job and no DaemonSet: a Job ends by itself after ``activeDeadlineSeconds`` and removes itself, its pods and all that it owns after
``ttlSecondsAfterFinished`` (kubernetes pkg/controller/job, pkg/controller/ttlafterfinished), whatever becomes of the run that made it. A DaemonSet knows
neither, and its pods may have no ``activeDeadlineSeconds`` (kubernetes pkg/apis/apps/validation: ValidateDaemonSetSpec).
"""

from __future__ import annotations

import ipaddress
import itertools
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import PATHS, UNDERLAY

Object = t.Dict[str, t.Any]

NAME = "node-probe"
CONTAINER = "probe"
MANAGED_BY = "app.kubernetes.io/managed-by"
LABELS = {MANAGED_BY: "fathom.submariner", "app.kubernetes.io/name": NAME}
NAME_LABEL = f"{DOMAIN}/probe"
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
PROGRAM, ORDER = "program.pyz", "order.json.gz"
MOST = 700_000  # characters of a ConfigMap's contents: it may have 1 MiB, and stands in the run's journal as well
REMAIN = 60  # seconds that a Job which has ended is kept
_FIELDS = ("address", "name", "path", "protocols", "port", "sizes")
_HOST_NAME = "kubernetes.io/hostname"
_SCRATCH = "/scratch"
_DONE = f"{_SCRATCH}/done"
# The kubelet runs it: only Python is known to be in the image.
_IS_DONE = f"import os,sys; sys.exit(not os.path.exists({_DONE!r}))"


class Wish(t.NamedTuple):
    """
    :param nodes: names of the Nodes that get a pod.
    :param deadline: seconds after which all pods end.
    """

    namespace: str
    image: str
    nodes: t.Tuple[str, ...]
    deadline: int
    host_network: bool = True
    pull_secrets: t.Tuple[str, ...] = ()
    service_account: str = "default"


def require_targets(targets: t.Mapping[str, t.Any]) -> None:
    """
    :raises InputError: these are no targets as module probe_targets_info returns them.
    """
    if not targets:
        raise InputError("targets is empty: give what fathom.submariner.probe_targets_info returns as targets. Nothing was written.")
    for node, each in targets.items():
        try:
            for key in ("path_mtu", "path_probe"):
                for target in each.get(key) or ():
                    strange = sorted(set(target) - set(_FIELDS))
                    if strange or target.get("path", UNDERLAY) not in PATHS:
                        raise ValueError(f"{key} has {', '.join(strange) or target['path']!r}, which no target has")
                    ipaddress.ip_address(str(target["address"]).partition("%")[0])
            for address in each.get("answers_on") or ():
                ipaddress.ip_address(str(address).partition("%")[0])
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            told = f"{error} is missing" if isinstance(error, KeyError) else error
            raise InputError(f"targets: those of {node} are none as fathom.submariner.probe_targets_info returns them: {told}. Nothing was written.") from error


def order(targets: t.Mapping[str, t.Mapping[str, t.Any]], *, host_network: bool, **settings: t.Any) -> Object:
    """What the program is told (``_wire._pod`` reads it), the same for all pods.

    :param targets: by node, as module probe_targets_info returns them.
    :param host_network: without it no pod can answer on a node's address, so that what takes a responder is left out.
    :param settings: ``cluster``, ``cluster_cidrs``, ``port``, ``lifetime``, ``gather``, ``mtu``, ``exchanges``.
    """
    nodes = {}
    for name, each in targets.items():
        mtu, exchanges, answers_on = (list(each.get(key) or ()) for key in ("path_mtu", "path_probe", "answers_on"))
        if not host_network:
            mtu = [{**target, "port": 0, "protocols": ["icmp"]} for target in mtu if "icmp" in target.get("protocols", ["icmp"])]
            exchanges = [{**target, "protocols": ["dns"]} for target in exchanges if "dns" in target.get("protocols", ())]
            answers_on = []
        nodes[name] = {"path_mtu": mtu, "path_probe": exchanges, "answers_on": answers_on}
    return {"nodes": nodes, "host_network": host_network, **settings}


def namespace(name: str) -> Object:
    """Pods on the host's network with NET_RAW are more than Pod Security's ``baseline`` allows."""
    labels = {**LABELS, "pod-security.kubernetes.io/enforce": "privileged"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def config_map(name: str, wish: Wish, job_uid: str, contents: t.Mapping[str, str]) -> Object:
    """The program and its order, which go when the Job goes.

    :param contents: base64 by name.
    """
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job_uid}
    metadata = {"name": name, "namespace": wish.namespace, "labels": LABELS, "ownerReferences": [owner]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": dict(contents), "immutable": True}


def job(name: str, wish: Wish) -> Object:
    """One pod for each node. Its name is also that of the ConfigMap, which may be created after it: pods wait for it."""
    count = len(wish.nodes)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": wish.namespace, "labels": LABELS},
        "spec": {
            "completionMode": "Indexed",
            "completions": count,
            "parallelism": count,
            "backoffLimit": count,
            "activeDeadlineSeconds": wish.deadline,
            "ttlSecondsAfterFinished": REMAIN,
            "template": {"metadata": {"labels": {**LABELS, NAME_LABEL: name}}, "spec": _pod(name, wish)},
        },
    }


def _pod(name: str, wish: Wish) -> Object:
    spec: Object = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": wish.deadline,
        "terminationGracePeriodSeconds": 2,
        "hostNetwork": wish.host_network,
        "dnsPolicy": "ClusterFirstWithHostNet" if wish.host_network else "ClusterFirst",
        "serviceAccountName": wish.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        # Also gateways and control planes that are tainted.
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": _on(wish.nodes), "podAntiAffinity": _one_each(name)},
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(wish)],
        "volumes": [{"name": "probe", "configMap": {"name": name}}, {"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}],
    }
    if wish.pull_secrets:
        spec["imagePullSecrets"] = [{"name": each} for each in wish.pull_secrets]
    return spec


def _container(wish: Wish) -> Object:
    return {
        "name": CONTAINER,
        "image": wish.image,
        "command": ["python3", "-I", f"/probe/{PROGRAM}", f"/probe/{ORDER}"],
        "workingDir": _SCRATCH,
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}, {"name": "DONE_FILE", "value": _DONE}],
        "readinessProbe": {"exec": {"command": ["python3", "-I", "-c", _IS_DONE]}, "periodSeconds": 3, "timeoutSeconds": 10, "failureThreshold": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        # Raw sockets take NET_RAW, which the kernel gives to a container's root alone: there are no ambient capabilities in Kubernetes.
        "securityContext": {
            "runAsUser": 0,
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
        },
        "volumeMounts": [{"name": "probe", "mountPath": "/probe", "readOnly": True}, {"name": "scratch", "mountPath": _SCRATCH}],
    }


def _on(nodes: t.Sequence[str]) -> Object:
    """Any of these nodes, by name: a term takes one (kubernetes pkg/apis/core/validation), and terms are alternatives."""
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]} for node in nodes]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def _one_each(name: str) -> Object:
    term = {"topologyKey": _HOST_NAME, "labelSelector": {"matchLabels": {NAME_LABEL: name}}}
    return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}


def is_ours(found: t.Mapping[str, t.Any] | None) -> bool:
    """Whether an object is one that probing has made."""
    labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    return all(labels.get(key) == value for key, value in LABELS.items())


def free_name(taken: t.Container[str]) -> str:
    """The first name that no leftover has: one may take a while to go."""
    numbered = (f"{NAME}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([NAME], numbered) if name not in taken)
