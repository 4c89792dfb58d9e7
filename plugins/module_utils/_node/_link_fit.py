# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a link can have an MTU: by its driver, by what it is a port of, by its own ports, and by what lies on it."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_links import links as links_of
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_link_files import link_state

_IPV6_LEAST = 1280  # bytes; below it the kernel takes IPv6 off a link (RFC 8200, section 5), and its addresses do not come back
_LEAST = 68  # bytes (RFC 791)
_VXLAN, _VXLAN_V6 = 50, 70  # bytes of each packet
# A device in a VRF is no part of it, only its routes are; of Open vSwitch's ports each has an MTU of its own.
_FREE_MASTERS = ("vrf", "openvswitch")
_BRIDGE = "bridge"


def require_name(device: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,15}", device) or device in (".", ".."):
        raise InputError(f"device: {device!r} is no name of a link.")


def require_fit(host: Host, device: str, mtu: int, links: t.Mapping[str, int]) -> None:
    """:param links: the MTU of each link. :raises SubmarinerError: there is no such link, or it cannot have this MTU."""
    require_name(device)
    if device not in links:
        raise SubmarinerError(f"There is no link {device} here; there are {', '.join(sorted(links))}. Nothing was changed.")
    _require_fit_to_master(host, device, mtu, links)
    smaller = [f"{port} ({links[port]})" for port in _ports_of_bridge(host, device) if links.get(port, mtu) < mtu]
    if smaller:
        raise RefusedError(
            f"{device} is a bridge, and drops without a word what is larger than the port it leaves by: {', '.join(smaller)}. "
            f"Give these an MTU of {mtu} first. Nothing was changed."
        )
    least, most = _limits(host, device)
    if not least <= mtu <= most:
        raise RefusedError(f"{device} can have an MTU from {least} to {most} bytes, so not {mtu}. Nothing was changed.")
    if mtu < _IPV6_LEAST and _has_ipv6(host, device):
        raise RefusedError(
            f"{device} has IPv6 addresses, and the kernel takes them away below {_IPV6_LEAST} bytes (RFC 8200) for good: an MTU of {mtu} is refused. "
            "Nothing was changed."
        )


def outgrown(host: Host, device: str, mtu: int) -> list[str]:
    """Tunnels on a link that are too large for its new MTU, a sentence each. The kernel lowers VLANs with their link, but no VXLAN device."""
    try:
        found = links_of(host.output(["ip", "-j", "-d", "link", "show"]))
    except Unreadable:
        return []  # a warning less
    told = []
    for link in found:
        if link.vxlan is None or link.vxlan.parent != device:
            continue
        most = mtu - (_VXLAN_V6 if ":" in link.vxlan.local + link.vxlan.group else _VXLAN)
        if link.mtu > most:
            told.append(
                f"{link.name} lies on {device} and keeps its MTU of {link.mtu}, of which {most} fit into {mtu}: what is larger is lost without a word until it "
                "is lowered. Felix lowers Calico's within half a minute where no MTU is set for it; else role calico_mtu does. Pods keep theirs until they "
                "are restarted."
            )
    return told


def _require_fit_to_master(host: Host, device: str, mtu: int, links: t.Mapping[str, int]) -> None:
    """Ports of a bond or team have its MTU. Those of a bridge have their own, which it must fit into."""
    if not host.exists(f"/sys/class/net/{device}/master"):
        return
    master = host.link(f"/sys/class/net/{device}/master").rpartition("/")[2]
    kind = _kind(host, master)
    if kind == _BRIDGE and mtu < links.get(master, 0):
        raise RefusedError(
            f"{device} is a port of bridge {master}, whose MTU of {links[master]} would not fit into {mtu}: set the MTU of {master} first. Nothing was changed."
        )
    if kind not in (_BRIDGE, *_FREE_MASTERS):
        raise RefusedError(f"{device} is a port of {master}: set the MTU of {master}. Nothing was changed.")


def _kind(host: Host, device: str) -> str:
    """The kernel's word for what is no card; empty for a team."""
    try:
        return link_state(host.text(f"/sys/class/net/{device}/uevent")).get("DEVTYPE", "")
    except Unreadable:
        return ""


def _ports_of_bridge(host: Host, device: str) -> tuple[str, ...]:
    try:
        return host.names(f"/sys/class/net/{device}/brif")
    except Unreadable:
        return ()  # it is no bridge


def _limits(host: Host, device: str) -> tuple[int, int]:
    """As the driver tells; an ``ip`` that is too old to say leaves it to the kernel to refuse."""
    try:
        found = json.loads(host.output(["ip", "-j", "-d", "link", "show", "dev", device]))[0]
        return max(int(found.get("min_mtu") or 0), _LEAST), int(found.get("max_mtu") or 0) or 65536
    except (Unreadable, ValueError, IndexError, AttributeError, TypeError):
        return _LEAST, 65536


def _has_ipv6(host: Host, device: str) -> bool:
    try:
        return any(line.split()[-1:] == [device] for line in host.text("/proc/net/if_inet6").splitlines())
    except Unreadable:
        return False  # a kernel without IPv6
