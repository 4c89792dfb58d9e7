# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route agent's Calico IPPool handler, and the queue of endpoint events in front of it.

Imitates submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go, pkg/event/controller/endpoint_*.go and the rate limits
of admiral pkg/workqueue/queue.go, at v0.16.3, v0.17.2, v0.17.3, v0.18.1 and v0.19.0-rc3. Without I/O: pools are written through a
PoolApi and the time is given.
"""

from __future__ import annotations

import json
import typing as t

from tests.lab.client import ApiError
from tests.lab.standins._objects import ipv4_subnets
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins._zerolog import ConsoleLog

Object = dict[str, t.Any]

POOL_LABEL = "submariner.io/ippool"
# The delays of the 21 queueings add up to 381 s.
FIRST_DELAY_SECONDS = 0.05
LAST_DELAY_SECONDS = 30.0
MAX_REQUEUES = 20

_HANDLER = "handlers/calico/ippool_handler.go"
_CONTROLLER = "pkg/event/controller"
_FILES = {"create": "endpoint_created.go", "delete": "endpoint_removed.go"}
_DONE = {"create": "created", "delete": "removed"}


class PoolApi(t.Protocol):
    """IPPools of projectcalico.org/v3. Every method raises ApiError."""

    def create(self, pool: Object) -> None: ...

    def delete(self, name: str) -> None: ...


class HandlerError(Exception):
    """An event could not be handled; the text is upstream's."""


def pool_name(cluster_id: str, subnet: str) -> str:
    return f"submariner-{cluster_id}-{subnet.replace('/', '-')}"


def pool(cluster_id: str, subnet: str, version: SubmarinerVersion) -> Object:
    """The pool that makes Calico leave traffic to a remote subnet as it is; what is not said here Calico fills in."""
    spec = {"cidr": subnet, "natOutgoing": False, "disabled": True}
    if version.disables_bgp_export:
        spec["disableBGPExport"] = True
    return {
        "apiVersion": "projectcalico.org/v3",
        "kind": "IPPool",
        "metadata": {"name": pool_name(cluster_id, subnet), "labels": {POOL_LABEL: "true"}},
        "spec": spec,
    }


def client_go_text(error: ApiError, verb: str) -> str:
    """An API error in client-go's words: the server's message, or one made of the status when the answer was no Status object."""
    if error.body.get("message") and error.status not in (404, 503):
        return error.message
    if error.status == 404:
        return f"the server could not find the requested resource ({verb} ippools.projectcalico.org)"
    if error.status == 503:
        return f"the server is currently unable to handle the request ({verb} ippools.projectcalico.org)"
    return error.message


def delay(queueings: int) -> float:
    """Unscaled seconds before an event is handled for the ``queueings``-th time, counted from 1."""
    return min(FIRST_DELAY_SECONDS * 2 ** (queueings - 1), LAST_DELAY_SECONDS)


class _Event:
    def __init__(self, kind: str, endpoint: Object, due: float) -> None:
        self.kind = kind
        self.endpoint = endpoint
        self.queueings = 1
        self.due = due


class PoolHandler:
    """One route agent pod as far as pools go.

    :param cluster_id: the local cluster's.
    :param hostname: the pod's node; it is the gateway when the local Endpoint names it.
    :param version: the release played.
    :param api: where pools are written.
    :param log: the agent's log.
    :param scale: of the delays.
    """

    def __init__(self, cluster_id: str, hostname: str, version: SubmarinerVersion, api: PoolApi, log: ConsoleLog, scale: float) -> None:
        self._cluster_id = cluster_id
        self._hostname = hostname
        self._version = version
        self._api = api
        self._log = log
        self._scale = scale
        self._current: dict[str, Object] = {}
        self._queue: dict[str, list[_Event]] = {}
        self._remotes: dict[str, Object] = {}
        self._newest: dict[str, str] = {}
        self._on_gateway = False
        self._was_on_gateway = False

    def adopt(self, endpoints: list[Object]) -> None:
        """Takes the state of an agent that has handled these Endpoints in an earlier life of the stand-in."""
        self._current = {each["metadata"]["name"]: each for each in endpoints}
        for each in endpoints:
            if each["spec"]["cluster_id"] != self._cluster_id:
                self._remotes[each["metadata"]["name"]] = each
                self._newest[each["spec"]["cluster_id"]] = each["metadata"]["creationTimestamp"]
            elif each["spec"]["hostname"] == self._hostname:
                self._on_gateway = self._was_on_gateway = True

    def observe(self, endpoints: list[Object], now: float) -> None:
        """Compares the Endpoints with those of last time and queues what happened to each."""
        before, self._current = self._current, {each["metadata"]["name"]: each for each in endpoints}
        for name, old in before.items():
            new = self._current.get(name)
            if new is None or new["metadata"]["uid"] != old["metadata"]["uid"]:
                self._enqueue("delete", old, now)
        for name, new in self._current.items():
            old = before.get(name)
            if old is None or new["metadata"]["uid"] != old["metadata"]["uid"]:
                self._enqueue("create", new, now)
            elif new["spec"] != old["spec"]:
                self._updated(new)

    def handle_due(self, now: float) -> float | None:
        """Handles what is due; returns the time at which more will be, or None."""
        for name in list(self._queue):
            event = self._queue[name][0]
            if event.due > now:
                continue
            if self._handle(event):
                event.queueings += 1
                event.due = now + delay(event.queueings) * self._scale
                continue
            self._queue[name].pop(0)
            if self._queue[name]:
                self._queue[name][0].due = now + delay(1) * self._scale
            else:
                del self._queue[name]
        return min((events[0].due for events in self._queue.values()), default=None)

    def _enqueue(self, kind: str, endpoint: Object, now: float) -> None:
        self._queue.setdefault(endpoint["metadata"]["name"], []).append(_Event(kind, endpoint, now + delay(1) * self._scale))

    def _updated(self, endpoint: Object) -> None:
        """The handler has no method for updates: no pool comes or goes."""
        name = endpoint["metadata"]["name"]
        if name in self._remotes and self._version.pools_follow_updates:
            self._remotes[name] = endpoint

    def _handle(self, event: _Event) -> bool:
        """Whether the event must be handled again."""
        caller = f"{_CONTROLLER}/{_FILES[event.kind]}:31"
        if event.queueings > MAX_REQUEUES:
            cluster_id = json.dumps(event.endpoint["spec"]["cluster_id"])
            message = f"Ignoring {event.kind} event for endpoint {cluster_id}, as its requeued for more than {MAX_REQUEUES} times"
            self._log.error(caller, "EventController", message)
            return False
        current = self._current.get(event.endpoint["metadata"]["name"])
        endpoint = current if event.kind == "create" and current is not None else event.endpoint
        local = endpoint["spec"]["cluster_id"] == self._cluster_id
        try:
            if event.kind == "create":
                (self._local_created if local else self._remote_created)(endpoint)
            else:
                (self._local_removed if local else self._remote_removed)(endpoint)
        except HandlerError as error:
            self._log.error(caller, "EventController", f"Error handling {_DONE[event.kind]} endpoint", error=str(error))
            return True
        return False

    def _local_created(self, endpoint: Object) -> None:
        if endpoint["spec"]["hostname"] == self._hostname:
            self._on_gateway = True
        if self._on_gateway and not self._was_on_gateway:
            node, address = json.dumps(self._hostname), endpoint["spec"]["private_ip"]
            message = f"Transitioned to gateway node {node} with endpoint private IP {address}"
            self._log.info(f"{_CONTROLLER}/{_FILES['create']}:62", "EventController", message)
            self._transition_to_gateway()
        self._was_on_gateway = self._on_gateway

    def _local_removed(self, endpoint: Object) -> None:
        if endpoint["spec"]["hostname"] == self._hostname:
            self._on_gateway = False
        if self._was_on_gateway and not self._on_gateway:
            message = f"Transitioned to non-gateway node {json.dumps(self._hostname)}"
            self._log.info(f"{_CONTROLLER}/{_FILES['delete']}:57", "EventController", message)
        self._was_on_gateway = self._on_gateway

    def _remote_created(self, endpoint: Object) -> None:
        cluster_id, born = endpoint["spec"]["cluster_id"], endpoint["metadata"]["creationTimestamp"]
        if self._newest.get(cluster_id, "") > born:
            return
        self._remotes[endpoint["metadata"]["name"]] = endpoint
        self._newest[cluster_id] = born
        if self._on_gateway:
            try:
                self._create_pools(endpoint)
            except HandlerError as error:
                raise HandlerError(f"failed to handle RemoteEndpointCreated event: {error}") from error

    def _remote_removed(self, endpoint: Object) -> None:
        cluster_id, born = endpoint["spec"]["cluster_id"], endpoint["metadata"]["creationTimestamp"]
        if self._newest.get(cluster_id, "") > born:
            return
        self._newest.pop(cluster_id, None)
        self._remotes.pop(endpoint["metadata"]["name"], None)
        if self._on_gateway:
            try:
                self._delete_pools(endpoint)
            except HandlerError as error:
                raise HandlerError(f"failed to handle RemoteEndpointRemoved event: {error}") from error

    def _transition_to_gateway(self) -> None:
        self._log.info(f"{_HANDLER}:117", "CalicoIPPool", "TransitionToGateway")
        errors = []
        for name, endpoint in self._remotes.items():
            try:
                self._create_pools(endpoint)
            except HandlerError as error:
                self._log.warning(f"{_HANDLER}:123", "CalicoIPPool", f"Failed to create ippool {name}")
                errors.append(f"error creating Calico IPPool for endpoint {json.dumps(name)} : {error}")
        _raise_all(errors)

    def _create_pools(self, endpoint: Object) -> None:
        cluster_id, errors = endpoint["spec"]["cluster_id"], []
        for subnet in ipv4_subnets(",".join(endpoint["spec"]["subnets"])):
            wanted = pool(cluster_id, subnet, self._version)
            try:
                self._api.create(wanted)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    errors.append(_pool_error("creating", cluster_id, subnet, client_go_text(error, "post")))
                continue
            name = json.dumps(wanted["metadata"]["name"])
            self._log.info(f"{_HANDLER}:173", "CalicoIPPool", f"Successfully created Calico IPPool {name}")
        _raise_all(errors)

    def _delete_pools(self, endpoint: Object) -> None:
        cluster_id, errors = endpoint["spec"]["cluster_id"], []
        for subnet in ipv4_subnets(",".join(endpoint["spec"]["subnets"])):
            name = pool_name(cluster_id, subnet)
            try:
                self._api.delete(name)
            except ApiError as error:
                if not error.not_found:
                    errors.append(_pool_error("deleting", cluster_id, subnet, client_go_text(error, "delete")))
                continue
            self._log.info(f"{_HANDLER}:200", "CalicoIPPool", f"Successfully deleted Calico IPPool {json.dumps(name)}")
        _raise_all(errors)


def _pool_error(doing: str, cluster_id: str, subnet: str, why: str) -> str:
    where = f"ClusterID {json.dumps(cluster_id)} subnet {json.dumps(subnet)}"
    return f"error {doing} Calico IPPool for {where} (is Calico API server running?): {why}"


def _raise_all(errors: list[str]) -> None:
    """As errorutils.NewAggregate prints: equal texts once, several in brackets."""
    distinct = list(dict.fromkeys(errors))
    if distinct:
        raise HandlerError(distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]")
