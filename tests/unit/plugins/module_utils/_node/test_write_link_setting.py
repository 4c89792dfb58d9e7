# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_link_manager import Manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_link_setting import FOLDER, Record, describe, persist, read_record, undo
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make

PATH = "/etc/sysconfig/network-scripts/ifcfg-eth0"
IFCFG = Manager("ifcfg", PATH)
NETWORKD = Manager("systemd-networkd", "/etc/systemd/network/x.network.d/zz-fathom-submariner.conf", network_file="/etc/systemd/network/x.network")
NETPLAN = Manager("netplan", "/etc/netplan/99-zz.yaml", network_file="/run/systemd/network/10-netplan-eth0.network", section="ethernets", identifier="eth0")
PROFILE = Manager("NetworkManager", "uplink", uuid="u-1")


def test_an_ifcfg_file_is_edited_kept_and_put_back(tmp_path):
    text = "# theirs\nMTU='1500'"
    host = make(tmp_path, {PATH: text})
    assert describe(host, IFCFG, 1400) == (PATH, text, "# theirs\nMTU=1400")
    persist(host, "eth0", IFCFG, 1400, 1500)
    assert files(tmp_path)[PATH] == "# theirs\nMTU=1400" and files(tmp_path)[f"{FOLDER}/ifcfg-eth0.before"] == text
    persist(host, "eth0", IFCFG, 1300, 1400)
    assert read_record(host, "eth0") == Record("ifcfg", PATH, 1500, "MTU='1500'")  # of the first time
    undo(host, "eth0", IFCFG)
    assert files(tmp_path) == {PATH: text}


def test_a_drop_in_comes_and_goes_with_its_folder(tmp_path):
    host = make(tmp_path, {NETWORKD.network_file: "[Match]\nName=eth0\n"})
    persist(host, "eth0", NETWORKD, 1400, 1500)
    assert "MTUBytes=1400" in files(tmp_path)[NETWORKD.where]
    undo(host, "eth0", NETWORKD)
    assert list(files(tmp_path)) == [NETWORKD.network_file] and not (tmp_path / "etc/systemd/network/x.network.d").exists()


def test_a_setting_that_does_not_hold_is_told_and_taken_out_again(tmp_path):
    host = make(tmp_path, {NETWORKD.network_file: "", "/etc/systemd/network/x.network.d/zzz.conf": "[Link]\nMTUBytes=9000\n"})
    before = files(tmp_path)
    with pytest.raises(SubmarinerError, match="says 9000 for eth0: another file is read after it.*was put back"):
        persist(host, "eth0", NETWORKD, 1400, 1500)
    assert files(tmp_path) == before


def generates(root, mtu):
    """netplan generate(8), which writes systemd-networkd's file."""

    def answer():
        path = root / NETPLAN.network_file[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[Link]\nMTUBytes={mtu}\n")
        return 0, ""

    return answer


def test_netplans_file_is_one_of_ours_that_only_root_may_read(tmp_path):
    host = make(tmp_path, {}, {"netplan generate": generates(tmp_path, 1400)})
    persist(host, "eth0", NETPLAN, 1400, 1500)
    assert (tmp_path / "etc/netplan/99-zz.yaml").stat().st_mode & 0o777 == 0o600
    undo(host, "eth0", NETPLAN)
    assert "/etc/netplan/99-zz.yaml" not in files(tmp_path) and host.asked == ["netplan generate"] * 2


def test_what_netplan_does_not_take_is_put_back(tmp_path):
    host = make(tmp_path, {}, {"netplan generate": (1, "Updated definition 'eth0' changes device type")})
    with pytest.raises(SubmarinerError, match="changes device type"):
        persist(host, "eth0", NETPLAN, 1400, 1500)
    assert "/etc/netplan/99-zz.yaml" not in files(tmp_path)


def test_netplan_before_network_manager_has_it_read_the_profile_anew(tmp_path):
    asks = "nmcli -g 802-3-ethernet.mtu connection show u-1"
    host = make(tmp_path, {}, {"netplan generate": (0, ""), "nmcli connection reload": (0, ""), asks: (0, "1400\n")})
    persist(host, "eth0", NETPLAN._replace(uuid="u-1"), 1400, 1500)
    assert host.asked == ["netplan generate", "nmcli connection reload", asks]


def test_network_managers_connection_gets_it_and_its_former_one_back(tmp_path):
    held = {"mtu": "1450"}
    answers = {"nmcli -g 802-3-ethernet.mtu connection show u-1": lambda: (0, held["mtu"] + "\n")}
    for value in ("1400", "1450"):
        answers[f"nmcli connection modify u-1 802-3-ethernet.mtu {value}"] = lambda value=value: (held.update(mtu=value) or 0, "")
    host = make(tmp_path, {}, answers)
    assert describe(host, PROFILE, 1400)[1:] == ("802-3-ethernet.mtu: 1450\n", "802-3-ethernet.mtu: 1400\n")
    persist(host, "eth0", PROFILE, 1400, 1500)
    assert describe(host, PROFILE, None, read_record(host, "eth0"))[2] == "802-3-ethernet.mtu: 1450\n"
    undo(host, "eth0", PROFILE)
    assert held["mtu"] == "1450" and files(tmp_path) == {}
    assert not any("reapply" in each for each in host.asked), "it takes addresses away that NetworkManager did not set"


@pytest.mark.parametrize(("again", "said"), [((0, ""), "uplink was put back"), ((1, "not there"), "Putting uplink back failed, too")])
def test_a_connection_that_is_not_modified_gets_its_former_mtu_back(tmp_path, again, said):
    modify = "nmcli connection modify u-1 802-3-ethernet.mtu"
    answers = {"nmcli -g 802-3-ethernet.mtu connection show u-1": (0, "1450\n"), f"{modify} 1400": (1, "refused"), f"{modify} 1450": again}
    with pytest.raises(SubmarinerError, match=f"refused.*{said}"):
        persist(make(tmp_path, {}, answers), "eth0", PROFILE, 1400, 1500)
    assert files(tmp_path) == {}


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"manager": 1}), json.dumps({"a": 1})])
def test_a_damaged_record_is_told(tmp_path, text):
    with pytest.raises(SubmarinerError, match="is damaged"):
        read_record(make(tmp_path, {f"{FOLDER}/eth0.json": text}), "eth0")
