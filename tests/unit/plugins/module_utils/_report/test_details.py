# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis hands to the report beside its findings."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._report import _details
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble
from ansible_collections.fathom.submariner.plugins.module_utils._report._details import capped_cidrs, details_of, milliseconds
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, connection, gateway, node, ok
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report import reports


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("1ms", 1.0),
        ("1.2345ms", 1.234),
        ("850µs", 0.85),
        ("850us", 0.85),
        ("2s", 2000.0),
        ("1m2.5s", 62500.0),
        ("", None),
        ("0s", 0.0),
        ("soon", None),
        ("1ms ", None),
        ("1.2.3s", None),
    ],
)
def test_milliseconds(duration, expected):
    assert milliseconds(duration) == expected


def test_a_healthy_cluster():
    made = details_of(Facts.of(cluster()))
    assert made["nodes"] == {"total": 1, "ready": 1, "not_ready": [], "gateways": made["nodes"]["gateways"]}
    assert made["gateways"][0]["connections"][0] == {
        "cluster_id": "cluster-2", "hostname": "host-cluster-2", "status": "connected", "message": "", "using_ip": "192.168.0.2", "latency_ms": 1.0,
    }  # fmt: skip
    assert made["problems"] == [] and isinstance(made["timelines"], list)


def test_what_was_not_read_is_no_number():
    made = details_of(Facts.of(cluster(nodes=answer(FORBIDDEN))))
    assert made["nodes"] is None


def test_a_cluster_that_is_not_joined():
    assert details_of(Facts.of(cluster(joined=False)))["gateways"] == []


def test_it_is_small_on_a_large_cluster():
    nodes = ok(
        *(replace_ready(node(f"worker-{number:05d}.rack-17.example.org", pod_cidr=f"10.{number // 256}.{number % 256}.0/24"), number) for number in range(5000))
    )
    gateways = ok(
        *(
            gateway(*(connection(f"cluster-{other}", "error", "x" * 1000) for other in range(200)), ha_status="active" if number == 20 else "passive")
            for number in range(30)
        )
    )
    facts = Facts.of(cluster(nodes=nodes, gateways=gateways))
    made = details_of(facts)
    assert len(json.dumps(made)) < 50_000
    assert made["gateways_more"] == 20 and made["gateways"][0]["ha_status"] == "active"
    assert [entry["connections_more"] for entry in made["gateways"]] == [80] + [200] * 9
    assert (made["nodes"]["total"], made["nodes"]["ready"], len(made["nodes"]["not_ready"])) == (5000, 4950, 20)
    assert len(json.dumps(capped_cidrs(facts.truth.to_dict()))) < 30_000


def test_rows_of_one_source_are_capped_and_counted():
    truth = Facts.of(cluster()).truth.to_dict()
    row = next(row for row in truth["evidence"] if row["source"] == "ip_pool")
    cidrs = capped_cidrs({**truth, "evidence": [*truth["evidence"], *[row] * 5000]})
    assert cidrs["more"]["pod ip_pool"] > 4980 and len(json.dumps(cidrs)) < 40_000
    assert capped_cidrs(truth) == {**truth, "more": {}}


def replace_ready(record, number):
    return record._replace(ready=number % 100 != 0)


def test_a_drawing_that_breaks_does_not_take_the_diagnosis_with_it(monkeypatch):
    def broken(snapshot):
        raise KeyError("surprise")

    monkeypatch.setattr(_details, "mtu_picture", broken)
    made = details_of(Facts.of(replace(cluster(), taken_at="later")))
    assert made["mtu"] is None and made["problems"] == ["the MTU budget could not be made, please report it: KeyError: 'surprise'"]


def test_the_report_says_what_could_not_be_drawn():
    entry = reports.diagnosed(cluster(), problems=["the timelines could not be made"])
    assert assemble([entry], CHECKS).notes == ("cluster-1: the timelines could not be made",)
