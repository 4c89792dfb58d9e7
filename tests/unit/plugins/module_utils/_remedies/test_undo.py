# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be put back, and why."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import CREATE, DELETE, RESTART, Record
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._undo import CANNOT, NOTHING, overlapped, undo

POOL = "/apis/projectcalico.org/v3/ippools/stale"


def pool(name, cidr):
    return {"metadata": {"name": name}, "spec": {"cidr": cidr}}


def record(verb=DELETE, path=POOL, before=pool("stale", "10.42.0.0/24")):
    return Record(1, verb=verb, path=path, object="IPPool stale", before=before)


def test_a_pool_whose_range_another_one_has_cannot_come_back():
    said = overlapped(record(), [pool("own", "10.46.0.0/16"), pool("six", "fd00::/48"), pool("whole", "10.42.0.0/16")])
    assert said == "IPPool stale cannot be put back: IPPool whole, which has been made since, overlaps it, and Calico refuses overlapping pools"


@pytest.mark.parametrize(
    ("entry", "pools"),
    [
        (record(), [pool("stale", "10.42.0.0/24"), pool("next", "10.42.1.0/24")]),
        (record(CREATE), [pool("whole", "10.42.0.0/16")]),
        (record(path="/api/v1/namespaces/x/configmaps/stale"), [pool("whole", "10.42.0.0/16")]),
        (record(before=None), [pool("whole", "10.42.0.0/16")]),
        (record(), [pool("whole", "no range")]),
    ],
)
def test_all_else_can(entry, pools):
    assert overlapped(entry, pools) == ""


def test_a_restarted_pod_is_told_and_what_was_made_for_a_while_is_nothing_to_undo():
    assert undo(Record(1, verb=RESTART, path="/x", object="Pod ns/agent", marks={"done"}), None).action == CANNOT
    assert undo(Record(1, verb=RESTART, path="/x", object="Job ns/node-probe", marks={"done"}), None).action == NOTHING
