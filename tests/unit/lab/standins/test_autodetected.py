# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node's stand-in finds out when it starts."""

from __future__ import annotations

import pytest

from tests.lab.standins import _autodetected as autodetected

IP = "192.168.46.21"


@pytest.mark.parametrize(
    ("method", "with_submariner", "address"),
    [
        ("first-found", True, "240.168.46.21/8"),
        ("", True, "240.168.46.21/8"),
        ("first-found", False, f"{IP}/24"),
        ("kubernetes-internal-ip", True, f"{IP}/24"),
        ("can-reach=$(NODEIP)", True, f"{IP}/24"),
        ("skip-interface=vx-submariner,vxlan-tunnel", True, f"{IP}/24"),
        ("skip-interface=docker.*", True, "240.168.46.21/8"),
    ],
)
def test_only_the_newest_first_methods_pick_submariners_interface(method, with_submariner, address):
    found, told = autodetected.address({"IP": "autodetect", "IP_AUTODETECTION_METHOD": method}, IP, with_submariner)
    assert found == address
    assert address in told


def test_a_given_address_is_not_detected():
    assert autodetected.address({"IP": "10.0.0.1"}, IP, True) == ("", "")


def test_the_environment_takes_values_from_config_maps():
    env = [
        {"name": "A", "value": "b"},
        {"name": "MTU", "valueFrom": {"configMapKeyRef": {"name": "calico-config", "key": "veth_mtu"}}},
        {"name": "NODENAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]
    pod = {"spec": {"containers": [{"env": env}]}}
    assert autodetected.environment(pod, {"calico-config": {"data": {"veth_mtu": "1400"}}}) == {"A": "b", "MTU": "1400"}


@pytest.mark.parametrize(
    ("env", "felix", "mtu"),
    [
        ({}, {}, 1450),
        ({}, {"vxlanMTU": 1400}, 1400),
        ({"FELIX_VXLANMTU": "1380"}, {"vxlanMTU": 1400}, 1380),
        ({"FELIX_VXLANMTU": "0"}, {"vxlanMTU": 1400}, 1450),
    ],
)
def test_the_environment_wins_even_with_0(env, felix, mtu):
    assert autodetected.pod_mtu(env, felix, "vxlan", 1450) == mtu
