# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which devices NetworkManager keeps its hands off: what its files say together, and our file among them. Nothing here reads or writes.

Of ``[keyfile] unmanaged-devices`` the last ``=`` wins, so that rke2-canal.conf (of rancherfederal.rke2_ansible) hides calico.conf (of Kubespray);
``+=`` adds to what has been said so far (NetworkManager.conf(5); tried with ``NetworkManager --print-config`` 1.42). So our file adds, and its name sorts last.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import header

FILE = "/etc/NetworkManager/conf.d/zz-fathom-submariner.conf"
MAIN = "/etc/NetworkManager/NetworkManager.conf"
FOLDERS = ("/usr/lib/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/etc/NetworkManager/conf.d")  # later ones hide files of the same name
# Calico's own list (its documentation on NetworkManager), Flannel's device of Canal, and Submariner's three devices.
DEVICES = (
    "interface-name:cali*",
    "interface-name:tunl*",
    "interface-name:vxlan.calico",
    "interface-name:vxlan-v6.calico",
    "interface-name:wireguard.cali",
    "interface-name:wg-v6.cali",
    "interface-name:flannel*",
    "interface-name:vx-submariner",
    "interface-name:vxlan-tunnel",
    "interface-name:submariner",
)
_WAS = "# was "
_KEY = re.compile(r"unmanaged-devices\s*([+-]?)=(.*)")
_NAME = "interface-name:"
EXCEPT = "except:"


def device_specs(names: t.Sequence[str]) -> list[str]:
    """As NetworkManager writes them; a bare name or pattern is an interface's.

    :raises InputError: one cannot be written so.
    """
    found = []
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_.:*?@=+-]+", name):
            raise InputError(f"unmanaged_devices: {name!r} is no device as NetworkManager.conf(5) spells it, such as interface-name:cali*.")
        if name.startswith(EXCEPT):
            raise InputError(f"unmanaged_devices: {name} is an exception; name the devices that NetworkManager shall leave alone.")
        found.append(name if ":" in name else f"{_NAME}{name}")
    return list(dict.fromkeys(found))


def render(specs: t.Sequence[str], was: t.Mapping[str, str]) -> str:
    """:param was: units that we switched off, to what they were."""
    lines = [f"{_WAS}{unit} = {state}" for unit, state in sorted(was.items())]
    lines += ["# += adds to what calico.conf, rke2-canal.conf and others say.", "[keyfile]", f"unmanaged-devices+={';'.join(specs)}"] if specs else []
    return header("node_network_manager") + "".join(f"{line}\n" for line in lines)


def remembered(text: str) -> dict[str, str]:
    """What our file says that units were before."""
    found = {}
    for line in text.splitlines():
        if line.startswith(_WAS):
            unit, _equals, state = line[len(_WAS) :].partition(" = ")
            found[unit] = state
    return found


class Said(t.NamedTuple):
    """:param act: the devices that are unmanaged in the end; :param by: the last file that took some away, empty where none did."""

    act: tuple[str, ...] = ()
    by: str = ""


def acting(files: t.Iterable[tuple[str, str]]) -> Said:
    """:param files: path and text, in the order in which NetworkManager reads them."""
    act: list[str] = []
    by = ""
    for path, text in files:
        section = ""
        for raw in text.splitlines():
            line = raw.strip()
            if line.startswith("["):
                section = line.strip("[]").strip()
            found = _KEY.fullmatch(line) if section == "keyfile" else None
            if not found:
                continue
            listed = [each.strip() for each in re.split(r"[;,]", found[2]) if each.strip()]
            if found[1] == "+":
                act += [each for each in listed if each not in act]
                continue
            remain = [each for each in act if each not in listed] if found[1] == "-" else listed
            by = path if set(act) - set(remain) else by
            act = list(dict.fromkeys(remain))
    return Said(tuple(act), by)


def only_exceptions(act: t.Sequence[str]) -> bool:
    """Whether a list means all devices but those that it names, as one of exceptions alone does (NetworkManager.conf(5), Device List Format)."""
    return bool(act) and all(each.startswith(EXCEPT) for each in act)


def covers(specs: t.Iterable[str], interface: str) -> bool:
    """Whether one of the specifications names an interface."""
    patterns = [spec[len(_NAME) :] for spec in specs if spec.startswith(_NAME)]
    return any(pattern[1:] == interface if pattern.startswith("=") else fnmatch.fnmatchcase(interface, pattern) for pattern in patterns)


class Device(t.NamedTuple):
    """:param own: NetworkManager brought it up itself, so that its addresses go when it lets go of it."""

    name: str
    managed: bool
    own: bool


def devices(text: str) -> list[Device]:
    """``nmcli -t -f DEVICE,STATE device``; a colon inside a name has a backslash before it."""
    found = []
    for line in text.splitlines():
        name, colon, state = (part.replace("\\:", ":") for part in re.match(r"((?:[^\\:]|\\.)*)(:?)(.*)", line).groups())  # type: ignore[union-attr]
        if colon:
            external = "externally" in state
            found.append(Device(name, state not in ("unmanaged", "unavailable", "unknown"), state.startswith(("connected", "connecting")) and not external))
    return found
