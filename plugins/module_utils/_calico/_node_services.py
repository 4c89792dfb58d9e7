# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Services of a node's host that take Calico's and Submariner's devices, routes or packets for theirs: NetworkManager, nm-cloud-setup, firewalld."""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import CABLE_DEVICES, VX_SUBMARINER, Flaw, Gap, Judged, NodePlan, gap
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import HostService, NodeHost

ACTIVE = "active"
_EXAMPLE = "cali0123456789a"  # any of the devices that Felix makes for pods
_OF_TUNNEL: t.Mapping[str, str] = {
    IPIP: "tunl0", VXLAN: "vxlan.calico", VXLAN_V6: "vxlan-v6.calico", WIREGUARD: "wireguard.cali", WIREGUARD_V6: "wg-v6.cali",
}  # fmt: skip
_KIND: t.Mapping[str, str] = {
    "tunl0": "ip-tunnel", "vxlan.calico": "vxlan", "vxlan-v6.calico": "vxlan", "wireguard.cali": "wireguard", "wg-v6.cali": "wireguard",
    VX_SUBMARINER: "vxlan", "vxlan-tunnel": "vxlan", "submariner": "wireguard", _EXAMPLE: "veth",
}  # fmt: skip  # as NetworkManager names types of devices
_DRIVER: t.Mapping[str, str] = {"tunl0": "ipip"}  # of a device that is no card it is the kernel's kind, which is mostly NetworkManager's type, too
_EXCEPT = "except:"
_CLOUD_TABLE = re.compile(r"30[2-4]\d\d")  # nm-cloud-setup makes rules and tables of these numbers (NetworkManager src/nm-cloud-setup/main.c)


def devices(plan: NodePlan) -> tuple[str, ...]:
    """The devices that NetworkManager must leave alone, ``cali*`` for those of pods."""
    found = ["cali*"] if plan.data_plane else []
    found += [_OF_TUNNEL[tunnel] for tunnel in plan.tunnels if plan.data_plane]
    if plan.cable:
        found += [VX_SUBMARINER, *([CABLE_DEVICES[plan.cable]] if plan.cable in CABLE_DEVICES else [])]
    return tuple(dict.fromkeys(found))


def judge_network_manager(host: NodeHost, plan: NodePlan) -> Judged:
    """Devices of Calico's and Submariner's that a running NetworkManager does not leave alone: it may take their addresses, routes and MTU away."""
    manager = host.network_manager
    if not manager.state:
        yield gap(host, "network_manager", "the document does not say whether NetworkManager runs")
    elif manager.state == ACTIVE:
        why = host.why_unseen("network_manager")
        managed = tuple(name for name in devices(plan) if not _is_left_alone(_EXAMPLE if name == "cali*" else name, manager.unmanaged))
        if managed and why:
            yield Gap("network_manager", why)
        elif managed:
            read = f"of {', '.join(manager.files[:3])}" if manager.files else "no file sets it"
            what = f"lets NetworkManager manage {', '.join(managed)}"
            yield Flaw(what, "network_manager.unmanaged", "; ".join(manager.unmanaged), f"unmanaged-devices {read}", keys=managed)


def _is_left_alone(name: str, patterns: t.Iterable[str]) -> bool:
    """Whether a device matches ``unmanaged-devices``: one of its specs, and none of those after ``except:`` (NetworkManager.conf(5), Device List Format).

    A list of exceptions alone means all but these (src/core/nm-core-utils.c, _match_result).
    """
    specs = [pattern.strip() for pattern in patterns if pattern.strip()]
    exceptions = [spec[len(_EXCEPT) :] for spec in specs if spec.startswith(_EXCEPT)]
    named = [spec for spec in specs if not spec.startswith(_EXCEPT)]
    # After except: a bare name is none.
    if any(_matches(name, spec) for spec in exceptions if ":" in spec or spec == "*"):
        return False
    return any(_matches(name, spec) for spec in named) if named else bool(exceptions)


def _matches(name: str, spec: str) -> bool:
    """Patterns are those of ``interface-name:`` alone, and not behind its ``=``; a version behind a driver is not known here."""
    kind, colon, rest = spec.partition(":")
    if not colon:
        return spec in ("*", name)
    if kind == "interface-name":
        return name == rest[1:] if rest.startswith("=") else fnmatch.fnmatchcase(name, rest[1:] if rest.startswith("~") else rest)
    if kind == "driver":
        return rest.partition("/")[0] == _DRIVER.get(name, _KIND.get(name))
    return kind == "type" and rest == _KIND.get(name)


def judge_cloud_setup(host: NodeHost, _plan: NodePlan) -> Judged:
    """nm-cloud-setup, which gives each address of a cloud's card a routing table of its own: packets of pods take it instead of Calico's routes."""
    services = [service for service in host.services if service.name.startswith("nm-cloud-setup")]
    if not services or any(not service.state for service in services):
        why = host.why_unseen("services") or "the document does not say whether nm-cloud-setup runs"
        if not any(_runs(service) for service in services):
            yield Gap("services", why)
            return
    running = [service for service in services if _runs(service)]
    if running:
        tables = sorted({rule.table for rule in host.rules if _CLOUD_TABLE.fullmatch(rule.table)})
        note = f"its rules lead to tables {', '.join(tables)} already" if tables else "it makes its rules when the card gets another address"
        shown = ", ".join(f"{service.name} {service.state or 'enabled'}" for service in running)
        yield Flaw("runs nm-cloud-setup", "services", shown, note, "error" if tables else "", tuple(service.name for service in running))


def may_have_cloud_rules(host: NodeHost) -> bool:
    """Whether rules of nm-cloud-setup are there, or nobody has seen that there are none: without them it is a remark."""
    return bool(host.why_unseen("rules")) or any(_CLOUD_TABLE.fullmatch(rule.table) for rule in host.rules)


def _runs(service: HostService) -> bool:
    return service.state == ACTIVE or service.enabled is True and service.state != "absent"


def judge_firewall_services(host: NodeHost, _plan: NodePlan) -> Judged:
    """Programs that write firewall rules of their own beside Calico's."""
    for name in ("firewalld", "ufw"):
        service = next((entry for entry in host.services if entry.name.partition(".")[0] == name), None)
        if service is not None and service.state == ACTIVE:
            note = "it rewrites rules beside Calico's, and drops what it does not know"
            yield Flaw(f"runs {name}", f"services[{service.name}].state", service.state, note, "warning", (name,))
        elif service is not None and not service.state:
            yield gap(host, "services", f"the document does not say whether {name} runs")
