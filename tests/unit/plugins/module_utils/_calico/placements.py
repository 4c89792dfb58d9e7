# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for the tests of where calico-node runs: nodes, a DaemonSet, an Installation."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_decision import Workload
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import LABEL, Request
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    NOT_SERVED,
    OK,
    Answer,
    Container,
    DaemonSet,
    Installation,
    Node,
    Ref,
    Snapshot,
    Taint,
)

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TOLERATE_ALL = ({"operator": "Exists", "effect": "NoSchedule"}, {"operator": "Exists", "effect": "NoExecute"})
WORKER = {"key": "node-role.kubernetes.io/worker", "operator": "Exists"}


def node(name, *, control=False, gateway=False, labels=None, cordoned=False, taints=(), system="linux", arch="amd64"):
    own = {"kubernetes.io/os": system, "kubernetes.io/arch": arch, "kubernetes.io/hostname": name, **(labels or {})}
    if control:
        own["node-role.kubernetes.io/control-plane"] = ""
    if gateway:
        own["submariner.io/gateway"] = "true"
    made = Node(Ref("Node", name), own, {}, (), (), True, "v1.31.4", "", unschedulable=cordoned, taints=tuple(Taint(*each) for each in taints))
    return made._replace(operating_system=system, architecture=arch)


def three():
    """A control plane, a gateway and a worker: kubeadm gives the latter two no role."""
    return (node("control-1", control=True), node("gateway-1", gateway=True), node("worker-1"))


def affinity(*terms):
    """Alternatives, each a list of expressions."""
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": list(expressions)} for expressions in terms]}}}


def opt_out(value="excluded", key=LABEL):
    return {"key": key, "operator": "NotIn", "values": [value]}


def daemon_set(standing=None, **changes):
    made = DaemonSet(
        Ref("DaemonSet", "calico-node", "calico-system"),
        {"k8s-app": "calico-node"},
        (Container("calico-node", "docker.io/calico/node:v3.29.3", (), (), ()),),
        3,
        3,
        node_selector={"kubernetes.io/os": "linux"},
        node_affinity=(standing or {}).get("nodeAffinity", {}),
        tolerations=TOLERATE_ALL,
    )
    return made._replace(**changes)


def cluster(*nodes, standing=None, spec=None, daemon_sets=None, **changes):
    installation = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", (), (), "v3.29.3", spec=spec or {}, variant="Calico")
    fields = {
        "nodes": Answer(OK, tuple(nodes or three())),
        "daemon_sets": Answer(OK, daemon_sets if daemon_sets is not None else (daemon_set(standing),)),
        "deployments": Answer(OK),
        "installations": Answer(OK, (installation,)),
        "datastore_migrations": Answer(OK),
        "helm_charts": Answer(NOT_SERVED),
        "openshift_networks": Answer(NOT_SERVED),
    }
    return Snapshot("cluster-1", "https://api.invalid", "2026-01-01T00:00:00Z", **{**fields, **changes})


def workload(written=None, stands=None, name="calico-node", **changes):
    kind = "Deployment" if name == "calico-typha" else "DaemonSet"
    return Workload(Ref(kind, name, "calico-system"), written, stands if stands is not None else written, field="calicoNodeDaemonSet", **changes)


def request(*nodes, **changes):
    return Request(nodes=nodes, **changes)
