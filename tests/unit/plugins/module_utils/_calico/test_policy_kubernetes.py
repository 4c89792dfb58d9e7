# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' NetworkPolicies as Calico takes them."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_evaluation import evaluate, selection
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, UDP, pod_entity
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_kubernetes import as_calico, label_selector, without_copies
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels, parse_selector
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.policies import LOCAL, SHOP, into, knp, np, out_of, rules


def outcome(flow, *policies):
    converted = [as_calico(policy) for policy in policies]
    pod = flow.destination if flow.direction == INGRESS else flow.source
    return evaluate(selection(converted, pod, flow.direction).certain, flow, rules(*converted))


class TestRules:
    @pytest.mark.parametrize(
        ("ingress", "allowed"),
        [
            ([], False),
            ([{}], True),
            ([{"from": []}], True),
            ([{"from": [{"podSelector": {}}]}], False),
            ([{"from": [{"namespaceSelector": {}}]}], False),
            ([{"from": [{"ipBlock": {"cidr": "10.42.0.0/16"}}]}], True),
            ([{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.42.0.0/16"]}}]}], False),
            ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.43.0.0/16"]}}]}], True),
            ([{"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.42.0.0/16"}}]}], True),
            ([{"ports": [{"protocol": "UDP", "port": 53}]}], False),
            ([{"ports": [{"protocol": "TCP"}]}], True),
        ],
    )
    def test_from_a_remote_cluster(self, ingress, allowed):
        found = outcome(into(), knp("one", ingress=ingress))
        assert (found.is_allowed, found.is_dropped) == (allowed, not allowed)

    def test_ports(self):
        def policy(**port):
            return knp("one", ingress=[{"ports": [port]}])

        assert outcome(into(port=80), policy(port=80)).is_allowed
        assert outcome(into(port=81), policy(port=80)).is_dropped
        assert outcome(into(port=85), policy(port=80, endPort=90)).is_allowed
        assert outcome(into(protocol=UDP, port=53), policy(port=53, protocol="UDP")).is_allowed
        assert outcome(into(port=80), policy(port="http")).is_unknown

    def test_ports_add_up_with_peers(self):
        rule = {"to": [{"ipBlock": {"cidr": "10.42.0.0/16"}}], "ports": [{"port": 443}, {"protocol": "UDP", "port": 53}]}
        policy = knp("one", types=("Egress",), egress=[rule])
        assert outcome(out_of(port=443), policy).is_allowed
        assert outcome(out_of(protocol=UDP, port=53), policy).is_allowed
        assert outcome(out_of(port=53), policy).is_dropped

    def test_several_policies_add_up(self):
        allow = knp("allow", ingress=[{"from": [{"ipBlock": {"cidr": "10.42.0.0/16"}}]}])
        assert outcome(into(), knp("default-deny"), allow).is_allowed

    def test_direction(self):
        assert outcome(out_of(), knp("default-deny")).is_allowed
        assert outcome(out_of(), knp("default-deny", types=("Ingress", "Egress"))).is_dropped

    def test_a_pod_of_another_namespace(self):
        dns = pod_entity("kube-system", (LOCAL,), Labels({"kubernetes.io/metadata.name": "kube-system"}), {"k8s-app": "kube-dns"})
        peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
        policy = knp("dns", types=("Egress",), egress=[{"to": [peer], "ports": [{"protocol": "UDP", "port": 53}]}])
        assert outcome(out_of(destination=dns, protocol=UDP, port=53), policy).is_allowed
        own_only = knp("own", types=("Egress",), egress=[{"to": [{"podSelector": {}}]}])
        assert outcome(out_of(destination=dns, protocol=UDP, port=53), own_only).is_dropped


class TestSelectors:
    @pytest.mark.parametrize(
        ("selector", "labels", "expected"),
        [
            ({}, {}, True),
            (None, {}, True),
            ({"matchLabels": {"app": "web", "tier": "1"}}, {"app": "web", "tier": "1"}, True),
            ({"matchLabels": {"app": "web", "tier": "1"}}, {"app": "web"}, False),
            ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, {"app": "b"}, True),
            ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a", "b"]}]}, {"app": "b"}, False),
            ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, {}, True),
            ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {"app": ""}, True),
            ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {"app": ""}, False),
            ({"matchLabels": {"app": "it's"}}, {"app": "it's"}, True),
        ],
    )
    def test_label_selector(self, selector, labels, expected):
        assert parse_selector(label_selector(selector)).matches(Labels(labels)) is expected

    def test_unknown_operator_selects_nothing_for_certain(self):
        policy = as_calico(knp("odd", pod_selector={"matchExpressions": [{"key": "app", "operator": "Gt", "values": ["1"]}]}))
        assert selection([policy], SHOP, INGRESS) == ((), (policy,))

    def test_part_of_a_namespace(self):
        policy = as_calico(knp("web", pod_selector={"matchLabels": {"app": "web"}}))
        assert selection([policy], SHOP, INGRESS).perhaps == (policy,)
        assert selection([policy], SHOP, EGRESS) == ((), ())

    def test_copies_in_calicos_api(self):
        policies = [np("knp.default.deny", ingress=[]), np("default.own", ingress=[])]
        assert [policy.ref.name for policy in without_copies(policies)] == ["default.own"]
