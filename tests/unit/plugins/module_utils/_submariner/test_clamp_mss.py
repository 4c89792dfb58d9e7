# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TCP segment size of gateway nodes."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._clamp_mss import ANNOTATION, clamp_patch, reads_older, written_at


def node(value=None, *times):
    fields = [{"manager": "m", "time": time, "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{ANNOTATION}": {}}}}} for time in times]
    others = [{"manager": "kubelet", "time": "2026-09-09T00:00:00Z", "fieldsV1": {"f:status": {}}}, {"manager": "odd"}]
    return {"metadata": {"name": "n", "annotations": {"a": "b", **({ANNOTATION: value} if value else {})}, "managedFields": [*others, *fields]}}


@pytest.mark.parametrize(
    ("found", "asked", "wanted"),
    [(None, 1300, "1300"), ("1400", 1300, "1300"), ("1300", 0, None), ("large", 1300, "1300")],
)
def test_what_differs_is_written(found, asked, wanted):
    assert clamp_patch(node(found), asked) == {"metadata": {"annotations": {ANNOTATION: wanted}}}


@pytest.mark.parametrize(("found", "asked"), [("1300", 1300), (None, 0)])
def test_what_is_there_is_not(found, asked):
    assert clamp_patch(node(found), asked) == {}
    assert clamp_patch({"metadata": {"name": "bare"}}, 0) == {}


def test_an_agent_that_started_before_the_annotation_was_written_has_not_read_it():
    written = node("1300", "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z")
    assert written_at(written) == "2026-01-05T00:00:00Z"
    assert reads_older(written, "2026-01-04T23:59:59Z")
    assert not reads_older(written, "2026-01-05T00:00:00Z")
    assert not reads_older(written, "")
    assert not reads_older(node("1300"), "2026-01-01T00:00:00Z")
