# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes and calico-apiserver make of a Deployment on a cluster at rest: a pod that serves with the certificate that it found when it started.

The real API server reaches it through the Service of type ExternalName that the lab has, and checks that certificate against the APIService.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import tempfile
import threading
from pathlib import Path

from tests.lab.client import ApiError
from tests.lab.standins._calico_api import CalicoApi
from tests.lab.standins._calico_http import Server
from tests.lab.standins._front_proxy import FrontProxy

NAMESPACE = "calico-apiserver"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/calico-apiserver-certs"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/calico-apiserver"
API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
MADE = (
    API_SERVICE,
    DEPLOYMENT,
    f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/calico-apiserver",
    *(f"{RBAC}/clusterroles/{name}" for name in ("calico-crds", "calico-extension-apiserver-auth-access", "calico-webhook-reader")),
    *(
        f"{RBAC}/clusterrolebindings/{name}"
        for name in (
            "calico-apiserver-access-crds", "calico-apiserver-delegate-auth", "calico-apiserver-webhook-reader", "calico-extension-apiserver-auth-access",
        )
    ),
)
LABELS = {"k8s-app": "calico-apiserver", "apiserver": "true"}
IDENTITY = "calico-api-server"
PAUSE = 0.2


class Machinery:
    """Runs while it is a context: makes the pod, and serves from it.

    :param ready: whether the pod gets ready; otherwise its image cannot be pulled.
    :param wrong_certificate: serve with the lab's own certificate instead of the Secret's.
    """

    def __init__(self, cluster, *, ready: bool = True, wrong_certificate: bool = False) -> None:
        self._cluster = cluster
        self._client = cluster.client(IDENTITY)
        self._ready = ready
        self._wrong = wrong_certificate
        self._stop = threading.Event()
        self._server: Server | None = None
        self._ended = threading.Event()
        self._port = 0
        self._made = 0
        self.failure = ""

    def __enter__(self) -> Machinery:
        self._server = self._listen(*self._files(None))
        self._port = self._server.port
        self._close()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *problem) -> None:
        self._stop.set()
        self._thread.join(10)
        self._close()
        assert not self.failure, self.failure

    @property
    def port(self) -> int:
        return self._port

    def _run(self) -> None:
        try:
            while not self._stop.wait(PAUSE):
                self._step()
        except (ApiError, OSError, KeyError) as error:
            self.failure = f"{type(error).__name__}: {error}"

    def _step(self) -> None:
        wanted, secret = self._client.find(DEPLOYMENT), self._client.find(SECRET)
        found = [each for each in self._client.list(PODS, labelSelector="apiserver=true") if each["metadata"]["name"].startswith("calico-apiserver-machinery-")]
        if wanted is None:
            for each in found:
                self._client.delete(f"{PODS}/{each['metadata']['name']}", gracePeriodSeconds=0)
            self._close()
            return
        if not found and secret is not None:
            self._close()
            if self._ready:
                self._server = self._listen(*self._files(None if self._wrong else secret["data"]))
            self._make_pod(wanted)

    def _make_pod(self, deployment) -> None:
        self._made += 1
        name = f"calico-apiserver-machinery-{self._made}"
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        spec = {
            "containers": [{"name": container["name"], "image": container["image"]}],
            "nodeName": self._cluster.nodes[-1].name,
            "terminationGracePeriodSeconds": 0,
        }
        self._client.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS}, "spec": spec})
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        state = {"running": {"startedAt": now}} if self._ready else {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
        status = {
            "phase": "Running" if self._ready else "Pending",
            "conditions": [{"type": "Ready", "status": str(self._ready)}],
            "containerStatuses": [
                {"name": container["name"], "ready": self._ready, "restartCount": 0, "image": container["image"], "imageID": "", "state": state}
            ],
        }
        self._client.merge_patch(f"{PODS}/{name}/status", {"status": status})

    def _files(self, data) -> tuple[str, str]:
        """Paths of certificate and key; of ``data`` of a Secret, or the lab's own."""
        if data is None:
            return str(self._cluster.pki / "calico-api.crt"), str(self._cluster.pki / "calico-api.key")
        folder = Path(tempfile.mkdtemp(prefix="calico-api-", dir=self._cluster.dir))
        for name in ("apiserver.crt", "apiserver.key"):
            (folder / name).write_bytes(base64.b64decode(data[name]))
        return str(folder / "apiserver.crt"), str(folder / "apiserver.key")

    def _listen(self, certificate: str, key: str) -> Server:
        self._ended = threading.Event()
        trust = FrontProxy.read(self._client)
        api = CalicoApi(self._cluster, self._client, f"standin-{IDENTITY}", 0.1)
        server = Server(api, trust, trust.tls(certificate, key), self._ended, self._port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def _close(self) -> None:
        if self._server is not None:
            self._ended.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextlib.contextmanager
def reachable(cluster, machinery: Machinery):
    """The Service through which the API server reaches the pod; gone afterwards."""
    client = cluster.client(IDENTITY)
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"name": "apiserver", "port": machinery.port, "protocol": "TCP"}]}
    client.create(SERVICES, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "calico-api", "namespace": NAMESPACE}, "spec": spec})
    try:
        yield
    finally:
        with contextlib.suppress(ApiError):
            client.delete(f"{SERVICES}/calico-api")


def remove(cluster, *paths: str) -> None:
    """Deletes what a test has left."""
    client = cluster.client(IDENTITY)
    for path in paths:
        if client.find(path):
            client.delete(path)
