# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes are fit, before they are in a cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, WIREGUARD
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_fitness import FIT, UNFIT, UNKNOWN, judge_nodes, without_document
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_fitness_words import lines, placement
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_modules import judge_modules, needs
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import DATA_PLANES, NodePlan
from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import all_modules
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    BUILT_IN,
    LOADABLE,
    LOADED,
    MISSING,
    Clock,
    Conntrack,
    HostService,
    Listener,
    NetworkManager,
    NodeHost,
    NodeRoute,
    NodeRule,
    System,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.node_hosts import blind, drop, host, link

PLAN = NodePlan(tunnels=(VXLAN,), cable="libreswan", calico="v3.31.5")


def bare(name="node-1", **changes):
    """A host before any cluster: its own links, no connections tracked yet."""
    fields = {
        "links": (link("lo", 65536, address="127.0.0.1/8"), link("eth0", 1500, address="192.168.0.1/24", index=2, driver="virtio_net")),
        "routes": (NodeRoute("default", via="192.168.0.254", device="eth0"),),
        "rules": (),
        "conntrack": Conntrack(),
        "listeners": (),
        "cluster": "cluster-1",
    }
    return host(name, **{**fields, **changes})


def fitness(*hosts, plan=PLAN, **more):
    return judge_nodes(hosts, plan, **more)


def without(*names, state=MISSING, **changes):
    made = bare(**changes)
    return made._replace(modules={**made.modules, **dict.fromkeys(names, state)})


class TestVerdict:
    def test_fit(self):
        found = fitness(bare())[0]
        assert (found.verdict, found.reasons, found.unknown) == (FIT, (), ())
        assert lines([found]) == ["fit: node-1"] and placement([found]) == {}

    def test_a_kernel_without_ip_set_keeps_calico_off(self):
        found = fitness(without("ip_set", name="jetson-1"), bare())
        assert [entry.verdict for entry in found] == [UNFIT, FIT]
        assert placement(found) == {
            "cluster-1": {"calico_node_placement_nodes": ["jetson-1"], "calico_node_placement_mode": "exclude", "calico_node_placement_state": "present"}
        }
        assert lines(found)[:2] == [
            "jetson-1 of cluster-1: unfit",
            "  error: lacks kernel module ip_set (Calico's iptables data plane needs sets of addresses); keep calico-node off it",
        ]

    @pytest.mark.parametrize("name", ["esp4", "xfrm_user", "xt_TCPMSS"])
    def test_what_submariner_alone_needs_does_not_keep_calico_off(self, name):
        found = fitness(without(name))
        assert found[0].verdict == UNFIT and placement(found) == {}

    def test_what_a_role_repairs_does_not_keep_calico_off(self):
        made = without("vxlan", state=LOADABLE)._replace(modules_barred={"vxlan": "/etc/modprobe.d/x.conf: blacklist vxlan"})
        found = fitness(made._replace(sysctls={"net.ipv4.ip_forward": "0"}))
        assert found[0].verdict == UNFIT and placement(found) == {}
        assert {reason.role for reason in found[0].reasons} == {"node_modules", "node_sysctl"}
        assert any(line.endswith("role node_sysctl repairs it") for line in lines(found))

    def test_an_architecture_without_images(self):
        assert placement(fitness(bare(system=System("6.1.0", architecture="armv7l"))))["cluster-1"]["calico_node_placement_nodes"] == ["node-1"]
        assert placement(fitness(bare(system=System("6.1.0", architecture="s390x")))) == {}

    @pytest.mark.parametrize("changes, role", [
        ({"network_manager": NetworkManager("active", ("interface-name:cali*",))}, "node_network_manager"),
        ({"services": (HostService("nm-cloud-setup.timer", "active", True),)}, "node_network_manager"),
        ({"links": (link("eth0", 1500, address="192.168.0.1/24", driver="vmxnet3"),)}, "node_offload"),
    ])  # fmt: skip
    def test_remarks_name_their_role(self, changes, role):
        assert role in {reason.role for reason in fitness(bare(**changes))[0].reasons}

    def test_another_mtu_than_the_others(self):
        jumbo = bare("node-3", links=(link("eth0", 9000, address="192.168.0.3/24"),))
        found = {entry.node: entry for entry in fitness(bare(), bare("node-2"), jumbo)}
        assert found["node-1"].reasons == () and found["node-3"].verdict == FIT
        assert [(reason.what, reason.role) for reason in found["node-3"].reasons] == [("has an MTU of 9000 on eth0, and most nodes 1500", "node_link_mtu")]

    def test_ports_of_the_cable_on_gateways_alone(self):
        strongswan = bare(listeners=(Listener("udp", "0.0.0.0", 4500), Listener("udp", "0.0.0.0", 500)))
        assert fitness(strongswan)[0].verdict == FIT
        assert fitness(strongswan, gateways=["node-1"])[0].verdict == UNFIT
        closed = bare(firewall=(drop(protocol="udp", ports=("4500",)),))
        assert [fitness(closed, gateways=names)[0].verdict for names in ([], ["node-1"])] == [FIT, UNFIT]

    def test_an_address_in_the_range_of_pods(self):
        reasons = fitness(bare(), pod_cidrs=["192.168.0.0/16"])[0].reasons
        assert [reason.what for reason in reasons] == ["has an address of the pods' range on eth0"]
        assert fitness(bare(), pod_cidrs=["10.46.0.0/16"])[0].verdict == FIT

    def test_calicos_own_interfaces_may_lie_in_it(self):
        assert fitness(host(), plan=PLAN._replace(running=True), pod_cidrs=["10.46.0.0/16"])[0].verdict == FIT

    def test_what_could_not_be_seen_is_unknown_unless_it_is_unfit_anyway(self):
        shy = bare(**blind("firewall", why="only root"))
        assert (fitness(shy)[0].verdict, fitness(shy)[0].unknown) == (UNKNOWN, ("firewall: only root",))
        assert fitness(shy._replace(sysctls={"net.ipv4.ip_forward": "0"}))[0].verdict == UNFIT
        assert "  not known: firewall: only root" in lines(fitness(shy))

    def test_what_would_be_a_remark_does_not_make_it_unknown(self):
        names = ("nm-cloud-setup.service", "nm-cloud-setup.timer", "firewalld", "ufw")
        changes = {"services": tuple(HostService(name) for name in names), "network_manager": NetworkManager(), "routes": ()}
        without_systemd = bare(**changes, **blind("services", "network_manager.state", why="there is no program systemctl"))
        found = fitness(without_systemd)[0]
        assert found.verdict == FIT and "services: there is no program systemctl" in found.unknown and lines([found]) == ["fit: node-1"]
        assert fitness(without_systemd._replace(rules=(NodeRule(30400, "30400"),)))[0].verdict == UNKNOWN
        shy = without_systemd._replace(unseen=(*without_systemd.unseen, *blind("firewall")["unseen"]))
        assert fitness(shy)[0].verdict == UNKNOWN and fitness(shy)[0].unknown[0] == "firewall: permission denied"

    @pytest.mark.parametrize("offset, verdict, severities", [(3.0, FIT, []), (30.0, FIT, ["warning"]), (-120.0, UNFIT, ["error"])])
    def test_a_clock(self, offset, verdict, severities):
        found = fitness(bare(clock=Clock(True, offset, 1.0)))[0]
        assert (found.verdict, [reason.severity for reason in found.reasons]) == (verdict, severities)

    @pytest.mark.parametrize("value, wanted, verdict", [("1", True, UNFIT), ("0", True, FIT), ("1", False, FIT)])
    def test_ipv6_that_is_switched_off(self, value, wanted, verdict):
        made = bare(sysctls={"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1", "net.ipv6.conf.all.disable_ipv6": value})
        found = fitness(made, plan=PLAN._replace(ipv6=wanted))[0]
        assert found.verdict == verdict
        if verdict == UNFIT:
            assert [(reason.what, reason.role) for reason in found.reasons] == [("has IPv6 switched off: net.ipv6.conf.all.disable_ipv6 is 1", "node_sysctl")]

    def test_an_empty_document_is_unknown(self):
        assert fitness(NodeHost("node-1"))[0].verdict == UNKNOWN

    def test_no_document(self):
        found = without_document("node-9", "cluster-1", "not reached")
        assert lines([found]) == ["node-9 of cluster-1: unknown", "  not known: not reached"] and placement([found]) == {}

    def test_without_calico_and_submariner_little_is_needed(self):
        nothing = NodePlan("", tunnels=(VXLAN,))
        assert needs(nothing) == () and fitness(without(*all_modules()), plan=nothing)[0].verdict == FIT


class TestNeeds:
    @given(st.sampled_from(DATA_PLANES), st.sets(st.sampled_from((VXLAN, IPIP, WIREGUARD))), st.sampled_from(("", "libreswan", "wireguard", "vxlan")))
    def test_every_need_is_asked_for_by_node_info_and_has_a_reason(self, plane, tunnels, cable):
        found = needs(NodePlan(plane, tuple(sorted(tunnels)), cable))
        assert found and len({need.any_of for need, _why in found}) == len(found)
        assert {name for need, _why in found for alternative in need.any_of for name in alternative} <= set(all_modules())
        assert all(why.startswith(("Calico's", "Submariner's")) for _need, why in found)

    @given(st.dictionaries(st.sampled_from(all_modules()), st.sampled_from((LOADED, BUILT_IN, LOADABLE, MISSING))), st.sampled_from(DATA_PLANES))
    def test_a_module_more_never_makes_a_node_less_fit(self, states, plane):
        plan = PLAN._replace(data_plane=plane)
        made = bare()._replace(modules={**dict.fromkeys(all_modules(), MISSING), **states})
        name = next((name for name, state in made.modules.items() if state == MISSING), "vxlan")
        better = made._replace(modules={**made.modules, name: LOADED})
        lacking = [{key for flaw in judge_modules(each, plan) for key in flaw.keys} for each in (made, better)]
        assert name not in lacking[1] and len(lacking[1]) <= len(lacking[0])
