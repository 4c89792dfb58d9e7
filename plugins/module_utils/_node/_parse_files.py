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

MULTUS = ("multus", "multus-shim")
# Where the plugins that Multus delegates to leave their configuration on OpenShift (openshift/cluster-network-operator pkg/network/multus.go).
MULTUS_FOLDERS = ("/run/multus/cni/net.d", "/var/run/multus/cni/net.d")


class Conflist(t.NamedTuple):
    """:param mtu: of the plugin that makes the pods' interface, the first that names one; None when none does."""

    plugins: tuple[str, ...] = ()
    mtu: int | None = None


def first_conflist(names: t.Iterable[str]) -> str:
    """The file that a container runtime takes of a folder: the first by name; empty where there is none."""
    return next(iter(conflists(names)), "")


def conflists(names: t.Iterable[str]) -> list[str]:
    return [name for name in sorted(names) if name.endswith(CONFLISTS) and not name.startswith(".")]


def conflist(text: str) -> Conflist:
    """:raises ValueError: it is no JSON object."""
    return _plugins_of(_object(text))


def _object(text: str) -> dict[str, t.Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    return found


def _plugins_of(found: t.Mapping[str, t.Any]) -> Conflist:
    plugins = found.get("plugins") if "plugins" in found else [found]
    plugins = [each for each in plugins if isinstance(each, dict)] if isinstance(plugins, list) else []
    mtus = [each["mtu"] for each in plugins if isinstance(each.get("mtu"), int) and not isinstance(each["mtu"], bool)]
    return Conflist(tuple(str(each.get("type") or "") for each in plugins), next(iter(mtus), None))


class Delegation(t.NamedTuple):
    """Where Multus takes the pods' own network from (k8snetworkplumbingwg/multus-cni docs/configuration.md).

    :param inline: the first of ``delegates``; None where there are none, or where ``clusterNetwork`` makes Multus pass them over.
    :param places: files, or folders of which the first file counts, in which its configuration may stand otherwise, the likeliest first.
    """

    inline: Conflist | None = None
    places: tuple[str, ...] = ()


def delegation(text: str, folder: str) -> Delegation | None:
    """None for a configuration that is not Multus'.

    :param folder: in which its file stands: Multus makes its configuration of the first other file there, or in its own folder for others.
    """
    found = _object(text)
    if "plugins" in found:
        plugins = [each for each in found["plugins"] if isinstance(each, dict)] if isinstance(found["plugins"], list) else []
        found = next((each for each in plugins if each.get("type") in MULTUS), {})
    if found.get("type") not in MULTUS:
        return None
    network, delegates = found.get("clusterNetwork"), found.get("delegates")
    if not network and isinstance(delegates, list) and delegates and isinstance(delegates[0], dict):
        return Delegation(_plugins_of(delegates[0]))
    places = []
    if isinstance(network, str) and network.startswith("/"):
        places.append(_outside(network))
    elif isinstance(network, str) and network:
        own = found.get("confDir") if isinstance(found.get("confDir"), str) else "/etc/cni/multus/net.d"
        places += [f"{_outside(where)}/{network}{ending}" for where in (own, folder) for ending in (".conflist", ".conf")]
    ready = found.get("readinessindicatorfile")
    if isinstance(ready, str) and ready.endswith(CONFLISTS):
        places.append(_outside(ready))
    return Delegation(None, tuple(dict.fromkeys((*places, *MULTUS_FOLDERS, folder))))


def _outside(path: str) -> str:
    """A path as the host has it: Multus' daemon sees the host's folders below /host."""
    for inside in ("/hostroot/", "/host/"):
        if path.startswith(inside):
            return path[len(inside) - 1 :]
    return path


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
