# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From documents of nodes to causes: each fault is told for what it is, and what is dropped from the input claims nothing."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _differential as tree
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_cases import Scene, cases, untried
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_results import full, passes, small
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_firewall import iptables_rules, nftables_rules
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, NodeProbes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import (
    BLACK_HOLE,
    CALICO,
    DEAD,
    OPEN,
    REFUSED,
    UNDERLAY,
    UNKNOWN,
    Contrast,
    PathMtu,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import wires

SECTIONS = ("links", "routes", "rules", "firewall")


def scene(hosts=None, found=None, is_ipvs=False, dropped=False, **fields):
    return Scene(wires.snapshot(hosts, found, **fields), is_ipvs, lambda flow: dropped)


def claimed(found):
    return {case.verdict.cause for case in found} - {""}


def test_a_healthy_cluster_has_no_symptom():
    found = cases(scene())
    assert {case.path for case in found} == {"underlay", "calico", "submariner", "cross_cluster"}
    assert [case for case in found if tree.symptoms(case.observed)] == []


@pytest.mark.parametrize("name", wires.FAULTS)
def test_each_fault_is_told_for_what_it_is(name):
    cause, hosts, found, is_ipvs, dropped = wires.FAULTS[name]
    assert claimed(cases(scene(hosts, found, is_ipvs, dropped))) == {cause}


@pytest.mark.parametrize("name", wires.NO_CAUSE)
def test_what_is_refuted_or_not_proved_is_not_claimed(name):
    hosts, found, is_ipvs, fields = wires.NO_CAUSE[name]
    asked = scene(hosts, found, is_ipvs, **fields)
    assert claimed(cases(asked)) == set()
    lost = [case for case in cases(asked) if tree.symptoms(case.observed)]
    assert lost or [each for each in untried(asked.snapshot, cases(asked)) if "large pings are filtered" in each.why]


def test_pings_that_are_filtered_are_no_symptom_and_tell_nothing():
    asked = scene(None, wires.NO_CAUSE["large pings are filtered"][1])
    found = cases(asked)
    assert [case for case in found if tree.symptoms(case.observed)] == []
    assert [(each.source, each.target) for each in untried(asked.snapshot, found)] == [(wires.ONE, wires.TWO), (wires.TWO, wires.ONE)]


def test_what_the_packets_travel_in():
    def seen(hosts, path):
        return {case.carrier for case in cases(scene(hosts)) if case.path == path and not case.port and case.name != "dns-1"}

    assert seen(None, UNDERLAY) == {""} and seen(None, CALICO) == {"UDP 4789"} and seen(None, "submariner") == {"UDP 4800"}
    assert seen(None, "cross_cluster") == {"UDP 4800"}  # from a worker
    assert seen(tuple(map(wires._by_ipip, wires.NUMBER)), CALICO) == {"IP protocol 4"}
    assert seen(tuple(map(wires._untunnelled, wires.NUMBER)), CALICO) == {""}
    gateway = wires.probes(wires.ONE)._replace(node=wires.TWO)
    (case,) = [case for case in cases(scene(None, (gateway,))) if case.path == "cross_cluster"]
    assert case.carrier == "UDP 4500" and case.observed[tree.CARRIER] is True


def test_a_node_that_may_or_may_not_be_the_gateway_has_no_carrier():
    both = wires.ok(*(wires.node(name)._replace(labels={"submariner.io/gateway": "true"}) for name in wires.NUMBER))
    (case,) = [case for case in cases(scene(nodes=both)) if case.path == "cross_cluster"]
    assert case.carrier == "" and case.observed[tree.CARRIER] is None and case.observed[tree.STRICT] is None


def test_a_rule_that_drops_some_packets_leaves_it_open():
    _cause, _hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a security group"]
    lines = {'iifname != "eth0" drop': None, "ip saddr @strangers drop": None, "ct state invalid drop": False, "tcp dport 22 drop": False}
    for line, expected in lines.items():
        text = "table inet t {\n\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n\t\t" + line + "\n\t}\n}\n"
        hosts = tuple(wires.host(node)._replace(firewall=nftables_rules(text).rules) for node in wires.NUMBER)
        lost = [case for case in cases(scene(hosts, found)) if case.verdict.cause == tree.BLOCKED]
        assert {case.observed[tree.RULE] for case in lost} == {expected}, line


def test_what_felix_lets_in_is_not_what_submariner_needs():
    _cause, _hosts, found, _ipvs, _dropped = wires.FAULTS["4800 blocked"]
    rules = iptables_rules("*filter\n:INPUT DROP [0:0]\n:cali-INPUT - [0:0]\n-A INPUT -j cali-INPUT\nCOMMIT\n", "ip")
    hosts = tuple(wires.host(node)._replace(firewall=rules) for node in wires.NUMBER)
    lost = [case for case in cases(scene(hosts, found)) if case.verdict.cause == tree.BLOCKED]
    assert {case.observed[tree.RULE] for case in lost} == {True}


def test_next_hops_into_several_devices():
    """By which of them a packet leaves is not known: neither the tunnel nor the address that it leaves with."""
    one = wires.host(wires.ONE)
    more = one._replace(routes=(*one.routes, *(route._replace(device="eth1") for route in one.routes if route.device == "vxlan.calico")))
    (case,) = [case for case in cases(scene((more, wires.host(wires.TWO)))) if (case.source, case.path, case.address) == (wires.ONE, CALICO, "10.42.2.0")]
    assert case.observed[tree.CARRIER] is None and case.observed[tree.STRICT] is None


def test_an_asymmetric_route_under_strict_filtering():
    """On the underlay: what leaves one node comes in where its sender is not expected. The target must be known to be alive."""
    dead = [wires._on(wires.probes(wires.ONE), UNDERLAY, wires._dead), wires.probes(wires.TWO)]
    other = NodeProbes("worker-3", paths=(wires.open_path(UNDERLAY, "worker-3", wires.TWO), wires.open_path(UNDERLAY, "worker-3", wires.ONE)))
    hosts = wires._strict_underlay()
    found = [case for case in cases(scene(hosts, (*dead, other))) if case.verdict.cause]
    assert [(case.verdict.cause, case.source, case.path) for case in found] == [(tree.RP_FILTER, wires.ONE, UNDERLAY)]
    assert "rp_filter of eth0 acts as 1 (strict), and the route back to 192.168.0.1 leads into eth1" in found[0].words[tree.STRICT]
    alone = dead[1]._replace(paths=(), contrasts=())
    assert claimed(cases(scene(hosts, (dead[0], alone)))) == set()


@pytest.mark.parametrize("name", [*wires.FAULTS, *wires.NO_CAUSE])
@settings(max_examples=15)
@given(data=st.data())
def test_dropping_any_input_never_makes_a_claim(name, data):
    if name in wires.FAULTS:
        _cause, hosts, found, is_ipvs, dropped = wires.FAULTS[name]
        fields = {}
    else:
        (hosts, found, is_ipvs, fields), dropped = wires.NO_CAUSE[name], False
    whole = scene(hosts, found, is_ipvs, dropped, **fields)
    before = {(case.source, case.path, case.address, case.port): case.verdict for case in cases(whole)}
    snapshot = whole.snapshot
    kept_hosts = []
    for host in snapshot.node_hosts.items:
        if data.draw(st.booleans(), label=f"host {host.node}"):
            kept_hosts.append(wires.unseen(host, *data.draw(st.sets(st.sampled_from(SECTIONS)), label="unseen")))
    kept_probes = []
    for probes in snapshot.node_probes.items:
        paths = [path for path in probes.paths if data.draw(st.integers(0, 3))]
        contrasts = [contrast for contrast in probes.contrasts if data.draw(st.integers(0, 3))]
        kept_probes.append(probes._replace(paths=tuple(paths), contrasts=tuple(contrasts)))
    answers = {field: Answer() for field in ("nodes", "pods", "services") if data.draw(st.booleans(), label=f"without {field}")}
    less = dataclasses.replace(snapshot, node_hosts=wires.ok(*kept_hosts), node_probes=wires.ok(*kept_probes), **answers)
    asked = Scene(less, data.draw(st.sampled_from((is_ipvs, None))), data.draw(st.sampled_from((lambda flow: dropped, lambda flow: None))))
    for case in cases(asked):
        if case.verdict.cause:
            assert before[case.source, case.path, case.address, case.port].cause == case.verdict.cause, case


@pytest.mark.parametrize("field", ["hosts", "policies"])
def test_without_an_input_the_answer_is_what_would_tell(field):
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["4800 blocked"]
    given_hosts = () if field == "hosts" else hosts
    asked = scene(hosts, found, node_hosts=wires.ok()) if given_hosts == () else Scene(wires.snapshot(hosts, found), False)
    lost = [case for case in cases(asked) if tree.symptoms(case.observed)]
    assert lost and all(not case.verdict.cause for case in lost)
    assert {case.verdict.possible for case in lost} == {(tree.BLOCKED, tree.ROUTE, tree.RP_FILTER) if field == "hosts" else (tree.BLOCKED, tree.POLICY)}
    assert ("node_info of both nodes" in tree.telling(lost[0].verdict.wanted)) is (field == "hosts")
    assert ("HostEndpoints" in tree.telling(lost[0].verdict.wanted)) is (field == "policies")


def test_rules_for_other_tables_leave_routes_unknown():
    cause, hosts, found, _ipvs, _dropped = wires.FAULTS["no route into vx-submariner"]
    foreign = hosts[0]._replace(rules=(*hosts[0].rules, wires.NodeRule(30200, "30200")))
    assert claimed(cases(scene((foreign, hosts[1]), found))) == set()
    assert claimed(cases(scene(hosts, found))) == {cause}


def test_devices_that_do_not_fit_each_other_are_no_route():
    _cause, _hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a security group"]
    other = wires.changed_link(wires.host(wires.TWO), "vxlan.calico", vxlan=wires.Vxlan(4096, 8472))
    dead = [case for case in cases(scene((wires.host(wires.ONE), other), found)) if case.verdict.cause]
    assert {case.verdict.cause for case in dead} == {tree.ROUTE}
    assert "port 4789; of gateway-1: 4096, 8472" in dead[0].words[tree.WIRED]


def test_a_device_that_is_down_and_a_default_route():
    _cause, _hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a security group"]
    down = wires.changed_link(wires.host(wires.ONE), "vxlan.calico", up=False)
    lost = [case for case in cases(scene((down, wires.host(wires.TWO)), found)) if case.verdict.cause]
    assert {case.verdict.cause for case in lost} == {tree.ROUTE}
    assert "vxlan.calico, which is down" in lost[0].words[tree.WIRED]
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["no route to the other node's pods"]
    lost = next(case for case in cases(scene(hosts, found)) if case.verdict.cause and case.source == wires.ONE)
    assert "the default route, not into Calico's vxlan device" in lost.words[tree.WIRED]


def test_a_firewall_rule_of_a_node_is_evidence():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a node's firewall"]
    lost = next(case for case in cases(scene(hosts, found)) if case.verdict.cause == tree.BLOCKED)
    assert lost.observed[tree.RULE] is True
    assert "--dport 4789 -j DROP" in lost.words[tree.RULE]


def test_a_host_that_drops_all_but_what_felix_lets_in_blocks_no_tunnel():
    _cause, _hosts, found, _ipvs, _dropped = wires.FAULTS["4789 blocked by a security group"]
    rules = iptables_rules("*filter\n:INPUT DROP [0:0]\n:cali-INPUT - [0:0]\n-A INPUT -j cali-INPUT\nCOMMIT\n", "ip")
    hosts = tuple(wires.host(node)._replace(firewall=tuple(rules)) for node in (wires.ONE, wires.TWO))
    lost = next(case for case in cases(scene(hosts, found)) if case.verdict.cause == tree.BLOCKED)
    assert lost.observed[tree.RULE] is False


def test_refused_is_an_answer():
    assert passes(Contrast("10.0.0.1", answer=REFUSED)) is True
    assert passes(Contrast("10.0.0.1", answer=OPEN, corrupt=True)) is False
    assert passes(Contrast("10.0.0.1", answer=BLACK_HOLE)) is False
    assert passes(Contrast("10.0.0.1", answer=UNKNOWN)) is None and passes(None) is None


def test_what_a_search_tells():
    base = PathMtu("10.0.0.1", link_mtu=1500)
    assert (small(base), full(base)) == (None, None)
    assert (small(base._replace(answer=DEAD)), full(base._replace(answer=DEAD))) == (False, None)
    assert (small(base._replace(answer=OPEN, mtu=1500)), full(base._replace(answer=OPEN, mtu=1500))) == (True, True)
    assert full(base._replace(answer=OPEN, mtu=1400)) is None  # nothing larger was tried
    assert (small(base._replace(answer=BLACK_HOLE, mtu=1400)), full(base._replace(answer=BLACK_HOLE, mtu=1400))) == (True, False)


def test_a_port_that_nobody_serves_is_no_symptom():
    """The kernel's own socket takes what is meant for VXLAN and says nothing."""
    found = tuple(wires._on(wires.probes(name), UNDERLAY, wires._port_lost) for name in wires.NUMBER)
    assert [case for case in cases(scene(None, found)) if tree.symptoms(case.observed)] == []
    reasons = untried(wires.snapshot(None, found))
    assert len(reasons) == 2 and all("nobody answers on UDP 4500 there" in each.why and "nodes_ports" in each.why for each in reasons)
    assert untried(wires.snapshot()) == ()


def test_a_port_whose_responder_says_by_tcp_what_it_heard_is_served():
    lost = wires._on(wires.probes(wires.ONE), UNDERLAY, wires._port_lost)
    told = lost._replace(contrasts=tuple(each._replace(direction="there") if each.port == 4500 else each for each in lost.contrasts))
    (found,) = [case for case in cases(scene(None, (told, wires.probes(wires.TWO)))) if case.port == 4500 and case.source == wires.ONE]
    assert found.verdict.cause == tree.BLOCKED and untried(wires.snapshot(None, (told,))) == ()


def test_a_port_beside_the_responders_own_is_no_path():
    """Such as one that Submariner is told to use in place of 4500."""
    own = wires.probes(wires.ONE)
    more = Contrast("192.168.0.2", wires.TWO, UNDERLAY, protocol="udp", port=4600, answer=BLACK_HOLE)
    found = cases(scene(None, (own._replace(contrasts=(*own.contrasts, more)), wires.probes(wires.TWO))))
    assert not [case for case in found if case.verdict.cause] and {case.port for case in found if case.port not in (0, 53)} == {4500, 4600}
    assert [each.why for each in untried(wires.snapshot(None, (own._replace(contrasts=(*own.contrasts, more)),))) if "UDP 4600" in each.why]


def dns(source, target, size="small", answer=OPEN, path=CALICO, name="dns"):
    made = wires.probes(source)
    contrast = Contrast(target, name, path, protocol="dns", size=size, port=53, answer=answer)
    return made._replace(contrasts=(*(each for each in made.contrasts if (each.target, each.size) != (target, size)), contrast))


def with_contrasts(probes, *others):
    kept = {(each.target, each.protocol, each.size, each.port): each for one in (probes, *others) for each in one.contrasts}
    return probes._replace(contrasts=tuple(kept.values()))


def test_a_dns_pod_on_the_same_node_is_no_path_but_tells_a_server_from_one():
    """The pod stands on gateway-1."""
    here = dns(wires.TWO, wires.POD_ADDRESS, answer=BLACK_HOLE)
    found = cases(scene(None, (wires.probes(wires.ONE), here)))
    assert not [case for case in found if case.source == wires.TWO and case.address == wires.POD_ADDRESS]
    service = dns(wires.TWO, wires.SERVICE_ADDRESS, answer=BLACK_HOLE)
    answering = with_contrasts(dns(wires.TWO, wires.POD_ADDRESS), service)
    (lost,) = [case for case in cases(scene(None, (wires.probes(wires.ONE), answering), True)) if case.verdict.cause]
    assert (lost.source, lost.verdict.cause) == (wires.TWO, tree.IPVS)


def test_a_large_answer_that_does_not_come_from_a_pod_elsewhere():
    pod_here = wires.dns_pod("dns-2", wires.ONE, "10.42.8.8")
    pods = wires.ok(*wires.snapshot().pods.items, pod_here)
    lost = dns(wires.ONE, wires.POD_ADDRESS, "large", BLACK_HOLE)

    def observed(*others):
        asked = scene(None, (with_contrasts(lost, *others), wires.probes(wires.TWO)), pods=pods)
        (case,) = [case for case in cases(asked) if (case.source, case.address) == (wires.ONE, wires.POD_ADDRESS)]
        return case

    alone = observed()
    assert alone.observed[tree.LARGE] is False and not alone.verdict.cause and set(alone.verdict.possible) == {tree.MTU, tree.OFFLOAD}
    beside = dns(wires.ONE, "10.42.8.8", "large")
    assert observed(beside).observed[tree.LARGE] is False
    both = dns(wires.ONE, "10.42.8.8", "large", BLACK_HOLE)
    assert observed(both).observed[tree.LARGE] is None and not tree.symptoms(observed(both).observed)


def test_a_dns_server_of_another_cluster():
    remote = wires.SERVICE_ADDRESS  # the same address as this cluster's: the path says which one it is
    asked = dns(wires.ONE, remote, answer=BLACK_HOLE, path="cross_cluster", name="cluster-2/dns")
    (case,) = [case for case in cases(scene(None, (asked, wires.probes(wires.TWO)))) if case.name == "cluster-2/dns"]
    assert case.path == "cross_cluster" and tree.symptoms(case.observed) == (tree.EXCHANGE,) and not case.verdict.cause
    fine = dns(wires.ONE, remote, path="cross_cluster", name="cluster-2/dns")
    assert not [case for case in cases(scene(None, (fine, wires.probes(wires.TWO)))) if tree.symptoms(case.observed)]


def test_ping_that_is_filtered_is_no_symptom():
    def filtered(each):
        return each._replace(answer=DEAD, mtu=None, lost=68) if isinstance(each, PathMtu) and each.protocol == "icmp" else each

    found = tuple(wires._on(wires.probes(name), CALICO, filtered) for name in wires.NUMBER)
    assert [case for case in cases(scene(None, found)) if tree.symptoms(case.observed)] == []


def test_probes_that_could_not_run():
    failed = PathMtu("192.168.0.2", wires.TWO, why="no permission to open a raw socket: run it as root")
    found = (wires.probes(wires.ONE)._replace(paths=(failed,)), wires.probes(wires.TWO))
    assert [(each.source, each.target, each.why) for each in untried(wires.snapshot(None, found))] == [(wires.ONE, wires.TWO, failed.why)]


def test_large_exchanges_that_nobody_tried_are_no_gap():
    """After a small one has failed."""
    base = Contrast("192.168.0.2", wires.TWO, port=45454)
    failed = wires.probes(wires.ONE)._replace(paths=(), contrasts=(base._replace(answer=BLACK_HOLE), base._replace(size="large", why="not tried")))
    assert untried(wires.snapshot(None, (failed,))) == ()
    barred = failed._replace(contrasts=(base._replace(why="no permission"), base._replace(size="large", why="not tried")))
    assert [each.why for each in untried(wires.snapshot(None, (barred,)))] == ["no permission", "not tried"]


def test_what_a_failed_exchange_says_is_evidence():
    _cause, hosts, found, _ipvs, _dropped = wires.FAULTS["broken checksums in Calico's tunnel"]
    why = "no answer; meanwhile this host dropped 3 tcp packets for wrong checksums"
    told = tuple(each._replace(contrasts=tuple(one._replace(why=why) if one.answer == BLACK_HOLE else one for one in each.contrasts)) for each in found)
    assert {case.words[tree.EXCHANGE] for case in cases(scene(hosts, told)) if case.verdict.cause} == {why}


def test_a_responder_behind_a_firewall_tells_nothing():
    """Its port is needed by the probes alone: that it is filtered is no fault of the cluster."""

    def filtered(each):
        return each if isinstance(each, PathMtu) or each.port != 45454 else each._replace(answer=BLACK_HOLE)

    found = [probes._replace(contrasts=tuple(map(filtered, probes.contrasts))) for probes in map(wires.probes, wires.NUMBER)]
    assert [case for case in cases(scene(None, found)) if case.path != "cross_cluster" and tree.symptoms(case.observed)] == []
    reasons = untried(wires.snapshot(None, found))
    assert {(each.source, each.target) for each in reasons} == {(wires.ONE, wires.TWO), (wires.TWO, wires.ONE), (wires.ONE, "remote")}
    assert all("port 45454 does not answer: a firewall filters it" in each.why for each in reasons)
