# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What Gateways report now, and not what they reported when they last could.

A gateway writes its record every 5 s, changed or not, with the time in an annotation (submariner pkg/cableengine/syncer/syncer.go). One that ends without
being asked leaves it as it is, "active" and "connected": only another active gateway removes it. No clocks are compared: what counts is that it is
written anew.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as project
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Gateway
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_submariner import UPDATED

Object = t.Dict[str, t.Any]
STALE = 15.0  # seconds without a report after which others count a gateway as gone (syncer.go: GatewayStaleTimeout)


class Reports:
    """The Gateways of one cluster from now on."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def anew(self, objects: t.Iterable[Object]) -> list[Gateway]:
        """Those that have been written since they were first seen here."""
        return [project.gateway(obj) for obj in objects if _version(obj) != self._first.setdefault(obj["metadata"]["name"], _version(obj))]

    def judge(self, objects: t.Sequence[Object], complaint: t.Callable[[list[Gateway]], str]) -> bool | str:
        """For :func:`wait_for`: True as soon as what is reported now is all right, else what is not.

        :param complaint: from records to what is wrong with them, "" where nothing is.
        """
        if not complaint(self.anew(objects)):
            return True
        everything = [project.gateway(obj) for obj in objects]
        last = max((gateway.updated_at for gateway in everything if gateway.ha_status == "active"), default="")
        since = f", last at {last}" if last else ""
        return complaint(everything) or f"what the active Gateway tells is old: it has not been written while this was waiting{since}"


def _version(obj: Object) -> str:
    metadata = obj["metadata"]
    return str((metadata.get("annotations") or {}).get(UPDATED) or metadata.get("resourceVersion") or "")
