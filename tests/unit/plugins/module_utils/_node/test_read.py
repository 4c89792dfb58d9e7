# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole host in one pass: ten distributions, as root and as an ordinary user, with everything and with nothing."""

from __future__ import annotations

import contextlib
import json
import sys

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import all_modules
from ansible_collections.fathom.submariner.plugins.module_utils._node import _netlink as netlink
from ansible_collections.fathom.submariner.plugins.module_utils._node import _read_network
from ansible_collections.fathom.submariner.plugins.module_utils._node._ethtool import Features
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Completed, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._read import Kernel, Question, read_node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of, record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    CalicoFiles,
    CniInterface,
    Conntrack,
    HostService,
    Listener,
    NetworkManager,
    NodeRule,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import ADDRESSES, DISTRIBUTIONS, build, link, printed, vxlan
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.test_ethtool import Card
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.test_parse_sockets import UDP

NOW = 1763725600.0
QUESTION = Question("n1", "cluster-1", ("10.42.0.0/16",), asked_at=NOW - 20)
SYSTEMCTL = (
    "Id=nm-cloud-setup.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n\n"
    "Id=nm-cloud-setup.timer\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
    "Id=firewalld.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n"
    "Id=ufw.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
    "Id=docker.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n"
    "Id=NetworkManager.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
)
FILES = {
    "/proc/sys/net/ipv4/ip_forward": "1\n",
    "/proc/sys/net/ipv4/conf/all/rp_filter": "1\n",
    "/proc/sys/net/ipv4/conf/eth0/rp_filter": "0\n",
    "/proc/sys/net/ipv4/conf/eth0/forwarding": "1\n",
    "/proc/sys/net/ipv4/conf/vxlan.calico/rp_filter": "2\n",
    "/proc/sys/net/ipv4/conf/vxlan.calico/forwarding": "0\n",
    "/proc/sys/net/netfilter/nf_conntrack_max": "262144\n",
    "/proc/sys/net/netfilter/nf_conntrack_count": "1200\n",
    "/proc/net/udp": UDP,
    "/proc/net/tcp": "header\n",
    "/sys/class/dmi/id/product_name": "VMware7,1\n",
    "/var/lib/calico/mtu": "1450\n",
    "/etc/cni/net.d/10-calico.conflist": json.dumps({"plugins": [{"type": "calico", "mtu": 0}, {"type": "portmap"}]}),
    "/etc/cni/net.d/calico-kubeconfig": "token: secret",
    "/usr/lib/NetworkManager/conf.d/10-vendor.conf": "[keyfile]\nunmanaged-devices=interface-name:vendor0\n",
    "/etc/NetworkManager/NetworkManager.conf": "[main]\n",
    "/etc/NetworkManager/conf.d/calico.conf": "[keyfile]\nunmanaged-devices=interface-name:cali*\n",
    "/etc/NetworkManager/conf.d/calico.conf.rpmsave": "[keyfile]\nunmanaged-devices=interface-name:old\n",
    "/etc/modprobe.d/cis.conf": "install ipip /bin/false\ninstall usb-storage /bin/false\n",
    "/usr/lib/modprobe.d/cis.conf": "install vxlan /bin/false\n",
    "/etc/ufw/ufw.conf": "ENABLED=no\n",
}
LINKS = printed(link("eth0", 2, "10.0.0.1/24"), vxlan("vxlan.calico", 5, 4096, 4789, "10.42.1.0/32"), link("cali12", 7))
PROGRAMS = {
    ADDRESSES: LINKS,
    "ip -j -4 rule show": '[{"priority":150,"src":"all","table":"150"}]',
    "ip -j -6 rule show": "",
    "ip -j -4 route show table all": '[{"dst":"default","dev":"eth0"},{"dst":"10.0.0.1","table":"local","dev":"eth0"},{"dst":"10.9.0.0/16","table":"77"}]',
    "ip -j -6 route show table all": '[{"dst":"fe80::/64","dev":"eth0"},{"dst":"fd00::/64","dev":"eth0"}]',
    "systemctl": SYSTEMCTL,
    "ipset": "ipset v7.11, protocol version: 7\n",
    "iptables-nft-save": "# by iptables-nft-save v1.8.9 (nf_tables)\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m udp --dport 4800 -j DROP\nCOMMIT\n",
    "ip6tables-nft-save": "",
    "nft -t list ruleset": "table ip filter {\n\tchain INPUT {\n\t\tudp dport 4800 drop\n\t}\n}\n",
}


def attributes(*pairs):
    return dict(pairs)


class Ipset:
    """A kernel that knows two types, one of which is asked for in vain."""

    def __init__(self, errno=0):
        self.errno, self.asked = errno, []

    @contextlib.contextmanager
    def __call__(self):
        yield self.exchange

    def exchange(self, message, _sequence):
        command = message[4]
        self.asked.append(command)
        if self.errno:
            raise netlink.KernelError(self.errno)
        if command == netlink.PROTOCOL:
            return [attributes((netlink.ATTR_PROTOCOL, b"\7"))]
        if command == netlink.LIST:
            return [attributes((netlink.ATTR_NAME, b"cali40a\0")), attributes((netlink.ATTR_NAME, b"SUBMARINER-LOCALCIDRS\0"))]
        if b"hash:net\0" in message:
            raise netlink.KernelError(4103)
        return [attributes((netlink.ATTR_REVISION, b"\6"), (netlink.ATTR_LEAST, b"\0"))]


def kernel(host, ipset=None, card=None):
    return Kernel(ipset or Ipset(), Features(host, card or Card()), lambda: True, lambda: NOW)


def the_host(folder, each=DISTRIBUTIONS[5], files=None, programs=None, **more):
    """A Debian host, or another, with some of its files and programs changed; None takes one away."""
    files = {**each.files(), **FILES, **(files or {})}
    programs = {**PROGRAMS, **(programs or {})}
    return build(folder, {path: text for path, text in files.items() if text is not None}, {name: text for name, text in programs.items() if text is not None})


@pytest.mark.parametrize("each", DISTRIBUTIONS, ids=lambda each: each.name)
def test_every_distribution(tmp_path, each):
    host = the_host(tmp_path, each)
    found = read_node(host, QUESTION, kernel(host))
    system = found.system
    assert (system.distribution, system.version, system.like) == each.expected and system.kernel == each.kernel
    assert (system.booted_at, system.virtualisation) == ("2025-11-21T11:45:05Z", "VMware7,1")
    assert found.modules["nf_conntrack"] == "loaded" and found.modules["ip_tables"] == "loadable" and found.modules["nft_ct"] == "missing"
    assert found.modules["vxlan"] == ("builtin" if "vxlan" in each.built_in else "loadable")
    assert found.modules["cls_bpf"] == "builtin" and set(found.modules) == set(all_modules())
    assert not found.why_unseen("modules") and not found.why_unseen("system")
    assert found.modules_barred == {"ipip": "/etc/modprobe.d/cis.conf: install ipip /bin/false"}
    assert record_of(json.loads(json.dumps(document_of(found)))) == found


def test_everything_else(tmp_path):
    host = the_host(tmp_path, DISTRIBUTIONS[5]._replace(loaded=("nf_conntrack", "ip_set", "ip_set_hash_ip", "ip_set_hash_net", "nf_tables")))
    found = read_node(host, QUESTION, kernel(host))
    assert (found.node, found.cluster, found.taken_at) == ("n1", "cluster-1", "2025-11-21T11:46:40Z")
    assert found.sysctls == {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "1"}
    eth0, calico, cali12 = found.links
    assert (eth0.rp_filter, eth0.rp_filter_acting, eth0.forwarding) == (0, 1, True)
    assert (calico.rp_filter, calico.rp_filter_acting, calico.forwarding) == (2, 2, False)
    assert (cali12.rp_filter, cali12.rp_filter_acting, cali12.forwarding) == (None, None, None)
    assert eth0.offloads and not cali12.offloads
    assert [(route.destination, route.family) for route in found.routes] == [("default", 4), ("fd00::/64", 6)]
    assert found.rules == (NodeRule(150, "150"),)
    assert found.cni == CniInterface("vxlan.calico", "10.42.1.0", "10.42.0.0/16", ("10.42.0.0/16",))
    assert found.calico == CalicoFiles(1450, "/etc/cni/net.d/10-calico.conflist", ("calico", "portmap"), 0)
    assert found.conntrack == Conntrack(262144, 1200)
    assert found.network_manager == NetworkManager("active", ("interface-name:cali*",), ("/etc/NetworkManager/conf.d/calico.conf",))
    assert found.services == (
        HostService("nm-cloud-setup.service", "inactive", False),
        HostService("nm-cloud-setup.timer", "active", True),
        HostService("firewalld", "absent", False),
        HostService("ufw", "inactive", False),  # its unit is active, and its file switches it off
        HostService("docker", "absent", False),
    )
    assert (found.clock.synchronised, found.clock.offset, found.clock.uncertainty) == (True, 5.0, 15.0)
    address = "10.0.0.1" if sys.byteorder == "little" else "1.0.0.10"
    assert found.listeners == (Listener("udp", "0.0.0.0", 4789), Listener("udp", address, 4800))
    assert [(rule.tool, rule.verdict, rule.ports) for rule in found.firewall] == [("nftables", "drop", ("4800",))]  # and not once more by iptables
    assert (found.ipset.protocol, found.ipset.types, found.ipset.tool) == (7, {"hash:ip": (0, 6)}, "7.11")
    assert found.ipset.sets == ("SUBMARINER-LOCALCIDRS", "cali40a")
    assert found.unseen == ()


def test_an_ordinary_user(tmp_path):
    loaded = ("nf_conntrack", "ip_set", "ip_set_hash_ip", "nf_tables", "ip_tables")
    refused = Completed(4, "", "Fatal: can't open: Permission denied (you must be root)")
    host = the_host(
        tmp_path, DISTRIBUTIONS[5]._replace(loaded=loaded),
        programs={
            "ipset": Completed(1, "", "ipset v7.17: Kernel error received: Operation not permitted\n"),
            "iptables-nft-save": refused, "ip6tables-nft-save": refused, "nft -t list ruleset": refused, "nft list ruleset": refused,
        },
    )  # fmt: skip
    read = host.data

    def data(path):
        if path.startswith("/etc/cni/net.d/"):
            raise Unreadable(f"{path} may not be read by user id 1000")
        return read(path)

    host.data = data
    found = read_node(host, QUESTION, kernel(host, Ipset(errno=1)))
    assert "only root: Operation not permitted" in found.why_unseen("ipset") and found.ipset.types == {} and found.ipset.tool == "7.17"
    assert "you must be root" in found.why_unseen("firewall") and found.firewall == ()
    assert found.calico == CalicoFiles(1450, "/etc/cni/net.d/10-calico.conflist")
    assert {each.what for each in found.unseen} == {"ipset", "firewall", "calico.conflist_plugins", "calico.conflist_mtu"}
    assert found.links and found.routes and found.cni.name == "vxlan.calico"


def test_a_host_that_tells_nothing(tmp_path):
    host = build(tmp_path, {})

    def never():
        raise Unreadable("no clock")

    found = read_node(host, Question("n1", cluster_cidrs=("10.42.0.0/16",)), Kernel(Ipset(), Features(host, Card()), never, lambda: NOW))
    unseen = {each.what for each in found.unseen}
    assert {
        "clock.synchronised", "clock.offset", "system.distribution", "system.kernel", "system.booted_at", "modules", "links", "links.addresses", "rules",
        "routes", "services", "network_manager.state", "cni", "ipset", "conntrack", "listeners", "firewall.nftables",
    } <= unseen  # fmt: skip
    assert found.cni is None and found.modules == {} and found.clock.synchronised is None
    assert all(service.state == "" for service in found.services)
    assert found.calico == CalicoFiles()  # no file is an answer


def test_asking_loads_no_module(tmp_path):
    """netlink's first message, nft and iptables make the kernel load what they ask; a kernel that has it not is not asked."""
    host = the_host(tmp_path)
    ipset = Ipset()
    found = read_node(host, QUESTION, kernel(host, ipset))
    assert found.modules["ip_set"] == found.modules["nf_tables"] == "loadable"
    assert not ipset.asked and found.why_unseen("ipset") == "ip_set is not in the kernel now"
    assert not [line for line in host._run.asked if line.startswith(("nft", "iptables", "ip6tables", "ipset"))]
    assert found.firewall == () and not found.why_unseen("firewall")  # what is not in the kernel drops nothing
    some = DISTRIBUTIONS[5]._replace(loaded=("ip_set", "ip_set_hash_ip"))
    host = the_host(tmp_path / "some", some)
    ipset = Ipset()
    assert read_node(host, QUESTION, kernel(host, ipset)).ipset.types == {"hash:ip": (0, 6)}
    assert ipset.asked.count(netlink.TYPE) == 1


def test_a_kernel_without_modules_has_what_its_configuration_says(tmp_path):
    files = DISTRIBUTIONS[6].files()
    host = build(tmp_path, {path: text for path, text in files.items() if "modules" not in path})
    found = read_node(host, QUESTION, kernel(host))
    assert found.modules == {"cls_bpf": "builtin", "wireguard": "missing"}  # it says CONFIG_MODULES=y, and nothing more can be seen
    assert "of 47 modules" in found.why_unseen("modules")
    bare = build(tmp_path / "bare", {**{path: text for path, text in files.items() if "modules" not in path}, "/proc/config.gz": b"broken"})
    assert "damaged" in read_node(bare, QUESTION, kernel(bare)).why_unseen("modules")
    configuration = {f"/boot/config-{DISTRIBUTIONS[6].kernel}": "# CONFIG_MODULES is not set\nCONFIG_VXLAN=y\n"}
    fixed = build(tmp_path / "fixed", {"/proc/sys/kernel/osrelease": DISTRIBUTIONS[6].kernel, **configuration})
    states = read_node(fixed, QUESTION, kernel(fixed)).modules
    assert states["vxlan"] == "builtin" and states["ipip"] == "missing" and set(states) == set(all_modules())


def test_links_without_iproute2(tmp_path):
    files = {
        "/sys/class/net/eth0/ifindex": "2\n", "/sys/class/net/eth0/mtu": "9000\n", "/sys/class/net/eth0/flags": "0x1003\n",
        "/sys/class/net/eth0/address": "02:00:00:00:00:01\n", "/sys/class/net/eth0/carrier": "1\n",
        "/sys/class/net/lo/ifindex": "1\n", "/sys/class/net/lo/mtu": "65536\n", "/sys/class/net/lo/flags": "0x8\n", "/sys/class/net/lo/address": "\n",
        "/sys/class/net/bonding_masters": "\n",
        "/sys/class/net/odd/ifindex": "3\n", "/sys/class/net/odd/mtu": "1\n", "/sys/class/net/odd/flags": "?\n",
    }  # fmt: skip
    host = the_host(tmp_path, files=files, programs={ADDRESSES: "1: lo: <LOOPBACK> mtu 65536\n"})
    found = read_node(host, QUESTION, kernel(host))
    assert [(each.name, each.index, each.mtu, each.up, each.running) for each in found.links] == [("lo", 1, 65536, False, False), ("eth0", 2, 9000, True, True)]
    assert "no JSON" in found.why_unseen("links.addresses") and found.why_unseen("links.odd")
    assert found.cni is None and found.why_unseen("cni") == "the addresses of links could not be read"


def test_the_driver_of_a_card(tmp_path):
    host = the_host(tmp_path)
    card = tmp_path / "sys/class/net/eth0/device"
    card.mkdir(parents=True)
    (card / "driver").symlink_to("../../../bus/virtio/drivers/virtio_net")
    assert [each.driver for each in read_node(host, QUESTION, kernel(host)).links] == ["virtio_net", "", ""]


def test_lists_have_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(_read_network, "MOST_ROUTES", 1)
    monkeypatch.setattr(_read_network, "MOST_RULES", 0)
    host = the_host(tmp_path, DISTRIBUTIONS[5]._replace(loaded=("nf_tables",)))
    found = read_node(host, QUESTION, kernel(host))
    assert len(found.routes) == 1 and found.why_unseen("routes") == "there are 2: the first 1 are here"
    assert found.firewall == () and found.why_unseen("firewall") == "of 1 rules that matter the first 0 are here"


LEGACY = "# Generated by iptables-save v1.8.4\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m udp --dport 4789 -j DROP\nCOMMIT\n"
# What iptables-nft-save prints of rules that nft made: without the ports of a set.
NATIVE = "table ip filter {\n\tchain INPUT {\n\t\tudp dport { 53, 123, 4789 } accept\n\t}\n}\n"
SEEN_BY_IPTABLES = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n"
NFT = "table inet t {\n\tchain c {\n\t\tudp dport 4500 drop\n\t}\n}\n"


@pytest.mark.parametrize(
    "program, errno, unseen",
    [
        ("strange\n", 0, {"ipset.tool": "ipset --version ended with 0 and names no version"}),
        (None, 0, {}),  # it stands in Calico's image, and not on every host
        ("ipset v7.1\n", 12, {"ipset": "Cannot allocate memory"}),
    ],
)
def test_what_ipset_says(tmp_path, program, errno, unseen):
    host = the_host(tmp_path, DISTRIBUTIONS[5]._replace(loaded=("ip_set",)), programs={"ipset": program})
    found = read_node(host, QUESTION, kernel(host, Ipset(errno)))
    assert {each.what: each.why for each in found.unseen} == unseen


def test_no_socket_to_the_kernel(tmp_path):
    def refuse():
        raise OSError(93, "Protocol not supported")

    host = the_host(tmp_path, DISTRIBUTIONS[5]._replace(loaded=("ip_set",)))
    assert read_node(host, QUESTION, kernel(host)._replace(ipset=refuse)).why_unseen("ipset") == "netlink: Protocol not supported"


@pytest.mark.parametrize(
    "programs, names, ports, why",
    [
        ({"iptables-legacy-save": LEGACY}, "filter\n", {"4800", "4789"}, ""),
        ({"iptables-nft-save": None, "ip6tables-nft-save": None, "iptables-save": LEGACY}, "filter\n", {"4789", "4800"}, ""),  # nft shows its own
        ({"iptables-legacy-save": LEGACY}, "", {"4800"}, ""),  # no table was ever asked for
        ({}, "filter\n", {"4800"}, "iptables has tables, and there is no program iptables-save"),
        ({"nft -t list ruleset": Completed(1, "", "unknown option -t"), "nft list ruleset": NFT}, "", {"4500"}, ""),
        ({"nft -t list ruleset": None}, "", {"4800"}, "there is no program nft to ask nf_tables with"),
        ({"nft -t list ruleset": Completed(1, "", "unknown"), "nft list ruleset": Completed(1, "", "x")}, "", {"4800"}, "nft list ruleset ended with 1: x"),
        ({"nft -t list ruleset": None, "iptables-nft-save": "# Table `filter' is incompatible, use 'nft' tool."}, "", set(), "there is no program nft"),
        ({"nft -t list ruleset": NFT.replace("4500 drop", "vmap @m")}, "", set(), "1 rules decide over ports by a map or a set that they do not show"),
        ({"nft -t list ruleset": NATIVE, "iptables-nft-save": SEEN_BY_IPTABLES}, "", {"53", "123", "4789"}, ""),
    ],
)  # fmt: skip
def test_which_tool_shows_which_rules(tmp_path, programs, names, ports, why):
    each = DISTRIBUTIONS[5]._replace(loaded=("nf_tables", "ip_tables"))
    host = the_host(tmp_path, each, {"/proc/net/ip_tables_names": names}, programs)
    found = read_node(host, QUESTION, kernel(host))
    assert {port for rule in found.firewall for port in rule.ports} == ports
    assert found.why_unseen("firewall").startswith(why) and bool(found.why_unseen("firewall")) == bool(why)


RULES_WITH_SETS = """table inet t {
	set tunnels {
		type inet_service
		flags interval
	}
	set gone {
		type inet_service
	}
	set senders {
		type ipv4_addr
	}
	chain c {
		type filter hook input priority 0; policy drop;
		ip saddr @senders drop
		udp dport @tunnels accept
		tcp dport @gone accept
	}
}
"""
ELEMENTS = """table inet t {
	set tunnels {
		type inet_service
		flags interval,timeout
		elements = { 4789 comment "VXLAN, of Calico", 4800-4810,
			     500 timeout 1h expires 59m, 53 counter packets 3 bytes 120 }
	}
}
"""


def test_the_ports_of_named_sets_are_read_and_no_other_sets(tmp_path):
    each = DISTRIBUTIONS[5]._replace(loaded=("nf_tables",))
    programs = {"nft -t list ruleset": RULES_WITH_SETS, "nft list set inet t tunnels": ELEMENTS, "nft list set inet t gone": Completed(1, "", "No such file")}
    host = the_host(tmp_path, each, programs=programs)
    found = read_node(host, QUESTION, kernel(host)).firewall
    assert [(rule.protocol, rule.ports) for rule in found if rule.ports] == [("udp", ("4789", "4800-4810", "500", "53")), ("tcp", ("@gone",))]
    assert [line for line in host._run.asked if line.startswith("nft list set")] == ["nft list set inet t tunnels", "nft list set inet t gone"]


def test_files_that_hold_something_else(tmp_path):
    host = the_host(tmp_path, files={"/var/lib/calico/mtu": "auto\n", "/etc/cni/net.d/10-calico.conflist": "{"})
    found = read_node(host, QUESTION, kernel(host))
    assert found.calico == CalicoFiles(None, "/etc/cni/net.d/10-calico.conflist")
    assert found.why_unseen("calico.mtu_file") == "/var/lib/calico/mtu holds no number"
    assert "cannot be parsed" in found.why_unseen("calico.conflist_mtu")
    elsewhere = {"/etc/cni/net.d/10-calico.conflist": None, "/var/lib/rancher/k3s/agent/etc/cni/net.d/10-canal.conflist": '{"type": "calico", "mtu": 1400}'}
    host = the_host(tmp_path / "k3s", files=elsewhere)
    assert read_node(host, QUESTION, kernel(host)).calico.conflist_mtu == 1400


CALICO = {"name": "k8s-pod-network", "plugins": [{"type": "calico", "mtu": 1440}, {"type": "portmap"}]}
BRIDGE = {"name": "podman", "plugins": [{"type": "bridge"}]}
CNI, K3S, OPENSHIFT = "/etc/cni/net.d", "/var/lib/rancher/k3s/agent/etc/cni/net.d", "/etc/kubernetes/cni/net.d"
THIN = {"name": "multus-cni-network", "type": "multus", "kubeconfig": f"{CNI}/multus.d/multus.kubeconfig", "delegates": [CALICO]}
SHIM = {"name": "multus-cni-network", "type": "multus-shim", "socketDir": "/host/run/multus/socket"}


@pytest.mark.parametrize("files, conflist, plugins, mtu", [
    # RKE2 with "cni: [multus, calico]": Multus' file has Calico's in it.
    ({f"{CNI}/00-multus.conf": THIN, f"{CNI}/10-calico.conflist": CALICO}, f"{CNI}/00-multus.conf", ("multus", "calico", "portmap"), 1440),
    ({f"{CNI}/00-multus.conflist": {"plugins": [THIN]}}, f"{CNI}/00-multus.conflist", ("multus", "calico", "portmap"), 1440),
    ({f"{CNI}/00-multus.conf": SHIM, f"{CNI}/10-calico.conflist": CALICO}, f"{CNI}/00-multus.conf", ("multus-shim", "calico", "portmap"), 1440),
    # OpenShift: Calico's is in a folder for Multus alone, and paths are those inside of its pod.
    ({f"{OPENSHIFT}/00-multus.conf": {**SHIM, "clusterNetwork": "/host/run/multus/cni/net.d/10-calico.conflist"},
      "/run/multus/cni/net.d/10-calico.conflist": CALICO}, f"{OPENSHIFT}/00-multus.conf", ("multus-shim", "calico", "portmap"), 1440),
    ({f"{OPENSHIFT}/00-multus.conf": SHIM, "/var/run/multus/cni/net.d/10-calico.conflist": CALICO},
     f"{OPENSHIFT}/00-multus.conf", ("multus-shim", "calico", "portmap"), 1440),
    ({f"{OPENSHIFT}/00-multus.conf": {**SHIM, "readinessindicatorfile": "/host/run/other/10-calico.conflist"}, "/run/other/10-calico.conflist": CALICO},
     f"{OPENSHIFT}/00-multus.conf", ("multus-shim", "calico", "portmap"), 1440),
    ({f"{CNI}/00-multus.conf": {**THIN, "clusterNetwork": "net", "delegates": [BRIDGE]}, "/etc/cni/multus/net.d/net.conf": CALICO},
     f"{CNI}/00-multus.conf", ("multus", "calico", "portmap"), 1440),
    ({f"{CNI}/00-multus.conf": {**THIN, "delegates": [BRIDGE, CALICO]}}, f"{CNI}/00-multus.conf", ("multus", "bridge"), None),
    # K3s' runtime has its own folder; what podman leaves in the usual one is nobody's business.
    ({f"{CNI}/87-podman-bridge.conflist": BRIDGE, f"{K3S}/10-calico.conflist": CALICO}, f"{K3S}/10-calico.conflist", ("calico", "portmap"), 1440),
    ({f"{CNI}/87-podman-bridge.conflist": BRIDGE, f"{K3S}/10-flannel.conflist": {"type": "flannel"}}, f"{K3S}/10-flannel.conflist", ("flannel",), None),
    ({f"{CNI}/10-calico.conflist": CALICO, f"{K3S}/10-flannel.conflist": {"type": "flannel"}}, f"{CNI}/10-calico.conflist", ("calico", "portmap"), 1440),
    ({f"{CNI}/05-cilium.conflist": {"type": "cilium-cni"}, f"{CNI}/10-calico.conflist": CALICO}, f"{CNI}/05-cilium.conflist", ("cilium-cni",), None),
])  # fmt: skip
def test_the_configuration_that_pods_get(tmp_path, files, conflist, plugins, mtu):
    made = {path: json.dumps(document) for path, document in files.items()}
    host = the_host(tmp_path, files={"/etc/cni/net.d/10-calico.conflist": None, "/etc/cni/net.d/calico-kubeconfig": None, **made})
    found = read_node(host, QUESTION, kernel(host))
    assert found.calico == CalicoFiles(1450, conflist, plugins, mtu) and not found.why_unseen("calico")


def test_multus_that_does_not_say_what_it_gives(tmp_path):
    host = the_host(tmp_path, files={f"{CNI}/00-multus.conf": json.dumps({**SHIM, "clusterNetwork": "crd"}), f"{CNI}/10-calico.conflist": None})
    found = read_node(host, QUESTION, kernel(host))
    assert found.calico.conflist == f"{CNI}/00-multus.conf" and "is Multus', and what it delegates to was not found" in found.why_unseen("calico")


@pytest.mark.parametrize("text", [
    '{"type": "multus", "delegates": 1, "clusterNetwork": 2, "readinessindicatorfile": []}',
    '{"plugins": [1, {"type": "multus", "confDir": 3, "clusterNetwork": "x"}]}',
    '{"plugins": 1}', '{"type": "multus", "delegates": [{"plugins": 1}]}', "[]",
])  # fmt: skip
def test_strange_configurations_break_nothing(tmp_path, text):
    host = the_host(tmp_path, files={f"{CNI}/00-multus.conf": text, f"{CNI}/10-calico.conflist": None})
    assert read_node(host, QUESTION, kernel(host)).calico.conflist == f"{CNI}/00-multus.conf"
