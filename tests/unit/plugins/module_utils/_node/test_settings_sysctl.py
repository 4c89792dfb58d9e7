# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_sysctl as settings

PATHS = st.sampled_from(
    ["net/ipv4/ip_forward", "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/vxlan.calico/rp_filter", "net/ipv6/conf/eth0.7/forwarding", "net/ipv4/conf/default/x"]
)
VALUES = st.dictionaries(PATHS, st.integers(0, 9).map(str), min_size=1)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/vxlan.calico/rp_filter", "net/ipv4/conf/vxlan.calico/rp_filter"),
        ("net.ipv4.conf.vxlan/calico.rp_filter", "net/ipv4/conf/vxlan.calico/rp_filter"),
        ("net.ipv4.conf.vxlan.calico.rp_filter", "net/ipv4/conf/vxlan.calico/rp_filter"),
        ("net.ipv6.neigh.a.b.c.delay", "net/ipv6/neigh/a.b.c/delay"),
        ("net.ipv4.conf.eth0.rp_filter", "net/ipv4/conf/eth0/rp_filter"),
    ],
)
def test_names_as_people_and_files_write_them(name, path):
    assert settings.path_of(name) == path
    assert settings.path_of(settings.name_of(path)) == path


@pytest.mark.parametrize("name", ["", "x", "net/../../etc/passwd", "net.ipv4..x", "/etc/passwd", "net.ipv4.a b", "net/ipv4/ip_forward\n"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InputError):
        settings.path_of(name)


@given(values=VALUES, was=VALUES)
def test_what_is_written_is_read_back_with_what_was_before(values, was):
    text = settings.render(values, was)
    assert settings.assignments(text) == values
    assert settings.remembered(text) == {path: value for path, value in was.items() if path in values}
    assert settings.render(settings.assignments(text), settings.remembered(text)) == text


@given(VALUES)
def test_what_resets_others_comes_first(values):
    order = settings.in_order(values)
    ranks = [0 if path.endswith("ip_forward") else 1 if "/all/" in path else 2 if "/default/" in path else 3 for path in order]
    assert ranks == sorted(ranks) and set(order) == set(values)


def test_what_decides_over_the_default_route_comes_before_forwarding():
    forwarding, accept = "net/ipv6/conf/all/forwarding", settings.accept_ra_path("eth0")
    assert settings.in_order([forwarding, accept]) == [accept, forwarding]
    assert settings.render({forwarding: "1", accept: "2"}, {}).splitlines()[1:] == ["net.ipv6.conf.eth0.accept_ra = 2", "net.ipv6.conf.all.forwarding = 1"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("net/ipv6/conf/all/forwarding", True), ("net/ipv6/conf/eth0.7/forwarding", True), ("net/ipv6/conf/default/forwarding", False),
     ("net/ipv4/conf/all/forwarding", False), ("net/ipv6/conf/all/mc_forwarding", False)],
)  # fmt: skip
def test_what_switches_forwarding_of_ipv6_on(path, expected):
    assert settings.forwards_ipv6(path) is expected


def test_default_routes_of_router_advertisements():
    """Lines of /proc/net/ipv6_route as a kernel prints them."""
    nowhere, rest = "0" * 32, "00000400 00000001 00000000"
    router = "fe80000000000000a0b1c2fffed3e4f5"
    rows = [
        f"fe80{nowhere[4:]} 40 {nowhere} 00 {nowhere} {rest} 00000001     eth0",
        f"{nowhere} 00 {nowhere} 00 {router} {rest} 00450003     eth0",
        f"{nowhere} 00 {nowhere} 00 {router} {rest} 00000003     eth1",  # set by hand, or by systemd-networkd
        f"{nowhere} 00 {nowhere} 00 {nowhere} {rest} 00200200       lo",  # the one that says that there is none
        f"fd09{nowhere[4:]} 40 {nowhere} 00 {nowhere} {rest} 00440001     eth2",
    ]
    text = "".join(f"{row}\n" for row in rows)
    assert settings.advertised(text) == ["eth0"] and settings.advertised("") == []


def test_files_of_others_are_read_as_systemd_reads_them():
    text = "# c\n; d\n-net.ipv4.ip_forward = 1\nnet.ipv4.conf.*.rp_filter = 2\n-net.x.y\nnet/ipv4/tcp_rmem = 1\t2  3\n"
    assert settings.assignments(text) == {"net/ipv4/ip_forward": "1", "net/ipv4/tcp_rmem": "1 2 3"}


def test_the_last_of_later_files_decides():
    assert settings.overriding("a/b", "1", [("/x", "a.b=2"), ("/y", "a/b = 1")]) == ""
    assert settings.overriding("a/b", "1", [("/y", "a/b = 1"), ("/x", "a.b=2")]) == "/x (2)"


def test_the_larger_of_two_acts_and_strict_is_the_strictest():
    assert settings.loosened({"all": 0, "eth0": 1, "eth1": 0, "eth2": 2}, {"all": 2}) == [settings.Loosened("eth0", 1, 2)]
    assert settings.loosened({"all": 1, "eth0": 0, "eth1": 1}, {"all": 0}) == [settings.Loosened("eth0", 1, 0)]
    assert settings.loosened({"all": 0, "eth0": 0}, {"all": 1, "eth0": 2}) == []
    assert settings.interface_of("net/ipv4/conf/vxlan.calico/rp_filter") == "vxlan.calico" and settings.interface_of("net/ipv4/conf/all/rp_filter") == ""
    assert settings.canonical(True) == "1" and settings.canonical(" 1\t2 ") == "1 2"
