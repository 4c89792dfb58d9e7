# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files and programs: what cannot be read says why."""

from __future__ import annotations

import os
import sys

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._node import _host
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Completed, Host, Unreadable


def test_files_below_the_root(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/name").write_bytes(b"caf\xc3\xa9\xff\n")
    os.symlink("../drivers/virtio_net", tmp_path / "etc/driver")
    host = Host(str(tmp_path))
    assert host.text("/etc/name") == "café\ufffd\n"
    assert host.names("/etc") == ("driver", "name")
    assert host.link("/etc/driver") == "../drivers/virtio_net"
    assert host.exists("/etc/name") and not host.exists("/etc/names")


@pytest.mark.parametrize("read", [lambda host: host.text("/no"), lambda host: host.names("/no"), lambda host: host.link("/no")])
def test_what_is_not_there_is_absent(tmp_path, read):
    with pytest.raises(Unreadable) as raised:
        read(Host(str(tmp_path)))
    assert raised.value.absent and raised.value.why == "there is no /no"


def test_what_is_there_and_not_readable_is_not_absent(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unreadable, match="/folder cannot be read: Is a directory") as raised:
        Host(str(tmp_path)).text("/folder")
    assert not raised.value.absent

    def refused(*_arguments, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(Unreadable, match=f"/secret may not be read by user id {os.geteuid()}") as raised:
        Host(str(tmp_path)).text("/secret")
    assert not raised.value.absent


def test_a_file_without_end_is_left(tmp_path, monkeypatch):
    (tmp_path / "large").write_bytes(b"x" * 100)
    monkeypatch.setattr(_host, "LARGEST", 99)
    with pytest.raises(Unreadable, match="more than 99 bytes"):
        Host(str(tmp_path)).text("/large")


def test_programs_run_without_input_in_the_c_locale():
    program = "import os, sys; print(os.environ['LC_ALL'], sys.stdin.read() == ''); sys.stderr.write('said\\n'); sys.exit(3)"
    assert Host().run([sys.executable, "-c", program]) == Completed(3, "C True\n", "said\n")
    with pytest.raises(Unreadable, match=r"ended with 3: said"):
        Host().output([sys.executable, "-c", program])
    assert Host().output([sys.executable, "-c", "print(1)"]) == "1\n"


def test_programs_that_cannot_run(tmp_path):
    with pytest.raises(Unreadable, match="there is no program no-such-program") as raised:
        Host().run(["no-such-program", "--version"])
    assert raised.value.absent
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreadable, match="cannot be started: Permission denied") as raised:
        Host().run([str(tmp_path / "file")])
    assert not raised.value.absent
    with pytest.raises(Unreadable, match=r"did not end within 0.05 s"):
        Host().run([sys.executable, "-c", "import time; time.sleep(60)"], 0.05)


def test_programs_outside_an_ordinary_users_path_are_found(tmp_path, monkeypatch):
    program = tmp_path / "ip-of-a-test"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    monkeypatch.setattr(_host, "FOLDERS", (str(tmp_path),))
    assert Host().output(["ip-of-a-test"]) == "found\n"
