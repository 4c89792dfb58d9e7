# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections to compare with, out of PyPI's ``ansible`` wheel: for the benchmark only, kept outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
import zipfile
from pathlib import Path

WHEEL = "ansible>=12,<13"  # the release that goes with ansible-core 2.19
WANTED = ("ansible_collections/kubernetes/core/",)


def collections(say: t.Callable[[str], None]) -> Path:
    """The folder that holds ``ansible_collections/kubernetes/core``, downloaded once. Raises CalledProcessError where pip cannot."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fathom-submariner" / "benchmark-collections"
    if (folder / WANTED[0] / "MANIFEST.json").exists():
        return folder
    say(f"downloading the wheel {WHEEL}, for kubernetes.core")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", scratch, WHEEL]
        subprocess.run(command, check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(Path(scratch) / "unpacked", [name for name in archive.namelist() if name.startswith(WANTED)])
        shutil.rmtree(folder, ignore_errors=True)
        (Path(scratch) / "unpacked").rename(folder)
    return folder
