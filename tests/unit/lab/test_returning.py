# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a lab counts as being as it was."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.lab import image, returning, woken
from tests.lab.info import ClusterInfo

PATH = "/apis/crd.projectcalico.org/v1/ippools/remote"


def pool(uid: str, made: str, label: str = "true", **spec: t.Any) -> dict[str, t.Any]:
    kept = json.dumps({"uid": uid, "creationTimestamp": made, "labels": {"submariner.io/ippool": label}})
    metadata = {"name": "remote", "uid": f"{uid}-v1", "annotations": {"projectcalico.org/metadata": kept}}
    return {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": metadata, "spec": {"cidr": "10.50.0.0/16", **spec}}


@pytest.fixture
def departures(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., list[str]]:
    cluster = t.cast(ClusterInfo, type("Cluster", (), {"name": "cluster-1"})())

    def told(before: dict[str, t.Any], now: dict[str, t.Any], *but: str) -> list[str]:
        monkeypatch.setattr(woken, "woken", lambda _cluster: before)
        monkeypatch.setattr(returning, "Store", lambda _cluster: None)
        monkeypatch.setattr(image, "take", lambda _store: now)
        return returning.departures(cluster, (), but)

    return told


def test_an_object_that_was_made_again_is_what_it_was(departures):
    assert departures({PATH: pool("a", "2026-01-01T00:00:00Z")}, {PATH: pool("b", "2026-01-02T00:00:00Z")}) == []


@pytest.mark.parametrize("now", [{PATH: pool("a", "2026-01-01T00:00:00Z", "false")}, {PATH: pool("a", "2026-01-01T00:00:00Z", disabled=True)}, {}])
def test_what_somebody_decided_counts(departures, now):
    before = {PATH: pool("a", "2026-01-01T00:00:00Z")}
    (told,) = departures(before, now)
    assert told.startswith(f"cluster-1 {PATH}: was ")
    assert departures(before, now, "remote") == departures(before, now, f"cluster-1 {PATH}") == []
    assert departures(before, now, f"cluster-2 {PATH}") == [told]


def test_what_submariners_operator_makes_where_it_is_missing_does_not_count(departures):
    path = "/api/v1/namespaces/submariner-operator/serviceaccounts/submariner-gateway"
    account = {path: {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "submariner-gateway", "namespace": "submariner-operator"}}}
    assert departures({}, account) == []
    assert len(departures(account, {})) == 1
