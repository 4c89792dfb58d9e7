# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts that react: a cluster is planted at rest, and then controllers and stand-ins take over what they find.

::

    lab = lab_factory(incident="rke2", awake=True)              # pytest; or `python -m tests.lab up --incident rke2 --awake`
    with awake.planted(lab, incidents.load("000-rke2-no-api-server")) as lab:
        ...                                                     # what is written now has its effect

kube-controller-manager (DaemonSets, Deployments, nodes, namespaces, garbage collection, disruption), kube-scheduler and kwok are the real ones. What
else reacts are the layout's ``reactors`` among the stand-ins. While something is planted or taken back all of them are asleep: the processes are
stopped (SIGSTOP), the reactors ended. Those that keep workloads in mind are started anew when these have changed meanwhile. When they are roused they take what is there for their own earlier work (``woken.json``), and act on what
changes from then on: so an incident stays as it was planted until somebody repairs it. kube-controller-manager knows no such thing, so what is planted
must be what it would have left (``adoption.py``).

Afterwards all objects and logs are brought back to what they were in health (``image.py``), whoever changed them.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import shutil
import signal
import time
import typing as t
from pathlib import Path

from tests.lab import adoption, changes, files, image, manifests, settling, woken
from tests.lab.client import ApiError, Client, Object
from tests.lab.cluster import CONTROLLER_MANAGER
from tests.lab.incident import Incident
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.store import Store
from tests.lab.supervisor import WAKE

PAUSED = (CONTROLLER_MANAGER, "kube-scheduler", "kwok")
# By what it remembers kube-controller-manager would delete and make pods; kwok deletes pods by name, new ones for old ones.
RESTARTED = (CONTROLLER_MANAGER, "kwok")
HEALTHY_LOGS = "logs.healthy"
ASLEEP = "asleep.json"
WORKLOADS = ("/api/v1/pods", *(f"/apis/apps/v1/{plural}" for plural in ("daemonsets", "deployments", "replicasets")))
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{image.NODE_LEASES}/leases"
START_SECONDS = 60.0
POLL_SECONDS = 0.05
PROBE = "lab-probe"

Say = t.Callable[[str], None]


@contextlib.contextmanager
def planted(lab: LabInfo, incident: Incident | None = None) -> t.Iterator[LabInfo]:
    """The awake lab with an incident, or in health; afterwards asleep, and as it was in health.

    Raises LabError that names file and entry, and ``changes.NotRestored``: then what comes next needs a fresh lab.
    """
    sleep(lab)
    try:
        if incident is not None and incident.changes:
            changes.apply(lab, incident)
        yield rouse(lab)
    finally:
        reset(lab)


def start(lab: LabInfo, reactors: t.Sequence[str], say: Say) -> LabInfo:
    """Starts the controllers of a lab that has just been planted, and keeps what it is in health. It is asleep when this returns."""
    began = time.monotonic()
    lab = dataclasses.replace(LabInfo.load(lab.dir), reactors=tuple(each for each in reactors if each not in lab.without))
    lab.save()
    _each(lab, adoption.settle)
    os.kill(lab.supervisor, WAKE)
    _await(lambda: len(_paused_processes(lab)) == len(PAUSED) * len(lab.clusters), "the controllers are started", lab)
    _each(lab, _await_controllers)
    _each(lab, _adopt)
    sleep(lab)
    _each(lab, _keep_health)
    say(f"awake after {time.monotonic() - began:.1f} s")
    return lab


def sleep(lab: LabInfo) -> None:
    """Nothing reacts when this returns; nothing to do for a lab that is asleep."""
    lab = LabInfo.load(lab.dir)
    if lab.asleep and all((each.dir / ASLEEP).exists() for each in lab.clusters):
        return
    lab = dataclasses.replace(lab, asleep=True)
    lab.save()
    settling.wait_for_stand_ins(lab)
    _signal(lab, signal.SIGSTOP)
    _each(lab, lambda cluster: woken.save(cluster, ASLEEP, _workloads(cluster)))


def rouse(lab: LabInfo) -> LabInfo:
    """Lets everything react to what changes from now on."""
    _each(lab, _prepare_to_wake)
    _restart_controllers(lab)
    _signal(lab, signal.SIGCONT)
    lab = dataclasses.replace(LabInfo.load(lab.dir), asleep=False)
    lab.save()
    settling.wait_for_stand_ins(lab)
    _each(lab, _adopt)
    # Who serves the aggregated APIs has changed.
    _each(lab, lambda cluster: changes.await_availability(Store(cluster), _availability_of(woken.woken(cluster))))
    _each(lab, lambda cluster: changes.await_answers(Store(cluster)))
    return lab


def reset(lab: LabInfo) -> None:
    """Puts the lab to sleep and brings back what it was in health. Raises ``changes.NotRestored``."""
    sleep(lab)
    lab = LabInfo.load(lab.dir)
    if lab.stopped:
        changes.set_stopped(lab, ())
    try:
        wrong = [each for found in _each(lab, _restore) for each in found]
    except (ApiError, LabError, OSError) as error:
        raise changes.NotRestored(f"the lab in {lab.dir} cannot be brought back to what it was: {error}") from error
    if wrong:
        raise changes.NotRestored(f"the lab in {lab.dir} is not as it was before: {', '.join(wrong)}")


def _adopt(cluster: ClusterInfo) -> None:
    """Waits until the DaemonSet controller has seen what there is, and lets it take the planted pods for its own."""
    client = cluster.client("planter")
    _await(lambda: adoption.is_seen(client), "DaemonSets are seen", cluster)
    adoption.adopt(client)


def _restart_controllers(lab: LabInfo) -> None:
    """Ends and starts the controllers of the clusters whose workloads are not those that they know."""
    stale = {each.name for each in lab.clusters if _workloads(each) != woken.read(each, ASLEEP)}
    ended = {each["pid"] for each in files.read_processes(lab.dir) if each["cluster"] in stale and each["name"] in RESTARTED}
    for pid in ended:
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself, and is started again with the others
            os.kill(pid, signal.SIGKILL)
    for each in lab.clusters:
        (each.dir / ASLEEP).unlink(missing_ok=True)
    if not ended:
        return
    # The first thread of a killed process may be a zombie while others still end: it has ended when the supervisor has reaped it.
    _await(lambda: not any(Path(f"/proc/{each}").exists() for each in ended), "the controllers have ended", lab)
    for cluster in lab.clusters:
        if cluster.name in stale:
            # Another kwok takes a node over only when the lease of the last one has expired.
            cluster.client("planter").delete(LEASES)
    os.kill(lab.supervisor, WAKE)
    _await(lambda: not ended & set(_paused_processes(lab)), "the controllers are started again", lab)


def _workloads(cluster: ClusterInfo) -> dict[str, str]:
    """Specs and labels, by their versions, of all objects that controllers of workloads keep in mind. A status alone leads nobody astray."""
    client = cluster.client("planter")
    found = [each["metadata"] for path in WORKLOADS for each in client.list(path)]
    return {each["uid"]: f"{each.get('generation', 0)} {sorted((each.get('labels') or {}).items())}" for each in found}


def _prepare_to_wake(cluster: ClusterInfo) -> None:
    adoption.settle(cluster)
    found = image.take(Store(cluster))
    for each in found.values():
        if each["kind"] in ("DaemonSet", "Deployment"):
            # kube-controller-manager is about to say so, which is no news.
            each["status"] = {**each.get("status", {}), "observedGeneration": each["metadata"]["generation"]}
    woken.save(cluster, woken.WOKEN, found)


def _keep_health(cluster: ClusterInfo) -> None:
    woken.save(cluster, woken.HEALTHY, image.take(Store(cluster)))
    _copy(cluster.dir / "logs", cluster.dir / HEALTHY_LOGS)


def _restore(cluster: ClusterInfo) -> list[str]:
    store, healthy = Store(cluster), woken.healthy(cluster)
    manifests.clear(cluster)
    image.restore(store, healthy)
    _copy(cluster.dir / HEALTHY_LOGS, cluster.dir / "logs")
    changes.await_availability(store, _availability_of(healthy))
    return [f"{cluster.name} {each}" for each in image.differences(store, healthy)]


def _availability_of(healthy: woken.Image) -> dict[str, str]:
    return changes.available_in(each for each in healthy.values() if each["kind"] == "APIService")


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        shutil.copytree(source, target)


def _await_controllers(cluster: ClusterInfo) -> None:
    """Every controller has looked at its objects once, and kwok at its nodes."""
    client = cluster.client("planter")
    paths = []
    for kind, plural in (("DaemonSet", "daemonsets"), ("Deployment", "deployments")):
        collection = f"/apis/apps/v1/namespaces/default/{plural}"
        client.create(collection, _probe(kind))
        paths.append(f"{collection}/{PROBE}")
    _await(lambda: all(client.get(each).get("status", {}).get("observedGeneration") for each in paths), "controllers work", cluster)
    _await(lambda: len(client.list(LEASES)) >= len(cluster.nodes), "kwok keeps the nodes' leases", cluster)
    for each in paths:
        client.delete(each, propagationPolicy="Background")
    _await(lambda: not _of_probe(client), "the probes are gone", cluster)


def _of_probe(client: Client) -> list[str]:
    found = [each for plural in ("daemonsets", "deployments", "replicasets", "controllerrevisions") for each in
             client.list(f"/apis/apps/v1/namespaces/default/{plural}")]  # fmt: skip
    return [each["metadata"]["name"] for each in found if each["metadata"]["name"].startswith(PROBE)]


def _probe(kind: str) -> Object:
    labels = {"app": PROBE}
    template = {"metadata": {"labels": labels}, "spec": {"nodeSelector": {"nowhere": PROBE}, "containers": [{"name": PROBE, "image": PROBE}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template, **({"replicas": 0} if kind == "Deployment" else {})}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": PROBE}, "spec": spec}


def _paused_processes(lab: LabInfo) -> list[int]:
    return [each["pid"] for each in files.read_processes(lab.dir) if each["cluster"] and each["name"] in PAUSED]


def _signal(lab: LabInfo, number: signal.Signals) -> None:
    for pid in _paused_processes(lab):
        with contextlib.suppress(ProcessLookupError):  # it has died, as `status` tells
            os.kill(pid, number)


def _each(lab: LabInfo, work: t.Callable[[ClusterInfo], t.Any]) -> list[t.Any]:
    with concurrent.futures.ThreadPoolExecutor(len(lab.clusters)) as pool:
        return [done.result() for done in [pool.submit(work, each) for each in lab.clusters]]


def _await(reached: t.Callable[[], bool], what: str, where: LabInfo | ClusterInfo) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise LabError(f"{where.dir}: not so after {START_SECONDS:.0f} s: {what}; its logs are there")
        time.sleep(POLL_SECONDS)
