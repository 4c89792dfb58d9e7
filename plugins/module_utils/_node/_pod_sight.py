# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What of a host a pod on its network sees. Everything that is read from files and programs would be the image's, not the host's: that is unseen."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    BUILT_IN,
    LOADED,
    CalicoFiles,
    Ipset,
    NetworkManager,
    NodeHost,
    Unseen,
)

_FILES = "read from a pod, whose files are its image's and not the host's"
_RIGHTS = "read from a pod, which has NET_RAW and no other right; asking for this takes NET_ADMIN"
_WHOLE = {
    "system.distribution": _FILES,
    "modules": f"{_FILES}: what is not loaded may still be there",
    "modules_barred": _FILES,
    "ipset": _RIGHTS,
    "calico": _FILES,
    "network_manager": _FILES,
    "services": "read from a pod, to which the host's systemd does not answer",
    "firewall": _RIGHTS,
}


def as_seen_from_pod(host: NodeHost) -> NodeHost:
    """The record without what is not the host's: its kernel, loaded modules, sysctls, links, routes, rules, connection tracking, clock and listeners stay."""
    kept: t.List[Unseen] = [each for each in host.unseen if each.what.split(".")[0] not in _WHOLE and each.what not in _WHOLE]
    return host._replace(
        system=host.system._replace(distribution="", version="", like=()),
        modules={name: state for name, state in host.modules.items() if state in (LOADED, BUILT_IN)},
        modules_barred={},
        ipset=Ipset(),
        calico=CalicoFiles(),
        network_manager=NetworkManager(),
        services=(),
        firewall=(),
        unseen=(*(Unseen(what, why) for what, why in _WHOLE.items()), *kept),
    )
