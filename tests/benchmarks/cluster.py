# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real API server (etcd and kube-apiserver of the lab, nothing else) that holds a large cluster."""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
import typing as t
from pathlib import Path

from tests.benchmarks import objects
from tests.lab import definitions, lab as labs, nodes as nodes_of_lab
from tests.lab.incident import Incident
from tests.lab.info import ClusterInfo
from tests.lab.specs import cluster_spec
from tests.lab.store import Store

AT_ONCE = 8
ESTABLISHED_SECONDS = 60.0

Say = t.Callable[[str], None]


@contextlib.contextmanager
def large_cluster(directory: Path, nodes: int, say: Say) -> t.Iterator[ClusterInfo]:
    """The cluster, for as long as the context lasts."""
    spec = cluster_spec(
        {
            "name": "large",
            "pod_cidr": objects.POD_CIDR,
            "service_cidr": objects.SERVICE_CIDR,
            "kubernetes_version": "v1.31.4+rke2r1",
            "submariner_version": "0.19.0",
            "at_rest": True,
        }
    )
    lab = labs.start(labs.Options(dir=directory, incident=Incident("benchmark", Path(__file__).parent, "a large cluster", (spec,))), say)
    try:
        cluster = lab.info.cluster("large")
        began = time.monotonic()
        loaded = load(cluster, nodes)
        say(f"{loaded:,} objects loaded in {time.monotonic() - began:.0f} s: {objects.count(nodes)}")
        yield cluster
    finally:
        lab.stop()


def load(cluster: ClusterInfo, nodes: int) -> int:
    """Writes all objects through the API; returns how many."""
    store = Store(cluster)
    for definition in definitions.load(objects.CRDS, "the benchmark"):
        store.client.apply(definition)
    deadline = time.monotonic() + ESTABLISHED_SECONDS
    while not all(map(definitions.is_established, store.client.list(definitions.CRD_PATH))):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all CustomResourceDefinitions are established after {ESTABLISHED_SECONDS:.0f} s")
        time.sleep(0.1)
    loaded = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for batch in objects.cluster_objects(nodes):
            # The lab's kubelet stand-in answers for all nodes, so that logs can be asked for.
            planted = [nodes_of_lab.as_registered(obj, cluster) if obj["kind"] == "Node" else obj for obj in batch]
            loaded += len(list(pool.map(store.plant, planted)))
    return loaded
