# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A probe pod's program on loopback. As a process of its own it is seen in ``test_probe_archive.py``."""

from __future__ import annotations

import gzip
import json
import socket
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _pod as pod
from ansible_collections.fathom.submariner.plugins.module_utils._wire._paths import PathTarget

QUICK = {"timeout": 2.0, "retries": 0, "workers": 2}


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def order(port, **own):
    target = {"address": "127.0.0.1", "name": "a", "path": "underlay", "port": port}
    mtu = [{**target, "protocols": ["udp"]}]
    exchanges = [{**target, "protocols": ["tcp", "udp"], "sizes": ["small"]}]
    node = {"path_mtu": mtu, "path_probe": exchanges, "answers_on": ["127.0.0.1"], **own}
    settings = {"cluster": "c", "cluster_cidrs": [], "port": port, "lifetime": 5, "gather": 5.0, "mtu": {**QUICK, "max_mtu": 1500}, "exchanges": QUICK}
    return {"nodes": {"a": node}, "host_network": False, **settings}


def test_it_answers_and_probes():
    found = pod.report(order(free_port()), "a", time.monotonic() + 5)
    (probes,) = found["documents"]
    assert found["responding"] and found["notes"] == [] and (probes["kind"], probes["origin"]) == ("NodeProbes", "pod")
    assert [(each["protocol"], each["answer"], each["mtu"]) for each in probes["paths"]] == [("udp", "open", 1500)]
    assert {(each["protocol"], each["answer"]) for each in probes["contrasts"]} == {("tcp", "open"), ("udp", "open")}
    assert len(found["lines"]) == 3


def test_a_port_that_is_taken_is_told_and_probing_goes_on():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = pod.report(order(other.getsockname()[1], path_probe=[], path_mtu=[]), "a", time.monotonic() + 5)
    assert found["responding"] is False and "no answers are given on 127.0.0.1" in found["notes"][0] and found["documents"]


def test_who_does_not_answer_is_told_and_not_waited_for_beyond_the_patience():
    silent = PathTarget("127.0.0.1", "b", port=free_port())
    tunnel = PathTarget("127.0.0.1", "b", "calico", port=silent.port)
    assert pod._await_responders([silent, tunnel], 0.05) == [f"b did not answer on 127.0.0.1, port {silent.port}, within 0.05 s"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert pod._await_responders([PathTarget("127.0.0.1", "b", port=other.getsockname()[1])], 20.0) == []
    assert pod._await_responders([PathTarget("127.0.0.1")], 20.0) == [], "nobody is expected at a port that is not named"


def test_a_node_without_an_order_is_told():
    with pytest.raises(InputError, match="nothing for node 'b'"):
        pod.report(order(1), "b", 0.0)


def test_an_order_is_read(tmp_path):
    path = tmp_path / "order.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"nodes": {}}).encode()))
    assert pod.read_order(str(path)) == {"nodes": {}}
    for content in (b"", b"text", gzip.compress(b"text"), gzip.compress(b"[]"), gzip.compress(b"{}"), gzip.compress(b"{}")[:-3]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="The order"):
            pod.read_order(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        pod.read_order(str(tmp_path / "absent"))
