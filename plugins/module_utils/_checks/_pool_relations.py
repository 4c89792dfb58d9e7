# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""IPPools among themselves and with those who own them: overlaps, the operator's list, labels that selectors miss, encapsulation."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least, calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._checks._calico_api import HANDLER
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remote_pools import NEEDS, OVERLAP, TAGS, pool_evidence, remote_pools
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._pool_log import OVERLAPS, pool_lines
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import missing_pools, overlapping_pools, same_range, stale_pools

OPERATOR = "tigera-operator"
MANAGED_BY = "app.kubernetes.io/managed-by"
IBM_LOAD_BALANCER = "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type"


@check(
    "pool-overlap",
    title="No two IPPools overlap",
    severity="warning",
    needs=("ip_pools",),
    references=(OVERLAP, "projectcalico/calico api/pkg/apis/projectcalico/v3/ippool.go (condition Allocatable)"),
    tags=TAGS,
)
def pool_overlap(facts: Facts) -> t.Iterator[Problem]:
    """Calico's API server refuses a pool that overlaps another one, but crd.projectcalico.org/v1 and native CRDs let it in.

    Two pools for one range leave open which one's fields count. An overlap with a pool of this cluster's own is that of the clusters' CIDRs.
    """
    if not facts.snapshot.ip_pools.items:
        raise NotApplicable()
    for one, other in overlapping_pools(facts.snapshot.ip_pools.items):
        equal = same_range(one, other.cidr)
        local = [pool for pool in (one, other) if not pool.disabled and not pool.is_submariner]
        clash = len(local) == 1
        title = f"Two IPPools have the range {one.cidr}: {one.ref.name} and {other.ref.name}"
        if not equal:
            title = f"IPPool {one.ref.name} ({one.cidr}) overlaps IPPool {other.ref.name} ({other.cidr})"
        yield Problem(
            subject=str(one.ref),
            title=title,
            evidence=(
                *(pool_evidence(pool, f"disabled {str(pool.disabled).lower()}, natOutgoing {str(pool.nat_outgoing).lower()}") for pool in (one, other)),
                *(
                    Evidence(str(pool.ref), f"status.conditions[{entry.type}]", entry.status, f"{entry.reason}: {entry.message}")
                    for pool in (one, other)
                    for entry in pool.conditions
                    if entry.status == "False"
                ),
            ),
            impact=(
                "Addresses of this cluster's pods and of a remote cluster are the same: traffic to that one stays local."
                if clash
                else "Calico takes addresses from one of the two only (native CRDs: Allocatable=False), and which one's fields count is not defined."
            ),
            remedy=by_hand(
                "Overlapping clusters need Globalnet, or one of them another CIDR."
                if clash
                else f"Delete the one that nobody needs{'' if equal else ', usually the smaller one'}; for a remote subnet keep the one that Submariner made."
            ),
            caused_by=f"{CLUSTERSET}/clusterset-cidr-overlap" if clash else "",
        )


@check(
    "remote-pool-operator-owned",
    title="The operator does not own the IPPool of a remote subnet",
    severity="warning",
    needs=(*NEEDS, "installations"),
    joined=True,
    references=("tigera/operator#3428", "tigera/operator#4253", "projectcalico/calico#11158", "projectcalico/calico#12131"),
    tags=TAGS,
)
def operator_owned(facts: Facts) -> t.Iterator[Problem]:
    """The operator of Calico 3.28 and newer owns every pool whose CIDR stands in the Installation, and reverts other writers' changes to it.

    With a remote subnet in that list it enables the pool, and gives local pods addresses of the remote cluster; or it refuses to touch a pool of
    Submariner's, and TigeraStatus ippools stays degraded.
    """
    remote_pools(facts)
    for installation in facts.snapshot.installations.items:
        for cidr in dict.fromkeys((*installation.computed_pools, *installation.spec_pools)):
            peers = [wanted for wanted in facts.wanted_pools if overlap(parse_cidrs(cidr).networks, parse_cidrs(wanted.cidr).networks)]
            made = [pool for pool in facts.snapshot.ip_pools.items if same_range(pool, cidr) and (pool.is_submariner or pool.disabled)]
            if peers and made:
                status = next((entry for entry in facts.snapshot.tigera_statuses.items if entry.ref.name == "ippools"), None)
                degraded = status.condition("Degraded") if status else None
                yield Problem(
                    subject=str(installation.ref),
                    title=f"The operator's list of IPPools holds {cidr}, which is {peers[0].cluster_id}'s",
                    evidence=(
                        Evidence(str(installation.ref), "spec.calicoNetwork.ipPools[].cidr", cidr),
                        *(pool_evidence(pool, pool.labels.get(MANAGED_BY, "")) for pool in made),
                        *((Evidence(str(status.ref), "status.conditions[Degraded]", degraded.status, degraded.message),) if status and degraded else ()),
                    ),
                    impact="The operator reverts Submariner's pool, or cannot update it and stays degraded.",
                    remedy=by_hand(
                        f"Take {cidr} out of {detect_install_method(facts.snapshot).durable or 'the Installation'}: remote subnets are Submariner's alone.",
                        f"{installation.ref} spec.calicoNetwork.ipPools",
                    ),
                )


@check(
    "remote-pool-labels-hidden",
    title="Submariner's IPPools can be found by their label",
    severity="info",
    needs=NEEDS,
    joined=True,
    references=("projectcalico/calico libcalico-go/lib/backend/k8s/resources/resources.go", HANDLER),
    tags=TAGS,
)
def labels_hidden(facts: Facts) -> t.Iterator[Problem]:
    """Calico 3.28 and newer keeps the labels of a v3 object in an annotation of its crd.projectcalico.org/v1 object: a selector on v1 finds nothing.

    Where v3 does not answer, v1 is all there is, and a clean-up by label (as Submariner's own uninstall) leaves the pools behind.
    """
    pools = [pool for pool in remote_pools(facts) if pool.is_submariner and pool.api_version.startswith("crd.")]
    recent = at_least(calico_version(facts.snapshot), 3, 28)
    state = api_state(facts.snapshot)
    if pools and not state.answers:
        if recent is None:
            raise CannotJudge("Calico's version is not known, and where it keeps the labels of IPPools depends on it")
        if recent:
            yield Problem(
                subject=str(pools[0].ref),
                title=f"A selector submariner.io/ippool=true finds none of Submariner's {len(pools)} IPPools through crd.projectcalico.org/v1",
                evidence=(
                    Evidence(str(pools[0].ref), "metadata.annotations[projectcalico.org/metadata]", "submariner.io/ippool=true", "not in metadata.labels"),
                ),
                impact="Nothing for traffic. Scripts and the uninstall that select by label leave these pools behind, and they block later ones.",
                remedy=by_hand("Select by the name's prefix submariner- and the CIDR, or enable the Calico API server and select through its v3."),
            )


@check(
    "local-pool-encapsulation",
    title="This cluster's own pods use an encapsulation that Submariner is validated with",
    severity="info",
    needs=("ip_pools", "nodes", "openshift_networks"),
    joined=True,
    references=("https://submariner.io/operations/deployment/calico/", "submariner-io/submariner#1670", "subctl pkg/diagnose/cni.go"),
    tags=TAGS,
)
def local_encapsulation(facts: Facts) -> t.Iterator[Problem]:
    """Submariner's documentation validates Calico with VXLAN alone; IPIP and CrossSubnet work where the network between the nodes passes bare packets.

    On IBM Cloud's classic and VPC workers it does not: the security group drops what is not between addresses of the cluster, so that only pods on the
    gateway node reach remote clusters unless IPIP is Always.
    """
    roks = detect_install_method(facts.snapshot).platform == "roks"
    for pool in remote_pools(facts):
        ours = not pool.disabled and not pool.is_submariner and parse_cidrs(pool.cidr).of(IPV4)
        if not ours or pool.vxlan_mode == "Always" or pool.allowed_uses == ("LoadBalancer",):
            continue
        mode = f"ipipMode {pool.ipip_mode}" if pool.ipip_mode != "Never" else f"vxlanMode {pool.vxlan_mode}"
        bare = roks and "CrossSubnet" in mode
        yield Problem(
            subject=str(pool.ref),
            title=f"The pods' IPPool has {mode}: "
            + ("IBM Cloud's security group drops what it sends bare to remote clusters" if bare else "Submariner is validated with vxlanMode Always alone"),
            evidence=(Evidence(str(pool.ref), "spec.ipipMode, spec.vxlanMode", f"{pool.ipip_mode}, {pool.vxlan_mode}"),),
            impact="Pods on other nodes than the gateway's may not reach remote clusters." if bare else "",
            remedy=by_hand(
                "Decide with IBM's support: encapsulation IPIP of that pool in Installation default (the operator of Calico 3.28 and newer reverts a change "
                "of the IPPool itself), or a rule of the security group for the remote CIDRs.",
                "Installation default spec.calicoNetwork.ipPools[].encapsulation",
            )
            if bare
            else by_hand("Nothing while traffic flows. subctl diagnose cni reports it as a failure."),
            severity="warning" if bare and _no_workaround(facts) else "",
        )


def _no_workaround(facts: Facts) -> bool:
    """Submariner sets IPIP to Always itself where its gateway has a load balancer of IBM Cloud; an operator of 3.28 or newer takes that back."""
    balanced = any(IBM_LOAD_BALANCER in service.annotations for service in facts.snapshot.services.items)
    return not balanced or at_least(calico_version(facts.snapshot), 3, 28) is not False


@check(
    "remote-pool-agent-complains",
    title="The route agent's log does not complain of IPPools that are there",
    severity="info",
    needs=(*NEEDS, "logs"),
    joined=True,
    references=(HANDLER, OVERLAP),
    tags=TAGS,
)
def agent_complains(facts: Facts) -> t.Iterator[Problem]:
    """A pool made by hand for a remote subnet is fine, but the agent cannot make its own beside it and logs an error again and again."""
    pools = remote_pools(facts)
    lines = [line for line in pool_lines(facts.snapshot) if line.kind == OVERLAPS]
    if lines and not missing_pools(pools, facts.wanted_pools) and not stale_pools(pools, facts.wanted_pools):
        own = [pool for pool in pools if not pool.is_submariner and _wanted(facts, pool)]
        yield Problem(
            subject=str(lines[0].pod),
            title="The route agent logs that an IPPool overlaps, though every remote subnet has its pool: noise",
            evidence=(Evidence(str(lines[0].pod), "log", lines[0].text), *(pool_evidence(pool, "made by hand") for pool in own[:3])),
            remedy=by_hand("Nothing needs to be done. To silence it, delete the pools made by hand and then the agent's pod: it makes its own."),
        )


def _wanted(facts: Facts, pool: IPPool) -> bool:
    return any(same_range(pool, wanted.cidr) for wanted in facts.wanted_pools)
