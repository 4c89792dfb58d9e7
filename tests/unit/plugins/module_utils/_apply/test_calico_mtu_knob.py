# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order an MTU and what wins over it are written, and that nobody's change is undone by it."""

from __future__ import annotations

import copy
import types

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_mtu as remedy, _calico_mtu_knob as knobs
from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_mtu_knob import plan_knob, take_out_overrides, write_knob
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import Method
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import daemon_set, manifest, ok, operator

FELIX = "/apis/crd.projectcalico.org/v1/felixconfigurations/default"
MAP = "/api/v1/namespaces/kube-system/configmaps/calico-config"
DAEMON_SET = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
CONFLIST = '{"plugins": [{"type": "calico", "mtu": 1450}]}'
ASKED = {"mtu": None, "tcp_clamp_mss": None, "link_mtu": None, "path_mtu": None, "restart_workloads": "none", "workloads": [], "wait": True}
ASKED.update(across_clusters=True, cable_driver=None, force=False)
PARAMS = {"correct_overrides": True, "write_live": False, "wait": False, "allow_disruption": True}


class Writer:
    """Objects by path; ``done`` is what was written, in its order."""

    extent = "Nothing was written."
    changed = False

    def __init__(self):
        self.objects = {}
        self.done = []

    def put(self, path, kind, name, **fields):
        self.objects[path] = {"kind": kind, "metadata": {"name": name, "namespace": "kube-system", "uid": f"uid-{name}"}, **fields}

    def read(self, path):
        return copy.deepcopy(self.objects.get(path))

    def patch(self, path, found, patch):
        self.done.append(path)
        self.objects[path] = merged(found, patch)
        return self.objects[path]


@pytest.fixture
def writer():
    made = Writer()
    reference = {"configMapKeyRef": {"name": "calico-config", "key": "cni_network_config"}}
    container = {"name": "install-cni", "env": [{"name": "CNI_NETWORK_CONFIG", "valueFrom": reference}]}
    made.put(DAEMON_SET, "DaemonSet", "calico-node", spec={"template": {"spec": {"initContainers": [container], "containers": []}}}, status={"x": 1})
    made.put(MAP, "ConfigMap", "calico-config", data={"cni_network_config": CONFLIST})
    made.put(FELIX, "FelixConfiguration", "default", spec={"vxlanMTU": 1300})
    return made


def task(writer, **params):
    return Task({**PARAMS, **params}, types.SimpleNamespace(name="c", connection=None), writer, Deadline(60), check_mode=False)


@pytest.fixture
def installation(monkeypatch, writer):
    """The Installation lacks the MTU, and is written in one piece."""
    monkeypatch.setattr(knobs, "would_set_installation", lambda *_arguments: True)
    monkeypatch.setattr(knobs, "set_installation", lambda *_arguments, **_rest: writer.done.append("Installation") or True)


def test_an_override_in_force_goes_after_the_installation_has_the_mtu(writer, installation):
    cluster = operator(felix_spec={"vxlanMTU": 1300})
    work = task(writer)
    knob = plan_knob(work, cluster, 1400)
    assert [(entry.wins, entry.in_force) for entry in knob.felix] == [(False, True)]
    write_knob(work, cluster, knob)
    assert writer.done == ["Installation"]
    take_out_overrides(work, cluster, knob)
    assert writer.done == ["Installation", FELIX]
    assert "vxlanMTU" not in writer.objects[FELIX]["spec"]


def test_one_that_the_environment_hides_goes_before_that_is_taken_away(writer, installation):
    running = daemon_set(FELIX_VXLANMTU="1400")._replace(desired=3, updated=3, generation=1, observed_generation=1)
    cluster = operator(1400, felix_spec={"vxlanMTU": 1300}, daemon_sets=ok(running))
    work = task(writer)
    knob = plan_knob(work, cluster, 0)
    write_knob(work, cluster, knob)
    take_out_overrides(work, cluster, knob)
    assert writer.done == [FELIX, "Installation"]


@pytest.mark.parametrize("waits", [True, False])
def test_the_rollout_is_awaited_first_where_waiting_is_asked_for(writer, installation, monkeypatch, waits):
    cluster = operator(felix_spec={"vxlanMTU": 1300})
    monkeypatch.setattr(remedy, "_snapshot", lambda _task: cluster)
    monkeypatch.setattr(remedy, "await_rollout", lambda *_arguments, **_rest: writer.done.append("rollout"))
    work = task(writer)
    remedy._settle(work, cluster, plan_knob(work, cluster, 1400), True, waits)
    assert writer.done == (["rollout", FELIX] if waits else [FELIX])


def test_taking_out_what_is_in_force_needs_consent(writer, installation):
    cluster = operator(felix_spec={"vxlanMTU": 1300})
    said = remedy._disruptive(cluster, plan_knob(task(writer), cluster, 1400), ())
    assert any("tunnels get another MTU at once, since FelixConfiguration default vxlanMTU is taken out" in sentence for sentence in said)


def test_nothing_is_taken_out_where_a_person_must_set_the_mtu_first(writer, monkeypatch):
    monkeypatch.setattr(knobs, "method_of", lambda _snapshot: Method.HELM)
    monkeypatch.setattr(knobs, "would_set_installation", lambda *_arguments: False)
    cluster = operator(felix_spec={"vxlanMTU": 1300})
    work = task(writer)
    knob = plan_knob(work, cluster, 1400)
    assert (knob.by_person, knob.felix, [entry["value"] for entry in knob.overrides]) == (True, (), ["1300"])
    remedy._settle(work, cluster, knob, False, False)
    assert writer.done == [] and "vxlanMTU is left until a person has set the MTU" in work.warnings[0]


@pytest.mark.parametrize("asked", [{"mtu": "auto"}, {"mtu": "1300"}, {"mtu": "0"}, {"restart_workloads": "all"}, {"mtu": "1300", "tcp_clamp_mss": "1300"}])
def test_nothing_is_set_or_restarted_where_pods_read_no_mtu_of_calicos(writer, monkeypatch, asked):
    amazon = operator(status=9001, cni="AmazonVPC", ip_pools=ok(), datastore_migrations=ok(), openshift_networks=ok())
    monkeypatch.setattr(remedy, "_snapshot", lambda _task, **_rest: amazon)
    work = task(writer, **{**ASKED, **asked})
    with pytest.raises(RefusedError, match="AmazonVPC gives pods their interfaces and their MTU, and reads none of Calico's.*Nothing was written"):
        remedy.perform(work)
    assert writer.done == []


def test_gateways_clamp_tcp_whoever_gives_pods_their_mtu(writer, monkeypatch):
    gateway = Node(Ref("Node", "a"), {"submariner.io/gateway": "true"}, {}, (), (), True, "", "")
    monkeypatch.setattr(remedy, "_snapshot", lambda _task, **_rest: operator(status=9001, cni="AmazonVPC", ip_pools=ok(), nodes=ok(gateway)))
    writer.put("/api/v1/nodes/a", "Node", "a")
    work = task(writer, **{**ASKED, "tcp_clamp_mss": "1300"})
    remedy.perform(work)
    assert writer.done == ["/api/v1/nodes/a"] and work.facts["tcp_clamp_mss"] == 1300


def test_the_cni_configuration_is_written_once(writer):
    work, cluster = task(writer), manifest("1450")
    knob = plan_knob(work, cluster, 1400)
    writer.objects[DAEMON_SET]["status"] = {"x": 2}  # a pod got ready: nobody's decision
    write_knob(work, cluster, knob)
    assert writer.done == [MAP, DAEMON_SET] and '"mtu": 1400' in writer.objects[MAP]["data"]["cni_network_config"]


@pytest.mark.parametrize("path", [MAP, DAEMON_SET])
def test_what_somebody_changed_meanwhile_is_not_overwritten(writer, path):
    work, cluster = task(writer), manifest("1450")
    knob = plan_knob(work, cluster, 1400)
    writer.objects[path] = merged(writer.objects[path], {"data": {"cni_network_config": CONFLIST.replace("calico", "calico-2")}})
    with pytest.raises(RefusedError, match=r"changed by somebody else meanwhile, in data.*Nothing was written\. Run this again"):
        write_knob(work, cluster, knob)
    assert writer.done == []


@pytest.mark.parametrize("path", [MAP, DAEMON_SET])
def test_what_has_gone_meanwhile_is_said(writer, path):
    work, cluster = task(writer), manifest("1450")
    knob = plan_knob(work, cluster, 1400)
    del writer.objects[path]
    with pytest.raises(RefusedError, match=r"has gone since it was read .*Nothing was written"):
        write_knob(work, cluster, knob)
    assert writer.done == []


def test_a_config_map_that_is_not_there_is_said_before_anything_is_written(writer):
    env = writer.objects[DAEMON_SET]["spec"]["template"]["spec"]["initContainers"][0]["env"]
    env[0] = {"name": "CNI_NETWORK_CONFIG", "value": CONFLIST.replace("1450", "__CNI_MTU__")}
    env.append({"name": "CNI_MTU", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "veth_mtu"}}})
    with pytest.raises(RefusedError, match="ConfigMap gone, from which calico-node takes its MTU, does not exist"):
        plan_knob(task(writer), manifest("1450"), 1400)
