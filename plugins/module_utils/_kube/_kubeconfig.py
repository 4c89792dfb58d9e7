# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Finding the kubeconfig entry that the options mean, and saying precisely what is wrong where there is none."""

from __future__ import annotations

import copy
import os
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import is_inline

DEFAULT_PATH = "~/.kube/config"


class Entry(t.NamedTuple):
    """One context of a kubeconfig, checked: its cluster exists and has a server."""

    source: str  # for messages: the path, or "the inline kubeconfig"
    given: str | dict[str, t.Any]  # what the kubernetes package loads: paths, or the whole as a dict
    context: str
    server: str
    proxy: str
    user: t.Mapping[str, t.Any]
    merged: t.Mapping[str, t.Any]  # holds secrets


def find_entry(given: t.Any, context: str | None, environ: t.Mapping[str, str]) -> Entry:
    """Return the entry that ``context`` (default: the current context) names.

    :param given: path or colon-separated paths, an inline kubeconfig as dict, YAML or JSON text, or None for $KUBECONFIG or ~/.kube/config.
    :raises InputError: no such file, no YAML, no kubeconfig, no such context (naming those that exist), no server.
    """
    if isinstance(given, dict):
        source, loadable, config = "the inline kubeconfig", copy.deepcopy(given), _check(given, "the inline kubeconfig")
    elif is_inline(given):
        source, config = "the inline kubeconfig", _check(_parse(given, "The inline kubeconfig"), "the inline kubeconfig")
        loadable = config
    elif given is None or isinstance(given, str):
        source, loadable, config = _read_files(given or environ.get("KUBECONFIG") or DEFAULT_PATH, explicit=bool(given))
    else:
        raise InputError(f"The option kubeconfig must be a path or a kubeconfig as a dictionary, not {type(given).__name__}.")
    return _select(config, context, source, loadable)


def _read_files(paths: str, explicit: bool) -> tuple[str, str, dict[str, t.Any]]:
    wanted = [os.path.expanduser(path) for path in paths.split(os.pathsep) if path]
    present = [path for path in wanted if os.path.exists(path)]
    if not present:
        tried = " and ".join(wanted)
        if explicit:
            raise InputError(f"There is no kubeconfig {tried}. Correct the option kubeconfig (or K8S_AUTH_KUBECONFIG).")
        raise InputError(
            f"No cluster was named, and there is no kubeconfig {tried}. Set kubeconfig and context, or host and api_key, or the environment "
            "variables K8S_AUTH_KUBECONFIG or KUBECONFIG."
        )
    merged: dict[str, t.Any] = {}
    for path in present:
        try:
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The kubeconfig {path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}.") from error
        config = _check(_parse(text, f"The kubeconfig {path}"), path)
        for name in ("clusters", "contexts", "users"):
            known = {entry["name"] for entry in merged.setdefault(name, [])}
            merged[name].extend(entry for entry in config[name] if entry["name"] not in known)  # the first file wins, as in kubectl
        if config.get("current-context"):
            merged.setdefault("current-context", config["current-context"])
    return os.pathsep.join(present), os.pathsep.join(present), merged


def _parse(text: str, what: str) -> t.Any:
    yaml = load_yaml()
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        # The exception's own text quotes the line, which may be the one with the token.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{what} is not valid YAML{where}: {getattr(error, 'problem', None) or 'it cannot be parsed'}.") from None


def _check(config: t.Any, what: str) -> dict[str, t.Any]:
    """Return ``config`` with its three lists present and each entry named."""
    if not isinstance(config, dict) or not any(name in config for name in ("clusters", "contexts")):
        raise InputError(f"There is no kubeconfig in {what}: it holds no clusters and no contexts.")
    checked = copy.deepcopy(config)
    for name in ("clusters", "contexts", "users"):
        entries = checked.get(name) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) and "name" in entry for entry in entries):
            raise InputError(f"In {what}, {name} must be a list of entries with a name.")
        checked[name] = entries
    return checked


def _select(config: t.Mapping[str, t.Any], wanted: str | None, source: str, loadable: str | dict[str, t.Any]) -> Entry:
    names = [str(entry["name"]) for entry in config["contexts"]]
    exist = f"It holds: {', '.join(names)}." if names else "It holds no context at all."
    context = wanted or str(config.get("current-context") or "")
    if not context:
        raise InputError(f"No context was named, and {source} has no current-context. {exist} Set the option context.")
    if context not in names:
        named = "" if wanted else ", although it is its current-context"
        raise InputError(f"There is no context {context} in {source}{named}. {exist} Set the option context to one of them.")
    details = _named(config["contexts"], context, "context")
    cluster_name = str(details.get("cluster") or "")
    clusters = [str(entry["name"]) for entry in config["clusters"]]
    if cluster_name not in clusters:
        raise InputError(f"The context {context} of {source} means the cluster {cluster_name or '(none)'}, which it does not hold. Correct the kubeconfig.")
    cluster = _named(config["clusters"], cluster_name, "cluster")
    server = str(cluster.get("server") or "")
    if not server:
        raise InputError(f"The cluster {cluster_name} of {source} has no server. Correct the kubeconfig.")
    user_name = str(details.get("user") or "")
    users = [str(entry["name"]) for entry in config["users"]]
    if user_name and user_name not in users:
        raise InputError(f"The context {context} of {source} means the user {user_name}, which it does not hold. Correct the kubeconfig.")
    user = _named(config["users"], user_name, "user") if user_name else {}
    return Entry(source, loadable, context, server.rstrip("/"), str(cluster.get("proxy-url") or ""), user, config)


def _named(entries: t.Sequence[t.Mapping[str, t.Any]], name: str, key: str) -> t.Mapping[str, t.Any]:
    found = next(entry for entry in entries if str(entry["name"]) == name).get(key)
    return found if isinstance(found, dict) else {}
