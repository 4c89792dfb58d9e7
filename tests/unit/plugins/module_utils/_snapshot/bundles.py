# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making bundles for tests: of a fake API server by the collection itself, and by hand."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_record import Cleaner, Recorder
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_write import index_of, write_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import with_reports
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import Redactor

TAKEN_AT = "2026-11-21T12:00:00Z"


def collect(connection, dest, cluster="one", redact=True, pseudonyms=None, logs=True, reports=()):
    """Save a cluster as the module does; the snapshot that the live reader made of it."""
    with tempfile.TemporaryFile() as spool:
        recorder = Recorder(connection, spool, Cleaner(Redactor() if redact else None, pseudonyms))
        snapshot = with_reports(read_snapshot(recorder, cluster, timeout=60, taken_at=TAKEN_AT, logs=logs), reports)
        index = index_of(recorder, snapshot, redacted=redact, pseudonymised=pseudonyms is not None, logs_asked=logs)
        write_bundle(str(dest), index, recorder, (*snapshot.node_hosts.items, *snapshot.node_probes.items))
    return snapshot


def replay(path, name="", cluster=""):
    return open_bundle(str(path)).snapshot(name, cluster)


def tar(path, files, mode="w:gz", members=()):
    """Write ``{name: text or bytes}``, and further TarInfos, into a tar archive."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_790_000_000
            archive.addfile(info, io.BytesIO(data))
        for info in members:
            archive.addfile(info)
    return path


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def folder(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def node(name, pod_cidr="10.46.0.0/24", uid="", version="1"):
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": uid or f"00000000-0000-4000-8000-{abs(hash(name)) % 10**12:012d}", "resourceVersion": version},
        "spec": {"podCIDR": pod_cidr},
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-11-20T10:00:00Z"}]},
    }


def listed(*objects, kind="List"):
    return json.dumps({"apiVersion": "v1", "kind": kind, "metadata": {}, "items": list(objects)}, indent=4)
