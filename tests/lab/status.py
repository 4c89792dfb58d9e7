# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab is: which of its processes run, and the last words of those that do not."""

from __future__ import annotations

import time
from pathlib import Path

from tests.lab import files
from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.process import tail


def running(directory: Path) -> LabInfo:
    """The lab in a folder. Raises LabError unless it runs."""
    lab = LabInfo.load(directory)
    if not files.is_held(lab.dir):
        raise LabError(f"the lab in {lab.dir} does not run any more: clear it with `python -m tests.lab down --dir {lab.dir}` and start another")
    return lab


def describe(directory: Path) -> tuple[str, bool]:
    """A text for a person, and whether everything runs and answers. Raises LabError when there is no lab."""
    lab = running(directory)
    processes = files.read_processes(lab.dir)
    if not processes:
        return f"the lab in {lab.dir} is starting", False
    dead = [each for each in processes if not _runs(each["pid"], lab.supervisor)]
    planted = (f", layout {lab.layout}" if lab.layout else "") + (f", incident {lab.incident}" if lab.incident else "")
    ends = f", ends in {lab.expires - time.time():.0f} s" if lab.expires else ""
    lines = [f"lab in {lab.dir}{planted}{ends}"]
    healthy = not dead
    for cluster in lab.clusters:
        answer, well = _api_server(cluster)
        healthy = healthy and well
        lines.append(f"  {cluster.name}  {cluster.server}  {answer}  pods {cluster.pod_cidr}  services {cluster.service_cidr}")
    stopped = f" (stopped: {', '.join(lab.stopped)})" if lab.stopped else ""
    lines.append(f"  stand-ins  {', '.join(lab.stand_ins) or 'none'}{stopped}")
    for each in dead:
        where = f"{each['name']} of {each['cluster']}" if each["cluster"] else each["name"]
        lines += [f"DEAD: {where} (was pid {each['pid']}). The end of {each['log']}:", tail(Path(each["log"]))]
    return "\n".join(lines), healthy


def _api_server(cluster: ClusterInfo) -> tuple[str, bool]:
    try:
        return cluster.identity("supervisor", timeout=5).get("/version")["gitVersion"], True
    except ApiError as error:
        return f"does not answer ({error.reason})", False


def _runs(pid: int, supervisor: int) -> bool:
    """Whether the process is still the supervisor's child, which a later process with its pid is not, and has not ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[1]) == supervisor and fields[0] != "Z"
