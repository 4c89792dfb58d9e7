# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of a control plane: found, or built once from ``tests/lab/controlplane`` and kept.

Builds are kept under ``${XDG_CACHE_HOME:-~/.cache}/fathom-submariner/``, in a folder named by a digest of all that they are made from. A folder appears
when it is complete; two builds at once wait for each other; an interrupted one goes on where it was, for Go keeps every compiled package.

``python -m tests.lab.build`` builds and says where the programs are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from tests.lab import toolchain
from tests.lab.info import LabError
from tests.lab.process import die_with_parent

MODULE = Path(__file__).parent / "controlplane"
SOURCES = ("go.mod", "go.sum", "main.go")
KWOK_PACKAGE = "sigs.k8s.io/kwok/cmd/kwok"
FLAGS = ("-buildvcs=false", "-trimpath", "-ldflags=-s -w")
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
KWOK = "kwok"
PROGRESS_SECONDS = 5.0
NEEDED_MIB = 4096

Say = t.Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Binaries:
    """How each component is started.

    :ivar commands: component -> program and first arguments.
    """

    commands: dict[str, list[str]]

    def command(self, name: str) -> list[str]:
        return self.commands[name]


def binaries(say: Say | None = None) -> Binaries:
    """The programs of all components, built if they must be. Raises LabError that says what is missing and what to do.

    :param say: gets lines of progress; by default they go to standard error.
    """
    say = say or _to_stderr
    found = installed(os.environ)
    if set(found) == {*CONTROL_PLANE, KWOK}:
        return Binaries(found)
    folder = _built(say)
    return Binaries(
        {
            **{name: [str(folder / "controlplane"), name] for name in CONTROL_PLANE},
            KWOK: [str(folder / KWOK)],
            **found,
        }
    )


def installed(environment: t.Mapping[str, str]) -> dict[str, list[str]]:
    """Programs that the machine has: in KUBEBUILDER_ASSETS, else on PATH.

    The four of the control plane count only together (their versions must fit), kwok by itself.
    """
    for search in (environment.get("KUBEBUILDER_ASSETS"), environment.get("PATH")):
        if not search:
            continue
        there = {name: path for name in (*CONTROL_PLANE, KWOK) if (path := shutil.which(name, path=search))}
        if all(name in there for name in CONTROL_PLANE):
            return {name: [path] for name, path in there.items()}
        if KWOK in there:
            return {KWOK: [there[KWOK]]}
    return {}


def cache_folder(environment: t.Mapping[str, str]) -> Path:
    base = environment.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "fathom-submariner"


def digest(go_version: str) -> str:
    """Names a build by what goes into it."""
    state = hashlib.sha256()
    for name in SOURCES:
        state.update((MODULE / name).read_bytes())
    state.update(repr((FLAGS, go_version, platform.system(), platform.machine())).encode())
    return state.hexdigest()[:16]


def _built(say: Say) -> Path:
    cache = cache_folder(os.environ)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / "build.lock", say):
            go = toolchain.find(cache, say)
            folder = cache / f"controlplane-{digest('.'.join(map(str, toolchain.version(go))))}"
            if not folder.exists():
                _build(go, folder, say)
            return folder
    except OSError as error:
        raise LabError(
            f"the control plane cannot be built in {cache}: {error}. Free space or permissions there, or set XDG_CACHE_HOME to another folder"
        ) from error


@contextlib.contextmanager
def _alone(path: Path, say: Say) -> t.Iterator[None]:
    with open(path, "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build of the control plane to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(go: Path, folder: Path, say: Say) -> None:
    for old in folder.parent.glob("controlplane-*.part"):
        shutil.rmtree(old)
    scratch = folder.with_name(f"{folder.name}.part")
    scratch.mkdir()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    build = [str(go), "build", *FLAGS, "-o", f"{scratch}/", ".", KWOK_PACKAGE]
    say("building the control plane (about five minutes on two idle cores; first time only): fetching what it is made of")
    progress = Progress(say)
    _run(go, [str(go), "list", "-deps", "-f", "{{.ImportPath}}", ".", KWOK_PACKAGE], environment, progress.fetched)
    progress.total = _count_packages(_run(go, [*build[:2], "-n", *build[2:]], environment, lambda line: None))
    _run(go, [*build[:2], "-v", *build[2:]], environment, progress.compiled)
    scratch.rename(folder)
    say(f"built the control plane in {progress.elapsed()}; kept in {folder}")


class Progress:
    """Turns Go's output into a line every few seconds."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._began = time.monotonic()
        self._said = self._began
        self._modules = 0
        self._packages = 0
        self.total = 0

    def fetched(self, line: str) -> None:
        if line.startswith("go: downloading "):
            self._modules += 1
            self._sometimes(f"building the control plane: {self._modules} modules fetched")

    def compiled(self, line: str) -> None:
        if re.fullmatch(r"[\w./~+-]+", line):
            self._packages += 1
            self._sometimes(f"building the control plane: {self._packages} of {self.total} packages")

    def elapsed(self) -> str:
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

    def _sometimes(self, text: str) -> None:
        if time.monotonic() - self._said >= PROGRESS_SECONDS:
            self._said = time.monotonic()
            self._say(f"{text}, {self.elapsed()}; first time only")


def _count_packages(plan: list[str]) -> int:
    """How many packages `go build -n` would compile: each has its name between two lines of ``#``."""
    return sum(before == "#" and after == "#" and line.startswith("# ") for before, line, after in zip(plan, plan[1:], plan[2:]))


def _run(go: Path, command: list[str], environment: dict[str, str], on_line: t.Callable[[str], None]) -> list[str]:
    """Runs Go, whose output goes line by line to ``on_line``; returns the lines. It ends when this process does."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=MODULE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent(),
    ) as child:
        for line in t.cast(t.IO[str], child.stdout):
            lines.append(line.rstrip("\n"))
            on_line(lines[-1])
    if child.returncode:
        raise LabError(explain(lines, " ".join(command[:2]), environment))
    return lines


def explain(lines: list[str], command: str, environment: t.Mapping[str, str]) -> str:
    """What a person should do about a failed build."""
    errors = [line for line in lines if not line.startswith("go: downloading ") and not re.fullmatch(r"[\w./~+-]+", line)][-15:]
    text = "\n".join(errors)
    if "no space left on device" in text:
        home = Path(environment.get("GOCACHE") or cache_folder(environment).parent)
        free = shutil.disk_usage(next(each for each in (home, *home.parents) if each.exists())).free // 2**20
        advice = (
            f"The disk is full ({free} MiB free at {home}; about {NEEDED_MIB} are needed). "
            "Free some, or set GOCACHE, GOMODCACHE, TMPDIR and XDG_CACHE_HOME to another disk."
        )
    elif re.search(r"dial tcp|no such host|i/o timeout|proxyconnect|tls: |x509: |Forbidden|connection refused", text):
        advice = "Go could not fetch a module: check the network, HTTPS_PROXY and GOPROXY. What was fetched is kept; start it again and it goes on."
    else:
        advice = f"Start it again (it goes on where it was), or point KUBEBUILDER_ASSETS to a folder with {', '.join((*CONTROL_PLANE, KWOK))}."
    return f"the control plane could not be built: `{command}` in {MODULE} failed:\n{text}\n{advice}"


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        for component, command in binaries().commands.items():
            print(f"{component}: {' '.join(command)}")
    except LabError as error:
        sys.exit(f"ERROR: {error}")
    except KeyboardInterrupt:
        _to_stderr("interrupted; started again, it goes on where it was")
        sys.exit(130)
