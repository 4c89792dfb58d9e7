# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tigera operator looks at, now or in an image of the cluster."""

from __future__ import annotations

import typing as t

from tests.lab.client import Client, Object
from tests.lab.woken import Image

INSTALLATIONS = "/apis/operator.tigera.io/v1/installations"
INSTALLATION = f"{INSTALLATIONS}/default"
API_SERVERS = "/apis/operator.tigera.io/v1/apiservers"
STATUSES = "/apis/operator.tigera.io/v1/tigerastatuses"
POOLS = "/apis/crd.projectcalico.org/v1/ippools"
SYSTEM, API_SYSTEM = "calico-system", "calico-apiserver"
API_SERVER = "calico-apiserver"
CALICO_NODE = f"/apis/apps/v1/namespaces/{SYSTEM}/daemonsets/calico-node"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
API_SERVICE = f"{API_SERVICES}/v3.projectcalico.org"
COLLECTIONS = (
    INSTALLATIONS,
    API_SERVERS,
    POOLS,
    *(f"/apis/apps/v1/namespaces/{namespace}/{plural}" for namespace in (SYSTEM, API_SYSTEM) for plural in ("daemonsets", "deployments")),
    *(f"/api/v1/namespaces/{namespace}/{plural}" for namespace in (SYSTEM, API_SYSTEM) for plural in ("pods", "services")),
)


class View(t.NamedTuple):
    """Objects by path, and of the collections above only."""

    objects: dict[str, Object]

    @classmethod
    def now(cls, client: Client) -> View:
        found = {}
        for collection in COLLECTIONS:
            found.update({f"{collection}/{each['metadata']['name']}": each for each in client.list(collection)})
        service = client.find(API_SERVICE)
        return cls({**found, **({API_SERVICE: service} if service else {})})

    @classmethod
    def of(cls, image: Image) -> View:
        wanted = (*COLLECTIONS, API_SERVICES)
        return cls({path: each for path, each in image.items() if path.rpartition("/")[0] in wanted})

    @property
    def installation(self) -> Object | None:
        return self.objects.get(INSTALLATION)

    @property
    def api_server(self) -> Object | None:
        """The APIServer resource, unless it is on its way out."""
        found = [each for each in self._in(API_SERVERS) if "deletionTimestamp" not in each["metadata"]]
        return found[0] if found else None

    @property
    def daemon_sets(self) -> list[Object]:
        return self._in(f"/apis/apps/v1/namespaces/{SYSTEM}/daemonsets")

    @property
    def deployments(self) -> list[Object]:
        """Those of Calico itself."""
        return [each for each in self._in(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments") if each["metadata"]["name"] != API_SERVER]

    @property
    def api_deployments(self) -> list[Object]:
        """Calico's API server, up to v3.30 in a namespace of its own."""
        found = [f"/apis/apps/v1/namespaces/{each}/deployments/{API_SERVER}" for each in (SYSTEM, API_SYSTEM)]
        return [self.objects[each] for each in found if each in self.objects]

    @property
    def pods(self) -> list[Object]:
        return [each for namespace in (SYSTEM, API_SYSTEM) for each in self._in(f"/api/v1/namespaces/{namespace}/pods")]

    @property
    def pools(self) -> dict[str, Object]:
        return {each["metadata"]["name"]: each for each in self._in(POOLS)}

    def _in(self, collection: str) -> list[Object]:
        return [each for path, each in self.objects.items() if path.rpartition("/")[0] == collection]
