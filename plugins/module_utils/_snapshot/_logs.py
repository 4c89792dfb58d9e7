# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reading logs: of each its beginning and its end, a bounded number of bytes, all at once, and none for longer than they are worth."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, TIMED_OUT, UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import in_parallel
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import LogTarget
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import OK, Answer, PodLog
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import redacted_text

MOST_BYTES = 64 * 1024  # of the beginning, and of the end
TAIL_LINES = 250
MOST_TAIL_BYTES = 4 * MOST_BYTES  # of those lines are read: a kubelet gives the first of them, and the last are wanted
TIMEOUT = 20.0  # seconds for all logs: the API server waits for a kubelet that is gone
WHERE = "GET /api/v1/namespaces/*/pods/*/log"
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def read_logs(connection: Connection, targets: t.Sequence[LogTarget], deadline: Deadline) -> Answer[PodLog]:
    """The logs of ``targets``. One that is not there any more, or whose node does not answer, is missing among them and told in ``detail``.

    Forbidden logs make the whole answer forbidden, which still holds those that were read; it is unavailable, or timed out, where none could be read.
    """
    within = Deadline(min(TIMEOUT, deadline.left()))
    results = in_parallel(lambda target: _read_log(connection, target, within), targets)
    logs = tuple(result for result in results if isinstance(result, PodLog))
    failures = [result for result in results if isinstance(result, KubeError)]
    state = OK
    forbidden = next((failure for failure in failures if failure.state == FORBIDDEN), None)
    if forbidden is not None:
        state = FORBIDDEN
    elif failures and not logs:
        state = TIMED_OUT if all(failure.state == TIMED_OUT for failure in failures) else UNAVAILABLE
    told = forbidden or next(iter(failures), None)
    detail = "" if told is None else f"{len(failures)} of {len(targets)} logs could not be read; {told.message}"
    return Answer(state, logs, WHERE, detail, partial=bool(failures))


def _read_log(connection: Connection, target: LogTarget, deadline: Deadline) -> PodLog | KubeError:
    path = f"/api/v1/namespaces/{target.ref.namespace}/pods/{target.ref.name}/log"
    query = {"container": target.container, "limitBytes": MOST_BYTES, "previous": "true" if target.previous else None}
    try:
        beginning = connection.request_text(path, query, deadline)
        whole = len(beginning.encode("utf-8", "replace")) < MOST_BYTES
        end = "" if whole else connection.request_text(path, {**query, "tailLines": TAIL_LINES, "limitBytes": MOST_TAIL_BYTES}, deadline)[-MOST_BYTES:]
    except KubeError as error:
        return error
    return pod_log(target, beginning, end)


def pod_log(target: LogTarget, beginning: str, end: str) -> PodLog:
    """The record of a log, without colours, secrets, and what the end repeats of the beginning.

    :param end: "" where ``beginning`` is the whole log already; else ``beginning`` is cut somewhere in a line.
    """
    head = clean(beginning).splitlines()
    tail = clean(end).splitlines()
    if tail and head:
        head.pop()
    overlap = next((count for count in range(min(len(head), len(tail)), 0, -1) if head[-count:] == tail[:count]), 0)
    return PodLog(target.ref, target.container, "\n".join(head), "\n".join(tail[overlap:]), target.previous)


def clean(text: str) -> str:
    """``text`` as it may be shown: no colour codes, and masked as a bundle masks it, so that both are quoted alike."""
    return redacted_text(_COLOUR.sub("", text), assigned=True)
