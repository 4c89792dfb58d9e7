# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How subctl reaches clusters: kubeconfigs with client-go's overriding flags, and the broker with the token of its file.

Unlike the loops of this package, which have certificates of their own, subctl is whoever the user is.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import tempfile
import time
import typing as t
import urllib.parse
from pathlib import Path

import yaml

from tests.lab.client import ApiError, Object
from tests.lab.standins._kube_answers import merge

TIMEOUT = 30.0
RETRIES = 10
# What Go's server says to a client that speaks HTTP where TLS is spoken; it hangs up with the request unread, so that the client sees a reset.
_SPOKE_HTTP_TO_TLS = "Client sent an HTTP request to an HTTPS server"


class ConfigError(Exception):
    """What clientcmd says of a kubeconfig that cannot be used."""


class Access:
    """One identity at one API server.

    :ivar name: the cluster's name in the kubeconfig.
    :ivar server: as in the kubeconfig, with a scheme.
    :arg tls: None where client-go finds nothing about TLS in its configuration: a server without a scheme is then spoken to in plain
        HTTP (client-go rest/url_utils.go defaultServerUrlFor).
    """

    def __init__(self, name: str, server: str, tls: ssl.SSLContext | None, token: str, user_agent: str) -> None:
        self.name = name
        server = server or "localhost"
        self.server = (server if "://" in server else f"{'https' if tls else 'http'}://{server}").rstrip("/")
        self._tls = tls or ssl.create_default_context()
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}
        self._connection: http.client.HTTPConnection | None = None
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, path: str, body: t.Any = None, content_type: str = "application/json") -> Object:
        """Raises ApiError, with status 0 if there was no answer. Comes back as often as client-go does when it is told to."""
        for _attempt in range(RETRIES):
            try:
                return self._once(method, path, body, content_type)
            except ApiError as error:
                if error.status != 429:
                    raise
                time.sleep((error.body.get("details") or {}).get("retryAfterSeconds", 1))
        return self._once(method, path, body, content_type)

    def _once(self, method: str, path: str, body: t.Any, content_type: str) -> Object:
        headers = {**self._headers, **({"Content-Type": content_type} if body is not None else {})}
        payload = None if body is None else json.dumps(body)
        reused = self._connection is not None
        try:
            status, raw = self._exchange(method, path, payload, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # A server may drop an idle connection at any time: that it never saw this request is certain only of one that failed at once.
            if not reused or not isinstance(error, (ConnectionError, http.client.BadStatusLine)):
                if self.server.startswith("http:") and isinstance(error, ConnectionResetError):
                    raise self._hung_up() from error
                raise ApiError(0, "Unreachable", f'{method.title()} "{self.server}{path}": {self._in_go(error)}') from error
            return self._once(method, path, body, content_type)
        if status == 400 and _SPOKE_HTTP_TO_TLS in raw:
            self.close()
            raise self._hung_up()
        answer = _json(raw)
        if status >= 400:
            raise ApiError(status, answer.get("reason", "Unknown"), answer.get("message") or raw[:500], answer)
        return answer

    def _exchange(self, method: str, path: str, payload: str | None, headers: dict[str, str]) -> tuple[int, str]:
        address = urllib.parse.urlsplit(self.server)
        if self._connection is None and address.scheme == "http":
            self._connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=TIMEOUT)
        elif self._connection is None:
            self._connection = http.client.HTTPSConnection(address.hostname or "", address.port or 443, timeout=TIMEOUT, context=self._tls)
        self._connection.request(method, address.path + path, payload, headers)
        response = self._connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")

    def _hung_up(self) -> ApiError:
        reset = f"read tcp {urllib.parse.urlsplit(self.server).netloc}: read: connection reset by peer"
        return ApiError(0, "Unreachable", f"unexpected error when reading response body. Please retry. Original error: {reset}")

    def _in_go(self, error: Exception) -> str:
        """An error of the transport in the words of Go's net, crypto/tls and net/http."""
        address = urllib.parse.urlsplit(self.server)
        place = f"{address.hostname}:{address.port or (80 if address.scheme == 'http' else 443)}"
        if isinstance(error, socket.gaierror):
            return f"dial tcp: lookup {address.hostname}: no such host"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"tls: failed to verify certificate: x509: {error.verify_message}"
        if isinstance(error, TimeoutError):
            return f"dial tcp {place}: i/o timeout"
        if isinstance(error, ConnectionResetError):
            return f"read tcp {place}: read: connection reset by peer"
        if isinstance(error, http.client.BadStatusLine):
            return "EOF"
        if isinstance(error, OSError) and error.errno and not isinstance(error, ssl.SSLError):
            return f"dial tcp {place}: connect: {os.strerror(error.errno).lower()}"
        return str(error)

    def close(self) -> None:
        """Drops the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str) -> Object:
        return self.request("GET", path)

    def find(self, path: str) -> Object | None:
        """None for what does not exist, be it the object or its kind."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.not_found:
                return None
            raise

    def items(self, path: str) -> list[Object]:
        """The objects of a collection; none when the kind is not served."""
        return (self.find(path) or {}).get("items") or []

    def ensure(self, path: str, obj: Object) -> bool:
        """Creates an object, or writes it over the one there is. True if it was created.

        :arg path: of the collection.
        """
        try:
            self.request("POST", path, obj)
            return True
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        existing = self.get(f"{path}/{obj['metadata']['name']}")
        wanted = merge(existing, {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")})
        if wanted != existing:
            self.request("PUT", f"{path}/{obj['metadata']['name']}", wanted)
        return False


def _json(text: str) -> Object:
    try:
        decoded = json.loads(text) if text else {}
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def contexts(values: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The contexts of the kubeconfig and the clusters that they name."""
    return {each["name"]: each["context"]["cluster"] for each in _load(values)[0].get("contexts") or []}


def from_flags(values: t.Mapping[str, t.Any], user_agent: str, context: str = "") -> Access:
    """The cluster that the connection flags mean. Raises ConfigError.

    :arg context: instead of ``--context``.
    """
    for each in ("as", "as-group", "as-uid", "username", "password", "proxy-url"):
        if values.get(each):
            raise ConfigError(f"the stand-in of subctl does not play --{each}")
    config, folder = _load(values)
    name = context or values["context"] or config.get("current-context", "")
    if not config.get("contexts") and not values["server"]:
        raise ConfigError("invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable")
    chosen = _entry(config, "contexts", "context", name)
    if chosen is None:
        raise ConfigError(f'context "{name}" does not exist')
    cluster_name = values["cluster"] or chosen["cluster"]
    cluster = dict(_entry(config, "clusters", "cluster", cluster_name) or {})
    user = dict(_entry(config, "users", "user", values["user"] or chosen["user"]) or {})
    for flag, target in (("server", cluster), ("certificate-authority", cluster), ("client-certificate", user), ("client-key", user), ("token", user)):
        if values[flag]:
            target[flag] = values[flag]
            target.pop(f"{flag}-data", None)
    if values["insecure-skip-tls-verify"]:
        cluster["insecure-skip-tls-verify"] = True
    if "server" not in cluster:
        raise ConfigError(f'cluster "{cluster_name}" does not exist')
    if "exec" in user or "auth-provider" in user:
        raise ConfigError("the stand-in of subctl does not play credential plugins")
    told = any(
        part.get(key)
        for part, name in ((cluster, "certificate-authority"), (user, "client-certificate"), (cluster, "insecure-skip-tls-verify"))
        for key in (name, f"{name}-data")
    )
    tls = _tls(cluster, user, folder)
    return Access(chosen["cluster"], cluster["server"], tls if told or "://" in cluster["server"] else None, user.get("token", ""), user_agent)


def with_token(server: str, token: str, ca: bytes, verify: bool, user_agent: str) -> Access:
    """The broker as its file describes it.

    subctl tries without the file's CA first (pkg/broker/info.go GetBrokerAdministratorConfig); so a URL without a scheme means plain HTTP,
    unless certificates are not to be verified, which counts as talk of TLS. Raises ApiError for a CA that is none.
    """
    if server.startswith("http:") or verify and "://" not in server:
        return Access("broker", server, None, token, user_agent)
    try:
        tls = _context(ca.decode("latin-1"), verify)
    except (ssl.SSLError, ValueError):
        raise ApiError(0, "Unreachable", "unable to load root certificates: unable to parse bytes as PEM block") from None
    return Access("broker", server, tls, token, user_agent)


def _load(values: t.Mapping[str, t.Any]) -> tuple[Object, Path]:
    """The kubeconfig and the folder that its relative paths start from."""
    explicit = values["kubeconfig"]
    paths = [explicit] if explicit else [each for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    for path in map(Path, paths or [str(Path.home() / ".kube" / "config")]):
        if path.exists():
            try:
                return yaml.safe_load(path.read_text(encoding="utf-8")) or {}, path.parent
            except (OSError, yaml.YAMLError) as error:
                raise ConfigError(f'error loading config file "{path}": {error}') from None
        if explicit:
            raise ConfigError(f"stat {path}: no such file or directory")
    return {}, Path.cwd()


def _entry(config: Object, section: str, key: str, name: str) -> Object | None:
    return next((each[key] for each in config.get(section) or [] if each["name"] == name), None)


def _tls(cluster: Object, user: Object, folder: Path) -> ssl.SSLContext:
    try:
        context = _context(_material(cluster, "certificate-authority", folder), not cluster.get("insecure-skip-tls-verify"))
        cert, key = (_material(user, name, folder) for name in ("client-certificate", "client-key"))
        if cert and key:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
                pair.write(f"{cert}\n{key}\n")
                pair.flush()
                context.load_cert_chain(pair.name)
    except (OSError, ValueError) as error:
        raise ConfigError(f"unable to load the credentials of the kubeconfig: {error}") from None
    return context


def _context(ca: str, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _material(part: Object, name: str, folder: Path) -> str:
    if part.get(f"{name}-data"):
        return base64.b64decode(part[f"{name}-data"]).decode()
    return (folder / part[name]).read_text(encoding="utf-8") if part.get(name) else ""
