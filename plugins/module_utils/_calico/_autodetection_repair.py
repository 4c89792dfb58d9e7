# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which families of addresses need another method of autodetection, and what every node's address must be with it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection import (
    CAN_REACH,
    CIDR,
    DEVICES,
    INTERFACE,
    INTERNAL_IP,
    OFF,
    SKIP_INTERFACE,
    Method,
    devices,
    evaluate,
    methods,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least, calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import calico_node_pods
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import ADDRESS, calico_addresses, internal_addresses, of_submariner
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node, node_env
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES, IPV4, Address, Network, holds, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Pod, Snapshot

NUMBER = {family: "4" if family == IPV4 else "6" for family in FAMILIES}
FIELD = {family: f"nodeAddressAutodetectionV{number}" for family, number in NUMBER.items()}
VARIABLE = {family: f"IP{'' if family == IPV4 else '6'}_AUTODETECTION_METHOD" for family in FAMILIES}
KUBESPRAY = {family: f"calico_ip{'' if family == IPV4 else '6'}_auto_method" for family in FAMILIES}
KINDS = (INTERNAL_IP, SKIP_INTERFACE, CAN_REACH, INTERFACE, CIDR)
# Every method of an Installation, and what stands for its absence: no more than one may be given (tigera/operator pkg/controller/installation/validation.go).
_ABSENT: t.Mapping[str, t.Any] = {"firstFound": False, "interface": "", "skipInterface": "", "canReach": "", "cidrs": [], "kubernetes": None}
_FIRST_WITH_INTERNAL_IP = (3, 17)  # projectcalico/calico node/pkg/lifecycle/startup: kubernetes-internal-ip


class Wanted(t.NamedTuple):
    """A method of autodetection. ``argument`` is as the environment variable takes it: several values are separated by commas."""

    kind: str
    argument: str = ""

    @property
    def variable(self) -> str:
        """As the value of calico-node's environment variable."""
        return f"{self.kind}={self.argument}" if self.argument else self.kind

    def field(self, family: str) -> dict[str, t.Any]:
        """As the value of a field of the Installation; one family's CIDRs alone."""
        if self.kind == INTERNAL_IP:
            return {"kubernetes": "NodeInternalIP"}
        if self.kind == CIDR:
            return {"cidrs": [str(network) for network in parse_cidrs(self.argument).of(family)]}
        return {{SKIP_INTERFACE: "skipInterface", CAN_REACH: "canReach", INTERFACE: "interface"}[self.kind]: self.argument}

    def of_family(self, family: str) -> Wanted:
        """The method for one family: CIDRs of the other one are none of its business."""
        if self.kind != CIDR:
            return self
        return Wanted(CIDR, ",".join(str(network) for network in parse_cidrs(self.argument).of(family)))


def in_values(field: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A method as the values of a Helm release must have it: whatever else is in force is named, too, as absent.

    The operator writes its default ``firstFound: true`` into Installation.spec, where Helm leaves what it has not written itself. An empty value counts as
    absent; a null would not do: Helm drops it where the chart has no such value, and ``--reuse-values`` brings the old one back.

    :param field: of :meth:`Wanted.field`.
    :param found: the same field of Installation.spec.
    """
    others = {key: absent for key, absent in _ABSENT.items() if key not in field and (key == "firstFound" or found.get(key))}
    return {**others, **field}


class Expected(t.NamedTuple):
    """One node on which calico-node runs, and the addresses that it may have there.

    :param allowed: exactly one of these; None where any is right that is not Submariner's.
    :param networks: or any of these.
    """

    node: str
    family: str
    allowed: tuple[Address, ...] | None
    networks: tuple[Network, ...] = ()

    def lacks(self, annotations: t.Mapping[str, str]) -> str:
        """What is wrong with the address in a Node's annotations, in words; "" where nothing is."""
        value = annotations.get(ADDRESS[self.family], "")
        address = parse_address(value.partition("/")[0])
        if address is None:
            return f"{self.node} has no {ADDRESS[self.family]}"
        if of_submariner(address):
            return f"{self.node} has {value}, an address of Submariner's"
        if self.allowed is not None and address not in self.allowed:
            return f"{self.node} has {value} instead of {' or '.join(map(str, self.allowed))}"
        if self.networks and not holds(self.networks, address):
            return f"{self.node} has {value}, which is in none of {', '.join(map(str, self.networks))}"
        return ""


class Repair(t.NamedTuple):
    """What is to be done.

    :param change: families whose method must be replaced, with what it is now.
    :param keep: families that have the wanted method: whether it will last there is looked at, too.
    :param expected: for every node with a calico-node and every family in ``change``, and for IPv4 in any case.
    :param restart: calico-node's pods on nodes that keep an address of Submariner's though the method is right and rolled out: a start finds another one.
    :param pending: whether nodes have such an address, and the rollout that gives them another one is under way.
    """

    change: tuple[Method, ...]
    keep: tuple[Method, ...]
    expected: tuple[Expected, ...]
    restart: tuple[Pod, ...]
    pending: bool


def wanted_method(kind: str, arguments: t.Mapping[str, str]) -> Wanted:
    """The method that the options ask for.

    :param arguments: for each kind but INTERNAL_IP its argument, "" where it was not given.
    :raises InputError: it is incomplete, contradicts itself, or would find Submariner's devices itself.
    """
    others = [name for name, value in arguments.items() if value and name != kind]
    if others:
        raise InputError(f"{' and '.join(others)} {'were' if len(others) > 1 else 'was'} given with method={kind}, which does not use it. Nothing was sent.")
    argument = arguments.get(kind, "")
    if kind != INTERNAL_IP and not argument:
        raise InputError(f"method={kind} needs option {kind.replace('-', '_')}{'s' if kind == CIDR else ''}. Nothing was sent.")
    if kind == CIDR:
        problems = parse_cidrs(argument).problems
        if problems:
            raise InputError(f"cidrs: {'; '.join(map(str, problems))}. Nothing was sent.")
    for family in FAMILIES:
        verdict = evaluate(Method(family, kind, argument, Seen("", "", "")), DEVICES[:2])
        if verdict.picks is not False:
            raise InputError(f"method={kind} with {argument!r} is no remedy: {verdict.why}. Nothing was sent.")
    return Wanted(kind, argument)


def repair(snapshot: Snapshot, wanted: Wanted, families: t.Collection[str] = ()) -> Repair:
    """Decide what to change.

    A method that cannot find Submariner's devices is left alone, be it better or worse than the wanted one otherwise.

    :param families: those that get the wanted method in any case.
    :raises RefusedError: what is needed to decide could not be read, or the wanted method would leave a node without address.
    """
    found, unread = methods(snapshot)
    if unread or not found:
        raise RefusedError(f"{snapshot.cluster}: {unread or 'nothing tells how calico-node finds its address'}. Nothing was written.")
    if not snapshot.pods.known:
        raise RefusedError(f"{snapshot.cluster}: on which nodes calico-node runs is unknown: the pods could not be read. Nothing was written.")
    change = tuple(method for method in found if _is_wrong(snapshot, method, wanted, families))
    keep = tuple(method for method in found if method not in change and _is_wanted(method, wanted))
    absent = [family for family in families if family not in [method.family for method in found]]
    if absent:
        raise RefusedError(f"{snapshot.cluster}: Calico has no {' and no '.join(absent)} here, so there is no method to be set. Nothing was written.")
    if change and wanted.kind == INTERNAL_IP and at_least(calico_version(snapshot), *_FIRST_WITH_INTERNAL_IP) is False:
        raise RefusedError(
            f"{snapshot.cluster}: Calico {calico_version(snapshot)} does not know {INTERNAL_IP} (3.17 and later do). Nothing was written. Use "
            f"method={SKIP_INTERFACE} with skip_interface={','.join(f'^{name}$' for name in DEVICES)}."
        )
    running = _running(snapshot)
    expected = [entry for method in change for entry in _expected(running, wanted, method.family)]
    if IPV4 not in [method.family for method in change]:
        kept = next((method for method in found if method.family == IPV4 and method.kind != OFF), None)
        if kept is not None:
            expected += [Expected(node.ref.name, IPV4, None) for node, _pod in running]
    _require_addresses(snapshot, wanted, change, expected)
    hit = [] if change else [pod for node, pod in running if any(of_submariner(entry.address) for entry in calico_addresses([node]))]
    settled = _settled(snapshot, found)
    gateways = {node.ref.name for node, _pod in running if node.is_gateway}
    restart = tuple(sorted(hit, key=lambda pod: (pod.node in gateways, pod.node))) if settled else ()
    return Repair(change, keep, tuple(expected), restart, bool(hit) and not settled)


def _settled(snapshot: Snapshot, found: t.Iterable[Method]) -> bool:
    """Whether every calico-node runs with the methods that were found: the operator takes a while to bring its Installation into the DaemonSet."""
    daemon_set = calico_node(snapshot)
    if daemon_set is None or daemon_set.updated < daemon_set.desired or daemon_set.observed_generation < daemon_set.generation:
        return False
    return all(
        node_env(snapshot, VARIABLE[method.family])[1] in (Wanted(method.kind, method.argument).variable, None) for method in found if method.kind != OFF
    )


def _is_wanted(method: Method, wanted: Wanted) -> bool:
    own = wanted.of_family(method.family)
    return (method.kind, method.argument) == (own.kind, own.argument)


def _is_wrong(snapshot: Snapshot, method: Method, wanted: Wanted, families: t.Collection[str]) -> bool:
    if method.family in families:
        return not _is_wanted(method, wanted)
    verdict = evaluate(method, devices(_cable_driver(snapshot)), _remote(snapshot))
    if verdict.picks is None:
        raise RefusedError(
            f"{snapshot.cluster}: whether calico-node would take an address of Submariner's is unknown: {verdict.why}. Nothing was written. "
            f"To replace the method all the same, name {method.family} in families."
        )
    return verdict.picks


def _cable_driver(snapshot: Snapshot) -> str:
    return str(snapshot.submariner.spec.get("cableDriver") or "") if snapshot.submariner else ""


def _remote(snapshot: Snapshot) -> tuple[Network, ...]:
    own = snapshot.submariner
    if own is None:
        return ()
    remote = [entry for entry in snapshot.endpoints.items if entry.ref.namespace == own.ref.namespace and entry.cluster_id != own.cluster_id]
    return tuple(parse_cidrs([subnet for entry in remote for subnet in entry.subnets]).networks)


def _running(snapshot: Snapshot) -> list[tuple[Node, Pod]]:
    """The nodes on which calico-node runs: others have no address, or one that nobody keeps."""
    daemon_set = calico_node(snapshot)
    nodes = {node.ref.name: node for node in snapshot.nodes.items}
    pods = calico_node_pods(snapshot, daemon_set) if daemon_set is not None else ()
    return [(nodes[pod.node], pod) for pod in pods if pod.node in nodes and not pod.deleting]


def _expected(running: t.Iterable[tuple[Node, Pod]], wanted: Wanted, family: str) -> t.Iterator[Expected]:
    for node, _pod in running:
        if wanted.kind == INTERNAL_IP:
            yield Expected(node.ref.name, family, internal_addresses(node, family))
        else:
            networks = tuple(parse_cidrs(wanted.argument).of(family)) if wanted.kind == CIDR else ()
            yield Expected(node.ref.name, family, None, networks)


def _require_addresses(snapshot: Snapshot, wanted: Wanted, change: t.Sequence[Method], expected: t.Iterable[Expected]) -> None:
    """calico-node ends at its start where it finds no address."""
    for method in change:
        if wanted.kind == CIDR and not wanted.of_family(method.family).argument:
            raise RefusedError(f"{snapshot.cluster}: none of the cidrs is {method.family}, which Calico uses here. Nothing was written.")
    without = [f"{entry.node} ({entry.family})" for entry in expected if entry.allowed == ()]
    if without:
        raise RefusedError(f"{snapshot.cluster}: calico-node would not start on {', '.join(without[:5])}: the Node has no InternalIP. Nothing was written.")
