# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What credentials may not read is unknown, never passed, and is no fault either."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from tests.lab import pki
from tests.lab.client import ApiError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("helm")]

LAYOUT = "helm"
# Field of the snapshot -> the resources that may not be listed.
WITHHELD = {
    "nodes": {"nodes"},
    "pods": {"pods"},
    "daemon_sets": {"daemonsets"},
    "ip_pools": {"ippools"},
    "installations": {"installations"},
    "gateways": {"gateways"},
    "submariners": {"submariners"},
}


def readable(client, withheld):
    """RBAC rules for reading everything that is served, pods' logs too, but some resources."""
    groups = {"": [each["name"] for each in client.get("/api/v1")["resources"]]}
    for group in client.get("/apis")["groups"]:
        served = client.get(f"/apis/{group['preferredVersion']['groupVersion']}")["resources"]
        groups.setdefault(group["name"], []).extend(each["name"] for each in served)
    rules = []
    for group, names in groups.items():
        allowed = sorted(each for each in set(names) if each.partition("/")[0] not in withheld or each == "pods/log")
        rules.append({"apiGroups": [group], "resources": allowed, "verbs": ["get", "list", "watch"]})
    return rules


@pytest.fixture(scope="module")
def lab(bench):
    with bench.planted(LAYOUT, LAYOUT) as running:
        yield running


@pytest.fixture
def kubeconfigs(lab):
    """Makes kubeconfigs of a user who may not read something; the rights go when the test ends."""
    made = []
    rbac = "/apis/rbac.authorization.k8s.io/v1"

    def make(field):
        paths = []
        for cluster in lab.clusters:
            client, name = cluster.client("planter"), f"reader-without-{field.replace('_', '-')}"
            role = {"metadata": {"name": name}, "rules": readable(client, WITHHELD[field])}
            binding = {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
            }
            client.create(f"{rbac}/clusterroles", role)
            client.create(f"{rbac}/clusterrolebindings", binding)
            made.extend((client, f"{rbac}/{kind}/{name}") for kind in ("clusterrolebindings", "clusterroles"))
            pki.issue(cluster.pki, name, name)
            path = cluster.dir / f"{name}.kubeconfig"
            pki.kubeconfig(path, cluster.pki, name, cluster.name, cluster.server)
            paths.append(path)
            await_right(cluster, name)
        return paths

    yield make
    for client, path in made:
        client.delete(path)


def await_right(cluster, name):
    """The API server's authorizer hears of a new role a moment later."""
    for _attempt in range(100):
        try:
            cluster.identity(name).get("/api/v1/namespaces")
            return
        except ApiError as error:
            assert error.status == 403
    raise AssertionError(f"{name} has no rights")


@pytest.mark.parametrize("field", WITHHELD)
def test_what_may_not_be_read_is_unknown(bench, lab, kubeconfigs, field):
    orders = [("diagnose", {"kubeconfig": str(path), "cluster": cluster.name}) for path, cluster in zip(kubeconfigs(field), lab.clusters)]
    needing = {each.id for each in CHECKS if field in each.needs}
    for diagnosis in bench.modules.run(*orders):
        failing = [each["id"] for each in diagnosis["findings"] if each["verdict"] == "fail" and each["severity"] in ("blocker", "error")]
        assert failing == []
        assert needing & set(diagnosis["passed"]) == set()
        unknown = [each for each in diagnosis["findings"] if each["verdict"] == "unknown"]
        assert unknown and any("forbidden" in each["missing"].lower() for each in unknown)
