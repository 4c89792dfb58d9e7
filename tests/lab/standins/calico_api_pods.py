# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of the Calico API server in an awake lab.

A pod runs once the Secrets that it mounts are there (kubelet: "MountVolume.SetUp failed", calico#8268), and the API answers while one is ready; nobody
listens otherwise. It answers with the certificate of Secret ``calico-apiserver-certs``, read when the pod starts (calico#9419: a running pod does not
read it again), where the Secret has one; otherwise with one for its namespace that the cluster's CA has signed, as the operator's would be.

Where an incident has stopped ``calico-api-server`` the pods of then are dead, whatever they say, and only one that starts afterwards answers.
"""

from __future__ import annotations

import base64
import ipaddress
import threading
import time
import typing as t
from pathlib import Path

from tests.lab import pki, woken
from tests.lab.client import ApiError
from tests.lab.egress import SERVICES
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _kubelet_status as kubelet
from tests.lab.standins._calico_api import AFFINITY_SECONDS, CalicoApi
from tests.lab.standins._calico_http import Server
from tests.lab.standins._front_proxy import FrontProxy
from tests.lab.standins._loop import Loop
from tests.lab.standins._objects import internal_ip, is_going, pod_fingerprint
from tests.lab.standins.calico_api_server import SERVICE, CalicoApiServer

Object = dict[str, t.Any]

NAMESPACES = ("calico-apiserver", "calico-system")
SELECTOR = "apiserver=true"
SECRET = "calico-apiserver-certs"
PAIRS = (("tls.crt", "tls.key"), ("apiserver.crt", "apiserver.key"))
PEM = b"-----BEGIN CERTIFICATE-----"
HELD = "lab.fathom.submariner/held"
START_SECONDS = 6.0


class CalicoApiPods:
    name = "calico-api-pods"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._client = cluster.client(self.name)
        self._server: Server | None = None
        self._served = ""
        self._ended = threading.Event()
        stopped = f"{cluster.name}/{CalicoApiServer.name}" in lab.stopped
        self._dead = woken.pod_uids(cluster) if stopped else set()
        self._due: dict[str, float] = {}
        self._addresses = 0

    def run(self, stop: threading.Event) -> None:
        self._trust = FrontProxy.read(self._client)
        self._step()
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        for each in NAMESPACES:
            loop.watch(self._client, f"/api/v1/namespaces/{each}/pods", pod_fingerprint)
            loop.watch(self._client, f"/api/v1/namespaces/{each}/secrets", lambda secret: secret.get("data"))
        try:
            loop.run(self._step)
        finally:
            self._close()

    def _step(self) -> float | None:
        pods = [pod for each in NAMESPACES for pod in self._client.list(f"/api/v1/namespaces/{each}/pods", labelSelector=SELECTOR)]
        waits = [self._start(pod) for pod in pods if _waits(pod)]
        alive = {each["metadata"]["uid"]: each for each in pods if kubelet.is_ready(each) and not is_going(each) and each["metadata"]["uid"] not in self._dead}
        if self._served not in alive:
            self._close()
        if alive and self._server is None:
            self._open(next(iter(alive.values())))
        return min((each for each in waits if each is not None), default=None)

    def _start(self, pod: Object) -> float | None:
        """One step of a pod that does not run yet; after how many seconds the next one is due."""
        uid, metadata, now = pod["metadata"]["uid"], pod["metadata"], time.monotonic()
        if HELD in metadata["labels"]:
            return None
        secrets = f"/api/v1/namespaces/{metadata['namespace']}/secrets"
        mounted = [each["secret"]["secretName"] for each in pod["spec"].get("volumes") or () if "secret" in each]
        if uid in self._dead:  # planted while it waited for the Secret, which its template may not name
            mounted.append(SECRET)
        if any(self._client.find(f"{secrets}/{each}") is None for each in mounted):
            self._due.pop(uid, None)
            return None
        due = self._due.setdefault(uid, now + self._lab.scaled(START_SECONDS))
        if now < due:
            return due - now
        node = self._client.get(f"/api/v1/nodes/{pod['spec']['nodeName']}")
        status = kubelet.running(pod, internal_ip(node), kubelet.stamp(), ready=True)
        address = internal_ip(node) if pod["spec"].get("hostNetwork") else self._address()
        try:
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
            self._client.merge_patch(path, {"status": {**status, "podIP": address, "podIPs": [{"ip": address}]}})
        except ApiError as error:
            if not error.not_found:
                raise
        self._dead.discard(uid)
        return None

    def _address(self) -> str:
        """An address of the pod CIDR that neither a planted pod nor kwok has: from three quarters upwards."""
        network = ipaddress.ip_network(self._cluster.pod_cidr)
        self._addresses += 1
        return str(network[network.num_addresses * 3 // 4 + self._addresses])

    def _open(self, pod: Object) -> None:
        namespace = pod["metadata"]["namespace"]
        api = CalicoApi(self._cluster, self._client, f"standin-{self.name}", self._lab.scaled(AFFINITY_SECONDS))
        self._ended = threading.Event()
        port = int((self._cluster.dir / f"{CalicoApiServer.name}.port").read_text(encoding="ascii"))
        self._server = Server(api, self._trust, self._trust.tls(*self._certificate(namespace)), self._ended, port)
        threading.Thread(target=self._server.serve_forever, name=f"{self.name} {self._cluster.name}", daemon=True).start()
        self._served = pod["metadata"]["uid"]
        woken.save(self._cluster, SERVICES, {f"{namespace}/{SERVICE}": self._server.port})

    def _certificate(self, namespace: str) -> tuple[str, str]:
        """Paths of certificate and key."""
        secret = self._client.find(f"/api/v1/namespaces/{namespace}/secrets/{SECRET}") or {}
        data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
        for certificate, key in PAIRS:
            if PEM in data.get(certificate, b"") and key in data:
                paths = [self._cluster.pki / f"{SERVICE}-mounted.{suffix}" for suffix in ("crt", "key")]
                for path, content in zip(paths, (data[certificate], data[key])):
                    pki.write_private(path, content)
                return str(paths[0]), str(paths[1])
        made = pki.issue(self._cluster.pki, f"{SERVICE}-{self.name}", SERVICE, names=[f"{SERVICE}.{namespace}.svc"])
        return str(made[0]), str(made[1])

    def _close(self) -> None:
        self._served = ""
        if self._server is not None:
            self._ended.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            woken.save(self._cluster, SERVICES, {})


def _waits(pod: Object) -> bool:
    """Whether a pod has a node, and its containers are still to be created."""
    if is_going(pod) or not pod["spec"].get("nodeName") or kubelet.is_ready(pod):
        return False
    states = [each.get("state", {}).get("waiting", {}).get("reason") for each in pod.get("status", {}).get("containerStatuses") or ()]
    return not states or states == ["ContainerCreating"]
