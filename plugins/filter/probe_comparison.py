# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What probes find otherwise than before."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._network._wire_comparison import compare

DOCUMENTATION = r"""
name: probe_comparison
short_description: What probes find otherwise than before
version_added: 0.2.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Compares what M(fathom.submariner.path_mtu) and M(fathom.submariner.path_probe) found at two times, such as before and after a repair. Same nodes and same
    options choose the same pairs, so that figures belong to the same paths.
  - Answers and path MTUs count when they differ, latency and throughput when they moved by more than a quarter.
positional: _input, after
options:
  _input:
    description:
      - Documents of kind C(NodeProbes) of the first time. Documents of other kinds are passed over.
    type: list
    elements: dict
    required: true
  after:
    description:
      - Those of the second time.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what a repair has changed
  ansible.builtin.debug:
    msg: "{{ before | fathom.submariner.probe_comparison(after) }}"
  vars:
    before: "{{ query('ansible.builtin.file', *query('ansible.builtin.fileglob', 'before/*.json')) | map('from_json') | list }}"
    after: "{{ query('ansible.builtin.file', *query('ansible.builtin.fileglob', 'after/*.json')) | map('from_json') | list }}"
"""

RETURN = r"""
_value:
  description:
    - Sentences for a person, what became worse first and a sum at the end.
  type: list
  elements: str
"""


def probe_comparison(before: t.Any, after: t.Any) -> list[str]:
    """Return what is otherwise."""
    for documents in (before, after):
        if not isinstance(documents, (list, tuple)) or not all(isinstance(each, t.Mapping) for each in documents):
            raise AnsibleFilterError("probe_comparison: wants two lists of documents, as path_mtu and path_probe return them in probes")
    try:
        return list(compare(before, after).lines)
    except SubmarinerError as error:
        raise AnsibleFilterError(f"probe_comparison: {error.message}") from error


class FilterModule:
    """Names the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return them."""
        return {"probe_comparison": probe_comparison}
