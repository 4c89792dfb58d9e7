# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The program of a probe pod: what modules node_info, path_responder, path_mtu and path_probe do on a host, in one process.

It answers the other pods, probes what its order says for the node that it runs on, writes one line of JSON to its log, shows by a file that it has, and goes
on answering until it is removed or its lifetime ends: others may probe it still. It needs Python 3.8 or newer and nothing else, and never asks the API.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import sys
import threading
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._pod_sight import as_seen_from_pod
from ansible_collections.fathom.submariner.plugins.module_utils._node._read import Question, read_node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import UNDERLAY, NodeProbes
from ansible_collections.fathom.submariner.plugins.module_utils._wire._contrasts import ContrastSettings, ContrastTarget, contrast_line, probe_contrasts
from ansible_collections.fathom.submariner.plugins.module_utils._wire._document import API_VERSION, now, probes_document
from ansible_collections.fathom.submariner.plugins.module_utils._wire._paths import PathSettings, PathTarget, path_line, probe_paths
from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import Responder, Terms
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import FAMILY, socket_address

KIND = "PodReport"
NODE = "NODE_NAME"  # the environment variable that names the node
DONE = "DONE_FILE"  # the one that names the file which tells that the report is written
POD = "pod"
_KNOCK = 1.0  # seconds for one attempt to reach a responder, and between two of them


def main(argv: t.Sequence[str]) -> int:
    """
    :param argv: of the process: the program, and the file of its order.
    """
    # Nothing else ends the first process of a container (pid_namespaces(7)), and threads that wait for packets must not hold it up.
    signal.signal(signal.SIGTERM, lambda *dummy: os._exit(0))
    ends = time.monotonic()
    try:
        order = read_order(argv[1])
        ends += float(order["lifetime"])
        found = report(order, os.environ.get(NODE, ""), ends)
    except SubmarinerError as error:
        sys.stdout.write(f"{error.message}\n")
        return 1
    sys.stdout.write(json.dumps(found, separators=(",", ":")) + "\n")
    sys.stdout.flush()
    done = os.environ.get(DONE, "")
    if done:
        with open(done, "w", encoding="ascii"):
            pass
    if found["responding"]:
        time.sleep(max(0.0, ends - time.monotonic()))
    return 0


def read_order(path: str) -> t.Dict[str, t.Any]:
    """What is to be done: see ``_submariner._probe_objects.order``.

    :raises InputError: it cannot be read.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"The order {path} cannot be read: {error}.") from error
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), dict):
        raise InputError(f"The order {path} names no nodes.")
    return found


def report(order: t.Mapping[str, t.Any], node: str, ends: float) -> t.Dict[str, t.Any]:
    """Probe, and return what was found.

    :param ends: when the responder ends, by the monotonic clock.
    :raises InputError: the order has nothing for this node, or a target is not usable.
    """
    own = order["nodes"].get(node)
    if own is None:
        raise InputError(f"The order has nothing for node {node!r}: variable {NODE} of this container names it.")
    cluster = order["cluster"]
    notes: t.List[str] = []
    responding = bool(own["answers_on"]) and _respond(Terms(tuple(own["answers_on"]), order["port"], max(1.0, ends - time.monotonic())), notes)
    documents = []
    if order["host_network"]:
        documents.append(document_of(as_seen_from_pod(read_node(Host(), Question(node, cluster, tuple(order["cluster_cidrs"]))))))
    taken_at = now()
    targets = [PathTarget(**_frozen(each)) for each in own["path_mtu"]]
    exchanges = [ContrastTarget(**_frozen(each)) for each in own["path_probe"]]
    notes += _await_responders(targets, order["gather"])
    paths = probe_paths(targets, PathSettings(**order["mtu"]))
    contrasts = probe_contrasts(exchanges, ContrastSettings(**order["exchanges"]))
    documents.append(probes_document(NodeProbes(node, taken_at, "", cluster, POD, paths, contrasts)))
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": node, "cluster": cluster},
        "documents": documents,
        "lines": [*map(path_line, paths), *map(contrast_line, contrasts)],
        "notes": notes,
        "responding": responding,
    }


def _frozen(target: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in target.items()}


def _respond(terms: Terms, notes: t.List[str]) -> bool:
    """Answer others in a thread of its own; whether it can."""
    try:
        responder = Responder(terms)
    except OSError as error:
        notes.append(f"no answers are given on {', '.join(terms.addresses)}, port {terms.port}: {error.strerror or error}")
        return False
    threading.Thread(target=responder.serve, name="responder", daemon=True).start()
    return True


def _await_responders(targets: t.Sequence[PathTarget], patience: float) -> t.List[str]:
    """Wait until the pods of the targets answer, outside of all tunnels; return who does not.

    Images are pulled by some nodes sooner than by others. Where a firewall keeps the port closed, probes tell that better than waiting does.

    :param patience: seconds, for all of them together.
    """
    ends = time.monotonic() + patience
    waiting = {(each.address, each.port): each.name for each in targets if each.path == UNDERLAY and each.port}
    while True:
        silent = {}
        for (address, port), name in waiting.items():
            left = ends - time.monotonic()
            if left <= 0 or not _answers(address, port, min(_KNOCK, left)):
                silent[address, port] = name
        waiting = silent
        if not waiting or time.monotonic() >= ends:
            return [f"{name or address} did not answer on {address}, port {port}, within {patience:g} s" for (address, port), name in waiting.items()]
        time.sleep(min(_KNOCK, max(0.0, ends - time.monotonic())))


def _answers(address: str, port: int, timeout: float) -> bool:
    with socket.socket(FAMILY[6 if ":" in address else 4], socket.SOCK_STREAM) as knocking:
        knocking.settimeout(timeout)
        try:
            knocking.connect(socket_address(address, port))
        except OSError:
            return False
    return True
