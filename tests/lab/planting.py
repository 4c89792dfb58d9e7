# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants an incident in a running lab: objects, stand-ins, the commands that a person ran, and the waiting until it is as bad as reported."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import subprocess
import time
import typing as t

from tests.lab import awake, changes, definitions, files, nodes, settling
from tests.lab.client import ApiError, Client, Object
from tests.lab.incident import Incident, Step
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.layout import Layout
from tests.lab.layout_planting import plant_layout
from tests.lab.store import PLANTER
from tests.lab.templates import Values, fill, lab_variables

STEP_SECONDS = 120.0
POLL_SECONDS = 0.1
# A CRD is served a moment after it is established, an aggregated API once its stand-in answers, a namespace's service account once its controller came by.
APPLY_SECONDS = 30.0

Say = t.Callable[[str], None]


def plant(lab: LabInfo, incident: Incident, say: Say) -> LabInfo:
    """Plants and returns when all of the incident's conditions hold. Raises LabError that names the object, step or condition.

    The lab must have been booted with the incident's clusters (``up --incident``), or with such whose names and CIDRs are the same. Of an incident on
    a layout the layout is planted first, unless it is there.
    """
    _check_clusters(lab, incident)
    return _plant_live(lab, incident, say) if incident.layout is None else _plant_at_rest(lab, incident, say)


def _plant_at_rest(lab: LabInfo, incident: Incident, say: Say) -> LabInfo:
    layout = t.cast(Layout, incident.layout)
    is_awake = all(each.awake for each in lab.clusters)
    if lab.layout is None:
        lab = plant_layout(lab, layout, say)
        if is_awake:
            lab = awake.start(lab, layout.reactors, say)
    elif is_awake:
        awake.sleep(lab)
    if incident.id != layout.name:
        changes.apply(lab, incident)
        say(f"incident {incident.id}: {incident.title}")
        lab = dataclasses.replace(LabInfo.load(lab.dir), incident=incident.id)
        lab.save()
    if is_awake:
        lab = awake.rouse(lab)
    files.write_inventory(lab)
    return lab


def _plant_live(lab: LabInfo, incident: Incident, say: Say) -> LabInfo:
    _in_each(lab, lambda cluster: _apply_definitions(cluster, incident))
    # Stand-ins come before the objects of a folder, for the objects may be of an API that one of them serves.
    lab = dataclasses.replace(lab, stand_ins=tuple(each for each in incident.stand_ins if each not in lab.without))
    lab.save()
    _in_each(lab, lambda cluster: _apply_objects(lab, cluster, incident))
    say(f"incident {incident.id}: objects applied")
    variables = Values(lab_variables(lab, incident.dir))
    for step in incident.steps:
        say(f"$ {' '.join(_arguments(step, variables, incident))}")
        _run(lab, incident, step, variables)
    for condition in incident.ready:
        settling.wait_for(lab, condition)
        say(f"{condition.cluster}: {condition.what}")
    lab = dataclasses.replace(lab, incident=incident.id)
    lab.save()
    files.write_inventory(lab)
    return lab


def _in_each(lab: LabInfo, work: t.Callable[[ClusterInfo], None]) -> None:
    """Does something to all clusters side by side. Raises the first failure."""
    with concurrent.futures.ThreadPoolExecutor(len(lab.clusters)) as pool:
        for done in [pool.submit(work, cluster) for cluster in lab.clusters]:
            done.result()


def _apply_definitions(cluster: ClusterInfo, incident: Incident) -> None:
    client = cluster.client(PLANTER)
    wanted = definitions.load(incident.crds, f"incident {incident.id}")
    for definition in wanted:
        _apply(client, definition, cluster)
    for definition in wanted:
        _await_established(client, definition["metadata"]["name"])


def _apply_objects(lab: LabInfo, cluster: ClusterInfo, incident: Incident) -> None:
    client = cluster.client(PLANTER)
    for obj in incident.objects(lab, cluster):
        _apply(client, nodes.as_registered(obj, cluster) if obj["kind"] == "Node" else obj, cluster)


def _check_clusters(lab: LabInfo, incident: Incident) -> None:
    there = [(each.name, each.pod_cidr, each.service_cidr) for each in lab.clusters]
    wanted = [(each.name, each.pod_cidr, each.service_cidr) for each in incident.clusters]
    if there != wanted:
        raise LabError(
            f"incident {incident.id} cannot be planted in {lab.dir}: it needs the clusters {_listed(wanted)}, the lab has {_listed(there)}. "
            f"Start one with `python -m tests.lab up --dir DIR --incident {incident.id}`"
        )
    if bool(incident.layout) != all(each.at_rest for each in lab.clusters):
        kind = "at rest" if incident.layout else "with controllers"
        raise LabError(f"incident {incident.id} needs clusters {kind}: start a lab with `python -m tests.lab up --dir DIR --incident {incident.id}`")
    if incident.layout and lab.layout not in (None, incident.layout.name):
        raise LabError(f"incident {incident.id} is one of layout {incident.layout.name}, {lab.dir} holds {lab.layout}: start a fresh lab for it")
    if lab.stages != incident.stages:
        raise LabError(f"incident {incident.id} has kwok Stages of its own, which only `python -m tests.lab up --dir DIR --incident {incident.id}` loads")
    if lab.incident is not None:
        raise LabError(f"incident {lab.incident} is planted in {lab.dir} already: start a fresh lab for another")


def _listed(clusters: list[tuple[str, str, str]]) -> str:
    return ", ".join(f"{name} (pods {pods}, services {services})" for name, pods, services in clusters)


def _apply(client: Client, obj: Object, cluster: ClusterInfo) -> None:
    """Applies an object, again while the cluster is not yet ready for it."""
    deadline = time.monotonic() + APPLY_SECONDS
    while True:
        try:
            client.apply(obj)
            return
        except ApiError as error:
            if not (error.unreachable or error.not_found) or time.monotonic() > deadline:
                name = f"{obj['kind']} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}".replace(" /", " ")
                raise LabError(f"{cluster.name} does not take {name}: {error}") from error
        time.sleep(POLL_SECONDS)


def _await_established(client: Client, name: str) -> None:
    deadline = time.monotonic() + APPLY_SECONDS
    while not definitions.is_established(client.get(f"{definitions.CRD_PATH}/{name}")):
        if time.monotonic() > deadline:
            raise LabError(f"the CustomResourceDefinition {name} is not established after {APPLY_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _arguments(step: Step, variables: dict[str, str], incident: Incident) -> list[str]:
    return [fill(each, variables, incident.file) for each in step.run]


def _run(lab: LabInfo, incident: Incident, step: Step, variables: dict[str, str]) -> None:
    command = _arguments(step, variables, incident)
    added = {key: fill(value, variables, incident.file) for key, value in step.environment.items()}
    path = f"{lab.subctl.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # The program is looked up in the parent's PATH by subprocess, so it is looked up here in the step's.
    environment = {**os.environ, "PATH": path, "LAB_DIR": str(lab.dir), **added}
    try:
        done = subprocess.run(
            ["/usr/bin/env", *command],
            cwd=lab.dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(command)}` of incident {incident.id} has not ended after {STEP_SECONDS:.0f} s:\n{error.output or ''}") from error
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` of incident {incident.id} ended with exit code {done.returncode}:\n{done.stdout}")
