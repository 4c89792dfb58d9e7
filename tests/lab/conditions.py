# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions: what must be true of an object, or of the objects of a collection, before a lab counts as ready or planted."""

from __future__ import annotations

import dataclasses
import typing as t

from tests.lab.client import Object

READY_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Condition:
    """What must be true of a cluster before the incident counts as planted."""

    cluster: str
    what: str
    path: str
    expect: dict[str, t.Any]
    every: bool = False
    at_least: int = 1
    timeout: float = READY_SECONDS


def unmet(condition: Condition, found: Object | list[Object]) -> str:
    """Why a condition does not hold of an object or the items of a collection; empty when it does."""
    if isinstance(found, dict):
        return _difference(condition.expect, found)
    differences = [(each["metadata"]["name"], _difference(condition.expect, each)) for each in found]
    wrong = [f"{name}: {text}" for name, text in differences if text]
    enough = len(differences) - len(wrong)
    if enough < condition.at_least or (condition.every and wrong):
        return f"{enough} of {len(differences)} objects are so" + (f"; {wrong[0]}" if wrong else "")
    return ""


def _difference(expect: dict[str, t.Any], obj: Object) -> str:
    for path, wanted in expect.items():
        present, value = _lookup(obj, path)
        if isinstance(wanted, dict) and set(wanted) == {"exists"}:
            if present != wanted["exists"]:
                return f"{path} is {'missing' if not present else repr(value)}"
        elif not present or value != wanted:
            return f"{path} is {repr(value) if present else 'missing'}, not {wanted!r}"
    return ""


def _lookup(obj: t.Any, path: str) -> tuple[bool, t.Any]:
    for key in path.replace("\\.", "\0").split("."):
        key = key.replace("\0", ".")
        if isinstance(obj, list) and key.isdigit() and int(key) < len(obj):
            obj = obj[int(key)]
        elif isinstance(obj, dict) and key in obj:
            obj = obj[key]
        else:
            return False, None
    return True, obj
