# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU arithmetic, by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import (
    IPIP,
    OVERHEAD,
    TUNNELS,
    VXLAN,
    VXLAN_V6,
    WIREGUARD,
    WIREGUARD_V6,
    across_clusters,
    beyond_link,
    beyond_tunnels,
    cable_overhead,
    largest_mss,
    left_for_pods,
    overhead_of,
    pod_mtu,
    tunnel_mtu,
)

LINKS = st.integers(min_value=1280, max_value=65535)
MTUS = st.integers(min_value=68, max_value=65535)
SOME_TUNNELS = st.lists(st.sampled_from(TUNNELS), unique=True)


@pytest.mark.parametrize(
    ("link", "tunnel", "mtu"),
    [
        (1500, IPIP, 1480),
        (1460, IPIP, 1440),
        (9001, IPIP, 8981),
        (1500, VXLAN, 1450),
        (1450, VXLAN, 1400),
        (9000, VXLAN, 8950),
        (1500, VXLAN_V6, 1430),
        (1500, WIREGUARD, 1440),
        (1500, WIREGUARD_V6, 1420),
    ],
)
def test_the_table_of_calicos_documentation(link, tunnel, mtu):
    assert left_for_pods(link, [tunnel]) == tunnel_mtu(0, link, tunnel) == mtu


@given(LINKS, SOME_TUNNELS)
def test_what_is_left_fits_every_tunnel_and_no_more_would(link, tunnels):
    left = left_for_pods(link, tunnels)
    assert all(left + OVERHEAD[tunnel] <= link for tunnel in tunnels)
    assert not tunnels or any(left + 1 + OVERHEAD[tunnel] > link for tunnel in tunnels)
    assert tunnels or left == link


@given(LINKS, SOME_TUNNELS)
def test_automatic_values_never_contradict_anything(link, names):
    tunnels = {tunnel: tunnel_mtu(0, link, tunnel) for tunnel in names}
    pod = pod_mtu(0, tunnels, link)
    assert pod == left_for_pods(link, names)
    assert beyond_tunnels(pod, tunnels) == ()
    assert beyond_link(tunnels, pod, link) == ()


@given(LINKS, MTUS, st.sampled_from(TUNNELS))
def test_a_configured_tunnel_is_beyond_the_link_exactly_when_its_packets_are(link, mtu, tunnel):
    found = beyond_link({tunnel: mtu}, mtu, link)
    assert bool(found) == (mtu + OVERHEAD[tunnel] > link)
    assert all(excess.mtu > excess.limit == link - OVERHEAD[tunnel] for excess in found)


@given(LINKS, SOME_TUNNELS, st.sampled_from(TUNNELS))
def test_on_aks_wireguard_alone_takes_more(link, names, tunnel):
    wireguard = tunnel in (WIREGUARD, WIREGUARD_V6)
    assert overhead_of(tunnel, aks=True) - overhead_of(tunnel) == (100 if wireguard else 0)
    tunnels = {name: tunnel_mtu(0, link, name, aks=True) for name in names}
    left = left_for_pods(link, names, aks=True)
    assert left == pod_mtu(0, tunnels, link) and beyond_link(tunnels, left, link, aks=True) == ()
    assert across_clusters(link, names, "vxlan", aks=True) <= left
    ordinary = tunnel_mtu(0, link, tunnel)
    assert [excess.limit for excess in beyond_link({tunnel: ordinary}, None, link, aks=True)] == ([ordinary - 100] if wireguard else [])


@given(MTUS, st.dictionaries(st.sampled_from(TUNNELS), st.none() | MTUS))
def test_pods_exceed_exactly_the_smaller_tunnels(pod, tunnels):
    found = beyond_tunnels(pod, tunnels)
    assert {excess.tunnel for excess in found} == {name for name, mtu in tunnels.items() if mtu is not None and mtu < pod}
    assert beyond_tunnels(None, tunnels) == ()


@given(MTUS, st.dictionaries(st.sampled_from(TUNNELS), st.none() | MTUS), st.none() | LINKS)
def test_what_is_configured_wins_and_nothing_is_made_up(configured, tunnels, link):
    assert pod_mtu(configured, tunnels, link) == configured
    derived = pod_mtu(0, tunnels, link)
    if not tunnels:
        assert derived == link
    elif None in tunnels.values():
        assert derived is None
    else:
        assert derived == min(tunnels.values())
    assert tunnel_mtu(0, None, VXLAN) is None


@given(LINKS, SOME_TUNNELS, st.sampled_from(["libreswan", "wireguard", "vxlan", "something-new"]))
def test_across_clusters_is_the_narrowest_of_three_hops(link, tunnels, cable):
    fits = across_clusters(link, tunnels, cable)
    assert fits <= left_for_pods(link, tunnels)
    assert fits <= link - cable_overhead(cable)
    assert fits in (left_for_pods(link, tunnels), link - 50, link - cable_overhead(cable))
    assert largest_mss(link, cable) == link - cable_overhead(cable) - 40


def test_without_a_tunnel_the_link_itself_is_the_limit():
    assert [(excess.mtu, excess.limit, excess.tunnel) for excess in beyond_link({}, 9000, 1500)] == [(9000, 1500, "")]
    assert beyond_link({}, None, 1500) == ()
    assert cable_overhead("something-new") == cable_overhead("libreswan") == 120
