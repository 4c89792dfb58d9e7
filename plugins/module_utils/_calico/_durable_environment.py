# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Environment variables of a container, set by name: a merge patch replaces lists whole, so the whole list is made here."""

from __future__ import annotations

import copy
import json
import typing as t

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Containers = t.List[t.Dict[str, t.Any]]
Environment = t.Mapping[str, t.Optional[str]]


def with_environment(containers: Containers, env: Environment, name: str) -> Containers | None:
    """Return the containers with the variables of one of them set, or for None removed; None where there is no such container.

    Variables keep their places, new ones come last: one may be made of those before it (``$(NODEIP)``). A value from elsewhere (``valueFrom``) is replaced.
    """
    changed = copy.deepcopy(containers)
    wanted = next((container for container in changed if container.get("name") == name), None)
    if wanted is None:
        return None
    before = wanted.get("env") or []
    after = []
    for entry in before:
        if entry.get("name") not in env:
            after.append(entry)
        elif env[entry["name"]] is not None and not any(kept.get("name") == entry["name"] for kept in after):
            after.append(entry if entry.get("value") == env[entry["name"]] else {"name": entry["name"], "value": env[entry["name"]]})
    known = {entry.get("name") for entry in before}
    after += [{"name": each, "value": value} for each, value in env.items() if each not in known and value is not None]
    if after != before:
        wanted["env"] = after
    return changed


def applied_environment(daemon_set: t.Mapping[str, t.Any], env: Environment, name: str) -> bool:
    """Whether the last ``kubectl apply`` set these variables just so: then whoever applies keeps them."""
    annotations = (daemon_set.get("metadata") or {}).get("annotations") or {}
    try:
        containers = json.loads(annotations.get(LAST_APPLIED, ""))["spec"]["template"]["spec"]["containers"]
        found = next(entry for entry in containers if entry["name"] == name).get("env") or []
        values = {entry["name"]: entry.get("value", "") for entry in found if "valueFrom" not in entry}
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return False
    return all(values.get(each) == value for each, value in env.items())
