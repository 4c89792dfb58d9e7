# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of nodes say of their kernels and documents: pass, fail and unknown of each check."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, NOT_READ, Answer, ClusterInformation, FelixConfiguration, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import LOADABLE, MISSING, Ipset, System
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, judged, node, ok, submariner
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
    one,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.node_hosts import blind, host, read, two_nodes, worker

OURS = tuple(check.id for check in CHECKS if check.tags[:1] == ("nodes",) and check.id.startswith("node-"))
NEWER = Ipset(7, {"hash:ip": (0, 6), "hash:net": (0, 7)}, ("cali40s:x", "KUBE-CLUSTER-IP"), "7.19")


def calico(version):
    """Neither the operator nor anything else says another release."""
    return {"cluster_informations": ok(ClusterInformation(Ref("ClusterInformation", "default"), version, "k8s"))}


class TestAll:
    @pytest.mark.parametrize("check_id", OURS)
    def test_nothing_is_asked_where_no_documents_were_given(self, check_id):
        expect_not_asked(cluster(node_hosts=Answer(NOT_READ)), check_id)

    @pytest.mark.parametrize("check_id", OURS)
    def test_a_healthy_host_passes(self, check_id):
        expect_pass(read(), check_id)
        expect_pass(two_nodes(host(), worker()), check_id)

    @pytest.mark.parametrize("check_id", OURS)
    def test_a_node_without_a_document_is_unknown_and_the_others_are_judged(self, check_id):
        finding = expect_unknown(two_nodes(host()), check_id)
        assert "node-2" in finding.subject and "node-1" not in finding.subject

    @pytest.mark.parametrize("check_id", OURS)
    def test_documents_that_could_not_be_read(self, check_id):
        assert "forbidden" in expect_unknown(cluster(node_hosts=answer(FORBIDDEN)), check_id).missing

    @pytest.mark.parametrize("check_id", OURS)
    def test_an_empty_document_is_never_ok(self, check_id):
        if check_id in ("node-documents", "node-port-taken", "node-firewall", "node-submariner-routes"):
            return  # an empty list of rules and listeners was read; routes are lost then, and the document itself is there
        empty = host()._replace(links=(), routes=(), modules={}, sysctls={}, services=(), system=System(), ipset=Ipset())
        empty = empty._replace(**{name: type(getattr(empty, name))() for name in ("network_manager", "conntrack", "clock", "calico")})
        assert not judged(read(empty), check_id).passed, check_id


class TestDocuments:
    check_id = "node-documents"

    def test_another_kernel_by_now(self):
        finding = expect_fail(read(nodes=ok(node()._replace(kernel_version="6.1.0-18-amd64"))), self.check_id)
        assert "6.1.0-18-amd64" in finding.evidence[0].note and finding.evidence[0].value == "5.14.0-427.el9.x86_64"

    def test_older_than_a_day(self):
        finding = expect_fail(read(host(taken_at="2025-12-29T00:00:00Z")), self.check_id)
        assert "3 d before the cluster was read (nodes/node-1.json)" in finding.evidence[0].note

    def test_of_several_the_newest_counts(self):
        expect_pass(read(host(taken_at="2025-12-29T00:00:00Z"), host()), self.check_id)

    def test_of_a_node_that_is_none(self):
        finding = expect_fail(read(host(), host("node-9")), self.check_id)
        assert finding.subject == "Node node-9" and finding.severity == "info"

    def test_windows_has_none(self):
        windows = node("win-1")._replace(operating_system="windows")
        expect_pass(read(nodes=ok(node(), windows)), self.check_id)

    def test_a_node_without(self):
        assert expect_unknown(two_nodes(host()), self.check_id).title == "Nobody has read the host of 1 of 2 nodes"


class TestModules:
    check_id = "node-modules"

    def without(self, *names, state=MISSING, **changes):
        made = host()
        return made._replace(modules={**made.modules, **dict.fromkeys(names, state)}, **changes)

    def test_a_kernel_without_ip_set(self):
        finding = expect_fail(read(self.without("ip_set")), self.check_id)
        assert finding.title == "node-1 lacks kernel module ip_set" and "calico_node_placement" in finding.remedy.text

    def test_alternatives(self):
        expect_pass(read(self.without("ip_tables", "iptable_filter", "iptable_nat", "iptable_mangle", "iptable_raw")), self.check_id)
        finding = expect_fail(read(self.without("ip_tables", "nft_compat")), self.check_id)
        assert "ip_tables" in finding.title

    def test_loadable_is_enough_unless_it_is_kept_away(self):
        expect_pass(read(self.without("vxlan", state=LOADABLE)), self.check_id)
        barred = self.without("vxlan", state=LOADABLE, modules_barred={"vxlan": "/etc/modprobe.d/hardening.conf: install vxlan /bin/true"})
        finding = expect_fail(read(barred), self.check_id)
        assert finding.remedy.role == "fathom.submariner.node_modules" and finding.remedy.variables == {"node_modules_modules": ["vxlan"]}
        assert "hardening.conf" in finding.evidence[0].note
        frozen = self.without("vxlan", state=LOADABLE, sysctls={"kernel.modules_disabled": "1"})
        assert "next boot" in expect_fail(read(frozen), self.check_id).evidence[0].note

    @pytest.mark.parametrize("name, changes", [
        ("esp4", {}),
        ("wireguard", {"joined": submariner("cluster-1", cableDriver="wireguard"), "endpoints": ok()}),
        ("xt_TCPMSS", {}),
        ("nft_fib_inet", {"felix_configurations": ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "v3", {"nftablesMode": "Enabled"}))}),
        ("cls_bpf", {"felix_configurations": ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "v3", {"bpfEnabled": True}))}),
    ])  # fmt: skip
    def test_what_is_needed_follows_from_the_cluster(self, name, changes):
        lost = self.without(name, "nft_fib_ipv4") if name == "nft_fib_inet" else self.without(name)
        assert name in expect_fail(read(lost, **changes), self.check_id).title

    @pytest.mark.parametrize("name", ["wireguard", "ipip", "cls_bpf", "ip_vs"])
    def test_what_is_not_used_is_not_needed(self, name):
        expect_pass(read(self.without(name)), self.check_id)

    def test_nodes_that_lack_the_same_are_told_together(self):
        lost = self.without("ip_set")
        finding = expect_fail(two_nodes(lost, lost._replace(node="node-2")), self.check_id)
        assert finding.title == "2 nodes, node-1, node-2: each lacks kernel module ip_set" and len(finding.evidence) == 2

    def test_unknown(self):
        made = host()
        partly = made._replace(modules={name: state for name, state in made.modules.items() if name != "esp4"}, **blind("modules", why="no /lib/modules"))
        finding = expect_unknown(read(partly), self.check_id)
        assert "no /lib/modules" in finding.missing
        assert "forbidden" in expect_unknown(read(ip_pools=answer(FORBIDDEN)), self.check_id).missing


class TestIpsetRevision:
    check_id = "node-ipset-revision"

    def test_sets_of_others_before_3_29(self):
        finding = expect_fail(read(host(ipset=NEWER), **calico("v3.28.2")), self.check_id)
        assert finding.severity == "warning" and "KUBE-CLUSTER-IP" in finding.evidence[0].note

    def test_own_sets_alone_are_an_information(self):
        assert expect_fail(read(host(ipset=NEWER), **calico("v3.29.1")), self.check_id).severity == "info"
        own = NEWER._replace(sets=("cali40s:x", "SUBMARINER-LOCALCIDRS"))
        assert expect_fail(read(host(ipset=own), **calico("v3.28.2")), self.check_id).severity == "info"

    @pytest.mark.parametrize("version", ["v3.30.6", "v3.31.3", "v3.31.5", "v3.32.0"])
    def test_healed(self, version):
        expect_pass(read(host(ipset=NEWER), **calico(version)), self.check_id)

    @pytest.mark.parametrize("version", ["v3.30.5", "v3.31.2"])
    def test_not_healed(self, version):
        expect_fail(read(host(ipset=NEWER), **calico(version)), self.check_id)

    def test_by_the_kernels_version_where_its_types_are_not_seen(self):
        old = System("6.1.0-18-amd64", architecture="x86_64")
        expect_pass(read(host(ipset=Ipset(), system=old, **blind("ipset"))), self.check_id)
        finding = expect_fail(read(host(ipset=Ipset(), system=old._replace(kernel="6.8.0-45-generic"), **blind("ipset"))), self.check_id)
        assert finding.evidence[0].value == "Linux 6.8.0-45-generic"

    def test_unknown_without_calicos_release(self):
        nothing = {"cluster_informations": ok(), "installations": ok(), "daemon_sets": ok(*(entry for entry in cluster().daemon_sets.items))}
        finding = expect_unknown(read(host(ipset=NEWER), **nothing), self.check_id)
        assert "release" in finding.missing

    def test_unknown_without_anything(self):
        assert "permission" in expect_unknown(read(host(ipset=Ipset(), system=System(), **blind("ipset"))), self.check_id).missing


class TestKernel:
    check_id = "node-kernel"

    @pytest.mark.parametrize("machine, whose", [("armv7l", "Calico"), ("riscv64", "Calico"), ("s390x", "Submariner"), ("ppc64le", "Submariner")])
    def test_architectures_without_images(self, machine, whose):
        finding = expect_fail(read(host(system=System("6.1.0", architecture=machine))), self.check_id)
        assert f"for which {whose} has no images: {machine}" in finding.title and finding.severity == "error"

    def test_without_submariner_others_will_do(self):
        expect_pass(read(host(system=System("6.1.0", architecture="s390x")), joined=False), self.check_id)

    @pytest.mark.parametrize("kernel, fails", [
        ("4.18.0-193.el8.x86_64", True), ("4.18.0-553.el8_10.x86_64", False), ("5.9.16", True), ("5.10.0-8-amd64", False),
    ])  # fmt: skip
    def test_ebpf(self, kernel, fails):
        felix = ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "v3", {"bpfEnabled": True}))
        snapshot = read(host(system=System(kernel, architecture="x86_64")), felix_configurations=felix)
        assert (expect_fail if fails else expect_pass)(snapshot, self.check_id) is None or fails

    def test_nftables(self):
        felix = ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "v3", {"nftablesMode": "Enabled"}))
        finding = expect_fail(read(host(system=System("5.10.0", architecture="x86_64")), felix_configurations=felix), self.check_id)
        assert "5.13" in finding.evidence[0].note

    def test_a_new_calico_on_an_old_kernel(self):
        old = host(system=System("5.4.0-150-generic", architecture="x86_64"))
        assert expect_fail(read(old, **calico("v3.32.1")), self.check_id).severity == "warning"
        expect_pass(read(old, **calico("v3.31.5")), self.check_id)
        expect_pass(read(host(system=System("4.18.0-553.el8.x86_64", architecture="x86_64")), **calico("v3.32.1")), self.check_id)

    def test_unknown(self):
        assert "architecture" in expect_unknown(read(host(system=System("6.1.0"))), self.check_id).missing
        assert one(read(host(system=System("", architecture="x86_64"))), self.check_id).verdict == "unknown"
