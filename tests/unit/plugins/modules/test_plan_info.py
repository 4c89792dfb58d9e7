# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a step may begin, and what must still be as it was planned when it does: asked of API servers on loopback."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writers import Settings, Writers
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.modules.plan_info import gate
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, NAMESPACE, Bench, StampingApi

POOLS = "/apis/projectcalico.org/v3/ippools"
OLD_POOLS = "/apis/crd.projectcalico.org/v1/ippools"
PODS = "/api/v1/namespaces/submariner-operator/pods"
OWNED = {"name": "agent", "uid": "uid-agent", "ownerReferences": [{"kind": "DaemonSet", "name": "agents"}]}
# a and b are one clusterset, c another one.
CLUSTERSETS = {"a": "one", "b": "one", "c": "two"}
OPTIONS = {"window": "", "state_namespace": NAMESPACE, "min_healthy_gateways": 0, "max_failures": 1, "allow_disruption": True, "clusters": list(CLUSTERSETS)}


@pytest.fixture
def clusters(tmp_path):
    with contextlib.ExitStack() as stack:
        made = {}
        for name in CLUSTERSETS:
            api = stack.enter_context(StampingApi())
            api.objects.update({path: {} for path in (MAPS, LEASES, POOLS, OLD_POOLS, PODS)})
            api.put(POOLS, "pool", kind="IPPool", spec={"disabled": False})
            api.put(PODS, "agent", kind="Pod", metadata=OWNED, spec={"image": "1"})
            made[name] = Bench(api, tmp_path)
            made[name].member = made[name].member._replace(name=name)
            stack.callback(made[name].member.connection.close)
        yield made


def read(clusters, *names):
    """What a plan notes of a step that reads a pool, one that is not there, and a pod, of these clusters."""
    found = []
    for name in names:
        planning = clusters[name].writer(check_mode=True)
        for path in (f"{POOLS}/pool", f"{OLD_POOLS}/new", f"{PODS}/agent"):
            planning.read(path)
        found += [{**each, "cluster": name} for each in planning.preconditions]
    return found


def plan(first, second, preconditions):
    common = {"kind": "join", "role": "fathom.submariner.join", "depends_on": [], "disruptive": False}
    steps = [{**common, "n": 1, "cluster": first, "preconditions": []}, {**common, "n": 2, "cluster": second, "preconditions": preconditions}]
    return {"run": "run-1", "steps": steps, "clusters": [{"name": name, "clusterset": each} for name, each in CLUSTERSETS.items()]}


def begin(clusters, made, cluster, changed=True):
    """Step 2, as role remediate begins it: the gate, and then the module."""
    params = {**OPTIONS, "step": 2, "outcomes": [{"n": 1, "state": "done" if changed else "unchanged", "changed": changed}]}
    told = gate(made, clusters[cluster].member, params, clusters[cluster].deadline)
    assert told["begin"]
    members = [clusters[cluster].member, *(bench.member for name, bench in clusters.items() if name != cluster)]
    writers = Writers(members, Settings("join", "run-1", NAMESPACE, None, told["preconditions"], False), Outcome(), clusters[cluster].deadline)
    writers.require_preconditions()
    return writers


def edit(bench, collection=POOLS, name="pool", **spec):
    bench.api.put(collection, name, kind="IPPool", spec=spec)


def write(bench, path=f"{POOLS}/pool"):
    """As an earlier step of the run does."""
    writer = bench.writer()
    writer.patch(path, writer.read(path), {"spec": {"disabled": True}})
    bench.last_lease.release(bench.deadline)


@pytest.mark.parametrize("changed", [True, False], ids=["changed", "unchanged"])
def test_what_a_person_has_edited_in_another_clusterset_is_refused_whatever_was_done_before(clusters, changed):
    made = plan("a", "c", read(clusters, "c"))
    edit(clusters["c"], disabled=True)
    with pytest.raises(RefusedError, match="^c has changed since the plan was made: IPPool pool in spec.disabled. Nothing was written. Make a new plan"):
        begin(clusters, made, "c", changed)


@pytest.mark.parametrize("edited", ["a", "b", "c"])
def test_what_a_person_has_edited_where_steps_have_been_is_refused_all_the_same(clusters, edited):
    made = plan("a", "b", read(clusters, *clusters))
    edit(clusters[edited], disabled=True)
    with pytest.raises(RefusedError, match=f"^{edited}: IPPool pool has changed since the plan was made, in spec.disabled"):
        begin(clusters, made, "b")


@pytest.mark.parametrize("written", ["a", "b"])
def test_what_the_run_itself_has_written_may_be_otherwise(clusters, written):
    made = plan("a", "b", read(clusters, "a", "b"))
    write(clusters[written])
    begin(clusters, made, "b")


def test_what_the_run_has_written_by_another_version_of_the_api_counts_too(clusters):
    edit(clusters["b"], OLD_POOLS, disabled=False)
    made = plan("a", "b", read(clusters, "b"))
    write(clusters["b"], f"{OLD_POOLS}/pool")
    edit(clusters["b"], disabled=True)  # the same object
    begin(clusters, made, "b")


def test_what_controllers_follow_it_with_may_be_otherwise(clusters):
    made = plan("a", "b", read(clusters, "a", "b"))
    clusters["a"].api.remove(PODS, "agent")
    clusters["b"].api.put(PODS, "agent", kind="Pod", metadata=OWNED, spec={"image": "2"})
    edit(clusters["b"], OLD_POOLS, "new", disabled=False)  # a route agent's
    begin(clusters, made, "b")
    with pytest.raises(RefusedError, match="^b has changed since the plan was made"):
        begin(clusters, made, "b", changed=False)


def test_a_join_reaches_every_clusterset_since_nobody_knows_of_which_it_made_its_cluster_a_member(clusters):
    made = plan("a", "c", read(clusters, "c"))
    made["clusters"][0]["clusterset"] = ""
    clusters["c"].api.remove(PODS, "agent")
    begin(clusters, made, "c")
