# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Wanted
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._join_cidrs import require_no_overlap, wanted_cidrs
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico import clusters
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders

NOTHING = {"cluster_cidr": None, "service_cidr": ""}


def test_what_is_not_given_is_taken_from_the_evidence():
    found = wanted_cidrs(clusters.rke2(), NOTHING)
    assert (found.cluster_cidr, found.service_cidr) == (clusters.POD_CIDR, clusters.SERVICE_CIDR)


def test_a_value_that_is_given_is_normalised_and_must_fit():
    assert wanted_cidrs(clusters.rke2(), {"cluster_cidr": " 10.46.7.1/16 "}).cluster_cidr == "10.46.0.0/16"
    with pytest.raises(InputError, match="cluster_cidr: 'nonsense' is no CIDR"):
        wanted_cidrs(clusters.rke2(), {"cluster_cidr": "nonsense"})
    with pytest.raises(RefusedError, match="the pod CIDR is not certain.*Nothing was written"):
        wanted_cidrs(clusters.rke2(), {"cluster_cidr": "10.46.0.0/24"})


def test_without_evidence_nothing_is_guessed():
    with pytest.raises(RefusedError, match="the pod CIDR is not certain"):
        wanted_cidrs(clusters.cluster(), NOTHING)


def test_what_could_not_be_compared_with_reality_is_a_warning():
    found = wanted_cidrs(replace(clusters.rke2(), services=clusters.forbidden("GET /api/v1/services")), NOTHING)
    assert any("service CIDR" in warning and "/api/v1/services" in warning for warning in found.warnings)


WANTED = Wanted("cluster-1", "10.42.0.0/16", "10.43.0.0/16")


def test_overlap_with_a_peers_truth_is_refused_by_name():
    with pytest.raises(RefusedError, match=r"10\.46\.0\.0/16 overlaps 10\.46\.0\.0/16 of"):
        require_no_overlap(Wanted("cluster-9", "10.46.0.0/16", "10.99.0.0/16"), clusters.cluster(), [clusters.rke2()])


def test_overlap_with_what_an_unreached_cluster_announces_is_refused():
    local = replace(clusters.cluster(), endpoints=clusters.ok(clusters.endpoint("cluster-3", "10.42.128.0/24")))
    with pytest.raises(RefusedError, match="of cluster-3"):
        require_no_overlap(WANTED, local, [])


def test_its_own_endpoint_is_no_overlap():
    local = replace(clusters.cluster(), endpoints=clusters.ok(clusters.endpoint("cluster-1", "10.42.0.0/24", "10.43.0.0/16")))
    assert require_no_overlap(WANTED, local, [clusters.rke2()]) == []


def test_a_peer_whose_ranges_are_not_certain_is_a_warning():
    (warning,) = require_no_overlap(WANTED, clusters.cluster(), [clusters.cluster()])
    assert "pod and service CIDR is not certain" in warning


def test_a_cluster_that_joins_is_compared_with_the_endpoints_that_its_peers_hold():
    new = builders.cluster("cluster-2", joined=False)  # the peer, cluster-1, holds an Endpoint of a cluster-2 with the same ranges
    same = Wanted("new", builders.PODS["cluster-2"], builders.SERVICES["cluster-2"])
    with pytest.raises(RefusedError, match=r"overlaps 10\.43\.0\.0/16 of cluster-2, of which cluster-1 holds an Endpoint .*broker_records"):
        require_no_overlap(same, new, [builders.cluster("cluster-1")])
    assert require_no_overlap(same._replace(cluster_id="cluster-2"), new, [builders.cluster("cluster-1")]) == []  # whether that is free is asked elsewhere
    assert require_no_overlap(Wanted("new", "10.1.0.0/16", "10.2.0.0/16"), new, [builders.cluster("cluster-1")]) == []


def test_endpoints_of_a_peer_that_cannot_be_read_are_a_warning():
    peer = builders.cluster("cluster-1", endpoints=builders.answer("forbidden"))
    (warning,) = require_no_overlap(Wanted("new", "10.1.0.0/16", "10.2.0.0/16"), builders.cluster("cluster-2", joined=False), [peer])
    assert "its Endpoints could not be read" in warning


def test_its_own_endpoint_under_the_id_that_it_has_until_now_is_no_overlap():
    assert require_no_overlap(Wanted("renamed", builders.PODS["cluster-1"], builders.SERVICES["cluster-1"]), builders.cluster("cluster-1"), []) == []
