# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of a node and the documents that hold them: the same names in the same nesting, in both directions.

A document is read against the records' own annotations, so that a field that a record gains is read and written without a word here. What a document has
and no record knows was written by a newer release, and is passed over; what a record has and the document does not is the record's default.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _records_node_host, _records_wire
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import NodeProbes

API_VERSION = "fathom.submariner/v1"
NODE_INFO = "NodeInfo"
NODE_PROBES = "NodeProbes"
KINDS: dict[str, t.Any] = {NODE_INFO: NodeHost, NODE_PROBES: NodeProbes}
NodeRecord = t.Union[NodeHost, NodeProbes]

_PLAIN: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}
_PARTS = re.compile(r"(?:t\.)?(\w+)\[(.*)\]")
# Who was asked stands in the metadata; where the document lies, nobody knows who writes it.
_OF_METADATA = ("node", "cluster", "where")


def document_of(record: NodeRecord) -> dict[str, t.Any]:
    """The document of a record, in JSON types."""
    kind = next(name for name, each in KINDS.items() if isinstance(record, each))
    fields = {name: _written(value) for name, value in zip(record._fields, record) if name not in _OF_METADATA}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": record.node, "cluster": record.cluster}, **fields}


def is_node_document(document: t.Any) -> bool:
    """Whether a document is one of those that :func:`record_of` reads."""
    return isinstance(document, t.Mapping) and document.get("apiVersion") == API_VERSION and document.get("kind") in KINDS


def record_of(document: t.Mapping[str, t.Any], where: str = "") -> NodeRecord:
    """The record that a document holds.

    :param where: where it stands, for findings and for errors.
    :raises InputError: it is no document of a node, has no name, or a field is of another type than its record's.
    """
    if not is_node_document(document):
        raise InputError(f"{where or 'This'} is not a document of kind {' or '.join(KINDS)} of {API_VERSION}.")
    metadata = document.get("metadata")
    if not isinstance(metadata, t.Mapping) or not metadata.get("name") or not isinstance(metadata["name"], str):
        raise InputError(f"{where or 'A document of a node'}: metadata.name is missing: it names the Node.")
    fields = {key: value for key, value in document.items() if key not in _OF_METADATA}
    try:
        found = _record(KINDS[document["kind"]], {**fields, "node": metadata["name"], "cluster": metadata.get("cluster") or "", "where": where}, "")
    except _Mismatch as error:
        raise InputError(f"{where or 'A document of node ' + metadata['name']}: {error}") from error
    return t.cast(NodeRecord, found)


class _Mismatch(Exception):
    """A value is not of the type that its field has."""


def _written(value: t.Any) -> t.Any:
    if hasattr(value, "_fields"):
        return {name: _written(each) for name, each in zip(value._fields, value)}
    if isinstance(value, (tuple, list)):
        return [_entry(each) for each in value]
    if isinstance(value, t.Mapping):
        return {str(key): _written(each) for key, each in value.items()}
    return value


def _entry(value: t.Any) -> t.Any:
    """Of the many links and routes of a node most fields have their default, which a reader knows."""
    if not hasattr(value, "_fields"):
        return _written(value)
    defaults = value._field_defaults
    return {name: _written(each) for name, each in zip(value._fields, value) if name not in defaults or each != defaults[name]}


def _record(made: t.Any, value: t.Any, at: str) -> t.Any:
    if not isinstance(value, t.Mapping):
        raise _Mismatch(f"{at or 'the document'} is {_shown(value)}, and a mapping is wanted.")
    fields = {}
    for name in made._fields:
        place = f"{at}.{name}" if at else name
        if name in value:
            fields[name] = _read(_annotation(made, name), value[name], place)
        elif name not in made._field_defaults:
            raise _Mismatch(f"{place} is missing.")
    return made(**fields)


def _annotation(made: t.Any, name: str) -> str:
    found = made.__annotations__[name]
    return str(getattr(found, "__forward_arg__", found))


def _read(annotation: str, value: t.Any, at: str) -> t.Any:
    if annotation.endswith(" | None"):
        return None if value is None else _read(annotation[: -len(" | None")], value, at)
    if annotation in _PLAIN:
        # JSON's true is no number, though Python's is.
        if isinstance(value, _PLAIN[annotation]) and isinstance(value, bool) == (annotation == "bool"):
            return value
        raise _Mismatch(f"{at} is {_shown(value)}, and {annotation} is wanted.")
    parts = _PARTS.fullmatch(annotation)
    if parts is None:
        return _record(getattr(_records_node_host, annotation, None) or getattr(_records_wire, annotation), value, at)
    outer, inner = parts.groups()
    if outer == "Mapping":
        if not isinstance(value, t.Mapping):
            raise _Mismatch(f"{at} is {_shown(value)}, and a mapping is wanted.")
        of = inner.split(", ", 1)[1]
        return {str(key): _read(of, each, f"{at}.{key}") for key, each in value.items()}
    if not isinstance(value, (list, tuple)):
        raise _Mismatch(f"{at} is {_shown(value)}, and a list is wanted.")
    if inner.endswith(", ..."):
        return tuple(_read(inner[: -len(", ...")], each, f"{at}[{number}]") for number, each in enumerate(value))
    wanted = inner.split(", ")
    if len(wanted) != len(value):
        raise _Mismatch(f"{at} has {len(value)} entries, and {len(wanted)} are wanted.")
    return tuple(_read(each, entry, f"{at}[{number}]") for number, (each, entry) in enumerate(zip(wanted, value)))


def _shown(value: t.Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
