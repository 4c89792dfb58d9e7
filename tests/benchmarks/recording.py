# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests a diagnosis sends, so that others can send the same."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection, connect
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot


class Request(t.NamedTuple):
    """A GET that was sent. ``query`` is without what is empty."""

    path: str
    query: dict[str, t.Any]

    @property
    def is_first_page(self) -> bool:
        return "continue" not in self.query

    @property
    def is_list(self) -> bool:
        return "limit" in self.query


class Recorder:
    """A Connection that notes what is asked of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.requests: list[Request] = []

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._connection, name)

    def _note(self, path: str, query: t.Mapping[str, t.Any] | None) -> None:
        self.requests.append(Request(path, {key: value for key, value in (query or {}).items() if value not in (None, "")}))

    def request(self, method: str, path: str, query: t.Mapping[str, t.Any] | None = None, **keywords: t.Any) -> t.Any:
        self._note(path, query)
        return self._connection.request(method, path, query, **keywords)

    def request_page(self, path: str, query: t.Mapping[str, t.Any], *arguments: t.Any) -> t.Any:
        self._note(path, query)
        return self._connection.request_page(path, query, *arguments)

    def request_text(self, path: str, query: t.Mapping[str, t.Any] | None = None, *arguments: t.Any, **keywords: t.Any) -> str:
        self._note(path, query)
        return self._connection.request_text(path, query, *arguments, **keywords)


def record(kubeconfig: Path) -> list[Request]:
    """The requests of one diagnosis, in the order in which they were sent. Their continue tokens are good for five minutes."""
    recorder = Recorder(connect({"kubeconfig": str(kubeconfig)}))
    read_snapshot(t.cast(Connection, recorder), "large", timeout=600, taken_at="2026-11-21T00:00:00Z", logs=True)
    return recorder.requests
