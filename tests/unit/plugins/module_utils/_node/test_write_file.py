# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import MARK, any_text, drop, header, ours, put, replace, set_kernel

from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path):
    host = make(tmp_path, {"/etc/x.conf": header("r") + "a\n"})
    os.chmod(tmp_path / "etc/x.conf", 0o640)
    put(host, "/etc/x.conf", header("r") + "b\n")
    assert files(tmp_path) == {"/etc/x.conf": header("r") + "b\n"}
    assert stat.S_IMODE((tmp_path / "etc/x.conf").stat().st_mode) == 0o640


def test_a_new_file_gets_the_mode_that_is_asked_for_and_its_folder(tmp_path):
    host = make(tmp_path)
    put(host, "/etc/netplan/x.yaml", "a\n", mode=0o600)
    assert stat.S_IMODE((tmp_path / "etc/netplan/x.yaml").stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    host = make(tmp_path, {"/etc/real": "a"})
    (tmp_path / "etc/link").symlink_to("real")
    put(host, "/etc/link", "b")
    assert (tmp_path / "etc/link").is_symlink() and (tmp_path / "etc/real").read_text() == "b"


def test_somebody_elses_file_is_refused(tmp_path):
    host = make(tmp_path, {"/etc/x": "theirs\n", "/etc/y": f"{MARK} by us\n"})
    with pytest.raises(RefusedError, match="/etc/x is not ours"):
        ours(host, "/etc/x")
    assert ours(host, "/etc/y") and ours(host, "/etc/z") == ""


def test_what_cannot_be_written_says_so_and_leaves_nothing_behind(tmp_path):
    host = make(tmp_path, {"/etc": "a file in the place of the folder"})
    with pytest.raises(SubmarinerError, match="/etc/x cannot be written"):
        put(host, "/etc/x", "a")
    with pytest.raises(SubmarinerError, match="/etc/x cannot be removed"):
        drop(host, "/etc/x")
    assert list(files(tmp_path)) == ["/etc"]


def test_no_text_removes_the_file_and_a_drop_in_folder_that_is_left_empty(tmp_path):
    host = make(tmp_path, {"/etc/a.network.d/x.conf": "x", "/etc/b.network.d/x.conf": "x", "/etc/b.network.d/theirs.conf": "t"})
    replace(host, "/etc/a.network.d/x.conf", "")
    replace(host, "/etc/b.network.d/x.conf", "")
    drop(host, "/etc/none")
    assert list(files(tmp_path)) == ["/etc/b.network.d/theirs.conf"] and not (tmp_path / "etc/a.network.d").exists()


def test_what_is_no_text_is_refused_and_the_kernels_refusal_is_told(tmp_path):
    (tmp_path / "bad").write_bytes(b"\xff")
    host = make(tmp_path)
    with pytest.raises(RefusedError, match="no UTF-8"):
        any_text(host, "/bad")
    with pytest.raises(SubmarinerError, match="does not take '1' for /proc/sys/x"):
        set_kernel(host, "/proc/sys/x", "1")
