# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the synchronisation of Endpoints and Clusters between a member and the broker.

Imitates the datastore syncer inside the active gateway (submariner pkg/controllers/datastoresyncer/datastoresyncer.go at
v0.19.0-rc3) and admiral pkg/syncer/broker/syncer.go and pkg/federate: the member's own objects go to the broker with the label
``submariner-io/clusterID``, those of other members come from there with it, updates in place, removals follow. An Endpoint that
overlaps the member's own subnets does not come in. As upstream, nothing is synchronised while the member has no active gateway. A copy that the broker
does not have is taken away when the gateway starts (admiral pkg/syncer/resource_syncer.go Reconcile), and later when it goes from the broker, not else.

In an awake lab nothing is synchronised before an object on either side is not what it was when the lab was roused.

The broker is the lab's cluster whose server the Submariner resource names; the stand-in's own certificate opens it, not the token.
"""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path

from tests.lab import woken
from tests.lab.client import Client
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _objects as objects
from tests.lab.standins._loop import Loop
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]


class Change(t.NamedTuple):
    """A write that brings one side up to date with the other.

    :ivar verb: create, replace or delete.
    :ivar obj: as it is to be; for delete as it is.
    """

    verb: str
    obj: Object


def to_broker(cluster_id: str, local: list[Object], broker: list[Object]) -> list[Change]:
    """What to write at the broker: copies of the member's own objects, without those that have gone."""
    own = [_copy(each, cluster_id) for each in local if each["spec"]["cluster_id"] == cluster_id]
    there = [each for each in broker if _origin(each) == cluster_id]
    return _changes(own, there)


def to_member(cluster_id: str, local: list[Object], broker: list[Object], skip: t.Container[str] = ()) -> list[Change]:
    """What to write at the member: copies of other members' objects, without those that have gone.

    :param skip: names that do not come in; what is there of them stays as it is.
    """
    foreign = [_copy(each, _origin(each)) for each in broker if _origin(each) not in ("", cluster_id) and each["metadata"]["name"] not in skip]
    there = [each for each in local if _origin(each) not in ("", cluster_id) and each["metadata"]["name"] not in skip]
    return _changes(foreign, there)


def without_unseen(changes: list[Change], known: t.Container[str] | None) -> list[Change]:
    """Without the removal of copies whose originals a running gateway never saw.

    :param known: names that were at the broker when it looked last; None for a gateway that starts.
    """
    return [each for each in changes if each.verb != "delete" or known is None or each.obj["metadata"]["name"] in known]


def overlapping(cluster_id: str, local: list[Object], broker: list[Object]) -> list[Object]:
    """The other members' Endpoints at the broker that share addresses with the member's own (shouldSyncRemoteEndpoint)."""
    own = [subnet for each in local if each["spec"]["cluster_id"] == cluster_id for subnet in each["spec"]["subnets"]]
    return [each for each in broker if _origin(each) != cluster_id and objects.overlap(each["spec"]["subnets"], own)]


class Broker:
    """See the module."""

    name = "broker"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        self._brokers: dict[str, Client] = {}
        self._skipped: set[str] = set()
        self._known: dict[str, set[str]] = {}  # by collection, what the gateway's process has seen at the broker
        self._process = ""
        self._rests = bool(woken.woken(cluster))

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        loop.watch(self._client, objects.PODS, objects.pod_fingerprint)
        for path in (objects.SUBMARINERS, objects.ENDPOINTS, objects.CLUSTERS):
            loop.watch(self._client, path, _spec_only)
        loop.run(lambda: self._step(loop))

    def _step(self, loop: Loop) -> None:
        gateway = self._active_gateway()
        if gateway is None:
            return
        env = objects.environment(gateway)
        info = objects.broker_of(self._lab, env["BROKER_K8S_APISERVER"])
        if info is None:
            return
        namespace, cluster_id = env["BROKER_K8S_REMOTENAMESPACE"], env["SUBMARINER_CLUSTERID"]
        client = self._follow(loop, info, namespace)
        if self._rests and not self._changed(info, client, namespace):
            return
        self._rests = False
        if self._process != gateway["metadata"]["uid"]:
            self._process = gateway["metadata"]["uid"]
            self._known.clear()
        log = ConsoleLog(self._cluster.pod_log(objects.NAMESPACE, gateway["metadata"]["name"], objects.GATEWAY))
        for path in (objects.CLUSTERS, objects.ENDPOINTS):
            remote = path.replace(objects.NAMESPACE, namespace)
            here, there = self._client.list(path), client.list(remote)
            skip = self._skip(cluster_id, here, there, log) if path == objects.ENDPOINTS else set()
            _write(client, remote, to_broker(cluster_id, here, there), log, "local -> broker")
            incoming = to_member(cluster_id, here, there, skip)
            _write(self._client, path, without_unseen(incoming, self._known.get(path)), log, "broker -> local")
            self._known[path] = {each["metadata"]["name"] for each in there}

    def _follow(self, loop: Loop, broker: ClusterInfo, namespace: str) -> Client:
        """The client for a broker, whose namespace is watched from the first time on."""
        key = f"{broker.server}/{namespace}"
        if key not in self._brokers:
            self._brokers[key] = broker.client(self.name)
            for path in (objects.CLUSTERS, objects.ENDPOINTS):
                loop.watch(self._brokers[key], path.replace(objects.NAMESPACE, namespace), _spec_only)
        return self._brokers[key]

    def _changed(self, info: ClusterInfo, client: Client, namespace: str) -> bool:
        """Whether anything to synchronise is not as it was when the lab was roused."""
        for path in (objects.CLUSTERS, objects.ENDPOINTS):
            for cluster, here, place in ((self._cluster, self._client, path), (info, client, path.replace(objects.NAMESPACE, namespace))):
                before = {each["metadata"]["uid"]: _spec_only(each) for each in woken.in_collection(woken.woken(cluster), place)}
                if before != {each["metadata"]["uid"]: _spec_only(each) for each in here.list(place)}:
                    return True
        return False

    def _active_gateway(self) -> Object | None:
        pods = [pod for pod in objects.with_label(self._client.list(objects.PODS), objects.GATEWAY) if objects.is_ready(pod)]
        status = objects.GATEWAY_CONFIG_PREFIX + "status"
        labelled = next((pod for pod in pods if pod["metadata"]["labels"].get(status) == "active"), None)
        if labelled is not None or not self._cluster.awake:
            return labelled
        # Planted pods carry no label; their Gateway object tells.
        active = {each["metadata"]["name"] for each in self._client.list(objects.GATEWAYS) if each.get("status", {}).get("haStatus") == "active"}
        return next((pod for pod in pods if pod["spec"].get("nodeName") in active), None)

    def _skip(self, cluster_id: str, here: list[Object], there: list[Object], log: ConsoleLog) -> set[str]:
        found = overlapping(cluster_id, here, there)
        for each in found:
            key = f"{each['metadata']['uid']} {each['spec']['subnets']}"
            if key not in self._skipped:
                self._skipped.add(key)
                message = f"Skip processing the remote endpoint {json.dumps(each['spec'])} as subnets are overlapping"
                log.error("datastoresyncer/datastoresyncer.go:200", "DSSyncer", message)
        return {each["metadata"]["name"] for each in found}


def _write(client: Client, path: str, changes: list[Change], log: ConsoleLog, direction: str) -> None:
    for change in changes:
        metadata = change.obj["metadata"]
        if change.verb == "create":
            client.create(path, change.obj)
        elif change.verb == "replace":
            client.replace(f"{path}/{metadata['name']}", change.obj)
        else:
            client.delete(f"{path}/{metadata['name']}")
        done = {"create": "Created", "replace": "Updated", "delete": "Deleted"}[change.verb]
        namespace = path.split("/")[-2]
        log.info("pkg/federate/base_federator.go:75", "Federator", f'{direction}: {done} {change.obj["kind"]} "{namespace}/{metadata["name"]}" ')


def _changes(wanted: list[Object], existing: list[Object]) -> list[Change]:
    there = {each["metadata"]["name"]: each for each in existing}
    changes = []
    for each in wanted:
        old = there.pop(each["metadata"]["name"], None)
        if old is None:
            changes.append(Change("create", each))
        elif old["spec"] != each["spec"] or _origin(old) != _origin(each):
            changes.append(Change("replace", {**old, "spec": each["spec"], "metadata": {**old["metadata"], "labels": each["metadata"]["labels"]}}))
    return changes + [Change("delete", each) for each in there.values()]


def _copy(obj: Object, cluster_id: str) -> Object:
    labels = {**(obj["metadata"].get("labels") or {}), objects.CLUSTER_ID_LABEL: cluster_id}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {"name": obj["metadata"]["name"], "labels": labels}, "spec": obj["spec"]}


def _origin(obj: Object) -> str:
    return (obj["metadata"].get("labels") or {}).get(objects.CLUSTER_ID_LABEL, "")


def _spec_only(obj: Object) -> t.Any:
    return obj.get("spec"), obj["metadata"].get("labels")
