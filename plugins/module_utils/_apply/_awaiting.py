# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Waiting for what a join or a correction must lead to, each with a message of its own when it does not come."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_reports import Reports
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as project
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Gateway, Pod, Snapshot, Submariner
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Wanted
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import node_of

_DAEMON_SETS = ("submariner-gateway", "submariner-routeagent")


def await_status(member: Member, namespace: str, wanted: Wanted, deadline: Deadline) -> Submariner:
    """Wait until the operator has taken the CIDRs over into the Submariner's status, and return that Submariner."""

    def taken_over(submariners: list[dict[str, t.Any]]) -> bool | str:
        for obj in submariners:
            record = project.submariner(obj)
            if (record.status_cluster_cidr, record.status_service_cidr) == (wanted.cluster_cidr, wanted.service_cidr):
                return True
            return f"status.clusterCIDR is {record.status_cluster_cidr!r} and status.serviceCIDR {record.status_service_cidr!r}"
        return "there is no Submariner object"

    try:
        found = wait_for(
            member.connection,
            f"/apis/submariner.io/v1alpha1/namespaces/{namespace}/submariners",
            taken_over,
            deadline=deadline,
            what=f"{member.name}: the Submariner operator to take over {wanted.cluster_cidr} and {wanted.service_cidr}",
        )
    except TimedOutError as error:
        raise SubmarinerError(
            f"{error.message} The operator does not reconcile: look at kubectl -n {namespace} logs deploy/submariner-operator. "
            "On Kubernetes 1.33 and newer without a visible kube-apiserver pod, Submariner before 0.21.1 fails to discover the "
            "network even when CIDRs are given."
        ) from error
    return project.submariner(found[0])


def await_daemon_sets(member: Member, namespace: str, wanted: Wanted, deadline: Deadline) -> None:
    """Wait until gateway and route agent have been rolled out with the wanted cluster CIDR and are ready."""

    def rolled_out(daemon_sets: list[dict[str, t.Any]]) -> bool | str:
        by_name = {obj["metadata"]["name"]: obj for obj in daemon_sets}
        for name in _DAEMON_SETS:
            missing = f"there is no DaemonSet {name}" if name not in by_name else _not_rolled_out(by_name[name], wanted)
            if missing:
                return missing
        return True

    wait_for(
        member.connection,
        f"/apis/apps/v1/namespaces/{namespace}/daemonsets",
        rolled_out,
        deadline=deadline,
        what=f"{member.name}: gateway and route agent to run with {wanted.cluster_cidr}",
    )


def _not_rolled_out(daemon_set: t.Mapping[str, t.Any], wanted: Wanted) -> str:
    name = daemon_set["metadata"]["name"]
    status = daemon_set.get("status", {})
    for container in daemon_set["spec"]["template"]["spec"]["containers"]:
        for entry in container.get("env") or []:
            if entry["name"] == "SUBMARINER_CLUSTERCIDR" and entry.get("value", "") != wanted.cluster_cidr:
                return f"DaemonSet {name} still has SUBMARINER_CLUSTERCIDR={entry.get('value', '')}"
    desired = status.get("desiredNumberScheduled", 0)
    if status.get("observedGeneration", 0) < daemon_set["metadata"].get("generation", 0):
        return f"DaemonSet {name} has not been observed since it changed"
    if status.get("updatedNumberScheduled", 0) < desired or status.get("numberReady", 0) < desired:
        return f"DaemonSet {name}: {status.get('updatedNumberScheduled', 0)} updated and {status.get('numberReady', 0)} ready of {desired}"
    return ""


def await_gateway(member: Member, snapshot: Snapshot, pod: Pod, wanted: Wanted, deadline: Deadline) -> None:
    """Wait for what a gateway's restart is for: at home its Endpoint announces the CIDRs, on a peer its connection carries them."""
    namespace = pod.ref.namespace
    if snapshot.submariner.cluster_id == wanted.cluster_id:
        await_endpoint(member, namespace, wanted, deadline)
        return

    def missing(gateways: list[Gateway]) -> str:
        record = next((gateway for gateway in gateways if node_of(gateway, snapshot) == pod.node), None)
        if record is None:
            return f"there is no Gateway of node {pod.node}"
        connection = next((entry for entry in record.connections if entry.cluster_id == wanted.cluster_id), None)
        if connection is None:
            return f"{record.ref} has no connection to {wanted.cluster_id}"
        return "" if set(connection.subnets) == set(wanted.subnets) else f"the connection carries {', '.join(connection.subnets)}"

    reports = Reports()
    wait_for(
        member.connection,
        f"/apis/submariner.io/v1/namespaces/{namespace}/gateways",
        lambda gateways: reports.judge(gateways, missing),
        deadline=deadline,
        what=f"{member.name}: the gateway to carry {', '.join(wanted.subnets)} of {wanted.cluster_id}",
    )


def await_endpoint(member: Member, namespace: str, wanted: Wanted, deadline: Deadline) -> None:
    """Wait until a member holds an Endpoint of the wanted cluster with the wanted subnets."""

    def announced(endpoints: list[dict[str, t.Any]]) -> bool | str:
        records = [record for record in map(project.endpoint, endpoints) if record.cluster_id == wanted.cluster_id]
        for record in records:
            if set(record.subnets) != set(wanted.subnets):
                return f"{record.ref} announces {', '.join(record.subnets)}"
        return bool(records) or f"there is no Endpoint of {wanted.cluster_id}"

    wait_for(
        member.connection,
        f"/apis/submariner.io/v1/namespaces/{namespace}/endpoints",
        announced,
        deadline=deadline,
        what=f"{member.name}: the Endpoint of {wanted.cluster_id} to announce {', '.join(wanted.subnets)}",
    )


def await_pools(member: Member, wanted: Wanted, deadline: Deadline) -> None:
    """Wait until Calico has a pool for every IPv4 subnet of the wanted cluster."""
    cidrs = {cidr for cidr in wanted.subnets if ":" not in cidr}

    def created(pools: list[dict[str, t.Any]]) -> bool | str:
        missing = sorted(cidrs - {obj.get("spec", {}).get("cidr", "") for obj in pools})
        return not missing or f"no IPPool has {', '.join(missing)}"

    wait_for(
        member.connection,
        "/apis/projectcalico.org/v3/ippools",
        created,
        deadline=deadline,
        what=f"{member.name}: the route agent to create the IPPools of {wanted.cluster_id}",
    )
