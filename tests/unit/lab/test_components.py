# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines, nodes and certificates of a control plane."""

from __future__ import annotations

import base64
import ipaddress
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.lab import components, nodes, pki, specs
from tests.lab.info import ClusterInfo, NodeInfo


def cluster(folder: Path, pod_cidr: str = "10.46.0.0/16") -> ClusterInfo:
    node = NodeInfo("server-1", "192.168.46.11", {"role": "x"}, {"note": "y"}, [{"key": "k", "effect": "NoSchedule"}])
    return ClusterInfo("cluster-1", folder / "cluster-1", "https://127.0.0.1:1", pod_cidr, "10.45.0.0/16", "v1.27.9+rke2r1", "0.16.3", (node,), 4321)


@pytest.mark.parametrize(("cidr", "mask"), [("10.46.0.0/16", "24"), ("10.46.0.0/24", "24"), ("10.46.0.0/26", "26")])
def test_node_mask_fits_into_the_pod_cidr(tmp_path: Path, cidr: str, mask: str) -> None:
    arguments = components.controller_manager(cluster(tmp_path, cidr))
    assert f"--node-cidr-mask-size={mask}" in arguments
    assert f"--cluster-cidr={cidr}" in arguments


@pytest.mark.parametrize("cidr", ["10.46.0.0/16", "10.42.0.0/20", "172.16.0.0/12"])
def test_pods_are_outside_the_first_nodes_cidrs(cidr: str) -> None:
    network = ipaddress.ip_network(cidr)
    first = ipaddress.ip_interface(components.pod_address_pool(cidr))
    assert first.network == network
    assert all(first.ip not in block for block, _n in zip(network.subnets(new_prefix=24), range(network.num_addresses // 512)))


def test_stage_of_an_incident_replaces_the_labs_own(tmp_path: Path) -> None:
    own, incidents = tmp_path / "own", tmp_path / "incident"
    for path in (own / "node.yaml", own / "pod.yaml", incidents / "pod.yaml", incidents / "apod.yaml"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert components.stages(own, incidents) == [incidents / "apod.yaml", own / "node.yaml", incidents / "pod.yaml"]
    assert components.stages(own) == [own / "node.yaml", own / "pod.yaml"]


def test_shipped_stages_are_there() -> None:
    from tests.lab.cluster import STAGES

    documents = [each for path in components.stages(STAGES) for each in yaml.safe_load_all(path.read_text())]
    assert {(each["kind"], each["spec"]["resourceRef"]["kind"]) for each in documents} == {("Stage", "Node"), ("Stage", "Pod")}


def test_node_of_a_description(tmp_path: Path) -> None:
    info = cluster(tmp_path)
    node = nodes.node_object(info.nodes[0], info)
    assert node["metadata"]["labels"] == {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "server-1",
        "kubernetes.io/os": "linux",
        "role": "x",
    }
    assert node["spec"]["taints"] == [{"key": "k", "effect": "NoSchedule"}]
    assert {each["type"]: each["address"] for each in node["status"]["addresses"]} == {
        "InternalIP": "192.168.46.11",
        "Hostname": "server-1",
        "InternalDNS": "localhost",
    }
    assert node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] == 4321
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.27.9+rke2r1"


def test_node_of_an_incident_keeps_what_it_says(tmp_path: Path) -> None:
    given = {
        "kind": "Node",
        "metadata": {"name": "old", "labels": {"kubernetes.io/hostname": "other"}},
        "status": {"nodeInfo": {"kernelVersion": "3.10.0-1160.el7.x86_64"}, "capacity": {"cpu": "2"}, "addresses": [{"type": "Hostname", "address": "other"}]},
    }
    node = nodes.as_registered(given, cluster(tmp_path))
    assert node["metadata"]["labels"]["kubernetes.io/hostname"] == "other"
    assert node["status"]["nodeInfo"]["kernelVersion"] == "3.10.0-1160.el7.x86_64"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.27.9+rke2r1"
    assert node["status"]["capacity"] == {"cpu": "2"}
    assert [each["address"] for each in node["status"]["addresses"]] == ["other", "localhost"]


def test_certificates_and_kubeconfigs(tmp_path: Path) -> None:
    info = cluster(tmp_path)
    components.write_files(info, ["broker"])
    authority = x509.load_pem_x509_certificate((info.pki / "ca.crt").read_bytes())
    expected = {
        "admin": ("admin", ["system:masters"]),
        "standin-broker": ("standin:broker", ["system:masters"]),
        "kube-scheduler": ("system:kube-scheduler", []),
        "apiserver": ("kube-apiserver", []),
    }
    for name, (user, groups) in expected.items():
        certificate = x509.load_pem_x509_certificate((info.pki / f"{name}.crt").read_bytes())
        certificate.verify_directly_issued_by(authority)
        assert [each.value for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [user]
        assert [each.value for each in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == groups
    addresses = x509.load_pem_x509_certificate((info.pki / "apiserver.crt").read_bytes()).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in addresses.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "10.45.0.1"]
    assert "localhost" in addresses.get_values_for_type(x509.DNSName)

    config = yaml.safe_load(info.kubeconfig.read_text())
    assert config["current-context"] == config["contexts"][0]["name"] == "cluster-1"
    assert base64.b64decode(config["users"][0]["user"]["client-certificate-data"]) == (info.pki / "admin.crt").read_bytes()
    assert [path.name for path in [info.kubeconfig, *info.pki.glob("*.key")] if path.stat().st_mode & 0o077] == []


def test_certificate_of_another_authority(tmp_path: Path) -> None:
    components.write_files(cluster(tmp_path), [])
    folder = tmp_path / "cluster-1" / "pki"
    certificate, _key = pki.issue(folder, "extra", "somebody", names=["calico-api.calico-system.svc"], authority="front-proxy-ca")
    x509.load_pem_x509_certificate(certificate.read_bytes()).verify_directly_issued_by(
        x509.load_pem_x509_certificate((folder / "front-proxy-ca.crt").read_bytes())
    )


def test_audit_policy_logs_every_write_and_no_read() -> None:
    write, rest = components.AUDIT_POLICY["rules"]
    assert write == {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}
    assert rest == {"level": "None"}


def test_default_clusters_can_be_configured(tmp_path: Path) -> None:
    spec = specs.default_clusters(1)[0]
    assert f"--advertise-address={spec.nodes[0].ip}" in components.apiserver(cluster(tmp_path), 1)
