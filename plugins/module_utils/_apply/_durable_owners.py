# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who else writes an object, and would put it back."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import other_owners
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import FIELD_MANAGER
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Origin, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_origin import DEPTH, manager


def kept_by(obj: t.Mapping[str, t.Any], path: str, managers: t.Sequence[str] = ()) -> bool:
    """Whether somebody else than this collection wrote a field as it stands now: a field that is given another value leaves its former managers.

    :param path: such as ``spec.valuesContent``; the server's record is looked at three steps deep.
    :param managers: names of which one must have; none means anybody.
    """
    for entry in (obj.get("metadata") or {}).get("managedFields") or []:
        found = manager(entry)
        if found.name == FIELD_MANAGER or found.subresource or (managers and found.name not in managers):
            continue
        if any(_covers(field, path) for field in found.fields):
            return True
    return False


def _covers(field: str, path: str) -> bool:
    """A manager that keeps nothing in a mapping any more may still be listed for the mapping; a path as deep as the record goes stands for all below it."""
    whole = field.count(".") + 1 >= DEPTH and path.startswith(f"{field}.")
    return whole or f"{field}.".startswith(f"{path}.")


def last_written(obj: t.Mapping[str, t.Any], name: str = "") -> str:
    """When an object was last changed, or a manager last changed it, by the API server's clock (RFC 3339); "" where nothing tells. Status does not count."""
    entries = [manager(entry) for entry in (obj.get("metadata") or {}).get("managedFields") or []]
    return max((entry.time for entry in entries if not entry.subresource and (not name or entry.name == name)), default="")


def person_for_git(
    task: Task, ref: Ref, origin: Origin, wanted: t.Mapping[str, t.Any], why: str, change: str = "make the same change in its source"
) -> None:
    """Where an object is kept in git, have a person change it there as well.

    :param change: what to do with ``wanted`` there, in words.
    """
    for owner in other_owners(ref, origin):
        text = f"{owner} looks after {ref} and puts it back: {change}, so that {why}."
        task.people.append(Person(text, f"{owner}: {ref}", dump(wanted)))
