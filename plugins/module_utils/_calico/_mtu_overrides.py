# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Settings of Felix that say another MTU than the one that is made, and whether they win over it.

The environment of calico-node wins over every FelixConfiguration, and ``node.<name>`` over ``default`` (projectcalico/calico felix/config/config_params.go).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import WITH_INSTALLATION, Method, base_installation, method_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import OF_KUBESPRAY
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import ENVIRONMENT, FELIX_FIELD, calico_node, containers_of, number
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, FelixConfiguration, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import object_at


class FelixOverride(t.NamedTuple):
    """A field of a FelixConfiguration.

    :param wins: over the MTU once that is made; False where nothing will read it, because the environment of calico-node says the MTU.
    :param in_force: a tunnel may have it now, because the environment of some calico-node says nothing yet.
    """

    felix: FelixConfiguration
    tunnel: str
    field: str
    value: int
    wins: bool
    in_force: bool

    def to_dict(self) -> dict[str, t.Any]:
        return {"where": str(self.felix.ref), "field": f"spec.{self.field}", "value": str(self.value), "wins": self.wins}


def felix_overrides(snapshot: Snapshot, tunnels: t.Iterable[str], mtu: int) -> tuple[FelixOverride, ...]:
    """The fields that name an MTU of a tunnel in use, and another one than ``mtu`` (0: any).

    :param tunnels: in use.
    """
    now, after = variables_now(snapshot), variables_after(snapshot, mtu)
    found = []
    for felix in sorted(snapshot.felix_configurations.items, key=lambda entry: entry.ref):
        for tunnel in tunnels:
            value = number(str(felix.spec.get(FELIX_FIELD[tunnel]) or ""))
            if value and value != mtu:
                found.append(FelixOverride(felix, tunnel, FELIX_FIELD[tunnel], value, ENVIRONMENT[tunnel] not in after, ENVIRONMENT[tunnel] not in now))
    return tuple(found)


def variables_now(snapshot: Snapshot) -> frozenset[str]:
    """The MTU variables that every calico-node has in its environment: none while it is being rolled out, when some may have a former one."""
    daemon_set = calico_node(snapshot)
    if daemon_set is None or daemon_set.observed_generation < daemon_set.generation or daemon_set.updated < daemon_set.desired:
        return frozenset()
    return _variables(daemon_set)


def variables_after(snapshot: Snapshot, mtu: int) -> frozenset[str]:
    """The MTU variables that calico-node will have in its environment once ``mtu`` is set.

    The operator sets none where Installation has no MTU.
    """
    method = method_of(snapshot)
    if method in WITH_INSTALLATION:
        return frozenset(ENVIRONMENT[tunnel] for tunnel in _of_operator(snapshot)) if mtu else frozenset()
    daemon_set = calico_node(snapshot)
    there = _variables(daemon_set) if daemon_set else frozenset()
    if method == Method.KUBESPRAY:
        there = there | set(OF_KUBESPRAY) if mtu else there - set(OF_KUBESPRAY)
    return there


def _of_operator(snapshot: Snapshot) -> t.Iterator[str]:
    """The tunnels that the operator sets a variable for (tigera/operator pkg/render/node.go, nodeEnvVars): IPIP only with BGP, those over IPv6 only where
    nodes' IPv6 addresses are detected."""
    yield from (VXLAN, WIREGUARD)
    own = base_installation(snapshot)
    if own is None:
        return
    if own.bgp != "Disabled":
        yield IPIP
    if any(object_at(own.computed or own.spec, "calicoNetwork", "nodeAddressAutodetectionV6").values()):
        yield from (VXLAN_V6, WIREGUARD_V6)


def _variables(daemon_set: DaemonSet) -> frozenset[str]:
    return frozenset(entry.name for container in containers_of(daemon_set) for entry in container.env) & frozenset(ENVIRONMENT.values())
