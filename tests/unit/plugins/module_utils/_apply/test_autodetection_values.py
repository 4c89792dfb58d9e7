# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a person pastes into those of a Helm release, applied as Helm applies them to what the operator has written, and the runs after that."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _autodetection as remedy
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import calico_pod, cluster, ok

FIELD = "nodeAddressAutodetectionV4"
WANTED = {"kubernetes": "NodeInternalIP"}
DEFAULT = {"firstFound": True}
LAST = [{"manager": "helm", "fieldsV1": {"f:spec": {"f:calicoNetwork": {f"f:{FIELD}": {}}}}}]


def coalesced(over, under):
    """pkg/chart/common/util/coalesce.go coalesceTablesFullKey: a null above something removes the key, and a key that is above only stays."""
    result = {key: value for key, value in over.items() if not (value is None and under.get(key) is not None)}
    for key, value in under.items():
        if key not in over:
            result[key] = value
        elif isinstance(value, dict) and isinstance(over[key], dict):
            result[key] = coalesced(over[key], value)
    return result


def change(old, new):
    """evanphx/json-patch CreateMergePatch, by which Helm changes a custom resource: what both manifests have is left alone, and so is what neither has."""
    patch = {key: None for key in old if key not in new}
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            patch.update({key: inner} if (inner := change(old[key], value)) else {})
        elif key not in old or old[key] != value:
            patch[key] = value
    return patch


def rendered(values):
    """The chart's template writes Installation.spec from the whole of ``installation``; kube-apiserver drops a null."""

    def pruned(node):
        return {key: pruned(value) for key, value in node.items() if value is not None} if isinstance(node, dict) else node

    return pruned(values.get("installation", {}))


class Release:
    """A Helm release, the Installation that it and the operator write, and what the operator made of it last.

    :param values: the user's; the operator fills in its default.
    """

    def __init__(self, method=None):
        self.values = {"installation": {"calicoNetwork": {FIELD: method}}} if method else {}
        self.spec = {"calicoNetwork": {FIELD: dict(method or DEFAULT)}}
        self.computed = self.spec
        self.degraded = False
        self.fields = []

    @property
    def method(self):
        return self.spec["calicoNetwork"][FIELD]

    def upgrade(self, person):
        """``helm upgrade`` as the person is told (pkg/action/upgrade.go reuseValues, pkg/kube/client.go createPatch)."""
        given = yaml.safe_load(person.paste)
        taken = coalesced(given, copy.deepcopy(self.values))
        if "--reset-then-reuse-values" not in person.text:
            assert "--reuse-values" in person.text
            taken = coalesced(taken, copy.deepcopy(self.values))  # the chart's own values are those of the last release
        self.spec = merged(self.spec, change(rendered(self.values), rendered(taken)))
        self.values = taken
        self.fields = LAST
        self.reconcile()

    def reconcile(self):
        """tigera/operator pkg/controller/installation/validation.go validateNodeAddressDetection."""
        self.degraded = len([key for key, value in self.method.items() if value]) > 1
        if not self.degraded:
            self.computed = self.spec

    def run(self, monkeypatch, write_live=False, **params):
        """The whole remedy, as far as it reads and writes the Installation; what comes after a write is not waited for."""
        installation = methods.installation(release="calico", spec=self.spec, computed=self.computed)
        node, pod = methods.plain_node("a"), calico_pod("a")
        snapshot = cluster(**methods.helm(installations=ok(installation), nodes=ok(node), pods=ok(pod)))
        monkeypatch.setattr(remedy, "_read", lambda _task: snapshot)
        monkeypatch.setattr(remedy, "_await", lambda *_args: self.awaited.append(1))
        monkeypatch.setattr(remedy, "_prove", lambda *_args: None)
        self.awaited = []
        options = {"method": "kubernetes-internal-ip", "skip_interface": "", "can_reach": "", "interface": "", "cidrs": [], "families": [], "wait": True}
        task = SimpleNamespace(
            member=SimpleNamespace(name="c"),
            params={**options, "write_live": write_live, **params},
            people=[],
            lines=[],
            warnings=[],
            facts={},
            check_mode=False,
            require_consent=lambda _lines: None,
            writer=SimpleNamespace(read=lambda _path: self.object(), patch=self.patch),
        )
        remedy.repair_autodetection(task)
        return task

    def object(self):
        return {"metadata": {"name": "default", "managedFields": self.fields}, "spec": self.spec}

    def patch(self, _path, _found, patch):
        self.spec, self.fields = merged(self.spec, patch["spec"]), []
        self.reconcile()


@pytest.mark.parametrize("method", [None, DEFAULT, {"canReach": "10.10.10.10"}, {"cidrs": ["240.0.0.0/4"]}, {"interface": "vx-.*"}, {"skipInterface": "x"}])
def test_the_pasted_values_bring_one_method(monkeypatch, method):
    release = Release(method)
    (person,) = release.run(monkeypatch, families=["ipv4"]).people
    release.upgrade(person)
    assert not release.degraded, release.spec
    assert {key: value for key, value in release.method.items() if value} == WANTED
    done = release.run(monkeypatch, families=["ipv4"])
    assert (done.people, done.lines, release.awaited) == ([], [], [])


def test_away_from_the_internal_ip(monkeypatch):
    """``kubernetes`` has no value that stands for none, and ``--reuse-values`` keeps what is null."""
    release = Release(WANTED)
    (person,) = release.run(monkeypatch, families=["ipv4"], method="can-reach", can_reach="10.10.10.10").people
    assert "--reset-then-reuse-values" in person.text
    release.upgrade(person)
    assert {key: value for key, value in release.method.items() if value} == {"canReach": "10.10.10.10"}


def test_a_method_that_is_left_beside_the_wanted_one_is_a_persons(monkeypatch):
    """As after values that name the wanted method alone: the operator refuses both, and goes on with the old one."""
    release = Release()
    release.upgrade(SimpleNamespace(paste=yaml.safe_dump({"installation": {"calicoNetwork": {FIELD: WANTED}}}), text="--reuse-values"))
    assert release.degraded
    (person,) = release.run(monkeypatch).people
    assert yaml.safe_load(person.paste)["installation"]["calicoNetwork"][FIELD] == {"firstFound": False, **WANTED}
    release.upgrade(person)
    assert not release.degraded and release.run(monkeypatch).people == []


def test_written_live_the_values_are_still_a_persons(monkeypatch):
    release = Release()
    first = release.run(monkeypatch, write_live=True).people
    assert (release.method, release.degraded) == (WANTED, False)
    second = release.run(monkeypatch, write_live=True).people
    assert [person.paste for person in first] == [person.paste for person in second] != []
    release.upgrade(second[0])
    assert not release.degraded and release.run(monkeypatch, write_live=True).people == []


def test_an_operator_that_has_not_taken_it_up_is_waited_for(monkeypatch):
    release = Release()
    (person,) = release.run(monkeypatch).people
    before = release.computed
    release.upgrade(person)
    release.computed = before
    assert release.run(monkeypatch).people == [] and release.awaited


def test_no_run_ends_in_silence(monkeypatch):
    release = Release()
    monkeypatch.setattr(remedy, "set_installation", lambda *_args, **_more: False)
    with pytest.raises(SubmarinerError, match="neither is it so nor was anything to be written"):
        release.run(monkeypatch)
