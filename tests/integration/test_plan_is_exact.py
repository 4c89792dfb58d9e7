# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that was reviewed is carried out with the options that it was made with, or not at all; and what a run prints undoes it."""

from __future__ import annotations

import json

import pytest

from tests.integration.clusterset import Watch, playbook
from tests.integration.damaged_pools import Clusterset, forget
from tests.integration.modules import Modules

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rke2, awake")]

OTHER = {"submariner_remote_subnets": {"cluster-9": ["10.99.0.0/16"]}}


def test_an_inventory_that_has_changed_since_makes_no_other_change_of_it(awake_labs, tmp_path):
    with awake_labs.planted("rke2") as lab:
        modules = Modules()
        clusterset = Clusterset(lab, modules, tmp_path / "journals")
        clusterset.reset()
        file = tmp_path / "plan.json"
        made = playbook(lab, "plan", "-e", f"submariner_plan={file}")
        assert made.returncode == 0, made.stdout
        steps = json.loads(file.read_text())["steps"]
        assert [step["role"].rpartition(".")[2] for step in steps] == ["remote_ippools"] * 2

        watch = Watch(lab)
        refused = playbook(lab, "remediate", "-e", f"submariner_plan={file}", "-e", json.dumps(OTHER))
        assert refused.returncode == 2, refused.stdout
        said = " ".join(refused.stdout.split())
        assert 'remote_ippools is told something else than when the plan was made: subnets was {} and is {"cluster-9": ["10.99.0.0/16"]}' in said, said
        assert {each.resource for events in watch.writes().values() for each in events} <= {"leases"}
        assert clusterset.found() == clusterset.broken

        done = playbook(lab, "remediate", "-e", f"submariner_plan={file}", "--limit", "cluster-1")
        assert done.returncode == 2 and "its cluster left the run before it" in done.stdout, done.stdout  # the other one is left
        assert clusterset.found() == {"cluster-1": clusterset.healthy["cluster-1"], "cluster-2": clusterset.broken["cluster-2"]}

        run = json.loads(file.read_text())["run"]
        undo = f"rollback -e submariner_run={run} -e submariner_allow_disruption=true"
        assert undo in " ".join(done.stdout.replace('"', "").replace(",", "").split()), done.stdout
        refused = playbook(lab, "rollback", "-e", f"submariner_run={run}")
        assert refused.returncode == 2 and "leaves masqueraded" in " ".join(refused.stdout.split()), refused.stdout
        undone = playbook(lab, *undo.split())  # as it is printed: cluster-2 was not written to, and that is no failure
        assert undone.returncode == 0 and f"run {run} has written nothing here" in " ".join(undone.stdout.split()), undone.stdout
        assert clusterset.found() == clusterset.broken
        unknown = playbook(lab, "rollback", "-e", "submariner_run=nobodys")
        assert unknown.returncode == 2 and "Run nobodys has written to none of cluster-1, cluster-2" in " ".join(unknown.stdout.split()), unknown.stdout
        clusterset.killer.close()
        modules.close()
        for cluster in lab.clusters:
            forget(cluster)
