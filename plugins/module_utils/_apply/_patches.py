# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Patches as data: what a merge patch makes of an object, what undoes it, and whether an object is still what it was.

RFC 7386 (JSON merge patch): mappings are merged deeply, None removes a key, everything else, lists included, replaces.
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import clean, missing_from


def merged(obj: t.Any, patch: t.Any) -> t.Any:
    """Return ``obj`` with a merge patch applied; neither argument is changed."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def inverse(obj: t.Any, patch: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the merge patch that turns ``merged(obj, patch)`` back into ``obj``.

    A mapping that ``patch`` creates is removed as a whole where ``obj`` has nothing in its place.
    """
    undo: dict[str, t.Any] = {}
    for key, value in patch.items():
        had = obj.get(key) if isinstance(obj, dict) else None
        undo[key] = inverse(had, value) if isinstance(value, dict) and isinstance(had, dict) else copy.deepcopy(had)
    return undo


def shown(patch: t.Mapping[str, t.Any] | None, obj: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """Return a patch fit for a journal: every secret in it replaced by a mark.

    A patch does not say of what kind its object is, and what is secret depends on that; removals (None) are part of it, unlike in an object.

    :param obj: that the patch is for.
    """
    if patch is None:
        return None
    kind = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind")}
    masked = clean({**kind, **{key: value for key, value in patch.items() if key != "metadata"}})
    result = {key: value for key, value in masked.items() if key in patch}
    return {**result, "metadata": copy.deepcopy(patch["metadata"])} if "metadata" in patch else result


def changed_fields(expected: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any] | None) -> tuple[str, ...]:
    """Return the paths of the fields in which an object differs from what it was, such as ``spec.calicoNetwork.mtu``; () where it does not.

    Status, the server's book-keeping and the values of secrets do not count.

    :param expected: as :func:`content` returned it.
    :param found: the object as it is now; None where it is gone.
    """
    now = content(found)
    return tuple(dict.fromkeys((*missing_from(now, expected), *missing_from(expected, now))))


def differing(expected: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any] | None) -> tuple[str, ...]:
    """Return the fields in which an object is not what a plan was made of any more; ``metadata.uid`` alone where it was made anew just so.

    Items of a list carry no apiVersion and kind: what was noted of one is compared without them.

    :param expected: a precondition, as a writer notes it in check mode: its uid and its content.
    """
    known = expected.get("content") or {}
    if found is not None and known and "kind" not in known:
        found = {key: value for key, value in found.items() if key not in ("apiVersion", "kind")}
    fields = changed_fields(known, found)
    uid = str(((found or {}).get("metadata") or {}).get("uid") or "")
    if not fields and found is not None and expected.get("uid") and expected["uid"] != uid:
        return ("metadata.uid",)
    return fields


def content(obj: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """Return what of an object somebody decided: without status, book-keeping and secrets. ``{}`` for none."""
    return {key: value for key, value in clean(obj).items() if key != "status"}
