# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who sets a link up at boot: NetworkManager, systemd-networkd, netplan in front of either, or the scripts that read ifcfg files."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_link_files as files
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable

NETPLAN, NETWORK_MANAGER, NETWORKD, IFCFG = "netplan", "NetworkManager", "systemd-networkd", "ifcfg"
IFCFG_FOLDERS = ("/etc/sysconfig/network-scripts", "/etc/sysconfig/network")  # Red Hat's network-scripts, SUSE's wicked
_IFCFG_READERS = ("/etc/init.d/network", "/etc/rc.d/init.d/network", "/usr/sbin/wicked")
_PROFILES = "/run/NetworkManager/system-connections"
_LINKS = "/run/systemd/netif/links"
_ACTIVATED = re.compile(r"100 \((?!.*externally)")
_MULTIPLE = re.compile(r"\bmultiple\b")  # multiple, manual-multiple (nm-settings-nmcli(5)); newer versions put a number before it
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]+")
TIMEOUT = 30.0  # seconds for one program


class Manager(t.NamedTuple):
    """:param kind: one of the four above.
    :param where: the file that we write, or for NetworkManager the connection's name.
    :param uuid: of NetworkManager's connection. :param network_file: of systemd-networkd.
    :param section: of netplan's file. :param identifier: netplan's.
    """

    kind: str
    where: str
    uuid: str = ""
    network_file: str = ""
    section: str = ""
    identifier: str = ""


def find_manager(host: Host, device: str) -> Manager:
    """:raises RefusedError: none of them sets the link up, or two do, or what does is shared with other links."""
    claims = [each for each in (_network_manager(host, device), _networkd(host, device)) if each]
    if not any(each.uuid for each in claims):
        claims += _ifcfg(host, device)
    if len(claims) == 1:
        return claims[0]
    if claims:
        told = " and ".join(f"{each.kind} ({each.where})" for each in claims)
        raise RefusedError(f"{device} is set up by two: {told}. Which of them wins at boot cannot be told; leave it to one. Nothing was changed.")
    ifupdown = " It stands in /etc/network/interfaces: write `mtu` there." if _in_ifupdown(host, device) else ""
    raise RefusedError(
        f"Nothing that is known here sets {device} up: NetworkManager (nmcli) does not run or has no connection on it, systemd-networkd does not run or leaves "
        f"it unmanaged, and there is no ifcfg-{device} that a service reads.{ifupdown} Nothing was changed."
    )


def configured_mtu(host: Host, manager: Manager) -> int | None:
    """The MTU that the link gets at the next boot; None where nothing says one."""
    if manager.uuid:
        value = nmcli(host, ["-g", "802-3-ethernet.mtu", "connection", "show", manager.uuid]).strip()
        return int(value) if value.isdigit() and int(value) else None
    if manager.kind == IFCFG:
        return files.ifcfg_mtu(host.text(manager.where))
    return files.networkd_mtu(_network_texts(host, manager.network_file))


def nmcli(host: Host, words: t.Sequence[str]) -> str:
    """:raises SubmarinerError: it fails."""
    try:
        return host.output(["nmcli", *words], TIMEOUT)
    except Unreadable as error:
        raise SubmarinerError(f"NetworkManager: {error.why}.") from error


def _network_manager(host: Host, device: str) -> Manager | None:
    try:
        done = host.run(["nmcli", "-t", "-f", "GENERAL.STATE,GENERAL.CONNECTION,GENERAL.CON-UUID", "device", "show", device], TIMEOUT)
    except Unreadable as error:
        if error.absent:
            return None
        raise SubmarinerError(f"NetworkManager does not answer: {error.why}. Nothing was changed.") from error
    said = files.terse(done.out)
    name, uuid = said.get("GENERAL.CONNECTION", ""), said.get("GENERAL.CON-UUID", "")
    if done.code or not _ACTIVATED.match(said.get("GENERAL.STATE", "")) or not uuid:
        return None
    _require_own(host, device, name, uuid)
    if not (name.startswith("netplan-") and host.exists(f"{_PROFILES}/{name}.nmconnection")):
        return Manager(NETWORK_MANAGER, name, uuid=uuid)
    if not _bound(host, uuid):
        raise RefusedError(f"Netplan's definition {name[len('netplan-'):]} holds for every link that matches it, not for {device} alone. Nothing was changed.")
    return _netplan(host, device, name[len("netplan-") :], uuid=uuid)


def _require_own(host: Host, device: str, name: str, uuid: str) -> None:
    """:raises RefusedError: the profile sets up other devices, too, or will when they come."""
    sharing, other = [], ""
    for key, value in files.terse_pairs(nmcli(host, ["-t", "-f", "GENERAL.DEVICE,GENERAL.CON-UUID", "device", "show"])):
        if key == "GENERAL.DEVICE":
            other = value
        elif value == uuid and other != device:
            sharing.append(other)
    advice = (
        f"Give {device} a profile of its own (nmcli connection clone '{name}' {device}; nmcli connection modify {device} connection.interface-name {device} "
        f"connection.multi-connect single; nmcli connection up {device} ifname {device}), then run this again. Nothing was changed."
    )
    if sharing:
        raise RefusedError(
            f"NetworkManager's profile {name} is active on {', '.join(sharing)} as well as on {device}, so an MTU there would be theirs, too. {advice}"
        )
    if _several(host, uuid) and not _bound(host, uuid):
        raise RefusedError(
            f"NetworkManager's profile {name} may be active on several devices at once (connection.multi-connect) and names none, so an MTU there would be "
            f"that of every link it is used for. {advice}"
        )


def _several(host: Host, uuid: str) -> bool:
    """A NetworkManager before 1.14 does not know the property, and has a profile active on one device."""
    try:
        said = host.run(["nmcli", "-g", "connection.multi-connect", "connection", "show", uuid], TIMEOUT)
    except Unreadable as error:
        raise SubmarinerError(f"NetworkManager: {error.why}. Nothing was changed.") from error
    return not said.code and bool(_MULTIPLE.search(said.out))


def _bound(host: Host, uuid: str) -> bool:
    """Whether a profile names its device, by name or by the card's address."""
    return bool(nmcli(host, ["-g", "connection.interface-name,802-3-ethernet.mac-address", "connection", "show", uuid]).split())


def _networkd(host: Host, device: str) -> Manager | None:
    if not _runs(host, "systemd-network"):
        return None
    state = _state(host, _text(host, f"/sys/class/net/{device}/ifindex").strip())
    network_file = state.get("NETWORK_FILE", "")
    if state.get("ADMIN_STATE") in (None, "", "unmanaged") or not network_file:
        return None
    sharing = []
    for other in host.names("/sys/class/net"):
        if other != device and _state(host, _text(host, f"/sys/class/net/{other}/ifindex").strip()).get("NETWORK_FILE") == network_file:
            sharing.append(other)
    if sharing:
        raise RefusedError(
            f"{network_file} sets up {', '.join(sharing)} as well as {device}, so an MTU there would be theirs, too. "
            f"Give {device} a file (with netplan: a definition) of its own. Nothing was changed."
        )
    identifier = files.netplan_identifier(network_file)
    if identifier:
        return _netplan(host, device, identifier, network_file=network_file)
    return Manager(NETWORKD, files.networkd_file(network_file), network_file=network_file)


def _netplan(host: Host, device: str, identifier: str, **known: str) -> Manager:
    kind = files.link_state(_text(host, f"/sys/class/net/{device}/uevent")).get("DEVTYPE", "")
    section = files.NETPLAN_SECTIONS.get(kind)
    if section is None or not _IDENTIFIER.fullmatch(identifier):
        raise RefusedError(f"{device} is of netplan (definition {identifier}, kind {kind or 'ethernet'}), and a kind not handled here. Nothing was changed.")
    return Manager(NETPLAN, files.netplan_file(device), section=section, identifier=identifier, **known)


def _ifcfg(host: Host, device: str) -> list[Manager]:
    if not any(host.exists(path) for path in _IFCFG_READERS):
        return []
    paths = [f"{folder}/ifcfg-{device}" for folder in IFCFG_FOLDERS]
    return [Manager(IFCFG, path) for path in paths if host.exists(path)]


def _network_texts(host: Host, network_file: str) -> list[str]:
    """The file, then its drop-ins by name; of the same name the one in the first of the folders counts."""
    name = network_file.rpartition("/")[2]
    parts: dict[str, str] = {}
    for folder in ("/usr/lib/systemd/network", "/usr/local/lib/systemd/network", "/run/systemd/network", "/etc/systemd/network"):
        try:
            parts.update({part: f"{folder}/{name}.d/{part}" for part in host.names(f"{folder}/{name}.d") if part.endswith(".conf")})
        except Unreadable:
            continue
    return [_text(host, network_file), *(_text(host, parts[part]) for part in sorted(parts))]


def _state(host: Host, index: str) -> dict[str, str]:
    return files.link_state(_text(host, f"{_LINKS}/{index}")) if index else {}


def _runs(host: Host, name: str) -> bool:
    """:param name: as the kernel keeps it, 15 characters at most."""
    return any(_text(host, f"/proc/{each}/comm").strip() == name for each in host.names("/proc") if each.isdigit())


def _in_ifupdown(host: Host, device: str) -> bool:
    return bool(re.search(rf"^\s*iface\s+{re.escape(device)}\s", _text(host, "/etc/network/interfaces"), re.MULTILINE))


def _text(host: Host, path: str) -> str:
    try:
        return host.text(path)
    except Unreadable:
        return ""
