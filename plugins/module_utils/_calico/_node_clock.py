# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether nodes agree on the time: certificates count from a moment on, leases and IKE by seconds."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import Flaw, Gap, Judged
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost

TOLERATED = 5.0  # seconds; etcd warns at one, leases of gateways are held for fifteen
GRAVE = 60.0  # certificates that were just made are not valid yet


def reference(hosts: t.Iterable[NodeHost]) -> float | None:
    """The median of the nodes' offsets, by which a wrong clock of the one that asked is told from that of a node; None of fewer than three."""
    offsets = sorted(host.clock.offset for host in hosts if host.clock.offset is not None)
    return None if len(offsets) < 3 else offsets[len(offsets) // 2]


def judge_clock(host: NodeHost, middle: float | None = None) -> Judged:
    """A clock that is wrong by more than the measurement's own uncertainty, or that nothing keeps right.

    :param middle: of :func:`reference`; None judges against the clock of the host that asked.
    """
    clock = host.clock
    if clock.offset is not None:
        off = clock.offset - (middle or 0.0)
        sure = abs(off) - (clock.uncertainty or 0.0)
        if sure > TOLERATED:
            against = "most of the nodes" if middle is not None else "the host that asked"
            side = "ahead of" if off > 0 else "behind"
            value = f"{clock.offset:+.1f} s"
            yield Flaw(f"has a clock that is {_rough(sure)} {side} {against}", "clock.offset", value, "", "error" if sure > GRAVE else "")
            return
    if clock.synchronised is False:
        yield Flaw("has a clock that nothing keeps right", "clock.synchronised", "false", "the kernel has heard of no time server", "info")
    elif clock.offset is None:
        why = host.why_unseen("clock") or "the clock was not compared with another"
        yield Gap("clock", why)


def _rough(seconds: float) -> str:
    """Of one length for clocks that are wrong alike, so that they are told together."""
    return "more than a minute" if seconds > GRAVE else "some seconds"
