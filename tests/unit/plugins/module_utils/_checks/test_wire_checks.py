# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of what probes found: each passes, fails on its own fault alone, is unknown where something is missing, and silent without probes."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _differential as tree
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_cases import Scene, cases
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._wire import _by_devices, of_cluster
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, UNAVAILABLE, CalicoPolicy, HostEndpoint, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import CALICO, UNDERLAY, PathMtu
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import wires
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, component, gateway, judged, ok, values
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

CHECK = {
    tree.MTU: "wire-mtu",
    tree.OFFLOAD: "wire-checksum-offload",
    tree.IPVS: "wire-service-ipvs",
    tree.BLOCKED: "wire-udp-blocked",
    tree.ROUTE: "wire-route",
    tree.POLICY: "wire-policy",
    tree.RP_FILTER: "wire-rp-filter",
}
ALL = (*CHECK.values(), "wire-path")


def probed(hosts=None, found=None, *, ipvs=False, **changes):
    """The healthy cluster of the checks' tests, with the nodes, hosts and probes of two nodes."""
    scene = wires.snapshot(hosts, found)
    base = cluster()
    kept = [pod for pod in base.pods.items if pod.ref.name != "kube-proxy"]
    proxy = component("kube-proxy", f"--proxy-mode={'ipvs' if ipvs else 'iptables'}")
    fields = {name: getattr(scene, name) for name in ("nodes", "services", "node_hosts", "node_probes")}
    return dataclasses.replace(base, **{**fields, "pods": ok(*kept, proxy, *scene.pods.items), "gateways": ok(gateway(node=wires.TWO)), **changes})


def endpoints(*profiles):
    """A HostEndpoint of every interface on both nodes."""
    return ok(*(HostEndpoint(Ref("HostEndpoint", f"{name}-all"), name, "*", (wires.ADDRESS[UNDERLAY](name),), profiles, {}) for name in wires.NUMBER))


DROPPING = {
    "host_endpoints": endpoints(),
    "calico_policies": ok(CalicoPolicy(Ref("GlobalNetworkPolicy", "deny"), "projectcalico.org/v3", "default", 1.0, "all()", ("Ingress", "Egress"), (), ())),
}


@pytest.mark.parametrize("check_id", ALL)
def test_a_healthy_cluster_passes(check_id):
    expect_pass(probed(), check_id)


@pytest.mark.parametrize("check_id", ALL)
def test_nothing_is_said_where_nobody_probed(check_id):
    expect_not_asked(cluster(), check_id)
    expect_unknown(cluster(node_probes=answer(UNAVAILABLE)), check_id)


@pytest.mark.parametrize("name", wires.FAULTS)
def test_a_fault_fails_its_own_check_and_no_other(name):
    cause, hosts, found, ipvs, dropped = wires.FAULTS[name]
    snapshot = probed(hosts, found, ipvs=ipvs, **(DROPPING if dropped else {}))
    finding = expect_fail(snapshot, CHECK[cause])
    assert {each.id for each in judged(snapshot, *ALL).findings} == {CHECK[cause]}
    assert finding.impact and finding.remedy.text
    told = {entry.field for entry in finding.evidence}
    for other in set(tree.CAUSES) - {cause}:
        # Of each other cause the observation that rules it out is in the evidence, unless it is what was addressed, which the object of the row names.
        assert told & set(tree.separating(cause, other)) or tree.WHAT in tree.separating(cause, other), (other, told)


def test_figures_of_a_black_hole_and_of_a_refusal():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["short MTU in the middle of the underlay, silent"]
    finding = expect_fail(probed(hosts, found), "wire-mtu")
    assert "1400 bytes pass" in finding.title and "without an answer" in finding.title
    assert any("1400 bytes pass, 1401 do not, eth0 promises 1500" in entry.note for entry in finding.evidence)
    assert finding.remedy.role == "fathom.submariner.calico_mtu" and finding.remedy.variables == {"calico_mtu_link_mtu": 1400}
    assert finding.severity == "error"
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["short MTU in the middle of the underlay, answered"]
    finding = expect_fail(probed(hosts, found), "wire-mtu")
    assert finding.severity == "warning" and "refused" in finding.title
    assert any("192.168.0.254 says 1400" in entry.note for entry in finding.evidence)


def by_ping(change):
    return wires._all_probes(UNDERLAY, lambda each: change(each) if isinstance(each, PathMtu) and each.protocol == "icmp" else each)


def test_large_pings_that_are_filtered_plan_nothing():
    """UDP and TCP as large pass: the device's MTU is no finding, and what pings tell nothing of is unknown."""
    for fault in ("large pings are filtered", "large pings are filtered in the tunnel"):
        snapshot = probed(None, wires.NO_CAUSE[fault][1])
        expect_pass(snapshot, "wire-mtu")
        finding = expect_unknown(snapshot, "wire-path")
        assert finding.missing.startswith("large pings are filtered")
        assert {each.id for each in judged(snapshot, *ALL).findings} == {"wire-path"}


def test_what_calico_is_told_is_what_udp_or_a_router_says():
    """Pings pass up to 1024 bytes here, and to 1300 there: a filter may be on the way, too."""

    def both(each):
        if isinstance(each, PathMtu):
            return each._replace(answer="black_hole", mtu=1024 if each.protocol == "icmp" else 1400, lost=1025 if each.protocol == "icmp" else 1401)
        return each

    finding = expect_fail(probed(None, wires._all_probes(UNDERLAY, both)), "wire-mtu")
    assert "packets of 1400 bytes pass" in finding.title and finding.remedy.variables == {"calico_mtu_link_mtu": 1400}
    refused = expect_fail(probed(None, by_ping(lambda each: each._replace(answer="refused", mtu=1300, lost=1301, next_hop_mtu=1350))), "wire-mtu")
    assert refused.remedy.variables == {"calico_mtu_link_mtu": 1350} and refused.severity == "warning"

    def without_udp(each):
        if isinstance(each, PathMtu):
            return each._replace(answer="black_hole", mtu=1024, lost=1025) if each.protocol == "icmp" else each._replace(answer="unknown", mtu=None)
        return wires._large_lost(each)

    pings = expect_fail(probed(None, wires._all_probes(UNDERLAY, without_udp)), "wire-mtu")
    assert "pings of 1024 bytes pass" in pings.title and not pings.remedy.role


@pytest.mark.parametrize(("fault", "blocked", "where"), [
    ("IP protocol 4 blocked", "IP protocol 4", "between all nodes"), ("4800 blocked", "UDP 4800", "between all nodes"),
    ("4789 blocked by a node's firewall", "UDP 4789", "between all nodes"), ("4800 blocked by the gateway's firewall", "UDP 4800", "between all nodes"),
    ("4500 blocked one way", "UDP 4500", "between the gateways"),
])  # fmt: skip
def test_what_is_blocked_is_named_and_nothing_else_is_to_be_allowed(fault, blocked, where):
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS[fault]
    finding = expect_fail(probed(hosts, found), "wire-udp-blocked")
    assert finding.title.startswith(f"{blocked} is blocked") and finding.remedy.text.startswith(f"Allow {blocked} {where} ")
    assert not [port for port in ("4789", "4800", "4500", "4490") if port in finding.remedy.text and port not in blocked]


@pytest.mark.parametrize("fault", ["pods' addresses are dropped within a subnet", "pods' addresses are dropped without encapsulation"])
def test_what_has_no_tunnel_has_no_port_that_is_blocked(fault):
    hosts, found, _ipvs, _fields = wires.NO_CAUSE[fault]
    snapshot = probed(hosts, found)
    expect_pass(snapshot, "wire-udp-blocked")
    finding = expect_fail(snapshot, "wire-path")
    assert "source and destination check" in finding.remedy.text and "UDP" not in finding.remedy.text
    assert any("without a tunnel" in value for value in values(finding))


def test_a_former_gateway_is_the_route_agents_to_leave():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["vx-submariner leads to a former gateway"]
    finding = expect_fail(probed(hosts, found), "wire-route")
    assert "worker-1: vx-submariner leads to 192.168.0.99, which is no address of gateway-1" in finding.title
    assert finding.remedy.role == "fathom.submariner.route_agent"


def test_a_strict_filter_of_the_gateway_is_the_gateways():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["strict rp_filter on the gateway's vx-submariner"]
    remedy = expect_fail(probed(hosts, found), "wire-rp-filter").remedy
    assert (remedy.role, remedy.variables) == ("fathom.submariner.route_agent", {"route_agent_nodes": [wires.TWO]})


def test_the_remedies_of_hosts_name_nodes_and_devices():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["broken checksums in vx-submariner"]
    remedy = expect_fail(probed(hosts, found), "wire-checksum-offload").remedy
    assert remedy.role == "fathom.submariner.node_offload" and remedy.disruptive and remedy.variables == {"node_offload_devices": [{"name": "vx-submariner"}]}
    assert "-l gateway-1,worker-1 " in remedy.text and "Felix" not in remedy.text
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["broken checksums in Calico's tunnel"]
    remedy = expect_fail(probed(hosts, found), "wire-checksum-offload").remedy
    assert remedy.variables == {"node_offload_devices": [{"name": "vxlan.calico"}]} and "featureDetectOverride" in remedy.text
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["strict rp_filter on the worker's Calico interface"]
    remedy = expect_fail(probed(hosts, found), "wire-rp-filter").remedy
    assert (remedy.role, remedy.variables) == ("fathom.submariner.route_agent", {"route_agent_nodes": [wires.ONE]})


def test_a_strict_filter_between_nodes_is_loosened_where_it_acts():
    dead = [wires._on(wires.probes(wires.ONE), UNDERLAY, wires._dead), wires.probes(wires.TWO)]
    other = wires.NodeProbes("worker-3", paths=(wires.open_path(UNDERLAY, "worker-3", wires.TWO), wires.open_path(UNDERLAY, "worker-3", wires.ONE)))
    remedy = expect_fail(probed(wires._strict_underlay(), (*dead, other)), "wire-rp-filter").remedy
    assert remedy.role == "fathom.submariner.node_sysctl" and not remedy.disruptive
    assert remedy.variables == {"node_sysctl_sysctls": {}, "node_sysctl_rp_filter": {"eth0": 2}} and "-l gateway-1 " in remedy.text


def test_nodes_with_the_same_devices_share_a_finding():
    (case, *_more) = cases(Scene(wires.snapshot()))
    one = case._replace(at={tree.STRICT: (("a", "eth0"), ("b", "eth0"))})
    two = case._replace(at={tree.STRICT: (("c", "eth1"), ("a", "eth0"))})
    assert list(_by_devices([one, two], tree.STRICT)) == [(["a", "b"], ["eth0"], [one, two]), (["c"], ["eth1"], [two])]


def test_checks_share_what_they_concluded_with_nobody_else():
    facts, other = Facts.of(probed()), Facts.of(probed())
    assert of_cluster(facts) is of_cluster(facts) and of_cluster(facts) is not of_cluster(other)


def test_where_the_rule_is():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a node's firewall"]
    finding = expect_fail(probed(hosts, found), "wire-udp-blocked")
    assert "by a firewall rule of a node" in finding.title
    assert any("--dport 4789 -j DROP" in value for value in values(finding))
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a security group"]
    assert "between the nodes" in expect_fail(probed(hosts, found), "wire-udp-blocked").title
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["4500 blocked one way"]
    assert expect_fail(probed(hosts, found), "wire-udp-blocked").title.startswith("UDP 4500 is blocked")


@pytest.mark.parametrize(
    ("check_id", "fault", "without"),
    [
        ("wire-mtu", "large exchanges alone", {}),
        ("wire-checksum-offload", "broken checksums in Calico's tunnel", {"node_hosts": ok()}),
        ("wire-service-ipvs", "IPVS", {"config_maps": answer(FORBIDDEN)}),
        ("wire-udp-blocked", "4789 blocked by a security group", {"node_hosts": ok()}),
        ("wire-route", "4789 blocked by a security group", {"node_hosts": ok()}),
        ("wire-rp-filter", "4789 blocked by a security group", {"node_hosts": ok()}),
        ("wire-policy", "4789 blocked by a security group", {"host_endpoints": answer(FORBIDDEN)}),
    ],
)
def test_what_was_not_read_is_unknown_and_says_what_would_tell(check_id, fault, without):
    if fault in wires.FAULTS:
        _cause, hosts, found, ipvs, _dropped = wires.FAULTS[fault]
    else:

        def change(each):  # no path MTU was searched for
            if isinstance(each, PathMtu):
                return each._replace(answer="unknown", mtu=None)
            return each._replace(answer="black_hole") if each.size == "large" and each.protocol == "tcp" else each

        hosts, found, ipvs = None, wires._all_probes(CALICO, change), False
    snapshot = probed(hosts, found, ipvs=ipvs, **without)
    finding = expect_unknown(snapshot, check_id)
    assert finding.missing.startswith("what would tell: ") and len(finding.missing) > 30
    lost = [each for each in judged(snapshot, "wire-path").findings if each.verdict == "fail"]
    assert len(lost) == 1 and "not told apart" in lost[0].title


def test_probes_that_could_not_run_are_unknown():
    failed = PathMtu("192.168.0.2", wires.TWO, why="no permission to open a raw socket: run it as root")
    finding = expect_unknown(probed(None, (wires.probes(wires.ONE)._replace(paths=(failed,)), wires.probes(wires.TWO))), "wire-path")
    assert finding.missing == failed.why


def test_what_fits_no_cause_is_told_as_it_is():
    """Full-sized pings and everything else pass, large TCP does not, and checksums are made by the kernel."""
    found = wires._all_probes(CALICO, wires._large_lost)
    snapshot = probed(None, found)
    finding = expect_fail(snapshot, "wire-path")
    assert "none of the causes that are known" in finding.title
    assert "tcpdump" in finding.remedy.text
    assert {each.id for each in judged(snapshot, *ALL).findings} == {"wire-path"}


def test_a_policy_that_lets_the_probe_pass_is_none():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["4800 blocked"]
    allowed = {"host_endpoints": endpoints("projectcalico-default-allow")}
    assert expect_fail(probed(hosts, found, **allowed), "wire-udp-blocked")
    dropped = probed(hosts, found, **DROPPING)
    assert "vx-submariner" in expect_fail(dropped, "wire-policy").title
    expect_unknown(probed(hosts, found, **{**DROPPING, "tiers": answer(FORBIDDEN)}), "wire-policy")
