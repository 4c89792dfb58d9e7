# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``kill -9`` from outside, at a chosen write: a process that runs a module talks to the API servers through here, and dies when that write passes."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import signal
import ssl
import subprocess
import sys
import threading
import typing as t
import urllib.parse
from pathlib import Path

HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host", "authorization")
READS = ("GET", "HEAD")


class Killer:
    """Proxies in front of some clusters, which count together the writes that pass.

    :ivar urls: of the proxies, by the cluster's name.
    :ivar writes: (cluster, verb, path) of the real writes since :meth:`arm`, in the order in which they came.
    """

    def __init__(self, clusters: t.Iterable[t.Any], parent: int) -> None:
        """
        :param parent: the process of which all children die.
        """
        self._parent = parent
        self._lock = threading.Lock()
        self._at, self._after = 0, False
        self._held = ""
        self.waiting, self._go_on = threading.Event(), threading.Event()
        self.writes: list[tuple[str, str, str]] = []
        self._servers = {cluster.name: self._serve(cluster) for cluster in clusters}
        self.urls = {name: f"http://127.0.0.1:{server.server_address[1]}" for name, server in self._servers.items()}

    def arm(self, at: int = 0, *, after: bool = False) -> None:
        """Kill at the write number ``at`` from now on, 0 at none: before it reaches the API server, or ``after`` that has answered."""
        with self._lock:
            self._at, self._after, self.writes = at, after, []

    def hold(self, path: str) -> None:
        """Hold the next writes to paths that begin so until :meth:`go_on`; ``waiting`` is set when there is one."""
        with self._lock:
            self._held = path
            self.waiting.clear()
            self._go_on.clear()

    def go_on(self) -> None:
        with self._lock:
            self._held = ""
            self._go_on.set()

    def wait_if_held(self, path: str) -> None:
        with self._lock:
            held = bool(self._held) and path.startswith(self._held)
        if held:
            self.waiting.set()
            self._go_on.wait()

    def close(self) -> None:
        self.go_on()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def passing(self, cluster: str, verb: str, path: str) -> int:
        """Number of a write that has just arrived; the process that sent it is dead where it is to die before."""
        with self._lock:
            self.writes.append((cluster, verb, path))
            number = len(self.writes)
            if number == self._at and not self._after:
                self._kill()
            return number

    def passed(self, number: int) -> None:
        with self._lock:
            if number == self._at and self._after:
                self._kill()

    def dead(self, number: int) -> bool:
        """Whether a request comes from a process that was killed before it."""
        with self._lock:
            return bool(self._at) and number >= self._at and not (self._after and number == self._at)

    def _kill(self) -> None:
        for pid in Path(f"/proc/{self._parent}/task/{self._parent}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def _serve(self, cluster: t.Any) -> http.server.ThreadingHTTPServer:
        killer = self
        address = urllib.parse.urlsplit(cluster.server)
        tls = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
        tls.load_cert_chain(str(cluster.pki / "admin.crt"), str(cluster.pki / "admin.key"))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                self.upstream = http.client.HTTPSConnection(address.hostname or "", address.port, context=tls)

            def finish(self) -> None:
                self.upstream.close()
                with contextlib.suppress(OSError):
                    super().finish()

            def do_GET(self) -> None:  # the names that BaseHTTPRequestHandler calls
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                number = 0
                if self.command not in READS and "dryRun" not in query:
                    number = killer.passing(cluster.name, self.command, urllib.parse.urlsplit(self.path).path)
                    killer.wait_if_held(self.path)
                    if killer.dead(number):
                        self.close_connection = True
                        return
                try:
                    headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                    self.upstream.request(self.command, self.path, body, headers)
                    answer = self.upstream.getresponse()
                    first = b"" if "watch" in query else answer.read()
                    if number:
                        killer.passed(number)
                    self.send_response(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in HOP:
                            self.send_header(name, value)
                    if "watch" not in query:
                        self.send_header("Content-Length", str(len(first)))
                    self.end_headers()
                    self.wfile.write(first)
                    while "watch" in query and (some := answer.read1(65536)):
                        self.wfile.write(some)
                except (OSError, http.client.HTTPException):  # the process is dead, or has heard enough
                    self.close_connection = True
                finally:
                    self.close_connection = self.close_connection or "watch" in query

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:  # the base class' signature
                """Writes are in ``writes``."""

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request: t.Any, client_address: t.Any) -> None:
                """A client that was killed leaves broken connections."""

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, name=f"killer {cluster.name}", daemon=True).start()
        return server


@contextlib.contextmanager
def playbook_process() -> t.Iterator[subprocess.Popen]:
    """A process that stands for ``ansible-playbook``: a run's locks die with it."""
    process = subprocess.Popen([sys.executable, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
