# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_link_manager import Manager, configured_mtu, find_manager
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import make

LINKS = {"/sys/class/net/eth0/ifindex": "2", "/sys/class/net/eth0/uevent": "INTERFACE=eth0\n", "/sys/class/net/eth1/ifindex": "3", "/proc/1/comm": "systemd\n"}
NETWORKD = {"/proc/77/comm": "systemd-network\n"}
IFCFG = {"/etc/sysconfig/network-scripts/ifcfg-eth0": "DEVICE=eth0\nMTU=1400\n", "/etc/rc.d/init.d/network": ""}


def state(file, admin="configured"):
    return f"ADMIN_STATE={admin}\nNETWORK_FILE={file}\n"


DEVICES = "nmcli -t -f GENERAL.DEVICE,GENERAL.CON-UUID device show"
MULTI = "nmcli -g connection.multi-connect connection show u-1"
BOUND = "nmcli -g connection.interface-name,802-3-ethernet.mac-address connection show u-1"


def devices(eth0, eth1="u-2"):
    return f"GENERAL.DEVICE:eth0\nGENERAL.CON-UUID:{eth0}\n\nGENERAL.DEVICE:eth1\nGENERAL.CON-UUID:{eth1}\n\nGENERAL.DEVICE:lo\nGENERAL.CON-UUID:\n"


def nmcli(name="uplink", number="100 (connected)", **more):
    """nmcli(1) in terse form."""
    show = "nmcli -t -f GENERAL.STATE,GENERAL.CONNECTION,GENERAL.CON-UUID device show eth0"
    return {
        show: (0, f"GENERAL.STATE:{number}\nGENERAL.CONNECTION:{name}\nGENERAL.CON-UUID:u-1\n"),
        "nmcli -g 802-3-ethernet.mtu connection show u-1": (0, "auto\n"),
        DEVICES: (0, devices("u-1")),
        MULTI: (0, "default\n"),
        **more,
    }


def test_network_manager(tmp_path):
    host = make(tmp_path, {**LINKS, **IFCFG}, nmcli())  # its plugin ifcfg-rh reads the same file
    found = find_manager(host, "eth0")
    assert found == Manager("NetworkManager", "uplink", uuid="u-1") and configured_mtu(host, found) is None
    host.answers.update(nmcli(**{"nmcli -g 802-3-ethernet.mtu connection show u-1": (0, "1400\n")}))
    assert configured_mtu(host, found) == 1400


@pytest.mark.parametrize("number", ["10 (unmanaged)", "30 (disconnected)", "100 (connected (externally))"])
def test_what_network_manager_did_not_set_up_is_not_its(tmp_path, number):
    found = find_manager(make(tmp_path, {**LINKS, **IFCFG}, nmcli(number=number)), "eth0")
    assert found == Manager("ifcfg", "/etc/sysconfig/network-scripts/ifcfg-eth0")


def test_networkd_with_its_drop_ins(tmp_path):
    files = {
        "/run/systemd/netif/links/2": state("/etc/systemd/network/10-x.network"),
        "/etc/systemd/network/10-x.network": "[Link]\nMTUBytes=9000\n",
        "/etc/systemd/network/10-x.network.d/b.conf": "[Link]\nMTUBytes=1300\n",
        "/usr/lib/systemd/network/10-x.network.d/a.conf": "[Link]\nMTUBytes=1200\n",
    }
    host = make(tmp_path, {**LINKS, **NETWORKD, **files})
    found = find_manager(host, "eth0")
    assert (found.kind, found.where) == ("systemd-networkd", "/etc/systemd/network/10-x.network.d/zz-fathom-submariner.conf") and configured_mtu(
        host, found
    ) == 1300


def test_netplan_before_either(tmp_path):
    host = make(tmp_path / "a", {**LINKS, **NETWORKD, "/run/systemd/netif/links/2": state("/run/systemd/network/10-netplan-id0.network")})
    found = find_manager(host, "eth0")
    assert (found.kind, found.where, found.section, found.identifier) == ("netplan", "/etc/netplan/99-zz-fathom-submariner-eth0.yaml", "ethernets", "id0")
    host = make(
        tmp_path / "b", {**LINKS, "/run/NetworkManager/system-connections/netplan-id0.nmconnection": ""}, nmcli("netplan-id0", **{BOUND: (0, "eth0\n\n")})
    )
    assert find_manager(host, "eth0").uuid == "u-1" and find_manager(host, "eth0").kind == "netplan"
    host.answers[BOUND] = (0, "\n\n")
    with pytest.raises(RefusedError, match="holds for every link that matches"):
        find_manager(host, "eth0")


def test_a_kind_that_netplan_keeps_elsewhere_is_refused(tmp_path):
    files = {"/run/systemd/netif/links/2": state("/run/systemd/network/10-netplan-w.network"), "/sys/class/net/eth0/uevent": "DEVTYPE=wlan\n"}
    with pytest.raises(RefusedError, match="kind wlan"):
        find_manager(make(tmp_path, {**LINKS, **NETWORKD, **files}), "eth0")


def test_two_none_and_shared_are_refused(tmp_path):
    own = {"/run/systemd/netif/links/2": state("/etc/systemd/network/10-x.network")}
    with pytest.raises(RefusedError, match="set up by two: NetworkManager .uplink. and systemd-networkd"):
        find_manager(make(tmp_path / "a", {**LINKS, **NETWORKD, **own}, nmcli()), "eth0")
    with pytest.raises(RefusedError, match="systemd-networkd .* and ifcfg"):
        find_manager(make(tmp_path / "b", {**LINKS, **NETWORKD, **own, **IFCFG}), "eth0")
    with pytest.raises(RefusedError, match="sets up eth1 as well as eth0"):
        find_manager(make(tmp_path / "c", {**LINKS, **NETWORKD, **own, "/run/systemd/netif/links/3": state("/etc/systemd/network/10-x.network")}), "eth0")
    for name, files in {
        "d": own,
        "e": {**NETWORKD, "/run/systemd/netif/links/2": state("", "unmanaged")},
        "f": {"/etc/sysconfig/network/ifcfg-eth0": ""},
    }.items():
        with pytest.raises(RefusedError, match="Nothing that is known here sets eth0 up"):
            find_manager(make(tmp_path / name, {**LINKS, **files}), "eth0")
    with pytest.raises(RefusedError, match="/etc/network/interfaces: write .mtu. there"):
        find_manager(make(tmp_path / "g", {**LINKS, "/etc/network/interfaces": "auto eth0\niface eth0 inet dhcp\n"}), "eth0")


def test_a_profile_of_two_devices_is_refused(tmp_path):
    host = make(tmp_path, LINKS, nmcli(**{DEVICES: (0, devices("u-1", "u-1"))}))
    with pytest.raises(RefusedError, match="profile uplink is active on eth1 as well as on eth0.*nmcli connection clone 'uplink' eth0"):
        find_manager(host, "eth0")


@pytest.mark.parametrize("said", ["multiple\n", "manual-multiple\n", "3 (multiple)\n"])
def test_a_profile_for_whatever_device_is_refused(tmp_path, said):
    host = make(tmp_path, LINKS, nmcli(**{MULTI: (0, said), BOUND: (0, "\n\n")}))
    with pytest.raises(RefusedError, match="several devices at once .connection.multi-connect. and names none.*connection.interface-name eth0"):
        find_manager(host, "eth0")
    host.answers[BOUND] = (0, "\n52\\:54\\:00\\:00\\:00\\:01\n")
    assert find_manager(host, "eth0").uuid == "u-1"
    host.answers[MULTI] = (2, "Error: invalid field 'connection.multi-connect'")  # before 1.14
    host.answers[BOUND] = (0, "\n\n")
    assert find_manager(host, "eth0").uuid == "u-1"


def test_a_profile_of_which_nothing_more_is_said_is_an_error(tmp_path):
    with pytest.raises(SubmarinerError, match="ended with 8"):
        find_manager(make(tmp_path / "a", LINKS, nmcli(**{DEVICES: (8, "gone")})), "eth0")
    host = make(tmp_path / "b", LINKS, nmcli())
    del host.answers[MULTI]
    with pytest.raises(SubmarinerError, match="Nothing was changed"):
        find_manager(host, "eth0")


def test_an_nmcli_that_fails_is_told(tmp_path):
    host = make(tmp_path, LINKS, nmcli(**{"nmcli -g 802-3-ethernet.mtu connection show u-1": (8, "NetworkManager is not running")}))
    with pytest.raises(SubmarinerError, match="is not running"):
        configured_mtu(host, find_manager(host, "eth0"))
