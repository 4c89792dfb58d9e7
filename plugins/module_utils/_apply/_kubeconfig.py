# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Giving another program (subctl) the same connection that we have, with no credential on its command line."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# Options beside a kubeconfig that change what it says, and the flag with which subctl is told the same (client-go tools/clientcmd/overrides.go).
_FLAGS = {
    "host": "--server",
    "ca_cert": "--certificate-authority",
    "client_cert": "--client-certificate",
    "client_key": "--client-key",
    "proxy": "--proxy-url",
    "impersonate_user": "--as",
}
_SECRET = ("api_key", "username", "password")  # a command line can be seen by every user of the machine


class Access(t.NamedTuple):
    """How subctl is told which cluster is meant: words of its command line, and variables of its environment."""

    flags: tuple[str, ...]
    environment: t.Mapping[str, str] = {}


@contextlib.contextmanager
def access_to(options: t.Mapping[str, t.Any]) -> t.Iterator[Access]:
    """Yield how to reach the very cluster that a connection with these options reaches; a file that had to be written is 0600 and removed afterwards.

    :param options: those in effect (:attr:`Connection.host_params`): without a kubeconfig and a host they mean the cluster that this process runs in.
    :raises InputError: for options that subctl cannot be told.
    """
    if options.get("proxy_headers"):
        raise InputError("subctl cannot send proxy_headers. Give a kubeconfig whose proxy needs none. Nothing was written.")
    given = options.get("kubeconfig")
    flags = _flags_beside(options) if given is not None else []
    if isinstance(given, str) and "\n" not in given:
        files = [os.path.expanduser(path) for path in given.split(os.pathsep) if path]
        # The flag takes one file; several are merged as kubectl merges them where the variable names them.
        yield Access(("--kubeconfig", files[0], *flags)) if len(files) == 1 else Access(tuple(flags), {"KUBECONFIG": os.pathsep.join(files)})
        return
    handle, path = tempfile.mkstemp(prefix="kubeconfig-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            # A kubeconfig may be JSON, which is YAML; a text that is given inline is passed on as it is.
            file.write(given if isinstance(given, str) else json.dumps(given if given is not None else _from_options(options)))
        yield Access(("--kubeconfig", path, *flags))
    finally:
        os.unlink(path)


def _flags_beside(options: t.Mapping[str, t.Any]) -> list[str]:
    """The flags for what is said beside a kubeconfig, its context first."""
    hidden = [name for name in _SECRET if options.get(name)]
    if "@" in str(options.get("proxy") or ""):
        hidden.append("proxy (with its password)")
    if hidden:
        raise InputError(
            f"{', '.join(hidden)} beside a kubeconfig cannot be handed on to subctl, whose command line everybody on the machine can see, and without it "
            "subctl would be somebody else. Put it into the kubeconfig, or give host and ca_cert in place of the kubeconfig. Nothing was written."
        )
    flags = ["--context", str(options["context"])] if options.get("context") else []
    flags += [f"{flag}={options[name]}" for name, flag in _FLAGS.items() if options.get(name)]
    flags += [f"--as-group={group}" for group in options.get("impersonate_groups") or ()]
    return [*flags, "--insecure-skip-tls-verify=true"] if options.get("validate_certs") is False else flags


def _from_options(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    user = {"token": options.get("api_key"), "username": options.get("username"), "password": options.get("password")}
    ca_file = options.get("ca_cert")
    if options.get("host"):
        server = str(options["host"])
    elif os.path.exists(f"{_SERVICE_ACCOUNT}/token"):
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        server = f"https://{f'[{host}]' if ':' in host else host}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}"
        user = user if any(user.values()) else {"tokenFile": f"{_SERVICE_ACCOUNT}/token"}
        ca_file = ca_file or f"{_SERVICE_ACCOUNT}/ca.crt"
    else:
        raise InputError("There is neither a kubeconfig nor host, and this is no pod: subctl cannot be given a connection.")
    user |= {"client-certificate": options.get("client_cert"), "client-key": options.get("client_key"), "as": options.get("impersonate_user")}
    user |= {"as-groups": options.get("impersonate_groups")}
    cluster = {"server": server, "certificate-authority": ca_file, "proxy-url": options.get("proxy")}
    if options.get("validate_certs") is False:
        cluster = {"server": server, "insecure-skip-tls-verify": True, "proxy-url": options.get("proxy")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "cluster",
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "user"}}],
        "clusters": [{"name": "cluster", "cluster": {key: value for key, value in cluster.items() if value}}],
        "users": [{"name": "user", "user": {key: value for key, value in user.items() if value}}],
    }
