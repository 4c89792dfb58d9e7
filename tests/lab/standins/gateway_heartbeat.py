# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat of gateways in clusters at rest: the annotation ``update-timestamp`` of every Gateway that has one.

A gateway writes it with each update of its status, every 5 s (submariner pkg/cableengine/syncer/syncer.go, GatewayUpdateInterval and
updateTimestampAnnotation); other gateways take away what has not moved for three times as long.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins._objects import GATEWAYS, UPDATE_TIMESTAMP

INTERVAL_SECONDS = 5.0


class GatewayHeartbeat:
    name = "gateway-heartbeat"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._client = cluster.client(self.name)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(INTERVAL_SECONDS):
            try:
                self._beat()
            except ApiError as error:
                if not (error.not_found or error.unreachable or error.conflict):
                    raise

    def _beat(self) -> None:
        for gateway in self._client.list(GATEWAYS):
            if UPDATE_TIMESTAMP in (gateway["metadata"].get("annotations") or {}):
                patch = {"metadata": {"annotations": {UPDATE_TIMESTAMP: str(int(time.time()))}}}
                self._client.merge_patch(f"{GATEWAYS}/{gateway['metadata']['name']}", patch)
