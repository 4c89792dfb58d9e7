# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of incidents and layouts: ``string.Template`` with variables of the lab, of a cluster, and of the moment.

Beside what ``lab_variables`` and ``cluster_variables`` list, a template knows two families of names:

* ``${minutes_ago_30}``, and the same with seconds, hours and days: RFC 3339 in UTC, counted from when the values were made;
* ``${service_ip_10}``: the address of that number in the service CIDR.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import string
import typing as t

from tests.lab.info import ClusterInfo, LabError, LabInfo, NodeInfo

GATEWAY_LABEL = "submariner.io/gateway"
_MOMENT = re.compile(r"(seconds|minutes|hours|days)_ago_(\d+)")
_SERVICE = re.compile(r"service_ip_(\d+)")


class Values(dict[str, str]):
    """Variables by name; moments and service addresses are worked out when they are asked for."""

    def __init__(self, values: t.Mapping[str, str], now: datetime.datetime | None = None) -> None:
        super().__init__(values)
        self.now = now or datetime.datetime.now(datetime.timezone.utc)

    def __missing__(self, name: str) -> str:
        moment, service = _MOMENT.fullmatch(name), _SERVICE.fullmatch(name)
        if moment:
            return ago(self.now, **{moment[1]: int(moment[2])})
        if service and "service_cidr" in self:
            return str(ipaddress.ip_network(self["service_cidr"])[int(service[1])])
        raise KeyError(name)

    def __or__(self, more: t.Mapping[str, str]) -> Values:  # type: ignore[override]
        return Values({**self, **more}, self.now)


def ago(now: datetime.datetime, **duration: int) -> str:
    """A moment before ``now`` as Kubernetes writes one; ``duration`` as for timedelta."""
    return (now - datetime.timedelta(**duration)).strftime("%Y-%m-%dT%H:%M:%SZ")


def lab_variables(lab: LabInfo, folder: object) -> dict[str, str]:
    """What every template may use.

    :param folder: of the incident or layout.
    """
    values = {"dir": str(lab.dir), "incident_dir": str(folder), "broker_info": str(lab.broker_info)}
    for each in lab.clusters:
        prefix = each.name.replace("-", "_")
        values.update({f"{prefix}_{key}": value for key, value in cluster_variables(each).items() if key != "cluster"})
    return values


def cluster_variables(cluster: ClusterInfo) -> dict[str, str]:
    """What a template may use of the cluster that it is filled for."""
    values = {
        "cluster": cluster.name,
        "kubeconfig": str(cluster.kubeconfig),
        "server": cluster.server,
        "server_port": cluster.server.rpartition(":")[2],
        "pod_cidr": cluster.pod_cidr,
        "service_cidr": cluster.service_cidr,
        "kubernetes_version": cluster.kubernetes_version,
        "submariner_version": cluster.submariner_version,
        "node": cluster.nodes[0].name if cluster.nodes else "",
        "node_ip": cluster.nodes[0].ip if cluster.nodes else "",
    }
    for role, node in roles(cluster.nodes).items():
        values.update({f"{role}_node": node.name, f"{role}_node_ip": node.ip})
    return values


def roles(nodes: t.Sequence[NodeInfo]) -> dict[str, NodeInfo]:
    """The nodes that templates name by their part: the first, the first labelled as Submariner's gateway, and the last."""
    if not nodes:
        return {}
    gateway = next((each for each in nodes if each.labels.get(GATEWAY_LABEL) == "true"), None)
    found = {"control_plane": nodes[0], "worker": nodes[-1]}
    return {**found, "gateway": gateway} if gateway else found


def fill(text: str, values: t.Mapping[str, str], where: object) -> str:
    """A template with its variables. Raises LabError that names an unknown variable and the place."""
    try:
        return string.Template(text).substitute(values)
    except KeyError as error:
        raise LabError(f"{where} uses the unknown variable {error}; known are: {', '.join(sorted(values))}") from None
    except ValueError as error:
        raise LabError(f"{where} has a lone dollar sign (write $$): {error}") from None


def fill_tree(value: t.Any, values: t.Mapping[str, str], where: object) -> t.Any:
    """The same for every text in parsed YAML, keys too. Raises LabError as ``fill``."""
    if isinstance(value, str):
        return fill(value, values, where)
    if isinstance(value, dict):
        return {fill_tree(key, values, where): fill_tree(each, values, where) for key, each in value.items()}
    if isinstance(value, list):
        return [fill_tree(each, values, where) for each in value]
    return value
