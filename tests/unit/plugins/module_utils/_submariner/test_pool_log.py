# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the route agent's log says of IPPools."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import PodLog, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._pool_log import CHARACTERS, GAVE_UP, NOT_SERVED, OVERLAPS, pool_lines
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import cluster, ok

POD = Ref("Pod", "submariner-routeagent-abcde", "submariner-operator")


def lines(*texts, container="submariner-routeagent", previous=False):
    return pool_lines(cluster(logs=ok(PodLog(POD, container, "\n".join(texts), "", previous))))


def test_the_last_line_of_each_kind_in_the_order_of_the_story():
    found = lines("Ignoring create event for endpoint a", "1 (post ippools.projectcalico.org)", "IPPool(a) CIDR overlaps with IPPool(b)", "2 (post ippools.projectcalico.org)")
    assert [(line.kind, line.count) for line in found] == [(NOT_SERVED, 2), (OVERLAPS, 1), (GAVE_UP, 1)]
    assert found[0].text == "2 (post ippools.projectcalico.org)"
    assert found[0].pod == POD


def test_other_containers_and_incarnations_say_nothing():
    assert lines("Ignoring create event for endpoint a", container="submariner-gateway") == ()
    assert lines("Ignoring create event for endpoint a", previous=True) == ()
    assert lines("INF all is well") == ()


def test_a_long_line_keeps_what_makes_it_one():
    text = lines("x" * 400 + " (post ippools.projectcalico.org)")[0].text
    assert len(text) == CHARACTERS
    assert text.startswith("…x") and text.endswith("post ippools.projectcalico.org")
    assert lines("(post ippools.projectcalico.org) " + "x" * 400)[0].text.startswith("(post")
