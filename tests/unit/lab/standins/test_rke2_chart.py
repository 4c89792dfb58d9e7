# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the helm-controller's stand-in renders of values, and how it upgrades a release."""

from __future__ import annotations

import pytest

from tests.lab.standins import _rke2_chart as chart

CHART = {"spec": {"set": {"global.clusterCIDRv4": "10.46.0.0/16"}}}


def config(text: str) -> dict:
    return {"spec": {"valuesContent": text}}


def installation(text: str = "") -> dict:
    return chart.rendered(chart.values(CHART, config(text)))["Installation"]["spec"]


def test_without_values_there_is_no_api_server_and_the_first_address_is_taken():
    made = chart.rendered(chart.values(CHART, None))
    assert set(made) == {"Installation"}
    network = made["Installation"]["spec"]["calicoNetwork"]
    assert network["nodeAddressAutodetectionV4"] == {"firstFound": True}
    assert network["ipPools"] == [{"cidr": "10.46.0.0/16", "encapsulation": "VXLAN", "natOutgoing": "Enabled"}]
    assert not {"natOutgoing", "backend", "enabled"} & set(made["Installation"]["spec"])


def test_values_become_specs():
    text = "apiServer: {enabled: true, logging: {}}\ninstallation: {calicoNetwork: {mtu: 1400, nodeAddressAutodetectionV4: {kubernetes: NodeInternalIP}}}"
    made = chart.rendered(chart.values(CHART, config(text)))
    assert made["APIServer"]["spec"] == {"logging": {}}
    network = made["Installation"]["spec"]["calicoNetwork"]
    assert (network["mtu"], network["nodeAddressAutodetectionV4"], network["bgp"]) == (1400, {"kubernetes": "NodeInternalIP"}, "Disabled")


def test_set_outranks_values():
    assert installation("global: {clusterCIDRv4: 10.99.0.0/16}")["calicoNetwork"]["ipPools"][0]["cidr"] == "10.46.0.0/16"


def test_own_pools_switch_the_chart_s_address_detection_off():
    network = installation("installation: {calicoNetwork: {ipPools: [{cidr: 10.46.0.0/16}]}}")["calicoNetwork"]
    assert "nodeAddressAutodetectionV4" not in network


@pytest.mark.parametrize("text", ["a: b: c", "- a list"])
def test_content_that_is_no_values_fails(text):
    with pytest.raises(chart.ChartError, match="valuesContent of HelmChartConfig"):
        chart.values(CHART, config(text))


def test_an_upgrade_takes_away_what_the_chart_said_and_keeps_what_only_the_cluster_says():
    before = {"calicoNetwork": {"mtu": 1400, "bgp": "Disabled"}}
    after = {"calicoNetwork": {"bgp": "Disabled"}}
    live = {"calicoNetwork": {"mtu": 1400, "bgp": "Enabled", "hostPorts": "Enabled"}, "variant": "Calico"}
    assert chart.upgraded(before, after, live) == {"calicoNetwork": {"bgp": "Disabled", "hostPorts": "Enabled"}, "variant": "Calico"}


def test_lists_that_the_operator_has_filled_in_stay():
    wanted = {"ipPools": [{"cidr": "10.46.0.0/16"}]}
    live = {"ipPools": [{"cidr": "10.46.0.0/16", "blockSize": 26}]}
    assert chart.upgraded(wanted, wanted, live) == live
    assert chart.upgraded(wanted, {"ipPools": [{"cidr": "10.47.0.0/16"}]}, live) == {"ipPools": [{"cidr": "10.47.0.0/16"}]}
