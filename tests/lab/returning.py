# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an awake lab is what it was when it was roused, whatever somebody has done and undone since.

Compared is what somebody decided: specs, data, labels, annotations; not what only follows from it: statuses; pods, which have other names every time;
and what controllers keep or count of the past.
"""

from __future__ import annotations

import concurrent.futures
import json
import time
import typing as t

from tests.lab import image, woken
from tests.lab.changes import comparable
from tests.lab.client import Object
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.store import OWN_METADATA, Store

PATIENCE = 240.0
POLL_SECONDS = 0.2
FOLLOWING = ("Pod", "ReplicaSet", "Lease", "Event", "Job")
# Counters, and what each calico-node and each route agent finds out about its node when it starts.
NOTED = (
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "projectcalico.org/IPv4Address",
    "projectcalico.org/IPv4VXLANTunnelAddr",
    "submariner.io/cniIfaceIp",
)
# Where Calico keeps the metadata of an object of projectcalico.org/v3, its uid among it.
KEPT_METADATA = "projectcalico.org/metadata"
# Submariner's operator makes these where they are missing; layouts go without.
OF_SUBMARINERS_OPERATOR = tuple(f"/namespaces/submariner-operator/{each}" for each in ("serviceaccounts/submariner-", "services/submariner-operator-metrics"))
API_SERVER_SPACE = "/namespaces/calico-apiserver/"
MANAGED_BY = "app.kubernetes.io/managed-by"


def await_return(lab: LabInfo, but: t.Collection[str] = ()) -> None:
    """Waits for the controllers, and fails with what is not as it was.

    :param but: objects that are expected to differ: names, or cluster and path with a space between them.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        with concurrent.futures.ThreadPoolExecutor(len(lab.clusters)) as pool:
            told = [each for found in pool.map(lambda cluster: departures(cluster, lab.reactors, but), lab.clusters) for each in found]
        if not told:
            return
        assert time.monotonic() < deadline, f"not as it was after {PATIENCE:.0f} s:\n" + "\n".join(told)
        time.sleep(POLL_SECONDS)


def departures(cluster: ClusterInfo, reactors: tuple[str, ...], but: t.Collection[str] = ()) -> list[str]:
    """What of a cluster is not as it was when it was roused, an object a line."""
    before = {path: _decided(each) for path, each in woken.woken(cluster).items() if each["kind"] not in FOLLOWING}
    now = {path: _decided(each) for path, each in image.take(Store(cluster)).items() if each["kind"] not in FOLLOWING and not _is_state(each)}
    paths = sorted(path for path in {*before, *now} if before.get(path) != now.get(path) and not {path.rpartition("/")[2], f"{cluster.name} {path}"} & set(but))
    paths = [each for each in paths if each in before or not any(made in each for made in OF_SUBMARINERS_OPERATOR)]
    if "tigera-operator" in reactors:
        # The operator takes away all that it made for an APIServer; an incident in which it never was may have left some of it.
        paths = [each for each in paths if each in now or API_SERVER_SPACE not in f"{each}/"]
    return [f"{cluster.name} {path}: was {_text(before.get(path))}, is {_text(now.get(path))}" for path in paths]


def _is_state(obj: Object) -> bool:
    """The journal of a run."""
    return (obj["metadata"].get("labels") or {}).get(MANAGED_BY) == "fathom.submariner"


def _decided(obj: Object) -> Object:
    plain = {key: value for key, value in comparable(obj).items() if key != "status"}
    annotations = {key: value for key, value in (plain["metadata"].get("annotations") or {}).items() if key not in NOTED}
    if KEPT_METADATA in annotations:
        kept = json.loads(annotations[KEPT_METADATA])
        annotations[KEPT_METADATA] = json.dumps({key: value for key, value in kept.items() if key not in OWN_METADATA}, sort_keys=True)
    metadata = {key: value for key, value in plain["metadata"].items() if key != "annotations"}
    decided = {**plain, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}
    if obj["kind"] == "Node" and decided.get("spec", {}).get("taints"):
        # Those of Kubernetes' own follow from the node's conditions.
        taints = [each for each in decided["spec"]["taints"] if not each["key"].startswith("node.kubernetes.io/")]
        decided["spec"] = {**{key: value for key, value in decided["spec"].items() if key != "taints"}, **({"taints": taints} if taints else {})}
    return decided


def _text(obj: Object | None) -> str:
    return "not there" if obj is None else json.dumps(obj, sort_keys=True)[:1500]
