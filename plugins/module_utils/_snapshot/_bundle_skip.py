# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which objects need not be parsed, told from their text: parsing is what reading a large bundle costs."""

from __future__ import annotations

import re

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import targets_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_store import Store


class Skipper:
    """Knows what a store wants no more of.

    Of pods nobody but those with certain labels, and a number of others, are asked for; of ConfigMaps and Events those of certain names and types.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._patterns: dict[tuple[str, str], list[tuple[str, int, re.Pattern[bytes] | None]]] = {}

    def skips(self, api_version: str, kind: str, text: bytes) -> bool:
        """Whether no question needs the object whose YAML, or indented JSON, is ``text``."""
        key = (api_version, kind)
        if key not in self._patterns:
            self._patterns[key] = [
                (target.request.key, target.request.most, _needed(target.labels + target.fields)) for target in targets_of(api_version, kind)
            ]
        for question, most, pattern in self._patterns[key]:
            if self._store.has_enough(question, most):
                continue
            if pattern is None or pattern.search(text):
                return False
        for question, _most, pattern in self._patterns[key]:
            if pattern is None or pattern.search(text):
                self._store.note_more(question)
        return bool(self._patterns[key])


def _needed(requirements: tuple[object, ...]) -> re.Pattern[bytes] | None:
    """A pattern that the text of every object that matches has: the first requirement of a value, on a line of its own; None without such a one."""
    for requirement in requirements:
        operator, key, values = getattr(requirement, "operator"), getattr(requirement, "key"), getattr(requirement, "values")
        if operator == "in":
            name = re.escape(key.rpartition(".")[2] if key.startswith(("metadata.", "status.", "spec.")) or "." in key and "/" not in key else key)
            alternatives = "|".join(re.escape(value) for value in sorted(values))
            return re.compile(rf"^[ ]*[\"']?{name}[\"']?:[ ]*[\"']?(?:{alternatives})[\"']?,?[ ]*\r?$".encode(), re.MULTILINE)
    return None
