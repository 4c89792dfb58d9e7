# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the deploy controller of RKE2's servers in an awake lab: it applies the files of ``manifests.py``.

Every (scaled) 15 s it applies those that are new or changed, and when a server starts all of them, changed or not: what was edited through the API
meanwhile is then as in the file again, and not before (k3s-io/k3s pkg/deploy/controller.go). A file is an Addon, which its objects name as their owner in
annotations (rancher/wrangler pkg/apply/desiredset_apply.go).
"""

from __future__ import annotations

import hashlib
import threading
import typing as t
from pathlib import Path

import yaml

from tests.lab import documents, manifests
from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.store import Store

Object = dict[str, t.Any]

ADDONS = "/apis/k3s.cattle.io/v1/namespaces/kube-system/addons"
OWNER = "objectset.rio.cattle.io"
INTERVAL_SECONDS = 15.0


class DeployController:
    name = "deploy-controller"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._store = Store(cluster, self.name)
        self._client = self._store.client
        self._times = self._files()
        self._life = manifests.restarts(cluster)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(self._lab.scaled(INTERVAL_SECONDS)):
            life, now = manifests.restarts(self._cluster), self._files()
            force = life != self._life
            done = [self._deploy(path, force) for path, changed in now.items() if force or self._times.get(path) != changed]
            if all(done):
                self._times, self._life = now, life

    def _files(self) -> dict[Path, int]:
        found = sorted(manifests.folder(self._cluster).glob("[!.]*.y*ml"))
        return {path: path.stat().st_mtime_ns for path in found}

    def _deploy(self, path: Path, force: bool) -> bool:
        """Applies one file; whether that is done with, which an API server that is away prevents."""
        content = path.read_text(encoding="utf-8")
        name, checksum = path.name.partition(".")[0], hashlib.sha256(content.encode()).hexdigest()
        try:
            addon = self._client.find(f"{ADDONS}/{name}")
            if not force and addon and addon["spec"].get("checksum") == checksum:
                return True
            for obj in documents.parse(content):
                self._apply(obj, name)
            spec = {"source": f"{manifests.SOURCE}/{path.name}", "checksum": checksum}
            if addon is None:
                self._client.create(ADDONS, {"apiVersion": "k3s.cattle.io/v1", "kind": "Addon", "metadata": {"name": name}, "spec": spec})
            elif addon["spec"] != spec:
                self._client.merge_patch(f"{ADDONS}/{name}", {"spec": spec})
        except yaml.YAMLError:
            return True
        except ApiError as error:
            return not (error.unreachable or error.conflict)
        return True

    def _apply(self, obj: Object, addon: str) -> None:
        marks = {"owner-gvk": "k3s.cattle.io/v1, Kind=Addon", "owner-name": addon, "owner-namespace": "kube-system", "id": ""}
        annotations = {**(obj["metadata"].get("annotations") or {}), **{f"{OWNER}/{key}": value for key, value in marks.items()}}
        labels = {**(obj["metadata"].get("labels") or {}), f"{OWNER}/hash": hashlib.sha1(addon.encode()).hexdigest()}
        path, resource = self._store.path_of(obj), self._store.resource_of(obj)
        current = self._store.find(path, resource)
        metadata = {**((current or obj)["metadata"]), "annotations": annotations, "labels": labels}
        wanted = {**(current or {}), **obj, "metadata": metadata}
        manager = {"fieldManager": f"deploy@{self._cluster.nodes[0].name}"}
        if current is None:
            self._client.request("POST", resource.collection(obj["metadata"].get("namespace", "")), wanted, manager)
        elif wanted != current:
            self._client.request("PUT", path, wanted, manager)
