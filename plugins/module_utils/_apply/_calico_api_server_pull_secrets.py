# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The Secrets that the API server's image is pulled with, which must be in the namespace of its pods.

calico-node's are in calico-node's namespace. Only their metadata is read: copying one is a person's, so that what it holds does not pass through here.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError, NotFoundError


class Place(t.NamedTuple):
    """:param source: namespace of calico-node.
    :param namespace: of the API server.
    """

    source: str
    namespace: str


def usable(task: Task, names: t.Iterable[str], place: Place, *, answers: bool) -> tuple[str, ...]:
    """Those of ``names`` that the API server's pods should name.

    One that calico-node's own namespace lacks is left out: calico-node runs without it.

    :param answers: the API works, so that a Secret that is missing keeps nothing from running: a warning will do.
    :raises RefusedError: one is missing where the API server needs it, so that its image could not be pulled.
    """
    kept, missing = [], []
    for name in dict.fromkeys(names):
        there = True if place.source == place.namespace else _exists(task, place.namespace, name)
        if not there and _exists(task, place.source, name) is False:
            continue
        kept.append(name)
        if there is False:
            missing.append(name)
        elif there is None:
            _warn(task, f"whether namespace {place.namespace} has Secret {name} is not known, since it could not be read", [name], place)
    if missing and answers:
        _warn(task, f"namespace {place.namespace} lacks Secret {', '.join(missing)}", missing, place)
    elif missing:
        raise RefusedError(
            f"{task.member.name}: calico-node's image is pulled with Secret {', '.join(f'{place.source}/{name}' for name in missing)}, which namespace "
            f"{place.namespace} lacks, so that the API server's image could not be pulled there. What a Secret holds does not pass through here. "
            f"Copy it, then run this again: {_commands(task, missing, place)} . Nothing was written."
        )
    return tuple(kept)


def _exists(task: Task, namespace: str, name: str) -> bool | None:
    """None where it cannot be known."""
    try:
        task.member.connection.request_metadata(f"/api/v1/namespaces/{namespace}/secrets/{name}", task.deadline)
    except NotFoundError:
        return False
    except KubeError:
        return None
    return True


def _warn(task: Task, what: str, names: t.Sequence[str], place: Place) -> None:
    task.warnings.append(
        f"{task.member.name}: {what}. calico-node's image is pulled with it, and where it is missing the API server's cannot be pulled. To copy it: "
        f"{_commands(task, names, place)}"
    )


def _commands(task: Task, names: t.Sequence[str], place: Place) -> str:
    copies = [
        f"kubectl -n {place.source} get secret {name} -o yaml | sed 's/^  namespace: {place.source}$/  namespace: {place.namespace}/' | kubectl apply -f -"
        for name in names
    ]
    if task.writer.read(f"/api/v1/namespaces/{place.namespace}") is None:
        copies.insert(0, f"kubectl create namespace {place.namespace}")
    return " && ".join(copies)
