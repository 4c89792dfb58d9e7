# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Offload features that are off now, after a boot, and on devices that are made later: as ethtool(8) and udev(7) spell it. Nothing here reads or writes.

A rule of udev is what catches all three: systemd's .link files know no feature of UDP tunnels and replace the file that names a device, and a unit of
systemd runs too late for a device that is taken away and made anew, as vx-submariner is when the gateway changes.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import header

# Behind 80-net-setup-link.rules, which gives cards their lasting names (systemd rules.d/80-net-setup-link.rules).
FILE = "/etc/udev/rules.d/90-fathom-submariner-offload.rules"
DEFAULT = ("tx-checksumming",)
_NAME = re.compile(r"[A-Za-z0-9_.*?-]{1,15}")
_FEATURE = re.compile(r"[a-z0-9_-]+")
_ROW = re.compile(r"^\s*([A-Za-z0-9_-]+): (on|off)( \[fixed\])?", re.MULTILINE)
_WAS = "# was "
_RULE = re.compile(r'^ACTION=="add", SUBSYSTEM=="net", NAME=="([^"]+)", RUN\+="\S+ -K \$name ([^"]+)"$', re.MULTILINE)
# ethtool's groups to how the kernel's names of their members begin. What depends on them (segmentation) comes back by itself, since it stays requested.
_GROUPS = {"tx-checksumming": "tx-checksum-", "scatter-gather": "tx-scatter-gather"}


class Wish(t.NamedTuple):
    """:param device: name or pattern; :param features: to be off."""

    device: str
    features: tuple[str, ...]


class Feature(t.NamedTuple):
    on: bool
    fixed: bool


def wishes(entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[Wish]:
    """:raises InputError: a name is none."""
    found = []
    for entry in entries:
        features = tuple(dict.fromkeys(entry.get("features") or DEFAULT))
        if not _NAME.fullmatch(entry["name"]):
            raise InputError(f"devices: {entry['name']!r} is no name of an interface, nor a pattern of * and ?.")
        wrong = [feature for feature in features if not _FEATURE.fullmatch(feature)]
        if wrong:
            raise InputError(f"devices: {entry['name']}: {wrong[0]!r} is no feature as `ethtool -k` lists them.")
        found.append(Wish(entry["name"], features))
    if not found:
        raise InputError("devices: name at least one; state=absent removes what an earlier run has set up.")
    return found


def merged(wished: t.Iterable[Wish]) -> list[Wish]:
    """Those of one name or pattern together, each where its first one stands."""
    found: dict[str, dict[str, None]] = {}
    for wish in wished:
        found.setdefault(wish.device, {}).update(dict.fromkeys(wish.features))
    return [Wish(device, tuple(names)) for device, names in found.items()]


def features(text: str) -> dict[str, Feature]:
    """What ``ethtool -k DEVICE`` prints."""
    return {name: Feature(value == "on", bool(fixed)) for name, value, fixed in _ROW.findall(text)}


def matching(wish: Wish, names: t.Iterable[str]) -> list[str]:
    return [name for name in names if fnmatch.fnmatchcase(name, wish.device)]


def members(held: t.Mapping[str, Feature], names: t.Iterable[str]) -> list[str]:
    """What must be switched on again by name to undo this: of a group those of its members that are on now."""
    found: list[str] = []
    for name in names:
        parts = [each for each, feature in held.items() if name in _GROUPS and each.startswith(_GROUPS[name]) and feature.on and not feature.fixed]
        found += parts or [name]
    return list(dict.fromkeys(found))


def covered(member: str, names: t.Iterable[str]) -> bool:
    """Whether a feature is one of some, or belongs to a group among them."""
    return any(member == name or (name in _GROUPS and member.startswith(_GROUPS[name])) for name in names)


def render(wished: t.Sequence[Wish], ethtool: str, was: t.Mapping[str, t.Sequence[str]]) -> str:
    """:param ethtool: where the program is. :param was: devices to the features that we switched off on them.

    A card that udev renames has its new name in NAME by then, any other device its only one in KERNEL; $name is the one that holds when the program runs.
    """
    lines = [f"{_WAS}{device} = {' '.join(on)}" for device, on in sorted(was.items()) if on]
    for wish in wished:
        run = f'RUN+="{ethtool} -K $name {" ".join(f"{feature} off" for feature in wish.features)}"'
        lines.append(f'ACTION=="add", SUBSYSTEM=="net", NAME=="{wish.device}", {run}')
        lines.append(f'ACTION=="add", SUBSYSTEM=="net", NAME=="", KERNEL=="{wish.device}", {run}')
    return header("node_offload") + "".join(f"{line}\n" for line in lines)


def written(text: str) -> list[Wish]:
    """What our file switches off."""
    return [Wish(device, tuple(words.split()[::2])) for device, words in _RULE.findall(text)]


def remembered(text: str) -> dict[str, tuple[str, ...]]:
    """What our file says that was on before."""
    found = {}
    for line in text.splitlines():
        if line.startswith(_WAS):
            device, _equals, on = line[len(_WAS) :].partition(" = ")
            found[device] = tuple(on.split())
    return found
