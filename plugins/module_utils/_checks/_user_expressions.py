# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""JMESPath expressions of users: compiled, and looked through for what would make them silently find nothing."""

from __future__ import annotations

import types
import typing as t

# Of these the first child alone looks at the whole snapshot, the others at what it found.
_RELATIVE = frozenset(("subexpression", "index_expression", "projection", "value_projection", "filter_projection", "flatten", "pipe"))


class Expression:
    """A compiled expression. ``roots`` are the snapshot's fields that it asks for, ``place`` says where it stands."""

    def __init__(self, text: str, parsed: t.Any, roots: tuple[str, ...], place: str, errors: tuple[type[Exception], ...]) -> None:
        self.text, self.roots, self.place = text, roots, place
        self._parsed, self._errors = parsed, errors

    def search(self, data: t.Any) -> t.Any:
        """:raises ValueError: it cannot be evaluated on this data."""
        try:
            return self._parsed.search(data)
        except self._errors as error:
            raise ValueError(_first_line(error)) from error


def compiled(text: str, names: t.Collection[str], jmespath: types.ModuleType, place: str) -> Expression:
    """:param names: the fields that there are.

    :raises ValueError: it is no expression, calls a function that does not exist, or asks for a field that there is not.
    """
    errors = (jmespath.exceptions.JMESPathError, ArithmeticError, AttributeError, IndexError, KeyError, TypeError, RecursionError)
    try:
        parsed = jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ValueError(f"no JMESPath: {_first_line(error)}") from error
    functions = set(jmespath.functions.Functions.FUNCTION_TABLE)
    for name in _functions(parsed.parsed):
        if name not in functions:
            raise ValueError(f"there is no function {name}(); there are {', '.join(sorted(functions))}")
    roots = tuple(dict.fromkeys(_roots(parsed.parsed)))
    for name in roots:
        if name not in names:
            raise ValueError(f"there is no {name!r} in a snapshot; there are {', '.join(names)}")
    return Expression(text, parsed, roots, place, errors)


def _functions(tree: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    if tree.get("type") == "function_expression":
        yield str(tree.get("value"))
    for child in tree.get("children") or ():
        if isinstance(child, dict):
            yield from _functions(child)


def _roots(tree: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Names that are looked up in the whole snapshot."""
    kind = tree.get("type")
    children = [child for child in tree.get("children") or () if isinstance(child, dict)]
    if kind == "field":
        yield str(tree.get("value"))
    elif kind == "subexpression" and children[0].get("type") == "current":  # @.nodes
        yield from _roots(children[1])
    elif kind != "expref":
        for child in children[:1] if kind in _RELATIVE else children:
            yield from _roots(child)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
