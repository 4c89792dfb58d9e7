# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process this playbook is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: controller_process
short_description: Which process this playbook is
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Tells the process of C(ansible-playbook), so that a lock that it takes with M(fathom.submariner.lease) can be known to be a dead playbook's, see
    O(fathom.submariner.lease#module:process).
  - Terms are ignored.
options: {}
"""

EXAMPLES = r"""
- name: Take the lock for as long as this playbook lives
  fathom.submariner.lease:
    run: nightly-20261121
    process: "{{ lookup('fathom.submariner.controller_process') }}"
"""

RETURN = r"""
_raw:
  description: The process as a text. On systems without C(/proc) it tells two playbooks apart, and not whether one has ended.
  type: list
  elements: str
"""

import multiprocessing
import os
import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.fathom.submariner.plugins.module_utils._apply._process import process_of, written


class LookupModule(LookupBase):
    """The lookup."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """Return one text. Tasks are carried out by children of the playbook, which end with their task."""
        parent = multiprocessing.parent_process()
        return [written(process_of(parent.pid if parent else os.getpid())) or ""]
