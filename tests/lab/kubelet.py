# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the kubelets of a cluster, as far as ``kubectl logs`` needs one.

The API server asks a kubelet for ``/containerLogs/NAMESPACE/POD/CONTAINER`` with tailLines, limitBytes, sinceSeconds, timestamps, previous and follow
(kubernetes pkg/kubelet/server/server.go). The stand-in serves ``<cluster>/logs/NAMESPACE/POD/CONTAINER.log``, an absent file as an empty log. It
honours tailLines and limitBytes; with ``follow`` it answers with what there is, and ends.
"""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import urllib.parse
from pathlib import Path

from tests.lab.info import ClusterInfo


class Kubelet(http.server.ThreadingHTTPServer):
    """Serves on a socket that listens already; only the API server's client certificate is let in.

    :param listener: see ``process.listening_socket``.
    """

    daemon_threads = True

    def __init__(self, cluster: ClusterInfo, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(cluster.pki / "ca.crt"))
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_cert_chain(str(cluster.pki / "kubelet.crt"), str(cluster.pki / "kubelet.key"))
        self.socket = tls.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        self.logs = cluster.dir / "logs"

    def serve_in_background(self) -> None:
        threading.Thread(target=self.serve_forever, name="kubelet", daemon=True).start()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Kubelet

    def do_GET(self) -> None:  # the name that BaseHTTPRequestHandler calls
        target = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(each) for each in target.path.strip("/").split("/")]
        if len(parts) != 4 or parts[0] != "containerLogs" or any(part in ("", ".", "..") or "/" in part for part in parts):
            self._answer(404, f"the lab's kubelet stand-in serves container logs only, not {target.path}\n".encode())
            return
        _prefix, namespace, pod, container = parts
        query = {key: values[-1] for key, values in urllib.parse.parse_qs(target.query).items()}
        path = self.server.logs / namespace / pod / f"{container}.log"
        self._answer(200, select_log(_content(path), query.get("tailLines"), query.get("limitBytes")))

    def log_message(self, format: str, *args: object) -> None:  # the base class' signature
        """Requests are in the audit log's realm; errors are answered."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def select_log(content: bytes, tail_lines: str | None = None, limit_bytes: str | None = None) -> bytes:
    """The part of a log that was asked for: the last lines first, then at most so many bytes of them."""
    if tail_lines is not None:
        count = int(tail_lines)
        content = b"".join(content.splitlines(keepends=True)[-count:]) if count else b""
    return content if limit_bytes is None else content[: int(limit_bytes)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
