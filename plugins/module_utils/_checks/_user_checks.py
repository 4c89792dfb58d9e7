# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Users' own checks: YAML files of JMESPath expressions over the snapshot's plain form.

A check is a mapping with ``id``, ``severity``, ``expression`` and ``message``, and may have ``title``, ``subject``, ``evidence``, ``impact``, ``remedy``,
``needs``, ``joined``, ``references`` and ``tags``. The expression sees the snapshot as ``to_plain`` gives it; what it yields is a problem when it is true or
not empty. ``subject`` and ``evidence`` are expressions as well, which besides the snapshot see that result as ``result``.
"""

from __future__ import annotations

import re
import types
import typing as t
from dataclasses import fields

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES, Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTER, CannotJudge, Check, Problem
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._user_expressions import Expression, compiled
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._placed_yaml import Placed, load_placed
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._plain import to_plain

REQUIRED = ("id", "severity", "expression", "message")
TEXTS = (*REQUIRED, "title", "subject", "evidence", "impact", "remedy")
LISTS = ("needs", "references", "tags")
KEYS = (*TEXTS, *LISTS, "joined")
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
AREA = "user"
LONGEST = 200  # characters of a value that an expression gave
MOST = 8  # pieces of evidence
ANSWERS = tuple(entry.name for entry in fields(Snapshot) if isinstance(entry.default, Answer))
NAMES = tuple(entry.name for entry in fields(Snapshot))


def parse_user_checks(text: str, file: str, yaml: types.ModuleType, jmespath: types.ModuleType, taken: t.Collection[str] = ()) -> tuple[Check, ...]:
    """The checks of one file.

    :param file: its name, for messages. :param taken: ids of the catalogue and of other files.
    :raises InputError: naming file, line and reason.
    """
    document = load_placed(text, file, yaml)
    listed = document
    if isinstance(document.value, dict) and set(document.value) == {"checks"}:
        listed = document.value["checks"]
    if not isinstance(listed.value, list):
        raise InputError(f"{file}, line {listed.line}: a list of checks was expected, or a mapping with nothing but the list checks.")
    seen = {name: "a check of this collection, or of another file, has it" for name in taken}
    checks = []
    for entry in listed.value:
        parsed = _Entry(entry, file, jmespath).check(seen)
        seen[parsed.id] = f"the check of line {entry.line} has it"
        checks.append(parsed)
    return tuple(checks)


class _Entry:
    """One mapping of a file, on its way to a check."""

    def __init__(self, placed: Placed, file: str, jmespath: types.ModuleType) -> None:
        self.file, self.jmespath, self.line = file, jmespath, placed.line
        if not isinstance(placed.value, dict):
            raise self.wrong(placed.line, "a check is a mapping")
        self.values: dict[str, Placed] = placed.value
        for key, value in self.values.items():
            if key not in KEYS:
                raise self.wrong(value.line, f"a check has no key {key!r}; keys are {', '.join(KEYS)}")
        for key in REQUIRED:
            if key not in self.values:
                raise self.wrong(placed.line, f"the check has no {key}")

    def wrong(self, line: int, reason: str) -> InputError:
        return InputError(f"{self.file}, line {line}: {reason}.")

    def text(self, key: str) -> str:
        placed = self.values.get(key, Placed("", self.line))
        if not isinstance(placed.value, str) or (key in REQUIRED and not placed.value.strip()):
            raise self.wrong(placed.line, f"{key} must be a text" + ("" if isinstance(placed.value, str) else ", put it in quotes"))
        return placed.value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        placed = self.values.get(key, Placed([], self.line))
        entries = placed.value if isinstance(placed.value, list) else None
        if entries is None or not all(isinstance(entry.value, str) for entry in entries):
            raise self.wrong(placed.line, f"{key} must be a list of texts")
        return tuple(entry.value for entry in entries)

    def expression(self, key: str, further: tuple[str, ...] = ()) -> Expression | None:
        text = self.text(key)
        if not text:
            return None
        placed = self.values[key]
        try:
            return compiled(text, (*NAMES, *further), self.jmespath, f"{self.file}, line {placed.line}, {key}")
        except ValueError as error:
            raise self.wrong(placed.line, f"{key}: {error}") from error

    def check(self, seen: t.Mapping[str, str]) -> Check:
        check_id, severity = self.text("id"), self.text("severity")
        if not ID.fullmatch(check_id):
            raise self.wrong(self.values["id"].line, f"id {check_id!r} is not of the form two-words, in lower case")
        if check_id in seen:
            raise self.wrong(self.values["id"].line, f"id {check_id} is taken: {seen[check_id]}")
        if severity not in SEVERITIES:
            raise self.wrong(self.values["severity"].line, f"severity {severity!r} is none of {', '.join(SEVERITIES)}")
        joined = self.values.get("joined", Placed(None, self.line))
        if joined.value not in (True, False, None):
            raise self.wrong(joined.line, "joined must be true or false")
        expression = self.expression("expression")
        if expression is None:
            raise self.wrong(self.line, "expression is missing")
        needs = self.texts("needs") if "needs" in self.values else tuple(name for name in expression.roots if name in ANSWERS)
        for name in needs:
            if name not in ANSWERS:
                raise self.wrong(self.values["needs"].line, f"needs: there is no answer {name!r} in a snapshot; there are {', '.join(ANSWERS)}")
        judge = _Judge(self.text("message"), expression, self.expression("subject", ("result",)), self.expression("evidence", ("result",)))
        judge.impact, judge.remedy = self.text("impact"), self.text("remedy")
        tags = (AREA, *(tag for tag in self.texts("tags") if tag != AREA))
        title = self.text("title") or f"Not: {self.text('message')}"
        return Check(check_id, title, severity, CLUSTER, judge, needs, joined.value, self.texts("references"), tags, judge.remedy)


class _Judge:
    """The function behind a user's check."""

    def __init__(self, message: str, expression: Expression, subject: Expression | None, evidence: Expression | None) -> None:
        self.message, self.expression, self.subject, self.evidence = message, expression, subject, evidence
        self.impact = self.remedy = ""
        self.__doc__ = message

    def __call__(self, facts: Facts) -> t.Iterator[Problem]:
        plain = _plain(facts.snapshot)
        result = self._search(self.expression, plain)
        if isinstance(result, (int, float)) and not isinstance(result, bool):
            raise CannotJudge(f"{self.expression.place}: it gives the number {result}; compare it with something")
        if not result:
            return
        context = {**plain, "result": result}
        subject = self._search(self.subject, context) if self.subject else None
        found = self._search(self.evidence, context) if self.evidence else result
        yield Problem(
            subject=_short(subject) if subject else "",
            title=self.message,
            evidence=tuple(_evidence(found, self.expression.text)),
            impact=self.impact,
            remedy=by_hand(self.remedy) if self.remedy else None,
        )

    @staticmethod
    def _search(expression: Expression, data: t.Mapping[str, t.Any]) -> t.Any:
        try:
            return expression.search(data)
        except ValueError as error:
            raise CannotJudge(f"{expression.place}: {error}") from error


_LAST: list[tuple[Snapshot, dict[str, t.Any]]] = []  # the snapshot that was converted last: all checks of a run ask for the same one


def _plain(snapshot: Snapshot) -> dict[str, t.Any]:
    if not _LAST or _LAST[0][0] is not snapshot:
        _LAST[:] = [(snapshot, to_plain(snapshot))]
    return _LAST[0][1]


def _evidence(found: t.Any, expression: str) -> t.Iterator[Evidence]:
    entries = found if isinstance(found, list) else [found]
    for entry in entries[:MOST]:
        if isinstance(entry, dict) and set(entry) <= set(Evidence._fields) and "value" in entry:
            known = {key: _short(value) for key, value in entry.items() if key in ("object", "field", "value", "note") and value is not None}
            yield Evidence(**{"object": "", "field": "", **known})
        elif entry is not True:
            yield Evidence("", "", _short(entry))
        else:
            yield Evidence("expression", "", "true", expression[:LONGEST])
    if len(entries) > MOST:
        yield Evidence("", "", f"{len(entries) - MOST} more")


def _short(value: t.Any) -> str:
    text = value if isinstance(value, str) else "true" if value is True else "false" if value is False else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
