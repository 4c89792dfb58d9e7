# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Tolerant access to raw JSON of Kubernetes objects.

What a cluster or a bundle holds was written by others: a field may be absent, null or of another type than its schema says. A projection
must survive that (one odd object may not hide the others), so every getter answers an empty value of the wanted type instead of raising.
"""

from __future__ import annotations

import sys
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import redacted_message

JsonObject = t.Mapping[str, t.Any]
T = t.TypeVar("T")

interned = sys.intern  # of a text that many objects repeat the first one
_MOST_SHARED = 4096
_SHARED: dict[t.Any, t.Any] = {}


def shared(value: T) -> T:
    """The first hashable value that was equal to this one, and of its type (texts: ``interned``).

    Five thousand agents repeat each other's texts, conditions and containers: kept once, they take a tenth of the memory. What is kept is
    forgotten when it becomes much; then equal values exist twice, and nothing else happens.
    """
    if len(_SHARED) >= _MOST_SHARED:
        _SHARED.clear()
    found: T = _SHARED.setdefault((type(value), value), value)
    return found


def shared_map(values: dict[str, str]) -> dict[str, str]:
    """As ``shared``, of a mapping that nobody changes."""
    if len(_SHARED) >= _MOST_SHARED:
        _SHARED.clear()
    found: dict[str, str] = _SHARED.setdefault((dict, *values.items()), values)
    return found


def value_at(obj: t.Any, *path: str) -> t.Any:
    """The value at ``path`` of nested mappings, None where any step is missing."""
    for key in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(key)
    return obj


def object_at(obj: t.Any, *path: str) -> dict[str, t.Any]:
    found = value_at(obj, *path)
    return found if isinstance(found, dict) else {}


def objects_at(obj: t.Any, *path: str) -> list[dict[str, t.Any]]:
    """The list at ``path``, less its entries that are not objects."""
    found = value_at(obj, *path)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def text_of(value: t.Any) -> str:
    """A scalar as text; None, objects and lists become "" and booleans are spelled as in JSON."""
    if type(value) is str:  # pylint: disable=unidiomatic-typecheck
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else ""


def text_at(obj: t.Any, *path: str) -> str:
    for key in path:
        if not isinstance(obj, dict):
            return ""
        obj = obj.get(key)
    return text_of(obj)


def texts_at(obj: t.Any, *path: str) -> tuple[str, ...]:
    """The list of scalars at ``path`` as texts; empty ones are dropped."""
    found = value_at(obj, *path)
    return tuple(text for text in map(text_of, found) if text) if isinstance(found, list) else ()


def integer_at(obj: t.Any, *path: str) -> int:
    found = value_at(obj, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def number_at(obj: t.Any, *path: str) -> float | None:
    """The number at ``path``, None where there is none (``order`` of a policy may be absent)."""
    found = value_at(obj, *path)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def flag_at(obj: t.Any, *path: str) -> bool:
    return value_at(obj, *path) is True


def text_map_at(obj: t.Any, *path: str) -> dict[str, str]:
    return {str(key): text_of(value) for key, value in object_at(obj, *path).items()}


def repeated_text_map_at(obj: t.Any, *path: str) -> dict[str, str]:
    """As ``text_map_at``, of labels and the like, whose keys and values many objects have."""
    return shared_map({interned(str(key)): interned(text_of(value)) for key, value in object_at(obj, *path).items()})


def ref_of(obj: JsonObject, kind: str) -> Ref:
    """``kind`` is given by the caller, since items of a list carry none."""
    metadata = object_at(obj, "metadata")
    return Ref(kind, text_at(metadata, "name"), interned(text_at(metadata, "namespace")))


def condition_of(obj: JsonObject, name: str) -> dict[str, t.Any]:
    """The entry of ``status.conditions`` of type ``name``, {} where there is none."""
    return next((entry for entry in objects_at(obj, "status", "conditions") if entry.get("type") == name), {})


def condition_holds(obj: JsonObject, name: str) -> bool | None:
    """True or False as the condition says, None where it is absent or Unknown."""
    return {"True": True, "False": False}.get(text_at(condition_of(obj, name), "status"))


def condition(obj: JsonObject) -> Condition:
    get = obj.get
    return shared(
        Condition(
            interned(text_of(get("type"))),
            interned(text_of(get("status"))),
            interned(text_of(get("reason"))),
            interned(redacted_message(text_of(get("message")))),
            interned(text_of(get("lastTransitionTime"))),
        )
    )


def conditions_at(obj: t.Any, *path: str) -> tuple[Condition, ...]:
    return tuple(map(condition, objects_at(obj, *path)))


def conditions_of(obj: JsonObject) -> tuple[Condition, ...]:
    """All of ``status.conditions``."""
    return conditions_at(obj, "status", "conditions")
