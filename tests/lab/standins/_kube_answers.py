# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that an aggregated API server answers with: Status, discovery, tables, metadata only, validation of fields. Pure.

Formats after k8s.io/apimachinery pkg/apis/meta/v1 and pkg/api/errors.
"""

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]

META = "meta.k8s.io/v1"
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Refused(Exception):
    """A request that is answered with a Status of failure."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def status(self) -> Object:
        body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        body["code"] = self.code
        return body


def not_found(group: str, plural: str, name: str) -> Refused:
    return Refused(404, "NotFound", f'{plural}.{group} "{name}" not found', {"name": name, "group": group, "kind": plural})


def already_exists(group: str, plural: str, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{plural}.{group} "{name}" already exists', {"name": name, "group": group, "kind": plural})


def conflict(group: str, plural: str, name: str, why: str) -> Refused:
    message = f'Operation cannot be fulfilled on {plural}.{group} "{name}": {why}'
    return Refused(409, "Conflict", message, {"name": name, "group": group, "kind": plural})


def modified(group: str, plural: str, name: str) -> Refused:
    return conflict(group, plural, name, "the object has been modified; please apply your changes to the latest version and try again")


def invalid(group: str, kind: str, name: str, causes: t.Sequence[tuple[str, t.Any, str]]) -> Refused:
    """422 with one cause for each (field, value, reason)."""
    texts = [f"{_shown(value)}: {reason}" for _field, value, reason in causes]
    lines = [f"{field}: {text}" for (field, _value, _reason), text in zip(causes, texts)]
    message = f'{kind}.{group} "{name}" is invalid: ' + (lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]")
    details = {
        "name": name,
        "group": group,
        "kind": kind,
        "causes": [
            {"reason": "FieldValueInvalid", "message": text, "field": field} for (field, _value, _reason), text in zip(causes, texts)
        ],
    }
    return Refused(422, "Invalid", message, details)


def _shown(value: t.Any) -> str:
    if value is None:
        return "Invalid value: null"
    return f'Invalid value: "{value}"' if isinstance(value, str) else f"Invalid value: {value}"


def forbidden(verb: str, group: str, plural: str, name: str, user: str, why: str) -> Refused:
    what = f'{plural}.{group} "{name}"' if name else f"{plural}.{group}"
    message = f'{what} is forbidden: User "{user}" cannot {verb} resource "{plural}" in API group "{group}" at the cluster scope'
    return Refused(403, "Forbidden", f"{message}: {why}" if why else message, {"name": name, "group": group, "kind": plural})


def api_group(group: str, version: str) -> Object:
    served = {"groupVersion": f"{group}/{version}", "version": version}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": [served], "preferredVersion": served}


def api_group_list(group: str, version: str) -> Object:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [api_group(group, version)]}


def resource_list(group: str, version: str, kinds: t.Iterable[tuple[str, str, str, bool]]) -> Object:
    """Discovery of kinds, given as (plural, kind, singular, whether they are in namespaces)."""
    resources = [
        {"name": plural, "singularName": singular, "namespaced": namespaced, "kind": kind, "verbs": list(VERBS)}
        for plural, kind, singular, namespaced in kinds
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{version}", "resources": resources}


def transform_for(accept: str) -> str:
    """What the first acceptable form of JSON asks for: Table, PartialObjectMetadata, PartialObjectMetadataList, or "" for whole objects."""
    for clause in accept.split(","):
        media, *parameters = (part.strip() for part in clause.split(";"))
        given = dict(part.partition("=")[::2] for part in parameters)
        if media in ("application/json", "application/*", "*/*", ""):
            wanted = given.get("as", "")
            if wanted in ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
                return wanted
    return ""


def transformed(body: Object, wanted: str) -> Object:
    """An object or a list in the asked form; a Status stays as it is."""
    if body.get("kind") == "Status" or not wanted:
        return body
    if wanted == "Table":
        items = body["items"] if "items" in body else [body]
        return {
            "kind": "Table",
            "apiVersion": META,
            "metadata": list_metadata(body),
            "columnDefinitions": TABLE_COLUMNS,
            "rows": [table_row(each) for each in items],
        }
    if "items" in body:
        metadata_only = [partial(each) for each in body["items"]]
        return {"kind": "PartialObjectMetadataList", "apiVersion": META, "metadata": body["metadata"], "items": metadata_only}
    return partial(body)


def list_metadata(body: Object) -> Object:
    return body["metadata"] if "items" in body else {"resourceVersion": body["metadata"].get("resourceVersion", "")}


def partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": obj["metadata"]}


TABLE_COLUMNS = [
    {"name": "Name", "type": "string", "format": "name", "description": "Name of the object", "priority": 0},
    {"name": "Created At", "type": "date", "format": "", "description": "When the object was created", "priority": 0},
]


def table_row(obj: Object) -> Object:
    metadata = obj["metadata"]
    return {"cells": [metadata.get("name", ""), metadata.get("creationTimestamp", "")], "object": partial(obj)}


Path = tuple[t.Union[str, int], ...]


def unknown_fields(value: t.Any, schema: Object, path: Path = ()) -> list[Path]:
    """Paths of the fields that a structural schema does not have."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return []
    if isinstance(value, list):
        return [each for n, item in enumerate(value) for each in unknown_fields(item, schema.get("items", {}), (*path, n))]
    if not isinstance(value, dict):
        return []
    known = schema.get("properties", {})
    extra = schema.get("additionalProperties")
    found = []
    for key, item in value.items():
        if key in known:
            found += unknown_fields(item, known[key], (*path, key))
        elif isinstance(extra, dict):
            found += unknown_fields(item, extra, (*path, key))
        elif not extra:
            found.append((*path, key))
    return found


def shown_path(path: Path) -> str:
    """A path as Kubernetes writes it: ``spec.pools[0].mtu``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def without_field(obj: t.Any, path: Path) -> None:
    """Removes the field at a path, which must exist."""
    for step in path[:-1]:
        obj = obj[step]
    del obj[path[-1]]


def merge(target: t.Any, patch: t.Any) -> t.Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result
