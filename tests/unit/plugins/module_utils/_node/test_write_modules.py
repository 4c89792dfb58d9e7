# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_modules import FILE, apply_modules, remove_modules, render
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome

from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make

KERNEL = "6.1.0-test"
TREE = {
    "/proc/modules": "vxlan 1 0 - Live 0x0\n",
    f"/lib/modules/{KERNEL}/modules.builtin": "kernel/net/ipv4/ip_tunnel.ko\n",
    f"/lib/modules/{KERNEL}/modules.dep": "kernel/a/ip_set.ko.xz:\nkernel/a/vxlan.ko: kernel/a/udp_tunnel.ko\n",
    "/proc/cmdline": "ro quiet",
}
ANSWERS = {"modprobe ip_set": (0, "")}


def loading(root, *names, **more):
    """A host whose kernel loads these modules when modprobe(8) is asked to."""
    host = make(root, TREE, more)

    def load(name):
        with open(root / "proc/modules", "a", encoding="utf-8") as stream:
            stream.write(f"{name} 1 0 - Live 0x0\n")
        return 0, ""

    host.answers.update({f"modprobe {name}": lambda name=name: load(name) for name in names})
    return host


def run(host, *names, check_mode=False, exclusive=False):
    outcome = Outcome(check_mode)
    apply_modules(host, names, outcome, KERNEL, exclusive=exclusive)
    return outcome.result()


def test_modules_are_loaded_and_named_for_the_boot_and_check_mode_says_the_same(tmp_path):
    host = loading(tmp_path, "ip_set")
    checked = run(host, "vxlan", "ip-set", "ip_tunnel", check_mode=True)
    assert host.asked == [] and FILE not in files(tmp_path)
    done = run(host, "vxlan", "ip-set", "ip_tunnel")
    assert done == checked and done["modules"] == {"vxlan": "loaded", "ip_set": "loaded", "ip_tunnel": "builtin"}
    assert files(tmp_path)[FILE].splitlines()[1:] == ["vxlan", "ip_set", "ip_tunnel"] and host.asked == ["modprobe ip_set"]
    assert not run(host, "vxlan", "ip-set", "ip_tunnel")["changed"]


def test_what_modprobe_says_it_has_done_is_looked_at(tmp_path):
    """``install ip_set /opt/quiet`` of modprobe.d(5) has modprobe(8) end well, with nothing loaded."""
    host = make(tmp_path, {**TREE, "/etc/modprobe.d/x.conf": "install ip_set /opt/quiet\n"}, ANSWERS)
    outcome = Outcome()
    with pytest.raises(SubmarinerError, match="ip_set is not loaded: see what modprobe.d.*was not written"):
        apply_modules(host, ["ip_set"], outcome, KERNEL)
    assert FILE not in files(tmp_path) and not outcome.result_of_failure()["changed"]


def test_a_missing_one_is_named_with_the_kernel_before_anything_happens(tmp_path):
    host = make(tmp_path, TREE, ANSWERS)
    with pytest.raises(SubmarinerError, match=f"Kernel {KERNEL} has no module wireguard.*linux-modules-extra-{KERNEL}"):
        run(host, "ip_set", "wireguard")
    assert host.asked == ["modprobe -n -q wireguard"] and FILE not in files(tmp_path)


def test_a_kernel_whose_modules_an_update_removed_wants_a_reboot(tmp_path):
    host = make(tmp_path, {"/proc/modules": "", "/proc/cmdline": ""})
    with pytest.raises(SubmarinerError, match="reboot into the new kernel"):
        run(host, "vxlan")


def test_an_alias_is_loaded_by_its_name(tmp_path):
    host = make(tmp_path, TREE, {"modprobe -n -q net_pf_15": (0, ""), "modprobe net_pf_15": (0, ""), "modprobe -R net_pf_15": (0, "af_key\n")})
    with pytest.raises(SubmarinerError, match="net_pf_15 is not loaded"):
        run(host, "net-pf-15")
    (tmp_path / "proc/modules").write_text("af_key 1 0 - Live 0x0\n")
    assert run(host, "net-pf-15")["modules"] == {"net_pf_15": "loaded"}
    host.answers["modprobe -R net_pf_15"] = (0, "ip_tunnel\n")  # which is built in
    assert run(host, "net-pf-15")["modules"] == {"net_pf_15": "loaded"}


def test_a_module_without_a_file_that_the_kernel_shows_is_built_in(tmp_path):
    host = make(tmp_path, {"/proc/cmdline": "", "/sys/module/vxlan/version": "1"})
    assert run(host, "vxlan") == {"changed": False, "lines": [], "diff": [], "modules": {"vxlan": "builtin"}}


@pytest.mark.parametrize(
    ("path", "text", "where"),
    [
        ("/etc/modprobe.d/cis.conf", "install ip_set /bin/true\n", "/etc/modprobe.d/cis.conf"),
        ("/etc/modprobe.d/cis.conf", 'install ip_set /bin/sh -c "exit 0"\n', "/etc/modprobe.d/cis.conf"),
        ("/usr/lib/modprobe.d/x.conf", "blacklist ip-set\n", "/usr/lib/modprobe.d/x.conf"),
        ("/proc/cmdline", "ro modprobe.blacklist=foo,ip_set", "command line"),
    ],
)
def test_what_the_boot_would_not_load_is_refused(tmp_path, path, text, where):
    host = make(tmp_path, {**TREE, path: text}, ANSWERS)
    with pytest.raises(RefusedError, match=f"ip_set.*{where}"):
        run(host, "ip_set")
    assert host.asked == []


def test_an_etc_file_hides_that_of_the_distribution(tmp_path):
    host = make(tmp_path, {**TREE, "/usr/lib/modprobe.d/x.conf": "blacklist ip_set\n", "/etc/modprobe.d/x.conf": "# none\n"}, ANSWERS)
    assert run(host, "ip_set", check_mode=True)["changed"]


def test_what_the_kernel_does_not_take_leaves_no_file(tmp_path):
    host = make(tmp_path, TREE, {"modprobe ip_set": (1, "modprobe: ERROR: Key was rejected by service")})
    with pytest.raises(SubmarinerError, match="Key was rejected by service.*was not written"):
        run(host, "ip_set")
    host = make(tmp_path, TREE)
    with pytest.raises(SubmarinerError, match="Install package kmod"):
        run(host, "ip_set")
    assert FILE not in files(tmp_path)


def test_what_was_loaded_before_a_failure_is_told(tmp_path):
    tree = {**TREE, f"/lib/modules/{KERNEL}/modules.dep": "a/ip_set.ko:\na/ip_vs.ko:\n"}
    host = loading(tmp_path, "ip_set", **{"modprobe ip_vs": (1, "Key was rejected by service")})
    (tmp_path / f"lib/modules/{KERNEL}/modules.dep").write_text(tree[f"/lib/modules/{KERNEL}/modules.dep"])
    outcome = Outcome()
    with pytest.raises(SubmarinerError, match="ip_vs: Key was rejected"):
        apply_modules(host, ["ip_set", "ip_vs"], outcome, KERNEL)
    failed = outcome.result_of_failure()
    assert failed["changed"] and [(each["after_header"], each["after"]) for each in failed["diff"]] == [("loaded modules", "ip_set\n")]


def named(root):
    return [line for line in files(root)[FILE].splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("order", [("vxlan", "ip_set"), ("ip_set", "vxlan")])
def test_partial_runs_add_up_in_either_order_and_then_change_nothing(tmp_path, order):
    host = make(tmp_path, {**TREE, "/proc/modules": "vxlan 1 0 - Live 0x0\nip_set 1 0 - Live 0x0\n"})
    assert all(run(host, name)["changed"] for name in order) and named(tmp_path) == list(order)
    again = [run(host, name) for name in (*order, *reversed(order))]
    assert [(each["changed"], each["diff"], each["lines"]) for each in again] == [(False, [], [])] * 4


def test_what_is_named_already_is_not_judged_again_and_stays(tmp_path):
    host = make(tmp_path, {**TREE, FILE: render(["wireguard", "vxlan"])})
    done = run(host, "vxlan", "ip_tunnel")
    assert named(tmp_path) == ["wireguard", "vxlan", "ip_tunnel"] and done["modules"] == {"vxlan": "loaded", "ip_tunnel": "builtin"}
    assert done["lines"] == [f"write {FILE}, so that ip_tunnel is loaded at boot"]


def test_exclusive_prunes_the_file_and_says_so(tmp_path):
    host = make(tmp_path, {**TREE, FILE: render(["ip_set", "vxlan"])})
    checked = run(host, "vxlan", exclusive=True, check_mode=True)
    assert named(tmp_path) == ["ip_set", "vxlan"]
    assert run(host, "vxlan", exclusive=True) == checked and checked["lines"] == [f"take ip_set out of {FILE}; what is loaded stays so until the next boot"]
    assert named(tmp_path) == ["vxlan"] and host.asked == [] and not run(host, "vxlan", exclusive=True)["changed"]


def test_what_only_a_former_kernel_had_as_a_file_leaves_ours(tmp_path):
    host = make(tmp_path, {"/proc/cmdline": "", "/sys/module/vxlan/version": "1", FILE: render(["vxlan"])})
    assert run(host, "vxlan")["lines"] == [f"remove {FILE}"] and FILE not in files(tmp_path)


def test_absent_removes_the_file_alone(tmp_path):
    host = loading(tmp_path, "ip_set")
    run(host, "ip_set")
    outcome = Outcome()
    remove_modules(host, outcome)
    assert outcome.changed and FILE not in files(tmp_path) and host.asked == ["modprobe ip_set"]
    outcome = Outcome()
    remove_modules(host, outcome)
    assert not outcome.changed


@pytest.mark.parametrize("names", [(), ("../x",), ("a b",)])
def test_names_are_checked(tmp_path, names):
    with pytest.raises(InputError):
        run(make(tmp_path, TREE), *names)
