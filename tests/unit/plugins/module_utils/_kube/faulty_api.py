# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small API server on loopback that goes wrong on demand.

It keeps objects, pages lists, checks preconditions and streams watches as kube-apiserver does, as far as ``_kube`` can tell; a test
injects faults, and afterwards looks at ``calls``: what really reached the server.
"""

from __future__ import annotations

import copy
import gzip
import json
import socket
import ssl
import struct
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Patience

QUICK = Patience(attempts=4, first_pause=0.01, longest_pause=0.04, longest_retry_after=0.1, idle=5.0)
IMPATIENT = QUICK._replace(idle=0.3)  # for silences only: a busy machine is silent for a while, too

JSON = "application/json"


class Call(t.NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: t.Mapping[str, str]
    body: t.Any

    @property
    def writes(self) -> bool:
        return self.method != "GET" and self.query.get("dryRun") != "All"


Fault = t.Callable[["_Handler", Call], None]


class FaultyApi:
    """``objects`` maps a collection's path to its objects by name. Start it with ``with``."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.objects: dict[str, dict[str, dict[str, t.Any]]] = {}
        self.version = 100
        self.released = threading.Event()  # ends drips and silences at the end of a test
        self._faults: list[tuple[str, str, Fault]] = []
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._log: list[tuple[int, str, str, dict[str, t.Any]]] = []  # version, collection, type, object
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._server.tls = tls
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultyApi:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        self.released.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    # What a test arranges.

    def inject(self, method: str, path: str, *faults: Fault) -> None:
        """Let the next calls of ``method`` (WATCH for watches) whose path ends with ``path`` go wrong, one after the other."""
        with self._lock:
            self._faults.extend((method, path, fault) for fault in faults)

    def put(self, collection: str, name: str, **fields: t.Any) -> dict[str, t.Any]:
        """Store an object as somebody else would."""
        with self._changed:
            old = self.objects.setdefault(collection, {}).get(name)
            obj = {"apiVersion": "v1", "kind": "Thing", **copy.deepcopy(fields)}
            obj["metadata"] = {"name": name, "uid": f"uid-{name}", **fields.get("metadata", {})}
            return self._store(collection, name, obj, "MODIFIED" if old else "ADDED")

    def remove(self, collection: str, name: str) -> None:
        with self._changed:
            obj = self.objects[collection].pop(name)
            self.version += 1
            self._record(collection, "DELETED", {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}})

    def forget_history(self) -> None:
        """Compact: watches from an older version are answered 410."""
        with self._lock:
            self._log.clear()
            self.version += 10

    def of(self, method: str, path: str = "") -> list[Call]:
        with self._lock:
            return [call for call in self.calls if call.method == method and call.path.endswith(path)]

    # What the server does.

    def _store(self, collection: str, name: str, obj: dict[str, t.Any], kind: str) -> dict[str, t.Any]:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.objects[collection][name] = obj
        self._record(collection, kind, obj)
        return obj

    def _record(self, collection: str, kind: str, obj: dict[str, t.Any]) -> None:
        self._log.append((self.version, collection, kind, copy.deepcopy(obj)))
        self._changed.notify_all()

    def take_fault(self, call: Call) -> Fault | None:
        method = "WATCH" if call.query.get("watch") else call.method
        with self._lock:
            for index, (wanted, path, fault) in enumerate(self._faults):
                if wanted == method and call.path.endswith(path):
                    del self._faults[index]
                    return fault
        return None

    def answer(self, call: Call) -> tuple[int, t.Any]:
        with self._lock:
            if call.path in self.objects:
                return self._of_collection(call)
            collection, dummy, name = call.path.rpartition("/")
            if collection in self.objects:
                return self._of_object(call, collection, name)
        return 404, "404 page not found\n"

    def _of_collection(self, call: Call) -> tuple[int, t.Any]:
        objects = self.objects[call.path]
        if call.method == "POST":
            name = call.body["metadata"]["name"]
            if name in objects:
                return failure(409, "AlreadyExists", f'things "{name}" already exists', name)
            obj = copy.deepcopy(call.body)
            obj["metadata"]["uid"] = f"uid-{name}"
            if call.query.get("dryRun") == "All":
                return 201, obj
            return 201, self._store(call.path, name, obj, "ADDED")
        names = sorted(objects)
        start = int(call.query.get("continue") or 0)
        limit = int(call.query.get("limit") or len(names) or 1)
        metadata = {"resourceVersion": str(self.version)}
        if start + limit < len(names):
            metadata["continue"] = str(start + limit)
        page = [objects[name] for name in names[start:start + limit]]
        return 200, {"apiVersion": "v1", "kind": "ThingList", "metadata": metadata, "items": page}

    def _of_object(self, call: Call, collection: str, name: str) -> tuple[int, t.Any]:
        obj = self.objects[collection].get(name)
        if obj is None:
            return failure(404, "NotFound", f'things "{name}" not found', name)
        if call.method == "GET":
            return 200, obj
        if call.method == "PATCH":
            wanted = (call.body.get("metadata") or {}).get("resourceVersion")
            if wanted and wanted != obj["metadata"]["resourceVersion"]:
                return failure(409, "Conflict", "the object has been modified; please apply your changes to the latest version and try again", name)
            changed = _merged(obj, call.body)
            return (200, changed) if call.query.get("dryRun") == "All" else (200, self._store(collection, name, changed, "MODIFIED"))
        for field, value in ((call.body or {}).get("preconditions") or {}).items():
            if obj["metadata"].get(field) != value:
                return failure(409, "Conflict", f"Precondition failed: {field} in precondition: {value}", name)
        if (call.body or {}).get("dryRun") != ["All"]:
            self.remove(collection, name)
        return 200, {"apiVersion": "v1", "kind": "Status", "status": "Success"}

    def events(self, call: Call) -> t.Iterator[dict[str, t.Any]]:
        """Yield what happens to a collection from a version on, until the watch's time is over."""
        seen = int(call.query["resourceVersion"])
        end = time.monotonic() + float(call.query.get("timeoutSeconds") or 60)
        while True:
            with self._changed:
                oldest = self._log[0][0] if self._log else self.version + 1
                fresh = [entry for entry in self._log if entry[0] > seen and entry[1] == call.path]
                if seen + 1 < oldest and seen < self.version:
                    yield {"type": "ERROR", "object": failure(410, "Expired", f"too old resource version: {seen}")[1]}
                    return
                if not fresh:
                    if self.released.is_set() or time.monotonic() >= end:
                        return
                    self._changed.wait(max(0.0, end - time.monotonic()))
                    continue
            for version, dummy, kind, obj in fresh:
                yield {"type": kind, "object": obj}
                seen = version


def failure(code: int, reason: str, message: str, name: str = "") -> tuple[int, dict[str, t.Any]]:
    return code, {
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, "details": {"name": name}
    }


def _merged(target: t.Any, patch: t.Any) -> t.Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    api: FaultyApi
    tls: ssl.SSLContext | None

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        if self.tls:
            request.settimeout(5)
            request = self.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            try:
                request.do_handshake()  # here: in the connection's own thread
            except ssl.SSLError:
                _let_the_alert_arrive(request)
                raise
        super().finish_request(request, client_address)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        pass  # clients that hang up are what the tests are about


def _let_the_alert_arrive(connection: ssl.SSLSocket) -> None:
    """Read what the client already sent: closing with unread bytes resets the connection, and a reset may overtake the alert (RFC 1122, 4.2.2.13)."""
    socket.socket.shutdown(connection, socket.SHUT_WR)
    while socket.socket.recv(connection, 65536):
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *dummy: t.Any) -> None:
        pass

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:
            self.close_connection = True
            return  # kube-apiserver drops a request whose body never came, too
        call = Call(self.command, parts.path, dict(parse_qsl(parts.query)), self.headers, json.loads(raw) if raw else None)
        api = self.server.api
        with api._lock:
            api.calls.append(call)
        fault = api.take_fault(call)
        if fault is not None:
            fault(self, call)
        else:
            self.proceed(call)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def proceed(self, call: Call) -> None:
        """Answer as a healthy server does."""
        if call.query.get("watch"):
            self.stream(self.server.api.events(call))
        else:
            self.reply(*self.server.api.answer(call))

    def reply(self, code: int, body: t.Any, headers: t.Mapping[str, str] | None = None) -> None:
        raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        given = {"Content-Type": JSON if isinstance(body, dict) else "text/plain", "Content-Length": str(len(raw)), **(headers or {})}
        self.send_response(code)
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def stream(self, events: t.Iterator[dict[str, t.Any]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for event in events:
            self.chunk(json.dumps(event).encode() + b"\n")
        self.chunk(b"")

    def chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def reset(self) -> None:
        """End the TCP connection by RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.close = lambda: None  # type: ignore[method-assign]
        self.connection.close()


# Faults.

def status(code: int, reason: str = "", message: str = "", **headers: str) -> Fault:
    def fault(handler: _Handler, call: Call) -> None:
        handler.reply(*failure(code, reason, message), {name.replace("_", "-"): value for name, value in headers.items()})

    return fault


def text(code: int, body: str, content_type: str = "text/plain", **headers: str) -> Fault:
    def fault(handler: _Handler, call: Call) -> None:
        handler.reply(code, body, {"Content-Type": content_type, **headers})

    return fault


def login_page(handler: _Handler, call: Call) -> None:
    handler.reply(200, "<!DOCTYPE html><html><head><title>Sign in to Corp</title></head></html>", {"Content-Type": "text/html"})


def reset(handler: _Handler, call: Call) -> None:
    """Drop the request unprocessed."""
    handler.reset()


def processed_then(fault: Fault) -> Fault:
    """Carry the request out, and let its answer go wrong."""

    def both(handler: _Handler, call: Call) -> None:
        if fault is not cut:  # which does so itself
            handler.server.api.answer(call)
        fault(handler, call)

    return both


def cut(handler: _Handler, call: Call) -> None:
    """Carry the request out, promise the whole answer, send half of it, and end the connection."""
    raw = json.dumps(handler.server.api.answer(call)[1]).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw[:len(raw) // 2])
    handler.close_connection = True


def half_but_complete(handler: _Handler, call: Call) -> None:
    """Half a body whose Content-Length says that it is all."""
    raw = json.dumps(handler.server.api.answer(call)[1]).encode()
    handler.reply(200, raw[:len(raw) // 2], {"Content-Type": JSON})


def silence(handler: _Handler, call: Call) -> None:
    handler.server.api.released.wait(10)
    handler.close_connection = True


def drip(handler: _Handler, call: Call) -> None:
    """Send a valid response a byte at a time, for ever as far as a test is concerned; each byte resets a socket's timeout."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n" + b" " * 100000:
        handler.wfile.write(bytes((byte,)))
        handler.wfile.flush()
        if handler.server.api.released.wait(0.01):
            break
    handler.close_connection = True


def drip_body(handler: _Handler, call: Call) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for dummy in range(100000):
        handler.wfile.write(b" ")
        if handler.server.api.released.wait(0.01):
            break
    handler.close_connection = True


def gzipped(handler: _Handler, call: Call) -> None:
    handler.reply(200, gzip.compress(json.dumps(handler.server.api.answer(call)[1]).encode()), {"Content-Type": JSON, "Content-Encoding": "gzip"})


def broken_gzip(handler: _Handler, call: Call) -> None:
    raw = gzip.compress(json.dumps(handler.server.api.answer(call)[1]).encode())
    handler.reply(200, raw[:10] + b"\xff" * 40, {"Content-Type": JSON, "Content-Encoding": "gzip"})


def chunked(handler: _Handler, call: Call, encoding: str = "identity") -> None:
    raw = json.dumps(handler.server.api.answer(call)[1]).encode()
    if encoding == "gzip":
        raw = gzip.compress(raw)
    handler.send_response(200)
    handler.send_header("Content-Type", JSON)
    handler.send_header("Content-Encoding", encoding)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for start in range(0, len(raw), 997):
        handler.chunk(raw[start:start + 997])
    handler.chunk(b"")


def chunked_gzip(handler: _Handler, call: Call) -> None:
    chunked(handler, call, "gzip")


def table(handler: _Handler, call: Call) -> None:
    handler.reply(200, {"apiVersion": "meta.k8s.io/v1", "kind": "Table", "columnDefinitions": [], "rows": []})


def passed(handler: _Handler, call: Call) -> None:
    """No fault: for the calls between two faults."""
    handler.proceed(call)
