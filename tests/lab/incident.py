# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents: folders under ``tests/lab/incidents/`` that say what is broken and how it came about.

::

    incidents/001/
      incident.yml
      objects/common/*.yaml       applied to every cluster, in the order of the file names
      objects/<cluster>/*.yaml    then these, to one
      stages/*.yaml               kwok Stages that replace the lab's own of the same file name, or add to them

``incident.yml``::

    title: one sentence
    clusters:                     # what `up --incident` boots
      - name: cluster-1
        kubernetes_version: v1.27.9+rke2r1
        submariner_version: 0.18.1
        pod_cidr: 10.46.0.0/16
        service_cidr: 10.45.0.0/16
        nodes: [{name: cluster-1-server-1, ip: 192.168.46.11, labels: {}, annotations: {}, taints: []}]
        options: {}               # free: the stand-ins find it in ClusterInfo.options
    crds: [calico, tigera, helm]  # tests/lab/crds/NAME.yaml, applied first and waited for
    stand_ins: [calico-api-server, submariner-operator]   # started after the objects, before the steps
    steps:                        # commands as a person would have typed them, one after the other; a failure ends planting
      - run: [subctl, deploy-broker, --kubeconfig, "${cluster_1_kubeconfig}"]
        environment: {HTTPS_PROXY: "http://proxy.example:3128"}
    ready:                        # planted when all of these hold; each within `timeout` seconds, 60 by default
      - cluster: cluster-1
        what: Submariner detected the node's /24
        path: /apis/submariner.io/v1alpha1/namespaces/submariner-operator/submariners/submariner
        expect: {status.clusterCIDR: 10.46.0.0/24}
      - cluster: cluster-1
        what: every pod is ready
        path: /api/v1/pods        # a collection: `at_least` (1) of the objects meet `expect`; with `every: true` all of them do
        expect: {status.phase: Running}
        every: true

A key of ``expect`` is a path of dots into the object (numbers index lists, a backslash keeps a dot in a key); its value is what
must stand there, or ``{exists: true|false}``.

Objects and steps are ``string.Template``s (``$$`` is a dollar sign). In every one: ``${dir}``, ``${incident_dir}``, ``${broker_info}`` and, for each
cluster with ``-`` as ``_``: ``${cluster_1_kubeconfig}``, ``${cluster_1_server}``, ``${cluster_1_pod_cidr}``, ``${cluster_1_service_cidr}``,
``${cluster_1_kubernetes_version}``, ``${cluster_1_submariner_version}``, ``${cluster_1_node}`` and ``${cluster_1_node_ip}`` (of its first node).
In objects also, for the cluster that they are applied to: ``${cluster}``, ``${kubeconfig}``, ``${server}``, ``${server_port}``,
``${pod_cidr}``, ``${service_cidr}``, ``${kubernetes_version}``, ``${submariner_version}``, ``${node}``, ``${node_ip}``.

Objects are applied as CN=standin:planter, status included. An object of kind Node gets what a kubelet would report. A static pod is a Pod with
``spec.nodeName`` and the annotation ``kubernetes.io/config.source: file``. Steps run as a person would: PATH begins with ``DIR/bin``, the folder is DIR.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import string
import typing as t
from pathlib import Path

import yaml

from tests.lab.client import Object
from tests.lab.info import ClusterInfo, LabError, LabInfo, NodeInfo

INCIDENTS = Path(__file__).parent / "incidents"
CRDS = Path(__file__).parent / "crds"
READY_SECONDS = 60.0

# The clusters of incident 001, so that a lab without an incident looks the same.
DEFAULT_KUBERNETES = "v1.27.9+rke2r1"
DEFAULT_SUBMARINER = "0.18.1"
DEFAULT_CIDRS = (("10.46.0.0/16", "10.45.0.0/16"), ("10.42.0.0/16", "10.43.0.0/16"))


@dataclasses.dataclass(frozen=True)
class ClusterSpec:
    """A cluster to boot: the fields of ClusterInfo that do not depend on the machine."""

    name: str
    pod_cidr: str
    service_cidr: str
    kubernetes_version: str = DEFAULT_KUBERNETES
    submariner_version: str = DEFAULT_SUBMARINER
    nodes: tuple[NodeInfo, ...] = ()
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Step:
    """A command, and what is added to the environment."""

    run: tuple[str, ...]
    environment: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Condition:
    """What must be true of a cluster before the incident counts as planted."""

    cluster: str
    what: str
    path: str
    expect: dict[str, t.Any]
    every: bool = False
    at_least: int = 1
    timeout: float = READY_SECONDS


@dataclasses.dataclass(frozen=True)
class Incident:
    """An incident folder, read."""

    id: str
    dir: Path
    title: str
    clusters: tuple[ClusterSpec, ...]
    crds: tuple[str, ...]
    stand_ins: tuple[str, ...]
    steps: tuple[Step, ...]
    ready: tuple[Condition, ...]

    @property
    def stages(self) -> Path | None:
        """The folder of its own Stages, if it has one."""
        folder = self.dir / "stages"
        return folder if folder.is_dir() else None

    def objects(self, lab: LabInfo, cluster: ClusterInfo) -> list[Object]:
        """The objects of one cluster in the order in which to apply them."""
        values = {**lab_variables(lab, self), **cluster_variables(cluster)}
        found: list[Object] = []
        for folder in (self.dir / "objects" / "common", self.dir / "objects" / cluster.name):
            for path in sorted(folder.glob("*.yaml")):
                found += [each for each in yaml.safe_load_all(fill(path.read_text(encoding="utf-8"), values, path)) if each]
        return found

    def custom_resource_definitions(self) -> list[Object]:
        found: list[Object] = []
        for name in self.crds:
            path = CRDS / f"{name}.yaml"
            if not path.exists():
                raise LabError(f"incident {self.id} wants the CRDs {name!r}, but there is no {path}")
            found += [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
        return found


def load(identifier: str) -> Incident:
    """Reads an incident by its id. Raises LabError that names the known ones, or the key that is wrong."""
    folder = INCIDENTS / identifier
    path = folder / "incident.yml"
    if not path.exists():
        known = sorted(each.parent.name for each in INCIDENTS.glob("*/incident.yml"))
        raise LabError(f"no incident {identifier!r}; known are: {', '.join(known) or 'none'}")
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Incident(
            id=identifier,
            dir=folder,
            title=raw["title"],
            clusters=tuple(cluster_spec(each) for each in raw["clusters"]),
            crds=tuple(raw.get("crds", ())),
            stand_ins=tuple(raw.get("stand_ins", ())),
            steps=tuple(_step(each) for each in raw.get("steps", ())),
            ready=tuple(Condition(**each) for each in raw.get("ready", ())),
        )
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise LabError(f"{path} cannot be used: {type(error).__name__}: {error}") from error


def cluster_spec(raw: dict[str, t.Any]) -> ClusterSpec:
    """One entry of ``clusters``. Raises ValueError for a CIDR that is none and TypeError for an unknown key."""
    spec = ClusterSpec(**{**raw, "nodes": tuple(NodeInfo(**each) for each in raw.get("nodes", ()))})
    ipaddress.ip_network(spec.pod_cidr)
    ipaddress.ip_network(spec.service_cidr)
    return spec if spec.nodes else dataclasses.replace(spec, nodes=(_default_node(spec.name, spec.pod_cidr),))


def default_clusters(count: int, kubernetes_version: str | None = None, submariner_version: str | None = None) -> tuple[ClusterSpec, ...]:
    """Clusters for a lab without an incident: those of incident 001 first, then more with CIDRs that overlap with none."""
    cidrs = [*DEFAULT_CIDRS, *((f"10.{100 + 2 * n}.0.0/16", f"10.{101 + 2 * n}.0.0/16") for n in range(max(0, count - len(DEFAULT_CIDRS))))]
    return tuple(
        cluster_spec(
            {
                "name": f"cluster-{n}",
                "pod_cidr": pods,
                "service_cidr": services,
                "kubernetes_version": kubernetes_version or DEFAULT_KUBERNETES,
                "submariner_version": submariner_version or DEFAULT_SUBMARINER,
            }
        )
        for n, (pods, services) in enumerate(cidrs[:count], start=1)
    )


def lab_variables(lab: LabInfo, incident: Incident) -> dict[str, str]:
    """What every template of an incident may use."""
    values = {"dir": str(lab.dir), "incident_dir": str(incident.dir), "broker_info": str(lab.broker_info)}
    for each in lab.clusters:
        prefix = each.name.replace("-", "_")
        values.update({f"{prefix}_{key}": value for key, value in cluster_variables(each).items() if key != "cluster"})
    return values


def cluster_variables(cluster: ClusterInfo) -> dict[str, str]:
    return {
        "cluster": cluster.name,
        "kubeconfig": str(cluster.kubeconfig),
        "server": cluster.server,
        "server_port": cluster.server.rpartition(":")[2],
        "pod_cidr": cluster.pod_cidr,
        "service_cidr": cluster.service_cidr,
        "kubernetes_version": cluster.kubernetes_version,
        "submariner_version": cluster.submariner_version,
        "node": cluster.nodes[0].name if cluster.nodes else "",
        "node_ip": cluster.nodes[0].ip if cluster.nodes else "",
    }


def fill(text: str, values: dict[str, str], where: object) -> str:
    """A template with its variables. Raises LabError that names an unknown variable and the place."""
    try:
        return string.Template(text).substitute(values)
    except KeyError as error:
        raise LabError(f"{where} uses the unknown variable {error}; known are: {', '.join(sorted(values))}") from None
    except ValueError as error:
        raise LabError(f"{where} has a lone dollar sign (write $$): {error}") from None


def unmet(condition: Condition, found: Object | list[Object]) -> str:
    """Why a condition does not hold of an object or the items of a collection; empty when it does."""
    if isinstance(found, dict):
        return _difference(condition.expect, found)
    differences = [(each["metadata"]["name"], _difference(condition.expect, each)) for each in found]
    wrong = [f"{name}: {text}" for name, text in differences if text]
    enough = len(differences) - len(wrong)
    if enough < condition.at_least or (condition.every and wrong):
        return f"{enough} of {len(differences)} objects are so" + (f"; {wrong[0]}" if wrong else "")
    return ""


def _difference(expect: dict[str, t.Any], obj: Object) -> str:
    for path, wanted in expect.items():
        present, value = _lookup(obj, path)
        if isinstance(wanted, dict) and set(wanted) == {"exists"}:
            if present != wanted["exists"]:
                return f"{path} is {'missing' if not present else repr(value)}"
        elif not present or value != wanted:
            return f"{path} is {repr(value) if present else 'missing'}, not {wanted!r}"
    return ""


def _lookup(obj: t.Any, path: str) -> tuple[bool, t.Any]:
    for key in path.replace("\\.", "\0").split("."):
        key = key.replace("\0", ".")
        if isinstance(obj, list) and key.isdigit() and int(key) < len(obj):
            obj = obj[int(key)]
        elif isinstance(obj, dict) and key in obj:
            obj = obj[key]
        else:
            return False, None
    return True, obj


def _step(raw: dict[str, t.Any]) -> Step:
    unknown = set(raw) - {"run", "environment"}
    if unknown or not isinstance(raw["run"], list):
        raise ValueError(f"a step has `run`, a list, and `environment`; this one is {raw!r}")
    return Step(tuple(str(each) for each in raw["run"]), {key: str(value) for key, value in raw.get("environment", {}).items()})


def _default_node(cluster: str, pod_cidr: str) -> NodeInfo:
    octet = pod_cidr.split(".")[1]
    roles = {f"node-role.kubernetes.io/{each}": "true" for each in ("control-plane", "etcd", "master")}
    return NodeInfo(f"{cluster}-server-1", f"192.168.{octet}.11", roles)
