# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""subctl show: internal/show and internal/show/table of submariner-io/subctl. Tables on standard output, phases on standard error."""

from __future__ import annotations

import typing as t

from tests.lab.client import Object
from tests.lab.standins._discovery import ClusterNetwork, discover
from tests.lab.standins._objects import (
    DAEMON_SETS,
    DEPLOYMENTS,
    GATEWAY,
    GATEWAYS,
    LIGHTHOUSE_AGENT,
    LIGHTHOUSE_COREDNS,
    METRICS_PROXY,
    OPERATOR,
    ROUTE_AGENT,
    SUBMARINERS,
)
from tests.lab.standins._subctl_deploy import Context, Failed
from tests.lab.standins._subctl_join import shown
from tests.lab.standins._subctl_view import AccessView

NOT_INSTALLED = "Submariner connectivity feature is not installed"

Column = tuple[str, int]  # name, longest value shown; 0 is any


def table(columns: t.Sequence[Column], rows: t.Sequence[t.Sequence[t.Any]]) -> str:
    """Left-aligned columns, each as wide as its longest value and three spaces; "" without rows."""
    texts = [[_text(value) for value in row] for row in rows]
    lines = [[name for name, _longest in columns], *texts] if rows else []
    widths = [len(name) for name, _longest in columns]
    for row in texts:
        widths = [max(width, min(len(text), longest or len(text))) for width, text, (_name, longest) in zip(widths, row, columns)]
    return "\n".join("".join(f"{text[:width]:<{width + 3}}" for text, width in zip(line, widths)) for line in lines)


def show(context: Context, what: str) -> None:
    """One aspect of one cluster, or all; a failure of one does not keep it from the others. Raises Failed when something could not be told."""
    installed = context.access.find(f"{SUBMARINERS}/submariner")
    if what != "all":
        if what in ("connections", "endpoints", "gateways") and installed is None:
            context.reporter.warning(NOT_INSTALLED)
            return
        _show(context, what, installed)
        return
    failures = []
    for name in ("brokers", *(("connections", "endpoints", "gateways", "networks") if installed else ()), "versions"):
        try:
            _show(context, name, installed)
        except Failed as error:
            failures.append(error)
        print(flush=True)
    if installed is None:
        context.reporter.warning(NOT_INSTALLED)
    if failures:
        raise failures[0]


def _show(context: Context, name: str, installed: Object | None) -> None:
    with context.failing(f"error showing {name}"):
        text = _ASPECTS[name](context, installed)
    context.reporter.end()
    if text:
        print(text, flush=True)


def _brokers(context: Context, installed: Object | None) -> str:
    context.reporter.start("Detecting broker(s)")
    found = context.access.items("/apis/submariner.io/v1alpha1/brokers")
    if not found:
        context.reporter.end()
        context.reporter.success("No brokers found")
        return ""
    names = ("NAMESPACE", "NAME", "COMPONENTS", "GLOBALNET", "GLOBALNET CIDR", "DEFAULT GLOBALNET SIZE", "DEFAULT DOMAINS")
    return table(
        [(name, {"NAMESPACE": 24, "NAME": 24, "DEFAULT DOMAINS": 40}.get(name, 0)) for name in names],
        [
            (
                each["metadata"]["namespace"],
                each["metadata"]["name"],
                each["spec"].get("components") or [],
                each["spec"].get("globalnetEnabled", False),
                each["spec"].get("globalnetCIDRRange", ""),
                each["spec"].get("defaultGlobalnetClusterSize", 0),
                each["spec"].get("defaultCustomDomains") or [],
            )
            for each in found
        ],
    )


def _connections(context: Context, installed: Object | None) -> str:
    context.reporter.start("Showing Connections")
    columns = [("GATEWAY", 30), ("CLUSTER", 24), ("REMOTE IP", 0), ("NAT", 0), ("CABLE DRIVER", 0), ("SUBNETS", 40), ("STATUS", 0), ("RTT avg.", 0)]
    rows = []
    for connection in (each for gateway in _gateways_of(context) for each in gateway["status"].get("connections") or []):
        endpoint = connection["endpoint"]
        nat = connection.get("usingNAT", False) if connection.get("usingIP") else endpoint.get("nat_enabled", False)
        address = connection.get("usingIP") or endpoint.get("public_ip" if nat else "private_ip", "")
        average = (connection.get("latencyRTT") or {}).get("average", "")
        rows.append((endpoint["hostname"], endpoint["cluster_id"], address, nat, endpoint["backend"], endpoint["subnets"], connection["status"], average))
    if not rows:
        raise context.fail("no connections found")
    return table(columns, rows)


def _endpoints(context: Context, installed: Object | None) -> str:
    context.reporter.start("Showing Endpoints")
    columns = [("CLUSTER", 24), ("ENDPOINT IP", 0), ("PUBLIC IP", 0), ("CABLE DRIVER", 0), ("TYPE", 0)]
    rows = []
    for gateway in _gateways_of(context):
        remote = [each["endpoint"] for each in gateway["status"].get("connections") or []]
        for kind, endpoint in [("local", gateway["status"]["localEndpoint"]), *(("remote", each) for each in remote)]:
            rows.append((endpoint["cluster_id"], endpoint.get("private_ip", ""), endpoint.get("public_ip", ""), endpoint.get("backend", ""), kind))
    return table(columns, rows)


def _gateways(context: Context, installed: Object | None) -> str:
    context.reporter.start("Showing Gateways")
    rows = []
    for gateway in _gateways_of(context):
        status = gateway["status"]
        connections = status.get("connections") or []
        up = sum(each["status"] == "connected" for each in connections)
        summary = f"{up} connections out of {len(connections)} are established"
        if status.get("statusFailure"):
            summary = status["statusFailure"]
        elif not connections:
            summary = "There are no connections"
        elif up == len(connections):
            summary = f"All connections ({up}) are established"
        rows.append((status["localEndpoint"]["hostname"], status["haStatus"], summary))
    return table([("NODE", 30), ("HA STATUS", 0), ("SUMMARY", 0)], rows)


def _networks(context: Context, installed: Object | None) -> str:
    context.reporter.start("Showing Network details")
    if installed is not None:
        status = installed.get("status") or {}
        network = ClusterNetwork(status.get("networkPlugin", ""), (status.get("clusterCIDR", ""),), (status.get("serviceCIDR", ""),))
        return f"    Discovered network details via Submariner:\n{shown(network, status.get('clustersetIPCIDR', ''))}"
    found, error = discover(AccessView(context.access), context.version)
    if error:
        raise context.fail("Error discovering network details for this cluster", error)
    if found is None:
        context.reporter.warning("The network details could not be determined")
        return ""
    return "    Discovered network details\n" + shown(found)


def _versions(context: Context, installed: Object | None) -> str:
    """Running versions are unavailable: upstream asks the pods' binaries for them."""
    context.reporter.start("Showing versions")
    rows = []
    for path, names in ((DAEMON_SETS, (GATEWAY, ROUTE_AGENT, METRICS_PROXY)), (DEPLOYMENTS, (OPERATOR, LIGHTHOUSE_AGENT, LIGHTHOUSE_COREDNS))):
        for name in names:
            workload = context.access.find(f"{path}/{name}")
            if workload:
                image, _colon, tag = workload["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")
                rows.append((name, image.rpartition("/")[0], tag, "Unavailable", "Unavailable"))
    return table([(name, 0) for name in ("COMPONENT", "REPOSITORY", "CONFIGURED", "RUNNING", "ARCH")], rows)


_ASPECTS: dict[str, t.Callable[[Context, Object | None], str]] = {
    "brokers": _brokers,
    "connections": _connections,
    "endpoints": _endpoints,
    "gateways": _gateways,
    "networks": _networks,
    "versions": _versions,
}


def _gateways_of(context: Context) -> list[Object]:
    found = [each for each in context.access.items(GATEWAYS) if each.get("status")]
    if not found:
        raise context.fail("no gateways detected")
    return found


def _text(value: t.Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)
