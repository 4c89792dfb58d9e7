# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The parts of a bundle, and which of them are of one cluster."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import (
    BROKER,
    GATHER,
    NAMES,
    OURS,
    Place,
    Roots,
    place_of,
    roots_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_logs import LogName
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import Index
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_survey import Sight, Summary, folders_of

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 100


class PartKey(t.NamedTuple):
    format: str
    root: str


class Part:
    """What one run of one tool left of one cluster."""

    def __init__(self, key: PartKey) -> None:
        self.key = key
        self.documents: dict[str, Place] = {}
        self.logs: dict[str, LogName] = {}
        self.uids: set[str] = set()
        self.name = ""  # the cluster's, where the format tells one
        self.cluster_id = ""
        self.server_version = ""
        self.summary: Summary | None = None
        self.index: Index | None = None
        self.is_known = False  # it holds something that a question asks for
        self.modified = 0.0  # seconds since the epoch, of its newest file
        self.written = ""  # the newest moment in its objects, RFC 3339

    @property
    def format(self) -> str:
        return self.key.format

    @property
    def title(self) -> str:
        return f"{NAMES[self.format]} ({self.key.root.rstrip('_')})" if self.key.root else NAMES[self.format]

    def note(self, sight: Sight, place: Place) -> None:
        self.modified = max(self.modified, sight.modified)
        if place.log is not None:
            self.logs[sight.path] = place.log
        if sight.is_document:
            self.documents[sight.path] = place
            self.written = max(self.written, sight.newest)
        self.uids |= sight.uids
        self.is_known = self.is_known or sight.is_known or sight.index is not None
        self.cluster_id = self.cluster_id or sight.cluster_id
        self.server_version = self.server_version or sight.server_version
        if sight.summary is not None:
            self.summary = sight.summary
            self.server_version = self.server_version or sight.summary.server_version
        if sight.index is not None:
            self.index, self.name = sight.index, sight.index.cluster
            self.written = sight.index.taken_at


class Group:
    """The parts of one cluster; ``name`` is fit for an inventory and unique in the bundle."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.name = ""

    @property
    def index(self) -> Index | None:
        """Of our newest bundle among the parts."""
        found = [part.index for part in self.parts if part.index is not None]
        return max(found, key=lambda index: index.taken_at, default=None)

    @property
    def cluster_id(self) -> str:
        return next((part.cluster_id for part in self.parts if part.cluster_id), "")

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(NAMES[part.format] for part in self.parts))

    def title(self, bundle: str) -> str:
        """What to call it: as the run that wrote our bundle did, as gather's folder, by its id in the clusterset, by its folder, like the bundle."""
        names = [part.name for part in self.parts if part.format == OURS] + [part.name for part in self.parts if part.name]
        folder = next((part.key.root.rstrip("!_").rpartition("/")[2] for part in self.parts if part.key.root), "")
        return next((name for name in (*names, self.cluster_id, folder, bundle) if name), "cluster")


def parts_of(sights: t.Sequence[Sight]) -> list[Part]:
    """Sort every file into its part. Parts that hold neither objects nor logs are left out."""
    ours, summaries = folders_of(sights)
    roots = roots_of((sight.path for sight in sights), ours, summaries)
    parts: dict[PartKey, Part] = {}
    for sight in sights:
        if sight.node is not None:
            continue  # of a node, not of an API: whose it is its own words tell
        place = place_of(sight.path, roots)
        if place.format == GATHER and roots.gather.get(place.root) == BROKER:
            continue  # the broker's copies, which every member of the clusterset holds too
        key = PartKey(place.format, place.root)
        if key not in parts:
            parts[key] = Part(key)
            parts[key].name = _gathered_name(place, roots)
        parts[key].note(sight, place)
    return [part for part in parts.values() if part.documents or part.logs or part.index is not None]


def _gathered_name(place: Place, roots: Roots) -> str:
    return roots.gather.get(place.root, "") if place.format == GATHER else ""


def groups_of(parts: t.Sequence[Part], bundle: str) -> list[Group]:
    """Put the parts of each cluster together.

    :param bundle: what to call a cluster that nothing else names.
    """
    identified: list[list[Part]] = []
    for part in parts:
        if part.uids or part.index is not None or part.cluster_id:
            joined = [group for group in identified if any(_same(part, other) for other in group)]
            for group in joined:
                identified.remove(group)
            identified.append([part] + [other for group in joined for other in group])
    for part in parts:
        if not (part.uids or part.index is not None or part.cluster_id):
            _adopt(part, identified)
    order = {id(part): number for number, part in enumerate(parts)}
    groups = [Group(sorted(found, key=lambda part: order[id(part)])) for found in identified]
    groups.sort(key=lambda group: order[id(group.parts[0])])
    _name(groups, bundle)
    return groups


def _same(one: Part, other: Part) -> bool:
    if one.uids and other.uids:
        return not one.uids.isdisjoint(other.uids)
    names = {one.cluster_id, one.name} - {""}
    return bool(names & {other.cluster_id, other.name})


def _adopt(part: Part, identified: list[list[Part]]) -> None:
    """Give a part that names no cluster to the one whose files stand nearest; where several are as near, it is one of its own."""
    named = [group for group in identified if part.name and any(part.name in (other.name, other.cluster_id) for other in group)]
    if len(named) == 1:
        named[0].append(part)
        return
    near = Counter({number: max(_shared(part.key.root, other.key.root) for other in group) for number, group in enumerate(identified)})
    best = near.most_common(2)
    if len(best) == 1 or (len(best) == 2 and best[0][1] > best[1][1]):
        identified[best[0][0]].append(part)
    else:
        identified.append([part])


def _shared(one: str, other: str) -> int:
    """How many folders two paths have in common."""
    count = 0
    for left, right in zip(one.split("/"), other.split("/")):
        if left != right:
            break
        count += 1
    return count


def _name(groups: list[Group], bundle: str) -> None:
    taken: set[str] = set()
    for group in groups:
        base = _UNSAFE.sub("-", group.title(bundle)).strip("-.")[:LONGEST_NAME] or "cluster"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        group.name = name
