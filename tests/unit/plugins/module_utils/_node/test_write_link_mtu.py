# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_link_mtu, _write_reversal
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_link_mtu import apply_link_mtu, confirm_link_mtu, remove_link_mtu
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_link_setting import FOLDER
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make

IFCFG = "/etc/sysconfig/network-scripts/ifcfg-eth0"
TREE = {"/sys/class/net/eth0/mtu": "1500\n", "/sys/class/net/eth0/ifindex": "2", IFCFG: "DEVICE=eth0\n", "/etc/init.d/network": "", "/proc/1/comm": "init\n"}
LIMITS = {"ip -j -d link show dev eth0": (0, json.dumps([{"min_mtu": 68, "max_mtu": 9000}]))}


@pytest.fixture(autouse=True)
def _armed(monkeypatch):
    """The script is not run here: it only says that it is."""

    def start(host, _device, script):
        with open(host.path(script[: -len("sh")] + "armed"), "w", encoding="utf-8") as stream:
            stream.write("1\n")

    monkeypatch.setattr(_write_reversal.attempt, "__defaults__", (start,))


def present(host, mtu, check_mode=False, allowed=True):
    outcome = Outcome(check_mode, allowed)
    apply_link_mtu(host, "eth0", mtu, 60, outcome)
    return outcome


def absent(host, allowed=True):
    outcome = Outcome(False, allowed)
    remove_link_mtu(host, "eth0", 60, outcome)
    return outcome


def confirmed(host, outcome):
    kept = Outcome(False, False)
    confirm_link_mtu(host, "eth0", outcome.facts["pending"]["token"], kept)
    return kept


def mtu(root):
    return (root / "sys/class/net/eth0/mtu").read_text(encoding="utf-8").strip()


def test_tried_then_kept_then_nothing_then_taken_back(tmp_path):
    host = make(tmp_path, TREE, LIMITS)
    checked = present(host, 1400, check_mode=True).result()
    assert mtu(tmp_path) == "1500" and checked["pending"] == {}
    tried = present(host, 1400)
    assert mtu(tmp_path) == "1400" and files(tmp_path)[IFCFG] == TREE[IFCFG]
    assert tried.result()["diff"] == checked["diff"] and tried.lines == checked["lines"]
    assert confirmed(host, tried).changed and files(tmp_path)[IFCFG] == "DEVICE=eth0\nMTU=1400\n"
    again = present(host, 1400, allowed=False)
    assert not again.changed and again.facts["pending"] == {}
    back = absent(host)
    assert mtu(tmp_path) == "1500" and files(tmp_path)[IFCFG] == "DEVICE=eth0\nMTU=1400\n"
    assert confirmed(host, back).changed and files(tmp_path)[IFCFG] == TREE[IFCFG] and f"{FOLDER}/eth0.json" not in files(tmp_path)
    assert not absent(host).changed


def test_the_file_alone_needs_neither_consent_nor_confirmation(tmp_path):
    host = make(tmp_path, {**TREE, "/sys/class/net/eth0/mtu": "1400\n"}, LIMITS)
    outcome = present(host, 1400, allowed=False)
    assert outcome.changed and outcome.facts["pending"] == {} and files(tmp_path)[IFCFG] == "DEVICE=eth0\nMTU=1400\n"


def test_a_file_that_was_written_before_the_kernel_refuses_is_told(tmp_path, monkeypatch):
    def refuses(*_arguments):
        raise SubmarinerError("The kernel does not take it.")

    host = make(tmp_path, {**TREE, "/sys/class/net/eth0/mtu": "1400\n"}, LIMITS)

    def persist(*_arguments):  # whatever applies the file has its own idea
        (tmp_path / "sys/class/net/eth0/mtu").write_text("1500\n")

    monkeypatch.setattr(_write_link_mtu.setting, "persist", persist)
    monkeypatch.setattr(_write_link_mtu, "set_kernel", refuses)
    outcome = Outcome(False, True)
    with pytest.raises(SubmarinerError, match="does not take it"):
        _write_link_mtu.apply_link_mtu(host, "eth0", 1400, 60, outcome)
    assert [each["after_header"] for each in outcome.result_of_failure()["diff"]] == [IFCFG]


def test_the_link_alone(tmp_path):
    host = make(tmp_path, {**TREE, IFCFG: "MTU=1400\n"}, LIMITS)
    outcome = present(host, 1400)
    assert len(outcome.result()["diff"]) == 1 and len(outcome.lines) == 1
    assert confirmed(host, outcome).changed and files(tmp_path)[IFCFG] == "MTU=1400\n"


def test_consent_comes_first(tmp_path):
    host = make(tmp_path, TREE, LIMITS)
    with pytest.raises(RefusedError, match="change the MTU of eth0 from 1500 to 1400"):
        present(host, 1400, allowed=False)
    assert files(tmp_path) == TREE


def test_somebody_else_changed_it_meanwhile(tmp_path):
    host = make(tmp_path, TREE, LIMITS)
    tried = present(host, 1400)
    (tmp_path / "sys/class/net/eth0/mtu").write_text("1280\n", encoding="utf-8")
    with pytest.raises(SubmarinerError, match="somebody else changed it"):
        confirmed(host, tried)
    assert files(tmp_path)[IFCFG] == TREE[IFCFG]


def test_who_sets_the_link_up_must_be_known_before_the_reversal_is_ended(tmp_path):
    """NetworkManager may be activating the connection anew at that moment, as after the card was reset."""
    host = make(tmp_path, TREE, LIMITS)
    tried = present(host, 1400)
    token = tried.facts["pending"]["token"]
    (tmp_path / IFCFG[1:]).unlink()
    with pytest.raises(SubmarinerError, match="Nothing that is known here sets eth0 up.* was not confirmed: the link gets its former MTU back by itself"):
        confirmed(host, tried)
    assert f"{_write_reversal.FOLDER}/eth0/{token}.pending" in files(tmp_path), "its script shall find it"
    (tmp_path / IFCFG[1:]).write_text(TREE[IFCFG], encoding="utf-8")
    assert confirmed(host, tried).changed


def test_what_lies_on_the_link_and_does_not_fit_any_more_is_warned_of(tmp_path):
    above = {"ifname": "vxlan.calico", "mtu": 1450, "linkinfo": {"info_kind": "vxlan", "info_data": {"id": 4096, "link": "eth0"}}}
    host = make(tmp_path, TREE, {**LIMITS, "ip -j -d link show": (0, json.dumps([above]))})
    for check_mode in (True, False):
        assert "vxlan.calico lies on eth0" in present(host, 1400, check_mode=check_mode).warnings[0]


def test_a_file_that_cannot_be_written_says_how_long_the_link_keeps_it(tmp_path, monkeypatch):
    def fails(*_arguments):
        raise SubmarinerError("The disk is full.")

    host = make(tmp_path, TREE, LIMITS)
    tried = present(host, 1400)
    monkeypatch.setattr(_write_link_mtu.setting, "persist", fails)
    outcome = Outcome(False, True)
    with pytest.raises(SubmarinerError, match="The disk is full. The link keeps its MTU of 1400 until the next boot"):
        _write_link_mtu.confirm_link_mtu(host, "eth0", tried.facts["pending"]["token"], outcome)
    assert outcome.result_of_failure()["changed"]


@pytest.mark.parametrize(
    ("value", "files_too", "said"),
    [
        (9001, {}, "from 68 to 9000"),
        (60, {}, "from 68 to 9000"),
        (1279, {"/proc/net/if_inet6": "fe80000000000000 02 40 20 80 eth0\n"}, "RFC 8200"),
    ],
)
def test_what_the_link_cannot_be(tmp_path, value, files_too, said):
    with pytest.raises(RefusedError, match=said):
        present(make(tmp_path, {**TREE, **files_too}, LIMITS), value)


def test_ipv6_on_another_link_does_not_matter_nor_an_ip_that_says_nothing(tmp_path):
    host = make(tmp_path, {**TREE, "/proc/net/if_inet6": "0 01 80 10 80 lo\n"}, {"ip -j -d link show dev eth0": (255, 'Option "-j" is unknown')})
    assert present(host, 1200).changed


def test_a_port_belongs_to_its_master_and_a_link_must_exist(tmp_path):
    host = make(tmp_path, TREE, LIMITS)
    (tmp_path / "sys/class/net/eth0/master").symlink_to("../bond0")
    (tmp_path / "sys/class/net/bond0").mkdir()
    (tmp_path / "sys/class/net/bond0/mtu").write_text("1500\n")
    with pytest.raises(RefusedError, match="port of bond0"):
        present(host, 1400)
    for name, error in (("eth9", SubmarinerError), ("../eth0", InputError)):
        with pytest.raises(error):
            apply_link_mtu(host, name, 1400, 60, Outcome())


def test_a_link_that_another_service_sets_up_now_is_left_alone(tmp_path):
    host = make(tmp_path, {**TREE, f"{FOLDER}/eth0.json": json.dumps({"manager": "netplan", "where": "/etc/netplan/x.yaml", "mtu": 1500})}, LIMITS)
    with pytest.raises(RefusedError, match="lies with netplan"):
        absent(host)


def test_confirming_in_check_mode_makes_no_sense(tmp_path):
    with pytest.raises(InputError):
        confirm_link_mtu(make(tmp_path, TREE, LIMITS), "eth0", "x", Outcome(check_mode=True))
