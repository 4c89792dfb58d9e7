# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Evicting a pod: deleting it where no PodDisruptionBudget forbids it (policy/v1, subresource ``eviction`` of the pod)."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError, NotFoundError, TimedOutError, UncertainError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object

_SENDS = 3  # of one eviction, each after the pod was seen unharmed
# Seconds for one answer. A budget that forbids is told by 429 and "come back in 10 s" (kubernetes pkg/registry/core/pod/storage/eviction.go), which is
# longer than this, so that the connection gives up at once and the waiting is left to whoever evicts several pods.
_ANSWER = 8.0


class EvictionBlockedError(KubeError):
    """A disruption budget does not allow the eviction now. Nothing was written."""


def evict(connection: Connection, path: str, *, uid: str, dry_run: bool = False, deadline: Deadline) -> None:
    """Evict a pod; one that is gone already counts as evicted. It may still be there afterwards, ending in its grace period.

    :param path: of the pod.
    :param uid: of the pod that is meant: another one of the same name is left alone.
    :param dry_run: ask whether it would be allowed; budgets are not used up by that.
    :raises EvictionBlockedError: not now; ``api_message`` holds the server's words.
    :raises ConflictError: another uid.
    :raises UncertainError: the answer was lost, and reading the pod again did not tell.
    """
    namespace, name = path.split("/")[-3], path.split("/")[-1]
    options = {"preconditions": {"uid": uid}, **({"dryRun": ["All"]} if dry_run else {})}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}, "deleteOptions": options}
    lost: UncertainError | None = None
    for dummy in range(_SENDS):
        within = Deadline(min(_ANSWER, deadline.left()))
        try:
            connection.request("POST", f"{path}/eviction", {"dryRun": "All" if dry_run else None}, body, deadline=within, repeatable=dry_run)
            return
        except NotFoundError:
            return
        except TimedOutError as error:
            if error.status != 429:
                raise
            raise EvictionBlockedError(error.message, status=429, api_message=error.api_message) from error
        except UncertainError as error:
            lost = error
        found = get_object(connection, path, deadline)
        if found is None or found["metadata"].get("deletionTimestamp") or found["metadata"].get("uid") != uid:
            return
    if lost is not None:
        raise lost
