# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells the MTU of the nodes' links, and what does not."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_link import promised_link, read_link, refusals
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import kubespray, log, manifest, ok, operator, pool

LARGER = "2026-01-01 00:00:00.000 [WARNING][57] felix/int_dataplane.go 1100: Configured MTU is larger than detected host interface MTU hostMTU=1450 mtu=1500"
DETERMINED = "2026-01-01 00:00:00.000 [INFO][57] felix/int_dataplane.go 1103: Determined pod MTU mtu=1400"
WANTED = '2026-01-01 00:00:00.000 [INFO][57] felix/vxlan_mgr.go 679: VXLAN device MTU needs to be updated device="vxlan.calico" ipVersion=0x4 new=1500 old=1450'
REFUSED = "2026-01-01 00:00:00.000 [WARNING][57] felix/vxlan_mgr.go 681: Failed to set vxlan tunnel device MTU error=invalid argument ipVersion=0x4"
GUESSED = "2026-01-01 00:00:00.000 [WARNING][57] felix/int_dataplane.go 1: Failed to auto-detect host MTU - no interfaces matched the MTU interface pattern."


def link(snapshot):
    return read_link(snapshot, read_settings(snapshot))


@pytest.mark.parametrize(
    ("pools", "status", "mtu"),
    [
        ([pool()], 1450, 1500),
        ([pool(vxlan="Never", ipip="Always")], 1480, 1500),
        ([pool(vxlan="Never")], 9000, 9000),
        ([pool(vxlan="Never", ipip="Always"), pool(disabled=True)], 1450, 1500),  # Felix counts disabled pools, too
    ],
)
def test_it_follows_from_the_pods_mtu_while_all_is_automatic(pools, status, mtu):
    found = link(operator(status=status, ip_pools=ok(*pools)))
    assert (found.mtu, found.where, found.field) == (mtu, "Installation default", "status.mtu")


def test_an_installation_with_an_mtu_repeats_it_and_tells_nothing():
    found = link(operator(1500))
    assert found.mtu is None
    assert "repeats an MTU that is set" in found.source


@pytest.mark.parametrize("felix_spec", [{"vxlanMTU": 1400}, {"ipipMTU": 1400}])
def test_a_configured_tunnel_that_counts_ends_the_derivation(felix_spec):
    known = link(operator(status=1400, felix_spec=felix_spec)).mtu
    assert (known is None) == ("vxlanMTU" in felix_spec)


def test_what_clouds_promise():
    def of(*providers):
        nodes = [Node(Ref("Node", str(number)), {}, {}, (), (), True, "", "", provider_id=text) for number, text in enumerate(providers)]
        return promised_link(operator(1480, nodes=ok(*nodes)))

    assert of("ibm://123///w1", "ibm://123///w2") == of("aws:///eu/i-1") == 1500
    assert of("ibm://123///w1", "") is of("gce://p/z/n") is of() is None


def test_manifests_tell_nothing():
    assert "no object of the API holds it" in link(manifest()).source
    assert link(kubespray()).mtu is None


def test_the_log_names_the_link():
    found = link(manifest("1500", logs=ok(log("x", LARGER))))
    assert (found.mtu, found.where) == (1450, "Pod calico-system/calico-node-a")


def test_the_log_tells_the_pods_mtu():
    assert link(manifest(logs=ok(log(DETERMINED)))).mtu == 1450
    assert link(manifest("1400", logs=ok(log(DETERMINED)))).mtu is None


def test_the_smallest_of_several_nodes_counts():
    logs = ok(log(DETERMINED, pod="a"), log(DETERMINED.replace("1400", "1350"), pod="b"))
    assert link(manifest(logs=logs)).mtu == 1400


def test_a_guess_is_told():
    assert link(operator(status=1410, logs=ok(log(GUESSED)))).guessed
    assert link(manifest(logs=ok(log(GUESSED)))).guessed_line == GUESSED
    assert not link(operator(status=1450)).guessed


def test_refusals():
    found = refusals(manifest("1500", logs=ok(log(WANTED, REFUSED, "other", WANTED.replace("old=1450", "old=1400"), REFUSED))))
    assert [(entry.tunnel, entry.wanted, entry.kept) for entry in found] == [("VXLAN", 1500, 1400)]
    assert refusals(manifest(logs=ok(log(WANTED)))) == ()
    assert refusals(manifest(logs=ok(log(REFUSED)))) == ()


def test_a_refusal_over_ipv6():
    six = [line.replace("0x4", "0x6") for line in (WANTED, REFUSED)]
    assert refusals(manifest(logs=ok(log(*six))))[0].tunnel == "VXLAN over IPv6"
