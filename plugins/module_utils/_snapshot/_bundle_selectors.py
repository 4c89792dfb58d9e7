# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Label and field selectors, evaluated here as an API server does (apimachinery pkg/labels/selector.go and pkg/fields/selector.go)."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import text_at

_SET = re.compile(r"(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^)]*)\)")
_EQUALITY = re.compile(r"(?P<key>[^\s!=,()]+)\s*(?P<operator>==|=|!=)\s*(?P<values>[^\s,()]*)")
_EXISTS = re.compile(r"(?P<operator>!?)\s*(?P<key>[^\s!=,()]+)")


class Requirement(t.NamedTuple):
    """``operator`` is one of in, notin, exists, absent; = and != are sets of one value."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, value: str | None) -> bool:
        """``value`` is None where the object has no such key."""
        if self.operator == "in":
            return value is not None and value in self.values
        if self.operator == "notin":
            return value is None or value not in self.values
        return (value is not None) == (self.operator == "exists")


def requirements(selector: str) -> tuple[Requirement, ...]:
    """Read a selector.

    :raises ValueError: it is none.
    """
    found: list[Requirement] = []
    rest = selector.strip()
    while rest:
        match = _SET.match(rest) or _EQUALITY.match(rest) or _EXISTS.match(rest)
        if match is None:
            raise ValueError(f"no selector: {selector}")
        operator = match["operator"]
        values = frozenset(value.strip() for value in match.groupdict().get("values", "").split(",")) if "values" in match.groupdict() else frozenset()
        name = {"=": "in", "==": "in", "!=": "notin", "": "exists", "!": "absent"}.get(operator, operator)
        found.append(Requirement(match["key"], name, values))
        rest = rest[match.end() :].strip()
        if rest and not rest.startswith(","):
            raise ValueError(f"no selector: {selector}")
        rest = rest[1:].strip()
    return tuple(found)


def labels_match(wanted: t.Sequence[Requirement], labels: t.Mapping[str, t.Any]) -> bool:
    return all(requirement.holds(str(labels[requirement.key]) if requirement.key in labels else None) for requirement in wanted)


def fields_match(wanted: t.Sequence[Requirement], obj: t.Mapping[str, t.Any]) -> bool:
    """A field that an object does not have is "" (as kube-apiserver's ToSelectableFields makes it)."""
    return all(requirement.holds(text_at(obj, *requirement.key.split("."))) for requirement in wanted)
