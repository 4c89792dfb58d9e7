# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided about the IPPools of remote subnets, alone and carried out on random sets of pools."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_calico import ip_pool_v3
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_ippools import CREATE, DELETE, PATCH, Scene, absent, present
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_form import LABEL, correction, new_pool, pool_name
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import WantedPool, overlapping_pools, same_range

PODS, SERVICES = WantedPool("cluster-2", "10.42.0.0/16"), WantedPool("cluster-2", "10.43.0.0/16")
WANTED = (PODS, SERVICES)
NOBODY = "9.9.9.0/24"


def raw(name, cidr, labels=None, **spec):
    fields = {"cidr": cidr, "disabled": True, "natOutgoing": False, "disableBGPExport": True, "ipipMode": "Never", "vxlanMode": "Never", **spec}
    return {"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels or {}}, "spec": fields}


def pool(name, cidr, labels=None, **spec):
    return ip_pool_v3(raw(name, cidr, labels, **spec))


def remote(wanted, **spec):
    return pool(wanted.name, wanted.cidr, {LABEL: "true"}, **spec)


def stale(cluster_id, cidr, **spec):
    return remote(WantedPool(cluster_id, cidr), **spec)


LOCAL = pool("default-ipv4-ippool", "10.46.0.0/16", disabled=False, natOutgoing=True, vxlanMode="Always", disableBGPExport=False)
USED = {"default-ipv4-ippool": 40}


def scene(*pools, wanted=WANTED, **fields):
    return Scene("cluster-1", (LOCAL, *pools), wanted, **{"used": USED, **fields})


def told(decision):
    return [(change.action, change.name) for change in decision.changes]


class TestPresent:
    def test_nothing_to_do(self):
        assert present(scene(remote(PODS), remote(SERVICES))) == ((), (), ())

    def test_a_right_pool_of_any_name_stays(self):
        assert present(scene(pool("podwestcluster", PODS.cidr), remote(SERVICES))).changes == ()

    def test_missing(self):
        (change,) = present(scene(remote(SERVICES))).changes
        assert (change.action, change.name) == (CREATE, "submariner-cluster-2-10.42.0.0-16")
        assert change.body["metadata"]["labels"] == {LABEL: "true"}
        assert change.body["spec"] == {
            "cidr": "10.42.0.0/16",
            "blockSize": 26,
            "disabled": True,
            "natOutgoing": False,
            "disableBGPExport": True,
            "ipipMode": "Never",
            "vxlanMode": "Never",
            "nodeSelector": "all()",
            "allowedUses": ["Workload", "Tunnel"],
        }

    @pytest.mark.parametrize(
        ("wrong", "patch"),
        [
            ({"natOutgoing": True}, {"natOutgoing": False}),
            ({"disabled": False}, {"disabled": True}),
            ({"disableBGPExport": False}, {"disableBGPExport": True}),
            ({"vxlanMode": "Always"}, {"vxlanMode": "Never"}),
            ({"ipipMode": "CrossSubnet"}, {"ipipMode": "Never"}),
            ({"allowedUses": ["LoadBalancer"]}, {"allowedUses": ["Workload", "Tunnel"]}),
        ],
    )
    def test_wrong_fields(self, wrong, patch):
        (change,) = present(scene(remote(PODS, **wrong), remote(SERVICES))).changes
        assert (change.action, change.body, change.uid) == (PATCH, {"spec": patch}, f"uid-{PODS.name}")

    def test_a_pool_with_submariners_name_gets_its_label(self):
        (change,) = present(scene(pool(PODS.name, PODS.cidr), remote(SERVICES))).changes
        assert change.body == {"metadata": {"labels": {LABEL: "true"}}}

    def test_old_calico_has_no_bgp_export_to_disable(self):
        body = present(scene(calico="v3.20.6")).changes[0].body
        assert not {"disableBGPExport", "allowedUses"} & set(body["spec"])
        assert correction(remote(PODS, disableBGPExport=False), "v3.20.6") == {}

    def test_a_stale_24_makes_room_for_the_16(self):
        decided = present(scene(stale("cluster-2", "10.42.0.0/24"), remote(SERVICES)))
        assert told(decided) == [(DELETE, "submariner-cluster-2-10.42.0.0-24"), (CREATE, PODS.name)]
        (interrupted,) = decided.disruptive
        assert "10.42.0.0/24" in interrupted and "10.42.0.0/16 of cluster-2" in interrupted

    def test_a_left_over_pool_beside_goes_without_interrupting_anything(self):
        decided = present(scene(stale("cluster-3", "10.50.0.0/16"), remote(PODS), remote(SERVICES)))
        assert (told(decided), decided.disruptive) == ([(DELETE, "submariner-cluster-3-10.50.0.0-16")], ())

    def test_the_pool_of_a_cluster_between_two_gateways_stays(self):
        waiting = WantedPool("cluster-3", "10.50.0.0/16")
        assert present(scene(remote(waiting), remote(PODS), remote(SERVICES), live=(waiting,))).changes == ()

    def test_without_knowledge_nothing_is_left_over_but_what_is_in_the_way(self):
        decided = present(scene(stale("cluster-3", "10.50.0.0/16"), stale("cluster-2", "10.42.0.0/24"), known=False))
        assert [name for action, name in told(decided) if action == DELETE] == ["submariner-cluster-2-10.42.0.0-24"]

    def test_a_pool_made_by_hand_in_the_way_is_refused_by_name(self):
        with pytest.raises(RefusedError, match=r"podwestcluster \(10.42.0.0/17\) keeps the pool 10.42.0.0/16 of cluster-2 out.*remove=\[podwestcluster\]"):
            present(scene(pool("podwestcluster", "10.42.0.0/17")))

    def test_a_pool_that_is_named_goes(self):
        decided = present(scene(pool("podwestcluster", "10.42.0.0/17"), remote(SERVICES), remove=frozenset(["podwestcluster"])))
        assert told(decided) == [(DELETE, "podwestcluster"), (CREATE, PODS.name)]
        assert len(decided.disruptive) == 1

    def test_a_pool_with_addresses_in_use_never_goes(self):
        with pytest.raises(RefusedError, match="40 addresses of it are in use"):
            present(scene(remove=frozenset(["default-ipv4-ippool"])))
        with pytest.raises(RefusedError, match="could not be read"):
            present(scene(pool("other", NOBODY, disabled=False), remove=frozenset(["other"]), used=None))

    def test_the_wanted_pool_itself_cannot_be_named(self):
        with pytest.raises(RefusedError, match="the one that Submariner wants"):
            present(scene(remote(PODS), remove=frozenset([PODS.name])))

    def test_the_range_of_the_clusters_own_pods_is_refused_naming_both(self):
        with pytest.raises(RefusedError, match="10.46.128.0/17 of cluster-2 overlaps 10.46.0.0/16, IPPool default-ipv4-ippool"):
            present(scene(wanted=(WantedPool("cluster-2", "10.46.128.0/17"),)))

    @pytest.mark.parametrize("used", [{}, None, {"default-ipv4-ippool": 0}, USED])
    def test_the_clusters_own_pool_is_never_patched(self, used):
        """Two clusters with the very same range: the local pool must not be taken for the remote one that has wrong fields."""
        with pytest.raises(RefusedError, match="the two clusters' addresses are the same"):
            present(scene(wanted=(WantedPool("cluster-2", "10.46.0.0/16"),), used=used))

    def test_a_copy_of_the_default_pool_that_gave_no_addresses_is_repaired(self):
        copy = pool("podwestcluster", PODS.cidr, disabled=False, natOutgoing=True)
        (change,) = present(scene(copy, remote(SERVICES), used={**USED, "podwestcluster": 0})).changes
        assert change.body["spec"] == {"disabled": True, "natOutgoing": False}

    def test_own_ranges_without_a_pool_are_refused_too(self):
        with pytest.raises(RefusedError, match="10.43.0.0/16 of cluster-2 overlaps 10.43.0.0/16, the range of this cluster's services"):
            present(scene(own=(("the range of this cluster's services", "10.43.0.0/16"),)))

    def test_two_remote_clusters_with_one_range_are_refused_naming_both(self):
        with pytest.raises(RefusedError, match="10.42.0.0/16 of cluster-2 overlaps 10.42.128.0/17 of cluster-3"):
            present(scene(wanted=(*WANTED, WantedPool("cluster-3", "10.42.128.0/17"))))

    def test_a_member_that_is_known_by_its_cluster_object_alone_counts(self):
        with pytest.raises(RefusedError, match="of cluster-3"):
            present(scene(live=(WantedPool("cluster-3", "10.42.128.0/17"),)))

    @pytest.mark.parametrize(
        ("cidr", "why"), [("169.254.4.0/24", "link-local"), ("10.42.0.0", "without a prefix length"), ("0.0.0.0/0", "whole address space")]
    )
    def test_a_range_that_calico_takes_no_pool_of(self, cidr, why):
        with pytest.raises(RefusedError, match=why):
            present(scene(wanted=(WantedPool("cluster-2", cidr),)))

    def test_host_bits_are_cleared_and_the_name_stays_the_agents(self):
        (change,) = present(scene(wanted=(WantedPool("cluster-2", "10.42.7.1/16"),))).changes
        assert (change.cidr, change.name) == ("10.42.0.0/16", "submariner-cluster-2-10.42.7.1-16")

    def test_what_somebody_else_looks_after_is_left_to_them(self):
        wrong = remote(PODS, natOutgoing=True)
        decided = present(scene(wrong, remote(SERVICES), owners={wrong.ref.name: "Argo CD"}))
        assert decided.changes == ()
        assert [(left.owner, left.what) for left in decided.left] == [("Argo CD", "set natOutgoing: false")]

    def test_what_somebody_else_looks_after_and_stands_in_the_way_is_refused(self):
        old = stale("cluster-2", "10.42.0.0/24")
        with pytest.raises(RefusedError, match="Argo CD looks after it"):
            present(scene(old, owners={old.ref.name: "Argo CD"}))

    def test_no_pool_is_made_of_a_range_in_the_operators_list(self):
        decided = present(scene(remote(SERVICES), listed=(PODS.cidr,)))
        assert decided.changes == ()
        assert decided.left[0].owner == "the tigera operator" and PODS.cidr in decided.left[0].what


class TestAbsent:
    def test_all_of_submariners_and_no_other(self):
        decided = absent(scene(remote(PODS), remote(SERVICES), pool("mine", NOBODY), wanted=()))
        assert told(decided) == [(DELETE, PODS.name), (DELETE, SERVICES.name)]
        assert decided.disruptive == ()

    def test_what_is_in_use_needs_consent(self):
        decided = absent(scene(remote(PODS), remote(SERVICES)), [PODS])
        assert told(decided) == [(DELETE, PODS.name)]
        assert "10.42.0.0/16 of cluster-2" in decided.disruptive[0]

    def test_where_the_subnets_are_not_known_everything_needs_consent(self):
        assert len(absent(scene(remote(PODS), wanted=(), known=False)).disruptive) == 1

    def test_named_ones_too(self):
        assert told(absent(scene(pool("mine", NOBODY), remove=frozenset(["mine"])))) == [(DELETE, "mine")]

    def test_never_one_with_addresses_in_use(self):
        with pytest.raises(RefusedError, match="in use"):
            absent(scene(remove=frozenset(["default-ipv4-ippool"])))

    def test_what_somebody_else_looks_after_is_left(self):
        decided = absent(scene(remote(PODS), owners={PODS.name: "Flux"}))
        assert (decided.changes, decided.left[0].owner) == ((), "Flux")


class TestForm:
    def test_ipv6(self):
        body = new_pool(WantedPool("cluster-2", "fd00:42::/64"), "projectcalico.org/v3", "v3.30.0")
        assert body["spec"]["blockSize"] == 122
        assert body["metadata"]["name"] == "submariner-cluster-2-fd00-42---64"

    def test_a_new_pool_needs_no_correction(self):
        for version in ("v3.20.0", "v3.32.1", ""):
            assert correction(ip_pool_v3(new_pool(PODS, "projectcalico.org/v3", version)), version) == {}


def carried_out(state, decision):
    """The raw pools after a decision, and a check that Calico would have let every single write pass."""
    pools = {entry["metadata"]["name"]: entry for entry in state}
    for change in decision.changes:
        if change.action == DELETE:
            del pools[change.name]
        elif change.action == PATCH:
            pools[change.name] = merged(pools[change.name], change.body)
        else:
            assert change.name not in pools
            network = ipaddress.ip_network(change.cidr)
            assert not any(ipaddress.ip_network(other["spec"]["cidr"]).overlaps(network) for other in pools.values())
            pools[change.name] = {**change.body, "metadata": {**change.body["metadata"], "uid": f"uid-{change.name}"}}
    return list(pools.values())


CIDRS = st.builds(
    lambda second, third, prefix: str(ipaddress.ip_network((f"10.{second}.{third}.0", prefix), strict=False)),
    st.integers(42, 47),
    st.sampled_from((0, 64, 128)),
    st.sampled_from((16, 17, 24)),
)
FIELDS = st.fixed_dictionaries(
    {"natOutgoing": st.booleans(), "disabled": st.booleans(), "disableBGPExport": st.booleans(), "vxlanMode": st.sampled_from(("Never", "Always"))}
)


@st.composite
def clusters(draw):
    """A cluster's pools as any of its writers may have left them, and the subnets that are wanted."""
    pools = {LOCAL.ref.name: raw("default-ipv4-ippool", "10.46.0.0/16", disabled=False, natOutgoing=True)}
    for cidr in draw(st.lists(CIDRS, max_size=4, unique=True)):
        submariners = draw(st.booleans())
        name = WantedPool(draw(st.sampled_from(("cluster-2", "cluster-9"))), cidr).name if submariners else f"by-hand-{len(pools)}"
        pools[name] = raw(name, cidr, {LABEL: "true"} if submariners else {}, **draw(FIELDS))
    wanted = tuple(WantedPool(f"cluster-{number}", cidr) for number, cidr in enumerate(draw(st.lists(CIDRS, max_size=3, unique=True)), start=2))
    named = frozenset(name for name in pools if name.startswith("by-hand") and draw(st.booleans()))
    return list(pools.values()), wanted, named, draw(st.booleans())


@given(clusters())
def test_whatever_is_decided_holds_together(case):
    state, wanted, named, known = case
    before = tuple(map(ip_pool_v3, state))
    used = {entry.ref.name: 40 if entry.ref.name == LOCAL.ref.name else 0 for entry in before if not entry.disabled}
    asked = Scene("cluster-1", before, wanted, known=known, used=used, remove=named)
    try:
        decided = present(asked)
    except RefusedError as error:
        assert "othing was written" in error.message
        return
    for change in decided.changes:
        own = next((entry for entry in before if entry.ref.name == change.name), None)
        assert change.name != LOCAL.ref.name
        if change.action == DELETE:
            assert own.is_submariner or change.name in named
    after = tuple(map(ip_pool_v3, carried_out(state, decided)))
    for entry in wanted:
        (there,) = [each for each in after if same_range(each, entry.cidr)]
        assert correction(there, "") == {}
        assert not any(entry.cidr in (one.cidr, other.cidr) for one, other in overlapping_pools(after))
    again = asked._replace(pools=after)
    assert present(again).changes == ()
    assert all(pool_name(entry) == entry.name for entry in wanted)


@given(clusters())
def test_what_is_taken_away_stays_away(case):
    state, wanted, named, known = case
    before = tuple(map(ip_pool_v3, state))
    asked = Scene("cluster-1", before, wanted, known=known, used={LOCAL.ref.name: 40}, remove=named)
    after = tuple(map(ip_pool_v3, carried_out(state, absent(asked))))
    assert not any(entry.is_submariner or entry.ref.name in named for entry in after)
    assert LOCAL.ref.name in {entry.ref.name for entry in after}
    assert absent(asked._replace(pools=after)).changes == ()
