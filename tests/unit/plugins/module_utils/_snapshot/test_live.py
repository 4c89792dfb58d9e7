# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live reader: one read, each list an answer of its own."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, TIMED_OUT, UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._combine import combined, preferred, union
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, OK, Answer, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._requests import REQUESTS, group_version, split_key
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection

V3 = "/apis/projectcalico.org/v3/ippools"
V1 = "/apis/crd.projectcalico.org/v1/ippools"
CORE = {"/api/v1/nodes": [], "/api/v1/pods": [], "/api/v1/services": [], "/api/v1/configmaps": [], "/api/v1/namespaces/kube-system/configmaps": []}


def read(lists=None, **keywords):
    return read_snapshot(FakeConnection({**CORE, **(lists or {})}, **keywords), "one", timeout=30, taken_at="2026-01-01T00:00:00Z")


def item(name):
    return {"metadata": {"name": name}, "spec": {"cidr": "10.46.0.0/16"}}


def failure(state, status=0):
    return KubeError(f"{state} as the test wants", state, status=status)


class TestOneRead:
    def test_every_field_of_the_model_is_asked(self):
        asked = {split_key(request.key)[0] for request in REQUESTS}
        answers = {name for name, value in vars(Snapshot("", "", "")).items() if isinstance(value, Answer)}
        assert answers == asked | {"server_version", "api_groups", "ip_pools", "logs"} | {"node_hosts", "node_probes"}  # the last are no API's

    def test_keys_are_unique(self):
        assert len({request.key for request in REQUESTS}) == len(REQUESTS)

    def test_no_request_per_node_or_pod(self):
        connection = FakeConnection(
            {
                **CORE,
                "/api/v1/nodes": [item(f"node-{number}") for number in range(50)],
                "/api/v1/pods": [item(f"pod-{number}") for number in range(50)],
            }
        )
        snapshot = read_snapshot(connection, "one", timeout=30, taken_at="now")
        few = FakeConnection(CORE)
        read_snapshot(few, "one", timeout=30, taken_at="now")
        assert len(connection.asked) == len(few.asked)
        assert len(snapshot.nodes.items) == 50

    def test_head(self):
        snapshot = read()
        assert (snapshot.cluster, snapshot.where, snapshot.taken_at) == ("one", "https://fake.invalid:6443", "2026-01-01T00:00:00Z")
        assert snapshot.server_version.items == ("v1.27.9+rke2r1",)
        # Nothing but the core is served here, and discovery is not, either: every list is asked for, through every version.
        assert (snapshot.statistics.requests, snapshot.statistics.bytes_read, snapshot.statistics.retries) == (len(REQUESTS) + 2, 1000, 1)

    def test_where_names_the_question(self):
        assert read().nodes.where == "GET /api/v1/nodes"


class TestAnswers:
    @pytest.mark.parametrize("state", [FORBIDDEN, UNAVAILABLE, TIMED_OUT])
    def test_one_failure_hides_nothing_else(self, state):
        snapshot = read({"/api/v1/nodes": [item("one")]}, failures={"/api/v1/pods": failure(state)})
        assert (snapshot.pods.state, snapshot.pods.items) == (state, ())
        assert "as the test wants" in snapshot.pods.detail
        assert snapshot.nodes.ok and len(snapshot.nodes.items) == 1

    def test_not_served(self):
        assert read().submariners.state == NOT_SERVED
        assert read().submariners.known

    def test_dead_server_is_asked_once(self):
        connection = FakeConnection(failures={"/version": failure(UNAVAILABLE)})
        with pytest.raises(KubeError):
            read_snapshot(connection, "one", timeout=30, taken_at="now")
        assert connection.asked == ["/version"]

    def test_refused_credentials(self):
        with pytest.raises(KubeError):
            read(failures={"/version": failure(FORBIDDEN, 401)})

    def test_version_alone_may_be_forbidden(self):
        snapshot = read(failures={"/version": failure(FORBIDDEN, 403)})
        assert snapshot.server_version.state == FORBIDDEN
        assert snapshot.nodes.ok


class TestForbiddenKinds:
    """Authorization answers before routing does: 403 also for kinds that do not exist."""

    path = "/apis/helm.cattle.io/v1/helmcharts"

    def test_group_does_not_exist(self):
        assert read(failures={self.path: failure(FORBIDDEN, 403)}).helm_charts.state == NOT_SERVED

    def test_resource_does_not_exist(self):
        snapshot = read(failures={self.path: failure(FORBIDDEN, 403)}, resources={"/apis/helm.cattle.io/v1": ["helmchartconfigs"]})
        assert snapshot.helm_charts.state == NOT_SERVED

    def test_exists_and_is_forbidden(self):
        snapshot = read(failures={self.path: failure(FORBIDDEN, 403)}, resources={"/apis/helm.cattle.io/v1": ["helmcharts"]})
        assert snapshot.helm_charts.state == FORBIDDEN

    def test_discovery_fails(self):
        snapshot = read(failures={self.path: failure(FORBIDDEN, 403), "/apis/helm.cattle.io/v1": failure(UNAVAILABLE, 503)})
        assert snapshot.helm_charts.state == FORBIDDEN

    def test_core_kinds_always_exist(self):
        assert read(failures={"/api/v1/nodes": failure(FORBIDDEN, 403)}).nodes.state == FORBIDDEN


class TestGroups:
    """What discovery does not list is not asked for."""

    def test_groups_are_kept(self):
        assert read(groups=["apps/v1", "projectcalico.org/v3"]).api_groups == Answer(OK, ("apps/v1", "projectcalico.org/v3"), "GET /apis")
        assert read().api_groups.state == NOT_SERVED

    def test_absent_groups_cost_no_request(self):
        connection = FakeConnection(CORE, groups=["apps/v1"])
        snapshot = read_snapshot(connection, "one", timeout=30, taken_at="now")
        assert {group_version(path) for path in connection.asked if path.startswith("/apis/")} == {"apps/v1"}
        assert (snapshot.helm_charts.state, snapshot.helm_charts.detail) == (NOT_SERVED, "there is no helm.cattle.io/v1")


class TestVersions:
    """Calico's own kinds: through its API server where that answers, else as they lie in storage."""

    tiers_v3, tiers_v1 = "/apis/projectcalico.org/v3/tiers", "/apis/crd.projectcalico.org/v1/tiers"

    def test_v3_is_preferred(self):
        connection = FakeConnection({**CORE, V3: [], self.tiers_v3: [item("three")], self.tiers_v1: [item("one")]})
        snapshot = read_snapshot(connection, "one", timeout=30, taken_at="now")
        assert [tier.ref.name for tier in snapshot.tiers.items] == ["three"]
        assert self.tiers_v1 not in connection.asked

    @pytest.mark.parametrize("state", [FORBIDDEN, UNAVAILABLE, NOT_SERVED])
    def test_one_kind_fails(self, state):
        snapshot = read({V3: [], self.tiers_v1: [item("one")]}, failures={self.tiers_v3: failure(state)})
        assert [tier.ref.name for tier in snapshot.tiers.items] == ["one"]

    @pytest.mark.parametrize("state", [TIMED_OUT, UNAVAILABLE])
    def test_dead_api_server_is_asked_once(self, state):
        connection = FakeConnection({**CORE, self.tiers_v1: [item("one")]}, failures={V3: failure(state, 503)})
        snapshot = read_snapshot(connection, "one", timeout=30, taken_at="now")
        assert [path for path in connection.asked if path.startswith("/apis/projectcalico.org/")] == [V3]
        assert [tier.ref.name for tier in snapshot.tiers.items] == ["one"]
        assert snapshot.bgp_configurations.state == state

    def test_policies_of_several_kinds(self):
        snapshot = read(
            {
                "/apis/projectcalico.org/v3/globalnetworkpolicies": [item("global")],
                "/apis/crd.projectcalico.org/v1/networkpolicies": [item("stored")],
            }
        )
        found = [(policy.ref.kind, policy.api_version) for policy in snapshot.calico_policies.items]
        assert found == [("GlobalNetworkPolicy", "projectcalico.org/v3"), ("NetworkPolicy", "crd.projectcalico.org/v1")]
        assert snapshot.calico_policies.ok
        assert read().calico_policies.state == NOT_SERVED

    def test_no_kind_twice(self):
        asked = [(request.path, request.label_selector, request.field_selector) for request in REQUESTS]
        assert len(set(asked)) == len(asked)


class TestPools:
    def test_v3_is_preferred(self):
        snapshot = read({V3: [item("three")], V1: [item("one")]})
        assert [pool.ref.name for pool in snapshot.ip_pools.items] == ["three"]
        assert snapshot.ip_pools_v1.ok and snapshot.ip_pools_v3.ok

    def test_dead_api_server(self):
        snapshot = read({V1: [item("one")]}, failures={V3: failure(UNAVAILABLE, 503)})
        assert [pool.api_version for pool in snapshot.ip_pools.items] == ["crd.projectcalico.org/v1"]
        assert snapshot.ip_pools_v3.state == UNAVAILABLE

    def test_not_served(self):
        snapshot = read({V1: [item("one")]})
        assert snapshot.ip_pools.ok
        assert snapshot.ip_pools_v3.state == NOT_SERVED

    def test_neither(self):
        assert read().ip_pools.state == NOT_SERVED
        assert read(failures={V3: failure(UNAVAILABLE, 503)}).ip_pools.state == UNAVAILABLE
        assert preferred([Answer(NOT_SERVED), Answer(FORBIDDEN)]).state == FORBIDDEN
        assert preferred([Answer(FORBIDDEN), Answer(NOT_SERVED)]).state == FORBIDDEN


class TestCombination:
    def test_union_is_as_good_as_its_worst_part(self):
        good, bad = Answer(OK, ("a",), "GET a"), Answer(FORBIDDEN, (), "GET b", "no")
        assert union([good, bad]) == Answer(FORBIDDEN, ("a",), "GET b", "no")
        assert union([good, Answer(OK, ("b",), "GET a")]) == Answer(OK, ("a", "b"), "GET a")
        assert union([good, Answer(OK, ("b",), "GET a", partial=True)]).partial
        assert union([Answer(NOT_SERVED, where="GET c"), Answer(NOT_SERVED)]) == Answer(NOT_SERVED, where="GET c")

    def test_config_maps_by_name(self):
        lists = {
            "/api/v1/configmaps": [item("calico-config"), item("secrets-of-others")],
            "/api/v1/namespaces/kube-system/configmaps": [item("kube-proxy"), item("kubeadm-config"), item("other")],
        }
        assert sorted(entry.ref.name for entry in read(lists).config_maps.items) == ["calico-config", "kube-proxy", "kubeadm-config"]

    def test_older_service_cidr_api(self):
        path = "/apis/networking.k8s.io/v1beta1/servicecidrs"
        raw = {
            "metadata": {"name": "kubernetes"},
            "spec": {"cidrs": ["10.45.0.0/16"]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        assert read({path: [raw]}).service_cidrs.items[0].cidrs == ("10.45.0.0/16",)
        assert read().service_cidrs.state == NOT_SERVED

    def test_no_key_is_left_over(self):
        answers = {request.key: Answer(OK) for request in REQUESTS}
        assert set(combined(answers)) <= set(vars(Snapshot("", "", "")))

    def test_what_was_not_asked_is_missing(self):
        assert combined({"nodes": Answer(OK)}) == {"nodes": Answer(OK)}
