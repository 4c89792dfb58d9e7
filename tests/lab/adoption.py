# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes controllers that start take planted workloads for their own, so that nothing moves which an incident has planted.

A DaemonSet's pod is up to date when its label names the DaemonSet's template generation (kubernetes pkg/controller/daemon/util/daemonset_util.go
IsPodUpdated); a Deployment's ReplicaSet when its template is the same but for the hash (pkg/controller/deployment/util/deployment_util.go). A DaemonSet
whose status tells of fewer updated pods than there are is in the middle of a rollout: those that are not ready are the new ones.
"""

from __future__ import annotations

import typing as t

from tests.lab import woken
from tests.lab.at_rest import REVISION
from tests.lab.client import Client, Object
from tests.lab.info import ClusterInfo
from tests.lab.standins import _tigera_render
from tests.lab.standins._kubelet_status import is_ready
from tests.lab.standins._tigera_view import CALICO_NODE, INSTALLATION

APPS = "/apis/apps/v1"
DAEMON_SETS = f"{APPS}/daemonsets"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
POD_GENERATION = "pod-template-generation"
EARLIER = "0"
HASH = "pod-template-hash"
REVISION_HASH = "controller-revision-hash"


def settle(cluster: ClusterInfo) -> None:
    """Before the controllers are roused: pods and ReplicaSets belong to their DaemonSets' and Deployments' present templates."""
    client = cluster.client("planter")
    _settle_calico_node(cluster, client)
    _settle_owners(client)
    pods = client.list("/api/v1/pods")
    for daemon_set in client.list(DAEMON_SETS):
        mine = sorted(_owned(pods, daemon_set), key=lambda each: (is_ready(each), each["metadata"]["name"]))
        count = min(len(mine), daemon_set.get("status", {}).get("updatedNumberScheduled", 0) or len(mine))
        for number, pod in enumerate(mine):
            updated = {POD_GENERATION: _generation(daemon_set)}
            wanted = updated if number < count else {POD_GENERATION: EARLIER, REVISION_HASH: REVISION}
            if not wanted.items() <= (pod["metadata"].get("labels") or {}).items():
                client.merge_patch(_path("/api/v1", "pods", pod), {"metadata": {"labels": wanted}})
    sets = client.list(f"{APPS}/replicasets")
    for deployment in client.list(f"{APPS}/deployments"):
        _settle_deployment(client, deployment, _owned(sets, deployment))


def is_seen(client: Client) -> bool:
    """Whether the DaemonSet controller has looked at every DaemonSet as it is."""
    return all(each["status"].get("observedGeneration") == each["metadata"]["generation"] for each in client.list(DAEMON_SETS))


def adopt(client: Client) -> None:
    """Once the DaemonSet controller has seen them: puts the hash of its newest revision on the pods that are up to date."""
    pods, revisions = client.list("/api/v1/pods"), client.list(f"{APPS}/controllerrevisions")
    for daemon_set in client.list(DAEMON_SETS):
        mine = _owned(revisions, daemon_set)
        wanted = max(mine, key=lambda each: each["revision"])["metadata"]["labels"][REVISION_HASH] if mine else ""
        for pod in _owned(pods, daemon_set):
            labels = pod["metadata"]["labels"]
            if wanted and labels.get(POD_GENERATION) == _generation(daemon_set) and labels.get(REVISION_HASH) != wanted:
                client.merge_patch(_path("/api/v1", "pods", pod), {"metadata": {"labels": {REVISION_HASH: wanted}}})


def _settle_calico_node(cluster: ClusterInfo, client: Client) -> None:
    """Makes DaemonSet calico-node what the tigera operator renders of the Installation, where an incident has planted the Installation alone."""
    plain = woken.healthy(cluster).get(CALICO_NODE)
    installation, current = (client.find(INSTALLATION), client.find(CALICO_NODE)) if plain else (None, None)
    if plain is None or installation is None or current is None:
        return
    before = woken.healthy(cluster)[INSTALLATION]
    effective = _tigera_render.computed(installation["spec"], before["status"]["computed"], before["spec"])
    wanted = _tigera_render.calico_node(current, plain, effective)
    if wanted != current["spec"]:
        client.replace(CALICO_NODE, {**current, "spec": wanted})


def _settle_owners(client: Client) -> None:
    """Gives planted pods, which cannot know it, the uid of the DaemonSet that they name as their controller."""
    uids = {(each["metadata"]["namespace"], each["metadata"]["name"]): each["metadata"]["uid"] for each in client.list(DAEMON_SETS)}
    for pod in client.list("/api/v1/pods"):
        place, owners = pod["metadata"]["namespace"], pod["metadata"].get("ownerReferences") or ()
        right = [{**each, "uid": uids.get((place, each["name"]), each["uid"])} if each["kind"] == "DaemonSet" else each for each in owners]
        if right != list(owners):
            client.merge_patch(_path("/api/v1", "pods", pod), {"metadata": {"ownerReferences": right}})


def _settle_deployment(client: Client, deployment: Object, mine: list[Object]) -> None:
    template = deployment["spec"]["template"]
    if not mine or any(_without_hash(each["spec"]["template"]) == template for each in mine):
        return
    newest = max(mine, key=lambda each: each["metadata"]["creationTimestamp"])
    labels = {**template["metadata"].get("labels", {}), HASH: newest["metadata"]["labels"][HASH]}
    changed = {**template, "metadata": {**template["metadata"], "labels": labels}}
    client.replace(_path(APPS, "replicasets", newest), {**newest, "spec": {**newest["spec"], "template": changed}})


def _generation(daemon_set: Object) -> str:
    return str((daemon_set["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1"))


def _owned(objects: t.Iterable[Object], owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    return [each for each in objects if any(ref["uid"] == uid for ref in each["metadata"].get("ownerReferences") or ())]


def _without_hash(template: Object) -> Object:
    labels = {key: value for key, value in template["metadata"].get("labels", {}).items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _path(root: str, plural: str, obj: Object) -> str:
    return f"{root}/namespaces/{obj['metadata']['namespace']}/{plural}/{obj['metadata']['name']}"
