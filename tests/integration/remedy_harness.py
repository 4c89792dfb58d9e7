# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every incident that a role repairs, from the plan to the rollback, as roles ``plan``, ``remediate`` and ``rollback`` go about it, module by module.

Which roles those are, the incident's own file says, and ``incident_harness.check`` holds it against the diagnosis. An incident without is for a person, who
is told so by the diagnosis alone.
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

PATIENCE = 240.0
POOLS = "/apis/crd.projectcalico.org/v1/ippools"


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


def _gateway_ended(node: str, address: str, pool: str = "") -> Kept:
    """cluster-1's records stay right, for nobody announces the wrong range again.

    :param node: of cluster-1's gateway.
    :param address: its address, with dashes.
    :param pool: of the right range at cluster-2, where the wrong one does not overlap it: its agents have made it, and keep it.
    """
    own, broker = ("/apis/submariner.io/v1/namespaces/submariner-operator", "/apis/submariner.io/v1/namespaces/submariner-k8s-broker")
    records = ("clusters/cluster-1", f"endpoints/cluster-1-submariner-cable-cluster-1-{address}")
    held = [f"{where}/{each}" for where in (f"cluster-1 {own}", f"cluster-1 {broker}", f"cluster-2 {own}") for each in records]
    pools = [f"cluster-2 {POOLS}/{pool}"] if pool else []
    return Kept(
        frozenset((f"cluster-1 {own}/gateways/{node}", *held, *pools)),
        "A gateway that starts with the wrong range finds no interface in it and ends (submariner pkg/cni/cni_iface.go); the one of the incident ran already.",
    )


KEPT_BY_CONTROLLERS = {
    "000-operator-first-rollout": API_SERVER_STAYS,
    "003-operator-first-install": API_SERVER_STAYS,
    "001-helm-node-cidr": _gateway_ended("alpha-gateway-1", "172-16-10-21"),
    "001-kubespray-node-cidr": _gateway_ended("alpha-gateway-1", "10-10-1-21"),
    "001-manifest-node-cidr": _gateway_ended("alpha-gateway-1", "10-20-1-21"),
    "001-operator-node-cidr": _gateway_ended("alpha-gateway-1", "192-168-10-21"),
    "001-roks-documented-cidr": _gateway_ended("10.240.0.5", "10-240-0-5", "submariner-cluster-1-172.17.0.0-18"),
}

CHECK = {"_ansible_check_mode": True, "_ansible_diff": True}
REAL = {"_ansible_check_mode": False, "_ansible_diff": True}


def cases(everyday: t.Mapping[str, t.Collection[str]]) -> list:
    """Layout and id of the incidents that roles repair, or would if they were let; those of a layout stand together.

    :param everyday: by layout, those that are not for the exhaustive run alone.
    """
    return [case for layout, often in everyday.items() for case in _cases(layout, often)]


def _cases(layout: str, everyday: t.Collection[str]) -> list:
    found = {each: incidents.load(each) for each in incidents.on_layout(layout)}
    chosen = [name for name, each in found.items() if each.remedies or each.people]
    assert set(everyday) <= set(chosen), f"not among those of layout {layout} that roles repair: {sorted(set(everyday) - set(chosen))}"
    return [pytest.param(layout, each, id=each, marks=_marks(layout, each in everyday)) for each in chosen]


def looks(everyday: t.Collection[str], layouts: t.Iterable[str]) -> list:
    """Each run looks at what it has written itself.

    :param everyday: the layouts on which the everyday run writes what it writes on no other.
    """
    runs = [(layout, often) for layout in layouts for often in (True, False) if layout in everyday or not often]
    return [pytest.param(layout, id=f"{layout}-{'everyday' if often else 'exhaustive'}", marks=_marks(layout, often)) for layout, often in runs]


def _marks(layout: str, often: bool) -> list:
    return [pytest.mark.xdist_group(f"{layout}, awake"), *([] if often else [pytest.mark.exhaustive])]


def sweep(modules: Modules, lab: LabInfo, incident: Incident, folder: Path) -> list[Written]:
    """Go through all of it; return what was written."""
    trial = Trial(modules, lab, incident, folder)
    if incident.people:
        trial.leave_to_people(incident.people)
        trial.ask(incident.asked)
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
        self._asked: dict[str, t.Any] = {}
        self._modules = modules
        self._journals = folder / "journal"
        self._file = folder / "plan.json"

    def leave_to_people(self, roles: t.Mapping[str, list[str]]) -> None:
        """What these roles may not write is in the plan for a person, who is told the same by the roles themselves, which write nothing and do not try to."""
        before = self._markers()
        draft, made = self._make_plan()
        kept = {(each["cluster"], each["role"]) for each in made["steps"]}
        left = [each for each in draft["steps"] if (each["cluster"], each["role"]) not in kept]
        assert _roles(left) == roles, (_roles(left), made["needs_a_person"])
        for step in left:
            told = [each for each in made["needs_a_person"] if (each["cluster"], each["finding"]) == (step["cluster"], step["findings"][0])]
            module, arguments = self._arguments(step)
            (result,) = self._modules.run((module, {**arguments, **REAL}))
            if result.get("failed"):
                assert any(each["blocked"] and result["msg"] in each["text"] for each in told), (result["msg"], told)
                continue
            assert (result["changed"], result["lines"], result["diff"]) == (False, [], []), result
            said = {_told(step["cluster"], each) for each in result["needs_person"]}
            assert said and said <= {_told(step["cluster"], each) for each in told}, (said, told)
        if not kept:
            dummy, findings = self._diagnose()
            (outcome,) = self._run(("plan_outcome", {"plan": str(self._file), "run": made["run"], "outcomes": [], "findings": findings}))
            blocked = sum(each["blocked"] for each in made["needs_a_person"])
            expected = {"steps": 0, "repaired": 0, "failed": 0, "needs_a_person": len(made["needs_a_person"]) - blocked, "blocked": blocked}
            assert {key: outcome["artifacts"][key] for key in expected} == expected, outcome["lines"]
        assert self._writes(before) == []

    def ask(self, variables: t.Mapping[str, t.Any]) -> None:
        """From now on roles are told this, too."""
        self._asked = dict(variables)

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
            if _roles(plan["steps"]) == roles:
                return plan
            assert time.monotonic() < deadline, (_roles(plan["steps"]), plan["needs_a_person"])

    def remediate(self, plan: Object) -> None:
        """Every step does what was foretold, and what it is a remedy of is gone."""
        leases = {each.name: {**self._of(each), "run": plan["run"]} for each in self.lab.clusters}
        self._run(*(("lease", each) for each in leases.values()))
        outcomes: list[Object] = []
        people = {_told(each["cluster"], each) for each in plan["needs_a_person"]}
        for step in plan["steps"]:
            outcomes.append(self._carry_out(plan, step, outcomes))
            people |= {_told(step["cluster"], each) for each in outcomes[-1]["needs_person"]}
        self._run(*(("lease", {**each, "state": "absent"}) for each in leases.values()))
        dummy, findings = self._diagnose()
        (outcome,) = self._run(("plan_outcome", {"plan": str(self._file), "run": plan["run"], "outcomes": outcomes, "findings": findings}))
        assert outcome["success"], outcome["lines"]
        assert 1 <= outcome["artifacts"]["repaired"] == len(plan["steps"]) - outcome["artifacts"]["unchanged"], outcome["lines"]
        assert outcome["artifacts"]["needs_a_person"] == len(people), (people, outcome["lines"])

    def repeat(self, plan: Object, done: bool) -> None:
        """No module, told the same again, writes or tries to.

        :param done: nothing is left to be planned, either.
        """
        before = self._markers()
        if done:
            dummy, again = self._make_plan()
            assert again["steps"] == [], again["lines"]
        for step in plan["steps"]:
            module, arguments = self._arguments(step)
            (result,) = self._run((module, {**arguments, **REAL}))
            assert (result["changed"], result["lines"], result["diff"]) == (False, [], []), result
        assert self._writes(before) == []

    def roll_back(self, plan: Object) -> set[str]:
        """All is put back but what nothing puts back, which is said; and a second time there is nothing to do.

        Returns what differs, as ``returning`` takes it.
        """
        differing: set[str] = set()
        for cluster in [each for each in reversed(self.lab.clusters) if self._journal(plan, each)]:
            cannot, lost = self._irreversible(plan, cluster)
            differing |= lost
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

        :param differing: those of which rollback has said so.
        """
        kept = KEPT_BY_CONTROLLERS.get(self.incident.id)
        returning.await_return(self.lab, {*differing, *(kept.objects if kept else ())})
        if kept:
            now = {line.partition(": ")[0] for each in self.lab.clusters for line in returning.departures(each, self.lab.reactors)}
            assert now >= kept.objects, (now, kept.reason)

    def _make_plan(self) -> tuple[Object, Object]:
        """The draft, and the plan made of it."""
        diagnoses, findings = self._diagnose()
        infos = self._run(*(("plan_info", self._of(each)) for each in self.lab.clusters))
        clusters = [{"cluster": each["cluster"], "baseline": each["baseline"]} for each in infos]
        common = {"findings": findings, "clusters": clusters, "diagnoses": [{"cluster": each["cluster"], "details": each["details"]} for each in diagnoses]}
        (draft,) = self._run(("plan", common))
        told = [self._foretell(step, draft["run"]) for step in draft["steps"]]
        (made,) = self._run(("plan", {**common, "run": draft["run"], "predictions": told, "dest": str(self._file)}))
        return draft, made

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
        """What a rollback must say of what nothing can put back, newest first; and the objects that differ for it, as ``returning`` takes them.

        Pods that were restarted; Secrets, whose values no journal keeps; and stale pools in whose range Submariner's agents have made others since.
        """
        newest_first = self._journal(plan, cluster)[::-1]
        made_by_run = {each.path.rpartition("/")[2] for each in newest_first if each.verb == "create"}
        pools = {each["metadata"]["name"]: ipaddress.ip_network(each["spec"]["cidr"]) for each in cluster.admin().list(POOLS)}
        told: list[str] = []
        differing: set[str] = set()
        for each in newest_first:
            if each.verb == "restart":
                told.append(f"{each.object} was restarted; another pod is in its place, and nothing is left of the old one")
            elif "/secrets/" in each.path and each.verb in ("patch", "delete"):
                lost = ", ".join(f"data.{key}" for key in sorted((each.before if each.verb == "delete" else each.sent or {}).get("data") or {}))
                kept = f"{each.object} holds secrets, which no journal keeps: {lost}"
                told.append(kept if each.verb == "delete" else f"{each.object}: the values of {lost} are secrets, which no journal keeps")
                differing.add(f"{cluster.name} {each.path}")
            elif "/ippools/" in each.path and each.verb == "delete":
                name, was = each.path.rpartition("/")[2], ipaddress.ip_network(each.before["spec"]["cidr"])
                for other in [other for other, cidr in pools.items() if cidr.overlaps(was) and other not in made_by_run]:
                    why = "which has been made since, overlaps it, and Calico refuses overlapping pools"
                    told.append(f"{each.object} cannot be put back: IPPool {other}, {why}")
                    differing |= {name, other}
        return told, differing

    def _journal(self, plan: Object, cluster: ClusterInfo) -> list[Written]:
        return written_objects.of_journal(self._journals / plan["run"] / f"{cluster.name}.jsonl")

    def _arguments(self, step: Object, run: str = "", preconditions: t.Sequence[Object] = ()) -> tuple[str, dict[str, t.Any]]:
        variables = {
            **step["variables"],
            **self._asked,
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


def _told(cluster: str, entry: Object) -> tuple[str, str, str, str]:
    """What a person is told to do, wherever it is said."""
    return cluster, entry["text"], entry.get("target") or "", entry.get("paste") or ""


def _roles(steps: t.Iterable[Object]) -> dict[str, list[str]]:
    """The roles of steps by cluster, in their order."""
    found: dict[str, list[str]] = {}
    for step in steps:
        found.setdefault(step["cluster"], []).append(step["role"].rpartition(".")[2])
    return found


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
