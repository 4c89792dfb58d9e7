# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of objects in memory: JSON merge patch (RFC 7396) and JSON patch (RFC 6902: add, remove, replace and test). Pure."""

from __future__ import annotations

import copy
import typing as t

from tests.lab.client import Object


class PatchError(ValueError):
    """A JSON patch that does not fit its object."""


def merged(obj: t.Any, patch: t.Any) -> t.Any:
    """The object after a merge patch: mappings deeply, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def patched(obj: Object, operations: t.Sequence[Object]) -> Object:
    """The object after a JSON patch. Raises PatchError that names the operation."""
    result = copy.deepcopy(obj)
    for operation in operations:
        try:
            _apply(result, operation["op"], _steps(operation["path"]), operation.get("value"))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise PatchError(f"{operation!r} does not fit: {type(error).__name__}: {error}") from error
    return result


def _apply(obj: Object, op: str, steps: list[str], value: t.Any) -> None:
    *parents, last = steps
    place: t.Any = obj
    for each in parents:
        place = place[int(each)] if isinstance(place, list) else place[each]
    if isinstance(place, list):
        _apply_to_list(place, op, last, value)
    elif op == "add":
        place[last] = copy.deepcopy(value)
    elif op == "replace":
        if last not in place:
            raise KeyError(last)
        place[last] = copy.deepcopy(value)
    elif op == "remove":
        del place[last]
    elif op == "test":
        _test(place[last], value)
    else:
        raise ValueError(f"{op} is not known here")


def _apply_to_list(place: list[t.Any], op: str, last: str, value: t.Any) -> None:
    if op == "add":
        place.insert(len(place) if last == "-" else int(last), copy.deepcopy(value))
    elif op == "replace":
        place[int(last)] = copy.deepcopy(value)
    elif op == "remove":
        del place[int(last)]
    elif op == "test":
        _test(place[int(last)], value)
    else:
        raise ValueError(f"{op} is not known here")


def _test(found: t.Any, wanted: t.Any) -> None:
    if found != wanted:
        raise ValueError(f"found {found!r}")


def _steps(path: str) -> list[str]:
    if not path.startswith("/"):
        raise ValueError("a path begins with a slash")
    return [each.replace("~1", "/").replace("~0", "~") for each in path[1:].split("/")]
