# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list that may have been given as a text."""

from __future__ import annotations

import typing as t

DOCUMENTATION = r"""
name: listed
short_description: A list that may have been given as a text
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Of a text makes a list of what stands between its commas. That is how the command line (C(-e)) and a survey of AWX give a list, and people write C(a, b).
  - Spaces around an entry do not belong to it, and empty entries are none. Ansible itself, which splits a text at its commas, too, keeps both.
options:
  _input:
    description:
      - A list, or a text with commas.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Diagnose with the checks that a survey asked for
  fathom.submariner.diagnose:
    checks: "{{ submariner_checks | fathom.submariner.listed }}"
"""

RETURN = r"""
_value:
  description:
    - The list.
  type: list
  elements: raw
"""


def listed(given: t.Any) -> list[t.Any]:
    """Return the entries, texts without the spaces around them; none for None."""
    if given is None:
        return []
    entries = given.split(",") if isinstance(given, str) else given if isinstance(given, (list, tuple)) else [given]
    trimmed = [entry.strip() if isinstance(entry, str) else entry for entry in entries]
    return [entry for entry in trimmed if entry not in ("", None)]


class FilterModule:
    """Names the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return them."""
        return {"listed": listed}
