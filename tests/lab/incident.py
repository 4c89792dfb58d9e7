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

Moments and service addresses: see ``templates.py``.

Objects are applied as CN=standin:planter, status included. An object of kind Node gets what a kubelet would report. A static pod is a Pod with
``spec.nodeName`` and the annotation ``kubernetes.io/config.source: file``. Steps run as a person would: PATH begins with ``DIR/bin``, the folder is DIR.

An incident on a *layout* (see ``layout.py``) is what changed in a healthy pair of clusters at rest::

    title: one sentence
    layout: rke2
    changes:                      # in order, see changes.py; undone by restoring what was
      - cluster: cluster-1        # or "*"
        patch: {kind: TigeraStatus, name: calico}     # namespace where it has one; apiVersion where several groups have the kind
        merge: {status: {conditions: []}}             # JSON merge patch; or `json: [{op, path, value}]`; status is written where it belongs
      - cluster: cluster-1
        patch: {kind: Pod, namespace: submariner-operator, selector: "app=submariner-routeagent"}   # every object with these labels
        merge: {metadata: {labels: {old: "true"}}}
      - cluster: cluster-1
        delete: {kind: Pod, name: some-pod, namespace: kube-system}                                 # or with a selector
      - cluster: cluster-1
        create: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}          # whole, or a file: objects/some.yaml
      - cluster: cluster-1
        stop: calico-api-server                       # a stand-in
    logs:                         # what `kubectl logs` shows; more in files logs/<cluster>/NAMESPACE/POD/CONTAINER.log
      cluster-1: {submariner-operator/submariner-routeagent-gw4x9/submariner-routeagent: "text"}
    settled:                      # as `ready`: what the API server's own controllers must have noticed
      - {cluster: cluster-1, what: ..., path: ..., expect: {}}
    expect:                       # every blocker and error of a diagnosis, no more and no less; warnings only where they are to be seen
      - {cluster: cluster-1, id: calico-api-unavailable, severity: blocker}
    remedies:                     # the roles that a plan runs, in its order
      cluster-1: [calico_api_server, remote_ippools]
    then: {}                      # the same of a second plan, where only what the first one does lets controllers go on to what is left to be repaired
    people: {}                    # the roles that write nothing unless `asked` to: what is to be done they tell a person
    asked: {}                     # role variables that a user sets for those to write all the same; `remedies` are then what a plan runs with them

All texts of it are templates; log files, too. Its objects get what controllers and kubelets would have added (see ``at_rest.py``).
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from pathlib import Path

import yaml

from tests.lab import documents, layout as layouts
from tests.lab.client import Object
from tests.lab.conditions import Condition
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.layout import Expectation, Layout
from tests.lab.specs import ClusterSpec, cluster_spec
from tests.lab.templates import Values, cluster_variables, fill, lab_variables

INCIDENTS = Path(__file__).parent / "incidents"
LIVE_KEYS = {"title", "clusters", "crds", "stand_ins", "steps", "ready"}
LAYOUT_KEYS = {"title", "layout", "changes", "logs", "settled", "expect", "remedies", "then", "people", "asked"}
CHANGE_KEYS = {"cluster", "patch", "delete", "create", "stop", "merge", "json", "manager"}
LAYOUT = re.compile(r"^layout: *([\w-]+) *$", re.MULTILINE)
ACTIONS = ("patch", "delete", "create", "stop")


@dataclasses.dataclass(frozen=True)
class Step:
    """A command, and what is added to the environment."""

    run: tuple[str, ...]
    environment: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Incident:
    """An incident folder, read. One on a layout has the layout's clusters, and nothing of ``steps``, ``stand_ins`` and ``ready``."""

    id: str
    dir: Path
    title: str
    clusters: tuple[ClusterSpec, ...]
    crds: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    ready: tuple[Condition, ...] = ()
    layout: Layout | None = None
    changes: tuple[Object, ...] = ()
    logs: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    settled: tuple[Condition, ...] = ()
    expect: tuple[Expectation, ...] = ()
    remedies: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    then: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    people: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    asked: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.dir / "incident.yml"

    @property
    def stages(self) -> Path | None:
        """The folder of its own Stages, if it has one."""
        folder = self.dir / "stages"
        return folder if folder.is_dir() else None

    def objects(self, lab: LabInfo, cluster: ClusterInfo) -> list[Object]:
        """The objects of one cluster in the order in which to apply them."""
        values = Values({**lab_variables(lab, self.dir), **cluster_variables(cluster)})
        found: list[Object] = []
        for folder in (self.dir / "objects" / "common", self.dir / "objects" / cluster.name):
            for path in sorted(folder.glob("*.yaml")):
                found += documents.parse(fill(path.read_text(encoding="utf-8"), values, path))
        return found


def load(identifier: str) -> Incident:
    """Reads an incident by its id; the name of a layout stands for that layout in health.

    Raises LabError that names the known ones, or the key that is wrong.
    """
    folder = INCIDENTS / identifier
    path = folder / "incident.yml"
    if not path.exists():
        if identifier in layouts.names():
            return _healthy(identifier)
        known = sorted([*(each.parent.name for each in INCIDENTS.glob("*/incident.yml")), *layouts.names()])
        raise LabError(f"no incident {identifier!r}; known are: {', '.join(known) or 'none'}")
    try:
        raw = documents.read(path)
        return _on_layout(identifier, folder, raw) if "layout" in raw else _live(identifier, folder, raw)
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise LabError(f"{path} cannot be used: {type(error).__name__}: {error}") from error


def on_layout(name: str) -> list[str]:
    """The ids of all incidents on a layout, those with a mistake in their file too: it is told when they are loaded."""
    texts = {path.parent.name: path.read_text(encoding="utf-8") for path in INCIDENTS.glob("*/incident.yml")}
    return sorted(identifier for identifier, text in texts.items() if LAYOUT.findall(text) == [name])


def _live(identifier: str, folder: Path, raw: Object) -> Incident:
    _only(raw, LIVE_KEYS)
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


def _on_layout(identifier: str, folder: Path, raw: Object) -> Incident:
    _only(raw, LAYOUT_KEYS)
    layout = layouts.load(raw["layout"])
    for number, change in enumerate(raw.get("changes") or (), start=1):
        _check_change(number, change)
    return Incident(
        id=identifier,
        dir=folder,
        title=raw["title"],
        clusters=layout.clusters,
        layout=layout,
        changes=tuple(raw.get("changes") or ()),
        logs=dict(raw.get("logs") or {}),
        settled=tuple(Condition(**each) for each in raw.get("settled") or ()),
        expect=tuple(Expectation(**each) for each in raw["expect"]),
        remedies=dict(raw.get("remedies") or {}),
        then=dict(raw.get("then") or {}),
        people=dict(raw.get("people") or {}),
        asked=dict(raw.get("asked") or {}),
    )


def _healthy(name: str) -> Incident:
    layout = layouts.load(name)
    return Incident(id=name, dir=layout.dir, title=layout.title, clusters=layout.clusters, layout=layout, expect=layout.expect)


def _check_change(number: int, change: Object) -> None:
    _only(change, CHANGE_KEYS, f"change {number}: ")
    actions = [key for key in ACTIONS if key in change]
    if len(actions) != 1 or "cluster" not in change:
        raise ValueError(f"change {number} has `cluster` and one of {', '.join(ACTIONS)}; this one is {change!r}")
    if ("patch" in change) != (len({"merge", "json"} & set(change)) == 1):
        raise ValueError(f"change {number}: `patch` goes with either `merge` or `json`, and these with nothing else; this one is {change!r}")


def _only(raw: Object, known: set[str], where: str = "") -> None:
    unknown = set(raw) - known
    if unknown:
        raise ValueError(f"{where}unknown key {', '.join(sorted(unknown))}; known are: {', '.join(sorted(known))}")


def _step(raw: dict[str, t.Any]) -> Step:
    _only(raw, {"run", "environment"}, "a step: ")
    if not isinstance(raw["run"], list):
        raise ValueError(f"a step has `run`, a list, and `environment`; this one is {raw!r}")
    return Step(tuple(str(each) for each in raw["run"]), {key: str(value) for key, value in raw.get("environment", {}).items()})
