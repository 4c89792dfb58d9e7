# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status that the Submariner operator writes to its resource.

Imitates submariner-operator controllers/submariner/{submariner_controller,submariner_networkdiscovery,daemonsets}.go at v0.16.0,
v0.18.1 and v0.19.0-rc3. Pure.
"""

from __future__ import annotations

import typing as t

from tests.lab.standins._discovery import ClusterNetwork

Object = dict[str, t.Any]

UNKNOWN_PLUGIN = "unknown"
_COUNTS = (
    "currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberMisscheduled", "numberReady", "numberUnavailable",
    "observedGeneration", "updatedNumberScheduled",
)  # fmt: skip


def network_status(spec: Object, network: ClusterNetwork) -> dict[str, str]:
    """CIDRs and plugin: what the resource says wins over what was found, and of that the first counts."""
    return {
        "clusterCIDR": spec.get("clusterCIDR") or _first(network.pod_cidrs),
        "serviceCIDR": spec.get("serviceCIDR") or _first(network.service_cidrs),
        "networkPlugin": network.plugin,
    }


def mismatches(spec: Object, network: ClusterNetwork) -> list[tuple[str, str, str]]:
    """(type, configured, detected) for every CIDR that the resource overrides with another one."""
    pairs = (("Cluster", "clusterCIDR", network.pod_cidrs), ("Service", "serviceCIDR", network.service_cidrs))
    return [(kind, spec[key], _first(found)) for kind, key, found in pairs if spec.get(key) and _first(found) and spec[key] != _first(found)]


def status(
    spec: Object, network: t.Mapping[str, str], gateway: Object, route_agent: Object, pods: t.Mapping[str, list[Object]], gateways: list[Object]
) -> Object:
    """The whole of ``Submariner.status``; empty values are left out as Go's ``omitempty`` does.

    :param gateway: the gateway DaemonSet as the API server has it.
    :param route_agent: the route agent's.
    :param pods: their pods by DaemonSet name.
    """
    wanted: Object = {
        "clusterID": spec["clusterID"],
        "natEnabled": spec.get("natEnabled", False),
        "deploymentInfo": {},
        "loadBalancerStatus": {},
        "globalnetDaemonSetStatus": {"mismatchedContainerImages": False},
        "gatewayDaemonSetStatus": _daemon_set_status(gateway, pods[gateway["metadata"]["name"]]),
        "routeAgentDaemonSetStatus": _daemon_set_status(route_agent, pods[route_agent["metadata"]["name"]]),
        "gateways": [each["status"] for each in gateways],
    }
    texts = {**network, **{key: spec.get(key, "") for key in ("version", "colorCodes", "globalCIDR", "clustersetIPCIDR")}}
    wanted.update({key: value for key, value in texts.items() if value})
    if spec.get("airGappedDeployment"):
        wanted["airGappedDeployment"] = True
    return wanted


def _daemon_set_status(daemon_set: Object, pods: list[Object]) -> Object:
    containers = [each for pod in pods for each in pod.get("status", {}).get("containerStatuses") or ()]
    counted = daemon_set.get("status", {})
    return {
        "lastResourceVersion": daemon_set["metadata"]["resourceVersion"],
        "mismatchedContainerImages": len({each.get("imageID") for each in containers}) > 1,
        "nonReadyContainerStates": [each.get("state", {}) for each in containers if not each.get("started")],
        "status": {key: counted[key] for key in _COUNTS if key in counted},
    }


def _first(values: t.Sequence[str]) -> str:
    return values[0] if values else ""
