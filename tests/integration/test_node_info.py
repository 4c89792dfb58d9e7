# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module node_info on real hosts: what it says equals what was built, and what ip, ethtool, ipset and /proc say; as root and as an ordinary user."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._node._ethtool import KEPT, printed
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Address, CniInterface, Listener, NodeRoute, NodeRule, Vxlan

pytestmark = pytest.mark.netns

CONFLIST = "/var/lib/rancher/k3s/agent/etc/cni/net.d/10-calico.conflist"
RULES = """
table inet firewalld {
  chain filter_INPUT {
    type filter hook input priority 10; policy accept;
    udp dport { 4789, 4800-4810 } drop;
    tcp dport 22 accept;
    meta l4proto esp reject;
  };
}
"""
PLAY = [
    {
        "name": "Read the nodes and keep what they say",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Ask the host",
                "fathom.submariner.node_info": {
                    "name": "{{ inventory_hostname }}",
                    "cluster_cidrs": ["10.42.0.0/16"],
                    "ports": [7777],
                    "asked_at": "{{ (now(utc=true).replace(tzinfo=none) - ('1970-01-01 00:00:00' | to_datetime)).total_seconds() }}",
                },
                "register": "answer",
                "failed_when": "answer is failed or answer is changed",
            },
            {
                "name": "Keep its document",
                "ansible.builtin.copy": {"content": "{{ answer.host | to_nice_json }}", "dest": "{{ folder }}/{{ inventory_hostname }}.json", "mode": "0600"},
                "delegate_to": "localhost",
                "connection": "local",
                "become": False,
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            },
        ],
    }
]


@pytest.fixture
def node(world):
    """A node as Calico and Submariner leave it, with a host's own firewall and files; its peer answers to nothing."""
    made, peer = world.host("node-1"), world.host("peer")
    world.link(made, "eth0", peer, "eth0", mtu=9000)
    made.address("eth0", "172.20.0.1/24", "fd00:20::1/64")
    made.ip("link", "add", "vxlan.calico", "type", "vxlan", "id", "4096", "dstport", "4789", "dev", "eth0", "local", "172.20.0.1", "nolearning")
    made.address("vxlan.calico", "10.42.1.0/32")
    made.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800", "local", "172.20.0.1")
    made.ip("link", "set", "vx-submariner", "mtu", "1450")
    made.address("vx-submariner", "240.20.0.1/8")
    world.link(made, "cali0123456789a", peer, "pod0")
    made.ip("link", "add", "br0", "type", "bridge")
    made.route("10.46.0.0/16", "via", "240.20.0.9", "dev", "vx-submariner", "table", "150", "src", "10.42.1.0")
    made.route("default", "via", "172.20.0.254", "metric", "100")
    made.ip("route", "add", "blackhole", "10.42.1.0/26", "proto", "80")
    made.ip("route", "add", "10.99.0.0/16", "via", "172.20.0.2", "mtu", "1400")
    made.ip("rule", "add", "from", "all", "lookup", "150", "priority", "150")
    made.ip("rule", "add", "fwmark", "0x200/0x200", "lookup", "77", "priority", "77")
    made.sysctl(net__ipv4__ip_forward=1, net__ipv4__conf__all__rp_filter=1, net__ipv4__conf__eth0__rp_filter=0)
    made.write_sysctl("net/ipv4/conf/vxlan.calico/rp_filter", 2)
    made.offload("eth0", tx=False, tso=False)
    made.nft(RULES)
    made.run("iptables-legacy", "-A", "INPUT", "-p", "udp", "--dport", "4500", "-j", "DROP")
    made.run("iptables-nft", "-P", "FORWARD", "DROP")
    made.run("ipset", "create", "SUBMARINER-REMOTECIDRS", "hash:net")
    made.own("/var/lib")
    for path, content in (
        ("calico/mtu", "8950\n"),
        (CONFLIST[len("/var/lib/") :], json.dumps({"name": "k8s-pod-network", "plugins": [{"type": "calico", "mtu": 1450}, {"type": "portmap"}]})),
    ):
        file = made.folder("/var/lib") / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (made.folder("/var/lib") / CONFLIST[len("/var/lib/") :]).chmod(0o600)
    listening = made.start("python3", "-c", "import socket, time; s = socket.create_server(('', 7777)); print('ready', flush=True); time.sleep(600)")
    assert listening.stdout.readline() == "ready\n"
    return made


def asked(world, node, user):
    """The document of a node as Ansible brings it, and its record."""
    folder = world.folder / f"documents-{user}"
    folder.mkdir()
    done = world.playbook(PLAY, "-e", f"folder={folder}", "--limit", node.name, user=user)
    assert done.returncode == 0, done.stdout
    document = json.loads((folder / f"{node.name}.json").read_text())
    return folder, document, record_of(document, "SSH")


def same_for_everybody(node, found):
    """What needs no root."""
    assert found.node == node.name and found.system.kernel == subprocess.run(["uname", "-r"], capture_output=True, text=True, check=True).stdout.strip()
    shown = {link["ifname"]: link for link in node.json("ip", "-j", "-d", "address", "show")}
    links = {link.name: link for link in found.links}
    assert set(links) == set(shown) and [link.index for link in found.links] == sorted(link["ifindex"] for link in shown.values())
    for name, link in links.items():
        assert (link.mtu, link.index, link.up) == (shown[name]["mtu"], shown[name]["ifindex"], "UP" in shown[name]["flags"]), name
        assert {each.address for each in link.addresses} == {f"{each['local']}/{each['prefixlen']}" for each in shown[name]["addr_info"]}
        own = int(node.read_sysctl(f"net/ipv4/conf/{name}/rp_filter"))
        assert (link.rp_filter, link.rp_filter_acting) == (own, max(own, 1)), name
        told = printed(node.run("ethtool", "-k", name).stdout)
        assert link.offloads == ({} if name.startswith("cali") else told), name
    assert links["vxlan.calico"].vxlan == Vxlan(4096, 4789, "172.20.0.1", "", "eth0") and links["vx-submariner"].vxlan == Vxlan(100, 4800, "172.20.0.1")
    assert links["vxlan.calico"].rp_filter_acting == 2 and links["eth0"].rp_filter_acting == 1 and links["eth0"].forwarding
    assert not links["eth0"].offloads["tx-checksumming"] and set(links["eth0"].offloads) <= set(KEPT)
    assert (links["eth0"].kind, links["br0"].kind, links["br0"].up) == ("veth", "bridge", False)
    assert Address("172.20.0.1/24", "global") in links["eth0"].addresses
    assert {
        NodeRoute("10.46.0.0/16", "150", via="240.20.0.9", device="vx-submariner", source="10.42.1.0"),
        NodeRoute("default", via="172.20.0.254", device="eth0", metric=100),
        NodeRoute("10.42.1.0/26", protocol="80", kind="blackhole"),
        NodeRoute("10.99.0.0/16", via="172.20.0.2", device="eth0", mtu=1400),
    } <= set(found.routes)
    assert not [route for route in found.routes if route.table == "local"]
    assert {NodeRule(150, "150"), NodeRule(77, "77", mark="0x200/0x200"), NodeRule(32766, "main", 6)} <= set(found.rules)
    assert found.cni == CniInterface("vxlan.calico", "10.42.1.0", "10.42.0.0/16", ("10.42.0.0/16",))
    assert found.sysctls["net.ipv4.ip_forward"] == "1" and found.sysctls["net.ipv4.conf.all.rp_filter"] == "1"
    assert {Listener("udp", "0.0.0.0", 4789), Listener("udp", "0.0.0.0", 4800), Listener("tcp", "0.0.0.0", 7777)} <= set(found.listeners)
    assert found.calico.mtu_file == 8950 and found.calico.conflist == CONFLIST
    assert found.conntrack.maximum == int(node.read_sysctl("net/netfilter/nf_conntrack_max"))
    # VXLAN devices exist, so this kernel has them, whatever way it was built.
    assert found.modules.get("vxlan", "loaded") in ("loaded", "builtin")
    assert abs(found.clock.offset) <= found.clock.uncertainty == 15.0


def test_as_root(world, node):
    folder, document, found = asked(world, node, "root")
    same_for_everybody(node, found)
    assert (found.calico.conflist_plugins, found.calico.conflist_mtu) == (("calico", "portmap"), 1450)
    assert found.ipset.sets == ("SUBMARINER-REMOTECIDRS",) and found.ipset.tool
    least, most = found.ipset.types["hash:net"]
    assert least == 0 and most >= int(node.run("ipset", "list", "-t", "SUBMARINER-REMOTECIDRS").stdout.split("Revision: ")[1].split()[0])
    rules = {(rule.tool, rule.verdict, rule.protocol, rule.ports) for rule in found.firewall}
    assert rules == {
        ("nftables", "drop", "udp", ("4789", "4800-4810")),
        ("nftables", "reject", "esp", ()),
        ("iptables", "drop", "udp", ("4500",)),
        ("nftables", "accept", "", ()),  # the policy of firewalld's chain
        ("nftables", "drop", "", ()),
    }
    assert {rule.chain for rule in found.firewall} == {"inet firewalld filter_INPUT", "ip filter INPUT", "ip filter FORWARD"}
    assert not [what for what in ("ipset", "firewall", "links", "routes", "rules", "calico", "conntrack", "listeners") if found.why_unseen(what)]
    # The same document anywhere in a bundle, or beside one, is what diagnose judges.
    (folder / "nodes.yaml").write_text(f"apiVersion: v1\nkind: NodeList\nitems:\n- metadata: {{name: {node.name}}}\n")
    (seen,) = open_bundle(str(folder)).snapshot().node_hosts.items
    assert seen == found._replace(where=f"{node.name}.json")
    assert len(json.dumps(document)) < 20_000


def test_as_an_ordinary_user(world, node):
    _folder, _document, found = asked(world, node, "nobody")
    same_for_everybody(node, found)
    assert found.ipset.types == {} and "only root" in found.why_unseen("ipset")
    assert found.firewall == () and found.why_unseen("firewall")
    assert found.calico.conflist_plugins == () and "may not be read by user id" in found.why_unseen("calico.conflist_mtu")


def test_reading_changes_nothing(node):
    def state():
        commands = (["nft", "list", "ruleset"], ["ipset", "save"], ["ip", "-d", "address"], ["ip", "route", "show", "table", "all"])
        shown = [node.run(*command).stdout for command in commands]
        return [line for text in shown for line in text.splitlines() if "valid_lft" not in line and "counter packets" not in line]

    before = state()
    first = node.module("node_info", {"name": "n"}, check_mode=True)
    assert not first["changed"] and first["host"]["links"]
    assert state() == before


def test_an_interface_that_appears_late(world):
    """Submariner's agent looks once, and Calico's device may come after it: the document tells the moment."""
    host = world.host("late")
    arguments = {"name": "late", "cluster_cidrs": ["10.42.0.0/16"]}
    before = host.module("node_info", arguments)["host"]
    assert before["cni"]["name"] == "" and before["cni"]["looked_in"] == ["10.42.0.0/16"]
    host.ip("link", "add", "tunl-later", "type", "bridge")
    host.address("tunl-later", "10.42.7.1/24")
    assert host.module("node_info", arguments)["host"]["cni"] == {
        "name": "tunl-later", "address": "10.42.7.1", "cluster_cidr": "10.42.0.0/16", "looked_in": ["10.42.0.0/16"],
    }  # fmt: skip
    assert host.module("node_info", {"name": "late"})["host"]["cni"] is None


def test_a_clock_that_goes_wrong(world):
    host = world.host("skewed")
    behind = host.module("node_info", {"name": "n", "asked_at": time.time() + 3600, "asked_within": 60})["host"]["clock"]
    assert -3700 < behind["offset"] < -3500 and behind["uncertainty"] == 30.0
    assert host.module("node_info", {"name": "n"})["host"]["clock"]["offset"] is None


def test_bad_options(world):
    host = world.host("bad")
    failed = host.module("node_info", {"name": "n", "cluster_cidrs": ["10.42.0.x/16"]})
    assert failed["failed"] and failed["msg"].startswith("cluster_cidrs: ") and "Nothing was read" in failed["msg"]
