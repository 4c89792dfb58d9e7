# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The pods behind the Service of the cluster's DNS."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod, Snapshot

_LABELS = {"k8s-app": ("kube-dns",), "dns.operator.openshift.io/daemonset-dns": ("default",)}


def dns_pods(snapshot: Snapshot) -> tuple[Pod, ...]:
    """Those that are ready and have an address of their own."""
    return tuple(
        pod
        for pod in snapshot.pods.items
        if pod.ready and pod.ips and not pod.host_network and any(pod.labels.get(key) in values for key, values in _LABELS.items())
    )
