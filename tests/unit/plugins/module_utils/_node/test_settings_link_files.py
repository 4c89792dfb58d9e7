# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_link_files as link_files

MTU = st.integers(68, 65535)
LINE = st.one_of(
    st.sampled_from(["# a comment", "DEVICE=eth0", 'ONBOOT="yes"', "", "IPADDR=10.0.0.1 # static", "#MTU=1", "MTU_X=1", "IPV6_MTU=1280", "  ", "VLAN=yes\r"]),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n"), max_size=12).filter(lambda line: "MTU" not in line),
)
OWN = st.sampled_from(["MTU=1500", 'MTU="1500"', "MTU='9000' # jumbo", "export MTU=1450", "  MTU=1400", "MTU="])


@st.composite
def ifcfg_texts(draw):
    lines = draw(st.lists(LINE, max_size=6))
    for _time in range(draw(st.integers(0, 2))):
        lines.insert(draw(st.integers(0, len(lines))), draw(OWN))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(ifcfg_texts(), MTU)
def test_an_ifcfg_file_is_changed_in_one_line_and_comes_back_byte_for_byte(text, mtu):
    former = link_files.ifcfg_line(text)
    changed = link_files.with_ifcfg_line(text, f"MTU={mtu}")
    assert link_files.ifcfg_mtu(changed) == mtu
    assert link_files.with_ifcfg_line(changed, f"MTU={mtu}") == changed
    ours = [line for line in changed.split("\n") if line != f"MTU={mtu}"]
    theirs = text.split("\n")
    if former:
        theirs.reverse()
        theirs.remove(former)  # the last one, which is the one that holds
        theirs.reverse()
    assert [line for line in ours if line] == [line for line in theirs if line and line != f"MTU={mtu}"]
    assert link_files.with_ifcfg_line(changed, former) == text


@pytest.mark.parametrize(
    ("text", "mtu"), [("MTU=1500\nMTU='9000'\n", 9000), ("#MTU=1\n", None), ("MTU=\n", None), ("MTU=$X\n", None), ("IPV6_MTU=1280\n", None)]
)
def test_the_last_assignment_of_an_ifcfg_file_holds(text, mtu):
    assert link_files.ifcfg_mtu(text) == mtu


@given(st.sampled_from(sorted(link_files.NETPLAN_SECTIONS.values())), st.from_regex(r"\A[A-Za-z0-9_.-]+\Z"), MTU)
def test_netplans_file_says_one_thing(section, identifier, mtu):
    assert yaml.safe_load(link_files.netplan_text(section, identifier, mtu)) == {"network": {"version": 2, section: {identifier: {"mtu": mtu}}}}


@given(MTU)
def test_networkds_drop_in_is_read_back(mtu):
    assert link_files.networkd_mtu(["[Link]\nMTUBytes=9K\n[Network]\nMTUBytes=1\n", link_files.networkd_text(mtu)]) == mtu


def test_what_networkd_and_netplan_call_their_files():
    assert link_files.networkd_mtu(["[Link]\nMTUBytes=9K\n"]) == 9216 and link_files.networkd_mtu(["[Match]\nName=x\n"]) is None
    assert link_files.networkd_mtu(["[Link]\nMTUBytes=lots\n"]) is None
    assert link_files.networkd_file("/usr/lib/systemd/network/80-x.network") == "/etc/systemd/network/80-x.network.d/zz-fathom-submariner.conf"
    assert link_files.netplan_identifier("/run/systemd/network/10-netplan-ens3.network") == "ens3"
    assert link_files.netplan_identifier("/etc/systemd/network/10-netplan-ens3.network") == ""
    assert link_files.link_state("# private\nADMIN_STATE=configured\nNETWORK_FILE=/a=b\n") == {"ADMIN_STATE": "configured", "NETWORK_FILE": "/a=b"}
    assert link_files.terse("GENERAL.CONNECTION:up\\:link\nGENERAL.STATE:100 (connected)\nx\n") == {
        "GENERAL.CONNECTION": "up:link",
        "GENERAL.STATE": "100 (connected)",
    }
