# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Makes rows of evidence; shared by the readers of objects and of processes."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import unread
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import SHOWN, CidrEvidence
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer

RAW_CHARACTERS = 200


class Kind(t.NamedTuple):
    """A kind of source: its id, its trust among the sources of its subject (1 the best) and its standing."""

    subject: str
    source: str
    rank: int
    standing: str


def rows(kind: Kind, owner: object, field: str, raw: str | t.Sequence[str], caveat: str = "") -> list[CidrEvidence]:
    """One row a family that the value has, and one more for each part of it that is no CIDR. An empty value makes no row."""
    parsed = parse_cidrs(raw)
    written = raw if isinstance(raw, str) else ", ".join(raw)
    base = CidrEvidence(
        kind.subject, "", (), kind.source, str(owner), field, written[:RAW_CHARACTERS], kind.rank, kind.standing,
        "; ".join(filter(None, (caveat,) + parsed.notes)),
    )
    made = [base._replace(family=family, cidrs=tuple(str(network) for network in parsed.of(family))) for family in FAMILIES if parsed.of(family)]
    return made + [base._replace(problem=problem) for problem in parsed.problems]


def unread_row(kind: Kind, answer: Answer[t.Any]) -> list[CidrEvidence]:
    """The row of a source that could not be read; none when it was read, or does not exist on this cluster."""
    return [] if answer.known else [problem_row(kind, kind.source, "", unread(answer))]


def problem_row(kind: Kind, owner: object, field: str, problem: str) -> CidrEvidence:
    return CidrEvidence(kind.subject, "", (), kind.source, str(owner), field, "", kind.rank, kind.standing, "", problem)


def shown(kind: Kind) -> Kind:
    """The same source, as one that is put on the table but never a candidate."""
    return kind._replace(standing=SHOWN)


def merge_alike(evidence: t.Iterable[CidrEvidence]) -> list[CidrEvidence]:
    """Rows that differ only in their object become one that counts the others: five thousand kube-proxies are one piece of evidence."""
    alike: dict[CidrEvidence, list[str]] = {}
    for row in evidence:
        alike.setdefault(row._replace(object=""), []).append(row.object)
    merged = []
    for row, owners in alike.items():
        first, others = min(owners), len(owners) - 1
        more = f"{others} more {'say' if others > 1 else 'says'} the same" if others else ""
        merged.append(row._replace(object=first, caveat="; ".join(filter(None, (row.caveat, more)))))
    return merged
