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


@contextlib.contextmanager
def kubeconfig_flags(options: t.Mapping[str, t.Any]) -> t.Iterator[list[str]]:
    """Yield ``--kubeconfig FILE [--context NAME]``; a file that had to be written is 0600 and removed afterwards.

    :param options: connection options as :func:`_kube._options.resolve` returns them.
    :raises InputError: for options that a kubeconfig cannot express.
    """
    given = options.get("kubeconfig")
    context = ["--context", str(options["context"])] if options.get("context") else []
    if isinstance(given, str) and "\n" not in given:
        yield ["--kubeconfig", os.path.expanduser(given), *context]
        return
    if given is None and not options.get("host"):
        default = os.path.expanduser("~/.kube/config")
        if os.path.exists(default):
            yield ["--kubeconfig", default, *context]
            return
    handle, path = tempfile.mkstemp(prefix="kubeconfig-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            # A kubeconfig may be JSON, which is YAML; a text that is given inline is passed on as it is.
            file.write(given if isinstance(given, str) else json.dumps(given if given is not None else _from_options(options)))
        yield ["--kubeconfig", path, *context]
    finally:
        os.unlink(path)


def _from_options(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    if options.get("proxy_headers"):
        raise InputError("subctl cannot send proxy_headers. Give a kubeconfig whose proxy needs none.")
    if options.get("host"):
        server = str(options["host"])
        user = {"token": options.get("api_key"), "username": options.get("username"), "password": options.get("password")}
        ca_file = options.get("ca_cert")
    elif os.path.exists(f"{_SERVICE_ACCOUNT}/token"):
        server = f"https://{os.environ.get('KUBERNETES_SERVICE_HOST', '')}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}"
        user = {"tokenFile": f"{_SERVICE_ACCOUNT}/token"}
        ca_file = f"{_SERVICE_ACCOUNT}/ca.crt"
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
