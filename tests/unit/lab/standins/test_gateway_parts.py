# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway publishes, which cables it keeps, and what the broker copies."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

import pytest

from tests.lab.standins import _objects as objects
from tests.lab.standins._cables import CableEngine
from tests.lab.standins.broker import overlapping, to_broker, to_member, without_unseen
from tests.lab.standins.submariner_gateway import SubmarinerGateway

Object = dict[str, t.Any]


def gateway_pod(**env: str) -> Object:
    variables = {
        "SUBMARINER_CLUSTERID": "alpha",
        "SUBMARINER_CLUSTERCIDR": "10.46.0.0/24",
        "SUBMARINER_SERVICECIDR": "10.45.0.0/16",
        "SUBMARINER_HEALTHCHECKENABLED": "false",
        "AIR_GAPPED_DEPLOYMENT": "true",
        **env,
    }
    container = {"image": "x:0.18.1", "env": [{"name": name, "value": value} for name, value in variables.items()]}
    return {"metadata": {"name": "p", "labels": {"app": "submariner-gateway"}}, "spec": {"containers": [container]}}


def node(annotations: dict[str, str] | None = None, pod_cidr: str = "10.46.0.0/24", labels: dict[str, str] | None = None) -> Object:
    return {
        "metadata": {"name": "alpha-1", "annotations": annotations or {}, "labels": labels or {}},
        "spec": {"podCIDR": pod_cidr},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.168.46.11"}]},
    }


TUNNEL = {"projectcalico.org/IPv4VXLANTunnelAddr": "10.46.182.64"}


def test_the_endpoint_of_a_gateway() -> None:
    spec = objects.local_endpoint(gateway_pod(), node(TUNNEL))
    assert spec["subnets"] == ["10.45.0.0/16", "10.46.0.0/24"]
    assert spec["cable_name"] == "submariner-cable-alpha-192-168-46-11"
    assert objects.endpoint_name(spec) == "alpha-submariner-cable-alpha-192-168-46-11"
    assert spec["backend_config"] == {"udp-port": "4500", "natt-discovery-port": "4490", "preferred-server": "false"}
    assert spec["public_ip"] == "" and "healthCheckIP" not in spec


def test_with_globalnet_only_the_global_cidr_is_published() -> None:
    assert objects.local_endpoint(gateway_pod(SUBMARINER_GLOBALCIDR="242.0.0.0/16"), node())["subnets"] == ["242.0.0.0/16"]


def test_a_health_check_needs_an_address_inside_the_pod_cidr() -> None:
    with pytest.raises(objects.EndpointError) as error:
        objects.local_endpoint(gateway_pod(SUBMARINER_HEALTHCHECKENABLED="true"), node(TUNNEL))
    assert str(error.value) == (
        'error getting CNI Interface IP address: unable to find CNI Interface on the host which has IP from ["10.46.0.0/24"].'
        "Please disable the health check if your CNI does not expose a pod IP on the nodes"
    )
    wide = gateway_pod(SUBMARINER_HEALTHCHECKENABLED="true", SUBMARINER_CLUSTERCIDR="10.46.0.0/16")
    assert objects.local_endpoint(wide, node(TUNNEL))["healthCheckIP"] == "10.46.182.64"


@pytest.mark.parametrize(
    ("annotations", "cidr", "expected"),
    [
        ({}, "10.46.0.0/24", "10.46.0.1"),
        ({"projectcalico.org/IPv4Address": "192.168.46.11/24"}, "10.46.0.0/24", ""),
        ({"projectcalico.org/IPv4IPIPTunnelAddr": "10.46.9.1"}, "10.46.0.0/16", "10.46.9.1"),
        (TUNNEL, "192.168.0.0/16", "192.168.46.11"),
        (TUNNEL, "", ""),
        (TUNNEL, "nonsense,10.46.0.0/16", "10.46.182.64"),
    ],
)
def test_the_address_that_counts_as_the_cnis(annotations: dict[str, str], cidr: str, expected: str) -> None:
    assert objects.cni_address(node(annotations), cidr) == expected


def test_an_unknown_gateway_annotation_is_fatal() -> None:
    with pytest.raises(objects.EndpointError, match='unknown config annotation "gateway.submariner.io/mtu" on node "alpha-1"'):
        objects.local_endpoint(gateway_pod(), node({"gateway.submariner.io/mtu": "1400"}))


def test_known_gateway_settings_come_from_labels_and_then_annotations() -> None:
    labels = {"gateway.submariner.io/udp-port": "4501", "gateway.submariner.io/public-ip": "ipv4:9.9.9.9"}
    spec = objects.local_endpoint(gateway_pod(AIR_GAPPED_DEPLOYMENT="false"), node({"gateway.submariner.io/udp-port": "4502"}, labels=labels))
    assert spec["backend_config"]["udp-port"] == "4502" and spec["public_ip"] == "9.9.9.9"


def test_subnets_do_not_make_another_endpoint() -> None:
    one, other = (objects.local_endpoint(gateway_pod(SUBMARINER_CLUSTERCIDR=cidr), node()) for cidr in ("10.46.0.0/24", "10.46.0.0/16"))
    assert one != other and objects.same_endpoint(one, other)
    assert not objects.same_endpoint(one, {**other, "hostname": "alpha-2"})


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (["10.42.0.0/16"], ["10.42.7.0/24"], True),
        (["10.42.0.0/24"], ["10.42.1.0/24"], False),
        (["fd00::/48"], ["10.0.0.0/8"], False),
        (["rubbish", "10.0.0.0/8"], ["10.1.0.0/16"], True),
        ([], ["10.1.0.0/16"], False),
    ],
)
def test_overlap(left: list[str], right: list[str], expected: bool) -> None:
    assert objects.overlap(left, right) is expected and objects.overlap(right, left) is expected


def remote(pods: str, *, cluster: str = "bravo", uid: str = "1", born: str = "2026-01-01T00:00:00Z", address: str = "192.168.42.11", **more: t.Any) -> Object:
    spec = {
        "cluster_id": cluster,
        "cable_name": f"cable-{cluster}",
        "subnets": ["10.43.0.0/16", pods],
        "private_ip": address,
        "public_ip": "",
        "nat_enabled": False,
        "backend_config": {"udp-port": "4500"},
        **more,
    }
    return {"metadata": {"uid": uid, "creationTimestamp": born}, "spec": spec}


LOCAL: Object = {"cluster_id": "alpha", "nat_enabled": False}


def selectors(engine: CableEngine) -> list[str]:
    return [each["endpoint"]["subnets"][1] for each in engine.connections(lambda endpoint: True)]


def test_a_cable_keeps_its_selectors_when_only_the_subnets_change() -> None:
    engine = CableEngine(LOCAL)
    assert engine.observe([remote("10.42.0.0/24"), remote("10.46.0.0/24", cluster="alpha")]) == (["cable-bravo"], [])
    assert engine.observe([remote("10.42.0.0/16")]) == ([], [])
    assert selectors(engine) == ["10.42.0.0/24"]


@pytest.mark.parametrize(
    "changed",
    [remote("10.42.0.0/16", uid="2", born="2026-01-01T00:00:05Z"), remote("10.42.0.0/16", uid="2"), remote("10.42.0.0/16", address="192.168.42.12")],
    ids=["recreated", "recreated within a second", "moved"],
)
def test_a_recreated_or_moved_endpoint_gets_a_new_cable(changed: Object) -> None:
    engine = CableEngine(LOCAL)
    engine.observe([remote("10.42.0.0/24")])
    assert engine.observe([changed])[0] == ["cable-bravo"]
    assert selectors(engine) == ["10.42.0.0/16"]


def test_a_removed_endpoint_ends_its_cable() -> None:
    engine = CableEngine(LOCAL)
    engine.observe([remote("10.42.0.0/24")])
    assert engine.observe([]) == ([], ["cable-bravo"])
    assert selectors(engine) == []


def test_an_adopted_cable_is_as_old_as_the_gateway_object_says() -> None:
    engine = CableEngine(LOCAL)
    engine.adopt([{"endpoint": remote("10.42.0.0/24")["spec"]}, {"endpoint": remote("10.9.0.0/24", cluster="gone")["spec"]}], [remote("10.42.0.0/16")])
    assert engine.observe([remote("10.42.0.0/16")]) == ([], [])
    assert selectors(engine) == ["10.42.0.0/24"]


def test_without_health_check_every_cable_is_connected() -> None:
    engine = CableEngine(LOCAL)
    engine.observe([remote("10.42.0.0/24", healthCheckIP="10.42.9.9")])
    (connection,) = engine.connections(lambda endpoint: False)
    assert (connection["status"], connection["statusMessage"], connection["usingIP"]) == ("connected", "", "192.168.42.11")
    assert "latencyRTT" not in connection


@pytest.mark.parametrize(("alive", "status"), [(True, "connected"), (False, "error")])
def test_with_health_check_pings_decide(alive: bool, status: str) -> None:
    engine = CableEngine({**LOCAL, "healthCheckIP": "10.46.182.64"})
    engine.observe([remote("10.42.0.0/24", healthCheckIP="10.42.9.9")])
    (connection,) = engine.connections(lambda endpoint: alive)
    assert connection["status"] == status and ("latencyRTT" in connection) is alive
    assert connection["statusMessage"] == ("" if alive else 'Failed to successfully ping the remote endpoint IP "10.42.9.9"')


def test_through_nat_the_public_address_is_used() -> None:
    engine = CableEngine({**LOCAL, "nat_enabled": True})
    engine.observe([remote("10.42.0.0/24", public_ip="203.0.113.11")])
    (connection,) = engine.connections(lambda endpoint: True)
    assert (connection["usingIP"], connection["usingNAT"]) == ("203.0.113.11", True)


def endpoint(cluster: str, subnet: str, label: str = "") -> Object:
    labels = {objects.CLUSTER_ID_LABEL: label} if label else {}
    metadata = {"name": f"{cluster}-cable", "uid": cluster, "resourceVersion": "7", "labels": labels}
    return {"apiVersion": "submariner.io/v1", "kind": "Endpoint", "metadata": metadata, "spec": {"cluster_id": cluster, "subnets": [subnet]}}


def test_own_objects_go_to_the_broker_with_the_clusters_label() -> None:
    (change,) = to_broker("alpha", [endpoint("alpha", "10.46.0.0/24"), endpoint("bravo", "10.42.0.0/24", "bravo")], [])
    assert change.verb == "create"
    assert change.obj["metadata"] == {"name": "alpha-cable", "labels": {objects.CLUSTER_ID_LABEL: "alpha"}}


def test_others_come_from_the_broker() -> None:
    broker = [endpoint("alpha", "10.46.0.0/24", "alpha"), endpoint("bravo", "10.42.0.0/24", "bravo")]
    changes = to_member("alpha", [endpoint("alpha", "10.46.0.0/24")], broker)
    assert [(each.verb, each.obj["metadata"]["name"]) for each in changes] == [("create", "bravo-cable")]


def test_changes_are_made_in_place() -> None:
    (change,) = to_broker("alpha", [endpoint("alpha", "10.46.0.0/16")], [endpoint("alpha", "10.46.0.0/24", "alpha")])
    assert change.verb == "replace" and change.obj["metadata"]["resourceVersion"] == "7"
    assert change.obj["spec"]["subnets"] == ["10.46.0.0/16"]


def test_removals_follow_in_both_directions_and_nothing_is_written_twice() -> None:
    copies = [endpoint("alpha", "10.46.0.0/24", "alpha"), endpoint("bravo", "10.42.0.0/24", "bravo")]
    assert [each.verb for each in to_broker("alpha", [], copies)] == ["delete"]
    assert [each.verb for each in to_member("alpha", copies[1:], copies[:1])] == ["delete"]
    local = [endpoint("alpha", "10.46.0.0/24"), copies[1]]
    assert to_broker("alpha", local, copies) == [] and to_member("alpha", local, copies) == []


def test_only_a_gateway_that_starts_removes_a_copy_whose_original_it_never_saw() -> None:
    changes = to_member("alpha", [endpoint("bravo", "10.42.0.0/24", "bravo")], [])
    assert [each.verb for each in without_unseen(changes, None)] == ["delete"]
    assert without_unseen(changes, {"bravo-cable"}) == changes
    assert without_unseen(changes, {"another"}) == []
    arriving = to_member("alpha", [], [endpoint("bravo", "10.42.0.0/24", "bravo")])
    assert without_unseen(arriving, set()) == arriving


def test_an_overlapping_endpoint_neither_comes_in_nor_goes() -> None:
    local = [endpoint("alpha", "10.46.0.0/16"), endpoint("bravo", "10.42.0.0/24", "bravo")]
    broker = [endpoint("alpha", "10.46.0.0/16", "alpha"), endpoint("bravo", "10.46.9.0/24", "bravo")]
    skipped = {each["metadata"]["name"] for each in overlapping("alpha", local, broker)}
    assert skipped == {"bravo-cable"}
    assert to_member("alpha", local, broker, skipped) == []


def test_gateways_that_rest_go_on_reporting_where_their_pod_is_ready() -> None:
    """As submariner pkg/cableengine/syncer/syncer.go does every 5 s; one whose pod is not Ready, and what is left of one that is gone, are silent."""
    annotated = {"update-timestamp": "1"}
    records = [{"metadata": {"name": name, "annotations": annotated}} for name in ("alpha-1", "alpha-2", "gone")] + [{"metadata": {"name": "alpha-3"}}]
    written: list[str] = []
    client = types.SimpleNamespace(list=lambda path: records, merge_patch=lambda path, patch: written.append(path.rpartition("/")[2]))
    cluster = types.SimpleNamespace(name="alpha", client=lambda name: client, dir=Path("nowhere"))
    gateways = SubmarinerGateway(Path("lab"), t.cast("t.Any", cluster), t.cast("t.Any", types.SimpleNamespace(clusters=(), time_scale=1.0)))
    pods = [_resting(name, ready=name != "alpha-2") for name in ("alpha-1", "alpha-2", "alpha-3")]
    assert [gateways._beat(pods, now) for now in (10.0, 12.0, 15.0)] == [5.0, 3.0, 5.0]  # pylint: disable=protected-access
    assert written == ["alpha-1", "alpha-1"]


def _resting(name: str, *, ready: bool) -> Object:
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    return {"metadata": {"name": f"gateway-{name}", "uid": name}, "spec": {"nodeName": name}, "status": {"phase": "Running", "conditions": [condition]}}
