# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The Calico API that Submariner's route agent writes its IPPools to."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, UNAVAILABLE, ApiService, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import missing_pools

CALICO_API = "calico-api-unavailable"
API_SERVICE = "v3.projectcalico.org"


@check(
    CALICO_API,
    title="Calico's projectcalico.org/v3 API is served and answers",
    severity="error",
    references=("submariner-io/submariner#2952", "submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go", "projectcalico/calico#7555"),
)
def calico_api(facts: Facts) -> t.Iterator[Problem]:
    """The route agent creates the IPPools of remote subnets through projectcalico.org/v3 and nothing else.

    Not served with every pool in place, or before a join, it is a warning: traffic flows until the next remote cluster appears. A dead API
    (503) is an error in any case: it also stalls the deletion of namespaces and garbage collection in the whole cluster.
    """
    snapshot = facts.snapshot
    if not _concerned(facts):
        raise NotApplicable()
    if snapshot.ip_pools_v3.ok:
        return
    service = next((item for item in snapshot.api_services.items if item.ref.name == API_SERVICE), None)
    if snapshot.ip_pools_v3.state == UNAVAILABLE or (service is not None and service.available is False):
        yield Problem(
            subject=f"APIService {API_SERVICE}",
            title="The Calico API server is registered but does not answer",
            evidence=tuple(_evidence(snapshot, service)),
            impact="Submariner cannot create or delete the IPPools of remote clusters, namespaces stay in Terminating, and garbage collection stalls.",
            remedy=by_hand(
                "Repair the calico-apiserver pods behind it (certificate, port 5443, image), or remove the APIService if no Calico API server is wanted."
            ),
        )
    elif snapshot.ip_pools_v3.state == NOT_SERVED:
        complete = facts.joined is True and snapshot.ip_pools.ok and not missing_pools(snapshot.ip_pools.items, facts.wanted_pools)
        yield Problem(
            subject=f"APIService {API_SERVICE}",
            title="The Calico API server is not enabled: Submariner cannot create IPPools for remote clusters",
            evidence=tuple(_evidence(snapshot, service)),
            impact="Without a pool for them, Calico masquerades traffic to remote clusters: connections break or arrive with a node's address.",
            remedy=by_hand(_how_to_enable(snapshot)),
            severity="warning" if complete or facts.joined is False else "",
        )
    else:
        raise CannotJudge(missing(snapshot.ip_pools_v3, "IPPools of projectcalico.org/v3"))


def _concerned(facts: Facts) -> bool:
    """Whether IPPools matter here: Submariner runs its Calico handler, or would, since this is a Calico that hands out addresses by pool."""
    snapshot = facts.snapshot
    if facts.joined:
        return facts.uses_calico_handler
    has_pools = any(not pool.is_submariner for pool in snapshot.ip_pools.items)
    return bool(has_pools or snapshot.installations.items or snapshot.cluster_informations.items)


def _evidence(snapshot: Snapshot, service: ApiService | None) -> t.Iterator[Evidence]:
    answer = snapshot.ip_pools_v3
    yield Evidence(answer.where or "GET /apis/projectcalico.org/v3/ippools", "", answer.state.replace("_", " "), answer.detail)
    if service is not None:
        condition = "Unknown" if service.available is None else str(service.available)
        yield Evidence(str(service.ref), "status.conditions[Available]", condition, f"{service.reason}: {service.message}".strip(": "))


def _how_to_enable(snapshot: Snapshot) -> str:
    restart = "Then delete the route agent's pod on the gateway node: it gave up and does not try again by itself."
    if any(chart.ref.name == "rke2-calico" for chart in snapshot.helm_charts.items):
        return f"Set apiServer.enabled: true in the valuesContent of HelmChartConfig kube-system/rke2-calico. {restart}"
    if snapshot.installations.items:
        return f"Create the operator.tigera.io/v1 APIServer named default. {restart}"
    return f"Install Calico's apiserver.yaml (Kubespray: calico_apiserver_enabled: true). {restart}"
