# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reading what others saved of a cluster: ``open_bundle`` tells whose clusters a bundle holds, ``Bundle.snapshot`` reads one of them.

The bundle is passed over at most three times: a look at every file, the objects of one cluster, and the few logs that those make worth reading. Nothing is
unpacked onto a disk; memory is bounded by the largest object and by what a snapshot keeps.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import NOT_READ, Answer
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_archive import Problems, walk
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_connection import BundleConnection
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import PLAIN
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_logs_wanted import read_wanted_logs, recorded_targets, targets_by_name
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import VERSION
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_parts import Group, groups_of, parts_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_read import read_store
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import Limits
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_survey import look, rfc3339
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import log_targets
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._logs import read_logs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot, Statistics
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import NodeRecord
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import with_reports

ENDLESS = 86400.0  # seconds: nothing is waited for


class BundledCluster(t.NamedTuple):
    """One cluster of a bundle.

    :param name: unique in the bundle, and fit for an inventory.
    :param cluster_id: its id in the clusterset, "" where no Submariner is among its objects.
    :param taken_at: the newest moment that its objects tell of, RFC 3339.
    """

    name: str
    cluster_id: str
    formats: tuple[str, ...]
    folders: tuple[str, ...]
    taken_at: str


class Bundle:
    """What ``open_bundle`` found. ``problems`` holds what could not be used, in words; it grows while a cluster is read."""

    def __init__(self, path: str, groups: t.Sequence[Group], problems: Problems, limits: Limits, nodes: t.Sequence[NodeRecord] = ()) -> None:
        self.path = path
        self.problems = problems
        self._groups = {group.name: group for group in groups}
        self._limits = limits
        self._nodes = nodes

    @property
    def clusters(self) -> tuple[BundledCluster, ...]:
        return tuple(
            BundledCluster(group.name, group.cluster_id, group.formats, tuple(part.key.root for part in group.parts), _taken_at(group))
            for group in self._groups.values()
        )

    def choose(self, name: str = "") -> str:
        """The name of the cluster that ``name`` means: itself, or a cluster id; without one, that of the only cluster.

        :raises InputError: there is none, or it is not clear which one is meant.
        """
        names = ", ".join(self._groups)
        if not name:
            if len(self._groups) > 1:
                raise InputError(f"{self.path} holds several clusters: {names}. Say which one with bundle_cluster.")
            return next(iter(self._groups))
        if name in self._groups:
            return name
        by_id = [group.name for group in self._groups.values() if group.cluster_id == name]
        if len(by_id) != 1:
            raise InputError(f"{self.path} holds no cluster {name}. It holds {names}.")
        return by_id[0]

    def snapshot(self, name: str = "", cluster: str = "") -> Snapshot:
        """Read one cluster.

        :param name: as :meth:`choose`.
        :param cluster: what findings call it; by default the name under which it stands in the bundle.
        :raises InputError: there is no such cluster, or the bundle cannot be read any more.
        """
        group = self._groups[self.choose(name)]
        index = group.index
        if index is not None and index.version > VERSION:
            raise InputError(f"{self.path} was written by a newer version of this collection (format {index.version}, known are up to {VERSION}): update it.")
        store = read_store(self.path, group, self.problems, self._limits)
        version = next((part.server_version for part in group.parts if part.server_version), "")
        connection = BundleConnection(os.path.basename(self.path.rstrip("/")), store, version, index)
        snapshot = read_snapshot(t.cast(t.Any, connection), cluster or group.name, timeout=ENDLESS, taken_at=_taken_at(group))
        snapshot = replace(snapshot, where=self.path, statistics=_statistics(index, snapshot))
        snapshot = with_reports(snapshot, self._nodes, (group.name, *([index.cluster] if index is not None else [])))
        return replace(snapshot, logs=self._logs(group, connection, snapshot))

    def _logs(self, group: Group, connection: BundleConnection, snapshot: Snapshot) -> Answer[t.Any]:
        index = group.index
        has_logs = any(part.logs for part in group.parts)
        if index is not None and not index.logs_asked and not has_logs:
            return Answer(NOT_READ, (), os.path.basename(self.path), "logs were not collected")
        if index is None and not has_logs:
            return Answer(NOT_READ, (), os.path.basename(self.path), f"{' and '.join(group.formats)}: no logs in this bundle")
        targets = recorded_targets(index) if index is not None else log_targets(snapshot)
        if index is None:
            targets = targets_by_name(group, targets)
        read_wanted_logs(self.path, group, connection, targets, self.problems, self._limits)
        return read_logs(t.cast(t.Any, connection), targets, Deadline(ENDLESS))


def open_bundle(path: str, limits: Limits = Limits()) -> Bundle:
    """Look at every file of a bundle.

    :param path: of a folder, tar, tar.gz (tgz, bz2, xz) or zip, or of one file that kubectl wrote.
    :raises InputError: it cannot be read, or nothing in it is of a kind that is known.
    """
    problems = Problems()
    sights = [look(member, problems) for member in walk(path, problems, limits)]
    name = os.path.basename(os.path.abspath(path)).partition(".")[0]
    groups = [group for group in groups_of(parts_of(sights), name) if _is_cluster(group)]
    if not groups:
        told = "; ".join(problems.texts()[:3])
        raise InputError(
            f"{path} holds nothing of a cluster ({len(sights)} files{f'; {told}' if told else ''}). Known are bundles of this collection's playbook collect, "
            "of subctl gather, kubectl cluster-info dump and oc adm must-gather, and what kubectl get -o yaml or -o json wrote; in folders, tar, tar.gz or zip."
        )
    return Bundle(path, groups, problems, limits, [sight.node for sight in sights if sight.node is not None])


def _is_cluster(group: Group) -> bool:
    return any(part.is_known or (part.logs and part.format != PLAIN) for part in group.parts)


def _taken_at(group: Group) -> str:
    """The newest moment that its objects tell of, else the time of its newest file."""
    index = group.index
    if index is not None and len(group.parts) == 1:
        return index.taken_at
    return max((part.written or rfc3339(part.modified) for part in group.parts), default="")


def _statistics(index: t.Any, snapshot: Snapshot) -> Statistics:
    """What reading the live cluster cost, where our own bundle notes it."""
    if index is None:
        return Statistics(seconds=snapshot.statistics.seconds)
    kept = index.statistics
    return Statistics(
        int(kept.get("requests") or 0), int(kept.get("bytes_read") or 0), int(kept.get("retries") or 0), float(kept.get("seconds") or 0.0)
    )
