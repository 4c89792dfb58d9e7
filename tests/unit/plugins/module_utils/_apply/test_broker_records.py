# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of dead clusters is not deleted after all, since it was written again meanwhile: against an API server on loopback."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _broker_records as records
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as project
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import Record, Trace
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, Bench, StampingApi

BROKER = "submariner-k8s-broker"
ENDPOINTS = f"/apis/submariner.io/v1/namespaces/{BROKER}/endpoints"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
ALL_SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
IMPORTS = f"/apis/multicluster.x-k8s.io/v1alpha1/namespaces/{BROKER}/serviceimports"


@pytest.fixture
def bench(tmp_path):
    with StampingApi() as api:
        api.objects.update({path: {} for path in (MAPS, LEASES, ENDPOINTS, SLICES, ALL_SLICES, IMPORTS)})
        made = Bench(api, tmp_path)
        yield made
        made.last_lease.pause()
        made.member.connection.close()


def task(bench):
    return SimpleNamespace(member=bench.member, writer=bench.writer(), deadline=bench.deadline, lines=[], people=[], facts={"records": []})


def put_endpoint(bench, **spec):
    bench.api.put(ENDPOINTS, "old-cable", kind="Endpoint", spec={"cluster_id": "old", **spec}, metadata={"name": "old-cable", "namespace": BROKER, "uid": "u"})


def put_slice(bench, ready):
    labels = {"multicluster.kubernetes.io/source-cluster": "old"}
    for path in (SLICES, ALL_SLICES):
        metadata = {"name": "web", "namespace": "shop", "uid": "u", "labels": labels}
        bench.api.put(path, "web", kind="EndpointSlice", endpoints=[{"conditions": {"ready": ready}}], metadata=metadata)


def put_import(bench, *clusters):
    metadata = {"name": "web", "namespace": BROKER, "uid": "u"}
    return bench.api.put(IMPORTS, "web", kind="ServiceImport", status={"clusters": [{"cluster": each} for each in clusters]}, metadata=metadata)


def judged(bench, work):
    """What there is to be deleted, of each sort."""
    local = SimpleNamespace(service_imports=SimpleNamespace(items=(project.service_import(put_import(bench, "old")),)), cluster="c1")
    put_endpoint(bench)
    put_slice(bench, True)
    record = Record("Endpoint", BROKER, "old-cable", "old")
    found = [(record, work.writer.read(f"{ENDPOINTS}/old-cable"))]
    return [*records._of_records(found), *records._slices(work, ["old"]), *records._imports(work, local, {"old"}, BROKER)]


@pytest.mark.parametrize(
    ("meanwhile", "stays"),
    [
        (lambda bench: None, ""),
        (lambda bench: put_endpoint(bench), "Endpoint submariner-k8s-broker/old-cable"),  # the same again: who writes it lives
        (lambda bench: put_endpoint(bench, backend="wireguard"), "Endpoint submariner-k8s-broker/old-cable"),
        (lambda bench: put_slice(bench, False), "EndpointSlice shop/web"),
        (lambda bench: put_import(bench, "old", "new"), "ServiceImport submariner-k8s-broker/web"),
        (lambda bench: put_import(bench), ""),  # what goes before it may take the dead one out of it
    ],
)
def test_what_was_written_after_it_had_been_judged_stays(bench, meanwhile, stays):
    work = task(bench)
    leftovers = judged(bench, work)
    meanwhile(bench)
    work.writer._seen.clear()
    kept = []
    for leftover in leftovers:
        try:
            records._delete(work, leftover)
        except RefusedError as error:
            assert f"c1: {leftover.what} was written after it had been judged: its cluster may live. It stays." in error.message
            kept.append(leftover.what)
    assert kept == ([stays] if stays else []) and len(work.lines) == len(leftovers) - len(kept)


def test_what_is_going_already_is_not_deleted_again(bench):
    work = task(bench)
    (leftover, *dummy) = judged(bench, work)
    metadata = {"name": "old-cable", "namespace": BROKER, "uid": "u", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    bench.api.put(ENDPOINTS, "old-cable", kind="Endpoint", spec={}, metadata=metadata)
    records._delete(work, leftover)
    assert work.lines == [] and not work.writer.changed


def test_the_use_of_a_clusters_token_is_a_trace_of_it(bench):
    """Of other clusters' tokens and of a Secret's content nothing is taken."""
    secrets = f"/api/v1/namespaces/{BROKER}/secrets"
    bench.api.objects[secrets] = {}
    for owner in ("cluster-old", "cluster-new", "submariner-k8s-broker-admin"):
        labels, annotations = {records.TOKEN_USED: "2026-01-01"}, {records.TOKEN_OWNER: owner}
        bench.api.put(secrets, owner, data={"token": "CANARY"}, metadata={"name": owner, "labels": labels, "annotations": annotations})
    work = task(bench)
    work.peers, work.warnings = (), []
    now = SimpleNamespace(taken_at="2026-01-03T00:00:00Z")
    assert list(records._token_uses(work, ["old"], now, BROKER)) == [Trace("old", "its token was used on 2026-01-01, so perhaps", "2026-01-01T23:59:59Z")]
    (asked,) = [call for call in bench.api.calls if call.path == secrets]
    assert "as=PartialObjectMetadataList" in asked.headers["Accept"] and asked.query["labelSelector"] == records.TOKEN_USED
    assert work.warnings == []


def test_tokens_that_may_not_be_looked_at_are_said(bench):
    work = task(bench)
    work.peers, work.warnings = (), []
    assert list(records._token_uses(work, ["old"], SimpleNamespace(taken_at="2026-01-03T00:00:00Z"), "nowhere")) == []
    assert len(work.warnings) == 1 and "Whether the tokens of old are still used at the broker could not be asked" in work.warnings[0]
