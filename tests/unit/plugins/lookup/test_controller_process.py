# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process a playbook is, asked in the playbook and in the children that carry out its tasks."""

from __future__ import annotations

import multiprocessing

from ansible_collections.fathom.submariner.plugins.lookup.controller_process import LookupModule
from ansible_collections.fathom.submariner.plugins.module_utils._apply._process import read, this_process


def ask(queue):
    queue.put(LookupModule().run([]))


def test_it_is_this_process_here_and_in_its_children():
    assert [read(text) for text in LookupModule().run([])] == [this_process()]
    context = multiprocessing.get_context("fork")  # as Ansible's
    queue = context.SimpleQueue()
    child = context.Process(target=ask, args=(queue,))
    child.start()
    answer = queue.get()
    child.join()
    assert [read(text) for text in answer] == [this_process()]
