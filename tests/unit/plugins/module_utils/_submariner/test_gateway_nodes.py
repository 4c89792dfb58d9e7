# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Answer, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import nodes_to_label
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.members import node, ok

MASTER = {"node-role.kubernetes.io/master": "true"}
GATEWAY = {"submariner.io/gateway": "true"}


def snapshot(*nodes):
    return Snapshot("c", "", "", nodes=ok(*nodes))


def test_a_worker_is_preferred_and_the_choice_is_stable():
    assert nodes_to_label(snapshot(node("b"), node("a"), node("0-master", MASTER)), ()) == ("a",)


def test_a_cluster_of_control_plane_nodes_only_gets_one_of_them():
    assert nodes_to_label(snapshot(node("rke2-1", MASTER)), ()) == ("rke2-1",)


def test_labels_that_exist_are_kept():
    assert nodes_to_label(snapshot(node("a"), node("b", GATEWAY)), ()) == ()
    assert nodes_to_label(snapshot(node("a"), node("b", GATEWAY)), ("b", "a")) == ("a",)


def test_a_node_that_is_not_ready_is_not_chosen():
    assert nodes_to_label(snapshot(node("a", ready=False), node("b")), ()) == ("b",)
    with pytest.raises(RefusedError, match="none of the nodes a is Ready"):
        nodes_to_label(snapshot(node("a", ready=False)), ())


def test_wrong_names_are_told_with_the_right_ones():
    with pytest.raises(InputError, match="no such node. Nodes: a, b"):
        nodes_to_label(snapshot(node("a"), node("b")), ("c",))
    with pytest.raises(InputError, match="'a', which is not Ready"):
        nodes_to_label(snapshot(node("a", ready=False)), ("a",))


def test_nodes_that_cannot_be_listed_are_not_none():
    with pytest.raises(RefusedError, match="nodes could not be listed"):
        nodes_to_label(Snapshot("c", "", "", nodes=Answer(FORBIDDEN, (), "GET /api/v1/nodes", "no")), ())
