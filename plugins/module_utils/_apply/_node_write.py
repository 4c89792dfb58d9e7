# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Writing to a Node, whose kubelet writes to it all the time, too."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Object, Writer
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError

_CONFLICTS = 5


def patch_node(writer: Writer, name: str, decide: t.Callable[[Object], t.Mapping[str, t.Any]], *, one_way: str = "") -> bool:
    """Patch a Node, and again where it changed meanwhile; return whether there was anything to write.

    :param decide: from the Node as it is to the merge patch; {} leaves it alone.
    :param one_way: why no rollback undoes this, a sentence for people; "" where one does.
    :raises SubmarinerError: there is no such node.
    :raises ConflictError: it changes under us again and again.
    """
    path = f"/api/v1/nodes/{name}"
    for attempt in range(_CONFLICTS):
        node = writer.read(path)
        if node is None:
            raise SubmarinerError(f"{writer.member.name}: Node {name} does not exist (any more); it was not written.")
        patch = dict(decide(node))
        if not patch or not missing_from(node, patch):
            return False
        shown = len(writer.diff)
        try:
            writer.patch(path, node, patch, irreversible=one_way, one_way=bool(one_way))
            return True
        except ConflictError:
            del writer.diff[shown:]  # of what was not written
            if attempt == _CONFLICTS - 1:
                raise
    return False
