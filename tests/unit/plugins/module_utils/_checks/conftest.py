# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes which verdicts these tests make each check give; ``tests/unit/verdicts.py`` requires all of them."""

from __future__ import annotations

import pytest

from tests.unit import verdicts

AIMED = 5  # a test that judges more checks at once is not about one of them


@pytest.fixture(autouse=True)
def noted_verdicts(monkeypatch, request):
    # Here, because Ansible's loader is not ready when pytest reads this file.
    from ansible_collections.fathom.submariner.plugins.module_utils._checks import _engine

    real = _engine._judgement

    def noting(results, cluster):
        results = list(results)
        if len(results) <= AIMED:
            for check, problems in results:
                told = {verdicts.UNKNOWN if problem.missing else verdicts.FAIL for problem in problems} or {verdicts.PASS}
                request.config.stash[verdicts.NOTED].update((check.id, verdict) for verdict in told)
        return real(results, cluster)

    monkeypatch.setattr(_engine, "_judgement", noting)
