# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What to do so that Calico's projectcalico.org/v3 is served, or is not, on one cluster: decided as a whole before anything is written."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _dead_api as dead
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _install_method as install
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_repair import repair
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_request import RKE2_CHART, ROKS_MANAGED, VALUE, ApiRequest, api_request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import AGGREGATED, DEAD, MIGRATING, NATIVE, UNKNOWN, ApiState, api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import why_not
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pools_pending import pending_pools
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout import rollout_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_causes import STARTING
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import HelmChartConfig, Pod, Snapshot

RKE2 = "rke2"
OPERATOR = "operator"
HELM = "helm"
KUBESPRAY = "kubespray"
MANIFEST = "manifest"
AUTO = "auto"
METHODS = (AUTO, RKE2, OPERATOR, HELM, KUBESPRAY, MANIFEST)

KEEP = "keep"  # nothing to do
AWAIT = "await"  # it was asked for already
ENABLE = "enable"
CONVERGE = "converge"  # the objects of a manifest: make what is missing, repair what is broken, renew the certificate
REISSUE = "reissue"  # the operator makes a new certificate once the old one's Secrets are gone
PERSON = "person"
REMOVE = "remove"

ROKS = "roks"

_DETECTED = {
    install.OPERATOR_RKE2: RKE2,
    install.OPERATOR_HELM: HELM,
    install.OPERATOR: OPERATOR,
    install.KUBESPRAY: KUBESPRAY,
    install.MANIFEST: MANIFEST,
    install.MICROK8S: MANIFEST,
}
_POSSIBLE = {RKE2: (RKE2, OPERATOR), HELM: (HELM, OPERATOR), OPERATOR: (OPERATOR,), KUBESPRAY: (KUBESPRAY, MANIFEST), MANIFEST: (MANIFEST, KUBESPRAY)}
_OPERATED = (RKE2, HELM, OPERATOR)
_REISSUABLE = (dead.WRONG_NAME, dead.EXPIRED, dead.UNTRUSTED, dead.NO_SECRET)


class Wanted(t.NamedTuple):
    """What the user asks.

    :param method: one of METHODS.
    :param apply_live: write to the cluster, too, where the change lasts elsewhere only (Kubespray, Helm).
    :param force: on ROKS: write what IBM leaves to the user's own risk; with REMOVE: although Submariner needs it.
    """

    method: str = AUTO
    apply_live: bool = False
    force: bool = False


class Decision(t.NamedTuple):
    """:param action: one of the constants of this module.
    :param route: how Calico is changed here, one of METHODS without AUTO.
    :param state: the API before, as ``_api_state`` names it.
    :param why: for people: what the decision rests on, the rest of a sentence.
    :param cause: why it is dead, None where it is not.
    :param person: for PERSON: what to do and where, in words.
    :param interrupts: what becomes of IPPools once the API answers, the rest of a sentence each.
    """

    action: str
    route: str
    state: ApiState
    request: ApiRequest
    why: str = ""
    cause: dead.DeadCause | None = None
    person: tuple[str, str] = ("", "")
    interrupts: tuple[str, ...] = ()


def decide_present(snapshot: Snapshot, wanted: Wanted, is_fresh: t.Callable[[Pod], bool]) -> Decision:
    """What makes the API served.

    :param is_fresh: whether a pod of calico-node was made so lately that it may just need its time.
    :raises InputError: ``wanted.method`` cannot be this cluster's.
    :raises RefusedError: it must not be done, or nothing that can be done from here would help; says what would.
    """
    state, request = _look(snapshot)
    if state.state == NATIVE:
        return Decision(KEEP, _DETECTED.get(request.method.method, ""), state, request, "projectcalico.org/v3 is served from CRDs of its own")
    route = _route(snapshot, request, wanted)
    if state.state == AGGREGATED:
        own = route == MANIFEST or (route == KUBESPRAY and wanted.apply_live)
        return Decision(CONVERGE if own else KEEP, route, state, request, "it is served and answers")
    cause = dead.dead_cause(snapshot, state) if state.state == DEAD else None
    _require_not_ibms(snapshot, request)
    if route in _OPERATED:
        return _with_pools(snapshot, _of_operator(snapshot, wanted, Decision(ENABLE, route, state, request, request.why, cause), is_fresh))
    if route == KUBESPRAY and not wanted.apply_live:
        step = (f"{request.enable}.", request.target)
        if cause is not None:
            found = repair(cause, request, calico_version(snapshot))
            step = (found.text, found.target)
        return Decision(PERSON, route, state, request, cause.why if cause else request.why, cause, step)
    return Decision(CONVERGE, route, state, request, cause.why if cause else request.why, cause)


def decide_absent(snapshot: Snapshot, wanted: Wanted) -> Decision:
    """What makes the API not served.

    :raises InputError: ``wanted.method`` cannot be this cluster's.
    :raises RefusedError: Submariner needs it, or it is somebody else's to remove.
    """
    state, request = _look(snapshot)
    if state.state == NATIVE:
        why = "projectcalico.org/v3 is served from CRDs of its own, which are Calico's storage and cannot be switched off"
        return Decision(KEEP, _DETECTED.get(request.method.method, ""), state, request, why)
    route = _route(snapshot, request, wanted)
    _require_not_ibms(snapshot, request)
    if state.state == AGGREGATED and not wanted.force:
        _require_unneeded(snapshot)
    return Decision(REMOVE, route, state, request)


def chart_config(snapshot: Snapshot) -> HelmChartConfig | None:
    """The HelmChartConfig of chart rke2-calico."""
    return next((item for item in snapshot.helm_chart_configs.items if item.ref.name == RKE2_CHART), None)


def release_of(snapshot: Snapshot) -> tuple[str, str]:
    """Name and namespace of the Helm release that owns the Installation, ("", "") where none does."""
    for installation in snapshot.installations.items:
        name = installation.annotations.get("meta.helm.sh/release-name", "")
        if name:
            return name, installation.annotations.get("meta.helm.sh/release-namespace") or "tigera-operator"
    return "", ""


def first_rollout(snapshot: Snapshot) -> bool:
    """True while the operator has not seen Calico available once: it installs no API server until then (tigera/operator pkg/controller/apiserver)."""
    return bool(snapshot.installations.items) and not any(entry.variant for entry in snapshot.installations.items)


def held_back_by(snapshot: Snapshot, is_fresh: t.Callable[[Pod], bool]) -> tuple[str, ...]:
    """The nodes whose calico-node will not get ready by waiting, each with the cause: ``node-3 (image-pull: docker.io/calico/node:v3)``."""
    rollout = rollout_of(snapshot, is_fresh)
    stalled = rollout.stalled if rollout else ()
    told = []
    for entry in stalled:
        if entry.cause.kind != STARTING:
            lacks = f": {entry.cause.lacks}" if entry.cause.lacks else ""
            told.append(f"{entry.node or 'no node'} ({entry.cause.kind}{lacks})")
    return tuple(told)


def _look(snapshot: Snapshot) -> tuple[ApiState, ApiRequest]:
    """
    :raises RefusedError: what the API is, or how Calico was installed, is unknown or in motion.
    """
    state = api_state(snapshot)
    if state.state == MIGRATING:
        raise RefusedError(f"{snapshot.cluster}: Calico migrates to native projectcalico.org/v3 CRDs: {state.seen[-1].object} is {state.seen[-1].value}. Wait.")
    reason = why_not(snapshot)
    if reason:
        raise RefusedError(f"{snapshot.cluster}: {reason} Nothing was written.")
    if state.state == UNKNOWN:
        raise RefusedError(f"{snapshot.cluster}: whether projectcalico.org/v3 is served is unknown: {state.missing}. Nothing was written.")
    return state, api_request(snapshot)


def _route(snapshot: Snapshot, request: ApiRequest, wanted: Wanted) -> str:
    detected = _DETECTED[request.method.method]
    if wanted.method == AUTO:
        return detected
    if wanted.method not in _POSSIBLE[detected]:
        raise InputError(
            f"{snapshot.cluster}: method is {wanted.method!r}, and this Calico was installed by {request.method.method} "
            f"({'; '.join(request.method.evidence)}). Possible here: {', '.join((AUTO, *_POSSIBLE[detected]))}. Nothing was written."
        )
    return wanted.method


def _require_not_ibms(snapshot: Snapshot, request: ApiRequest) -> None:
    """
    :raises RefusedError: IBM installs and looks after it on this version of OpenShift, or the version is not known.
    """
    if request.method.platform != ROKS:
        return
    version = parse_calico_version(next(iter(snapshot.server_version.items), ""))
    if version is None or version[:2] >= ROKS_MANAGED:
        since = "on this cluster's version" if version else "from OpenShift 4.16 on, and this cluster's version could not be read:"
        raise RefusedError(
            f"{snapshot.cluster}: {since} IBM installs and looks after the Calico API server and undoes changes of yours. Nothing was written. "
            "If it is missing or dead, open a case with IBM Cloud."
        )


def _of_operator(snapshot: Snapshot, wanted: Wanted, plan: Decision, is_fresh: t.Callable[[Pod], bool]) -> Decision:
    servers, request = snapshot.operator_api_servers, plan.request
    if request.wanted is None or not servers.known:
        raise RefusedError(f"{snapshot.cluster}: whether the API server was asked for is unknown: {request.why}. {request.enable}. Nothing was written.")
    if len(servers.items) > 1:
        raise RefusedError(f"{snapshot.cluster}: {request.why}. {request.enable}. Nothing was written.")
    if first_rollout(snapshot):
        held = held_back_by(snapshot, is_fresh)
        if held:
            raise RefusedError(
                f"{snapshot.cluster}: the operator installs the API server only after Calico's first rollout, which is held back by calico-node on "
                f"{', '.join(held[:5])}{f' and {len(held) - 5} more' if len(held) > 5 else ''}. Repair or exclude these nodes first. Nothing was written."
            )
        return plan._replace(action=AWAIT if servers.items else _enabling(wanted, plan), why="the operator waits for Calico's first rollout")
    if plan.cause is not None and servers.items:
        if plan.cause.cause in _REISSUABLE:
            return plan._replace(action=REISSUE, why=plan.cause.why)
        found = repair(plan.cause, request, calico_version(snapshot))
        raise RefusedError(f"{snapshot.cluster}: the Calico API server does not answer: {plan.cause.why}. {found.text} Nothing was written.")
    asked = servers.items or (plan.route == RKE2 and _asked_by_chart(snapshot))
    return plan._replace(action=AWAIT if asked else _enabling(wanted, plan))


def _with_pools(snapshot: Snapshot, plan: Decision) -> Decision:
    """
    :raises RefusedError: an answering API server would take addresses away from pods.
    """
    if plan.action == AWAIT:
        return plan  # whoever asked for it has decided that, and nothing is written here
    pending = pending_pools(snapshot)
    if pending.harm:
        raise RefusedError(f"{snapshot.cluster}: {pending.harm} Nothing was written.")
    return plan._replace(interrupts=pending.lines)


def _asked_by_chart(snapshot: Snapshot) -> bool:
    config = chart_config(snapshot)
    return config is not None and config.values.get(VALUE, "").lower() == "true"


def _enabling(wanted: Wanted, plan: Decision) -> str:
    if plan.request.method.platform == ROKS:
        return ENABLE if wanted.force else PERSON
    return PERSON if plan.route == HELM and not wanted.apply_live else ENABLE


def _require_unneeded(snapshot: Snapshot) -> None:
    if not snapshot.submariners.known:
        reason = install.unread(snapshot.submariners)
        raise RefusedError(
            f"{snapshot.cluster}: whether Submariner needs the API server is unknown, since the Submariner object could not be read: {reason}. "
            "Nothing was written."
        )
    found = snapshot.submariner
    if found is not None:
        raise RefusedError(
            f"{snapshot.cluster}: {found.ref} is joined as {found.cluster_id}, and its route agent makes the IPPools of remote clusters through this API. "
            "Without it, traffic to a cluster that joins or changes later is masqueraded. Uninstall Submariner first, or give force=true. Nothing was written."
        )
