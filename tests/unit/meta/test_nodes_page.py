# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide's table of what tells causes apart is the decision tree's own."""

from __future__ import annotations

import itertools
import pathlib

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/docsite/rst/nodes.rst"
BEGIN, END = ".. separations begin\n", ".. separations end\n"
ADDRESSED = "only a Service's address does not answer, not the addresses behind it"


def table():
    """The table as it must stand between the two marks."""
    from ansible_collections.fathom.submariner.plugins.module_utils._calico import _differential as tree

    rows = [".. list-table::", "   :header-rows: 1", "", "   * - One cause", "     - Another", "     - What is different"]
    for one, other in itertools.combinations(tree.CAUSES, 2):
        names = tree.separating(one, other)
        telling = [tree.WORDS[name][0] for name in names if name != tree.WHAT]
        rows += [f"   * - {one}", f"     - {other}", f"     - {'; '.join(telling) or ADDRESSED}"]
    return "\n" + "\n".join(rows) + "\n\n"


def test_the_table_is_the_trees_own():
    before, _mark, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    found, end, _after = rest.partition(END)
    assert before and end
    assert found == table(), f"between the marks of {PAGE.name} must stand:\n{table()}"


def test_every_check_of_the_wire_is_named():
    from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS

    page = PAGE.read_text(encoding="utf-8")
    assert [check.id for check in CHECKS if check.id.startswith("wire-") and f"``{check.id}``" not in page] == []
