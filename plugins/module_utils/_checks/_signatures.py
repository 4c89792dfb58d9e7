# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Known messages in logs, statuses and events, each with its cause and what helps."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, Ref, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import (
    API_SERVICE,
    EVENT,
    IP_POOL,
    NAMESPACE,
    NODE,
    TIGERA_STATUS,
    Match,
    find,
    log_field,
    writer_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_calico import CALICO_SIGNATURES
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures_submariner import SUBMARINER_SIGNATURES

SIGNATURES = (*SUBMARINER_SIGNATURES, *CALICO_SIGNATURES)
MIGRATION_LABEL = "projectcalico.org/operator-node-migration"


class Text(t.NamedTuple):
    writer: str
    ref: Ref
    field: str
    lines: tuple[str, ...]


@check(
    "known-message",
    title="Logs, statuses and events hold no message that is known to mean trouble",
    severity="warning",
    references=("https://submariner.io/operations/troubleshooting/", "https://docs.tigera.io/calico/latest/operations/troubleshoot/"),
    tags=("signatures", "health"),
    remedy="Each message has its own remedy.",
)
def known_message(facts: Facts) -> t.Iterator[Problem]:
    """Messages whose meaning is known from Submariner's and Calico's sources and threads.

    A log keeps what was cured since. A message about a matter that another check judges from objects is therefore an information that follows from
    that check's finding; only those that nothing else can tell stand for themselves. Messages that a container ended on are told with its crash.
    """
    found: dict[str, list[Match]] = {}
    for text in texts(facts.snapshot):
        for match in find(SIGNATURES, text.writer, text.ref, text.field, text.lines):
            if not match.signature.fatal:
                found.setdefault(match.signature.id, []).append(match)
    for matches in found.values():
        signature = matches[0].signature
        yield Problem(
            subject=names(str(match.ref) for match in matches),
            title=signature.cause,
            evidence=few((Evidence(str(match.ref), match.field, match.line, _times(match)) for match in matches), 4),
            impact=f"Written by {signature.versions}." if signature.versions else "",
            remedy=by_hand(f"{signature.remedy} See {', '.join(signature.source)}."),
            severity="info" if signature.judged_by else signature.severity,
            caused_by=f"{facts.snapshot.cluster}/{signature.judged_by}" if signature.judged_by else "",
        )
    unread = "" if facts.joined is False else missing(facts.snapshot.logs, "logs")
    if unread:
        yield Problem(subject="logs", title="What the logs of Submariner and Calico say is not known", missing=unread)


def _times(match: Match) -> str:
    return f"{match.count} times" if match.count > 1 else ""


def texts(snapshot: Snapshot) -> t.Iterator[Text]:
    """Everything that a cluster says in words, with who says it. Logs of earlier runs tell of crashes, not of now."""
    pods = {(pod.ref.namespace, pod.ref.name): pod for pod in snapshot.pods.items}
    for log in snapshot.logs.items:
        if not log.previous:
            pod = pods.get((log.ref.namespace, log.ref.name))
            yield Text(writer_of(pod, log.ref.name), log.ref, log_field(log), log.lines)
    for status in snapshot.tigera_statuses.items:
        yield from _conditions(TIGERA_STATUS, status.ref, status.conditions)
    for service in snapshot.api_services.items:
        if service.available is False:
            yield Text(API_SERVICE, service.ref, "status.conditions[Available]", (f"{service.reason}: {service.message}",))
    for pool in snapshot.ip_pools.items:
        yield from _conditions(IP_POOL, pool.ref, pool.conditions, "False")
    for namespace in snapshot.namespaces.items:
        yield from _conditions(NAMESPACE, namespace.ref, namespace.conditions)
    for node in snapshot.nodes.items:
        yield from _conditions(NODE, node.ref, node.conditions)
        if MIGRATION_LABEL in node.labels:
            yield Text(NODE, node.ref, f"metadata.labels[{MIGRATION_LABEL}]", (f"{MIGRATION_LABEL}={node.labels[MIGRATION_LABEL]}",))
    for event in snapshot.events.items:
        yield Text(EVENT, event.ref, f"event {event.reason}", (event.message,))
    for pod in snapshot.pods.items:
        for container in pod.statuses:
            if container.waiting_message:
                yield Text(EVENT, pod.ref, f"status.containerStatuses[{container.name}].state.waiting", (container.waiting_message,))


def _conditions(writer: str, ref: Ref, conditions: t.Iterable[Condition], bad: str = "True") -> t.Iterator[Text]:
    """Conditions that hold, in one line each; ``bad`` is the status that tells trouble."""
    for condition in conditions:
        if condition.status == bad or (bad == "True" and condition.status == "False" and condition.type in ("Available", "Ready")):
            yield Text(writer, ref, f"status.conditions[{condition.type}]", (f"{condition.reason}: {condition.message}",))
