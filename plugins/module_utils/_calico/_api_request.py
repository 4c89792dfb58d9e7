# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether the way in which Calico was installed asks for its API server, why not, and where to ask for it so that it lasts."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_release import upgrade_command
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import (
    KUBESPRAY,
    MICROK8S,
    OPERATOR,
    OPERATOR_HELM,
    OPERATOR_RKE2,
    UNKNOWN,
    InstallMethod,
    detect_install_method,
    unread,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import HelmChart, HelmChartConfig, OperatorApiServer, Snapshot

RKE2_CHART = "rke2-calico"
VALUE = "apiServer.enabled"
ROKS_MANAGED = (1, 29)  # OpenShift 4.16, from which on IBM installs and looks after the Calico API server

# rancher/rke2-charts#244 turned the default off; RKE2 1.22 and 1.23.0 to 1.23.6 still carried charts with it on.
_CHART_ON = (((3, 20, 101), (3, 22, 101)),)
_RKE2_ON = (((1, 22, 0), (1, 22, 999)), ((1, 23, 0), (1, 23, 6)))


class ApiRequest(t.NamedTuple):
    """What the installation asks for.

    :param wanted: True where it asks for the API server, False where not, None where that could not be told.
    :param why: in words, to follow a colon.
    :param enable: the exact step that asks for it and lasts.
    :param target: the object that lasts.
    :param first_rollout: the operator waits for Calico's first rollout before it installs the API server.
    """

    method: InstallMethod
    wanted: bool | None
    why: str
    enable: str
    target: str
    seen: tuple[Seen, ...] = ()
    first_rollout: bool = False


def api_request(snapshot: Snapshot) -> ApiRequest:
    """Look at what the installation method reads: HelmChartConfig, APIServer, the release, Kubespray's variable, or the manifest."""
    method = detect_install_method(snapshot)
    if method.method in (OPERATOR_RKE2, OPERATOR_HELM, OPERATOR):
        return _of_operator(snapshot, method)
    if method.method == KUBESPRAY:
        enable = (
            "Set calico_apiserver_enabled: true in the inventory (group_vars/k8s_cluster/k8s-net-calico.yml) and run "
            "ansible-playbook cluster.yml --tags network: the role makes the certificate and the APIService, too"
        )
        target = "Kubespray's inventory: calico_apiserver_enabled"
        return ApiRequest(method, False, "Kubespray leaves it off unless calico_apiserver_enabled is true", enable, target)
    version = calico_version(snapshot) or "the running release"
    enable = (
        f"Apply manifests/apiserver.yaml of Calico {version} (the image's tag must be the running release's), create Secret calico-apiserver-certs in "
        "namespace calico-apiserver with apiserver.key and apiserver.crt for calico-api.calico-apiserver.svc, and set spec.caBundle of APIService "
        "v3.projectcalico.org to that certificate"
    )
    if method.method == UNKNOWN:
        return ApiRequest(method, None, "how Calico was installed could not be told", enable, "")
    where = "microk8s does not ship it" if method.method == MICROK8S else "calico.yaml does not contain it: it is a manifest of its own"
    return ApiRequest(method, False, where, enable, "manifest apiserver.yaml, Secret calico-apiserver/calico-apiserver-certs")


def _of_operator(snapshot: Snapshot, method: InstallMethod) -> ApiRequest:
    server = next(iter(snapshot.operator_api_servers.items), None)
    waits = server is not None and server.state != "Ready" and _never_available(snapshot)
    seen = _server_rows(snapshot)
    if len(snapshot.operator_api_servers.items) > 1:
        names = ", ".join(entry.ref.name for entry in snapshot.operator_api_servers.items)
        return ApiRequest(
            method, True, f"there are {len(snapshot.operator_api_servers.items)} APIServers ({names}), and the operator takes one only",
            "Delete the operator.tigera.io/v1 APIServer that is not named default", "operator.tigera.io/v1 APIServer", seen,
        )
    if method.platform == "roks":
        return _of_roks(snapshot, method, server, seen, waits)
    if method.method == OPERATOR_RKE2:
        return _of_rke2(snapshot, method, server, seen, waits)
    if method.method == OPERATOR_HELM:
        installation = snapshot.installations.items[0]
        release = installation.annotations
        name, namespace = release.get("meta.helm.sh/release-name", ""), release.get("meta.helm.sh/release-namespace") or "tigera-operator"
        command = upgrade_command(installation, name, namespace, f"--set {VALUE}=true", "projectcalico/tigera-operator")
        enable = f"Set the value {VALUE}: true of Helm release {namespace}/{name} ({command})"
        target, absent = f"Helm release {namespace}/{name}: {VALUE}", f"the Helm release {name} has {VALUE} off, or its APIServer was deleted"
    else:
        enable = "Create the operator.tigera.io/v1 APIServer named default with an empty spec"
        target, absent = "operator.tigera.io/v1 APIServer default", "there is no operator.tigera.io APIServer, which custom-resources.yaml would have made"
    return _by_server(snapshot, method, server, seen, waits, absent, enable, target)


def _by_server(
    snapshot: Snapshot, method: InstallMethod, server: OperatorApiServer | None, seen: tuple[Seen, ...], waits: bool, absent: str, enable: str, target: str
) -> ApiRequest:
    if server is not None:
        return ApiRequest(method, True, _pending(snapshot, server, waits), _await_operator(waits), str(server.ref), seen, waits)
    if not snapshot.operator_api_servers.known:
        return ApiRequest(method, None, f"APIServers of the operator could not be read: {unread(snapshot.operator_api_servers)}", enable, target)
    return ApiRequest(method, False, absent, enable, target, seen or (Seen("APIServer", "", "none", snapshot.operator_api_servers.where),))


def _of_rke2(snapshot: Snapshot, method: InstallMethod, server: OperatorApiServer | None, seen: tuple[Seen, ...], waits: bool) -> ApiRequest:
    chart = next((item for item in snapshot.helm_charts.items if item.ref.name == RKE2_CHART), None)
    config = next((item for item in snapshot.helm_chart_configs.items if item.ref.name == RKE2_CHART), None)
    target = f"HelmChartConfig kube-system/{RKE2_CHART} spec.valuesContent: {VALUE}"
    enable = (
        f"Set {VALUE}: true in the valuesContent of HelmChartConfig kube-system/{RKE2_CHART} (keep its other values; where a file in "
        "server/manifests of RKE2's data directory holds it, edit that file on every server, or it undoes the change)"
    )
    if server is not None:
        return ApiRequest(method, True, _pending(snapshot, server, waits), _await_operator(waits), str(server.ref), seen, waits)
    if not snapshot.helm_chart_configs.known:
        return ApiRequest(method, None, f"HelmChartConfigs could not be read: {unread(snapshot.helm_chart_configs)}", enable, target, seen)
    rows = (*seen, *_config_rows(config, chart))
    if config is not None and config.problem:
        broken = f"the valuesContent of HelmChartConfig {RKE2_CHART} cannot be read ({config.problem})"
        return ApiRequest(method, None, broken, f"Repair the YAML first. {enable}", target, rows)
    said = config.values.get(VALUE, "").lower() if config else ""
    if said == "true":
        failed = f": {chart.failed}" if chart and chart.failed else ""
        why = f"HelmChartConfig {RKE2_CHART} asks for it, but the chart has not been applied with it{failed}"
        again = f"Read the log of Job kube-system/helm-install-{RKE2_CHART}, and delete the Job so that it runs again"
        return ApiRequest(method, True, why, again, target, rows)
    if said == "false":
        return ApiRequest(method, False, f"HelmChartConfig {RKE2_CHART} switches it off ({VALUE}: false)", enable, target, rows)
    return ApiRequest(method, *_chart_default(snapshot, chart), enable, target, rows)


def _chart_default(snapshot: Snapshot, chart: HelmChart | None) -> tuple[bool | None, str]:
    version = parse_calico_version(chart.version) if chart else None
    rke2 = parse_calico_version(next(iter(snapshot.server_version.items), ""))
    known, ranges = (version, _CHART_ON) if version else (rke2, _RKE2_ON)
    name = f"chart {RKE2_CHART} {chart.version}" if chart and version else f"RKE2 {snapshot.server_version.items[0]}" if rke2 else f"chart {RKE2_CHART}"
    if known is None:
        return None, f"it depends on the version of {name}, which is not known, and no HelmChartConfig sets {VALUE}"
    if any(first <= known <= last for first, last in ranges):
        return True, f"{name} asks for it by default, but the operator has no APIServer"
    return False, f"{name} leaves it off by default, and no HelmChartConfig sets {VALUE}"


def _of_roks(snapshot: Snapshot, method: InstallMethod, server: OperatorApiServer | None, seen: tuple[Seen, ...], waits: bool) -> ApiRequest:
    version = parse_calico_version(next(iter(snapshot.server_version.items), ""))
    if version is None:
        known = _by_server(snapshot, method, server, seen, waits, "", "Create the operator.tigera.io/v1 APIServer named default", "APIServer default")
        return known._replace(why=known.why or "from OpenShift 4.16 on IBM installs it, and this one's version is not known")
    openshift = f"4.{version[1] - 13}"
    if version[:2] >= ROKS_MANAGED:
        support = "Open a case with IBM Cloud: from OpenShift 4.16 on IBM installs and repairs the Calico API server, and undoes changes of yours"
        return ApiRequest(
            method, True, f"on OpenShift {openshift} IBM's master installs it, and it has not", support, "IBM's master", seen, waits
        )
    enable = (
        "Create the operator.tigera.io/v1 APIServer named default with an empty spec; delete it again, with namespace calico-apiserver, before the "
        "cluster is upgraded to OpenShift 4.16, from which on IBM installs it"
    )
    absent = f"on OpenShift {openshift} IBM does not install it: it does so from 4.16 on"
    return _by_server(snapshot, method, server, seen, waits, absent, enable, "operator.tigera.io/v1 APIServer default")


def _never_available(snapshot: Snapshot) -> bool:
    """The operator writes status.variant once Calico was available for the first time (tigera/operator pkg/controller/installation)."""
    return bool(snapshot.installations.items) and not any(entry.variant for entry in snapshot.installations.items)


def _pending(snapshot: Snapshot, server: OperatorApiServer, waits: bool) -> str:
    if waits:
        return "the operator installs it only after Calico's first rollout has finished on every node (Installation status.variant is empty)"
    status = next((entry for entry in snapshot.tigera_statuses.items if entry.ref.name == "apiserver"), None)
    degraded = status.condition("Degraded") if status else None
    if degraded is not None and degraded.status == "True":
        return f"the operator reports {degraded.reason}: {degraded.message}".rstrip(": ")
    return f"{server.ref} is {server.state or 'not reported'}, and the operator has not finished"


def _await_operator(waits: bool) -> str:
    if waits:
        return "Repair calico-node on the node that holds the rollout back; the operator then installs the API server by itself"
    return "Read TigeraStatus apiserver and the log of Deployment tigera-operator/tigera-operator: it was asked for the API server and has not finished"


def _server_rows(snapshot: Snapshot) -> tuple[Seen, ...]:
    rows = [Seen(str(entry.ref), "status.state", entry.state) for entry in snapshot.operator_api_servers.items]
    rows += [Seen(str(entry.ref), "status.variant", entry.variant) for entry in snapshot.installations.items if rows and not entry.variant]
    return tuple(rows)


def _config_rows(config: HelmChartConfig | None, chart: HelmChart | None) -> tuple[Seen, ...]:
    rows = []
    if config is not None:
        rows.append(Seen(str(config.ref), f"spec.valuesContent {VALUE}", config.values.get(VALUE, ""), config.problem))
    if chart is not None:
        rows.append(Seen(str(chart.ref), "spec.version", chart.version, chart.failed))
    return tuple(rows)
