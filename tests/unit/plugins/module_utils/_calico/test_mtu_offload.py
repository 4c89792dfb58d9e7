# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Felix switches checksum offload off."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_offload import exposed, off_by_itself, override, said
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import ADDED, daemon_set, felix, ok, snapshot


def node(name, kernel="5.15.0-91-generic", provider="vsphere://4221", system="linux"):
    return Node(Ref("Node", name), {}, {}, (), (), True, "", ADDED, provider_id=provider, kernel_version=kernel, operating_system=system)


@pytest.mark.parametrize(
    ("calico", "kernel", "off"),
    [
        ((3, 25, 2), (5, 4, 0), True),
        ((3, 25, 2), (5, 7, 0), False),
        ((3, 25, 2), (5, 15, 0), False),
        ((3, 26, 4), (6, 8, 0), True),
        ((3, 27, 3), (5, 4, 0), True),
        ((3, 28, 0), (5, 4, 0), True),
        ((3, 28, 0), (5, 7, 0), True),
        ((3, 28, 0), (5, 7, 1), False),
        ((3, 31, 5), (6, 8, 0), False),
    ],
)
def test_by_release_and_kernel(calico, kernel, off):
    assert off_by_itself(calico, kernel) is off


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("ChecksumOffloadBroken=true", True),
        ("SNATFullyRandom=false,ChecksumOffloadBroken=True", True),
        (" ChecksumOffloadBroken = true ", True),
        ("ChecksumOffloadBroken=false", False),
        ("ChecksumOffloadBroken", None),
        ("SNATFullyRandom=true", None),
        ("", None),
    ],
)
def test_what_an_override_says(value, meaning):
    assert said(value) is meaning


def test_the_environment_outranks_felix_configuration():
    configured = ok(felix(featureDetectOverride="ChecksumOffloadBroken=true"))
    assert override(snapshot(felix_configurations=configured)).switched_off is True
    outranked = override(snapshot(felix_configurations=configured, daemon_sets=ok(daemon_set(FELIX_FEATUREDETECTOVERRIDE=""))))
    assert (outranked.switched_off, outranked.field) == (None, "env FELIX_FEATUREDETECTOVERRIDE")
    assert override(snapshot()).switched_off is None


def test_nodes_at_risk():
    nodes = ok(
        node("a"),
        node("b", "6.8.0"),
        node("old", "5.4.0"),
        node("win", system="windows"),
        node("metal", provider=""),
        node("os", provider="openstack:///1"),
        node("odd", ""),
    )
    found, unknown = exposed(snapshot(nodes=nodes), (3, 28, 1))
    assert [(entry.hypervisor, entry.nodes) for entry in found] == [("openstack://", ("os",)), ("vsphere://", ("a", "b"))]
    assert found[1].kernels == ("5.15.0-91-generic", "6.8.0")
    assert unknown == ("odd",)
    assert exposed(snapshot(nodes=nodes), (3, 27, 0))[0] == ()
