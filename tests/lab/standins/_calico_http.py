# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS side of the Calico API server: paths, who may, forms of answers, watches."""

from __future__ import annotations

import http.server
import json
import logging
import re
import socket
import ssl
import sys
import threading
import typing as t
import urllib.parse

from tests.lab.client import ApiError
from tests.lab.standins import _kube_answers as answers
from tests.lab.standins._calico_api import CalicoApi
from tests.lab.standins._calico_storage import API_VERSION, GROUP, Kind, Object
from tests.lab.standins._front_proxy import MASTERS, Caller, FrontProxy

VERSION = "v3"
HEALTH = ("/healthz", "/livez", "/readyz")
WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
QUIET = (ssl.SSLError, ConnectionError, socket.timeout)
IDLE_SECONDS = 120

_RESOURCE = re.compile(rf"/apis/{re.escape(API_VERSION)}(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?/?")


class Server(http.server.ThreadingHTTPServer):
    """Serves one cluster until shut down.

    :param port: where to listen; another one where that is taken, or 0.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, api: CalicoApi, proxy: FrontProxy, tls: ssl.SSLContext, stop: threading.Event, port: int = 0) -> None:
        try:
            super().__init__(("127.0.0.1", port), Handler)
        except OSError:
            super().__init__(("127.0.0.1", 0), Handler)
        self.api = api
        self.proxy = proxy
        self.tls = tls
        self.stop = stop
        self.log = logging.getLogger("lab.calico-api-server")
        self._open: set[ssl.SSLSocket] = set()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        # The handshake belongs here, in the connection's own thread: a silent client must not keep others from being accepted.
        request.settimeout(IDLE_SECONDS)
        with self.tls.wrap_socket(request, server_side=True) as secured:
            self._open.add(secured)
            try:
                super().finish_request(secured, client_address)
            finally:
                self._open.discard(secured)

    def server_close(self) -> None:
        """Also breaks what is under way, watches above all, as the end of a process does."""
        super().server_close()
        for each in list(self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._open.discard(each)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        if not isinstance(sys.exc_info()[1], QUIET):
            self.log.exception("a request from %s failed", client_address)


class Request(t.NamedTuple):
    verb: str
    kind: Kind
    name: str
    query: dict[str, str]
    body: bytes


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: t.Any) -> None:
        self.server.log.debug(format, *args)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urllib.parse.urlsplit(self.path)
        try:
            if self.server.stop.is_set():
                raise ConnectionAbortedError("the server has ended, and its connections with it")
            caller = self.server.proxy.caller(self.connection.getpeercert(), self.headers)
            if address.path in HEALTH:
                self._send_bytes(200, b"ok", "text/plain")
                return
            if caller is None:
                raise answers.Refused(401, "Unauthorized", "Unauthorized")
            if self.command == "GET" and self._discovery(address.path):
                return
            self._serve(caller, address, body)
        except answers.Refused as error:
            self._send(error.code, error.status())
        except ApiError as error:
            refused = answers.Refused(error.status or 500, error.reason if error.status else "InternalError", error.message)
            self._send(refused.code, refused.status())

    def _discovery(self, path: str) -> bool:
        """Answers what needs no right of its own; False for other paths."""
        kinds = self.server.api.kinds.values()
        documents: dict[str, t.Callable[[], Object]] = {
            "/apis": lambda: answers.api_group_list(GROUP, VERSION),
            f"/apis/{GROUP}": lambda: answers.api_group(GROUP, VERSION),
            f"/apis/{API_VERSION}": lambda: answers.resource_list(GROUP, VERSION, [(each.plural, each.name, each.singular, each.namespaced) for each in kinds]),
            "/openapi/v3": lambda: {"paths": {f"apis/{API_VERSION}": {"serverRelativeURL": f"/openapi/v3/apis/{API_VERSION}"}}},
            f"/openapi/v3/apis/{API_VERSION}": lambda: open_api({each: self.server.api.schema(each) for each in kinds}),
        }
        document = documents.get(path.rstrip("/"))
        if document is None:
            return False
        self._send(200, document())
        return True

    def _serve(self, caller: Caller, address: urllib.parse.SplitResult, body: bytes) -> None:
        match = _RESOURCE.fullmatch(address.path)
        kind = self.server.api.kinds.get(match["plural"]) if match else None
        if match is None or kind is None or match["namespace"] and not kind.namespaced or kind.namespaced and match["name"] and not match["namespace"]:
            raise answers.Refused(404, "NotFound", "the server could not find the requested resource")
        kind = kind._replace(namespace=urllib.parse.unquote(match["namespace"] or ""))
        query = dict(urllib.parse.parse_qsl(address.query))
        name = urllib.parse.unquote(match["name"] or "")
        watching = query.get("watch", "").lower() in ("1", "true")
        read = "watch" if watching else ("get" if name else "list")
        verb = read if self.command == "GET" else WRITES[self.command]
        if verb == "delete" and not name:
            verb = "deletecollection"
        if verb == "create" and name or verb in ("update", "patch") and not name:
            raise answers.Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        self._authorize(caller, verb, kind, name)
        request = Request(verb, kind, name, query, body)
        if watching:
            if name:
                query["fieldSelector"] = f"metadata.name={name}"
            self._watch(request)
            return
        code, result, warnings = self._result(request)
        self._send(code, answers.transformed(result, answers.transform_for(self.headers.get("Accept", ""))), warnings)

    def _authorize(self, caller: Caller, verb: str, kind: Kind, name: str) -> None:
        if MASTERS in caller.groups:
            return
        allowed, why = self.server.api.allowed(caller.user, caller.groups, caller.extra, verb, kind, name)
        if not allowed:
            raise answers.forbidden(verb, GROUP, kind.plural, name, caller.user, why)

    def _result(self, request: Request) -> tuple[int, Object, list[str]]:
        api, kind, name, query = self.server.api, request.kind, request.name, request.query
        if request.verb == "list":
            return 200, api.list(kind, query), []
        if request.verb == "get":
            return 200, api.get(kind, name), []
        if request.verb == "create":
            return (201, *api.create(kind, self._decoded(request.body), query))
        if request.verb == "update":
            return (200, *api.replace(kind, name, self._decoded(request.body), query))
        if request.verb == "patch":
            content_type = self.headers.get("Content-Type", "").partition(";")[0]
            return (200, *api.patch(kind, name, self._decoded(request.body), content_type, query))
        options = self._decoded(request.body) if request.body else {}
        if request.verb == "delete":
            return 200, api.delete(kind, name, options, query), []
        return 200, api.delete_collection(kind, options, query), []

    def _watch(self, request: Request) -> None:
        wanted = answers.transform_for(self.headers.get("Accept", ""))
        events = self.server.api.watch(request.kind, request.query, self.server.stop)
        first = next(events, None)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while first is not None:
            kind, obj = first
            self._chunk(json.dumps({"type": kind, "object": answers.transformed(obj, wanted)}).encode() + b"\n")
            first = next(events, None)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _decoded(self, body: bytes) -> Object:
        try:
            decoded = json.loads(body)
        except ValueError as error:
            raise answers.Refused(400, "BadRequest", f"the object provided is unrecognized: {error}") from None
        if not isinstance(decoded, dict):
            raise answers.Refused(400, "BadRequest", "the object provided is unrecognized (must be of type Status): it is no JSON object")
        return decoded

    def _send(self, code: int, body: Object, warnings: t.Sequence[str] = ()) -> None:
        self._send_bytes(code, json.dumps(body).encode(), "application/json", warnings)

    def _send_bytes(self, code: int, data: bytes, content_type: str, warnings: t.Sequence[str] = ()) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for each in warnings:
            quoted = each.replace('"', '\\"')
            self.send_header("Warning", f'299 - "{quoted}"')
        self.end_headers()
        self.wfile.write(data)


def open_api(schemas: t.Mapping[Kind, Object]) -> Object:
    """The OpenAPI v3 document from which kubectl learns the fields, and that fieldValidation is understood."""
    paths: Object = {}
    components: Object = {}
    for kind, schema in schemas.items():
        model = f"com.github.projectcalico.api.pkg.apis.projectcalico.v3.{kind.name}"
        gvk = {"group": GROUP, "version": VERSION, "kind": kind.name}
        components[model] = {**schema, "x-kubernetes-group-version-kind": [gvk]}
        parameters = [{"name": each, "in": "query", "schema": {"type": "string"}} for each in ("dryRun", "fieldManager", "fieldValidation")]
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}
        operation = {
            "parameters": parameters,
            "requestBody": {"content": content},
            "responses": {"200": {"description": "OK", "content": content}},
            "x-kubernetes-group-version-kind": gvk,
        }
        path = f"/apis/{API_VERSION}" + ("/namespaces/{namespace}" if kind.namespaced else "") + f"/{kind.plural}"
        paths[path] = {"post": {**operation, "x-kubernetes-action": "post"}}
        paths[f"{path}/{{name}}"] = {
            "put": {**operation, "x-kubernetes-action": "put"},
            "patch": {**operation, "x-kubernetes-action": "patch"},
        }
    return {"openapi": "3.0.0", "info": {"title": "Calico API server", "version": VERSION}, "paths": paths, "components": {"schemas": components}}
