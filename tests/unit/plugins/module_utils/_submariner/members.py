# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joined clusters as records, for tests of what a join or a correction decides."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    OK,
    Answer,
    Connection,
    Container,
    Endpoint,
    EnvVar,
    Gateway,
    IPPool,
    Node,
    Pod,
    Ref,
    Snapshot,
    Submariner,
)

NAMESPACE = "submariner-operator"


def ok(*items):
    return Answer(OK, tuple(items), "test")


def node(name, labels=None, ready=True):
    return Node(Ref("Node", name), labels or {}, {}, (), ("192.168.0.1",), ready, "v1.27.9+rke2r1", "")


def submariner(cluster_id, cluster_cidr="", service_cidr="", status=None, global_cidr="", deleting=False, **spec):
    status = status or (cluster_cidr, service_cidr)
    whole = {"clusterID": cluster_id, "clusterCIDR": cluster_cidr, "serviceCIDR": service_cidr, "globalCIDR": global_cidr, **spec}
    return Submariner(
        Ref("Submariner", "submariner", NAMESPACE), "u", "7", 1, deleting, cluster_id, "0.16.3", "quay.io/submariner", whole, status[0], status[1], global_cidr, "calico"
    )


def endpoint(cluster_id, *subnets):
    return Endpoint(Ref("Endpoint", f"{cluster_id}-cable", NAMESPACE), "e", cluster_id, "host", "cable", "libreswan", "1.2.3.4", "", "", subnets, "")


def pool(name, cidr, submariners=True, api_version="projectcalico.org/v3"):
    labels = {"submariner.io/ippool": "true"} if submariners else {}
    return IPPool(Ref("IPPool", name), api_version, f"uid-{name}", "1", labels, cidr, submariners, False, True, "Never", "Never", ())


def pod(app, name, on="node-1", cidrs=None):
    env = () if cidrs is None else (EnvVar("SUBMARINER_CLUSTERCIDR", cidrs[0]), EnvVar("SUBMARINER_SERVICECIDR", cidrs[1]))
    return Pod(Ref("Pod", name, NAMESPACE), f"uid-{name}", on, True, "Running", True, ("192.168.0.1",), {"app": app}, (Container(app, "image", (), (), env),))


def gateway(on="node-1", *connections, ha="active"):
    return Gateway(Ref("Gateway", on, NAMESPACE), ha, "", "0.16.3", (), connections)


def connection(cluster_id, *subnets, status="connected"):
    return Connection(cluster_id, "host", subnets, status, "", "", "")


def member(cluster_id, cidrs, remote=(), pools=(), carried=None, announced=None, running=None, spec=None, status=None, nodes=(), **answers):
    """One joined cluster whose parts agree on ``cidrs`` (cluster, service) unless told otherwise.

    :param remote: {cluster id: (service CIDR, cluster CIDR)} that the other members announce.
    :param carried: the same for what the gateway's connections carry; by default as announced.
    """
    remote = dict(remote)
    own = announced or (cidrs[1], cidrs[0])
    answers.setdefault("deployments", ok())
    return Snapshot(
        cluster_id,
        "test",
        "2026-01-01T00:00:00Z",
        nodes=ok(*nodes),
        submariners=ok(submariner(cluster_id, *(spec or cidrs), status=status or cidrs)),
        endpoints=ok(endpoint(cluster_id, *own), *(endpoint(name, *subnets) for name, subnets in remote.items())),
        gateways=ok(gateway("node-1", *(connection(name, *subnets) for name, subnets in (carried or remote).items()))),
        pods=ok(pod("submariner-gateway", "gateway-a", cidrs=running or cidrs), pod("submariner-routeagent", "agent-a", cidrs=running or cidrs)),
        ip_pools=ok(*pools),
        **answers,
    )
