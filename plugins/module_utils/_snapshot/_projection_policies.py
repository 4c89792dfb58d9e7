# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Policies of Kubernetes and Calico, and what their selectors select, from raw JSON to records. Rules are kept as they stand."""

from __future__ import annotations

import typing as t
from functools import partial

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import CalicoPolicy, HostEndpoint, NetworkPolicy, NetworkSet, Tier
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_calico import POOLS_V1, POOLS_V3, labels_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    flag_at,
    number_at,
    object_at,
    objects_at,
    ref_of,
    text_at,
    text_map_at,
    texts_at,
)

# Plural names of the kinds that are policies. The staged ones came with Calico 3.30.
CALICO_POLICIES: t.Mapping[str, str] = {
    "globalnetworkpolicies": "GlobalNetworkPolicy",
    "networkpolicies": "NetworkPolicy",
    "stagedglobalnetworkpolicies": "StagedGlobalNetworkPolicy",
    "stagednetworkpolicies": "StagedNetworkPolicy",
    "stagedkubernetesnetworkpolicies": "StagedKubernetesNetworkPolicy",
}
NETWORK_SETS: t.Mapping[str, str] = {"globalnetworksets": "GlobalNetworkSet", "networksets": "NetworkSet"}
VERSIONS: t.Mapping[str, str] = {"v3": POOLS_V3, "v1": POOLS_V1}


def network_policy(obj: JsonObject) -> NetworkPolicy:
    ingress, egress = tuple(objects_at(obj, "spec", "ingress")), tuple(objects_at(obj, "spec", "egress"))
    return NetworkPolicy(
        ref=ref_of(obj, "NetworkPolicy"),
        pod_selector=object_at(obj, "spec", "podSelector"),
        # The API's default: Ingress always, Egress where there are egress rules.
        policy_types=texts_at(obj, "spec", "policyTypes") or (("Ingress", "Egress") if egress else ("Ingress",)),
        ingress=ingress,
        egress=egress,
    )


def calico_policy(plural: str, version: str) -> t.Callable[[JsonObject], CalicoPolicy]:
    """The projection of one kind of ``CALICO_POLICIES`` in one of ``VERSIONS``."""
    return partial(_calico_policy, kind=CALICO_POLICIES[plural], api_version=VERSIONS[version])


def _calico_policy(obj: JsonObject, kind: str, api_version: str) -> CalicoPolicy:
    ingress, egress = tuple(objects_at(obj, "spec", "ingress")), tuple(objects_at(obj, "spec", "egress"))
    kubernetes = kind == "StagedKubernetesNetworkPolicy"
    return CalicoPolicy(
        ref=ref_of(obj, kind),
        api_version=api_version,
        tier=text_at(obj, "spec", "tier") or "default",
        order=number_at(obj, "spec", "order"),
        selector=text_at(obj, "spec", "selector"),
        types=texts_at(obj, "spec", "policyTypes" if kubernetes else "types") or _default_types(ingress, egress),
        ingress=ingress,
        egress=egress,
        namespace_selector=text_at(obj, "spec", "namespaceSelector"),
        service_account_selector=text_at(obj, "spec", "serviceAccountSelector"),
        apply_on_forward=flag_at(obj, "spec", "applyOnForward"),
        pre_dnat=flag_at(obj, "spec", "preDNAT"),
        do_not_track=flag_at(obj, "spec", "doNotTrack"),
    )


def _default_types(ingress: tuple[t.Any, ...], egress: tuple[t.Any, ...]) -> tuple[str, ...]:
    """What Calico takes for granted (api pkg/apis/projectcalico/v3/globalnetworkpolicy.go, Types): Ingress unless there are egress rules alone."""
    if egress:
        return ("Ingress", "Egress") if ingress else ("Egress",)
    return ("Ingress",)


def tier(obj: JsonObject) -> Tier:
    return Tier(ref=ref_of(obj, "Tier"), order=number_at(obj, "spec", "order"), default_action=text_at(obj, "spec", "defaultAction") or "Deny")


def host_endpoint_v3(obj: JsonObject) -> HostEndpoint:
    return _host_endpoint(obj, text_map_at(obj, "metadata", "labels"))


def host_endpoint_v1(obj: JsonObject) -> HostEndpoint:
    return _host_endpoint(obj, labels_of(obj))


def _host_endpoint(obj: JsonObject, labels: dict[str, str]) -> HostEndpoint:
    return HostEndpoint(
        ref=ref_of(obj, "HostEndpoint"),
        node=text_at(obj, "spec", "node"),
        interface_name=text_at(obj, "spec", "interfaceName"),
        expected_ips=texts_at(obj, "spec", "expectedIPs"),
        profiles=texts_at(obj, "spec", "profiles"),
        labels=labels,
    )


def network_set(plural: str, version: str) -> t.Callable[[JsonObject], NetworkSet]:
    """The projection of one kind of ``NETWORK_SETS`` in one of ``VERSIONS``."""
    return partial(_network_set, kind=NETWORK_SETS[plural], of_v1=version == "v1")


def _network_set(obj: JsonObject, kind: str, of_v1: bool) -> NetworkSet:
    labels = labels_of(obj) if of_v1 else text_map_at(obj, "metadata", "labels")
    return NetworkSet(ref=ref_of(obj, kind), nets=texts_at(obj, "spec", "nets"), labels=labels)
