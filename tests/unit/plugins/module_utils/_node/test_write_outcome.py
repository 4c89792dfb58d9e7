# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome


def test_only_what_differs_is_a_change():
    outcome = Outcome()
    outcome.differs("/etc/x", "a", "a")
    assert outcome.result() == {"changed": False, "lines": [], "diff": []}
    outcome.differs("/etc/x", "a", "b")
    assert outcome.result()["changed"] and outcome.result()["diff"][0]["before"] == "a"


def test_after_a_failure_only_what_was_written_counts():
    outcome = Outcome(allow_disruption=True)
    outcome.differs("loaded modules", "", "a\nb\n")
    outcome.differs("/etc/x", "a", "b")
    outcome.lines.append("load a, b")
    assert outcome.result_of_failure() == {"changed": False, "lines": [], "diff": [], "disruptive": []}
    outcome.wrote("loaded modules", "a\n")
    failed = outcome.result_of_failure()
    assert (failed["changed"], failed["lines"]) == (True, ["loaded modules: changed before the failure, and left so"])
    assert [(each["after_header"], each["after"]) for each in failed["diff"]] == [("loaded modules", "a\n")]


def test_disruption_needs_consent_and_check_mode_says_so():
    with pytest.raises(RefusedError, match="allow_disruption=true.*Nothing was written. It would do: cut"):
        Outcome(allow_disruption=False).require_consent(["cut"])
    checked = Outcome(check_mode=True, allow_disruption=False)
    checked.require_consent(["cut"])
    assert checked.result()["disruptive"] == ["cut"] and "refused" in checked.warnings[0]
    agreed = Outcome(allow_disruption=True)
    agreed.require_consent(["cut"])
    agreed.require_consent([])
    assert agreed.result()["disruptive"] == ["cut"] and not agreed.warnings
