# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods have the former MTU, and how their owners are started anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import restart_missing
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_history import HASH, NEVER, Change, Cutoffs, cutoffs, last_change, newest
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_overrides import felix_overrides, variables_after
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import ENVIRONMENT, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_workloads import (
    EVICT,
    LEFT,
    PERSON,
    ROLL,
    controller_row,
    outdated,
    pod_row,
    workloads,
)

from .mtu_clusters import CHANGED, calico_pod, felix, kubespray, manifest, ok, operator, written

DAYS = [f"2026-01-{day:02d}T00:00:00Z" for day in range(1, 29)]


def revision(number, mtu, day, name=None):
    env = [{"name": "FELIX_VXLANMTU", "value": str(mtu)}] if mtu else []
    template = {"spec": {"containers": [{"name": "calico-node", "image": f"v{number}", "env": env}]}}
    metadata = {"name": f"calico-node-{number}", "creationTimestamp": DAYS[day], "labels": {HASH: name or f"h{number}"}}
    return {"metadata": metadata, "revision": number, "data": {"spec": {"template": {**template, "$patch": "replace"}}}}


def node_pod(node, hashed, day, finished=None, restarts=0, deleting=False):
    statuses = [{"name": "install-cni", "restartCount": restarts, "state": {"terminated": {"finishedAt": finished}}}] if finished else []
    metadata = {"name": f"calico-node-{node}", "labels": {HASH: hashed}, "creationTimestamp": DAYS[day], **({"deletionTimestamp": "x"} if deleting else {})}
    return {"metadata": metadata, "spec": {"nodeName": node}, "status": {"initContainerStatuses": statuses}}


class TestHistory:
    def test_the_rollout_that_changed_it(self):
        assert last_change([revision(1, None, 0), revision(2, 1400, 5)]) == Change(DAYS[5], "h2")

    def test_other_rollouts_have_followed(self):
        assert last_change([revision(1, None, 0), revision(2, 1400, 5), revision(3, 1400, 9)]) == Change(DAYS[5], "")

    def test_a_template_that_is_taken_up_again_keeps_its_old_time(self):
        assert last_change([revision(3, 1400, 0), revision(2, 1500, 5)]) == Change(DAYS[5], "h3")

    def test_no_other_mtu_is_known(self):
        assert last_change([]) is None
        assert last_change([revision(1, 1400, 0), revision(2, 1400, 1)]) is None
        assert newest([]) == "" and newest([revision(1, 1400, 0), revision(2, 1400, 1)]) == "h2"

    def test_each_node_has_its_own_time(self):
        pods = [
            node_pod("a", "h2", 6, finished="2026-01-07T00:00:09Z"),
            node_pod("b", "h2", 7, finished=DAYS[20], restarts=1),
            node_pod("c", "h1", 0),
            node_pod("d", "h2", 6, deleting=True),
        ]
        found = cutoffs(Change(DAYS[5], "h2"), pods)
        assert found.nodes == {"a": "2026-01-07T00:00:09Z", "b": DAYS[7], "c": NEVER, "d": NEVER}
        assert found.of("elsewhere") == DAYS[5]
        assert cutoffs(Change(DAYS[5], ""), pods).nodes == {}

    @given(st.lists(st.sampled_from([None, 1400, 1500]), min_size=1, max_size=8))
    def test_the_change_is_the_last_place_where_neighbours_differ(self, mtus):
        found = last_change([revision(number, mtu, number) for number, mtu in enumerate(mtus)])
        differing = [number for number in range(1, len(mtus)) if mtus[number] != mtus[number - 1]]
        assert (found is None) == (not differing)
        assert found is None or found == Change(DAYS[differing[-1]], f"h{differing[-1]}" if differing[-1] == len(mtus) - 1 else "")


def pod(name, *, owner=None, created=DAYS[0], node="a", **changes):
    references = [{"kind": owner[0], "name": owner[1], "uid": owner[2], "controller": True}] if owner else []
    made = {
        "metadata": {"namespace": "shop", "name": name, "uid": name, "creationTimestamp": created, "ownerReferences": references},
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "podIP": "10.42.0.9"},
    }
    for path, value in changes.items():
        made[path] = {**made[path], **value}
    return made


def controller(kind, name, uid, owner=None, **spec):
    references = [{"kind": owner[0], "name": owner[1], "uid": owner[2], "controller": True}] if owner else []
    return controller_row(kind)({"metadata": {"name": name, "uid": uid, "ownerReferences": references}, "spec": spec})


class TestWorkloads:
    @pytest.mark.parametrize(
        "changes",
        [
            {"spec": {"hostNetwork": True}},
            {"spec": {"nodeName": None}},
            {"status": {"phase": "Succeeded"}},
            {"status": {"phase": "Failed"}},
            {"status": {"podIP": None}},
            {"metadata": {"deletionTimestamp": "x"}},
        ],
    )
    def test_pods_without_an_interface_that_counts(self, changes):
        assert pod_row(pod("p")) is not None
        assert pod_row(pod("p", **changes)) is None

    def test_older_than_their_node(self):
        limits = Cutoffs(DAYS[5], {"a": DAYS[6], "b": NEVER}, "")
        rows = [pod_row(pod(f"{node}{day}", node=node, created=DAYS[day])) for node in "abc" for day in (4, 5, 6)]
        assert [row.name for row in outdated(rows, limits)] == ["a4", "a5", "b4", "b5", "b6", "c4"]

    def test_each_owner_in_its_way(self):
        known = [
            controller("Deployment", "web", "d1"),
            controller("ReplicaSet", "web-1", "r1", ("Deployment", "web", "d1")),
            controller("Deployment", "agent", "d2", ("Submariner", "submariner", "s")),
            controller("ReplicaSet", "agent-1", "r2", ("Deployment", "agent", "d2")),
            controller("Deployment", "held", "d3", paused=True),
            controller("ReplicaSet", "held-1", "r3", ("Deployment", "held", "d3")),
            controller("StatefulSet", "db", "t1", updateStrategy={"type": "RollingUpdate"}),
            controller("DaemonSet", "log", "e1", updateStrategy={"type": "OnDelete"}),
            controller("ReplicaSet", "bare", "r4"),
        ]
        owners = [
            ("ReplicaSet", "web-1", "r1"),
            ("ReplicaSet", "agent-1", "r2"),
            ("ReplicaSet", "held-1", "r3"),
            ("StatefulSet", "db", "t1"),
            ("DaemonSet", "log", "e1"),
            ("ReplicaSet", "bare", "r4"),
            ("VirtualMachineInstance", "vm", "v"),
            ("Job", "once", "j"),
            ("Node", "a", "n"),
            None,
        ]
        rows = [pod_row(pod(f"p{number}", owner=owner)) for number, owner in enumerate(owners)] + [pod_row(pod("p-web-2", owner=owners[0]))]
        found = {f"{each.kind}/{each.name}": (each.way, len(each.pods)) for each in workloads(rows, {owner.uid: owner for owner in known})}
        assert found == {
            "Deployment/web": (ROLL, 2),
            "Deployment/agent": (EVICT, 1),
            "Deployment/held": (EVICT, 1),
            "StatefulSet/db": (ROLL, 1),
            "DaemonSet/log": (EVICT, 1),
            "ReplicaSet/bare": (EVICT, 1),
            "VirtualMachineInstance/vm": (EVICT, 1),
            "Job/once": (LEFT, 1),
            "Node/a": (PERSON, 1),
            "Pod/p9": (PERSON, 1),
        }

    @given(st.lists(st.tuples(st.sampled_from(["Deployment", "StatefulSet", "Job", "Node", "Widget", None]), st.integers(0, 3)), max_size=12))
    def test_every_pod_belongs_to_exactly_one_and_unmanaged_ones_are_nobodys(self, owners):
        rows = [pod_row(pod(f"p{number}", owner=(kind, f"o{which}", f"{kind}{which}") if kind else None)) for number, (kind, which) in enumerate(owners)]
        found = workloads(rows, {})
        assert sorted(row.name for each in found for row in each.pods) == sorted(row.name for row in rows)
        assert all(each.way == PERSON for each in found if each.kind in ("Pod", "Node"))
        assert all(each.way in (ROLL, EVICT) for each in found if each.kind in ("Deployment", "StatefulSet", "Widget"))


class TestOverrides:
    def test_the_operators_environment_wins(self):
        cluster = operator(1450, felix_spec={"vxlanMTU": 1400, "ipipMTU": 1300})
        (found,) = felix_overrides(cluster, ["VXLAN"], 1450)
        assert (found.field, found.value, found.wins) == ("vxlanMTU", 1400, False)

    def test_without_an_mtu_felix_decides(self):
        cluster = operator(1450, felix_configurations=ok(felix(vxlanMTU=1400), felix("node.a", vxlanMTU="1300")))
        assert [(str(found.felix.ref), found.value, found.wins) for found in felix_overrides(cluster, ["VXLAN"], 0)] == [
            ("FelixConfiguration default", 1400, True),
            ("FelixConfiguration node.a", 1300, True),
        ]

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({}, {"IPIP", "VXLAN", "WireGuard"}),
            ({"bgp": "Enabled"}, {"IPIP", "VXLAN", "WireGuard"}),
            ({"bgp": "Disabled"}, {"VXLAN", "WireGuard"}),
            ({"bgp": "Disabled", "ipv6": True}, {"VXLAN", "WireGuard", "VXLAN over IPv6", "WireGuard over IPv6"}),
        ],
    )
    def test_the_operator_has_a_variable_for_what_it_thinks_in_use(self, fields, named):
        cluster = operator(felix_spec={"ipipMTU": 1300, "vxlanMTUV6": 1300}, **fields)
        assert variables_after(cluster, 1400) == {ENVIRONMENT[name] for name in named}
        assert variables_after(cluster, 0) == frozenset()
        found = felix_overrides(cluster, ["IPIP", "VXLAN over IPv6"], 1400)
        assert [entry.wins for entry in found] == ["IPIP" not in named, "VXLAN over IPv6" not in named]

    def test_what_says_the_same_is_none(self):
        assert felix_overrides(operator(felix_spec={"vxlanMTU": 1450}), ["VXLAN"], 1450) == ()

    def test_ipv6_tunnels_have_no_variable_in_calicos_manifest(self):
        cluster = manifest("1400", felix_spec={"vxlanMTU": 1300, "vxlanMTUV6": 1300})
        found = felix_overrides(cluster, ["VXLAN", "VXLAN over IPv6"], 1400)
        assert [(entry.field, entry.wins) for entry in found] == [("vxlanMTU", False), ("vxlanMTUV6", True)]

    def test_kubespray_adds_and_takes_its_own_variables(self):
        cluster = kubespray(tunnels=1450, datastore_migrations=ok())
        assert variables_after(cluster, 1400) == {ENVIRONMENT[name] for name in ("IPIP", "VXLAN", "WireGuard")}
        assert variables_after(cluster, 0) == frozenset()


class TestRestart:
    def pods(self):
        return ok(calico_pod("a"), calico_pod("b"))

    def changed(self, **fields):
        return manifest("1400", origin=written(CHANGED, "data.veth_mtu"), pods=self.pods(), **fields)

    def test_a_configmap_that_nothing_has_read(self):
        assert restart_missing(self.changed(), read_settings(self.changed()))

    def test_a_restart_that_is_under_way(self):
        (base,) = self.changed().daemon_sets.items
        asked = self.changed(daemon_sets=ok(base._replace(origin=written(CHANGED, "spec.template.metadata.annotations"))))
        assert not restart_missing(asked, read_settings(asked))

    def test_a_configmap_that_was_there_before(self):
        assert not restart_missing(manifest("1400", pods=self.pods()), read_settings(manifest("1400", pods=self.pods())))
