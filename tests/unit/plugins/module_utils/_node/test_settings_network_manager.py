# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_network_manager as settings

KUBESPRAY = ("/etc/NetworkManager/conf.d/calico.conf", "[keyfile]\nunmanaged-devices=interface-name:cali*;interface-name:tunl*\n")
RANCHER = ("/etc/NetworkManager/conf.d/rke2-canal.conf", "# x\n[keyfile]\nunmanaged-devices=interface-name:cali*;interface-name:flannel*\n")
SPEC = st.sampled_from([*settings.DEVICES, "mac:00:11:22:33:44:55", "type:vxlan"])


def test_the_last_file_hides_the_others_and_ours_adds_to_it():
    """As `NetworkManager --print-config` 1.42 answers for the same files."""
    assert settings.acting([KUBESPRAY, RANCHER]) == settings.Said(("interface-name:cali*", "interface-name:flannel*"), RANCHER[0])
    mine = (settings.FILE, settings.render(["interface-name:cali*", "interface-name:vx-submariner"], {}))
    assert settings.acting([KUBESPRAY, RANCHER, mine]).act == ("interface-name:cali*", "interface-name:flannel*", "interface-name:vx-submariner")
    assert settings.acting([("/a", "[keyfile]\nunmanaged-devices=a,b;c\n"), ("/b", "[keyfile]\nunmanaged-devices-=b\n")]) == settings.Said(("a", "c"), "/b")
    assert settings.acting([("/a", "[main]\nunmanaged-devices=a\n# unmanaged-devices=b\n")]).act == ()


@given(st.lists(SPEC, unique=True), st.dictionaries(st.sampled_from(["nm-cloud-setup.timer", "nm-cloud-setup.service"]), st.just("enabled active")))
def test_what_is_written_is_read_back(specs, was):
    text = settings.render(specs, was)
    assert settings.remembered(text) == was
    assert settings.acting([(settings.FILE, text)]).act == tuple(specs)


def test_the_name_sorts_behind_those_of_the_others():
    assert settings.FILE > KUBESPRAY[0] and settings.FILE > RANCHER[0]


def test_bare_names_are_interfaces_and_others_are_checked():
    assert settings.device_specs(["cali*", "mac:00:11", "cali*"]) == ["interface-name:cali*", "mac:00:11"]
    for wrong in ("a;b", "a b", "", "a\n[main]", "except:interface-name:eth0"):
        with pytest.raises(InputError):
            settings.device_specs([wrong])


def test_devices_as_nmcli_prints_them():
    text = "eth0:connected\nvx-submariner:connected (externally)\ncali1:unmanaged\na\\:b:connecting (getting IP configuration)\neth1:disconnected\n\n"
    assert settings.devices(text) == [
        ("eth0", True, True),
        ("vx-submariner", True, False),
        ("cali1", False, False),
        ("a:b", True, True),
        ("eth1", True, False),
    ]
    assert settings.covers(settings.DEVICES, "cali12") and settings.covers(["interface-name:=eth0"], "eth0") and not settings.covers(["type:vxlan"], "eth0")
    assert not settings.covers(["interface-name:=cali*"], "cali12"), "behind = it is no pattern"
