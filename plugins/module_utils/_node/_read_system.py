# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kernel, distribution, sysctls, connection tracking, services and the clock of a host."""

from __future__ import annotations

import ctypes
import os
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_system import booted_at, number, os_release, ufw_enabled, units
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Clock, Conntrack, HostService, System

SYSCTLS = (
    "kernel.modules_disabled",
    "kernel.unprivileged_bpf_disabled",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
    "net.core.bpf_jit_enable",
    "net.ipv4.conf.all.accept_local",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.src_valid_mark",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.icmp_echo_ignore_all",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_forward_use_pmtu",
    "net.ipv4.ip_no_pmtu_disc",
    "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
)
SERVICES = ("nm-cloud-setup.service", "nm-cloud-setup.timer", "firewalld", "ufw", "docker")
NETWORK_MANAGER = "NetworkManager"
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_TIME_ERROR = 5


def read_system(host: Host, sight: Sight) -> System:
    release = sight.of("system.distribution", lambda: os_release(_os_release(host)), {})
    # Without DMI (some clouds, other architectures) there is no such file.
    product = sight.of("system.virtualisation", lambda: host.text("/sys/class/dmi/id/product_name").strip(), "", absent="")
    machine = os.uname()
    return System(
        kernel=sight.of("system.kernel", lambda: host.text("/proc/sys/kernel/osrelease").strip(), machine.release),
        distribution=release.get("ID", ""),
        version=release.get("VERSION_ID", ""),
        like=tuple(release.get("ID_LIKE", "").split()),
        architecture=machine.machine,
        booted_at=sight.of("system.booted_at", lambda: booted_at(host.text("/proc/stat")), ""),
        virtualisation=product,
    )


def _os_release(host: Host) -> str:
    try:
        return host.text("/etc/os-release")
    except Unreadable:
        return host.text("/usr/lib/os-release")


def sysctl_path(name: str, interface: str = "") -> str:
    """:param interface: takes the place of ``%`` in the name, since it may have dots of its own (``vxlan.calico``)."""
    return "/proc/sys/" + name.replace(".", "/").replace("%", interface)


def read_sysctls(host: Host, sight: Sight) -> dict[str, str]:
    """Those that this kernel has: without its module, or without IPv6, a sysctl is not there."""
    found = {}
    for name in SYSCTLS:
        value = sight.of(f"sysctls.{name}", lambda path=sysctl_path(name): host.text(path).strip(), "", absent="")
        if value:
            found[name] = value
    return found


def read_conntrack(host: Host, sight: Sight) -> Conntrack:
    def value(name: str) -> int | None:
        return sight.of("conntrack", lambda: number(host.text(f"/proc/sys/net/netfilter/{name}")), None)

    return Conntrack(value("nf_conntrack_max"), value("nf_conntrack_count"))


def read_services(host: Host, sight: Sight) -> tuple[tuple[HostService, ...], str]:
    """The services that matter, and the state of NetworkManager."""
    try:
        text = host.output(["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *(_unit(name) for name in (*SERVICES, NETWORK_MANAGER))])
    except Unreadable as error:
        sight.miss("services", error.why)
        sight.miss("network_manager.state", error.why)
        return tuple(HostService(name) for name in SERVICES), ""
    by_unit = {unit.get("Id", ""): unit for unit in units(text)}
    found = {name: _service(name, by_unit.get(_unit(name), {})) for name in (*SERVICES, NETWORK_MANAGER)}
    if found["ufw"].state == "active":
        enabled = sight.of("services.ufw", lambda: ufw_enabled(host.text("/etc/ufw/ufw.conf")), None)
        if enabled is not None:
            found["ufw"] = HostService("ufw", "active" if enabled else "inactive", enabled)
    for name, service in found.items():
        if not service.state:
            sight.miss(f"services.{name}" if name in SERVICES else "network_manager.state", f"systemctl show said nothing of {_unit(name)}")
    return tuple(found[name] for name in SERVICES), found[NETWORK_MANAGER].state


def _unit(name: str) -> str:
    return name if "." in name else f"{name}.service"


def _service(name: str, unit: t.Mapping[str, str]) -> HostService:
    if unit.get("LoadState") == "not-found":
        return HostService(name, "absent", False)
    enabled = unit.get("UnitFileState", "")
    return HostService(name, unit.get("ActiveState", ""), enabled.startswith("enabled") if enabled else None)


class _Timex(ctypes.Structure):
    """The head of ``struct timex`` of adjtimex(2), and more room than any architecture's has."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("most_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    ]


def kernel_clock() -> bool:
    """Whether something disciplines the kernel's clock, as adjtimex(2) tells everybody.

    :raises Unreadable: it does not.
    """
    state = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError) as error:
        raise Unreadable(f"the C library has no adjtimex: {error}") from error
    if answer < 0:
        raise Unreadable(f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return answer != _TIME_ERROR and not state.status & _UNSYNCHRONISED


def read_clock(sight: Sight, now: float, asked_at: float | None, asked_within: float, synchronised: t.Callable[[], bool] = kernel_clock) -> Clock:
    """:param now: seconds since the epoch by this host's clock.
    :param asked_at: the same by the clock of the one that asked, when it did; the question took up to ``asked_within`` seconds to come here.
    """
    is_synchronised = sight.of("clock.synchronised", synchronised, None)
    if asked_at is None:
        sight.miss("clock.offset", "option asked_at was not given")
        return Clock(is_synchronised)
    half = asked_within / 2
    return Clock(is_synchronised, round(now - asked_at - half, 3), half)
