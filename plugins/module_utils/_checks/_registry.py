# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a check is, and the decorator that makes a function one.

Adding a check is adding one decorated function to a file of its subject. A *new file* is named once more in ``_catalogue.py``: Ansible ships
to the target only what is imported by name.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES, Evidence, Remedy

CLUSTER = "cluster"  # the check sees one cluster's facts
CLUSTERSET = "clusterset"  # the check sees the cards of all clusters


class CannotJudge(Exception):
    """Raised by a check that lacks what it needs. Its argument says what is missing and why, for the user."""


class NotApplicable(Exception):
    """Raised by a check whose question does not arise on this cluster: it has neither passed nor failed."""


class Problem(t.NamedTuple):
    """What a check yields; the engine adds what the catalogue knows (id, references) to make a finding of it.

    ``severity`` overrides the catalogue's where the case at hand is better or worse than usual; ``cluster`` names the cluster for a check
    that sees several; ``missing`` makes the verdict *unknown* for this subject only.
    """

    subject: str
    title: str
    evidence: tuple[Evidence, ...] = ()
    impact: str = ""
    remedy: Remedy | None = None
    severity: str = ""
    caused_by: str = ""
    cluster: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Check:
    """A catalogue record and the function behind it.

    ``severity`` is that of an ordinary case. ``needs`` are the names of :class:`Snapshot` answers without which the verdict is unknown.
    ``joined`` tells on which clusters the question arises: True for members alone, False for clusters without Submariner alone, None for all. On others
    the check is left out, neither passed nor unknown. ``tags`` are for selection; the first one is the check's area.
    ``remedy`` is what usually repairs it, in a sentence for the catalogue; the findings carry the remedy of the case at hand.
    """

    id: str
    title: str
    severity: str
    scope: str
    run: t.Callable[[t.Any], t.Iterable[Problem]] = field(repr=False, compare=False)
    needs: tuple[str, ...] = ()
    joined: bool | None = None
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def area(self) -> str:
        """What a reader looks for it under, and its class in JUnit."""
        return self.tags[0] if self.tags else "general"

    @property
    def description(self) -> str:
        return (self.run.__doc__ or "").strip()


def check(
    check_id: str,
    *,
    title: str,
    severity: str,
    scope: str = CLUSTER,
    needs: tuple[str, ...] = (),
    joined: bool | None = None,
    references: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    remedy: str = "",
) -> t.Callable[[t.Callable[[t.Any], t.Iterable[Problem]]], Check]:
    """Turns a function into a :class:`Check`; its docstring becomes the catalogue's description."""
    if severity not in SEVERITIES:
        raise ValueError(f"check {check_id}: severity {severity!r} is none of {SEVERITIES}")

    def decorate(function: t.Callable[[t.Any], t.Iterable[Problem]]) -> Check:
        return Check(check_id, title, severity, scope, function, needs, joined, references, tags, remedy)

    return decorate
