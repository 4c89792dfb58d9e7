# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Joining a cluster, or correcting how it is joined: read, decide, act, and prove on this cluster and on its peers."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _correction as correcting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._broker_info import BrokerInfo, read_broker_info
from ansible_collections.fathom.submariner.plugins.module_utils._apply._gateway_label import LABEL_GATEWAY, label_gateways
from ansible_collections.fathom.submariner.plugins.module_utils._apply._kubeconfig import kubeconfig_flags
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome, read_members
from ansible_collections.fathom.submariner.plugins.module_utils._apply._proof import prove
from ansible_collections.fathom.submariner.plugins.module_utils._apply._subctl import Subctl, known_to, require_version
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after
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


class Result(t.NamedTuple):
    action: str
    wanted: correction.Wanted
    differences: tuple[decision.Difference, ...] = ()
    command: tuple[str, ...] = ()


def join(request: Request, local: Member, peers: t.Sequence[Member], outcome: Outcome, deadline: Deadline) -> Result:
    """Bring one cluster to where the user wants it, or say why not.

    :param outcome: is told every step that was taken, also when this raises.
    :raises SubmarinerError: with nothing written for :class:`InputError` and :class:`RefusedError`.
    """
    broker = read_broker_info(request.broker_info) if request.broker_info else None
    snapshots = read_members((local, *peers), deadline)
    snapshot = snapshots[0]
    verdict = wanted_cidrs(snapshot, {name: request.options.get(name) for name in CIDR_OPTIONS})
    wanted = correction.Wanted(request.options["cluster_id"], verdict.cluster_cidr, verdict.service_cidr)
    outcome.warnings += verdict.warnings
    asked = {**request.options, "cluster_cidr": wanted.cluster_cidr, "service_cidr": wanted.service_cidr}
    if not _uses_globalnet(snapshot, asked, broker):
        require_no_overlap(wanted, snapshot, snapshots[1:])
    decided = decision.decide(snapshot, asked, request.correction)
    outcome.warnings += _warnings(asked, snapshot, snapshots[1:])
    if decided.action == decision.CORRECT:
        return _correct(request, local, peers, snapshots, wanted, decided, outcome, deadline)
    return _run_subctl(request, local, peers, snapshots, wanted, asked, decided, broker, outcome, deadline)


def _correct(
    request: Request,
    local: Member,
    peers: t.Sequence[Member],
    snapshots: t.Sequence[Snapshot],
    wanted: correction.Wanted,
    decided: decision.Decision,
    outcome: Outcome,
    deadline: Deadline,
) -> Result:
    preview = correcting.preview(local, snapshots, peers, wanted, deadline)
    if not preview.steps:
        return Result(UNCHANGED, wanted)
    disruptive = [step for step in preview.steps if step.disruptive]
    if request.check_mode:
        outcome.steps, outcome.diff = preview.steps, preview.diff
        if disruptive and not request.allow_disruption:
            outcome.warnings.append(f"{local.name}: without allow_disruption=true this would be refused, because it interrupts cross-cluster traffic.")
    else:
        if disruptive:
            _require_consent(request, local, [f"{step.cluster}: {step.action} {step.object} ({step.why})" for step in disruptive])
        correcting.correct(local, peers, wanted, outcome, deadline)
        prove(local, peers, wanted, deadline)
    waited_only = all(step.action == correction.AWAIT_OPERATOR for step in outcome.steps)
    return Result(UNCHANGED if waited_only else decided.action, wanted, decided.differences)


def _run_subctl(
    request: Request,
    local: Member,
    peers: t.Sequence[Member],
    snapshots: t.Sequence[Snapshot],
    wanted: correction.Wanted,
    asked: t.Mapping[str, t.Any],
    decided: decision.Decision,
    broker: BrokerInfo | None,
    outcome: Outcome,
    deadline: Deadline,
) -> Result:
    snapshot = snapshots[0]
    if broker is None:
        raise InputError(f"{local.name}: {decided.action} needs broker_info, the path of the broker-info.subm file. Nothing was written.")
    rejoin = decided.action == decision.REJOIN
    subctl = Subctl(request.subctl, (*broker.secrets, *proxy_passwords(request.options)))
    version = subctl.version()
    require_version(version, snapshot.submariner.version if rejoin else "", request.options)
    outcome.warnings += require_joinable(snapshot, request.options.get("version") or version, bool(request.options.get("ignore_requirements")))
    options = known_to(version, {**carried_over(decision.current_options(snapshot), broker.url), **_said(asked)} if rejoin else _said(asked))
    hidden = masked(options)
    if hidden:
        raise InputError(f"{local.name}: {', '.join(hidden)} holds a password that is not read from the cluster. Give the option again, with it. Nothing was written.")
    if request.complete_no_proxy and (options.get("http_proxy") or options.get("https_proxy")):
        servers = [urlsplit(url).hostname or "" for url in (local.connection.server, broker.url)]
        options["no_proxy"] = complete(options.get("no_proxy") or [], [wanted.cluster_cidr], [wanted.service_cidr], servers)
    steps = [
        *(correction.Step(LABEL_GATEWAY, local.name, f"Node {name}", "no node is labelled as the gateway", False) for name in nodes_to_label(snapshot, request.gateway_nodes)),
        *(step for peer in snapshots[1:] for step in correction.peer_steps(peer, wanted) if step.action == correction.DELETE_POOL),
        correction.Step(RUN_SUBCTL, local.name, f"Submariner {NAMESPACE}/submariner", decision.describe(decided.differences) or "not joined", rejoin),
    ]
    with kubeconfig_flags(local.connection.host_params) as flags:
        command = subctl.join_command(broker.path, options, flags)
        shown = tuple(subctl.redacted(word) for word in command)
        diff = _predicted(local, snapshot, options)
        if request.check_mode:
            outcome.steps, outcome.diff = steps, [diff]
            return Result(decided.action, wanted, decided.differences, shown)
        if rejoin:
            _require_consent(request, local, [f"{local.name}: subctl join deletes and recreates the Submariner object: {decision.describe(decided.differences)}"])
        label_gateways(local, steps, outcome, deadline)
        correcting.delete_stale_pools(peers, snapshots[1:], wanted, outcome, deadline)
        subctl.join(command, min(request.join_timeout, deadline.left()))
    outcome.done(steps[-1])
    outcome.diff.append(diff)
    correcting.await_joined(local, peers, snapshots[1:], wanted, deadline)
    correcting.correct(local, peers, wanted, outcome, deadline)
    prove(local, peers, wanted, deadline)
    return Result(decided.action, wanted, decided.differences, shown)


def _said(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in options.items() if value is not None}


def _require_consent(request: Request, local: Member, what: t.Sequence[str]) -> None:
    if not request.allow_disruption:
        raise RefusedError(
            f"{local.name}: this interrupts cross-cluster traffic, so it needs allow_disruption=true (submariner_allow_disruption in the playbooks). "
            "Nothing was written. It would do: " + "; ".join(what)
        )


def _predicted(local: Member, snapshot: Snapshot, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The Submariner that this join leads to, as far as options decide it; the rest is up to subctl and the broker."""
    before = {"spec": _spec_of(decision.current_options(snapshot))} if snapshot.submariner else None
    return before_after(before, {"spec": _spec_of(options)}, f"{local.name}: Submariner {NAMESPACE}/submariner")


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


def _warnings(asked: t.Mapping[str, t.Any], snapshot: Snapshot, peers: t.Sequence[Snapshot]) -> list[str]:
    warnings = []
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
            f"{snapshot.cluster}: {', '.join(sorted(remote))} {'is' if len(remote) == 1 else 'are'} in the same cluster set, and no connection was given in peers: "
            "what is left over there (stale IPPools, gateways with old selectors) is neither seen nor repaired."
        )
    return warnings
