# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A snapshot as plain JSON types: what the expressions of users' own checks see."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Snapshot


def to_plain(snapshot: Snapshot) -> dict[str, t.Any]:
    """Every field of the Snapshot under its name.

    An answer is ``{"state": "ok", "items": [...], "partial": false, "where": "GET /api/v1/nodes", "detail": ""}``, a record a mapping of its fields;
    what records compute (``Node.is_gateway``) is not there.
    """
    return {name: _answer(value) if isinstance(value, Answer) else _plain(value) for name, value in vars(snapshot).items()}


def _answer(answer: Answer[t.Any]) -> dict[str, t.Any]:
    return {
        "state": answer.state,
        "items": [_plain(item) for item in answer.items],
        "partial": answer.partial,
        "where": answer.where,
        "detail": answer.detail,
    }


def _plain(value: t.Any) -> t.Any:
    fields = getattr(value, "_fields", None) or getattr(value, "__dataclass_fields__", None)
    if fields:
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, t.Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    return value
