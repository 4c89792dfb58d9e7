# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of one probe on the hosts of ``standing.py``: ``python -m tests.netns.pods LAB CLUSTER DIR NODE=HOST ...``, until the probe has removed its Job.

On a cluster at rest nothing else makes pods of a Job. Their program is the real one, from the ConfigMap, on the network of the host that plays the node.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_objects as objects
from tests.integration.probe_pods import JOBS, READY, SELECTOR, ProbePods
from tests.lab.info import LabInfo

PATIENCE = 300.0  # seconds


def main() -> int:
    lab, name, hosts, *played = sys.argv[1:]
    cluster, played_by = LabInfo.load(Path(lab)).cluster(name), dict(each.split("=") for each in played)
    running: list[subprocess.Popen[str]] = []

    def answer(node: str, folder: Path) -> tuple[str, dict]:
        program = ("python3", "-I", str(folder / objects.PROGRAM), str(folder / objects.ORDER))
        command = shlex.join(["env", f"NODE_NAME={node}", f"DONE_FILE={folder / f'done-{node}'}", *program])
        ssh = str(Path(hosts) / played_by[node] / "ssh-root")
        pod = subprocess.Popen([ssh, f"exec {command}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        running.append(pod)
        return pod.stdout.readline() if pod.stdout else "", READY

    deadline = time.monotonic() + PATIENCE
    try:
        with tempfile.TemporaryDirectory() as folder, ProbePods(cluster, Path(folder), answer) as pods:
            while not pods.trouble and not (pods.jobs and not cluster.client("planter").list(JOBS, labelSelector=SELECTOR)):
                if time.monotonic() > deadline:
                    print(f"{name}: no probe has come and gone within {PATIENCE:.0f} s", file=sys.stderr)
                    return 1
                time.sleep(0.2)
    finally:
        for pod in running:
            pod.terminate()
            pod.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
