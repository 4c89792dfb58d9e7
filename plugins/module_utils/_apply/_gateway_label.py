# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Labelling gateway nodes."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._apply._node_write import patch_node
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Step
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import GATEWAY_LABEL

LABEL_GATEWAY = "label_gateway"


def label_gateways(local: Member, steps: t.Iterable[Step], outcome: Outcome) -> None:
    """Carry out the ``label_gateway`` steps, or in check mode show them; a label that is there already is not written again."""
    for step in steps:
        if step.action == LABEL_GATEWAY:
            if patch_node(local.writer, step.object.split(" ", 1)[1], lambda node: {"metadata": {"labels": {GATEWAY_LABEL: "true"}}}):
                outcome.done(step)
