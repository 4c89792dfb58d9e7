# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for RKE2's helm-controller of an awake lab, for chart rke2-calico.

A change of HelmChart or HelmChartConfig runs Job ``helm-install-rke2-calico`` anew (k3s-io/helm-controller pkg/controllers/chart/chart.go), which
upgrades the release: ``_rke2_chart.py`` tells to what. Nothing else does: an Installation that is edited by hand stays so until then. An APIServer that is
not Helm's makes the Job fail (helm pkg/action/validate.go checkOwnership), as does content that is no YAML.
"""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

from tests.lab import woken
from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _rke2_chart as chart
from tests.lab.standins._kubelet_status import stamp
from tests.lab.standins._loop import Loop
from tests.lab.standins._tigera_view import API_SERVERS, INSTALLATIONS

Object = dict[str, t.Any]

NAMESPACE = "/apis/helm.cattle.io/v1/namespaces/kube-system"
CHARTS, CONFIGS = f"{NAMESPACE}/helmcharts", f"{NAMESPACE}/helmchartconfigs"
CHART, CONFIG = f"{CHARTS}/{chart.RELEASE}", f"{CONFIGS}/{chart.RELEASE}"
JOBS = "/apis/batch/v1/namespaces/kube-system/jobs"
JOB = f"helm-install-{chart.RELEASE}"
COLLECTIONS = {"Installation": INSTALLATIONS, "APIServer": API_SERVERS}
RUN_SECONDS = 6.0
MANAGER = "helm"
NOT_OURS = (
    "Error: UPGRADE FAILED: Unable to continue with update: {} exists and cannot be imported into the current release: "
    'invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"'
)


class HelmController:
    name = "helm-controller"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        image = woken.woken(cluster)
        self._seen = _specs(image.get(CHART), image.get(CONFIG))
        self._release: dict[str, Object] = self._rendered(image.get(CHART), image.get(CONFIG)) or {}
        # What an incident has taken away, or never made, was not in the release either.
        self._release = {kind: each for kind, each in self._release.items() if f"{COLLECTIONS[kind]}/default" in image}

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        loop.watch(self._client, CHARTS, lambda each: each["spec"])
        loop.watch(self._client, CONFIGS, lambda each: each["spec"])
        loop.run(lambda: self._step(stop))

    def _step(self, stop: threading.Event) -> None:
        found, config = self._client.find(CHART), self._client.find(CONFIG)
        now = _specs(found, config)
        if now == self._seen or found is None:
            return
        self._start_job()
        stop.wait(self._lab.scaled(RUN_SECONDS))
        try:
            made = chart.rendered(chart.values(found, config))
            for kind in COLLECTIONS:
                self._upgrade(kind, made.get(kind))
            self._release = made
            self._end_job("")
        except chart.ChartError as error:
            self._end_job(str(error))
        self._seen = now

    def _rendered(self, found: Object | None, config: Object | None) -> dict[str, Object] | None:
        try:
            return chart.rendered(chart.values(found, config)) if found else None
        except chart.ChartError:
            return None

    def _upgrade(self, kind: str, wanted: Object | None) -> None:
        path = f"{COLLECTIONS[kind]}/default"
        live, before = self._client.find(path), self._release.get(kind)
        if wanted is None:
            if before is not None and live is not None:
                self._client.delete(path)
            return
        if live is None:
            self._client.request("POST", COLLECTIONS[kind], wanted, {"fieldManager": MANAGER})
            return
        if before is None and (live["metadata"].get("annotations") or {}).get("meta.helm.sh/release-name") != chart.RELEASE:
            raise chart.ChartError(NOT_OURS.format(f'{kind} "default" in namespace ""'))
        spec = chart.upgraded((before or {}).get("spec") or {}, wanted["spec"], live.get("spec") or {})
        if spec != live.get("spec"):
            self._client.request("PUT", path, {**live, "spec": spec}, {"fieldManager": MANAGER})

    def _start_job(self) -> None:
        try:
            self._client.delete(f"{JOBS}/{JOB}", propagationPolicy="Background", gracePeriodSeconds=0)
        except ApiError as error:
            if not error.not_found:
                raise
        template = {"spec": {"restartPolicy": "OnFailure", "containers": [{"name": "helm", "image": "rancher/klipper-helm:v0.9.5-build20250306"}]}}
        labels = {"helmcharts.helm.cattle.io/chart": chart.RELEASE}
        self._client.create(JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": JOB, "labels": labels},
                                   "spec": {"backoffLimit": 1000, "template": template}})  # fmt: skip

    def _end_job(self, failure: str) -> None:
        """The Job's end, and the chart's condition Failed (helm.cattle.io/v1 HelmChartFailed)."""
        job, now = self._client.get(f"{JOBS}/{JOB}"), stamp()
        if failure:
            status: Object = {"startTime": now, "active": 1, "failed": 1}
        else:
            conditions = [{"type": kind, "status": "True", "lastTransitionTime": now, "lastProbeTime": now} for kind in ("SuccessCriteriaMet", "Complete")]
            status = {"startTime": now, "completionTime": now, "succeeded": 1, "conditions": conditions, "uncountedTerminatedPods": {}}
        self._client.request("PUT", f"{JOBS}/{JOB}/status", {**job, "status": status})
        condition = {"type": "Failed", "status": "True" if failure else "False", "reason": "Job failed" if failure else "", "message": failure}
        self._client.merge_patch(CHART, {"status": {"jobName": JOB, "conditions": [condition]}})


def _specs(found: Object | None, config: Object | None) -> tuple[t.Any, t.Any]:
    return found and found["spec"], config and config["spec"]
