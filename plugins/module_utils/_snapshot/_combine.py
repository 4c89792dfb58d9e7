# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""From answers to single questions to the Snapshot's fields: versions of an API by preference, parts by union."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, OK, Answer
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._requests import split_key

VERSIONS = ("v3", "v1", "v1beta1")  # best first

Answers = t.Mapping[str, Answer[t.Any]]


def combined(answers: Answers) -> dict[str, Answer[t.Any]]:
    """The Snapshot's fields from the answers to single questions. Keys as in ``REQUESTS``; those that are missing were not asked."""
    parts: dict[str, dict[str, dict[str, Answer[t.Any]]]] = {}
    for key, answer in answers.items():
        field, part, version = split_key(key)
        parts.setdefault(field, {}).setdefault(part, {})[version] = answer
    fields = {field: union([_best(versions) for versions in of_field.values()]) for field, of_field in parts.items()}
    pools = {version: fields[f"ip_pools_{version}"] for version in ("v3", "v1") if f"ip_pools_{version}" in fields}
    if pools:
        fields["ip_pools"] = _best(pools)
    return fields


def _best(versions: Answers) -> Answer[t.Any]:
    return preferred([versions[version] for version in sorted(versions, key=lambda name: VERSIONS.index(name) if name in VERSIONS else 0)])


def preferred(answers: t.Sequence[Answer[t.Any]]) -> Answer[t.Any]:
    """Of the same question asked through several versions, best first: the first that was answered, else the first failure of one that is served.

    Both failing, the answer of a version that is served says more than that another one is not.
    """
    served = next((answer for answer in answers if answer.state != NOT_SERVED), answers[0])
    return next((answer for answer in answers if answer.ok), served)


def union(answers: t.Sequence[Answer[t.Any]]) -> Answer[t.Any]:
    """All items; one question that failed makes the whole an answer of its state, which still holds what the others brought."""
    if len(answers) == 1:
        return answers[0]
    items = _once(item for answer in answers for item in answer.items)
    failed = next((answer for answer in answers if not answer.known), None)
    if failed is not None:
        return replace(failed, items=items)
    if all(answer.state == NOT_SERVED for answer in answers):
        return answers[0]
    return Answer(OK, items, ", ".join(dict.fromkeys(answer.where for answer in answers)), partial=any(answer.partial for answer in answers))


def _once(items: t.Iterable[t.Any]) -> tuple[t.Any, ...]:
    """Without the second of two records of one object, which two selectors chose."""
    return tuple({getattr(item, "uid", "") or id(item): item for item in items}.values())
