# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""SIGNATURES BEING WRITTEN (bodies follow within minutes)."""

from __future__ import annotations

import typing as t
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline

def create(connection: Connection, path: str, body: dict[str, t.Any], *, dry_run: bool = False, deadline: Deadline) -> dict[str, t.Any]: ...
    # path is the collection's; ConflictError when an object of that name exists
def merge_patch(connection: Connection, path: str, patch: dict[str, t.Any], *, resource_version: str | None, dry_run: bool = False,
                deadline: Deadline) -> dict[str, t.Any]: ...
    # path is the object's; NotFoundError, ConflictError, InvalidError
def delete(connection: Connection, path: str, *, uid: str | None = None, resource_version: str | None = None, dry_run: bool = False,
           deadline: Deadline) -> bool: ...
    # True: deleted by us; False: was gone already
