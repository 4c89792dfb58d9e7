# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as network discovery wants to see it, read with subctl's own access."""

from __future__ import annotations

import urllib.parse

from tests.lab.client import ApiError, Object
from tests.lab.standins._live_view import FIRST_MINOR_WITHOUT_RANGE, played_minor
from tests.lab.standins._subctl_access import Access

INVALID_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "invalid-svc", "namespace": "default"},
    "spec": {"clusterIP": "1.1.1.1", "ports": [{"port": 443, "targetPort": 443}]},
}


SERVICE_CIDR = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes"


class AccessView:
    """Implements ``_discovery.View``, and like _live_view.LiveView plays the API server of the version that the real one reports."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._names_range = played_minor(access.get("/version")["gitVersion"]) < FIRST_MINOR_WITHOUT_RANGE

    def pods(self, label: str) -> list[Object]:
        return self._access.items(f"/api/v1/pods?labelSelector={urllib.parse.quote(label)}")

    def nodes(self) -> list[Object]:
        return self._access.items("/api/v1/nodes")

    def config_maps(self) -> list[Object]:
        return self._access.items("/api/v1/configmaps")

    def daemon_sets(self) -> list[Object]:
        return self._access.items("/apis/apps/v1/daemonsets")

    def openshift_network(self) -> Object | None:
        return self._access.find("/apis/config.openshift.io/v1/networks/cluster")

    def service_cidr(self) -> list[str] | None:
        return None if self._names_range else self._served_service_cidr()

    def invalid_service(self) -> str | None:
        try:
            self._access.request("POST", "/api/v1/namespaces/default/services", INVALID_SERVICE)
        except ApiError as error:
            if self._names_range and "valid IPs is" not in error.message:
                return f"{error.message}. The range of valid IPs is {','.join(self._served_service_cidr() or ())}"
            return error.message
        return None

    def _served_service_cidr(self) -> list[str] | None:
        found = self._access.find(SERVICE_CIDR)
        return found["spec"]["cidrs"] if found else None
