# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_offload as settings
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_offload
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_offload import FILE
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_offload import apply_offload, remove_offload
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make


class Card:
    """ethtool(8) for one device: -k prints, -K sets; tx-checksumming is on as long as one of its members is."""

    def __init__(self, host, name, **held):
        self.held = {"tx-checksum-ip-generic": "on", "tx-checksum-sctp": "off", "tx-udp_tnl-segmentation": "on", **held}
        host.answers[f"ethtool -k {name}"] = lambda: (0, self.printed(name))
        for feature, members in {"tx-checksumming": ["tx-checksum-ip-generic", "tx-checksum-sctp"], **{each: [each] for each in self.held}}.items():
            for value in ("on", "off"):
                host.answers[f"ethtool -K {name} {feature} {value}"] = lambda members=members, value=value: self.set(members, value)

    def printed(self, name):
        rows = "".join(f"\t{feature}: {value}\n" for feature, value in self.held.items())
        return f"Features for {name}:\ntx-checksumming: {'on' if self.held['tx-checksum-ip-generic'] == 'on' else 'off'}\n{rows}"

    def set(self, members, value):
        self.held.update({name: value for name in members if not self.held[name].endswith("[fixed]")})
        return 0, ""


@pytest.fixture(autouse=True)
def _programs(monkeypatch):
    monkeypatch.setattr(_write_offload.shutil, "which", lambda name, path: f"/usr/sbin/{name}")


@pytest.fixture
def host(tmp_path):
    made = make(tmp_path, {"/sys/class/net/eth0/mtu": "1500"}, {"udevadm control --reload": (0, "")})
    made.card = Card(made, "eth0")
    return made


def run(host, *devices, check_mode=False, allowed=True, exclusive=False):
    outcome = Outcome(check_mode, allowed)
    apply_offload(host, [{"name": each} if isinstance(each, str) else each for each in devices], outcome, exclusive=exclusive)
    return outcome


def remove(host, allowed=True):
    outcome = Outcome(False, allowed)
    remove_offload(host, outcome)
    return outcome


def test_off_now_and_later_and_back(host, tmp_path):
    checked = run(host, "eth0", "vx-submariner", check_mode=True).result()
    assert FILE not in files(tmp_path) and host.card.held["tx-checksum-ip-generic"] == "on"
    assert run(host, "eth0", "vx-submariner").result() == checked and host.card.held["tx-checksum-ip-generic"] == "off"
    assert "# was eth0 = tx-checksum-ip-generic\n" in files(tmp_path)[FILE] and host.asked[-1] == "udevadm control --reload"
    assert not run(host, "eth0", "vx-submariner").changed
    assert remove(host).changed and FILE not in files(tmp_path)
    assert host.card.held == {"tx-checksum-ip-generic": "on", "tx-checksum-sctp": "off", "tx-udp_tnl-segmentation": "on"}
    assert not remove(host).changed


TUNNEL = {"name": "eth0", "features": ["tx-udp_tnl-segmentation"]}


@pytest.mark.parametrize("order", [("eth0", TUNNEL, "vx-submariner"), (TUNNEL, "vx-submariner", "eth0")])
def test_partial_runs_add_up_in_either_order_by_device_and_feature(host, tmp_path, order):
    both = ("tx-checksum-ip-generic", "tx-udp_tnl-segmentation")
    for names in (both, both[::-1]):
        host.answers["ethtool -K eth0 " + " ".join(f"{name} on" for name in names)] = lambda: host.card.set(both, "on")
    for part in order:
        assert run(host, part).changed
    assert host.card.held == {"tx-checksum-ip-generic": "off", "tx-checksum-sctp": "off", "tx-udp_tnl-segmentation": "off"}
    wishes = {wish.device: set(wish.features) for wish in settings.written(files(tmp_path)[FILE])}
    assert wishes == {"eth0": {"tx-checksumming", "tx-udp_tnl-segmentation"}, "vx-submariner": {"tx-checksumming"}}
    assert {name: set(on) for name, on in settings.remembered(files(tmp_path)[FILE]).items()} == {"eth0": set(both)}
    assert not any(run(host, part, allowed=False).changed for part in order) and not run(host, *order, allowed=False).changed
    assert remove(host).changed and host.card.held == {"tx-checksum-ip-generic": "on", "tx-checksum-sctp": "off", "tx-udp_tnl-segmentation": "on"}


def test_an_exclusive_run_switches_on_again_what_it_does_not_name(host, tmp_path):
    both = ["tx-checksum-ip-generic", "tx-udp_tnl-segmentation"]
    host.answers["ethtool -K eth0 tx-checksumming off tx-udp_tnl-segmentation off"] = lambda: host.card.set(both, "off")
    run(host, {"name": "eth0", "features": ["tx-checksumming", "tx-udp_tnl-segmentation"]})
    assert host.card.held["tx-udp_tnl-segmentation"] == "off"
    assert not run(host, "eth0").changed and host.card.held["tx-udp_tnl-segmentation"] == "off"
    with pytest.raises(RefusedError, match="on again on eth0"):
        run(host, "eth0", exclusive=True, allowed=False)
    assert run(host, "eth0", exclusive=True).changed and not run(host, "eth0", exclusive=True).changed
    assert host.card.held["tx-udp_tnl-segmentation"] == "on" and host.card.held["tx-checksum-ip-generic"] == "off"
    assert run(host, "vx-submariner", exclusive=True).changed and host.card.held["tx-checksum-ip-generic"] == "on"
    assert [wish.device for wish in settings.written(files(tmp_path)[FILE])] == ["vx-submariner"]


def test_a_pattern_takes_links_alone_and_not_the_file_of_bonding(host, tmp_path):
    (tmp_path / "sys/class/net/bonding_masters").write_text("bond0\n")
    for pattern in ("*", "bond*"):
        assert run(host, pattern, check_mode=True).changed
    assert not any("bonding_masters" in each for each in host.asked)


def test_consent_before_anything_is_written_both_ways(host, tmp_path):
    with pytest.raises(RefusedError, match="switch tx-checksumming off on eth0"):
        run(host, "eth0", allowed=False)
    assert FILE not in files(tmp_path)
    run(host, "eth0")
    with pytest.raises(RefusedError, match="on again on eth0"):
        remove(host, allowed=False)
    assert host.card.held["tx-checksum-ip-generic"] == "off" and FILE in files(tmp_path)
    assert run(host, "eth0", "vxlan.calico", allowed=False).changed  # nothing that is there changes


def test_what_cannot_be_is_refused(host, tmp_path):
    host.card.held["tx-checksum-ip-generic"] = "on [fixed]"
    with pytest.raises(RefusedError, match="fixed"):
        run(host, {"name": "eth0", "features": ["tx-checksum-ip-generic"]})
    with pytest.raises(RefusedError, match="no feature tx"):
        run(host, {"name": "eth0", "features": ["tx"]})
    host.answers["ethtool -K eth0 tx-udp_tnl-segmentation off"] = (1, "Operation not permitted")
    with pytest.raises(SubmarinerError, match="Operation not permitted"):
        run(host, {"name": "eth0", "features": ["tx-udp_tnl-segmentation"]})
    host.answers["ethtool -K eth0 tx-udp_tnl-segmentation off"] = (0, "")
    with pytest.raises(SubmarinerError, match="and they are not"):
        run(host, {"name": "eth0", "features": ["tx-udp_tnl-segmentation"]})
    assert FILE not in files(tmp_path)


def test_a_device_that_fails_leaves_those_before_it_as_they_were(host, tmp_path):
    make(tmp_path, {"/sys/class/net/eth1/mtu": "1500"})
    Card(host, "eth1")
    host.answers["ethtool -K eth1 tx-checksumming off"] = (1, "Device busy")
    with pytest.raises(SubmarinerError, match="Device busy"):
        run(host, "eth0", "eth1")
    assert host.card.held["tx-checksum-ip-generic"] == "on" and FILE not in files(tmp_path)


def test_a_device_that_can_neither_be_left_nor_put_back_is_told(host, tmp_path):
    make(tmp_path, {"/sys/class/net/eth1/mtu": "1500"})
    Card(host, "eth1")
    host.answers["ethtool -K eth1 tx-checksumming off"] = (1, "Device busy")
    host.answers["ethtool -K eth0 tx-checksum-ip-generic on"] = (1, "Device busy")
    outcome = Outcome(False, True)
    with pytest.raises(SubmarinerError, match="Device busy.*On eth0 not all could be switched on again"):
        apply_offload(host, [{"name": "eth0"}, {"name": "eth1"}], outcome)
    assert [each["after_header"] for each in outcome.result_of_failure()["diff"]] == ["features of eth0"]


def test_programs_that_are_missing(host, monkeypatch):
    monkeypatch.setattr(_write_offload.shutil, "which", lambda name, path: None)
    with pytest.raises(SubmarinerError, match="Install package ethtool"):
        run(host, "eth0")
    monkeypatch.setattr(_write_offload.shutil, "which", lambda name, path: name if name == "ethtool" else None)
    with pytest.raises(SubmarinerError, match="udev is not installed"):
        run(host, "eth0")
    monkeypatch.setattr(_write_offload.shutil, "which", lambda name, path: name)
    host.answers["udevadm control --reload"] = (1, "")
    assert "ended with 1" in run(host, "eth0").warnings[0]
    remove(host)
    del host.answers["udevadm control --reload"]
    assert "next boot" in run(host, "eth0").warnings[0]
