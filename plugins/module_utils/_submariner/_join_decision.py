# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a cluster must be joined, corrected, joined again or left alone, decided before anything is written.

``subctl join`` deletes and recreates the Submariner object and both Secrets even when nothing differs, which tears the
data plane down for minutes (subctl pkg/submarinercr, same since 0.16; RamenDR/ramen#2502). So it runs only where it must.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import scalar
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _join_options as join_options
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import NAMESPACE, signs_of_life

JOIN = "join"
REJOIN = "rejoin"
CORRECT = "correct"  # in place; also finishes a correction that was interrupted

# Options that leave no trace in any object: they cannot make a joined cluster differ from what is asked.
_WITHOUT_TRACE = ("globalnet_cluster_size", "ignore_requirements", "operator_debug")


class Difference(t.NamedTuple):
    """One option whose value in the cluster is not what is asked; both values are fit for output."""

    option: str
    have: t.Any
    want: t.Any

    @property
    def in_place(self) -> bool:
        """True when the operator carries a change of the field out by itself, without joining again."""
        return self.option in join_options.CIDR_OPTIONS


class Decision(t.NamedTuple):
    action: str  # JOIN, REJOIN or CORRECT
    differences: tuple[Difference, ...] = ()


def operator_environment(snapshot: Snapshot) -> dict[str, str]:
    """The literal environment of the submariner-operator container, {} where there is none."""
    for deployment in snapshot.deployments.items:
        if deployment.ref.name == "submariner-operator":
            return {entry.name: entry.value for container in deployment.containers for entry in container.env}
    return {}


def current_options(snapshot: Snapshot) -> dict[str, t.Any]:
    """With which options this cluster is joined. The cluster must be joined."""
    return join_options.from_spec(snapshot.submariner.spec, operator_environment(snapshot))


def differences(current: t.Mapping[str, t.Any], asked: t.Mapping[str, t.Any]) -> tuple[Difference, ...]:
    """Compare only what the user asked for (values that are not None): what was not mentioned stays as it is."""
    found = []
    for option in join_options.OPTIONS:
        want = asked.get(option.name)
        if want is None or option.name in _WITHOUT_TRACE or (option.name == "globalnet" and want):
            continue  # globalnet=true says "if the broker has it", so a cluster without a global CIDR may still be right
        have = current[option.name]
        if join_options.normalised(option.name, have) != join_options.normalised(option.name, want):
            found.append(Difference(option.name, join_options.shown(option.name, have), join_options.shown(option.name, want)))
    return tuple(found)


def decide(snapshot: Snapshot, asked: t.Mapping[str, t.Any], correction: str) -> Decision:
    """Decide what to do about one cluster.

    :param asked: option name -> wanted value; None where the user did not say.
    :param correction: ``patch``, ``rejoin`` or ``fail``: what to do about a cluster that is joined differently.
    :raises RefusedError: when the cluster cannot be judged, is being removed, or differs in a way that ``correction`` excludes.
    :raises InputError: when the cluster is joined under another id.
    """
    if not snapshot.submariners.known:
        raise RefusedError(
            f"{snapshot.cluster}: whether Submariner is installed could not be read ({snapshot.submariners.where}: "
            f"{snapshot.submariners.state}, {snapshot.submariners.detail}). Nothing was written. "
            "Give these credentials the right to list submariners.submariner.io in all namespaces."
        )
    submariner = snapshot.submariner
    if submariner is None:
        return Decision(JOIN)
    if submariner.deleting:
        raise RefusedError(
            f"{snapshot.cluster}: {submariner.ref} is being deleted and its finalizer has not ended. Nothing was written. Wait until it is gone; "
            "if the operator is not running, start Deployment submariner-operator, which ends the finalizer."
        )
    found = differences(current_options(snapshot), asked)
    identity = next((entry for entry in found if entry.option == "cluster_id"), None)
    if identity is not None:
        raise InputError(
            f"{snapshot.cluster}: this cluster is joined as {identity.have!r}, and cluster_id asks for {identity.want!r}. "
            "A cluster id cannot be changed in place; uninstall Submariner first, or correct cluster_id."
        )
    if not found:
        return Decision(CORRECT)
    if correction == "fail":
        raise RefusedError(
            f"{snapshot.cluster}: joined differently from what is asked: {describe(found)}. Nothing was written, because correction=fail.",
            differences=[entry._asdict() for entry in found],
        )
    if correction == "rejoin":
        return Decision(REJOIN, found)
    fixed = [entry for entry in found if not entry.in_place]
    if fixed:
        raise RefusedError(
            f"{snapshot.cluster}: {describe(fixed)} cannot be corrected in place. Nothing was written. Ask for correction=rejoin, "
            "which deletes and recreates the "
            "Submariner object and interrupts cross-cluster traffic for some minutes, or leave these options out.",
            differences=[entry._asdict() for entry in found],
        )
    return Decision(CORRECT, found)


def require_free_id(cluster_id: str, local: Snapshot, peers: t.Sequence[Snapshot]) -> None:
    """Refuse to join a cluster under an id that another one has, or had.

    subctl refuses it, too, but asks for the broker's Cluster alone, and not at all where this cluster holds one of that id (subctl pkg/join,
    ensureUniqueCluster): that is of its own earlier join, unless it is a copy of another cluster's.

    :raises RefusedError: with nothing written.
    """
    life = signs_of_life(cluster_id, peers)
    if life:
        raise RefusedError(
            f"{local.cluster}: cluster_id {cluster_id!r} is that of another cluster, which lives: {'; '.join(life[:5])}. Nothing was written. "
            "Choose another id."
        )
    held = [
        (snapshot, record)
        for snapshot in (local, *peers)
        for record in (*snapshot.endpoints.items, *snapshot.submariner_clusters.items)
        if record.cluster_id == cluster_id
    ]
    if any(snapshot is local and record.ref.kind == "Cluster" and record.ref.namespace == NAMESPACE for snapshot, record in held):
        return
    left = [f"{record.ref} on {snapshot.cluster}" for snapshot, record in held if snapshot is not local or record.ref.namespace != NAMESPACE]
    if left:
        raise RefusedError(
            f"{local.cluster}: cluster_id {cluster_id!r} is that of another cluster, or this one left it behind: {'; '.join(left[:5])}. Nothing was written. "
            "Choose another id, or, if the cluster of that record is gone for good, remove its records with role fathom.submariner.broker_records "
            f"(broker_records_cluster_id: [{scalar(cluster_id)}]) where the broker is."
        )


def describe(found: t.Iterable[Difference]) -> str:
    """``cluster_cidr is '10.46.0.0/24' and should be '10.46.0.0/16'; ...``."""
    return "; ".join(f"{entry.option} is {entry.have!r} and should be {entry.want!r}" for entry in found)
