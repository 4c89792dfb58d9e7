# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-ins of an awake lab know of it from files: how it was in health, and when it was roused."""

from __future__ import annotations

import json
import typing as t

from tests.lab.client import Object
from tests.lab.info import ClusterInfo

HEALTHY, WOKEN = "healthy.json", "woken.json"

Image = dict[str, Object]


def healthy(cluster: ClusterInfo) -> Image:
    """All objects by path as they were in health."""
    return read(cluster, HEALTHY)


def woken(cluster: ClusterInfo) -> Image:
    """All objects by path as they were when the cluster was roused; nothing in a lab that is never awake."""
    return read(cluster, WOKEN)


def pod_uids(cluster: ClusterInfo) -> set[str]:
    """Of the pods that were there when the cluster was roused: what they did stands, and only what happens to them counts."""
    return {each["metadata"]["uid"] for each in woken(cluster).values() if each["kind"] == "Pod"}


def in_collection(image: Image, path: str) -> list[Object]:
    """The objects of an image whose collection has that path."""
    return [each for place, each in image.items() if place.rpartition("/")[0] == path]


def save(cluster: ClusterInfo, name: str, content: t.Any) -> None:
    path = cluster.dir / name
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(content), encoding="utf-8")
    scratch.replace(path)


def read(cluster: ClusterInfo, name: str) -> dict[str, t.Any]:
    """What was saved under a name; nothing when nothing was."""
    try:
        return t.cast("dict[str, t.Any]", json.loads((cluster.dir / name).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
