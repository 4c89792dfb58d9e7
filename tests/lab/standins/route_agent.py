# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for Submariner's route agent: one instance plays every agent pod of a cluster.

Imitates submariner v0.16.3, v0.17.2, v0.17.3, v0.18.1 and v0.19.0-rc3: pkg/routeagent_driver/main.go (init container, uninstall),
handlers/kubeproxy (the search for the CNI interface, in which an agent spends up to 128 s before it looks at any Endpoint),
handlers/calico/ippool_handler.go (see ``_pools``) and, since v0.19, handlers/healthchecker (RouteAgent objects). Up to v0.17 the
CNI address is also written to the Node (pkg/routeagent_driver/cni/cni_iface.go).

An agent whose log exists when the stand-in starts has already handled the Endpoints that there are. Routes, rp_filter, VXLAN and
MTU are not played, nor is the change of Calico's own pool on IBM Cloud. In an awake lab the pods that were there when it was roused are left as they are
planted, with all that they saw or did not see: only new ones are played.
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
from tests.lab.standins._crash import CrashLoops, is_crash_looping
from tests.lab.standins._loop import Loop
from tests.lab.standins._pools import POOL_LABEL, PoolHandler, client_go_text
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]

# handlers/kubeproxy discoverCNIRetryConfig: twelve tries, 4 s times 1.2 apart.
CNI_TRIES = 12
CNI_FIRST_PAUSE_SECONDS = 4.0
CNI_PAUSE_FACTOR = 1.2
PANIC_EXIT_CODE = 2
CNI_ANNOTATION = "submariner.io/cniIfaceIp"


class _Pools:
    """The IPPools of projectcalico.org/v3."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, pool: Object) -> None:
        self._client.create(objects.IPPOOLS, pool)

    def delete(self, name: str) -> None:
        self._client.delete(f"{objects.IPPOOLS}/{name}")

    def delete_labelled(self) -> None:
        self._client.delete(objects.IPPOOLS, labelSelector=f"{POOL_LABEL}=true")


class _Agent:
    """One pod's process."""

    def __init__(self, pod: Object, version: SubmarinerVersion, log: ConsoleLog) -> None:
        self.pod = pod
        self.version = version
        self.log = log
        self.env = objects.environment(pod)
        self.tries = 0
        self.due = 0.0
        self.initialised = False
        self.handler: PoolHandler | None = None
        self.dead = False

    @property
    def node(self) -> str:
        return self.pod["spec"]["nodeName"]

    @property
    def cluster_cidr(self) -> str:
        return self.env.get("SUBMARINER_CLUSTERCIDR", "")

    @property
    def plugin(self) -> str:
        return (self.env.get("SUBMARINER_NETWORKPLUGIN") or "generic").lower()


class RouteAgent:
    """See the module."""

    name = "route-agent"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        self._pools = _Pools(self._client)
        self._agents: dict[str, _Agent] = {}
        self._crashes = CrashLoops(self._client, lab.time_scale)
        self._resting = woken.pod_uids(cluster)

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        loop.watch(self._client, objects.PODS, objects.pod_fingerprint)
        loop.watch(self._client, objects.ENDPOINTS)
        loop.run(self._step)

    def _step(self) -> float | None:
        now = time.monotonic()
        pods = self._client.list(objects.PODS)
        waits = self._start_and_end(pods, now)
        if self._agents:
            endpoints = self._client.list(objects.ENDPOINTS)
            reports = self._reports()
            for agent in self._agents.values():
                due = self._run(agent, endpoints, reports, now)
                if due is not None:
                    waits.append(max(due - now, 0.0))
        return min(waits, default=None)

    def _start_and_end(self, pods: list[Object], now: float) -> list[float]:
        agents = objects.with_label(pods, objects.ROUTE_AGENT) + objects.with_label(pods, objects.ROUTE_AGENT + objects.UNINSTALL)
        present = {pod["metadata"]["uid"]: pod for pod in agents if not objects.is_going(pod) and pod["metadata"]["uid"] not in self._resting}
        for uid in [each for each in self._agents if each not in present]:
            self._end(self._agents.pop(uid))
        self._crashes.forget_all_but(present)
        waits = []
        for uid, pod in present.items():
            if uid in self._agents and not self._agents[uid].dead:
                self._agents[uid].pod = pod
            elif objects.is_ready(pod) or is_crash_looping(pod):
                wait = self._crashes.wait(pod, now)
                if wait > 0:
                    waits.append(wait)
                else:
                    self._agents[uid] = self._start(pod, now)
        return waits

    def _start(self, pod: Object, now: float) -> _Agent:
        container = pod["spec"]["initContainers" if _uninstalls(pod) else "containers"][0]["name"]
        log = ConsoleLog(self._cluster.pod_log(objects.NAMESPACE, pod["metadata"]["name"], container))
        agent = _Agent(pod, objects.played_version(pod, self._cluster), log)
        agent.due = now
        if log.begun and not is_crash_looping(pod):
            agent.initialised = True
            agent.handler = self._pool_handler(agent)
            if agent.handler is not None:
                agent.handler.adopt(self._client.list(objects.ENDPOINTS))
            return agent
        log.info("route_agent_driver/main.go:77", "main", f"submariner-route-agent version: {objects.build_version(pod)}")
        log.info("route_agent_driver/main.go:85", "main", "Starting submariner-route-agent using the event framework")
        return agent

    def _end(self, agent: _Agent) -> None:
        """On SIGTERM an agent takes its RouteAgent object away."""
        if agent.version.agents_check_health and not any(each.node == agent.node for each in self._agents.values()):
            try:
                self._client.delete(f"{objects.ROUTE_AGENTS}/{agent.node}")
            except ApiError as error:
                if not error.not_found:
                    raise

    def _run(self, agent: _Agent, endpoints: list[Object], reports: dict[str, Object], now: float) -> float | None:
        if agent.dead or (agent.initialised and _uninstalls(agent.pod)):
            return None
        if not agent.initialised:
            if now < agent.due or self._initialise(agent, now):
                return agent.due
            if agent.dead:
                return None
            if _uninstalls(agent.pod):
                self._uninstall(agent)
                return None
        if agent.version.agents_check_health:
            self._report(agent, endpoints, reports)
        if agent.handler is None:
            return None
        agent.handler.observe(endpoints, now)
        return agent.handler.handle_due(now)

    def _initialise(self, agent: _Agent, now: float) -> bool:
        """One more try to bring the handlers up; whether another is needed."""
        node = self._client.get(f"{objects.NODES}/{agent.node}")
        if agent.version < (0, 18) and not agent.cluster_cidr:
            agent.log.plain("panic: runtime error: index out of range [0] with length 0")
            agent.dead = True
            self._crashes.crashed(agent.pod, PANIC_EXIT_CODE, now)
            return False
        address = objects.cni_address(node, agent.cluster_cidr) if agent.plugin != "ovnkubernetes" else ""
        if not address and agent.plugin != "ovnkubernetes" and self._try_again(agent, now):
            return True
        self._crashes.started(agent.pod)
        agent.handler = self._pool_handler(agent)
        agent.initialised = True
        if agent.handler is not None:
            message = 'Event handler "Calico IPPool handler" added to registry "routeagent_driver".'
            agent.log.info("submariner/pkg/event/registry.go:68", "EventRegistry", message)
        if not _uninstalls(agent.pod):
            if agent.version < (0, 18):
                self._annotate_node(agent, address)
            agent.log.info("event/controller/controller.go:147", "EventController", "Starting the Event controller...")
        return False

    def _try_again(self, agent: _Agent, now: float) -> bool:
        file = "kubeproxy/kp_packetfilter.go:119" if agent.version >= (0, 18) else "kubeproxy/kp_iptables.go:112"
        why = _cni_error(agent)
        agent.tries += 1
        if agent.version.retries_cni_discovery:
            why = f"Error discovering the CNI interface: {why}"
            agent.log.info(file, "KubeProxy", f"Waiting for CNI interface discovery: {why}")
            if agent.tries < CNI_TRIES:
                agent.due = now + self._lab.scaled(CNI_FIRST_PAUSE_SECONDS * CNI_PAUSE_FACTOR ** (agent.tries - 1))
                return True
        agent.log.error(file, "KubeProxy", "Error discovering the CNI interface", error=why)
        return False

    def _annotate_node(self, agent: _Agent, address: str) -> None:
        node = json.dumps(agent.node)
        if not address:
            first = agent.cluster_cidr.split(",")[0]
            why = f"error annotating node with CNI interface IP: Error retrieving the CNI interface for {first}: {_cni_error(agent)}"
            agent.log.error("route_agent_driver/main.go:71", "main", "Error while annotating the node", error=why)
            return
        self._client.merge_patch(f"{objects.NODES}/{agent.node}", {"metadata": {"annotations": {CNI_ANNOTATION: address}}})
        message = f"Successfully annotated node {node} with cniIfaceIP {json.dumps(address)}"
        agent.log.info("routeagent_driver/cni/cni_iface.go:135", "CNI", message)

    def _pool_handler(self, agent: _Agent) -> PoolHandler | None:
        if agent.plugin != "calico":
            return None
        return PoolHandler(agent.env["SUBMARINER_CLUSTERID"], agent.node, agent.version, self._pools, agent.log, self._lab.time_scale)

    def _uninstall(self, agent: _Agent) -> None:
        if agent.plugin == "calico":
            selector = json.dumps(f"{POOL_LABEL}=true")
            agent.log.info("handlers/calico/ippool_handler.go:133", "CalicoIPPool", "Uninstalling Calico IPPools used for Submariner")
            try:
                self._pools.delete_labelled()
                message = f"Successfully delete Calico IPPools using labelSelector {selector}"
                agent.log.info("handlers/calico/ippool_handler.go:143", "CalicoIPPool", message)
            except ApiError as error:
                if not error.not_found:
                    why = f"Failed to delete Calico IPPools using labelSelector {selector}: {client_go_text(error, 'delete')}"
                    agent.log.warning("route_agent_driver/main.go:211", "main", f"Error uninstalling handlers: {why}")
        objects.mark_uninstalled(self._client, agent.pod)

    def _reports(self) -> dict[str, Object]:
        if not any(agent.version.agents_check_health for agent in self._agents.values()):
            return {}
        return {each["metadata"]["name"]: each for each in self._client.list(objects.ROUTE_AGENTS)}

    def _report(self, agent: _Agent, endpoints: list[Object], reports: dict[str, Object]) -> None:
        status = {
            "version": objects.build_version(agent.pod),
            "statusFailure": "",
            "remoteEndpoints": [
                remote_endpoint(agent.env, agent.node, each["spec"], endpoints)
                for each in endpoints
                if each["spec"]["cluster_id"] != agent.env["SUBMARINER_CLUSTERID"]
            ],
        }
        existing = reports.get(agent.node)
        if existing is None:
            metadata = {"name": agent.node}
            self._client.create(objects.ROUTE_AGENTS, {"apiVersion": "submariner.io/v1", "kind": "RouteAgent", "metadata": metadata, "status": status})
        elif existing.get("status") != status:
            self._client.replace(f"{objects.ROUTE_AGENTS}/{agent.node}", {**existing, "status": status})


def remote_endpoint(env: t.Mapping[str, str], node: str, spec: Object, endpoints: list[Object]) -> Object:
    """An entry of ``RouteAgent.status.remoteEndpoints`` (healthchecker.go syncRouteAgentStatus); pings always come back."""
    on_gateway = any(each["spec"]["cluster_id"] == env["SUBMARINER_CLUSTERID"] and each["spec"]["hostname"] == node for each in endpoints)
    if env.get("SUBMARINER_HEALTHCHECKENABLED") != "true":
        status, message = "none", "Health check is not enabled"
    elif on_gateway:
        status, message = "none", "Health check is not performed on gateway nodes"
    elif not spec.get("healthCheckIP"):
        status, message = "none", "Health checker IP is not configured"
    else:
        status, message = "connected", ""
    return {"status": status, "statusMessage": message, "spec": spec}


def _cni_error(agent: _Agent) -> str:
    """Up to v0.17 only the first CIDR is looked at, and printed as a string."""
    if agent.version < (0, 18):
        return f"unable to find CNI Interface on the host which has IP from {json.dumps(agent.cluster_cidr.split(',')[0])}"
    return objects.cni_error(agent.cluster_cidr)


def _uninstalls(pod: Object) -> bool:
    return pod["metadata"]["labels"]["app"].endswith(objects.UNINSTALL)
