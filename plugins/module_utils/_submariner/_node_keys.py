# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The settings that a gateway takes from its node's labels and annotations, and those that stop it.

The gateway reads every label and annotation under ``gateway.submariner.io/`` when it starts and ends on a key that it does not know (submariner
pkg/endpoint/local_endpoint.go, pkg/apis/submariner.io/v1/types.go).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node

PREFIX = "gateway.submariner.io/"
PORTS = ("udp-port", "natt-discovery-port")
PUBLIC_IP = "public-ip"
KNOWN = (*PORTS, PUBLIC_IP, "preferred-server")
PUBLIC_IP_METHODS = ("ipv4", "lb", "api", "dns")  # submariner pkg/endpoint/public_ip.go


class NodeKey(t.NamedTuple):
    """A setting on a node. ``why`` says what is wrong with it; ``fatal`` whether the gateway ends on it."""

    node: str
    field: str  # metadata.labels or metadata.annotations
    key: str
    value: str
    why: str
    fatal: bool


def bad_node_keys(node: Node) -> tuple[NodeKey, ...]:
    """Settings of one node that its gateway does not know or cannot use."""
    found = []
    for field, values in (("metadata.labels", node.labels), ("metadata.annotations", node.annotations)):
        for key, value in sorted(values.items()):
            if key.startswith(PREFIX):
                name = key[len(PREFIX):]
                why = "Submariner does not know it" if name not in KNOWN else _bad_value(name, value)
                if why:
                    found.append(NodeKey(node.ref.name, field, key, value, why, name not in KNOWN or name == PUBLIC_IP))
    return tuple(found)


def _bad_value(name: str, value: str) -> str:
    """Why a known key's value cannot be used, "" when it can."""
    if name in PORTS:
        return "" if value.isdigit() and 0 < int(value) < 65536 else "not a port number"
    if name == PUBLIC_IP:
        parts = [part.strip().split(":", 1) for part in value.split(",")]
        if all(len(part) == 2 and part[0] in PUBLIC_IP_METHODS for part in parts):
            return ""
        return f"not a list of METHOD:ARGUMENT with METHOD one of {', '.join(PUBLIC_IP_METHODS)}"
    return "" if value in ("true", "false") else "neither true nor false"
