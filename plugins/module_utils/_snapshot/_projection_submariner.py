# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Submariner's objects, from raw JSON to records. The Submariner object holds the broker's token and the PSK in clear: they stop here."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    Broker,
    Connection,
    Endpoint,
    Gateway,
    GlobalEgressIP,
    RemoteEndpoint,
    RouteAgent,
    ServiceDiscovery,
    ServiceExport,
    ServiceImport,
    Submariner,
    SubmarinerCluster,
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
    shared,
    text_at,
    text_map_at,
    texts_at,
    value_at,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import redacted_message

# Names of secrets (brokerK8sSecret, ceIPSecPSKSecret) are no secrets and stay.
UPDATED = "update-timestamp"
SECRET_FIELDS = frozenset(("brokerK8sApiServerToken", "brokerK8sCA", "ceIPSecPSK"))


def submariner(obj: JsonObject) -> Submariner:
    spec = {key: value for key, value in object_at(obj, "spec").items() if key not in SECRET_FIELDS}
    return Submariner(
        ref=ref_of(obj, "Submariner"),
        uid=text_at(obj, "metadata", "uid"),
        resource_version=text_at(obj, "metadata", "resourceVersion"),
        generation=integer_at(obj, "metadata", "generation"),
        deleting=bool(text_at(obj, "metadata", "deletionTimestamp")),
        cluster_id=text_at(obj, "spec", "clusterID") or text_at(obj, "status", "clusterID"),
        version=text_at(obj, "spec", "version") or text_at(obj, "status", "version"),
        repository=text_at(obj, "spec", "repository"),
        spec=spec,
        status_cluster_cidr=text_at(obj, "status", "clusterCIDR"),
        status_service_cidr=text_at(obj, "status", "serviceCIDR"),
        status_global_cidr=text_at(obj, "status", "globalCIDR"),
        network_plugin=text_at(obj, "status", "networkPlugin"),
        created=text_at(obj, "metadata", "creationTimestamp"),
        conditions=conditions_of(obj),
        origin=origin(obj),
    )


def _first_of_family(obj: JsonObject, plural: str, singular: str) -> str:
    """Submariner 0.20 and newer keeps lists (one address per family) beside, later instead of, the singular fields."""
    listed = texts_at(obj, "spec", plural)
    return text_at(obj, "spec", singular) or (listed[0] if listed else "")


def endpoint(obj: JsonObject) -> Endpoint:
    return Endpoint(
        ref=ref_of(obj, "Endpoint"),
        uid=text_at(obj, "metadata", "uid"),
        cluster_id=text_at(obj, "spec", "cluster_id"),
        hostname=text_at(obj, "spec", "hostname"),
        cable_name=text_at(obj, "spec", "cable_name"),
        backend=text_at(obj, "spec", "backend"),
        private_ip=_first_of_family(obj, "privateIPs", "private_ip"),
        public_ip=_first_of_family(obj, "publicIPs", "public_ip"),
        health_check_ip=_first_of_family(obj, "healthCheckIPs", "healthCheckIP"),
        subnets=texts_at(obj, "spec", "subnets"),
        created=text_at(obj, "metadata", "creationTimestamp"),
        nat_enabled=flag_at(obj, "spec", "nat_enabled"),
        backend_config=text_map_at(obj, "spec", "backend_config"),
    )


def submariner_cluster(obj: JsonObject) -> SubmarinerCluster:
    return SubmarinerCluster(
        ref=ref_of(obj, "Cluster"),
        cluster_id=text_at(obj, "spec", "cluster_id"),
        cluster_cidrs=texts_at(obj, "spec", "cluster_cidr"),
        service_cidrs=texts_at(obj, "spec", "service_cidr"),
        global_cidrs=texts_at(obj, "spec", "global_cidr"),
        created=text_at(obj, "metadata", "creationTimestamp"),
    )


def connection(obj: JsonObject) -> Connection:
    peer: dict[str, t.Any] = object_at(obj, "endpoint")
    using_nat = value_at(obj, "usingNAT")
    return Connection(
        cluster_id=text_at(peer, "cluster_id"),
        hostname=text_at(peer, "hostname"),
        subnets=texts_at(peer, "subnets"),
        status=text_at(obj, "status"),
        message=redacted_message(text_at(obj, "statusMessage")),
        using_ip=text_at(obj, "usingIP"),
        latency_average=text_at(obj, "latencyRTT", "average"),
        using_nat=using_nat if isinstance(using_nat, bool) else None,
        latency_last=text_at(obj, "latencyRTT", "last"),
        latency_max=text_at(obj, "latencyRTT", "max"),
    )


def gateway(obj: JsonObject) -> Gateway:
    return Gateway(
        ref=ref_of(obj, "Gateway"),
        ha_status=text_at(obj, "status", "haStatus"),
        status_failure=redacted_message(text_at(obj, "status", "statusFailure")),
        version=text_at(obj, "status", "version"),
        local_subnets=texts_at(obj, "status", "localEndpoint", "subnets"),
        connections=tuple(map(connection, objects_at(value_at(obj, "status"), "connections"))),
        updated_at=_moment(text_at(obj, "metadata", "annotations", UPDATED)),
        private_ips=_private_ips(obj),
    )


def _private_ips(obj: JsonObject) -> tuple[str, ...]:
    single = text_at(obj, "status", "localEndpoint", "private_ip")
    return texts_at(obj, "status", "localEndpoint", "privateIPs") or ((single,) if single else ())


def _moment(text: str) -> str:
    """The annotation holds seconds since 1970 (submariner pkg/cableengine/syncer); anything else stays as it is."""
    try:
        return datetime.datetime.fromtimestamp(int(text), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return text


def remote_endpoint(obj: JsonObject) -> RemoteEndpoint:
    return shared(
        RemoteEndpoint(
            cluster_id=interned(text_at(obj, "spec", "cluster_id")),
            hostname=interned(text_at(obj, "spec", "hostname")),
            subnets=shared(texts_at(obj, "spec", "subnets")),
            health_check_ip=interned(_first_of_family(obj, "healthCheckIPs", "healthCheckIP")),
            status=interned(text_at(obj, "status")),
            message=interned(redacted_message(text_at(obj, "statusMessage"))),
            latency_average=text_at(obj, "latencyRTT", "average"),
        )
    )


def route_agent(obj: JsonObject) -> RouteAgent:
    return RouteAgent(
        ref=ref_of(obj, "RouteAgent"),
        version=interned(text_at(obj, "status", "version")),
        status_failure=redacted_message(text_at(obj, "status", "statusFailure")),
        remote_endpoints=shared(tuple(map(remote_endpoint, objects_at(obj, "status", "remoteEndpoints")))),
    )


def service_discovery(obj: JsonObject) -> ServiceDiscovery:
    custom = object_at(obj, "spec", "coreDNSCustomConfig")
    name = text_at(custom, "configMapName")
    return ServiceDiscovery(
        ref=ref_of(obj, "ServiceDiscovery"),
        version=text_at(obj, "spec", "version"),
        globalnet=flag_at(obj, "spec", "globalnetEnabled"),
        custom_domains=texts_at(obj, "spec", "customDomains"),
        core_dns_config=f"{text_at(custom, 'namespace') or 'kube-system'}/{name}" if name else "",
    )


def broker(obj: JsonObject) -> Broker:
    return Broker(
        ref=ref_of(obj, "Broker"),
        components=texts_at(obj, "spec", "components"),
        globalnet=flag_at(obj, "spec", "globalnetEnabled"),
        global_cidr_range=text_at(obj, "spec", "globalnetCIDRRange"),
    )


def cluster_global_egress_ip(obj: JsonObject) -> GlobalEgressIP:
    return GlobalEgressIP(ref=ref_of(obj, "ClusterGlobalEgressIP"), allocated_ips=texts_at(obj, "status", "allocatedIPs"), conditions=conditions_of(obj))


def global_egress_ip(obj: JsonObject) -> GlobalEgressIP:
    return GlobalEgressIP(ref=ref_of(obj, "GlobalEgressIP"), allocated_ips=texts_at(obj, "status", "allocatedIPs"), conditions=conditions_of(obj))


def service_export(obj: JsonObject) -> ServiceExport:
    return ServiceExport(ref=ref_of(obj, "ServiceExport"), conditions=conditions_of(obj))


def service_import(obj: JsonObject) -> ServiceImport:
    return ServiceImport(
        ref=ref_of(obj, "ServiceImport"),
        type=text_at(obj, "spec", "type"),
        clusters=tuple(text for text in (text_at(entry, "cluster") for entry in objects_at(obj, "status", "clusters")) if text),
    )
