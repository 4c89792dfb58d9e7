# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Calico's and the tigera operator's objects, from raw JSON to records."""

from __future__ import annotations

import json

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ClusterInformation, Installation, IPPool
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    flag_at,
    objects_at,
    ref_of,
    text_at,
    text_map_at,
    texts_at,
    value_at,
)

POOLS_V3 = "projectcalico.org/v3"
POOLS_V1 = "crd.projectcalico.org/v1"
METADATA_ANNOTATION = "projectcalico.org/metadata"


def pool_labels(obj: JsonObject) -> dict[str, str]:
    """The labels that the v3 API would show.

    Calico 3.28 and newer keeps the labels of a v3 object inside the annotation of its crd.projectcalico.org/v1 object and nowhere else
    (projectcalico/calico libcalico-go/lib/backend/k8s/resources/resources.go); older ones copied them.
    """
    labels = text_map_at(obj, "metadata", "labels")
    try:
        kept = json.loads(text_at(obj, "metadata", "annotations", METADATA_ANNOTATION) or "{}")
    except ValueError:
        return labels
    return {**text_map_at(kept, "labels"), **labels}


def ip_pool_v3(obj: JsonObject) -> IPPool:
    return _ip_pool(obj, POOLS_V3, text_map_at(obj, "metadata", "labels"))


def ip_pool_v1(obj: JsonObject) -> IPPool:
    return _ip_pool(obj, POOLS_V1, pool_labels(obj))


def _ip_pool(obj: JsonObject, api_version: str, labels: dict[str, str]) -> IPPool:
    legacy_nat = value_at(obj, "spec", "nat-outgoing")  # spelling of Calico 2, still tolerated by the v1 schema
    nat_outgoing = value_at(obj, "spec", "natOutgoing")
    return IPPool(
        ref=ref_of(obj, "IPPool"),
        api_version=api_version,
        uid=text_at(obj, "metadata", "uid"),
        resource_version=text_at(obj, "metadata", "resourceVersion"),
        labels=labels,
        cidr=text_at(obj, "spec", "cidr"),
        disabled=flag_at(obj, "spec", "disabled"),
        nat_outgoing=(legacy_nat if nat_outgoing is None else nat_outgoing) is True,
        disable_bgp_export=flag_at(obj, "spec", "disableBGPExport"),
        vxlan_mode=text_at(obj, "spec", "vxlanMode") or "Never",
        ipip_mode=text_at(obj, "spec", "ipipMode") or "Never",
        allowed_uses=texts_at(obj, "spec", "allowedUses"),
    )


def installation(obj: JsonObject) -> Installation:
    """``provider``, the CNI's type and BGP are those of ``status.computed`` (after defaulting), else of ``spec``."""

    def effective(*path: str) -> str:
        return text_at(obj, "status", "computed", *path) or text_at(obj, "spec", *path)

    def pools(*path: str) -> tuple[str, ...]:
        return tuple(cidr for cidr in (text_at(entry, "cidr") for entry in objects_at(obj, *path, "calicoNetwork", "ipPools")) if cidr)

    return Installation(
        ref=ref_of(obj, "Installation"),
        annotations={key: value for key, value in text_map_at(obj, "metadata", "annotations").items() if key.startswith("meta.helm.sh/")},
        provider=effective("kubernetesProvider"),
        cni_type=effective("cni", "type"),
        ipam_type=effective("cni", "ipam", "type"),
        computed_pools=pools("status", "computed"),
        spec_pools=pools("spec"),
        calico_version=text_at(obj, "status", "calicoVersion"),
        bgp=effective("calicoNetwork", "bgp"),
    )


def cluster_information(obj: JsonObject) -> ClusterInformation:
    return ClusterInformation(
        ref=ref_of(obj, "ClusterInformation"),
        calico_version=text_at(obj, "spec", "calicoVersion"),
        cluster_type=text_at(obj, "spec", "clusterType"),
    )
