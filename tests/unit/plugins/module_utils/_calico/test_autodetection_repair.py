# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which families get another method of autodetection, what every address must be then, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection import CAN_REACH, CIDR, INTERFACE, INTERNAL_IP, SKIP_INTERFACE
from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection_repair import Expected, Wanted, repair, wanted_method
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, IPV6, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, ClusterInformation, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, calico_pod, cluster, ok

INTERNAL = Wanted(INTERNAL_IP)
FIRST_FOUND = {"firstFound": True}


def node(name="node-1", address="192.168.0.1/24", internal=("192.168.0.1",), labels=None):
    found = methods.plain_node(name, labels=labels)
    return found._replace(internal_ips=internal, annotations={"projectcalico.org/IPv4Address": address})


def daemon_set(method, **fields):
    env = {"IP": "autodetect", "DATASTORE_TYPE": "kubernetes", **({"IP_AUTODETECTION_METHOD": method} if method else {})}
    found = methods.calico_node(**env)._replace(desired=2, updated=2, generation=1, observed_generation=1)
    return found._replace(**fields)


def pod(node_name):
    found = calico_pod(node_name)
    return found._replace(ref=Ref("Pod", f"calico-node-{node_name}", "kube-system"), labels={"k8s-app": "calico-node"}, owner="DaemonSet/calico-node")


def manifest(method="", nodes=(node(),), pods=None, **changes):
    fields = changes.pop("fields", {})
    pods = [pod(each.ref.name) for each in nodes] if pods is None else pods
    return cluster(**methods.without_operator(daemon_set(method, **fields), nodes=ok(*nodes), pods=ok(*pods), **changes))


class TestWanted:
    @pytest.mark.parametrize(
        ("wanted", "variable", "field"),
        [
            (INTERNAL, "kubernetes-internal-ip", {"kubernetes": "NodeInternalIP"}),
            (Wanted(SKIP_INTERFACE, "vx-.*"), "skip-interface=vx-.*", {"skipInterface": "vx-.*"}),
            (Wanted(CAN_REACH, "10.0.0.1"), "can-reach=10.0.0.1", {"canReach": "10.0.0.1"}),
            (Wanted(INTERFACE, "eth.*"), "interface=eth.*", {"interface": "eth.*"}),
            (Wanted(CIDR, "10.0.0.0/8,fd00::/8"), "cidr=10.0.0.0/8,fd00::/8", {"cidrs": ["10.0.0.0/8"]}),
        ],
    )
    def test_spelling(self, wanted, variable, field):
        assert (wanted.variable, wanted.field(IPV4)) == (variable, field)

    def test_cidrs_of_one_family(self):
        assert Wanted(CIDR, "10.0.0.0/8,fd00::/8").of_family(IPV6) == Wanted(CIDR, "fd00::/8")

    @pytest.mark.parametrize(
        ("kind", "arguments", "reason"),
        [
            (SKIP_INTERFACE, {}, "needs option skip_interface"),
            (CIDR, {}, "needs option cidrs"),
            (INTERNAL_IP, {INTERFACE: "eth0"}, "interface was given"),
            (CIDR, {CIDR: "10.0.0.0/33"}, "cidrs:"),
            (CIDR, {CIDR: "240.0.0.0/4"}, "no remedy"),
            (INTERFACE, {INTERFACE: "vx-"}, "no remedy"),
            (INTERFACE, {INTERFACE: "("}, "no remedy"),
            (SKIP_INTERFACE, {SKIP_INTERFACE: "^vx-submariner$"}, "no remedy"),  # a gateway may have vxlan-tunnel one day
            (CAN_REACH, {CAN_REACH: "240.0.0.1"}, "no remedy"),
        ],
    )
    def test_what_cannot_be_right(self, kind, arguments, reason):
        with pytest.raises(InputError, match=reason):
            wanted_method(kind, arguments)

    def test_good_ones(self):
        assert wanted_method(INTERNAL_IP, {SKIP_INTERFACE: ""}) == INTERNAL
        assert wanted_method(SKIP_INTERFACE, {SKIP_INTERFACE: "^vx-,^vxlan-tunnel"}) == Wanted(SKIP_INTERFACE, "^vx-,^vxlan-tunnel")


class TestRepair:
    def test_first_found_is_replaced(self):
        todo = repair(manifest(), INTERNAL)
        assert [method.kind for method in todo.change] == ["first-found"] and todo.restart == () and not todo.pending
        assert todo.expected == (Expected("node-1", IPV4, (parse_address("192.168.0.1"),)),)

    @pytest.mark.parametrize("method", ["can-reach=$(NODEIP)", "interface=eth0", "skip-interface=vx-submariner", "cidr=192.168.0.0/16"])
    def test_what_cannot_find_submariner_is_left_alone(self, method):
        todo = repair(manifest(method), INTERNAL)
        assert (todo.change, todo.keep, todo.restart, todo.pending) == ((), (), (), False)

    def test_unless_its_family_is_named(self):
        todo = repair(manifest("interface=eth0"), INTERNAL, (IPV4,))
        assert [method.kind for method in todo.change] == [INTERFACE]
        assert repair(manifest("kubernetes-internal-ip"), INTERNAL, (IPV4,)).change == ()

    def test_the_wanted_method_is_looked_after(self):
        assert [method.kind for method in repair(manifest("kubernetes-internal-ip"), INTERNAL).keep] == [INTERNAL_IP]

    def test_only_nodes_that_run_calico_count(self):
        nodes = (node(), node("node-2", internal=()))
        assert [entry.node for entry in repair(manifest(nodes=nodes, pods=[pod("node-1")]), INTERNAL).expected] == ["node-1"]

    def test_a_wrong_address_with_the_right_method_is_a_restart_gateways_last(self):
        gateway = node("a", "240.0.0.1/8", labels={"submariner.io/gateway": "true"})
        todo = repair(manifest("kubernetes-internal-ip", nodes=(gateway, node("b", "240.0.0.2/8"), node("c"))), INTERNAL)
        assert [each.node for each in todo.restart] == ["b", "a"] and todo.change == ()

    @pytest.mark.parametrize("fields", [{"updated": 1}, {"observed_generation": 0}])
    def test_but_not_while_a_rollout_does_it(self, fields):
        todo = repair(manifest("kubernetes-internal-ip", nodes=(node("b", "240.0.0.2/8"),), fields=fields), INTERNAL)
        assert todo.restart == () and todo.pending

    def test_nor_before_the_operator_has_brought_the_method_into_the_daemon_set(self):
        running = daemon_set("first-found")._replace(ref=Ref("DaemonSet", "calico-node", "calico-system"))
        own = pod("b")._replace(ref=Ref("Pod", "calico-node-b", "calico-system"))
        changes = methods.operator(daemon_sets=ok(running), nodes=ok(node("b", "240.0.0.2/8")), pods=ok(own))
        todo = repair(cluster(**changes), INTERNAL)
        assert todo.change == () and todo.restart == () and todo.pending

    @pytest.mark.parametrize(
        ("snapshot", "wanted", "families", "reason"),
        [
            (manifest(nodes=(node(internal=()),)), INTERNAL, (), "has no InternalIP"),
            (manifest(nodes=(node(internal=("fd00::1",)),)), INTERNAL, (), "has no InternalIP"),
            (manifest(), Wanted(CIDR, "fd00::/8"), (), "none of the cidrs is ipv4"),
            (manifest(), INTERNAL, (IPV6,), "has no ipv6 here"),
            (manifest("by-magic"), INTERNAL, (), "'by-magic' is no method that is known here"),
            (manifest(cluster_informations=ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.16.1", ""))), INTERNAL, (), "does not know"),
            (cluster(**{**methods.manifest(), "pods": answer(FORBIDDEN)}), INTERNAL, (), "the pods could not be read"),
            (cluster(**{**methods.manifest(), "daemon_sets": answer(FORBIDDEN)}), INTERNAL, (), "could not be read"),
            (cluster(**methods.without_operator()), INTERNAL, (), "nothing tells"),
        ],
    )
    def test_refused(self, snapshot, wanted, families, reason):
        with pytest.raises(RefusedError, match=reason):
            repair(snapshot, wanted, families)

    def test_an_unknown_method_can_be_replaced_by_name(self):
        assert [method.kind for method in repair(manifest("by-magic"), INTERNAL, (IPV4,)).change] == ["by-magic"]


@pytest.mark.parametrize(
    ("expected", "value", "wrong"),
    [
        (Expected("n", IPV4, (parse_address("10.0.0.1"),)), "10.0.0.1/24", ""),
        (Expected("n", IPV4, (parse_address("10.0.0.1"),)), "10.0.0.2/24", "instead of 10.0.0.1"),
        (Expected("n", IPV4, (parse_address("10.0.0.1"),)), "240.0.0.2/8", "an address of Submariner's"),
        (Expected("n", IPV4, None), "10.0.0.2/24", ""),
        (Expected("n", IPV4, None), "241.0.0.2/8", "an address of Submariner's"),
        (Expected("n", IPV4, None, parse_cidrs("10.0.0.0/8").networks), "11.0.0.2/24", "in none of 10.0.0.0/8"),
        (Expected("n", IPV4, None), "", "has no projectcalico.org/IPv4Address"),
        (Expected("n", IPV6, None), "10.0.0.1", "has no projectcalico.org/IPv6Address"),
    ],
)
def test_expected(expected, value, wrong):
    said = expected.lacks({"projectcalico.org/IPv4Address": value})
    assert (wrong in said) if wrong else said == ""
