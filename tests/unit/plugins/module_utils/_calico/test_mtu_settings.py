# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which knob is in force, in every kind of installation."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, VXLAN_V6, WIREGUARD
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import POD, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Answer, ConfigMap, DaemonSet, Installation, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._calico.mtu_clusters import (
    blocks,
    cluster_type,
    daemon_set,
    felix,
    kubespray,
    manifest,
    ok,
    operator,
    pool,
    snapshot,
)


def in_force(settings, consumer):
    knob = settings.knob_of(consumer)
    return knob and (knob.field, knob.value)


class TestOperator:
    def test_without_an_mtu_felix_configuration_counts(self):
        settings = read_settings(operator(felix_spec={"vxlanMTU": 1400}))
        assert (settings.pod, dict(settings.tunnels)) == (0, {VXLAN: 1400})
        assert in_force(settings, VXLAN) == ("spec.vxlanMTU", "1400")

    def test_with_one_the_environment_outranks_felix_configuration(self):
        settings = read_settings(operator(1450, felix_spec={"vxlanMTU": 1400}))
        assert (settings.pod, dict(settings.tunnels)) == (1450, {VXLAN: 1450})
        assert in_force(settings, VXLAN) == ("env FELIX_VXLANMTU", "1450")
        assert [knob.value for knob in settings.knobs if not knob.effective] == ["1400"]

    def test_what_the_operator_has_not_taken_up(self):
        installation = Installation(
            Ref("Installation", "default"),
            {},
            "",
            "Calico",
            "Calico",
            (),
            (),
            "",
            spec={"calicoNetwork": {"mtu": 1400}},
            computed={"calicoNetwork": {"mtu": 1450}},
        )
        settings = read_settings(operator(installations=ok(installation)))
        assert settings.pod == 1450
        assert ("spec.calicoNetwork.mtu", "1400", False) in [(knob.field, knob.value, knob.effective) for knob in settings.knobs]


class TestAnotherCni:
    """Calico does policy alone: an MTU in Installation reaches no pod, and Felix tells the link all the same."""

    def test_nothing_reads_the_knob(self):
        settings = read_settings(operator(1400, cni="AmazonVPC", ip_pools=ok()))
        assert (settings.cni, settings.knob_of(POD)) == ("AmazonVPC", None)
        assert settings.knobs[-1].note == "AmazonVPC gives pods their interfaces, and their MTU"

    def test_the_pods_mtu_is_not_known(self):
        picture = mtu_picture(operator(status=9001, cni="AmazonVPC", ip_pools=ok()))
        assert (picture.link.mtu, picture.pod) == (9001, None)
        assert mtu_picture(operator(1400, cni="AmazonVPC", ip_pools=ok())).pod is None


class TestManifest:
    def test_zero_is_automatic_and_still_outranks_felix_configuration(self):
        settings = read_settings(manifest("0", felix_spec={"vxlanMTU": 1400, "vxlanMTUV6": 1390}))
        assert (settings.pod, dict(settings.tunnels)) == (0, {VXLAN: 0})
        assert "also with 0" in settings.knob_of(VXLAN).note
        assert in_force(settings, VXLAN_V6) == ("spec.vxlanMTUV6", "1390")

    def test_one_key_sets_pods_and_tunnels(self):
        settings = read_settings(manifest("1440", ip_pools=ok(pool(vxlan="Never", ipip="Always"))))
        assert (settings.pod, dict(settings.tunnels)) == (1440, {IPIP: 1440})
        assert settings.knob_of(POD).where == "ConfigMap kube-system/calico-config"

    def test_a_config_map_that_was_not_found_is_no_zero(self):
        settings = read_settings(manifest(config_map=False))
        assert (settings.pod, settings.tunnels) == (None, None)
        assert any("calico-config" in entry for entry in settings.missing)


class TestKubespray:
    def test_default(self):
        settings = read_settings(kubespray())
        assert (settings.pod, dict(settings.tunnels)) == (0, {VXLAN: 0})

    def test_a_number_reaches_pods_and_tunnels(self):
        settings = read_settings(kubespray(1400, 1400, cni_mtu=1400))
        assert (settings.pod, dict(settings.tunnels)) == (1400, {VXLAN: 1400})

    def test_a_string_reaches_the_tunnels_alone(self):
        settings = read_settings(kubespray(None, 1400, cni_mtu=1400))
        assert (settings.pod, dict(settings.tunnels)) == (0, {VXLAN: 1400})
        assert ("env CNI_MTU", "1400", False) in [(knob.field, knob.value, knob.effective) for knob in settings.knobs]

    def test_the_misnamed_variable_sets_the_tunnels(self):
        settings = read_settings(kubespray(1500, 1430, cni_mtu=1430))
        assert (settings.pod, dict(settings.tunnels)) == (1500, {VXLAN: 1430})


class TestCanal:
    def test_flannel_makes_the_tunnel(self):
        found = read_settings(
            snapshot(
                daemon_sets=ok(daemon_set("kube-system", "rke2-canal", cni={"CNI_NETWORK_CONFIG": '"mtu": __CNI_MTU__', "CNI_MTU": "1450"})),
                config_maps=ok(ConfigMap(Ref("ConfigMap", "rke2-canal-config", "kube-system"), {"net-conf.json": '{"Backend": {"Type": "vxlan"}}'})),
                ip_pools=ok(),
            )
        )
        assert (found.pod, dict(found.tunnels)) == (1450, {VXLAN: 0})


class TestTunnelsInUse:
    @pytest.mark.parametrize(
        ("pools", "tunnels"),
        [
            ([pool()], {VXLAN}),
            ([pool(vxlan="CrossSubnet")], {VXLAN}),
            ([pool("fd00::/48")], {VXLAN_V6}),
            ([pool(vxlan="Never", ipip="CrossSubnet")], {IPIP}),
            ([pool(vxlan="Never")], set()),
            ([pool(vxlan="Never"), pool(disabled=True)], {VXLAN}),  # disabled: no new addresses, and those in use are wrapped as before
            ([pool(vxlan="Never"), pool("10.0.0.0/16", name="submariner-c2-10.0.0.0-16")], set()),
        ],
    )
    def test_of_pools(self, pools, tunnels):
        assert set(read_settings(operator(ip_pools=ok(*pools))).tunnels) == tunnels

    @pytest.mark.parametrize(
        ("read", "tunnels"),
        [
            (blocks(b10_42_1_0_26=3, b10_99_0_0_26=1), {VXLAN}),
            (blocks(b10_42_1_0_26=0, b10_99_0_0_26=1), set()),
            (blocks(b10_99_0_0_26=1), set()),
            (dataclasses.replace(blocks(), partial=True), {VXLAN}),
            (Answer(FORBIDDEN, detail="no"), {VXLAN}),
        ],
    )
    def test_a_disabled_pool_counts_until_no_address_of_it_is_in_use(self, read, tunnels):
        pools = ok(pool("10.99.0.0/16", vxlan="Never", name="new"), pool("10.42.0.0/16", disabled=True, name="old"))
        settings = read_settings(operator(ip_pools=pools, ipam_blocks=read))
        assert set(settings.tunnels) == tunnels
        assert settings.emptying == ({VXLAN: "old"} if tunnels else {})
        assert set(read_settings(operator(ip_pools=pools, ipam_blocks=read, cni="AmazonVPC")).tunnels) == {VXLAN}  # these blocks tell of other addresses

    def test_a_tunnel_of_an_enabled_pool_is_not_about_to_go(self):
        assert read_settings(operator(ip_pools=ok(pool(), pool("10.9.0.0/16", disabled=True, name="old")))).emptying == {}

    def test_a_disabled_pool_of_the_other_family(self):
        pools = ok(pool(), pool("fd00::/48", disabled=True, name="old"))
        assert mtu_picture(operator(ip_pools=pools)).family == "IPv4 and IPv6"
        assert mtu_picture(operator(ip_pools=pools, ipam_blocks=blocks())).family == "IPv4"

    @pytest.mark.parametrize(
        ("spec", "fields", "aks"),
        [
            ({"wireguardHostEncryptionEnabled": True}, {"provider": "AKS"}, True),
            ({"wireguardHostEncryptionEnabled": True}, {"cluster_informations": cluster_type("k8s,operator,aks,bgp")}, True),
            ({"wireguardHostEncryptionEnabled": True}, {"provider": "EKS", "cluster_informations": cluster_type("k8s,operator,ecs")}, False),
            ({"wireguardHostEncryptionEnabled": False}, {"provider": "AKS"}, False),
            ({}, {"provider": "AKS"}, False),
            ({}, {"provider": "AKS", "daemon_sets": ok(daemon_set(FELIX_WIREGUARDHOSTENCRYPTIONENABLED="1"))}, True),
        ],
    )
    def test_aks(self, spec, fields, aks):
        assert read_settings(operator(felix_spec=spec, **fields)).aks is aks

    def test_wireguard(self):
        assert set(read_settings(operator(felix_spec={"wireguardEnabled": True})).tunnels) == {VXLAN, WIREGUARD}
        outranked = snapshot(daemon_sets=ok(daemon_set(FELIX_WIREGUARDENABLED="false")), felix_configurations=ok(felix(wireguardEnabled=True)))
        assert set(read_settings(outranked).tunnels) == {VXLAN}

    def test_pools_in_etcd_are_not_seen(self):
        settings = read_settings(snapshot(daemon_sets=ok(daemon_set(ETCD_ENDPOINTS="********")), ip_pools=ok()))
        assert settings.tunnels is None
        assert any("etcd" in entry for entry in settings.missing)


@pytest.mark.parametrize("field", ["ip_pools", "felix_configurations", "daemon_sets"])
def test_what_was_not_read_is_not_known(field):
    settings = read_settings(operator(1450, **{field: Answer(FORBIDDEN, detail="no")}))
    assert any("forbidden" in entry for entry in settings.missing)
    assert settings.tunnels is None or field == "daemon_sets"


class TestPicture:
    def test_of_a_healthy_cluster(self):
        picture = mtu_picture(operator(status=1450)).to_dict()
        assert (picture["link"], picture["largest_pod_mtu"], picture["pod"]) == (1500, 1450, 1450)
        assert picture["steps"] == [{"what": VXLAN, "bytes": 50, "why": "between this cluster's nodes: an enabled IPPool or Felix asks for it"}]
        assert picture["configured"][0]["value"] == "(automatic)" and picture["configured"][0]["effective"]

    def test_of_an_unknown_link(self):
        picture = mtu_picture(manifest("1500")).to_dict()
        assert (picture["link"], picture["largest_pod_mtu"], picture["pod"]) == (None, None, 1500)
        assert "ip link" in picture["link_source"]

    def test_there_is_none_without_calico(self):
        flannel = DaemonSet(Ref("DaemonSet", "kube-flannel", "kube-flannel"), {}, (), 1, 1)
        assert mtu_picture(snapshot(daemon_sets=ok(flannel))) is None
