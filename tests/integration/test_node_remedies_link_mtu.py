# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A link's MTU that takes itself back: when nobody confirms it, when Ansible is killed, and when the node really does not answer, over real SSH."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from tests.integration.clusterset import environment
from tests.integration.node_programs import environment_of, missing, unpacked, until

pytestmark = pytest.mark.netns

IFCFG = "/etc/sysconfig/network-scripts/ifcfg-eth0"
THEIRS = b'# the uplink\nDEVICE=eth0\r\nONBOOT="yes"\nIPADDR=10.9.0.1 # static\nMTU="1500"\nNM_CONTROLLED=no'


@pytest.fixture
def node(world):
    """A node whose card network-scripts set up: there is a reader of ifcfg files, and one of them, with comments and no newline at its end."""
    host = world.host("node")
    host.own("/etc", "/run", "/var/lib")
    shutil.copytree("/etc", host.folder("/etc"), symlinks=True, dirs_exist_ok=True)
    ifcfg(host).parent.mkdir(parents=True)
    ifcfg(host).write_bytes(THEIRS)
    reader = host.folder("/etc") / "init.d/network"
    reader.parent.mkdir(exist_ok=True)
    reader.touch()
    return host


def ifcfg(host):
    return host.folder("/etc") / IFCFG[len("/etc/") :]


def alone(world, node):
    world.link(node, "eth0", world.host("peer"), "eth0")
    return node


def mtu(host, device="eth0"):
    return int(host.run("cat", f"/sys/class/net/{device}/mtu").stdout)


def test_an_unconfirmed_change_takes_itself_back_with_what_followed_it(world, node):
    alone(world, node)
    node.ip("link", "add", "vxlan.calico", "mtu", "1450", "type", "vxlan", "id", "4096", "dstport", "4789", "dev", "eth0")
    tried = node.module("node_link_mtu", {"device": "eth0", "mtu": 1300, "timeout": 10, "allow_disruption": True})
    assert "vxlan.calico lies on eth0 and keeps its MTU of 1450, of which 1250 fit into 1300" in str(tried["warnings"])
    assert tried["pending"]["was"] == 1500 and mtu(node) == 1300
    node.ip("link", "set", "vxlan.calico", "mtu", "1250")  # as Felix does within 30 seconds
    waiting = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400, "timeout": 5, "allow_disruption": True})
    assert waiting["failed"] and "waits to be confirmed" in waiting["msg"]
    until(lambda: (mtu(node), mtu(node, "vxlan.calico")) == (1500, 1450), "the reversal")
    late = node.module("node_link_mtu", {"device": "eth0", "state": "confirmed", "token": tried["pending"]["token"]})
    assert late["failed"] and "was put back to 1500" in late["msg"]
    assert ifcfg(node).read_bytes() == THEIRS and not (node.folder("/var/lib") / "fathom-submariner").exists()
    again = node.module("node_link_mtu", {"device": "eth0", "mtu": 1300, "timeout": 300, "allow_disruption": True})
    assert "taken back, since nobody confirmed it" in str(again["warnings"]) and again["pending"]


def test_a_confirmed_change_does_not_take_the_next_one_back(world, node):
    alone(world, node)
    first = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400, "timeout": 6, "allow_disruption": True})
    assert not node.module("node_link_mtu", {"device": "eth0", "state": "confirmed", "token": first["pending"]["token"]}).get("failed")
    begun = time.monotonic()
    second = node.module("node_link_mtu", {"device": "eth0", "mtu": 1300, "timeout": 60, "allow_disruption": True})
    while time.monotonic() < begun + 8:
        assert mtu(node) == 1300
        time.sleep(0.5)
    kept = node.module("node_link_mtu", {"device": "eth0", "state": "confirmed", "token": second["pending"]["token"]})
    assert not kept.get("failed") and b"MTU=1300" in ifcfg(node).read_bytes()


def test_a_change_whose_script_was_killed_is_taken_back_by_the_next_run(world, node):
    alone(world, node)
    node.module("node_link_mtu", {"device": "eth0", "mtu": 1300, "timeout": 300, "allow_disruption": True})
    (armed,) = (node.folder("/run") / "fathom-submariner/link-mtu/eth0").glob("*.armed")
    os.kill(int(armed.read_text(encoding="utf-8")), signal.SIGKILL)
    absent = node.module("node_link_mtu", {"device": "eth0", "mtu": 1500})
    assert not absent.get("failed"), absent["msg"]
    assert mtu(node) == 1500 and not absent["pending"]


def test_no_change_without_consent_nor_what_the_link_cannot_be(world, node):
    alone(world, node)
    refused = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400})
    assert refused["failed"] and "allow_disruption" in refused["msg"] and mtu(node) == 1500
    told = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400}, check_mode=True)
    assert told["changed"] and "refused" in str(told["warnings"]) and mtu(node) == 1500 and not told["pending"]
    node.address("eth0", "fd09::1/64")
    for options, said in (({"mtu": 1279}, "RFC 8200"), ({"mtu": 70000}, "can have an MTU from"), ({"mtu": 1400, "device": "eth9"}, "no link eth9")):
        result = node.module("node_link_mtu", {"device": "eth0", "allow_disruption": True, **options})
        assert result["failed"] and said in result["msg"], result
    node.ip("link", "add", "br0", "type", "bridge")
    node.ip("link", "set", "eth0", "master", "br0")
    result = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400, "allow_disruption": True})
    assert result["failed"] and "port of bridge br0, whose MTU of 1500 would not fit into 1400" in result["msg"]
    result = node.module("node_link_mtu", {"device": "br0", "mtu": 9000, "allow_disruption": True})
    assert result["failed"] and "port it leaves by: eth0 (1500)" in result["msg"]
    node.ip("link", "set", "eth0", "nomaster")
    ifcfg(node).unlink()
    result = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400, "allow_disruption": True})
    assert result["failed"] and "Nothing that is known here sets eth0 up" in result["msg"] and mtu(node) == 1500


def test_only_the_file_is_written_where_the_link_is_right_already_and_that_needs_no_consent(world, node):
    alone(world, node)
    node.ip("link", "set", "eth0", "mtu", "1400")
    result = node.module("node_link_mtu", {"device": "eth0", "mtu": 1400})
    assert result["changed"] and not result["pending"] and ifcfg(node).read_bytes() == THEIRS.replace(b'MTU="1500"', b"MTU=1400")
    assert not node.module("node_link_mtu", {"device": "eth0", "mtu": 1400})["changed"]


class OverSsh:
    """A node that Ansible reaches by OpenSSH over a switch, from a controller that is a namespace as well."""

    def __init__(self, world, node, switch_mtu=1500, controller_mtu=1500):
        self.world, self.node = world, node
        self.controller = world.host("controller")
        switch = world.host("switch")
        world.link(node, "eth0", switch, "p1", mtu=1500, other_mtu=switch_mtu)
        world.link(self.controller, "eth0", switch, "p2", mtu=controller_mtu, other_mtu=switch_mtu)
        world.bridge(switch, "br0", "p1", "p2", mtu=switch_mtu)
        node.address("eth0", "10.9.0.1/24")
        self.controller.address("eth0", "10.9.0.2/24")
        for host in (node, self.controller):  # the kernel would hand over packets that are larger than any MTU, and veth carry them
            host.run("ethtool", "-K", "eth0", "tso", "off", "gso", "off", "gro", "off")
        self.folder = world.folder
        self._serve()

    def _serve(self):
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True, timeout=60)
        shutil.copy(self.folder / "user.pub", self.node.folder("/etc") / "keys")
        passwd = self.node.folder("/etc") / "passwd"
        others = re.sub(r"^sshd:.*\n", "", passwd.read_text(encoding="utf-8"), flags=re.MULTILINE)
        passwd.write_text(f"{others}sshd:x:65533:65534::/run/sshd:/bin/false\n", encoding="utf-8")
        (self.node.folder("/run") / "sshd").mkdir(mode=0o755)
        options = {
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": "/etc/keys",
            "StrictModes": "no",
            "PermitRootLogin": "yes",
            "UsePAM": "no",
            "PidFile": "none",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self.node.start(*environment_of(unpacked()), str(unpacked() / "usr/sbin/sshd"), "-D", "-e", "-f", "/dev/null", *words)

        until(lambda: ":22 " in self.node.run("ss", "-ltn").stdout, "sshd")

    def command(self, tasks, *arguments, **variables):
        options = f"-o UserKnownHostsFile={self.folder}/known -o StrictHostKeyChecking=no -o ControlMaster=auto -o ControlPersist=60s"
        host = {
            "ansible_host": "10.9.0.1",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.folder / "user"),
            "ansible_ssh_common_args": options,
            "ansible_ssh_transfer_method": "piped",
            "ansible_python_interpreter": "/usr/bin/python3",
            "node_link_mtu_become": False,
            **variables,
        }
        (self.folder / "ssh.yml").write_text(yaml.safe_dump({"all": {"hosts": {"node": host}}}), encoding="utf-8")
        (self.folder / "ssh-play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, **tasks}]), encoding="utf-8")
        playbook = shutil.which("ansible-playbook", path=environment()["PATH"]) or "ansible-playbook"
        wanted = [f"{name}={value}" for name, value in environment().items() if name.startswith("ANSIBLE") or name in ("PATH", "HOME")]
        return self.controller.argv(
            "env",
            *wanted,
            "ANSIBLE_TIMEOUT=5",
            sys.executable,
            playbook,
            "-i",
            str(self.folder / "ssh.yml"),
            str(self.folder / "ssh-play.yml"),
            *arguments,
        )

    def role(self, *arguments, **variables):
        tasks = {"roles": [{"role": "fathom.submariner.node_link_mtu"}]}
        command = self.command(tasks, *arguments, node_link_mtu_device="eth0", node_link_mtu_allow_disruption=True, **variables)
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=self.folder, env=environment())


@pytest.fixture
def over_ssh(world, node):
    why = missing()
    if why:
        pytest.skip(why)
    return lambda **options: OverSsh(world, node, **options)


def changes(text):
    return [line for line in text.splitlines() if re.match(r"[+-](?![+-])", line)]


def test_the_role_keeps_an_mtu_over_which_the_node_still_answers(over_ssh, node):
    ssh = over_ssh()
    checked = ssh.role("--check", "--diff", node_link_mtu_mtu=1400)
    assert checked.returncode == 0 and mtu(node) == 1500, checked.stdout
    done = ssh.role("--diff", node_link_mtu_mtu=1400)
    assert done.returncode == 0 and mtu(node) == 1400, done.stdout + done.stderr
    assert changes(checked.stdout) == changes(done.stdout) != []
    assert ifcfg(node).read_bytes() == THEIRS.replace(b'MTU="1500"', b"MTU=1400")
    again = ssh.role("--diff", node_link_mtu_mtu=1400)
    assert re.search(r"changed=0 .*failed=0", again.stdout), again.stdout
    back = ssh.role(node_link_mtu_state="absent")
    assert back.returncode == 0 and mtu(node) == 1500 and ifcfg(node).read_bytes() == THEIRS, back.stdout


def test_a_node_that_does_not_answer_with_larger_packets_takes_the_change_back(over_ssh, node):
    """Jumbo frames at both ends, and a switch between them that drops what is larger than 1500 bytes without a word."""
    ssh = over_ssh(controller_mtu=9000)
    done = ssh.role(node_link_mtu_mtu=9000, node_link_mtu_timeout=25)
    assert done.returncode != 0 and "UNREACHABLE" in done.stdout, done.stdout + done.stderr
    assert "did not answer after the MTU of eth0 was changed" in done.stdout, done.stdout
    until(lambda: mtu(node) == 1500, "the reversal")
    assert ifcfg(node).read_bytes() == THEIRS
    assert ssh.role(node_link_mtu_mtu=1500).returncode == 0  # it answers again


def test_a_controller_that_is_killed_after_the_change_leaves_the_former_mtu(over_ssh, node):
    ssh = over_ssh()
    task = {"fathom.submariner.node_link_mtu": {"device": "eth0", "mtu": 1400, "timeout": 8, "allow_disruption": True}}
    play = {"tasks": [task, {"ansible.builtin.wait_for": {"timeout": 300}}]}
    running = subprocess.Popen(
        ssh.command(play),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ssh.folder,
        env=environment(),
        start_new_session=True,
    )
    try:
        until(lambda: mtu(node) == 1400, "the change of the MTU")
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    until(lambda: mtu(node) == 1500, "the reversal")
    assert ifcfg(node).read_bytes() == THEIRS
