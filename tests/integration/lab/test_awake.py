# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Awake labs: what is written to a layout has its effect, what was planted stays until then, and all of it is taken back."""

from __future__ import annotations

import base64
import json
import time
import typing as t

import pytest

from tests.lab import adversaries, audit, image, manifests, pki, woken
from tests.lab.client import ApiError, Client, Object
from tests.lab.fixture import AwakeLabs
from tests.lab.info import ClusterInfo
from tests.lab.store import Store

pytestmark = pytest.mark.lab

PATIENCE = 240.0
CONFIG = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs/rke2-calico"
INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
API_SERVER = "/apis/operator.tigera.io/v1/apiservers/default"
STATUS = "/apis/operator.tigera.io/v1/tigerastatuses/calico"
CALICO_NODE = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org"
POOLS = "/apis/projectcalico.org/v3/ippools"
CALICO_PODS = "/api/v1/namespaces/calico-system/pods"
SUBMARINER_PODS = "/api/v1/namespaces/submariner-operator/pods"
VALUES = "apiServer:\n  enabled: true\ninstallation:\n  calicoNetwork:\n    nodeAddressAutodetectionV4: {kubernetes: NodeInternalIP}\n"


def eventually(get: t.Callable[[], t.Any], what: str) -> t.Any:
    """The first truthy answer; an API that does not answer yet gives none."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if answer := get():
                return answer
        except ApiError as error:
            assert error.not_found or error.unreachable, error
        assert time.monotonic() < deadline, f"not so after {PATIENCE:.0f} s: {what}"
        time.sleep(0.1)


def set_values(client: Client, text: str) -> None:
    client.merge_patch(CONFIG, {"spec": {"valuesContent": text}})


def is_rolled_out(daemon_set: Object, since: int) -> bool:
    """Whether a generation after ``since`` is on all nodes."""
    status, generation = daemon_set["status"], daemon_set["metadata"]["generation"]
    counts = {status.get(each, 0) for each in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")}
    return generation > since and status.get("observedGeneration") == generation and len(counts) == 1


def is_available(status: Object) -> bool:
    return status["status"]["conditions"][0]["status"] == "True"


def drift(cluster: ClusterInfo) -> list[str]:
    """What is not as it was when the lab was roused, events of the controllers apart."""
    return [each for each in image.differences(Store(cluster), woken.woken(cluster)) if "/events/" not in each]


@pytest.mark.exhaustive
def test_a_planted_incident_stays_as_it_is(awake_labs: AwakeLabs) -> None:
    with awake_labs.planted("rke2", "003-rke2-ipset-revision") as lab:
        time.sleep(1)
        cluster = lab.cluster("cluster-1")
        assert drift(cluster) == []
        client = cluster.client("planter")
        client.delete(f"{CALICO_PODS}/calico-node-wk8p5")
        node = "alpha-agent-1"
        (again,) = eventually(
            lambda: [each for each in client.list(CALICO_PODS, labelSelector="k8s-app=calico-node")
                     if each["spec"].get("nodeName") == node and each["metadata"]["name"] != "calico-node-wk8p5" and each["status"].get("containerStatuses")],
            "the pod is made again",
        )  # fmt: skip
        assert again["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert "revision" in client.request_text("GET", f"{CALICO_PODS}/{again['metadata']['name']}/log")


@pytest.mark.exhaustive
def test_values_of_the_chart_roll_out_and_nothing_is_left_of_it(awake_labs: AwakeLabs) -> None:
    with awake_labs.planted("rke2") as lab:
        cluster = lab.cluster("cluster-1")
        client = cluster.client("planter")
        before = client.get(CALICO_NODE)["metadata"]["generation"]
        set_values(client, VALUES.replace("    node", "    mtu: 1400\n    node"))
        eventually(lambda: client.get(INSTALLATION)["status"].get("mtu") == 1400, "the operator has seen the MTU")
        eventually(lambda: is_rolled_out(client.get(CALICO_NODE), before), "calico-node is rolled out")
        eventually(lambda: is_available(client.get(STATUS)), "TigeraStatus calico is Available")
        pods = client.list(CALICO_PODS, labelSelector="k8s-app=calico-node")
        assert len(pods) == 3
        for each in pods:
            assert "Determined pod MTU mtu=1400" in client.request_text("GET", f"{CALICO_PODS}/{each['metadata']['name']}/log")
    with awake_labs.planted("rke2") as lab:
        names = {each["metadata"]["name"] for each in client.list(CALICO_PODS, labelSelector="k8s-app=calico-node")}
        assert names == {"calico-node-cp7k2", "calico-node-gw4x9", "calico-node-wk8p5"}
        time.sleep(1)
        assert drift(cluster) == []


@pytest.mark.exhaustive
def test_only_a_change_of_values_undoes_an_edit_by_hand(awake_labs: AwakeLabs) -> None:
    with awake_labs.planted("rke2") as lab:
        client = lab.cluster("cluster-1").client("planter")
        client.merge_patch(INSTALLATION, {"spec": {"calicoNetwork": {"bgp": "Enabled"}}})
        client.merge_patch(CALICO_NODE, {"spec": {"minReadySeconds": 7}})
        eventually(lambda: client.get(INSTALLATION)["status"]["computed"]["calicoNetwork"]["bgp"] == "Enabled", "the operator has seen the edit")
        eventually(lambda: not client.get(CALICO_NODE)["spec"].get("minReadySeconds"), "the operator takes back an edit of what it renders")
        assert client.get(INSTALLATION)["spec"]["calicoNetwork"]["bgp"] == "Enabled"
        set_values(client, VALUES + "# another text\n")
        eventually(lambda: client.get(INSTALLATION)["spec"]["calicoNetwork"]["bgp"] == "Disabled", "Helm puts back what the chart says")


@pytest.mark.exhaustive
def test_a_file_on_the_servers_has_its_way_when_they_restart(awake_labs: AwakeLabs) -> None:
    config = {"apiVersion": "helm.cattle.io/v1", "kind": "HelmChartConfig", "metadata": {"name": "rke2-calico", "namespace": "kube-system"}}
    with awake_labs.planted("rke2") as lab:
        cluster = lab.cluster("cluster-1")
        client = cluster.client("planter")
        text = json.dumps({**config, "spec": {"valuesContent": VALUES + "# from a file\n"}})
        manifests.write(cluster, "rke2-calico-config.yaml", text)
        eventually(lambda: "from a file" in client.get(CONFIG)["spec"]["valuesContent"], "the file is applied")
        assert client.get(CONFIG)["metadata"]["annotations"]["objectset.rio.cattle.io/owner-gvk"] == "k3s.cattle.io/v1, Kind=Addon"
        set_values(client, VALUES + "# by hand\n")
        time.sleep(2)
        assert "by hand" in client.get(CONFIG)["spec"]["valuesContent"]
        manifests.restart_servers(cluster)
        eventually(lambda: "from a file" in client.get(CONFIG)["spec"]["valuesContent"], "the file's content is back")


def test_an_api_server_that_is_switched_on_answers_and_a_new_agent_makes_the_pools(awake_labs: AwakeLabs) -> None:
    with awake_labs.planted("rke2", "000-rke2-no-api-server") as lab:
        client = lab.cluster("cluster-1").client("planter")
        set_values(client, VALUES)
        eventually(lambda: client.get(API_SERVER).get("status", {}).get("state") == "Ready", "the APIServer is Ready")
        assert [each["metadata"]["name"] for each in eventually(lambda: client.list(POOLS), "v3 answers")] == ["default-ipv4-ippool"]
        client.delete(f"{SUBMARINER_PODS}/submariner-routeagent-gw4x9")
        eventually(lambda: len(client.list(POOLS)) == 3, "the new agent on the gateway has made the pools")
        client.delete(API_SERVER)
        eventually(lambda: client.find(API_SERVICE) is None, "without an APIServer there is no APIService")


@pytest.mark.exhaustive
def test_a_gateway_that_is_restarted_takes_over_again(awake_labs: AwakeLabs) -> None:
    with awake_labs.planted("rke2") as lab:
        client = lab.cluster("cluster-1").client("planter")
        client.delete(f"{SUBMARINER_PODS}/submariner-gateway-gw4x9")
        selector = "app=submariner-gateway,gateway.submariner.io/status=active"
        eventually(lambda: client.list(SUBMARINER_PODS, labelSelector=selector), "a new pod is the active gateway")
        gateway = "/apis/submariner.io/v1/namespaces/submariner-operator/gateways/alpha-gateway-1"
        status = eventually(lambda: client.get(gateway)["status"], "it has its Gateway object")
        assert (status["haStatus"], [each["status"] for each in status["connections"]]) == ("active", ["connected"])


@pytest.mark.exhaustive
def test_adversaries_work_against_the_collection_only(awake_labs: AwakeLabs) -> None:
    with awake_labs.planted("rke2") as lab:
        cluster = lab.cluster("cluster-1")
        admin, client = cluster.admin(), cluster.client("planter")
        change = {"metadata": {"annotations": {"example": "x"}}}
        with adversaries.reverter(cluster, INSTALLATION, seconds=0.3) as reverts:
            admin.merge_patch(INSTALLATION, change)
            eventually(lambda: reverts, "the change is taken back")
        assert "example" not in client.get(INSTALLATION)["metadata"]["annotations"]

        with adversaries.denier(cluster, "operator.tigera.io", "installations", message="frozen for the audit"):
            with pytest.raises(ApiError, match="frozen for the audit"):
                admin.merge_patch(INSTALLATION, change)
            client.merge_patch(INSTALLATION, change)

        before = audit.marker(cluster.audit_log)
        with adversaries.webhook(cluster, "helm.cattle.io", "helmchartconfigs", dry_run_only=True) as seen:
            with pytest.raises(ApiError, match="does not support dry run"):
                admin.request("PATCH", CONFIG, change, {"dryRun": "All"}, "application/merge-patch+json")
            admin.merge_patch(CONFIG, change)
            assert [each.get("dryRun", False) for each in seen] == [True, False]
        assert [(each.resource, each.status) for each in audit.writes(cluster.audit_log, since=before)] == [("helmchartconfigs", 200)]

        label = 'Object{metadata: Object.metadata{labels: {"mutated": "true"}}}'
        with adversaries.mutator(cluster, "helm.cattle.io", "helmchartconfigs", label):
            assert admin.merge_patch(CONFIG, {"metadata": {"annotations": {"example": "y"}}})["metadata"]["labels"] == {"mutated": "true"}

        with adversaries.never_ready(cluster, namespace="calico-system", selector=("k8s-app", "calico-node")):
            client.delete(f"{CALICO_PODS}/calico-node-gw4x9")
            held = eventually(lambda: client.list(CALICO_PODS, labelSelector=adversaries.HELD), "the new pod is held")
            eventually(lambda: client.get(STATUS)["status"]["conditions"][0]["status"] == "False", "the operator tells of it")
            pod = client.get(f"{CALICO_PODS}/{held[0]['metadata']['name']}")
            assert {each["status"] for each in pod["status"]["conditions"] if each["type"] == "Ready"} == {"False"}


@pytest.mark.exhaustive
def test_the_operator_brings_the_api_server_once_the_first_rollout_has_ended(awake_labs: AwakeLabs) -> None:
    fit = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "unfit", "operator": "DoesNotExist"}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": fit}}
    with awake_labs.planted("operator", "000-operator-first-rollout") as lab:
        client = lab.cluster("cluster-1").client("planter")
        assert "variant" not in client.get(INSTALLATION)["status"]
        client.merge_patch("/api/v1/nodes/alpha-worker-1", {"metadata": {"labels": {"unfit": "true"}}})
        client.merge_patch(INSTALLATION, {"spec": {"calicoNodeDaemonSet": {"spec": {"template": {"spec": {"affinity": affinity}}}}}})
        eventually(lambda: is_available(client.get(STATUS)), "calico is Available without the unfit node")
        assert client.get(INSTALLATION)["status"]["variant"] == "Calico"
        eventually(lambda: client.list(POOLS), "v3 answers")
        assert "alpha-worker-1" not in {each["spec"]["nodeName"] for each in client.list(CALICO_PODS, labelSelector="k8s-app=calico-node")}
        eventually(lambda: is_available(client.get(STATUS.replace("/calico", "/apiserver"))), "TigeraStatus apiserver is Available")


@pytest.mark.exhaustive
def test_the_certificate_of_an_api_server_by_manifest_is_verified(awake_labs: AwakeLabs) -> None:
    """The aggregator takes only a certificate for the Service's name, signed by the APIService's caBundle."""
    with awake_labs.planted("manifest", "000-manifest-missing-secret") as lab:
        cluster = lab.cluster("cluster-1")
        client = cluster.client("planter")
        space = "/api/v1/namespaces/calico-apiserver"
        client.delete(f"{space}/services/calico-api")
        port = [{"name": "apiserver", "port": 443, "targetPort": 5443}]
        client.create(f"{space}/services", {"metadata": {"name": "calico-api"}, "spec": {"selector": {"apiserver": "true"}, "ports": port}})
        ca = base64.b64encode((cluster.pki / "ca.crt").read_bytes()).decode()
        client.merge_patch(API_SERVICE, {"spec": {"caBundle": ca, "service": {"port": 443}}})

        client.create(f"{space}/secrets", secret(cluster, "calico-api.calico-system.svc"))
        eventually(lambda: "calico-api.calico-system.svc, not calico-api.calico-apiserver.svc" in message(client), "the wrong name is refused")
        client.delete(f"{space}/secrets/calico-apiserver-certs")
        client.create(f"{space}/secrets", secret(cluster, "calico-api.calico-apiserver.svc"))
        for each in client.list(f"{space}/pods"):
            client.delete(f"{space}/pods/{each['metadata']['name']}")
        eventually(lambda: client.list(POOLS), "v3 answers")


def secret(cluster: ClusterInfo, name: str) -> Object:
    pair = pki.issue(cluster.pki, "from-a-test", "calico-api", names=[name])
    data = {key: base64.b64encode(path.read_bytes()).decode() for key, path in zip(("apiserver.crt", "apiserver.key"), pair)}
    return {"metadata": {"name": "calico-apiserver-certs"}, "data": data}


def message(client: Client) -> str:
    """What the API server says of v3, asked to look again."""
    client.merge_patch(API_SERVICE, {"metadata": {"annotations": {"asked": str(time.time())}}})
    return str(client.get(API_SERVICE)["status"]["conditions"][0]["message"])
