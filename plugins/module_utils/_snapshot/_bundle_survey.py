# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A first look at a bundle: which files it holds, in which formats, of which clusters. Files are opened and not parsed.

Parts in several formats are of one cluster when they hold the same object: uids of nodes, pods, workloads and of the Submariner tell it. Endpoints and
Clusters do not, since every member of a clusterset holds the others' copies.
"""

from __future__ import annotations

import datetime
import html
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_archive import Member, Problems
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_documents import chunks
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import RESOURCES, resource_of, targets_of_file
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import INDEX, SUMMARY, folder_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import Index, read_index
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import MEBIBYTE, Damaged
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import API_VERSION, NodeRecord
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import LARGEST as LARGEST_REPORT
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import parse_report

LOOK = 64 * 1024  # bytes of a document in which uids are looked for: lists are in the same order in every format
LONGEST_SUMMARY = 8 * MEBIBYTE
DOCUMENT_SUFFIXES = (".yaml", ".yml", ".json")
LOG_SUFFIXES = (".log", ".prev", ".html", "/logs.txt")
_TOKEN = re.compile(rb"\b(kind|uid)\"?:[ ]*\"?([A-Za-z]{3,60}\b(?!-)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
IDENTIFYING = frozenset((b"Node", b"Pod", b"DaemonSet", b"Deployment", b"ReplicaSet", b"Submariner", b"Gateway", b"RouteAgent", b"Installation"))
_CLUSTER_ID = re.compile(rb"^(?: {2}| {8}|\t)?[ ]*\"?clusterID\"?:[ ]*\"?([A-Za-z0-9.-]+)", re.MULTILINE)
_SERVER_VERSION = re.compile(rb"\bserverVersion\"?:.{0,600}?\bgitVersion\"?:[ ]*\"?([\w.+-]+)", re.DOTALL)
_REPORT = re.compile(rb'"apiVersion"\s*:\s*"' + re.escape(API_VERSION.encode()) + rb'"')
_MOMENT = re.compile(rb"\b20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ")
_CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


class Summary(t.NamedTuple):
    """What is read of gather's summary.html: the only place where gather notes versions, and in which namespace a pod whose log it took stands."""

    server_version: str
    subctl_version: str
    namespaces: t.Mapping[str, str]  # by pod


class Sight(t.NamedTuple):
    """What a look at one file told."""

    path: str
    modified: float
    is_document: bool
    is_json: bool = False
    first_kind: str = ""
    uids: frozenset[str] = frozenset()
    cluster_id: str = ""  # of a Submariner in it
    newest: str = ""  # the newest moment in it that is not in the file's future, RFC 3339
    server_version: str = ""
    is_known: bool = False  # an object in it, or its name, is of a kind that some question asks for
    summary: Summary | None = None
    index: Index | None = None
    node: NodeRecord | None = None  # what a document of a node holds; the file is then nothing else


def look(member: Member, problems: Problems) -> Sight:
    """Look at one file."""
    name = member.path.rpartition("/")[2]
    nothing = Sight(member.path, member.modified, False)
    if member.path.endswith(LOG_SUFFIXES) and name != SUMMARY:
        return nothing
    try:
        if name == INDEX:
            index = read_index(_at_most(member.stream, 16 * MEBIBYTE))
            if index is not None:
                return nothing._replace(index=index)
            return nothing
        if name == SUMMARY:
            return nothing._replace(summary=summary_of(_at_most(member.stream, LONGEST_SUMMARY).decode("utf-8", "replace")))
        rest = chunks(member.stream)
        head = _joined(rest, LOOK)
        if _is_report(head):
            return nothing._replace(node=parse_report(head + _joined(rest, LARGEST_REPORT), member.path))
        head = head[:LOOK]
    except InputError as error:
        problems.add(member.path, error.message.partition(": ")[2])
        return nothing
    except Damaged as error:
        problems.add(member.path, str(error), fatal=True)
        return nothing
    stripped = head.lstrip()
    is_json = stripped[:1] in (b"{", b"[")
    if not name.endswith(DOCUMENT_SUFFIXES) and not (is_json or re.search(rb"^(?:apiVersion|items|kind):", head[:4096], re.MULTILINE)):
        return nothing
    if not stripped:
        return nothing
    version = _SERVER_VERSION.search(head) if b"serverVersion" in head else None
    kinds, uids = tokens(head)
    cluster_id = _CLUSTER_ID.search(head) if b"Submariner" in kinds else None
    return Sight(
        member.path,
        member.modified,
        True,
        is_json,
        kinds[0].decode() if kinds else "",
        uids,
        cluster_id.group(1).decode() if cluster_id is not None else "",
        newest_moment(head, member.modified),
        version.group(1).decode() if version is not None else "",
        any(resource_of(kind.decode()) in RESOURCES for kind in kinds) or bool(targets_of_file(name)),
    )


def newest_moment(text: bytes, modified: float) -> str:
    """The newest moment that objects tell of: heartbeats of nodes, conditions, managedFields. Their readers were there then, whenever the file was copied.

    :param modified: seconds since the epoch; what lies after it (and after an hour of clock skew) is no past event but, say, a certificate's end.
    """
    latest = rfc3339(modified + 3600) if modified > 0 else "9999"
    return max((found for found in (match.decode() for match in _MOMENT.findall(text)) if found <= latest), default="")


def rfc3339(seconds: float) -> str:
    """A moment in UTC, to the second."""
    return datetime.datetime.fromtimestamp(max(0.0, min(seconds, 253402300799.0)), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _at_most(stream: t.BinaryIO, size: int) -> bytes:
    return _joined(chunks(stream), size)[:size]


def _joined(pieces: t.Iterator[bytes], size: int) -> bytes:
    """The next pieces, until they have ``size`` bytes or more."""
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= size:
            break
    return bytes(found)


def _is_report(head: bytes) -> bool:
    return _REPORT.search(head, 0, LOOK) is not None and head.lstrip()[:1] == b"{"


def tokens(text: bytes) -> tuple[list[bytes], frozenset[str]]:
    """Kinds, in the order in which they are first met, and the uids that follow a kind that belongs to one cluster alone.

    A kind stands before its uid in all that Kubernetes writes, since fields are in order of the alphabet and metadata follows kind; items of a typed List
    have none of their own and follow the List's. EndpointSlices, in which peers' pods may be named, are passed over whole.
    """
    kinds: dict[bytes, None] = {}
    uids: set[str] = set()
    current = b""
    for match in _TOKEN.finditer(text):
        key, value = match.groups()
        if key == b"kind" and b"-" not in value:
            current = value[:-4] if value.endswith(b"List") and value != b"List" else value
            kinds.setdefault(current, None)
        elif key == b"uid" and current in IDENTIFYING and len(value) == 36:
            uids.add(value.decode())
    if b"EndpointSlice" in kinds:
        return list(kinds), frozenset()
    return list(kinds), frozenset(uids)


def summary_of(page: str) -> Summary | None:
    """Read a summary.html (subctl internal/gather/layout.gohtml); None where the page is something else."""
    if "subctl gather report" not in page:
        return None
    rows = [[" ".join(html.unescape(_TAG.sub("", cell)).split()) for cell in _CELL.findall(row)] for row in _ROW.findall(page)]
    pairs = {row[0].rstrip(":"): row[1] for row in rows if len(row) == 2}
    namespaces = {row[0]: row[1] for row in rows if len(row) >= 5 and row[4].isdigit()}
    return Summary(pairs.get("Kubernetes Server version", ""), pairs.get("subctl version", ""), namespaces)


def folders_of(sights: t.Iterable[Sight]) -> tuple[list[str], list[str]]:
    """Folders of our indexes, and of gather's summaries."""
    ours: list[str] = []
    summaries: list[str] = []
    for sight in sights:
        if sight.index is not None:
            ours.append(folder_of(sight.path))
        elif sight.summary is not None:
            summaries.append(folder_of(sight.path))
    return ours, summaries
