# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The clusters that one task writes to, and what was done to them."""

from __future__ import annotations

import datetime
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Step

if t.TYPE_CHECKING:
    from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Writer


class Member(t.NamedTuple):
    """One cluster of the set: the name that the user knows it by, the way to its API server, and what writes to it where it is written to."""

    name: str
    connection: Connection
    writer: Writer = t.cast("Writer", None)


@dataclass
class Outcome:
    """What one task did, or in check mode would do; grows while it works, so that an error can still tell it."""

    steps: list[Step] = field(default_factory=list)
    diff: list[dict[str, t.Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def done(self, step: Step) -> None:
        if not any((step.action, step.cluster, step.object) == (known.action, known.cluster, known.object) for known in self.steps):
            self.steps.append(step)


def read_members(members: t.Sequence[Member], deadline: Deadline) -> list[Snapshot]:
    """Read all members at once, in their order."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def read(member: Member) -> Snapshot:
        return read_snapshot(member.connection, member.name, timeout=deadline.left(), taken_at=now)

    with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
        return list(pool.map(read, members))
