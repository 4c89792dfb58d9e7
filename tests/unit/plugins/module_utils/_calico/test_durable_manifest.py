# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HelmChartConfig in a manifest file of an RKE2 server, changed without touching the rest of the file."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_manifest import holds_config, merge_into_manifest, mirrored_folder
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError

FILE = """\
# Kept by the network team.
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata:
  name: rke2-coredns
  namespace: kube-system
spec:
  valuesContent: |-
    replicaCount: 3
---
apiVersion: helm.cattle.io/v1
kind: HelmChartConfig
metadata: {name: rke2-calico, namespace: kube-system}
spec:
  valuesContent: |-
      # ours
      installation:
        calicoNetwork:
          bgp: Disabled   # no peers
      felixConfiguration:
        wireguardEnabled: true
  failurePolicy: abort  # stay
"""
FRAGMENT = {"installation": {"calicoNetwork": {"mtu": 1400}}}


def merge(text, fragment=None, replace=()):
    return merge_into_manifest(text, "rke2-calico", FRAGMENT if fragment is None else fragment, replace, yaml)


def test_only_the_values_change():
    after = merge(FILE)
    documents = list(yaml.safe_load_all(after.text))
    before = list(yaml.safe_load_all(FILE))
    assert documents[0] == before[0] and documents[1]["metadata"] == before[1]["metadata"]
    assert documents[1]["spec"] == {"valuesContent": after.values_after, "failurePolicy": "abort"}
    assert after.values_after == after.values_before.replace("no peers\n", "no peers\n    mtu: 1400\n")
    for line in FILE.splitlines():
        assert line.strip() in after.text
    assert merge(after.text) == (after.text, False, after.values_after, after.values_after)


def test_a_config_without_values():
    after = merge("kind: HelmChartConfig\nmetadata: {name: rke2-calico, namespace: kube-system}\n")
    assert yaml.safe_load(yaml.safe_load(after.text)["spec"]["valuesContent"]) == FRAGMENT
    after = merge("kind: HelmChartConfig\nmetadata: {name: rke2-calico, namespace: kube-system}\nspec: {}\n")
    assert yaml.safe_load(yaml.safe_load(after.text)["spec"]["valuesContent"]) == FRAGMENT


def test_json_stays_json():
    metadata = {"name": "rke2-calico", "namespace": "kube-system"}
    text = json.dumps({"kind": "HelmChartConfig", "metadata": metadata, "spec": {"valuesContent": "a: 1\n"}}, indent=2)
    assert yaml.safe_load(json.loads(merge(text).text)["spec"]["valuesContent"]) == {"a": 1, **FRAGMENT}


def test_structured_values_outrank_the_text():
    head = "kind: HelmChartConfig\nmetadata: {name: rke2-calico, namespace: kube-system}\n"
    text = f"{head}spec:\n  values:\n    installation:\n      calicoNetwork:\n        mtu: 9000 # jumbo\n"
    after = merge(text)
    spec = yaml.safe_load(after.text)["spec"]
    assert spec["values"] == FRAGMENT and yaml.safe_load(spec["valuesContent"]) == FRAGMENT and "# jumbo" in after.text
    assert not merge(after.text).changed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: ConfigMap\n", "holds no HelmChartConfig"),
        (FILE + "---\n" + FILE.split("---\n")[1], "holds 2 HelmChartConfigs"),
        (FILE.replace("      # ours\n", "      a: [\n"), "no YAML"),
        ("kind: [\n", "no YAML"),
        ("kind: HelmChartConfig\nmetadata: {name: rke2-calico, namespace: kube-system}\nspec: {valuesContent: [1]}\n", "no text"),
        ("kind: HelmChartConfig\nmetadata: {name: rke2-calico, namespace: kube-system}\nspec: [1]\n", "no text"),
        ("kind: HelmChartConfig\nmetadata: {name: rke2-calico}\nspec: {}\n", "holds no HelmChartConfig"),
    ],
)
def test_refused(text, reason):
    with pytest.raises(EditError, match=reason):
        merge(text)


def test_holds_config():
    assert holds_config(FILE, "rke2-calico", yaml) and holds_config(FILE, "rke2-coredns", yaml)
    assert not holds_config(FILE, "rke2-canal", yaml)
    assert not holds_config("name: rke2-calico\n", "rke2-calico", yaml)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/var/lib/rancher/rke2/server/manifests/ansible_managed_0/a.yaml", "ansible_managed_0"),
        ("/data/server/manifests/ansible_managed_1/deeper/a.yaml", "ansible_managed_1"),
        ("/var/lib/rancher/rke2/server/manifests/ansible_managed_0", ""),
        ("/var/lib/rancher/rke2/server/manifests/a.yaml", ""),
    ],
)
def test_mirrored_folder(path, folder):
    assert mirrored_folder(path) == folder


LINES = st.lists(st.sampled_from(["a: 1", "# note", "b: 'x'  # beside", "c:", "  d: [1, 2]", "", "e: |", "  text", "  # no comment"]), max_size=8)


def _values(text, values):
    """What the values mean; None where they are no mapping, or where the block holds another text than was meant (its first line is indented)."""
    try:
        held = yaml.safe_load(text)["spec"]["valuesContent"]
        found = yaml.safe_load(held) or {}
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) and held.rstrip("\n") == values.rstrip("\n") else None


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(LINES, st.integers(3, 6), st.sampled_from(["|", "|-", "|+"]))
def test_any_values_keep_every_line(lines, indent, header):
    values = "\n".join(lines)
    block = "\n".join(" " * indent + line if line else "" for line in lines)
    text = f"# top\nkind: HelmChartConfig\nmetadata:\n  name: rke2-calico\n  namespace: kube-system\nspec:\n  valuesContent: {header}\n{block}\n# end\n"
    before = _values(text, values)
    assume(before is not None)
    after = merge(text)
    document = yaml.safe_load(after.text)
    assert yaml.safe_load(document["spec"]["valuesContent"]) == {**before, **FRAGMENT}
    assert [line for line in lines if line.startswith("#")] == [line for line in document["spec"]["valuesContent"].splitlines() if line.startswith("#")]
    assert after.text.startswith("# top\n") and after.text.endswith("# end\n")
    assert not merge(after.text).changed
