# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What IPPools mean on this cluster: whether Calico routes pods at all, where its pools are kept, and whether BGP would spread their routes."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import canal_daemon_set, config_map
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Snapshot

POLICY_ONLY = ("AmazonVPC", "AzureVNET", "GKE")
_BACKEND = "CALICO_NETWORKING_BACKEND"


def calico_node(snapshot: Snapshot) -> DaemonSet | None:
    """The DaemonSet that runs calico-node: Calico's own, or canal's."""
    own = sorted((item for item in snapshot.daemon_sets.items if item.ref.name == "calico-node"), key=lambda item: item.ref)
    return own[0] if own else canal_daemon_set(snapshot)


def node_env(snapshot: Snapshot, name: str) -> tuple[DaemonSet | None, str | None]:
    """A literal environment variable of calico-node's main container, and the DaemonSet that was looked at."""
    daemon_set = calico_node(snapshot)
    containers = [entry for entry in daemon_set.containers if entry.name == "calico-node"] if daemon_set else []
    return daemon_set, next((value for value in (entry.env_value(name) for entry in containers) if value is not None), None)


def policy_only(snapshot: Snapshot) -> str:
    """The CNI that routes pods where Calico does policy alone, "" where Calico routes them."""
    return next((entry.cni_type for entry in snapshot.installations.items if entry.cni_type in POLICY_ONLY), "")


def etcd_datastore(snapshot: Snapshot) -> Seen | None:
    """What shows that Calico keeps its objects in etcd, out of the Kubernetes API's sight (submariner#3265).

    calico-etcd.yaml sets no DATASTORE_TYPE, since etcdv3 is calico-node's own default; every other manifest sets ``kubernetes``.
    """
    if snapshot.installations.items:
        return None
    daemon_set, kind = node_env(snapshot, "DATASTORE_TYPE")
    if daemon_set is None or not daemon_set.containers:
        return None
    stored = [answer for answer in (snapshot.ip_pools_v3, snapshot.ip_pools_v1) if answer.items]
    if kind == "etcdv3":
        return Seen(str(daemon_set.ref), "env DATASTORE_TYPE", kind)
    if kind is None and snapshot.ip_pools_v1.known and not stored and any(entry.env for entry in daemon_set.containers):
        return Seen(str(daemon_set.ref), "env DATASTORE_TYPE", "", "unset means etcdv3, and no IPPool is in the Kubernetes API")
    return None


def bgp(snapshot: Snapshot) -> tuple[bool | None, Seen | None]:
    """Whether BIRD runs and would export routes; None where what was read does not tell."""
    for entry in snapshot.installations.items:
        if entry.bgp:
            return entry.bgp == "Enabled", Seen(str(entry.ref), "spec.calicoNetwork.bgp", entry.bgp)
    daemon_set, backend = node_env(snapshot, _BACKEND)
    if backend and daemon_set is not None:
        return backend == "bird", Seen(str(daemon_set.ref), f"env {_BACKEND}", backend)
    config = config_map(snapshot, "calico-config")
    backend = config.data.get("calico_backend", "") if config else ""
    if config is not None and backend and not snapshot.installations.items:
        return backend == "bird", Seen(str(config.ref), "data.calico_backend", backend)
    return None, None


def shown_bgp(seen: Seen | None) -> t.Iterator[Seen]:
    if seen is not None:
        yield seen._replace(note="BGP runs: BIRD exports the routes of pools")
