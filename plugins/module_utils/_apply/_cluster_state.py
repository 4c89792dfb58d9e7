# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who a cluster is, and what goes on there: read before a plan is made, before it is applied, and before each of its steps."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _journal as journalling
from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_reports import STALE, Reports
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import NAME as LEASE
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import abandoned, process_in
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import content, differing
from ansible_collections.fathom.submariner.plugins.module_utils._apply._planned import objects
from ansible_collections.fathom.submariner.plugins.module_utils._apply._process import is_dead
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import NOT_SERVED, KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, get_object, in_parallel, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import History, Record, history, open_entries, read_data, read_lines
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._undo import was_written
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as project

PAUSE = "fathom-submariner-pause"
_HEALTHY = ("active", "passive")
_MARKED = f"{journalling.LABEL_MANAGED_BY}={journalling.MANAGER},{journalling.LABEL_RUN}"


class Identity(t.NamedTuple):
    """
    :param uid: of Namespace kube-system, which lives as long as the cluster.
    :param clusterset: server and namespace of the broker; "" where the cluster is joined to none.
    :param joined: None where that may not be read.
    :param baseline: preconditions for remedies whose module notes none: the Submariner as it is.
    """

    uid: str
    clusterset: str
    joined: bool | None
    baseline: tuple[dict[str, t.Any], ...]


def identify(member: Member, deadline: Deadline) -> Identity:
    """
    :raises SubmarinerError: the cluster cannot be told from others.
    """
    namespace = get_object(member.connection, "/api/v1/namespaces/kube-system", deadline)
    uid = str(((namespace or {}).get("metadata") or {}).get("uid") or "")
    if not uid:
        raise SubmarinerError(f"{member.name}: there is no Namespace kube-system, whose uid tells a cluster from others of its name.")
    path = "/apis/submariner.io/v1alpha1/submariners"
    found = read_list(member.connection, ListRequest("submariners", path, dict), deadline)
    if found.error is not None and found.error.state != NOT_SERVED:
        return Identity(uid, "", None, ())
    brokers = [
        f"{spec.get('brokerK8sApiServer')}/{spec.get('brokerK8sRemoteNamespace')}"
        for spec in (each.get("spec") or {} for each in found.items)
        if spec.get("brokerK8sApiServer")
    ]
    return Identity(uid, next(iter(brokers), ""), bool(found.items), tuple(_precondition(each) for each in found.items))


def _precondition(submariner: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    metadata = submariner["metadata"]
    return {
        "path": f"/apis/submariner.io/v1alpha1/namespaces/{metadata['namespace']}/submariners/{metadata['name']}",
        "uid": metadata.get("uid", ""),
        "resource_version": metadata.get("resourceVersion", ""),
        "content": content({"apiVersion": "submariner.io/v1alpha1", "kind": "Submariner", **submariner}),
    }


def stale(member: Member, preconditions: t.Sequence[t.Mapping[str, t.Any]], deadline: Deadline) -> list[dict[str, t.Any]]:
    """Return every object that is not what a plan was made of any more: ``path``, ``object``, ``fields``, and all of it as it is ``said``.

    :raises KubeError: one cannot be read: that is no reason to think that nothing has changed.
    """
    paths = {str(each["path"]): each for each in objects(preconditions)}
    found = in_parallel(lambda path: get_object(member.connection, path, deadline), list(paths))
    changed = []
    for (path, expected), obj in zip(paths.items(), found):
        fields = differing(expected, obj)
        if fields:
            name = _named(path, obj or expected.get("content") or {})
            how = "is gone" if obj is None else "is there now" if not expected.get("content") else f"in {', '.join(fields[:6])}"
            changed.append({"path": path, "object": name, "fields": list(fields[:6]), "said": f"{name} {how}"})
    return changed


def _named(path: str, obj: t.Mapping[str, t.Any]) -> str:
    metadata = obj.get("metadata") or {}
    name = "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))
    return f"{obj.get('kind') or ''} {name}".strip() if name else path


def why_paused(member: Member, namespace: str, deadline: Deadline) -> str:
    """The reason in the pause ConfigMap; "" where there is none, and no step has to wait."""
    found = get_object(member.connection, f"/api/v1/namespaces/{namespace}/configmaps/{PAUSE}", deadline)
    if found is None:
        return ""
    reason = str((found.get("data") or {}).get("reason") or "no reason is given").strip().rstrip(".")
    return f"{reason} (ConfigMap {namespace}/{PAUSE} on {member.name}: delete it to go on)"


def healthy_gateways(member: Member, deadline: Deadline) -> int | None:
    """How many gateways of the cluster are active or passive without a failure and report so now; None where that cannot be read."""
    reports = Reports()
    healthy: int | None = None

    def all_report(gateways: list[dict[str, t.Any]]) -> bool:
        nonlocal healthy
        say_so, healthy = (
            sum(each.ha_status in _HEALTHY and not each.status_failure for each in found) for found in (map(project.gateway, gateways), reports.anew(gateways))
        )
        return say_so == healthy

    patience = Deadline(min(STALE, deadline.left()))
    try:
        wait_for(member.connection, "/apis/submariner.io/v1/gateways", all_report, deadline=patience, what=f"{member.name}: its gateways to report")
    except TimedOutError:
        pass  # those that do not report are not healthy
    except KubeError as error:
        return 0 if error.state == NOT_SERVED else None
    return healthy


def lock_of(member: Member, namespace: str, deadline: Deadline) -> dict[str, str]:
    """Who holds the cluster's lock: ``holder``, ``since``, the ``process`` that it is and whether that ``lives`` ("yes", "no", or "" where nobody can tell
    from here); {} where nobody does."""
    found = get_object(member.connection, f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{LEASE}", deadline)
    spec = (found or {}).get("spec") or {}
    if not spec.get("holderIdentity"):
        return {}
    process = process_in(found or {})
    lives = {True: "no", False: "yes", None: ""}[is_dead(process)]
    return {"holder": str(spec["holderIdentity"]), "since": str(spec.get("acquireTime") or ""), "process": str(process or ""), "lives": lives}


def newest_run(member: Member, namespace: str, deadline: Deadline) -> str:
    """The id of the run that wrote a journal in the cluster last; "" where there is none.

    :raises KubeError: the journals cannot be listed.
    """
    found = read_list(member.connection, ListRequest("journals", f"/api/v1/namespaces/{namespace}/configmaps", _run_of, label_selector=_MARKED), deadline)
    if found.error is not None:
        raise found.error
    return max(found.items, default=("", ""))[1]


def _run_of(obj: t.Mapping[str, t.Any]) -> tuple[str, str]:
    metadata = obj["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str((metadata.get("labels") or {}).get(journalling.LABEL_RUN) or "")


def read_history(member: Member, namespace: str, run: str, file: str | None, deadline: Deadline) -> History | None:
    """The journal of a run from both places; None where neither has one.

    :param file: of the controller, None where there is none to be looked at.
    :raises KubeError: the cluster's copy cannot be read.
    """
    parts = journalling.read_parts(member, namespace, run, deadline)
    problems: list[str] = []
    of_cluster: list[dict[str, t.Any]] = []
    for index, data in enumerate(parts):
        lines, wrong = read_data(data, f"ConfigMap {namespace}/{journalling.config_map_name(run, index)}")
        of_cluster += lines
        problems += wrong
    of_file = None
    text = journalling.read_file(file) if file else None
    if text is not None:
        of_file, wrong = read_lines(text, str(file))
        problems += wrong
    if of_file is None and not parts:
        return None
    found = history(of_file, of_cluster if parts else None)
    return found._replace(problems=(*problems, *found.problems))


def interrupted(member: Member, namespace: str, deadline: Deadline, lock: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """The newest run where it was killed: ``run``, ``entries`` that it began and did not end, with what the objects show, and ``lines``; {} for none.

    A run that was killed between two writes has no such entry, and never gave its lock back.

    :param lock: as :func:`lock_of` returned it. A run that holds it and lives, as far as anybody knows, is said to be at work.
    """
    lock = lock or {}
    holder = str(lock.get("holder") or "")
    run = newest_run(member, namespace, deadline)
    found = read_history(member, namespace, run, None, deadline) if run else None
    entries = [_open(member, record, deadline) for record in open_entries(found)] if found else []
    if holder and lock.get("lives") != "no":
        return {"run": holder, "entries": entries if holder == run else [], "lines": _at_work(lock)}
    if not entries and holder:
        return {"run": holder, "entries": [], "lines": [_sentence(abandoned(holder, f"{lock['process']} is gone"))]}
    return {"run": run, "entries": entries, "lines": _told(run, entries)} if entries else {}


def _at_work(lock: t.Mapping[str, str]) -> list[str]:
    process = f" ({lock['process']})" if lock.get("process") else ""
    sure = "is at work here" if lock.get("lives") == "yes" else "is at work here, or was interrupted and has not given back the lock"
    return [f"Run {lock['holder']}{process} {sure}, since {lock.get('since')}. What is planned now may not hold any more when it ends."]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _told(run: str, entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """For a terminal: where it was killed, and how to go on."""
    found = [f"- {entry['object']}, by {entry['remedy']} at {entry['at']}: it {entry['state']}" for entry in entries]
    advice = [
        "What is planned now starts from what is there now. To put back instead what",
        "that run wrote:",
        f"  fathom.submariner.rollback -e submariner_run={run}",
    ]
    return [f"Run {run} was interrupted in the middle of a write:", *found, *advice]


def _open(member: Member, record: Record, deadline: Deadline) -> dict[str, t.Any]:
    try:
        written = "was written" if was_written(record, get_object(member.connection, record.path, deadline)) else "was not written"
    except KubeError as error:
        written = f"cannot be read ({error.state.replace('_', ' ')})"
    return {"n": record.n, "object": record.object, "remedy": record.remedy, "verb": record.verb, "at": record.at, "state": written}
