# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How calico-node finds its address, and whether Submariner's devices would be found instead: every method, every way of installing Calico."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection import (
    CAN_REACH,
    CIDR,
    FIRST_FOUND,
    INTERFACE,
    INTERNAL_IP,
    OFF,
    SKIP_INTERFACE,
    Method,
    devices,
    evaluate,
    methods as detection_methods,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import calico_addresses, of_submariner, outside_pools, tunnel_addresses
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, IPV6, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, local_pool, ok, remote_pool

REMOTE = parse_cidrs("10.42.0.0/16").networks


def picks(kind, argument="", *, present=("vx-submariner",), family=IPV4):
    return evaluate(Method(family, kind, argument, Seen("", "", "")), present, REMOTE).picks


class TestEvaluate:
    @pytest.mark.parametrize(
        ("kind", "argument", "expected"),
        [
            (FIRST_FOUND, "", True),
            (INTERNAL_IP, "", False),
            (OFF, "192.168.0.1", False),
            (INTERFACE, "eth0", False),
            (INTERFACE, "eth.*,ens.*", False),
            (INTERFACE, "(^bond0$|^eth0$|^ens6$|^ens3$)", False),
            (INTERFACE, "^v.*", True),
            (INTERFACE, "sub", True),  # patterns match anywhere in the name
            (INTERFACE, "eth0, vx-", True),
            (SKIP_INTERFACE, "^br-.*", True),
            (SKIP_INTERFACE, "vx-submariner,vxlan-tunnel,submariner", False),
            (SKIP_INTERFACE, "^submariner$", True),
            (SKIP_INTERFACE, "docker.*, vx-.*", False),
            (CIDR, "192.168.0.0/16", False),
            (CIDR, "192.168.0.0/16,240.0.0.0/4", True),
            (CIDR, "fd00::/8", False),
            (CAN_REACH, "$(NODEIP)", False),
            (CAN_REACH, "8.8.8.8", False),
            (CAN_REACH, "10.42.7.7", True),  # a remote cluster's: the route agent routes it through vx-submariner
            (CAN_REACH, "240.1.2.3", True),
            (CAN_REACH, "www.example.org", False),
        ],
    )
    def test_method(self, kind, argument, expected):
        assert picks(kind, argument) is expected

    def test_pattern_that_python_cannot_try(self):
        assert picks(INTERFACE, "(?<name") is None

    def test_method_of_a_later_release(self):
        assert picks("by-magic") is None

    def test_cable_of_vxlan_is_a_device_more(self):
        assert picks(SKIP_INTERFACE, "vx-submariner", present=devices("vxlan")) is True
        assert picks(SKIP_INTERFACE, "vx-submariner", present=devices("libreswan")) is False

    def test_devices_have_no_ipv6(self):
        assert picks(FIRST_FOUND, family=IPV6) is False


class TestMethods:
    def of(self, **changes):
        found, unread = detection_methods(cluster(**changes))
        assert unread == ""
        return [(method.family, method.kind, method.argument) for method in found]

    @pytest.mark.parametrize(
        ("written", "kind", "argument"),
        [
            ({"firstFound": True}, FIRST_FOUND, ""),
            ({"kubernetes": "NodeInternalIP"}, INTERNAL_IP, ""),
            ({"interface": "eth.*"}, INTERFACE, "eth.*"),
            ({"skipInterface": "^br-.*"}, SKIP_INTERFACE, "^br-.*"),
            ({"canReach": "8.8.8.8"}, CAN_REACH, "8.8.8.8"),
            ({"cidrs": ["10.0.0.0/8", "172.16.0.0/12"]}, CIDR, "10.0.0.0/8,172.16.0.0/12"),
        ],
    )
    def test_installation(self, written, kind, argument):
        assert self.of(**methods.operator(installations=ok(methods.installation(autodetection=written)))) == [(IPV4, kind, argument)]

    @pytest.mark.parametrize(
        ("provider", "kind", "argument"),
        [("", FIRST_FOUND, ""), ("RKE2", FIRST_FOUND, ""), ("EKS", CAN_REACH, "8.8.8.8"), ("DockerEnterprise", SKIP_INTERFACE, "^br-.*")],
    )
    def test_default_of_the_operator(self, provider, kind, argument):
        assert self.of(**methods.operator(installations=ok(methods.installation(provider, autodetection={}, in_spec=True)))) == [(IPV4, kind, argument)]

    def test_computed_without_a_method_detects_nothing(self):
        assert self.of(**methods.operator(installations=ok(methods.installation(autodetection={})))) == []

    def test_both_families(self):
        computed = {"calicoNetwork": {"nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}, "nodeAddressAutodetectionV6": {"firstFound": True}}}
        assert self.of(**methods.operator(installations=ok(methods.installation(computed=computed)))) == [(IPV4, INTERNAL_IP, ""), (IPV6, FIRST_FOUND, "")]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            (methods.kubespray(), [(IPV4, CAN_REACH, "$(NODEIP)")]),
            (methods.manifest(), [(IPV4, FIRST_FOUND, "")]),
            (methods.canal(), [(IPV4, FIRST_FOUND, "")]),
            (methods.without_operator(methods.calico_node(IP="none")), [(IPV4, OFF, "none")]),
            (methods.without_operator(methods.calico_node(IP="autodetect", IP6="autodetect")), [(IPV4, FIRST_FOUND, ""), (IPV6, FIRST_FOUND, "")]),
            (methods.without_operator(), []),
        ],
    )
    def test_environment(self, changes, expected):
        assert self.of(**changes) == expected

    def test_unread(self):
        found, unread = detection_methods(cluster(**{**methods.manifest(), "daemon_sets": answer(FORBIDDEN)}))
        assert found == ()
        assert "forbidden" in unread


class TestNodeAddresses:
    @pytest.mark.parametrize(
        ("text", "expected"), [("240.168.0.1", True), ("241.0.0.1", True), ("243.255.0.1", True), ("244.0.0.1", False), ("10.0.0.1", False)]
    )
    def test_of_submariner(self, text, expected):
        assert of_submariner(parse_address(text)) is expected

    def test_what_is_no_address_is_none_of_submariner(self):
        node = methods.plain_node(**{"projectcalico.org_IPv4Address": "broken"})
        assert [(entry.value, entry.address) for entry in calico_addresses([node])] == [("broken", None)]
        assert not of_submariner(None)

    def test_tunnels(self):
        node = methods.plain_node(**{"projectcalico.org_IPv4VXLANTunnelAddr": "10.46.1.0", "projectcalico.org_IPv4IPIPTunnelAddr": "10.42.9.9"})
        pools = [local_pool("10.46.0.0/16"), remote_pool("cluster-2", "10.42.0.0/16")]
        assert [entry.value for entry in outside_pools(tunnel_addresses([node]), pools)] == ["10.42.9.9"]
