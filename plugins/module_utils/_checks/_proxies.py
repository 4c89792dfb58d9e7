# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The proxies that Submariner's own components go through, and what must go past them."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, covers, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container, DaemonSet, Deployment

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
PAST_VARIABLES = ("NO_PROXY", "no_proxy")


class Proxy(t.NamedTuple):
    """A proxy as one workload of Submariner has it; ``past`` is its no_proxy list as it stands."""

    host: str
    object: str
    variable: str
    value: str
    past: str
    past_variable: str


def proxies(facts: Facts) -> tuple[Proxy, ...]:
    """Of every workload in Submariner's namespace that has one, in the order of their names."""
    namespace = facts.submariner.ref.namespace
    workloads: list[DaemonSet | Deployment] = [*facts.snapshot.deployments.items, *facts.snapshot.daemon_sets.items]
    found = []
    for workload in sorted((item for item in workloads if item.ref.namespace == namespace), key=lambda item: str(item.ref)):
        for container in workload.containers[:1]:
            variable, value = _first(container, PROXY_VARIABLES)
            if value:
                past_variable, past = _first(container, PAST_VARIABLES)
                found.append(Proxy(host_of(value), str(workload.ref), variable, value, past, past_variable or "NO_PROXY"))
    return tuple(found)


def host_of(url: str) -> str:
    """``10.0.0.1`` of ``http://user:secret@10.0.0.1:3128/``."""
    authority = url.rpartition("://")[2].partition("/")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.rpartition(":")[0] if authority.count(":") == 1 else authority


def goes_past(past: str, networks: t.Sequence[Network]) -> bool:
    """Whether every address of ``networks`` is excepted from the proxy, as Go's golang.org/x/net/http/httpproxy reads the list."""
    entries = [entry.strip() for entry in past.split(",")]
    if "*" in entries:
        return True
    singles = [f"{entry}/{address.max_prefixlen}" for entry in entries for address in (parse_address(entry),) if address is not None]
    return covers(parse_cidrs([*(entry for entry in entries if "/" in entry), *singles]).networks, networks)


def _first(container: Container, names: t.Iterable[str]) -> tuple[str, str]:
    return next(((name, value) for name in names for value in (container.env_value(name),) if value), ("", ""))
