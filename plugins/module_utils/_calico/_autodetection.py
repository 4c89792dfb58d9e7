# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How calico-node finds its own address, and whether that would find one of Submariner's devices.

The rules are those of projectcalico/calico node/pkg/lifecycle/startup/autodetection: interfaces are walked from the newest to the oldest; patterns
match anywhere in a name; ``first-found`` and ``skip-interface`` leave out a fixed list of names that holds none of Submariner's. With
``IP=autodetect`` detection runs again every minute and at every start of calico-node.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import unread
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import SUBMARINER_RANGES
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node, node_env
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import (
    FAMILIES,
    IPV4,
    IPV6,
    Network,
    holds,
    overlap,
    parse_address,
    parse_cidrs,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Installation, Snapshot

FIRST_FOUND = "first-found"
INTERFACE = "interface"
SKIP_INTERFACE = "skip-interface"
CIDR = "cidr"
CAN_REACH = "can-reach"
INTERNAL_IP = "kubernetes-internal-ip"
OFF = "off"  # no address of this family, or one that somebody fixed

EVERY_NODE = "vx-submariner"
VXLAN_CABLE = "vxlan-tunnel"
WIREGUARD_CABLE = "submariner"
DEVICES = (EVERY_NODE, VXLAN_CABLE, WIREGUARD_CABLE)

_SPEC = {IPV4: "nodeAddressAutodetectionV4", IPV6: "nodeAddressAutodetectionV6"}
_ENV = {IPV4: ("IP", "IP_AUTODETECTION_METHOD"), IPV6: ("IP6", "IP6_AUTODETECTION_METHOD")}
# tigera/operator pkg/controller/installation/core_controller.go, fillDefaults
_PROVIDER_DEFAULT = {"EKS": (CAN_REACH, "8.8.8.8"), "DockerEnterprise": (SKIP_INTERFACE, "^br-.*")}
_COMMA = re.compile(r"\s*,\s*")


class Method(t.NamedTuple):
    """One family's method.

    :param kind: one of the constants of this module, or the text of a method that Calico does not know.
    :param argument: patterns, CIDRs or destination, as written.
    """

    family: str
    kind: str
    argument: str
    seen: Seen


class Verdict(t.NamedTuple):
    """Whether a method would pick a device of Submariner: True, False, or None where that cannot be told. ``why`` is in words."""

    picks: bool | None
    why: str


def methods(snapshot: Snapshot) -> tuple[tuple[Method, ...], str]:
    """The method of each family in use, as it will be at calico-node's next start; with what could not be read, in words.

    With the operator the Installation decides (it renders the DaemonSet from it), else the DaemonSet's environment.
    """
    installation = next(iter(snapshot.installations.items), None)
    if installation is not None:
        return tuple(method for family in FAMILIES for method in _of_installation(installation, family)), ""
    for answer in (snapshot.installations, snapshot.daemon_sets):
        if not answer.known:
            return (), f"how calico-node finds its address could not be read: {unread(answer)}"
    if calico_node(snapshot) is None:
        return (), ""
    return tuple(method for family in FAMILIES for method in _of_environment(snapshot, family)), ""


def _of_installation(installation: Installation, family: str) -> t.Iterator[Method]:
    """The operator fills in a default for IPv4 where some pool is IPv4, and none for a family without one."""
    computed = bool(installation.computed)
    spec = (installation.computed if computed else installation.spec).get("calicoNetwork") or {}
    where = f"{'status.computed' if computed else 'spec'}.calicoNetwork.{_SPEC[family]}"
    written = spec.get(_SPEC[family])
    if isinstance(written, dict) and written:
        kind, argument = _operator_method(written)
        yield Method(family, kind, argument, Seen(str(installation.ref), where, ", ".join(f"{key}: {value}" for key, value in written.items())))
    elif family == IPV4 and not computed:
        kind, argument = _PROVIDER_DEFAULT.get(installation.provider, (FIRST_FOUND, ""))
        yield Method(family, kind, argument, Seen(str(installation.ref), where, "", "unset: the operator's default"))


def _operator_method(written: t.Mapping[str, t.Any]) -> tuple[str, str]:
    named = {"interface": INTERFACE, "skipInterface": SKIP_INTERFACE, "canReach": CAN_REACH}
    for key, kind in named.items():
        if written.get(key):
            return kind, str(written[key])
    cidrs = written.get("cidrs")
    if cidrs:
        return CIDR, ",".join(map(str, cidrs)) if isinstance(cidrs, (list, tuple)) else str(cidrs)
    return (INTERNAL_IP, "") if written.get("kubernetes") == "NodeInternalIP" else (FIRST_FOUND, "")


def _of_environment(snapshot: Snapshot, family: str) -> t.Iterator[Method]:
    address_name, method_name = _ENV[family]
    daemon_set, address = node_env(snapshot, address_name)
    _same, written = node_env(snapshot, method_name)
    if daemon_set is None or (family == IPV6 and address != "autodetect"):
        return
    owner = str(daemon_set.ref)
    if address and address != "autodetect":
        yield Method(family, OFF, address, Seen(owner, f"env {address_name}", address))
        return
    kind, _equals, argument = (written or FIRST_FOUND).partition("=")
    yield Method(family, kind, argument, Seen(owner, f"env {method_name}", written or "", "" if written else "unset: first-found"))


def devices(cable_driver: str) -> tuple[str, ...]:
    """Submariner's devices that have an address on some node. The one of the WireGuard cable has none."""
    return (EVERY_NODE, VXLAN_CABLE) if cable_driver == "vxlan" else (EVERY_NODE,)


def evaluate(method: Method, present: t.Sequence[str] = (EVERY_NODE,), remote: t.Iterable[Network] = ()) -> Verdict:
    """Whether a method would pick one of Submariner's devices once they are there.

    :param present: names of the devices that have an address.
    :param remote: subnets of remote clusters: the way to them leads through vx-submariner.
    """
    if method.family == IPV6:
        return Verdict(False, "Submariner's devices have IPv4 addresses alone")
    if method.kind == FIRST_FOUND:
        return Verdict(True, f"the newest interface is taken first, and {present[0]} is not on Calico's list of names to leave out")
    if method.kind in (INTERFACE, SKIP_INTERFACE):
        return _by_name(method, present)
    if method.kind == CIDR:
        hit = overlap(parse_cidrs(method.argument).networks, SUBMARINER_RANGES)
        return Verdict(bool(hit), f"{hit[0][0]} holds Submariner's own addresses" if hit else "none of the CIDRs holds Submariner's own addresses")
    if method.kind == CAN_REACH:
        return _by_destination(method, remote)
    if method.kind in (INTERNAL_IP, OFF):
        return Verdict(False, "the address is that of the Node" if method.kind == INTERNAL_IP else "the address is fixed")
    return Verdict(None, f"{method.kind!r} is no method that is known here")


def _by_name(method: Method, present: t.Sequence[str]) -> Verdict:
    patterns = _COMMA.split(method.argument)
    try:
        matched = [name for name in present if any(re.search(pattern, name) for pattern in patterns)]
    except re.error as error:
        return Verdict(None, f"{method.argument!r} is no pattern that can be tried here: {error}")
    if method.kind == INTERFACE:
        return Verdict(bool(matched), f"the pattern matches {', '.join(matched)}" if matched else f"the pattern does not match {', '.join(present)}")
    left = [name for name in present if name not in matched]
    return Verdict(bool(left), f"the pattern does not skip {', '.join(left)}" if left else f"the pattern skips {', '.join(matched)}")


def _by_destination(method: Method, remote: t.Iterable[Network]) -> Verdict:
    if method.argument.startswith("$("):
        return Verdict(False, "the way to the node's own address is its own interface")
    address = parse_address(method.argument)
    if address is None:
        return Verdict(False, f"the way to {method.argument} is the node's default route, unless that name is a remote cluster's")
    if holds(SUBMARINER_RANGES, address) or holds(remote, address):
        return Verdict(True, f"the way to {address} leads through {EVERY_NODE}")
    return Verdict(False, f"the way to {address} does not lead through {EVERY_NODE}")
