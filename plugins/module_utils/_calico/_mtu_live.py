# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The MTU of an installation without operator, as changes of its live objects: DaemonSet calico-node and the ConfigMaps that its environment refers to.

calico.yaml keeps one number, ConfigMap calico-config ``veth_mtu``, to which CNI_MTU and three variables of Felix refer (projectcalico/calico
manifests/calico.yaml). Kubespray writes literals: ``mtu`` into the CNI configuration, where calico_mtu is a number, and the same three variables
(kubespray roles/network_plugin/calico/templates/calico-node.yml.j2 and cni-calico.conflist.j2); what is made here is what it would make of
``calico_mtu: N`` without ``calico_veth_mtu``.
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, TUNNELS, VXLAN, WIREGUARD
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_conflist import CNI_MTU, mtu_of, with_mtu
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import ENVIRONMENT
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN

ANNOTATION = f"{DOMAIN}/mtu"  # of a pod template: for which MTU it was rolled out anew, where the template itself does not say
_AGAIN = " again"
CONFIG, CONFIG_FILE, PODS = "CNI_NETWORK_CONFIG", "CNI_NETWORK_CONFIG_FILE", "CNI_MTU"
OF_KUBESPRAY = tuple(ENVIRONMENT[tunnel] for tunnel in (IPIP, VXLAN, WIREGUARD))
_PARTS = ("initContainers", "containers")

Object = t.Dict[str, t.Any]


class Place(t.NamedTuple):
    """Where an environment variable has its value. ``key`` of ConfigMap ``config_map``, both "" for a literal; ``value`` None where it cannot be read."""

    part: str
    container: str
    value: str | None
    config_map: str = ""
    key: str = ""


class Override(t.NamedTuple):
    """A setting that wins over the one that is made, and says something else."""

    where: str
    field: str
    value: str


class Live(t.NamedTuple):
    """:param config_maps: new values by ConfigMap and key; only what differs.
    :param variables: new values of literals by (part of the pod's spec, container, variable), None to take it out; only what differs.
    :param overrides: literals that somebody set besides, and that are left alone.
    :param impossible: why the live objects cannot be given the MTU, "" where they can.
    """

    config_maps: t.Mapping[str, t.Mapping[str, str]]
    variables: t.Mapping[tuple[str, str, str], str | None]
    overrides: tuple[Override, ...] = ()
    impossible: str = ""

    @property
    def changes(self) -> bool:
        return bool(self.config_maps or self.variables)


def referred(daemon_set: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """The names of the ConfigMaps that the MTU can stand in."""
    wanted = (CONFIG, PODS, *ENVIRONMENT.values())
    entries = (entry for _part, _container, entry in _environment(daemon_set) if entry.get("name") in wanted)
    found = (((entry.get("valueFrom") or {}).get("configMapKeyRef") or {}).get("name") for entry in entries)
    return tuple(sorted({name for name in found if name}))


def live_change(daemon_set: t.Mapping[str, t.Any], config_maps: t.Mapping[str, t.Mapping[str, str]], mtu: int, *, kubespray: bool, correct: bool) -> Live:
    """What must change for pods and tunnels to have ``mtu``.

    :param daemon_set: calico-node as it is.
    :param config_maps: ``data`` by name, of those that it refers to.
    :param mtu: bytes; 0 leaves both to Calico.
    :param correct: change literals that somebody set besides, too.
    """
    places = dict(_places(daemon_set, config_maps))
    text = places.get(CONFIG)
    if text is None or text.value is None or CONFIG_FILE in places:
        why = "the CNI configuration is a file on the nodes" if CONFIG_FILE in places else f"DaemonSet calico-node has no {CONFIG} that can be read"
        return Live({}, {}, (), f"{why}, so that pods cannot be given another MTU through the API")
    said = mtu_of(text.value)
    changed = with_mtu(text.value, mtu)
    if said is None or changed is None:
        return Live({}, {}, (), f"{CONFIG} of DaemonSet calico-node holds no CNI configuration with one plugin of type calico")
    live = _Change(str(mtu))
    if said == CNI_MTU:
        live.put(PODS, places.get(PODS) or Place(text.part, text.container, ""))
    elif said != mtu:
        live.put(CONFIG, text, changed)
    if said != CNI_MTU and PODS in places and kubespray:
        live.put(PODS, places[PODS], None if not mtu and not places[PODS].config_map else str(mtu))
    for tunnel in TUNNELS:
        live.tunnel(ENVIRONMENT[tunnel], places.get(ENVIRONMENT[tunnel]), kubespray and ENVIRONMENT[tunnel] in OF_KUBESPRAY, correct, mtu)
    return Live(live.config_maps, live.variables, tuple(live.overrides))


class _Change:
    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.config_maps: dict[str, dict[str, str]] = {}
        self.variables: dict[tuple[str, str, str], str | None] = {}
        self.overrides: list[Override] = []

    def put(self, name: str, place: Place, value: str | None = "") -> None:
        value = self.wanted if value == "" else value
        if place.value == value:
            return
        if place.config_map:
            self.config_maps.setdefault(place.config_map, {})[place.key] = value or "0"
        else:
            self.variables[place.part, place.container, name] = value

    def tunnel(self, name: str, place: Place | None, is_kubesprays: bool, correct: bool, mtu: int) -> None:
        if place is None:
            if is_kubesprays and mtu:
                self.variables["containers", "calico-node", name] = self.wanted
        elif place.config_map or is_kubesprays:
            self.put(name, place, None if is_kubesprays and not mtu and not place.config_map else self.wanted)
        elif place.value != self.wanted and correct:
            self.put(name, place)
        elif place.value != self.wanted:
            self.overrides.append(Override("DaemonSet calico-node", f"env {name}", place.value or ""))


def patch_of(daemon_set: t.Mapping[str, t.Any], live: Live, mark: str = "") -> Object:
    """The merge patch of the DaemonSet, {} for none. Lists are replaced whole by a merge patch, so all entries of a changed one are in it.

    :param mark: for the annotation that makes calico-node start anew.
    """
    spec = daemon_set["spec"]["template"]["spec"]
    template: Object = {}
    for part in _PARTS:
        containers = copy.deepcopy(spec.get(part) or [])
        changed = False
        for container in containers:
            values = {name: value for (at, owner, name), value in live.variables.items() if (at, owner) == (part, container["name"])}
            if values:
                container["env"] = _merged(container.get("env") or [], values)
                changed = True
        if changed:
            template.setdefault("spec", {})[part] = containers
    if mark:
        template["metadata"] = {"annotations": {ANNOTATION: mark}}
    return {"spec": {"template": template}} if template else {}


def _merged(entries: t.Sequence[Object], values: t.Mapping[str, str | None]) -> list[Object]:
    kept = [entry if entry.get("name") not in values else {"name": entry["name"], "value": values[entry["name"]]} for entry in entries]
    names = {entry.get("name") for entry in entries}
    added = [{"name": name, "value": value} for name, value in values.items() if name not in names]
    return [entry for entry in (*kept, *added) if entry.get("value", "") is not None]


def next_mark(template: t.Mapping[str, t.Any], mtu: int) -> str:
    """The value of the annotation that makes a pod template another one, and says for which MTU: the same in check mode and out."""
    current = ((template.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION, "")
    return str(mtu) if current != str(mtu) else f"{mtu}{_AGAIN}"


def signature(template: t.Mapping[str, t.Any]) -> tuple[tuple[str, t.Any], ...]:
    """What a template of calico-node says of the MTU itself: rollouts that differ in it changed the MTU."""
    values: dict[str, t.Any] = {}
    for _part, _container, entry in _environment({"spec": {"template": template}}):
        name, value = entry.get("name"), entry.get("value")
        if name == CONFIG and value:
            values[name] = mtu_of(value)
        elif name in (PODS, *ENVIRONMENT.values()) and value is not None:
            values[name] = value
    mark = ((template.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION)
    if mark:
        values[ANNOTATION] = mark.removesuffix(_AGAIN)
    return tuple(sorted(values.items()))


def _places(daemon_set: t.Mapping[str, t.Any], config_maps: t.Mapping[str, t.Mapping[str, str]]) -> t.Iterator[tuple[str, Place]]:
    for part, container, entry in _environment(daemon_set):
        reference = (entry.get("valueFrom") or {}).get("configMapKeyRef")
        if reference:
            name, key = reference.get("name", ""), reference.get("key", "")
            yield entry["name"], Place(part, container, config_maps.get(name, {}).get(key), name, key)
        elif not entry.get("valueFrom"):
            yield entry["name"], Place(part, container, str(entry.get("value") or ""))


def _environment(daemon_set: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str, Object]]:
    spec = daemon_set["spec"]["template"].get("spec") or {}
    for part in _PARTS:
        for container in spec.get(part) or []:
            for entry in container.get("env") or []:
                yield part, container["name"], entry
