# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Writing one object, so that a lost answer never means a second write: it is read again, and judged, first."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, KubeError, NotFoundError, UncertainError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import FIELD_MANAGER
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object

MERGE_PATCH = "application/merge-patch+json"  # RFC 7386
_SENDS = 3  # of one write, each after the object was seen unchanged


def create(connection: Connection, path: str, body: t.Mapping[str, t.Any], *, dry_run: bool = False, deadline: Deadline) -> dict[str, t.Any]:
    """Create an object and return it as the server stored it (with ``dry_run``: would store it).

    :param path: of the collection, such as ``/apis/projectcalico.org/v3/ippools``.
    :raises ConflictError: an object of that name exists (``reason`` AlreadyExists).
    :raises InvalidError: the server or an admission webhook refuses the object.
    :raises UncertainError: the answer was lost, and reading the object again did not tell.
    """
    name = str((body.get("metadata") or {}).get("name") or "")
    lost: UncertainError | None = None
    for dummy in range(_SENDS):
        try:
            return connection.request("POST", path, _query(dry_run), body, deadline=deadline, repeatable=dry_run)
        except UncertainError as error:
            if not name:  # generateName: what was created cannot be told from others
                raise
            lost = error
        except ConflictError:
            if lost is None:
                raise
        found = _read_again(connection, f"{path}/{name}", lost, deadline)
        if found is not None:
            _require_written(connection, "POST", f"{path}/{name}", found, body)
            return found
    raise t.cast(UncertainError, lost)


def merge_patch(
    connection: Connection,
    path: str,
    patch: t.Mapping[str, t.Any],
    *,
    resource_version: str | None,
    dry_run: bool = False,
    deadline: Deadline,
) -> dict[str, t.Any]:
    """Change an object by a JSON merge patch and return it as the server stored it (with ``dry_run``: would store it).

    :param path: of the object.
    :param resource_version: of the object that the patch was computed from; None changes whatever is there.
    :raises NotFoundError: there is no such object.
    :raises ConflictError: the object has changed since.
    :raises InvalidError: the server or an admission webhook refuses the change.
    :raises UncertainError: the answer was lost, and reading the object again did not tell.
    """
    body = dict(patch)
    if resource_version:
        body["metadata"] = {**(patch.get("metadata") or {}), "resourceVersion": resource_version}
    lost: UncertainError | None = None
    for dummy in range(_SENDS):
        try:
            return connection.request("PATCH", path, _query(dry_run), body, MERGE_PATCH, deadline, repeatable=dry_run)
        except UncertainError as error:
            lost = error
        except ConflictError:
            if lost is None:
                raise
        found = _read_again(connection, path, lost, deadline)
        if found is None:
            raise NotFoundError(f"{connection.label}: PATCH {path}: the object has disappeared meanwhile.", reason="NotFound")
        if not missing_from(found, patch):
            return found
        if resource_version and found["metadata"].get("resourceVersion") != resource_version:
            _require_written(connection, "PATCH", path, found, patch)
    raise t.cast(UncertainError, lost)


def delete(
    connection: Connection,
    path: str,
    *,
    uid: str | None = None,
    resource_version: str | None = None,
    dry_run: bool = False,
    deadline: Deadline,
) -> bool:
    """Delete an object; return False where it was gone already. The object may still be there, waiting for its finalizers.

    :param path: of the object.
    :param uid: of the object that is meant: another one of the same name is left alone.
    :param resource_version: leave the object alone where it has changed since.
    :raises ConflictError: another uid or resourceVersion.
    :raises UncertainError: the answer was lost, and reading the object again did not tell.
    """
    wanted = {"uid": uid, "resourceVersion": resource_version}
    # What every kind but batch/v1's Job has without being asked: a Job's pods would stay behind (kubernetes pkg/registry/batch/job/strategy.go).
    options: dict[str, t.Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    preconditions = {name: value for name, value in wanted.items() if value}
    if preconditions:
        options["preconditions"] = preconditions
    if dry_run:
        options["dryRun"] = ["All"]  # the query's is ignored beside a body (apiserver pkg/endpoints/handlers/delete.go), and is for the audit log
    lost: UncertainError | None = None
    for dummy in range(_SENDS):
        try:
            connection.request("DELETE", path, {"dryRun": "All" if dry_run else None}, options, deadline=deadline, repeatable=dry_run)
            return True
        except NotFoundError:
            return lost is not None
        except UncertainError as error:
            lost = error
        found = _read_again(connection, path, lost, deadline)
        metadata = (found or {}).get("metadata") or {}
        if found is None or metadata.get("deletionTimestamp") or (uid and metadata.get("uid") != uid):
            return True
        if not preconditions:
            break  # it may be a new object of that name by now
    raise t.cast(UncertainError, lost)


def _query(dry_run: bool) -> dict[str, t.Any]:
    return {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "dryRun": "All" if dry_run else None}


def _read_again(connection: Connection, path: str, lost: UncertainError | None, deadline: Deadline) -> dict[str, t.Any] | None:
    if lost is not None and deadline.expired:
        raise lost
    try:
        return get_object(connection, path, deadline)
    except KubeError as error:
        raise UncertainError(f"{lost.message if lost else ''} Reading it failed too: {error.message}", error.state, status=error.status) from error


def _require_written(connection: Connection, method: str, path: str, found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> None:
    """
    :raises ConflictError: what is there now is not what was sent.
    """
    missing = missing_from(found, wanted)
    if missing:
        raise ConflictError(
            f"{connection.label}: the answer to {method} {path} was lost, and the object there now differs from what was sent, in {', '.join(missing[:5])}. "
            "Somebody else writes it, or the server changed what was written. Read it again and decide anew.",
            reason="Conflict",
        )
