# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How a module that changes a node's host ends."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome


def carry_out(module: t.Any, outcome: Outcome, work: t.Callable[[], None]) -> None:
    """Do the work, and end the module with what it did. After a failure that is what was written before it.

    :param module: an AnsibleModule; never returns.
    :param work: fills ``outcome``.
    """
    try:
        work()
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **{**outcome.result_of_failure(), **error.details})
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(**outcome.result())
