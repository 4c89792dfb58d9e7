# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks as a user does, and asking the clusters, not the collection, what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.lab import audit

NAMESPACE = "submariner-operator"
TRUTH = {"cluster-1": ("10.46.0.0/16", "10.45.0.0/16"), "cluster-2": ("10.42.0.0/16", "10.43.0.0/16")}
WRONG = {"cluster-1": "10.46.0.0/24", "cluster-2": "10.42.0.0/24"}
OTHER = {"cluster-1": "cluster-2", "cluster-2": "cluster-1"}


def environment():
    site = sysconfig.get_paths()["purelib"]
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("K8S_AUTH_", "ANSIBLE_")) and key != "KUBECONFIG"}
    return {
        **plain,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": site,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
    }


def playbook(lab, name, *arguments, inventory=None):
    """Run ``ansible-playbook fathom.submariner.NAME`` against a lab; the completed process has stdout and stderr in one text."""
    command = ["ansible-playbook", "-i", str(inventory or lab.inventory), name if "/" in name else f"fathom.submariner.{name}", *map(str, arguments)]
    # Where the user stands: the journal and the reports begin there.
    done = subprocess.run(
        command, cwd=lab.dir, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500, check=False
    )
    assert "Traceback (most recent call last)" not in done.stdout, done.stdout
    assert "no hosts matched" not in done.stdout, done.stdout
    return done


def recap(done):
    """{host: {"ok": 3, "changed": 0, ...}} of a run."""
    return {
        host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}
        for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", done.stdout, flags=re.MULTILINE)
    }


class Watch:
    """Remembers where each cluster's audit log stood; then tells which writes of ours reached the API servers since."""

    def __init__(self, lab):
        self.lab = lab
        self.markers = {cluster.name: audit.marker(cluster.audit_log) for cluster in lab.clusters}

    def writes(self):
        return {cluster.name: audit.writes(cluster.audit_log, user="admin", since=self.markers[cluster.name]) for cluster in self.lab.clusters}

    def none(self):
        return all(not events for events in self.writes().values())


def submariner(cluster):
    return cluster.admin().get(f"/apis/submariner.io/v1alpha1/namespaces/{NAMESPACE}/submariners/submariner")


def secrets(lab):
    """Every text that must never be printed: the broker's token and the pre-shared key, plain and encoded."""
    found = {lab.broker_info.read_text().strip()}
    for cluster in lab.clusters:
        spec = submariner(cluster)["spec"]
        found |= {spec["brokerK8sApiServerToken"], spec["ceIPSecPSK"]}
    assert all(len(secret) > 15 for secret in found)
    return found


def pools(cluster):
    """{name: cidr} of all IPPools but the cluster's own."""
    items = cluster.admin().list("/apis/projectcalico.org/v3/ippools")
    found = {item["metadata"]["name"]: item["spec"]["cidr"] for item in items}
    assert found.pop("default-ipv4-ippool") == TRUTH[cluster.name][0], "the cluster's own pool must never be touched"
    return found


def endpoints(cluster):
    """{cluster id: subnets} as this cluster holds them."""
    items = cluster.admin().list(f"/apis/submariner.io/v1/namespaces/{NAMESPACE}/endpoints")
    return {item["spec"]["cluster_id"]: item["spec"]["subnets"] for item in items}


def connections(cluster):
    """{remote cluster id: (status, subnets)} of the active gateway."""
    found = {}
    for gateway in cluster.admin().list(f"/apis/submariner.io/v1/namespaces/{NAMESPACE}/gateways"):
        if gateway["status"]["haStatus"] == "active":
            for entry in gateway["status"].get("connections") or []:
                found[entry["endpoint"]["cluster_id"]] = (entry["status"], entry["endpoint"]["subnets"])
    return found


def environment_of(cluster, daemon_set):
    obj = cluster.admin().get(f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/{daemon_set}")
    return {entry["name"]: entry.get("value", "") for entry in obj["spec"]["template"]["spec"]["containers"][0]["env"]}


def assert_repaired(lab):
    """Both clusters are joined with their true CIDRs, and every part of both follows them."""
    for cluster in lab.clusters:
        pods, services = TRUTH[cluster.name]
        remote_pods, remote_services = TRUTH[OTHER[cluster.name]]
        found = submariner(cluster)
        assert (found["spec"]["clusterCIDR"], found["spec"]["serviceCIDR"]) == (pods, services)
        assert (found["status"]["clusterCIDR"], found["status"]["serviceCIDR"]) == (pods, services)
        for daemon_set in ("submariner-gateway", "submariner-routeagent"):
            assert environment_of(cluster, daemon_set)["SUBMARINER_CLUSTERCIDR"] == pods
        assert endpoints(cluster) == {cluster.name: [services, pods], OTHER[cluster.name]: [remote_services, remote_pods]}
        assert sorted(pools(cluster).values()) == sorted([remote_pods, remote_services])
        assert connections(cluster) == {OTHER[cluster.name]: ("connected", [remote_services, remote_pods])}
