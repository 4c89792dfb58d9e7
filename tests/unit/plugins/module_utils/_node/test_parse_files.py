# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CNI's and NetworkManager's configuration files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_files as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_files import Conflist, Section, Unmanaged


@pytest.mark.parametrize(
    "names, first",
    [
        (["99-loopback.conf", "10-calico.conflist", "calico-kubeconfig"], "10-calico.conflist"),
        (["10-calico.conflist.bak", ".10-a.conflist", "87-podman.json"], "87-podman.json"),
        (["10-canal.conflist", "05-cilium.conflist"], "05-cilium.conflist"),
        (["calico-tls", "README"], ""),
        ([], ""),
    ],
)
def test_the_file_that_the_runtime_takes(names, first):
    assert parse.first_conflist(names) == first


@pytest.mark.parametrize(
    "document, expected",
    [
        ({"plugins": [{"type": "calico", "mtu": 1450}, {"type": "portmap"}]}, Conflist(("calico", "portmap"), 1450)),
        ({"plugins": [{"type": "calico", "mtu": 0}]}, Conflist(("calico",), 0)),
        ({"plugins": [{"type": "calico", "mtu": "__CNI_MTU__"}, {"type": "bandwidth"}]}, Conflist(("calico", "bandwidth"), None)),
        ({"type": "calico", "mtu": 1400}, Conflist(("calico",), 1400)),
        ({"plugins": "x"}, Conflist()),
        ({"plugins": [1, {"type": "flannel", "mtu": True}]}, Conflist(("flannel",), None)),
    ],
)
def test_a_conflist(document, expected):
    assert parse.conflist(json.dumps(document)) == expected


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_what_is_no_conflist(text):
    with pytest.raises(ValueError):
        parse.conflist(text)


def test_a_key_file():
    text = "# c\nlost=1\n[main]\nplugins=keyfile\n ; c\n[keyfile]\nunmanaged-devices = interface-name:cali*;mac:00:11\n[keyfile]\nhostname=x=y\n"
    assert parse.key_file(text) == [
        Section("main", {"plugins": "keyfile"}),
        Section("keyfile", {"unmanaged-devices": "interface-name:cali*;mac:00:11"}),
        Section("keyfile", {"hostname": "x=y"}),
    ]


RHEL = ("/etc/NetworkManager/conf.d/calico.conf", "[keyfile]\nunmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico\n")
CALICO = ("interface-name:cali*", "interface-name:tunl*", "interface-name:vxlan.calico")


@pytest.mark.parametrize(
    "files, patterns, where",
    [
        ([], (), ()),
        ([RHEL], CALICO, (RHEL[0],)),
        ([RHEL, ("b", "[keyfile]\nunmanaged-devices=interface-name:rke2*\n")], ("interface-name:rke2*",), ("b",)),  # the last one acts alone
        ([RHEL, ("b", "[keyfile]\nunmanaged-devices+=interface-name:submariner\n")], (*CALICO, "interface-name:submariner"), (RHEL[0], "b")),
        ([RHEL, ("b", "[keyfile]\nunmanaged-devices-=interface-name:tunl*\n")], ("interface-name:cali*", "interface-name:vxlan.calico"), (RHEL[0],)),
        ([RHEL, ("b", "[keyfile]\nunmanaged-devices=\n")], (), ()),
        ([("a", "[device-x]\nmatch-device=interface-name:vx-submariner\nmanaged=0\n")], ("interface-name:vx-submariner",), ("a",)),
        ([("a", "[device]\nmatch-device=type:wireguard\nmanaged=0\n"), ("b", "[device]\nmanaged=1\n")], (), ()),
        ([("a", "[device-all]\nmanaged=false\n")], ("*",), ("a",)),
        ([("a", "[connection]\nunmanaged-devices=interface-name:x\n")], (), ()),
    ],
)
def test_what_network_manager_leaves_alone(files, patterns, where):
    assert parse.unmanaged(files) == Unmanaged(patterns, where)


def test_lists_of_devices():
    assert parse.patterns("interface-name:a;interface-name:b, mac:00:01 ;;") == ["interface-name:a", "interface-name:b", "mac:00:01"]
    assert parse.patterns(r"interface-name:a\;b,c") == ["interface-name:a;b", "c"]


DEVICES = st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"], exclude_characters="\\;,"), min_size=1)


@given(st.lists(DEVICES, max_size=6), st.sampled_from(";,"))
def test_every_device_comes_back(devices, separator):
    assert parse.patterns(separator.join(devices)) == devices


@given(st.text())
def test_nothing_makes_it_fail(text):
    assert all(isinstance(each, str) for found in parse.unmanaged([("f", text)]) for each in found)
    assert all(isinstance(each, str) for each in parse.patterns(text))
