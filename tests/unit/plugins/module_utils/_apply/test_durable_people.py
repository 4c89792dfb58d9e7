# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told where Calico's configuration is kept elsewhere: a Helm release's values, or a git repository."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import set_values
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable_chart import ChartValues, write_chart_values
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import cluster, ok

FRAGMENT = {"installation": {"calicoNetwork": {"mtu": 1400}}}


@pytest.fixture
def task():
    return SimpleNamespace(member=SimpleNamespace(name="cluster-1"), params={}, people=[], lines=[], warnings=[], facts={})


@pytest.mark.parametrize(
    ("installation", "said"),
    [
        (methods.installation(release="calico"), "--version v3.30.3 --reuse-values --values FILE"),
        (methods.installation(release="calico", version="master"), "--version INSTALLED_VERSION --reuse-values --values FILE, with the version of the chart"),
        (methods.installation(release="calico", variant="TigeraSecureEnterprise"), "--version INSTALLED_VERSION"),
    ],
)
def test_helm_keeps_the_version_of_the_chart(task, installation, said):
    set_values(task, cluster(**methods.helm(installations=ok(installation))), FRAGMENT, why="it lasts")
    (person,) = task.people
    assert said in person.text
    assert ("helm list -n NAMESPACE" in person.text) == ("INSTALLED_VERSION" in said)


@pytest.mark.parametrize(("structured", "said"), [({}, "spec.valuesContent in its source"), (FRAGMENT, "spec.valuesContent and into spec.values, which")])
def test_git_gets_a_fragment_to_merge(task, structured, said):
    found = {
        "metadata": {"name": "rke2-calico", "namespace": "kube-system", "annotations": {"argocd.argoproj.io/tracking-id": "network:x"}},
        "spec": {"valuesContent": "registry: r\ninstallation: {calicoNetwork: {mtu: 1400}}\n", "values": structured},
    }
    values = ChartValues(found, found["spec"]["valuesContent"], {}, FRAGMENT, ())
    assert write_chart_values(task, cluster(**methods.rke2()), values, "it lasts") is False
    (person,) = task.people
    assert f"merge this into the YAML text of {said}" in person.text and "keep the other values" in person.text
    assert yaml.safe_load(person.paste) == FRAGMENT
