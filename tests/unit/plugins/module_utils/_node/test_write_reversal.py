# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib
import subprocess
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_reversal as reversal
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make

FOLDER = f"{reversal.FOLDER}/eth0"
LINKS = {"/sys/class/net/eth0/mtu": "1500\n", "/sys/class/net/vxlan.calico/mtu": "1450\n", "/sys/class/net/bonding_masters": "bond0\n"}


def armed(host, _device, script):
    """In place of the script, as long as nobody has to be taken back."""
    (reversal_folder(host) / "armed").write_text("4242\n", encoding="utf-8")
    assert script == f"{FOLDER}/revert.sh"


def reversal_folder(host):
    return pathlib.Path(host.path(FOLDER))


def mtu(root, device="eth0"):
    return (root / "sys/class/net" / device / "mtu").read_text(encoding="utf-8").strip()


def test_the_script_itself_puts_back_every_link_that_differs(tmp_path):
    """The real shell, at once instead of later: what the module would do is done in between."""
    host = make(tmp_path, LINKS)
    reversal.attempt(host, "eth0", "present", 1300, 300, armed)
    (tmp_path / "sys/class/net/vxlan.calico/mtu").write_text("1250\n", encoding="utf-8")
    script = reversal_folder(host) / "revert.sh"
    script.write_text(script.read_text(encoding="utf-8").replace("sleep 300", "sleep 0"), encoding="utf-8")
    subprocess.run(["/bin/sh", "-eu", str(script)], check=True, timeout=60)
    assert (mtu(tmp_path), mtu(tmp_path, "vxlan.calico")) == ("1500", "1450")
    assert f"{FOLDER}/reverted" in files(tmp_path) and f"{FOLDER}/pending" not in files(tmp_path)


def test_a_confirmed_change_is_left_alone_by_the_script(tmp_path):
    host = make(tmp_path, LINKS)
    pending = reversal.attempt(host, "eth0", "present", 1300, 300, armed)
    assert reversal.confirm(host, "eth0", pending.token) == pending == (pending.token, "present", 1300, 1500, 300)
    script = reversal_folder(host) / "revert.sh"
    script.write_text(script.read_text(encoding="utf-8").replace("sleep 300", "sleep 0"), encoding="utf-8")
    subprocess.run(["/bin/sh", str(script)], check=True, timeout=60)
    assert mtu(tmp_path) == "1300"


def test_it_is_started_without_a_parent_and_runs_before_the_link_is_touched(tmp_path):
    host = make(tmp_path, LINKS)
    seen = []

    def start(host, device, script):
        seen.append(mtu(tmp_path))
        reversal.start_detached(host, device, script)

    reversal.attempt(host, "eth0", "present", 1300, 3, start)
    assert seen == ["1500"]
    while f"{FOLDER}/reverted" not in files(tmp_path) or mtu(tmp_path) != "1500":
        time.sleep(0.05)
    assert "was put back" not in reversal.require_free(host, "eth0") and "taken back, since nobody" in reversal.require_free(host, "eth0")


def test_a_script_that_is_first_wins(tmp_path):
    def slow(host, device, script):
        armed(host, device, script)
        (reversal_folder(host) / "pending").rename(reversal_folder(host) / "reverted")

    with pytest.raises(SubmarinerError, match="took longer than the 60 seconds"):
        reversal.attempt(make(tmp_path, LINKS), "eth0", "present", 1300, 60, slow)
    assert mtu(tmp_path) == "1500"


def test_under_systemd_it_is_a_unit_of_its_own(tmp_path):
    start = f"systemd-run --quiet --unit=fathom-submariner-link-mtu-eth0 /bin/sh {tmp_path}/s"
    host = make(tmp_path, {"/run/systemd/system/x": "", "/s": f"echo > {tmp_path}/ran"}, {start: (0, "")})
    reversal.start_detached(host, "eth0", "/s")
    assert host.asked == [start] and not (tmp_path / "ran").exists()
    host.answers[start] = (1, "Failed to connect to bus")
    reversal.start_detached(host, "eth0", "/s")
    while not (tmp_path / "ran").exists():
        time.sleep(0.05)


def test_what_does_not_start_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(reversal.time, "sleep", lambda seconds: None)
    host = make(tmp_path, LINKS)
    with pytest.raises(SubmarinerError, match="did not start"):
        reversal.attempt(host, "eth0", "present", 1300, 60, lambda *_arguments: None)
    assert mtu(tmp_path) == "1500" and f"{FOLDER}/pending" not in files(tmp_path)


def test_an_mtu_that_the_kernel_refuses_leaves_nothing_pending(tmp_path, monkeypatch):
    def refuses(*_arguments):
        raise SubmarinerError("Invalid argument.")

    monkeypatch.setattr(reversal, "set_kernel", refuses)
    host = make(tmp_path, LINKS)
    with pytest.raises(SubmarinerError, match="left as it is"):
        reversal.attempt(host, "eth0", "present", 1300, 60, armed)
    assert f"{FOLDER}/pending" not in files(tmp_path)


def test_only_one_change_at_a_time_and_a_killed_script_is_made_up_for(tmp_path):
    host = make(tmp_path, LINKS)
    reversal.attempt(host, "eth0", "present", 1300, 60, armed)
    (tmp_path / "proc/4242").mkdir(parents=True)
    command_line = tmp_path / "proc/4242/cmdline"
    command_line.write_text(f"/bin/sh\0{FOLDER}/revert.sh\0")
    with pytest.raises(RefusedError, match="from 1500 to 1300 waits"):
        reversal.require_free(host, "eth0")
    for other in ("", "/bin/sh\0/etc/another.sh\0"):  # it has ended and nobody has asked how; its number is another process's
        command_line.write_text(other)
        assert "its script was killed" in reversal.require_free(host, "eth0", check_mode=True) and mtu(tmp_path) == "1300"
    command_line.unlink()
    assert "its script was killed" in reversal.require_free(host, "eth0", check_mode=True) and mtu(tmp_path) == "1300"
    assert "its script was killed" in reversal.require_free(host, "eth0") and mtu(tmp_path) == "1500"
    assert "nobody confirmed" in reversal.require_free(host, "eth0")


def test_confirming_what_is_not_there(tmp_path):
    host = make(tmp_path, LINKS)
    with pytest.raises(SubmarinerError, match="No change of eth0 waits"):
        reversal.confirm(host, "eth0", "x")
    pending = reversal.attempt(host, "eth0", "present", 1300, 60, armed)
    with pytest.raises(RefusedError, match="another token"):
        reversal.confirm(host, "eth0", "x")
    (reversal_folder(host) / "pending").rename(reversal_folder(host) / "reverted")
    with pytest.raises(SubmarinerError, match="was put back to 1500"):
        reversal.confirm(host, "eth0", pending.token)
    (reversal_folder(host) / "pending").write_text("{", encoding="utf-8")
    with pytest.raises(SubmarinerError, match="is damaged"):
        reversal.confirm(host, "eth0", pending.token)
