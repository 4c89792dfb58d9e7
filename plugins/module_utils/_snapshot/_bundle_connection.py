# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A bundle in place of an API server: the live reader asks it the same questions and cannot tell the difference."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Usage
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, ListResult
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import NOT_READ, OK
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import TARGETS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import Index
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_store import Store
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import MOST_BYTES

LogKey = t.Tuple[str, str, str, bool]  # namespace, pod, container, previous


class LogText(t.NamedTuple):
    """Beginning and end of a log; ``end`` is "" where the beginning is all."""

    beginning: str
    end: str = ""


class BundleConnection:
    """Answers what ``read_snapshot`` asks a :class:`Connection`.

    :param server: names the bundle in messages.
    :param server_version: gitVersion of the API server, "" where no part tells it.
    """

    def __init__(self, server: str, store: Store, server_version: str = "", index: Index | None = None) -> None:
        self.server = server
        self.label = server
        self.name = server
        self.logs: dict[LogKey, LogText | KubeError] = {}
        self._store = store
        self._server_version = server_version
        self._index = index
        self._usage = Usage()

    def usage(self) -> Usage:
        return self._usage

    def close(self) -> None:
        """Nothing is open."""

    def read_lists(self, requests: t.Sequence[ListRequest], deadline: Deadline) -> dict[str, ListResult]:
        """What ``read_all`` answers for a connection."""
        return {request.key: self._store.answer(TARGETS[request.key]) for request in requests}

    def request(
        self, method: str, path: str, query: t.Mapping[str, t.Any] | None = None, deadline: Deadline | None = None, **_options: t.Any
    ) -> dict[str, t.Any]:
        """The answer to a GET that is no list.

        :raises KubeError: the bundle has none, or noted a failure.
        """
        single = self._index.singles.get(path) if self._index is not None and method == "GET" else None
        if single is not None:
            if single.state == OK and single.body is not None:
                return dict(single.body)
            if single.state != OK:
                raise KubeError(single.detail, single.state, status=single.status)
        if path == "/version" and self._server_version:
            return {"gitVersion": self._server_version}
        if path == "/apis":
            groups = self._groups()
            if groups:
                return {"kind": "APIGroupList", "groups": [{"versions": [{"groupVersion": group} for group in groups]}]}
        raise KubeError(f"{' and '.join(self._store.formats)}: this bundle does not hold what GET {path} answers", NOT_READ)

    def _groups(self) -> list[str]:
        """Every group/version has its APIService, served by the API server itself or by another one."""
        result = self._store.answer(TARGETS["api_services"])
        if not result.ok or result.partial:
            return []
        pairs = [service.ref.name.partition(".") for service in result.items]
        told = [f"{group}/{version}" for version, _dot, group in pairs if group]
        return list(dict.fromkeys([*told, "apiregistration.k8s.io/v1", *self._store.seen_groups()]))  # the first of these has no APIService of its own

    def request_text(self, path: str, query: t.Mapping[str, t.Any] | None = None, deadline: Deadline | None = None) -> str:
        """A log, as the API's ``pods/log`` answers it.

        :raises KubeError: the bundle has none of this container.
        """
        options = query or {}
        _empty, _api, _version, _namespaces, namespace, _pods, pod, _log = path.split("/")
        found = self.logs.get((namespace, pod, str(options.get("container") or ""), bool(options.get("previous"))))
        if isinstance(found, KubeError):
            raise found
        if found is None:
            raise KubeError(f"{' and '.join(self._store.formats)}: no log of container {options.get('container')} of pod {namespace}/{pod}", NOT_READ)
        if options.get("tailLines"):
            return found.end
        # The reader takes a beginning shorter than what it asked for as the whole log, and drops the last line of a longer one as cut off.
        short = MOST_BYTES - len(found.beginning.encode("utf-8", "replace"))
        return found.beginning + " " * short if found.end and short > 0 else found.beginning
