# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests of incidents on layouts share: which there are, and comparing a diagnosis with what an incident says of it.

The layouts stand in several test files, so that several workers can share the work; each worker boots one lab a layout.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import pytest

from tests.integration.modules import Modules
from tests.lab import audit, changes, incident as incidents

SEVERE = ("blocker", "error")
ADMIN = "admin"
# Incidents that a role repairs and that cannot be taken from the plan to the rollback in a lab, each with the reason.
UNTRIED = {
    "000-operator-dead-certificate": "nobody makes Calico's certificates in a lab; test_calico_api_server_elsewhere.py has the role delete them at rest",
}


def cases(*layouts: str) -> list:
    """(layout, incident id) of every layout in health, and of every incident on it; those of a layout stand together."""
    of_layout = {layout: (layout, *incidents.on_layout(layout)) for layout in layouts}
    return [pytest.param(layout, each, id=each, marks=pytest.mark.xdist_group(layout)) for layout in layouts for each in of_layout[layout]]


KEPT = 1  # labs of layouts that a bench keeps running: about 1 GB each, and a core's fifteenth


class Bench:
    """Running layout labs, those that were used last, and the modules to try on them."""

    def __init__(self, lab_factory) -> None:
        self._factory = lab_factory
        self._labs: dict[str, object] = {}  # by layout, the one used last at the end
        self.modules = Modules()

    @contextlib.contextmanager
    def planted(self, layout: str, identifier: str):
        """The lab of a layout with an incident planted, or in health. What is not as it was afterwards costs the next test a fresh lab."""
        lab = self._lab(layout)
        if identifier == layout:
            yield lab
            return
        try:
            with changes.planted(lab, incidents.load(identifier)) as planted:
                yield planted
        except changes.NotRestored:
            self._factory.stop(self._labs.pop(layout))
            raise

    def close(self) -> None:
        self.modules.close()
        while self._labs:
            self._factory.stop(self._labs.popitem()[1])

    def _lab(self, layout: str):
        lab = self._labs.pop(layout, None)
        if lab is None:
            while len(self._labs) >= KEPT:
                self._factory.stop(self._labs.pop(next(iter(self._labs))))
            lab = self._factory(incident=layout)
        self._labs[layout] = lab
        return lab


def check(bench: Bench, layout: str, identifier: str) -> list[str]:
    """Everything in which the diagnosis of an incident, or of a layout in health, is not as it should be.

    Blockers and errors are exactly those that the incident expects; what else it names must be there, too. In health nothing is above info but what
    the layout allows, and nothing is unknown. Bundles of the clusters that the incident changes, made at the same time, give the same findings. Nobody
    but the lab itself writes, or tries to. The roles of a plan are those that the incident says, so that tests/integration/test_remedied.py tries each.
    """
    with bench.planted(layout, identifier) as lab:
        before = {cluster.name: cluster.audit_log.stat().st_size for cluster in lab.clusters}
        with tempfile.TemporaryDirectory(prefix="bundles-") as folder:
            saved = _touched(lab, incidents.load(identifier))
            bench.modules.collect(saved, Path(folder))
            live = bench.modules.diagnose(lab)
            offline = bench.modules.diagnose_bundles(saved, Path(folder))
        report = bench.modules.report(live)
        written = [event.uri for cluster in lab.clusters for event in audit.events(cluster.audit_log, before[cluster.name]) if event.user == ADMIN]
    wrong = [f"the diagnosis wrote: {each}" for each in written]
    online = {each["cluster"]: each for each in live}
    wrong += [told for each in offline for told in _differences(online[each["cluster"]], each)]
    wanted = {(each.cluster, each.id, each.severity, each.verdict) for each in incidents.load(identifier).expect}
    found = {(each["cluster"], each["id"], each["severity"], each["verdict"]): each for each in report["findings"]}
    wrong += _undeclared(identifier, _drafted(bench.modules, live, report["findings"]))
    if identifier == layout:
        return wrong + [_told(each) for key, each in found.items() if key not in wanted and (key[2], key[3]) != ("info", "fail")]
    wrong += [f"not found: {' '.join(key)}" for key in sorted(wanted - set(found))]
    wrong += [_told(found[key]) for key in sorted(set(found) - wanted) if key[2] in SEVERE and key[3] == "fail"]
    return wrong


def _drafted(modules: Modules, diagnoses: list[dict], findings: list[dict]) -> set[tuple[str, str]]:
    """Cluster and role of each step that a plan would begin with."""
    clusters = [{"cluster": {"name": each["cluster"], "uid": each["cluster"], "clusterset": "", "joined": None}} for each in diagnoses]
    (draft,) = modules.run(("plan", {"findings": findings, "clusters": clusters}))
    assert not draft.get("failed"), draft
    return {(step["cluster"], step["role"].rpartition(".")[2]) for step in draft["steps"]}


def _undeclared(identifier: str, drafted: set[tuple[str, str]]) -> list[str]:
    """In what a plan is not of the roles that the incident's file says; of none for a layout in health."""
    incident = incidents.load(identifier)
    if identifier in UNTRIED:
        return [] if drafted else [f"{identifier} stands in UNTRIED, and no plan has a step for it"]
    said = {(cluster, role) for part in (incident.remedies, incident.people) for cluster, roles in part.items() for role in roles}
    wrong = [f"a plan has {role} on {cluster}, and {incident.file} does not say so under `remedies` or `people`" for cluster, role in sorted(drafted - said)]
    return wrong + [f"{incident.file} says {role} on {cluster}, and no plan has it" for cluster, role in sorted(said - drafted)]


def _touched(lab, incident) -> list:
    """The clusters that an incident changes; all of a layout in health."""
    named = {change["cluster"] for change in incident.changes} | set(incident.logs)
    return [each for each in lab.clusters if each.name in named or changes.EVERYWHERE in named] or list(lab.clusters)


def _differences(live: dict, offline: dict) -> list[str]:
    """In what the diagnosis of a bundle is not that of the cluster that it was made of."""
    found = []
    for here, there, what in ((live, offline, "only live"), (offline, live, "only from the bundle")):
        found += [f"{what}: {_told(each)} {json.dumps(each['evidence'])[:300]}" for each in here["findings"] if each not in there["findings"]]
    if live["passed"] != offline["passed"]:
        found.append(f"passed live and from the bundle: {sorted(set(live['passed']) ^ set(offline['passed']))}")
    return found


def _told(finding: dict) -> str:
    said = f"{finding['severity']} {finding['verdict']} {finding['cluster']}/{finding['id']}: {finding['title']}"
    return " ".join(filter(None, (said, finding["missing"], finding["caused_by"] and f"(follows from {finding['caused_by']})")))
