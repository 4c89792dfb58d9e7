# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role subctl: a release from a server and from a file, checked before it takes the place of another one."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import subprocess
import tarfile
import threading

import pytest

from tests.integration.clusterset import environment

PLAY = [{"hosts": "localhost", "gather_facts": False, "roles": [{"role": "fathom.submariner.subctl"}]}]


def program(version: str) -> bytes:
    return f'#!/bin/sh\n[ "$1" = version ] && echo "subctl version: v{version}"\n'.encode()


def release(path, version: str):
    """An archive as upstream's releases are: subctl-vX/subctl-vX-linux-amd64."""
    content = program(version)
    with tarfile.open(path, "w:xz") as archive:
        member = tarfile.TarInfo(f"subctl-v{version}/subctl-v{version}-linux-amd64")
        member.size, member.mode = len(content), 0o755
        archive.addfile(member, io.BytesIO(content))
    return path


def checksum(path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


class Host:
    """A host on which the role is run: its place for the program, and a server that counts what is fetched from it."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.path = folder / "bin/subctl"
        self.fetched: list[str] = []
        (folder / "play.json").write_text(json.dumps(PLAY))
        (folder / "mirror").mkdir()
        host = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments) -> None:
                super().__init__(*arguments, directory=str(folder / "mirror"))

            def log_request(self, code="-", size="-"):
                host.fetched.append(self.path)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, *options: str, **variables: str):
        given = {"subctl_path": str(self.path), "subctl_version": "0.19.2", **variables}
        command = ["ansible-playbook", "play.json", "-e", json.dumps(given), *options]
        return subprocess.run(
            command, cwd=self.folder, env={**environment(), "ANSIBLE_INVENTORY_UNPARSED_FAILED": "false"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
        )

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{name}"


@pytest.fixture
def host(tmp_path):
    made = Host(tmp_path)
    yield made
    made.server.shutdown()


def changed(done) -> int:
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.split("changed=")[1].split()[0])


def test_a_release_from_a_mirror(host):
    archive = release(host.folder / "mirror/subctl-v0.19.2-linux-amd64.tar.xz", "0.19.2")
    wanted = {"subctl_url": host.url(archive.name), "subctl_checksum": checksum(archive)}
    assert changed(host.run("--check", **wanted)) == 1
    assert not host.path.exists() and host.fetched == []
    assert changed(host.run(**wanted)) > 0
    assert host.path.read_bytes() == program("0.19.2")
    assert len(host.fetched) == 1
    assert changed(host.run(**wanted)) == 0
    assert len(host.fetched) == 1


def test_what_is_not_what_was_asked_for_replaces_nothing(host):
    host.path.parent.mkdir()
    host.path.write_bytes(program("0.18.0"))
    host.path.chmod(0o755)
    other = release(host.folder / "mirror/other.tar.xz", "0.17.0")
    unchecked = host.run(subctl_url=host.url(other.name))
    assert unchecked.returncode != 0 and "give subctl_checksum" in unchecked.stdout and host.fetched == []
    altered = host.run(subctl_url=host.url(other.name), subctl_checksum="sha256:" + "0" * 64)
    assert altered.returncode != 0 and "did not match" in altered.stdout
    wrong = host.run(subctl_file=str(other))
    assert wrong.returncode != 0 and "subctl version: v0.17.0" in wrong.stdout
    assert host.path.read_bytes() == program("0.18.0")


def archive_of(path, *names: str):
    """An archive with programs of these names."""
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(program("0.19.2"))
            archive.addfile(member, io.BytesIO(program("0.19.2")))
    return path


def failed(done) -> str:
    """The message of a run that failed, on one line."""
    assert done.returncode != 0, done.stdout
    return " ".join(done.stdout.split())


class TestAFileWithoutAVersion:
    """It is a request of its own: what is on the PATH is not taken in its place."""

    @pytest.mark.exhaustive
    def test_it_comes_to_its_place(self, host):
        plain = host.folder / "downloaded"
        plain.write_bytes(program("0.19.2"))
        given = {"subctl_version": "", "subctl_file": "downloaded"}
        assert changed(host.run("--check", **given)) == 1 and not host.path.exists()
        assert changed(host.run(**given)) > 0
        assert host.path.read_bytes() == program("0.19.2")
        assert changed(host.run(**given)) == 0
        plain.write_bytes(program("0.18.0"))
        assert changed(host.run("--check", **given)) == 1 and host.path.read_bytes() == program("0.19.2")
        assert changed(host.run(**given)) == 1
        assert host.path.read_bytes() == program("0.18.0")

    def test_its_checksum_is_compared(self, host):
        archive = release(host.folder / "release.tar.xz", "0.19.2")
        refused = failed(host.run(subctl_version="", subctl_file=str(archive), subctl_checksum="sha256:" + "0" * 64))
        assert checksum(archive) in refused and "0" * 64 in refused and not host.path.exists()
        assert changed(host.run(subctl_version="", subctl_file=str(archive), subctl_checksum=checksum(archive))) > 0

    def test_what_says_how_without_saying_which_is_refused(self, host):
        assert "subctl_checksum is given, and which subctl is meant is not" in failed(host.run(subctl_version="", subctl_checksum="sha256:" + "0" * 64))
        assert "subctl_url is given, and which subctl is meant is not" in failed(host.run(subctl_version="", subctl_url=host.url("x")))
        assert "given as sha256:HEX" in failed(host.run(subctl_checksum="0" * 64))
        assert host.fetched == []


class TestNames:
    def test_the_only_file_of_an_archive_is_the_program_whatever_its_name(self, host):
        archive = archive_of(host.folder / "release.tgz", "bin/cli-linux-amd64")
        assert changed(host.run(subctl_file=str(archive))) > 0
        assert host.path.read_bytes() == program("0.19.2")

    @pytest.mark.exhaustive
    def test_the_one_that_is_named_so_among_others(self, host):
        archive = archive_of(host.folder / "subctl.tgz", "subctl/README.md", "subctl/subctl-linux-amd64")
        assert changed(host.run(subctl_file=str(archive))) > 0

    def test_which_of_several_is_not_guessed(self, host):
        archive = archive_of(host.folder / "release.tgz", "bin/cli", "bin/other")
        said = failed(host.run(subctl_file=str(archive)))
        assert "is not clear: it holds bin/cli, bin/other." in said and "give the program as subctl_file" in said and not host.path.exists()

    @pytest.mark.exhaustive
    def test_what_is_no_program_says_so(self, host):
        archive = release(host.folder / "release", "0.19.2")
        said = failed(host.run(subctl_file=str(archive)))
        assert "is not a subctl that runs here" in said and "its name does not end as that of an archive" in said and not host.path.exists()

    def test_what_a_mirror_asks_for_is_in_no_message(self, host):
        source = f"http://me:CANARY@127.0.0.1:{host.server.server_port}/release.tar.xz?token=CANARY"
        said = failed(host.run(subctl_url=source))
        assert f"from http://********@127.0.0.1:{host.server.server_port}/release.tar.xz, and a program that nobody" in said and "CANARY" not in said

    def test_a_url_may_have_a_query(self, host):
        archive = release(host.folder / "mirror/release.tar.xz", "0.19.2")
        assert changed(host.run(subctl_url=host.url(f"{archive.name}?token=a/b.c#top"), subctl_checksum=checksum(archive))) > 0

    @pytest.mark.exhaustive
    def test_the_name_may_stand_in_the_query(self, host):
        archive = release(host.folder / "mirror/download", "0.19.2")
        assert changed(host.run(subctl_url=host.url("download?file=releases/subctl.tar.xz"), subctl_checksum=checksum(archive))) > 0


def test_what_answers_to_its_name_and_is_another_program_is_not_taken(host, monkeypatch):
    other = host.folder / "bin/subctl"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho something else\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:{os.environ['PATH']}")
    assert "No subctl answers on the PATH (something else)" in failed(host.run(subctl_version=""))


def test_a_program_for_another_machine_says_so(host):
    plain = host.folder / "subctl-linux-s390x"
    plain.write_bytes(b"\x7fELF\x02\x02\x01" + b"\0" * 57)
    said = failed(host.run(subctl_file=str(plain)))
    assert "is not a subctl that runs here" in said and "It is built for another machine. Nothing was replaced." in said and not host.path.exists()


def test_a_file_of_the_controller(host):
    plain = host.folder / "subctl-local"
    plain.write_bytes(program("0.19.2"))
    refused = host.run(subctl_file="subctl-local", subctl_checksum="sha256:" + "0" * 64)
    assert refused.returncode != 0 and not host.path.exists()
    assert changed(host.run(subctl_file="subctl-local", subctl_checksum=checksum(plain))) > 0
    assert host.path.read_bytes() == program("0.19.2")
