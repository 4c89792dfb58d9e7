# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_network_manager import DEVICES, FILE
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_network_manager import apply_network_manager, remove_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make

DEVICE_QUERY = "nmcli -t -f DEVICE,STATE device"
RELOAD = "nmcli general reload conf"
MAIN = {"/etc/NetworkManager/NetworkManager.conf": "[main]\n"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(_write_network_manager.time, "sleep", lambda seconds: None)


def run(host, names=DEVICES, cloud=False, check_mode=False, exclusive=False, allowed=True):
    outcome = Outcome(check_mode, allowed)
    apply_network_manager(host, names, cloud, outcome, exclusive=exclusive)
    return outcome


def running(host, *states):
    """nmcli(1) that answers with one list of devices after the other, the last one for good."""
    left = list(states)
    host.answers.update({DEVICE_QUERY: lambda: (0, left.pop(0) if len(left) > 1 else left[0]), RELOAD: (0, "")})
    return host


def test_the_file_is_written_and_read_anew_and_devices_are_let_go_of(tmp_path):
    host = running(make(tmp_path, MAIN), "vx-submariner:connected (externally)\n", "vx-submariner:connected (externally)\n", "vx-submariner:unmanaged\n")
    checked = run(running(host, "vx-submariner:connected (externally)\n"), check_mode=True)
    assert FILE not in files(tmp_path) and RELOAD not in host.asked
    running(host, "vx-submariner:connected (externally)\n", "vx-submariner:deactivating\n", "vx-submariner:unmanaged\n")
    assert run(host).result() == checked.result() and RELOAD in host.asked
    assert "unmanaged-devices+=interface-name:cali*;" in files(tmp_path)[FILE]
    assert not run(host).changed
    outcome = Outcome(False, True)
    remove_network_manager(host, outcome)
    assert outcome.changed and FILE not in files(tmp_path) and host.asked.count(RELOAD) == 2
    outcome = Outcome(False, True)
    remove_network_manager(host, outcome)
    assert not outcome.changed


def test_a_file_that_is_right_is_read_anew_where_a_device_is_still_managed(tmp_path):
    host = make(tmp_path, MAIN)
    run(host)
    assert run(running(host, "vx-submariner:connected (externally)\n", "vx-submariner:unmanaged\n")).changed and RELOAD in host.asked


def test_what_it_does_not_let_go_of_fails_and_the_file_stays_and_is_told(tmp_path):
    outcome = Outcome()
    with pytest.raises(SubmarinerError, match="still manages cali1"):
        apply_network_manager(running(make(tmp_path, MAIN), "cali1:connected (externally)\n"), DEVICES, False, outcome)
    assert [each["after_header"] for each in outcome.result_of_failure()["diff"]] == [FILE] and FILE in files(tmp_path)


def test_its_own_devices_are_refused(tmp_path):
    with pytest.raises(RefusedError, match="eth0"):
        run(running(make(tmp_path, MAIN), "eth0:connected\n"), ["eth*"])
    assert FILE not in files(tmp_path)


def test_without_network_manager_nothing_is_done_and_a_stopped_one_gets_the_file_alone(tmp_path):
    outcome = run(make(tmp_path / "none"))
    assert not outcome.changed and outcome.facts["installed"] is False
    host = make(tmp_path / "stopped", MAIN, {DEVICE_QUERY: (8, "Error: NetworkManager is not running.")})
    assert run(host).changed and host.asked == [DEVICE_QUERY]


def test_a_file_that_is_read_later_is_warned_of_and_a_hidden_one_does_not_count(tmp_path):
    theirs = {"/etc/NetworkManager/conf.d/zzz.conf": "[keyfile]\nunmanaged-devices=interface-name:x\n"}
    assert "/etc/NetworkManager/conf.d/zzz.conf is read after" in run(make(tmp_path / "a", {**MAIN, **theirs})).warnings[0]
    both = {"/usr/lib/NetworkManager/conf.d/x.conf": "[keyfile]\nunmanaged-devices=interface-name:x\n", "/etc/NetworkManager/conf.d/x.conf": "# off\n"}
    assert "interface-name:x" not in run(make(tmp_path / "b", {**MAIN, **both})).facts["unmanaged_devices"]


def systemctl(host, timer="enabled", active="active"):
    """systemctl(1): is-enabled and is-active print a word, and end with an exit code that is not 0 for some words."""
    host.answers.update(
        {
            "systemctl is-enabled nm-cloud-setup.timer": (0, f"{timer}\n"),
            "systemctl is-active nm-cloud-setup.timer": (0, f"{active}\n"),
            "systemctl is-enabled nm-cloud-setup.service": (1, "static\n"),
            "systemctl is-active nm-cloud-setup.service": (3, "inactive\n"),
            **{f"systemctl {verb} nm-cloud-setup.timer": (0, "") for verb in ("disable --now", "enable", "start")},
        }
    )
    return host


def test_cloud_setup_is_switched_off_on_request_and_on_again(tmp_path):
    host = systemctl(make(tmp_path, MAIN))
    assert run(host, cloud=True).changed and "systemctl disable --now nm-cloud-setup.timer" in host.asked
    assert "# was nm-cloud-setup.timer = enabled active" in files(tmp_path)[FILE]
    systemctl(host, "disabled", "inactive")
    assert not run(host, cloud=True).changed
    asked = len(host.asked)
    assert not run(host).changed and not any("enable" in each for each in host.asked[asked:])  # left as it is
    outcome = Outcome(False, True)
    remove_network_manager(host, outcome)
    assert host.asked[-3:-1] == ["systemctl enable nm-cloud-setup.timer", "systemctl start nm-cloud-setup.timer"]


def test_cloud_setup_is_switched_on_again_by_an_exclusive_run_that_does_not_name_it(tmp_path):
    host = systemctl(make(tmp_path, MAIN))
    run(host, cloud=True)
    systemctl(host, "disabled", "inactive")
    assert not run(host, cloud=True, exclusive=True).changed
    assert run(host, exclusive=True).changed and host.asked[-2:] == ["systemctl enable nm-cloud-setup.timer", "systemctl start nm-cloud-setup.timer"]
    assert "# was" not in files(tmp_path)[FILE] and not run(host, exclusive=True).changed


@pytest.mark.parametrize("order", [("cali*", "vx-submariner"), ("vx-submariner", "cali*")])
def test_partial_runs_add_up_in_either_order_and_an_exclusive_one_prunes(tmp_path, order):
    host = systemctl(make(tmp_path, MAIN))
    first, second = order
    run(host, [first], cloud=True)
    systemctl(host, "disabled", "inactive")
    done = run(host, [second]).result()
    assert done["unmanaged_devices"] == [f"interface-name:{name}" for name in order] and "# was nm-cloud-setup.timer = enabled active" in files(tmp_path)[FILE]
    assert [each["after_header"] for each in done["diff"]] == [FILE]
    assert not any(run(host, names).changed for names in ([first], [second], [second, first])) and not run(host, [], cloud=True).changed
    assert run(host, [second], cloud=True, exclusive=True).facts["unmanaged_devices"] == [f"interface-name:{second}"]


def test_what_is_handed_back_needs_consent_before_anything_is_written(tmp_path):
    theirs = {"/etc/NetworkManager/conf.d/calico.conf": "[keyfile]\nunmanaged-devices=interface-name:cali*\n"}
    host = systemctl(make(tmp_path, {**MAIN, **theirs}))
    assert run(host, ["cali*", "vx-submariner"], cloud=True, allowed=False).result()["disruptive"] == []
    systemctl(host, "disabled", "inactive")
    before = files(tmp_path)
    told = Outcome(True, False)
    remove_network_manager(host, told)
    assert told.disruptive == ["let NetworkManager manage interface-name:vx-submariner again", "switch nm-cloud-setup.timer on again"], "cali* is in theirs"
    for refused in (lambda: remove_network_manager(host, Outcome(False, False)), lambda: run(host, ["cali*"], exclusive=True, allowed=False)):
        with pytest.raises(RefusedError, match="interface-name:vx-submariner again; switch nm-cloud-setup.timer on again"):
            refused()
    assert files(tmp_path) == before
    assert run(host, ["cali*"], allowed=False).result()["disruptive"] == []


ALL_BUT_ETH0 = {"/etc/NetworkManager/conf.d/only-eth0.conf": "[keyfile]\nunmanaged-devices=except:interface-name:eth0\n"}


def test_exceptions_alone_leave_everything_else_alone_already_and_stay_so(tmp_path):
    """An entry of ours beside them would have NetworkManager manage eth1, docker0 and whatever else is not ours (NetworkManager.conf(5))."""
    host = running(make(tmp_path, {**MAIN, **ALL_BUT_ETH0}), "eth0:connected\neth1:unmanaged\n")
    for exclusive in (False, True):
        done = run(host, exclusive=exclusive, allowed=False).result()
        assert not done["changed"] and done["unmanaged_devices"] == ["except:interface-name:eth0"] and FILE not in files(tmp_path)
    assert "leaves everything else alone already" in done["lines"][0] and RELOAD not in host.asked
    off = systemctl(make(tmp_path / "cloud", {**MAIN, **ALL_BUT_ETH0}))
    assert run(off, cloud=True).changed and "unmanaged-devices" not in files(tmp_path / "cloud")[FILE]


def test_exceptions_that_came_after_our_file(tmp_path):
    host = make(tmp_path, MAIN)
    run(host, ["cali*"])
    make(tmp_path, ALL_BUT_ETH0)
    more = run(host, ["vx-submariner"])
    assert "state=absent restores it" in more.warnings[0]
    assert run(host, ["cali*"], exclusive=True, check_mode=True).disruptive == ["let NetworkManager manage interface-name:vx-submariner again"]
    told = Outcome(True, False)
    remove_network_manager(host, told)
    assert told.disruptive == ["have NetworkManager leave all devices alone again that other files do not except (except:interface-name:eth0)"]


def test_a_device_that_another_file_excepts_is_warned_of(tmp_path):
    theirs = {"/etc/NetworkManager/conf.d/x.conf": "[keyfile]\nunmanaged-devices=interface-name:x;except:interface-name:cali*\n"}
    assert "Another file excepts interface-name:cali*" in run(make(tmp_path, {**MAIN, **theirs}), ["cali*"]).warnings[0]


def test_what_systemctl_refuses_fails(tmp_path):
    host = systemctl(make(tmp_path, MAIN))
    host.answers["systemctl disable --now nm-cloud-setup.timer"] = (1, "Access denied")
    with pytest.raises(SubmarinerError, match="Access denied"):
        run(host, cloud=True)


def test_an_old_nmcli_leaves_the_reload_to_systemctl(tmp_path):
    host = running(make(tmp_path, MAIN), "lo:unmanaged\n")
    host.answers.update({RELOAD: (2, "argument 'reload' not understood"), "systemctl reload NetworkManager": (0, "")})
    assert run(host).changed and host.asked[-2] == "systemctl reload NetworkManager"


def test_nothing_to_do_is_told(tmp_path):
    with pytest.raises(InputError):
        run(make(tmp_path, MAIN), [])
