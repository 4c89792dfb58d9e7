# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every knob that sets an MTU of Calico, what it says on this cluster, and whether it has any effect.

Two consumers read different knobs. A pod's interface takes ``mtu`` of the CNI configuration. A tunnel device takes Felix' parameter, for which the
environment of calico-node wins over FelixConfiguration ``node.<name>``, which wins over ``default`` (projectcalico/calico felix/config/config_params.go):
an environment variable of "0" still wins, and means automatic. The operator writes that environment when Installation has an ``mtu``
(tigera/operator pkg/render/node.go; of IPIP only with BGP, of IPv6 only where IPv6 addresses are detected), calico.yaml always does, from ConfigMap
calico-config ``veth_mtu``, and Kubespray does when ``calico_mtu`` is set.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import calico_ipam, canal_daemon_set, config_map, unread
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, TUNNELS, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import covers, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    Container,
    DaemonSet,
    EnvVar,
    FelixConfiguration,
    Installation,
    IPPool,
    Snapshot,
)

POD = "pod interfaces"
ENVIRONMENT: t.Mapping[str, str] = {
    IPIP: "FELIX_IPINIPMTU",
    VXLAN: "FELIX_VXLANMTU",
    VXLAN_V6: "FELIX_VXLANMTUV6",
    WIREGUARD: "FELIX_WIREGUARDMTU",
    WIREGUARD_V6: "FELIX_WIREGUARDMTUV6",
}
FELIX_FIELD: t.Mapping[str, str] = {
    IPIP: "ipipMTU",
    VXLAN: "vxlanMTU",
    VXLAN_V6: "vxlanMTUV6",
    WIREGUARD: "wireguardMTU",
    WIREGUARD_V6: "wireguardMTUV6",
}
_WIREGUARD = ((WIREGUARD, "FELIX_WIREGUARDENABLED", "wireguardEnabled"), (WIREGUARD_V6, "FELIX_WIREGUARDENABLEDV6", "wireguardEnabledV6"))
_HOST_ENCRYPTION = ("FELIX_WIREGUARDHOSTENCRYPTIONENABLED", "wireguardHostEncryptionEnabled")
_YES = ("true", "1", "yes", "y", "t")  # felix/config/param_types.go, BoolParam
UNRESOLVED = "the ConfigMap that holds it could not be read"
_CNI_MTU = re.compile(r'"mtu":\s*"?(\d+|__[A-Z_]+__)')
_FLANNEL_TYPE = re.compile(r'"Type"\s*:\s*"([a-zA-Z0-9-]+)"')


class Knob(t.NamedTuple):
    """One place that says an MTU.

    :param consumer: ``pod interfaces`` or one of the tunnels of :mod:`_mtu_arithmetic`.
    :param value: as written; "" where nothing is said.
    :param effective: False where another knob outranks it, or nothing reads it.
    :param note: why it has effect, or why not.
    """

    consumer: str
    where: str
    field: str
    value: str
    effective: bool
    note: str = ""


class MtuSettings(t.NamedTuple):
    """:param pod: configured MTU of pods' interfaces, 0 for automatic, None where it could not be read. Nothing reads it where there is a ``cni``.
    :param tunnels: of each tunnel in use its configured MTU, 0 for automatic; None where the tunnels in use are not known.
    :param knobs: every knob that says something, the effective ones first.
    :param missing: what could not be read.
    :param cni: what gives pods their interfaces where Calico does policy alone, "" where Calico does.
    :param aks: see :func:`_mtu_arithmetic.overhead_of`.
    :param emptying: of each tunnel that disabled pools alone ask for the name of one of them.
    """

    pod: int | None
    tunnels: t.Mapping[str, int] | None
    knobs: tuple[Knob, ...]
    missing: tuple[str, ...]
    cni: str = ""
    aks: bool = False
    emptying: t.Mapping[str, str] = {}

    def knob_of(self, consumer: str) -> Knob | None:
        """The knob in force."""
        return next((knob for knob in self.knobs if knob.consumer == consumer and knob.effective), None)


def read_settings(snapshot: Snapshot) -> MtuSettings:
    """What the knobs say. Never raises; what could not be read is named."""
    daemon_set = calico_node(snapshot)
    missing = [f"{name}: {unread(answer)}" for name, answer in _needed(snapshot, daemon_set) if not answer.known]
    in_use = tunnels_in_use(snapshot) if snapshot.ip_pools.known and snapshot.felix_configurations.known else None
    if in_use is not None and daemon_set is not None and _env(daemon_set, "ETCD_ENDPOINTS") is not None:
        missing.append("IPPools: this Calico keeps them in etcd, where the Kubernetes API does not show them")
        in_use = None
    pod, pod_knobs = _pod(snapshot, daemon_set)
    if pod is None:
        missing.append(f"the CNI configuration: {pod_knobs[0].note if pod_knobs else 'no DaemonSet calico-node was found'}")
    tunnel_knobs = [knob for tunnel in TUNNELS for knob in _tunnel(snapshot, daemon_set, tunnel)]
    unresolved = sorted({f"{knob.where} {knob.field} could not be read" for knob in tunnel_knobs if knob.note == UNRESOLVED})
    if unresolved:
        missing += unresolved
        in_use = None
    knobs = sorted((*pod_knobs, *tunnel_knobs), key=lambda knob: not knob.effective)
    tunnels = None if in_use is None else _configured(in_use, tunnel_knobs)
    return MtuSettings(pod, tunnels, tuple(knobs), tuple(missing), policy_only(snapshot), _on_aks(snapshot, daemon_set), _emptying(snapshot))


def _configured(in_use: t.Iterable[str], knobs: t.Sequence[Knob]) -> dict[str, int]:
    return {tunnel: next((number(knob.value) for knob in knobs if knob.consumer == tunnel and knob.effective), 0) for tunnel in in_use}


def number(value: str) -> int:
    """An MTU as written; what is no number counts as automatic, as Felix and the CNI plugin take it."""
    return int(value) if value.strip().isdecimal() else 0


def calico_node(snapshot: Snapshot) -> DaemonSet | None:
    """The DaemonSet that runs calico-node: the operator's, the manifest's or canal's."""
    found = sorted((entry for entry in snapshot.daemon_sets.items if entry.ref.name == "calico-node"), key=lambda entry: entry.ref.namespace)
    return found[0] if found else canal_daemon_set(snapshot)


def pools_in_use(snapshot: Snapshot) -> tuple[IPPool, ...]:
    """This cluster's pools that pods have, or may have, addresses of.

    ``disabled`` ends the giving out of addresses alone: pods keep theirs, and Felix wraps packets to them as before (projectcalico/calico felix/calc,
    EncapsulationCalculator and L3RouteResolver). Pools of remote subnets are left out: traffic to them leaves through Submariner's own tunnels.
    """
    return tuple(pool for pool in snapshot.ip_pools.items if not pool.is_submariner and not (pool.disabled and _is_empty(snapshot, pool)))


def _is_empty(snapshot: Snapshot, pool: IPPool) -> bool:
    """Whether Calico's IPAM is known to have no address of the pool in use."""
    blocks = snapshot.ipam_blocks
    if not blocks.ok or blocks.partial or not calico_ipam(snapshot):
        return False
    ranges = parse_cidrs(pool.cidr).networks
    return not any(block.used and covers(ranges, parse_cidrs(block.cidr).networks) for block in blocks.items)


def tunnels_in_use(snapshot: Snapshot) -> tuple[str, ...]:
    """The encapsulations that packets of pods meet: those of this cluster's pools in use, and WireGuard where Felix has it on."""
    daemon_set = calico_node(snapshot)
    found = {tunnel for pool in pools_in_use(snapshot) for tunnel in _of_pool(pool)}
    found |= {tunnel for tunnel, variable, field in _WIREGUARD if _is_on(snapshot, daemon_set, variable, field)}
    return tuple(tunnel for tunnel in TUNNELS if tunnel in found or tunnel in _of_flannel(snapshot))


def _emptying(snapshot: Snapshot) -> dict[str, str]:
    pools = pools_in_use(snapshot)
    enabled = {tunnel for pool in pools if not pool.disabled for tunnel in _of_pool(pool)}
    return {tunnel: pool.ref.name for pool in pools if pool.disabled for tunnel in _of_pool(pool) if tunnel not in enabled}


def _on_aks(snapshot: Snapshot, daemon_set: DaemonSet | None) -> bool:
    """Felix takes the provider from ClusterInformation's ``clusterType``, where the operator puts the one of Installation (felix/config/config_params.go)."""
    kinds = {kind.strip().lower() for entry in snapshot.cluster_informations.items for kind in entry.cluster_type.split(",")}
    kinds |= {entry.provider.lower() for entry in snapshot.installations.items}
    return "aks" in kinds and _is_on(snapshot, daemon_set, *_HOST_ENCRYPTION)


def _is_on(snapshot: Snapshot, daemon_set: DaemonSet | None, variable: str, field: str) -> bool:
    felix = _felix(snapshot, "default")
    entry = _env(daemon_set, variable) if daemon_set else None
    said = entry.value if entry else str((felix.spec if felix else {}).get(field, ""))
    return said.lower() in _YES


def _of_pool(pool: IPPool) -> t.Iterator[str]:
    if pool.vxlan_mode not in ("", "Never"):
        yield VXLAN_V6 if ":" in pool.cidr else VXLAN
    if pool.ipip_mode not in ("", "Never"):
        yield IPIP


def _of_flannel(snapshot: Snapshot) -> tuple[str, ...]:
    if canal_daemon_set(snapshot) is None:
        return ()
    for entry in snapshot.config_maps.items:
        found = _FLANNEL_TYPE.search(entry.data.get("net-conf.json", ""))
        if found:
            return {"vxlan": (VXLAN,), "wireguard": (WIREGUARD,), "ipip": (IPIP,)}.get(found.group(1).lower(), ())
    return ()


def _needed(snapshot: Snapshot, daemon_set: DaemonSet | None) -> t.Iterator[tuple[str, t.Any]]:
    yield "Installations", snapshot.installations
    yield "DaemonSets", snapshot.daemon_sets
    yield "IPPools", snapshot.ip_pools
    yield "FelixConfigurations", snapshot.felix_configurations
    if daemon_set is not None and not snapshot.installations.items:
        yield "ConfigMaps", snapshot.config_maps


def _pod(snapshot: Snapshot, daemon_set: DaemonSet | None) -> tuple[int | None, list[Knob]]:
    installation = next(iter(snapshot.installations.items), None)
    if installation is not None:
        return _of_installation(installation, policy_only(snapshot))
    if not snapshot.installations.known or daemon_set is None:
        return None, []
    entry = _env(daemon_set, "CNI_NETWORK_CONFIG")
    text, where, field = _resolved(snapshot, daemon_set, entry, "CNI_NETWORK_CONFIG")
    if text is None:
        return None, [Knob(POD, where, field, "", False, f"{where} {field} could not be read".strip())]
    found = _CNI_MTU.search(text)
    if found is None:
        knob = Knob(POD, where, f"{field} mtu", "", True, "the CNI configuration has no mtu: automatic, from /var/lib/calico/mtu")
        return 0, [knob, *_unread_cni_mtu(daemon_set, "Kubespray puts calico_mtu there only where it is a number and no string")]
    if not found.group(1).startswith("__"):
        knob = Knob(POD, where, f"{field} mtu", found.group(1), True, "a number in the CNI configuration")
        return number(found.group(1)), [knob, *_unread_cni_mtu(daemon_set, "it has a number of its own")]
    value, where, field = _resolved(snapshot, daemon_set, _env(daemon_set, "CNI_MTU"), "CNI_MTU")
    if value is None:
        return None, [Knob(POD, where, field, "", False, f"{where} {field} could not be read")]
    note = "0: automatic, from /var/lib/calico/mtu" if not number(value) else "install-cni writes it into the CNI configuration when calico-node starts"
    return number(value), [Knob(POD, where, field, value, True, note)]


def _unread_cni_mtu(daemon_set: DaemonSet, why: str) -> list[Knob]:
    entry = _env(daemon_set, "CNI_MTU")
    if entry is None or not entry.value:
        return []
    return [Knob(POD, str(daemon_set.ref), "env CNI_MTU", entry.value, False, f"the CNI configuration does not refer to it: {why}")]


def _of_installation(installation: Installation, cni: str) -> tuple[int, list[Knob]]:
    where = str(installation.ref)
    wanted, used = (_calico_network(part).get("mtu") for part in (installation.spec, installation.computed))
    if not installation.computed:
        used = wanted
    field = "status.computed.calicoNetwork.mtu" if installation.computed else "spec.calicoNetwork.mtu"
    if cni:
        return number(_text(used)), [Knob(POD, where, field, _text(used), False, f"{cni} gives pods their interfaces, and their MTU")]
    knobs = [Knob(POD, where, field, _text(used), True, _why(used))]
    if wanted != used:
        knobs.append(Knob(POD, where, "spec.calicoNetwork.mtu", _text(wanted), False, "the operator has not taken it up yet"))
    return number(_text(used)), knobs


def _why(used: t.Any) -> str:
    return "the operator writes it into the CNI configuration" if used else "not set: automatic, from /var/lib/calico/mtu"


def _calico_network(spec: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    found = spec.get("calicoNetwork")
    return found if isinstance(found, dict) else {}


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _tunnel(snapshot: Snapshot, daemon_set: DaemonSet | None, tunnel: str) -> t.Iterator[Knob]:
    """The knobs of one tunnel, in the order of their precedence. Flannel, which makes canal's tunnels, reads none of them."""
    if canal_daemon_set(snapshot) is not None:
        return
    outranked = ""
    entry = _env(daemon_set, ENVIRONMENT[tunnel]) if daemon_set else None
    if daemon_set is not None and entry is not None:
        value, where, field = _resolved(snapshot, daemon_set, entry, ENVIRONMENT[tunnel])
        note = "the environment of calico-node wins over FelixConfiguration" + (", also with 0, which means automatic" if value == "0" else "")
        yield Knob(tunnel, where, field, value or "", True, UNRESOLVED if value is None else note)
        outranked = f"{ENVIRONMENT[tunnel]} in the environment of calico-node wins"
    felix = _felix(snapshot, "default")
    if felix is not None and felix.spec.get(FELIX_FIELD[tunnel]) is not None:
        value = str(felix.spec[FELIX_FIELD[tunnel]])
        yield Knob(tunnel, str(felix.ref), f"spec.{FELIX_FIELD[tunnel]}", value, not outranked, outranked or "nothing outranks it")


def _felix(snapshot: Snapshot, name: str) -> FelixConfiguration | None:
    return next((entry for entry in snapshot.felix_configurations.items if entry.ref.name == name), None)


def containers_of(daemon_set: DaemonSet) -> tuple[Container, ...]:
    return (*daemon_set.containers, *daemon_set.init_containers)


def _env(daemon_set: DaemonSet, name: str) -> EnvVar | None:
    return next((entry for container in containers_of(daemon_set) for entry in container.env if entry.name == name), None)


def _resolved(snapshot: Snapshot, daemon_set: DaemonSet, entry: EnvVar | None, name: str) -> tuple[str | None, str, str]:
    """An environment variable's value, the object and the field that it stands in; None where the ConfigMap that holds it was not read."""
    if entry is None or not entry.config_map_key:
        return (entry.value if entry else ""), str(daemon_set.ref), f"env {name}"
    map_name, _slash, key = entry.config_map_key.partition("/")
    found = config_map(snapshot, map_name)
    if found is None:
        return None, f"ConfigMap {daemon_set.ref.namespace}/{map_name}", f"data[{key}]"
    return found.data.get(key, ""), str(found.ref), f"data[{key}]"
