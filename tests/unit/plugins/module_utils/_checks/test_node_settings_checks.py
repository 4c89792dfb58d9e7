# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts of nodes are set, and what else runs there: pass, fail and unknown of each check."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    Clock,
    Conntrack,
    FirewallRule,
    HostService,
    Listener,
    NetworkManager,
    NodeRule,
    Vxlan,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import judged, node, ok, pool, without
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.node_hosts import (
    UNMANAGED,
    blind,
    drop,
    host,
    link,
    links,
    read,
    two_nodes,
    worker,
)

IPIP = {"ip_pools": ok(pool("default", "10.46.0.0/16", disabled=False, ipip_mode="Always"))}


def judged_all(snapshot, check_id):
    return judged(snapshot, check_id).findings


def command_of(finding):
    """The variables of the command that the remedy gives, which must be those of the remedy. Consent is not among them: it is asked for in words."""
    variables, end = json.JSONDecoder().raw_decode(finding.remedy.text.partition(" -e '")[2])
    assert variables == finding.remedy.variables and f"of cluster {finding.cluster}: ansible" in finding.remedy.text
    assert ("-e submariner_allow_disruption=true" in finding.remedy.text.partition(" -e '")[2][end:]) is finding.remedy.disruptive
    return variables


class TestForwarding:
    check_id = "node-forwarding"

    def test_ipv6_that_is_switched_off(self):
        off = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1", "net.ipv6.conf.all.disable_ipv6": "1"}
        expect_pass(read(host(sysctls=off)), self.check_id)
        dual = ok(pool("default", "10.46.0.0/16", disabled=False, vxlan_mode="Always"), pool("v6", "fd00:46::/64", disabled=False, vxlan_mode="Always"))
        finding = expect_fail(read(host(sysctls=off), ip_pools=dual), self.check_id)
        assert "disable_ipv6" in finding.title and "'net.ipv6.conf.all.disable_ipv6': 0" in str(finding.remedy)

    def test_off(self):
        finding = expect_fail(read(host(sysctls={"net.ipv4.ip_forward": "0"})), self.check_id)
        assert finding.title == "node-1 does not forward packets: net.ipv4.ip_forward is 0"
        assert finding.remedy.role == "fathom.submariner.node_sysctl" and "-l node-1 -m ansible.builtin.include_role" in finding.remedy.text
        assert command_of(finding) == {"node_sysctl_sysctls": {"net.ipv4.ip_forward": 1}, "node_sysctl_rp_filter": {}}
        assert "accept_ra" not in finding.remedy.text

    def test_on_one_device(self):
        made = read(host(links=links(vxlan_calico={"forwarding": False})))
        finding = expect_fail(made, self.check_id)
        assert "does not forward on vxlan.calico" in finding.title and "/proc/sys/net/ipv4/conf/vxlan.calico/forwarding" in finding.remedy.text

    def test_a_strangers_device_does_not_matter(self):
        expect_pass(read(host(links=(*links(), link("wlan0", 1500, forwarding=False, index=9)))), self.check_id)

    def test_ipv6_only_where_it_is_used(self):
        off = host(sysctls={"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "0"})
        expect_pass(read(off), self.check_id)
        dual = ok(pool("default", "10.46.0.0/16", disabled=False, vxlan_mode="Always"), pool("v6", "fd00:46::/64", disabled=False, vxlan_mode="Always"))
        finding = expect_fail(read(off, ip_pools=dual), self.check_id)
        assert "IPv6" in finding.title and "net.ipv6.conf.DEVICE.accept_ra: 2" in finding.remedy.text

    def test_unknown(self):
        assert "permission" in expect_unknown(read(host(sysctls={}, **blind("sysctls"))), self.check_id).missing


class TestConntrack:
    check_id = "node-conntrack-full"

    @pytest.mark.parametrize("count, severity", [(236000, "warning"), (262000, "error")])
    def test_nearly_full(self, count, severity):
        finding = expect_fail(read(host(conntrack=Conntrack(262144, count))), self.check_id)
        assert finding.severity == severity and command_of(finding)["node_sysctl_sysctls"] == {"net.netfilter.nf_conntrack_max": 524288}

    def test_room(self):
        expect_pass(read(host(conntrack=Conntrack(262144, 235000))), self.check_id)

    def test_unknown(self):
        assert "not loaded" in expect_unknown(read(host(conntrack=Conntrack())), self.check_id).missing


class TestClock:
    check_id = "node-clock"

    def test_against_the_one_that_asked(self):
        finding = expect_fail(read(host(clock=Clock(True, -90.0, 1.0))), self.check_id)
        assert "more than a minute behind the host that asked" in finding.title and finding.severity == "error"

    def test_within_the_uncertainty(self):
        expect_pass(read(host(clock=Clock(True, 17.0, 15.0))), self.check_id)
        assert expect_fail(read(host(clock=Clock(True, 25.0, 15.0))), self.check_id).severity == "warning"

    def test_a_wrong_clock_of_the_one_that_asked_is_no_fault_of_the_nodes(self):
        wrong = Clock(True, 300.0, 1.0)
        nodes = ok(*(node(name) for name in ("node-1", "node-2", "node-3")))
        same = [host(name, clock=wrong) for name in ("node-1", "node-2", "node-3")]
        expect_pass(read(*same, nodes=nodes), self.check_id)
        odd = [*same[:2], host("node-3", clock=Clock(True, 0.0, 1.0))]
        finding = expect_fail(read(*odd, nodes=nodes), self.check_id)
        assert finding.subject == "Node node-3" and "behind most of the nodes" in finding.title

    def test_nothing_keeps_it(self):
        assert expect_fail(read(host(clock=Clock(False, 0.1, 1.0))), self.check_id).severity == "info"

    def test_unknown(self):
        assert "asked_at" in expect_unknown(read(host(clock=Clock(True), **blind("clock.offset", why="option asked_at was not given"))), self.check_id).missing


class TestNetworkManager:
    check_id = "node-network-manager"

    def managed(self, *patterns, **changes):
        return read(host(network_manager=NetworkManager("active", patterns, ("/etc/NetworkManager/conf.d/calico.conf",)), **changes))

    def test_the_usual_file_forgets_submariners(self):
        finding = expect_fail(self.managed("interface-name:cali*", "interface-name:vxlan.calico", "interface-name:tunl*"), self.check_id)
        assert finding.title == "node-1 lets NetworkManager manage vx-submariner"
        assert finding.remedy.role == "fathom.submariner.node_network_manager"

    @pytest.mark.parametrize("patterns", [
        ("*",), ("type:veth", "type:vxlan"), ("interface-name:~cali*", "interface-name:vx*"), ("except:interface-name:eth0",),
        ("interface-name:cali*", "interface-name:=vxlan.calico", "interface-name:=vx-submariner"),
    ])  # fmt: skip
    def test_ways_to_say_it(self, patterns):
        expect_pass(self.managed(*patterns), self.check_id)

    def test_exceptions(self):
        finding = expect_fail(self.managed(*UNMANAGED, "except:interface-name:vxlan.calico"), self.check_id)
        assert finding.title.endswith("manage vxlan.calico")

    def test_not_running(self):
        expect_pass(read(host(network_manager=NetworkManager("absent"))), self.check_id)
        expect_pass(read(host(network_manager=NetworkManager("inactive"))), self.check_id)

    def test_ipip_has_another_device(self):
        expect_fail(read(**IPIP), self.check_id)
        expect_pass(self.managed(*UNMANAGED, "interface-name:tunl0"), self.check_id)

    def test_without_calico_and_submariner_it_is_not_asked(self):
        expect_not_asked(read(joined=False, installations=ok(), daemon_sets=ok()), self.check_id)

    def test_unknown(self):
        expect_unknown(read(host(network_manager=NetworkManager(), **blind("network_manager.state"))), self.check_id)
        expect_unknown(self.managed(**blind("network_manager.unmanaged")), self.check_id)


class TestCloudSetup:
    check_id = "node-cloud-setup"

    def test_enabled(self):
        services = (HostService("nm-cloud-setup.service", "inactive", True), HostService("nm-cloud-setup.timer", "active", True))
        finding = expect_fail(read(host(services=services)), self.check_id)
        assert finding.severity == "warning" and command_of(finding) == {"node_network_manager_disable_cloud_setup": True}

    def test_its_rules_are_there(self):
        services = (HostService("nm-cloud-setup.timer", "active", True),)
        made = host()
        finding = expect_fail(read(made._replace(services=services, rules=(*made.rules, NodeRule(30400, "30400", source="192.168.0.1")))), self.check_id)
        assert finding.severity == "error" and "30400" in finding.evidence[0].note

    def test_there_and_off(self):
        expect_pass(read(host(services=(HostService("nm-cloud-setup.service", "inactive", False),))), self.check_id)

    def test_unknown(self):
        expect_unknown(read(host(services=(HostService("nm-cloud-setup.service"),), **blind("services"))), self.check_id)


class TestFirewall:
    check_id = "node-firewall"

    @pytest.mark.parametrize("rule, flow", [
        (drop(protocol="udp", ports=("4800",)), "UDP 4800"),
        (drop(protocol="udp", ports=("4000-5000",)), "UDP 4789"),
        (drop("inet filter input", "udp", ("4789",), "udp dport 4789 reject", "reject", "nftables"), "UDP 4789"),
    ])  # fmt: skip
    def test_a_port_that_is_dropped(self, rule, flow):
        findings = [entry for entry in judged_all(read(host(firewall=(rule,))), self.check_id) if flow in entry.title]
        assert findings and findings[0].severity == "error" and rule.text in findings[0].evidence[0].value

    def test_the_cable_on_gateways_alone(self):
        rule = drop(protocol="udp", ports=("4500",))
        made = two_nodes(host(firewall=(rule,)), worker(firewall=(rule,)))
        assert expect_fail(made, self.check_id).subject == "Node node-1"

    def test_an_accept_before_it(self):
        accept = drop(protocol="udp", ports=("4800", "4789", "4490", "4500"), verdict="accept")
        esp = drop(protocol="esp", verdict="accept")
        expect_pass(read(host(firewall=(drop(text="INPUT DROP"), accept, esp))), self.check_id)
        expect_pass(read(host(firewall=(accept, esp, drop(verdict="reject")))), self.check_id)

    def test_a_policy_that_drops_all(self):
        titles = [finding.title for finding in judged_all(read(host(firewall=(drop(text="INPUT DROP"),))), self.check_id)]
        assert len(titles) == 5 and all("drops" in title for title in titles)

    @pytest.mark.parametrize("text", [
        "-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT -s 10.9.0.0/16 -j DROP", "-A cali-INPUT -p udp -m multiport --dports 4789 -j DROP",
        "-A INPUT -m mark --mark 0x8000/0x8000 -j DROP",
    ])  # fmt: skip
    def test_rules_for_some_packets_and_of_calico(self, text):
        chain = "ip filter cali-INPUT" if "cali" in text else "ip filter INPUT"
        named = {"protocol": "udp", "ports": ("4789",)} if "udp" in text else {}
        expect_pass(read(host(firewall=(drop(chain, text=text, **named),))), self.check_id)

    def test_forwarding_and_ipv6_are_other_matters(self):
        expect_pass(read(host(firewall=(drop("ip filter FORWARD"), drop("ip6 filter INPUT"), drop("inet firewalld filter_FWD_public")))), self.check_id)

    def test_accepting_all_of_some_senders_makes_it_a_warning(self):
        trusting = drop(text="-A INPUT -s 192.168.0.0/24 -j ACCEPT", verdict="accept")
        findings = judged_all(read(host(firewall=(trusting, drop()))), self.check_id)
        assert {finding.severity for finding in findings} == {"warning"}

    def test_another_chain_accepts_it(self):
        accept = drop("inet firewalld filter_IN_public_allow", "udp", ("4800", "4789", "4500", "4490"), "udp dport { 4800 } accept", "accept", "nftables")
        esp = drop("inet firewalld filter_IN_public_allow", "esp", (), "meta l4proto esp accept", "accept", "nftables")
        jump = FirewallRule("nftables", "inet firewalld filter_INPUT", "jump", text="jump filter_IN_public_allow", target="filter_IN_public_allow")
        last = drop("inet firewalld filter_INPUT", text="reject with icmpx admin-prohibited", verdict="reject", tool="nftables")
        expect_pass(read(host(firewall=(jump, last, accept, esp))), self.check_id)

    @pytest.mark.parametrize("name", ["firewalld", "ufw"])
    def test_a_service_beside_calico(self, name):
        finding = expect_fail(read(host(services=(HostService(name, "active", True),))), self.check_id)
        assert finding.severity == "warning" and name in finding.remedy.text

    def test_unknown(self):
        expect_unknown(read(host(**blind("firewall", why="only root"))), self.check_id)


class TestPortTaken:
    check_id = "node-port-taken"

    def test_4800_without_vx_submariner(self):
        finding = expect_fail(read(host(links=links(vx_submariner=None))), self.check_id)
        assert finding.title == "node-1 has another program on UDP 4800"

    def test_strongswan_on_a_gateway_that_does_not_run(self):
        made = read(host(listeners=(Listener("udp", "0.0.0.0", 4500), Listener("udp", "0.0.0.0", 500))))
        expect_pass(made, self.check_id)
        stopped = without(made, "pods", "submariner-gateway-abcde")
        assert {finding.title for finding in judged_all(stopped, self.check_id)} == {
            "node-1 has another program on UDP 4500", "node-1 has another program on UDP 500",
        }  # fmt: skip

    def test_another_vxlan_device_in_its_place(self):
        stranger = link("vxlan100", 1450, index=9, vxlan=Vxlan(100, 4800))
        assert "in the place of vx-submariner" in expect_fail(read(host(links=(*links(), stranger))), self.check_id).title
        expect_pass(read(host(links=(*links(), stranger._replace(vxlan=Vxlan(7, 4800))))), self.check_id)

    def test_unknown(self):
        expect_unknown(read(host(listeners=(), **blind("listeners"))), self.check_id)
