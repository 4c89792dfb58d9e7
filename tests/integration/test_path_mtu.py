# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``path_mtu`` on real paths: what it answers is what was built, and what ping, tracepath and ip say of it."""

from __future__ import annotations

import pytest

from tests.netns import shapes
from tests.netns.asking import PATIENCE, cached, forget, paths, ping_finds, pings, respond, tracepath

pytestmark = pytest.mark.netns
PORT = 4800


def both(line, end="b"):
    """Targets of both families."""
    host = getattr(line, end)
    return [{"address": line.address(host, family)} for family in (4, 6)]


def test_a_correct_path(world):
    line = shapes.line(world, (1500, 1500))
    found = paths(line.a, *both(line))
    assert len(found) == 4
    for (target, _protocol), each in found.items():
        assert (each["answer"], each["mtu"], each["lost"], each["next_hop_mtu"], each["why"]) == ("open", 1500, None, None, ""), each
        assert (each["device"], each["link_mtu"]) == ("right", 1500)
        assert 0 < each["latency"]["least"] <= each["latency"]["median"] <= each["latency"]["most"]
        assert tracepath(line.a, target) == 1500 and ping_finds(line.a, target, 1500) and cached(line.a, target) is None


def test_a_short_link_whose_router_says_so(world):
    line = shapes.line(world, (1500, 1400, 1500))
    for (target, _protocol), each in paths(line.a, *both(line)).items():
        reporter = "10.9.0.2" if each["family"] == 4 else "fd09::2"
        assert (each["answer"], each["mtu"], each["lost"], each["next_hop_mtu"], each["reporter"]) == ("refused", 1400, 1401, 1400, reporter), each
        assert each["packets"] <= 6
        # As after any program's packets, this host has learned it; the next search is not misled by that.
        assert cached(line.a, target) == 1400
    assert {each["answer"] for each in paths(line.a, *both(line)).values()} == {"refused"}
    for target in ("10.9.2.2", "fd09:2::2"):
        assert tracepath(line.a, target) == 1400 and ping_finds(line.a, target, 1400)


def test_a_short_link_whose_router_is_silent_is_a_black_hole(world):
    line = shapes.line(world, (1500, 1400, 1500))
    shapes.no_icmp_errors(line.routers[0])
    for (target, _protocol), each in paths(line.a, *both(line)).items():
        assert (each["answer"], each["mtu"], each["lost"], each["next_hop_mtu"], each["reporter"]) == ("black_hole", 1400, 1401, None, ""), each
        assert ping_finds(line.a, target, 1400)
    # A host whose route keeps it below sends nothing that vanishes.
    line.a.ip("route", "change", "10.9.0.0/16", "via", "10.9.0.2", "dev", "right", "metric", "10", "mtu", "1400")
    (kept,) = paths(line.a, {"address": "10.9.2.2", "protocols": ["icmp"]}).values()
    assert (kept["answer"], kept["mtu"], kept["next_hop_mtu"], kept["reporter"]) == ("refused", 1400, 1400, "") and cached(line.a, "10.9.2.2") == 1400


def test_a_silent_link_behind_one_that_speaks_is_a_black_hole(world):
    line = shapes.line(world, (1500, 1400, 1300, 1500))
    shapes.no_icmp_errors(line.routers[1])
    for each in paths(line.a, *both(line)).values():
        assert (each["answer"], each["mtu"], each["lost"], each["next_hop_mtu"]) == ("black_hole", 1300, 1301, 1400), each
        assert "a further link is smaller" in each["why"]


def test_each_way_has_its_own_mtu(world):
    line = shapes.line(world, (1500, 1500, 1500))
    line.routers[1].ip("route", "replace", "10.9.0.0/24", "via", "10.9.1.1", "dev", "left", "mtu", "lock", "1400")
    line.routers[1].ip("-6", "route", "replace", "fd09::/64", "via", "fd09:1::1", "dev", "left", "mtu", "1400")
    for each in paths(line.a, *both(line)).values():
        assert (each["answer"], each["mtu"]) == ("open", 1500), each
    for (target, _protocol), each in paths(line.b, *both(line, "a")).items():
        assert (each["answer"], each["mtu"], each["next_hop_mtu"]) == ("refused", 1400, 1400), each
        assert tracepath(line.b, target) == 1400


def test_jumbo_frames_on_one_side_alone(world):
    line = shapes.line(world, ((9000, 1500), 1500))
    for (target, _protocol), each in paths(line.a, *both(line)).items():
        # A veth takes four bytes more than its MTU, as if they were a VLAN tag, and the router refuses these; what is larger it drops in silence.
        assert (each["answer"], each["mtu"], each["link_mtu"]) == ("black_hole", 1500, 9000), each
        assert each["next_hop_mtu"] in (None, 1500)
        assert ping_finds(line.a, target, 1500)
    for each in paths(line.b, *both(line, "a")).values():
        assert (each["answer"], each["mtu"], each["link_mtu"]) == ("open", 1500, 1500), each
    (larger,) = paths(line.b, {"address": "10.9.0.1", "protocols": ["icmp"]}, max_mtu=9000).values()
    assert (larger["answer"], larger["mtu"], larger["next_hop_mtu"], larger["reporter"]) == ("refused", 1500, 1500, ""), larger


def test_a_stale_belief_does_not_answer_for_the_path(world):
    line = shapes.line(world, (1500, 1400, 1500))
    paths(line.a, {"address": "10.9.2.2", "protocols": ["icmp"]})
    assert cached(line.a, "10.9.2.2") == 1400
    # The link was repaired; the host remembers for ten minutes.
    line.routers[0].ip("link", "set", "right", "mtu", "1500")
    line.routers[1].ip("link", "set", "left", "mtu", "1500")
    (each,) = paths(line.a, {"address": "10.9.2.2", "protocols": ["icmp"]}).values()
    assert (each["answer"], each["mtu"], each["next_hop_mtu"], each["reporter"]) == ("open", 1500, 1400, ""), each
    assert "own route says 1400 bytes, though 1500 arrive" in each["why"]
    line.a.ip("route", "flush", "cache")
    assert pings(line.a, "10.9.2.2", 1500)


def test_dead_paths_say_how(world):
    line = shapes.line(world, (1500, 1500))
    targets = [{"address": address, "protocols": ["icmp"]} for address in ("10.9.1.77", "192.0.2.1", "10.9.1.2")]
    line.routers[0].nft("add table ip shut; add chain ip shut f { type filter hook forward priority 0; }; add rule ip shut f ip daddr 10.9.1.2 drop")
    found = {target: each for (target, _protocol), each in paths(line.a, *targets).items()}
    assert {each["answer"] for each in found.values()} == {"dead"}
    assert "Network is unreachable" in found["192.0.2.1"]["why"] and found["192.0.2.1"]["packets"] == 0
    assert found["10.9.1.2"]["why"] == "no answer to 3 packets of 68 bytes"
    line.routers[0].nft("flush chain ip shut f; add rule ip shut f ip daddr 10.9.1.2 reject with icmp admin-prohibited")
    (refused,) = paths(line.a, targets[2]).values()
    assert refused["answer"] == "dead" and refused["why"] == "10.9.0.2 answered: communication administratively prohibited"
    line.a.nft("add table ip own; add chain ip own o { type filter hook output priority 0; }; add rule ip own o icmp type echo-request drop")
    (own,) = paths(line.a, targets[2]).values()
    assert own["answer"] == "dead" and own["why"] == "this host's own firewall does not let it out" and own["packets"] == 0


def test_udp_that_is_blocked_on_one_way(world):
    line = shapes.line(world, (1500, 1500))
    respond(line.b, "10.9.1.2", "fd09:1::2", port=PORT)
    line.routers[0].nft(f"add table inet shut; add chain inet shut f {{ type filter hook forward priority 0; }}; add rule inet shut f udp dport {PORT} drop")
    found = paths(line.a, *({**each, "port": PORT} for each in both(line)))
    for (_target, protocol), each in found.items():
        assert (each["answer"], each["mtu"]) == (("open", 1500) if protocol == "icmp" else ("dead", None)), each
    # The other way is open, and without a responder silence is not taken for death.
    line.b.nft("add table inet in; add chain inet in i { type filter hook input priority 0; }; add rule inet in i udp dport 33533 drop")
    (unknown,) = paths(line.a, {"address": "10.9.1.2", "protocols": ["udp"]}).values()
    assert unknown["answer"] == "unknown" and "path_responder" in unknown["why"]
    assert {each["answer"] for each in paths(line.b, *both(line, "a")).values()} == {"open"}


def test_strict_reverse_path_filter_and_an_asymmetric_route(world):
    """The answers come back by another device than the one that the route to their source names: what a node sees whose rp_filter stayed strict."""
    a, b = world.host("a"), world.host("b")
    for number in (1, 2):
        world.link(a, f"eth{number}", b, f"eth{number}")
        a.address(f"eth{number}", f"10.{number}.0.1/24")
        b.address(f"eth{number}", f"10.{number}.0.2/24")
    b.address("lo", "10.7.0.2/32")
    a.address("lo", "10.7.0.1/32")
    a.route("10.7.0.2/32", "via", "10.1.0.2", "src", "10.7.0.1")
    b.route("10.7.0.1/32", "via", "10.2.0.1", "src", "10.7.0.2")
    b.run("ping", "-c1", "10.2.0.1")  # so that its answers find their way without an ARP request, which a strict filter would leave unanswered
    for mode, answer in ((2, "open"), (1, "dead")):
        a.sysctl(net__ipv4__conf__all__rp_filter=mode, net__ipv4__conf__eth2__rp_filter=mode)
        (each,) = paths(a, {"address": "10.7.0.2", "protocols": ["icmp"]}).values()
        assert each["answer"] == answer, each
        assert pings(a, "10.7.0.2", 84) == (answer == "open")
    names, values = [line.split() for line in a.run("cat", "/proc/net/netstat").stdout.splitlines() if line.startswith("TcpExt:")]
    assert int(dict(zip(names, values))["IPReversePathFilter"]) >= 3


def test_tunnels_of_calico_and_submariner(world):
    line = shapes.line(world, (1500, 1400, 1500))
    ends = {line.a: "10.9.0.1", line.b: "10.9.2.2"}
    shapes.mesh({host: (local, f"10.42.{number}.0/16") for number, (host, local) in enumerate(ends.items())}, "vxlan.calico", 4096, 4789, 1350)
    shapes.mesh({host: (local, f"240.{local.split('.', 1)[1]}/8") for host, local in ends.items()}, "vx-submariner", 100, 4800, 1450)
    # The outer packets carry no DF, so a short link fragments them; many networks drop fragments.
    line.routers[1].nft(
        "add table ip frags; add chain ip frags p { type filter hook prerouting priority -450; }; add rule ip frags p ip frag-off & 0x3fff != 0 drop"
    )
    targets = [{"address": "10.42.1.0", "path": "calico"}, {"address": "240.9.2.2", "path": "submariner"}]
    found = paths(line.a, *targets)
    for protocol in ("icmp", "udp"):
        calico, submariner = found["10.42.1.0", protocol], found["240.9.2.2", protocol]
        assert (calico["answer"], calico["mtu"], calico["device"], calico["path"]) == ("open", 1350, "vxlan.calico", "calico"), calico
        assert (submariner["answer"], submariner["mtu"], submariner["link_mtu"]) == ("black_hole", 1350, 1450), submariner
        assert submariner["device"] == "vx-submariner"
    assert ping_finds(line.a, "240.9.2.2", 1350) and pings(line.a, "10.42.1.0", 1350)


def test_an_interface_that_appears_late(world):
    line = shapes.line(world, (1500, 1500))
    target = {"address": "240.9.1.2", "path": "submariner", "port": PORT + 1}
    early = respond(line.b, "240.9.1.2", port=PORT + 1)
    assert early["absent_addresses"] == ["240.9.1.2"]
    assert {each["answer"] for each in paths(line.a, target).values()} == {"dead"}
    shapes.mesh({line.a: ("10.9.0.1", "240.9.0.1/8"), line.b: ("10.9.1.2", "240.9.1.2/8")}, "vx-submariner", 100, 4800, 1450)
    for each in paths(line.a, target).values():
        assert (each["answer"], each["mtu"], each["device"]) == ("open", 1450, "vx-submariner"), each
    assert respond(line.b, "240.9.1.2", port=PORT + 1)["absent_addresses"] == []


def test_lost_packets_are_no_black_hole(world):
    line = shapes.line(world, (1500, 1400, 1500))
    shapes.no_icmp_errors(line.routers[0])
    # Every second packet is lost, whatever its size.
    line.routers[1].nft(
        "add table ip lossy; add chain ip lossy f { type filter hook forward priority 0; };"
        "add rule ip lossy f ip daddr 10.9.2.2 numgen inc mod 2 0 drop"
    )
    (each,) = paths(line.a, {"address": "10.9.2.2", "protocols": ["icmp"]}).values()
    assert (each["answer"], each["mtu"], each["lost"]) == ("black_hole", 1400, 1401), each


def test_what_is_sent_is_what_is_told_and_bounded(world):
    line = shapes.line(world, (1500, 1400, 1500))
    shapes.no_icmp_errors(line.routers[0])
    respond(line.b, "10.9.2.2", "fd09:2::2", port=PORT)
    line.a.nft(
        "add table inet probes; add counter inet probes sent; add chain inet probes o { type filter hook output priority 0; };"
        f"add rule inet probes o icmp type echo-request counter name sent; add rule inet probes o udp dport {{ 33533, {PORT} }} counter name sent;"
        "add rule inet probes o icmpv6 type echo-request counter name sent"
    )
    targets = [*both(line), *({**each, "protocols": ["udp"], "port": PORT} for each in both(line))]
    for options in ({}, {"packets": 40}, {"packets": 7, "retries": 0}, {"packets": 1, "retries": 0}):
        before = line.a.nft_counter("inet probes", "sent")
        result = line.a.module("path_mtu", {"name": "a", "targets": targets, "timeout": PATIENCE, **options})
        after = line.a.nft_counter("inet probes", "sent")
        assert after["packets"] - before["packets"] == result["packets"] <= options.get("packets", 400)
        found = result["probes"]["paths"]
        assert after["bytes"] - before["bytes"] == sum(each["bytes"] for each in found)
        cut_short = [each for each in found if each["answer"] == "unknown"]
        assert bool(cut_short) == bool(options) and all("raise packets" in each["why"] for each in cut_short)


def test_every_packet_and_byte_is_counted(world):
    line = shapes.line(world, (1500, 1400, 1500))
    shapes.no_icmp_errors(line.routers[0])
    line.a.nft(
        "add table inet probes; add counter inet probes of_icmp; add counter inet probes of_udp;"
        "add chain inet probes o { type filter hook output priority 0; };"
        "add rule inet probes o icmp type echo-request counter name of_icmp; add rule inet probes o udp dport 33533 counter name of_udp"
    )
    devices = line.a.counters("right")
    found = paths(line.a, {"address": "10.9.2.2"})
    sent = line.a.counters("right")
    for protocol in ("icmp", "udp"):
        each = found["10.9.2.2", protocol]
        assert line.a.nft_counter("inet probes", f"of_{protocol}") == {"packets": each["packets"], "bytes": each["bytes"]}
    # The device also carries ARP and the like, a few small packets.
    packets = sum(each["packets"] for each in found.values())
    assert packets <= sent["tx_packets"] - devices["tx_packets"] <= packets + 8
    assert sent["tx_bytes"] - devices["tx_bytes"] >= sum(each["bytes"] + 14 * each["packets"] for each in found.values())


@pytest.mark.parametrize("allowed", [True, False])
def test_an_ordinary_user(world, allowed):
    line = shapes.line(world, (1500, 1400, 1500))
    line.a.write_sysctl("net/ipv4/ping_group_range", "0 2147483647" if allowed else "1 0")
    found = paths(line.a, *({**each, "protocols": ["icmp"]} for each in both(line)), user="nobody")
    for target in ("10.9.2.2", "fd09:2::2"):
        icmp = found[target, "icmp"]
        if allowed:
            assert (icmp["answer"], icmp["mtu"]) == ("refused", 1400) and (target, "udp") not in found
        else:
            assert icmp["answer"] == "unknown" and "net.ipv4.ping_group_range" in icmp["why"] and icmp["packets"] == 0
            instead = found[target, "udp"]
            assert (instead["answer"], instead["mtu"]) == ("refused", 1400) and "since ICMP could not be" in instead["why"]
    forget(line.a)
