# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Documents of nodes, from files and from bundles, into the snapshot of the cluster that they are of."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import NOT_READ, OK, Answer
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import (
    API_VERSION,
    NODE_INFO,
    NODE_PROBES,
    NodeRecord,
    is_node_document,
    record_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import NodeProbes

LARGEST = 16 * 1024 * 1024  # bytes of one document
SUFFIX = ".json"
MOST_WARNINGS = 10
NODE_REPORTS_ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {"node_reports": {"type": "list", "elements": "path", "default": []}}


class Reports(t.NamedTuple):
    """:param problems: files that hold a node's document which cannot be used, in words."""

    records: tuple[NodeRecord, ...] = ()
    problems: tuple[str, ...] = ()


def parse_report(text: bytes, where: str) -> NodeRecord | None:
    """The record of a document; None where the text is something else, such as another program's JSON.

    :raises InputError: it is one, and cannot be used.
    """
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        if API_VERSION.encode() in text[:4096]:
            raise InputError(f"{where}: {error}.") from error
        return None
    return record_of(found, where) if is_node_document(found) else None


def read_reports(paths: t.Sequence[str]) -> Reports:
    """The documents of files, and of the ``*.json`` files of folders and of the folders in them.

    :raises InputError: one that is named cannot be read or is no document of a node, or a folder that is named holds none at all.
    """
    records: list[NodeRecord] = []
    problems: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            record = parse_report(_bytes(path), path)
            if record is None:
                raise InputError(f"node_reports: {path} is no document of kind {NODE_INFO} or {NODE_PROBES} of {API_VERSION}.")
            records.append(record)
            continue
        found = list(_files(path))
        before = len(records) + len(problems)
        for file in found:
            try:
                record = parse_report(_bytes(file), file)
            except InputError as error:
                problems.append(error.message)
                continue
            if record is not None:
                records.append(record)
        if len(records) + len(problems) == before:
            raise InputError(f"node_reports: {path} holds no document of a node in its {len(found)} {SUFFIX} files.")
    return Reports(tuple(records), tuple(problems))


def given_reports(module: t.Any, params: t.Mapping[str, t.Any]) -> tuple[NodeRecord, ...]:
    """What option ``node_reports`` names; a file of a folder that cannot be used is a warning.

    :raises InputError: as :func:`read_reports`.
    """
    reports = read_reports(params["node_reports"])
    for problem in reports.problems[:MOST_WARNINGS]:
        module.warn(problem)
    if len(reports.problems) > MOST_WARNINGS:
        module.warn(f"node_reports: {len(reports.problems) - MOST_WARNINGS} more documents cannot be used")
    return reports.records


def _files(folder: str) -> t.Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(parent, name) for name in sorted(names) if name.endswith(SUFFIX))


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            found = stream.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"node_reports: {path} cannot be read: {error.strerror or error}.") from error
    if len(found) > LARGEST:
        raise InputError(f"node_reports: {path} is larger than {LARGEST} bytes: that is no document of a node.")
    return found


def with_reports(snapshot: Snapshot, records: t.Sequence[NodeRecord], names: t.Collection[str] = ()) -> Snapshot:
    """The snapshot with the documents of its nodes, beside those that it has.

    One that names a cluster is that cluster's; one that names none belongs to every cluster with a Node of its name. Of several of one node the newest counts,
    of probes the newest of each sort: those of paths and those of contrasts are asked for one after the other.

    :param names: under which the cluster goes besides ``snapshot.cluster`` and its cluster id.
    """
    if not records:
        return snapshot
    submariner = snapshot.submariner
    known = {snapshot.cluster, submariner.cluster_id if submariner is not None else "", *names} - {""}
    nodes = {node.ref.name for node in snapshot.nodes.items}
    ours = [record for record in records if record.cluster in known or (not record.cluster and record.node in nodes)]
    hosts = [*snapshot.node_hosts.items, *(record for record in ours if isinstance(record, NodeHost))]
    probes = [*snapshot.node_probes.items, *(record for record in ours if isinstance(record, NodeProbes))]
    return replace(
        snapshot,
        node_hosts=_answer(snapshot.node_hosts, _newest(hosts), NODE_INFO, len(records), nodes),
        node_probes=_answer(snapshot.node_probes, _newest(probes), NODE_PROBES, len(records), nodes),
    )


def _newest(found: t.Sequence[t.Any]) -> tuple[t.Any, ...]:
    kept: dict[tuple[t.Any, ...], t.Any] = {}
    for record in found:
        sort = (record.origin, bool(record.paths), bool(record.contrasts)) if isinstance(record, NodeProbes) else ()
        old = kept.get((record.node, *sort))
        if old is None or record.taken_at >= old.taken_at:
            kept[record.node, *sort] = record
    return tuple(sorted(kept.values(), key=lambda record: (record.node, record.taken_at)))


def _answer(before: Answer[t.Any], items: tuple[t.Any, ...], kind: str, given: int, nodes: t.Collection[str]) -> Answer[t.Any]:
    """``partial`` where there are Nodes without a document."""
    if items:
        files = dict.fromkeys(item.where for item in items if item.where)
        where = next(iter(files), "") + (f" and {len(files) - 1} more" if len(files) > 1 else "")
        return Answer(OK, items, where, partial=bool(set(nodes) - {item.node for item in items}))
    if before.state != NOT_READ:
        return before
    return Answer(NOT_READ, (), "", f"none of the {given} documents that were given is a {kind} of a node of this cluster")
