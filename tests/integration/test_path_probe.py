# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``path_probe`` and ``path_responder`` on real paths: which exchange fails where, what the responder heard, and how much was sent."""

from __future__ import annotations

import time

import pytest

from tests.netns import shapes
from tests.netns.asking import contrasts, paths, respond

pytestmark = pytest.mark.netns
PORT = 4800
EXCHANGES = [("tcp", "small"), ("tcp", "large"), ("udp", "small"), ("udp", "large")]


def answers(found):
    return [found[each]["answer"] for each in EXCHANGES]


def test_healthy_paths_and_what_they_cost(world):
    """Everything that leaves the host is counted, to the packet and the byte, where the next one receives it: TCP is cut in segments late."""
    line = shapes.line(world, (1500, 1500))
    for host in line.hosts:
        for device in {line.a: ["right"], line.b: ["left"]}.get(host, ["left", "right"]):
            host.offload(device, tso=False, gso=False, gro=False, tx=False)  # packets in the counters are packets on the wire
    respond(line.b, "10.9.1.2", "fd09:1::2", port=PORT, peers=["10.9.0.0/24", "fd09::/64"])
    router = line.routers[0]
    router.nft(
        "add table inet probes; add counter inet probes of_tcp; add counter inet probes of_udp;"
        "add chain inet probes f { type filter hook forward priority 0; };"
        f"add rule inet probes f tcp dport {PORT} counter name of_tcp; add rule inet probes f udp dport {PORT} counter name of_udp"
    )
    for target in ("10.9.1.2", "fd09:1::2"):
        before = {protocol: router.nft_counter("inet probes", f"of_{protocol}") for protocol in ("tcp", "udp")}
        found = contrasts(line.a, {"address": target, "port": PORT, "name": "b"}, user="nobody", throughput_seconds=0.2, throughput_bytes=200000)
        after = {protocol: router.nft_counter("inet probes", f"of_{protocol}") for protocol in ("tcp", "udp")}
        assert answers(found) == ["open"] * 4 and found["", ""]["checksum_errors"] == {}, found
        assert all(each["milliseconds"] > 0 and not each["corrupt"] and each["direction"] == "" for key, each in found.items() if key != ("", ""))
        assert found["tcp", "large"]["megabits_per_second"] > 0
        for protocol in ("tcp", "udp"):
            told = {what: sum(found[protocol, size][what] for size in ("small", "large")) for what in ("packets", "bytes")}
            assert {what: after[protocol][what] - before[protocol][what] for what in told} == told, protocol
        assert found["tcp", "large"]["bytes"] < 200000 * 1.1 + 40000


def test_a_black_hole_stops_large_exchanges_alone_and_tells_on_which_way(world):
    line = shapes.line(world, (1500, 1500, 1500))
    line.routers[0].ip("link", "set", "right", "mtu", "1300")
    shapes.no_icmp_errors(line.routers[0])
    respond(line.b, "10.9.2.2", port=PORT)
    there = contrasts(line.a, {"address": "10.9.2.2", "port": PORT})
    assert answers(there) == ["open", "black_hole", "open", "black_hole"], there
    assert (there["tcp", "large"]["direction"], there["udp", "large"]["direction"]) == ("there", "there")
    assert "16384 bytes" in there["tcp", "large"]["why"] and "the responder heard 0 of them" in there["udp", "large"]["why"]


def test_udp_that_is_blocked_one_way_is_told_with_its_direction(world):
    line = shapes.line(world, (1500, 1500))
    respond(line.b, "10.9.1.2", port=PORT)
    line.routers[0].nft(f"add table ip shut; add chain ip shut f {{ type filter hook forward priority 0; }}; add rule ip shut f udp dport {PORT} drop")
    there = contrasts(line.a, {"address": "10.9.1.2", "port": PORT})
    assert answers(there) == ["open", "open", "black_hole", "unknown"]
    assert there["udp", "small"]["direction"] == "there" and "not tried" in there["udp", "large"]["why"]
    line.routers[0].nft(f"flush chain ip shut f; add rule ip shut f udp sport {PORT} drop")
    back = contrasts(line.a, {"address": "10.9.1.2", "port": PORT})
    assert back["udp", "small"]["direction"] == "back" and "the responder heard 3 of them" in back["udp", "small"]["why"]
    # Its end tells the same.
    ended = line.b.module("path_responder", {"state": "absent", "port": PORT})
    assert ended["responder"]["heard_from"]["10.9.0.1"]["udp"] == 3


def test_refusals_are_quoted(world):
    line = shapes.line(world, (1500, 1500))
    nobody = contrasts(line.a, {"address": "10.9.1.2", "port": PORT})
    assert answers(nobody) == ["refused", "unknown", "refused", "unknown"]
    assert "nobody listens" in nobody["tcp", "small"]["why"] and nobody["udp", "small"]["why"] == "10.9.1.2 answered: port unreachable"
    line.routers[0].nft(
        "add table ip shut; add chain ip shut f { type filter hook forward priority 0; };"
        "add rule ip shut f ip daddr 10.9.1.2 reject with icmp admin-prohibited"
    )
    shut = contrasts(line.a, {"address": "10.9.1.2", "port": PORT})
    assert shut["udp", "small"]["why"] == "10.9.0.2 answered: communication administratively prohibited"
    assert shut["tcp", "small"]["answer"] == "refused"


def test_an_offload_fault_is_told_from_an_mtu(world):
    """A stand-in for a card that leaves checksums wrong: the router behind it overwrites them. The receiver's kernel drops what it gets, and counts it."""
    line = shapes.line(world, (1500, 1500))
    line.a.offload("right", tx=False)
    respond(line.b, "10.9.1.2", port=PORT)
    line.routers[0].nft(
        "add table ip broken; add chain ip broken f { type filter hook forward priority 0; };"
        "add rule ip broken f ip saddr 10.9.0.1 udp dport != 0 udp checksum set 0xbad1"
    )
    udp = contrasts(line.a, {"address": "10.9.1.2", "port": PORT})
    assert answers(udp) == ["open", "open", "black_hole", "unknown"]
    assert "its host dropped for wrong checksums: 3 udp" in udp["udp", "small"]["why"], udp["udp", "small"]
    line.routers[0].nft("add rule ip broken f ip saddr 10.9.0.1 tcp dport != 0 tcp checksum set 0xbad1")
    everything = contrasts(line.a, {"address": "10.9.1.2", "port": PORT})
    assert answers(everything) == ["black_hole", "unknown", "black_hole", "unknown"]
    # ICMP is as it ever was, in every size: what separates this from a short MTU and from a dead route.
    (icmp,) = paths(line.a, {"address": "10.9.1.2", "protocols": ["icmp"]}).values()
    assert (icmp["answer"], icmp["mtu"]) == ("open", 1500)
    ended = line.b.module("path_responder", {"state": "absent", "port": PORT})
    assert ended["responder"]["checksum_errors"]["tcp"] >= 1 and ended["responder"]["checksum_errors"]["udp"] >= 6
    assert "dropped for wrong checksums" in ended["lines"][0]


def test_contents_that_were_changed_on_the_way_are_told(world):
    """A stand-in for a device that damages what it forwards: the router overwrites a part of each datagram and takes its checksum away."""
    line = shapes.line(world, (1500, 1500))
    line.a.offload("right", tx=False)
    respond(line.b, "10.9.1.2", port=PORT)
    line.routers[0].nft(
        "add table ip broken; add chain ip broken f { type filter hook forward priority 0; };"
        f"add rule ip broken f udp dport {PORT} @th,320,32 set 0xdeadbeef udp checksum set 0"
    )
    found = contrasts(line.a, {"address": "10.9.1.2", "port": PORT, "protocols": ["udp"]})
    assert [found["udp", size]["answer"] for size in ("small", "large")] == ["open", "open"], found
    assert all(found["udp", size]["corrupt"] for size in ("small", "large"))
    (path,) = paths(line.a, {"address": "10.9.1.2", "port": PORT, "protocols": ["udp"]}).values()
    assert path["answer"] == "open" and "contents came back changed" in path["why"]


def test_a_responder_answers_its_peers_alone_and_ends_by_itself(world):
    line = shapes.line(world, (1500, 1500))
    respond(line.b, "10.9.1.2", port=PORT, peers=["192.0.2.0/24"])
    strangers = contrasts(line.a, {"address": "10.9.1.2", "port": PORT}, timeout=0.2)
    assert strangers["tcp", "small"]["answer"] == "refused" and strangers["udp", "small"]["answer"] == "black_hole"
    # Other terms: the old one ends, a new one begins. The same terms again: nothing changes.
    assert respond(line.b, "10.9.1.2", port=PORT, lifetime=100)["changed"] is True
    assert respond(line.b, "10.9.1.2", port=PORT, lifetime=1)["changed"] is False
    look = line.b.module("path_responder", {"addresses": ["10.9.1.2"], "port": PORT + 1}, check_mode=True)
    assert look["changed"] is True and look["responder"] is None
    for _look in range(100):
        if not line.b.run("ss", "-lun").stdout.count(f":{PORT}"):
            break
        time.sleep(0.1)
    assert str(PORT) not in line.b.run("ss", "-lntu").stdout
    assert line.b.module("path_responder", {"state": "absent", "port": PORT})["changed"] is False
    taking = "import socket, time; s = socket.create_server(('127.0.0.1', 4899)); print(flush=True); time.sleep(600)"
    taken = line.b.start("/usr/bin/python3", "-c", taking)
    taken.stdout.readline()
    refused = line.b.module("path_responder", {"addresses": ["10.9.1.2"], "port": 4899})
    assert refused["failed"] and "port 4899: " in refused["msg"] and "Address already in use; another program has it" in refused["msg"]


def test_dns(world):
    line = shapes.line(world, (1500, 1500))
    server = line.b.start("/usr/bin/python3", "-c", DNS_SERVER)
    assert server.stdout.readline() == "ready\n"
    target = {"address": "10.9.1.2", "protocols": ["dns"]}
    found = contrasts(line.a, target, dns_name="kubernetes.default.svc.cluster.local", dns_large_name="large.example.org")
    assert [found["dns", size]["answer"] for size in ("small", "large")] == ["open", "open"], found
    assert found["dns", "small"]["why"].startswith("NXDOMAIN of ") and found["dns", "large"]["why"] == "NOERROR of 1300 bytes"
    unknown = contrasts(line.a, target, dns_large_name="small.example.org")
    assert unknown["dns", "large"]["answer"] == "unknown" and "too small" in unknown["dns", "large"]["why"]
    line.routers[0].ip("link", "set", "left", "mtu", "1280")
    line.routers[0].nft(
        "add table ip f; add chain ip f p { type filter hook prerouting priority -450; }; add rule ip f p ip saddr 10.9.1.2 ip length > 1280 drop"
    )
    lost = contrasts(line.a, target, dns_large_name="large.example.org")
    assert [lost["dns", size]["answer"] for size in ("small", "large")] == ["open", "black_hole"]


# A server that knows one large record. Ours: what a cluster's CoreDNS answers is not the subject here.
DNS_SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.1.2", 53))
print("ready", flush=True)
while True:
    query, peer = s.recvfrom(4096)
    end = query.index(b"\\0", 12) + 5
    large = query[12:].startswith(b"\\x05large")
    flags = b"\\x81\\x80" if b"example" in query else b"\\x81\\x83"
    answer = query[:2] + flags + b"\\0\\1\\0\\0\\0\\0\\0\\0" + query[12:end]
    s.sendto(answer + b"x" * (1300 - len(answer) if large else 0), peer)
"""
