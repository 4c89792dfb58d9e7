# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A journal, read back: two copies of the same entries, either of which may be missing, put together and compared."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

CREATE, PATCH, DELETE, RESTART, SUBCTL_JOIN = "create", "patch", "delete", "restart", "subctl-join"
INTENDED, DONE, FAILED, UNDONE = "intended", "done", "failed", "undone"
_COMPARED = ("verb", "path", "uid", "patch", "undo", "remedy", "resource_version")


@dataclass
class Record:
    """One write of a run and what became of it.

    :ivar state: the last mark; INTENDED alone means that the run was killed between the entry and what tells its end.
    :ivar new_uid: of the object as it was written.
    :ivar irreversible: what of it nothing can put back, for people.
    """

    n: int
    at: str = ""
    verb: str = ""
    path: str = ""
    object: str = ""
    uid: str = ""
    remedy: str = ""
    before: t.Mapping[str, t.Any] | None = None
    patch: t.Mapping[str, t.Any] | None = None
    undo: t.Mapping[str, t.Any] | None = None
    marks: set[str] = field(default_factory=set)
    new_uid: str = ""
    irreversible: str = ""

    @property
    def state(self) -> str:
        return next((state for state in (UNDONE, FAILED, DONE) if state in self.marks), INTENDED)


class History(t.NamedTuple):
    """
    :param problems: in what the two copies differ, and lines that could not be read: reasons not to trust them.
    """

    records: tuple[Record, ...]
    problems: tuple[str, ...] = ()


def read_lines(text: str, where: str) -> tuple[list[dict[str, t.Any]], list[str]]:
    """The lines of the controller's file. A last line that a kill cut short was never acted upon, so it is passed over."""
    lines: list[dict[str, t.Any]] = []
    problems = []
    texts = text.splitlines(keepends=True)
    for index, each in enumerate(texts):
        try:
            line = json.loads(each)
            if not isinstance(line, dict) or not isinstance(line.get("n"), int):
                raise ValueError("no entry")
            lines.append(line)
        except ValueError:
            if index == len(texts) - 1 and not each.endswith("\n"):
                continue
            problems.append(f"{where} line {index + 1} cannot be read")
    return lines, problems


def read_data(data: t.Mapping[str, str], where: str) -> tuple[list[dict[str, t.Any]], list[str]]:
    """The entries of a ConfigMap of the cluster, in their order."""
    lines: list[dict[str, t.Any]] = []
    problems = []
    for key, text in sorted(data.items(), key=lambda item: (item[0].partition(".")[0], item[0].partition(".")[2] != INTENDED)):
        found, wrong = read_lines(text + "\n", f"{where} key {key}")
        lines += found
        problems += wrong
    return lines, problems


def history(of_file: t.Sequence[t.Mapping[str, t.Any]] | None, of_cluster: t.Sequence[t.Mapping[str, t.Any]] | None) -> History:
    """Put both copies together. Where both are there they must agree: what one lacks (a kill came between the two) is taken from the other."""
    one, other = _records(of_file or ()), _records(of_cluster or ())
    problems = [
        f"entry {number} ({one[number].object}) has {name} otherwise in the file than in the cluster"
        for number in sorted(set(one) & set(other))
        for name in _differing(of_file or (), of_cluster or (), number)
    ]
    records = []
    for number in sorted({*one, *other}):
        record = one.get(number) or other[number]
        twin = other.get(number)
        if twin is not None and twin is not record:
            record.marks |= twin.marks
            record.new_uid = record.new_uid or twin.new_uid
            record.before = record.before if record.before is not None else twin.before
        records.append(record)
    return History(tuple(records), tuple(problems))


def _records(lines: t.Iterable[t.Mapping[str, t.Any]]) -> dict[int, Record]:
    found: dict[int, Record] = {}
    for line in lines:
        number = line["n"]
        record = found.setdefault(number, Record(number))
        record.marks.add(str(line.get("state")))
        if line.get("state") == INTENDED:
            for name in ("at", "verb", "path", "object", "uid", "remedy", "before", "patch", "undo"):
                setattr(record, name, line.get(name))
            record.irreversible = str(line.get("irreversible") or "")
        elif line.get("state") == DONE:
            record.new_uid = str(line.get("uid") or "")
    return {number: record for number, record in found.items() if record.verb}


def _differing(of_file: t.Iterable[t.Mapping[str, t.Any]], of_cluster: t.Iterable[t.Mapping[str, t.Any]], number: int) -> list[str]:
    entries = [next((line for line in lines if line["n"] == number and line.get("state") == INTENDED), {}) for lines in (of_file, of_cluster)]
    return [name for name in _COMPARED if entries[0].get(name) != entries[1].get(name)]


def open_entries(found: History) -> tuple[Record, ...]:
    """Writes that were begun and of which nobody noted the end: where a run was killed. Restarts included."""
    return tuple(record for record in found.records if record.state == INTENDED)
