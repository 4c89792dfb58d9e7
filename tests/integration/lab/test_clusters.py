# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab's clusters are what they claim to be: real API servers whose pods, logs and audit logs look as in production."""

from __future__ import annotations

import ipaddress
import threading
import time
import typing as t

import pytest

from tests.lab import audit
from tests.lab.client import ApiError, Client, Object
from tests.lab.info import ClusterInfo, LabInfo

pytestmark = pytest.mark.lab

PATIENCE = 240.0


def eventually(get: t.Callable[[], t.Any], what: str) -> t.Any:
    """The first truthy answer."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := get()):
        assert time.monotonic() < deadline, f"not so after {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)
    return answer


@pytest.fixture
def cluster(lab: LabInfo) -> ClusterInfo:
    return lab.clusters[0]


@pytest.fixture
def namespace(cluster: ClusterInfo) -> t.Iterator[str]:
    """A namespace of the test's own. Its deletion takes seconds, for which no test waits."""
    client = cluster.client("planter")
    name = client.create("/api/v1/namespaces", {"metadata": {"generateName": "lab-test-"}})["metadata"]["name"]
    eventually(lambda: client.find(f"/api/v1/namespaces/{name}/serviceaccounts/default"), "the namespace has a service account")
    yield name
    client.delete(f"/api/v1/namespaces/{name}")


def daemon_set(namespace: str, name: str, **pod: t.Any) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example/main:1"}], **pod}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def pods_of(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def ready_pods(client: Client, namespace: str, app: str) -> list[Object]:
    found = client.list(pods_of(namespace), labelSelector=f"app={app}")
    return found if found and all(each.get("status", {}).get("phase") == "Running" for each in found) else []


def test_clusters_have_the_versions_and_cidrs_of_the_lab(lab: LabInfo) -> None:
    for cluster in lab.clusters:
        client = cluster.admin()
        assert client.get("/version")["gitVersion"] == cluster.kubernetes_version
        service = client.get("/api/v1/namespaces/default/services/kubernetes")
        assert ipaddress.ip_address(service["spec"]["clusterIP"]) in ipaddress.ip_network(cluster.service_cidr)
        (node,) = client.list("/api/v1/nodes")
        assert ipaddress.ip_network(node["spec"]["podCIDR"]).prefixlen == 24
        assert ipaddress.ip_network(node["spec"]["podCIDR"]).subnet_of(ipaddress.ip_network(cluster.pod_cidr))
        assert node["status"]["nodeInfo"]["kubeletVersion"] == cluster.kubernetes_version
    assert len({each.pod_cidr for each in lab.clusters}) == len(lab.clusters)


def test_pods_have_addresses_as_with_calico(cluster: ClusterInfo, namespace: str) -> None:
    client = cluster.client("planter")
    client.apply(daemon_set(namespace, "own-network"))
    client.apply(daemon_set(namespace, "host-network", hostNetwork=True))
    (own,) = eventually(lambda: ready_pods(client, namespace, "own-network"), "the pod runs")
    (host,) = eventually(lambda: ready_pods(client, namespace, "host-network"), "the pod on the host's network runs")
    address = ipaddress.ip_address(own["status"]["podIP"])
    node = client.get(f"/api/v1/nodes/{own['spec']['nodeName']}")
    assert address in ipaddress.ip_network(cluster.pod_cidr)
    assert address not in ipaddress.ip_network(node["spec"]["podCIDR"])
    assert host["status"]["podIP"] == cluster.nodes[0].ip

    client.delete(f"{pods_of(namespace)}/{own['metadata']['name']}")
    (again,) = eventually(
        lambda: [each for each in ready_pods(client, namespace, "own-network") if each["metadata"]["uid"] != own["metadata"]["uid"]],
        "a deleted pod is replaced",
    )
    assert again["status"]["podIP"] != own["status"]["podIP"]


def test_logs_come_through_the_api_server(cluster: ClusterInfo, namespace: str) -> None:
    client = cluster.client("planter")
    client.apply(daemon_set(namespace, "talker"))
    (pod,) = eventually(lambda: ready_pods(client, namespace, "talker"), "the pod runs")
    path = f"{pods_of(namespace)}/{pod['metadata']['name']}/log"
    assert client.request_text("GET", path) == ""
    cluster.pod_log(namespace, pod["metadata"]["name"], "main").write_text("one\ntwo\nthree\n")
    assert client.request_text("GET", path) == "one\ntwo\nthree\n"
    assert client.request_text("GET", path, query={"container": "main", "tailLines": 1}) == "three\n"
    with pytest.raises(ApiError, match="container other is not valid"):
        client.request_text("GET", path, query={"container": "other"})


def test_audit_log_tells_who_wrote_what(cluster: ClusterInfo, namespace: str) -> None:
    config_maps = f"/api/v1/namespaces/{namespace}/configmaps"
    before = audit.marker(cluster.audit_log)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    admin, stand_in = cluster.admin(), cluster.client("planter")
    admin.get(config_maps)
    admin.request("POST", config_maps, body, {"dryRun": "All"})
    stand_in.create(config_maps, body)
    assert audit.writes(cluster.audit_log, since=before) == []
    assert [each.verb for each in audit.writes(cluster.audit_log, since=before, dry_run=True)] == ["create"]
    assert [(each.verb, each.resource) for each in audit.writes(cluster.audit_log, "standin:planter", before)] == [("create", "configmaps")]
    admin.merge_patch(f"{config_maps}/x", {"data": {"a": "b"}})
    with pytest.raises(ApiError) as error:
        admin.create(config_maps, body)
    assert error.value.conflict
    seen = [(each.verb, each.resource, each.namespace, each.name, each.status) for each in audit.writes(cluster.audit_log, since=before)]
    assert seen == [("patch", "configmaps", namespace, "x", 200), ("create", "configmaps", namespace, "x", 409)]


def test_watch_sees_changes_and_stops_when_told(cluster: ClusterInfo, namespace: str) -> None:
    config_maps = f"/api/v1/namespaces/{namespace}/configmaps"
    client = cluster.client("planter")
    stop = threading.Event()
    seen: list[tuple[str, str]] = []

    def follow() -> None:
        for kind, obj in client.watch(config_maps, stop):
            seen.append((kind, obj["metadata"]["name"]))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    eventually(lambda: ("ADDED", "kube-root-ca.crt") in seen, "what exists comes first")
    client.create(config_maps, {"metadata": {"name": "y"}})
    client.merge_patch(f"{config_maps}/y", {"data": {"a": "b"}})
    client.delete(f"{config_maps}/y")
    eventually(lambda: ("DELETED", "y") in seen, "the deletion is seen")
    assert [kind for kind, name in seen if name == "y"] == ["ADDED", "MODIFIED", "DELETED"]
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_apply_sets_spec_and_status(cluster: ClusterInfo, namespace: str) -> None:
    client = cluster.client("planter")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": namespace},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
    }
    applied = client.apply(service)
    assert ipaddress.ip_address(applied["spec"]["clusterIP"]) in ipaddress.ip_network(cluster.service_cidr)
    assert applied["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.9"
    with pytest.raises(ApiError, match="does not serve Nonsense in v1") as error:
        client.apply({"apiVersion": "v1", "kind": "Nonsense", "metadata": {"name": "n"}})
    assert error.value.not_found
