# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Setting Calico's MTU where it lasts: which objects must change, decided before anything is written, and then the writing."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import (
    KUBESPRAY_FILE,
    person_kubespray,
    set_installation,
    set_values,
    would_set_installation,
)
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import content, differing
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import OVERLAY, WITH_INSTALLATION, Method, method_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import RKE2_CALICO, restart_missing
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import Live, Override, live_change, next_mark, patch_of, referred
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_overrides import FelixOverride, felix_overrides
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import MtuSettings, calico_node, number, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

_KUBESPRAY_TRAPS = (
    "calico_mtu must be a number: as a string, such as with -e calico_mtu=1400, it reaches the tunnels and not the pods. Take calico_veth_mtu out: "
    "against its name it sets the tunnels, and not the pods."
)


class Knob(t.NamedTuple):
    """What must be written for an MTU.

    :param durable: Installation, or what renders it, must change.
    :param live: the objects of an installation without operator; None with one.
    :param restart: calico-node has not read the ConfigMap since it changed, and is started anew.
    :param felix: fields of FelixConfigurations that are taken out.
    :param overrides: what wins over the MTU, or is dead, and stays.
    :param read: the objects that ``live`` was computed from, by path.
    :param rolls: calico-node will be rolled out.
    :param impossible: why the live objects cannot be given it, "" where they can.
    :param by_person: nothing of it is written here.
    """

    mtu: int
    method: str
    was: int | None
    durable: bool = False
    live: Live | None = None
    restart: bool = False
    felix: tuple[FelixOverride, ...] = ()
    overrides: tuple[t.Mapping[str, t.Any], ...] = ()
    rolls: bool = False
    impossible: str = ""
    by_person: bool = False
    read: t.Mapping[str, t.Mapping[str, t.Any]] = {}

    @property
    def changes(self) -> bool:
        return self.durable or self.restart or bool(self.felix or self.impossible) or (self.live is not None and self.live.changes)


def plan_knob(task: Task, snapshot: Snapshot, mtu: int) -> Knob:
    """Decide what must be written.

    :raises RefusedError: what would win over it makes tunnels too small for the pods.
    """
    settings, method = read_settings(snapshot), method_of(snapshot)
    correct = bool(task.params["correct_overrides"])
    knob = Knob(mtu, method, settings.pod)
    if method in WITH_INSTALLATION:
        stands = _stands_in_installations(snapshot, mtu)
        writes = would_set_installation(task, snapshot, _fragment(mtu))
        by_person = method == Method.HELM and not stands and not task.params["write_live"]
        knob = knob._replace(durable=writes or by_person, rolls=writes and not stands, by_person=by_person)
    else:
        knob = _plan_live(task, snapshot, settings, knob, correct)
    felix = felix_overrides(snapshot, settings.tunnels or (), mtu)
    taken = felix if correct and not knob.by_person else ()
    left = () if taken else felix
    overrides = [entry.to_dict() for entry in left] + [_told(entry) for entry in (knob.live.overrides if knob.live else ())]
    knob = knob._replace(felix=taken, overrides=tuple(overrides))
    if not correct:
        _refuse_too_small(task, knob)
    elif knob.by_person and left:
        fields = ", ".join(f"{entry.felix.ref} {entry.field}" for entry in left[:5])
        task.warnings.append(f"{task.member.name}: {fields} is left until a person has set the MTU. Run this again then, and it is taken out.")
    return knob


def _plan_live(task: Task, snapshot: Snapshot, settings: MtuSettings, knob: Knob, correct: bool) -> Knob:
    daemon_set = _daemon_set(task, snapshot)
    found = {name: task.writer.read(_config_map(snapshot, name)) for name in referred(daemon_set)}
    maps = {name: (each or {}).get("data") or {} for name, each in found.items()}
    live = live_change(daemon_set, maps, knob.mtu, kubespray=knob.method == Method.KUBESPRAY, correct=correct)
    if live.impossible:
        return knob._replace(impossible=live.impossible, by_person=True)
    absent = [name for name in sorted(live.config_maps) if found[name] is None]
    if absent:
        path = _config_map(snapshot, absent[0])
        raise RefusedError(f"{task.member.name}: ConfigMap {absent[0]}, from which calico-node takes its MTU, does not exist ({path}). Nothing was written.")
    read = {_daemon_set_path(snapshot): daemon_set, **{_config_map(snapshot, name): each for name, each in found.items() if each is not None}}
    restart = bool(live.config_maps and not live.variables) or (not live.changes and restart_missing(snapshot, settings))
    return knob._replace(live=live, restart=restart, rolls=live.changes or restart, read=read)


def _refuse_too_small(task: Task, knob: Knob) -> None:
    small = [entry for entry in knob.overrides if entry["wins"] and knob.mtu and number(entry["value"]) < knob.mtu]
    if small:
        named = ", ".join(f"{entry['where']} {entry['field']} {entry['value']}" for entry in small[:5])
        raise RefusedError(
            f"{task.member.name}: {named} would win over an MTU of {knob.mtu} and keep tunnels too small for the pods' packets. Set correct_overrides=true, or "
            "take it out. Nothing was written."
        )


def write_knob(task: Task, snapshot: Snapshot, knob: Knob) -> bool:
    """Write what was planned, but for the overrides that :func:`take_out_overrides` takes out. Returns whether calico-node is being rolled out with it.

    :raises RefusedError: what it was computed from has changed meanwhile.
    :raises ConflictError: it changed in between.
    """
    why = _why(knob)
    for entry in knob.felix:
        if not _is_last(entry):
            _take_out(task, snapshot, entry, why)
    if knob.impossible:
        _tell_impossible(task, knob, why)
        return False
    if knob.live is not None:
        _write_live(task, snapshot, knob)
        if knob.method == Method.KUBESPRAY and knob.live.changes:
            _tell_kubespray(task, knob.mtu, why)
    elif knob.durable:
        written = set_installation(task, snapshot, _fragment(knob.mtu), why=why)
        if written and knob.method == Method.ROKS:
            text = "Reboot or replace the workers one by one: IBM asks for it after a change of the MTU, and pods keep the MTU that they started with."
            task.people.append(Person(text, "workers of this cluster", "ibmcloud oc worker reboot --cluster CLUSTER --worker WORKER"))
        return written and knob.rolls
    return knob.rolls


def take_out_overrides(task: Task, snapshot: Snapshot, knob: Knob) -> None:
    """Take out what wins over the MTU now. To be called when calico-node runs with the MTU: until then tunnels would be left without any."""
    for entry in knob.felix:
        if _is_last(entry):
            _take_out(task, snapshot, entry, _why(knob))


def _is_last(entry: FelixOverride) -> bool:
    """Whether it is taken out after the MTU is made; one that only comes into force when the environment goes is taken out before."""
    return entry.in_force or not entry.wins


def _why(knob: Knob) -> str:
    return f"pods and tunnels have an MTU of {knob.mtu}" if knob.mtu else "Calico derives the MTU from the nodes' links"


def _write_live(task: Task, snapshot: Snapshot, knob: Knob) -> None:
    live = t.cast(Live, knob.live)
    path = _daemon_set_path(snapshot)
    maps = {name: _unchanged(task, knob, _config_map(snapshot, name)) for name in sorted(live.config_maps)}
    daemon_set = _unchanged(task, knob, path)
    for name, values in sorted(live.config_maps.items()):
        task.writer.patch(_config_map(snapshot, name), maps[name], {"data": dict(values)})
        task.lines.append(f"{task.member.name}: ConfigMap {name}: {', '.join(f'{key} {_short(value)}' for key, value in sorted(values.items()))}.")
    mark = next_mark(daemon_set["spec"]["template"], knob.mtu) if knob.restart else ""
    patch = patch_of(daemon_set, live, mark)
    if patch:
        task.writer.patch(path, daemon_set, patch)
        names = sorted({name for _part, _container, name in live.variables})
        wanted = f"MTU {knob.mtu}" if knob.mtu else "an MTU that Calico derives"
        said = f"{', '.join(names)} of calico-node set for {wanted}" if names else f"calico-node started anew for {wanted}"
        task.lines.append(f"{task.member.name}: {said}.")


def _unchanged(task: Task, knob: Knob, path: str) -> dict[str, t.Any]:
    """An object that the change was computed from, as it is now: only its status may be another one.

    :raises RefusedError: somebody has changed it meanwhile, so that the change would undo what they did, or it has gone.
    """
    was = knob.read[path]
    metadata = was["metadata"]
    named = f"{task.member.name}: {was.get('kind', 'object')} {metadata.get('namespace', '')}/{metadata.get('name', '')}"
    found = task.writer.read(path)
    if found is None:
        raise RefusedError(f"{named} has gone since it was read ({path}). {task.writer.extent} Run this again.")
    fields = differing({"uid": metadata.get("uid"), "content": content(was)}, found)
    if fields:
        raise RefusedError(f"{named} was changed by somebody else meanwhile, in {', '.join(fields[:5])}. {task.writer.extent} Run this again.")
    return found


def _take_out(task: Task, snapshot: Snapshot, entry: FelixOverride, why: str) -> None:
    rendered = next((config for config in snapshot.helm_chart_configs.items if config.ref.name == RKE2_CALICO), None)
    if rendered is not None and f"felixConfiguration.{entry.field}" in rendered.values:
        set_values(task, snapshot, {"felixConfiguration": {entry.field: None}}, why=why)
    path = f"/apis/{entry.felix.api_version}/felixconfigurations/{entry.felix.ref.name}"
    found = task.writer.read(path)
    if found is not None and entry.field in (found.get("spec") or {}):
        task.writer.patch(path, found, {"spec": {entry.field: None}})
        task.lines.append(f"{task.member.name}: {entry.field} {entry.value} taken out of {entry.felix.ref}.")


def _tell_kubespray(task: Task, mtu: int, why: str) -> None:
    if mtu:
        person_kubespray(task, {"calico_mtu": mtu}, why)
    else:
        text = f"Take calico_mtu out of Kubespray's inventory, so that {why} also after its next run."
        task.people.append(Person(text, f"Kubespray's inventory, {KUBESPRAY_FILE}", _inventory(mtu)))
    task.people[-1] = task.people[-1]._replace(text=f"{task.people[-1].text} {_KUBESPRAY_TRAPS}")


def _tell_impossible(task: Task, knob: Knob, why: str) -> None:
    if knob.method == Method.KUBESPRAY:
        _tell_kubespray(task, knob.mtu, why)
        task.people[-1] = task.people[-1]._replace(text=f"Here {knob.impossible}. {task.people[-1].text}")
        return
    text = f"Here {knob.impossible}. Write it into that file on every node and start calico-node anew, so that {why}."
    task.people.append(Person(text, "the CNI configuration on the nodes", f'"mtu": {knob.mtu}'))


def _inventory(mtu: int) -> str:
    return f"calico_mtu: {mtu}\n" if mtu else "# take out: calico_mtu, calico_veth_mtu\n"


def _told(entry: Override) -> dict[str, t.Any]:
    return {**entry._asdict(), "wins": True}


def _short(value: str) -> str:
    return value if len(value) <= 20 else "with its mtu"


def _stands_in_installations(snapshot: Snapshot, mtu: int) -> bool:
    """Whether the Installation has the MTU, and the overlay no other one."""
    for installation in snapshot.installations.items:
        found = installation.spec.get("calicoNetwork")
        network = found if isinstance(found, dict) else {}
        if (installation.ref.name != OVERLAY or "mtu" in network) and number(str(network.get("mtu") or "")) != mtu:
            return False
    return True


def _fragment(mtu: int) -> dict[str, t.Any]:
    return {"calicoNetwork": {"mtu": mtu or None}}


def _daemon_set_path(snapshot: Snapshot) -> str:
    found = calico_node(snapshot)
    if found is None:
        raise RefusedError(f"{snapshot.cluster}: there is no DaemonSet calico-node. Nothing was written.")
    return f"/apis/apps/v1/namespaces/{found.ref.namespace}/daemonsets/{found.ref.name}"


def _daemon_set(task: Task, snapshot: Snapshot) -> dict[str, t.Any]:
    path = _daemon_set_path(snapshot)
    found = task.writer.read(path)
    if found is None:
        raise RefusedError(f"{task.member.name}: DaemonSet calico-node has gone since the cluster was read ({path}). Start again.")
    return found


def _config_map(snapshot: Snapshot, name: str) -> str:
    found = calico_node(snapshot)
    return f"/api/v1/namespaces/{found.ref.namespace if found else 'kube-system'}/configmaps/{name}"
