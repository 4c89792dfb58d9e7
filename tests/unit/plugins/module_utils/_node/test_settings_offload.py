# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_offload as settings
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_offload import Feature

PRINTED = """Features for vx-submariner:
rx-checksumming: on
tx-checksumming: on
	tx-checksum-ipv4: off [fixed]
	tx-checksum-ip-generic: on
	tx-checksum-sctp: off [fixed]
tx-udp_tnl-segmentation: off [requested on]
highdma: on [fixed]
"""


def test_what_ethtool_prints():
    found = settings.features(PRINTED)
    assert found["tx-checksum-ip-generic"] == Feature(True, False) and found["highdma"] == Feature(True, True)
    assert found["tx-udp_tnl-segmentation"] == Feature(False, False) and "Features for vx-submariner" not in found


def test_a_group_is_switched_on_again_by_its_members_that_were_on():
    assert settings.members(settings.features(PRINTED), ["tx-checksumming", "highdma"]) == ["tx-checksum-ip-generic", "highdma"]
    assert settings.covered("tx-checksum-ip-generic", ["tx-checksumming"]) and not settings.covered("tx-checksum-ip-generic", ["scatter-gather"])


@given(st.dictionaries(st.sampled_from(["eth0", "vx-submariner", "vxlan.calico"]), st.lists(st.sampled_from(["a", "tx-b"]), min_size=1, unique=True)))
def test_what_was_on_is_read_back(was):
    text = settings.render([settings.Wish("vx-*", ("tx-checksumming",))], "/usr/sbin/ethtool", was)
    assert {device: list(on) for device, on in settings.remembered(text).items()} == was


FEATURES = st.lists(st.sampled_from(["a", "tx-b", "off", "c_d"]), min_size=1, unique=True).map(tuple)
WISHES = st.builds(settings.Wish, st.sampled_from(["eth0", "vx-*", "vxlan.calico", "e?h*"]), FEATURES)


@given(st.lists(WISHES, max_size=5))
def test_what_is_switched_off_is_read_back_each_device_once(wished):
    together = settings.merged(wished)
    assert {(wish.device, name) for wish in wished for name in wish.features} == {(wish.device, name) for wish in together for name in wish.features}
    assert len({wish.device for wish in together}) == len(together) and settings.merged([*together, *wished]) == together
    assert settings.written(settings.render(together, "/usr/sbin/ethtool", {"eth0": ["a"]})) == together


def test_a_rule_for_a_card_with_a_new_name_and_one_for_any_other_device():
    rules = settings.render([settings.Wish("ens192", ("a", "b"))], "/usr/sbin/ethtool", {}).splitlines()[1:]
    assert rules == [
        'ACTION=="add", SUBSYSTEM=="net", NAME=="ens192", RUN+="/usr/sbin/ethtool -K $name a off b off"',
        'ACTION=="add", SUBSYSTEM=="net", NAME=="", KERNEL=="ens192", RUN+="/usr/sbin/ethtool -K $name a off b off"',
    ]


@pytest.mark.parametrize(
    "entries", [[], [{"name": 'x"y'}], [{"name": "a" * 16}], [{"name": "eth0", "features": ["a b"]}], [{"name": "eth0", "features": ["$x"]}]]
)
def test_names_are_checked_since_a_rule_holds_them(entries):
    with pytest.raises(InputError):
        settings.wishes(entries)


def test_the_default_and_patterns():
    wish = settings.wishes([{"name": "vx*", "features": None}])[0]
    assert wish.features == ("tx-checksumming",) and settings.matching(wish, ["vxlan.calico", "eth0", "vx-submariner"]) == ["vxlan.calico", "vx-submariner"]
