# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Probing nodes from pods: make them, wait for their reports, and remove them again, also those that a killed run has left."""

from __future__ import annotations

import base64
import gzip
import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._probe_archive import program
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, in_parallel, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_objects as objects, _probe_pods as pods
from ansible_collections.fathom.submariner.plugins.module_utils._wire._bounds import require_numbers

PRESENT, ABSENT = "present", "absent"
_FIRST_POD = 20.0  # seconds after which events are asked why there is none: a refusal stands in no other place
_CLEAN_UP = 60.0  # seconds for reading logs and removing, beyond those that the task may take
_MOST_LOG = 8 * 1024 * 1024  # bytes
_NUMBERS = (
    "port",
    "wait_timeout",
    "gather_timeout",
    "timeout",
    "retries",
    "workers",
    "packets",
    "exchange_packets",
    "throughput_seconds",
    "throughput_bytes",
)
_DNS = ("dns_name", "dns_large_name", "dns_large_type")
_NAMESPACES = "/api/v1/namespaces"

Object = t.Dict[str, t.Any]


def perform(task: Task) -> None:
    """Do what the module is asked: see there."""
    task.facts.update(documents=[], missing={}, notes=[], job="")
    namespace = task.params["namespace"]
    if task.params["state"] == ABSENT:
        _remove(task, namespace, leftovers=True)
        return
    contents = _contents(task)
    nodes = _nodes(task)
    own = _own_namespace(task, namespace)
    taken = _remove(task, namespace, leftovers=True, keep_namespace=True)
    wish = _wish(task, nodes)
    name = objects.free_name(taken)
    task.facts["job"] = f"{namespace}/{name}"
    failed = True
    try:
        if not own:
            task.lines.append(f"Create namespace {namespace}, until this is done.")
            task.writer.create(_NAMESPACES, objects.namespace(namespace))
        task.lines.append(f"Start pods of {wish.image} on {len(nodes)} nodes: {', '.join(nodes)}.")
        job = task.writer.create(_path(namespace, "jobs"), objects.job(name, wish))
        uid = str(job["metadata"].get("uid") or "")
        task.writer.create(_path(namespace, "configmaps"), objects.config_map(name, wish, uid, contents))
        if not task.check_mode:
            _collect(task, wish, name, uid)
        failed = False
    finally:
        if not task.check_mode:
            task.writer.deadline = Deadline(_CLEAN_UP)
        try:
            _remove(task, namespace)
            _see_pods_off(task, namespace)
        except SubmarinerError as error:
            if not failed:
                raise
            task.warnings.append(f"{error.message} What is left ends by itself; state=absent removes it.")


def _wish(task: Task, nodes: t.Sequence[str]) -> objects.Wish:
    params = task.params
    return objects.Wish(
        params["namespace"],
        params["image"],
        tuple(nodes),
        # The program ends first, and its pods are Completed; this is for one that hangs, or never starts.
        params["wait_timeout"] + int(_CLEAN_UP),
        params["host_network"],
        tuple(params["image_pull_secrets"]),
        params["service_account"],
    )


def _contents(task: Task) -> t.Dict[str, str]:
    """What the ConfigMap holds, in base64.

    :raises InputError: an option cannot be used, or it is too much for a ConfigMap.
    """
    params = task.params
    if not params["wait"]:
        raise InputError("wait=false is of no use here: reports are read from pods that are removed at the end. Nothing was written.")
    if not params["image"]:
        raise InputError("image is empty: name one that has python3. Nothing was written.")
    objects.require_targets(params["targets"])
    require_numbers({option: params[option] for option in _NUMBERS})
    shared = {"timeout": params["timeout"], "retries": params["retries"], "workers": params["workers"]}
    throughput = {"throughput_seconds": params["throughput_seconds"], "throughput_bytes": params["throughput_bytes"]}
    told = objects.order(
        params["targets"],
        host_network=params["host_network"],
        cluster=params["cluster"] if params["cluster"] is not None else task.member.name,
        cluster_cidrs=params["cluster_cidrs"],
        port=params["port"],
        lifetime=params["wait_timeout"],
        gather=params["gather_timeout"],
        mtu={**shared, "packets": params["packets"]},
        exchanges={**shared, "packets": params["exchange_packets"], **{name: params[name] for name in _DNS}, **throughput},
    )
    order = gzip.compress(json.dumps(told, sort_keys=True, separators=(",", ":")).encode(), mtime=0)
    contents = {name: base64.b64encode(data).decode() for name, data in ((objects.PROGRAM, program()), (objects.ORDER, order))}
    size = sum(map(len, contents.values()))
    if size > objects.MOST:
        raise InputError(f"The program and its order take {size} characters, and a ConfigMap gets {objects.MOST} at the most. Probe fewer pairs of nodes.")
    return contents


def _nodes(task: Task) -> t.List[str]:
    """The nodes of the targets that can run a pod.

    :raises SubmarinerError: they cannot be listed, or there is none.
    """
    listed = read_list(task.member.connection, ListRequest("nodes", "/api/v1/nodes", _readiness), task.deadline)
    if listed.error is not None:
        raise listed.error
    known = dict(listed.items)
    for node in task.params["targets"]:
        if node not in known:
            task.facts["missing"][node] = "the cluster has no such node"
        elif not known[node]:
            task.facts["missing"][node] = "it is not Ready, so that no pod would start there"
    usable = sorted(node for node in task.params["targets"] if known.get(node))
    task.warnings += [f"{task.member.name}: {node} is not probed: {why}" for node, why in task.facts["missing"].items()]
    if not usable:
        raise InputError(f"{task.member.name}: none of the nodes in targets is there and Ready. Nothing was written.")
    return usable


def _readiness(node: Object) -> t.Tuple[str, bool]:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return node["metadata"]["name"], any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _own_namespace(task: Task, namespace: str) -> bool:
    """Whether the namespace is there. One that is being deleted is waited for.

    :raises TimedOutError: it does not go.
    """
    found = task.writer.read(f"{_NAMESPACES}/{namespace}")
    if found is None or not found["metadata"].get("deletionTimestamp"):
        return found is not None
    if task.check_mode:
        raise RefusedError(f"{task.member.name}: namespace {namespace} is being deleted, so what would be created there cannot be foretold. Try again.")
    wait_for(
        task.member.connection,
        _NAMESPACES,
        lambda found: not found or f"namespace {namespace} is Terminating",
        deadline=task.deadline,
        what=f"{task.member.name}: namespace {namespace}, which is being deleted, to be gone",
        field_selector=f"metadata.name={namespace}",
    )
    return False


def _remove(task: Task, namespace: str, *, leftovers: bool = False, keep_namespace: bool = False) -> t.FrozenSet[str]:
    """Remove what probing has made in a namespace, and the namespace itself where probing has made it; return the names of what was there.

    :param leftovers: it is an earlier run's.
    """
    names = set()
    said = " that an earlier run left behind" if leftovers else " again"
    for kind in ("jobs", "configmaps"):
        for found in _ours(task, namespace, kind):
            names.add(found["metadata"]["name"])
            if not found["metadata"].get("deletionTimestamp"):
                task.lines.append(f"Remove {found['kind']} {namespace}/{found['metadata']['name']}{said}.")
                task.writer.delete(f"{_path(namespace, kind)}/{found['metadata']['name']}", found, restart=True)
    if names and leftovers and not task.check_mode:
        _await_no_pods(task, namespace, "the pods that an earlier run left behind to be gone", task.deadline)
    if keep_namespace:
        return frozenset(names)
    path = f"{_NAMESPACES}/{namespace}"
    found = task.writer.read(path)
    if found is not None and objects.is_ours(found) and not found["metadata"].get("deletionTimestamp"):
        task.lines.append(f"Remove namespace {namespace}{said}.")
        task.writer.delete(path, found, restart=True)
    return frozenset(names)


def _see_pods_off(task: Task, namespace: str) -> None:
    """Wait for this run's pods to be gone. A kubelet that does not answer keeps its own: they are told, and take nothing from what was found."""
    if task.check_mode:
        return
    try:
        _await_no_pods(task, namespace, "its probe pods to be gone", task.writer.deadline)
    except TimedOutError as error:
        task.warnings.append(error.message)


def _await_no_pods(task: Task, namespace: str, what: str, deadline: Deadline) -> None:
    wait_for(
        task.member.connection,
        _path(namespace, "pods"),
        lambda found: not found or f"{len(found)} pods are still there",
        deadline=deadline,
        what=f"{task.member.name}: {what}",
        label_selector=objects.SELECTOR,
    )


def _ours(task: Task, namespace: str, kind: str) -> t.List[Object]:
    """What is there of a kind; in check mode also what would be."""
    listed = read_list(task.member.connection, ListRequest(kind, _path(namespace, kind), dict, objects.SELECTOR), task.writer.deadline)
    if listed.error is not None:
        raise listed.error
    kinds = {"jobs": ("batch/v1", "Job"), "configmaps": ("v1", "ConfigMap")}
    there = [{**dict(zip(("apiVersion", "kind"), kinds[kind])), **found} for found in listed.items]
    expected = task.facts["job"].rpartition("/")[2]
    paths = [f"{_path(namespace, kind)}/{name}" for name in dict.fromkeys([*(found["metadata"]["name"] for found in there), *([expected] if expected else [])])]
    if not task.check_mode:
        return there
    return [found for found in map(task.writer.read, paths) if found is not None]


def _collect(task: Task, wish: objects.Wish, name: str, uid: str) -> None:
    """Wait for the pods' reports and read them.

    :raises SubmarinerError: no pod could be made, or none has reported.
    """
    collection = _path(wish.namespace, "pods")
    selector = f"{objects.SELECTOR},{objects.NAME_LABEL}={name}"
    asked = {"label_selector": selector, "what": f"{task.member.name}: the probe pods to report"}
    found: t.List[Object] = []
    try:
        wait_for(task.member.connection, collection, bool, deadline=Deadline(min(_FIRST_POD, task.deadline.left())), **asked)
    except TimedOutError:
        _require_no_refusal(task, wish, uid)
    late = ""
    try:
        found = wait_for(task.member.connection, collection, lambda each: pods.progress(pods.states(each, wish.nodes)), deadline=task.deadline, **asked)
    except TimedOutError as error:
        late = error.message
        _require_no_refusal(task, wish, uid)
        listed = read_list(task.member.connection, ListRequest("pods", collection, dict, selector), Deadline(_CLEAN_UP))
        found = list(listed.items)
    after = Deadline(_CLEAN_UP)
    states = pods.states(found, wish.nodes)
    outcomes = in_parallel(lambda node: _report(task, wish.namespace, node, states[node], after), wish.nodes)
    for node, outcome in zip(wish.nodes, outcomes):
        if isinstance(outcome, str):
            task.facts["missing"][node] = outcome
            task.warnings.append(f"{task.member.name}: {node} was not probed: {outcome}")
            continue
        task.facts["documents"] += outcome["documents"]
        task.facts["notes"] += [f"{node}: {line}" for line in (*outcome.get("lines", ()), *outcome.get("notes", ()))]
    if not task.facts["documents"]:
        told = "; ".join(f"{node}: {why}" for node, why in list(task.facts["missing"].items())[:5])
        raise SubmarinerError(f"{task.member.name}: no probe pod has reported. {told}. {late}".strip())


def _report(task: Task, namespace: str, node: str, state: pods.PodState, deadline: Deadline) -> t.Union[Object, str]:
    """A pod's report, or why there is none. One that is late may have written it already."""
    if not state.pod:
        return state.why
    query = {"container": objects.CONTAINER, "limitBytes": _MOST_LOG}
    try:
        return pods.report_of(task.member.connection.request_text(f"{_path(namespace, 'pods')}/{state.pod}/log", query, deadline), node)
    except KubeError as error:
        return f"{state.why or 'its pod has reported'}; its log cannot be read: {error.message}"
    except InputError as error:
        return "; ".join(filter(None, (state.why, error.message)))


def _require_no_refusal(task: Task, wish: objects.Wish, uid: str) -> None:
    """
    :raises RefusedError: the API server takes no such pods there.
    """
    listed = read_list(task.member.connection, ListRequest("events", f"{_NAMESPACES}/{wish.namespace}/events", dict), Deadline(_CLEAN_UP))
    told = pods.refusals(listed.items, uid)
    if not told:
        return
    hint = ""
    if "security context constraint" in told[-1]:
        hint = (
            f" On OpenShift the pods' service account needs an SCC that allows the host's network, root and NET_RAW: oc create namespace {wish.namespace}; "
            f"oc adm policy add-scc-to-user privileged -z {wish.service_account} -n {wish.namespace}. Take it back afterwards with remove-scc-from-user."
        )
    elif "PodSecurity" in told[-1]:
        hint = (
            f" Pod Security keeps them out of namespace {wish.namespace}: choose another one, or label it pod-security.kubernetes.io/enforce=privileged "
            "for as long as it takes."
        )
    raise RefusedError(f"{task.member.name}: no probe pod can be made in {wish.namespace}: {told[-1]}{hint}")


def _path(namespace: str, kind: str) -> str:
    group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
    return f"{group}/namespaces/{namespace}/{kind}"
