# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespaces are what they say they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.netns import shapes
from tests.netns.world import World, remove_left_behind

pytestmark = pytest.mark.netns


def test_hosts_are_connected_and_gone_afterwards():
    with World() as world:
        a, b = world.host("a"), world.host("b")
        world.link(a, "eth0", b, "eth0", mtu=1400)
        a.address("eth0", "10.1.0.1/24", "fd01::1/64")
        b.address("eth0", "10.1.0.2/24", "fd01::2/64")
        assert [link["mtu"] for link in a.json("ip", "-j", "link", "show", "eth0")] == [1400]
        assert "1 received" in a.run("ping", "-c1", "10.1.0.2").stdout
        assert "1 received" in a.run("ping", "-c1", "fd01::2").stdout
        assert a.counters("eth0")["tx_packets"] >= 2
        sleeper = b.start("sleep", "600")
        names = {a.namespace, b.namespace}
        assert names <= {path.name for path in Path("/run/netns").iterdir()}
    assert sleeper.wait(60) == -9
    assert not names & {path.name for path in Path("/run/netns").iterdir()}
    assert not world.folder.exists()


def test_what_a_killed_process_left_behind_is_removed():
    ended = subprocess.Popen(["true"])
    ended.wait()
    name = f"fs{ended.pid}-0-a"
    subprocess.run(["ip", "netns", "add", name], check=True)
    remove_left_behind()
    assert not Path("/run/netns", name).exists()


@pytest.mark.parametrize("family", [4, 6])
def test_a_line_of_routers(world, family):
    line = shapes.line(world, (1500, 1400, 1500))
    target = line.address(line.b, family)
    headers = 28 if family == 4 else 48
    assert "1 received" in line.a.run("ping", "-c1", "-Mdo", f"-s{1400 - headers}", target).stdout
    refused = line.a.run("ping", "-c1", "-W2", "-Mdo", f"-s{1401 - headers}", target, check=False).stdout
    assert "mtu" in refused and "1400" in refused


def test_a_router_without_icmp_errors_is_blind(world):
    line = shapes.line(world, (1500, 1400, 1500))
    shapes.no_icmp_errors(line.routers[0])
    silent = line.a.run("ping", "-c1", "-W1", "-Mdo", "-s1450", line.address(line.b), check=False).stdout
    assert "0 received" in silent and "mtu" not in silent


def test_tunnels_as_calico_and_submariner_lay_them(world):
    line = shapes.line(world, (1500, 1500))
    ends = {line.a: "10.9.0.1", line.b: "10.9.1.2"}
    shapes.mesh({host: (local, f"10.42.{number}.0/16") for number, (host, local) in enumerate(ends.items())}, "vxlan.calico", 4096, 4789, 1450)
    shapes.mesh({host: (local, f"240.{local.split('.', 1)[1]}/8") for host, local in ends.items()}, "vx-submariner", 100, 4800, 1450)
    assert "1 received" in line.a.run("ping", "-c1", "-Mdo", "-s1422", "10.42.1.0").stdout
    assert "1 received" in line.a.run("ping", "-c1", "-Mdo", "-s1422", "240.9.1.2").stdout
    assert line.a.json("ip", "-j", "-d", "link", "show", "vx-submariner")[0]["linkinfo"]["info_data"]["port"] == 4800


def test_own_folders_and_sysctls_are_a_hosts_own(world):
    a, b = world.host("a"), world.host("b")
    a.own("/etc/sysctl.d")
    a.run("sh", "-c", "echo mine > /etc/sysctl.d/99-test.conf")
    assert a.folder("/etc/sysctl.d").joinpath("99-test.conf").read_text() == "mine\n"
    assert b.run("cat", "/etc/sysctl.d/99-test.conf", check=False).returncode != 0
    a.write_sysctl("net/ipv4/ping_group_range", "0 100000")
    assert a.read_sysctl("net/ipv4/ping_group_range").split() == ["0", "100000"]
    assert b.read_sysctl("net/ipv4/ping_group_range").split() != ["0", "100000"]


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_ansible_reaches_them(world, user):
    host = world.host("a")
    host.own("/etc/sysctl.d")
    tasks = [
        {"ansible.builtin.command": "id -un", "register": "who", "changed_when": False},
        {"ansible.builtin.command": "ip -j link show lo", "register": "links", "changed_when": False},
        {"ansible.builtin.copy": {"content": "written", "dest": "{{ ansible_env.HOME }}/file" if user != "root" else "/etc/sysctl.d/file", "mode": "0644"}},
        {"ansible.builtin.assert": {"that": [f"who.stdout == '{user}'", "(links.stdout | from_json) | length == 1"]}},
    ]
    done = world.playbook([{"hosts": "all", "gather_facts": True, "gather_subset": ["!all", "min"], "tasks": tasks}], user=user)
    assert done.returncode == 0, done.stdout
    written = host.folder("/etc/sysctl.d") / "file" if user == "root" else world.folder / "a/home-nobody/file"
    assert written.read_text() == "written"
