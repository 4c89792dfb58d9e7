# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle of live clusters: whole, without secrets, and judged like the clusters themselves when they are gone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tarfile

import pytest

from tests.integration.clusterset import Watch, environment, playbook, recap, secrets

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def saved(lab_factory, tmp_path_factory):
    """What a live diagnosis found, the bundles of the same moment, and the secrets that must not be in them; the lab is gone."""
    folder = tmp_path_factory.mktemp("saved")
    lab = lab_factory(incident="001")
    try:
        watch = Watch(lab)
        collected = playbook(lab, "collect", "-e", f"submariner_collect_dest={folder}/bundles")
        assert collected.returncode == 0, collected.stdout
        playbook(lab, "diagnose", "-e", f"submariner_report_dir={folder}/live")
        checked = playbook(lab, "collect", "--check", "-e", f"submariner_collect_dest={folder}/check")
        assert checked.returncode == 0, checked.stdout
        assert watch.none()
        yield folder, recap(collected), secrets(lab)
    finally:
        lab_factory.stop(lab)


def offline(bundle, *arguments):
    command = ["ansible-playbook", "fathom.submariner.diagnose", "-e", f"submariner_bundle={bundle}", *arguments]
    settings = {**environment(), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "false"}
    return subprocess.run(
        command, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False
    )


def findings(folder):
    """Findings without times that passed and where values were read."""
    found = json.loads((folder / "result.json").read_text())["findings"]
    return sorted(
        (
            (entry["cluster"], entry["id"], entry["severity"], entry["verdict"], entry["subject"], json.dumps(entry["remedy"], sort_keys=True))
            for entry in found
        ),
        key=str,
    )


def test_one_bundle_a_cluster_and_nothing_else(saved):
    folder, counts, _hidden = saved
    assert sorted(os.listdir(folder / "bundles")) == ["cluster-1.tar.gz", "cluster-2.tar.gz"]
    assert {stat.S_IMODE(os.stat(folder / "bundles" / name).st_mode) for name in os.listdir(folder / "bundles")} == {0o600}
    assert {host: count["changed"] for host, count in counts.items()} == {"cluster-1": 1, "cluster-2": 1}
    assert not (folder / "check").exists()


def test_no_secret_is_in_it(saved):
    folder, _counts, hidden = saved
    assert hidden
    for name in os.listdir(folder / "bundles"):
        with tarfile.open(folder / "bundles" / name) as archive:
            content = b"".join(archive.extractfile(member).read() for member in archive.getmembers()).decode()
        assert "SUBMARINER_CLUSTERCIDR" in content and "ippools" in content
        assert not [secret for secret in hidden if secret in content]


def test_the_same_findings_without_a_cluster(saved):
    folder, _counts, _hidden = saved
    done = offline(folder / "bundles", "-e", f"submariner_report_dir={folder}/offline")
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stdout
    assert "submariner-cidr-wrong" in done.stdout
    assert findings(folder / "offline") == findings(folder / "live")


def test_each_cluster_is_reported_on(saved):
    folder, _counts, _hidden = saved
    done = offline(folder / "bundles", "-e", "submariner_fail_on=never")
    assert done.returncode == 0, done.stdout
    assert {"cluster-1", "cluster-2"} <= set(recap(done))
