# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions and what is gated by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import (
    ARGS_READ, CHANGES, ONE_NODE_ONLY, POOLS_WITHOUT_BGP_EXPORT, SERVICE_CIDR_OBJECTS, parse_kubernetes_version, parse_submariner_version,
)


def test_the_history_is_in_order():
    history = [
        "0.16.0-m4", "0.16.0-rc0", "v0.16.0", "0.16.7", "release-0.16", "0.17.3", "0.18.0", "0.18.1", "release-0.18", "0.19.0-m0", "v0.19.0-m3",
        "0.19.0-rc0", "v0.19.0-rc3", "0.19.0", "0.19.1", "0.20.0", "0.21.1", "1.0.0", "devel",
    ]
    points = [parse_submariner_version(text).point for text in history]
    assert points == sorted(points) and len(set(points)) == len(points)


@pytest.mark.parametrize("text", ["", "latest", "local", "sha256:abc", "subctl", "0.17", "release-x", "v0.17.3-custom", "0.17.3 ; rm"])
def test_what_names_no_point_in_history_is_unknown(text):
    assert parse_submariner_version(text) is None
    assert all(change.holds_in(text) is None for change in CHANGES)


def test_a_build_counts_as_what_it_was_built_on():
    assert parse_submariner_version("0.19.0-m3-12-gab12cd3").point == parse_submariner_version("0.19.0-m3").point


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.27.9+rke2r1", (1, 27, 9)), ("v1.30.4-eks-a737599", (1, 30, 4)), ("v1.29.1-gke.1589000", (1, 29, 1)), ("1.33", (1, 33, 0)),
        ("v1.36.1", (1, 36, 1)), ("v1.33+", (1, 33, 0)), ("", None), ("unknown", None),
    ],
)
def test_kubernetes_versions(text, version):
    assert parse_kubernetes_version(text) == version


@pytest.mark.parametrize(
    ("change", "without", "with_it"),
    [
        (
            ARGS_READ, ["0.15.4", "0.16.0", "0.17.3", "release-0.17", "0.18.0", "0.19.0-m3"],
            ["0.18.1", "release-0.18", "0.19.0-rc0", "0.19.0", "0.20.0", "devel"],
        ),
        (ONE_NODE_ONLY, ["0.14.9", "0.15.2", "0.16.0-m4"], ["0.15.3", "0.15.4", "0.16.0-rc0", "0.16.0", "0.21.0"]),
        (SERVICE_CIDR_OBJECTS, ["0.17.3", "0.20.0", "0.21.0"], ["0.21.1", "release-0.21", "0.22.1", "devel"]),
        (POOLS_WITHOUT_BGP_EXPORT, ["0.16.7", "0.17.2", "0.18.0", "0.19.0-m3"], ["0.17.3", "0.18.1", "0.19.0-rc0", "0.22.1"]),
    ],
)
def test_what_holds_in_which_version(change, without, with_it):
    assert [version for version in without if change.holds_in(version) is not False] == []
    assert [version for version in with_it if change.holds_in(version) is not True] == []


@pytest.mark.parametrize(
    ("change", "version", "upgrade"),
    [(ARGS_READ, "0.16.0", "0.18.1"), (ARGS_READ, "0.18.0", "0.18.1"), (ARGS_READ, "0.19.0-m3", "0.19.0-rc0"), (SERVICE_CIDR_OBJECTS, "0.19.0", "0.21.1")],
)
def test_the_least_upgrade(change, version, upgrade):
    assert change.upgrade_for(version) == upgrade


def test_every_change_names_its_source_and_starts_somewhere():
    for change in CHANGES:
        assert change.source and change.what
        assert all(parse_submariner_version(text) for text in change.first)
    assert len({change.id for change in CHANGES}) == len(CHANGES)


@given(st.text(max_size=30))
def test_reading_a_version_never_raises(text):
    version = parse_submariner_version(text)
    assert version is None or str(version) == text.strip()
    assert parse_kubernetes_version(text) is None or len(parse_kubernetes_version(text)) == 3
