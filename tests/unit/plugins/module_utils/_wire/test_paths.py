# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import Latency, PathMtu
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _paths
from ansible_collections.fathom.submariner.plugins.module_utils._wire._exchange import Outcome, Refusal
from ansible_collections.fathom.submariner.plugins.module_utils._wire._paths import PathSettings, PathTarget, bound, path_line, probe_paths
from ansible_collections.fathom.submariner.plugins.module_utils._wire._route import NoRoute, Route
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import NotPermitted

TARGET = PathTarget("10.0.0.2", "b", protocols=("icmp",))


class Played:
    """In place of an Exchange: a path that takes so much, whose router speaks or not."""

    def __init__(self, limit, speaks=None, rationed=()):
        self.limit, self.speaks, self.rationed = limit, speaks or (lambda size: None), list(rationed)
        self.tried = []

    def __call__(self, way, timeout, tries, allowance):
        self.tries, self.allowance = tries, allowance
        return self

    def run(self, size):
        self.tried.append(size)
        packets = 0
        for _try in range(1 if size <= self.limit else self.tries):
            if not self.allowance.take():
                return Outcome(packets=packets, bytes=packets * size, complete=False)
            packets += 1
        if size <= self.limit:
            return Outcome(True, 1.5, packets=1, bytes=size)
        return Outcome(refusal=self.speaks(size), packets=packets, bytes=packets * size)


@pytest.fixture
def play(monkeypatch):
    def start(played, targets=(TARGET,), believed=1500, **settings):
        monkeypatch.setattr(_paths, "Exchange", played)
        monkeypatch.setattr(_paths, "_way", lambda target, protocol: type("Way", (), {"echoes": True})())
        monkeypatch.setattr(_paths, "route_to", lambda address: Route("eth0", 1500, "10.0.0.1"))
        monkeypatch.setattr(_paths, "believed_mtu", lambda family, address: believed)
        return probe_paths(targets, PathSettings(**settings))

    return start


def test_open(play):
    (found,) = play(Played(1500))
    assert found == PathMtu(
        "10.0.0.2", "b", "underlay", 4, "icmp", "open", 1500, None, None, "", 1500, "eth0", Latency(1.5, 1.5, 1.5), 4, 3 * 68 + 1500, ""
    )
    assert path_line(found) == "underlay icmp to b (10.0.0.2) by eth0 of 1500: open up to 1500 bytes, 1.5 ms"


def test_black_hole(play):
    (found,) = play(Played(1337))
    assert (found.answer, found.mtu, found.lost) == ("black_hole", 1337, 1338)
    assert found.packets <= bound([TARGET], PathSettings(max_mtu=1500))


def test_refused_and_what_was_named_is_tried_first(play):
    played = Played(1400, lambda size: Refusal(1400, "10.0.0.254"))
    (found,) = play(played)
    assert (found.answer, found.mtu, found.next_hop_mtu, found.reporter) == ("refused", 1400, 1400, "10.0.0.254")
    assert played.tried == [68, 68, 68, 1500, 1400, 1401]


def test_the_largest_is_tried_again_before_it_counts_as_silent(play):
    speaks = iter([None])  # rationed the first time
    rationed = Played(1400, lambda size: next(speaks, Refusal(1400, "10.0.0.254")))
    (found,) = play(rationed)
    assert found.answer == "refused" and rationed.tried.count(1500) == 2
    silent = Played(1400, lambda size: Refusal(1400, "10.0.0.254") if size < 1450 else None)
    (found,) = play(silent)
    assert found.answer == "black_hole" and "those of 1500 bytes" in found.why and silent.tried.count(1500) == 2


@pytest.mark.parametrize("packets", [1, 5, 12])
def test_the_allowance_is_kept_and_an_unsettled_search_is_unknown(play, packets):
    (found,) = play(Played(1337), packets=packets)
    assert found.packets == packets and found.answer == "unknown" and "raise packets" in found.why


def test_several_targets_keep_their_order(play):
    targets = [PathTarget(f"10.0.0.{number}", protocols=("icmp", "udp")) for number in range(1, 6)]
    found = play(Played(1500), targets)
    assert [(each.target, each.protocol) for each in found] == [(each.address, protocol) for each in targets for protocol in ("icmp", "udp")]


def test_no_route_is_dead_and_sends_nothing(monkeypatch):
    def none(_address):
        raise NoRoute("Network is unreachable")

    monkeypatch.setattr(_paths, "route_to", none)
    (found,) = probe_paths([TARGET], PathSettings())
    assert (found.answer, found.packets) == ("dead", 0) and "Network is unreachable" in found.why
    assert path_line(found).endswith("dead (this host has no route to it: Network is unreachable)")


def test_udp_stands_in_for_icmp_that_is_not_permitted(play, monkeypatch):
    start = play
    start(Played(1500))

    def way(_target, protocol):
        if protocol == "icmp":
            raise NotPermitted("not for you")
        return type("Way", (), {"echoes": False})()

    monkeypatch.setattr(_paths, "_way", way)
    icmp, udp = probe_paths([TARGET], PathSettings())
    assert (icmp.answer, icmp.why, udp.protocol, udp.answer) == ("unknown", "not for you", "udp", "open") and "since ICMP could not be" in udp.why
    both = probe_paths([TARGET._replace(protocols=("icmp", "udp"))], PathSettings())
    assert [each.protocol for each in both] == ["icmp", "udp"]


@pytest.mark.parametrize(("address", "path"), [("worker-2", "underlay"), ("10.0.0.1", "elsewhere")])
def test_targets_are_addresses_on_known_paths(address, path):
    with pytest.raises(InputError):
        probe_paths([PathTarget(address, path=path)], PathSettings())


def test_a_responder_on_the_loopback(responder):
    (found,) = probe_paths([PathTarget("127.0.0.2", protocols=("udp",), port=responder())], PathSettings(max_mtu=9000, timeout=30.0))
    assert (found.answer, found.mtu, found.device) == ("open", 9000, "lo")
