# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the API projectcalico.org/v3 is on this cluster: absent, aggregated, aggregated but dead, native, or on its way from one to another.

Until Calico 3.31 it exists only as an aggregated API in front of crd.projectcalico.org/v1; from 3.32 on it may be served from CRDs of its own
(projectcalico/calico libcalico-go/lib/apis, DatastoreMigration). Which of them holds is told by the APIService, by what a list of IPPools answered,
and by a migration that is going on; none of them alone is enough.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import unread
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    NOT_SERVED,
    UNAVAILABLE,
    ApiService,
    DatastoreMigration,
    Snapshot,
)

API_SERVICE = "v3.projectcalico.org"
GROUP_VERSION = "projectcalico.org/v3"

NONE = "none"
AGGREGATED = "aggregated"
DEAD = "dead"
NATIVE = "native"
MIGRATING = "migrating"
UNKNOWN = "unknown"

LOCAL = "Local"  # reason of kube-aggregator for an API that the server itself serves, such as that of a CRD

# DatastoreMigration.status.phase (projectcalico/calico kube-controllers/pkg/controllers/migration): the APIService is gone and the datastore is locked.
_LOCKED_PHASES = ("Migrating", "WaitingForConflictResolution")
SETTLED_PHASES = ("Complete",)


class ApiState(t.NamedTuple):
    """What the API is, and on what that rests.

    :param state: one of the constants of this module.
    :param reason: of the APIService's condition Available; "" where there is none.
    :param message: of the same condition, or of the failed request.
    :param missing: for ``unknown``: what could not be read, in words.
    """

    state: str
    reason: str = ""
    message: str = ""
    seen: tuple[Seen, ...] = ()
    missing: str = ""

    @property
    def answers(self) -> bool:
        """True where Submariner's route agent can create an IPPool."""
        return self.state in (AGGREGATED, NATIVE)

    @property
    def refuses(self) -> bool:
        """True where it certainly cannot."""
        return self.state in (NONE, DEAD)


def api_service(snapshot: Snapshot) -> ApiService | None:
    return next((item for item in snapshot.api_services.items if item.ref.name == API_SERVICE), None)


def locked_migration(snapshot: Snapshot) -> DatastoreMigration | None:
    """The DatastoreMigration that has taken the API away for now."""
    return next((item for item in snapshot.datastore_migrations.items if item.phase in _LOCKED_PHASES), None)


def api_state(snapshot: Snapshot) -> ApiState:
    """Decide by what answered; by the APIService where nobody could ask."""
    service = api_service(snapshot)
    answer = snapshot.ip_pools_v3
    seen = tuple(_seen(snapshot, service))
    reason, message = (service.reason, service.message) if service else ("", "")
    migration = locked_migration(snapshot)
    if migration is not None:
        return ApiState(MIGRATING, reason, message, (*seen, Seen(str(migration.ref), "status.phase", migration.phase)))
    if answer.ok:
        return ApiState(NATIVE if _is_native(service) else AGGREGATED, reason, message, seen)
    if answer.state == UNAVAILABLE or (service is not None and service.available is False):
        # A certificate that was replaced under a running pod fails requests while the condition still holds (projectcalico/calico#9419).
        failed = service is not None and service.available is False
        return ApiState(DEAD, reason if failed else "", message if failed else answer.detail, seen)
    if answer.state == NOT_SERVED:
        return ApiState(NONE, reason, message, seen)
    if service is not None and service.available and answer.state in (FORBIDDEN, NOT_READ):
        return ApiState(NATIVE if _is_native(service) else AGGREGATED, reason, message, seen)
    if service is None and _lists_without(snapshot):
        return ApiState(NONE, seen=seen)
    return ApiState(UNKNOWN, reason, message, seen, f"IPPools of {GROUP_VERSION} could not be read: {unread(answer)}")


def _is_native(service: ApiService | None) -> bool:
    return service is not None and not service.service and service.reason in (LOCAL, "")


def _lists_without(snapshot: Snapshot) -> bool:
    """True where the list of all API groups was read and does not hold Calico's. Every API server has APIServices of its own."""
    groups, services = snapshot.api_groups, snapshot.api_services
    return bool((groups.ok and groups.items and GROUP_VERSION not in groups.items) or (services.ok and services.items))


def _seen(snapshot: Snapshot, service: ApiService | None) -> t.Iterator[Seen]:
    answer = snapshot.ip_pools_v3
    yield Seen(answer.where or f"GET /apis/{GROUP_VERSION}/ippools", "", answer.state.replace("_", " "), answer.detail)
    if service is not None:
        condition = "Unknown" if service.available is None else str(service.available)
        yield Seen(str(service.ref), "status.conditions[Available]", condition, ": ".join(filter(None, (service.reason, service.message))))
        yield Seen(str(service.ref), "spec.service", service.service, "" if service.service else "served by the API server itself")
