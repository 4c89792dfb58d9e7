# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A damage on both clusters of a lab, and the remediation of both, module by module as the role runs them."""

from __future__ import annotations

import contextlib

from ansible_collections.fathom.submariner.plugins.module_utils._apply._process import process_of, written
from tests.integration.killing import Killer, playbook_process
from tests.integration.pools_and_records import LEASES, STATE
from tests.lab.client import ApiError

POOLS = "/apis/projectcalico.org/v3/ippools"
REMOTE = {"cluster-1": ("cluster-2", "10.42.0.0/16", "10.43.0.0/16"), "cluster-2": ("cluster-1", "10.46.0.0/16", "10.45.0.0/16")}
GONE = "submariner-cluster-3-10.50.0.0-16"


def name_of(cluster_id, cidr):
    return f"submariner-{cluster_id}-{cidr.replace('/', '-')}"


def pools(cluster):
    """Everything of the pools of remote clusters that somebody decided, by name."""
    found = {}
    for each in cluster.admin().list(POOLS):
        if each["metadata"]["name"].startswith("submariner-"):
            found[each["metadata"]["name"]] = (each["spec"], each["metadata"].get("labels"))
    return found


def damage(cluster):
    """One pool missing, one wrong, one too many."""
    remote, pods, services = REMOTE[cluster.name]
    admin = cluster.admin()
    made = admin.get(f"{POOLS}/{name_of(remote, services)}")
    for name in (name_of(remote, pods), GONE):
        with contextlib.suppress(ApiError):
            admin.delete(f"{POOLS}/{name}")
    admin.merge_patch(f"{POOLS}/{name_of(remote, services)}", {"spec": {"natOutgoing": True}})
    orphan = {**made, "metadata": {"name": GONE, "labels": made["metadata"].get("labels")}, "spec": {**made["spec"], "cidr": "10.50.0.0/16", "natOutgoing": False}}
    admin.create(POOLS, orphan)


def forget(cluster):
    admin = cluster.admin()
    for each in admin.list(STATE, labelSelector="app.kubernetes.io/managed-by=fathom.submariner"):
        admin.delete(f"{STATE}/{each['metadata']['name']}")
    with contextlib.suppress(ApiError):
        admin.delete(f"{LEASES}/fathom-submariner")


class Clusterset:
    """Two clusters behind a killer, and what a remediation of both is made of."""

    remedies: tuple[tuple[str, dict], ...] = (("remote_ippools", {}),)  # on each of them

    def __init__(self, lab, modules, journals):
        self.clusters = lab.clusters
        self.modules = modules
        self.journals = journals
        self.killer = Killer(lab.clusters, modules.pid)
        self.healthy = {each.name: pools(each) for each in lab.clusters}
        self.broken = {}

    def reset(self):
        for cluster in self.clusters:
            forget(cluster)
            damage(cluster)
        self.broken = {each.name: pools(each) for each in self.clusters}
        assert all(self.broken[name] != self.healthy[name] for name in REMOTE)

    def found(self):
        return {each.name: pools(each) for each in self.clusters}

    def holders(self):
        found = {}
        for cluster in self.clusters:
            lease = cluster.admin().find(f"{LEASES}/fathom-submariner")
            found[cluster.name] = (lease or {}).get("spec", {}).get("holderIdentity", "")
        return found

    def on(self, cluster, **options):
        return {"host": self.killer.urls[cluster.name], "name": cluster.name, **options}

    def remediate(self, run):
        """The results by module and cluster, until a process was killed; its playbook dies with it."""
        results = {}
        with playbook_process() as playbook:
            process = written(process_of(playbook.pid))
            kept = {"run": run, "journal_dir": str(self.journals), "wait": False}
            orders = [("lease", each, {"run": run, "process": process}) for each in self.clusters]
            orders += [(remedy, each, {**kept, **options}) for each in self.clusters for remedy, options in self.remedies]
            orders += [("lease", each, {"run": run, "state": "absent"}) for each in self.clusters]
            for module, cluster, options in orders:
                (result,) = self.modules.run_until_killed((module, self.on(cluster, **options)))
                if result is None:
                    return results
                results[module, cluster.name, options.get("state", "present")] = result
        return results

    def told(self):
        """What the next plan says first, by cluster."""
        results = self.modules.run(*(("plan_info", self.on(each)) for each in self.clusters))
        return {each.name: result["interrupted"] for each, result in zip(self.clusters, results)}

    def rollback(self, run):
        orders = [("rollback", self.on(each, run=run, journal_dir=str(self.journals), allow_disruption=True)) for each in self.clusters]
        return dict(zip((each.name for each in self.clusters), self.modules.run(*orders)))
