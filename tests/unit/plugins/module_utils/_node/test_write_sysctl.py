# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_sysctl
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_sysctl import FILE
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_sysctl import apply_sysctl, remove_sysctl

from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import files, make

CONF = "/proc/sys/net/ipv4/conf"
TREE = {
    "/proc/sys/net/ipv4/ip_forward": "0\n",
    **{f"{CONF}/{name}/rp_filter": f"{value}\n" for name, value in {"all": 0, "default": 0, "lo": 0, "eth0": 1, "vxlan.calico": 1}.items()},
}


def run(host, values=None, rp_filter=None, check_mode=False, exclusive=False, allowed=True):
    outcome = Outcome(check_mode, allowed)
    apply_sysctl(host, values or {}, rp_filter or {}, outcome, exclusive=exclusive)
    return outcome


def now(root, path):
    return (root / "proc/sys" / path).read_text(encoding="utf-8").strip()


def test_values_hold_now_and_at_boot_and_are_remembered_and_put_back(tmp_path):
    host = make(tmp_path, TREE)
    wanted = {"values": {"net.ipv4.ip_forward": True}, "rp_filter": {"vxlan.calico": 2, "vx-submariner": 2}}
    checked = run(host, **wanted, check_mode=True).result()
    assert now(tmp_path, "net/ipv4/ip_forward") == "0" and FILE not in files(tmp_path)
    assert run(host, **wanted).result() == checked and checked["changed"]
    assert files(tmp_path)[FILE].splitlines()[1:] == [
        "# was net.ipv4.ip_forward = 0",
        "net.ipv4.ip_forward = 1",
        "net.ipv4.conf.vx-submariner.rp_filter = 2",
        "# was net/ipv4/conf/vxlan.calico/rp_filter = 1",
        "net/ipv4/conf/vxlan.calico/rp_filter = 2",
    ]
    assert "appears" in checked["lines"][2] and not run(host, **wanted).changed
    outcome = Outcome(False, True)
    remove_sysctl(host, outcome)
    assert outcome.changed and {path: text.strip() for path, text in files(tmp_path).items()} == {path: text.strip() for path, text in TREE.items()}


def test_exclusive_puts_back_what_is_no_longer_named_unless_somebody_changed_it_since(tmp_path):
    host = make(tmp_path, TREE)
    run(host, {"net.ipv4.ip_forward": 1}, {"eth0": 2, "vxlan.calico": 2})
    (tmp_path / "proc/sys/net/ipv4/conf/eth0/rp_filter").write_text("0\n")
    checked = run(host, {"net.ipv4.ip_forward": 1}, exclusive=True, check_mode=True).result()
    assert run(host, {"net.ipv4.ip_forward": 1}, exclusive=True).result() == checked
    assert now(tmp_path, "net/ipv4/conf/vxlan.calico/rp_filter") == "1" and now(tmp_path, "net/ipv4/conf/eth0/rp_filter") == "0"
    assert now(tmp_path, "net/ipv4/ip_forward") == "1" and "rp_filter" not in files(tmp_path)[FILE]
    assert not run(host, {"net.ipv4.ip_forward": 1}, exclusive=True).changed


def test_what_is_put_back_needs_consent_before_anything_is_written(tmp_path):
    host = make(tmp_path, TREE)
    assert run(host, {"net.ipv4.ip_forward": 1}, {"eth0": 2}, allowed=False).result()["disruptive"] == []
    before = files(tmp_path)
    told = Outcome(True, False)
    remove_sysctl(host, told)
    assert told.disruptive == ["put net.ipv4.ip_forward back from 1 to 0", "put net.ipv4.conf.eth0.rp_filter back from 2 to 1"] and told.warnings
    with pytest.raises(RefusedError, match="put net.ipv4.ip_forward back from 1 to 0"):
        remove_sysctl(host, Outcome(False, False))
    with pytest.raises(RefusedError, match="put net.ipv4.ip_forward back from 1 to 0"):
        run(host, {}, {"eth0": 2}, exclusive=True, allowed=False)
    assert files(tmp_path) == before
    assert run(host, {"net.ipv4.ip_forward": 1}, {"eth0": 2}, exclusive=True, allowed=False).changed is False, "nothing is put back"


V6 = {
    **{f"/proc/sys/net/ipv6/conf/{name}/forwarding": "0\n" for name in ("all", "default", "eth0", "eth1")},
    **{f"/proc/sys/net/ipv6/conf/{name}/accept_ra": "1\n" for name in ("all", "default", "eth0", "eth1")},
}
DEFAULT = "0" * 32 + " {length} " + "0" * 32 + " 00 fe80" + "0" * 27 + "1 00000400 00000001 00000000 {flags} {device:>8}\n"
BY_THE_KERNEL, BY_HAND = "00450003", "00000003"


def routes(*entries):
    return {"/proc/net/ipv6_route": "".join(DEFAULT.format(length=length, flags=flags, device=device) for length, flags, device in entries)}


@pytest.mark.parametrize("name", ["all", "eth1"])
def test_forwarding_does_not_take_the_default_route_of_ipv6_away(tmp_path, name):
    """The kernel drops those of every interface, whichever of them begins to forward."""
    host = make(tmp_path, {**V6, **routes(("00", BY_THE_KERNEL, "eth0"), ("00", BY_HAND, "eth1"), ("40", BY_THE_KERNEL, "eth1"))})
    forwarding = {f"net.ipv6.conf.{name}.forwarding": 1}
    before = files(tmp_path)
    with pytest.raises(RefusedError, match=r"router advertisements on eth0, .* Set net\.ipv6\.conf\.eth0\.accept_ra: 2 along"):
        run(host, forwarding)
    with pytest.raises(RefusedError, match="router advertisements on eth0"):
        run(host, {**forwarding, "net.ipv6.conf.all.accept_ra": 2})
    assert files(tmp_path) == before
    done = run(host, {**forwarding, "net.ipv6.conf.eth0.accept_ra": 2})
    assert done.lines[0] == "net.ipv6.conf.eth0.accept_ra: 1 to 2", "before forwarding is switched on"
    assert not run(host, forwarding).changed


def test_forwarding_where_no_default_route_is_at_stake(tmp_path):
    forwarding = {"net.ipv6.conf.all.forwarding": 1}
    assert run(make(tmp_path / "a", {**V6, **routes(("00", BY_HAND, "eth0"))}), forwarding).changed
    assert run(make(tmp_path / "b", V6), forwarding).changed, "a kernel that has no such file"
    held = {"/proc/sys/net/ipv6/conf/eth0/accept_ra": "2\n"}
    assert run(make(tmp_path / "c", {**V6, **held, **routes(("00", BY_THE_KERNEL, "eth0"))}), forwarding).changed
    with pytest.raises(RefusedError):
        run(make(tmp_path / "d", {**V6, **held, **routes(("00", BY_THE_KERNEL, "eth0"))}), {**forwarding, "net.ipv6.conf.eth0.accept_ra": 1})
    assert run(make(tmp_path / "e", {**V6, **routes(("00", BY_THE_KERNEL, "eth0"))}), {"net.ipv6.conf.default.forwarding": 1}).changed


PARTS = st.lists(
    st.dictionaries(st.sampled_from(["eth0", "vxlan.calico", "default", "vx-submariner", "all"]), st.just(2), min_size=1), min_size=1, max_size=4
)


@settings(max_examples=25, deadline=None)
@given(PARTS, st.randoms(use_true_random=False))
def test_partial_runs_add_up_in_any_order_and_absent_takes_all_of_them_back(parts, random):
    union = {name: value for part in parts for name, value in part.items()}
    shuffled = random.sample(parts, len(parts))
    seen = []
    for runs in (parts, shuffled, [union]):
        with tempfile.TemporaryDirectory() as folder:
            host = make(pathlib.Path(folder), TREE)
            for part in runs:
                run(host, rp_filter=part)
            seen.append(files(pathlib.Path(folder)))
            assert not any(run(host, rp_filter=part).changed for part in runs)
            run(host, rp_filter=parts[0], exclusive=True)
            seen[-1]["pruned"] = files(pathlib.Path(folder))
            remove_sysctl(host, Outcome(False, True))
            left = files(pathlib.Path(folder))
        assert {path: text.strip() for path, text in left.items()} == {path: text.strip() for path, text in TREE.items()}
    assert seen[0] == seen[1] == seen[2]


def test_a_partial_run_shows_and_changes_what_it_names_alone(tmp_path):
    host = make(tmp_path, TREE)
    run(host, {}, {"eth0": 2})
    (tmp_path / "proc/sys/net/ipv4/conf/eth0/rp_filter").write_text("0\n")
    done = run(host, {"net.ipv4.ip_forward": 1}).result()
    assert done["lines"] == ["net.ipv4.ip_forward: 0 to 1", f"write {FILE}"] and now(tmp_path, "net/ipv4/conf/eth0/rp_filter") == "0"
    shown = {each["after_header"]: each for each in done["diff"]}
    new = set(shown[FILE]["after"].splitlines()) - set(shown[FILE]["before"].splitlines())
    assert new == {"# was net.ipv4.ip_forward = 0", "net.ipv4.ip_forward = 1"}
    assert set(shown[FILE]["before"].splitlines()) < set(shown[FILE]["after"].splitlines())


def test_a_filter_that_an_earlier_run_set_for_all_counts_even_where_the_kernel_has_forgotten_it(tmp_path):
    host = make(tmp_path, TREE)
    run(host, {}, {"all": 2})
    (tmp_path / "proc/sys/net/ipv4/conf/all/rp_filter").write_text("0\n")
    with pytest.raises(RefusedError, match="all.rp_filter is 2"):
        run(host, {}, {"eth0": 1})
    assert run(host, {}, {"eth0": 1}, exclusive=True).changed


def resetting(monkeypatch, refused=""):
    """A kernel whose ip_forward resets what interfaces have of their own (Documentation/networking/ip-sysctl.rst), and that takes no value of one parameter."""
    really = _write_sysctl.set_kernel

    def set_kernel(host, path, value):
        if path == refused:
            raise SubmarinerError("The kernel does not take it.")
        really(host, path, value)
        if path == "/proc/sys/net/ipv4/ip_forward":
            really(host, f"{CONF}/eth0/forwarding", value)

    monkeypatch.setattr(_write_sysctl, "set_kernel", set_kernel)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_an_earlier_run_set_outlives_what_resets_it(tmp_path, monkeypatch, order):
    resetting(monkeypatch)
    host = make(tmp_path, {**TREE, f"{CONF}/eth0/forwarding": "0\n"})
    parts = ({"net.ipv4.ip_forward": 1}, {"net.ipv4.conf.eth0.forwarding": 0})
    for index in order:
        run(host, parts[index])
    assert (now(tmp_path, "net/ipv4/ip_forward"), now(tmp_path, "net/ipv4/conf/eth0/forwarding")) == ("1", "0")
    assert not run(host, parts[0]).changed and not run(host, parts[1]).changed


def test_what_was_reset_on_the_way_is_put_back_as_well(tmp_path, monkeypatch):
    resetting(monkeypatch, refused=f"{CONF}/eth0/rp_filter")
    host = make(tmp_path, {**TREE, f"{CONF}/eth0/forwarding": "1\n"})
    run(host, {"net.ipv4.conf.eth0.forwarding": 1})
    before = files(tmp_path)
    with pytest.raises(SubmarinerError, match="put back"):
        run(host, {"net.ipv4.ip_forward": 2}, {"eth0": 2})
    assert {path: text.strip() for path, text in files(tmp_path).items()} == {path: text.strip() for path, text in before.items()}


def test_a_value_that_changes_twice_goes_back_to_the_first(tmp_path):
    host = make(tmp_path, TREE)
    run(host, {"net.ipv4.ip_forward": 1})
    run(host, {"net.ipv4.ip_forward": 2})
    remove_sysctl(host, Outcome(False, True))
    assert now(tmp_path, "net/ipv4/ip_forward") == "0"


def test_nothing_is_loosened_that_was_not_named(tmp_path):
    host = make(tmp_path, TREE)
    with pytest.raises(RefusedError, match=r"eth0 \(1 to 2\), vxlan.calico"):
        run(host, {"net.ipv4.conf.all.rp_filter": 2})
    with pytest.raises(RefusedError, match="vxlan.calico"):
        run(host, {"net.ipv4.conf.all.rp_filter": 2}, {"eth0": 2})
    assert run(host, {}, {"all": 2}).changed
    with pytest.raises(RefusedError, match="larger of the two"):
        run(host, {}, {"eth0": 1})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"net.bridge.bridge-nf-call-iptables": 1}, "br_netfilter"),
        ({"net.ipv4.no_such": 1}, "no parameter net.ipv4.no_such"),
        ({"net.ipv4.conf.eth9.no_such": 1}, "no parameter"),
    ],
)
def test_a_parameter_that_is_not_there(tmp_path, values, said):
    with pytest.raises(SubmarinerError, match=said):
        run(make(tmp_path, TREE), {"net.ipv4.ip_forward": 1, **values})
    assert now(tmp_path, "net/ipv4/ip_forward") == "0"


@pytest.mark.parametrize(
    ("values", "rp_filter"),
    [
        ({}, {}),
        ({"net.ipv4.ip_forward": ""}, {}),
        ({"net.ipv4.ip_forward": 1, "net/ipv4/ip_forward": 0}, {}),
        ({}, {"eth0": 3}),
        ({}, {"a/b": 1}),
        ({"net.ipv4.conf.eth0.rp_filter": 1}, {"eth0": 2}),
    ],
)
def test_what_is_given_is_checked(tmp_path, values, rp_filter):
    with pytest.raises(InputError):
        run(make(tmp_path, TREE), values, rp_filter)


def test_a_file_that_cannot_be_written_puts_the_values_back(tmp_path, monkeypatch):
    def fails(*_arguments):
        raise SubmarinerError("The disk is full.")

    monkeypatch.setattr(_write_sysctl, "replace", fails)
    host = make(tmp_path, TREE)
    with pytest.raises(SubmarinerError, match="put back"):
        run(host, {"net.ipv4.ip_forward": 1})
    assert now(tmp_path, "net/ipv4/ip_forward") == "0"


def test_values_that_cannot_be_put_back_are_told(tmp_path, monkeypatch):
    def takes_one_value(_host, path, value):
        if value == "0":
            raise SubmarinerError("The kernel does not take it back.")
        (tmp_path / path.lstrip("/")).write_text(value)

    monkeypatch.setattr(_write_sysctl, "set_kernel", takes_one_value)
    monkeypatch.setattr(_write_sysctl, "replace", lambda *_arguments: takes_one_value(None, "", "0"))
    outcome = Outcome()
    with pytest.raises(SubmarinerError, match="Nor could what had been set before it be put back as a whole"):
        _write_sysctl.apply_sysctl(make(tmp_path, TREE), {"net.ipv4.ip_forward": 1}, {}, outcome)
    assert [each["after_header"] for each in outcome.result_of_failure()["diff"]] == ["kernel parameters"]


def test_later_files_and_procps_last_one_are_warned_of(tmp_path):
    host = make(tmp_path, {**TREE, "/run/sysctl.d/99-zzz.conf": "net.ipv4.ip_forward=0", "/etc/sysctl.d/50-x.conf": "net.ipv4.ip_forward=0"})
    assert "/run/sysctl.d/99-zzz.conf (0)" in run(host, {"net.ipv4.ip_forward": 1}).warnings[0]
    host = make(tmp_path, {"/run/sysctl.d/99-zzz.conf": "", "/etc/sysctl.conf": "net.ipv4.ip_forward=0"})
    assert "/etc/sysctl.conf (0)" in run(host, {"net.ipv4.ip_forward": 1}).warnings[0]
