# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the Kubernetes API for stand-ins and tests.

It speaks raw JSON over HTTPS with the standard library and shares no line with ``plugins/``, so that what a test asserts
was not read by the code under test. Safe to use from many threads: each thread keeps one connection of its own.
"""

from __future__ import annotations

import base64
import http.client
import json
import select
import ssl
import tempfile
import threading
import time
import typing as t
import urllib.parse
from pathlib import Path

import yaml

from tests.lab.cutter import Cutter

Object = dict[str, t.Any]

APPLY_MANAGER = "lab"
REQUEST_SECONDS = 30.0
WATCH_SECONDS = 300
RECONNECT_SECONDS = 0.5
MAX_RETRIES = 10
MAX_RETRY_SECONDS = 1.0

_CUT = (OSError, http.client.HTTPException, ValueError, AttributeError)


class ApiError(Exception):
    """The API server refused a request, or could not be reached (then ``status`` is 0).

    :ivar status: the HTTP status code.
    :ivar reason: ``Status.reason``, for example ``NotFound``, ``AlreadyExists``, ``Conflict``, ``Invalid``; ``Unreachable`` with status 0.
    :ivar message: ``Status.message``, or the first kilobyte of an answer that is no Status.
    :ivar body: the Status object, or ``{}``.
    """

    def __init__(self, status: int, reason: str, message: str, body: Object | None = None) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.body = body or {}

    @property
    def not_found(self) -> bool:
        return self.status == 404

    @property
    def conflict(self) -> bool:
        return self.status == 409

    @property
    def unreachable(self) -> bool:
        """No answer, or the answer of a server that is starting or stopping: worth asking again."""
        return self.status in (0, 429, 500, 502, 503, 504)


class Client:
    """One identity at one API server.

    :param server: ``https://127.0.0.1:PORT``.
    :param ca_file: the CA that signed the server's certificate.
    :param cert_file: client certificate; its CN is the user that the audit log shows.
    :param key_file: key of ``cert_file``.
    :param user_agent: sent with every request.
    :param timeout: seconds without a byte after which a request (not a watch) has failed.
    """

    def __init__(
        self,
        server: str,
        ca_file: str | Path,
        cert_file: str | Path,
        key_file: str | Path,
        user_agent: str = "lab",
        timeout: float = REQUEST_SECONDS,
    ) -> None:
        self.server = server.rstrip("/")
        self.user_agent = user_agent
        self.timeout = timeout
        self._address = urllib.parse.urlsplit(self.server)
        self._tls = ssl.create_default_context(cafile=str(ca_file))
        self._tls.load_cert_chain(str(cert_file), str(key_file))
        self._local = threading.local()
        self._resources: dict[str, list[Object]] = {}

    @classmethod
    def from_kubeconfig(cls, path: str | Path, user_agent: str = "lab", context: str | None = None) -> Client:
        """The client of a context (by default the current one) of a kubeconfig with certificates in files or in data."""
        path = Path(path)
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        chosen = _named(config["contexts"], context or config["current-context"])["context"]
        cluster = _named(config["clusters"], chosen["cluster"])["cluster"]
        user = _named(config["users"], chosen["user"])["user"]
        with tempfile.TemporaryDirectory(prefix="lab-client-") as scratch:
            ca, cert, key = (
                _material(part, name, path.parent, Path(scratch))
                for part, name in ((cluster, "certificate-authority"), (user, "client-certificate"), (user, "client-key"))
            )
            return cls(cluster["server"], ca, cert, key, user_agent)

    def request(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        query: t.Mapping[str, t.Any] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """One call. Raises ApiError for every answer of 400 and more, and with status 0 if there was no answer."""
        raw = self.request_text(method, path, body, query, content_type)
        try:
            return json.loads(raw) if raw else {}
        except ValueError:
            raise ApiError(200, "NotJSON", raw[:1024]) from None

    def request_text(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        query: t.Mapping[str, t.Any] | None = None,
        content_type: str = "application/json",
    ) -> str:
        """As ``request``, for answers that are text: logs, metrics, ``/readyz``.

        A refusal with ``Retry-After`` (a new CRD's storage initialises, the server is overloaded) is tried again, as client-go does.
        """
        payload = None if body is None else json.dumps(body).encode()
        headers = self._headers()
        if payload is not None:
            headers["Content-Type"] = content_type
        target = _target(path, query)
        for attempt in range(MAX_RETRIES + 1):
            status, retry_after, raw = self._exchange(method, target, payload, headers)
            if retry_after is None or status not in (429, 503) or attempt == MAX_RETRIES:
                break
            time.sleep(min(retry_after, MAX_RETRY_SECONDS))
        text = raw.decode("utf-8", "replace")
        if status >= 400:
            raise _api_error(status, text)
        return text

    def get(self, path: str) -> Object:
        return self.request("GET", path)

    def find(self, path: str) -> Object | None:
        """The object, or None when the API server says that there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def list(self, path: str, **query: t.Any) -> list[Object]:
        """The items of a collection, each with the ``apiVersion`` and ``kind`` that lists leave out."""
        return _items(self.request("GET", path, query=query))

    def create(self, path: str, body: Object) -> Object:
        return self.request("POST", path, body)

    def replace(self, path: str, body: Object) -> Object:
        return self.request("PUT", path, body)

    def merge_patch(self, path: str, patch: Object) -> Object:
        return self.request("PATCH", path, patch, content_type="application/merge-patch+json")

    def json_patch(self, path: str, ops: list[Object]) -> Object:
        return self.request("PATCH", path, ops, content_type="application/json-patch+json")

    def delete(self, path: str, **query: t.Any) -> Object:
        return self.request("DELETE", path, query=query)

    def apply(self, obj: Object) -> Object:
        """Server-side apply of any object by its apiVersion and kind, taking over conflicting fields.

        A ``status`` in the object is applied to the status subresource where the kind has one.
        """
        path, subresources = self.path_of(obj)
        query = {"fieldManager": APPLY_MANAGER, "force": "true"}
        applied = self.request("PATCH", path, obj, query, "application/apply-patch+yaml")
        if "status" in obj and "status" in subresources:
            part = {key: obj[key] for key in ("apiVersion", "kind", "status")}
            part["metadata"] = {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}
            applied = self.request("PATCH", f"{path}/status", part, query, "application/apply-patch+yaml")
        return applied

    def path_of(self, obj: Object) -> tuple[str, set[str]]:
        """The path of an object and the names of its kind's subresources, found by discovery (kept per group and version)."""
        api_version, kind = obj["apiVersion"], obj["kind"]
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        for attempt in range(2):
            if attempt or root not in self._resources:
                self._resources[root] = self.get(root)["resources"]
            served = self._resources[root]
            plural = next((each for each in served if each["kind"] == kind and "/" not in each["name"]), None)
            if plural:
                break
        else:
            raise ApiError(404, "NotFound", f"the server does not serve {kind} in {api_version}")
        metadata = obj["metadata"]
        scope = f"/namespaces/{metadata.get('namespace', 'default')}" if plural["namespaced"] else ""
        prefix = plural["name"] + "/"
        subresources = {each["name"][len(prefix):] for each in served if each["name"].startswith(prefix)}
        return f"{root}{scope}/{plural['name']}/{metadata['name']}", subresources

    def watch(self, path: str, stop: threading.Event, resource_version: str | None = None) -> t.Iterator[tuple[str, Object]]:
        """Changes of a collection as (``ADDED``, ``MODIFIED`` or ``DELETED``, object), until ``stop`` is set.

        Without ``resource_version`` it starts by listing: everything that exists comes first, as ``ADDED``. When the server
        forgot the version (410), restarted or was away it lists again; objects then come once more as ``ADDED``, and those that
        have gone meanwhile as ``DELETED``. A collection that is not served is asked for again until it is.
        """
        known: dict[str, Object] = {}
        version = resource_version
        with Cutter(stop) as cutter:
            while not stop.is_set():
                try:
                    if version is None:
                        answer = self.request("GET", path)
                        listed = {_identity(each): each for each in _items(answer)}
                        for identity in [each for each in known if each not in listed]:
                            yield "DELETED", known.pop(identity)
                        known = dict(listed)
                        for each in listed.values():
                            yield "ADDED", each
                        version = answer["metadata"]["resourceVersion"]
                    quiet = True
                    for kind, changed in self._watch_once(path, version, cutter):
                        quiet = False
                        if kind == "ERROR":
                            version = None
                            break
                        version = changed["metadata"]["resourceVersion"]
                        if kind == "BOOKMARK":
                            continue
                        if kind == "DELETED":
                            known.pop(_identity(changed), None)
                        else:
                            known[_identity(changed)] = changed
                        yield kind, changed
                    if quiet:
                        stop.wait(RECONNECT_SECONDS)
                except ApiError as error:
                    if not error.unreachable:
                        version = None
                    stop.wait(RECONNECT_SECONDS)
                except _CUT:
                    stop.wait(RECONNECT_SECONDS)

    def close(self) -> None:
        """Drops this thread's connection; the next request opens another."""
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json, */*", "User-Agent": self.user_agent}

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._address.hostname or "", self._address.port or 443, timeout=timeout, context=self._tls)

    def _take_connection(self) -> bool:
        """Ensures a connection; True if it is one that was used before and is not known to be closed by the server."""
        connection = getattr(self._local, "connection", None)
        if connection is not None and connection.sock is not None:
            if not select.select([connection.sock], [], [], 0)[0]:
                return True
            self.close()
        self._local.connection = self._connect(self.timeout)
        return False

    def _exchange(self, method: str, target: str, payload: bytes | None, headers: dict[str, str]) -> tuple[int, float | None, bytes]:
        """One request; a second time when a read met a connection that the server had closed meanwhile."""
        retried = False
        while True:
            reused = self._take_connection()
            try:
                return self._send(method, target, payload, headers)
            except _CUT as error:
                self.close()
                if retried or not reused or method != "GET":
                    raise ApiError(0, "Unreachable", f"{method} {self.server}{target}: {error!r}") from error
                retried = True

    def _send(self, method: str, target: str, payload: bytes | None, headers: dict[str, str]) -> tuple[int, float | None, bytes]:
        """Status, seconds of Retry-After, body."""
        connection = self._local.connection
        connection.request(method, target, payload, headers)
        response = connection.getresponse()
        after = response.headers.get("Retry-After", "")
        return response.status, float(after) if after.isdigit() else None, response.read()

    def _watch_once(self, path: str, version: str, cutter: Cutter) -> t.Iterator[tuple[str, Object]]:
        query = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": WATCH_SECONDS}
        connection = self._connect(WATCH_SECONDS + REQUEST_SECONDS)
        try:
            connection.connect()
            cutter.guard(connection)
            connection.request("GET", _target(path, query), headers=self._headers())
            response = connection.getresponse()
            if response.status >= 400:
                raise _api_error(response.status, response.read().decode("utf-8", "replace"))
            while line := response.readline():
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            cutter.release()
            connection.close()


def _identity(obj: Object) -> str:
    metadata = obj["metadata"]
    return metadata.get("uid") or f"{metadata.get('namespace', '')}/{metadata['name']}"


def _items(answer: Object) -> list[Object]:
    kind = answer.get("kind", "")
    defaults = {"apiVersion": answer.get("apiVersion", ""), "kind": kind[: -len("List")] if kind.endswith("List") else kind}
    return [{**defaults, **each} for each in answer.get("items") or []]


def _target(path: str, query: t.Mapping[str, t.Any] | None) -> str:
    if not query:
        return path
    return path + ("&" if "?" in path else "?") + urllib.parse.urlencode(query)


def _api_error(status: int, text: str) -> ApiError:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("kind") != "Status":
        return ApiError(status, http.client.responses.get(status, "Unknown"), text[:1024].strip())
    return ApiError(status, body.get("reason") or "Unknown", body.get("message") or "", body)


def _named(entries: list[Object], name: str) -> Object:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(f"the kubeconfig has no entry named {name!r}")


def _material(part: Object, name: str, folder: Path, scratch: Path) -> Path:
    """The file with a certificate or key of a kubeconfig: the one that it names, or one written from its ``-data``."""
    if name in part:
        return folder / part[name]
    written = scratch / name
    written.touch(mode=0o600)
    written.write_bytes(base64.b64decode(part[f"{name}-data"]))
    return written
