# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the Submariner operator.

Imitates submariner-operator v0.16.0, v0.17.3, v0.18.1, v0.19.0-rc3 and, where ``_version`` says so, 0.21.1: controllers/submariner
(reconciling, status), pkg/discovery/network (see ``_discovery``), controllers/apply (a DaemonSet's spec is replaced as a whole, so
that the annotation of ``kubectl rollout restart`` goes as it came) and controllers/uninstall (the finalizer's clean-up, given up
after two minutes).

It lives only while a pod of Deployment submariner-operator does. The pod's image names the release; a new pod is a new process,
which forgets the network that the last one found. Left out: globalnet, load balancer, broker Secret renewal, the cluster's own
CoreDNS. ServiceAccounts, which ``subctl`` makes, are made where they are missing.
"""

from __future__ import annotations

import json
import threading
import time
import typing as t
from pathlib import Path

import yaml

from tests.lab import woken
from tests.lab.definitions import CRDS
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _objects as objects
from tests.lab.standins._crash import CrashLoops, is_crash_looping
from tests.lab.standins._discovery import ClusterNetwork, OptionPanic, discover
from tests.lab.standins._live_view import LiveView
from tests.lab.standins._loop import Loop
from tests.lab.standins._status import UNKNOWN_PLUGIN, mismatches, network_status, status
from tests.lab.standins._uninstall import Uninstall
from tests.lab.standins._workloads import PROXY_VARIABLES, Workloads
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]

# controller-runtime: the first pause after a failed reconcile, doubled until the last.
FIRST_REQUEUE_SECONDS = 0.005
LAST_REQUEUE_SECONDS = 1000.0
PANIC_EXIT_CODE = 2
_CONTROLLER = "controllers/submariner/submariner_controller.go"
_DISCOVERY = "submariner/submariner_networkdiscovery.go"
_COMPONENT = "controller_submariner"
_SERVICES = f"/api/v1/namespaces/{objects.NAMESPACE}/services"
_WATCHED = (objects.SUBMARINERS, objects.SERVICE_DISCOVERIES, objects.DAEMON_SETS, objects.DEPLOYMENTS, objects.PODS)
_METRICS_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": f"{objects.OPERATOR}-metrics", "namespace": objects.NAMESPACE, "labels": {"name": objects.OPERATOR}},
    "spec": {"ports": [{"name": "metrics", "port": 8383, "protocol": "TCP", "targetPort": 8383}], "selector": {"name": objects.OPERATOR}},
}


class _ReconcileError(Exception):
    """Reconciling ended with an error of upstream's and is tried again."""


class _Process:
    """What one operator process remembers."""

    def __init__(self, pod: Object, cluster: ClusterInfo) -> None:
        self.uid = pod["metadata"]["uid"]
        self.version = objects.played_version(pod, cluster)
        self.log = ConsoleLog(cluster.pod_log(objects.NAMESPACE, pod["metadata"]["name"], objects.OPERATOR), colours=True)
        self.proxies = {name: value for name, value in objects.environment(pod).items() if name in PROXY_VARIABLES}
        self.network: ClusterNetwork | None = None
        self.written: dict[str, tuple[Object, Object]] = {}
        self.uninstalls: dict[str, Uninstall] = {}
        self.failures = 0
        self.due = 0.0


class SubmarinerOperator:
    """See the module."""

    name = "submariner-operator"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        self._crashes = CrashLoops(self._client, lab.time_scale)
        self._process: _Process | None = None
        self._before = self._mark_of(woken.woken(cluster))
        # Something that queues a reconcile has changed: the resource, its DaemonSets, Gateways (SetupWithManager).
        self._queued = threading.Event()
        self._remembered = cluster.dir / f"{self.name}.json"

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        loop.watch(self._client, objects.DEPLOYMENTS)
        loop.watch(self._client, objects.PODS, objects.pod_fingerprint)
        loop.watch(self._client, objects.SERVICE_DISCOVERIES)
        for path in (objects.SUBMARINERS, objects.DAEMON_SETS, objects.GATEWAYS):
            loop.watch(self._client, path, also=self._queued)
        loop.run(self._step)

    def _step(self) -> float | None:
        now = time.monotonic()
        if self._before is not None:
            if self._before == self._mark_now():
                return None
            self._before = None
            self._queued.set()
        pod = self._pod()
        if pod is None:
            self._process = None
            return None
        wait = self._crashes.wait(pod, now)
        if wait > 0:
            return wait
        if self._process is None or self._process.uid != pod["metadata"]["uid"] or is_crash_looping(pod):
            self._process = self._start(pod)
        process = self._process
        # Only retries wait for the end of the back-off, events do not.
        if now < process.due and not self._queued.is_set():
            return process.due - now
        self._queued.clear()
        try:
            delay = self._reconcile_all(process)
        except OptionPanic as panic:
            if not process.version.survives_panics:
                process.log.plain(f"panic: {panic}\n\ngoroutine 1 [running]:")
                self._crashes.crashed(pod, PANIC_EXIT_CODE, now)
                self._process = None
                return self._crashes.wait(pod, now)
            return self._failed(process, f"panic: {panic} [recovered]", now)
        except _ReconcileError as error:
            return self._failed(process, str(error), now)
        self._crashes.started(pod)
        process.failures = 0
        return delay

    def _mark_of(self, image: woken.Image) -> t.Any:
        """What it acts on, in the image of an awake lab; None in any other lab."""
        return _mark({path: woken.in_collection(image, path) for path in _WATCHED}) if image else None

    def _mark_now(self) -> t.Any:
        return _mark({path: self._client.list(path) for path in _WATCHED})

    def _failed(self, process: _Process, why: str, now: float) -> float:
        name = {"Submariner": {"name": "submariner", "namespace": objects.NAMESPACE}, "controller": "submariner-controller"}
        process.log.error("internal/controller/controller.go:316", "", "Reconciler error", error=why, **name)
        delay = self._lab.scaled(min(FIRST_REQUEUE_SECONDS * 2 ** min(process.failures, 20), LAST_REQUEUE_SECONDS))
        process.failures += 1
        process.due = now + delay
        return delay

    def _pod(self) -> Object | None:
        if self._client.find(f"{objects.DEPLOYMENTS}/{objects.OPERATOR}") is None:
            return None
        pods = self._client.list(objects.PODS, labelSelector=f"name={objects.OPERATOR}")
        running = [pod for pod in pods if not objects.is_going(pod) and (objects.is_ready(pod) or is_crash_looping(pod))]
        known = [pod for pod in running if self._process and pod["metadata"]["uid"] == self._process.uid]
        return (known or running or [None])[0]

    def _start(self, pod: Object) -> _Process:
        process = _Process(pod, self._cluster)
        remembered = self._recall()
        if process.log.begun and remembered.get("pod") == process.uid and not is_crash_looping(pod):
            process.network = ClusterNetwork(*(tuple(each) if isinstance(each, list) else each for each in remembered["network"]))
            return process
        process.log.plain(f"submariner-operator version: v{process.version}")
        process.log.info("submariner-operator/main.go:108", "cmd", "Starting submariner-operator")
        process.log.info("submariner-operator/main.go:147", "cmd", "Creating the Gateway CRDs")
        for crd in yaml.safe_load_all((CRDS / "submariner.yaml").read_text(encoding="utf-8")):
            if crd["spec"]["versions"][0]["name"] == "v1" and process.version.has_kind(crd["spec"]["names"]["kind"]):
                self._create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        self._create(_SERVICES, _METRICS_SERVICE)
        return process

    def _reconcile_all(self, process: _Process) -> float | None:
        delays = []
        for submariner in self._client.list(objects.SUBMARINERS):
            delays.append(self._reconcile(process, submariner))
        for discovery in self._client.list(objects.SERVICE_DISCOVERIES):
            self._clean_service_discovery(discovery)
        return min((each for each in delays if each is not None), default=None)

    def _reconcile(self, process: _Process, submariner: Object) -> float | None:
        metadata, spec = submariner["metadata"], submariner["spec"]
        path = f"{objects.SUBMARINERS}/{metadata['name']}"
        finalizers = metadata.get("finalizers") or []
        if objects.is_going(submariner):
            if objects.CLEANUP_FINALIZER not in finalizers:
                return None
            process.log.info(f"{_CONTROLLER}:155", _COMPONENT, "Submariner is being deleted")
        elif objects.CLEANUP_FINALIZER not in finalizers:
            patch = {"finalizers": [*finalizers, objects.CLEANUP_FINALIZER], "resourceVersion": metadata["resourceVersion"]}
            submariner = self._client.merge_patch(path, {"metadata": patch})
            process.log.info(f"{_CONTROLLER}:302", _COMPONENT, "Added finalizer")
        network = self._network(process)
        found = network_status(spec, network)
        workloads = Workloads(submariner, found, process.version, process.proxies)
        if objects.is_going(submariner):
            uninstall = process.uninstalls.setdefault(metadata["uid"], Uninstall(self._client, self._lab, process.log))
            return uninstall.step(submariner, workloads)
        for kind, configured, detected in mismatches(spec, network):
            fields = {"configured": configured, "detected": detected, "type": kind}
            why = "there is a mismatch between the detected and configured CIDRs"
            process.log.error(f"{_DISCOVERY}:95", _COMPONENT, "The configured CIDR will take precedence", error=why, **fields)
        self._deploy(process, submariner, workloads)
        self._write_status(submariner, found)
        return None

    def _network(self, process: _Process) -> ClusterNetwork:
        """The network found once in the life of the process (submariner_networkdiscovery.go getClusterNetwork)."""
        if process.network is not None:
            return process.network
        found, error = discover(LiveView(self._client, self._cluster), process.version)
        if error is not None:
            process.log.error(f"{_DISCOVERY}:40", _COMPONENT, "Error trying to discover network", error=str(error))
        if found is None:
            process.log.info(f"{_DISCOVERY}:49", _COMPONENT, "No cluster network discovered")
        else:
            process.log.info(f"{_DISCOVERY}:45", _COMPONENT, "Cluster network discovered")
            fields = {"clusterCIDRs": list(found.pod_cidrs), "plugin": found.plugin, "serviceCIDRs": list(found.service_cidrs)}
            process.log.info("discovery/network/network.go:61", _COMPONENT, "Discovered K8s network details", **fields)
            process.network = found
            self._remembered.write_text(json.dumps({"pod": process.uid, "network": found}), encoding="utf-8")
        if error is not None:
            raise _ReconcileError(f"error discovering cluster network: {error}") from error
        return found or ClusterNetwork(UNKNOWN_PLUGIN, (), ())

    def _deploy(self, process: _Process, submariner: Object, workloads: Workloads) -> None:
        for account in workloads.service_accounts():
            self._create(f"/api/v1/namespaces/{objects.NAMESPACE}/serviceaccounts", account)
        daemon_sets = [workloads.gateway(), workloads.route_agent(), workloads.metrics_proxy()]
        for each in daemon_sets:
            self._apply(process, objects.DAEMON_SETS, each)
        self._apply(process, _SERVICES, workloads.gateway_service())
        discovery = workloads.service_discovery()
        if not submariner["spec"].get("serviceDiscoveryEnabled"):
            self._delete(f"{objects.SERVICE_DISCOVERIES}/{discovery['metadata']['name']}")
            return
        discovery["metadata"]["finalizers"] = [objects.CLEANUP_FINALIZER]
        self._apply(process, objects.SERVICE_DISCOVERIES, discovery)
        owner = self._client.get(f"{objects.SERVICE_DISCOVERIES}/{discovery['metadata']['name']}")
        self._apply(process, f"/api/v1/namespaces/{objects.NAMESPACE}/configmaps", workloads.lighthouse_config(owner))
        for each in (workloads.lighthouse_agent(owner), workloads.lighthouse_coredns(owner)):
            self._apply(process, objects.DEPLOYMENTS, each)
        for each in workloads.lighthouse_services(owner):
            self._apply(process, _SERVICES, each)

    def _apply(self, process: _Process, path: str, wanted: Object) -> None:
        """Creates or replaces spec (or data) and adds labels, unless the object is still as this process left it. A Service keeps its address."""
        where = f"{path}/{wanted['metadata']['name']}"
        content = "data" if "data" in wanted else "spec"
        existing = self._client.find(where)
        if existing is None:
            left = self._client.create(path, wanted)
        elif objects.is_going(existing):
            raise _ReconcileError(f"{where} is being deleted")
        elif process.written.get(where) == (wanted, existing[content]) and existing["metadata"].get("ownerReferences") == wanted["metadata"]["ownerReferences"]:
            return
        else:
            labels = {**(existing["metadata"].get("labels") or {}), **wanted["metadata"]["labels"]}
            metadata = {**existing["metadata"], "labels": labels, "ownerReferences": wanted["metadata"]["ownerReferences"]}
            kept = {key: existing[content][key] for key in ("clusterIP", "clusterIPs") if key in existing[content]}
            left = self._client.replace(where, {**existing, "metadata": metadata, content: {**kept, **wanted[content]}})
        process.written[where] = (wanted, left[content])

    def _write_status(self, submariner: Object, network: t.Mapping[str, str]) -> None:
        daemon_sets = {name: self._client.get(f"{objects.DAEMON_SETS}/{name}") for name in (objects.GATEWAY, objects.ROUTE_AGENT)}
        pods = self._client.list(objects.PODS)
        wanted = status(
            submariner["spec"],
            network,
            daemon_sets[objects.GATEWAY],
            daemon_sets[objects.ROUTE_AGENT],
            {name: objects.with_label(pods, name) for name in daemon_sets},
            self._client.list(objects.GATEWAYS),
        )
        current = submariner.get("status") or {}
        for key in ("gatewayDaemonSetStatus", "routeAgentDaemonSetStatus"):
            if {**wanted[key], "lastResourceVersion": ""} == {**current.get(key, {}), "lastResourceVersion": ""}:
                wanted[key] = current[key]
        if wanted != current:
            self._client.replace(f"{objects.SUBMARINERS}/{submariner['metadata']['name']}/status", {**submariner, "status": wanted})

    def _clean_service_discovery(self, discovery: Object) -> None:
        metadata = discovery["metadata"]
        if objects.is_going(discovery) and objects.CLEANUP_FINALIZER in (metadata.get("finalizers") or []):
            for name in (objects.LIGHTHOUSE_AGENT, objects.LIGHTHOUSE_COREDNS):
                self._delete(f"{objects.DEPLOYMENTS}/{name}")
            left = [each for each in metadata["finalizers"] if each != objects.CLEANUP_FINALIZER]
            self._client.merge_patch(f"{objects.SERVICE_DISCOVERIES}/{metadata['name']}", {"metadata": {"finalizers": left}})

    def _recall(self) -> Object:
        try:
            return json.loads(self._remembered.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _create(self, path: str, wanted: Object) -> None:
        if self._client.find(f"{path}/{wanted['metadata']['name']}") is None:
            self._client.create(path, wanted)

    def _delete(self, path: str) -> None:
        if self._client.find(path) is not None:
            self._client.delete(path)


def _mark(found: t.Mapping[str, list[Object]]) -> t.Any:
    """Specs and deletions of what it reconciles, and which process does so."""
    pods = sorted(each["metadata"]["uid"] for each in found[objects.PODS] if each["metadata"].get("labels", {}).get("name") == objects.OPERATOR)
    specs = {
        (path, each["metadata"]["name"]): (each["metadata"]["uid"], each["spec"], each["metadata"].get("deletionTimestamp"))
        for path, listed in found.items()
        if path != objects.PODS
        for each in listed
    }
    return pods, specs
