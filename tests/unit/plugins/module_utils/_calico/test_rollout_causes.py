# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod of calico-node is not ready."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _rollout_causes as causes
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_causes import cause_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, ContainerStatus, Event, Node, Pod, PodLog, Ref

REF = Ref("Pod", "calico-node-x", "calico-system")


def pod(*statuses, phase="Running", conditions=()):
    return Pod(REF, "uid", "node-3", True, phase, False, (), statuses=statuses, conditions=conditions, restarts=sum(entry.restarts for entry in statuses))


def status(name="calico-node", **fields):
    return ContainerStatus(name, False, **{"restarts": 0, "image": "docker.io/calico/node:v3.28.1", **fields})


def node(ready=True, reason="KubeletReady", message=""):
    said = {True: "True", False: "False", None: "Unknown"}[ready]
    return Node(Ref("Node", "node-3"), {}, {}, (), (), ready, "", "", conditions=(Condition("Ready", said, reason, message),))


def log(*lines, previous=False, container="calico-node"):
    return PodLog(REF, container, "\n".join(lines), previous=previous)


def event(reason, message, count=3, seen="2026-01-01T00:00:00Z"):
    return Event(REF, reason, message, count, seen)


CRASHING = status(restarts=7, waiting_reason="CrashLoopBackOff", waiting_message="back-off 5m0s restarting failed container", exit_code=1)


@pytest.mark.parametrize(
    ("line", "kind", "lacks"),
    [
        ("ipset v7.11: Kernel error received: Invalid argument", causes.MODULE, "ip_set"),
        ("ipset v7.11: Cannot open session to kernel.", causes.MODULE, "ip_set"),
        ("ipset v7.11: Kernel error received: set type not supported", causes.MODULE, "ip_set_hash_*"),
        ("iptables v1.8.4 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)", causes.MODULE, "nat"),
        ("modprobe: FATAL: Module xt_set not found in directory /lib/modules/5.10.120-tegra", causes.MODULE, "xt_set"),
        ("iptables-restore v1.8.4: Couldn't load match `rpfilter':No such file or directory", causes.MODULE, "rpfilter"),
        ("Failed to configure VXLAN tunnel device error=failed to create vxlan interface: operation not supported", causes.MODULE, "vxlan"),
        ("ipset v7.11: Kernel and userspace incompatible: settype hash:ip with revision 6 not supported by userspace.", causes.IPSET_REVISION, ""),
        ("standard_init_linux.go:228: exec user process caused: exec format error", causes.ARCHITECTURE, ""),
        ("Couldn't autodetect an IPv4 address. If auto-detecting, choose a different autodetection method.", causes.ADDRESS, ""),
        ("Calico node 'b' is already using the IPv4 address 192.0.2.7.", causes.ADDRESS, ""),
        ("error=Get https://10.43.0.1:443/version: dial tcp 10.43.0.1:443: i/o timeout", causes.DATASTORE, ""),
    ],
)
@pytest.mark.parametrize("where", ["log", "previous log", "exit message", "event"])
def test_known_messages(line, kind, lacks, where):
    at = {
        "log": (pod(CRASHING), [log("Starting", line, "[INFO] later")], []),
        "previous log": (pod(CRASHING), [log("Starting"), log(line, previous=True)], []),
        "exit message": (pod(CRASHING._replace(exit_message=line)), [], []),
        "event": (pod(CRASHING), [], [event("BackOff", line)]),
    }[where]
    cause = cause_of(at[0], node(), at[1], at[2])
    assert (cause.kind, cause.lacks) == (kind, lacks)
    assert line[:40] in cause.seen[0].note or line[:40] in cause.seen[0].value


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_image(reason):
    waiting = status("install-cni", init=True, waiting_reason=reason, waiting_message="pull access denied", image="mirror.test/calico/cni:v3.28.1")
    cause = cause_of(pod(status(), waiting, phase="Pending"), node(), [], [])
    assert (cause.kind, cause.lacks) == (causes.IMAGE, "mirror.test/calico/cni:v3.28.1")
    assert cause.seen[0].field == "status.initContainerStatuses[install-cni].state.waiting"


def test_an_image_without_the_nodes_architecture():
    waiting = status(waiting_reason="ErrImagePull", waiting_message="no matching manifest for linux/arm64/v8 in the manifest list entries")
    assert cause_of(pod(waiting), node(), [], []).kind == causes.ARCHITECTURE


def test_a_machine_that_is_away():
    cause = cause_of(
        pod(CRASHING), node(None, "NodeStatusUnknown", "Kubelet stopped posting node status."), [log("ipset: Kernel error received: Invalid argument")], []
    )
    assert (cause.kind, cause.lacks) == (causes.NODE_AWAY, "node-3")
    assert cause.seen[0].object == "Node node-3"


def test_a_node_that_only_waits_for_this_very_pod_is_not_away():
    waits = node(
        False, "KubeletNotReady", "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"
    )
    assert cause_of(pod(CRASHING), waits, [], []).kind == causes.CRASH


def test_unscheduled():
    condition = Condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 1 Insufficient cpu.")
    cause = cause_of(pod(phase="Pending", conditions=(condition,)), None, [], [])
    assert cause.kind == causes.UNSCHEDULED and "Insufficient cpu" in cause.seen[0].note


def test_what_cannot_be_created():
    waiting = status(waiting_reason="CreateContainerConfigError", waiting_message='secret "node-certs" not found')
    assert cause_of(pod(waiting), node(), [], []).kind == causes.MOUNT
    pending = cause_of(pod(status(waiting_reason="PodInitializing"), phase="Pending"), node(), [], [event("FailedMount", 'MountVolume.SetUp failed for "x"')])
    assert (pending.kind, pending.lacks) == (causes.MOUNT, "FailedMount")


def test_memory_and_crash():
    killed = status(restarts=3, exit_code=137, exit_reason="OOMKilled", waiting_reason="CrashLoopBackOff")
    assert cause_of(pod(killed), node(), [], []).kind == causes.MEMORY
    crash = cause_of(pod(CRASHING), node(), [log("[INFO] fine", "2026 [FATAL][1] startup.go: boom")], [])
    assert crash.kind == causes.CRASH
    assert "exit code 1" in crash.seen[0].note and "7 restarts" in crash.seen[0].note
    assert "boom" in crash.seen[1].value


def test_a_probe_that_fails():
    older = event("Unhealthy", "Readiness probe failed: older", seen="2026-01-01T00:00:00Z")
    newest = event("Unhealthy", "Readiness probe failed: calico/node is not ready: felix is not ready: 503", seen="2026-01-02T00:00:00Z")
    cause = cause_of(pod(status()), node(), [], [newest, older])
    assert cause.kind == causes.PROBE and "felix is not ready" in cause.seen[0].note


def test_a_fresh_pod_may_need_its_time():
    assert cause_of(pod(status()), node(), [], [], fresh=True).kind == causes.STARTING
    assert cause_of(pod(status()), node(), [], []).kind == causes.UNCLEAR
    assert cause_of(pod(CRASHING), node(), [], [], fresh=True).kind == causes.CRASH


def test_long_lines_are_cut():
    cause = cause_of(pod(CRASHING), node(), [log("exec format error " + "x" * 1000)], [])
    assert len(cause.seen[0].value + cause.seen[0].note) <= 200
