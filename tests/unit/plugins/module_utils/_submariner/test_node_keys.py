# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of gateways on their nodes."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_keys import bad_node_keys


def keys(labels=None, annotations=None):
    node = Node(Ref("Node", "n1"), labels or {}, annotations or {}, (), (), True, "v1.30.0", "")
    return [(key.field, key.key, key.fatal) for key in bad_node_keys(node)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("udp-port", "4501"),
        ("natt-discovery-port", "4491"),
        ("public-ip", "ipv4:1.2.3.4"),
        ("public-ip", "lb:submariner-gateway, dns:gateway.example.com,api:api.ipify.org"),
        ("preferred-server", "true"),
    ],
)
def test_good(key, value):
    assert keys(annotations={f"gateway.submariner.io/{key}": value}) == []
    assert keys(labels={f"gateway.submariner.io/{key}": value}) == []


@pytest.mark.parametrize(
    ("key", "value", "fatal"),
    [
        ("udpport", "4501", True),
        ("", "x", True),
        ("udp-port", "many", False),
        ("udp-port", "70000", False),
        ("public-ip", "1.2.3.4", True),
        ("public-ip", "stun:1.2.3.4", True),
        ("preferred-server", "yes", False),
    ],
)
def test_bad(key, value, fatal):
    name = f"gateway.submariner.io/{key}"
    assert keys(annotations={name: value}) == [("metadata.annotations", name, fatal)]
    assert keys(labels={name: value}) == [("metadata.labels", name, fatal)]


def test_other_prefixes_are_nobodys_business():
    assert keys({"submariner.io/gateway": "true"}, {"submariner.io/globalIp": "242.0.0.1"}) == []
