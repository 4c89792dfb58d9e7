# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Calico's version, as far as its behaviour is gated by it."""

from __future__ import annotations

import re

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

# v3.27.4, 3.30.0-rc1, release-v3.31, v3.26.3-rancher1: what follows the patch is not compared.
_VERSION = re.compile(r"(?<![0-9.])v?(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


def parse_calico_version(text: str) -> Version | None:
    """(major, minor, patch) of a text such as ``v3.27.4``; None where it names no release (master, a digest)."""
    found = _VERSION.search(text)
    return (int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)) if found else None


def calico_version(snapshot: Snapshot) -> str:
    """The running release as text, "" where nothing tells it.

    calico-node writes its own into ClusterInformation (projectcalico/calico node/pkg/lifecycle/startup); the operator's is that of the manifests
    it renders; the tag of calico-node's image is the last resort.
    """
    written = [entry.calico_version for entry in snapshot.cluster_informations.items] + [entry.calico_version for entry in snapshot.installations.items]
    tags = [
        container.image.partition("@")[0].rpartition(":")[2]
        for daemon_set in snapshot.daemon_sets.items
        if daemon_set.ref.name in ("calico-node", "canal", "rke2-canal")
        for container in daemon_set.containers
        if container.name == "calico-node"
    ]
    return next((text for text in (*written, *tags) if parse_calico_version(text)), "")


def at_least(version: str, *minimum: int) -> bool | None:
    """True where a version is at least ``minimum`` (major, minor[, patch]), None where it is not known."""
    parsed = parse_calico_version(version)
    return None if parsed is None else parsed >= tuple(minimum)
