# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Configuration files of CNI and NetworkManager to what they say of interfaces and MTUs."""

from __future__ import annotations

import json
import re
import typing as t

CONFLISTS = (".conf", ".conflist", ".json")  # what libcni looks at (containernetworking/cni libcni/conf.go)


class Conflist(t.NamedTuple):
    """:param mtu: of the plugin that makes the pods' interface, the first that names one; None when none does."""

    plugins: tuple[str, ...] = ()
    mtu: int | None = None


def first_conflist(names: t.Iterable[str]) -> str:
    """The file that a container runtime takes of a folder: the first by name; empty where there is none."""
    return next((name for name in sorted(names) if name.endswith(CONFLISTS) and not name.startswith(".")), "")


def conflist(text: str) -> Conflist:
    """:raises ValueError: it is no JSON object."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    plugins = found.get("plugins") if "plugins" in found else [found]
    plugins = [each for each in plugins if isinstance(each, dict)] if isinstance(plugins, list) else []
    mtus = [each["mtu"] for each in plugins if isinstance(each.get("mtu"), int) and not isinstance(each["mtu"], bool)]
    return Conflist(tuple(str(each.get("type") or "") for each in plugins), next(iter(mtus), None))


class Section(t.NamedTuple):
    name: str
    values: t.Mapping[str, str]


def key_file(text: str) -> list[Section]:
    """A key file of GLib, as NetworkManager reads it: sections in order, ``key+=`` adding to what stands before in the same section."""
    found: list[tuple[str, dict[str, str]]] = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            found.append((line[1:-1].strip(), {}))
        elif "=" in line and found:
            key, _equals, value = (part.strip() for part in line.partition("="))
            found[-1][1][key] = value
    return [Section(name, values) for name, values in found]


def patterns(value: str) -> list[str]:
    """A list of devices (NetworkManager.conf(5), "Device List Format"): separated by commas or semicolons, which a backslash makes part of an entry."""
    entries = re.findall(r"(?:\\.|[^,;\\])+", value)
    return [each for each in (re.sub(r"\\([,;\\])", r"\1", entry).strip() for entry in entries) if each]


class Unmanaged(t.NamedTuple):
    patterns: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def unmanaged(files: t.Iterable[tuple[str, str]]) -> Unmanaged:
    """What NetworkManager leaves alone: ``unmanaged-devices`` of section keyfile, of which the last one acts, and devices' sections with ``managed=0``.

    :param files: path and text of each, in the order in which NetworkManager reads them.
    """
    listed: dict[str, str] = {}  # by pattern, the file
    by_section: dict[str, tuple[list[str], bool, str]] = {}
    for path, text in files:
        for section in key_file(text):
            if section.name == "keyfile":
                listed = _listed(listed, section.values, path)
            elif section.name == "device" or section.name.startswith("device-"):
                devices, is_unmanaged, where = by_section.get(section.name, ([], False, ""))
                if "match-device" in section.values:
                    devices = patterns(section.values["match-device"])
                if "managed" in section.values:
                    is_unmanaged, where = section.values["managed"].lower() in ("0", "false", "no", "off"), path
                by_section[section.name] = (devices or ["*"], is_unmanaged, where)
    for devices, is_unmanaged, where in by_section.values():
        for each in devices if is_unmanaged else ():
            listed.setdefault(each, where)
    return Unmanaged(tuple(listed), tuple(dict.fromkeys(listed.values())))


def _listed(before: dict[str, str], values: t.Mapping[str, str], path: str) -> dict[str, str]:
    found = dict(before)
    for key, value in values.items():
        name, sign = (key[:-1].strip(), key[-1]) if key[-1] in "+-" else (key, "")
        if name != "unmanaged-devices":
            continue
        if sign == "-":
            found = {each: where for each, where in found.items() if each not in patterns(value)}
        else:
            found = {**(found if sign else {}), **{each: path for each in patterns(value)}}
    return found
