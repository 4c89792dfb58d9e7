# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets planted wherever somebody may have put one, looked for in everything that diagnose, report and collect hand out."""

from __future__ import annotations

import json
import tarfile

import pytest

from ansible_collections.fathom.submariner.plugins.modules import cluster_cidrs_info, collect, diagnose, join, report
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection

PLANTED = "Pl4nted"  # part of every secret
TOKEN = f"eyJhbGciOiJSUzI1NiIs.eyJ{PLANTED}ybmV0ZXM.c2ln{PLANTED}"
PEM = f"-----BEGIN CERTIFICATE-----\n{PLANTED}MIIB\n-----END CERTIFICATE-----"
URL = f"https://broker:{PLANTED}Pass@broker.example.com:6443"
SAID = f"cannot reach {URL} with Bearer {TOKEN}: {PEM}"
CONDITION = [{"type": "Ready", "status": "False", "reason": "Failed", "message": SAID}, {"type": "Degraded", "status": "True", "message": SAID}]
NAMESPACE = "submariner-operator"
LOG = f"/api/v1/namespaces/{NAMESPACE}/pods/submariner-gateway-x/log"
USER_CHECK = """
- {id: site-%s, severity: warning, expression: '%s', message: look, subject: 'to_string(result)', evidence: result}
"""
ASKED = (
    ("pods", "pods.items[].[containers, statuses, message]"),
    ("texts", "[config_maps.items, events.items, helm_charts.items, helm_chart_configs.items]"),
    ("calico", "[felix_configurations.items, bgp_configurations.items, installations.items, tigera_statuses.items]"),
    ("submariner", "[submariners.items, gateways.items, route_agents.items]"),
    ("nodes", "[nodes.items, daemon_sets.items, deployments.items, api_services.items]"),
    ("logs", "logs.items"),
)


def named(name, namespace="", metadata=None, **parts):
    managed = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:brokerK8sApiServerToken": {}}}}]
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {"ceIPSecPSK": PLANTED}}),
        "objectset.rio.cattle.io/applied": PLANTED,
        "example.com/token": PLANTED,
    }
    return {"metadata": {"name": name, "namespace": namespace, "uid": name, "annotations": annotations, "managedFields": managed, **(metadata or {})}, **parts}


CONTAINER = {
    "name": "submariner-gateway",
    "image": "quay.io/submariner/submariner-gateway:0.20.0",
    "command": ["sh", "-c", f"curl --token {PLANTED}Word1 {URL}"],
    "args": ["--token", f"{PLANTED}Word2", f"--datastore-endpoint=postgres://k3s:{PLANTED}@db/k3s", f"--broker={URL}"],
    "env": [
        {"name": "CE_IPSEC_PSK", "value": f"{PLANTED}Psk"},
        {"name": "BROKER_K8S_APISERVERTOKEN", "value": TOKEN},
        {"name": "BROKER_K8S_APISERVER", "value": URL},
        {"name": "ETCD_ENDPOINTS", "value": f"https://etcd:{PLANTED}@10.0.0.1:2379"},
        {"name": "HTTPS_PROXY", "value": f"http://proxy:{PLANTED}@x:/{PLANTED}@proxy.example.com:3128"},
        {"name": "CNI_NETWORK_CONFIG", "value": f'{{"type": "calico", "k8s_auth_token": "{PLANTED}Cni", "mtu": 1450}}'},
    ],
}
ENDED = {"terminated": {"exitCode": 1, "reason": "Error", "message": f"password={PLANTED}Word3 {SAID}"}}
POD = named(
    "submariner-gateway-x",
    NAMESPACE,
    {"labels": {"app": "submariner-gateway"}},
    spec={"nodeName": "n1", "containers": [CONTAINER]},
    status={
        "phase": "Running",
        "message": SAID,
        "conditions": CONDITION,
        "containerStatuses": [
            {
                "name": "submariner-gateway",
                "restartCount": 9,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": SAID}},
                "lastState": ENDED,
            }
        ],
    },
)
TEMPLATE = {"template": {"spec": {"containers": [CONTAINER]}}}
SPEC = {
    "clusterID": "one",
    "clusterCIDR": "10.46.0.0/24",
    "brokerK8sApiServerToken": TOKEN,
    "brokerK8sCA": f"LS0tLS1CRUdJTi{PLANTED}",
    "ceIPSecPSK": f"{PLANTED}Psk",
}
VALUES = f"installation:\n  calicoNetwork: {{mtu: 1450}}\n  registryPassword: {PLANTED}Value\n  note: {URL}\n"
LISTS = {
    "/api/v1/nodes": [
        named(
            "n1",
            metadata={"annotations": {"rke2.io/node-args": json.dumps(["server", "--token", PLANTED, "--etcd", URL]), "rke2.io/node-env": PLANTED}},
            status={"conditions": CONDITION},
        )
    ],
    "/api/v1/pods": [POD],
    "/api/v1/services": [],
    "/api/v1/namespaces": [named(NAMESPACE)],
    "/api/v1/namespaces/kube-system/configmaps": [
        named("kubeadm-config", "kube-system", data={"ClusterConfiguration": f"podSubnet: 10.46.0.0/16\ntoken: {PLANTED}Word4\n", "secret": PLANTED}),
        named("coredns", "kube-system", data={"Corefile": f".:53 {{\n  etcd {{\n    credentials root password={PLANTED}Word5\n  }}\n  # {URL}\n}}\n"}),
    ],
    f"/api/v1/namespaces/{NAMESPACE}/events": [
        named(
            "e",
            NAMESPACE,
            type="Warning",
            reason="Failed",
            message=SAID,
            involvedObject={"kind": "Pod", "name": "submariner-gateway-x", "namespace": NAMESPACE},
        )
    ],
    "/apis/apps/v1/daemonsets": [named("submariner-gateway", NAMESPACE, spec=TEMPLATE, status={"desiredNumberScheduled": 1})],
    "/apis/apps/v1/deployments": [named("submariner-operator", NAMESPACE, spec=TEMPLATE, status={"conditions": CONDITION})],
    "/apis/apiregistration.k8s.io/v1/apiservices": [
        named(
            "v3.projectcalico.org",
            spec={"service": {"name": "calico-api"}, "caBundle": PLANTED},
            status={"conditions": [{"type": "Available", "status": "False", "message": SAID}]},
        )
    ],
    "/apis/submariner.io/v1alpha1/submariners": [named("submariner", NAMESPACE, spec=SPEC, status={"clusterCIDR": "10.46.0.0/24", "conditions": CONDITION})],
    "/apis/submariner.io/v1/gateways": [
        named(
            "n1",
            NAMESPACE,
            status={
                "haStatus": "active",
                "statusFailure": SAID,
                "connections": [{"status": "error", "statusMessage": SAID, "endpoint": {"cluster_id": "two"}}],
            },
        )
    ],
    "/apis/submariner.io/v1/routeagents": [
        named("n1", NAMESPACE, status={"statusFailure": SAID, "remoteEndpoints": [{"status": "error", "statusMessage": SAID, "spec": {"cluster_id": "two"}}]})
    ],
    "/apis/helm.cattle.io/v1/helmcharts": [named("rke2-calico", "kube-system", status={"conditions": [{"type": "Failed", "status": "True", "message": SAID}]})],
    "/apis/helm.cattle.io/v1/helmchartconfigs": [named("rke2-calico", "kube-system", spec={"valuesContent": VALUES})],
    "/apis/operator.tigera.io/v1/installations": [
        named("default", spec={"registry": URL, "calicoNetwork": {"apiToken": f"{PLANTED}Api"}}, status={"conditions": CONDITION})
    ],
    "/apis/operator.tigera.io/v1/tigerastatuses": [named("calico", status={"conditions": CONDITION})],
    "/apis/crd.projectcalico.org/v1/felixconfigurations": [
        named("default", spec={"logSeverityScreen": "Info", "syslogToken": f"{PLANTED}Felix", "endpoint": URL})
    ],
    "/apis/crd.projectcalico.org/v1/bgpconfigurations": [named("default", spec={"asNumber": 64512, "nodeMeshPassword": f"{PLANTED}Mesh"})],
    "/apis/crd.projectcalico.org/v1/bgppeers": [named("rack", spec={"peerIP": "10.0.0.9", "password": f"{PLANTED}Peer"})],
}


@pytest.fixture
def run(capsys, module_args, monkeypatch):
    def run_module(module, **options):
        if hasattr(module, "open_connection"):
            text = f"FATAL psk: {PLANTED}Word6 token={PLANTED}Word7 {SAID}\n"
            monkeypatch.setattr(module, "open_connection", lambda _module, _params: FakeConnection(LISTS, logs={LOG: text}))
        with module_args(options), pytest.raises(SystemExit):
            module.main()
        return capsys.readouterr().out

    return run_module


def lines_with_secrets(text):
    return [line[max(0, line.index(PLANTED) - 300) : line.index(PLANTED) + 40] for line in text.splitlines() if PLANTED in line]


def test_neither_findings_nor_reports_hold_a_secret(run, tmp_path):
    checks = tmp_path / "checks.yml"
    checks.write_text("".join(USER_CHECK % asked for asked in ASKED), encoding="utf-8")
    printed = run(diagnose, cluster="one", user_checks=[str(checks)])
    result = json.loads(printed)
    assert {f"site-{name}" for name, _expression in ASKED} <= {finding["id"] for finding in result["findings"] if finding["verdict"] == "fail"}
    assert lines_with_secrets(printed) == []
    printed = run(report, clusters=[result], dest=str(tmp_path / "report"))
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}
    assert json.loads(printed)["artifacts"] and len(written) == 6
    assert [lines_with_secrets(text) for text in (printed, *written.values())] == [[]] * 7


def test_a_snapshot_holds_no_secret_that_a_users_check_could_ask_for():
    from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
    from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._plain import to_plain

    text = f"FATAL psk: {PLANTED}Word6 token={PLANTED}Word7 {SAID}\n"
    plain = to_plain(read_snapshot(FakeConnection(LISTS, logs={LOG: text}), "one", timeout=60, taken_at="2026-11-21T12:00:00Z", logs=True))
    assert [name for name, value in plain.items() if PLANTED in json.dumps(value)] == []
    read = [name for name, value in plain.items() if isinstance(value, dict) and value.get("items")]
    assert {"pods", "nodes", "config_maps", "events", "logs", "gateways", "felix_configurations", "helm_chart_configs"} <= set(read)


def test_a_bundle_holds_no_secret(run, tmp_path):
    printed = run(collect, dest=str(tmp_path / "one.tar.gz"), cluster="one")
    assert json.loads(printed)["objects"] >= 15 and lines_with_secrets(printed) == []
    with tarfile.open(tmp_path / "one.tar.gz") as archive:
        for member in archive.getmembers():
            assert lines_with_secrets(archive.extractfile(member).read().decode("utf-8")) == [], member.name


@pytest.mark.parametrize(
    ("module", "wrong"),
    [
        (diagnose, {"checks": ["no-such-check"]}),
        (collect, {"dest": "bundle.tar.gz", "pseudonymise_ips": True, "pseudonym_key": "short"}),
        (cluster_cidrs_info, {"pod_cidrs": ["nonsense"]}),
        (join, {"cluster_id": "one", "run": "No Run", "https_proxy": f"http://me:{PLANTED}%40Components@proxy:3128"}),
    ],
)
def test_a_wrong_option_does_not_print_the_credentials_beside_it(run, module, wrong):
    users = [{"name": "me", "user": {"token": f"{PLANTED}Kubeconfig"}}]
    printed = run(module, kubeconfig={"users": users}, proxy=f"http://me:{PLANTED}%40Proxy@proxy:3128", api_key=f"{PLANTED}Key", **wrong)
    assert json.loads(printed)["failed"] and lines_with_secrets(printed) == []
