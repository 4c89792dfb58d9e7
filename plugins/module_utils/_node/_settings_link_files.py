# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A link's MTU as the files of netplan, systemd-networkd and ifcfg spell it. Nothing here reads or writes."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_files import key_file
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import header

NETPLAN_PREFIX = "10-netplan-"  # netplan's generated files (canonical/netplan src/networkd.c)
# DEVTYPE of the kernel's uevent to the section in which netplan keeps such a device.
NETPLAN_SECTIONS = {"": "ethernets", "bond": "bonds", "bridge": "bridges", "vlan": "vlans"}
_IFCFG_MTU = re.compile(r"^[ \t]*(?:export[ \t]+)?MTU=[\"']?([^\"'\s#]*)[\"']?.*$", re.MULTILINE)
_SIZE = re.compile(r"(\d+)\s*([KM]?)")


def netplan_text(section: str, identifier: str, mtu: int) -> str:
    """A file that adds one setting to a definition that another file makes; netplan merges them, later names winning (netplan(5))."""
    return f"{header('node_link_mtu')}network:\n  version: 2\n  {section}:\n    {json.dumps(identifier)}:\n      mtu: {mtu}\n"


def netplan_file(device: str) -> str:
    return f"/etc/netplan/99-zz-fathom-submariner-{device}.yaml"


def netplan_identifier(network_file: str) -> str:
    """The definition of which netplan made a file of systemd-networkd; empty for a file of anybody else."""
    name = network_file.rpartition("/")[2]
    made = network_file.startswith("/run/systemd/network/") and name.startswith(NETPLAN_PREFIX) and name.endswith(".network")
    return name[len(NETPLAN_PREFIX) : -len(".network")] if made else ""


def networkd_text(mtu: int) -> str:
    return f"{header('node_link_mtu')}[Link]\nMTUBytes={mtu}\n"


def networkd_file(network_file: str) -> str:
    """The drop-in beside the file that systemd-networkd chose for the link (systemd.network(5))."""
    return f"/etc/systemd/network/{network_file.rpartition('/')[2]}.d/zz-fathom-submariner.conf"


def networkd_mtu(texts: t.Iterable[str]) -> int | None:
    """What a .network file and its drop-ins say together, in the order in which they are read; None where they say nothing."""
    found = None
    for text in texts:
        for section in key_file(text):
            value = section.values.get("MTUBytes") if section.name == "Link" else None
            if value is not None:
                found = _size(value)
    return found


def link_state(text: str) -> dict[str, str]:
    """/run/systemd/netif/links/INDEX: assignments, a line each."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def ifcfg_mtu(text: str) -> int | None:
    """The last assignment holds, since a shell reads the file; None where there is none, or it is no number."""
    found = _IFCFG_MTU.findall(text)
    return int(found[-1]) if found and found[-1].isdigit() else None


def ifcfg_line(text: str) -> str:
    """The whole line of the assignment that holds; empty where there is none."""
    found = list(_IFCFG_MTU.finditer(text))
    return found[-1].group() if found else ""


def with_ifcfg_line(text: str, line: str) -> str:
    """The text with another line for the MTU, everything else byte for byte as it is. Undoes itself: with the former line the former text comes back.

    :param line: empty removes the line.
    """
    found = list(_IFCFG_MTU.finditer(text))
    if found:
        start, end = found[-1].span()
        if line:
            return text[:start] + line + text[end:]
        if text[end : end + 1] == "\n":
            return text[:start] + text[end + 1 :]
        return text[: max(start - 1, 0)] + text[end:]
    if not line:
        return text
    return f"{text}\n{line}" if text and not text.endswith("\n") else f"{text}{line}\n"


def terse(text: str) -> dict[str, str]:
    """``nmcli -t -f FIELDS ... show`` of one thing."""
    return dict(terse_pairs(text))


def terse_pairs(text: str) -> t.Iterator[tuple[str, str]]:
    """``nmcli -t -f FIELDS ... show``: a field and its value a line, the fields again for each thing; a colon inside a value has a backslash before it."""
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            yield key, value.replace("\\:", ":")


def _size(value: str) -> int | None:
    found = _SIZE.fullmatch(value.strip())
    return int(found[1]) * {"": 1, "K": 1024, "M": 1024 * 1024}[found[2]] if found else None
