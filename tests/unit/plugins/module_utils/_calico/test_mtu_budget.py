# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sum: Calico's own table of overheads, and what a joined cluster adds to it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import CABLE_OVERHEAD, OVERHEAD, TUNNELS
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_budget import Known, budget, link_of, segment
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_link import refusals
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref, Submariner

from .mtu_clusters import felix, log, ok, operator, pool, snapshot

LINKS = (1500, 1460, 1450, 9001, 9000)
# docs.tigera.io, networking/configuring/mtu: the MTU for pods by encapsulation, on links of the sizes above.
TABLE = {
    "none": (1500, 1460, 1450, 9001, 9000),
    "IPIP": (1480, 1440, 1430, 8981, 8980),
    "VXLAN": (1450, 1410, 1400, 8951, 8950),
    "eBPF": (1450, 1410, 1400, 8951, 8950),
    "VXLAN over IPv6": (1430, 1390, 1380, 8931, 8930),
    "WireGuard": (1440, 1400, 1390, 8941, 8940),
    "WireGuard over IPv6": (1420, 1380, 1370, 8921, 8920),
}


def cluster(encapsulation):
    pools = {
        "IPIP": [pool(vxlan="Never", ipip="CrossSubnet")],
        "VXLAN": [pool(vxlan="CrossSubnet")],
        "VXLAN over IPv6": [pool("fd00::/48", vxlan="Always")],
        "WireGuard over IPv6": [pool("fd00::/48", vxlan="Never")],
    }.get(encapsulation, [pool(vxlan="Never")])
    spec = {"WireGuard": {"wireguardEnabled": True}, "WireGuard over IPv6": {"wireguardEnabledV6": True}}.get(encapsulation, {})
    return operator(ip_pools=ok(*pools), felix_configurations=ok(felix(**spec)))


@pytest.mark.parametrize("encapsulation", TABLE)
@pytest.mark.parametrize("column", range(len(LINKS)))
def test_the_table_of_calicos_documentation(encapsulation, column):
    picture = mtu_picture(cluster(encapsulation))
    found = budget(picture, Known(LINKS[column], "test"), ebpf=encapsulation == "eBPF")
    assert found.within == TABLE[encapsulation][column]
    assert found.across is None
    assert min(term.leaves for term in found.terms) == found.within


def test_libreswan_over_1500_leaves_1380_and_a_segment_of_1340():
    found = budget(mtu_picture(cluster("VXLAN")), Known(1500, "test"), cable="libreswan")
    assert (found.within, found.across) == (1450, 1380)
    assert [str(term) for term in found.terms] == [
        "link between the nodes: 1500 (test)",
        "VXLAN: 1500 - 50 = 1450 (between this cluster's nodes: an enabled IPPool or Felix asks for it)",
        "vx-submariner: 1500 - 50 = 1450 (from a node to the gateway (VXLAN, UDP 4800))",
        "libreswan cable: 1500 - 120 = 1380 (from gateway to gateway; TCP is clamped to what fits, other packets are fragmented or lost)",
    ]
    assert segment(found.across, "IPv4").leaves == 1340
    assert segment(found.across, "IPv4 and IPv6").leaves == 1320


def test_the_way_between_the_sites_takes_the_links_place_for_the_cable_alone():
    found = budget(mtu_picture(cluster("VXLAN")), Known(9000, "nodes"), cable="vxlan", path=Known(1492, "PPPoE"))
    assert (found.within, found.across) == (8950, 1442)
    assert "path between the clusters: 1492 (PPPoE)" in map(str, found.terms)


def test_a_path_that_is_larger_than_the_links_changes_nothing():
    assert budget(mtu_picture(cluster("IPIP")), Known(1500, "nodes"), cable="libreswan", path=Known(9000, "VPN")).across == 1380


def test_the_cables_own_driver_is_taken_where_none_is_given():
    joined = dataclasses.replace(cluster("IPIP"), submariners=ok(_submariner("vxlan")), endpoints=ok())
    assert budget(mtu_picture(joined), Known(1500, "test")).across == 1450
    assert budget(mtu_picture(joined), Known(1500, "test"), cable="libreswan").across == 1380


def _submariner(driver):
    fields = {name: "" for name in Submariner._fields}
    return Submariner(**{**fields, "ref": Ref("Submariner", "submariner", "submariner-operator"), "cluster_id": "c", "spec": {"cableDriver": driver}})


@given(st.integers(1280, 65535), st.sampled_from(list(CABLE_OVERHEAD)), st.integers(576, 65535) | st.none(), st.booleans(), st.sampled_from(list(TABLE)))
def test_what_is_left_passes_every_hop_and_no_more_would(link, cable, path, ebpf, encapsulation):
    known_path = Known(path, "test") if path else None
    found = budget(mtu_picture(cluster(encapsulation)), Known(link, "test"), cable=cable, path=known_path, ebpf=ebpf)
    assert found.across == min(term.leaves for term in found.terms)
    assert found.across <= found.within <= link
    assert all(term.takes in (0, 50, *OVERHEAD.values(), CABLE_OVERHEAD[cable]) for term in found.terms)
    assert found.within == min(term.leaves for term in found.terms if term.what in ("link between the nodes", *TUNNELS) or "eBPF" in term.what)


class TestLink:
    def test_the_users_word_counts_first(self):
        assert link_of(mtu_picture(operator(status=1450)), 1400, (), None) == Known(1400, "option link_mtu")

    def test_what_the_operator_detected(self):
        found = link_of(mtu_picture(operator(status=1450)), None, (), None)
        assert found.mtu == 1500
        assert "status.mtu" in found.why and "50 for VXLAN" in found.why

    def test_what_the_kernel_refused_tells_what_fits(self):
        lines = (
            'x [INFO][57] felix/vxlan_mgr.go 679: VXLAN device MTU needs to be updated device="vxlan.calico" ipVersion=0x4 new=1500 old=1450',
            "x [WARNING][57] felix/vxlan_mgr.go 681: Failed to set vxlan tunnel device MTU error=invalid argument ipVersion=0x4",
        )
        broken = operator(1500, logs=ok(log(*lines)))
        found = link_of(mtu_picture(broken), None, refusals(broken), None)
        assert found.mtu == 1500
        assert "the kernel refused 1500 and keeps 1450" in found.why

    @pytest.mark.parametrize("made", [operator(1500), snapshot()])
    def test_it_is_never_guessed(self, made):
        with pytest.raises(RefusedError, match="not guessed.*documents at least 1500.*link_mtu"):
            link_of(mtu_picture(made), None, (), 1500)

    def test_calicos_own_guess_is_no_knowledge(self):
        guessed = operator(status=1410, logs=ok(log("x Failed to auto-detect host MTU - no interfaces matched the MTU interface pattern. y")))
        with pytest.raises(RefusedError, match="assumed a value"):
            link_of(mtu_picture(guessed), None, (), None)
