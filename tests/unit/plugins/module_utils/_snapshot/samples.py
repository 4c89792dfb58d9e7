# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real objects of a real broken clusterset, where they lie beside the checkout."""

from __future__ import annotations

import json
import pathlib
import re
import tarfile

import pytest
import yaml

from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection

SAMPLES = pathlib.Path(__file__).resolve().parents[6] / "shared" / "samples" / "incident-001-broken"
CANARIES = ("CANARY", "Q0FOQVJZ", "LRGu4oj5IPKMtjZmS5FnaNEf2UrFQ14sgwNCMJ6mSgn2LNDjE0r", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t")
PATHS = {
    "nodes.yaml": "/api/v1/nodes",
    "daemonsets.apps.yaml": "/apis/apps/v1/daemonsets",
    "deployments.apps.yaml": "/apis/apps/v1/deployments",
    "servicecidrs.networking.k8s.io.yaml": "/apis/networking.k8s.io/v1/servicecidrs",
    "helmcharts.helm.cattle.io.yaml": "/apis/helm.cattle.io/v1/helmcharts",
    "ippools.projectcalico.org.yaml": "/apis/projectcalico.org/v3/ippools",
    "ippools.crd.projectcalico.org.yaml": "/apis/crd.projectcalico.org/v1/ippools",
    "installations.operator.tigera.io.yaml": "/apis/operator.tigera.io/v1/installations",
    "clusterinformations.crd.projectcalico.org.yaml": "/apis/crd.projectcalico.org/v1/clusterinformations",
    "apiservices.apiregistration.k8s.io.yaml": "/apis/apiregistration.k8s.io/v1/apiservices",
    "submariners.submariner.io.yaml": "/apis/submariner.io/v1alpha1/submariners",
    "endpoints.submariner.io.yaml": "/apis/submariner.io/v1/endpoints",
    "clusters.submariner.io.yaml": "/apis/submariner.io/v1/clusters",
    "gateways.submariner.io.yaml": "/apis/submariner.io/v1/gateways",
    "routeagents.submariner.io.yaml": "/apis/submariner.io/v1/routeagents",
    "brokers.submariner.io.yaml": "/apis/submariner.io/v1alpha1/brokers",
    "servicediscoveries.submariner.io.yaml": "/apis/submariner.io/v1alpha1/servicediscoveries",
    "serviceexports.multicluster.x-k8s.io.yaml": "/apis/multicluster.x-k8s.io/v1alpha1/serviceexports",
    "serviceimports.multicluster.x-k8s.io.yaml": "/apis/multicluster.x-k8s.io/v1alpha1/serviceimports",
    "namespaces.yaml": "/api/v1/namespaces",
    "helmchartconfigs.helm.cattle.io.yaml": "/apis/helm.cattle.io/v1/helmchartconfigs",
    "tigerastatuses.operator.tigera.io.yaml": "/apis/operator.tigera.io/v1/tigerastatuses",
    "apiservers.operator.tigera.io.yaml": "/apis/operator.tigera.io/v1/apiservers",
    "felixconfigurations.crd.projectcalico.org.yaml": "/apis/crd.projectcalico.org/v1/felixconfigurations",
}


def sample_connection(name):
    """A connection to sample cluster ``name``; the test is skipped where the samples are not there."""
    folder = SAMPLES / name
    if not folder.is_dir():
        pytest.skip(f"no samples at {SAMPLES}")
    lists = {"/api/v1/configmaps": [], "/api/v1/namespaces/kube-system/configmaps": []}
    with tarfile.open(folder / "resources.tar.gz") as archive:
        for file_name, path in PATHS.items():
            lists[path] = yaml.load(archive.extractfile(f"resources/{file_name}"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["items"]
    logs = {}
    with tarfile.open(folder / "cluster-info-dump.tar.gz") as archive:
        for kind in ("pods", "services"):
            names = [name for name in archive.getnames() if name.endswith(f"/{kind}.json")]
            lists[f"/api/v1/{kind}"] = [item for name in names for item in json.load(archive.extractfile(name))["items"] or []]
        for name in archive.getnames():
            _root, namespace, *rest = (*name.split("/"), "")
            if rest[-2:-1] == ["events.json"]:
                lists[f"/api/v1/namespaces/{namespace}/events"] = json.load(archive.extractfile(name))["items"] or []
            if rest[-2:-1] == ["logs.txt"]:
                text = archive.extractfile(name).read().decode()
                logs[f"/api/v1/namespaces/{namespace}/pods/{rest[0]}/log"] = re.sub(r"^====.*====\n", "", text, flags=re.MULTILINE)
    return FakeConnection(lists, version="v1.36.1+rke2r1", logs=logs)
