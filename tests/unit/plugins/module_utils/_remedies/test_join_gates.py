# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._join_gates import require_joinable
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import clusters
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders, methods

IPVS = clusters.config_map("kube-proxy", {"config.conf": "mode: ipvs\n"})
IPTABLES = clusters.config_map("kube-proxy", {"config.conf": "mode: iptables\n"})


def snapshot(config, version="v1.27.9+rke2r1", **fields):
    return replace(clusters.rke2(), server_version=clusters.ok(version), config_maps=clusters.ok(config), **fields)


def test_a_fit_cluster_passes_without_a_word():
    assert require_joinable(builders.cluster(joined=False), "0.19.0", forced=False) == []


def test_ipvs_is_refused_before_a_join_and_a_warning_when_forced():
    with pytest.raises(RefusedError, match="(?i)ipvs.*Nothing was written"):
        require_joinable(snapshot(IPVS), "0.19.0", forced=False)
    assert [warning for warning in require_joinable(snapshot(IPVS), "0.19.0", forced=True) if "ipvs" in warning.lower()]


def test_a_version_whose_discovery_is_fatal_here_is_refused_although_cidrs_are_given():
    hosted = {"pods": clusters.ok(), "service_cidrs": clusters.ok(clusters.service_cidr("kubernetes", clusters.SERVICE_CIDR))}
    with pytest.raises(RefusedError, match="0.19.0 cannot discover.*0.21.1 or newer"):
        require_joinable(snapshot(IPTABLES, "v1.34.1", **hosted), "0.19.0", forced=False)
    assert not [warning for warning in require_joinable(snapshot(IPTABLES, "v1.34.1", **hosted), "0.21.1", forced=False) if "discover" in warning]


def test_a_mode_that_cannot_be_seen_is_a_warning_not_a_pass():
    unseen = replace(clusters.cluster(), server_version=clusters.ok("v1.27.9"))
    warnings = require_joinable(unseen, "0.19.0", forced=False)
    assert any("kube-proxy" in warning and "not judged" in warning for warning in warnings)


NO_API = {"ip_pools_v3": builders.not_served()}


def test_no_calico_api_server_is_refused_and_the_role_that_makes_one_is_named():
    before = builders.cluster(joined=False, **NO_API)
    with pytest.raises(RefusedError, match="Calico API server is not enabled.*Role fathom.submariner.calico_api_server does it. Nothing was written"):
        require_joinable(before, "0.19.0", forced=False)
    (warning,) = require_joinable(before, "0.19.0", forced=True)
    assert "Calico API server" in warning


def test_in_check_mode_an_earlier_step_may_be_what_makes_the_api_server():
    (warning,) = require_joinable(builders.cluster(joined=False, **NO_API), "0.19.0", forced=False, check_mode=True)
    assert warning.endswith("Until then, the real run is refused")


def test_a_member_with_all_its_pools_may_be_joined_again_without_the_api_server():
    (warning,) = require_joinable(builders.cluster(**NO_API), "0.19.0", forced=False)
    assert "Calico API server" in warning


@pytest.mark.parametrize("version, refused, warned", [("0.20.0", True, True), ("0.21.0", False, False), ("", False, True), ("devel", False, False)])
def test_nftables_is_judged_by_the_version_that_is_to_be_deployed(version, refused, warned):
    before = builders.cluster(joined=False, pods=builders.ok(builders.component("kube-proxy", "--proxy-mode=nftables")))
    if refused:
        with pytest.raises(RefusedError, match="nftables mode, which Submariner handles from 0.21.0 on"):
            require_joinable(before, version, forced=False)
    assert any("nftables" in warning for warning in require_joinable(before, version, forced=True)) == warned


@pytest.mark.parametrize(
    "network, words", [({"linuxDataplane": "BPF"}, "eBPF"), ({"nodeAddressAutodetectionV4": {"firstFound": True}}, "finds its address by first-found")]
)
def test_what_bears_watching_is_a_warning(network, words):
    found = methods.installation(computed={"calicoNetwork": {"nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}, **network}})
    (warning,) = require_joinable(builders.cluster(joined=False, installations=builders.ok(found)), "0.19.0", forced=False)
    assert words in warning
