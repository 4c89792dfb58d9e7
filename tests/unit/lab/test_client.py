# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's client, against a server that answers as it is told."""

from __future__ import annotations

import http.server
import itertools
import json
import ssl
import threading
import typing as t
from pathlib import Path

import pytest

from tests.lab import client as clients, pki
from tests.lab.client import ApiError, Client

PODS = "/api/v1/pods"


class Answer(t.NamedTuple):
    status: int
    body: t.Any
    headers: dict[str, str] = {}


class Server(http.server.ThreadingHTTPServer):
    """Gives its answers one after the other and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        certificate, key = pki.issue(folder, "apiserver", "kube-apiserver", addresses=["127.0.0.1"])
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(str(certificate), str(key))
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.answers: list[Answer] = []
        self.asked: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        given = self.server.answers.pop(0) if self.server.answers else Answer(500, {})
        raw = "".join(json.dumps(each) + "\n" for each in (given.body if isinstance(given.body, list) else [given.body])).encode()
        self.send_response(given.status)
        for name, value in {**given.headers, "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at ``asked``."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("client") / "pki"
    pki.create(made, "10.45.0.0/16", [])
    return made


@pytest.fixture
def server(folder: Path) -> t.Iterator[Server]:
    with Server(folder) as started:
        threading.Thread(target=started.serve_forever, args=(0.01,), daemon=True).start()
        yield started
        started.shutdown()


@pytest.fixture
def client(server: Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(clients, "RECONNECT_SECONDS", 0.01)
    pki.kubeconfig(tmp_path / "kubeconfig", folder, "admin", "cluster-1", f"https://127.0.0.1:{server.server_address[1]}")
    return Client.from_kubeconfig(tmp_path / "kubeconfig")


def pod(name: str, version: int) -> dict:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": str(version)}}


def pod_list(version: int, *names: str) -> dict:
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}, "items": [pod(each, version) for each in names]}


def status(code: int, reason: str) -> dict:
    return {"kind": "Status", "code": code, "reason": reason, "message": f"it is {reason}"}


def test_items_of_lists_get_their_kind(client: Client, server: Server) -> None:
    server.answers = [Answer(200, pod_list(1, "a"))]
    assert client.list(PODS, labelSelector="x=y")[0] == {**pod("a", 1), "kind": "Pod", "apiVersion": "v1"}
    assert server.asked == [f"GET {PODS}?labelSelector=x%3Dy"]


def test_refusals_are_told_apart(client: Client, server: Server) -> None:
    server.answers = [Answer(404, status(404, "NotFound")), Answer(409, status(409, "AlreadyExists")), Answer(502, "bad gateway")]
    assert client.find(PODS) is None
    with pytest.raises(ApiError, match="409 AlreadyExists: it is AlreadyExists") as error:
        client.create(PODS, pod("a", 1))
    assert error.value.conflict
    with pytest.raises(ApiError, match="502 Bad Gateway: \"bad gateway\"") as error:
        client.get(PODS)
    assert error.value.unreachable


def test_told_to_come_back_it_does(client: Client, server: Server) -> None:
    server.answers = [Answer(429, status(429, "TooManyRequests"), {"Retry-After": "0"}), Answer(201, pod("a", 1))]
    assert client.create(PODS, pod("a", 1)) == pod("a", 1)
    assert server.asked == [f"POST {PODS}"] * 2


def test_dead_server_is_told(client: Client, server: Server) -> None:
    server.server_close()
    with pytest.raises(ApiError) as error:
        client.get(PODS)
    assert (error.value.status, error.value.unreachable) == (0, True)


def test_watch_goes_on_after_interruptions_and_lists_again_after_gone(client: Client, server: Server) -> None:
    gone = status(410, "Expired")
    server.answers = [
        Answer(200, pod_list(5, "a", "b")),
        Answer(200, [{"type": "MODIFIED", "object": pod("a", 6)}, {"type": "BOOKMARK", "object": pod("", 9)}]),
        Answer(503, status(503, "ServiceUnavailable")),
        Answer(200, [{"type": "ADDED", "object": pod("c", 10)}, {"type": "ERROR", "object": gone}]),
        Answer(200, pod_list(20, "a", "c")),
        Answer(410, gone),
        Answer(200, pod_list(30, "c")),
    ]
    stop = threading.Event()
    events = client.watch(PODS, stop)
    seen = [(kind, obj["metadata"]["name"]) for kind, obj in itertools.islice(events, 9)]
    stop.set()
    assert next(events, None) is None
    listed, watched = [("ADDED", "a"), ("ADDED", "b")], [("MODIFIED", "a"), ("ADDED", "c")]
    listed_again, and_again = [("DELETED", "b"), ("ADDED", "a"), ("ADDED", "c")], [("DELETED", "a"), ("ADDED", "c")]
    assert seen == listed + watched + listed_again + and_again
    versions = [each.partition("resourceVersion=")[2].partition("&")[0] for each in server.asked]
    assert versions[:7] == ["", "5", "9", "9", "", "20", ""]
