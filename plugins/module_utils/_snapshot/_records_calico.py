# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of Calico's and its operator's objects."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._answers import Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_kubernetes import Condition, Origin


class IPPool(t.NamedTuple):
    """A Calico IPPool; ``api_version`` tells through which API it was read."""

    ref: Ref
    api_version: str  # projectcalico.org/v3 or crd.projectcalico.org/v1
    uid: str
    resource_version: str
    labels: t.Mapping[str, str]  # v3's, also where v1 keeps them in annotation projectcalico.org/metadata
    cidr: str
    disabled: bool
    nat_outgoing: bool
    disable_bgp_export: bool
    vxlan_mode: str
    ipip_mode: str
    allowed_uses: tuple[str, ...]
    block_size: int = 0
    node_selector: str = ""
    conditions: tuple[Condition, ...] = ()  # status.conditions, Calico >= 3.32 with native v3 CRDs
    created: str = ""
    deleting: bool = False
    origin: Origin = Origin()
    assignment_mode: str = ""  # Automatic, Manual; "" where unsaid, which is Automatic
    all_labels: bool = True  # False where the labels of v3 could not be told (v1 object without projectcalico.org/metadata of Calico >= 3.28)

    @property
    def is_submariner(self) -> bool:
        """True for a pool that Submariner's route agent made: by its label, or by its naming scheme, submariner-CLUSTER-CIDR with a hyphen for the slash.

        A name that only begins like that is a user's.
        """
        prefix, suffix = "submariner-", f"-{self.cidr.replace('/', '-')}"
        named = self.ref.name.startswith(prefix) and self.ref.name.endswith(suffix) and len(self.ref.name) > len(prefix) + len(suffix)
        return self.labels.get("submariner.io/ippool") == "true" or named


class Installation(t.NamedTuple):
    """operator.tigera.io Installation; the pools are CIDRs from status.computed and from spec."""

    ref: Ref
    annotations: t.Mapping[str, str]
    provider: str
    cni_type: str
    ipam_type: str
    computed_pools: tuple[str, ...]
    spec_pools: tuple[str, ...]
    calico_version: str
    bgp: str = ""  # calicoNetwork.bgp: Enabled, Disabled, "" where unsaid
    spec: t.Mapping[str, t.Any] = {}  # whole spec less imagePullSecrets
    computed: t.Mapping[str, t.Any] = {}  # status.computed, likewise
    mtu: int = 0  # status.mtu: the pods' MTU, as set or as the operator reads it on its own node; not the links'
    variant: str = ""  # status.variant: set once Calico was available for the first time
    conditions: tuple[Condition, ...] = ()
    created: str = ""
    origin: Origin = Origin()


class ClusterInformation(t.NamedTuple):
    ref: Ref
    calico_version: str
    cluster_type: str
    datastore_ready: bool | None = None


class TigeraStatus(t.NamedTuple):
    """operator.tigera.io TigeraStatus: conditions Available, Progressing, Degraded."""

    ref: Ref
    conditions: tuple[Condition, ...]
    created: str = ""

    def condition(self, name: str) -> Condition | None:
        return next((entry for entry in self.conditions if entry.type == name), None)


class OperatorApiServer(t.NamedTuple):
    """operator.tigera.io APIServer: asks the operator for the Calico API server; ``state`` is "Ready" once it serves."""

    ref: Ref
    state: str
    conditions: tuple[Condition, ...] = ()
    origin: Origin = Origin()


class FelixConfiguration(t.NamedTuple):
    """``default``, or ``node.<name>``. ``spec`` holds its scalar fields as they stand in JSON."""

    ref: Ref
    api_version: str
    spec: t.Mapping[str, t.Any]
    origin: Origin = Origin()


class CalicoConfiguration(t.NamedTuple):
    """A BGPConfiguration or KubeControllersConfiguration; ``ref.kind`` tells which."""

    ref: Ref
    spec: t.Mapping[str, t.Any]


class CalicoPolicy(t.NamedTuple):
    """A NetworkPolicy or GlobalNetworkPolicy of Calico, staged ones included; ``ref.kind`` tells which. Rules are as they stand in the object."""

    ref: Ref
    api_version: str
    tier: str  # "default" where unsaid
    order: float | None
    selector: str
    types: tuple[str, ...]
    ingress: tuple[t.Mapping[str, t.Any], ...]
    egress: tuple[t.Mapping[str, t.Any], ...]
    namespace_selector: str = ""
    service_account_selector: str = ""
    apply_on_forward: bool = False
    pre_dnat: bool = False
    do_not_track: bool = False

    @property
    def staged(self) -> bool:
        """Staged policies decide nothing."""
        return self.ref.kind.startswith("Staged")


class Tier(t.NamedTuple):
    ref: Ref
    order: float | None
    default_action: str = "Deny"


class HostEndpoint(t.NamedTuple):
    ref: Ref
    node: str
    interface_name: str
    expected_ips: tuple[str, ...]
    profiles: tuple[str, ...]
    labels: t.Mapping[str, str]


class NetworkSet(t.NamedTuple):
    """A NetworkSet or GlobalNetworkSet."""

    ref: Ref
    nets: tuple[str, ...]
    labels: t.Mapping[str, str]


class IPAMBlock(t.NamedTuple):
    """A block of addresses that Calico's IPAM gave to a node; ``used`` counts those that are allocated."""

    ref: Ref
    cidr: str
    node: str
    used: int


class DatastoreMigration(t.NamedTuple):
    """migration.projectcalico.org: crd.projectcalico.org/v1 to native projectcalico.org/v3 CRDs, Calico >= 3.32."""

    ref: Ref
    phase: str
