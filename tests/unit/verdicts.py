# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin: a run of all unit tests fails unless every check of the catalogue was seen to pass, to fail and to be unknown in tests that aim at it.

``conftest.py`` beside the checks' tests notes what they see. Notes of xdist's workers are gathered; a run of a part of the tests is not judged.
"""

from __future__ import annotations

import pytest

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
NOTED = pytest.StashKey[set]()
_UNSEEN = pytest.StashKey[list]()

# Verdicts that a check cannot give, and why.
NEVER = {
    ("clusterset-member-unread", FAIL): "who was not read is unknown, not wrong",
}
_KEY = "verdicts"


def pytest_configure(config):
    config.stash[NOTED] = set()
    config.stash[_UNSEEN] = []


def pytest_sessionfinish(session, exitstatus):
    worker = getattr(session.config, "workeroutput", None)
    if worker is not None:
        worker[_KEY] = sorted(session.config.stash[NOTED])
    elif exitstatus == pytest.ExitCode.OK and _is_whole(session.config):
        session.config.stash[_UNSEEN] = unseen(session.config)
        if session.config.stash[_UNSEEN]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[NOTED].update(map(tuple, getattr(node, "workeroutput", {}).get(_KEY, ())))


def pytest_terminal_summary(terminalreporter, config):
    for check, verdict in config.stash[_UNSEEN]:
        terminalreporter.write_line(f"no test that aims at check {check} sees it give the verdict {verdict}", red=True)


def unseen(config):
    """The verdicts that no test has seen, as pairs of check and verdict."""
    from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS

    wanted = {(check.id, verdict) for check in CHECKS for verdict in (PASS, FAIL, UNKNOWN)}
    return sorted(wanted - config.stash[NOTED] - set(NEVER))


def _is_whole(config):
    return "tests/unit" in config.args and not (config.option.keyword or config.option.collectonly or config.option.maxfail)
