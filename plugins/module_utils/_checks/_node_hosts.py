# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How checks judge what the nodes' own hosts say: each node's document by the same pure function, and what several nodes have alike in one finding.

Documents are optional evidence: where none was given, nothing is asked. Where some were, a node without one is unknown, as is one whose document does not
tell what a check needs.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node, containers_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import EBPF, IPTABLES, NFTABLES, Flaw, Gap, NodePlan
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem
from ansible_collections.fathom.submariner.plugins.module_utils._checks._version_conditions import condition
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV6, of_family
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ, Node, NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _known_bugs as bugs

DOCUMENTS = "node-documents"  # id of the check that tells which nodes have none
NODE_INFO = "module fathom.submariner.node_info on it tells it (option node_reports of diagnose)"
WINDOWS = "windows"

Judge = t.Callable[[NodeHost], t.Iterable[t.Union[Flaw, Gap]]]


class Told(t.NamedTuple):
    """What a check says of a flaw that ``nodes`` share.

    :param severity: "" takes the flaw's own, and else the check's.
    :param cause: id of the check whose finding this one follows from.
    """

    impact: str
    remedy: Remedy | None = None
    severity: str = ""
    cause: str = ""


Tell = t.Callable[[t.Sequence[str], t.Sequence[Flaw]], Told]


def hosts(facts: Facts) -> tuple[NodeHost, ...]:
    """The documents of this cluster's nodes, the last of each.

    :raises NotApplicable: none were given.
    :raises CannotJudge: they, or the nodes that they are of, could not be read.
    """
    answer = facts.snapshot.node_hosts
    if answer.state == NOT_READ:
        raise NotApplicable()
    reason = missing(answer, "documents of nodes") or missing(facts.snapshot.nodes, "nodes")
    if reason:
        raise CannotJudge(reason)
    known = {node.ref.name for node in facts.snapshot.nodes.items}
    latest: dict[str, NodeHost] = {}
    for host in sorted(answer.items, key=lambda entry: entry.taken_at):
        if host.node in known:
            latest[host.node] = host
    return tuple(latest[name] for name in sorted(latest))


def without_document(facts: Facts, read: t.Iterable[NodeHost]) -> tuple[str, ...]:
    """Nodes of which nobody has read the host; those that run Windows have no such document."""
    there = {host.node for host in read}
    return tuple(node.ref.name for node in facts.snapshot.nodes.items if node.ref.name not in there and node.operating_system != WINDOWS)


def judged(facts: Facts, judge: Judge, tell: Tell, *, of: t.Container[str] | None = None) -> t.Iterator[Problem]:
    """A problem for each flaw with the nodes that share it, and one for all that is unknown.

    :param of: names of the nodes that the question is about, None for all.
    """
    read = hosts(facts)
    flaws: dict[tuple[str, str], list[tuple[NodeHost, Flaw]]] = {}
    gaps: dict[str, list[str]] = {}
    for host in read:
        for found in judge(host) if of is None or host.node in of else ():
            if isinstance(found, Gap):
                gaps.setdefault(f"{found.field}: {found.why}", []).append(host.node)
            else:
                flaws.setdefault((found.what, found.severity), []).append((host, found))
    for (what, severity), entries in flaws.items():
        yield _problem(facts, what, severity, entries, tell)
    lacking = [name for name in without_document(facts, read) if of is None or name in of]
    unknown = [f"{why} ({names(nodes)})" for why, nodes in gaps.items()]
    if lacking:
        unknown.append(f"nobody has read the host of {names(lacking)}; {NODE_INFO}")
    if unknown:
        subject = names(dict.fromkeys([*(node for nodes in gaps.values() for node in nodes), *lacking]))
        cause = f"{facts.snapshot.cluster}/{DOCUMENTS}" if not gaps else ""
        yield Problem(subject=f"Nodes {subject}", title=f"The hosts of {subject} do not tell", missing="; ".join(unknown),
                      severity="warning", caused_by=cause)  # fmt: skip


def _problem(facts: Facts, what: str, severity: str, entries: t.Sequence[tuple[NodeHost, Flaw]], tell: Tell) -> Problem:
    nodes = list(dict.fromkeys(host.node for host, _flaw in entries))
    told = tell(nodes, [flaw for _host, flaw in entries])
    return Problem(
        subject=names(f"Node {name}" for name in nodes),
        title=f"{names(nodes)} {what}" if len(nodes) == 1 else f"{len(nodes)} nodes, {names(nodes)}: each {what}",
        evidence=few(Evidence(f"Node {host.node}", f"host {flaw.field}", flaw.value, flaw.note) for host, flaw in entries),
        impact=told.impact,
        remedy=told.remedy,
        severity=told.severity or severity,
        caused_by=f"{facts.snapshot.cluster}/{told.cause}" if told.cause else "",
    )


def keys_of(flaws: t.Iterable[Flaw]) -> list[str]:
    return list(dict.fromkeys(key for flaw in flaws for key in flaw.keys))


def plan_of(facts: Facts) -> NodePlan:
    """What runs on this cluster's nodes.

    :raises CannotJudge: what decides over it could not be read.
    """
    picture = mtu_picture(facts.snapshot)
    submariner = facts.snapshot.submariner
    if picture is None:
        for answer, what in ((facts.snapshot.daemon_sets, "DaemonSets"), (facts.snapshot.installations, "Installations")):
            if missing(answer, what):
                raise CannotJudge(missing(answer, what))
        return NodePlan("", cable=_cable(facts), running=True)
    if picture.tunnels is None:
        raise CannotJudge("; ".join(picture.settings.missing))
    ebpf, nftables = condition(facts, bugs.EBPF), condition(facts, bugs.CALICO_NFTABLES)
    port = _number(facts, "FELIX_VXLANPORT", "vxlanPort")
    nat = submariner.spec.get("ceIPSecNATTPort") if submariner is not None else None
    return NodePlan(
        data_plane=EBPF if ebpf else NFTABLES if nftables else IPTABLES,
        tunnels=tuple(picture.tunnels),
        cable=picture.cable,
        calico=calico_version(facts.snapshot),
        ipv6=bool(of_family(facts.truth.networks(POD), IPV6)),
        bgp=condition(facts, bugs.BGP) is True,
        typha=any(deployment.ref.name == "calico-typha" and deployment.replicas for deployment in facts.snapshot.deployments.items),
        vxlan_port=port or 4789,
        cable_port=nat if isinstance(nat, int) and nat > 0 else 4500,
        running=True,
    )


def _cable(facts: Facts) -> str:
    submariner = facts.snapshot.submariner
    if submariner is None:
        return ""
    return next((endpoint.backend for endpoint in facts.own_endpoints if endpoint.backend), str(submariner.spec.get("cableDriver") or "libreswan"))


def _number(facts: Facts, variable: str, field: str) -> int:
    """A setting of Felix, 0 where nothing sets it; its environment wins."""
    daemon_set = calico_node(facts.snapshot)
    for container in containers_of(daemon_set) if daemon_set else ():
        value = container.env_value(variable)
        if value is not None:
            return int(value) if value.isdecimal() else 0
    default = next((entry for entry in facts.snapshot.felix_configurations.items if entry.ref.name == "default"), None)
    value = default.spec.get(field) if default else None
    return value if isinstance(value, int) else 0


def node_of(facts: Facts, name: str) -> Node | None:
    return next((node for node in facts.snapshot.nodes.items if node.ref.name == name), None)


def addresses_of(facts: Facts, name: str) -> tuple[str, ...]:
    node = node_of(facts, name)
    return node.internal_ips if node is not None else ()


def is_gateway(facts: Facts, name: str) -> bool:
    node = node_of(facts, name)
    return node is not None and (node.is_gateway or name in facts.gateway_places.values())
