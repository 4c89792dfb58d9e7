# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook preflight by real Ansible, on clusters that are about to join: the lab's layouts, saved before Submariner came."""

from __future__ import annotations

import copy
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from ansible_collections.fathom.submariner.tests.unit.roles.unjoined_bundles import objects_of, unjoined, written


def changed(objects, kind, name, change):
    """The objects, one of them changed."""
    found = copy.deepcopy(objects)
    (one,) = [each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    change(one)
    return found


def nftables(config_map):
    config_map["data"]["config.conf"] = re.sub(r"^mode:.*$", "mode: nftables", config_map["data"]["config.conf"], flags=re.MULTILINE)


def ebpf(installation):
    for part in (installation["spec"], installation.get("status", {}).get("computed") or {}):
        part.setdefault("calicoNetwork", {})["linuxDataplane"] = "BPF"


def first_found(installation):
    for part in (installation["spec"], installation.get("status", {}).get("computed") or {}):
        part.setdefault("calicoNetwork", {})["nodeAddressAutodetectionV4"] = {"firstFound": True}


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    return objects_of("operator", tmp_path_factory.mktemp("layout"))


@pytest.fixture
def preflight(tmp_path):
    def run(bundles, host_variables=None, **variables):
        hosts = {name: {"submariner_bundle": str(folder), **(host_variables or {}).get(name, {})} for name, folder in bundles.items()}
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (tmp_path / "hosts.json").write_text(json.dumps({"submariner_clusters": {"hosts": hosts, "vars": here}}))
        plain = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_") or key == "ANSIBLE_COLLECTIONS_PATH"}
        program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
        command = [program, "-i", "hosts.json", "-b", "fathom.submariner.preflight", "-e", json.dumps(variables)]
        root = {"ANSIBLE_BECOME_EXE": "/nonexistent/sudo", "ANSIBLE_BECOME_ALLOW_SAME_USER": "true"}
        environment = {**plain, **root, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
        told = re.findall(r"^(?:ok|fatal): \[([^\]]+)\](?:: FAILED!)? => (\{.*?^\})", done.stdout, flags=re.MULTILINE | re.DOTALL)
        messages = {}
        for host, text in told:
            message = json.loads(text).get("msg", "")
            messages.setdefault(host, []).append("\n".join(message) if isinstance(message, list) else message)
        return done, {host: "\n".join(several) for host, several in messages.items()}

    return run


def test_a_cluster_that_is_fit_is_ready_and_what_it_was_not_compared_with_is_said(preflight, layout, tmp_path):
    done, told = preflight({"cluster-1": written(tmp_path / "one", unjoined(layout["cluster-1"]))})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cluster-1 is ready to join. Its ranges were compared with no other cluster" in told["cluster-1"]


def test_what_breaks_a_join_is_found_before_it(preflight, layout, tmp_path):
    fit = unjoined(layout["cluster-1"])
    bundles = {
        "no-api": written(tmp_path / "no-api", fit, api_server=False),
        "nftables": written(tmp_path / "nftables", changed(fit, "ConfigMap", "kube-proxy", nftables)),
        "ebpf": written(tmp_path / "ebpf", changed(fit, "Installation", "default", ebpf)),
        "first-found": written(tmp_path / "first-found", changed(fit, "Installation", "default", first_found)),
    }
    done, told = preflight(bundles, preflight_ignore="not-joined, clusterset-cidr-overlap, clusterset-node-network-overlap")
    assert done.returncode == 2, done.stdout + done.stderr
    reasons = {host: {line.removeprefix("- ").partition(":")[0] for line in text.splitlines() if line.startswith("- ")} for host, text in told.items()}
    assert reasons == {
        "no-api": {"calico-api-unavailable"},
        "nftables": {"kube-proxy-mode"},
        "ebpf": {"calico-ebpf"},
        "first-found": {"autodetection-picks-submariner"},
    }


def test_warnings_that_do_not_count_are_printed(preflight, layout, tmp_path):
    done, told = preflight({"cluster-1": written(tmp_path / "one", unjoined(layout["cluster-1"]), api_server=False)}, preflight_warnings=["kube-proxy-mode"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without keeping it from passing:\ncalico-api-unavailable: " in told["cluster-1"]


@pytest.mark.parametrize(
    "cluster_id, reason",
    [
        ("new", "clusterset-cidr-overlap: new and cluster-2 both use"),
        ("cluster-2", "clusterset-duplicate-id: new would be joined under the id cluster-2, of which cluster-1 holds an Endpoint already"),
        pytest.param("cluster-1", "clusterset-duplicate-id: new would be joined under the id cluster-1, which cluster-1 has", marks=pytest.mark.exhaustive),
    ],
)
def test_a_member_that_is_not_in_the_play_is_compared_by_its_endpoint(preflight, layout, tmp_path, cluster_id, reason):
    bundles = {"cluster-1": written(tmp_path / "one", layout["cluster-1"]), "new": written(tmp_path / "new", unjoined(layout["cluster-2"]))}
    done, told = preflight(bundles, {"new": {"submariner_cluster_id": cluster_id}})
    assert done.returncode == 2, done.stdout + done.stderr
    assert reason in told["new"]


def test_one_list_of_candidates_serves_the_whole_fleet(preflight, layout, tmp_path):
    candidates = {"cluster-1": ["10.200.0.0/16"], "somewhere": {"pods": ["10.201.0.0/16"], "services": ["10.202.0.0/16"]}}
    done, told = preflight({"cluster-1": written(tmp_path / "one", unjoined(layout["cluster-1"]))}, submariner_candidates=candidates)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["cluster-1"].endswith("cluster-1 is ready to join.")
    assert "candidates: cluster-1 is stated with 10.200.0.0/16, and has" in " ".join((done.stdout + done.stderr).split())
