# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is, as written in its ``lab.json``: the one file that command line, tests, supervisor and stand-ins share.

    DIR/lab.json  inventory.yml  supervisor.log  stand-ins.log  bin/subctl  broker-info.subm (written by an incident's steps)
    DIR/<cluster>/kubeconfig  audit.log  <component>.log  pki/  logs/<namespace>/<pod>/<container>.log
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t
from pathlib import Path

from tests.lab.client import REQUEST_SECONDS, Client

LAB_FILE = "lab.json"
# Played by a reactor while the lab is awake: calico-api-pods.
ONLY_ASLEEP = ("calico-api-server",)


class LabError(Exception):
    """Something that a person must know: what was tried, what happened, what to do. Shown without a traceback."""


@dataclasses.dataclass(frozen=True)
class NodeInfo:
    """A node that kwok plays.

    :ivar name: also its ``kubernetes.io/hostname``.
    :ivar ip: its InternalIP; an address that nothing answers at.
    :ivar labels: beside those that every kubelet sets.
    :ivar annotations: as on the Node.
    :ivar taints: as in ``Node.spec.taints``.
    """

    name: str
    ip: str
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    annotations: dict[str, str] = dataclasses.field(default_factory=dict)
    taints: list[dict[str, str]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class ClusterInfo:
    """One cluster of a lab.

    :ivar name: ``cluster-1``; also the context's and the Submariner cluster's name.
    :ivar dir: the cluster's folder.
    :ivar server: ``https://127.0.0.1:PORT``.
    :ivar pod_cidr: what kube-controller-manager was started with.
    :ivar service_cidr: what kube-apiserver was started with.
    :ivar kubernetes_version: what ``/version`` says, for example ``v1.27.9+rke2r1``.
    :ivar submariner_version: what the Submariner stand-ins play, for example ``0.18.1``.
    :ivar nodes: those that the lab itself created.
    :ivar kubelet_port: where the kubelet stand-in of all nodes listens.
    :ivar options: whatever the incident gave for its stand-ins.
    :ivar at_rest: nothing but etcd and the API server runs: objects stay as they are planted.
    :ivar awake: as ``at_rest`` until it is planted; then kube-controller-manager, scheduler and kwok start (see ``awake.py``).
    """

    name: str
    dir: Path
    server: str
    pod_cidr: str
    service_cidr: str
    kubernetes_version: str
    submariner_version: str
    nodes: tuple[NodeInfo, ...] = ()
    kubelet_port: int = 0
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    at_rest: bool = False
    awake: bool = False

    @property
    def kubeconfig(self) -> Path:
        """The administrator's (CN=admin): for users, tests and the collection. Stand-ins use ``client``."""
        return self.dir / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.dir / "audit.log"

    @property
    def pki(self) -> Path:
        return self.dir / "pki"

    def admin(self) -> Client:
        """The API as CN=admin, whose writes the audit helpers take for the collection's: for reading in tests."""
        return self.identity("admin")

    def client(self, stand_in: str) -> Client:
        """The API as CN=standin:NAME in system:masters, User-Agent ``standin-NAME``."""
        return self.identity(f"standin-{stand_in}")

    def identity(self, name: str, timeout: float = REQUEST_SECONDS) -> Client:
        """The API as the holder of ``pki/NAME.crt``."""
        return Client(self.server, self.pki / "ca.crt", self.pki / f"{name}.crt", self.pki / f"{name}.key", name, timeout)

    def pod_log(self, namespace: str, pod: str, container: str) -> Path:
        """The file that ``kubectl logs`` shows; its folder exists when this returns."""
        path = self.dir / "logs" / namespace / pod / f"{container}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@dataclasses.dataclass(frozen=True)
class LabInfo:
    """A lab.

    :ivar dir: its folder.
    :ivar clusters: in the order of their names.
    :ivar time_scale: how much of a real duration a stand-in waits: at 0.05 a retry of 128 s takes 6.4 s.
    :ivar stand_ins: those that should be running now; the stand-ins process starts and stops them when this changes.
    :ivar without: those that must never run, because the real component is run against the lab.
    :ivar stopped: those of ``stand_ins`` that a change has stopped on one cluster, as ``<cluster>/<stand-in>``.
    :ivar reactors: stand-ins that run beside ``stand_ins`` while the lab is awake.
    :ivar asleep: whether the reactors rest; only of an awake lab that has been woken is it ever False.
    :ivar incident: the planted one, or None.
    :ivar layout: name of the planted layout, or None where the clusters are not at rest.
    :ivar stages: the folder of kwok Stages that it was booted with beside the lab's own, or None.
    :ivar supervisor: pid of the process that owns all others; it holds a lock on ``DIR/.lock`` for as long as it lives.
    :ivar expires: when it ends by itself, in seconds since the epoch, or None.
    """

    dir: Path
    clusters: tuple[ClusterInfo, ...]
    time_scale: float = 0.05
    stand_ins: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    reactors: tuple[str, ...] = ()
    asleep: bool = True
    incident: str | None = None
    layout: str | None = None
    stages: Path | None = None
    supervisor: int = 0
    expires: float | None = None

    @property
    def inventory(self) -> Path:
        return self.dir / "inventory.yml"

    @property
    def subctl(self) -> Path:
        return self.dir / "bin" / "subctl"

    @property
    def broker_info(self) -> Path:
        return self.dir / "broker-info.subm"

    def cluster(self, name: str) -> ClusterInfo:
        for each in self.clusters:
            if each.name == name:
                return each
        raise LabError(f"the lab in {self.dir} has no cluster {name!r}; it has {', '.join(each.name for each in self.clusters)}")

    @property
    def wanted(self) -> set[str]:
        """The stand-ins that should be running now, as ``<cluster>/<stand-in>``; a command is none of them."""
        names = self.stand_ins if self.asleep else tuple(each for each in self.stand_ins if each not in ONLY_ASLEEP)
        resting = {f"{cluster.name}/{name}" for cluster in self.clusters for name in names} - set(self.stopped)
        return resting | {f"{cluster.name}/{name}" for cluster in self.clusters for name in self.reactors if not self.asleep}

    def scaled(self, seconds: float) -> float:
        """How long a stand-in waits for what takes ``seconds`` in production."""
        return seconds * self.time_scale

    def save(self) -> None:
        """Writes ``lab.json`` so that a reader sees the old one or the new one, whole."""
        path = self.dir / LAB_FILE
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(dataclasses.asdict(self), default=str, indent=1) + "\n", encoding="utf-8")
        scratch.replace(path)

    @classmethod
    def load(cls, directory: str | Path) -> LabInfo:
        """Reads the lab in a folder. Raises LabError when there is none."""
        directory = Path(directory).resolve()
        try:
            state = json.loads((directory / LAB_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise LabError(f"no lab in {directory} (it has no {LAB_FILE}): start one with `python -m tests.lab up --dir {directory}`") from None
        except ValueError as error:
            raise LabError(f"{directory / LAB_FILE} cannot be read ({error}): remove the folder and start the lab again") from None
        clusters = tuple(_cluster(each) for each in state.pop("clusters"))
        state.update(dir=directory, clusters=clusters, **{key: tuple(state[key]) for key in ("stand_ins", "without", "stopped", "reactors")})
        state["stages"] = Path(state["stages"]) if state["stages"] else None
        return cls(**state)


def _cluster(state: dict[str, t.Any]) -> ClusterInfo:
    return ClusterInfo(**{**state, "dir": Path(state["dir"]), "nodes": tuple(NodeInfo(**each) for each in state["nodes"])})
