# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies against traffic between pods here and remote clusters."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Namespace, Ref, SubmarinerCluster
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.policies import gnp, knp, network_set, np, tier
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import NAMESPACE, answer, cluster, judged, not_served, ok, pod
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
    one,
)

ID = "policy-remote-traffic-dropped"
PODS, SERVICES = "10.42.0.0/16", "10.43.0.0/16"  # of the remote cluster
FROM_REMOTE = {"action": "Allow", "source": {"nets": [PODS]}}
TO_REMOTE = {"action": "Allow", "destination": {"nets": [PODS, SERVICES]}}
NOT_SYSTEM = "has(projectcalico.org/name) && projectcalico.org/name not in {'kube-system', 'calico-system', 'submariner-operator'}"


def namespace(name, **labels):
    return Namespace(Ref("Namespace", name), {"kubernetes.io/metadata.name": name, **labels})


def with_policies(*policies, kubernetes=(), names=("shop", "bank"), **changes):
    fields = {
        "namespaces": ok(*(namespace(name) for name in ("default", "kube-system", NAMESPACE, *names))),
        "pods": ok(*cluster().pods.items, *(pod(name, "one", "10.46.9.9") for name in names)),
        "calico_policies": ok(*policies),
        "network_policies": ok(*kubernetes),
    }
    return cluster(**{**fields, **changes})


DEFAULT_DENY = gnp("default-deny", types=("Ingress", "Egress"), namespace_selector=NOT_SYSTEM)


class TestGlobalPolicies:
    def test_default_deny_cuts_every_namespace_off(self):
        finding = expect_fail(with_policies(DEFAULT_DENY), ID)
        assert finding.severity == "blocker"
        assert finding.title == ("GlobalNetworkPolicy default-deny cuts the pods of every namespace off from cluster-2: nothing goes out, nothing comes in")
        assert (finding.remedy.target, finding.subject) == ("GlobalNetworkPolicy default-deny", "GlobalNetworkPolicy default-deny")
        assert "ingress from 10.42.0.0/16 and egress to 10.42.0.0/16, 10.43.0.0/16" in finding.remedy.text

    def test_one_direction_is_an_error(self):
        assert expect_fail(with_policies(DEFAULT_DENY._replace(types=("Egress",))), ID).severity == "error"

    def test_one_namespace_is_a_warning(self):
        finding = expect_fail(with_policies(gnp("deny", types=("Ingress", "Egress"), namespace_selector="projectcalico.org/name == 'shop'")), ID)
        assert finding.severity == "warning"
        assert "the pods of shop off" in finding.title

    def test_opened_by_address(self):
        expect_pass(with_policies(DEFAULT_DENY, gnp("remote", order=1, ingress=[FROM_REMOTE], egress=[TO_REMOTE])), ID)

    def test_opened_by_a_network_set(self):
        rule = {"action": "Allow", "source": {"selector": "role == 'remote'"}}
        opened = gnp("remote", order=1, ingress=[rule], egress=[TO_REMOTE])
        sets = network_set("remote", PODS, role="remote")
        expect_pass(with_policies(DEFAULT_DENY, opened, network_sets=ok(sets)), ID)

    def test_a_selector_opens_nothing(self):
        wrong = gnp("remote", order=1, ingress=[{"action": "Allow", "source": {"namespaceSelector": "all()"}}], egress=[{"action": "Allow"}])
        finding = expect_fail(with_policies(DEFAULT_DENY, wrong), ID)
        assert finding.title.endswith("nothing comes in")

    def test_only_the_wrong_part_is_open(self):
        narrow = gnp("remote", order=1, ingress=[{"action": "Allow", "source": {"nets": ["10.42.0.0/24"]}}], egress=[TO_REMOTE])
        finding = expect_fail(with_policies(DEFAULT_DENY, narrow), ID)
        assert "not everything comes in" in finding.title
        assert finding.severity == "warning"
        assert "only 10.42.1.0/24" in finding.evidence[0].note

    def test_tier(self):
        policy = gnp("deny-others", tier="security", ingress=[{"action": "Deny"}])
        finding = expect_fail(with_policies(policy, tiers=ok(tier("security", 100))), ID)
        assert finding.severity == "error"
        assert "ingress rule 1" in finding.evidence[0].note
        expect_pass(with_policies(policy._replace(ingress=({"action": "Pass"},)), tiers=ok(tier("security", 100))), ID)

    def test_staged_policies_decide_nothing(self):
        expect_pass(with_policies(DEFAULT_DENY._replace(ref=Ref("StagedGlobalNetworkPolicy", "default-deny"))), ID)

    def test_open_on_some_ports_is_meant(self):
        rule = {"action": "Allow", "protocol": "TCP", "source": {"nets": [PODS]}, "destination": {"ports": [443]}}
        expect_pass(with_policies(gnp("one", ingress=[rule])), ID)


class TestNamespaces:
    def test_own_default_deny_is_a_warning(self):
        finding = expect_fail(with_policies(kubernetes=[knp("default-deny")]), ID)
        assert (finding.severity, finding.subject) == ("warning", "Namespace shop")
        assert finding.title == "Own policies cut the pods of shop off from cluster-2: nothing comes in"
        assert "NetworkPolicy shop/default-deny" in finding.evidence[0].note
        assert "NetworkPolicy in shop that allows ingress from 10.42.0.0/16" in finding.remedy.text

    def test_many_namespaces_are_one_finding(self):
        names = tuple(f"team-{number}" for number in range(40))
        finding = expect_fail(with_policies(names=names, kubernetes=[knp("deny", name) for name in names]), ID)
        assert (finding.subject, len(finding.evidence)) == ("40 namespaces", 9)
        assert finding.evidence[-1].value == "32 more"

    def test_opened_by_address(self):
        rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
        expect_pass(with_policies(kubernetes=[knp("default-deny"), knp("remote", ingress=[rule])]), ID)

    def test_what_opens_some_pods_is_named(self):
        rule = {"from": [{"ipBlock": {"cidr": PODS}}]}
        opened = knp("web", pod_selector={"matchLabels": {"app": "web"}}, ingress=[rule])
        finding = expect_fail(with_policies(kubernetes=[knp("default-deny"), opened]), ID)
        assert finding.evidence[-1].value == "NetworkPolicy shop/web"

    def test_policies_for_some_pods_are_an_information(self):
        finding = expect_fail(with_policies(kubernetes=[knp("web", pod_selector={"matchLabels": {"app": "web"}})]), ID)
        assert finding.severity == "info"
        assert "some pods of shop" in finding.title
        assert "the pods that NetworkPolicy shop/web selects" in finding.evidence[0].note

    def test_calicos_own_namespaced_policies(self):
        assert expect_fail(with_policies(np("own", types=("Egress",))), ID).title.endswith("nothing goes out")

    def test_copies_of_kubernetes_policies_count_once(self):
        copies = [np("knp.default.default-deny", ingress=[])]
        assert (
            expect_fail(with_policies(*copies, kubernetes=[knp("default-deny")]), ID)
            .evidence[0]
            .note.endswith("NetworkPolicy shop/default-deny: no rule allows it")
        )

    @pytest.mark.parametrize("name", ["kube-system", "kube-public", "default", "calico-system", "openshift-dns", "submariner-operator"])
    def test_the_platforms_namespaces_are_left_out(self, name):
        expect_pass(with_policies(kubernetes=[knp("default-network-policy", name, ingress=[{"from": [{"podSelector": {}}]}])]), ID)

    def test_a_namespace_without_pods(self):
        snapshot = with_policies(kubernetes=[knp("default-deny", "empty")])
        snapshot = with_policies(kubernetes=[knp("default-deny", "empty")], namespaces=ok(*snapshot.namespaces.items, namespace("empty")))
        expect_pass(snapshot, ID)


class TestOtherClusters:
    def test_globalnet(self):
        remote = SubmarinerCluster(Ref("Cluster", "cluster-2", NAMESPACE), "cluster-2", (PODS,), (SERVICES,), ("242.1.0.0/16",))
        opened = gnp("remote", order=1, ingress=[FROM_REMOTE], egress=[TO_REMOTE])
        finding = expect_fail(with_policies(DEFAULT_DENY, opened, submariner_clusters=ok(remote)), ID)
        assert "ingress from 242.1.0.0/16" in finding.remedy.text

    def test_without_a_cluster_object_the_endpoint_tells(self):
        finding = expect_fail(with_policies(DEFAULT_DENY, submariner_clusters=ok()), ID)
        assert "10.43.0.0/16" in finding.remedy.text

    def test_alone(self):
        expect_not_asked(with_policies(DEFAULT_DENY, submariner_clusters=ok(), endpoints=ok()), ID)

    def test_without_calico(self):
        nothing = {name: not_served() for name in ("cluster_informations", "installations", "ip_pools", "calico_policies")}
        expect_not_asked(with_policies(kubernetes=[knp("default-deny")], **nothing), ID)


class TestUnknown:
    @pytest.mark.parametrize("name", ["calico_policies", "network_policies", "namespaces", "submariner_clusters"])
    def test_unread(self, name):
        expect_unknown(with_policies(**{name: answer(FORBIDDEN)}), ID)

    def test_what_cannot_be_evaluated(self):
        odd = gnp("odd", ingress=[{"action": "Allow", "source": {"services": {"name": "web", "namespace": "shop"}}}])
        finding = expect_unknown(with_policies(odd), ID)
        assert "it names a Service" in finding.missing

    def test_unread_network_sets(self):
        rule = {"action": "Allow", "source": {"selector": "role == 'remote'"}}
        finding = expect_unknown(with_policies(gnp("one", ingress=[rule]), network_sets=answer(FORBIDDEN)), ID)
        assert "NetworkSets could not be read" in finding.missing


def test_healthy():
    expect_pass(with_policies(), ID)


def test_the_size_of_a_finding_is_bounded():
    names = tuple(f"team-{number}" for number in range(300))
    finding = one(with_policies(DEFAULT_DENY, names=names), ID)
    assert len(str(finding.to_dict())) < 6000
    assert judged(with_policies(DEFAULT_DENY, names=names), ID).passed == ()
