# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for what makes pods of a probe's Job on a cluster at rest: Job controller, scheduler, kubelet, garbage collector and namespace controller."""

from __future__ import annotations

import base64
import contextlib
import threading
import typing as t
from pathlib import Path

from tests.lab.client import ApiError

JOBS = "/apis/batch/v1/jobs"
SELECTOR = "app.kubernetes.io/managed-by=fathom.submariner,app.kubernetes.io/name=node-probe"
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


class ProbePods:
    """Runs from ``with`` on, in a thread.

    :param answer: called with the node's name and the folder that has the ConfigMap's files; returns the pod's log and its status.
    :ivar pods: all pods that were made, as they were.
    """

    def __init__(self, cluster, folder: Path, answer: t.Callable[[str, Path], tuple[str, dict]]) -> None:
        self._cluster = cluster
        self._client = cluster.client("planter")
        self._folder = folder
        self._answer = answer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._served: set[str] = set()
        self.jobs: list[dict] = []
        self.pods: list[dict] = []
        self.trouble: list[BaseException] = []

    def __enter__(self) -> ProbePods:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(60)
        self._tidy()
        assert not self.trouble, self.trouble

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            try:
                for job in self._client.list(JOBS, labelSelector=SELECTOR):
                    if job["metadata"]["uid"] not in self._served:
                        self._serve(job)
                self._tidy()
            except ApiError as error:
                if error.status not in (404, 409):
                    self.trouble.append(error)
                    return
            except Exception as error:  # told by the test's own thread
                self.trouble.append(error)
                return

    def _serve(self, job: dict) -> None:
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        contents = self._client.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")["binaryData"]
        self._served.add(job["metadata"]["uid"])
        self.jobs.append(job)
        folder = self._folder / job["metadata"]["uid"]
        folder.mkdir()
        for file, text in contents.items():
            (folder / file).write_bytes(base64.b64decode(text))
        with contextlib.suppress(ApiError):
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            self._client.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
        template = job["spec"]["template"]
        terms = template["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        nodes = [term["matchFields"][0]["values"][0] for term in terms]
        threads = [threading.Thread(target=self._pod, args=(job, node, number, folder)) for number, node in enumerate(nodes)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _pod(self, job: dict, node: str, number: int, folder: Path) -> None:
        namespace, name = job["metadata"]["namespace"], f"{job['metadata']['name']}-{number}-x"
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": True}
        template = job["spec"]["template"]
        metadata = {"name": name, "namespace": namespace, "labels": template["metadata"]["labels"], "ownerReferences": [owner]}
        path = f"/api/v1/namespaces/{namespace}/pods"
        try:
            spec = {**template["spec"], "nodeName": node}
            made = self._client.create(path, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
            self.pods.append(made)
            log, status = self._answer(node, folder)
            self._cluster.pod_log(namespace, name, "probe").write_text(log, encoding="utf-8")
            self._client.request("PATCH", f"{path}/{name}/status", {"status": status}, content_type="application/merge-patch+json")
        except Exception as error:  # told by the test's own thread
            self.trouble.append(error)

    def _tidy(self) -> None:
        """What goes with its owner, or with its namespace."""
        there = {job["metadata"]["uid"] for job in self._client.list(JOBS, labelSelector=SELECTOR)}
        for pod in self._client.list("/api/v1/pods", labelSelector=SELECTOR):
            if not any(owner["uid"] in there for owner in pod["metadata"].get("ownerReferences", [])):
                with contextlib.suppress(ApiError):
                    self._client.delete(f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}", gracePeriodSeconds=0)
        for space in self._client.list("/api/v1/namespaces", labelSelector=SELECTOR):
            if space["metadata"].get("deletionTimestamp"):
                with contextlib.suppress(ApiError):
                    self._client.delete(f"/api/v1/namespaces/{space['metadata']['name']}/serviceaccounts/default")
                with contextlib.suppress(ApiError):
                    body = {**space, "spec": {"finalizers": []}}
                    self._client.request("PUT", f"/api/v1/namespaces/{space['metadata']['name']}/finalize", body)
