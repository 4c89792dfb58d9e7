# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a bundle answers of one cluster: objects gathered from its parts by question, and how much of each question they answer."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListResult
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import NOT_READ, NOT_SERVED, OK
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_documents import Document
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import (
    CRD,
    SINGLETONS,
    SPREAD,
    TARGETS,
    Target,
    resource_of,
    targets_of,
    targets_of_file,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import GATHER, INSPECT, NAMES
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import Question
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import text_at

Resource = t.Tuple[str, str]  # apiVersion and resource
MOST_FILES_NAMED = 2


class _Kept(t.NamedTuple):
    record: t.Any
    uid: str
    version: int  # resourceVersion; -1 where it is none
    moment: str  # of its part
    parts: frozenset[int]


class _Coverage:
    """Which objects of one resource were seen."""

    def __init__(self) -> None:
        self.listed = False
        self.everywhere = False
        self.namespaces: set[str] = set()
        self.single_formats: set[str] = set()
        self.files: dict[str, None] = {}
        self.whole: dict[int, str] = {}  # parts with a list of everything, and their moments


class Source(t.NamedTuple):
    """Where a document stands.

    :param part: the part's number.
    :param moment: when the part was written, RFC 3339.
    :param namespace: what the path says that a list is of, "" where it does not say.
    :param key: the only question that the file answers (our own bundles), "" elsewhere.
    """

    part: int
    format: str
    moment: str
    path: str
    shown: str
    namespace: str = ""
    key: str = ""


class Store:
    """Collects documents; then answers questions."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[tuple[str, str], _Kept]] = {}
        self._coverage: dict[Resource, _Coverage] = {}
        self._spoiled: dict[Resource, str] = {}
        self._more: set[str] = set()  # questions of which more objects were seen than they ask for
        self._in_list: dict[Resource, set[str]] = {}
        self._conflicts: set[str] = set()
        self.own: dict[str, Question] = {}
        self.own_part = -1
        self.empty: dict[str, str] = {}  # keys that a format has answered without an object, and its name
        self.crds: set[str] = set()
        self.crds_listed = False
        self.formats: tuple[str, ...] = ()
        self.bundle = ""  # its name, for what it does not hold
        self.submariner_namespaces: set[str] = set()

    # -- collecting ----------------------------------------------------------------------------------------------------------------------

    def has_enough(self, key: str, most: int) -> bool:
        return 0 < most <= len(self._kept.get(key, ()))

    def note_more(self, key: str) -> None:
        """An object was passed over, since there are as many as were asked for."""
        self._more.add(key)

    def add(self, document: Document, source: Source) -> str:
        """Take in a document; returns why it cannot be used, "" where it can."""
        if document.content is None:
            self._end_of_list(document, source)
            return ""
        if (document.api_version, document.kind) == CRD:
            self.crds.add(text_at(document.content, "metadata", "name"))
            self._in_list.setdefault(CRD, set())
            return ""
        obj = document.content
        # A file of ours answers one question, whatever its objects are called.
        targets = [TARGETS[source.key]] if source.key in TARGETS else targets_of(document.api_version, document.kind)
        if not targets:
            return ""
        resource = (targets[0].api_version, targets[0].resource)
        namespace = text_at(obj, "metadata", "namespace")
        if document.in_list:
            self._in_list.setdefault(resource, set()).add(namespace)
        else:
            coverage = self._cover(resource, source)
            coverage.single_formats.add(source.format)
        if targets[0].field == "submariners":
            self.submariner_namespaces.add(namespace)
        problem = ""
        for target in targets:
            if source.key or target.matches(obj):
                problem = self._keep(target, obj, namespace, source) or problem
        return problem

    def _keep(self, target: Target, obj: dict[str, t.Any], namespace: str, source: Source) -> str:
        key = target.request.key
        kept = self._kept.setdefault(key, {})
        name = (namespace, text_at(obj, "metadata", "name") or f"\0{len(kept)}")
        old = kept.get(name)
        if old is None and self.has_enough(key, target.request.most):
            self._more.add(key)
            return ""
        uid, version = text_at(obj, "metadata", "uid"), text_at(obj, "metadata", "resourceVersion")
        fresh = _Kept(None, uid, int(version) if version.isdigit() else -1, source.moment, frozenset((source.part,)))
        if old is not None:
            both = old.parts | fresh.parts
            if old.parts != fresh.parts and (old.uid, old.version) != (fresh.uid, fresh.version):
                self._conflicts.add(key)
            if not _newer(fresh, old):
                kept[name] = old._replace(parts=both)
                return ""
            fresh = fresh._replace(parts=both)
        try:
            record = target.request.project(obj)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            self.spoil((target.api_version, target.resource), f"{source.shown}: {' '.join(name).strip()} is not shaped as its API says")
            return f"{'/'.join(part for part in name if part)} is not shaped as its API says ({type(error).__name__}: {error})"
        if record is not None:
            kept[name] = fresh._replace(record=record)
        return ""

    def spoil(self, resource: Resource, why: str) -> None:
        """An object of this resource was there and could not be read, so no list of them is known to be whole."""
        self._spoiled.setdefault(resource, why)

    def spoil_file(self, name: str, why: str) -> None:
        for target in targets_of_file(name):
            self.spoil((target.api_version, target.resource), why)

    def forget_list(self) -> None:
        """A file ended in the middle of a list."""
        self._in_list = {}

    def _cover(self, resource: Resource, source: Source) -> _Coverage:
        coverage = self._coverage.setdefault(resource, _Coverage())
        coverage.files[source.shown] = None
        return coverage

    def _end_of_list(self, document: Document, source: Source) -> None:
        found = self._in_list
        self._in_list = {}
        if document.kind != "List":
            found.setdefault((document.api_version, resource_of(document.kind[:-4])), set())
        elif not document.count:
            for target in targets_of_file(source.path.rpartition("/")[2]):
                found.setdefault((target.api_version, target.resource), set())
        for resource, namespaces in found.items():
            if resource == CRD or resource[1] == "customresourcedefinitions":
                self.crds_listed = True
                continue
            coverage = self._cover(resource, source)
            coverage.listed = True
            coverage.namespaces |= namespaces | ({source.namespace} if source.namespace else set())
            if not source.namespace:
                coverage.whole[source.part] = source.moment
                # `kubectl get -A`: a list of one namespace holds no other's objects.
                coverage.everywhere = coverage.everywhere or len(namespaces) > 1

    def everywhere(self, api_version: str, resource: str, source: Source) -> None:
        """Every namespace's list of this resource is in the bundle."""
        coverage = self._cover((api_version, resource), source)
        coverage.listed = coverage.everywhere = True
        coverage.whole[source.part] = source.moment

    def seen_groups(self) -> list[str]:
        """Versions of API groups of which there are objects."""
        return sorted({TARGETS[key].api_version for key, kept in self._kept.items() if kept and "/" in TARGETS[key].api_version})

    # -- answering -----------------------------------------------------------------------------------------------------------------------

    def answer(self, target: Target) -> ListResult:
        """What is known of one question."""
        key = target.request.key
        resource = (target.api_version, target.resource)
        own = self.own.get(key)
        coverage = self._coverage.get(resource)
        items = self._items(key, coverage, own)
        # Ours says of a list why it could not be read, unless another part of the bundle can answer.
        if own is not None and (own.state == OK or not self._is_answered(target, coverage)):
            where = own.where + self._note(key)
            if own.state == OK and resource not in self._spoiled:
                return ListResult(items, None, where, partial=own.partial)
            if own.state == OK:
                return ListResult(items, KubeError(self._spoiled[resource], NOT_READ), where)
            return ListResult(items, KubeError(own.detail, own.state, status=own.status), where)
        where = _files(coverage) + self._note(key)
        if resource in self._spoiled:
            return ListResult(items, KubeError(self._spoiled[resource], NOT_READ), where)
        if self._is_answered(target, coverage):
            return ListResult(items, None, where, partial=key in self._more)
        if key in self.empty:
            return ListResult(items, None, self.empty[key])
        if self.crds_listed and "." in target.api_version.partition("/")[0] and not self._has_crd(target):
            return ListResult((), KubeError(f"there is no CustomResourceDefinition of {target.resource}", NOT_SERVED), "CustomResourceDefinitions")
        return ListResult(items, KubeError(self._why_not(target, coverage), NOT_READ), where or self.bundle)

    def _has_crd(self, target: Target) -> bool:
        """Kinds of Kubernetes' own and of aggregated APIs have no CRD, so only groups that have one for another kind can be told."""
        group = target.api_version.partition("/")[0]
        return f"{target.resource}.{group}" in self.crds or not any(name.partition(".")[2] == group for name in self.crds)

    def _items(self, key: str, coverage: _Coverage | None, own: Question | None) -> tuple[t.Any, ...]:
        kept = self._kept.get(key, {})
        whole = dict(coverage.whole) if coverage is not None else {}
        newest = max(whole, key=lambda part: whole[part], default=None)
        found = {
            name: entry
            for name, entry in kept.items()
            # What a newer list of everything does not have is gone.
            if newest is None or newest in entry.parts or entry.moment >= whole[newest]
        }
        names = list(found) if own is not None and all(entry.parts == {self.own_part} for entry in found.values()) else sorted(found)
        return tuple(found[name].record for name in names)

    def _is_answered(self, target: Target, coverage: _Coverage | None) -> bool:
        if coverage is None:
            return False
        if coverage.everywhere:
            return True
        if target.namespace:
            return target.namespace in coverage.namespaces or (target.field == "config_maps" and bool(self._kept.get(target.request.key)))
        if target.field in SPREAD:
            return coverage.listed and ({"kube-system"} | self.submariner_namespaces) <= coverage.namespaces
        if target.field == "config_maps":
            return bool(self._kept.get(target.request.key)) or "kube-system" in coverage.namespaces
        if coverage.listed:
            return True
        return bool(coverage.single_formats) and (target.field in SINGLETONS or bool(coverage.single_formats & {GATHER, INSPECT}) and target.field != "nodes")

    def _why_not(self, target: Target, coverage: _Coverage | None) -> str:
        formats = " and ".join(self.formats) or NAMES["plain"]
        if coverage is None:
            return f"{formats}: no {target.resource} in this bundle"
        if not coverage.listed:
            return f"{formats}: of {target.resource} this bundle holds single objects, not all of them"
        missing = sorted(({"kube-system"} | self.submariner_namespaces if target.field in SPREAD else {target.namespace}) - coverage.namespaces - {""})
        return f"{formats}: of {target.resource} this bundle holds those of some namespaces only, not of {', '.join(missing) or 'all'}"

    def _note(self, key: str) -> str:
        return ", of several readings the newest" if key in self._conflicts else ""


def _newer(fresh: _Kept, old: _Kept) -> bool:
    """Of one object the greater resourceVersion is newer, of two of one name what stands in the newer part."""
    if fresh.uid and fresh.uid == old.uid and fresh.version >= 0 and old.version >= 0 and fresh.version != old.version:
        return fresh.version > old.version
    return fresh.moment > old.moment


def _files(coverage: _Coverage | None) -> str:
    names = list(coverage.files) if coverage is not None else []
    more = len(names) - MOST_FILES_NAMED
    return ", ".join(names[:MOST_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")
