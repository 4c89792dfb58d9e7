# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The connection options, spelled as kubernetes.core spells them, and their ``K8S_AUTH_*`` environment variables.

Source of the names: kubernetes.core plugins/module_utils/args_common.py and plugins/doc_fragments/k8s_auth_options.py.
"""

from __future__ import annotations

import os
import re
import typing as t
from urllib.parse import unquote, urlsplit

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

AUTH_ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "kubeconfig": {"type": "raw"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True},
            "basic_auth": {"type": "str", "no_log": True},
            "user_agent": {"type": "str"},
        },
    },
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}

_ENVIRONMENT = {
    "kubeconfig": ("KUBECONFIG",),
    "context": ("CONTEXT",),
    "host": ("HOST",),
    "api_key": ("API_KEY",),
    "username": ("USERNAME",),
    "password": ("PASSWORD",),
    "client_cert": ("CLIENT_CERT", "CERT_FILE"),
    "client_key": ("CLIENT_KEY", "KEY_FILE"),
    "ca_cert": ("CA_CERT", "SSL_CA_CERT"),
    "validate_certs": ("VALIDATE_CERTS", "VERIFY_SSL"),
    "proxy": ("PROXY",),
    "no_proxy": ("NO_PROXY",),
    "impersonate_user": ("IMPERSONATE_USER",),
    "impersonate_groups": ("IMPERSONATE_GROUPS",),
}
_PROXY_HEADERS = ("proxy_basic_auth", "basic_auth", "user_agent")
_OF_A_SERVER = ("host", "api_key", "username", "password", "client_cert", "client_key", "ca_cert", "validate_certs")
_OF_A_KUBECONFIG = ("kubeconfig", "context")

_SECRET_KEYS = frozenset(("token", "password", "client-key-data", "id-token", "refresh-token", "access-token", "client-secret"))
_SECRET_VARIABLE = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_KEY|API_?KEY", re.IGNORECASE)


def resolve(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """Return the options that are set, from ``params`` or else from the environment.

    Where the task names a kubeconfig or a context, the environment's server and credentials are left alone, and the other way
    round: AWX sets K8S_AUTH_HOST and K8S_AUTH_API_KEY for a whole job, and every cluster of an inventory would silently be that one.

    :param params: a module's parameters; other keys are ignored.
    :param environ: defaults to the process's environment.
    :raises InputError: an environment variable holds what its option cannot be.
    """
    environ = os.environ if environ is None else environ
    options = {name: params[name] for name in AUTH_ARGUMENT_SPEC if params.get(name) not in (None, "")}
    hidden: tuple[str, ...] = ()
    if any(name in options for name in _OF_A_KUBECONFIG):
        hidden = _OF_A_SERVER
    elif "host" in options:
        hidden = _OF_A_KUBECONFIG
    for name, suffixes in _ENVIRONMENT.items():
        if name in options or name in hidden:
            continue
        variable = next((variable for variable in (f"K8S_AUTH_{suffix}" for suffix in suffixes) if environ.get(variable)), "")
        if variable:
            options[name] = _from_text(name, variable, environ[variable])
    headers = {name: value for name, value in dict(options.pop("proxy_headers", {})).items() if value}
    for name in _PROXY_HEADERS:
        value = environ.get(f"K8S_AUTH_PROXY_HEADERS_{name.upper()}")
        if value:
            headers.setdefault(name, value)
    if headers:
        options["proxy_headers"] = headers
    return options


def _from_text(name: str, variable: str, text: str) -> t.Any:
    if name == "validate_certs":
        if text.strip().lower() in ("0", "false", "no", "off", "n", "f"):
            return False
        if text.strip().lower() in ("1", "true", "yes", "on", "y", "t"):
            return True
        raise InputError(f"The environment variable {variable} is {text!r}, which is neither true nor false.")
    if name == "impersonate_groups":
        return [group.strip() for group in text.split(",") if group.strip()]
    return text


def is_inline(kubeconfig: t.Any) -> bool:
    """True for a kubeconfig given as text and not as a path."""
    return isinstance(kubeconfig, str) and ("\n" in kubeconfig.strip() or kubeconfig.lstrip().startswith("{"))


def secrets_of(options: t.Mapping[str, t.Any], kubeconfig: t.Any = None) -> set[str]:
    """Return every secret among connection options, for ``module.no_log_values``; names, servers and certificates are none.

    A whole kubeconfig in ``no_log_values`` would mask innocent words of the output, so only the leaves that open doors are taken.
    Ansible itself prints a module's arguments, so this comes before anything that can fail.

    :param options: as :func:`resolve` returns them, or a module's parameters.
    :param kubeconfig: the parsed kubeconfig; defaults to ``options["kubeconfig"]`` where that is a dict.
    """
    kubeconfig = options.get("kubeconfig") if kubeconfig is None else kubeconfig
    found = {str(options[name]) for name in ("api_key", "password") if options.get(name)}
    headers = options.get("proxy_headers") or {}
    found.update(str(headers[name]) for name in ("proxy_basic_auth", "basic_auth") if headers.get(name))
    if options.get("proxy"):
        password = urlsplit(str(options["proxy"])).password or ""
        found.update((password, unquote(password)))  # as it stands in the arguments, and as it is sent
    found.update(_secret_leaves(kubeconfig))
    return {secret for secret in found if secret}


def _secret_leaves(node: t.Any) -> t.Iterator[str]:
    if isinstance(node, list):
        for entry in node:
            yield from _secret_leaves(entry)
    if not isinstance(node, dict):
        return
    if "name" in node and isinstance(node.get("value"), str) and _SECRET_VARIABLE.search(str(node["name"])):
        yield node["value"]
    for key, value in node.items():
        if key in _SECRET_KEYS and isinstance(value, str):
            yield value
        else:
            yield from _secret_leaves(value)
