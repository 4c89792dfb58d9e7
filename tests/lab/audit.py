# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which writes reached an API server, asked of its audit log.

    before = audit.marker(cluster.audit_log)
    ...
    assert audit.writes(cluster.audit_log, since=before) == []
"""

from __future__ import annotations

import dataclasses
import json
import time
import typing as t
import urllib.parse
from pathlib import Path

# The API server logs a request just after it has answered it.
SETTLE_SECONDS = 0.25

# Kinds whose creation asks a question and stores nothing.
QUESTION_GROUPS = frozenset({"authorization.k8s.io", "authentication.k8s.io"})


@dataclasses.dataclass(frozen=True)
class AuditEvent:
    """A request with a writing verb.

    :ivar user: the CN of the client certificate: ``admin`` is the collection (and tests that write), ``standin:NAME`` a stand-in.
    :ivar verb: create, update, patch, delete or deletecollection.
    :ivar uri: path and query as they were requested.
    :ivar group: API group, empty for the core group.
    :ivar resource: plural, with its subresource after a slash.
    :ivar namespace: empty for cluster-scoped objects.
    :ivar name: empty when the server chose it, and for collections.
    :ivar status: HTTP status of the answer; a refused request is an event too.
    :ivar dry_run: whether the request said ``dryRun=All``.
    :ivar user_agent: of the client.
    :ivar time: when it was received, RFC 3339 in UTC.
    """

    user: str
    verb: str
    uri: str
    group: str
    resource: str
    namespace: str
    name: str
    status: int
    dry_run: bool
    user_agent: str
    time: str


def marker(path: Path) -> int:
    """A point in an audit log, after all that has been answered by now."""
    time.sleep(SETTLE_SECONDS)
    return path.stat().st_size


def writes(path: Path, user: str = "admin", since: int = 0, *, dry_run: bool = False) -> list[AuditEvent]:
    """The writes of a user after a marker: the real ones, or with ``dry_run`` only those that were tried out."""
    time.sleep(SETTLE_SECONDS)
    return [each for each in events(path, since) if each.user == user and each.dry_run == dry_run]


def events(path: Path, since: int = 0) -> t.Iterator[AuditEvent]:
    """All writing requests of all users after a marker, in the order of their answers."""
    with open(path, "rb") as file:
        file.seek(since)
        for line in file:
            if not line.endswith(b"\n"):
                return  # being written
            event = parse(json.loads(line))
            if event.group not in QUESTION_GROUPS:
                yield event


def parse(raw: dict[str, t.Any]) -> AuditEvent:
    """An ``audit.k8s.io/v1`` Event of level Metadata."""
    target = raw.get("objectRef") or {}
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(raw["requestURI"]).query)
    return AuditEvent(
        user=raw["user"]["username"],
        verb=raw["verb"],
        uri=raw["requestURI"],
        group=target.get("apiGroup", ""),
        resource="/".join(filter(None, (target.get("resource", ""), target.get("subresource", "")))),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        status=(raw.get("responseStatus") or {}).get("code", 0),
        dry_run=bool(query.get("dryRun")),
        user_agent=raw.get("userAgent", ""),
        time=raw.get("requestReceivedTimestamp", ""),
    )
