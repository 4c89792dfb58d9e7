# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""SIGNATURES BEING WRITTEN (bodies follow within minutes)."""

from __future__ import annotations

import typing as t
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline

class Usage(t.NamedTuple):
    requests: int
    bytes_read: int
    retries: int
    seconds: float

class Patience(t.NamedTuple):
    attempts: int = 6
    first_pause: float = 0.2
    longest_pause: float = 8.0
    longest_retry_after: float = 30.0
    idle: float = 30.0

class Connection:
    name: str      # context, or host: short, for messages
    label: str     # 'context "cluster-1" of /path/kubeconfig (https://...)'
    server: str    # URL
    host_params: t.Mapping[str, t.Any]   # effective connection options; holds secrets, never print

    def request(self, method: str, path: str, query: t.Mapping[str, t.Any] | None = None, body: t.Any = None, content_type: str | None = None,
                deadline: Deadline | None = None) -> dict[str, t.Any]: ...
    def usage(self) -> Usage: ...
    def close(self) -> None: ...

def connect(params: t.Mapping[str, t.Any], *, patience: Patience = Patience()) -> Connection: ...
