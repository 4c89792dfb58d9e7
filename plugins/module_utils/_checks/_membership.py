# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether this cluster is a member of a clusterset at all."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import correct_cidrs


@check("not-joined", title="Submariner is installed", severity="info", needs=("submariners",), tags=("membership",))
def not_joined(facts: Facts) -> t.Iterator[Problem]:
    """A cluster without Submariner is judged for a later join: true CIDRs, kube-proxy's mode, what discovery would find."""
    if not facts.joined:
        pinned = correct_cidrs(facts)
        yield Problem(
            subject="Submariner",
            title="Submariner is not installed on this cluster",
            evidence=(Evidence(facts.snapshot.submariners.where or "submariners", "", "none", facts.snapshot.submariners.detail),),
            remedy=Remedy(
                text="To join it, give the true CIDRs instead of leaving them to discovery.",
                variables={name: value for name, value in pinned.variables.items() if name != "join_correction"},
            ),
        )
