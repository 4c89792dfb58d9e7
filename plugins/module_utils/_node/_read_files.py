# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What Calico, CNI and NetworkManager keep in files."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_files as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_system import number
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import CalicoFiles, NetworkManager

CALICO = "calico"
MTU_FILE = "/var/lib/calico/mtu"
# Where runtimes look for CNI's configuration: Kubernetes' default, OpenShift's, K3s', MicroK8s'.
CONFIG_FOLDERS = (
    "/etc/cni/net.d",
    "/etc/kubernetes/cni/net.d",
    "/var/lib/rancher/k3s/agent/etc/cni/net.d",
    "/var/snap/microk8s/current/args/cni-network",
)
# NetworkManager.conf(5): a file in a later folder hides one of the same name in an earlier; the main file is read between the two groups.
_SHIPPED = ("/usr/lib/NetworkManager/conf.d", "/run/NetworkManager/conf.d")
_MAIN = "/etc/NetworkManager/NetworkManager.conf"
_OWN = "/etc/NetworkManager/conf.d"


def read_calico(host: Host, sight: Sight) -> CalicoFiles:
    mtu = sight.of("calico.mtu_file", lambda: host.text(MTU_FILE), None, absent="")
    value = number(mtu) if mtu else None
    if mtu and value is None:
        sight.miss("calico.mtu_file", f"{MTU_FILE} holds no number")
    found = []
    for folder in CONFIG_FOLDERS:
        name = parse.first_conflist(sight.of("calico.conflist", lambda folder=folder: host.names(folder), (), absent=()))
        if name:
            found.append(_configuration_in(host, folder, name))
    if not found:
        return CalicoFiles(mtu_file=value)
    taken = min(found, key=_how_far)
    if taken.why:
        sight.miss("calico.conflist_plugins", taken.why)
        sight.miss("calico.conflist_mtu", taken.why)
    return CalicoFiles(value, taken.path, taken.said.plugins, taken.said.mtu)


class _Configuration(t.NamedTuple):
    """The first file of a folder.

    :param said: with Multus what it delegates to, after itself.
    :param why: it could not be read.
    """

    path: str
    said: parse.Conflist = parse.Conflist()
    why: str = ""


def _how_far(found: _Configuration) -> int:
    """The lower, the likelier it is that the pods' runtime takes it. A folder that is not the usual one is a distribution's own, whose runtime looks there.

    Other programs leave files in the usual folder (podman), and Calico's in none that no runtime looks into.
    """
    if CALICO in found.said.plugins:
        return 0
    if found.why:
        return 1
    return 3 if found.path.startswith(f"{CONFIG_FOLDERS[0]}/") else 2


def _configuration_in(host: Host, folder: str, name: str) -> _Configuration:
    path = f"{folder}/{name}"
    try:
        text = host.text(path)
        said, delegated = parse.conflist(text), parse.delegation(text, folder)
    except Unreadable as error:
        return _Configuration(path, why=error.why)
    except (ValueError, RecursionError) as error:
        return _Configuration(path, why=f"{path} cannot be parsed: {error}")
    if delegated is None:
        return _Configuration(path, said)
    inner = delegated.inline or _delegate(host, delegated.places, path)
    if inner is None:
        shown = ", ".join(delegated.places)
        return _Configuration(path, said, f"{path} is Multus', and what it delegates to was not found in {shown}")
    return _Configuration(path, parse.Conflist((*said.plugins, *inner.plugins), inner.mtu))


def _delegate(host: Host, places: t.Iterable[str], multus: str) -> parse.Conflist | None:
    """The first of Multus' places that holds the configuration of another plugin."""
    for place in places:
        try:
            paths = [f"{place}/{name}" for name in parse.conflists(host.names(place)) if f"{place}/{name}" != multus]
        except Unreadable:
            paths = [place]
        for path in paths:
            try:
                found = parse.conflist(host.text(path))
            except (Unreadable, ValueError, RecursionError):
                continue
            if found.plugins and not set(found.plugins) & set(parse.MULTUS):
                return found
    return None


def read_network_manager(host: Host, sight: Sight, state: str) -> NetworkManager:
    """:param state: of its service; empty where unknown."""
    found = parse.unmanaged(_configuration(host, sight))
    return NetworkManager(state, found.patterns, found.files)


def _configuration(host: Host, sight: Sight) -> t.Iterator[tuple[str, str]]:
    def listed(folder: str) -> tuple[str, ...]:
        return sight.of("network_manager.unmanaged", lambda: host.names(folder), (), absent=())

    own = [name for name in listed(_OWN) if name.endswith(".conf")]
    shipped = {name: folder for folder in _SHIPPED for name in listed(folder) if name.endswith(".conf")}
    paths = [f"{folder}/{name}" for name, folder in sorted(shipped.items()) if name not in own]
    for path in (*paths, _MAIN, *(f"{_OWN}/{name}" for name in own)):
        text = sight.of("network_manager.unmanaged", lambda path=path: host.text(path), "", absent="")
        if text:
            yield path, text
