# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc/modules, modules.dep, modules.builtin, kernel configurations and modprobe.d."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import OPTIONS, all_modules
from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_modules as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_modules import Sources
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import BUILT_IN, LOADABLE, LOADED, MISSING
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import DISTRIBUTIONS

NAMES = st.sampled_from(all_modules())
SETS = st.frozensets(NAMES)


@pytest.mark.parametrize("each", DISTRIBUTIONS, ids=lambda each: each.name)
def test_files_of_distributions(each):
    files = each.files()
    tree = f"{each.tree}/{each.kernel}"
    assert parse.loaded(files["/proc/modules"]) == set(each.loaded)
    assert parse.on_disk(files[f"{tree}/modules.dep"]) == {*each.on_disk, *each.loaded}
    assert parse.built_in(files[f"{tree}/modules.builtin"]) == set(each.built_in)


def test_a_module_on_its_way_is_not_there():
    text = "vxlan 1 0 - Unloading 0x0\nipip 1 0 - Loading 0x0\nip_set 1 2 a, Live 0x0\nold 1 2\n"
    assert parse.loaded(text) == {"ip_set", "old"}


@given(SETS, SETS, SETS)
def test_each_source_in_its_rank(loaded, built_in, on_disk):
    found = parse.states(all_modules(), Sources(loaded, built_in, on_disk))
    for name in all_modules():
        expected = LOADED if name in loaded else BUILT_IN if name in built_in else LOADABLE if name in on_disk else MISSING
        assert found[name] == expected


@given(NAMES, st.sampled_from(["y", "m", "n"]))
def test_what_only_a_configuration_tells(name, value):
    option = OPTIONS[name][0]
    cannot = Sources(loaded=frozenset(), options={"MODULES": "n", option: value if value == "y" else "n"})
    assert parse.states([name], cannot) == {name: BUILT_IN if value == "y" else MISSING}
    can = Sources(loaded=frozenset(), options={"MODULES": "y", option: value})
    # With a module's file unseen, "m" tells nothing of it.
    assert parse.states([name], can) == {"y": {name: BUILT_IN}, "n": {name: MISSING}, "m": {}}[value]
    gone = can._replace(on_disk=frozenset())
    assert parse.states([name], gone) == {name: BUILT_IN if value == "y" else MISSING}


def test_what_nothing_tells_is_not_stated():
    assert parse.states(["vxlan"], Sources()) == {}
    assert parse.states(["vxlan"], Sources(loaded=frozenset())) == {}
    # modules.dep alone does not know what is inside of the kernel.
    assert parse.states(["vxlan"], Sources(loaded=frozenset(), on_disk=frozenset())) == {}
    assert parse.states(["vxlan"], Sources(loaded=frozenset({"ip_set"}), known_to_sysfs=frozenset({"vxlan"}))) == {"vxlan": BUILT_IN}


def test_the_first_option_that_is_spoken_of_decides():
    assert parse.option_of("ip_tables", {"IP_NF_IPTABLES": "m"}) == "m"
    assert parse.option_of("ip_tables", {"IP_NF_IPTABLES": "m", "IP_NF_IPTABLES_LEGACY": "n"}) == "n"
    assert parse.option_of("ip_tables", {}) == parse.option_of("ip_tables", None) == parse.option_of("unknown", {"A": "y"}) == ""


def test_a_configuration():
    assert parse.options('# comment\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D="x y"\nCONFIG_E=10\n') == {
        "A": "y", "B": "m", "C": "n", "D": '"x y"', "E": "10",
    }  # fmt: skip


def test_what_modprobe_is_told_to_leave():
    text = (
        "# install a /bin/true\ninstall sctp /bin/true\ninstall vxlan \\\n  /bin/false\nblacklist ip-set\ninstall ipip /sbin/modprobe --ignore-install ipip\n"
        "options vxlan x=1\nalias a b\ninstall\n"
    )
    found = parse.barred([("/etc/modprobe.d/cis.conf", text), ("/usr/lib/modprobe.d/b.conf", "blacklist sctp\n")])
    assert found == {
        "sctp": "/etc/modprobe.d/cis.conf: install sctp /bin/true",
        "vxlan": "/etc/modprobe.d/cis.conf: install vxlan /bin/false",
        "ip_set": "/etc/modprobe.d/cis.conf: blacklist ip-set",
    }


@pytest.mark.parametrize(
    ("command", "loads"),
    [
        ('/bin/sh -c "exit 0"', False),
        ("exit 0", False),
        ("true; exit 0", False),
        (":", False),
        ("/usr/bin/logger no vxlan here", False),
        ('/bin/sh -c "/sbin/modprobe --ignore-install vxlan && logger x"', True),
        ("logger x; insmod /opt/vxlan.ko", True),
        ("/opt/vendor/sh-vxlan", True),
    ],
)
def test_what_is_run_in_place_of_loading(command, loads):
    assert ("vxlan" in parse.barred([("/etc/modprobe.d/x.conf", f"install vxlan {command}\n")])) is not loads


@given(st.text(alphabet=st.sampled_from("abc_- .ko:/\n,#=yCONFIG")))
def test_nothing_makes_it_fail(text):
    assert not any("\n" in name for name in parse.loaded(text) | parse.built_in(text) | parse.on_disk(text))
    parse.options(text)
    parse.barred([("f", text)])
