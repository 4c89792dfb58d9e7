# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Submariner's gateway engine: one instance plays every gateway pod of a cluster.

Imitates submariner v0.16.7 to v0.19.0-rc3: pkg/gateway/gateway.go (start, leader, uninstall), pkg/endpoint/local_endpoint.go,
pkg/controllers/datastoresyncer/datastoresyncer.go (the Endpoint is updated, not recreated, when only its subnets change),
pkg/cableengine (a cable keeps the selectors that it was installed with) and pkg/pod/pod.go (labels of the pods).

A pod's environment is read when the pod starts; its release only shows in ``Gateway.status.version``. Leader election is the
choice of the oldest pod; there is no Lease. No packet is sent: a connection with health check is up while the remote gateway is
active and both sides have installed what the other one offers.

In an awake lab the gateways that were there when it was roused are left as they are planted, until a gateway's pod comes or goes, or an Endpoint is
not what it was: from then on all of them are played, those that were there with the role and the connections that their Gateway objects tell of. Until then
those whose pod is Ready write nothing but the time into their Gateway objects, as they do every 5 s (pkg/cableengine/syncer/syncer.go, GatewayUpdateInterval).
"""

from __future__ import annotations

import json
import threading
import time
import typing as t
from pathlib import Path

from tests.lab import woken
from tests.lab.client import ApiError, Client
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _objects as objects
from tests.lab.standins._cables import CableEngine
from tests.lab.standins._crash import CrashLoops, is_crash_looping
from tests.lab.standins._loop import Loop
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]

HEARTBEAT_SECONDS = 5.0  # GatewayUpdateInterval
FATAL_EXIT_CODE = 255
_STATUS_LABEL = objects.GATEWAY_CONFIG_PREFIX + "status"
_NODE_LABEL = objects.GATEWAY_CONFIG_PREFIX + "node"


class _Engine:
    """A gateway process that has come up in a pod."""

    def __init__(self, pod: Object, local: Object, log: ConsoleLog, resumed: bool) -> None:
        self.pod = pod
        self.local = local
        self.log = log
        self.cables = CableEngine(local)
        self.resumed = resumed
        self.leads = False
        self.heartbeat = 0.0

    @property
    def hostname(self) -> str:
        return self.local["hostname"]


class SubmarinerGateway:
    """See the module."""

    name = "submariner-gateway"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        self._others = {each.name: each.client(self.name) for each in lab.clusters if each.name != cluster.name}
        self._engines: dict[str, _Engine] = {}
        self._crashes = CrashLoops(self._client, lab.time_scale)
        self._remote_gateways: dict[str, list[Object]] = {}
        image = woken.woken(cluster)
        self._resting = {each["metadata"]["uid"] for each in objects.with_label(woken.in_collection(image, objects.PODS), objects.GATEWAY)}
        self._endpoints_before = _specs(woken.in_collection(image, objects.ENDPOINTS))
        self._rests = bool(image)
        self._beats = 0.0  # when the gateways that rest write next

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        loop.watch(self._client, objects.PODS, objects.pod_fingerprint)
        loop.watch(self._client, objects.ENDPOINTS)
        loop.watch(self._client, objects.GATEWAYS)
        for client in self._others.values():
            loop.watch(client, objects.GATEWAYS)
        loop.run(self._step)

    def _step(self) -> float | None:
        now = time.monotonic()
        pods = self._client.list(objects.PODS)
        gateways = [pod for pod in objects.with_label(pods, objects.GATEWAY) if not objects.is_going(pod)]
        if self._rests:
            same = {pod["metadata"]["uid"] for pod in gateways} == self._resting
            if same and _specs(self._client.list(objects.ENDPOINTS)) == self._endpoints_before:
                return self._beat(gateways, now)
            self._rests = False
            self._forget_departed(gateways)
        waits = self._start_and_end(gateways, now)
        self._uninstall(objects.with_label(pods, objects.GATEWAY + objects.UNINSTALL))
        if self._engines:
            endpoints = self._client.list(objects.ENDPOINTS)
            self._elect(endpoints)
            self._connect(endpoints)
            waits.append(self._publish(now))
        return min(waits, default=None)

    def _beat(self, pods: list[Object], now: float) -> float:
        """The reports of gateways that rest: when they write, and nothing else."""
        if now >= self._beats:
            self._beats = now + HEARTBEAT_SECONDS
            nodes = {pod["spec"].get("nodeName") for pod in pods if objects.is_ready(pod)}
            for gateway in self._client.list(objects.GATEWAYS):
                if gateway["metadata"]["name"] in nodes and objects.UPDATE_TIMESTAMP in (gateway["metadata"].get("annotations") or {}):
                    beat = {"metadata": {"annotations": {objects.UPDATE_TIMESTAMP: str(int(time.time()))}}}
                    self._client.merge_patch(f"{objects.GATEWAYS}/{gateway['metadata']['name']}", beat)
        return self._beats - now

    def _start_and_end(self, pods: list[Object], now: float) -> list[float]:
        present = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid in [each for each in self._engines if each not in present]:
            self._end(self._engines.pop(uid))
        self._crashes.forget_all_but(present)
        waits = []
        for uid, pod in present.items():
            if uid in self._engines:
                self._engines[uid].pod = pod
            elif objects.is_ready(pod) or is_crash_looping(pod):
                wait = self._crashes.wait(pod, now)
                if wait > 0 or not self._start(pod, now):
                    waits.append(self._crashes.wait(pod, now))
        return waits

    def _start(self, pod: Object, now: float) -> bool:
        log = ConsoleLog(self._cluster.pod_log(objects.NAMESPACE, pod["metadata"]["name"], objects.GATEWAY))
        known = _STATUS_LABEL in (pod["metadata"].get("labels") or {}) or pod["metadata"]["uid"] in self._resting
        resumed = log.begun and known and not is_crash_looping(pod)
        env = objects.environment(pod)
        if not resumed:
            _log_start(log, env)
        try:
            local = objects.local_endpoint(pod, self._client.get(f"{objects.NODES}/{pod['spec']['nodeName']}"))
        except objects.EndpointError as error:
            reason = f"error creating local endpoint object: {error}"
            log.fatal("submariner/main.go:147", "main", "Error creating gateway instance", error=reason)
            self._crashes.crashed(pod, FATAL_EXIT_CODE, now)
            return False
        if not resumed:
            log.info("pkg/gateway/gateway.go:247", "Gateway", "Starting leader election")
        self._crashes.started(pod)
        self._engines[pod["metadata"]["uid"]] = _Engine(pod, local, log, resumed)
        return True

    def _end(self, engine: _Engine) -> None:
        """On SIGTERM a gateway takes its Gateway object away; its Endpoint stays."""
        if any(each.hostname == engine.hostname for each in self._engines.values()):
            return
        _delete(self._client, f"{objects.GATEWAYS}/{engine.hostname}")
        engine.log.info("cableengine/syncer/syncer.go:330", "GWSyncer", f"The Gateway entry for {json.dumps(engine.hostname)} has been deleted")

    def _elect(self, endpoints: list[Object]) -> None:
        if any(engine.leads for engine in self._engines.values()):
            return
        engines = list(self._engines.values())
        chosen = next((each for each in engines if self._led(each)), engines[0])
        if self._led(chosen):
            gateway = self._client.find(f"{objects.GATEWAYS}/{chosen.hostname}") or {}
            chosen.cables.adopt(gateway.get("status", {}).get("connections") or [], endpoints)
        else:
            chosen.log.info("pkg/gateway/gateway.go:280", "Gateway", "Leadership acquired - starting controllers")
            self._take_over(chosen, endpoints)
        chosen.leads = True

    def _led(self, engine: _Engine) -> bool:
        """Whether it was the active gateway before this stand-in looked at it."""
        if not engine.resumed:
            return False
        if engine.pod["metadata"]["uid"] in self._resting:
            gateway = self._client.find(f"{objects.GATEWAYS}/{engine.hostname}") or {}
            return bool(gateway.get("status", {}).get("haStatus") == "active")
        return _label(engine.pod, _STATUS_LABEL) == "active"

    def _forget_departed(self, pods: list[Object]) -> None:
        """Takes away the Gateway objects of nodes whose gateway has ended without this stand-in having played it."""
        nodes = {pod["spec"].get("nodeName") for pod in pods if pod["metadata"]["uid"] in self._resting}
        for gateway in self._client.list(objects.GATEWAYS):
            if gateway["metadata"]["name"] not in nodes:
                _delete(self._client, f"{objects.GATEWAYS}/{gateway['metadata']['name']}")

    def _take_over(self, engine: _Engine, endpoints: list[Object]) -> None:
        local = engine.local
        for each in endpoints:
            if each["spec"]["cluster_id"] == local["cluster_id"] and not objects.same_endpoint(each["spec"], local):
                _delete(self._client, f"{objects.ENDPOINTS}/{each['metadata']['name']}")
                message = f"Successfully deleted existing submariner Endpoint {json.dumps(each['metadata']['name'])}"
                engine.log.info("datastoresyncer/datastoresyncer.go:226", "DSSyncer", message)
        self._create_or_update(objects.CLUSTERS, objects.cluster(objects.environment(engine.pod)))
        self._create_or_update(objects.ENDPOINTS, objects.endpoint(local))
        engine.log.info("datastoresyncer/datastoresyncer.go:95", "DSSyncer", "Datastore syncer started")

    def _connect(self, endpoints: list[Object]) -> None:
        for engine in self._engines.values():
            if not engine.leads:
                continue
            installed, removed = engine.cables.observe(endpoints)
            for name in removed:
                message = f"Successfully removed Endpoint cable {json.dumps(name)}"
                engine.log.info("pkg/cableengine/cableengine.go:287", "CableEngine", message)
            for name in installed:
                message = f"Successfully installed Endpoint cable {json.dumps(name)}"
                engine.log.info("pkg/cableengine/cableengine.go:226", "CableEngine", message)

    def _publish(self, now: float) -> float:
        existing = {each["metadata"]["name"]: each for each in self._client.list(objects.GATEWAYS)}
        self._read_remote_gateways()
        for engine in self._engines.values():
            self._label_pod(engine)
            self._write_gateway(engine, existing.get(engine.hostname), now)
        hostnames = {engine.hostname for engine in self._engines.values()}
        for name in existing.keys() - hostnames:
            _delete(self._client, f"{objects.GATEWAYS}/{name}")
        return min(engine.heartbeat for engine in self._engines.values()) - now

    def _write_gateway(self, engine: _Engine, existing: Object | None, now: float) -> None:
        status = {
            "version": objects.build_version(engine.pod),
            "haStatus": "active" if engine.leads else "passive",
            "localEndpoint": engine.local,
            "statusFailure": "",
            "connections": engine.cables.connections(lambda remote: self._pings(engine.local, remote)) if engine.leads else [],
        }
        beat = {objects.UPDATE_TIMESTAMP: str(int(time.time()))}
        if existing is None:
            metadata = {"name": engine.hostname, "annotations": beat}
            self._client.create(objects.GATEWAYS, {"apiVersion": "submariner.io/v1", "kind": "Gateway", "metadata": metadata, "status": status})
        elif existing.get("status") != status:
            metadata = {**existing["metadata"], "annotations": {**(existing["metadata"].get("annotations") or {}), **beat}}
            self._client.replace(f"{objects.GATEWAYS}/{engine.hostname}", {**existing, "metadata": metadata, "status": status})
        elif now >= engine.heartbeat:
            self._client.merge_patch(f"{objects.GATEWAYS}/{engine.hostname}", {"metadata": {"annotations": beat}})
        else:
            return
        engine.heartbeat = now + HEARTBEAT_SECONDS

    def _label_pod(self, engine: _Engine) -> None:
        labels = {_NODE_LABEL: engine.hostname, _STATUS_LABEL: "active" if engine.leads else "passive"}
        if any(_label(engine.pod, key) != value for key, value in labels.items()):
            self._client.merge_patch(f"{objects.PODS}/{engine.pod['metadata']['name']}", {"metadata": {"labels": labels}})
            message = f'Successfully updated Gateway pod HA status to "{labels[_STATUS_LABEL]}"'
            engine.log.info("pkg/gateway/gateway.go:370", "Gateway", message)

    def _read_remote_gateways(self) -> None:
        """Those of the other clusters, wherever anybody checks health; of a cluster whose API server is away the last known."""
        if not any("healthCheckIP" in engine.local for engine in self._engines.values()):
            return
        for name, client in self._others.items():
            try:
                self._remote_gateways[name] = client.list(objects.GATEWAYS)
            except ApiError:
                self._remote_gateways.setdefault(name, [])

    def _pings(self, local: Object, remote: Object) -> bool:
        """Whether an active gateway at the other end has the same subnets in mind for both directions."""
        for gateway in (each for gateways in self._remote_gateways.values() for each in gateways):
            status = gateway["status"]
            if status["haStatus"] != "active" or status["localEndpoint"]["cluster_id"] != remote["cluster_id"]:
                continue
            views = [each["endpoint"]["subnets"] for each in status["connections"] if each["endpoint"]["cluster_id"] == local["cluster_id"]]
            return status["localEndpoint"]["subnets"] == remote["subnets"] and local["subnets"] in views
        return False

    def _uninstall(self, pods: list[Object]) -> None:
        """What the init container of ``submariner-gateway-uninstall`` does: removes the objects, also those at the broker."""
        for pod in pods:
            metadata = pod["metadata"]
            if not objects.is_ready(pod) or objects.UNINSTALLED in (metadata.get("annotations") or {}):
                continue
            env = objects.environment(pod)
            log = ConsoleLog(self._cluster.pod_log(objects.NAMESPACE, metadata["name"], objects.GATEWAY + objects.UNINSTALL))
            log.info("pkg/gateway/gateway.go:182", "Gateway", "Uninstalling the submariner gateway engine")
            _delete(self._client, f"{objects.GATEWAYS}/{pod['spec']['nodeName']}")
            broker = objects.broker_of(self._lab, env["BROKER_K8S_APISERVER"])
            for path in (objects.ENDPOINTS, objects.CLUSTERS):
                for each in self._client.list(path):
                    name = each["metadata"]["name"]
                    _delete(self._client, f"{path}/{name}")
                    if broker is not None and each["spec"]["cluster_id"] == env["SUBMARINER_CLUSTERID"]:
                        remote = path.replace(objects.NAMESPACE, env["BROKER_K8S_REMOTENAMESPACE"])
                        _delete(broker.client(self.name), f"{remote}/{name}")
                    message = f"Successfully deleted submariner {each['kind']} {json.dumps(name)} from the local datastore"
                    log.info("datastoresyncer/datastoresyncer.go:150", "DSSyncer", message)
            objects.mark_uninstalled(self._client, pod)

    def _create_or_update(self, path: str, wanted: Object) -> None:
        existing = self._client.find(f"{path}/{wanted['metadata']['name']}")
        if existing is None:
            self._client.create(path, wanted)
        elif existing["spec"] != wanted["spec"]:
            self._client.replace(f"{path}/{wanted['metadata']['name']}", {**existing, "spec": wanted["spec"]})


def _log_start(log: ConsoleLog, env: t.Mapping[str, str]) -> None:
    log.info("submariner/main.go:86", "main", "Starting the submariner gateway engine")
    ranges = ", ".join(f"{name}:{json.dumps(env.get(f'SUBMARINER_{name.upper()}', ''))}" for name in ("ClusterCidr", "ServiceCidr", "GlobalCidr"))
    log.info("submariner/main.go:94", "main", f"Parsed env variables: types.SubmarinerSpecification{{{ranges}}}")
    log.info("pkg/gateway/gateway.go:108", "Gateway", "Initializing the gateway engine")
    if env.get("SUBMARINER_HEALTHCHECKENABLED") != "true":
        log.info("pkg/gateway/gateway.go:391", "Gateway", "The CableEngine HealthChecker is disabled")


def _specs(endpoints: t.Iterable[Object]) -> dict[str, Object]:
    return {each["metadata"]["name"]: each["spec"] for each in endpoints}


def _label(pod: Object, key: str) -> str:
    return (pod["metadata"].get("labels") or {}).get(key, "")


def _delete(client: Client, path: str) -> None:
    try:
        client.delete(path)
    except ApiError as error:
        if not error.not_found:
            raise
