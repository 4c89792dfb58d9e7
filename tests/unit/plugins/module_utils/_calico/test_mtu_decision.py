# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as playbooks and survey forms hand them over, and the decision that follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_decision import Basis, decide
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_wish import AUTO, read_mtu, read_segment, read_size
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Node, OpenShiftNetwork, Ref

from .mtu_clusters import blocks, log, ok, operator, pool, snapshot

LINK = Basis(link=1500)


class TestWish:
    @pytest.mark.parametrize("nothing", [None, "", " "])
    def test_nothing(self, nothing):
        assert read_mtu(nothing) is read_segment(nothing) is read_size("link_mtu", nothing) is None

    @pytest.mark.parametrize(("given", "read"), [("1400", 1400), (1400, 1400), (" 1400 ", 1400), ("auto", AUTO), ("0", 0), (0, 0)])
    def test_numbers_and_words(self, given, read):
        assert read_mtu(given) == read_segment(given) == read

    @pytest.mark.parametrize("odd", ["14OO", "1400.5", "-1400", "575", "70000", "Auto", True, "١٤٠٠", [1400]])
    def test_what_is_none_is_refused_by_name(self, odd):
        with pytest.raises(InputError, match="^mtu is .* number of bytes"):
            read_mtu(odd)

    @pytest.mark.parametrize("odd", ["0", "auto", "100"])
    def test_a_links_size_is_a_number(self, odd):
        with pytest.raises(InputError, match="link_mtu"):
            read_size("link_mtu", odd)

    @given(st.integers(576, 65535))
    def test_every_size(self, number):
        assert read_mtu(str(number)) == number


class TestDecision:
    def test_auto_within_the_cluster(self):
        made = decide(operator(), AUTO, None, LINK)
        assert (made.mtu, made.segment) == (1450, None)
        assert str(made.terms[-1]) == "MTU for pods: 1450 (the smallest of these lines: a packet is in one tunnel at a time)"

    def test_auto_across_clusters_and_not(self):
        assert decide(operator(), AUTO, AUTO, LINK._replace(cable="libreswan"))[:2] == (1380, 1340)
        assert decide(operator(), AUTO, AUTO, LINK._replace(cable="libreswan", across=False))[:2] == (1450, 1340)

    @pytest.mark.parametrize("asked", [(AUTO, None), (None, AUTO)])
    def test_auto_without_a_known_link_is_refused(self, asked):
        with pytest.raises(RefusedError, match="c: The MTU of the links .* is not guessed.*Nothing was written"):
            decide(operator(1450), *asked, Basis(cable="libreswan"))

    def test_auto_for_a_segment_needs_a_cable(self):
        with pytest.raises(RefusedError, match="no cable"):
            decide(operator(), None, AUTO, LINK)

    def test_a_number_needs_no_link_and_is_told_not_to_have_been_checked(self):
        made = decide(operator(1450), 1400, 1300, Basis())
        assert made[:3] == (1400, 1300, ())
        (warning,) = made.warnings
        assert "MTU of 1400 fits the links between the nodes was not checked" in warning and "Give link_mtu" in warning
        assert "status.mtu of Installation repeats an MTU that is set" in warning

    def test_a_guess_of_calicos_checks_nothing_either(self):
        line = "x Failed to auto-detect host MTU - no interfaces matched the MTU interface pattern. y"
        guessed = operator(status=1410, logs=ok(log(line)))
        assert "assumed a value" in decide(guessed, 1400, None, Basis()).warnings[0]

    @pytest.mark.parametrize("asked", [(1400, LINK), (0, Basis()), (None, Basis())])
    def test_what_is_checked_or_left_to_calico_needs_no_warning(self, asked):
        assert decide(operator(), asked[0], 1300, asked[1]).warnings == ()

    def test_a_number_that_does_not_fit_is_refused_with_the_sum(self):
        with pytest.raises(RefusedError, match=r"1500 does not fit the links.*at most 1450.*VXLAN: 1500 - 50 = 1450"):
            decide(operator(), 1500, None, LINK)

    def test_a_number_that_does_not_reach_other_clusters_whole_is_warned_about(self):
        made = decide(operator(), 1450, None, LINK._replace(cable="libreswan"))
        assert made.mtu == 1450 and "1380" in made.warnings[0]

    def test_a_segment_that_does_not_fit_is_refused(self):
        with pytest.raises(RefusedError, match="1341 bytes do not fit through the cable, at most 1340"):
            decide(operator(), None, 1341, LINK._replace(cable="libreswan"))

    def test_leaving_it_to_calico_and_taking_the_segment_away(self):
        assert decide(operator(1450), 0, 0, Basis())[:2] == (0, 0)

    def test_a_segment_alone_needs_no_calico(self):
        assert decide(snapshot(daemon_sets=ok()), None, 1300, Basis())[:2] == (None, 1300)
        assert decide(snapshot(daemon_sets=Answer("forbidden")), None, 0, Basis())[:2] == (None, 0)

    def test_what_cannot_be_read_is_refused_by_name(self):
        with pytest.raises(RefusedError, match="IPPools: forbidden.*Nothing was written"):
            decide(operator(ip_pools=Answer("forbidden")), 1400, None, LINK)

    def test_ipv6_needs_1280(self):
        dual = operator(ip_pools=ok(pool(), pool("fd00::/48")))
        assert decide(dual, 1280, None, LINK).mtu == 1280
        with pytest.raises(RefusedError, match="1280 at least, not 1279"):
            decide(dual, 1279, None, LINK)
        assert decide(operator(), 1279, None, LINK).mtu == 1279

    @pytest.mark.parametrize(("basis", "least"), [(Basis(link=600), 576), (Basis(link=1500, path=640, cable="libreswan"), 576)])
    def test_what_auto_leaves_is_bounded_as_a_number_is(self, basis, least):
        with pytest.raises(RefusedError, match=f"bytes are left for pods .*{least} is the least: IPv4 needs that.*Nothing was written"):
            decide(operator(), AUTO, None, basis)
        assert decide(operator(), AUTO, None, Basis(link=626)).mtu == 576

    def test_what_auto_leaves_for_ipv6(self):
        dual = operator(ip_pools=ok(pool(), pool("fd00::/48")))
        assert decide(dual, AUTO, None, Basis(link=1350)).mtu == 1280
        with pytest.raises(RefusedError, match="1279 bytes are left for pods .*1280 is the least: IPv6 needs that"):
            decide(dual, AUTO, None, Basis(link=1349))

    def test_what_auto_leaves_for_a_segment(self):
        with pytest.raises(RefusedError, match="480 bytes are left for TCP segments .*536 is the least"):
            decide(operator(), None, AUTO, Basis(link=1500, path=640, cable="libreswan"))

    def test_the_ebpf_data_plane_wraps_node_ports(self):
        flat = operator(ip_pools=ok(pool(vxlan="Never")))
        assert decide(flat, AUTO, None, LINK).mtu == 1500
        assert decide(flat, AUTO, None, LINK._replace(ebpf=True)).mtu == 1450

    @pytest.mark.parametrize("asked", [AUTO, 1300, 0])
    @pytest.mark.parametrize(
        ("cni", "said"), [("AmazonVPC", r"AWS_VPC_ENI_MTU .*aws-node"), ("AzureVNET", "where AzureVNET has it"), ("GKE", "GKE gives pods")]
    )
    def test_another_cnis_pods_read_no_mtu_of_calicos(self, cni, said, asked):
        with pytest.raises(RefusedError, match=f"{said}.*Nothing was written"):
            decide(operator(status=9001, cni=cni, ip_pools=ok()), asked, None, Basis())

    def test_with_another_cni_tcp_is_clamped_all_the_same(self):
        made = decide(operator(status=9001, cni="AmazonVPC", ip_pools=ok()), None, AUTO, Basis(cable="libreswan"))
        assert made[:2] == (None, 9001 - 120 - 40)
        assert decide(operator(cni="AmazonVPC", ip_pools=ok()), None, 1300, Basis())[:2] == (None, 1300)

    def test_pods_with_addresses_of_a_disabled_pool_count(self):
        pools = ok(pool("10.99.0.0/16", vxlan="Never", name="new"), pool("10.42.0.0/16", disabled=True, name="old"))
        within = LINK._replace(across=False)
        made = decide(operator(ip_pools=pools), AUTO, None, within)
        assert made.mtu == 1450 and "IPPool old asks for it, which is disabled: pods with addresses of it keep it" in str(made.terms[1])
        with pytest.raises(RefusedError, match="1500 does not fit.*at most 1450"):
            decide(operator(ip_pools=pools), 1500, None, within)
        assert decide(operator(ip_pools=pools, ipam_blocks=blocks(b10_42_0_0_26=0)), AUTO, None, within).mtu == 1500

    def test_what_felix_leaves_on_aks(self):
        spec = {"wireguardEnabled": True, "wireguardHostEncryptionEnabled": True}
        aks = operator(felix_spec=spec, provider="AKS", ip_pools=ok(pool(vxlan="Never")))
        for basis in (LINK, LINK._replace(cable="libreswan")):
            assert decide(aks, AUTO, None, basis).mtu == 1340
        term = str(decide(aks, AUTO, None, LINK).terms[1])
        assert term.startswith("WireGuard: 1500 - 160 = 1340 (") and "100 of them as Felix does on AKS with wireguardHostEncryptionEnabled" in term
        with pytest.raises(RefusedError, match="at most 1340"):
            decide(aks, 1380, None, LINK)

    def test_felixs_own_mtu_on_aks_tells_the_link(self):
        spec = {"wireguardEnabled": True, "wireguardHostEncryptionEnabled": True}
        aks = operator(status=1340, felix_spec=spec, provider="AKS", ip_pools=ok(pool(vxlan="Never")))
        assert decide(aks, AUTO, None, Basis()).mtu == 1340

    def test_ibm_supports_1450_and_more(self):
        network = OpenShiftNetwork(Ref("Network", "cluster"), "Calico", (), (), (), ())
        node = Node(Ref("Node", "n"), {"ibm-cloud.kubernetes.io/worker-id": "w"}, {}, (), (), True, "", "")
        roks = operator(1480, nodes=ok(node), openshift_networks=ok(network), datastore_migrations=ok())
        assert decide(roks, 1450, None, LINK).mtu == 1450
        for asked in (1449, 0):
            with pytest.raises(RefusedError, match="IBM supports an MTU of 1450.*tcp_clamp_mss"):
                decide(roks, asked, None, LINK)
            assert decide(roks, asked, None, LINK._replace(force=True)).mtu == asked

    @given(st.integers(576, 9216), st.sampled_from(["libreswan", "wireguard", "vxlan"]), st.booleans())
    def test_what_auto_chooses_is_never_refused_as_a_number(self, link, cable, across):
        basis = Basis(link=link, cable=cable, across=across)
        try:
            chosen = decide(operator(), AUTO, AUTO, basis)
        except RefusedError:
            assert link < 576 + 120 + 40
            return
        assert read_mtu(chosen.mtu) == chosen.mtu and read_segment(chosen.segment) == chosen.segment
        again = decide(operator(), chosen.mtu, chosen.segment, basis)
        assert again[:2] == chosen[:2]
        assert not again.warnings or not across
