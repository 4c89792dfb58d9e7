# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import threading

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import Contrast
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _contrasts
from ansible_collections.fathom.submariner.plugins.module_utils._wire._contrasts import ContrastSettings, ContrastTarget, contrast_line, probe_contrasts

ADDRESS = "127.0.0.2"


def probe(port, **settings):
    return probe_contrasts([ContrastTarget(ADDRESS, "b", port=port)], ContrastSettings(timeout=10.0, **settings))


def test_everything_open(responder):
    found = probe(responder(), throughput_seconds=5.0, throughput_bytes=100000)
    assert [(each.protocol, each.size, each.answer) for each in found] == [
        ("tcp", "small", "open"),
        ("tcp", "large", "open"),
        ("udp", "small", "open"),
        ("udp", "large", "open"),
    ]
    assert all(each.packets and each.bytes and not each.corrupt for each in found)
    assert found[1].bytes < 200000
    assert contrast_line(found[2]).startswith(f"underlay udp small to b ({ADDRESS}) port ")


def test_a_bound_that_is_too_small_makes_answers_unknown(responder):
    port = responder()
    found = probe(port, packets=20)
    assert [each.answer for each in found] == ["open", "unknown", "open", "open"]
    assert "raise packets" in found[1].why
    assert [each.answer for each in probe(port, packets=1)] == ["unknown", "unknown", "open", "unknown"]


def test_nobody_there_is_refused(monkeypatch):
    with socket.socket() as unused:
        unused.bind((ADDRESS, 0))
        found = probe(unused.getsockname()[1])
    assert [each.answer for each in found] == ["refused", "unknown", "refused", "unknown"]
    assert found[2].why == f"{ADDRESS} answered: port unreachable"


def test_silence_is_a_black_hole_and_wrong_checksums_meanwhile_are_told(monkeypatch):
    counts = iter([{"udp": 1}, {"udp": 4}])
    monkeypatch.setattr(_contrasts._counters, "checksum_errors", lambda: next(counts))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((ADDRESS, 0))
        target = ContrastTarget(ADDRESS, protocols=("udp",), port=silent.getsockname()[1])
        small, large = probe_contrasts([target], ContrastSettings(timeout=0.1))
    assert small.answer == "black_hole" and small.packets == 3 and "TCP to the responder fails too" in small.why
    assert "meanwhile this host dropped 3 udp packets for wrong checksums" in small.why
    assert large.answer == "unknown" and "not tried" in large.why


@pytest.mark.parametrize("length", [0, 2 << 20])
def test_sizes_have_bounds(length):
    with pytest.raises(InputError):
        probe(1, bytes=length)


@pytest.mark.parametrize(("address", "path"), [("worker-2", "underlay"), ("10.0.0.1", "elsewhere")])
def test_targets_are_addresses_on_known_paths(address, path):
    with pytest.raises(InputError):
        probe_contrasts([ContrastTarget(address, path=path)], ContrastSettings())


@pytest.mark.parametrize(("large", "answer"), [(600, "open"), (100, "unknown")])
def test_dns(large, answer):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((ADDRESS, 0))
    server.settimeout(60)

    def serve():
        with server:
            for _query in range(2):
                query, peer = server.recvfrom(4096)
                back = query[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + query[12 : query.index(b"\0", 12) + 5]
                server.sendto(back.ljust(large, b"x") if b"large" in query else back, peer)

    thread = threading.Thread(target=serve)
    thread.start()
    target = ContrastTarget(ADDRESS, protocols=("dns",), port=server.getsockname()[1])
    small, big = probe_contrasts([target], ContrastSettings(dns_name="example.org", dns_large_name="large.example.org", timeout=20.0))
    thread.join(60)
    assert small.answer == "open" and small.why == "NOERROR of 29 bytes" and not small.corrupt
    assert big.answer == answer and f"NOERROR of {large} bytes" in big.why


def test_a_large_answer_needs_a_name():
    found = _contrasts._Probing(ContrastSettings(), None, b"", b"")._dns(Contrast(ADDRESS, protocol="dns", size="large"))
    assert found.answer == "unknown" and "dns_large_name" in found.why
