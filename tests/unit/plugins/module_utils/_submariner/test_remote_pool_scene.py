# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read off a cluster before anything is decided about its IPPools."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    UNAVAILABLE,
    DatastoreMigration,
    Installation,
    IPAMBlock,
    Origin,
    Ref,
    SubmarinerCluster,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_ippools import present
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_scene import (
    pool_owners,
    require_writable,
    scene_of,
    subnets_given,
    waiting,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import WantedPool, wanted_pools
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    not_served,
    ok,
    pool,
    remote_pool,
)

PODS = WantedPool("cluster-2", "10.42.0.0/16")


def scene(snapshot, given=(), remove=()):
    endpoints = snapshot.endpoints.items
    announced = wanted_pools(endpoints, "cluster-1")
    return scene_of(snapshot, cidr_truth(snapshot), endpoints, announced, given, remove, "projectcalico.org/v3", snapshot.ip_pools)


class TestWritable:
    def test_v3_where_it_answers_whatever_the_fallback(self):
        for fallback in ("none", "crd"):
            assert require_writable(cluster(), fallback)[0] == "projectcalico.org/v3"

    @pytest.mark.parametrize("dead", [not_served(), answer(UNAVAILABLE)])
    def test_v1_only_where_it_is_spelled_out(self, dead):
        snapshot = cluster(ip_pools_v3=dead)
        assert require_writable(snapshot, "crd")[0] == "crd.projectcalico.org/v1"
        with pytest.raises(RefusedError, match="role calico_api_server"):
            require_writable(snapshot, "none")

    def test_what_could_not_be_read_is_not_absent(self):
        with pytest.raises(RefusedError, match="right to list ippools.projectcalico.org"):
            require_writable(cluster(ip_pools_v3=answer(FORBIDDEN)), "crd")
        with pytest.raises(RefusedError, match="crd.projectcalico.org/v1 could not be read"):
            require_writable(cluster(ip_pools_v3=not_served(), ip_pools_v1=answer(FORBIDDEN)), "crd")

    @pytest.mark.parametrize("phase", ["", "Migrating", "WaitingForConflictResolution", "Converged", "Failed"])
    def test_never_while_the_datastore_migrates(self, phase):
        moving = ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), phase))
        with pytest.raises(RefusedError, match="v1-to-v3 is in phase"):
            require_writable(cluster(datastore_migrations=moving), "crd")

    def test_never_where_calico_does_policy_alone(self):
        with pytest.raises(RefusedError, match="AmazonVPC routes the pods"):
            require_writable(cluster(installations=ok(methods.installation("EKS", cni="AmazonVPC"))), "none")


class TestGiven:
    def test_lists_and_texts(self):
        found = subnets_given({"cluster-2": "10.42.7.1/16, 10.43.0.0/16", "cluster-3": ["10.50.0.0/16"], "cluster-4": ""}, "cluster-1", "0.19.0")
        assert [tuple(entry) for entry in found] == [("cluster-2", "10.42.0.0/16"), ("cluster-2", "10.43.0.0/16"), ("cluster-3", "10.50.0.0/16")]

    @pytest.mark.parametrize(
        ("subnets", "words"),
        [
            ({"cluster-1": "10.42.0.0/16"}, "another cluster than this one"),
            ({"": "10.42.0.0/16"}, "another cluster than this one"),
            ({"cluster-2": "10.42.0.0"}, "without a prefix length"),
            ({"cluster-2": ["10.42.0.0/255.255.0.0"]}, "prefix length is not a plain number"),
            ({"cluster-2": "169.254.0.0/24"}, "link-local"),
        ],
    )
    def test_what_cannot_be(self, subnets, words):
        with pytest.raises(InputError, match=words):
            subnets_given(subnets, "cluster-1", "0.19.0")

    @pytest.mark.parametrize("version", ["0.19.2", "0.16.0", "", "sha256:abc"])
    def test_ipv6_with_a_submariner_that_does_not_forward_it(self, version):
        with pytest.raises(InputError, match="IPv6 needs 0.20"):
            subnets_given({"cluster-2": "fd00:42::/64"}, "cluster-1", version)

    @pytest.mark.parametrize("version", ["0.20.0", "0.21.2", "devel"])
    def test_ipv6(self, version):
        assert subnets_given({"cluster-2": "fd00:42::1/64"}, "cluster-1", version) == (("cluster-2", "fd00:42::/64"),)


class TestScene:
    def test_of_a_healthy_cluster_nothing_follows(self):
        assert present(scene(cluster())) == ((), (), ())

    def test_the_users_subnets_replace_those_of_the_same_cluster_alone(self):
        found = scene(cluster(), given=(WantedPool("cluster-2", "10.42.0.0/17"),))
        assert (found.wanted, found.live) == ((WantedPool("cluster-2", "10.42.0.0/17"),), ())
        other = scene(cluster(), given=(WantedPool("cluster-3", "10.60.0.0/16"),))
        assert PODS in other.live and present(other).changes[0].name == "submariner-cluster-3-10.60.0.0-16"

    def test_a_cluster_between_two_gateways_waits(self):
        objects = [
            SubmarinerCluster(Ref("Cluster", name, namespace), name, ("10.50.0.0/16",), (), ())
            for name, namespace in (("cluster-3", NAMESPACE), ("cluster-2", NAMESPACE), ("cluster-1", NAMESPACE), ("cluster-9", "submariner-k8s-broker"))
        ]
        snapshot = cluster(submariner_clusters=ok(*objects))
        assert waiting(snapshot, snapshot.endpoints.items) == (("cluster-3", "10.50.0.0/16"),)

    def test_what_is_not_known_is_not_left_over(self):
        for field in ("endpoints", "submariner_clusters"):
            assert not scene(cluster(**{field: answer(FORBIDDEN)})).known
        assert not scene(cluster(joined=False)).known

    def test_own_ranges_are_the_truth_and_what_is_announced(self):
        own = dict((cidr, what) for what, cidr in scene(cluster()).own)
        assert set(own) == {"10.46.0.0/16", "10.45.0.0/16"}

    def test_addresses_in_use_by_enabled_pool(self):
        blocks = ok(*(IPAMBlock(Ref("IPAMBlock", cidr), cidr, "node-1", used) for cidr, used in (("10.46.1.0/26", 7), ("10.46.2.0/26", 3), ("10.99.0.0/26", 9))))
        assert scene(cluster(ipam_blocks=blocks)).used == {"default-ipv4-ippool": 10}
        assert scene(cluster(ipam_blocks=answer(FORBIDDEN))).used is None


class TestOwners:
    def owners(self, *pools, calico="v3.29.3", listed=()):
        installation = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", listed, (), calico)
        return pool_owners(cluster(installations=ok(installation)), pools, calico)

    @pytest.mark.parametrize(
        ("origin", "owner"),
        [
            (Origin(labels={"app.kubernetes.io/managed-by": "tigera-operator"}), "the tigera operator"),
            (Origin(annotations={"argocd.argoproj.io/tracking-id": "x"}), "Argo CD"),
            (Origin(labels={"kustomize.toolkit.fluxcd.io/name": "x"}), "Flux"),
        ],
    )
    def test_by_what_they_leave(self, origin, owner):
        assert self.owners(pool("mine", "10.42.0.0/16", origin=origin)) == {"mine": owner}

    def test_by_the_operators_list_from_3_28_on(self):
        """tigera/operator pkg/controller/ippool: 1.34 and newer, of Calico 3.28."""
        listed = remote_pool("cluster-2", "10.42.0.0/16")
        for calico, owned in (("v3.27.4", False), ("v3.28.0", True), ("", True)):
            assert bool(self.owners(listed, calico=calico, listed=("10.42.0.0/16",))) is owned

    def test_submariners_are_nobodys_else(self):
        assert self.owners(remote_pool("cluster-2", "10.42.0.0/16"), listed=("10.46.0.0/16",)) == {}


def test_a_copy_of_the_default_pool_that_was_left_enabled_is_repaired():
    """It must not count as evidence of this cluster's own range."""
    copy = pool("podwestcluster", "10.42.0.0/16", disabled=False, nat_outgoing=True)
    snapshot = cluster(pools=[remote_pool("cluster-2", "10.43.0.0/16"), copy], ipam_blocks=ok(IPAMBlock(Ref("IPAMBlock", "b"), "10.46.1.0/26", "node-1", 7)))
    (change,) = present(scene(snapshot)).changes
    assert (change.action, change.name, change.body) == ("patch", "podwestcluster", {"spec": {"disabled": True, "natOutgoing": False}})
