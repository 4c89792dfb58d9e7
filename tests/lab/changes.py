# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants the changes of an incident in a running lab of its layout, and takes them back by restoring what was. ::

    with changes.planted(lab, incidents.load("000-rke2-no-api-server")) as lab:
        ...

A change never goes through an operator or a controller: what these would have made of it belongs into the incident, too. The API server's own
controllers do run (an APIService becomes unavailable, a CRD is served), and ``settled`` waits for them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as t
from pathlib import Path

import yaml

from tests.lab import documents, layout_planting, resting, settling
from tests.lab.client import ApiError, Object
from tests.lab.incident import Incident
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.layout import Layout
from tests.lab.merging import PatchError, merged, patched
from tests.lab.resting import Resting
from tests.lab.store import MANAGER, Resource, Store, describe, plain
from tests.lab.templates import Values, fill, fill_tree

EVERYWHERE = "*"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
TOUCHED = "lab.fathom.submariner/touched"
SETTLE_SECONDS = 60.0
ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.1


class NotRestored(LabError):
    """The lab is not as it was before an incident: what comes next needs a fresh one."""


@contextlib.contextmanager
def planted(lab: LabInfo, incident: Incident) -> t.Iterator[LabInfo]:
    """The lab with an incident; afterwards as it was before. Raises LabError that names file and entry, and NotRestored."""
    journal = Journal(lab)
    try:
        _apply(lab, incident, journal)
        yield LabInfo.load(lab.dir)
    finally:
        journal.undo()


def apply(lab: LabInfo, incident: Incident) -> None:
    """Plants an incident for good. A failure leaves the lab as it was."""
    journal = Journal(lab)
    try:
        _apply(lab, incident, journal)
    except BaseException:
        journal.undo()
        raise


class Journal:
    """What was, before an incident was planted."""

    def __init__(self, lab: LabInfo) -> None:
        self.lab = lab
        self._stopped = lab.stopped
        self.stores = {each.name: Store(each) for each in lab.clusters}
        self._before: dict[tuple[str, str], tuple[Resource, Object | None]] = {}
        self._logs: dict[Path, str | None] = {}
        self._made: set[str] = set()
        self._availability = {name: availability(store) for name, store in self.stores.items()}

    def remember(self, cluster: str, path: str, resource: Resource, before: Object | None) -> None:
        """What an object was, unless an earlier change has told."""
        self._before.setdefault((cluster, path), (resource, before))

    def made(self, obj: Object) -> None:
        """An object that the incident made. At its path another one may show afterwards: that of an aggregated API which a CRD had replaced."""
        self._made.add(obj["metadata"]["uid"])

    def write_log(self, path: Path, text: str) -> None:
        self._logs.setdefault(path, path.read_text(encoding="utf-8") if path.exists() else None)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def undo(self) -> None:
        """Restores everything. Raises NotRestored that lists what is not as it was."""
        try:
            self._restore()
        except (ApiError, LabError, OSError) as error:
            raise NotRestored(f"the lab in {self.lab.dir} cannot be brought back to what it was: {error}") from error
        wrong = [path for (cluster, path), (resource, before) in self._before.items() if not self._is_back(cluster, path, resource, before)]
        if wrong:
            raise NotRestored(f"the lab in {self.lab.dir} is not as it was before: {', '.join(wrong)}")

    def _restore(self) -> None:
        for (cluster, path), (resource, before) in reversed(self._before.items()):
            store = self.stores[cluster]
            if before is None:
                store.remove(path, resource)
            else:
                store.write(before)
        for path, text in self._logs.items():
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text, encoding="utf-8")
        if LabInfo.load(self.lab.dir).stopped != self._stopped:
            set_stopped(self.lab, self._stopped)
        for name, store in self.stores.items():
            await_availability(store, self._availability[name])

    def _is_back(self, cluster: str, path: str, resource: Resource, before: Object | None) -> bool:
        now = self.stores[cluster].find(path, resource)
        if before is None or now is None:
            return now is None or (before is None and now["metadata"]["uid"] not in self._made)
        return comparable(now) == comparable(before)


def _apply(lab: LabInfo, incident: Incident, journal: Journal) -> None:
    layout = t.cast(Layout, incident.layout)
    planted_clusters = layout_planting.prepare(layout, lab)
    # Deals out addresses as when the layout was planted, so that what the incident adds gets others.
    resting.objects(planted_clusters)
    prepared = {each.cluster.name: each for each in planted_clusters}
    for number, change in enumerate(incident.changes, start=1):
        for cluster in _clusters(lab, change["cluster"], incident):
            where = f"{incident.file}: change {number} on {cluster.name}"
            try:
                _Change(incident, layout, prepared[cluster.name], journal, where).make(change)
            except (ApiError, PatchError, LabError, OSError, yaml.YAMLError) as error:
                raise error if where in str(error) else LabError(f"{where} cannot be made: {error}") from error
    _write_logs(incident, prepared, journal)
    for condition in incident.settled:
        values = prepared[condition.cluster].values
        settling.wait_for(lab, dataclasses.replace(condition, path=fill(condition.path, values, incident.file)))


class _Change:
    """One entry of ``changes`` on one cluster."""

    def __init__(self, incident: Incident, layout: Layout, prepared: Resting, journal: Journal, where: str) -> None:
        self._incident = incident
        self._layout = layout
        self._prepared = prepared
        self._journal = journal
        self._where = where
        self._values: Values = prepared.values | {"incident_dir": str(incident.dir)}
        self._cluster = prepared.cluster.name
        self._store = journal.stores[self._cluster]

    def make(self, change: Object) -> None:
        change = fill_tree(change, self._values, self._where)
        manager = str(change.get("manager", MANAGER))
        if "patch" in change:
            for path, resource, before in self._targets(change["patch"]):
                after = merged(before, change["merge"]) if "merge" in change else patched(before, change["json"])
                self._journal.remember(self._cluster, path, resource, before)
                self._store.write(after, manager)
        elif "delete" in change:
            for path, resource, before in self._targets(change["delete"]):
                self._journal.remember(self._cluster, path, resource, before)
                if resource.plural == "namespaces":
                    self._store.delete(path)  # it stays Terminating, as nobody finalizes it
                else:
                    self._store.remove(path, resource)
        elif "create" in change:
            self._create(self._given(change["create"]), manager)
        else:
            _stop(self._journal, self._prepared.cluster, change["stop"])

    def _targets(self, target: Object) -> list[tuple[str, Resource, Object]]:
        """Path, resource and present state of the objects that a target names. Raises LabError when there is none."""
        resource = self._store.resource(target["kind"], target.get("apiVersion", ""))
        place = target.get("namespace", "")
        if "selector" in target:
            listed = self._store.client.list(resource.collection(place), labelSelector=target["selector"])
            names = [(each["metadata"]["name"], each["metadata"].get("namespace", "")) for each in listed]
        else:
            names = [(target["name"], place)]
        found = []
        for name, namespace in names:
            path = resource.path(name, namespace)
            before = self._store.find(path, resource)
            if before is not None:
                found.append((path, resource, before))
        if not found:
            raise LabError(f"{self._cluster} has no {target['kind']} {place + '/' if place else ''}{target.get('name') or target['selector']}")
        return found

    def _given(self, content: Object | str) -> list[Object]:
        if isinstance(content, dict):
            return [content]
        path = self._incident.dir / content
        return documents.parse(fill(path.read_text(encoding="utf-8"), self._values, path))

    def _create(self, given: list[Object], manager: str) -> None:
        """New objects, with what controllers and kubelets would have made of them."""
        made = self._prepared.machinery.complete(given)
        uids: dict[tuple[str, str], str] = {}
        for obj in made:
            path, resource = self._store.path_of(obj), self._store.resource_of(obj)
            if self._store.find(path, resource) is not None:
                raise LabError(f"{self._cluster} has {describe(obj)} already: patch it")
            for owner in obj["metadata"].get("ownerReferences") or ():
                owner["uid"] = owner.get("uid") or uids.get((owner["kind"], owner["name"])) or self._uid(owner)
            self._journal.remember(self._cluster, path, resource, None)
            written = self._store.write(obj, manager)
            self._journal.made(written)
            uids[obj["kind"], obj["metadata"]["name"]] = written["metadata"]["uid"]
        layout_planting.write_logs(self._layout, self._prepared, [each for each in made if each["kind"] == "Pod"])

    def _uid(self, owner: Object) -> str:
        """Of an owner that is cluster-scoped, as a static pod's node."""
        resource = self._store.resource(owner["kind"], owner["apiVersion"])
        found = self._store.find(resource.path(owner["name"]), resource)
        return found["metadata"]["uid"] if found else ""


def _clusters(lab: LabInfo, name: str, incident: Incident) -> list[ClusterInfo]:
    try:
        return list(lab.clusters) if name == EVERYWHERE else [lab.cluster(name)]
    except LabError as error:
        raise LabError(f"{incident.file}: {error}") from None


def _stop(journal: Journal, cluster: ClusterInfo, name: str) -> None:
    lab = LabInfo.load(journal.lab.dir)
    if name not in lab.stand_ins:
        raise LabError(f"no stand-in {name!r} runs; running are: {', '.join(lab.stand_ins)}")
    set_stopped(lab, (*lab.stopped, f"{cluster.name}/{name}"))
    _touch(journal.stores[cluster.name])


def set_stopped(lab: LabInfo, stopped: tuple[str, ...]) -> None:
    lab = dataclasses.replace(LabInfo.load(lab.dir), stopped=stopped)
    lab.save()
    settling.wait_for_stand_ins(lab)


def _write_logs(incident: Incident, prepared: t.Mapping[str, Resting], journal: Journal) -> None:
    for cluster, logs in incident.logs.items():
        for name, text in logs.items():
            values = prepared[cluster].values
            parts = fill(name, values, incident.file).split("/")
            if len(parts) != 3:
                raise LabError(f"{incident.file}: a log is called NAMESPACE/POD/CONTAINER, not {name!r}")
            journal.write_log(prepared[cluster].cluster.pod_log(*parts), fill(text, values, incident.file))
    for path in sorted((incident.dir / "logs").glob("*/*/*/*.log")):
        cluster, namespace, pod, container = path.relative_to(incident.dir / "logs").with_suffix("").parts
        values = prepared[cluster].values
        text = fill(path.read_text(encoding="utf-8"), values, path)
        journal.write_log(prepared[cluster].cluster.pod_log(namespace, fill(pod, values, path), container), text)


def aggregated(store: Store) -> list[Object]:
    return [each for each in store.client.list(API_SERVICES) if each["spec"].get("service")]


def _touch(store: Store) -> None:
    """Makes the API server look at its aggregated APIs again at once: a change of an APIService does (kube-aggregator pkg/controllers/status)."""
    for each in aggregated(store):
        patch = {"metadata": {"annotations": {TOUCHED: str(time.time())}}}
        store.client.merge_patch(f"{API_SERVICES}/{each['metadata']['name']}", patch)


def availability(store: Store) -> dict[str, str]:
    """Status of condition Available by APIService."""
    return available_in(aggregated(store))


def available_in(api_services: t.Iterable[Object]) -> dict[str, str]:
    """The same of given APIServices; of those that the API server serves itself nothing."""
    return {each["metadata"]["name"]: _available(each) for each in api_services if each["spec"].get("service")}


def _available(api_service: Object) -> str:
    conditions = api_service.get("status", {}).get("conditions") or []
    return next((each["status"] for each in conditions if each["type"] == "Available"), "")


def await_availability(store: Store, wanted: dict[str, str]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    touched = 0.0
    while (now := availability(store)) != wanted:
        if time.monotonic() > deadline:
            raise LabError(f"{store.cluster.name}: after {SETTLE_SECONDS:.0f} s its aggregated APIs are {now}, before the incident they were {wanted}")
        if time.monotonic() - touched > 2:
            touched = time.monotonic()
            _touch(store)
        time.sleep(POLL_SECONDS)


def await_answers(store: Store) -> None:
    """Until whoever serves an aggregated API that counts as available listens: the condition is that of the one before for a while.

    One that does not after all, as an incident may have it, is no reason to stop.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    for each in aggregated(store):
        while _available(each) == "True" and time.monotonic() < deadline:
            with contextlib.suppress(ApiError):
                store.client.get(f"/apis/{each['spec']['group']}/{each['spec']['version']}")
                break
            time.sleep(POLL_SECONDS)


def comparable(obj: Object) -> Object:
    """An object without what the API server's own controllers put on it."""
    made = plain(obj)
    annotations = {key: value for key, value in (made["metadata"].pop("annotations", None) or {}).items() if key != TOUCHED}
    if annotations:
        made["metadata"]["annotations"] = annotations
    if obj["kind"] in ("APIService", "CustomResourceDefinition"):
        made.pop("status", None)
    owners = made["metadata"].get("ownerReferences")
    if owners:
        made["metadata"]["ownerReferences"] = [{key: value for key, value in each.items() if key != "uid"} for each in owners]
    return made
