# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three modules of the wire: what they are asked, what they return, and that they tell the same as their documentation."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import Contrast, PathMtu
from ansible_collections.fathom.submariner.plugins.modules import path_mtu, path_probe, path_responder


def run(module, arguments, module_args, capsys):
    with module_args(arguments), pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("module", "key", "record"), [(path_mtu, "paths", PathMtu), (path_probe, "contrasts", Contrast)])
def test_every_field_is_documented(module, key, record):
    documented = yaml.safe_load(module.RETURN)["probes"]["contains"][key]["contains"]
    assert set(documented) == set(record._fields)


def test_path_mtu(module_args, capsys, monkeypatch):
    asked = []

    def probe(targets, settings):
        asked.append((targets, settings))
        return (PathMtu("10.0.0.2", answer="open", mtu=1500, packets=4),)

    monkeypatch.setattr(path_mtu, "probe_paths", probe)
    targets = [{"address": "10.0.0.2", "protocols": ["udp"], "path": "calico", "port": 4800, "name": "b"}]
    result = run(path_mtu, {"name": "a", "cluster": "c", "targets": targets, "max_mtu": 9000, "packets": 10}, module_args, capsys)
    assert (result["changed"], result["packets"], result["probes"]["metadata"]) == (False, 4, {"name": "a", "cluster": "c"})
    assert result["probes"]["paths"][0]["mtu"] == 1500 and len(result["lines"]) == 1
    ((target,), settings) = asked[0]
    assert target == path_mtu.PathTarget("10.0.0.2", "b", "calico", ("udp",), 4800)
    assert settings == path_mtu.PathSettings(9000, 1.0, 2, 10, 8)


def test_path_probe(module_args, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(path_probe, "probe_contrasts", lambda targets, settings: asked.append((targets, settings)) or (Contrast("10.0.0.2", packets=3),))
    result = run(path_probe, {"name": "a", "targets": [{"address": "10.0.0.2", "sizes": ["small"]}], "bytes": 5000}, module_args, capsys)
    assert (result["changed"], result["packets"]) == (False, 3) and result["probes"]["contrasts"][0]["answer"] == "unknown"
    ((target,), settings) = asked[0]
    assert target == path_probe.ContrastTarget("10.0.0.2", sizes=("small",)) and settings == path_probe.ContrastSettings(bytes=5000)


def test_what_no_responder_serves_is_unknown_and_not_asked(module_args, capsys):
    targets = [{"address": "127.0.0.1", "name": name, "protocols": ["udp"], "port": 4500, "sizes": ["small"]} for name in ("b", "c")]
    unserved = [{"name": "b", "port": 4500, "why": "UDP on 127.0.0.1: Address already in use"}]
    arguments = {"name": "a", "targets": targets, "unserved": unserved, "timeout": 0.05, "retries": 0}
    found = run(path_probe, arguments, module_args, capsys)["probes"]["contrasts"]
    assert (found[0]["answer"], found[0]["why"], found[0]["packets"]) == ("unknown", unserved[0]["why"], 0)
    assert found[1]["answer"] == "refused"


@pytest.mark.parametrize("module", [path_mtu, path_probe])
def test_a_name_is_no_address(module, module_args, capsys):
    result = run(module, {"name": "a", "targets": [{"address": "worker-2"}]}, module_args, capsys)
    assert result["failed"] and "'worker-2' is no IP address" in result["msg"]


SHARED = [("retries", -1), ("retries", -5), ("workers", 0), ("packets", 0), ("timeout", -1.5), ("timeout", "nan")]


@pytest.mark.parametrize(
    ("module", "option", "value"),
    [
        *((module, *each) for module in (path_mtu, path_probe) for each in SHARED),
        (path_mtu, "max_mtu", 10),
        (path_mtu, "max_mtu", -1),
        (path_probe, "bytes", 0),
        (path_probe, "throughput_seconds", -1.0),
        (path_probe, "throughput_bytes", 1 << 31),
    ],
)
def test_numbers_that_cannot_be(module, option, value, module_args, capsys):
    result = run(module, {"name": "a", "targets": [{"address": "127.0.0.1"}], option: value}, module_args, capsys)
    assert result["failed"] and f"{option} is {value}, and can be" in result["msg"]


@pytest.mark.parametrize("module", [path_mtu, path_probe])
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"port": -1}, "port is -1"),
        ({"port": 70000}, "port is 70000"),
        ({"address": "127.255.255.255"}, "is the broadcast address"),
        ({"address": "fe80::1"}, "write the device as well"),
        ({"address": "127.0.0.1%lo"}, "write 127.0.0.1"),
        ({"address": "fe80::1%nope0"}, "has no device nope0"),
    ],
)
def test_targets_that_cannot_be(module, target, words, module_args, capsys):
    result = run(module, {"name": "a", "targets": [{"address": "127.0.0.1", **target}]}, module_args, capsys)
    assert result["failed"] and words in result["msg"] and "Nothing was sent" in result["msg"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"state": "absent", "port": 0}, "port is 0"),
        ({}, "addresses is empty"),
        ({"addresses": ["b"]}, "addresses: 'b' is no IP address"),
        ({"addresses": ["fe80::1"]}, "addresses: fe80::1 is link-local"),
        ({"addresses": ["127.0.0.2"], "peers": ["10.0.0.0/99"]}, "10.0.0.0/99"),
        ({"addresses": ["127.0.0.2"], "lifetime": 0}, "lifetime is 0"),
        ({"addresses": ["127.0.0.2"], "lifetime": 90000}, "can be 1 to 86400"),
        ({"addresses": ["127.0.0.2"], "port": 70000}, "port is 70000"),
    ],
)
def test_a_responder_with_terms_that_cannot_be_is_refused(arguments, words, module_args, capsys):
    result = run(path_responder, arguments, module_args, capsys)
    assert result["failed"] and words in result["msg"]


class Daemon:
    """In place of a process."""

    def __init__(self, running=None):
        self.running, self.orders = running, []

    def status(self, port):
        return self.running

    def stop(self, port):
        self.orders.append("stop")
        self.running, last = None, self.running
        return last

    def renew(self, port, lifetime):
        self.orders.append("renew")
        return self.running

    def start(self, terms):
        self.orders.append("start")
        self.running = {"addresses": list(terms.addresses), "peers": list(terms.peers), "port": terms.port}
        return self.running


SAME = {"addresses": ["127.0.0.2"], "peers": [], "port": 28470}


@pytest.mark.parametrize(
    ("running", "arguments", "changed", "orders"),
    [
        (None, {"addresses": ["127.0.0.2"]}, True, ["start"]),
        (None, {"addresses": ["127.0.0.2"], "_ansible_check_mode": True}, True, []),
        (SAME, {"addresses": ["127.0.0.2"]}, False, ["renew"]),
        (SAME, {"addresses": ["127.0.0.2"], "_ansible_check_mode": True}, False, []),
        (SAME, {"addresses": ["127.0.0.2"], "peers": ["10.0.0.0/8"]}, True, ["stop", "start"]),
        (SAME, {"state": "absent"}, True, ["stop"]),
        (SAME, {"state": "absent", "_ansible_check_mode": True}, True, []),
        (None, {"state": "absent"}, False, ["stop"]),
    ],
)
def test_a_responder_is_started_renewed_and_ended(running, arguments, changed, orders, module_args, capsys, monkeypatch):
    daemon = Daemon(running)
    monkeypatch.setattr(path_responder, "_daemon", daemon)
    result = run(path_responder, arguments, module_args, capsys)
    assert (result["changed"], daemon.orders) == (changed, orders)
    assert result["running"] == (arguments.get("state") != "absent") and result["absent_addresses"] == []


def test_addresses_that_are_not_there_yet(module_args, capsys, monkeypatch):
    monkeypatch.setattr(path_responder, "_daemon", Daemon())
    result = run(path_responder, {"addresses": ["127.0.0.2", "192.0.2.77"]}, module_args, capsys)
    assert result["absent_addresses"] == ["192.0.2.77"]
