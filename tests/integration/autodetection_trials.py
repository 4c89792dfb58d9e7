# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the autodetection on layouts at rest share: what is planted, and trying it."""

from __future__ import annotations

import contextlib
import dataclasses
import time

import yaml

from tests.integration.pools_and_records import Trial, without_state
from tests.lab import changes, incident as incidents
from tests.lab.client import ApiError

INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
CONFIG = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs/rke2-calico"
DAEMON_SET = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
FIELD = "nodeAddressAutodetectionV4"
VARIABLE = "IP_AUTODETECTION_METHOD"
FILE = "/var/lib/rancher/rke2/server/manifests/rke2-calico-config.yaml"

FIRST_FOUND = {
    "cluster": "cluster-1",
    "patch": {"kind": "Installation", "name": "default"},
    "json": [
        {"op": "replace", "path": f"/spec/calicoNetwork/{FIELD}", "value": {"firstFound": True}},
        {"op": "replace", "path": f"/status/computed/calicoNetwork/{FIELD}", "value": {"firstFound": True}},
    ],
}
VALUES = """\
# of our site
installation:
    calicoNetwork:   # see the wiki
        nodeAddressAutodetectionV4: {firstFound: true}
registry:
    password: hunter2
"""


def values(text, **annotations):
    return {
        "cluster": "cluster-1",
        "patch": {"kind": "HelmChartConfig", "namespace": "kube-system", "name": "rke2-calico"},
        "merge": {"metadata": {"annotations": annotations or None}, "spec": {"valuesContent": text}},
    }


OF_FILE = {
    "objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon",
    "objectset.rio.cattle.io/owner-name": "rke2-calico-config",
    "objectset.rio.cattle.io/owner-namespace": "kube-system",
}
ADDON_KIND = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "addons.k3s.cattle.io"},
    "spec": {
        "group": "k3s.cattle.io",
        "names": {"kind": "Addon", "plural": "addons", "singular": "addon", "listKind": "AddonList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
ADDON = {
    "apiVersion": "k3s.cattle.io/v1",
    "kind": "Addon",
    "metadata": {"name": "rke2-calico-config", "namespace": "kube-system"},
    "spec": {"source": FILE, "checksum": "0" * 64},
}


def without_method(layout):
    """calico-node's default: the variable is absent."""
    return {
        "cluster": "cluster-1",
        "patch": {"kind": "DaemonSet", "namespace": "kube-system", "name": "calico-node"},
        "json": [{"op": "remove", "path": f"/spec/template/spec/containers/0/env/{number_of_variable(layout)}"}],
    }


def number_of_variable(layout):
    folder = incidents.load(layout).layout.dir
    objects = [each for each in yaml.safe_load_all((folder / "objects/10-calico.yaml").read_text(encoding="utf-8")) if each and each["kind"] == "DaemonSet"]
    names = [each["name"] for each in objects[0]["spec"]["template"]["spec"]["containers"][0]["env"]]
    return names.index(VARIABLE)


@contextlib.contextmanager
def planting(bench):
    """A function that plants changes on a layout, and gives cluster-1 and a trial on it that waits for nobody."""
    with contextlib.ExitStack() as stack:

        def plant(layout, *made, **options):
            lab = stack.enter_context(bench.planted(layout, layout))
            stack.enter_context(without_state(*lab.clusters))
            stack.enter_context(changes.planted(lab, dataclasses.replace(incidents.load(layout), changes=made)))
            cluster = lab.cluster("cluster-1")
            return cluster, trial(bench, cluster, **options)

        yield plant


def trial(bench, cluster, **options):
    return Trial(bench, cluster, "calico_autodetection", **{"wait": False, "allow_disruption": True, **options})


def left_alone(planted, layout):
    """A good method needs neither a write nor consent, and nobody's help."""
    _cluster, healthy = planted(layout)
    result, written = healthy.writes(wait=True, allow_disruption=False)
    assert (result.get("failed"), result["changed"], result["lines"], result["needs_person"], written) == (None, False, [], [], []), result


def method(cluster):
    return cluster.admin().get(INSTALLATION)["spec"]["calicoNetwork"][FIELD]


def variables(cluster):
    env = cluster.admin().get(DAEMON_SET)["spec"]["template"]["spec"]["containers"][0]["env"]
    return {entry["name"]: entry.get("value") for entry in env}


def _once_served(admin, obj):
    """A CRD is served some moments after it was made."""
    until = time.monotonic() + 60
    while True:
        try:
            return admin.apply(obj)
        except ApiError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def of_file(cluster):
    admin = cluster.admin()
    admin.apply(ADDON_KIND)
    try:
        _once_served(admin, ADDON)
        yield
    finally:
        admin.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{ADDON_KIND['metadata']['name']}")
