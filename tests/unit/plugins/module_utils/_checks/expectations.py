# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test expects of one check on one cluster."""

from __future__ import annotations

from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import judged


def one(snapshot, check_id):
    """The single finding of one check."""
    findings = judged(snapshot, check_id).findings
    assert [finding.id for finding in findings] == [check_id]
    return findings[0]


def expect_fail(snapshot, check_id):
    finding = one(snapshot, check_id)
    assert finding.verdict == "fail", finding
    return finding


def expect_unknown(snapshot, check_id):
    finding = one(snapshot, check_id)
    assert finding.verdict == "unknown", finding
    assert finding.missing
    assert judged(snapshot, check_id).passed == ()
    return finding


def expect_pass(snapshot, check_id):
    judgement = judged(snapshot, check_id)
    assert judgement.findings == ()
    assert judgement.passed == (check_id,)


def expect_not_asked(snapshot, check_id):
    judgement = judged(snapshot, check_id)
    assert (judgement.findings, judgement.passed) == ((), ())
