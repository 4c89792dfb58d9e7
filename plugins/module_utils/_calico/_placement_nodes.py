# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a Node is to be for a placement: its label, its cordon, its taint; and the patch that makes it so."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import EXCLUDE, Request
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node

NO_EXECUTE = "NoExecute"
NodeObject = t.Dict[str, t.Any]


class Wish(t.NamedTuple):
    """None leaves a thing as it is.

    :param labelled: whether the node carries the request's label.
    :param unschedulable: whether it is cordoned.
    :param tainted: whether it has the taint of the label's key and value, effect NoExecute.
    """

    labelled: bool | None = None
    unschedulable: bool | None = None
    tainted: bool | None = None

    def words(self, request: Request) -> str:
        """``labelled KEY=VALUE, cordoned``."""
        said = (
            (self.labelled, f"labelled {request.label}", f"label {request.key} taken away"),
            (self.unschedulable, "cordoned", "uncordoned"),
            (self.tainted, f"tainted {request.label}:{NO_EXECUTE}", f"taint {request.key} taken away"),
        )
        return ", ".join(yes if wanted else no for wanted, yes, no in said if wanted is not None)


def left_to_do(node: Node, wish: Wish, request: Request) -> Wish:
    """Of a wish what the node is not already; an empty Wish where it is all of it.

    :raises RefusedError: the node carries the label's key with another value, which is somebody else's or the other mode's.
    """
    found = node.labels.get(request.key)
    if wish.labelled and found not in (None, request.value):
        raise RefusedError(
            f"Node {node.ref.name} has {request.key}={found}, which says something else than {request.label}. Nothing was written. Take it away first: "
            f"kubectl label node {node.ref.name} {request.key}-"
        )
    tainted = any(_is_ours(taint._asdict(), request) for taint in node.taints)
    return Wish(
        wish.labelled if wish.labelled is not None and wish.labelled != (found == request.value) else None,
        wish.unschedulable if wish.unschedulable is not None and wish.unschedulable != node.unschedulable else None,
        wish.tainted if wish.tainted is not None and wish.tainted != tainted else None,
    )


def opposite(wish: Wish) -> Wish:
    """What puts a node back on which all of ``wish`` was a change."""
    return Wish(*(None if wanted is None else not wanted for wanted in wish))


def labels_after(node: Node, wish: Wish, request: Request) -> dict[str, str]:
    """The labels that the node will have."""
    labels = {key: value for key, value in node.labels.items() if wish.labelled is None or key != request.key or value != request.value}
    return {**labels, request.key: request.value} if wish.labelled else labels


def node_patch(obj: NodeObject, wish: Wish, request: Request) -> NodeObject:
    """The merge patch of a Node as it was read; {} where it is so already."""
    spec = obj.get("spec") or {}
    patch: NodeObject = {}
    changes: dict[str, t.Any] = {}
    if wish.labelled is not None:
        found = ((obj.get("metadata") or {}).get("labels") or {}).get(request.key)
        if wish.labelled and found != request.value:
            patch["metadata"] = {"labels": {request.key: request.value}}
        elif not wish.labelled and found == request.value:
            patch["metadata"] = {"labels": {request.key: None}}
    if wish.unschedulable is not None and bool(spec.get("unschedulable")) != wish.unschedulable:
        changes["unschedulable"] = True if wish.unschedulable else None
    taints = list(spec.get("taints") or [])
    kept = [taint for taint in taints if not _is_ours(taint, request)]
    if wish.tainted is not None and wish.tainted != (len(kept) < len(taints)):
        own = [{"key": request.key, "value": request.value, "effect": NO_EXECUTE}] if wish.tainted else []
        changes["taints"] = kept + own or None
    return {**patch, "spec": changes} if changes else patch


def _is_ours(taint: t.Mapping[str, t.Any], request: Request) -> bool:
    return (taint.get("key"), taint.get("value", ""), taint.get("effect")) == (request.key, request.value, NO_EXECUTE)


def default_wish(request: Request) -> Wish:
    """What every node that the request is about is to be."""
    if request.mode == EXCLUDE and request.present:
        return Wish(True, request.cordon or None, request.taint or None)
    if request.mode == EXCLUDE:
        return Wish(False, False if request.cordon else None, False)
    return Wish(request.present)
