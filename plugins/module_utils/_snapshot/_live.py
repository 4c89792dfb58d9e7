# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The snapshot's live source: one parallel read of one API server, no request per node or per pod."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, ListResult, read_all
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._combine import combined
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import log_targets
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import read_logs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    NOT_READ,
    NOT_SERVED,
    OK,
    TIMED_OUT,
    UNAVAILABLE,
    Answer,
    Snapshot,
    Statistics,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import objects_at, text_at
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._requests import REQUESTS, group_version, split_key

V3 = "projectcalico.org/v3"
V3_PROBE = "ip_pools_v3"  # asked first: how Calico's API server answers tells whether to ask it anything else
PROBE_TIMEOUT = 15.0  # seconds

Answers = t.Mapping[str, Answer[t.Any]]


def read_snapshot(connection: Connection, cluster: str, *, timeout: float, taken_at: str, logs: bool = False) -> Snapshot:
    """Read everything that the model holds.

    A list that is forbidden, slow or not served is an answer of that state, beside the others. Only a server that answers nobody, or that does
    not know who asks, raises.

    :param cluster: the name that the user knows the cluster by.
    :param timeout: seconds for all of it together.
    :param taken_at: now, RFC 3339 in UTC; clocks are read at the rim.
    :param logs: read the logs of the few pods that ``log_targets`` names, too.
    :raises KubeError: the server cannot be reached, or refuses these credentials altogether (401).
    """
    deadline = Deadline(timeout)
    version = _server_version(connection, deadline)
    groups = _api_groups(connection, deadline)
    probe = next(request for request in REQUESTS if request.key == V3_PROBE)
    answers: dict[str, Answer[t.Any]] = {}
    _read_into(answers, connection, [probe], groups, Deadline(min(PROBE_TIMEOUT, deadline.left())))
    pending = [request for request in REQUESTS if request is not probe]
    while pending:
        now, pending = _next_versions(pending, answers)
        _read_into(answers, connection, now, groups, deadline)
    snapshot = Snapshot(cluster, connection.server, taken_at, server_version=version, api_groups=groups, **combined(answers))
    if logs:
        snapshot = replace(snapshot, logs=read_logs(connection, log_targets(snapshot), deadline))
    usage = connection.usage()
    return replace(snapshot, statistics=Statistics(usage.requests, usage.bytes_read, usage.retries, round(timeout - deadline.left(), 3)))


def _next_versions(requests: t.Sequence[ListRequest], answers: Answers) -> tuple[list[ListRequest], list[ListRequest]]:
    """Of each question the next version of an API to ask it through, and what is left for later: nothing once a version has answered."""
    answered = {split_key(key)[:2] for key, answer in answers.items() if answer.ok}
    now: dict[tuple[str, ...], ListRequest] = {}
    later: list[ListRequest] = []
    for request in requests:
        question = split_key(request.key)[:2]
        if question in now:
            later.append(request)
        elif question not in answered:
            now[question] = request
    return list(now.values()), later


def _read_into(answers: dict[str, Answer[t.Any]], connection: Connection, requests: t.Sequence[ListRequest], groups: Answer[str], deadline: Deadline) -> None:
    asked = []
    for request in requests:
        known = _known_beforehand(request, groups, answers.get(V3_PROBE))
        if known is None:
            asked.append(request)
        else:
            answers[request.key] = known
    fresh = {key: _answer(result) for key, result in read_all(connection, asked, deadline).items()}
    answers.update(fresh)
    answers.update(_not_served(connection, fresh, deadline))


def _known_beforehand(request: ListRequest, groups: Answer[str], probe: Answer[t.Any] | None) -> Answer[t.Any] | None:
    """The answer to what need not be asked: a group that is not there, and an aggregated API server that has just not answered.

    Each further question to a dead one would wait for it anew.
    """
    group = group_version(request.path)
    if not group:
        return None
    if groups.ok and group not in groups.items:
        return Answer(NOT_SERVED, (), groups.where, f"there is no {group}")
    if probe is not None and probe.state in (UNAVAILABLE, TIMED_OUT) and group == V3:
        return replace(probe, items=())
    return None


def _answer(result: ListResult) -> Answer[t.Any]:
    return Answer(result.state, result.items, result.where, result.detail, result.partial)


def _server_version(connection: Connection, deadline: Deadline) -> Answer[str]:
    """Asked first and alone: a dead server must not be asked fifty more questions, each with its retries."""
    where = "GET /version"
    try:
        version = text_at(connection.request("GET", "/version", deadline=deadline), "gitVersion")
    except KubeError as error:
        if error.state not in (FORBIDDEN, NOT_READ) or error.status == 401:
            raise
        return Answer(error.state, (), where, error.message)
    return Answer(OK, (version,) if version else (), where)


def _api_groups(connection: Connection, deadline: Deadline) -> Answer[str]:
    """Every group/version that this cluster has, whether or not an aggregated one answers."""
    where = "GET /apis"
    try:
        listed = connection.request("GET", "/apis", deadline=deadline)
    except KubeError as error:
        return Answer(error.state, (), where, error.message)
    versions = [text_at(version, "groupVersion") for group in objects_at(listed, "groups") for version in objects_at(group, "versions")]
    return Answer(OK, tuple(versions), where)


def _not_served(connection: Connection, answers: Answers, deadline: Deadline) -> dict[str, Answer[t.Any]]:
    """The forbidden answers that are about kinds which do not exist on this cluster.

    Authorization comes before routing: credentials without the right to list HelmCharts get 403, not 404, on a cluster that has none. Discovery,
    which everyone authenticated may read (ClusterRole system:discovery), tells the two apart.
    """
    paths = {request.key: request.path for request in REQUESTS}
    forbidden = {key: answer for key, answer in answers.items() if answer.state == FORBIDDEN and paths[key].startswith("/apis/")}
    resources: dict[str, frozenset[str] | None] = {}
    corrected = {}
    for key, answer in forbidden.items():
        group_path, _slash, resource = paths[key].rpartition("/")
        if group_path not in resources:
            resources[group_path] = _resources(connection, group_path, deadline)
        served = resources[group_path]
        if served is not None and resource not in served:
            corrected[key] = replace(answer, state=NOT_SERVED, detail=f"GET {group_path}: there is no {resource}")
    return corrected


def _resources(connection: Connection, group_path: str, deadline: Deadline) -> frozenset[str] | None:
    """Names of the resources of ``/apis/<group>/<version>``: none where it does not exist, None where that cannot be told."""
    try:
        listed = connection.request("GET", group_path, deadline=deadline)
    except KubeError as error:
        return frozenset() if error.status == 404 else None
    return frozenset(text_at(entry, "name") for entry in objects_at(listed, "resources"))
