# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a check says: findings, each with its evidence and its remedy as data."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, fields

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

SEVERITIES = ("info", "warning", "error", "blocker")  # ascending

FAIL = "fail"
UNKNOWN = "unknown"

NEW = "new"
PERSISTING = "persisting"

UNREADABLE = "cluster-unreadable"  # id of the one finding of a cluster that could not be read at all


class Evidence(t.NamedTuple):
    """One value and where it was read."""

    object: str  # "Submariner submariner-operator/submariner"
    field: str  # "status.clusterCIDR"
    value: str
    note: str = ""
    file: str = ""  # path on the controller, as the user named it, where the value stands in an inventory
    line: int = 0  # in ``file``, from 1; 0 where there is none


class Waiver(t.NamedTuple):
    """Why a finding does not count for now. An expired one is kept, so that the report can say that its finding came back."""

    reason: str
    expires: str  # YYYY-MM-DD, the last day on which it holds
    where: str  # "waivers.yml line 3"
    expired: bool = False


@dataclass(frozen=True)
class Remedy:
    """What would repair a finding: a role of this collection and the variables that it needs.

    An empty ``role`` means that a person must act; ``text`` then says how.
    """

    text: str
    role: str = ""  # FQCN
    variables: t.Mapping[str, t.Any] = field(default_factory=dict)
    disruptive: bool = False
    target: str = ""  # the durable object that would be written
    cluster: str = ""  # on which the role runs, where that is not the finding's own cluster


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (``verdict`` fail) or that could not be judged (``verdict`` unknown)."""

    id: str
    severity: str
    cluster: str
    subject: str
    title: str
    verdict: str = FAIL
    evidence: tuple[Evidence, ...] = ()
    impact: str = ""
    missing: str = ""  # for unknown: what could not be read, and why
    remedy: Remedy | None = None
    references: tuple[str, ...] = ()
    caused_by: str = ""  # key of the finding that this one follows from: it goes away with it
    waiver: Waiver | None = None  # set by the report alone
    trend: str = ""  # NEW or PERSISTING; set by the report alone, where it is compared with an earlier one

    @property
    def waived(self) -> bool:
        """True where a waiver holds: the finding is shown, and fails nothing."""
        return self.waiver is not None and not self.waiver.expired

    @property
    def key(self) -> str:
        """Names the finding's kind on its cluster, as ``caused_by`` of another one does."""
        return f"{self.cluster}/{self.id}"

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types, for a module's result and for result.json."""
        # By hand: dataclasses.asdict copies everything deeply, which takes seconds with thousands of findings.
        plain: dict[str, t.Any] = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain["evidence"] = [entry._asdict() for entry in self.evidence]
        plain["references"] = list(self.references)
        plain["waiver"] = None if self.waiver is None else self.waiver._asdict()
        if self.remedy is not None:
            remedy = {entry.name: getattr(self.remedy, entry.name) for entry in fields(self.remedy)}
            plain["remedy"] = {**remedy, "variables": dict(self.remedy.variables)}
        return plain

    @classmethod
    def from_dict(cls, plain: t.Mapping[str, t.Any]) -> Finding:
        """The reverse of :meth:`to_dict`.

        :raises InputError: ``plain`` is not what ``to_dict`` makes.
        """
        try:
            remedy = plain.get("remedy")
            return cls(
                **{name: str(plain[name]) for name in ("id", "cluster", "subject", "title")},
                **{name: str(plain.get(name) or "") for name in ("impact", "missing", "caused_by")},
                severity=_one_of(plain["severity"], SEVERITIES),
                verdict=_one_of(plain.get("verdict", FAIL), (FAIL, UNKNOWN)),
                evidence=tuple(_evidence(entry) for entry in plain.get("evidence") or ()),
                references=tuple(map(str, plain.get("references") or ())),
                remedy=None if not remedy else _remedy(remedy),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"A finding is not of the form that fathom.submariner.diagnose returns: {error!r}.") from error


def _evidence(plain: t.Mapping[str, t.Any]) -> Evidence:
    texts = {name: str(plain.get(name) or "") for name in ("object", "field", "value", "note", "file")}
    return Evidence(**texts, line=int(plain.get("line") or 0))


def _remedy(plain: t.Mapping[str, t.Any]) -> Remedy:
    known = {entry.name: plain[entry.name] for entry in fields(Remedy) if entry.name in plain}
    return Remedy(**{**known, "variables": dict(plain.get("variables") or {})})


def _one_of(value: t.Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{value!r} is none of {', '.join(choices)}")
    return str(value)
