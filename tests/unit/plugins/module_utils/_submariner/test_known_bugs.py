# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of known defects, and how releases are compared with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import SEVERITIES
from ansible_collections.fathom.submariner.plugins.module_utils._checks._version_conditions import CONDITIONS_KNOWN
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._known_bugs import (
    CALICO,
    CONDITIONS,
    KNOWN_BUGS,
    OPERATOR,
    SUBMARINER,
    KnownBug,
    known_bug,
)


@pytest.mark.parametrize("row", KNOWN_BUGS, ids=lambda row: row.id)
def test_every_row_has_a_source_and_can_be_decided(row):
    assert row.sources and all(source.strip() for source in row.sources)
    assert row.symptom.endswith(".") and not row.workaround.endswith(".")
    assert row.component in (SUBMARINER, CALICO, OPERATOR)
    assert row.severity in SEVERITIES
    assert set(row.needs) <= CONDITIONS == CONDITIONS_KNOWN
    assert row.judged_by in {"", *(check.id for check in CHECKS)}
    assert all(row.affects(release) is False for release in row.fixed)
    assert row.affects("no release") is None
    assert row.workaround or not row.workaround_helps


def test_ids_are_unique_and_rows_can_be_asked_for():
    assert len({row.id for row in KNOWN_BUGS}) == len(KNOWN_BUGS)
    assert known_bug("ipset-revision").component == CALICO
    with pytest.raises(KeyError):
        known_bug("unheard-of")


@pytest.mark.parametrize(
    ("bug", "affected", "fixed"),
    [
        ("ipset-revision", ["v3.26.4", "3.29.3", "v3.30.5", "3.31.2"], ["v3.30.6", "3.30.7", "v3.31.3", "v3.32.0", "3.33.0"]),
        ("api-certificate-namespace", ["v1.40.0", "v1.40.7", "v1.41.0"], ["v1.38.9", "v1.40.8", "v1.42.0", "v1.43.0"]),
        ("vxlan-checksum-offload", ["v3.28.0", "v3.32.1"], ["v3.27.5", "v3.25.0"]),
        ("nftables-tech-preview", ["v3.29.0", "v3.30.6"], ["v3.28.5", "v3.31.0", "v3.32.0"]),
        ("before-service-cidr-objects", ["0.19.0", "0.20.0", "0.21.0"], ["0.21.1", "0.22.1", "devel"]),
        ("before-cni-retries", ["0.16.7", "0.17.2", "0.18.0"], ["0.17.3", "0.18.1", "0.19.0", "release-0.18"]),
    ],
)
def test_what_is_affected(bug, affected, fixed):
    assert [version for version in affected if known_bug(bug).affects(version) is not True] == []
    assert [version for version in fixed if known_bug(bug).affects(version) is not False] == []


@pytest.mark.parametrize(
    ("bug", "version", "upgrade"),
    [
        ("ipset-revision", "v3.30.1", "3.30.6"),
        ("ipset-revision", "v3.29.0", "3.30.6"),
        ("ipset-revision", "v3.31.0", "3.31.3"),
        ("before-service-cidr-objects", "0.20.0", "0.21.1"),
        ("vxlan-checksum-offload", "v3.28.0", ""),
        ("ipset-revision", "odd", "3.30.6"),
    ],
)
def test_the_least_upgrade(bug, version, upgrade):
    assert known_bug(bug).upgrade_for(version) == upgrade


@given(st.tuples(*[st.integers(0, 60)] * 3), st.tuples(*[st.integers(0, 60)] * 3))
def test_a_later_release_of_a_line_never_loses_a_fix(first, second):
    row = KnownBug("x", CALICO, "", (f"{first[0]}.{first[1]}.{first[2]}",), (), "s.", "", False, ("source",))
    version = ".".join(map(str, second))
    assert row.affects(version) is (second < first)
    assert row.affects(f"v{version}-0.dev") is (second < first)


@given(st.text(max_size=20))
def test_comparing_never_raises(text):
    for row in KNOWN_BUGS:
        assert row.affects(text) in (True, False, None)
        assert isinstance(row.upgrade_for(text), str)
