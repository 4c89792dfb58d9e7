# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator stand-in builds, writes to its status, and reports of failing pods; and how Submariner logs."""

from __future__ import annotations

import datetime
import threading
import types
import typing as t
from pathlib import Path

import pytest

from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _objects as objects
from tests.lab.standins._crash import crashed_status, is_crash_looping, pause, running_status
from tests.lab.standins._discovery import ClusterNetwork
from tests.lab.standins._live_view import LiveView, played_minor
from tests.lab.standins._loop import Loop
from tests.lab.standins._status import mismatches, network_status, status
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins._workloads import Workloads
from tests.lab.standins._zerolog import ConsoleLog, line
from tests.lab.standins.route_agent import remote_endpoint
from tests.lab.standins.submariner_operator import SubmarinerOperator, _ReconcileError

Object = dict[str, t.Any]

SPEC: Object = {
    "brokerK8sApiServer": "127.0.0.1:6443",
    "brokerK8sRemoteNamespace": "submariner-k8s-broker",
    "brokerK8sSecret": "submariner-broker-secret",
    "ceIPSecNATTPort": 4500,
    "ceIPSecPSKSecret": "submariner-ipsec-psk",
    "clusterCIDR": "",
    "clusterID": "alpha",
    "namespace": "submariner-operator",
    "natEnabled": False,
    "repository": "quay.io/submariner",
    "serviceCIDR": "",
    "serviceDiscoveryEnabled": True,
    "version": "0.18.1",
}
FOUND = {"clusterCIDR": "10.46.0.0/24", "serviceCIDR": "10.45.0.0/16", "networkPlugin": "calico"}
PROXIES = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".svc"}


def workloads(played: tuple[int, int, int] = (0, 18, 1), **spec: t.Any) -> Workloads:
    submariner = {"metadata": {"name": "submariner", "uid": "u-1"}, "spec": {**SPEC, **spec}}
    return Workloads(submariner, FOUND, SubmarinerVersion(*played), PROXIES)


def env_of(daemon_set: Object) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in daemon_set["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_the_data_plane_gets_the_cidrs_of_the_status() -> None:
    for each in (workloads().gateway(), workloads().route_agent()):
        env = env_of(each)
        assert (env["SUBMARINER_CLUSTERCIDR"], env["SUBMARINER_SERVICECIDR"]) == ("10.46.0.0/24", "10.45.0.0/16")
        assert each["metadata"]["ownerReferences"][0]["uid"] == "u-1"
        assert each["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    assert env_of(workloads().route_agent())["SUBMARINER_NETWORKPLUGIN"] == "calico"


DISCOVERY = {"metadata": {"name": "service-discovery", "uid": "u-2"}}


def test_lighthouse_belongs_to_the_service_discovery() -> None:
    made = workloads()
    belonging = [made.lighthouse_agent(DISCOVERY), made.lighthouse_coredns(DISCOVERY), made.lighthouse_config(DISCOVERY), *made.lighthouse_services(DISCOVERY)]
    for each in belonging:
        (owner,) = each["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("ServiceDiscovery", "service-discovery", "u-2")
    assert made.gateway_service()["metadata"]["ownerReferences"][0]["kind"] == "Submariner"
    ports = {each["metadata"]["name"]: [port["port"] for port in each["spec"]["ports"]] for each in made.lighthouse_services(DISCOVERY)}
    expected = {"submariner-lighthouse-coredns": [53, 53], "submariner-lighthouse-coredns-metrics": [9153], "submariner-lighthouse-agent-metrics": [8082]}
    assert ports == expected


@pytest.mark.parametrize(
    ("version", "secret", "clusterset"),
    [((0, 17, 3), "", None), ((0, 18, 1), "submariner-broker-secret", None), ((0, 19, 0), "submariner-broker-secret", "243.0.0.0/20")],
)
def test_lighthouse_is_told_what_its_release_knows(version: tuple[int, int, int], secret: str, clusterset: str | None) -> None:
    made = workloads(version, clustersetIPCIDR="243.0.0.0/20")
    agent = made.lighthouse_agent(DISCOVERY)
    env = env_of(agent)
    assert (env["BROKER_K8S_SECRET"], env.get("SUBMARINER_CLUSTERSET_IP_CIDR"), env["SUBMARINER_HALT_ON_CERT_ERROR"]) == (secret, clusterset, "false")
    assert ("volumes" in agent["spec"]["template"]["spec"]) is bool(secret)
    assert made.service_discovery()["spec"].get("brokerK8sSecret", "") == secret


def test_custom_domains_come_on_top_of_the_default_one() -> None:
    corefile = workloads(customDomains=["example.org"]).lighthouse_config(DISCOVERY)["data"]["Corefile"]
    assert [each.partition(":")[0] for each in corefile.splitlines() if ":53 {" in each] == ["clusterset.local", "example.org"]


def test_gateways_run_on_labelled_nodes_only_and_agents_everywhere() -> None:
    assert workloads().gateway()["spec"]["template"]["spec"]["nodeSelector"] == {"submariner.io/gateway": "true"}
    agent = workloads().route_agent()["spec"]["template"]["spec"]
    assert "nodeSelector" not in agent and agent["tolerations"] == [{"operator": "Exists"}]
    assert [each["name"] for each in agent["initContainers"]] == ["submariner-routeagent-init"]


@pytest.mark.parametrize(
    ("check", "expected"),
    [(None, "true"), ({"intervalSeconds": 1}, "false"), ({"enabled": True}, "true"), ({"enabled": False}, "false")],
)
def test_an_omitted_health_check_is_on_but_an_omitted_enabled_is_off(check: Object | None, expected: str) -> None:
    given = {} if check is None else {"connectionHealthCheck": check}
    assert env_of(workloads(**given).gateway())["SUBMARINER_HEALTHCHECKENABLED"] == expected


@pytest.mark.parametrize(("version", "handed_on"), [((0, 17, 3), False), ((0, 18, 0), True)])
def test_proxies_are_handed_on_since_0_18(version: tuple[int, int, int], handed_on: bool) -> None:
    for each in (workloads(version).gateway(), workloads(version).route_agent(), workloads(version).metrics_proxy()):
        assert ("HTTPS_PROXY" in env_of(each)) is handed_on


def test_only_agents_that_check_health_are_told_about_it() -> None:
    assert "SUBMARINER_HEALTHCHECKENABLED" not in env_of(workloads((0, 18, 1)).route_agent())
    assert "SUBMARINER_HEALTHCHECKENABLED" in env_of(workloads((0, 19, 0)).route_agent())


def test_images_can_be_overridden() -> None:
    overridden = workloads(imageOverrides={"submariner-gateway": "mirror/gw:7"}, version="devel")
    gateway = overridden.gateway()["spec"]["template"]["spec"]["containers"][0]
    agent = overridden.route_agent()["spec"]["template"]["spec"]["containers"][0]
    assert (gateway["image"], agent["image"]) == ("mirror/gw:7", "quay.io/submariner/submariner-route-agent:devel")
    assert agent["imagePullPolicy"] == "Always"


def test_the_uninstall_daemon_set_runs_the_component_as_init_container() -> None:
    task = workloads().uninstall(workloads().gateway())
    assert task["metadata"]["name"] == "submariner-gateway-uninstall" and "ownerReferences" not in task["metadata"]
    template = task["spec"]["template"]
    assert template["metadata"]["labels"] == task["spec"]["selector"]["matchLabels"] == {"app": "submariner-gateway-uninstall"}
    (cleaner,) = template["spec"]["initContainers"]
    assert {"name": "SUBMARINER_UNINSTALL", "value": "true"} in cleaner["env"]
    pod = {"metadata": template["metadata"], "spec": template["spec"]}
    assert objects.environment(pod)["SUBMARINER_CLUSTERID"] == "alpha"
    assert [each["name"] for each in template["spec"]["containers"]] == ["pause"]


def test_what_the_resource_says_wins_over_what_was_found() -> None:
    network = ClusterNetwork("calico", ("10.46.0.0/24", "x"), ("10.45.0.0/16",))
    assert network_status(SPEC, network) == FOUND
    pinned = {**SPEC, "clusterCIDR": "10.46.0.0/16", "serviceCIDR": "10.45.0.0/16"}
    assert network_status(pinned, network)["clusterCIDR"] == "10.46.0.0/16"
    assert mismatches(pinned, network) == [("Cluster", "10.46.0.0/16", "10.46.0.0/24")]
    assert mismatches(SPEC, network) == [] and mismatches(pinned, ClusterNetwork("unknown", (), ())) == []


def daemon_set(name: str) -> Object:
    return {"metadata": {"name": name, "resourceVersion": "42"}, "status": {"desiredNumberScheduled": 1, "numberReady": 1, "conditions": []}}


def test_the_status_counts_containers_that_have_not_started() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    pods = {
        "gw": [{"status": {"containerStatuses": [{"imageID": "a", "started": False, "state": waiting}, {"imageID": "b", "started": True}]}}],
        "ra": [{"status": {}}],
    }
    wanted = status({**SPEC, "airGappedDeployment": True}, FOUND, daemon_set("gw"), daemon_set("ra"), pods, [{"status": {"haStatus": "active"}}])
    assert wanted["gatewayDaemonSetStatus"] == {
        "lastResourceVersion": "42",
        "mismatchedContainerImages": True,
        "nonReadyContainerStates": [waiting],
        "status": {"desiredNumberScheduled": 1, "numberReady": 1},
    }
    assert wanted["gateways"] == [{"haStatus": "active"}] and wanted["airGappedDeployment"] is True
    assert "globalCIDR" not in wanted and wanted["version"] == "0.18.1"


def crashing_pod(restarts: int) -> Object:
    return {
        "metadata": {"name": "p", "namespace": "submariner-operator", "uid": "u"},
        "status": {
            "containerStatuses": [{"name": "c", "restartCount": restarts, "ready": True, "started": True, "state": {"running": {}}}],
            "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}, {"type": "ContainersReady", "status": "True"}],
        },
    }


def test_a_crash_and_a_recovery_as_the_kubelet_reports_them() -> None:
    pod = crashing_pod(2)
    pod["status"].update(crashed_status(pod, 255, "2026-01-01T00:00:00Z"))
    (container,) = pod["status"]["containerStatuses"]
    assert (container["restartCount"], container["ready"], container["lastState"]["terminated"]["exitCode"]) == (3, False, 255)
    assert "back-off 40s restarting failed container=c pod=p_submariner-operator(u)" in container["state"]["waiting"]["message"]
    assert is_crash_looping(pod) and not objects.is_ready(pod)
    pod["status"].update(running_status(pod, "2026-01-01T00:00:09Z"))
    assert objects.is_ready(pod) and not is_crash_looping(pod)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 3
    assert [pause(number) for number in (0, 1, 4, 5, 99)] == [10, 20, 160, 300, 300]


NOON = datetime.datetime(2026, 11, 21, 12, 0, 0, 345678)


def test_lines_are_laid_out_as_zerolog_does() -> None:
    text = line(NOON, "ERR", "pkg/event/controller/endpoint_created.go:31", "EventController", "Error handling", {"error": 'a "b"', "count": 3})
    assert text == '2026-11-21T12:00:00.345Z ERR ../endpoint_created.go:31 EventController      Error handling error="a \\"b\\"" count=3'
    text = line(NOON, "INF", "cmd/main.go:1", "controller_submariner", "x", {"name": "y"})
    assert text.split(" INF ")[1] == "cmd/main.go:1             ..troller_submariner x name=y"


def test_the_operator_logs_in_colour() -> None:
    text = line(NOON, "ERR", "cmd/main.go:1", "cmd", "Bad", {"error": "why not", "type": "Cluster"}, colours=True)
    assert text.startswith("\x1b[90m2026-11-21T12:00:00.345Z\x1b[0m \x1b[31mERR\x1b[0m cmd/main.go:1             \x1b[1mcmd ")
    assert text.endswith('\x1b[36merror=\x1b[0m\x1b[31m\x1b[1m"why not"\x1b[0m\x1b[0m \x1b[36mtype=\x1b[0mCluster')


@pytest.mark.parametrize(
    ("enabled", "host", "address", "expected"),
    [
        ("false", "alpha-1", "10.1.1.1", ("none", "Health check is not enabled")),
        ("true", "alpha-1", "10.1.1.1", ("none", "Health check is not performed on gateway nodes")),
        ("true", "alpha-2", "", ("none", "Health checker IP is not configured")),
        ("true", "alpha-2", "10.1.1.1", ("connected", "")),
    ],
)
def test_what_agents_say_of_remote_endpoints(enabled: str, host: str, address: str, expected: tuple[str, str]) -> None:
    local = {"spec": {"cluster_id": "alpha", "hostname": "alpha-1"}}
    env = {"SUBMARINER_CLUSTERID": "alpha", "SUBMARINER_HEALTHCHECKENABLED": enabled}
    entry = remote_endpoint(env, host, {"cluster_id": "bravo", "healthCheckIP": address}, [local])
    assert (entry["status"], entry["statusMessage"]) == expected


def test_an_event_is_reconciled_at_once_while_retries_back_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClusterInfo, "client", lambda self, name: None)
    cluster = ClusterInfo("alpha", tmp_path, "", "", "", "v1.27.9", "0.18.1")
    operator = SubmarinerOperator(tmp_path, cluster, LabInfo(tmp_path, (cluster,), time_scale=1.0))
    log = ConsoleLog(tmp_path / "operator.log")
    process = types.SimpleNamespace(uid="u", due=0.0, failures=20, log=log, version=SubmarinerVersion(0, 18, 1))
    attempts = []

    def fail(_process: t.Any) -> None:
        attempts.append(process.failures)
        raise _ReconcileError("error discovering cluster network: why not")

    for name, played in (("_pod", lambda: crashing_pod(0)), ("_start", lambda pod: process), ("_reconcile_all", fail)):
        monkeypatch.setattr(operator, name, played)
    assert operator._step() == pytest.approx(1000, abs=1)
    assert operator._step() == pytest.approx(1000, abs=1) and attempts == [20]
    operator._queued.set()
    operator._step()
    operator._step()
    assert attempts == [20, 21]


def test_a_loop_tells_a_step_what_changed() -> None:
    class Client:
        def watch(self, path: str, stop: threading.Event) -> t.Iterator[tuple[str, Object]]:
            obj = {"metadata": {"uid": "u", "resourceVersion": "1"}}
            yield "ADDED", obj
            seen.append(also.is_set())
            also.clear()
            yield "MODIFIED", {"metadata": {**obj["metadata"], "resourceVersion": "2"}}
            seen.append(also.is_set())
            yield "DELETED", obj
            seen.append(also.is_set())
            done.set()

    seen: list[bool] = []
    also, done = threading.Event(), threading.Event()
    Loop("test", threading.Event()).watch(t.cast(t.Any, Client()), "/x", also=also)
    assert done.wait(5)
    assert seen == [True, False, True]


class Refusing:
    """An API server of today that refuses the invalid Service."""

    def __init__(self, error: ApiError | None) -> None:
        self.error = error

    def create(self, path: str, body: Object) -> Object:
        if self.error:
            raise self.error
        return body

    def find(self, path: str) -> Object:
        return {"spec": {"cidrs": ["10.45.0.0/16"]}}


TODAY = ApiError(422, "Invalid", "the provided network does not match the current range")


@pytest.mark.parametrize(
    ("version", "message", "cidrs"),
    [
        ("v1.27.9+rke2r1", f"{TODAY.message}. The range of valid IPs is 10.45.0.0/16", None),
        ("v1.32.0", f"{TODAY.message}. The range of valid IPs is 10.45.0.0/16", None),
        ("v1.33.1", TODAY.message, ["10.45.0.0/16"]),
    ],
)
def test_a_played_server_answers_as_its_version_would(version: str, message: str, cidrs: list[str] | None, tmp_path: Path) -> None:
    cluster = ClusterInfo("alpha", tmp_path, "https://127.0.0.1:1", "10.46.0.0/16", "10.45.0.0/16", version, "0.18.1")
    view = LiveView(t.cast(t.Any, Refusing(TODAY)), cluster)
    assert (view.invalid_service(), view.service_cidr()) == (message, cidrs)
    assert LiveView(t.cast(t.Any, Refusing(None)), cluster).invalid_service() is None
    with pytest.raises(ApiError):
        LiveView(t.cast(t.Any, Refusing(ApiError(0, "Unreachable", "away"))), cluster).invalid_service()


def test_versions_of_kubernetes() -> None:
    assert played_minor("v1.27.9+rke2r1") == 27
    with pytest.raises(ValueError, match="no Kubernetes version"):
        played_minor("devel")


def test_the_broker_is_found_by_host_and_port(tmp_path: Path) -> None:
    clusters = tuple(ClusterInfo(str(port), tmp_path, f"https://127.0.0.1:{port}", "", "", "v1.27.9", "0.18.1") for port in (6443, 6444))
    lab = LabInfo(tmp_path, clusters)
    assert objects.broker_of(lab, "127.0.0.1:6444") is clusters[1]
    assert objects.broker_of(lab, "https://127.0.0.1:6443/") is clusters[0]
    assert objects.broker_of(lab, "192.168.1.1:6443") is None


def test_the_image_says_which_release_is_played(tmp_path: Path) -> None:
    def pod(image: str) -> Object:
        return {"metadata": {"labels": {}}, "spec": {"containers": [{"image": image}]}}

    cluster = ClusterInfo("a", tmp_path, "", "", "", "v1.27.9", "0.18.1")
    assert objects.played_version(pod("quay.io/submariner/submariner-operator:0.16.3"), cluster) == (0, 16, 3)
    assert objects.played_version(pod("mirror:5000/operator@sha256:abc"), cluster) == (0, 18, 1)
    assert (objects.build_version(pod("x/y:0.19.0-rc3")), objects.build_version(pod("x/y:devel"))) == ("v0.19.0-rc3", "devel")
