# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Calico API server of one cluster, v3.26: projectcalico.org/v3 by real aggregation, stored as crd.projectcalico.org/v1.

What it does with a request stands in _calico_api.py. This file plays the tigera operator's part: while an APIServer of
operator.tigera.io/v1 exists (``default`` or ``tigera-secure``), namespace calico-apiserver has its Deployment and Service, APIService
v3.projectcalico.org exists, and the APIServer's status is Ready; without it all of that goes away (tigera/operator
pkg/controller/apiserver and pkg/render/apiserver.go, v1.30). ClusterInfo.options["calico_api_server"] changes that:
``operator`` (the default), ``always`` (a manifest install, as Kubespray's), ``never``, or ``at-rest``: the server alone, its Service and its
APIService, made once when it starts. It keeps its port then, so that a stopped and started server is found by those that are there.

Unlike in production the Service is of type ExternalName, as nothing in the lab routes to pod addresses.
"""

from __future__ import annotations

import base64
import datetime
import threading
import typing as t
from pathlib import Path

from tests.lab import pki
from tests.lab.client import ApiError, Client, Object
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins._calico_api import AFFINITY_SECONDS, CalicoApi
from tests.lab.standins._calico_http import Server
from tests.lab.standins._calico_storage import API_VERSION, GROUP
from tests.lab.standins._front_proxy import FrontProxy
from tests.lab.standins._loop import Loop

NAMESPACE = "calico-apiserver"
SERVICE = "calico-api"
SERVER_NAME = f"{SERVICE}.{NAMESPACE}.svc"
APISERVERS = "/apis/operator.tigera.io/v1/apiservers"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
API_SERVICE = f"{APISERVICES}/v3.{GROUP}"
OPERATORS_NAMES = ("default", "tigera-secure")
DEFAULT_VERSION = "v3.26.3"
TERMINATING_SECONDS = 0.5


class CalicoApiServer:
    name = "calico-api-server"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._lab = lab
        self._mode = str(cluster.options.get("calico_api_server", "operator"))
        self._client = cluster.client(self.name)

    def run(self, stop: threading.Event) -> None:
        trust = FrontProxy.read(self._client)
        cert, key = pki.issue(self._cluster.pki, SERVICE, SERVICE, names=[SERVER_NAME])
        api = CalicoApi(self._cluster, self._client, f"standin-{self.name}", self._lab.scaled(AFFINITY_SECONDS))
        server = Server(api, trust, trust.tls(str(cert), str(key)), stop, self._last_port())
        thread = threading.Thread(target=server.serve_forever, name=f"{self.name} {self._cluster.name}", daemon=True)
        thread.start()
        try:
            if self._mode == "at-rest":
                self._port_file.write_text(str(server.port), encoding="ascii")
                self._install(server.port, ("Service", "APIService"))
                stop.wait()
                return
            loop = Loop(self.name, stop)
            loop.watch(self._client, APISERVERS)
            loop.watch(self._client, APISERVICES, _aggregated)
            for each in (f"/api/v1/namespaces/{NAMESPACE}/services", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"):
                loop.watch(self._client, each, lambda obj: obj["spec"])
            loop.run(lambda: self._reconcile(server.port))
        finally:
            server.shutdown()
            server.server_close()

    def _reconcile(self, port: int) -> float | None:
        owner = self._owner()
        namespace = self._client.find(f"/api/v1/namespaces/{NAMESPACE}")
        if namespace and namespace["metadata"].get("deletionTimestamp"):
            return TERMINATING_SECONDS
        if self._mode == "always" or (self._mode == "operator" and owner):
            self._install(port)
            if owner and (owner.get("status") or {}).get("state") != "Ready":
                self._client.merge_patch(f"{APISERVERS}/{owner['metadata']['name']}/status", {"status": ready()})
            return None
        # The APIService first: with a dead one the namespace would never go (tigera/operator issue 4103).
        if self._client.find(API_SERVICE):
            self._client.delete(API_SERVICE)
        if namespace:
            self._client.delete(f"/api/v1/namespaces/{NAMESPACE}")
        return None

    def _install(self, port: int, kinds: t.Container[str] | None = None) -> None:
        ca = base64.b64encode((self._cluster.pki / "ca.crt").read_bytes()).decode()
        for each in objects(port, ca, str(self._cluster.options.get("calico_version", DEFAULT_VERSION))):
            if kinds is None or each["kind"] in kinds:
                apply_when_different(self._client, each)

    @property
    def _port_file(self) -> Path:
        return self._cluster.dir / f"{self.name}.port"

    def _last_port(self) -> int:
        """The port of its earlier life, 0 for any."""
        return int(self._port_file.read_text(encoding="ascii")) if self._port_file.exists() else 0

    def _owner(self) -> Object | None:
        try:
            found = self._client.list(APISERVERS)
        except ApiError as error:
            if error.not_found:  # a cluster without the operator's CRDs
                return None
            raise
        return next((each for each in found if each["metadata"]["name"] in OPERATORS_NAMES and not each["metadata"].get("deletionTimestamp")), None)


def _aggregated(api_service: Object) -> object:
    """Of APIServices, a loop cares only for a change of its own."""
    return api_service["spec"] if api_service["metadata"]["name"] == f"v3.{GROUP}" else None


def apply_when_different(client: Client, obj: Object) -> None:
    """Server-side apply, unless what is wanted is there: an idle lab writes nothing."""
    path, _subresources = client.path_of(obj)
    current = client.find(path)
    if current is None or not _within(obj, current):
        client.apply(obj)


def _within(wanted: object, current: object) -> bool:
    if isinstance(wanted, dict):
        return isinstance(current, dict) and all(key in current and _within(value, current[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(current, list) and len(wanted) == len(current) and all(_within(*pair) for pair in zip(wanted, current))
    return wanted == current


def ready() -> Object:
    """An APIServer's status when all is well."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "state": "Ready",
        "conditions": [
            {"type": kind, "status": status, "reason": "AllObjectsAvailable", "message": "", "observedGeneration": 1, "lastTransitionTime": now}
            for kind, status in (("Ready", "True"), ("Degraded", "False"), ("Progressing", "False"))
        ],
    }


def objects(port: int, ca_bundle: str, version: str) -> list[Object]:
    """What the operator makes for an APIServer, in the order in which it makes it."""
    labels = {"k8s-app": "calico-apiserver", "apiserver": "true"}
    container = {
        "name": "calico-apiserver",
        "image": f"docker.io/rancher/mirrored-calico-apiserver:{version}",
        "args": ["--secure-port=5443", "--tls-private-key-file=/calico-apiserver-certs/tls.key", "--tls-cert-file=/calico-apiserver-certs/tls.crt"],
        "env": [{"name": "DATASTORE_TYPE", "value": "kubernetes"}],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {"name": NAMESPACE}}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "calico-apiserver", "namespace": NAMESPACE, "labels": labels},
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": {"apiserver": "true"}},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [container], "tolerations": [{"operator": "Exists"}]},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"name": "apiserver", "port": port, "protocol": "TCP"}]},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v3.{GROUP}"},
            "spec": {
                "group": GROUP,
                "version": API_VERSION.rpartition("/")[2],
                "groupPriorityMinimum": 1500,
                "versionPriority": 200,
                "caBundle": ca_bundle,
                "service": {"name": SERVICE, "namespace": NAMESPACE, "port": port},
            },
        },
    ]
