# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Migrations of Calico that are under way: nothing of Calico may be written before they end."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import SETTLED_PHASES
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DatastoreMigration

MIGRATION = "calico-migration-in-flight"
OPERATOR_LABEL = "projectcalico.org/operator-node-migration"
SHOWN = 5

# What to do in each phase (projectcalico/calico kube-controllers/pkg/controllers/migration); any other one is "wait".
_PHASES = {
    "WaitingForConflictResolution": (
        "error",
        "waits for a person: objects of crd.projectcalico.org/v1 and projectcalico.org/v3 contradict each other",
        "Read its status.conditions of type Conflict, and make both sides of each named object equal; it then goes on by itself.",
    ),
    "Failed": (
        "error",
        "has failed",
        "Read its status.message, then delete the DatastoreMigration: its controller restores the API server and unlocks the datastore.",
    ),
}


@check(
    MIGRATION,
    title="No migration of Calico is under way",
    severity="warning",
    needs=("datastore_migrations", "nodes"),
    references=(
        "projectcalico/calico kube-controllers/pkg/controllers/migration",
        "tigera/operator pkg/controller/migration",
        "projectcalico/calico#6810",
    ),
    tags=("calico-api", "rollout"),
)
def migration_in_flight(facts: Facts) -> t.Iterator[Problem]:
    """Two migrations exist: of the datastore to native projectcalico.org/v3 CRDs (DatastoreMigration), and of a manifest installation to the operator (a
    label on the nodes).

    While the first one runs, the API server is gone and the datastore locked: pools can be neither created nor trusted.
    """
    for migration in facts.snapshot.datastore_migrations.items:
        if migration.phase not in SETTLED_PHASES:
            yield _of_datastore(facts, migration)
    moving = [node for node in facts.snapshot.nodes.items if node.labels.get(OPERATOR_LABEL, "migrated") != "migrated"]
    if moving:
        more = f" and {len(moving) - SHOWN} more" if len(moving) > SHOWN else ""
        yield Problem(
            subject=f"{moving[0].ref}",
            title=f"The migration from Calico's manifests to its operator has not finished on {', '.join(node.ref.name for node in moving[:SHOWN])}{more}",
            evidence=tuple(Evidence(str(node.ref), f"metadata.labels[{OPERATOR_LABEL}]", node.labels[OPERATOR_LABEL]) for node in moving[:SHOWN]),
            impact="Two installations of Calico share the cluster, and the operator overwrites what the manifest says, node by node.",
            remedy=by_hand(
                "Change nothing of Calico until it ends. Where it does not go on: make DaemonSet kube-system/calico-node ready on every node and give typha "
                "as many nodes as it has replicas, which is what the operator waits for."
            ),
        )


def _of_datastore(facts: Facts, migration: DatastoreMigration) -> Problem:
    severity, state, step = _PHASES.get(
        migration.phase, ("", "is under way", "Change nothing of Calico, and neither join nor repair this cluster, until its phase is Complete.")
    )
    locked = [entry for entry in facts.snapshot.cluster_informations.items if entry.datastore_ready is False]
    return Problem(
        subject=str(migration.ref),
        title=f"Calico's migration to native projectcalico.org/v3 CRDs {state}",
        evidence=(
            Evidence(str(migration.ref), "status.phase", migration.phase or "not started"),
            *(Evidence(str(entry.ref), "spec.datastoreReady", "false", "calico-node does not program changes meanwhile") for entry in locked),
        ),
        impact="Pools that are written now may be lost or land in the store that nobody reads, and Submariner cannot create any while the API is away.",
        remedy=by_hand(step, str(migration.ref)),
        severity=severity,
    )
