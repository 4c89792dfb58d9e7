# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles that repair a node's host, on namespaces with real devices, kernel parameters and features."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_offload import FILE as RULES
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_sysctl import FILE as SYSCTL

from tests.integration.node_programs import until

pytestmark = pytest.mark.netns


@pytest.fixture
def node(world):
    """A node with a card, and an /etc of its own."""
    host, peer = world.host("node"), world.host("peer")
    world.link(host, "eth0", peer, "eth0")
    host.own("/etc", "/usr/local/sbin")
    shutil.copytree("/etc", host.folder("/etc"), symlinks=True, dirs_exist_ok=True)
    for folder in ("sysctl.d", "modules-load.d"):
        shutil.rmtree(host.folder("/etc") / folder)
        (host.folder("/etc") / folder).mkdir()
    return host


def offer(host, name, text="exit 0"):
    path = host.folder("/usr/local/sbin") / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def ours(host, path):
    return host.folder("/etc") / path[len("/etc/") :]


def feature(host, device, name):
    return re.search(rf"^\s*{name}: (\w+)", host.run("ethtool", "-k", device).stdout, re.MULTILINE)[1]


def differences(text):
    """The lines that --diff shows, without the files' headers."""
    return [line for line in text.splitlines() if re.match(r"[+-](?![+-])", line)]


def test_roles_do_what_check_mode_says_and_then_nothing_more_and_take_it_back(world, node):
    """In one go, since starting Ansible takes longer than all that it does."""
    offer(node, "udevadm")  # stands in for udev's, which takes `control --reload` (udevadm(8)); the real one is in test_node_remedies_daemons.py
    node.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800")
    node.write_sysctl("net/ipv4/conf/vx-submariner/rp_filter", 1)
    roles = [{"role": f"fathom.submariner.{name}"} for name in ("node_modules", "node_sysctl", "node_offload")]
    variables = {"node_modules_modules": ["vxlan", "ip-set"], "node_offload_allow_disruption": True, "node_sysctl_rp_filter": {"vx-submariner": 2, "tunl0": 2}}
    variables.update({f"{each['role'][18:]}_become": False for each in roles})
    plays = [{"hosts": "node", "gather_facts": False, "vars": variables, "roles": roles}]
    checked = world.playbook(plays, "--check", "--diff")
    assert checked.returncode == 0, checked.stdout
    assert not ours(node, SYSCTL).exists() and node.read_sysctl("net/ipv4/conf/vx-submariner/rp_filter") == "1"
    done = world.playbook(plays, "--diff")
    assert done.returncode == 0, done.stdout
    assert differences(checked.stdout) == differences(done.stdout) != []
    assert node.read_sysctl("net/ipv4/ip_forward") == "1" and node.read_sysctl("net/ipv4/conf/vx-submariner/rp_filter") == "2"
    assert feature(node, "vx-submariner", "tx-checksum-ip-generic") == "off"
    assert "net.ipv4.conf.tunl0.rp_filter = 2" in ours(node, SYSCTL).read_text(encoding="utf-8")
    again = world.playbook(plays, "--diff")
    assert re.search(r"changed=0 .*failed=0", again.stdout), again.stdout
    plays[0]["vars"].update({f"{each['role'][18:]}_state": "absent" for each in roles})
    refused = world.playbook(plays)
    assert "put net.ipv4.ip_forward back from 1 to 0" in refused.stdout and node.read_sysctl("net/ipv4/ip_forward") == "1", refused.stdout
    plays[0]["vars"]["submariner_allow_disruption"] = True
    back = world.playbook(plays)
    assert back.returncode == 0, back.stdout
    assert node.read_sysctl("net/ipv4/ip_forward") == "0" and node.read_sysctl("net/ipv4/conf/vx-submariner/rp_filter") == "1"
    assert feature(node, "vx-submariner", "tx-checksum-ip-generic") == "on"
    assert not ours(node, SYSCTL).exists() and not ours(node, RULES).exists()


def test_a_module_that_the_kernel_lacks_is_named_with_the_kernel_before_anything_is_written(node):
    result = node.module("node_modules", {"modules": ["vxlan", "no_such_module"]})
    assert result["failed"] and "no_such_module" in result["msg"] and os.uname().release in result["msg"]
    assert not list((node.folder("/etc") / "modules-load.d").iterdir())


def test_modules_that_are_built_in_count(node):
    result = node.module("node_modules", {"modules": ["vxlan"]})
    assert result["modules"]["vxlan"] in ("builtin", "loaded") and not result.get("failed")


def test_the_filter_is_loosened_where_it_was_asked_for_and_nowhere_else(node):
    node.write_sysctl("net/ipv4/conf/all/rp_filter", 1)
    node.write_sysctl("net/ipv4/conf/eth0/rp_filter", 1)
    refused = node.module("node_sysctl", {"sysctls": {"net.ipv4.conf.all.rp_filter": 2}})
    assert refused["failed"] and "eth0 (1 to 2)" in refused["msg"]
    assert not ours(node, SYSCTL).exists() and node.read_sysctl("net/ipv4/conf/all/rp_filter") == "1"
    refused = node.module("node_sysctl", {"rp_filter": {"eth0": 0}})
    assert refused["failed"] and "larger of the two" in refused["msg"]
    result = node.module("node_sysctl", {"rp_filter": {"eth0": 2}})
    assert result["changed"] and node.read_sysctl("net/ipv4/conf/eth0/rp_filter") == "2" and node.read_sysctl("net/ipv4/conf/lo/rp_filter") == "0"
    result = node.module("node_sysctl", {"rp_filter": {"all": 2}})
    assert result["changed"] and node.read_sysctl("net/ipv4/conf/all/rp_filter") == "2"
    assert node.read_sysctl("net/ipv4/conf/eth0/rp_filter") == "2"  # runs add up
    refused = node.module("node_sysctl", {"rp_filter": {"all": 2}, "exclusive": True})
    assert refused["failed"] and "put net.ipv4.conf.eth0.rp_filter back from 2 to 1" in refused["msg"]
    assert node.module("node_sysctl", {"rp_filter": {"all": 2}, "exclusive": True, "allow_disruption": True})["changed"]
    assert node.read_sysctl("net/ipv4/conf/eth0/rp_filter") == "1"  # no longer asked for


def test_partial_runs_add_up_also_where_one_parameter_resets_the_other(node):
    parts = {"sysctls": {"net.ipv4.conf.eth0.forwarding": 0}}, {"sysctls": {"net.ipv4.ip_forward": 1}}
    node.write_sysctl("net/ipv4/ip_forward", 0)
    assert [node.module("node_sysctl", part)["changed"] for part in parts] == [True, True]
    assert node.read_sysctl("net/ipv4/ip_forward") == "1" and node.read_sysctl("net/ipv4/conf/eth0/forwarding") == "0"
    assert [node.module("node_sysctl", part)["changed"] for part in parts] == [False, False]


def test_the_variables_of_two_findings_of_one_role_add_up(world, node):
    offer(node, "udevadm")
    roles = ("node_modules", "node_sysctl", "node_offload")
    tunnels = {"name": "eth0", "features": ["tx-udp_tnl-segmentation"]}
    findings = [
        {"node_modules_modules": ["vxlan"], "node_sysctl_rp_filter": {"eth0": 2}, "node_offload_devices": [{"name": "eth0"}]},
        {"node_modules_modules": ["ip_set"], "node_sysctl_rp_filter": {"lo": 2}, "node_offload_devices": [tunnels]},
    ]
    shared = {"submariner_allow_disruption": True, **{f"{role}_become": False for role in roles}}
    named = [{"role": f"fathom.submariner.{role}"} for role in roles]
    plays = [{"hosts": "node", "gather_facts": False, "vars": {**shared, **each}, "roles": named} for each in findings]
    done = world.playbook(plays)
    assert done.returncode == 0, done.stdout
    assert node.read_sysctl("net/ipv4/conf/eth0/rp_filter") == node.read_sysctl("net/ipv4/conf/lo/rp_filter") == "2"
    assert feature(node, "eth0", "tx-checksum-ip-generic") == feature(node, "eth0", "tx-udp_tnl-segmentation") == "off"
    again = world.playbook(plays)
    assert re.search(r"changed=0 .*failed=0", again.stdout), again.stdout
    plays[1]["vars"].update({f"{role}_exclusive": True for role in roles})
    pruned = world.playbook(plays[1:])
    assert pruned.returncode == 0, pruned.stdout
    assert node.read_sysctl("net/ipv4/conf/eth0/rp_filter") == "0" and feature(node, "eth0", "tx-checksum-ip-generic") == "on"
    assert node.read_sysctl("net/ipv4/conf/lo/rp_filter") == "2" and feature(node, "eth0", "tx-udp_tnl-segmentation") == "off"


ADVERTISE = """
import socket, struct
# A router advertisement (RFC 4861, section 4.2) of a router for half an hour; the kernel adds the checksum.
packet = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
sock.sendto(packet, ("ff02::1", 0, 0, socket.if_nametoindex("eth0")))
"""


def test_forwarding_of_ipv6_keeps_the_default_route_that_a_router_advertises(world, node):
    if not node.run("test", "-d", "/proc/sys/net/ipv6", check=False).returncode == 0:
        pytest.skip("this kernel has no IPv6")

    def routes():
        return node.run("ip", "-6", "route", "show", "default").stdout

    def hear():
        world.hosts["peer"].run("python3", "-c", ADVERTISE, check=False)  # its link has no address yet in the first moment
        return routes()

    node.write_sysctl("net/ipv6/conf/eth0/accept_ra", 1)
    until(lambda: "proto ra" in hear(), "the route of the router advertisement")
    node.write_sysctl("net/ipv6/conf/all/forwarding", 1)
    assert "proto ra" not in routes(), "what the role keeps from happening"
    node.write_sysctl("net/ipv6/conf/all/forwarding", 0)
    until(lambda: "proto ra" in hear(), "the route of the next router advertisement")
    forwarding = {"net.ipv6.conf.all.forwarding": 1}
    refused = node.module("node_sysctl", {"sysctls": forwarding})
    assert refused["failed"] and "net.ipv6.conf.eth0.accept_ra: 2" in refused["msg"] and node.read_sysctl("net/ipv6/conf/all/forwarding") == "0"
    done = node.module("node_sysctl", {"sysctls": {**forwarding, "net.ipv6.conf.eth0.accept_ra": 2}})
    assert done["changed"] and node.read_sysctl("net/ipv6/conf/all/forwarding") == "1" and "proto ra" in routes()


def test_what_the_kernel_refuses_leaves_everything_as_it_was(node):
    node.write_sysctl("net/ipv4/conf/eth0/arp_ignore", 0)
    result = node.module("node_sysctl", {"sysctls": {"net.ipv4.conf.eth0.arp_ignore": 1, "net.ipv4.ip_local_port_range": "60000 100"}})
    assert result["failed"] and "ip_local_port_range" in result["msg"]
    assert node.read_sysctl("net/ipv4/conf/eth0/arp_ignore") == "0" and not ours(node, SYSCTL).exists()


def test_a_file_that_is_read_later_is_warned_of(node):
    ours(node, "/etc/sysctl.d/99-zzz.conf").write_text("net/ipv4/ip_forward=0\n", encoding="utf-8")
    result = node.module("node_sysctl", {"sysctls": {"net.ipv4.ip_forward": 1}})
    assert result["changed"] and "99-zzz.conf (0)" in str(result["warnings"])


def test_somebody_elses_file_is_left_alone(node):
    ours(node, SYSCTL).write_text("net.ipv4.ip_forward = 0\n", encoding="utf-8")
    for state in ("present", "absent"):
        result = node.module("node_sysctl", {"sysctls": {"net.ipv4.ip_forward": 1}, "state": state})
        assert result["failed"] and "not ours" in result["msg"]
    assert ours(node, SYSCTL).read_text(encoding="utf-8") == "net.ipv4.ip_forward = 0\n" and node.read_sysctl("net/ipv4/ip_forward") == "0"


def test_an_ordinary_user_is_told_to_become_root(node):
    result = node.module("node_sysctl", {"sysctls": {"net.ipv4.ip_forward": 1}}, user="nobody")
    assert result["failed"] and "become: true" in result["msg"] and node.read_sysctl("net/ipv4/ip_forward") == "0"


def test_offload_needs_consent_where_a_device_is_there_and_none_where_it_is_not(node):
    offer(node, "udevadm")
    refused = node.module("node_offload", {"devices": [{"name": "eth0"}]})
    assert refused["failed"] and "allow_disruption" in refused["msg"] and feature(node, "eth0", "tx-checksum-ip-generic") == "on"
    assert not ours(node, RULES).exists()
    told = node.module("node_offload", {"devices": [{"name": "eth0"}]}, check_mode=True)
    assert told["changed"] and "refused" in str(told["warnings"])
    later = node.module("node_offload", {"devices": [{"name": "vx-submariner"}]})
    assert later["changed"] and later["disruptive"] == [] and ours(node, RULES).exists()


def test_a_feature_that_cannot_be_switched_off_is_refused(node):
    offer(node, "udevadm")
    result = node.module("node_offload", {"devices": [{"name": "lo", "features": ["tx-checksum-ip-generic"]}], "allow_disruption": True})
    assert result["failed"] and "fixed" in result["msg"] and not ours(node, RULES).exists()
    result = node.module("node_offload", {"devices": [{"name": "eth0", "features": ["no-such-feature"]}], "allow_disruption": True})
    assert result["failed"] and "has no feature" in result["msg"]


def test_what_was_off_before_stays_off_when_ours_is_taken_back(node):
    offer(node, "udevadm")
    node.run("ethtool", "-K", "eth0", "tx-udp_tnl-segmentation", "off")
    wanted = {"devices": [{"name": "eth*", "features": ["tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation"]}], "allow_disruption": True}
    assert node.module("node_offload", wanted)["changed"] and not node.module("node_offload", wanted)["changed"]
    assert node.module("node_offload", {"state": "absent", "allow_disruption": True})["changed"]
    assert feature(node, "eth0", "tx-udp_tnl-segmentation") == "off" and feature(node, "eth0", "tx-udp_tnl-csum-segmentation") == "on"
