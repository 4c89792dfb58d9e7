# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases from the tags of images."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._component_versions import (
    calico_of_operator,
    component_versions,
    operator_version,
    tag_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container, Deployment, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import daemon_set, ok, snapshot


def deployment(name, image, namespace="kube-system"):
    return Deployment(Ref("Deployment", name, namespace), (Container(name, image, (), (), ()),), 1, 1)


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("docker.io/calico/node:v3.28.1", "v3.28.1"),
        ("registry.test:5000/calico/node", ""),
        ("registry.test:5000/calico/node:v3.28.1@sha256:ab", "v3.28.1"),
        ("calico/node@sha256:ab", ""),
        ("rancher/mirrored-calico-node:v3.26.3", "v3.26.3"),
        ("", ""),
    ],
)
def test_tags(image, tag):
    assert tag_of(image) == tag


def test_components():
    found = component_versions(snapshot(deployments=ok(deployment("calico-apiserver", "calico/apiserver:v3.26.4"), deployment("coredns", "coredns:1.11"))))
    assert [(entry.component, entry.version) for entry in found] == [("calico-node", "v3.28.1"), ("calico-apiserver", "v3.26.4")]


@pytest.mark.parametrize(("tag", "version"), [("v1.38.7", "v1.38.7"), ("latest", "")])
def test_operator(tag, version):
    assert operator_version(snapshot(deployments=ok(deployment("tigera-operator", f"quay.io/tigera/operator:{tag}", "tigera-operator")))) == version
    assert operator_version(snapshot(deployments=ok(deployment("tigera-operator", "x:v1.30.0", "elsewhere")), daemon_sets=ok(daemon_set()))) == ""


@pytest.mark.parametrize(
    ("operator", "calico"), [("v1.30.9", (3, 26)), ("v1.40.7", (3, 31)), ("v1.42.3", (3, 32)), ("v1.31.0", None), ("v2.36.0", None), ("master", None)]
)
def test_pairs(operator, calico):
    assert calico_of_operator(operator) == calico
