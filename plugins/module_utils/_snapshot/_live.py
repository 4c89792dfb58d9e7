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
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, ListResult, read_all
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_calico as calico
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as kubernetes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as submariner
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, NOT_SERVED, OK, Answer, Snapshot, Statistics
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import objects_at, text_at

# Keys are the Snapshot's fields. A key with "/" is one of several questions that together make one answer.
REQUESTS: tuple[ListRequest, ...] = (
    ListRequest("nodes", "/api/v1/nodes", kubernetes.node),
    ListRequest("pods", "/api/v1/pods", kubernetes.pod),
    ListRequest("services", "/api/v1/services", kubernetes.service),
    ListRequest("daemon_sets", "/apis/apps/v1/daemonsets", kubernetes.daemon_set),
    ListRequest("deployments", "/apis/apps/v1/deployments", kubernetes.deployment),
    # By name, since a cluster may keep hundreds of megabytes of other people's ConfigMaps. Submariner looks for calico-config everywhere.
    ListRequest("config_maps/calico", "/api/v1/configmaps", kubernetes.config_map, field_selector="metadata.name=calico-config"),
    *(
        ListRequest(f"config_maps/{name}", "/api/v1/namespaces/kube-system/configmaps", kubernetes.config_map, field_selector=f"metadata.name={name}")
        for name in ("kubeadm-config", "kube-proxy", "canal-config", "rke2-canal-config", "kube-flannel-cfg")
    ),
    ListRequest("service_cidrs/v1", "/apis/networking.k8s.io/v1/servicecidrs", kubernetes.service_cidr),
    ListRequest("service_cidrs/v1beta1", "/apis/networking.k8s.io/v1beta1/servicecidrs", kubernetes.service_cidr),
    ListRequest("helm_charts", "/apis/helm.cattle.io/v1/helmcharts", kubernetes.helm_chart),
    ListRequest("openshift_networks", "/apis/config.openshift.io/v1/networks", kubernetes.openshift_network),
    ListRequest("ip_pools_v3", "/apis/projectcalico.org/v3/ippools", calico.ip_pool_v3),
    ListRequest("ip_pools_v1", "/apis/crd.projectcalico.org/v1/ippools", calico.ip_pool_v1),
    ListRequest("installations", "/apis/operator.tigera.io/v1/installations", calico.installation),
    ListRequest("cluster_informations", "/apis/crd.projectcalico.org/v1/clusterinformations", calico.cluster_information),
    ListRequest("api_services", "/apis/apiregistration.k8s.io/v1/apiservices", kubernetes.api_service),
    ListRequest("submariners", "/apis/submariner.io/v1alpha1/submariners", submariner.submariner),
    ListRequest("endpoints", "/apis/submariner.io/v1/endpoints", submariner.endpoint),
    ListRequest("submariner_clusters", "/apis/submariner.io/v1/clusters", submariner.submariner_cluster),
    ListRequest("gateways", "/apis/submariner.io/v1/gateways", submariner.gateway),
)


def read_snapshot(connection: Connection, cluster: str, *, timeout: float, taken_at: str) -> Snapshot:
    """Read everything that the model holds.

    A list that is forbidden, slow or not served is an answer of that state, beside the others. Only a server that answers nobody, or that does
    not know who asks, raises.

    :param cluster: the name that the user knows the cluster by.
    :param timeout: seconds for all of it together.
    :param taken_at: now, RFC 3339 in UTC; clocks are read at the rim.
    :raises KubeError: the server cannot be reached, or refuses these credentials altogether (401).
    """
    deadline = Deadline(timeout)
    version = _server_version(connection, deadline)
    results = read_all(connection, REQUESTS, deadline)
    answers = {key: _answer(result) for key, result in results.items()}
    answers.update(_not_served(connection, answers, deadline))
    usage = connection.usage()
    return Snapshot(
        cluster=cluster,
        where=connection.server,
        taken_at=taken_at,
        server_version=version,
        statistics=Statistics(usage.requests, usage.bytes_read, usage.retries, round(timeout - deadline.left(), 3)),
        **combined(answers),
    )


def combined(answers: t.Mapping[str, Answer[t.Any]]) -> dict[str, Answer[t.Any]]:
    """The Snapshot's fields from the answers to single questions. Keys as in ``REQUESTS``."""
    fields = {key: answer for key, answer in answers.items() if "/" not in key}
    fields["config_maps"] = union([answer for key, answer in answers.items() if key.startswith("config_maps/")])
    fields["service_cidrs"] = first_served([answers[f"service_cidrs/{version}"] for version in ("v1", "v1beta1")])
    fields["ip_pools"] = preferred_pools(answers["ip_pools_v3"], answers["ip_pools_v1"])
    return fields


def preferred_pools(v3: Answer[t.Any], v1: Answer[t.Any]) -> Answer[t.Any]:
    """Pools of projectcalico.org/v3 where that answers, else of crd.projectcalico.org/v1 where that does, else v3's failure.

    Both failing, the v3 answer says more than a v1 that is not served (Calico with native v3 CRDs has no v1).
    """
    if v3.ok or v1.ok:
        return v3 if v3.ok else v1
    return v1 if v3.state == NOT_SERVED else v3


def first_served(answers: t.Sequence[Answer[t.Any]]) -> Answer[t.Any]:
    """The first answer of a version that is served; the first of all where none is."""
    return next((answer for answer in answers if answer.state != NOT_SERVED), answers[0])


def union(answers: t.Sequence[Answer[t.Any]]) -> Answer[t.Any]:
    """All items; one question that failed makes the whole an answer of its state, which still holds what the others brought."""
    items = tuple(item for answer in answers for item in answer.items)
    failed = next((answer for answer in answers if not answer.known), None)
    if failed is not None:
        return replace(failed, items=items)
    where = ", ".join(dict.fromkeys(answer.where for answer in answers))
    return Answer(OK, items, where)


def _answer(result: ListResult) -> Answer[t.Any]:
    return Answer(result.state, result.items, result.where, result.detail)


def _server_version(connection: Connection, deadline: Deadline) -> Answer[str]:
    """Asked first and alone: a dead server must not be asked twenty more questions, each with its retries."""
    where = "GET /version"
    try:
        version = text_at(connection.request("GET", "/version", deadline=deadline), "gitVersion")
    except KubeError as error:
        if error.state != FORBIDDEN or error.status == 401:
            raise
        return Answer(error.state, (), where, error.message)
    return Answer(OK, (version,) if version else (), where)


def _not_served(connection: Connection, answers: t.Mapping[str, Answer[t.Any]], deadline: Deadline) -> dict[str, Answer[t.Any]]:
    """The forbidden answers that are about kinds which do not exist on this cluster.

    Authorization comes before routing: credentials without the right to list HelmCharts get 403, not 404, on a cluster that has none. Discovery,
    which everyone authenticated may read (ClusterRole system:discovery), tells the two apart.
    """
    paths = {request.key: request.path for request in REQUESTS}
    forbidden = {key: answer for key, answer in answers.items() if answer.state == FORBIDDEN and paths[key].startswith("/apis/")}
    resources: dict[str, frozenset[str] | None] = {}
    corrected = {}
    for key, answer in forbidden.items():
        group_version, _slash, resource = paths[key].rpartition("/")
        if group_version not in resources:
            resources[group_version] = _resources(connection, group_version, deadline)
        served = resources[group_version]
        if served is not None and resource not in served:
            corrected[key] = replace(answer, state=NOT_SERVED, detail=f"GET {group_version}: there is no {resource}")
    return corrected


def _resources(connection: Connection, group_version: str, deadline: Deadline) -> frozenset[str] | None:
    """Names of the resources of ``/apis/<group>/<version>``: none where it does not exist, None where that cannot be told."""
    try:
        listed = connection.request("GET", group_version, deadline=deadline)
    except KubeError as error:
        return frozenset() if error.status == 404 else None
    return frozenset(text_at(entry, "name") for entry in objects_at(listed, "resources"))
