# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one fresh process costs, by the kernel's own account."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")


class Failed(Exception):
    """A contender ended with an error; the message holds the end of what it said."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of a process and the children that it waited for.

    :ivar wall: seconds.
    :ivar cpu: seconds, user and system.
    :ivar rss: MiB resident at the most, of the largest process of them.
    :ivar output: its standard output.
    """

    wall: float
    cpu: float
    rss: float
    output: str = ""

    def figures(self) -> dict[str, float]:
        return {"wall": round(self.wall, 3), "cpu": round(self.cpu, 3), "rss": round(self.rss, 1)}


def run(command: t.Sequence[str], env: t.Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = "", ok: t.Container[int] = (0,)) -> Cost:
    """Runs a command to its end. Raises Failed when it ends with another code than ``ok``."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        figures = Path(folder) / "figures"
        launcher = [sys.executable, "-S", "-E", str(LAUNCHER), str(figures), *command]
        subprocess.run(launcher, env={**os.environ, **(env or {})}, cwd=cwd, input=stdin.encode(), stdout=out, stderr=err, check=True)
        code, wall, cpu, rss = figures.read_text(encoding="utf-8").split()
        for stream in (out, err):
            stream.seek(0)
        output = out.read().decode(errors="replace")
        if int(code) not in ok:
            said = (err.read().decode(errors="replace") + output)[-3000:]
            raise Failed(f"{' '.join(command[:4])} ... ended with exit code {code}: {said}")
        return Cost(float(wall), float(cpu), float(rss), output)


def best(costs: t.Sequence[Cost]) -> Cost:
    """The one that took least: what is above it is other processes' doing."""
    return min(costs, key=lambda cost: cost.wall)
