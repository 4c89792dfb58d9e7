# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The fixed TCP segment size of gateway nodes, node annotation ``submariner.io/tcp-clamp-mss``.

The route agent reads it once, when it starts (submariner pkg/routeagent_driver/handlers/mtu/mtuhandler.go; submariner-io/submariner#2087).
"""

from __future__ import annotations

import typing as t

ANNOTATION = "submariner.io/tcp-clamp-mss"
GATEWAY = "submariner.io/gateway"
_FIELD = f"f:{ANNOTATION}"

Object = t.Mapping[str, t.Any]


def clamp_patch(node: Object, segment: int) -> dict[str, t.Any]:
    """The merge patch of a Node, {} where it is as asked.

    :param segment: bytes, 0 for no annotation.
    """
    found = (node["metadata"].get("annotations") or {}).get(ANNOTATION)
    wanted = str(segment) if segment else None
    return {} if found == wanted else {"metadata": {"annotations": {ANNOTATION: wanted}}}


def written_at(node: Object) -> str:
    """When the annotation was last written at the latest, RFC 3339; "" where it is not there or nobody recorded who wrote it."""
    times = []
    for entry in node["metadata"].get("managedFields") or []:
        annotations = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get("f:annotations") or {}
        if _FIELD in annotations:
            times.append(str(entry.get("time", "")))
    return max(times, default="")


def reads_older(node: Object, agent_started: str) -> bool:
    """Whether the agent on the node started before the annotation was written, and so goes on with what was there before."""
    written = written_at(node)
    return bool(written and agent_started and agent_started < written)
