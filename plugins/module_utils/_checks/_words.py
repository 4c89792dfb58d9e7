# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Lists in titles and evidence, kept short."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence

MOST_NAMES = 3
MOST_EVIDENCE = 6


def names(items: t.Iterable[str], most: int = MOST_NAMES) -> str:
    """``a, b, c and 4 more``."""
    all_of = list(dict.fromkeys(items))
    shown = ", ".join(all_of[:most])
    return f"{shown} and {len(all_of) - most} more" if len(all_of) > most else shown


def few(evidence: t.Iterable[Evidence], most: int = MOST_EVIDENCE) -> tuple[Evidence, ...]:
    """The first pieces of evidence, and how many more there are."""
    all_of = tuple(evidence)
    return all_of if len(all_of) <= most else (*all_of[:most], Evidence(f"{len(all_of) - most} more", "", "alike"))
