# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the operator stand-in lets a deleted Submariner resource go, and what it leaves behind."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest

from tests.lab.client import ApiError
from tests.lab.info import LabInfo
from tests.lab.standins import _objects as objects, _uninstall
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins._workloads import Workloads
from tests.lab.standins._zerolog import ConsoleLog
from tests.lab.standins.route_agent import CNI_FIRST_PAUSE_SECONDS, CNI_PAUSE_FACTOR, CNI_TRIES

Object = dict[str, t.Any]
FOUND = {"clusterCIDR": "10.46.0.0/24", "serviceCIDR": "10.45.0.0/16", "networkPlugin": "calico"}


class Server:
    """Objects by path, with the pods that DaemonSet controller and kubelet would make of DaemonSets."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.pods: list[Object] = []
        self.conflicts = 0
        for name in (objects.GATEWAY, objects.ROUTE_AGENT):
            self.create(objects.DAEMON_SETS, {"metadata": {"name": name}})

    def create(self, path: str, wanted: Object) -> Object:
        name = wanted["metadata"]["name"]
        state = {"observedGeneration": 1, "desiredNumberScheduled": 1, "numberReady": 1}
        self.objects[f"{path}/{name}"] = {**wanted, "metadata": {**wanted["metadata"], "generation": 1}, "status": state}
        self.pods.append({"metadata": {"name": name, "labels": {"app": name}, "creationTimestamp": "", "annotations": {}}})
        return wanted

    def delete(self, path: str, **query: str) -> Object:
        if path not in self.objects:
            raise ApiError(404, "NotFound", path)
        name = path.rpartition("/")[2]
        self.pods = [pod for pod in self.pods if pod["metadata"]["name"] != name]
        return self.objects.pop(path)

    def find(self, path: str) -> Object | None:
        return self.objects.get(path)

    def list(self, path: str) -> list[Object]:
        return self.pods

    def merge_patch(self, path: str, patch: Object) -> Object:
        if self.conflicts:
            self.conflicts -= 1
            raise ApiError(409, "Conflict", "changed meanwhile")
        self.objects[path]["metadata"].update(patch["metadata"])
        return self.objects[path]

    def uninstall_pods_are_done(self, *components: str) -> None:
        for pod in self.pods:
            if pod["metadata"]["name"] in {each + objects.UNINSTALL for each in components}:
                pod["metadata"]["annotations"][objects.UNINSTALLED] = "true"


class Case:
    """A deleted resource and its clean-up."""

    def __init__(self, tmp_path: Path, seconds_ago: float = 0) -> None:
        deleted = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
        metadata = {
            "name": "submariner",
            "uid": "u-1",
            "resourceVersion": "7",
            "deletionTimestamp": deleted.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "finalizers": ["foregroundDeletion", objects.CLEANUP_FINALIZER],
        }
        self.submariner: Object = {"metadata": metadata, "spec": {"clusterID": "alpha", "namespace": objects.NAMESPACE}}
        self.server = Server()
        self.path = f"{objects.SUBMARINERS}/submariner"
        self.server.objects[self.path] = {**self.submariner, "metadata": dict(metadata)}
        self.log = ConsoleLog(tmp_path / "operator.log")
        self.clean_up = _uninstall.Uninstall(t.cast(t.Any, self.server), LabInfo(tmp_path, (), time_scale=0.05), self.log)
        self.workloads = Workloads(self.submariner, FOUND, SubmarinerVersion(0, 17, 3), {})

    def step(self) -> float | None:
        return self.clean_up.step(self.submariner, self.workloads)

    @property
    def finalizers(self) -> list[str]:
        return self.server.objects[self.path]["metadata"]["finalizers"]

    @property
    def daemon_sets(self) -> set[str]:
        return {path.rpartition("/")[2] for path in self.server.objects if path.startswith(objects.DAEMON_SETS)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the clean-up sees; change its one element."""
    now = [1000.0]
    monkeypatch.setattr(_uninstall.time, "monotonic", lambda: now[0])
    return now


def test_the_finalizer_goes_when_every_component_has_cleaned_up(tmp_path: Path, clock: list[float]) -> None:
    case = Case(tmp_path)
    assert case.step() is not None
    assert case.daemon_sets == {"submariner-gateway-uninstall", "submariner-routeagent-uninstall"}
    case.server.uninstall_pods_are_done(objects.GATEWAY)
    assert case.step() is not None and objects.CLEANUP_FINALIZER in case.finalizers
    case.server.uninstall_pods_are_done(objects.ROUTE_AGENT)
    assert case.step() is None
    assert case.finalizers == ["foregroundDeletion"] and case.daemon_sets == set()
    assert "Timed out" not in case.log.path.read_text()


def test_a_component_that_does_not_end_is_given_up(tmp_path: Path, clock: list[float]) -> None:
    case = Case(tmp_path)
    case.step()
    case.server.uninstall_pods_are_done(objects.GATEWAY)
    clock[0] += 5.4
    assert case.step() is not None
    clock[0] += 0.2
    assert case.step() is None
    assert case.finalizers == ["foregroundDeletion"] and case.daemon_sets == set()
    assert "Timed out waiting for components to complete - aborting" in case.log.path.read_text()


def test_the_search_for_the_cni_interface_takes_longer_than_that() -> None:
    search = sum(CNI_FIRST_PAUSE_SECONDS * CNI_PAUSE_FACTOR**number for number in range(CNI_TRIES - 1))
    assert search == pytest.approx(128.6, abs=0.1)
    assert search > _uninstall.COMPONENT_READY_SECONDS


def test_slow_controllers_do_not_use_up_the_scaled_time(tmp_path: Path, clock: list[float]) -> None:
    case = Case(tmp_path, seconds_ago=30)
    for path, each in case.server.objects.items():
        if path.startswith(objects.DAEMON_SETS):
            each["status"]["numberReady"] = 0
    case.server.pods.append({"metadata": {"name": "lingering", "labels": {"app": objects.GATEWAY}, "creationTimestamp": ""}})
    assert case.step() is not None
    clock[0] += 60
    assert case.step() is not None and case.daemon_sets == set()
    case.server.pods.clear()
    assert case.step() is not None
    assert case.daemon_sets == {"submariner-gateway-uninstall", "submariner-routeagent-uninstall"}


def test_two_minutes_are_the_end_in_any_case(tmp_path: Path, clock: list[float]) -> None:
    case = Case(tmp_path, seconds_ago=121)
    case.server.pods.append({"metadata": {"name": "lingering", "labels": {"app": objects.GATEWAY}, "creationTimestamp": ""}})
    assert case.step() is None
    assert case.finalizers == ["foregroundDeletion"]


@pytest.mark.parametrize(("conflicts", "goes"), [(1, True), (_uninstall.CONFLICTS, True), (_uninstall.CONFLICTS + 1, False)])
def test_conflicts_do_not_undo_the_clean_up(tmp_path: Path, clock: list[float], conflicts: int, goes: bool) -> None:
    case = Case(tmp_path)
    case.step()
    case.server.uninstall_pods_are_done(objects.GATEWAY, objects.ROUTE_AGENT)
    case.server.conflicts = conflicts
    if not goes:
        with pytest.raises(ApiError, match="changed meanwhile"):
            case.step()
    assert case.step() is None
    assert case.finalizers == ["foregroundDeletion"]


def test_a_resource_that_has_been_created_anew_is_left_alone(tmp_path: Path, clock: list[float]) -> None:
    case = Case(tmp_path)
    case.step()
    case.server.uninstall_pods_are_done(objects.GATEWAY, objects.ROUTE_AGENT)
    case.server.objects[case.path]["metadata"]["uid"] = "u-2"
    assert case.step() is None
    assert objects.CLEANUP_FINALIZER in case.finalizers
