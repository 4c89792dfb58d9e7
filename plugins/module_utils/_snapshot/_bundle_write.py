# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Writing a bundle: a folder or a .tar.gz, readable by its owner alone, whole or not at all, and the same bytes for the same answers."""

from __future__ import annotations

import calendar
import contextlib
import gzip
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import INDEX
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import VERSION, Index, Log, log_file, object_file, read_index
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_record import Recorder
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import LogTarget, log_targets
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import NodeRecord, document_of

LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")
File = t.Tuple[str, t.Iterator[bytes]]


def index_of(recorder: Recorder, snapshot: Snapshot, *, redacted: bool, pseudonymised: bool, logs_asked: bool) -> Index:
    cleaner = recorder.cleaner
    cost = snapshot.statistics
    return Index(
        version=VERSION,
        cluster=snapshot.cluster,
        server=cleaner.words(snapshot.where),
        taken_at=snapshot.taken_at,
        redacted=redacted,
        pseudonymised=pseudonymised,
        questions=recorder.questions,
        singles=recorder.singles,
        logs=tuple(_logs(recorder, log_targets(snapshot))),
        logs_asked=logs_asked,
        statistics={"requests": cost.requests, "bytes_read": cost.bytes_read, "retries": cost.retries},
    )


def _logs(recorder: Recorder, targets: t.Sequence[LogTarget]) -> t.Iterator[Log]:
    for target in targets:
        name = (target.ref.namespace, target.ref.name, target.container, target.previous)
        found = recorder.logs.get((*name, False))
        if found is None:
            continue
        if isinstance(found, KubeError):
            yield Log(*name, state=found.state, detail=recorder.cleaner.words(found.message), status=found.status)
            continue
        end = recorder.logs.get((*name, True))
        if isinstance(end, KubeError):  # a log of which a part could not be read is one that could not be read
            yield Log(*name, state=end.state, detail=recorder.cleaner.words(end.message), status=end.status)
            continue
        yield Log(*name, file=log_file(*name, False), tail_file=log_file(*name, True) if end else "")


def files_of(index: Index, recorder: Recorder, nodes: t.Sequence[NodeRecord] = ()) -> t.Iterator[File]:
    """Name and content of every file, the index first.

    :param nodes: what was read on the cluster's nodes.
    """
    yield INDEX, iter([json.dumps(index.to_dict(), indent=1, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace") + b"\n"])
    for key in sorted(index.questions):
        if index.questions[key].file:
            yield object_file(key), _list_of(recorder.lines(key))
    for log in sorted(index.logs):
        for name, is_tail in ((log.file, False), (log.tail_file, True)):
            text = recorder.logs.get((log.namespace, log.pod, log.container, log.previous, is_tail))
            if name and isinstance(text, str):
                yield name, iter([recorder.cleaner.text(text).encode("utf-8", "replace")])
    for number, node in enumerate(nodes, 1):
        document = recorder.cleaner.object(document_of(node))
        name = _UNSAFE.sub("-", node.node)[:LONGEST_NAME]
        yield f"nodes/{document['kind']}-{number}-{name}.json", iter([json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"])


def _list_of(lines: t.Iterator[bytes]) -> t.Iterator[bytes]:
    yield b'{"apiVersion":"v1","kind":"List","metadata":{},"items":[\n'
    separator = b""
    for line in lines:
        yield separator + line
        separator = b",\n"
    yield b"\n]}\n"


def write_bundle(dest: str, index: Index, recorder: Recorder, nodes: t.Sequence[NodeRecord] = ()) -> int:
    """Write the bundle to ``dest`` and return its size in bytes.

    :param nodes: what was read on the cluster's nodes.

    :raises InputError: it cannot be written, or ``dest`` is something else than a bundle. What was there before is left as it was.
    """
    try:
        files = files_of(index, recorder, nodes)
        return _write_archive(dest, _seconds(index.taken_at), files) if dest.endswith(ARCHIVE_SUFFIXES) else _write_folder(dest, files)
    except OSError as error:
        raise InputError(f"The bundle cannot be written to {dest}: {error.strerror or error}. What was there before is unchanged.") from error


def _write_archive(dest: str, moment: int, files: t.Iterator[File]) -> int:
    if os.path.isdir(dest):
        raise InputError(f"{dest} is a folder, and the name of an archive is wanted. Nothing was written.")
    parent = os.path.dirname(os.path.abspath(dest))
    os.makedirs(parent, mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=parent, prefix=".bundle-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as raw:
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=moment) as packed:
                with tarfile.open(fileobj=t.cast(t.Any, packed), mode="w", format=tarfile.PAX_FORMAT) as archive:
                    for name, content in files:
                        _add(archive, name, content, moment, parent)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(temporary, dest)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return os.path.getsize(dest)


def _add(archive: tarfile.TarFile, name: str, content: t.Iterator[bytes], moment: int, folder: str) -> None:
    with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024, dir=folder) as held:
        for piece in content:
            held.write(piece)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = held.tell(), moment, 0o600
        held.seek(0)
        archive.addfile(entry, t.cast(io.BufferedReader, held))


def _write_folder(dest: str, files: t.Iterator[File]) -> int:
    _refuse_foreign(dest)
    parent = os.path.dirname(os.path.abspath(dest))
    os.makedirs(parent, mode=0o700, exist_ok=True)
    fresh = tempfile.mkdtemp(dir=parent, prefix=".bundle-")  # mode 0700
    size = 0
    try:
        for name, content in files:
            path = os.path.join(fresh, *name.split("/"))
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                for piece in content:
                    size += stream.write(piece)
        if os.path.isdir(dest):
            aside = tempfile.mkdtemp(dir=parent, prefix=".bundle-")
            os.replace(dest, aside)
            try:
                os.replace(fresh, dest)
            except OSError:
                os.replace(aside, dest)
                raise
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.replace(fresh, dest)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return size


def _refuse_foreign(dest: str) -> None:
    """A folder that holds anything but a bundle of ours is not ours to replace."""
    if not os.path.lexists(dest):
        return
    if not os.path.isdir(dest) or os.path.islink(dest):
        raise InputError(f"{dest} exists and is no folder. Give the name of a folder, or of an archive that ends in .tar.gz. Nothing was written.")
    if not os.listdir(dest):
        return
    try:
        with open(os.path.join(dest, INDEX), "rb") as stream:
            known = read_index(stream.read())
    except FileNotFoundError:
        known = None
    if known is None:
        raise InputError(f"{dest} holds something else than a bundle of this collection. Give another folder, or empty this one. Nothing was written.")


def _seconds(moment: str) -> int:
    try:
        return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return 0
