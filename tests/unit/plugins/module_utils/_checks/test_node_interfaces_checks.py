# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submariner's traces on hosts of nodes, and their MTUs: pass, fail and unknown of each check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Answer, FelixConfiguration, Installation, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Address, CalicoFiles, NodeRoute, NodeRule, System, Vxlan
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    broken,
    cluster,
    gateway,
    node,
    not_served,
    ok,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.node_hosts import REMOTE, blind, host, link, links, read, two_nodes, worker
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.test_mtu_checks import operator
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.test_node_settings_checks import command_of

FIXED = Installation(
    Ref("Installation", "default"), {}, "RKE2", "Calico", "Calico", (), (), "v3.26.3", "Disabled",
    spec={"calicoNetwork": {"mtu": 1450}}, computed={"calicoNetwork": {"mtu": 1450}}, mtu=1450, variant="Calico",
)  # fmt: skip


class TestCniInterface:
    check_id = "node-cni-interface"

    def test_calico_has_made_none(self):
        finding = expect_fail(read(host(links=links(vxlan_calico=None))), self.check_id)
        assert finding.title == "node-1 has no interface with an address inside the cluster CIDR 10.46.0.0/16"
        assert finding.evidence[0].note == "Calico has made none" and not finding.caused_by

    def test_a_wrong_cluster_cidr_is_told_apart(self):
        made = broken(node_hosts=ok(host()))
        finding = expect_fail(made, self.check_id)
        assert finding.caused_by == "cluster-1/submariner-cidr-wrong" and finding.severity == "warning" and finding.remedy is None
        assert "vxlan.calico 10.46.181.192/32" in finding.evidence[0].value

    def test_a_strangers_interface_comes_first(self):
        stranger = link("eth1", 1500, address="10.46.9.9/24", index=3)
        finding = expect_fail(read(host(links=(*links(), stranger))), self.check_id)
        assert finding.title == "node-1 shows the agent eth1 as the CNI's interface" and "eth1" in finding.remedy.text

    def test_after_calicos_it_does_no_harm(self):
        expect_pass(read(host(links=(*links(), link("eth1", 1500, address="10.46.9.9/24", index=30)))), self.check_id)

    def test_ovn_has_other_handlers(self):
        expect_not_asked(read(joined=submariner("cluster-1", plugin="OVNKubernetes")), self.check_id)

    def test_unknown(self):
        assert "ip said" in expect_unknown(read(host(**blind("links.addresses", why="ip said no"))), self.check_id).missing
        expect_unknown(read(joined=submariner("cluster-1", said="")), self.check_id)


class TestReversePath:
    check_id = "node-rp-filter"

    def test_on_a_workers_interface_of_calico(self):
        strict = links(vxlan_calico={"rp_filter": 0, "rp_filter_acting": 1, "addresses": (Address("10.46.20.0/32"),)})
        finding = expect_fail(two_nodes(host(), worker(links=strict)), self.check_id)
        assert finding.title == "node-2 filters strictly by reverse path on vxlan.calico" and finding.severity == "error"
        assert finding.remedy.role == "fathom.submariner.route_agent" and finding.remedy.variables == {"route_agent_nodes": ["node-2"]}
        assert not finding.remedy.disruptive

    def test_on_vx_submariner_of_the_gateway(self):
        finding = expect_fail(read(host(links=links(vx_submariner={"rp_filter_acting": 1}))), self.check_id)
        assert "vx-submariner" in finding.title and finding.remedy.disruptive

    def test_vx_submariner_of_a_worker_may_be_strict(self):
        expect_pass(two_nodes(host(), worker(links=links(vx_submariner={"rp_filter_acting": 1}))), self.check_id)

    def test_the_gateways_own_interface_of_calico_is_a_warning(self):
        assert expect_fail(read(host(links=links(vxlan_calico={"rp_filter_acting": 1}))), self.check_id).severity == "warning"

    @pytest.mark.parametrize("driver, fails", [("vxlan", True), ("libreswan", False), ("wireguard", False)])
    def test_the_cables_device(self, driver, fails):
        name = {"vxlan": "vxlan-tunnel", "wireguard": "submariner"}.get(driver, "vxlan-tunnel")
        strict = (*links(), link(name, 1450, index=9, rp_filter_acting=1))
        made = read(host(links=strict), joined=submariner("cluster-1", cableDriver=driver))
        made = replace(made, endpoints=ok(*(each._replace(backend=driver) for each in made.endpoints.items)))
        assert (expect_fail(made, self.check_id) if fails else expect_pass(made, self.check_id)) is None or fails

    def test_loose_by_all_is_loose(self):
        expect_pass(read(host(links=links(vxlan_calico={"rp_filter": 1, "rp_filter_acting": 2}))), self.check_id)

    def test_unknown(self):
        expect_unknown(read(host(links=links(vx_submariner={"rp_filter_acting": None}))), self.check_id)
        expect_unknown(read(host(links=())), self.check_id)
        expect_unknown(read(gateways=answer(FORBIDDEN)), self.check_id)


class TestRoutes:
    check_id = "node-submariner-routes"

    def test_a_worker_without(self):
        finding = expect_fail(two_nodes(host(), worker(routes=(NodeRoute("default", device="eth0"),))), self.check_id)
        assert finding.title == "node-2 has no routes to the gateway for other clusters"
        assert all(cidr in finding.evidence[0].value for cidr in REMOTE) and finding.remedy.variables == {"route_agent_nodes": ["node-2"]}

    def test_one_of_two(self):
        made = worker()
        finding = expect_fail(two_nodes(host(), made._replace(routes=made.routes[:2])), self.check_id)
        assert finding.evidence[0].value == "none for 10.42.0.0/16"

    def test_birds_route_wins(self):
        made = worker()
        birds = NodeRoute("10.42.0.0/16", via="192.168.0.1", device="eth0", protocol="bird")
        finding = expect_fail(two_nodes(host(), made._replace(routes=(*made.routes[:2], birds))), self.check_id)
        assert finding.remedy.role == "fathom.submariner.remote_ippools" and "BIRD" in finding.evidence[0].note

    def test_the_gateways_table(self):
        finding = expect_fail(read(host(routes=(NodeRoute("default", device="eth0"),))), self.check_id)
        assert "table 150" in finding.title and finding.severity == "warning" and finding.remedy.disruptive

    def test_the_gateways_rule(self):
        assert "no rule that leads to table 150" in expect_fail(read(host(rules=(NodeRule(0, "local"),))), self.check_id).title

    def test_without_the_device(self):
        assert "has no vx-submariner" in expect_fail(two_nodes(host(), worker(links=links(vx_submariner=None))), self.check_id).title

    def test_without_other_clusters_it_is_not_asked(self):
        made = read()
        expect_not_asked(replace(made, endpoints=ok(*(each for each in made.endpoints.items if each.cluster_id == "cluster-1"))), self.check_id)

    def test_unknown(self):
        expect_unknown(read(host(**blind("routes"))), self.check_id)
        expect_unknown(read(host(rules=(), **blind("rules"))), self.check_id)
        assert "no gateway" in expect_unknown(read(gateways=ok(gateway(ha_status="passive"))), self.check_id).missing


class TestTunnelMtu:
    check_id = "node-tunnel-mtu"

    def test_calicos(self):
        finding = expect_fail(read(host(links=links(vxlan_calico={"mtu": 1500}))), self.check_id)
        assert finding.title == "node-1 sends 1500 and 50 bytes of vxlan.calico over eth0, which carries 1500"
        assert finding.caused_by == "cluster-1/mtu-too-large" and finding.remedy.variables["calico_mtu_mtu"] == 1450

    def test_submariners_made_while_the_link_was_larger(self):
        finding = expect_fail(read(host(links=links(vx_submariner={"mtu": 8951}))), self.check_id)
        assert finding.remedy.role == "fathom.submariner.route_agent" and finding.remedy.disruptive

    def test_the_cables(self):
        tunnel = link("vxlan-tunnel", 1500, index=9, vxlan=Vxlan(1000, 4500))
        assert expect_fail(read(host(links=(*links(), tunnel))), self.check_id).remedy.variables["route_agent_gateways"] is True

    def test_over_a_vlan(self):
        vlan = link("eth0.7", 1400, address="192.168.0.1/24", index=7, parent="eth0")
        made = links(eth0={"addresses": ()}, vxlan_calico={"parent": "eth0.7", "mtu": 1350})
        assert "over eth0.7, which carries 1400" in expect_fail(read(host(links=(*made, vlan))), self.check_id).title

    def test_a_device_that_is_down_carries_nothing(self):
        expect_pass(read(host(links=(*links(), link("tunl0", 1500, up=False, index=9)))), self.check_id)

    def test_unknown(self):
        lost = links(eth0=None, vxlan_calico={"parent": "", "vxlan": Vxlan(4096, 4789)})
        expect_unknown(read(host(links=lost, routes=())), self.check_id)


class TestPodMtu:
    check_id = "node-pod-mtu"

    def test_the_configuration_against_calicos_file(self):
        finding = expect_fail(read(host(calico=CalicoFiles(1410, "/etc/cni/net.d/10-calico.conflist", ("calico",), 1450))), self.check_id)
        assert finding.title == "node-1 gives pods 1450 bytes, and Calico found room for 1410" and finding.severity == "error"

    def test_against_what_is_wanted(self):
        wanted = {"installations": ok(FIXED)}
        expect_pass(read(host(calico=CalicoFiles(1450, "/etc/cni/net.d/10-calico.conflist", ("calico",), 1450)), **wanted), self.check_id)
        old = CalicoFiles(1450, "/etc/cni/net.d/10-calico.conflist", ("calico",), 1400)
        finding = expect_fail(read(host(calico=old), **wanted), self.check_id)
        assert finding.title == "node-1 gives pods 1400 bytes where the cluster wants 1450" and finding.severity == "warning"

    def test_another_cni_that_the_operator_knows_of_is_as_it_should_be(self):
        amazon = FIXED._replace(provider="EKS", cni_type="AmazonVPC", ipam_type="AmazonVPC")
        files = CalicoFiles(9001, "/etc/cni/net.d/10-aws.conflist", ("aws-cni", "egress-cni", "portmap"), None)
        expect_not_asked(read(host(calico=files), installations=ok(amazon)), self.check_id)

    def test_another_cni_comes_first(self):
        files = CalicoFiles(1450, "/etc/cni/net.d/05-cilium.conflist", ("cilium-cni",), None)
        assert "05-cilium" in expect_fail(read(host(calico=files)), self.check_id).title

    def test_multus_stays_where_it_is(self):
        """It calls other plugins: its own file belongs first."""
        files = CalicoFiles(1450, "/etc/cni/net.d/00-multus.conf", ("multus", "calico", "portmap"), 1450)
        expect_pass(read(host(calico=files)), self.check_id)
        finding = expect_fail(read(host(calico=files._replace(conflist_plugins=("multus", "flannel")))), self.check_id)
        assert finding.remedy.text.startswith("Leave Multus' own file where it is") and "another network" in finding.evidence[0].note

    def test_none(self):
        assert expect_fail(read(host(calico=CalicoFiles(1450))), self.check_id).title == "node-1 has no CNI configuration"

    def test_unknown(self):
        expect_unknown(read(host(**blind("calico.conflist_mtu"))), self.check_id)
        expect_unknown(read(host(calico=CalicoFiles(None, "/etc/cni/net.d/10-calico.conflist", ("calico",), None))), self.check_id)
        expect_unknown(read(installations=not_served(), daemon_sets=ok()), self.check_id)


class TestLinkMtu:
    check_id = "node-link-mtu"

    def test_one_on_jumbo_frames(self):
        nodes = ok(*(node(f"node-{number}")._replace(internal_ips=("192.168.0.1",)) for number in (1, 2, 3)))
        jumbo = host("node-3", links=links(eth0={"mtu": 9000}))
        finding = expect_fail(read(host(), host("node-2"), jumbo, nodes=nodes), self.check_id)
        assert finding.title == "Links between nodes have different MTUs: 1500 on 2 nodes, others on node-3"
        assert command_of(finding) == {"node_link_mtu_device": "eth0", "node_link_mtu_mtu": 1500} and "-l node-3 " in finding.remedy.text

    def test_the_link_is_that_of_the_internal_ip(self):
        storage = link("eth1", 9000, address="172.16.0.1/24", index=9)
        expect_pass(two_nodes(host(links=(storage, *links())), worker()), self.check_id)

    def test_unknown(self):
        expect_unknown(read(host(links=())), self.check_id)


class TestOffload:
    check_id = "node-checksum-offload"
    ON = {"tx-checksumming": True, "tx-checksum-ip-generic": True}

    def made(self, kernel="6.1.0-18-amd64", driver="vmxnet3", **changes):
        return host(system=System(kernel, architecture="x86_64"), links=links(**{"eth0": {"driver": driver}, **changes}))

    def test_on_vmxnet3(self):
        finding = expect_fail(read(self.made(vx_submariner={"offloads": self.ON})), self.check_id)
        assert finding.title == "node-1 leaves checksums of vx-submariner to a vmxnet3 card" and finding.severity == "warning"
        assert command_of(finding) == {"node_offload_devices": [{"name": "vx-submariner"}]}

    def test_calicos_is_felix(self):
        finding = expect_fail(read(self.made(vxlan_calico={"offloads": self.ON})), self.check_id)
        assert not finding.remedy.role and "ChecksumOffloadBroken=true" in finding.remedy.text

    def test_an_old_kernel(self):
        finding = expect_fail(read(self.made("5.4.0-150-generic", "e1000", vxlan_calico={"offloads": self.ON})), self.check_id)
        assert "Linux 5.4.0-150-generic" in finding.title

    def test_virtio_is_seen_now_and_then(self):
        assert expect_fail(read(self.made(driver="virtio_net", vxlan_calico={"offloads": self.ON})), self.check_id).severity == "info"

    def test_the_cards_of_a_bond(self):
        bond = link("bond0", 1500, address="192.168.0.1/24", index=7, kind="bond")
        made = self.made(eth0={"driver": "vmxnet3", "master": "bond0", "addresses": ()}, vxlan_calico={"parent": "bond0", "offloads": self.ON})
        assert "vmxnet3" in expect_fail(read(made._replace(links=(*made.links, bond))), self.check_id).title

    def test_other_cards_may(self):
        expect_pass(read(self.made(driver="ice", vxlan_calico={"offloads": self.ON}, vx_submariner={"offloads": self.ON})), self.check_id)

    def test_off(self):
        expect_pass(read(self.made()), self.check_id)

    def test_unknown(self):
        shy = self.made(vxlan_calico={"offloads": {}})._replace(**blind("links.offloads", why="no ioctl"))
        assert "no ioctl" in expect_unknown(read(shy), self.check_id).missing

    def test_what_a_host_proves_the_conclusion_from_the_api_does_not_doubt(self):
        on_vmware = {"nodes": ok(node()._replace(provider_id="vsphere://1", kernel_version="6.1.0-18-amd64"))}
        felix = {"felix_configurations": ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "v3", {}))}
        new = {"cluster_informations": ok(cluster().cluster_informations.items[0]._replace(calico_version="v3.30.0"))}
        concluded = cluster(node_hosts=Answer(), **on_vmware, **felix, **new)
        expect_fail(concluded, "vxlan-checksum-offload")
        expect_pass(replace(concluded, node_hosts=ok(self.made())), "vxlan-checksum-offload")
        expect_fail(replace(concluded, node_hosts=ok(self.made(vxlan_calico={"offloads": self.ON}))), "vxlan-checksum-offload")


class TestLinkOfHosts:
    def test_it_is_the_best_source(self):
        picture = mtu_picture(read(host(links=links(eth0={"mtu": 1460})), installations=ok(FIXED)))
        assert (picture.link.mtu, picture.link.proved, picture.link.where, picture.link.field) == (1460, True, "Node node-1", "links[eth0].mtu")

    def test_the_smallest_of_all(self):
        jumbo = host(links=links(eth0={"mtu": 9000}))
        assert mtu_picture(two_nodes(jumbo, worker())).link.mtu == 1500

    def test_the_mtu_checks_judge_by_it(self):
        finding = expect_fail(operator(1450, node_hosts=ok(host(links=links(eth0={"mtu": 1460})))), "mtu-too-large")
        assert finding.title.endswith("and the links carry 1460: at most 1410 fit")
        assert finding.remedy.variables == {"calico_mtu_mtu": 1410, "calico_mtu_link_mtu": "1460"}
        expect_pass(operator(1450, node_hosts=ok(host())), "mtu-too-large")

    def test_1460_that_a_host_shows_was_not_guessed(self):
        expect_pass(read(host(links=links(eth0={"mtu": 1460}))), "mtu-link-guessed")
