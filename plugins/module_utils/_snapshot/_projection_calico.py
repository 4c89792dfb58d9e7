# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Calico's and the tigera operator's objects, from raw JSON to records."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    CalicoConfiguration,
    ClusterInformation,
    DatastoreMigration,
    FelixConfiguration,
    Installation,
    IPAMBlock,
    IPPool,
    OperatorApiServer,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_origin import origin
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    conditions_of,
    flag_at,
    integer_at,
    interned,
    object_at,
    objects_at,
    ref_of,
    text_at,
    text_map_at,
    texts_at,
    value_at,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import Redactor

POOLS_V3 = "projectcalico.org/v3"
POOLS_V1 = "crd.projectcalico.org/v1"
METADATA_ANNOTATION = "projectcalico.org/metadata"
HOST_AFFINITY = "host:"
SECRET_SPEC = ("imagePullSecrets", "registrySecret", "certificateManagement")


def labels_of(obj: JsonObject) -> dict[str, str]:
    """The labels that the v3 API would show of a crd.projectcalico.org/v1 object.

    Calico 3.28 and newer keeps the labels of a v3 object inside the annotation of its crd.projectcalico.org/v1 object and nowhere else
    (projectcalico/calico libcalico-go/lib/backend/k8s/resources/resources.go); older ones copied them.
    """
    return {**text_map_at(_kept_metadata(obj), "labels"), **text_map_at(obj, "metadata", "labels")}


def _kept_metadata(obj: JsonObject) -> t.Any:
    try:
        return json.loads(text_at(obj, "metadata", "annotations", METADATA_ANNOTATION) or "{}")
    except (ValueError, RecursionError):
        return {}


def ip_pool_v3(obj: JsonObject) -> IPPool:
    return _ip_pool(obj, POOLS_V3, text_map_at(obj, "metadata", "labels"))


def ip_pool_v1(obj: JsonObject) -> IPPool:
    labels = labels_of(obj)
    told = bool(labels) or isinstance(object_at(obj, "metadata", "annotations").get(METADATA_ANNOTATION), str)
    return _ip_pool(obj, POOLS_V1, labels)._replace(all_labels=told)


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
        block_size=integer_at(obj, "spec", "blockSize"),
        node_selector=text_at(obj, "spec", "nodeSelector"),
        conditions=conditions_of(obj),
        created=text_at(obj, "metadata", "creationTimestamp"),
        deleting=bool(text_at(obj, "metadata", "deletionTimestamp")),
        origin=origin(obj),
        assignment_mode=text_at(obj, "spec", "assignmentMode"),
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
        spec=_without_secrets(object_at(obj, "spec")),
        computed=_without_secrets(object_at(obj, "status", "computed")),
        mtu=integer_at(obj, "status", "mtu"),
        variant=text_at(obj, "status", "variant"),
        conditions=conditions_of(obj),
        created=text_at(obj, "metadata", "creationTimestamp"),
        origin=origin(obj),
    )


def _without_secrets(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    return Redactor().object({key: value for key, value in spec.items() if key not in SECRET_SPEC})


def cluster_information(obj: JsonObject) -> ClusterInformation:
    ready = value_at(obj, "spec", "datastoreReady")
    return ClusterInformation(
        ref=ref_of(obj, "ClusterInformation"),
        calico_version=text_at(obj, "spec", "calicoVersion"),
        cluster_type=text_at(obj, "spec", "clusterType"),
        datastore_ready=ready if isinstance(ready, bool) else None,
    )


def tigera_status(obj: JsonObject) -> TigeraStatus:
    return TigeraStatus(ref=ref_of(obj, "TigeraStatus"), conditions=conditions_of(obj), created=text_at(obj, "metadata", "creationTimestamp"))


def operator_api_server(obj: JsonObject) -> OperatorApiServer:
    return OperatorApiServer(ref=ref_of(obj, "APIServer"), state=text_at(obj, "status", "state"), conditions=conditions_of(obj), origin=origin(obj))


def felix_configuration_v3(obj: JsonObject) -> FelixConfiguration:
    return _felix_configuration(obj, POOLS_V3)


def felix_configuration_v1(obj: JsonObject) -> FelixConfiguration:
    return _felix_configuration(obj, POOLS_V1)


def _felix_configuration(obj: JsonObject, api_version: str) -> FelixConfiguration:
    spec = {key: value for key, value in object_at(obj, "spec").items() if not isinstance(value, dict) and value is not None}
    return FelixConfiguration(ref=ref_of(obj, "FelixConfiguration"), api_version=api_version, spec=Redactor().object(spec), origin=origin(obj))


def bgp_configuration(obj: JsonObject) -> CalicoConfiguration:
    return CalicoConfiguration(ref=ref_of(obj, "BGPConfiguration"), spec=Redactor().object(object_at(obj, "spec")))


def kube_controllers_configuration(obj: JsonObject) -> CalicoConfiguration:
    return CalicoConfiguration(ref=ref_of(obj, "KubeControllersConfiguration"), spec=Redactor().object(object_at(obj, "spec")))


def ipam_block(obj: JsonObject) -> IPAMBlock | None:
    """None for a block that is given back (``deleted``), or is no node's (affinity ``virtual:`` is of load balancers)."""
    affinity = text_at(obj, "spec", "affinity")
    if flag_at(obj, "spec", "deleted") or (affinity and not affinity.startswith(HOST_AFFINITY)):
        return None
    allocations = value_at(obj, "spec", "allocations")
    return IPAMBlock(
        ref=ref_of(obj, "IPAMBlock"),
        cidr=text_at(obj, "spec", "cidr"),
        node=interned(affinity[len(HOST_AFFINITY) :]),
        used=sum(entry is not None for entry in allocations) if isinstance(allocations, list) else 0,
    )


def datastore_migration(obj: JsonObject) -> DatastoreMigration:
    return DatastoreMigration(ref=ref_of(obj, "DatastoreMigration"), phase=text_at(obj, "status", "phase"))
