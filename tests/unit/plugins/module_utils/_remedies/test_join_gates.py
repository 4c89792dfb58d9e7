# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._join_gates import require_joinable
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import clusters

IPVS = clusters.config_map("kube-proxy", {"config.conf": "mode: ipvs\n"})
IPTABLES = clusters.config_map("kube-proxy", {"config.conf": "mode: iptables\n"})


def snapshot(config, version="v1.27.9+rke2r1", **fields):
    return replace(clusters.rke2(), server_version=clusters.ok(version), config_maps=clusters.ok(config), **fields)


def test_a_fit_cluster_passes_without_a_word():
    assert require_joinable(snapshot(IPTABLES), "0.19.0", forced=False) == []


def test_ipvs_is_refused_before_a_join_and_a_warning_when_forced():
    with pytest.raises(RefusedError, match="(?i)ipvs.*Nothing was written"):
        require_joinable(snapshot(IPVS), "0.19.0", forced=False)
    (warning,) = require_joinable(snapshot(IPVS), "0.19.0", forced=True)
    assert "ipvs" in warning.lower()


def test_a_version_whose_discovery_is_fatal_here_is_refused_although_cidrs_are_given():
    hosted = {"pods": clusters.ok(), "service_cidrs": clusters.ok(clusters.service_cidr("kubernetes", clusters.SERVICE_CIDR))}
    with pytest.raises(RefusedError, match="0.19.0 cannot discover.*0.21.1 or newer"):
        require_joinable(snapshot(IPTABLES, "v1.34.1", **hosted), "0.19.0", forced=False)
    assert not [warning for warning in require_joinable(snapshot(IPTABLES, "v1.34.1", **hosted), "0.21.1", forced=False) if "discover" in warning]


def test_a_mode_that_cannot_be_seen_is_a_warning_not_a_pass():
    unseen = replace(clusters.cluster(), server_version=clusters.ok("v1.27.9"))
    warnings = require_joinable(unseen, "0.19.0", forced=False)
    assert any("kube-proxy" in warning and "not judged" in warning for warning in warnings)
