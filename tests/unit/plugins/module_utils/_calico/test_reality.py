# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses are in use, of clusters whose pods were all read and of larger ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_sources import collect_cidr_evidence
from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._calico._reality import pod_reality, used_blocks
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import AGREED, REFUTED
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPAMBlock, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.clusters import (
    POD_CIDR,
    cluster,
    forbidden,
    installation,
    ok,
    pod,
    pool,
)

INSIDE = "10.46.7.0/26"
OUTSIDE = "10.99.0.0/26"


def block(cidr, used=1):
    return IPAMBlock(Ref("IPAMBlock", cidr.replace(".", "-").replace("/", "-")), cidr, "node", used)


def large(*blocks, pools=(POD_CIDR,), **changes):
    """A cluster of which some pods were read."""
    fields = {"pods": replace(ok(pod("web", "10.46.0.1")), partial=True), "ipam_blocks": ok(*blocks), "installations": ok(installation()), **changes}
    return replace(cluster(), ip_pools=ok(*(entry if not isinstance(entry, str) else pool("default", entry) for entry in pools)), **fields)


def ends(snapshot):
    return [used.ip for used in pod_reality(snapshot).addresses]


def test_whole_list_needs_no_blocks():
    snapshot = replace(large(block(INSIDE)), pods=ok(pod("web", "10.46.0.1")))
    assert (ends(snapshot), pod_reality(snapshot).missing) == (["10.46.0.1"], "")


def test_blocks_stand_for_the_pods_that_were_not_read():
    snapshot = large(block(INSIDE))
    assert ends(snapshot) == ["10.46.0.1", "10.46.7.0", "10.46.7.63"]
    assert pod_reality(snapshot).missing == ""
    verdict = cidr_truth(snapshot).pod()
    assert (verdict.status, verdict.verified) == (AGREED, True)


def test_block_outside_refutes():
    verdict = cidr_truth(large(block(OUTSIDE))).pod()
    assert (verdict.status, verdict.outside_count) == (REFUTED, 2)


@pytest.mark.parametrize("unused", [block(OUTSIDE, used=0), block("no cidr")])
def test_blocks_that_say_nothing(unused):
    assert ends(large(unused)) == ["10.46.0.1"]


def test_blocks_of_tunnels_are_no_pods():
    tunnels = pool("tunnels", "10.99.0.0/16")._replace(allowed_uses=("Tunnel",))
    snapshot = large(block(OUTSIDE), block(INSIDE), pools=(POD_CIDR, tunnels))
    assert [entry.cidr for entry, _network in used_blocks(snapshot)] == [INSIDE]


def test_unread_blocks_leave_the_answer_unverified():
    snapshot = large(ipam_blocks=forbidden("GET /blocks"))
    assert "IPAMBlocks" in pod_reality(snapshot).missing
    assert not cidr_truth(snapshot).pod().verified


def test_other_ipam_leaves_the_answer_unverified():
    snapshot = replace(large(block(INSIDE), pools=()), ip_pools=ok(), installations=ok(), daemon_sets=ok(), cluster_informations=ok())
    assert "there are more than the 1 that were looked at" in pod_reality(snapshot).missing


def test_evidence_row():
    (row,) = [row for row in collect_cidr_evidence(large(block(INSIDE, 3), block("10.46.7.64/26", 2))) if row.source == "ipam_block"]
    assert (row.object, row.cidrs, row.standing) == ("2 IPAMBlocks", ("10.46.7.0/25",), "shown")
    assert row.caveat.startswith("5 addresses in use")
    (single,) = [row for row in collect_cidr_evidence(large(block(INSIDE))) if row.source == "ipam_block"]
    assert single.object.startswith("IPAMBlock ")
