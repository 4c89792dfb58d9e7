# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots one control plane. Written as a generator so that one thread boots many side by side (see Child for why one thread)."""

from __future__ import annotations

import dataclasses
import shutil
import time
import typing as t
from pathlib import Path

from tests.lab import components, nodes
from tests.lab.build import Binaries
from tests.lab.client import ApiError, Client
from tests.lab.specs import ClusterSpec
from tests.lab.info import ClusterInfo, LabError
from tests.lab.process import Child, free_port, is_bind_conflict, kill_all

BOOT_SECONDS = 120.0
PORT_ATTEMPTS = 4
CONTROLLER_MANAGER = "kube-controller-manager"
STAGES = Path(__file__).parent / "stages"
AWAKE_STAGES = Path(__file__).parent / "stages_awake"


class Cluster:
    """The processes of one cluster, started and ended by the supervisor's main thread.

    :param directory: the lab's folder.
    :param spec: what to boot.
    :param binaries: see ``build.py``.
    :param stand_ins: names that get a client certificate.
    :param kubelet_port: where the kubelet stand-in listens.
    :param stages: a folder of kwok Stages beside the lab's own, see ``components.stages``.
    :param choose_port: a port for the API server, asked again when it turns out to be taken.
    """

    def __init__(
        self,
        directory: Path,
        spec: ClusterSpec,
        binaries: Binaries,
        stand_ins: t.Sequence[str],
        kubelet_port: int,
        stages: Path | None = None,
        choose_port: t.Callable[[], int] = free_port,
    ) -> None:
        self._spec = spec
        self._directory = directory
        self._binaries = binaries
        self._stand_ins = stand_ins
        self._stage_folders = [AWAKE_STAGES if spec.awake else STAGES, *([stages] if stages else [])]
        self._choose_port = choose_port
        self._kubelet_port = kubelet_port
        self.children: dict[str, Child] = {}
        self.info = self._info_at(0)

    def boot(self) -> t.Iterator[None]:
        """Yields while there is nothing to do but wait. Raises LabError, with the tail of the log, for a component that does not start."""
        components.write_files(self.info, self._stand_ins)
        yield from self._boot_api_server()
        if self._spec.at_rest:
            return
        self._start_controllers()
        yield from self._register_nodes()

    def wake(self) -> None:
        """Starts the controllers of a cluster that has been planted, those that do not run; none of a cluster that is to stay at rest."""
        if self._spec.awake:
            self._start_controllers()

    def kill(self) -> None:
        kill_all(self.children.values())

    def _info_at(self, port: int) -> ClusterInfo:
        spec = {field.name: getattr(self._spec, field.name) for field in dataclasses.fields(self._spec)}
        return ClusterInfo(**spec, dir=self._directory / self._spec.name, server=f"https://127.0.0.1:{port}", kubelet_port=self._kubelet_port)

    def _boot_api_server(self) -> t.Iterator[None]:
        tried = []
        for _attempt in range(PORT_ATTEMPTS):
            port = self._choose_port()
            tried.append(str(port))
            self.info = self._info_at(port)
            components.write_kubeconfigs(self.info)
            self._start("etcd", components.etcd())
            self._start("kube-apiserver", components.apiserver(self.info, port))
            yield from self._until_ready()
            if self.children["kube-apiserver"].exit_code is None:
                return
            self.kill()
            shutil.rmtree(self.info.dir / "etcd", ignore_errors=True)
        raise LabError(
            f"the API server of {self.info.name} found every port taken that it tried on 127.0.0.1 ({', '.join(tried)}): "
            "another program listens on them; end it, or see `ss -ltnp` for who it is"
        )

    def _until_ready(self) -> t.Iterator[None]:
        """Waits until the API server answers, or has ended because its port was taken."""
        client = self.info.identity("supervisor", timeout=5)
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            if self.children["kube-apiserver"].exit_code is not None and is_bind_conflict(self.children["kube-apiserver"].tail()):
                return
            self._all_alive()
            try:
                client.request_text("GET", "/readyz")
                return
            except ApiError as error:
                if time.monotonic() > deadline:
                    raise self._failure("kube-apiserver", f"is not ready after {BOOT_SECONDS:.0f} s ({error.message})") from error
            yield

    def _register_nodes(self) -> t.Iterator[None]:
        """Creates the nodes and waits until all that a workload needs is there: Ready nodes with a podCIDR, the default service account."""
        client = self.info.identity("supervisor")
        for node in self.info.nodes:
            client.create("/api/v1/nodes", nodes.node_object(node, self.info))
        deadline = time.monotonic() + BOOT_SECONDS
        while missing := _missing(client):
            self._all_alive()
            if time.monotonic() > deadline:
                raise LabError(f"{self.info.name} is not ready after {BOOT_SECONDS:.0f} s: {missing}; its logs are in {self.info.dir}")
            yield

    def _start_controllers(self) -> None:
        for name, arguments in (
            (CONTROLLER_MANAGER, components.controller_manager(self.info)),
            ("kube-scheduler", components.scheduler()),
            ("kwok", components.kwok(self.info, components.stages(*self._stage_folders))),
        ):
            if name not in self.children or self.children[name].exit_code is not None:
                self._start(name, arguments)

    def _start(self, name: str, arguments: list[str]) -> None:
        self.children[name] = Child(
            name,
            [*self._binaries.command(name), *arguments],
            self.info.dir,
            self.info.dir / f"{name}.log",
            {"LAB_KUBERNETES_VERSION": self.info.kubernetes_version},
        )

    def _all_alive(self) -> None:
        for name, child in self.children.items():
            if child.exit_code is not None:
                raise self._failure(name, f"ended with exit code {child.exit_code}")

    def _failure(self, name: str, what: str) -> LabError:
        return LabError(f"{name} of {self.info.name} {what}. The end of {self.children[name].log}:\n{self.children[name].tail()}")


def _missing(client: Client) -> str:
    found = client.list("/api/v1/nodes")
    for node in found:
        conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
        if conditions.get("Ready") != "True":
            return f"node {node['metadata']['name']} is not Ready"
        if not node["spec"].get("podCIDR"):
            return f"node {node['metadata']['name']} has no podCIDR"
        if any(taint["key"] == "node.kubernetes.io/not-ready" for taint in node["spec"].get("taints", [])):
            return f"node {node['metadata']['name']} has the taint not-ready"
    if client.find("/api/v1/namespaces/default/serviceaccounts/default") is None:
        return "the namespace default has no service account"
    return ""
