# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submariner's objects besides its spec: gateways, agents, service discovery, Globalnet."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as submariner
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.raw import named

SECRET = "s3cr3t-do-not-keep"


@pytest.mark.parametrize(
    ("annotation", "moment"),
    [("1795258041", "2026-11-21T10:47:21Z"), ("2026-11-21T10:47:21Z", "2026-11-21T10:47:21Z"), ("9" * 30, "9" * 30), ("", "")],
)
def test_time_of_a_gateway(annotation, moment):
    metadata = {"annotations": {"update-timestamp": annotation}}
    assert submariner.gateway(named("one", metadata=metadata)).updated_at == moment


def test_connection():
    raw = {"status": "connecting", "usingNAT": True, "latencyRTT": {"average": "1ms", "last": "2ms", "max": "9ms"}}
    record = submariner.connection(raw)
    assert (record.using_nat, record.latency_last, record.latency_max) == (True, "2ms", "9ms")
    assert submariner.connection({}).using_nat is None


def test_endpoint():
    record = submariner.endpoint(named("one", spec={"nat_enabled": True, "backend_config": {"udp-port": 4500}}))
    assert (record.nat_enabled, record.backend_config) == (True, {"udp-port": "4500"})


def test_submariner_conditions():
    raw = named("submariner", metadata={"creationTimestamp": "t"}, status={"conditions": [{"type": "Ready", "status": "True"}]})
    record = submariner.submariner(raw)
    assert (record.created, record.conditions) == ("t", (Condition("Ready", "True"),))


def test_route_agent():
    remote = {
        "spec": {"cluster_id": "two", "healthCheckIP": "10.42.0.1", "subnets": ["10.42.0.0/16"]},
        "status": "error",
        "statusMessage": "lost",
        "latencyRTT": {"average": "3ms"},
    }
    record = submariner.route_agent(named("node-1", status={"version": "v0.19.0", "statusFailure": "x", "remoteEndpoints": [remote]}))
    assert (record.version, record.status_failure) == ("v0.19.0", "x")
    (found,) = record.remote_endpoints
    assert (found.cluster_id, found.health_check_ip, found.status, found.message, found.latency_average) == ("two", "10.42.0.1", "error", "lost", "3ms")


@pytest.mark.parametrize(
    ("custom", "named_as"),
    [({"configMapName": "dns", "namespace": "ns"}, "ns/dns"), ({"configMapName": "dns"}, "kube-system/dns"), ({}, ""), (None, "")],
)
def test_service_discovery(custom, named_as):
    spec = {"version": "0.19.0", "globalnetEnabled": True, "customDomains": ["a"], "brokerK8sApiServerToken": SECRET, "coreDNSCustomConfig": custom}
    record = submariner.service_discovery(named("service-discovery", spec=spec))
    assert (record.core_dns_config, record.globalnet, record.custom_domains) == (named_as, True, ("a",))
    assert SECRET not in repr(record)


def test_broker():
    record = submariner.broker(named("one", spec={"components": ["connectivity"], "globalnetEnabled": True, "globalnetCIDRRange": "242.0.0.0/8"}))
    assert (record.components, record.globalnet, record.global_cidr_range) == (("connectivity",), True, "242.0.0.0/8")


def test_globalnet():
    raw = named("cluster-egress.submariner.io", status={"allocatedIPs": ["242.0.0.1"], "conditions": [{"type": "Allocated", "status": "True"}]})
    assert submariner.cluster_global_egress_ip(raw).allocated_ips == ("242.0.0.1",)
    assert submariner.cluster_global_egress_ip(raw).ref.kind == "ClusterGlobalEgressIP"
    assert submariner.global_egress_ip(raw).conditions[0].type == "Allocated"


def test_services():
    record = submariner.service_import(named("web", "ns", spec={"type": "ClusterSetIP"}, status={"clusters": [{"cluster": "one"}, {}]}))
    assert (record.type, record.clusters) == ("ClusterSetIP", ("one",))
    assert submariner.service_export(named("web", "ns", status={"conditions": [{"type": "Valid", "status": "False"}]})).conditions[0].status == "False"
