# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Figures of the same paths at two times, such as before and after a repair: what is otherwise now."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import is_node_document, record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import OPEN, UNKNOWN, Contrast, NodeProbes, PathMtu

# A figure counts as changed when it moved by more than this share, and latencies by more than so many milliseconds: two runs never agree exactly.
SHARE = 0.25
MILLISECONDS = 0.5

Entry = t.Union[PathMtu, Contrast]
Key = t.Tuple[str, str, str, str, str, int]  # node, path, address, protocol, size, port


class Change(t.NamedTuple):
    """One probe, as it was and as it is. ``better`` is None where neither is better."""

    key: Key
    name: str
    before: str
    after: str
    better: bool | None

    def __str__(self) -> str:
        node, path, address, protocol, size, _port = self.key
        what = f"{node} to {self.name or address} ({path}, {protocol}{f' {size}' if size else ''})"
        word = {True: "better", False: "worse", None: "otherwise"}[self.better]
        return f"{what}: {word}, {self.before} before, {self.after} now"


class Comparison(t.NamedTuple):
    """:param same: probes that say the same as before.
    :param gone: probes that were made before alone; ``new`` those that are made now alone.
    """

    changes: tuple[Change, ...]
    same: int
    gone: int
    new: int

    @property
    def lines(self) -> tuple[str, ...]:
        """For a person, what became worse first."""
        order = {False: 0, None: 1, True: 2}
        lines = [str(change) for change in sorted(self.changes, key=lambda change: (order[change.better], change.key))]
        return (*lines, f"{self.same} probes as before, {len(self.changes)} otherwise; {self.gone} were made before alone, {self.new} now alone.")


def compare(before: t.Iterable[t.Mapping[str, t.Any]], after: t.Iterable[t.Mapping[str, t.Any]]) -> Comparison:
    """Compare two sets of documents of kind NodeProbes; others among them are passed over. Of one probe in several documents the last counts.

    :raises InputError: a document is not of the form that its kind has.
    """
    old, new = _entries(before), _entries(after)
    changes = [change for key in old if key in new for change in _changes(key, old[key], new[key])]
    changed = {change.key for change in changes}
    common = set(old) & set(new)
    return Comparison(tuple(changes), len(common - changed), len(set(old) - common), len(set(new) - common))


def _entries(documents: t.Iterable[t.Mapping[str, t.Any]]) -> dict[Key, Entry]:
    found: dict[Key, Entry] = {}
    for document in documents:
        record = record_of(document) if is_node_document(document) else None
        if isinstance(record, NodeProbes):
            for path in record.paths:
                found[record.node, path.path, path.target, path.protocol, "", 0] = path
            for contrast in record.contrasts:
                found[record.node, contrast.path, contrast.target, contrast.protocol, contrast.size, contrast.port] = contrast
    return found


def _changes(key: Key, before: Entry, after: Entry) -> t.Iterator[Change]:
    if (before.answer, _mtu(before)) != (after.answer, _mtu(after)):
        yield Change(key, after.name, _outcome(before), _outcome(after), _better(before, after))
        return
    for words, unit, more_is_better, figure in (("latency", "ms", False, _latency), ("throughput", "Mbit/s", True, _throughput)):
        old, new = figure(before), figure(after)
        if old and new and abs(new - old) > SHARE * old and (more_is_better or abs(new - old) > MILLISECONDS):
            yield Change(key, after.name, f"{words} {old:g} {unit}", f"{words} {new:g} {unit}", (new > old) == more_is_better)
            return


def _outcome(entry: Entry) -> str:
    answer = entry.answer.replace("_", " ")
    return f"{answer} up to {_mtu(entry)} bytes" if _mtu(entry) else answer


def _better(before: Entry, after: Entry) -> bool | None:
    """Whether more passes now: a larger packet, or anything at all."""
    if _mtu(before) != _mtu(after):
        return _mtu(after) > _mtu(before)
    if UNKNOWN in (before.answer, after.answer) or OPEN not in (before.answer, after.answer):
        return None
    return after.answer == OPEN


def _mtu(entry: Entry) -> int:
    return (entry.mtu or 0) if isinstance(entry, PathMtu) else 0


def _latency(entry: Entry) -> float | None:
    if isinstance(entry, Contrast):
        return entry.milliseconds
    return entry.latency.median if entry.latency is not None else None


def _throughput(entry: Entry) -> float | None:
    return entry.megabits_per_second if isinstance(entry, Contrast) else None
