# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which objects need not be parsed, told from their text: parsing is what reading a large bundle costs."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import Target, targets_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_store import Store


# metadata.labels: the first key of this name, since metadata stands before spec, and line ends within annotations are escaped (in YAML, indented more).
_LABELS = re.compile(rb"\n([ ]*)\"?labels\"?:[^\n]*\n((?:\1[ ]+[^\n]*\n)*)")
_VALUE = re.compile(rb":[ ]*[\"']?([\w.-]+)")


class _Need(t.NamedTuple):
    """What the text of every object that answers a question has: one of ``words`` as the value of a key.

    They are searched before ``pattern``, since nearly every object has none of them; without a pattern nothing is known.
    """

    question: str
    most: int
    in_labels: bool = False
    words: frozenset[bytes] = frozenset()
    pattern: re.Pattern[bytes] | None = None

    def may_be_in(self, text: bytes, labels: bytes, values: frozenset[bytes]) -> bool:
        """
        :param labels: the part of ``text`` that holds the labels.
        :param values: of the labels.
        """
        if self.pattern is None:
            return True
        if self.in_labels:
            return not self.words.isdisjoint(values) and self.pattern.search(labels) is not None
        return any(word in text for word in self.words) and self.pattern.search(text) is not None


class Skipper:
    """Knows what a store wants no more of.

    Of pods nobody but those with certain labels, and a number of others, are asked for; of ConfigMaps and Events those of certain names and types.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._needs: dict[tuple[str, str], list[_Need]] = {}

    def skips(self, api_version: str, kind: str, text: bytes) -> bool:
        """Whether no question needs the object whose YAML, or indented JSON, is ``text``."""
        key = (api_version, kind)
        if key not in self._needs:
            self._needs[key] = [_need(target) for target in targets_of(api_version, kind)]
        needs = self._needs[key]
        if any(need.pattern is None and not self._store.has_enough(need.question, need.most) for need in needs):
            return False
        found = _LABELS.search(text)
        labels = found.group(2) if found is not None else b""
        values = frozenset(_VALUE.findall(labels))
        matching = [need for need in needs if need.may_be_in(text, labels, values)]
        if not all(self._store.has_enough(need.question, need.most) for need in matching):
            return False
        for need in matching:
            self._store.note_more(need.question)
        return bool(needs)


def _need(target: Target) -> _Need:
    for requirement in target.labels + target.fields:
        if requirement.operator == "in":
            in_labels = requirement in target.labels
            # A label whole, or the last step of a field's path.
            name = requirement.key if in_labels else requirement.key.rpartition(".")[2]
            values = "|".join(re.escape(value) for value in sorted(requirement.values))
            pattern = re.compile(rf"{re.escape(name)}[\"']?:[ ]*[\"']?(?:{values})[\"']?,?[ ]*\r?$".encode(), re.MULTILINE)
            return _Need(target.request.key, target.request.most, in_labels, frozenset(value.encode() for value in requirement.values), pattern)
    return _Need(target.request.key, target.request.most)
