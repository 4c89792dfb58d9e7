# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedies of a node's host against the real NetworkManager, systemd-networkd, udev and netplan, each in a namespace."""

from __future__ import annotations

import re

import pytest

from tests.integration.node_programs import Programs, missing, until

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module", autouse=True)
def _programs_there():
    why = missing()
    if why:
        pytest.skip(why)


@pytest.fixture
def programs(world):
    host, peer = world.host("node"), world.host("peer")
    world.link(host, "eth0", peer, "eth0")
    return Programs(host)


def mtu(host, device="eth0"):
    return int(host.run("cat", f"/sys/class/net/{device}/mtu").stdout)


def states(host):
    return dict(line.split(":", 1) for line in host.run("nmcli", "-t", "-f", "DEVICE,STATE", "device").stdout.splitlines())


def change(host, **options):
    """Both tasks of a change, as the role has them. :return: the results."""
    tried = host.module("node_link_mtu", {"device": "eth0", "allow_disruption": True, "timeout": 300, **options})
    assert not tried.get("failed"), tried
    if not tried["pending"]:
        return tried, None
    kept = host.module("node_link_mtu", {"device": "eth0", "state": "confirmed", "token": tried["pending"]["token"]})
    assert kept.get("changed"), kept
    return tried, kept


def test_network_manager_lets_go_of_submariners_devices_and_keeps_its_own(programs):
    host = programs.host
    programs.network_manager()
    for name, also in (("calico.conf", "tunl*"), ("rke2-canal.conf", "flannel*")):
        text = f"[keyfile]\nunmanaged-devices=interface-name:cali*;interface-name:{also}\n"
        (programs.etc("NetworkManager/conf.d") / name).write_text(text, encoding="utf-8")
    address = ("ipv4.method", "manual", "ipv4.addresses", "10.9.0.1/24", "ipv6.method", "disabled")
    host.run("nmcli", "connection", "add", "type", "ethernet", "ifname", "eth0", "con-name", "up:link", *address)
    host.run("nmcli", "connection", "up", "up:link")
    host.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800")
    host.address("vx-submariner", "240.0.0.1/8")
    until(lambda: states(host).get("vx-submariner", "").startswith("connected"), "NetworkManager's view of vx-submariner")
    checked = host.module("node_network_manager", {}, check_mode=True)
    done = host.module("node_network_manager", {})
    assert checked["diff"] == done["diff"] and done["changed"] and not host.module("node_network_manager", {})["changed"]
    assert states(host)["vx-submariner"] == "unmanaged" and states(host)["eth0"] == "connected"
    listed = set(re.search(r"^unmanaged-devices=(.*)$", programs.network_manager_says(), re.MULTILINE)[1].split(","))
    assert listed == set(done["unmanaged_devices"]) >= {"interface-name:flannel*", "interface-name:vxlan-tunnel", "interface-name:tunl*"}
    more = host.module("node_network_manager", {"unmanaged_devices": ["wg0"]})
    assert set(more["unmanaged_devices"]) == {*done["unmanaged_devices"], "interface-name:wg0"} and states(host)["vx-submariner"] == "unmanaged"
    assert "interface-name:wg0 again" in host.module("node_network_manager", {"exclusive": True})["msg"]
    pruned = host.module("node_network_manager", {"exclusive": True, "allow_disruption": True})
    assert pruned["changed"] and set(pruned["unmanaged_devices"]) == set(done["unmanaged_devices"])
    refused = host.module("node_network_manager", {"unmanaged_devices": ["eth0"]})
    assert refused["failed"] and "loses its addresses" in refused["msg"] and states(host)["eth0"] == "connected"
    (programs.etc("NetworkManager/conf.d") / "zzz.conf").write_text("[keyfile]\nunmanaged-devices=interface-name:cali*\n", encoding="utf-8")
    assert "zzz.conf is read after" in str(host.module("node_network_manager", {})["warnings"])
    refused = host.module("node_network_manager", {"state": "absent"})
    assert refused["failed"] and "let NetworkManager manage" in refused["msg"] and states(host)["vx-submariner"] == "unmanaged"
    assert host.module("node_network_manager", {"state": "absent", "allow_disruption": True})["changed"]
    assert not (programs.etc("NetworkManager/conf.d") / "zz-fathom-submariner.conf").exists()


def test_network_manager_that_manages_one_card_alone_goes_on_to_do_so(programs, world):
    """A list of exceptions alone means all devices but these, and one more entry ends that."""
    host = programs.host
    programs.network_manager()
    world.link(host, "eth1", world.host("other"), "eth0")
    (programs.etc("NetworkManager/conf.d") / "only-eth0.conf").write_text("[keyfile]\nunmanaged-devices=except:interface-name:eth0\n", encoding="utf-8")
    host.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800")
    host.run("nmcli", "general", "reload", "conf")
    expected = {"eth0": "disconnected", "eth1": "unmanaged", "vx-submariner": "unmanaged"}

    def seen():
        return {name: state for name, state in states(host).items() if name in expected}

    until(lambda: seen() == expected, "NetworkManager's view of the devices")
    done = host.module("node_network_manager", {})
    assert not done["changed"] and "leaves everything else alone already" in str(done["lines"])
    (programs.etc("NetworkManager/conf.d") / "zz.conf").write_text("[keyfile]\nunmanaged-devices+=interface-name:cali*\n", encoding="utf-8")
    host.run("nmcli", "general", "reload", "conf")
    until(lambda: seen()["eth1"] == "disconnected", "what the role keeps from happening", lambda: str(seen()))


def test_what_others_have_set_on_a_link_survives_a_change_of_its_mtu(programs):
    """Addresses of keepalived or kube-vip, and routes of whoever set them: NetworkManager removes them where a connection is applied anew."""
    host = programs.host
    daemon = programs.network_manager()
    address = ("ipv4.method", "manual", "ipv4.addresses", "10.9.0.1/24", "ipv6.method", "disabled")
    host.run("nmcli", "connection", "add", "type", "ethernet", "ifname", "eth0", "con-name", "uplink", *address)
    host.run("nmcli", "connection", "up", "uplink")
    host.address("eth0", "10.9.0.100/32")
    host.ip("route", "add", "10.8.0.0/16", "via", "10.9.0.2", "dev", "eth0")

    def theirs():
        addresses, routes = host.run("ip", "-4", "address", "show", "eth0").stdout, host.run("ip", "route", "show").stdout
        return "10.9.0.100/32" in addresses, "10.8.0.0/16 via 10.9.0.2" in routes

    for options in ({"mtu": 1400}, {"mtu": 1300}, {"state": "absent"}):
        change(host, **options)
        assert theirs() == (True, True), options
    assert mtu(host) == 1500
    host.ip("link", "set", "eth0", "mtu", "1400")
    change(host, mtu=1400)  # the connection alone
    assert theirs() == (True, True)
    programs.stop(daemon)
    programs.start_network_manager()
    until(lambda: states(host)["eth0"] == "connected", "NetworkManager's view of eth0")
    assert mtu(host) == 1400
    host.run("nmcli", "device", "reapply", "eth0")
    assert theirs() == (False, False), "what the role keeps from happening"
    host.run("nmcli", "connection", "up", "uplink")
    assert mtu(host) == 1400


def test_a_profile_of_two_links_is_refused_and_one_of_its_own_is_not(programs, world):
    host = programs.host
    world.link(host, "eth1", world.host("other"), "eth0")
    programs.network_manager()
    address = ("ipv4.method", "link-local", "ipv6.method", "disabled")
    host.run("nmcli", "connection", "add", "type", "ethernet", "ifname", "", "con-name", "all", "connection.multi-connect", "multiple", *address)
    host.run("nmcli", "connection", "up", "all", "ifname", "eth0")
    refused = host.module("node_link_mtu", {"device": "eth0", "mtu": 1400, "allow_disruption": True})
    assert refused["failed"] and ("several devices at once" in refused["msg"] or "active on eth1" in refused["msg"])
    host.run("nmcli", "connection", "up", "all", "ifname", "eth1")
    refused = host.module("node_link_mtu", {"device": "eth0", "mtu": 1400, "allow_disruption": True})
    assert refused["failed"] and "active on eth1 as well as on eth0" in refused["msg"] and mtu(host) == 1500
    for command in re.search(r"of its own \((.*?)\), then", refused["msg"])[1].replace("'", "").split("; "):
        host.run(*command.split())
    _tried, kept = change(host, mtu=1400)
    assert kept["manager"] == "NetworkManager" and mtu(host) == 1400 and mtu(host, "eth1") == 1500


def test_network_manager_keeps_a_links_mtu_over_its_own_restart(programs):
    host = programs.host
    programs.network_manager()
    address = ("ipv4.method", "manual", "ipv4.addresses", "10.9.0.1/24", "ipv6.method", "disabled")
    host.run("nmcli", "connection", "add", "type", "ethernet", "ifname", "eth0", "con-name", "up:link", *address)
    host.run("nmcli", "connection", "up", "up:link")
    tried, _kept = change(host, mtu=1400)
    assert (tried["manager"], tried["where"]) == ("NetworkManager", "up:link") and mtu(host) == 1400
    assert change(host, mtu=1400)[0]["changed"] is False
    host.ip("link", "set", "eth0", "mtu", "1300")
    host.run("nmcli", "connection", "down", "up:link")
    host.run("nmcli", "connection", "up", "up:link")
    assert mtu(host) == 1400
    change(host, state="absent")
    assert mtu(host) == 1500 and host.run("nmcli", "-g", "802-3-ethernet.mtu", "connection", "show", "up:link").stdout.strip() == "auto"
    assert "10.9.0.1/24" in host.run("ip", "-4", "address", "show", "eth0").stdout


def test_networkd_keeps_a_links_mtu_in_a_drop_in(programs):
    host = programs.host
    programs.udev()
    (programs.etc("systemd/network") / "10-uplink.network").write_text("[Match]\nName=eth0\n\n[Network]\nAddress=10.9.0.1/24\n", encoding="utf-8")
    first = programs.networkd()
    until(lambda: "10.9.0.1/24" in host.run("ip", "-4", "address", "show", "eth0").stdout, "the address of systemd-networkd")
    tried, _kept = change(host, mtu=1400)
    assert tried["manager"] == "systemd-networkd" and mtu(host) == 1400 and change(host, mtu=1400)[0]["changed"] is False
    host.ip("link", "set", "eth0", "mtu", "1300")
    programs.stop(first)
    programs.networkd()  # as after a boot
    until(lambda: mtu(host) == 1400, "the MTU of systemd-networkd")
    change(host, state="absent")
    assert mtu(host) == 1500 and [path.name for path in programs.etc("systemd/network").iterdir()] == ["10-uplink.network"]


def test_netplan_keeps_a_links_mtu_in_a_file_beside_the_others(programs):
    host = programs.host
    programs.udev()
    programs.netplan()
    theirs = programs.etc("netplan/50-cloud-init.yaml")
    theirs.write_text("network:\n  version: 2\n  ethernets:\n    # the uplink\n    eth0:\n      addresses: [10.9.0.1/24]\n      mtu: 1500\n", encoding="utf-8")
    theirs.chmod(0o600)
    before = theirs.read_bytes()
    host.run("netplan", "generate")
    programs.networkd()
    until(lambda: "10.9.0.1/24" in host.run("ip", "-4", "address", "show", "eth0").stdout, "the address of systemd-networkd")
    tried, _kept = change(host, mtu=1400)
    assert tried["manager"] == "netplan" and mtu(host) == 1400 and change(host, mtu=1400)[0]["changed"] is False
    assert "MTUBytes=1400" in (programs.run_folder("systemd/network") / "10-netplan-eth0.network").read_text(encoding="utf-8")
    assert theirs.read_bytes() == before and sorted(path.name for path in programs.etc("netplan").iterdir())[1:] == ["99-zz-fathom-submariner-eth0.yaml"]
    change(host, state="absent")
    assert mtu(host) == 1500 and [path.name for path in programs.etc("netplan").iterdir()] == ["50-cloud-init.yaml"]
    assert "MTUBytes=1500" in (programs.run_folder("systemd/network") / "10-netplan-eth0.network").read_text(encoding="utf-8")


def test_udev_switches_features_off_on_a_device_that_is_made_later_and_made_anew(programs):
    host = programs.host
    programs.udev()
    assert host.module("node_offload", {"devices": [{"name": "vx-*"}]})["changed"]
    for _time in ("made", "made anew"):
        host.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800")
        programs.until_udev(lambda: "tx-checksum-ip-generic: off" in host.run("ethtool", "-k", "vx-submariner").stdout, "vx-submariner", "udev's rule")
        host.ip("link", "delete", "vx-submariner")
    assert not host.module("node_offload", {"devices": [{"name": "vx-*"}]})["changed"]


def test_udev_has_parameters_of_a_device_set_that_is_made_later(programs):
    host = programs.host
    programs.udev()
    assert host.module("node_sysctl", {"rp_filter": {"vxlan.calico": 2}})["changed"]
    host.ip("link", "add", "vxlan.calico", "type", "vxlan", "id", "4096", "dstport", "4789")
    programs.until_udev(lambda: host.read_sysctl("net/ipv4/conf/vxlan.calico/rp_filter") == "2", "vxlan.calico", "systemd-sysctl, which udev runs")
    assert not host.module("node_sysctl", {"rp_filter": {"vxlan.calico": 2}})["changed"]
