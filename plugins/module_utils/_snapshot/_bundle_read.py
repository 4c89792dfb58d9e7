# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The pass over a bundle that reads the objects of one cluster."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_archive import Member, Problems, walk
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_documents import Document, Malformed, Section
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_json import json_documents
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import (
    ALL_NAMESPACES,
    DUMPED,
    TARGETS,
    gathered_when_empty,
    kind_of_file,
    resource_of,
    wants,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import DUMP, GATHER, NAMES, OURS, Place
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_parts import Group, Part
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_skip import Skipper
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_store import Source, Store
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import Damaged, Limits
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_survey import rfc3339

Documents = t.Iterator[t.Union[Document, Section]]


def read_store(path: str, group: Group, problems: Problems, limits: Limits) -> Store:
    """Read the objects of one cluster.

    Of our own bundles only the newest is read: an older one says what the cluster was.
    """
    store = Store()
    store.formats = group.formats
    store.bundle = os.path.basename(path.rstrip("/"))
    index = group.index
    parts = [part for part in group.parts if part.index is None or part.index is index]
    where: dict[str, tuple[int, Part, Place]] = {}
    for number, part in enumerate(parts):
        for document, place in part.documents.items():
            where[document] = (number, part, place)
        if part.index is not None and part.index is index:
            store.own, store.own_part = dict(index.questions), number
    keys = _keys_of_files(parts)
    for member in walk(path, problems, limits):
        found = where.get(member.path)
        if found is None:
            continue
        number, part, place = found
        if part.format == OURS and member.path not in keys or _is_the_brokers(member.path, part, place):
            continue
        shown = f"{member.path} ({NAMES[part.format]})"
        source = Source(number, part.format, _moment(part), member.path, shown, place.namespace, keys.get(member.path, ""))
        _read_file(member, source, store, problems, limits)
    for number, part in enumerate(parts):
        _complete(store, number, part, problems)
    return store


def _is_the_brokers(path: str, part: Part, place: Place) -> bool:
    """Whether ``subctl gather`` read this object from the broker, which need not be this cluster (internal/gather/gather.go, gatherBroker)."""
    if part.format != GATHER or not path.rpartition("/")[2].startswith(("endpoints_", "clusters_")):
        return False
    namespaces = {other.namespace for name, other in part.documents.items() if name.rpartition("/")[2].startswith("submariners_")}
    return bool(namespaces) and place.namespace not in namespaces


def _keys_of_files(parts: t.Sequence[Part]) -> dict[str, str]:
    """The question that each file of our own bundles answers."""
    found = {}
    for part in parts:
        if part.index is not None:
            prefix = f"{part.key.root}/" if part.key.root else ""
            found.update({prefix + question.file: key for key, question in part.index.questions.items() if question.file})
    return found


def _moment(part: Part) -> str:
    return part.written or rfc3339(part.modified)


def _read_file(member: Member, source: Source, store: Store, problems: Problems, limits: Limits) -> None:
    name = member.path.rpartition("/")[2]
    skipper = Skipper(store)

    def report(error: Malformed) -> None:
        problems.add(member.path, str(error))
        if error.kind:
            store.spoil((error.api_version, resource_of(error.kind)), f"{member.path}: {error}")
        else:
            store.spoil_file(_resource_name(name), f"{member.path}: {error}")

    try:
        for document in _documents(member, name, skipper, limits, report):
            if isinstance(document, Document):
                problem = store.add(document, source)
                if problem:
                    problems.add(member.path, problem)
    except Malformed as error:
        report(error)
        store.forget_list()
    except Damaged as error:
        problems.add(member.path, str(error), fatal=True)
        store.spoil_file(_resource_name(name), f"{member.path}: {error}")
        store.forget_list()


def _resource_name(name: str) -> str:
    """``gateways.yaml`` of gather's ``gateways_NAMESPACE_NAME.yaml``."""
    resource, underscore, _rest = name.partition("_")
    return f"{resource}.yaml" if underscore else name


def _documents(member: Member, name: str, skipper: Skipper, limits: Limits, report: t.Callable[[Malformed], None]) -> Documents:
    peek = getattr(member.stream, "peek", None)
    head = peek(64) if peek is not None else b""
    stripped = head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if stripped[:1] in (b"{", b"["):
        return json_documents(member.stream, wants, limits.document, skipper.skips)
    return yaml_with(member, name, skipper, limits, report)


def yaml_with(member: Member, name: str, skipper: Skipper, limits: Limits, report: t.Callable[[Malformed], None]) -> Documents:
    # A bundle of JSON needs no PyYAML.
    from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_yaml import yaml_documents

    return yaml_documents(member.stream, wants, limits.document, report, kind_of_file(name), skipper.skips)


def _complete(store: Store, number: int, part: Part, problems: Problems) -> None:
    """What this part answers without an object: its tool asked, and there was none."""
    if part.format == DUMP:
        source = Source(number, DUMP, _moment(part), part.key.root, part.title)
        folders = {place.namespace for place in part.documents.values()}
        # Without --all-namespaces, default and kube-system alone are dumped.
        if folders & ALL_NAMESPACES and problems.cut(part.key.root) is None:
            for target in TARGETS.values():
                if target.field in DUMPED or target.field == "events":
                    store.everywhere(target.api_version, target.resource, source)
    if part.format == GATHER and problems.cut(part.key.root) is None:
        names = {path.rpartition("/")[2].partition("_")[0] for path in part.documents}
        has_logs = {log.pod.rpartition("-")[0] for log in part.logs.values()}
        keys = gathered_when_empty(
            operator="submariners" in names,
            connectivity=bool(names & {"endpoints", "clusters", "gateways"}),
            discovery="servicediscoveries" in names and bool(names & {"serviceexports", "serviceimports", "configmaps"} or has_logs),
            subctl=part.summary.subctl_version if part.summary is not None else "",
        )
        store.empty.update({key: part.title for key in keys})
