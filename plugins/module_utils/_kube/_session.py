# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""From connection options to an open pool with credentials. The kubernetes package does the loading, TLS and exec plugins."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import threading
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_kubernetes, load_urllib3
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline, DeadlineExpired, call_within
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import USER_AGENT
from ansible_collections.fathom.submariner.plugins.module_utils._kube._kubeconfig import Entry, find_entry
from ansible_collections.fathom.submariner.plugins.module_utils._kube._proxy import Proxy, choose_proxy

LOADING_TIMEOUT = 60.0  # seconds for reading credentials; an exec plugin may ask an identity provider
CONNECTIONS = 16  # kept open in the pool

_FILES = {"ca_cert": "ssl_ca_cert", "client_cert": "cert_file", "client_key": "key_file"}


class Session(t.NamedTuple):
    """What requests are sent with."""

    pool: t.Any  # urllib3 PoolManager
    headers: t.Any  # urllib3 HTTPHeaderDict (a name may come twice), with the credentials
    credentials: tuple[str, bytes, bytes]  # to tell whether loading again brought others


class Target(t.NamedTuple):
    """Which server, and with which options it is talked to. Holds secrets: never print."""

    name: str
    server: str
    source: str  # "context cluster-1 of /path/kubeconfig", "option host", "the pod's service account"
    options: t.Mapping[str, t.Any]
    entry: Entry | None  # of a kubeconfig
    proxy: Proxy | None

    @property
    def host_params(self) -> dict[str, t.Any]:
        """The options in effect, with the kubeconfig and context that were chosen where they were left open."""
        return dict(self.options) if self.entry is None else {**self.options, "kubeconfig": self.entry.given, "context": self.entry.context}

    @property
    def label(self) -> str:
        through = f", through proxy {self.proxy.shown} ({self.proxy.source})" if self.proxy else ""
        return f"Cluster {self.name} ({self.source}, {self.server}{through})"


def find_target(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Target:
    """Return what the options mean: the host, or an entry of a kubeconfig, or the cluster that this process runs in.

    :param options: as _options.resolve returns them.
    :raises InputError: they mean nothing that exists.
    """
    for name in _FILES:
        if options.get(name) and not os.access(str(options[name]), os.R_OK):
            raise InputError(f"The file {options[name]} of option {name} does not exist or cannot be read.")
    entry: Entry | None = None
    if "kubeconfig" not in options and "context" not in options and "host" in options:
        server, source = str(options["host"]).rstrip("/"), "option host"
        name = server.partition("://")[2] or server
    elif "kubeconfig" not in options and "context" not in options and _in_cluster(environ):
        host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
        server, source, name = f"https://{f'[{host}]' if ':' in host else host}:{port}", "the pod's service account", "in-cluster"
    else:
        entry = find_entry(options.get("kubeconfig"), options.get("context"), environ)
        server, source, name = str(options.get("host") or entry.server).rstrip("/"), f"context {entry.context} of {entry.source}", entry.context
    if not server.startswith(("https://", "http://")):
        raise InputError(f"The server {server} ({source}) is not a URL: write https://name:port.")
    return Target(name, server, source, options, entry, choose_proxy(server, options, entry.proxy if entry else "", environ))


def _in_cluster(environ: t.Mapping[str, str]) -> bool:
    """kubernetes.core's order: a pod's own cluster comes before a default kubeconfig."""
    from kubernetes.config import incluster_config  # pylint: disable=import-outside-toplevel

    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and os.path.isfile(incluster_config.SERVICE_TOKEN_FILENAME)


def open_session(target: Target, seconds: float | None = None) -> Session:
    """Load the credentials (running an exec plugin where there is one) and return a session of them. No request is sent.

    :param seconds: that loading may take; LOADING_TIMEOUT at the most.
    :raises InputError: a file is missing or broken, or the plugin failed or took too long.
    """
    allowed = LOADING_TIMEOUT if seconds is None else min(seconds, LOADING_TIMEOUT)
    kubernetes = load_kubernetes()
    urllib3 = load_urllib3()
    try:
        with _logged_errors() as said:
            configuration = call_within(Deadline(allowed), lambda: _configure(kubernetes, target))
    except DeadlineExpired:
        raise InputError(f"{target.label}: the credentials could not be loaded within {allowed:.0f} s. Does the exec plugin wait for a person?") from None
    except kubernetes.config.ConfigException as error:
        raise InputError(f"{target.label}: the credentials cannot be loaded: {str(error).rstrip('.')}.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{target.label}: the credentials cannot be loaded ({type(error).__name__}). Correct the kubeconfig's user and cluster.") from error
    authorization = _authorization(configuration, target)
    if target.entry and "exec" in target.entry.user and not authorization and not configuration.cert_file:
        plugin = (target.entry.user["exec"] or {}).get("command")
        why = "; ".join(said)[:500].rstrip(".") or "it returned neither a token nor a certificate"
        raise InputError(f"{target.label}: the exec plugin {plugin} gave no credentials: {why}.")
    if not configuration.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        pool = kubernetes.client.ApiClient(configuration).rest_client.pool_manager
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{target.label}: no connection can be set up: {error}.") from error
    headers = urllib3.response.HTTPHeaderDict({"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": USER_AGENT})
    if authorization:
        headers["Authorization"] = authorization
    for name, value in _impersonation(target):
        headers.add(name, value)
    return Session(pool, headers, (authorization, _content(configuration.cert_file), _content(configuration.key_file)))


def _configure(kubernetes: t.Any, target: Target) -> t.Any:
    options, entry = target.options, target.entry
    configuration = kubernetes.client.Configuration()
    if entry is not None and isinstance(entry.given, dict):
        kubernetes.config.load_kube_config_from_dict(entry.given, context=entry.context, client_configuration=configuration, persist_config=False)
    elif entry is not None:
        kubernetes.config.load_kube_config(entry.given, context=entry.context, client_configuration=configuration, persist_config=False)
    elif "host" not in options:
        kubernetes.config.load_incluster_config(client_configuration=configuration, try_refresh_token=False)
    configuration.host = target.server
    for name, attribute in _FILES.items():
        if options.get(name):
            setattr(configuration, attribute, str(options[name]))
    if options.get("validate_certs") is not None:
        configuration.verify_ssl = options["validate_certs"]
    configuration.proxy = target.proxy.url if target.proxy else None
    configuration.no_proxy = ""  # decided already, in _proxy
    configuration.proxy_headers = _proxy_headers(target)
    configuration.connection_pool_maxsize = CONNECTIONS
    configuration.retries = False
    return configuration


def _proxy_headers(target: Target) -> t.Any:
    wanted = dict(target.options.get("proxy_headers") or {})
    if target.proxy and target.proxy.basic_auth:
        wanted.setdefault("proxy_basic_auth", target.proxy.basic_auth)
    return load_urllib3().util.make_headers(**wanted) if wanted else None


def _authorization(configuration: t.Any, target: Target) -> str:
    """Return the Authorization header, "" for none (client certificate, or anonymous)."""
    options = target.options
    if options.get("api_key"):
        value = f"Bearer {str(options['api_key']).strip()}"
    elif options.get("username") and options.get("password"):
        value = "Basic " + base64.b64encode(f"{options['username']}:{options['password']}".encode()).decode("ascii")
    else:
        value = str((configuration.auth_settings().get("BearerToken") or {}).get("value") or "").strip()
    if not value.isprintable() or not value.isascii():
        raise InputError(f"{target.label}: the token holds line breaks or other characters that no token has. Was a whole file pasted?")
    return value


def _impersonation(target: Target) -> t.Iterator[tuple[str, str]]:
    """Yield the headers of the options, or of the kubeconfig's user, which the kubernetes package ignores: as, as-uid, as-groups."""
    options = target.options
    user = target.entry.user if target.entry else {}
    if options.get("impersonate_user") or options.get("impersonate_groups"):
        name, uid, groups = options.get("impersonate_user"), None, options.get("impersonate_groups")
    else:
        name, uid, groups = user.get("as"), user.get("as-uid"), user.get("as-groups")
    if groups and not name:
        raise InputError(f"{target.label}: impersonate_groups needs impersonate_user too: the API server refuses groups without a user.")
    if name:
        yield "Impersonate-User", str(name)
    if uid:
        yield "Impersonate-Uid", str(uid)
    for group in groups or ():
        yield "Impersonate-Group", str(group)


def _content(path: t.Any) -> bytes:
    if not path:
        return b""
    with open(str(path), "rb") as stream:
        return stream.read()


@contextlib.contextmanager
def _logged_errors() -> t.Iterator[list[str]]:
    """Collect what is logged as an error meanwhile: the kubernetes package logs an exec plugin's failure and goes on without credentials."""
    said: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(" ".join(record.getMessage().split()))

    handler = Collector(logging.ERROR)
    logger = logging.getLogger()
    with _ONE_AT_A_TIME:
        logger.addHandler(handler)
        try:
            yield said
        finally:
            logger.removeHandler(handler)


_ONE_AT_A_TIME = threading.Lock()  # the kubernetes package's temporary files and the root logger are the process's
