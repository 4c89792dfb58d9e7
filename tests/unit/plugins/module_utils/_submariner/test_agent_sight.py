# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent's log and its RouteAgent object prove, and what proves nothing."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref, RemoteEndpoint, RouteAgent
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _agent_sight as sight
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders, reboots

ADDED = '2026-01-01T10:00:06.000Z INF ..event/registry.go:68 EventRegistry Event handler "kubeproxy-iptables-handler" added to registry "routeagent_driver".'
CONTROLLER = "2026-01-01T10:00:07.000Z INF ..controller.go:147 EventController Starting the Event controller..."


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([], sight.SEARCHING),
        ([reboots.STARTED], sight.SEARCHING),  # silence is no proof
        (reboots.waits(4), sight.SEARCHING),
        ([reboots.STARTED, ADDED], sight.SEES),
        ([reboots.STARTED, *reboots.waits(4), CONTROLLER], sight.SEES),
        ([reboots.STARTED, *reboots.waits(), reboots.GAVE_UP], sight.BLIND),
        ([reboots.STARTED, *reboots.waits(), reboots.GAVE_UP, ADDED, CONTROLLER], sight.BLIND),
        ([reboots.WRONG_CIDR, CONTROLLER], sight.BLIND),
    ],
)
def test_the_log(lines, state):
    found = sight.sight_in_log(lines)
    assert found.state == state and found.why


def report(*entries):
    remotes = tuple(RemoteEndpoint(cluster, "host", (), "", status, "") for cluster, status in entries)
    return RouteAgent(Ref("RouteAgent", "node-1", "submariner-operator"), "v0.19.0", "", remotes)


@pytest.mark.parametrize(
    ("agent", "state"),
    [
        (None, sight.UNKNOWN),
        (report(), sight.UNKNOWN),
        (report(("cluster-2", "none")), sight.UNKNOWN),
        (report(("cluster-2", "connecting")), sight.UNKNOWN),
        (report(("cluster-2", "connected")), sight.SEES),
        (report(("cluster-2", "error")), sight.BLIND),
        (report(("cluster-3", "error")), sight.UNKNOWN),  # the gateway has no connection to it either
        (report(("cluster-2", "error"), ("cluster-3", "connected")), sight.SEES),
    ],
)
def test_the_report(agent, state):
    assert sight.sight_in_report(agent, {"cluster-2"}).state == state


@pytest.mark.parametrize(
    ("annotations", "cidrs", "address"),
    [
        ({}, "10.46.0.0/16", ""),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "10.46.1.0"}, "10.46.0.0/16", "10.46.1.0"),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "10.46.1.0"}, "10.46.0.0/24", ""),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "10.46.1.0"}, "10.99.0.0/16, 10.46.0.0/16", "10.46.1.0"),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "10.47.1.0", "projectcalico.org/IPv4IPIPTunnelAddr": "10.46.1.0"}, "10.46.0.0/16", "10.46.1.0"),
        ({"projectcalico.org/IPv6VXLANTunnelAddr": "fd00::1"}, "fd00::/48", ""),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "nonsense"}, "10.46.0.0/16", ""),
        ({"projectcalico.org/IPv4VXLANTunnelAddr": "10.46.1.0"}, "", ""),
    ],
)
def test_the_tunnel_address(annotations, cidrs, address):
    assert sight.tunnel_address(builders.node()._replace(annotations=annotations), cidrs) == address


def test_a_node_that_is_gone():
    assert sight.why_in_vain(None, "node-9", "10.46.0.0/16") == "there is no Node node-9"
