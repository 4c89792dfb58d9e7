# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of Calico's parts, from the tags of their images, and which operator belongs to which Calico."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container, Ref, Snapshot

# tigera-operator 1.x -> Calico 3.y (projectcalico/calico charts/tigera-operator/values.yaml of each release)
_CALICO_BY_OPERATOR: t.Mapping[int, int] = {28: 24, 29: 25, 30: 26, 32: 27, 34: 28, 36: 29, 38: 30, 40: 31, 42: 32}
_COMPONENTS = ("calico-node", "calico-apiserver", "calico-typha", "calico-kube-controllers")


class ComponentVersion(t.NamedTuple):
    component: str
    where: str
    version: str  # the tag, "" for a digest


def tag_of(image: str) -> str:
    """The tag of an image, "" without one; a registry's port is none."""
    tagged = image.partition("@")[0].rpartition("/")[2]
    return tagged.partition(":")[2]


def component_versions(snapshot: Snapshot) -> tuple[ComponentVersion, ...]:
    """One row a workload of Calico's own; those of the operator, which has releases of its own, are left out."""
    workloads: list[tuple[Ref, tuple[Container, ...]]] = [(entry.ref, entry.containers) for entry in snapshot.daemon_sets.items]
    workloads += [(entry.ref, entry.containers) for entry in snapshot.deployments.items]
    return tuple(
        ComponentVersion(ref.name, str(ref), tag_of(container.image))
        for ref, containers in sorted(workloads)
        if ref.name in _COMPONENTS
        for container in containers
        if container.name == ref.name
    )


def operator_version(snapshot: Snapshot) -> str:
    """The tag of the operator's image, "" where there is no operator or its tag names no release."""
    for deployment in snapshot.deployments.items:
        if (deployment.ref.namespace, deployment.ref.name) == ("tigera-operator", "tigera-operator"):
            tags = (tag_of(container.image) for container in deployment.containers)
            return next((tag for tag in tags if parse_calico_version(tag)), "")
    return ""


def calico_of_operator(version: str) -> tuple[int, int] | None:
    """The minor release of Calico that an operator installs; None where that is not known."""
    parsed = parse_calico_version(version)
    minor = _CALICO_BY_OPERATOR.get(parsed[1]) if parsed and parsed[0] == 1 else None
    return None if minor is None else (3, minor)
