# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""On which node a Gateway runs.

A Gateway is named after its host (os.Hostname, submariner pkg/endpoint/local_endpoint.go), and that need not be what the Node is called: on ROKS a Node is
called by its address (submariner#3122), elsewhere by what a cloud or --hostname-override says. RouteAgents are named after their Node.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Gateway, Pod, Snapshot

_APP = "submariner-gateway"
_HOST_NAME = "kubernetes.io/hostname"
_STATUS = "gateway.submariner.io/status"  # a gateway labels its own pod, by the pod's name and not by its host's (submariner pkg/pod/pod.go)


def node_of(gateway: Gateway, snapshot: Snapshot) -> str:
    """The name of the node; "" where it cannot be told.

    :param gateway: one of the snapshot, or as it is later: names of hosts do not change meanwhile.
    """
    return places(snapshot).get(gateway.ref.name) or _by_itself(gateway, snapshot)


def places(snapshot: Snapshot) -> dict[str, str]:
    """Names of Gateways and of their nodes, of those of which it can be told."""
    found = {gateway.ref.name: node for gateway in snapshot.gateways.items for node in (_by_itself(gateway, snapshot),) if node}
    left = [gateway for gateway in snapshot.gateways.items if gateway.ref.name not in found]
    free = [pod for pod in _pods(snapshot) if pod.node not in found.values()] if left else []
    for gateway in left:
        alike = [other for other in left if other.ha_status == gateway.ha_status]
        pods = [pod for pod in free if pod.labels.get(_STATUS) == gateway.ha_status]
        if len(alike) == len(pods) == 1:
            found[gateway.ref.name] = pods[0].node
    return found


def active_nodes(snapshot: Snapshot) -> frozenset[str]:
    """The nodes with an active gateway; see :func:`why_unplaced` for one that may be missing among them."""
    known = places(snapshot)
    return frozenset(known[gateway.ref.name] for gateway in snapshot.gateways.items if gateway.ha_status == "active" and gateway.ref.name in known)


def why_unplaced(snapshot: Snapshot) -> str:
    """Why it cannot be told on which node an active gateway runs, "" where it can.

    A record that no pod can have written is what a gateway has left that is gone.
    """
    known = places(snapshot)
    if snapshot.pods.known and not any(pod.ready and pod.node not in known.values() for pod in _pods(snapshot)):
        return ""
    for gateway in snapshot.gateways.items:
        if gateway.ha_status == "active" and gateway.ref.name not in known:
            addresses = ", ".join(gateway.private_ips) or "which it does not tell"
            return (
                f"{gateway.ref} is active, and on which node it runs cannot be told: none has its name, none has it in the label {_HOST_NAME}, "
                f"not exactly one has its private address ({addresses}), and not exactly one pod of it is labelled {_STATUS}=active. Give the node that label "
                f"with the host's name, or delete the record where its node is gone: kubectl -n {gateway.ref.namespace} delete gateways.submariner.io "
                f"{gateway.ref.name}"
            )
    return ""


def _by_itself(gateway: Gateway, snapshot: Snapshot) -> str:
    """By what the record says of its host."""
    name = gateway.ref.name
    if any(node.ref.name == name for node in snapshot.nodes.items) or (not snapshot.nodes.items and any(pod.node == name for pod in snapshot.pods.items)):
        return name
    named = [node.ref.name for node in snapshot.nodes.items if node.labels.get(_HOST_NAME, "").lower() == name]
    addressed = [node.ref.name for node in snapshot.nodes.items if not set(gateway.private_ips).isdisjoint(node.internal_ips)]
    return next((found[0] for found in (named, addressed) if len(found) == 1), "")


def _pods(snapshot: Snapshot) -> t.Iterator[Pod]:
    return (pod for pod in snapshot.pods.items if pod.labels.get("app") == _APP and pod.node and not pod.deleting)
