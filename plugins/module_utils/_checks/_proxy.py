# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What Submariner's components must reach without their proxy."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, shown
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._proxies import Proxy, goes_past, proxies
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE

LOST = {
    "the API server": "Submariner's components ask the cluster's own API server through the proxy, which does not know that address: they cannot start.",
    "Services": "Traffic of Submariner's components to Services of this cluster goes to the proxy.",
    "pods": "Traffic of Submariner's components to pods of this cluster goes to the proxy.",
}


@check(
    "no-proxy-incomplete",
    title="Submariner's components reach their own cluster without the proxy",
    severity="warning",
    needs=("daemon_sets", "deployments", "services"),
    joined=True,
    references=("submariner-operator api/v1alpha1/submariner_types.go", "submariner-io/submariner#2115"),
    tags=("cidr", "proxy"),
    remedy="Name the API server and the pod and service CIDRs in no_proxy.",
)
def no_proxy(facts: Facts) -> t.Iterator[Problem]:
    """Where Submariner's pods have a proxy (``subctl join --https-proxy``), their no_proxy must name the API server's address and the pod and service CIDRs.

    The API server is reached by the address of Service default/kubernetes; without it in the list the components do not even start, which is an error.
    """
    found = proxies(facts)
    if not found:
        raise NotApplicable()
    services, pods = facts.truth.networks(SERVICE), facts.truth.networks(POD)
    targets: list[tuple[str, tuple[Network, ...], str]] = [
        ("the API server", _api_server(facts), "error"),
        ("Services", services, ""),
        ("pods", pods, ""),
    ]
    for what, networks, severity in targets:
        if not networks:
            continue
        lacking = [proxy for proxy in found if not goes_past(proxy.past, networks)]
        if lacking:
            yield _problem(what, networks, lacking, severity)
            if severity:  # the rest of the list lacks for the same reason
                return
    if not (services and pods):
        raise CannotJudge("the true pod and service CIDRs are not agreed: what no_proxy must name is not known")


def _api_server(facts: Facts) -> tuple[Network, ...]:
    service = next((item for item in facts.snapshot.services.items if (item.ref.namespace, item.ref.name) == ("default", "kubernetes")), None)
    found = [parse_address(ip) for ip in (service.cluster_ips if service is not None else ())]
    return parse_cidrs(f"{address}/{address.max_prefixlen}" for address in found if address is not None).networks


def _problem(what: str, networks: t.Sequence[Network], lacking: t.Sequence[Proxy], severity: str) -> Problem:
    first = lacking[0]
    return Problem(
        subject=first.object if len(lacking) == 1 else f"{len(lacking)} workloads of Submariner",
        title=f"no_proxy does not name {what} ({shown(networks)}), so that is asked for through {first.host}",
        evidence=tuple(Evidence(proxy.object, proxy.past_variable, proxy.past or "", f"{proxy.variable}={proxy.value}") for proxy in lacking[:6]),
        impact=LOST[what],
        remedy=by_hand(f"Join again with --no-proxy naming {shown(networks)} as well, or complete the operator's {first.past_variable}.", disruptive=True),
        severity=severity,
    )
