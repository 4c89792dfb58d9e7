# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants a layout: definitions, objects with their statuses, logs; then starts its stand-ins."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
import typing as t

from tests.lab import definitions, resting, settling
from tests.lab.client import ApiError, Client, Object
from tests.lab.conditions import Condition
from tests.lab.info import LabError, LabInfo
from tests.lab.layout import Layout
from tests.lab.resting import Resting
from tests.lab.store import MANAGER, Store, describe
from tests.lab.templates import fill

APPLY_SECONDS = 120.0
POLL_SECONDS = 0.05
AT_ONCE = 4
# Kinds that own others come before these; what is not named owns nothing.
RANKS = {
    "Namespace": 0,
    "Node": 0,
    "Submariner": 1,
    "Installation": 1,
    "APIServer": 1,
    "ServiceDiscovery": 2,
    "DaemonSet": 3,
    "Deployment": 3,
    "ReplicaSet": 4,
    "Pod": 5,
}
CALICO_API_SERVER = "calico-api-server"
API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org"

Say = t.Callable[[str], None]


def plant_layout(lab: LabInfo, layout: Layout, say: Say) -> LabInfo:
    """Returns when all is planted and the aggregated APIs answer. Raises LabError that names the object."""
    began = time.monotonic()
    prepared = prepare(layout, lab)
    planned = resting.objects(prepared)
    with concurrent.futures.ThreadPoolExecutor(len(prepared)) as pool:
        for done in [pool.submit(_plant_cluster, layout, each, planned[each.cluster.name]) for each in prepared]:
            done.result()
    lab = dataclasses.replace(lab, layout=layout.name, stand_ins=tuple(each for each in layout.stand_ins if each not in lab.without))
    lab.save()
    if CALICO_API_SERVER in lab.stand_ins:
        for cluster in lab.clusters:
            settling.wait_for(lab, Condition(cluster.name, "the Calico API server is available", API_SERVICE, {"status.conditions.0.status": "True"}))
    count = sum(map(len, planned.values()))
    say(f"layout {layout.name}: {count} objects planted in {time.monotonic() - began:.1f} s")
    return lab


def prepare(layout: Layout, lab: LabInfo) -> list[Resting]:
    """The layout's clusters as they are about to be planted, or were."""
    return [resting.prepare(layout, lab, each) for each in lab.clusters]


def write_logs(layout: Layout, prepared: Resting, pods: t.Iterable[Object]) -> None:
    """What the containers of pods have logged, for those of which the layout tells it."""
    for pod in pods:
        metadata, spec = pod["metadata"], pod["spec"]
        for container in spec["containers"]:
            template = layout.log(metadata["namespace"], container["name"])
            if template is not None:
                values = prepared.values | {"pod": metadata["name"], "node": spec["nodeName"], "pod_ip": pod["status"]["podIP"]}
                path = prepared.cluster.pod_log(metadata["namespace"], metadata["name"], container["name"])
                path.write_text(fill(template.read_text(encoding="utf-8"), values, template), encoding="utf-8")


def _plant_cluster(layout: Layout, prepared: Resting, objects: list[Object]) -> None:
    store = Store(prepared.cluster)
    wanted = definitions.load(layout.crds, f"layout {layout.name}")
    _ready(store.client)
    _side_by_side([lambda each=each: store.client.apply(each) for each in wanted])
    deadline = time.monotonic() + APPLY_SECONDS
    while not all(map(definitions.is_established, store.client.list(definitions.CRD_PATH))):
        if time.monotonic() > deadline:
            raise LabError(f"{prepared.cluster.name}: not all CustomResourceDefinitions are established after {APPLY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    for each in wanted:
        _served(store, each)
    uids: dict[tuple[str, str, str], str] = {}
    for batch in _batches(objects):
        for done in _side_by_side([lambda each=each: _plant(store, each, uids) for each in batch]):
            metadata = done["metadata"]
            uids[done["kind"], metadata.get("namespace", ""), metadata["name"]] = metadata["uid"]
    write_logs(layout, prepared, [each for each in objects if each["kind"] == "Pod"])


def _batches(objects: list[Object]) -> list[list[Object]]:
    """Owners come before what they own: what owns nothing, and is owned by nothing that comes later, first."""
    found: dict[int, list[Object]] = {}
    for each in objects:
        found.setdefault(rank(each), []).append(each)
    return [found[each] for each in sorted(found)]


def rank(obj: Object) -> int:
    """Objects of a lower rank come first."""
    return RANKS.get(obj["kind"], len(RANKS))


def _side_by_side(work: list[t.Callable[[], Object]]) -> list[Object]:
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return [done.result() for done in [pool.submit(each) for each in work]]


def _plant(store: Store, obj: Object, uids: t.Mapping[tuple[str, str, str], str]) -> Object:
    manager = str(obj.pop("manager", MANAGER))
    place = obj["metadata"].get("namespace", "")
    for owner in obj["metadata"].get("ownerReferences") or ():
        owner["uid"] = owner.get("uid") or uids.get((owner["kind"], place, owner["name"])) or uids.get((owner["kind"], "", owner["name"])) or ""
    try:
        return store.plant(obj, manager)
    except ApiError as error:
        raise LabError(f"{store.cluster.name} does not take {describe(obj)}: {error}") from error


def _ready(client: Client) -> None:
    """The API server makes its own namespaces a moment after it is ready."""
    deadline = time.monotonic() + APPLY_SECONDS
    while client.find("/api/v1/namespaces/kube-system") is None or client.find("/api/v1/namespaces/default") is None:
        if time.monotonic() > deadline:
            raise LabError(f"{client.server} has no namespace kube-system after {APPLY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _served(store: Store, definition: Object) -> None:
    """A CRD is served a moment after it is established."""
    spec = definition["spec"]
    deadline = time.monotonic() + APPLY_SECONDS
    while store.client.find(f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}?limit=1") is None:
        if time.monotonic() > deadline:
            raise LabError(f"{store.cluster.name} does not serve {definition['metadata']['name']} after {APPLY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
