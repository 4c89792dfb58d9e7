# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every incident that a role repairs, from the plan to the rollback, as roles ``plan``, ``remediate`` and ``rollback`` go about it, module by module.

Which roles those are, the incident's own file says, and ``incident_harness.check`` holds it against the diagnosis. An incident without is for a person.
"""

from __future__ import annotations

import ipaddress
import json
import time
import typing as t
from pathlib import Path

import pytest

from tests.integration import upstream_definitions, written_objects
from tests.integration.modules import Modules
from tests.integration.role_arguments import module_arguments
from tests.integration.written_objects import Written
from tests.lab import audit, incident as incidents, returning
from tests.lab.client import Object
from tests.lab.incident import Incident
from tests.lab.info import ClusterInfo, LabInfo

PATIENCE = 60.0


class Kept(t.NamedTuple):
    """What does not return although all that a run wrote has been put back: controllers wrote it, and the incident keeps them from writing it again.

    :param objects: cluster and path of each, with a space between them.
    """

    objects: frozenset[str]
    reason: str


API_SERVER_STAYS = Kept(
    frozenset((
        "cluster-1 /api/v1/namespaces/calico-apiserver/services/calico-api",
        "cluster-1 /apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org",
        "cluster-1 /apis/apps/v1/namespaces/calico-apiserver/deployments/calico-apiserver",
    )),
    "tigera-operator installs the API server once the first rollout is done, and leaves it when calico-node fails on a node again.",
)  # fmt: skip
RECORD = "cluster-1-submariner-cable-cluster-1-192-168-10-21"
KEPT_BY_CONTROLLERS = {
    "000-operator-first-rollout": API_SERVER_STAYS,
    "003-operator-first-install": API_SERVER_STAYS,
    "001-operator-node-cidr": Kept(
        frozenset((
            "cluster-1 /apis/submariner.io/v1/namespaces/submariner-operator/gateways/alpha-gateway-1",
            "cluster-1 /apis/submariner.io/v1/namespaces/submariner-operator/clusters/cluster-1",
            "cluster-1 /apis/submariner.io/v1/namespaces/submariner-k8s-broker/clusters/cluster-1",
            "cluster-2 /apis/submariner.io/v1/namespaces/submariner-operator/clusters/cluster-1",
            f"cluster-1 /apis/submariner.io/v1/namespaces/submariner-operator/endpoints/{RECORD}",
            f"cluster-1 /apis/submariner.io/v1/namespaces/submariner-k8s-broker/endpoints/{RECORD}",
            f"cluster-2 /apis/submariner.io/v1/namespaces/submariner-operator/endpoints/{RECORD}",
        )),
        "A gateway that starts with the wrong range finds no interface in it and ends (submariner pkg/cni/cni_iface.go), so that nobody announces that range "
        "again; the one of the incident ran already.",
    ),
}  # fmt: skip

CHECK = {"_ansible_check_mode": True, "_ansible_diff": True}
REAL = {"_ansible_check_mode": False, "_ansible_diff": True}
POOLS = "/apis/crd.projectcalico.org/v1/ippools"


def cases(layout: str) -> list:
    """The incidents of a layout that roles repair."""
    return [pytest.param(each, id=each) for each in incidents.on_layout(layout) if incidents.load(each).remedies]


def sweep(modules: Modules, lab: LabInfo, incident: Incident, folder: Path) -> list[Written]:
    """Go through all of it; return what was written."""
    trial = Trial(modules, lab, incident, folder)
    plans = []
    for roles, last in ((incident.remedies, not incident.then), (incident.then, True)):
        if roles:
            plans.append(trial.plan(roles, patience=PATIENCE if plans else 0.0))
            trial.remediate(plans[-1])
            trial.repeat(plans[-1], done=last)
    differing = {name for plan in reversed(plans) for name in trial.roll_back(plan)}
    trial.compare(differing)
    return trial.written


def require_valid(written: t.Sequence[Written], lab_factory: t.Any) -> None:
    """Upstream's definitions of all supported releases take what was written as it stands."""
    if not written:
        pytest.skip("nothing was written: this looks at what the tests before it in its file do")
    lab = lab_factory(clusters=1)
    try:
        client = lab.clusters[0].client("planter")
        results = [upstream_definitions.refused(client, release, written) for release in upstream_definitions.RELEASES]
        spoiled = [each._replace(stored={**each.stored, "spec": {**each.stored.get("spec", {}), "unheardOf": True}}) for each in written if each.stored]
        dummy, told = upstream_definitions.refused(client, list(upstream_definitions.RELEASES)[-1], spoiled)
    finally:
        lab_factory.stop(lab)
    assert any("unheardOf" in each for each in told), told  # else nothing would ever be refused
    assert all(known for known, dummy in results)
    assert [each for dummy, told in results for each in told] == []


class Trial:
    """One incident on an awake lab that it is planted in.

    :ivar written: every object that was written, as it was stored.
    """

    def __init__(self, modules: Modules, lab: LabInfo, incident: Incident, folder: Path) -> None:
        self.lab = lab
        self.incident = incident
        self.written: list[Written] = []
        self._modules = modules
        self._journals = folder / "journal"
        self._file = folder / "plan.json"

    def plan(self, roles: t.Mapping[str, list[str]], patience: float) -> Object:
        """The plan as role ``plan`` makes it, which is of the steps that the incident's file says.

        :param patience: seconds for controllers to go as far as that.
        """
        deadline = time.monotonic() + patience
        while True:
            before = self._markers()
            self._make_plan()
            assert [each for each in self._writes(before) if not each.dry_run] == []
            plan = json.loads(self._file.read_text(encoding="utf-8"))
            planned: dict[str, list[str]] = {}
            for step in plan["steps"]:
                planned.setdefault(step["cluster"], []).append(step["role"].rpartition(".")[2])
            if planned == roles:
                return plan
            assert time.monotonic() < deadline, (planned, plan["needs_a_person"])

    def remediate(self, plan: Object) -> None:
        """Every step does what was foretold, and what it is a remedy of is gone."""
        leases = {each.name: {**self._of(each), "run": plan["run"]} for each in self.lab.clusters}
        self._run(*(("lease", each) for each in leases.values()))
        outcomes: list[Object] = []
        for step in plan["steps"]:
            outcomes.append(self._carry_out(plan, step, outcomes))
        self._run(*(("lease", {**each, "state": "absent"}) for each in leases.values()))
        dummy, findings = self._diagnose()
        (outcome,) = self._run(("plan_outcome", {"plan": str(self._file), "run": plan["run"], "outcomes": outcomes, "findings": findings}))
        assert outcome["success"], outcome["lines"]
        assert 1 <= outcome["artifacts"]["repaired"] == len(plan["steps"]) - outcome["artifacts"]["unchanged"], outcome["lines"]

    def repeat(self, plan: Object, done: bool) -> None:
        """No module, told the same again, writes or tries to.

        :param done: nothing is left to be planned, either.
        """
        before = self._markers()
        if done:
            again = self._make_plan()
            assert again["steps"] == [], again["lines"]
        for step in plan["steps"]:
            module, arguments = self._arguments(step)
            (result,) = self._run((module, {**arguments, **REAL}))
            assert (result["changed"], result["lines"], result["diff"]) == (False, [], []), result
        assert self._writes(before) == []

    def roll_back(self, plan: Object) -> set[str]:
        """All is put back but what nothing puts back, which is said; and a second time there is nothing to do. Returns the names of pools that differ."""
        differing: set[str] = set()
        for cluster in [each for each in reversed(self.lab.clusters) if self._journal(plan, each)]:
            cannot, pools = self._irreversible(plan, cluster)
            differing |= pools
            arguments = {**self._of(cluster), "run": plan["run"], "journal_dir": str(self._journals), "allow_disruption": True}
            told, done = (self._run(("rollback", {**arguments, **mode}))[0] for mode in (CHECK, REAL))
            _require_same(told["diff"], done["diff"])
            assert (done["lines"], done["refused"]) == (told["lines"], []), (told, done)
            assert done["cannot"] == told["cannot"] == cannot, (cannot, told["cannot"], done["cannot"])
            before = self._markers()
            (again,) = self._run(("rollback", {**arguments, **REAL}))
            assert (again["changed"], again["lines"], self._writes(before)) == (False, [], [])
        return differing

    def compare(self, differing: t.Collection[str]) -> None:
        """All objects are as they were; and where controllers keep some from it, exactly those are not.

        :param differing: names of those of which rollback has said so.
        """
        kept = KEPT_BY_CONTROLLERS.get(self.incident.id)
        returning.await_return(self.lab, {*differing, *(kept.objects if kept else ())})
        if kept:
            now = {line.partition(": ")[0] for each in self.lab.clusters for line in returning.departures(each, self.lab.reactors)}
            assert now >= kept.objects, (now, kept.reason)

    def _make_plan(self) -> Object:
        diagnoses, findings = self._diagnose()
        clusters = [{"cluster": each["cluster"], "baseline": each["baseline"]} for each in self._run(*(("plan_info", self._of(each)) for each in self.lab.clusters))]
        common = {"findings": findings, "clusters": clusters, "diagnoses": [{"cluster": each["cluster"], "details": each["details"]} for each in diagnoses]}
        (draft,) = self._run(("plan", common))
        told = [self._foretell(step, draft["run"]) for step in draft["steps"]]
        (made,) = self._run(("plan", {**common, "run": draft["run"], "predictions": told, "dest": str(self._file)}))
        return made

    def _foretell(self, step: Object, run: str) -> Object:
        module, arguments = self._arguments(step, run)
        (result,) = self._modules.run((module, {**arguments, **CHECK}))
        return {"n": step["n"], **({"failed": result["msg"]} if result.get("failed") else {"result": _plain(result)})}

    def _carry_out(self, plan: Object, step: Object, outcomes: list[Object]) -> Object:
        cluster = self.lab.cluster(step["cluster"])
        gate = {"plan": str(self._file), "step": step["n"], "outcomes": outcomes, "clusters": [each.name for each in self.lab.clusters]}
        (begin,) = self._run(("plan_info", {**self._of(cluster), **gate, "allow_disruption": True}))
        assert begin["begin"], begin
        module, arguments = self._arguments(step, plan["run"], begin["preconditions"])
        foretold = step["diff"]
        if outcomes:  # the steps before it have changed what it is computed from
            foretold = self._run((module, {**arguments, **CHECK}))[0]["diff"]
        known = {each.name: len(self._journal(plan, each)) for each in self.lab.clusters}
        (done,) = self._run((module, {**arguments, **REAL}))
        _require_same(foretold, done["diff"])
        new = [each for member in self.lab.clusters for each in self._journal(plan, member)[known[member.name]:]]
        assert written_objects.shown(done["diff"]) == written_objects.stored(new)
        self.written += new
        # A step may find that an earlier one, on another cluster, has done it already; then fresh check mode says so, too.
        return {"n": step["n"], "state": "done" if done["changed"] else "unchanged", "changed": done["changed"], "needs_person": done.get("needs_person") or []}

    def _irreversible(self, plan: Object, cluster: ClusterInfo) -> tuple[list[str], set[str]]:
        """What a rollback must say of what nothing can put back, newest first; and the pools that differ for it.

        Pods that were restarted; and stale pools in whose range Submariner's agents have made others since.
        """
        newest_first = self._journal(plan, cluster)[::-1]
        told = [f"{each.object} was restarted; another pod is in its place, and nothing is left of the old one" for each in newest_first if each.verb == "restart"]
        made_by_run = {each.path.rpartition("/")[2] for each in newest_first if each.verb == "create"}
        pools = {each["metadata"]["name"]: ipaddress.ip_network(each["spec"]["cidr"]) for each in cluster.admin().list(POOLS)}
        differing: set[str] = set()
        for each in newest_first:
            if each.verb != "delete" or "/ippools/" not in each.path:
                continue
            name, was = each.path.rpartition("/")[2], ipaddress.ip_network(each.before["spec"]["cidr"])
            for other in [other for other, cidr in pools.items() if cidr.overlaps(was) and other not in made_by_run]:
                told.append(f"{each.object} cannot be put back: IPPool {other}, which has been made since, overlaps it, and Calico refuses overlapping pools")
                differing |= {name, other}
        return told, differing

    def _journal(self, plan: Object, cluster: ClusterInfo) -> list[Written]:
        return written_objects.of_journal(self._journals / plan["run"] / f"{cluster.name}.jsonl")

    def _arguments(self, step: Object, run: str = "", preconditions: t.Sequence[Object] = ()) -> tuple[str, dict[str, t.Any]]:
        variables = {
            **step["variables"],
            "submariner_run": run,
            "submariner_journal_dir": str(self._journals),
            "submariner_allow_disruption": True,
            "submariner_preconditions": list(preconditions),
        }
        return module_arguments(self.lab, step["cluster"], step["role"], variables)

    def _diagnose(self) -> tuple[list[Object], list[Object]]:
        diagnoses = self._modules.diagnose(self.lab)
        return diagnoses, self._modules.report(diagnoses)["findings"]

    def _of(self, cluster: ClusterInfo) -> dict[str, t.Any]:
        return {"kubeconfig": str(cluster.kubeconfig), "name": cluster.name}

    def _run(self, *orders: tuple[str, dict]) -> list[Object]:
        results = self._modules.run(*orders)
        for (module, arguments), result in zip(orders, results):
            assert not result.get("failed"), (module, arguments.get("name"), result["msg"], result)
        return results

    def _markers(self) -> dict[str, int]:
        return {each.name: audit.marker(each.audit_log) for each in self.lab.clusters}

    def _writes(self, since: t.Mapping[str, int]) -> list[audit.AuditEvent]:
        return [each for member in self.lab.clusters for dry in (False, True) for each in audit.writes(member.audit_log, since=since[member.name], dry_run=dry)]


def _require_same(foretold: list[Object], done: list[Object]) -> None:
    """What check mode showed is what the real run shows: the same objects in the same order, and in each of them the same changes.

    Controllers may have written other fields of them between the two.
    """
    headers = [each["after_header"] for each in foretold], [each["after_header"] for each in done]
    assert headers[0] == headers[1], f"foretold {headers[0]}, done {headers[1]}"
    for one, other in zip(foretold, done):
        assert _change(one) == _change(other), f"{one['after_header']}: foretold {_change(one)}, done {_change(other)}"


def _change(entry: Object) -> t.Any:
    """What an entry of a diff changes, by field; of what goes and comes as a whole, which it is."""
    if not entry["after"]:
        return "deleted"
    return entry["after"] if not entry["before"] else dict(_changed(entry["before"], entry["after"], ""))


def _changed(before: t.Any, after: t.Any, path: str) -> t.Iterator[tuple[str, t.Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _changed(before.get(key), after.get(key), f"{path}.{key}")
    elif before != after:
        yield path, (before, after)


def _plain(result: Object) -> Object:
    """A result as a play has it: Ansible takes warnings out of it, in a form that no module takes."""
    return {key: value for key, value in result.items() if key not in ("warnings", "deprecations")}
