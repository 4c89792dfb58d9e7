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
    for folder in CONFIG_FOLDERS:
        name = parse.first_conflist(sight.of("calico.conflist", lambda folder=folder: host.names(folder), (), absent=()))
        if name:
            return _with_conflist(host, sight, CalicoFiles(mtu_file=value, conflist=f"{folder}/{name}"))
    return CalicoFiles(mtu_file=value)


def _with_conflist(host: Host, sight: Sight, files: CalicoFiles) -> CalicoFiles:
    try:
        found = parse.conflist(host.text(files.conflist))
    except Unreadable as error:
        why = error.why
    except (ValueError, RecursionError) as error:
        why = f"{files.conflist} cannot be parsed: {error}"
    else:
        return files._replace(conflist_plugins=found.plugins, conflist_mtu=found.mtu)
    sight.miss("calico.conflist_plugins", why)
    sight.miss("calico.conflist_mtu", why)
    return files


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
