# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._link_fit import outgrown, require_fit, require_name
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import link, vxlan
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.written import make

LINKS = {"eth0": 1500, "eth1": 1500, "master": 1500}


def port(root, kind, **files):
    """eth0 as a port of a master of some kind."""
    host = make(root, {"/sys/class/net/eth0/mtu": "1500\n", "/sys/class/net/master/uevent": f"DEVTYPE={kind}\nINTERFACE=master\n" if kind else "\n", **files})
    (root / "sys/class/net/eth0/master").symlink_to("../master")
    return host


@pytest.mark.parametrize("kind", ["bond", ""])  # a team names no kind
def test_ports_that_follow_their_master_are_set_by_it(tmp_path, kind):
    with pytest.raises(RefusedError, match="port of master: set the MTU of master"):
        require_fit(port(tmp_path, kind), "eth0", 1400, LINKS)


@pytest.mark.parametrize("kind", ["vrf", "openvswitch"])
def test_a_link_in_a_vrf_and_a_port_of_open_vswitch_have_their_own(tmp_path, kind):
    for mtu in (1400, 9000):
        require_fit(port(tmp_path / str(mtu), kind), "eth0", mtu, LINKS)


def test_a_bridge_and_its_ports(tmp_path):
    host = port(tmp_path, "bridge", **{"/sys/class/net/master/brif/eth0/x": "", "/sys/class/net/master/brif/eth1/x": ""})
    require_fit(host, "eth0", 9000, LINKS)
    with pytest.raises(RefusedError, match="port of bridge master, whose MTU of 1500 would not fit into 1400: set the MTU of master first"):
        require_fit(host, "eth0", 1400, LINKS)
    require_fit(host, "master", 1400, LINKS)
    require_fit(host, "master", 9000, {**LINKS, "eth0": 9000, "eth1": 9000})
    with pytest.raises(RefusedError, match=r"port it leaves by: eth1 \(1500\)\. Give these an MTU of 9000 first"):
        require_fit(host, "master", 9000, {**LINKS, "eth0": 9000})


@pytest.mark.parametrize("device", ["", "..", "../eth0", "a b", "x" * 16])
def test_names_are_checked(device):
    with pytest.raises(InputError):
        require_name(device)


def test_a_link_must_exist(tmp_path):
    with pytest.raises(SubmarinerError, match="no link eth9 here; there are eth0, eth1, master"):
        require_fit(make(tmp_path), "eth9", 1400, LINKS)


DEVICES = [
    link("eth0", 2),
    {**vxlan("vxlan.calico", 3, 4096, 4789), "mtu": 1450},
    {**vxlan("vxlan-v6.calico", 4, 4096, 4789), "mtu": 1330},
    {**vxlan("vx-submariner", 5, 100, 4800), "mtu": 1450},
]


def linked(**data):
    """What lies on eth0 as ``ip -j -d link show`` has it: a VXLAN device names its link among its own data."""
    found = json.loads(json.dumps(DEVICES))
    for name, more in data.items():
        entry = next(each for each in found if each["ifname"] == name.replace("_", "."))
        entry["linkinfo"]["info_data"].update(more)
    return {"ip -j -d link show": (0, json.dumps(found))}


def test_tunnels_that_do_not_fit_any_more_are_told(tmp_path):
    answers = linked(vxlan_calico={"link": "eth0"}, **{"vxlan-v6_calico": {"link": "eth0", "local6": "fd00::1"}})
    host = make(tmp_path, {}, answers)
    assert outgrown(host, "eth0", 1500) == [] and outgrown(host, "eth1", 1280) == []
    (told,) = outgrown(host, "eth0", 1400)
    assert told.startswith("vxlan.calico lies on eth0 and keeps its MTU of 1450, of which 1350 fit into 1400")
    assert len(outgrown(host, "eth0", 1399)) == 2, "1329 fit into 1399 over IPv6"
    assert outgrown(make(tmp_path), "eth0", 1400) == [], "without ip nobody knows"
