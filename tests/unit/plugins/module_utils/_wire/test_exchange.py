# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets
from ansible_collections.fathom.submariner.plugins.module_utils._wire._allowance import Allowance
from ansible_collections.fathom.submariner.plugins.module_utils._wire._exchange import BURST, Exchange, Pace
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import Datagrams, Udp

ADDRESS = "127.0.0.2"


@pytest.mark.parametrize("way", [Udp, Datagrams])
def test_a_size_that_arrives_is_sent_once(responder, way):
    allowance = Allowance(10)
    outcome = Exchange(way(4, ADDRESS, responder()), 30.0, 3, allowance).run(1000)
    assert outcome.arrived and outcome.complete and not outcome.changed and outcome.milliseconds > 0
    assert (outcome.packets, outcome.bytes, allowance.sent) == (1, 1000, 1)


def test_silence_takes_all_tries_and_no_more():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((ADDRESS, 0))
        allowance = Allowance(10)
        outcome = Exchange(Udp(4, ADDRESS, silent.getsockname()[1]), 0.1, 3, allowance).run(100)
        got = [len(silent.recv(2000)) for _packet in range(3)]
    assert not outcome.arrived and outcome.complete and (outcome.packets, allowance.sent) == (3, 3) and got == [72] * 3


def test_an_allowance_that_ends_is_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((ADDRESS, 0))
        outcome = Exchange(Udp(4, ADDRESS, silent.getsockname()[1]), 0.1, 3, Allowance(2)).run(100)
    assert not outcome.arrived and not outcome.complete and outcome.packets == 2


def test_what_this_host_refuses_is_not_counted():
    allowance = Allowance(10)
    outcome = Exchange(Udp(4, ADDRESS, 9), 0.1, 3, allowance).run(_packets.MOST + 4000)
    assert not outcome.arrived and outcome.refusal is not None and outcome.refusal.reporter == "" and (outcome.packets, allowance.sent) == (0, 0)


def test_who_refuses_is_quoted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind((ADDRESS, 0))
        port = unused.getsockname()[1]
    outcome = Exchange(Udp(4, ADDRESS, port), 0.2, 2, Allowance(10)).run(100)
    assert outcome.said == f"{ADDRESS} answered: port unreachable"


def test_rationed_answers_are_waited_for(monkeypatch):
    clock, slept = [100.0], []
    monkeypatch.setattr("ansible_collections.fathom.submariner.plugins.module_utils._wire._exchange.time.monotonic", lambda: clock[0])

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr("ansible_collections.fathom.submariner.plugins.module_utils._wire._exchange.time.sleep", sleep)
    pace = Pace(1.0)
    for _packet in range(BURST + 3):
        pace.wait()
    assert slept == [1.0] * 3
    clock[0] += 100
    for _packet in range(BURST):
        pace.wait()
    assert len(slept) == 3
    unrationed = Pace(0.0)
    for _packet in range(100):
        unrationed.wait()
    assert len(slept) == 3
