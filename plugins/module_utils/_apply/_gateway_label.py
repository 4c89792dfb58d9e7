# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Labelling gateway nodes."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._kube._write import merge_patch
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Step
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_nodes import GATEWAY_LABEL

LABEL_GATEWAY = "label_gateway"
_CONFLICTS = 5  # a kubelet writes its node's status all the time


def label_gateways(local: Member, steps: t.Iterable[Step], outcome: Outcome, deadline: Deadline) -> None:
    """Carry out the ``label_gateway`` steps; a label that is there already is not written again."""
    for step in steps:
        if step.action == LABEL_GATEWAY:
            _label(local, step, outcome, deadline)


def _label(local: Member, step: Step, outcome: Outcome, deadline: Deadline) -> None:
    path = f"/api/v1/nodes/{step.object.split(' ', 1)[1]}"
    for attempt in range(_CONFLICTS):
        node = get_object(local.connection, path, deadline)
        if node is None:
            raise SubmarinerError(f"{local.name}: {step.object} has disappeared; no gateway was labelled. Run again.")
        if (node["metadata"].get("labels") or {}).get(GATEWAY_LABEL) == "true":
            return
        try:
            patch = {"metadata": {"labels": {GATEWAY_LABEL: "true"}}}
            after = merge_patch(local.connection, path, patch, resource_version=node["metadata"]["resourceVersion"], deadline=deadline)
        except ConflictError:
            if attempt == _CONFLICTS - 1:
                raise
            continue
        outcome.diff.append(before_after(_labels(node), _labels(after), f"{local.name}: {step.object}"))
        outcome.done(step)
        return


def _labels(node: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {"metadata": {"name": node["metadata"]["name"], "labels": node["metadata"].get("labels") or {}}}
