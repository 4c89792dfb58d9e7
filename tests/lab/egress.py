# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of an awake cluster's API server into its cluster's network: an HTTP CONNECT proxy on a Unix socket.

The API server goes through it to kubelets and to aggregated APIs (kubernetes apiserver pkg/server/egressselector, selection ``cluster``). Loopback is
connected as asked. An address in the service CIDR is that of a Service whose pods a stand-in plays: ``<cluster>/services.json`` says by NAMESPACE/NAME
at which port of 127.0.0.1 it listens. Any other address times out in production; here it is refused at once.
"""

from __future__ import annotations

import http.server
import ipaddress
import os
import select
import socket
import socketserver
import sys
import threading
import typing as t

from tests.lab import woken
from tests.lab.client import ApiError
from tests.lab.components import EGRESS_SOCKET
from tests.lab.info import ClusterInfo

SERVICES = "services.json"
IDENTITY = "planter"
LOCAL = ("localhost", "127.0.0.1")
CHUNK = 65536


class Egress(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves one cluster for as long as the process lives."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, cluster: ClusterInfo) -> None:
        path = cluster.dir / EGRESS_SOCKET
        path.unlink(missing_ok=True)
        # A Unix socket's address has 108 bytes at most (unix(7)), which a test's folder may fill: this one is always short.
        folder = os.open(path.parent, os.O_PATH)
        try:
            super().__init__(f"/proc/self/fd/{folder}/{path.name}", _Handler)
        finally:
            os.close(folder)
        self.cluster = cluster
        self.client = cluster.client(IDENTITY)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # the API server gives up on a connection whenever it likes
            super().handle_error(request, client_address)

    def serve_in_background(self) -> None:
        threading.Thread(target=self.serve_forever, name=f"egress {self.cluster.name}", daemon=True).start()

    def port_of(self, host: str, port: int) -> int:
        """The port of 127.0.0.1 behind an address. Raises ConnectionRefusedError when nothing listens there."""
        if host in LOCAL:
            return port
        if ipaddress.ip_address(host) in ipaddress.ip_network(self.cluster.service_cidr):
            played = woken.read(self.cluster, SERVICES)
            for service in self.client.list("/api/v1/services"):
                name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
                ports = [each["port"] for each in service["spec"].get("ports") or ()]
                if service["spec"].get("clusterIP") == host and port in ports and name in played:
                    return int(played[name])
        raise ConnectionRefusedError(f"nothing listens at {host}:{port}")


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Egress
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:  # the name that BaseHTTPRequestHandler calls
        host, _colon, port = self.path.rpartition(":")
        try:
            target = socket.create_connection(("127.0.0.1", self.server.port_of(host.strip("[]"), int(port))), 10)
        except (OSError, ApiError) as error:
            self.send_error(502, str(error))
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self.close_connection = True
        with target:
            _relay(self.connection, target)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # the base class' signature
        """What was asked is in the audit log."""


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Carries bytes both ways until either side ends."""
    pairs = {one: other, other: one}
    other.settimeout(None)
    while True:
        readable, _writable, _failed = select.select(list(pairs), [], [])
        for source in readable:
            try:
                data = source.recv(CHUNK)
                if not data:
                    return
                pairs[source].sendall(data)
            except OSError:
                return
