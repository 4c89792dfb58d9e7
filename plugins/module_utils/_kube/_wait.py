# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""SIGNATURES BEING WRITTEN (bodies follow within minutes)."""

from __future__ import annotations

import typing as t
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline

def wait_for(connection: Connection, path: str, predicate: t.Callable[[list[dict[str, t.Any]]], bool | str], *, deadline: Deadline, what: str,
             label_selector: str = "", field_selector: str = "") -> list[dict[str, t.Any]]: ...
    # predicate: True = done; False or a sentence (what is still missing) = go on waiting
