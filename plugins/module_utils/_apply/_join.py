# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Joining a cluster, or correcting how it is joined: read, decide, act, and prove on this cluster and on its peers."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _correction as correcting
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _journal as journalling
from ansible_collections.fathom.submariner.plugins.module_utils._apply._broker_info import BrokerInfo, read_broker_info
from ansible_collections.fathom.submariner.plugins.module_utils._apply._cluster_state import healthy_gateways, why_paused
from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_label import LABEL_GATEWAY, label_gateways
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Entry
from ansible_collections.fathom.submariner.plugins.module_utils._apply._kubeconfig import access_to
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome, read_members
from ansible_collections.fathom.submariner.plugins.module_utils._apply._proof import prove
from ansible_collections.fathom.submariner.plugins.module_utils._apply._subctl import Subctl, known_to, require_version
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after, clean
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._join_gates import require_joinable
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _cidr_correction as correction
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _join_decision as decision
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import nodes_to_label
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._join_options import CIDR_OPTIONS, OPTIONS, carried_over, masked, proxy_passwords
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._join_cidrs import require_no_overlap, wanted_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._no_proxy import complete

UNCHANGED = "unchanged"
RUN_SUBCTL = "run_subctl_join"
NAMESPACE = correcting.NAMESPACE


class Request(t.NamedTuple):
    """What the user asks of one cluster.

    :param options: option of :mod:`_join_options` -> value; None where the user did not say.
    :param join_timeout: seconds that subctl may take; it waits up to 600 itself for its operator to be available.
    :param min_healthy_gateways: that each cluster must have whose traffic is interrupted; 0 asks nothing.
    """

    options: t.Mapping[str, t.Any]
    broker_info: str | None
    subctl: str
    gateway_nodes: tuple[str, ...]
    complete_no_proxy: bool
    correction: str
    allow_disruption: bool
    join_timeout: float
    check_mode: bool
    state_namespace: str = "kube-system"
    min_healthy_gateways: int = 0


class Result(t.NamedTuple):
    action: str
    wanted: correction.Wanted
    differences: tuple[decision.Difference, ...] = ()
    command: tuple[str, ...] = ()


class _Case(t.NamedTuple):
    """Everything that is known about one cluster before the first write. ``snapshots`` are the local one, then the peers' in their order."""

    request: Request
    local: Member
    peers: t.Sequence[Member]
    snapshots: t.Sequence[Snapshot]
    wanted: correction.Wanted
    asked: t.Mapping[str, t.Any]  # the request's options with the CIDRs filled in
    decided: decision.Decision
    globalnet: bool  # peers are announced global addresses alone, so that no pool of theirs has to do with these CIDRs
    outcome: Outcome
    deadline: Deadline

    @property
    def snapshot(self) -> Snapshot:
        return self.snapshots[0]

    def result(self, action: str = "", command: tuple[str, ...] = ()) -> Result:
        return Result(action or self.decided.action, self.wanted, self.decided.differences, command)


def join(request: Request, local: Member, peers: t.Sequence[Member], outcome: Outcome, deadline: Deadline) -> Result:
    """Bring one cluster to where the user wants it, or say why not.

    :param local: with its writer, as all of ``peers``, whose diff is the outcome's.
    :param outcome: is told every step that was taken, also when this raises.
    :raises SubmarinerError: with nothing written for :class:`InputError` and :class:`RefusedError`.
    """
    broker = read_broker_info(request.broker_info) if request.broker_info else None
    snapshots = read_members((local, *peers), deadline)
    found = wanted_cidrs(snapshots[0], {name: request.options.get(name) for name in CIDR_OPTIONS})
    wanted = correction.Wanted(request.options["cluster_id"], found.cluster_cidr, found.service_cidr)
    asked = {**request.options, "cluster_cidr": wanted.cluster_cidr, "service_cidr": wanted.service_cidr}
    globalnet = _uses_globalnet(snapshots[0], asked, broker)
    if not globalnet:
        outcome.warnings += require_no_overlap(wanted, snapshots[0], snapshots[1:])
    decided = decision.decide(snapshots[0], asked, request.correction)
    outcome.warnings += [*found.warnings, *_warnings(asked, snapshots[0], snapshots[1:], decided.action != decision.CORRECT)]
    case = _Case(request, local, peers, snapshots, wanted, asked, decided, globalnet, outcome, deadline)
    return _correct(case) if decided.action == decision.CORRECT else _run_subctl(case, broker)


def _correct(case: _Case) -> Result:
    steps = list(correction.steps(case.snapshots[0], case.snapshots[1:], case.wanted))
    if not steps:
        return case.result(UNCHANGED)
    disruptive = [step for step in steps if step.disruptive]
    _require_consent(case, disruptive)
    if case.request.check_mode:
        case.outcome.steps = steps
        correcting.preview((case.local, *case.peers), case.snapshots, case.wanted)
    else:
        _lock(case, {step.cluster for step in steps if step.action != correction.AWAIT_OPERATOR}, disruptive)
        _correct_and_prove(case)
    waited_only = all(step.action == correction.AWAIT_OPERATOR for step in case.outcome.steps)
    return case.result(UNCHANGED if waited_only else "")


def _lock(case: _Case, clusters: t.Container[str], disruptive: t.Sequence[correction.Step]) -> None:
    """Take the locks of all clusters before the first of them is written to: a correction that stops halfway is worse than none.

    :raises RefusedError: one of them is paused, has too few healthy gateways, or is locked by another run.
    """
    members = [member for member in (case.local, *case.peers) if member.name in clusters]
    for member in members:
        _require_ready(case.request, member, case.deadline, interrupted=member.name in {step.cluster for step in disruptive})
    for member in members:
        member.writer.lock()


def _require_ready(request: Request, member: Member, deadline: Deadline, *, interrupted: bool) -> None:
    paused = why_paused(member, request.state_namespace, deadline)
    if paused:
        raise RefusedError(f"{member.name}: the run is paused: {paused}. Nothing was written.", stopped=True)
    least = request.min_healthy_gateways if interrupted else 0
    healthy = healthy_gateways(member, deadline) if least else None
    if least and (healthy is None or healthy < least):
        many = "how many of its gateways are healthy could not be read" if healthy is None else f"{healthy} of its gateways are healthy"
        raise RefusedError(f"{member.name}: {many}, and min_healthy_gateways is {least}. Nothing was written.", stopped=True)


def _correct_and_prove(case: _Case) -> None:
    def require(step: correction.Step) -> None:
        """A join needs no consent for what nobody could foresee here, where nothing is connected yet, but on peers it does."""
        if step.disruptive and step.cluster != case.local.name and not case.request.allow_disruption:
            raise RefusedError(
                f"{case.local.name} is joined, and what is left to do interrupts traffic of {step.cluster}, so it needs allow_disruption=true "
                f"(submariner_allow_disruption in the playbooks): {step}. Run this again with it."
            )

    snapshots = correcting.correct(case.local, case.peers, case.wanted, case.outcome, case.deadline, require)
    prove(case.local, case.peers, snapshots, case.wanted, case.deadline)


def _run_subctl(case: _Case, broker: BrokerInfo | None) -> Result:
    request, local, rejoin = case.request, case.local, case.decided.action == decision.REJOIN
    if broker is None:
        raise InputError(f"{local.name}: {case.decided.action} needs broker_info, the path of the broker-info.subm file. Nothing was written.")
    if "connectivity" not in broker.components:
        raise InputError(
            f"{local.name}: the broker of {broker.path} was deployed without connectivity (components: {', '.join(broker.components) or 'none'}), and subctl "
            "join makes no Submariner object for it. Deploy the broker with connectivity, or join service discovery alone with subctl. Nothing was written."
        )
    subctl = Subctl(request.subctl, (*broker.secrets, *proxy_passwords(request.options)))
    version = subctl.version()
    require_version(version, case.snapshot.submariner.version if rejoin else "", request.options)
    forced = bool(request.options.get("ignore_requirements"))
    case.outcome.warnings += require_joinable(case.snapshot, request.options.get("version") or version, forced, request.check_mode)
    options = _options(case, broker, version)
    if not rejoin:
        decision.require_free_id(case.wanted.cluster_id, case.snapshot, case.snapshots[1:])
    steps = _steps(case)
    with access_to(local.connection.host_params) as access:
        command = subctl.join_command(broker.path, options, access.flags)
        shown = tuple(subctl.redacted(word) for word in command)
        diff = _predicted(case, options)
        _require_consent(case, [step for step in steps if step.disruptive])
        if not request.check_mode:
            joined = [peer.name for peer, found in zip(case.peers, case.snapshots[1:]) if found.submariner is not None]
            _lock(case, {local.name, *joined}, [step for step in steps if step.disruptive])
        case.outcome.diff.append(diff)
        label_gateways(local, steps, case.outcome)
        if not request.check_mode:
            entry = _entry(case, shown)
            local.writer.go_outside(entry, lambda: subctl.join(command, min(request.join_timeout, case.deadline.left()), access.environment))
            case.outcome.done(next(step for step in steps if step.action == RUN_SUBCTL))
        if not case.globalnet:
            correcting.delete_stale_pools(case.peers, case.snapshots[1:], case.wanted, case.outcome)
        if request.check_mode:
            case.outcome.steps = steps
            return case.result(command=shown)
    correcting.await_joined(local, case.peers, case.snapshots[1:], case.wanted, case.deadline)
    _correct_and_prove(case)
    return case.result(command=shown)


def _entry(case: _Case, shown: t.Sequence[str]) -> Entry:
    """What the journal keeps of a join: the Submariner as it was, and what no rollback brings back of it."""
    path = f"/apis/submariner.io/v1alpha1/namespaces/{NAMESPACE}/submariners/submariner"
    before = case.local.writer.read(path) if case.snapshot.submariner is not None else None
    metadata = (before or {}).get("metadata") or {}
    irreversible = (
        "subctl join has deleted the Submariner object and made it anew, with new Secrets; its network data plane was taken down and built up again. To go "
        "back, join again with the options of the object as it was."
        if before is not None
        else "subctl join has installed CRDs, the operator and the Submariner object, and made this cluster a member at the broker. To go back, run subctl "
        "uninstall on this cluster."
    )
    return Entry(
        journalling.SUBCTL_JOIN, path, f"Submariner {NAMESPACE}/submariner", str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or ""),
        clean(before) or None, {"command": list(shown)}, None, "join", irreversible,
    )


def _options(case: _Case, broker: BrokerInfo, version: str) -> dict[str, t.Any]:
    """The options of the join: what is asked, over what the cluster has if it is joined already."""
    options = _said(case.asked)
    if case.decided.action == decision.REJOIN:
        options = {**carried_over(decision.current_options(case.snapshot), broker.url), **options}
    options = known_to(version, options)
    hidden = masked(options)
    if hidden:
        raise InputError(f"{case.local.name}: {', '.join(hidden)} holds a password that is not read from the cluster. Give it again. Nothing was written.")
    if case.request.complete_no_proxy and (options.get("http_proxy") or options.get("https_proxy")):
        urls = (case.local.connection.server, options.get("broker_url") or broker.url)
        servers = [urlsplit(f"//{url.split('://', 1)[-1]}").hostname or "" for url in urls]
        options["no_proxy"] = complete(options.get("no_proxy") or [], [case.wanted.cluster_cidr], [case.wanted.service_cidr], servers)
    return options


def _steps(case: _Case) -> list[correction.Step]:
    name, rejoin = case.local.name, case.decided.action == decision.REJOIN
    labels = nodes_to_label(case.snapshot, case.request.gateway_nodes)
    peers = () if case.globalnet else case.snapshots[1:]
    stale = [step for peer in peers for step in correction.peer_steps(peer, case.wanted) if step.action == correction.DELETE_POOL]
    why = f"deletes and recreates it: {decision.describe(case.decided.differences)}" if rejoin else "not joined"
    return [
        *(correction.Step(LABEL_GATEWAY, name, f"Node {node}", "no node is labelled as the gateway", False) for node in labels),
        correction.Step(RUN_SUBCTL, name, f"Submariner {NAMESPACE}/submariner", why, rejoin),
        *stale,
    ]


def _said(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in options.items() if value is not None}


def _require_consent(case: _Case, disruptive: t.Sequence[correction.Step]) -> None:
    """Go on only where the user agreed to what interrupts traffic; in check mode say what the real run would refuse."""
    if not disruptive or case.request.allow_disruption:
        return
    message = f"{case.local.name}: this interrupts cross-cluster traffic, so it needs allow_disruption=true (submariner_allow_disruption in the playbooks)"
    if not case.request.check_mode:
        raise RefusedError(f"{message}. Nothing was written. It would do: {'; '.join(map(str, disruptive))}")
    case.outcome.warnings.append(f"{message}; without it, the real run is refused.")


def _predicted(case: _Case, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The Submariner that this join leads to, as far as options decide it; the rest is up to subctl and the broker."""
    before = {"spec": _spec_of(decision.current_options(case.snapshot))} if case.snapshot.submariner else None
    return before_after(before, {"spec": _spec_of(options)}, f"{case.local.name}: Submariner {NAMESPACE}/submariner")


def _spec_of(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    spec: dict[str, t.Any] = {}
    for option in OPTIONS:
        value = options.get(option.name, option.default)
        if not option.field or value is None:
            continue
        place = spec
        for key in option.field[:-1]:
            place = place.setdefault(key, {})
        place[option.field[-1]] = (not value) if option.inverted else value
    return spec


def _uses_globalnet(snapshot: Snapshot, asked: t.Mapping[str, t.Any], broker: BrokerInfo | None) -> bool:
    if snapshot.submariner is not None:
        return bool(snapshot.submariner.global_cidr)
    return asked.get("globalnet") is not False and broker is not None and "globalnet" in broker.components


def _warnings(asked: t.Mapping[str, t.Any], snapshot: Snapshot, peers: t.Sequence[Snapshot], runs_subctl: bool) -> list[str]:
    warnings = []
    if runs_subctl and proxy_passwords(asked):
        warnings.append(
            f"{snapshot.cluster}: a proxy's URL holds a password. subctl takes it on its command line alone, where every user of this host can read it while "
            "subctl join runs, and writes it in clear into Deployment submariner-operator. A proxy that lets these hosts through without one is safer."
        )
    if asked.get("health_check") is False:
        warnings.append(
            "health_check=false is no cure: with a wrong cluster CIDR it only hides that the gateway finds no CNI interface "
            "(\"error getting CNI Interface IP address\"), and it leaves a dead connection 'connected'. Turn it on once the CIDRs are right."
        )
    if asked.get("force_udp_encaps") and asked.get("cable_driver") in ("wireguard", "vxlan"):
        warnings.append(f"force_udp_encaps has no effect with cable_driver={asked['cable_driver']}: it is an option of libreswan.")
    reached = {peer.submariner.cluster_id for peer in peers if peer.submariner}
    remote = {endpoint.cluster_id for endpoint in snapshot.endpoints.items} - {asked["cluster_id"]} - reached
    if remote:
        warnings.append(
            f"{snapshot.cluster}: {', '.join(sorted(remote))} {'is' if len(remote) == 1 else 'are'} in the same cluster set, and no "
            "connection was given in peers: "
            "what is left over there (stale IPPools, gateways with old selectors) is neither seen nor repaired."
        )
    return warnings
