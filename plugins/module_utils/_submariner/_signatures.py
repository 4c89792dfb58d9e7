# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a known message in a log, a status or an event means: the record, and how lines are matched.

The rows stand in ``_signatures_submariner.py`` and ``_signatures_calico.py``. A row says who writes the message, by which fixed parts it is known,
what causes it and what helps. Whether the matter still stands is judged from objects by the check that ``judged_by`` names, where there is one.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod, PodLog, Ref

# Who writes a message.
OPERATOR = "operator"  # Deployment submariner-operator
GATEWAY = "gateway"
ROUTE_AGENT = "route agent"
GLOBALNET = "globalnet"
LIGHTHOUSE = "lighthouse"
CALICO_NODE = "calico-node"
CALICO_API = "calico-apiserver"
TIGERA = "tigera-operator"
EVENT = "event"  # Warning events, and what the kubelet says of a container that waits
API_SERVICE = "APIService"
TIGERA_STATUS = "TigeraStatus"
IP_POOL = "IPPool"
NAMESPACE = "Namespace"
NODE = "Node"
SUBCTL = "subctl"  # printed by the command line tool: in no cluster, only in a saved output
KUBESPRAY = "Kubespray"
SYMPTOM = "symptom"  # what people see in captures, routes and behaviour: no object and no log holds it

_BY_APP = {
    "submariner-gateway": GATEWAY,
    "submariner-routeagent": ROUTE_AGENT,
    "submariner-globalnet": GLOBALNET,
    "submariner-lighthouse-agent": LIGHTHOUSE,
    "submariner-lighthouse-coredns": LIGHTHOUSE,
}
_BY_NAME = (
    ("submariner-operator", OPERATOR),
    ("submariner-gateway", GATEWAY),
    ("submariner-routeagent", ROUTE_AGENT),
    ("submariner-globalnet", GLOBALNET),
    ("submariner-lighthouse", LIGHTHOUSE),
    ("calico-node", CALICO_NODE),
    ("calico-apiserver", CALICO_API),
    ("tigera-operator", TIGERA),
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST = 200  # characters of a line that evidence shows


class Signature(t.NamedTuple):
    """One row.

    :param id: stable, kebab-case.
    :param writers: the constants above.
    :param parts: a line matches when it holds all of them; letters' case counts.
    :param cause: in the user's words.
    :param remedy: what helps, as one or two sentences.
    :param source: upstream threads and files.
    :param versions: those that write it, "" for all.
    :param judged_by: id of the check that judges from objects whether it still stands; "" where the message is the best there is.
    :param fatal: the container ends after it.
    :param severity: of the message alone.
    :param unless: a line that holds one of these does not match.
    """

    id: str
    writers: tuple[str, ...]
    parts: tuple[str, ...]
    cause: str
    remedy: str
    source: tuple[str, ...]
    versions: str = ""
    judged_by: str = ""
    fatal: bool = False
    severity: str = "warning"
    unless: tuple[str, ...] = ()

    def matches(self, line: str) -> bool:
        return all(part in line for part in self.parts) and not any(part in line for part in self.unless)


class Match(t.NamedTuple):
    """A line that matched. ``count`` is how many lines of that text did, ``line`` the first of them."""

    signature: Signature
    ref: Ref
    field: str
    line: str
    count: int = 1


def plain_line(line: str) -> str:
    """A line of a log as evidence shows it: without colour codes and control characters, at most 200 characters."""
    text = _UNPRINTABLE.sub("", _COLOURS.sub("", line)).strip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def writer_of(pod: Pod | None, name: str) -> str:
    """Who writes into the log of a pod: by its label ``app``, else by its name; "" for anybody else."""
    if pod is not None and pod.labels.get("app") in _BY_APP:
        return _BY_APP[pod.labels["app"]]
    return next((writer for prefix, writer in _BY_NAME if name.startswith(prefix)), "")


def log_field(log: PodLog) -> str:
    """How evidence names a log."""
    return f"log of container {log.container}" + (" (previous run)" if log.previous else "")


def find(signatures: t.Sequence[Signature], writer: str, ref: Ref, field: str, lines: t.Iterable[str]) -> list[Match]:
    """The first line of each signature that ``writer`` writes, with how many there were. A line counts for the first signature that it matches."""
    wanted = [signature for signature in signatures if writer in signature.writers]
    found: dict[str, Match] = {}
    for line in lines:
        signature = next((entry for entry in wanted if entry.matches(line)), None)
        if signature is not None:
            earlier = found.get(signature.id)
            found[signature.id] = Match(signature, ref, field, plain_line(line)) if earlier is None else earlier._replace(count=earlier.count + 1)
    return list(found.values())
