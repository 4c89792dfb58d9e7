# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's version: as it is written in the places that tell it."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least, calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import ClusterInformation, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import cluster, ok


@pytest.mark.parametrize(
    ("text", "version"),
    [("v3.27.4", (3, 27, 4)), ("3.30.0-rc1", (3, 30, 0)), ("release-v3.31", (3, 31, 0)), ("v1.27.9+rke2r1", (1, 27, 9)), ("master", None), ("", None)],
)
def test_parse(text, version):
    assert parse_calico_version(text) == version


@pytest.mark.parametrize(("text", "minimum", "expected"), [("v3.28.0", (3, 28), True), ("v3.27.9", (3, 28), False), ("v3.31.5", (3, 31, 6), False), ("x", (3, 28), None)])
def test_at_least(text, minimum, expected):
    assert at_least(text, *minimum) is expected


def test_calico_node_itself_is_believed_first():
    said = ok(ClusterInformation(Ref("ClusterInformation", "default"), "v3.29.3", ""))
    assert calico_version(cluster(cluster_informations=said)) == "v3.29.3"
    assert calico_version(cluster(cluster_informations=ok(), installations=ok(methods.installation(version="v3.30.3")))) == "v3.30.3"


def test_image_as_the_last_resort():
    assert calico_version(cluster(**methods.manifest(cluster_informations=ok()))) == "v3.30.3"
    assert calico_version(cluster(**methods.without_operator(cluster_informations=ok()))) == ""
