# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The options of a module that reads a bundle in place of a cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_archive import Problems
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

BUNDLE_ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {"bundle": {"type": "path"}, "bundle_cluster": {"type": "str"}}
MOST_WARNINGS = 10


def read_bundle(module: t.Any, params: t.Mapping[str, t.Any]) -> Snapshot:
    """Read the cluster that the module's options name. What could not be used is a warning each.

    :raises SubmarinerError: the bundle cannot be read, or holds no such cluster.
    """
    bundle = open_bundle(params["bundle"])
    snapshot = bundle.snapshot(params["bundle_cluster"] or "", params["cluster"] or "")
    warn(module, params["bundle"], bundle.problems)
    return snapshot


def warn(module: t.Any, path: str, problems: Problems) -> None:
    texts = problems.texts()
    for text in texts[:MOST_WARNINGS]:
        module.warn(f"{path}: {text}")
    if len(texts) > MOST_WARNINGS:
        module.warn(f"{path}: {len(texts) - MOST_WARNINGS} more of its files could not be used")
