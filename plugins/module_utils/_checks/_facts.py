# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the checks of one cluster look at: its snapshot, the judgement on its CIDRs, and its Submariner's own objects."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, IPV6, Network, of_family, parse_cidrs, same
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import CidrTruth, CidrVerdict
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    Answer,
    DaemonSet,
    Endpoint,
    Gateway,
    Pod,
    Snapshot,
    Submariner,
    SubmarinerCluster,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._broker_records import StaleEndpoint, stale_endpoints
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import proves
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import Detection, would_detect
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import places
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import WantedPool, wanted_pools
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._timeline import AgentStart, agent_starts

CALICO = "calico"  # status.networkPlugin, as Submariner's discovery names it
GATEWAY = "submariner-gateway"
ROUTE_AGENT = "submariner-routeagent"


@dataclass(frozen=True)
class Facts:
    snapshot: Snapshot
    truth: CidrTruth

    @classmethod
    def of(cls, snapshot: Snapshot) -> Facts:
        return cls(snapshot, cidr_truth(snapshot))

    @property
    def submariner(self) -> Submariner:
        """This cluster's Submariner.

        :raises CannotJudge: there is none, or it could not be read. A check that is not for joined clusters only asks ``joined`` first.
        """
        found = self.snapshot.submariner
        if found is None:
            raise CannotJudge(missing(self.snapshot.submariners, "the Submariner object") or "this cluster is not joined")
        return found

    @property
    def joined(self) -> bool | None:
        """None where it could not be read."""
        if self.snapshot.submariner is not None:
            return True
        return False if self.snapshot.submariners.known else None

    @property
    def globalnet(self) -> bool:
        return bool(self.snapshot.submariner and (self.snapshot.submariner.global_cidr or self.snapshot.submariner.status_global_cidr))

    @property
    def uses_calico_handler(self) -> bool:
        """True where Submariner's route agent runs its Calico handler, which is what keeps the IPPools of remote subnets."""
        return self.submariner.network_plugin == CALICO

    @cached_property
    def memo(self) -> dict[str, t.Any]:
        """What checks have concluded that others of them look at as well, by the name of the file that concluded it."""
        return {}

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Those of Submariner's own namespace: the broker's copies lie in another one, possibly on this very cluster."""
        return tuple(endpoint for endpoint in self.snapshot.endpoints.items if endpoint.ref.namespace == self.submariner.ref.namespace)

    @property
    def own_endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(endpoint for endpoint in self.endpoints if endpoint.cluster_id == self.submariner.cluster_id)

    @property
    def remote_endpoints(self) -> tuple[Endpoint, ...]:
        """Those of other clusters, without the records of a cluster that was joined again under another id: there is no such cluster.

        One that only looks like another one counts: sites that were built alike have the same host name and private address, and both live.
        """
        dead = {found.stale.ref for found in self.stale_endpoints if proves(found)}
        return tuple(endpoint for endpoint in self.endpoints if endpoint.cluster_id != self.submariner.cluster_id and endpoint.ref not in dead)

    @cached_property
    def stale_endpoints(self) -> tuple[StaleEndpoint, ...]:
        """Dead Endpoints of Submariner's own namespace."""
        return stale_endpoints(self.endpoints, self.submariner.cluster_id, self.connected_ids)

    @property
    def connected_ids(self) -> frozenset[str]:
        """The clusters that an active gateway says it is connected to."""
        return frozenset(entry.cluster_id for gateway in self.active_gateways for entry in gateway.connections if entry.status == "connected")

    @property
    def own_cluster_objects(self) -> tuple[SubmarinerCluster, ...]:
        return tuple(
            cluster
            for cluster in self.snapshot.submariner_clusters.items
            if cluster.ref.namespace == self.submariner.ref.namespace and cluster.cluster_id == self.submariner.cluster_id
        )

    @cached_property
    def wanted_pools(self) -> tuple[WantedPool, ...]:
        return wanted_pools(self.remote_endpoints, self.submariner.cluster_id)

    @cached_property
    def detection(self) -> Detection:
        """What the deployed version of Submariner would discover here now."""
        return would_detect(self.snapshot, self.submariner.version, self.truth)

    @cached_property
    def agent_starts(self) -> tuple[AgentStart, ...]:
        """How each route agent's start went, against its node's and Calico's."""
        return agent_starts(self.snapshot, self.truth)

    @cached_property
    def gateway_places(self) -> dict[str, str]:
        """Names of Gateways and of their nodes."""
        return places(self.snapshot)

    @property
    def active_gateways(self) -> tuple[Gateway, ...]:
        return tuple(gateway for gateway in self.gateways if gateway.ha_status == "active")

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        return tuple(gateway for gateway in self.snapshot.gateways.items if gateway.ref.namespace == self.submariner.ref.namespace)

    def daemon_set(self, name: str) -> DaemonSet | None:
        namespace = self.submariner.ref.namespace
        return next((item for item in self.snapshot.daemon_sets.items if (item.ref.namespace, item.ref.name) == (namespace, name)), None)

    def pods_of(self, app: str) -> tuple[Pod, ...]:
        namespace = self.submariner.ref.namespace
        return tuple(pod for pod in self.snapshot.pods.items if pod.ref.namespace == namespace and pod.labels.get("app") == app)

    def said(self, subject: str) -> str:
        """What Submariner's status says of pods or Services: the value that its DaemonSets are given."""
        return self.submariner.status_cluster_cidr if subject == POD else self.submariner.status_service_cidr

    def pinned(self, subject: str) -> str:
        """What the user pinned in Submariner's spec, "" where it is left to discovery."""
        return self.submariner.cluster_cidr if subject == POD else self.submariner.service_cidr

    def wrong_subjects(self) -> tuple[str, ...]:
        """Of pods and Services those whose CIDR in Submariner's status is not the agreed truth; what is not agreed is left out."""
        return tuple(
            subject for subject in (POD, SERVICE) if self.truth.networks(subject) and differs(self.said(subject), self.truth.networks(subject))
        )


def differs(said: str | t.Iterable[str], true: t.Sequence[Network]) -> bool:
    """True when what is said is not the true ranges.

    IPv6 counts only where it is said, or is all there is: Submariner up to 0.19 handles IPv4 alone on a dual-stack cluster.
    """
    parsed = parse_cidrs(said)
    wants_v4, wants_v6 = of_family(true, IPV4), of_family(true, IPV6)
    if parsed.problems or (wants_v4 and not same(parsed.of(IPV4), wants_v4)):
        return True
    return bool(wants_v6 and (parsed.of(IPV6) or not wants_v4) and not same(parsed.of(IPV6), wants_v6))


def pinnable(cidrs: t.Iterable[str]) -> str:
    """Ranges as Submariner takes them, separated by commas; of a dual-stack cluster the IPv4 ones alone, since Submariner up to 0.19 knows no others."""
    parsed = parse_cidrs(cidrs)
    return ",".join(str(network) for network in parsed.of(IPV4) or parsed.of(IPV6))


def shown(networks: t.Iterable[Network]) -> str:
    return ", ".join(str(network) for network in networks)


def missing(answer: Answer[t.Any], what: str) -> str:
    """Why an answer is no answer, in words; "" when it is one."""
    if answer.known:
        return ""
    question = f" ({answer.where})" if answer.where else ""
    reason = f": {answer.detail}" if answer.detail else ""
    return f"{what} could not be read{question}: {answer.state.replace('_', ' ')}{reason}"


def why_not_agreed(verdict: CidrVerdict) -> str:
    """Why there is no agreed CIDR of one subject and family."""
    unread = f" (not read: {'; '.join(verdict.missing)})" if verdict.missing else ""
    return f"the true {verdict.subject} CIDR is {'in ' if verdict.status == 'conflict' else ''}{verdict.status}: {verdict.because}{unread}"


def require(answer: Answer[t.Any], what: str) -> None:
    """:raises CannotJudge: the answer is none."""
    reason = missing(answer, what)
    if reason:
        raise CannotJudge(reason)
