# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a remedy on a cluster at rest as its role does: in check mode, for real, and once more, with an eye on the audit log."""

from __future__ import annotations

import contextlib

from tests.lab import audit

STATE = "/api/v1/namespaces/kube-system/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
OURS = "app.kubernetes.io/managed-by=fathom.submariner"


class Trial:
    """One remedy on one cluster of a lab, with the same options each time."""

    def __init__(self, bench, cluster, remedy: str, **options) -> None:
        self.cluster = cluster
        self._bench = bench
        self._remedy = remedy
        self._options = {"kubeconfig": str(cluster.kubeconfig), "name": cluster.name, **options}

    def run(self, check: bool = False, **options) -> dict:
        """The module's result, failed or not."""
        flags = {"_ansible_check_mode": check, "_ansible_diff": True}
        return self._bench.modules.run((self._remedy, {**self._options, **options, **flags}))[0]

    def writes(self, **options) -> tuple[dict, list[str]]:
        """The result of a run, and every writing request of ours that reached the API server, tried out or real, as VERB URI."""
        before = audit.marker(self.cluster.audit_log)
        result = self.run(**options)
        found = [each for real in (False, True) for each in audit.writes(self.cluster.audit_log, since=before, dry_run=not real)]
        return result, [f"{each.verb} {each.uri}" for each in found]

    def repair(self) -> dict:
        """The real run's result, after everything that every remedy must be: foretold by check mode, undone by nobody, and done once."""
        told, tried = self.writes(check=True)
        assert not told.get("failed"), told
        assert told["changed"] and told["preconditions"] and all("dryRun=All" in each for each in tried), (told, tried)
        done = self.run(preconditions=told["preconditions"])
        assert not done.get("failed"), done
        assert (done["changed"], done["diff"], done["lines"]) == (True, told["diff"], told["lines"])
        assert done["run"]
        again, written = self.writes()
        assert (again.get("failed", False), again["changed"], again["lines"], again["diff"], written) == (False, False, [], [], []), (again, written)
        return done


@contextlib.contextmanager
def without_state(*clusters):
    """Afterwards the clusters have no journal and no lock of ours, as before."""
    try:
        yield
    finally:
        for cluster in clusters:
            admin = cluster.admin()
            for each in admin.list(STATE, labelSelector=OURS):
                admin.delete(f"{STATE}/{each['metadata']['name']}")
            for each in admin.list(LEASES):
                if each["metadata"]["name"] == "fathom-submariner":
                    admin.delete(f"{LEASES}/{each['metadata']['name']}")
