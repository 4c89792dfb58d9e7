# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts: healthy, joined pairs of clusters as *objects at rest*, one folder an install method.

Only etcd and kube-apiserver run. What a controller manager, scheduler, kubelet or operator would have made is planted once, statuses included, and
stays as it is; ``incident.py`` tells how an incident changes it. ::

    layouts/
      parts/<part>/*.yaml         objects that several layouts share, templates
      parts/<part>/logs/NAMESPACE/CONTAINER.log       what every container of that name in that namespace has logged, a template
      rke2/layout.yml
      rke2/objects/*.yaml         its own objects; one that a part has, too, is merged over that one (mappings deeply, lists whole)
      rke2/logs/...               as those of parts

``layout.yml``::

    title: one sentence
    parts: [kubeadm, tigera]      # in this order
    crds: [calico, tigera]        # tests/lab/crds/NAME.yaml
    stand_ins: [calico-api-server]
    reactors: [tigera-operator]   # stand-ins that run beside these while the lab is awake (see awake.py)
    variables: {calico_version: v3.30.0}              # for its templates; a cluster's `options` that are texts are variables, too
    encapsulation: VXLAN          # or IPIP: which tunnel address Calico notes on nodes
    node: {}                      # what all nodes have: a Node in part, a template; the lab adds what every kubelet reports
    clusters: []                  # as in incident.yml; the first node is the control plane's, one is labelled as gateway
    expect: []                    # what a diagnosis may show although all is well: warnings, and what it cannot know (`verdict: unknown`)

A file ``each-node-*.yaml`` is filled for every node (``${node}``, ``${node_ip}``), one ``each-server-*.yaml`` for every node of the control plane,
one ``cluster-1-*.yaml`` for that cluster alone.
Beside the variables of ``incident.py`` a template has those of the layout, ``${gateway_node}``, ``${worker_node}`` and ``${control_plane_node}`` (each
with ``_ip``), and of the other cluster ``${remote_cluster}``, ``${remote_pod_cidr}``, ``${remote_gateway_node_ip}`` and so on.
Objects of projectcalico.org/v3 are planted as Calico's API server would have stored them. For what else is added see ``at_rest.py``; what belongs
to Submariner is made by ``joined.py`` of the Submariner and Broker resources.
"""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import yaml

from tests.lab import documents
from tests.lab.client import Object
from tests.lab.info import ClusterInfo, LabError, LabInfo, NodeInfo
from tests.lab.merging import merged
from tests.lab.specs import ClusterSpec, cluster_spec
from tests.lab.templates import Values, cluster_variables, fill, fill_tree, lab_variables

LAYOUTS = Path(__file__).parent / "layouts"
PARTS = "parts"
CONTROL_PLANE_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclasses.dataclass(frozen=True)
class Expectation:
    """A finding that a diagnosis must show; of a layout in health one that it may show.

    :ivar cluster: or ``clusterset`` for what only all clusters together show.
    :ivar verdict: ``unknown`` for what nothing in such a cluster tells.
    """

    cluster: str
    id: str
    severity: str
    verdict: str = "fail"


@dataclasses.dataclass(frozen=True)
class Layout:
    """A layout's folder, read."""

    name: str
    dir: Path
    title: str
    clusters: tuple[ClusterSpec, ...]
    parts: tuple[str, ...]
    crds: tuple[str, ...]
    stand_ins: tuple[str, ...]
    reactors: tuple[str, ...]
    variables: dict[str, str]
    encapsulation: str
    node: Object
    expect: tuple[Expectation, ...] = ()

    def values(self, lab: LabInfo, cluster: ClusterInfo) -> Values:
        """The variables of its templates for one cluster."""
        found = {**lab_variables(lab, self.dir), **self.variables}
        found.update({key: value for key, value in cluster.options.items() if isinstance(value, str)})
        for other in lab.clusters:
            if other.name != cluster.name:
                found.update({f"remote_{key}": value for key, value in cluster_variables(other).items()})
        return Values({**found, **cluster_variables(cluster)})

    def objects(self, values: Values, nodes: t.Sequence[NodeInfo]) -> list[Object]:
        """The objects of one cluster as its files have them, nodes excepted."""
        found: dict[tuple[str, str, str, str], Object] = {}
        for folder in self._folders("objects"):
            for path in sorted(folder.glob("*.yaml")):
                for obj in _filled(path, values, nodes):
                    key = _identity(obj)
                    found[key] = merged(found[key], obj) if key in found else obj
        return list(found.values())

    def node_object(self, node: NodeInfo, values: Values) -> Object:
        """A Node as its ``node`` and the node's own entry have it."""
        mine = values | {"node": node.name, "node_ip": node.ip}
        common = fill_tree(self.node, mine, self.dir / "layout.yml")
        own: Object = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": node.name, "labels": dict(node.labels), "annotations": fill_tree(node.annotations, mine, self.dir / "layout.yml")},
        }
        if node.taints:
            own["spec"] = {"taints": list(node.taints)}
        return merged(merged({"status": {"conditions": _healthy_conditions(values)}}, common), own)

    def log(self, namespace: str, container: str) -> Path | None:
        """The template of what containers of that name log; the layout's own comes before its parts'."""
        paths = [folder / namespace / f"{container}.log" for folder in self._folders("logs")]
        return next((path for path in reversed(paths) if path.exists()), None)

    def _folders(self, name: str) -> list[Path]:
        parts = [LAYOUTS / PARTS / part for part in self.parts]
        return [*(part / name if name == "logs" else part for part in parts), self.dir / name]


def names() -> list[str]:
    return sorted(path.parent.name for path in LAYOUTS.glob("*/layout.yml"))


def load(name: str) -> Layout:
    """Reads a layout. Raises LabError that names the known ones, or what is wrong with its file."""
    folder = LAYOUTS / name
    path = folder / "layout.yml"
    if name not in names():
        raise LabError(f"no layout {name!r}; known are: {', '.join(names())}")
    try:
        raw = documents.read(path)
        parts = tuple(raw["parts"])
        missing = [each for each in parts if not (LAYOUTS / PARTS / each).is_dir()]
        if missing:
            raise ValueError(f"there is no part {', '.join(missing)} in {LAYOUTS / PARTS}")
        return Layout(
            name=name,
            dir=folder,
            title=raw["title"],
            clusters=tuple(cluster_spec({**each, "at_rest": True}) for each in raw["clusters"]),
            parts=parts,
            crds=tuple(raw["crds"]),
            stand_ins=tuple(raw["stand_ins"]),
            reactors=tuple(raw["reactors"]),
            variables={key: str(value) for key, value in raw["variables"].items()},
            encapsulation=raw["encapsulation"],
            node=raw["node"],
            expect=tuple(Expectation(**each) for each in raw.get("expect") or ()),
        )
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise LabError(f"{path} cannot be used: {type(error).__name__}: {error}") from error


def is_control_plane(node: NodeInfo) -> bool:
    return any(each in node.labels for each in CONTROL_PLANE_LABELS)


def _healthy_conditions(values: Values) -> list[Object]:
    """What kubelet and calico-node say of a node that has been up for twelve days (calico node/pkg/lifecycle/startup for the first)."""
    since, lately = values["days_ago_12"], values["minutes_ago_1"]
    found = [
        ("NetworkUnavailable", "False", "CalicoIsUp", "Calico is running on this node", since),
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", lately),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", lately),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available", lately),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status", lately),
    ]
    return [
        {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since, "lastHeartbeatTime": beat}
        for kind, status, reason, message, beat in found
    ]


def _filled(path: Path, values: Values, nodes: t.Sequence[NodeInfo]) -> t.Iterator[Object]:
    text = path.read_text(encoding="utf-8")
    if path.name.startswith("cluster-") and not path.name.startswith(f"{values['cluster']}-"):
        return
    if path.name.startswith("each-"):
        chosen = nodes if path.name.startswith("each-node-") else [each for each in nodes if is_control_plane(each)]
        variants = [values | {"node": each.name, "node_ip": each.ip} for each in chosen]
    else:
        variants = [values]
    for each in variants:
        try:
            yield from documents.parse(fill(text, each, path))
        except yaml.YAMLError as error:
            raise LabError(f"{path} is no YAML: {error}") from error


def _identity(obj: Object) -> tuple[str, str, str, str]:
    metadata = obj["metadata"]
    return obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]
