# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Endpoints are shown to be dead by others."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Endpoint, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._broker_records import stale_endpoints


def endpoint(cluster_id, hostname, private_ip, created=""):
    return Endpoint(Ref("Endpoint", f"{cluster_id}-{hostname}", "ns"), "uid", cluster_id, hostname, "", "", private_ip, "", "", (), created)


def stale(*endpoints, own="own"):
    return [(found.stale.ref.name, found.alive.ref.name) for found in stale_endpoints(endpoints, own)]


def test_healthy():
    assert stale(endpoint("own", "a", "10.0.0.1"), endpoint("peer", "b", "10.0.0.2")) == []
    assert stale() == []


def test_two_clusters_with_the_same_private_address_are_two_clusters():
    assert stale(endpoint("own", "a", "10.0.0.1"), endpoint("peer", "b", "10.0.0.1")) == []


def test_the_own_former_id_is_dead_however_young():
    found = stale(endpoint("former", "a", "10.0.0.1", "2026-02-01T00:00:00Z"), endpoint("own", "a", "10.0.0.1", "2026-01-01T00:00:00Z"))
    assert found == [("former-a", "own-a")]


def test_of_two_remote_ids_the_younger_lives():
    found = stale(
        endpoint("own", "x", "10.0.0.9"), endpoint("old", "b", "10.0.0.2", "2025-01-01T00:00:00Z"), endpoint("new", "b", "10.0.0.2", "2026-01-01T00:00:00Z")
    )
    assert found == [("old-b", "new-b")]


def test_of_two_remote_ids_the_connected_one_lives():
    both = [endpoint("old", "b", "10.0.0.2", "2026-01-01T00:00:00Z"), endpoint("new", "b", "10.0.0.2", "2025-01-01T00:00:00Z")]
    (found,) = stale_endpoints(both, "own", {"new"})
    assert found.stale.cluster_id == "old"


def test_two_gateways_of_one_id():
    found = stale(endpoint("peer", "b1", "10.0.0.2", "2025-01-01T00:00:00Z"), endpoint("peer", "b2", "10.0.0.3", "2026-01-01T00:00:00Z"))
    assert found == [("peer-b1", "peer-b2")]


def test_each_dead_one_is_told_once():
    found = stale(*(endpoint(f"id-{number}", "b", "10.0.0.2", f"202{number}-01-01T00:00:00Z") for number in range(4)))
    assert sorted(name for name, _alive in found) == ["id-0-b", "id-1-b", "id-2-b"]
