# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The index of a bundle that this collection wrote: every question that was put to the cluster, and how it was answered.

    index.json                                 this
    objects/QUESTION.json                      the objects of one answer, as a List with one object a line ("/" in a question's key becomes "+")
    logs/NAMESPACE/POD/CONTAINER.log           the beginning of a log, of the last incarnation CONTAINER.previous.log
    logs/NAMESPACE/POD/CONTAINER.tail.log      its end, where the beginning is not all of it
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import NOT_READ, OK
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    flag_at,
    integer_at,
    object_at,
    objects_at,
    text_at,
    value_at,
)

FORMAT = "fathom.submariner/bundle"
VERSION = 1


class Question(t.NamedTuple):
    """One list. ``status`` is the HTTP status of a failure; ``file`` holds the objects and is "" where there are none."""

    path: str
    state: str
    where: str
    detail: str = ""
    status: int = 0
    partial: bool = False
    file: str = ""
    count: int = 0


class Single(t.NamedTuple):
    """One GET that is no list: its answer, or the failure's state, words and HTTP status."""

    body: t.Mapping[str, t.Any] | None
    state: str = OK
    detail: str = ""
    status: int = 0


class Log(t.NamedTuple):
    """One container's log; ``tail_file`` is "" where ``file`` holds all of it."""

    namespace: str
    pod: str
    container: str
    previous: bool
    file: str = ""
    tail_file: str = ""
    state: str = OK
    detail: str = ""
    status: int = 0


class Index(t.NamedTuple):
    """``version`` is that of the format; a newer one than ``VERSION`` cannot be read. ``logs`` stand in the order in which they were asked for."""

    version: int
    cluster: str
    server: str
    taken_at: str
    redacted: bool
    pseudonymised: bool
    questions: t.Mapping[str, Question]
    singles: t.Mapping[str, Single]
    logs: tuple[Log, ...]
    logs_asked: bool
    statistics: t.Mapping[str, t.Any]

    def to_dict(self) -> dict[str, t.Any]:
        return {
            "format": FORMAT,
            "version": self.version,
            "cluster": self.cluster,
            "server": self.server,
            "taken_at": self.taken_at,
            "redacted": self.redacted,
            "pseudonymised": self.pseudonymised,
            "questions": {key: question._asdict() for key, question in sorted(self.questions.items())},
            "singles": {path: single._asdict() for path, single in sorted(self.singles.items())},
            "logs_asked": self.logs_asked,
            "logs": [log._asdict() for log in self.logs],
            "statistics": dict(self.statistics),
        }


def object_file(key: str) -> str:
    return f"objects/{key.replace('/', '+')}.json"


def log_file(namespace: str, pod: str, container: str, previous: bool, tail: bool) -> str:
    return f"logs/{namespace}/{pod}/{container}{'.previous' if previous else ''}{'.tail' if tail else ''}.log"


def read_index(text: bytes) -> Index | None:
    """Read an index; None where the text is none (any other file may be called index.json)."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    return Index(
        version=integer_at(found, "version"),
        cluster=text_at(found, "cluster"),
        server=text_at(found, "server"),
        taken_at=text_at(found, "taken_at"),
        redacted=flag_at(found, "redacted"),
        pseudonymised=flag_at(found, "pseudonymised"),
        questions={
            str(key): Question(
                text_at(entry, "path"),
                text_at(entry, "state") or NOT_READ,
                text_at(entry, "where"),
                text_at(entry, "detail"),
                integer_at(entry, "status"),
                flag_at(entry, "partial"),
                text_at(entry, "file"),
                integer_at(entry, "count"),
            )
            for key, entry in object_at(found, "questions").items()
        },
        singles={
            str(path): Single(
                object_at(entry, "body") if value_at(entry, "body") is not None else None,
                text_at(entry, "state") or NOT_READ,
                text_at(entry, "detail"),
                integer_at(entry, "status"),
            )
            for path, entry in object_at(found, "singles").items()
        },
        logs=tuple(
            Log(
                text_at(entry, "namespace"),
                text_at(entry, "pod"),
                text_at(entry, "container"),
                flag_at(entry, "previous"),
                text_at(entry, "file"),
                text_at(entry, "tail_file"),
                text_at(entry, "state") or NOT_READ,
                text_at(entry, "detail"),
                integer_at(entry, "status"),
            )
            for entry in objects_at(found, "logs")
        ),
        logs_asked=flag_at(found, "logs_asked"),
        statistics=object_at(found, "statistics"),
    )
