# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiers, policies and rules against flows from and to remote clusters."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_evaluation import (
    ALLOWED,
    DROPPED,
    evaluate,
    selection,
    together,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, MOST_PARTS, TCP, UDP, Entity, parts, pod_entity
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import collapse, covers, overlap
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.policies import (
    LOCAL,
    REMOTE,
    SHOP,
    gnp,
    into,
    network_set,
    np,
    out_of,
    rules,
    tier,
)

ALLOW_REMOTE = {"action": "Allow", "source": {"nets": ["10.42.0.0/16"]}}
DENY = {"action": "Deny"}


def outcome(flow, *policies, **context):
    everything = rules(*policies, **context)
    pod = flow.destination if flow.direction == INGRESS else flow.source
    return evaluate(selection(policies, pod, flow.direction).certain, flow, everything)


class TestRules:
    def test_no_policy(self):
        assert outcome(into()).is_allowed

    def test_default_deny_names_itself(self):
        found = outcome(into(), gnp("default-deny", types=("Ingress", "Egress")))
        assert found.is_dropped
        assert found.dropped_by == ("GlobalNetworkPolicy default-deny: no rule allows it",)

    def test_other_direction(self):
        assert outcome(out_of(), gnp("default-deny", ingress=[])).is_allowed

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ({}, {ALLOWED}),
            ({"source": {"nets": ["10.42.0.0/16"]}}, {ALLOWED}),
            ({"source": {"nets": ["0.0.0.0/0"]}}, {ALLOWED}),
            ({"source": {"nets": ["10.42.0.0/17", "10.42.128.0/17"]}}, {ALLOWED}),
            ({"source": {"nets": ["10.43.0.0/16"]}}, {DROPPED}),
            ({"source": {"nets": ["fd00::/8"]}}, {DROPPED}),
            ({"source": {"nets": ["nonsense"]}}, {DROPPED}),
            ({"source": {"notNets": ["10.42.0.0/16"]}}, {DROPPED}),
            ({"source": {"notNets": ["10.43.0.0/16"]}}, {ALLOWED}),
            ({"source": {"selector": "all()"}}, {DROPPED}),
            ({"source": {"namespaceSelector": "all()"}}, {DROPPED}),
            ({"source": {"notSelector": "has(app)"}}, {ALLOWED}),
            ({"source": {"serviceAccounts": {"names": ["x"]}}}, {DROPPED}),
            ({"protocol": "TCP"}, {ALLOWED}),
            ({"protocol": 6}, {ALLOWED}),
            ({"protocol": "UDP"}, {DROPPED}),
            ({"notProtocol": "UDP"}, {ALLOWED}),
            ({"notProtocol": "TCP"}, {DROPPED}),
            ({"ipVersion": 4}, {ALLOWED}),
            ({"ipVersion": 6}, {DROPPED}),
            ({"icmp": {"type": 8}, "protocol": "ICMP"}, {DROPPED}),
            ({"protocol": "TCP", "destination": {"ports": [80]}}, {ALLOWED, DROPPED}),
            ({"destination": {"nets": ["10.46.0.0/16"]}}, {ALLOWED}),
            ({"destination": {"nets": ["10.47.0.0/16"]}}, {DROPPED}),
            ({"destination": {"selector": "projectcalico.org/namespace == 'shop'"}}, {ALLOWED}),
            ({"destination": {"namespaceSelector": "team == 'b'"}}, {DROPPED}),
            ({"action": "Deny"}, {DROPPED}),
            ({"action": "Log"}, {DROPPED}),
        ],
    )
    def test_one_rule_of_a_global_policy(self, rule, expected):
        found = outcome(into(), gnp("one", ingress=[{"action": "Allow", **rule}]))
        assert found.possible == expected
        assert found.unknown == ()

    @pytest.mark.parametrize(
        ("rule", "says"),
        [
            ({"source": {"domains": ["example.com"]}}, "domains"),
            ({"source": {"services": {"name": "web", "namespace": "shop"}}}, "Service"),
            ({"http": {"methods": ["GET"]}}, "HTTP"),
            ({"source": {"ports": [1000]}}, "client's port"),
            ({"source": {"selector": "broken ="}}, "character"),
            ({"destination": {"selector": "app == 'web'"}}, "labels of single pods"),
            ({"source": {"nets": ["10.42.7.0/24"]}}, "10.42.7.0/24 hold a part"),
        ],
    )
    def test_what_cannot_be_evaluated_is_unknown(self, rule, says):
        found = outcome(into(), gnp("odd", ingress=[{"action": "Allow", **rule}]))
        assert found.is_unknown
        assert says in found.unknown[0] and "GlobalNetworkPolicy odd ingress rule 1" in found.unknown[0]

    def test_unknown_that_changes_nothing(self):
        odd = {"action": "Deny", "source": {"domains": ["example.com"]}}
        assert outcome(into(), gnp("odd", ingress=[odd])).is_dropped

    @pytest.mark.parametrize(
        ("ports", "port", "expected"),
        [([80], 80, ALLOWED), ([80], 81, DROPPED), (["8000:8100"], 8080, ALLOWED), (["8000:8100"], 8101, DROPPED), (["80"], 80, ALLOWED)],
    )
    def test_ports(self, ports, port, expected):
        found = outcome(into(port=port), gnp("one", ingress=[{"action": "Allow", "protocol": "TCP", "destination": {"ports": ports}}]))
        assert found.possible == {expected}

    def test_not_ports_and_named_ports(self):
        def rule(**destination):
            return gnp("one", ingress=[{"action": "Allow", "destination": destination}])

        assert outcome(into(port=80), rule(notPorts=[80])).is_dropped
        assert outcome(into(port=81), rule(notPorts=[80])).is_allowed
        assert outcome(into(port=80), rule(ports=["http"])).is_unknown

    def test_unknown_address(self):
        named = Entity()
        found = outcome(out_of(destination=named, port=6443), gnp("one", egress=[{"action": "Allow", "destination": {"nets": ["192.0.2.0/24"]}}]))
        assert found.is_unknown and "its address is not known" in found.unknown[0]


class TestNamespacedPolicies:
    def test_a_selector_means_the_own_namespace(self):
        neighbour = pod_entity("shop", (LOCAL,), Labels({}), {"app": "db"})
        stranger = pod_entity("bank", (LOCAL,), Labels({}), {"app": "db"})
        policy = np("own", ingress=[{"action": "Allow", "source": {"selector": "app == 'db'"}}])
        assert outcome(into(source=neighbour), policy).is_allowed
        assert outcome(into(source=stranger), policy).is_dropped

    def test_not_selector_means_the_own_namespace_too(self):
        policy = np("own", ingress=[{"action": "Allow", "source": {"notSelector": "app == 'db'"}}])
        assert outcome(into(), policy).is_dropped

    def test_namespace_selector(self):
        stranger = pod_entity("bank", (LOCAL,), Labels({"team": "b"}), {"app": "db"})
        assert outcome(into(source=stranger), np("own", ingress=[{"action": "Allow", "source": {"namespaceSelector": "team == 'b'"}}])).is_allowed
        assert outcome(into(source=stranger), np("own", ingress=[{"action": "Allow", "source": {"namespaceSelector": "global()"}}])).is_dropped

    def test_it_does_not_select_other_namespaces(self):
        assert outcome(into(), np("deny", namespace="bank", ingress=[])).is_allowed


class TestNetworkSets:
    REMOTE_SET = network_set("remote", "10.42.0.0/16", role="remote")
    FROM_SET = {"action": "Allow", "source": {"selector": "role == 'remote'"}}

    def test_a_global_set_in_a_global_policy(self):
        assert outcome(into(), gnp("one", ingress=[self.FROM_SET]), sets=[self.REMOTE_SET]).is_allowed

    def test_a_namespaced_policy_needs_global(self):
        assert outcome(into(), np("one", ingress=[self.FROM_SET]), sets=[self.REMOTE_SET]).is_dropped
        wide = {"action": "Allow", "source": {"selector": "role == 'remote'", "namespaceSelector": "global()"}}
        assert outcome(into(), np("one", ingress=[wide]), sets=[self.REMOTE_SET]).is_allowed

    def test_a_set_of_the_namespace(self):
        own = network_set("remote", "10.42.0.0/16", namespace="shop", role="remote")
        assert outcome(into(), np("one", ingress=[self.FROM_SET]), sets=[own]).is_allowed

    def test_unread_sets(self):
        found = outcome(into(), gnp("one", ingress=[self.FROM_SET]), missing="NetworkSets: forbidden")
        assert found.is_unknown and "forbidden" in found.unknown[0]


class TestTiers:
    SECURITY = tier("security", 100)

    def test_an_earlier_tier_decides(self):
        policies = (gnp("deny", tier="security", ingress=[DENY]), gnp("allow", ingress=[{"action": "Allow"}]))
        assert outcome(into(), *policies, tiers=[self.SECURITY]).is_dropped

    def test_its_end_denies(self):
        found = outcome(into(), gnp("other", tier="security", ingress=[{"action": "Allow", "source": {"nets": ["10.9.0.0/16"]}}]), tiers=[self.SECURITY])
        assert found.is_dropped
        assert "tier security ends in Deny" in found.dropped_by[0]

    def test_its_end_passes(self):
        policy = gnp("other", tier="security", ingress=[{"action": "Allow", "source": {"nets": ["10.9.0.0/16"]}}])
        assert outcome(into(), policy, tiers=[tier("security", 100, "Pass")]).is_allowed

    def test_pass_goes_to_the_next_tier(self):
        policies = (gnp("pass", tier="security", ingress=[{"action": "Pass"}, DENY]), gnp("deny", ingress=[DENY]))
        assert outcome(into(), policies[0], tiers=[self.SECURITY]).is_allowed
        assert outcome(into(), *policies, tiers=[self.SECURITY]).is_dropped

    def test_order_of_tiers_and_of_policies(self):
        late = tier("late", 2_000_000)
        assert outcome(into(), gnp("deny", tier="late", ingress=[DENY]), gnp("allow", ingress=[{"action": "Allow"}]), tiers=[late]).is_allowed
        assert outcome(into(), gnp("b-deny", order=20, ingress=[DENY]), gnp("a", order=10, ingress=[ALLOW_REMOTE])).is_allowed
        assert outcome(into(), gnp("a", ingress=[ALLOW_REMOTE]), gnp("b-deny", order=20, ingress=[DENY])).is_dropped
        assert outcome(into(), gnp("z", ingress=[DENY]), gnp("a", ingress=[ALLOW_REMOTE])).is_allowed

    def test_a_tier_without_a_policy_here_is_no_tier(self):
        assert outcome(into(), gnp("hosts", tier="security", selector="has(nothing) && !all()", ingress=[DENY]), tiers=[self.SECURITY]).is_allowed

    def test_partly_passed(self):
        policies = (
            gnp("pass", tier="security", ingress=[{"action": "Pass", "protocol": "TCP", "destination": {"ports": [80]}}]),
            gnp("allow", ingress=[{"action": "Allow"}]),
        )
        found = outcome(into(), *policies, tiers=[self.SECURITY])
        assert found.possible == {ALLOWED, DROPPED} and not found.is_unknown


class TestSelection:
    def test_staged_ones_decide_nothing(self):
        assert outcome(into(), gnp("deny", kind="StagedGlobalNetworkPolicy", ingress=[DENY])).is_allowed

    def test_some_pods(self):
        found = selection([gnp("web", selector="app == 'web'", ingress=[])], SHOP, INGRESS)
        assert (found.certain, [policy.ref.name for policy in found.perhaps]) == ((), ["web"])

    @pytest.mark.parametrize(
        ("namespace_selector", "expected"),
        [("all()", 1), ("team == 'a'", 1), ("projectcalico.org/name not in {'kube-system'}", 1), ("team == 'b'", 0), ("global()", 0)],
    )
    def test_namespace_selector(self, namespace_selector, expected):
        assert len(selection([gnp("one", ingress=[], namespace_selector=namespace_selector)], SHOP, INGRESS).certain) == expected

    def test_service_account_and_broken_selector_are_uncertain(self):
        policies = [gnp("one", ingress=[], service_account_selector="x == 'y'"), gnp("two", selector="?", ingress=[])]
        assert len(selection(policies, SHOP, INGRESS).perhaps) == 2

    def test_default_types(self):
        def bare(**fields):
            return gnp("one", types=())._replace(types=(), **fields)

        assert len(selection([bare()], SHOP, INGRESS).certain) == 1
        assert len(selection([bare()], SHOP, EGRESS).certain) == 0
        assert len(selection([bare(egress=(DENY,))], SHOP, INGRESS).certain) == 0
        assert len(selection([bare(ingress=(DENY,), egress=(DENY,))], SHOP, EGRESS).certain) == 1


class TestTogether:
    def test_merges(self):
        merged = together([outcome(into(), gnp("a", ingress=[DENY])), outcome(into()), outcome(into(), gnp("a", ingress=[DENY]))])
        assert merged.possible == {ALLOWED, DROPPED}
        assert merged.dropped_by == ("GlobalNetworkPolicy a ingress rule 1",)

    def test_protocols_differ(self):
        udp_only = gnp("udp", ingress=[{"action": "Allow", "protocol": "UDP"}])
        assert outcome(into(protocol=UDP), udp_only).is_allowed
        assert outcome(into(protocol=TCP), udp_only).is_dropped


NETWORKS = st.builds(
    lambda address, prefix: ipaddress.ip_network((address, prefix), strict=False),
    st.integers(int(REMOTE.network_address) - 2**16, int(REMOTE.broadcast_address) + 2**16),
    st.integers(8, 32),
)


@settings(deadline=None)
@given(st.lists(NETWORKS, max_size=8))
def test_pieces_are_the_whole_and_lie_inside_or_outside(cuts):
    pieces, cut_short = parts(REMOTE, cuts)
    assert not cut_short
    assert collapse(pieces) == (REMOTE,)
    assert sum(piece.num_addresses for piece in pieces) == REMOTE.num_addresses
    for piece in pieces:
        assert all(covers((cut,), (piece,)) or not overlap((cut,), (piece,)) for cut in cuts)


def test_many_pieces_are_cut_short():
    cuts = [ipaddress.ip_network((int(REMOTE.network_address) + 4 * index, 32)) for index in range(2000)]
    pieces, cut_short = parts(REMOTE, cuts)
    assert cut_short and len(pieces) == MOST_PARTS
