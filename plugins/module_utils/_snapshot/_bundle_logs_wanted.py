# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The pass over a bundle that reads the logs which its objects make worth reading."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import OK
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_archive import Problems, walk
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_connection import BundleConnection, LogKey, LogText
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_layout import DUMP
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_logs import LogName, sections, whole_log
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_own import Index, log_file
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_parts import Group
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_stream import Limits
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._log_targets import LogTarget
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref

MOST_LOGS = 48
OPERATOR_NAMESPACE = "submariner-operator"
# Names of the pods of Submariner, and their first container (submariner-operator controllers/submariner and pkg/lighthouse).
CONTAINERS: tuple[tuple[re.Pattern[str], str, int], ...] = tuple(
    (re.compile(rf"{prefix}-{suffix}"), container, most)
    for prefix, suffix, container, most in (
        ("submariner-operator", "[a-z0-9]+-[a-z0-9]+", "submariner-operator", 2),
        ("submariner-gateway", "[a-z0-9]+", "submariner-gateway", 6),
        ("submariner-routeagent", "[a-z0-9]+", "submariner-routeagent", 12),
        ("submariner-globalnet", "[a-z0-9]+", "submariner-globalnet", 4),
        ("submariner-lighthouse-agent", "[a-z0-9]+-[a-z0-9]+", "submariner-lighthouse-agent", 2),
        ("submariner-lighthouse-coredns", "[a-z0-9]+-[a-z0-9]+", "submariner-lighthouse-coredns", 2),
        ("tigera-operator", "[a-z0-9]+-[a-z0-9]+", "tigera-operator", 2),
        ("calico-apiserver", "[a-z0-9]+-[a-z0-9]+", "calico-apiserver", 2),
        ("calico-node", "[a-z0-9]+", "calico-node", 4),
    )
)


def recorded_targets(index: Index) -> tuple[LogTarget, ...]:
    """The logs that the live run asked for, in its order."""
    return tuple(LogTarget(Ref("Pod", log.pod, log.namespace), log.container, log.previous, "") for log in index.logs)


def targets_by_name(group: Group, targets: t.Sequence[LogTarget]) -> tuple[LogTarget, ...]:
    """The wanted logs that the bundle has, and more of the pods that tell most: reading them asks nobody.

    :param targets: what a live reader would ask for, () where the bundle holds no pods.
    """
    names = _names(group)
    found: dict[tuple[Ref, str, bool], LogTarget] = {}
    for target in targets:
        container = _held_as(target, names)
        if container is not None:
            found[(target.ref, target.container, target.previous)] = target
    for pattern, container, most in CONTAINERS:
        matching = sorted(name for name in names if pattern.fullmatch(name.pod) and name.container in ("", container))
        for name in matching[:most]:
            target = LogTarget(Ref("Pod", name.pod, name.namespace), container, name.previous, "")
            found.setdefault((target.ref, target.container, target.previous), target)
    return tuple(found.values())[:MOST_LOGS]


def _names(group: Group) -> set[LogName]:
    """Whose logs there are, with namespaces as gather's summary tells them, or as Submariner's own pods have."""
    return {_with_namespace(name, group) for part in group.parts for name in part.logs.values()}


def _with_namespace(name: LogName, group: Group) -> LogName:
    if name.namespace:
        return name
    told = next((part.summary.namespaces[name.pod] for part in group.parts if part.summary is not None and name.pod in part.summary.namespaces), "")
    return name._replace(namespace=told or (OPERATOR_NAMESPACE if name.pod.startswith("submariner-") else "kube-system"))


def _held_as(target: LogTarget, names: set[LogName]) -> str | None:
    for container in (target.container, ""):
        if LogName(target.ref.namespace, target.ref.name, container, target.previous) in names:
            return container
    return None


def read_wanted_logs(
    path: str, group: Group, connection: BundleConnection, targets: t.Sequence[LogTarget], problems: Problems, limits: Limits
) -> None:
    """Read beginnings and ends of the logs that ``targets`` name into the connection."""
    index = group.index
    wanted: dict[tuple[str, str, bool], list[str]] = {}
    for target in targets:
        wanted.setdefault((target.ref.namespace, target.ref.name, target.previous), []).append(target.container)
    if index is not None:
        for log in index.logs:
            if log.state != OK:
                connection.logs[(log.namespace, log.pod, log.container, log.previous)] = KubeError(log.detail, log.state, status=log.status)
    ends: dict[LogKey, str] = {}
    files = {file: (part.format, name) for part in group.parts for file, name in part.logs.items()}
    own = _own_files(group)
    for member in walk(path, problems, limits):
        if member.path in own:
            log_key, is_tail = own[member.path]
            text = _text(member.stream.read(limits.document))
            if is_tail:
                ends[log_key] = text
            else:
                connection.logs[log_key] = LogText(text)
            continue
        kind, name = files.get(member.path, ("", None))
        if name is None:
            continue
        name = _with_namespace(name, group)
        containers = wanted.get((name.namespace, name.pod, name.previous), [])
        if not containers:
            continue
        if kind == DUMP:
            for (namespace, pod, container), head, tail in sections(member.stream):
                connection.logs.setdefault((namespace, pod, container, False), LogText(_text(head), _text(tail)))
        elif name.container in ("", *containers):
            head, tail, damage = whole_log(member.stream)
            if damage:
                problems.add(member.path, damage, fatal=True)
            for container in [name.container] if name.container else containers[:1]:
                connection.logs.setdefault((name.namespace, name.pod, container, name.previous), LogText(_text(head), _text(tail)))
    for key, end in ends.items():
        beginning = connection.logs.get(key)
        if isinstance(beginning, LogText):
            connection.logs[key] = beginning._replace(end=end)


def _own_files(group: Group) -> dict[str, tuple[LogKey, bool]]:
    found: dict[str, tuple[LogKey, bool]] = {}
    for part in group.parts:
        if part.index is not None and part.index is group.index:
            prefix = f"{part.key.root}/" if part.key.root else ""
            for log in part.index.logs:
                key = (log.namespace, log.pod, log.container, log.previous)
                for is_tail in (False, True):
                    found[prefix + log_file(*key, is_tail)] = (key, is_tail)
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
