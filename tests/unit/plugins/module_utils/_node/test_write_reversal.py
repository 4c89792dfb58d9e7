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
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import make

FOLDER = f"{reversal.FOLDER}/eth0"
LINKS = {"/sys/class/net/eth0/mtu": "1500\n", "/sys/class/net/vxlan.calico/mtu": "1450\n", "/sys/class/net/bonding_masters": "bond0\n"}


def armed(host, _device, script):
    """In place of the script, as long as nobody has to be taken back."""
    assert script.startswith(f"{FOLDER}/") and script.endswith(".sh")
    pathlib.Path(host.path(script)).with_suffix(".armed").write_text("4242\n", encoding="utf-8")


def of(host, ending):
    """The one file of this ending."""
    (found,) = reversal_folder(host).glob(f"*.{ending}")
    return found


def endings(host):
    return {path.suffix for path in reversal_folder(host).iterdir()}


def real(tmp_path):
    """A host whose processes are those of this machine."""
    host = make(tmp_path, LINKS)
    (tmp_path / "proc").symlink_to("/proc")
    return host


def scripts(host):
    """Of this host, that run."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        found |= {pathlib.Path(word.decode()).stem for word in words if word.startswith(str(reversal_folder(host)).encode())}
    return found


def reversal_folder(host):
    return pathlib.Path(host.path(FOLDER))


def mtu(root, device="eth0"):
    return (root / "sys/class/net" / device / "mtu").read_text(encoding="utf-8").strip()


def test_the_script_itself_puts_back_every_link_that_differs(tmp_path):
    """The real shell, at once instead of later: what the module would do is done in between."""
    host = make(tmp_path, LINKS)
    reversal.attempt(host, "eth0", "present", 1300, 300, armed)
    (tmp_path / "sys/class/net/vxlan.calico/mtu").write_text("1250\n", encoding="utf-8")
    script = of(host, "sh")
    script.write_text(script.read_text(encoding="utf-8").replace("sleep 300", "sleep 0"), encoding="utf-8")
    subprocess.run(["/bin/sh", "-eu", str(script)], check=True, timeout=60)
    assert (mtu(tmp_path), mtu(tmp_path, "vxlan.calico")) == ("1500", "1450")
    assert ".reverted" in endings(host) and ".pending" not in endings(host)


def test_a_confirmed_change_is_left_alone_by_the_script(tmp_path):
    host = make(tmp_path, LINKS)
    pending = reversal.attempt(host, "eth0", "present", 1300, 300, armed)
    assert reversal.confirm(host, "eth0", pending.token) == pending == (pending.token, "present", 1300, 1500, 300)
    script = of(host, "sh")
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
    while ".reverted" not in endings(host) or mtu(tmp_path) != "1500":
        time.sleep(0.05)
    assert "was put back" not in reversal.require_free(host, "eth0") and "taken back, since nobody" in reversal.require_free(host, "eth0")


def test_a_script_that_is_first_wins(tmp_path):
    def slow(host, device, script):
        armed(host, device, script)
        of(host, "pending").rename(of(host, "pending").with_suffix(".reverted"))

    with pytest.raises(SubmarinerError, match="took longer than the 60 seconds"):
        reversal.attempt(make(tmp_path, LINKS), "eth0", "present", 1300, 60, slow)
    assert mtu(tmp_path) == "1500"


def test_under_systemd_it_is_a_unit_of_its_own(tmp_path):
    start = f"systemd-run --quiet --unit=fathom-submariner-link-mtu-eth0-a1 /bin/sh {tmp_path}/a1.sh"
    host = make(tmp_path, {"/run/systemd/system/x": "", "/a1.sh": f"echo > {tmp_path}/ran"}, {start: (0, "")})
    reversal.start_detached(host, "eth0", "/a1.sh")
    assert host.asked == [start] and not (tmp_path / "ran").exists()
    host.answers[start] = (1, "Failed to connect to bus")
    reversal.start_detached(host, "eth0", "/a1.sh")
    while not (tmp_path / "ran").exists():
        time.sleep(0.05)


def test_what_does_not_start_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(reversal.time, "sleep", lambda seconds: None)
    host = make(tmp_path, LINKS)
    with pytest.raises(SubmarinerError, match="did not start"):
        reversal.attempt(host, "eth0", "present", 1300, 60, lambda *_arguments: None)
    assert mtu(tmp_path) == "1500" and ".pending" not in endings(host)


def test_an_mtu_that_the_kernel_refuses_leaves_nothing_pending(tmp_path, monkeypatch):
    def refuses(*_arguments):
        raise SubmarinerError("Invalid argument.")

    monkeypatch.setattr(reversal, "set_kernel", refuses)
    host = make(tmp_path, LINKS)
    with pytest.raises(SubmarinerError, match="left as it is"):
        reversal.attempt(host, "eth0", "present", 1300, 60, armed)
    assert ".pending" not in endings(host)


def test_only_one_change_at_a_time_and_a_killed_script_is_made_up_for(tmp_path):
    host = make(tmp_path, LINKS)
    reversal.attempt(host, "eth0", "present", 1300, 60, armed)
    (tmp_path / "proc/4242").mkdir(parents=True)
    command_line = tmp_path / "proc/4242/cmdline"
    command_line.write_text(f"/bin/sh\0{FOLDER}/{of(host, 'sh').name}\0")
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
    of(host, "pending").rename(of(host, "pending").with_suffix(".reverted"))
    with pytest.raises(SubmarinerError, match="was put back to 1500"):
        reversal.confirm(host, "eth0", pending.token)
    with pytest.raises(SubmarinerError, match="No change of eth0 waits"):
        reversal.confirm(host, "eth0", "../eth0/x")
    of(host, "reverted").with_suffix(".pending").write_text("{", encoding="utf-8")
    with pytest.raises(SubmarinerError, match="is damaged"):
        reversal.confirm(host, "eth0", pending.token)


def test_a_confirmed_change_does_not_take_the_next_one_back(tmp_path):
    """Real scripts, real time: the first one is ended, and would find nothing of its own if it were not."""
    host = real(tmp_path)
    first = reversal.attempt(host, "eth0", "present", 1400, 2)
    assert scripts(host) == {first.token}
    reversal.confirm(host, "eth0", first.token)
    second = reversal.attempt(host, "eth0", "present", 1300, 300)
    time.sleep(3)
    assert mtu(tmp_path) == "1300" and scripts(host) == {second.token}
    assert reversal.confirm(host, "eth0", second.token).mtu == 1300
    while scripts(host):
        time.sleep(0.05)


def test_a_refused_change_does_not_take_the_next_one_back(tmp_path, monkeypatch):
    host = real(tmp_path)
    set_kernel = reversal.set_kernel

    def refuses(_host, path, value):
        if value == "1400":
            raise SubmarinerError("Invalid argument.")
        set_kernel(_host, path, value)

    monkeypatch.setattr(reversal, "set_kernel", refuses)
    with pytest.raises(SubmarinerError, match="left as it is"):
        reversal.attempt(host, "eth0", "present", 1400, 2)
    second = reversal.attempt(host, "eth0", "present", 1300, 300)
    time.sleep(3)
    assert mtu(tmp_path) == "1300" and scripts(host) <= {second.token}
    reversal.confirm(host, "eth0", second.token)


def test_a_script_that_was_not_ended_leaves_later_changes_alone(tmp_path, monkeypatch):
    host = real(tmp_path)
    monkeypatch.setattr(reversal.os, "killpg", lambda *_arguments: None)
    first = reversal.attempt(host, "eth0", "present", 1400, 1)
    reversal.confirm(host, "eth0", first.token)
    second = reversal.attempt(host, "eth0", "present", 1300, 4)
    while first.token in scripts(host):
        time.sleep(0.05)
    assert mtu(tmp_path) == "1300" and reversal.confirm(host, "eth0", second.token)


def test_no_change_while_one_of_another_link_waits(tmp_path):
    """Its script puts back the MTUs of all links."""
    host = real(tmp_path)
    (tmp_path / "sys/class/net/eth1").mkdir()
    (tmp_path / "sys/class/net/eth1/mtu").write_text("1500\n", encoding="utf-8")
    other = reversal.attempt(host, "eth1", "present", 1400, 300)
    with pytest.raises(RefusedError, match="A change of eth1 from 1500 to 1400 waits"):
        reversal.require_free(host, "eth0")
    reversal.confirm(host, "eth1", other.token)
    assert reversal.require_free(host, "eth0") == ""


def test_nobody_is_ended_whose_name_cannot_be_read(tmp_path, monkeypatch):
    host = make(tmp_path, LINKS)
    monkeypatch.setattr(reversal.os, "killpg", lambda *_arguments: pytest.fail("ended"))
    pending = reversal.attempt(host, "eth0", "present", 1300, 60, armed)
    (tmp_path / "proc/4242/cmdline").mkdir(parents=True)  # it is there, and cannot be read
    with pytest.raises(RefusedError, match="waits"):
        reversal.require_free(host, "eth0")
    assert reversal.confirm(host, "eth0", pending.token)
