# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The Calico API that Submariner's route agent writes its IPPools to."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_decision as decisions
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _dead_api as dead
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_repair import repair
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_request import ROKS_MANAGED, api_request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import AGGREGATED, API_SERVICE, DEAD, MIGRATING, NONE, ApiState, api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import CANAL, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import etcd_datastore, policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_fields import masquerades
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pools_pending import pending_pools
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, require
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._rollout import is_fresh
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._pool_log import pool_lines
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import missing_pools

CALICO_API = "calico-api-unavailable"
ROLLOUT = "calico-rollout-stalled"
ETCD = "calico-datastore-etcd"
AREA = "calico-api"
HANDLER = "submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go"
RESTART = (
    "Then delete the pod with label app=submariner-routeagent on the node of the active gateway: its agent gives up after 20 tries and does not try again "
    "by itself."
)
MASQUERADED = "Without a pool for them, Calico masquerades traffic to remote clusters: connections break or arrive with a node's address."
# Causes of a dead API server without operator that lie in its objects.
OBJECTS = (dead.SERVICE_GONE, dead.PORT, dead.WRONG_NAME, dead.EXPIRED, dead.UNTRUSTED, dead.NO_SECRET, dead.IMAGE, dead.NO_PODS)
STALLS = "namespaces stay in Terminating, and garbage collection stalls in the whole cluster."


@check(
    CALICO_API,
    title="Calico's projectcalico.org/v3 API is served and answers",
    severity="error",
    references=(
        "submariner-io/submariner#2952",
        HANDLER,
        "projectcalico/calico#7555",
        "projectcalico/calico#11363",
        "rancher/rke2-charts#244",
        "tigera/operator pkg/controller/apiserver",
    ),
    tags=(AREA, "pools"),
)
def calico_api(facts: Facts) -> t.Iterator[Problem]:
    """The route agent creates the IPPools of remote subnets through projectcalico.org/v3 and nothing else.

    Where a pool is missing because of it, traffic to that cluster is dead. Not served with every pool in place, or before a join, it is a warning:
    traffic flows until the next remote cluster appears. A dead API (503) is an error in any case: it also stalls the deletion of namespaces and garbage
    collection in the whole cluster. With native CRDs there is no API server to ask for, and nothing is wrong.
    """
    if not pools_matter(facts):
        raise NotApplicable()
    state = api_state(facts.snapshot)
    if state.missing:
        raise CannotJudge(state.missing)
    if state.state == NONE:
        yield _not_enabled(facts, state)
    elif state.state == DEAD:
        yield _dead(facts, state)


def _not_enabled(facts: Facts, state: ApiState) -> Problem:
    snapshot = facts.snapshot
    request = api_request(snapshot)
    severity = "warning" if _complete(facts) or facts.joined is False or request.first_rollout else _worst(facts)
    title = "The Calico API server is not enabled: Submariner cannot create IPPools for remote clusters"
    if request.first_rollout:
        title = "The Calico API server waits for Calico's first rollout: until then Submariner cannot create IPPools for remote clusters"
    elif request.wanted:
        title = "The Calico API server was asked for but is not installed: Submariner cannot create IPPools for remote clusters"
    return Problem(
        subject=f"APIService {API_SERVICE}",
        title=title,
        evidence=(*_rows(state.seen), Evidence("Calico", "install method", request.method.method, request.why), *_rows(request.seen), *_log_rows(facts)),
        impact=MASQUERADED,
        remedy=_remedy(facts, f"{request.enable}. {RESTART}" if facts.joined else f"{request.enable}.", request.target),
        severity=severity,
        caused_by=_rollout(facts) if request.first_rollout else "",
    )


def _dead(facts: Facts, state: ApiState) -> Problem:
    snapshot = facts.snapshot
    request = api_request(snapshot)
    cause = dead.dead_cause(snapshot, state)
    fix = repair(cause, request, calico_version(snapshot))
    return Problem(
        subject=f"APIService {API_SERVICE}",
        title=f"The Calico API server is registered but does not answer: {cause.why}",
        evidence=(*_rows(state.seen), *_rows(cause.seen), *_rows(request.seen if request.first_rollout else ()), *_log_rows(facts)),
        impact=f"Submariner cannot create or delete the IPPools of remote clusters; {STALLS}",
        remedy=_remedy(facts, f"{fix.text} {RESTART}" if facts.joined and not _complete(facts) else fix.text, fix.target),
        severity="warning" if request.first_rollout else _worst(facts),
        caused_by=_rollout(facts) if request.first_rollout else "",
    )


def _remedy(facts: Facts, text: str, target: str) -> Remedy:
    """The role where it has something to write, or to hand over to be pasted; a person where it could only wait or refuse."""
    snapshot = facts.snapshot
    pending = pending_pools(snapshot)
    disruptive = bool(pending.lines)
    if disruptive:
        text = f"{text} Before that, see to what follows: once the API answers, {'; '.join(pending.lines)}. {pending.harm}".rstrip()
    try:
        decision = decisions.decide_present(snapshot, decisions.Wanted(), lambda pod: is_fresh(snapshot, pod))
    except SubmarinerError:
        return by_hand(text, target, disruptive=disruptive)
    helps = decision.action in (decisions.ENABLE, decisions.REISSUE, decisions.PERSON)
    if decision.action == decisions.CONVERGE:
        helps = decision.cause is None or decision.cause.cause in OBJECTS
    if not helps:
        return by_hand(text, target, disruptive=disruptive)
    return by_role("calico_api_server", text, target=target, disruptive=disruptive)


def _rollout(facts: Facts) -> str:
    return f"{facts.snapshot.cluster}/{ROLLOUT}"


def _complete(facts: Facts) -> bool:
    return facts.joined is True and facts.snapshot.ip_pools.ok and not missing_pools(facts.snapshot.ip_pools.items, facts.wanted_pools)


def _worst(facts: Facts) -> str:
    """Traffic is dead where a pool is known to be missing."""
    pools = facts.snapshot.ip_pools
    lacking = facts.joined is True and pools.known and masquerades(pools.items) and missing_pools(pools.items, facts.wanted_pools)
    return "blocker" if lacking else "error"


def pools_matter(facts: Facts) -> bool:
    """Whether IPPools matter here: Submariner runs its Calico handler, or would, since this is a Calico that routes pods and keeps its pools in Kubernetes."""
    snapshot = facts.snapshot
    if policy_only(snapshot) or etcd_datastore(snapshot):
        return False
    if facts.joined:
        return facts.uses_calico_handler
    if detect_install_method(snapshot).method == CANAL:
        return False  # flannel routes and masquerades, and Submariner runs its handler for canal
    has_pools = any(not pool.is_submariner for pool in snapshot.ip_pools.items)
    return bool(has_pools or snapshot.installations.items or snapshot.cluster_informations.items)


def _rows(seen: t.Iterable[Seen]) -> t.Iterator[Evidence]:
    return (Evidence(*entry) for entry in seen)


def _log_rows(facts: Facts) -> t.Iterator[Evidence]:
    for line in pool_lines(facts.snapshot)[:3]:
        yield Evidence(str(line.pod), "log", line.text, f"{line.count} such lines" if line.count > 1 else "")


@check(
    ETCD,
    title="Calico keeps its IPPools in the Kubernetes API",
    severity="error",
    needs=("daemon_sets",),
    joined=True,
    references=("submariner-io/submariner#3265", HANDLER),
    tags=(AREA, "pools"),
)
def etcd(facts: Facts) -> t.Iterator[Problem]:
    """With etcd as Calico's datastore no API of the cluster shows or takes an IPPool: neither Submariner nor this collection can create or see them."""
    if not facts.uses_calico_handler:
        raise NotApplicable()
    seen = etcd_datastore(facts.snapshot)
    if seen is not None:
        wanted = ", ".join(pool.cidr for pool in facts.wanted_pools) or "every remote subnet"
        yield Problem(
            subject="Calico's datastore",
            title="Calico keeps its IPPools in etcd, where Submariner cannot create them",
            evidence=(Evidence(*seen),),
            impact=f"{MASQUERADED} Whether pools were made by hand cannot be seen from here.",
            remedy=by_hand(
                f"With calicoctl against that etcd, create an IPPool for each of {wanted}: disabled true, natOutgoing false, disableBGPExport true.",
                "IPPools in Calico's etcd",
            ),
        )


@check(
    "calico-api-stalls-deletion",
    title="No dead API keeps namespaces from being deleted",
    severity="error",
    needs=("namespaces",),
    references=("projectcalico/calico#7555", "tigera/operator#4103", "kubernetes pkg/controller/namespace/deletion"),
    tags=(AREA,),
)
def stalled_deletion(facts: Facts) -> t.Iterator[Problem]:
    """The namespace controller must list every API of the cluster before it deletes a namespace: one dead aggregated API stalls them all."""
    stuck = []
    for namespace in facts.snapshot.namespaces.items:
        failed = next((entry for entry in namespace.conditions if entry.type == "NamespaceDeletionDiscoveryFailure" and entry.status == "True"), None)
        if namespace.deleted_at and failed is not None:
            stuck.append((namespace, failed))
    for calico in (True, False):
        rows = [(namespace, failed) for namespace, failed in stuck if ("projectcalico.org" in failed.message) is calico]
        if rows:
            names = ", ".join(namespace.ref.name for namespace, _failed in rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
            dead = calico and api_state(facts.snapshot).state == DEAD
            gone = "The Calico API" if calico else "A dead aggregated API"
            yield Problem(
                subject=f"Namespace {rows[0][0].ref.name}",
                title=f"{gone} keeps {names} from being deleted",
                evidence=tuple(
                    Evidence(str(namespace.ref), f"status.conditions[{failed.type}]", failed.status, f"since {namespace.deleted_at}: {failed.message[:200]}")
                    for namespace, failed in rows[:5]
                ),
                impact="Uninstalling Submariner, and whatever else deletes a namespace, waits for ever.",
                remedy=by_hand(
                    "Repair the API, or delete the APIService that the message names if nobody wants it (kubectl get apiservices shows those that are not "
                    "Available); the namespace controller then goes on by itself."
                ),
                severity="warning" if dead or not calico else "",
                caused_by=f"{facts.snapshot.cluster}/{CALICO_API}" if dead and pools_matter(facts) else "",
            )


@check(
    "calico-api-before-roks-upgrade",
    title="No Calico API server of your own stands in the way of an upgrade to OpenShift 4.16 on IBM Cloud",
    severity="info",
    needs=("nodes", "server_version", "openshift_networks"),
    references=("IBM Cloud docs: Red Hat OpenShift version 4.16, Calico API server",),
    tags=(AREA, "versions"),
)
def before_roks_upgrade(facts: Facts) -> t.Iterator[Problem]:
    """IBM installs the Calico API server from 4.16 on, and asks for a user's own namespace calico-apiserver to be removed before the upgrade."""
    request = api_request(facts.snapshot)
    version = parse_calico_version(next(iter(facts.snapshot.server_version.items), ""))
    if request.method.platform != "roks" or version is None or version[:2] >= ROKS_MANAGED:
        raise NotApplicable()
    state = api_state(facts.snapshot)
    if state.state in (AGGREGATED, DEAD):
        yield Problem(
            subject=f"APIService {API_SERVICE}",
            title="The Calico API server here is your own: remove it before the upgrade to OpenShift 4.16, which brings IBM's",
            evidence=tuple(_rows(state.seen)),
            impact="IBM's documentation has the upgrade fail on a namespace calico-apiserver that it did not make.",
            remedy=by_hand("Right before the upgrade: kubectl delete apiserver.operator.tigera.io default, then kubectl delete namespace calico-apiserver."),
        )


@check(
    "calico-tiers-wait",
    title="The operator's TigeraStatus tiers does not wait for an API server that nobody asked for",
    severity="info",
    needs=("tigera_statuses", "operator_api_servers"),
    references=("rancher/rke2#11229",),
    tags=(AREA, "rollout"),
)
def tiers_wait(facts: Facts) -> t.Iterator[Problem]:
    """Operator 1.42 and newer degrades ``tiers`` while there is no APIServer. Nothing of the data plane depends on it."""
    status = next((entry for entry in facts.snapshot.tigera_statuses.items if entry.ref.name == "tiers"), None)
    degraded = status.condition("Degraded") if status else None
    if status is not None and degraded is not None and degraded.status == "True" and not facts.snapshot.operator_api_servers.items:
        request = api_request(facts.snapshot)
        yield Problem(
            subject=str(status.ref),
            title="TigeraStatus tiers is degraded only because there is no Calico API server: no traffic depends on it",
            evidence=(Evidence(str(status.ref), "status.conditions[Degraded]", "True", degraded.message),),
            remedy=_remedy(facts, f"Nothing needs to be done; enabling the Calico API server cures it. {request.enable}.", request.target),
        )


@check(
    "calico-stores-differ",
    title="projectcalico.org/v3 and crd.projectcalico.org/v1 hold the same IPPools",
    severity="warning",
    references=("projectcalico/calico libcalico-go/lib/apis", "projectcalico/calico kube-controllers/pkg/controllers/migration"),
    tags=(AREA, "pools"),
)
def stores_differ(facts: Facts) -> t.Iterator[Problem]:
    """The aggregated API shows what v1 stores. With native CRDs v1 is a left-over that nobody reads: a pool that exists there alone has no effect."""
    snapshot = facts.snapshot
    state = api_state(snapshot)
    if state.state in (MIGRATING, NONE, DEAD) or NOT_SERVED in (snapshot.ip_pools_v3.state, snapshot.ip_pools_v1.state):
        raise NotApplicable()
    require(snapshot.ip_pools_v3, "IPPools of projectcalico.org/v3")
    require(snapshot.ip_pools_v1, "IPPools of crd.projectcalico.org/v1")
    seen_v3 = {pool.ref.name: pool for pool in snapshot.ip_pools_v3.items}
    seen_v1 = {pool.ref.name: pool for pool in snapshot.ip_pools_v1.items}
    names = sorted({*seen_v3, *seen_v1} if state.state == AGGREGATED else set(seen_v1) - set(seen_v3))
    odd = [name for name in names if _spec(seen_v3.get(name)) != _spec(seen_v1.get(name))]
    if odd:
        why = "calico-apiserver does not read this cluster's storage" if state.state == AGGREGATED else "Calico reads the native v3 objects alone"
        yield Problem(
            subject="IPPools",
            title=f"{', '.join(odd[:3])}{' and others' if len(odd) > 3 else ''}: crd.projectcalico.org/v1 and projectcalico.org/v3 say different things",
            evidence=tuple(
                Evidence(f"IPPool {name}", "v1 | v3", f"{_shown(seen_v1.get(name))} | {_shown(seen_v3.get(name))}", why) for name in odd[:5]
            ),
            impact="What one of the two says has no effect, and tools that read it (subctl diagnose reads v1) judge by it.",
            remedy=by_hand("Create or change IPPools through projectcalico.org/v3 alone, and delete what is left in crd.projectcalico.org/v1."),
        )


def _spec(pool: t.Any) -> t.Any:
    return None if pool is None else (pool.cidr, pool.disabled, pool.nat_outgoing)


def _shown(pool: t.Any) -> str:
    return "absent" if pool is None else f"{pool.cidr} disabled {str(pool.disabled).lower()} natOutgoing {str(pool.nat_outgoing).lower()}"
