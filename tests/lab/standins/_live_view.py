# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's API as the Submariner operator's network discovery reads it (see ``_discovery``)."""

from __future__ import annotations

import re
import typing as t

from tests.lab.client import ApiError, Client
from tests.lab.info import ClusterInfo
from tests.lab.standins import _objects as objects

Object = dict[str, t.Any]

# Kubernetes stopped naming the range in the refusal with the multi-CIDR allocator that is on by default since then.
FIRST_MINOR_WITHOUT_RANGE = 33


def played_minor(kubernetes_version: str) -> int:
    """The minor version that a cluster plays: 27 for ``v1.27.9+rke2r1``."""
    found = re.match(r"v?1\.(\d+)", kubernetes_version)
    if not found:
        raise ValueError(f"{kubernetes_version!r} is no Kubernetes version")
    return int(found.group(1))


class LiveView:
    """Implements ``_discovery.View``.

    The lab's API server is newer than the one that it plays. On a cluster that plays Kubernetes 1.32 or older there is therefore
    no ServiceCIDR here although the server serves it, and the refusal of the invalid Service, which is really asked for, gets the
    ending that such a server's message has: the cluster's service CIDR as the lab configured it.
    """

    def __init__(self, client: Client, cluster: ClusterInfo) -> None:
        self._client = client
        self._cluster = cluster
        self._names_range = played_minor(cluster.kubernetes_version) < FIRST_MINOR_WITHOUT_RANGE

    def pods(self, label: str) -> list[Object]:
        return self._client.list("/api/v1/pods", labelSelector=label)

    def nodes(self) -> list[Object]:
        return self._client.list(objects.NODES)

    def config_maps(self) -> list[Object]:
        return self._client.list("/api/v1/configmaps")

    def daemon_sets(self) -> list[Object]:
        return self._client.list("/apis/apps/v1/daemonsets")

    def openshift_network(self) -> Object | None:
        return self._client.find("/apis/config.openshift.io/v1/networks/cluster")

    def service_cidr(self) -> list[str] | None:
        if self._names_range:
            return None
        found = self._client.find("/apis/networking.k8s.io/v1/servicecidrs/kubernetes")
        return found and found["spec"]["cidrs"]

    def invalid_service(self) -> str | None:
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "invalid-svc", "namespace": objects.NAMESPACE},
            "spec": {"clusterIP": "1.1.1.1", "ports": [{"port": 443, "targetPort": 443}]},
        }
        try:
            self._client.create(f"/api/v1/namespaces/{objects.NAMESPACE}/services", service)
        except ApiError as error:
            if error.unreachable:
                raise
            if self._names_range and "valid IPs is" not in error.message:
                return f"{error.message}. The range of valid IPs is {self._cluster.service_cidr}"
            return error.message
        return None
