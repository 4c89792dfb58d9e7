# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Findings become steps: one a role and cluster, in order over the whole clusterset; the rest is what a person must do."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, UNKNOWN, Finding, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._rollout import STALLED
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _order as order
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outage import Outage, Size, estimate

_SERIOUS = ("error", "blocker")


class Cluster(t.NamedTuple):
    """A cluster that a plan may write to.

    :param uid: of its Namespace kube-system, which tells it from every other cluster of the same name; "" where it could not be read.
    :param clusterset: names its broker; "" where it is joined to none.
    :param joined: None where that could not be read.
    """

    name: str
    uid: str = ""
    clusterset: str = ""
    joined: bool | None = None
    size: Size = Size()


@dataclass(frozen=True)
class Step:
    """One role on one cluster, once. ``n`` counts from 1 over the whole plan."""

    n: int
    kind: str
    cluster: str
    role: str
    variables: t.Mapping[str, t.Any]
    findings: tuple[str, ...]
    text: str
    disruptive: bool
    outage: Outage
    target: str
    depends_on: tuple[int, ...] = ()


class ForPerson(t.NamedTuple):
    """What no role may do. A ``gate`` must be done first: it keeps Submariner from working whatever else is repaired."""

    cluster: str
    finding: str  # key of the finding, "" where a remedy's module asks for it
    text: str
    target: str = ""
    paste: str = ""
    gate: bool = False
    step: int = 0  # of which it is a part, 0 for none
    blocked: bool = False  # a role was to do it, and cannot: the run has not done what was asked


@dataclass(frozen=True)
class Draft:
    steps: tuple[Step, ...] = ()
    people: tuple[ForPerson, ...] = ()
    unknown: tuple[str, ...] = field(default=())  # keys of findings that could not be judged


@dataclass
class _Group:
    """Remedies that are the same role on the same cluster."""

    place: order.Place
    findings: list[Finding] = field(default_factory=list)
    remedies: list[Remedy] = field(default_factory=list)


def draft(
    findings: t.Sequence[Finding], clusters: t.Sequence[Cluster], *, join: bool = False, given: t.Mapping[str, t.Mapping[str, t.Any]] | None = None
) -> Draft:
    """Make the steps of a plan.

    A finding that follows from another one that is also there needs no remedy of its own, unless it outlives its cause; a waived one gets none, and one that
    could not be judged is no reason to write.

    :param clusters: in the order in which they are to be treated.
    :param join: join the clusters that are not joined, too.
    :param given: by role variable and cluster, what the user has set and what therefore counts instead of what was found.
    """
    known = {cluster.name: cluster for cluster in clusters}
    failed = [finding for finding in findings if finding.verdict == FAIL and not finding.waived]
    present = {finding.key: finding for finding in failed}
    roots = [finding for finding in failed if finding.caused_by in ("", finding.key) or _stands_alone(finding, present.get(finding.caused_by))]
    groups, people = _grouped(roots, known)
    if join:
        _add_joins(groups, clusters)
    steps = []
    for place in order.in_order(groups, [cluster.name for cluster in clusters]):
        group = groups[place]
        variables, contradictions = merge_variables([(finding.key, remedy.variables) for finding, remedy in zip(group.findings, group.remedies)])
        variables = {**variables, **_given(place, given or {})}
        contradictions = [told for told in contradictions if told.name not in _given(place, given or {})]
        if contradictions:
            people.append(_contradicting(group, contradictions))
            continue
        steps.append((place, _step(group, variables, known[place.cluster])))
    places = [place for place, dummy in steps]
    numbered = tuple(
        replace(step, n=index + 1, depends_on=tuple(other + 1 for other in order.needed(place, places[:index]))) for index, (place, step) in enumerate(steps)
    )
    unknown = tuple(dict.fromkeys(finding.key for finding in findings if finding.verdict == UNKNOWN and not finding.waived))
    return Draft(numbered, tuple(sorted(people, key=lambda entry: not entry.gate)), unknown)


def _stands_alone(finding: Finding, cause: Finding | None) -> bool:
    """Whether it needs a remedy of its own: its cause is not there, or a remedy of the cause leaves it as it is."""
    if cause is None:
        return True
    if finding.remedy is None or cause.remedy is None or not order.kind_of(finding.remedy.role):
        return False
    return order.kind_of(cause.remedy.role) in order.KINDS[order.kind_of(finding.remedy.role)].outlives


def _grouped(findings: t.Iterable[Finding], known: t.Mapping[str, Cluster]) -> tuple[dict[order.Place, _Group], list[ForPerson]]:
    groups: dict[order.Place, _Group] = {}
    people: list[ForPerson] = []
    for finding in findings:
        remedy = finding.remedy
        if remedy is None:
            continue
        cluster = remedy.cluster or finding.cluster
        kind = order.kind_of(remedy.role, first_rollout=_keeps_first_rollout(finding))
        why = _why_person(remedy, kind, cluster, known)
        if why is not None:
            people.append(ForPerson(cluster, finding.key, why, remedy.target, gate=finding.id in order.GATES and finding.severity in _SERIOUS))
            continue
        place = order.Place(kind, cluster, known[cluster].clusterset)
        group = groups.setdefault(place, _Group(place))
        group.findings.append(finding)
        group.remedies.append(remedy)
    return groups, people


def _why_person(remedy: Remedy, kind: str, cluster: str, known: t.Mapping[str, Cluster]) -> str | None:
    """What a person is told to do; None for what a role does."""
    if not remedy.role:
        return remedy.text
    if not kind:
        return f"{remedy.text} (Role {remedy.role} is none that a plan of this collection may run: run it yourself.)"
    if cluster not in known:
        return f"{remedy.text} (Role {remedy.role} would do it; cluster {cluster} is not in this run.)"
    if not known[cluster].uid:
        return f"{remedy.text} (Role {remedy.role} would do it; cluster {cluster} could not be read.)"
    return None


def _keeps_first_rollout(finding: Finding) -> bool:
    """The check writes so in its evidence: a note that begins with the words of a DaemonSet that was never available."""
    return finding.id == STALLED and any("first rollout" in entry.note for entry in finding.evidence)


def _add_joins(groups: dict[order.Place, _Group], clusters: t.Iterable[Cluster]) -> None:
    for cluster in clusters:
        place = order.Place(order.JOIN, cluster.name, cluster.clusterset)
        if cluster.joined is False and cluster.uid:
            groups.setdefault(place, _Group(place))


def _step(group: _Group, variables: t.Mapping[str, t.Any], cluster: Cluster) -> Step:
    kind = group.place.kind
    disruptive = any(remedy.disruptive for remedy in group.remedies)
    texts = list(dict.fromkeys(remedy.text for remedy in group.remedies)) or ["Join the cluster to the broker."]
    targets = list(dict.fromkeys(remedy.target for remedy in group.remedies if remedy.target))
    return Step(
        n=0,
        kind=kind,
        cluster=cluster.name,
        role=f"{order.COLLECTION}{order.KINDS[kind].role}",
        variables=dict(variables),
        findings=tuple(dict.fromkeys(finding.key for finding in group.findings)),
        text=" ".join(texts),
        disruptive=disruptive,
        outage=estimate(kind, cluster.size, disruptive=disruptive),
        target="; ".join(targets),
    )


def _given(place: order.Place, given: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    prefix = f"{order.KINDS[place.kind].role}_"
    return {name: values[place.cluster] for name, values in given.items() if name.startswith(prefix) and values.get(place.cluster) not in (None, "")}


class Contradiction(t.NamedTuple):
    name: str
    one: str  # key of a finding
    wants: t.Any
    other: str
    wants_other: t.Any


def merge_variables(sources: t.Sequence[tuple[str, t.Mapping[str, t.Any]]]) -> tuple[dict[str, t.Any], list[Contradiction]]:
    """Combine what several findings want of one role. Lists are united in their order, mappings merged, everything else must be equal.

    :param sources: key of the finding and its variables.
    """
    merged: dict[str, t.Any] = {}
    origin: dict[str, str] = {}
    contradictions: list[Contradiction] = []
    for key, variables in sources:
        for name, value in variables.items():
            if name not in merged:
                merged[name], origin[name] = value, key
                continue
            together = _together(merged[name], value)
            if together is None:
                contradictions.append(Contradiction(name, origin[name], merged[name], key, value))
            else:
                merged[name] = together[0]
    return merged, contradictions


def _together(one: t.Any, other: t.Any) -> tuple[t.Any] | None:
    """What satisfies both, in a tuple, or None where nothing does."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return ([*one, *(entry for entry in other if entry not in one)],)
    if isinstance(one, dict) and isinstance(other, dict):
        result = dict(one)
        for name, value in other.items():
            together = _together(result[name], value) if name in result else (value,)
            if together is None:
                return None
            result[name] = together[0]
        return (result,)
    return (one,) if type(one) is type(other) and one == other else None


def _contradicting(group: _Group, contradictions: t.Sequence[Contradiction]) -> ForPerson:
    told = "; ".join(f"{entry.name} should be {entry.wants!r} for {entry.one} and {entry.wants_other!r} for {entry.other}" for entry in contradictions)
    role = f"{order.COLLECTION}{order.KINDS[group.place.kind].role}"
    text = f"The remedies contradict one another: {told}. Set the variable yourself and run role {role} on {group.place.cluster}."
    return ForPerson(group.place.cluster, group.findings[0].key, text, "; ".join(dict.fromkeys(remedy.target for remedy in group.remedies if remedy.target)))
