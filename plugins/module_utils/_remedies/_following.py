# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What of the objects that a step was planned from may be otherwise because of the steps before it, and not because somebody else has changed it.

A step that has changed something reaches its own cluster and the other members of its clusterset: what it wrote is in the journal, and controllers follow.
What people decide, such as an Installation or a Submariner, no controller makes of something else.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._remedies._order import joins_any

REACHED = "reached"  # key of a precondition: of a cluster that earlier steps of this run have reached

# Without an owner, and yet written by controllers all the time: kubelet, calico-node and Submariner's own synchronisation.
_OF_CONTROLLERS = frozenset((
    ("", "nodes"),
    ("submariner.io", "clusters"), ("submariner.io", "endpoints"), ("submariner.io", "gateways"),
    ("multicluster.x-k8s.io", "serviceimports"), ("discovery.k8s.io", "endpointslices"),
))  # fmt: skip
_CALICO = ("projectcalico.org", "crd.projectcalico.org")

Precondition = t.Mapping[str, t.Any]


def reached(plan: t.Mapping[str, t.Any], changed: t.Collection[int]) -> frozenset[str]:
    """The clusters that steps have reached.

    :param changed: numbers of the steps that have changed something.
    """
    sets = {entry["name"]: entry["clusterset"] for entry in plan["clusters"]}
    done = [step for step in plan["steps"] if step["n"] in changed]
    if any(joins_any(step["kind"], sets.get(step["cluster"], "")) for step in done):
        return frozenset(sets)
    of_done = {sets.get(step["cluster"]) for step in done} - {"", None}
    return frozenset({step["cluster"] for step in done} | {name for name, clusterset in sets.items() if clusterset in of_done})


def marked(step: t.Mapping[str, t.Any], clusters: t.Collection[str]) -> list[Precondition]:
    """The preconditions of a step, those of clusters that have been reached marked as such."""
    return [{**each, REACHED: True} if "path" in each and cluster_of(step, each) in clusters else each for each in step["preconditions"]]


def cluster_of(step: t.Mapping[str, t.Any], precondition: Precondition) -> str:
    """A step may write to the peers of its cluster, too."""
    return str(precondition.get("cluster") or step["cluster"])


def may_follow(precondition: Precondition, found: t.Mapping[str, t.Any] | None) -> bool:
    """Whether controllers may have made of an object what it is now, as they follow what steps before have written."""
    group, plural, dummy = _parts(str(precondition["path"]))
    content = precondition.get("content") or {}
    if not content and group in _CALICO:
        return True  # the API has come, or route agents have made a pool
    owners = [(obj.get("metadata") or {}).get("ownerReferences") for obj in (content, found or {})]
    return (group, plural) in _OF_CONTROLLERS or any(owners)


def is_among(path: str, written: t.Iterable[str]) -> bool:
    """Whether an object is one of those that were written, by whichever version of its API."""
    return _parts(path) in {_parts(each) for each in written}


def _parts(path: str) -> tuple[str, str, str]:
    """Group, plural, and namespace and name of an object's path; Calico's two groups are one, since they show the same objects."""
    parts = path.strip("/").split("/")
    group, rest = (parts[1], parts[3:]) if parts[0] == "apis" else ("", parts[2:])
    name = f"{rest[1]}/{rest[-1]}" if len(rest) > 2 else rest[-1]
    return ("projectcalico.org" if group in _CALICO else group), "".join(rest[-2:-1]), name
