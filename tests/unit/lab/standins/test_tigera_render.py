# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tigera operator's stand-in makes of an Installation."""

from __future__ import annotations

import copy

import pytest

from tests.lab.standins import _tigera_render as render

POOL = {"cidr": "10.46.0.0/16", "encapsulation": "VXLAN", "natOutgoing": "Enabled"}
SPEC = {"calicoNetwork": {"bgp": "Disabled", "ipPools": [POOL], "nodeAddressAutodetectionV4": {"firstFound": True}}}
BEFORE = {"calicoNetwork": {**SPEC["calicoNetwork"], "linuxDataplane": "Iptables"}, "kubernetesProvider": "RKE2"}
TOLERATE_ALL = [{"operator": "Exists"}]
FIT = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "unfit", "operator": "DoesNotExist"}]}]}
UNFIT = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": FIT}}


def daemon_set(**env: str) -> dict:
    container = {"name": "calico-node", "env": [{"name": name, "value": value} for name, value in env.items()]}
    pod = {"containers": [container], "nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": TOLERATE_ALL}
    template = {"metadata": {"annotations": {render.CNI_CONFIG: "health"}}, "spec": pod}
    return {"spec": {"template": template, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}}}


def environment(spec: dict) -> dict[str, str]:
    return {each["name"]: each["value"] for each in spec["template"]["spec"]["containers"][0]["env"]}


def overridden(**pod: object) -> dict:
    return {"calicoNetwork": {}, "calicoNodeDaemonSet": {"spec": {"template": {"spec": pod}}}}


def test_defaults_stay_where_the_user_says_nothing():
    wanted = copy.deepcopy(SPEC)
    wanted["calicoNetwork"]["mtu"] = 1400
    found = render.computed(wanted, BEFORE, SPEC)
    assert (found["calicoNetwork"]["mtu"], found["calicoNetwork"]["linuxDataplane"], found["kubernetesProvider"]) == (1400, "Iptables", "RKE2")


def test_what_the_user_takes_back_goes():
    before_spec = {"calicoNetwork": {**SPEC["calicoNetwork"], "mtu": 1500}}
    before = {"calicoNetwork": {**BEFORE["calicoNetwork"], "mtu": 1500}}
    assert "mtu" not in render.computed(SPEC, before, before_spec)["calicoNetwork"]


def test_an_autodetection_method_replaces_the_other():
    wanted = {"calicoNetwork": {**SPEC["calicoNetwork"], "nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}}}
    assert render.computed(wanted, BEFORE, SPEC)["calicoNetwork"]["nodeAddressAutodetectionV4"] == {"kubernetes": "NodeInternalIP"}


def test_without_a_method_the_first_found_address_is_taken():
    wanted = {"calicoNetwork": {"bgp": "Disabled", "ipPools": [POOL]}}
    assert render.computed(wanted, BEFORE, SPEC)["calicoNetwork"]["nodeAddressAutodetectionV4"] == {"firstFound": True}


def test_two_methods_are_refused():
    both = {"calicoNetwork": {"nodeAddressAutodetectionV4": {"firstFound": True, "kubernetes": "NodeInternalIP"}}}
    assert "no more than one" in render.problem(both)
    assert render.problem(SPEC) == ""


@pytest.mark.parametrize(
    ("methods", "value"),
    [
        ({"firstFound": True}, "first-found"),
        ({"kubernetes": "NodeInternalIP"}, "kubernetes-internal-ip"),
        ({"skipInterface": "vx-submariner"}, "skip-interface=vx-submariner"),
        ({"interface": "^ens3$"}, "interface=^ens3$"),
        ({"canReach": "8.8.8.8"}, "can-reach=8.8.8.8"),
        ({"cidrs": ["10.0.0.0/8", "192.168.0.0/16"]}, "cidr=10.0.0.0/8,192.168.0.0/16"),
        ({"firstFound": False}, ""),
    ],
)
def test_every_method_has_its_value(methods, value):
    assert render.autodetection(methods) == value


def test_an_mtu_becomes_the_environment_of_every_tunnel_and_a_new_cni_configuration():
    plain = daemon_set(IP_AUTODETECTION_METHOD="first-found")
    made = render.calico_node(plain, plain, {"calicoNetwork": {"mtu": 1400, "bgp": "Enabled", "nodeAddressAutodetectionV6": {"firstFound": True}}})
    assert environment(made) == {
        "IP_AUTODETECTION_METHOD": "first-found", "FELIX_VXLANMTU": "1400", "FELIX_WIREGUARDMTU": "1400", "FELIX_VXLANMTUV6": "1400",
        "FELIX_WIREGUARDMTUV6": "1400", "FELIX_IPINIPMTU": "1400",
    }  # fmt: skip
    assert made["template"]["metadata"]["annotations"][render.CNI_CONFIG] != "health"


def test_without_an_mtu_the_environment_goes():
    plain, rendered = daemon_set(A="b"), daemon_set(A="b", FELIX_VXLANMTU="1500")
    assert render.calico_node(rendered, plain, {"calicoNetwork": {}}) == plain["spec"]


def test_an_override_replaces_affinity_and_tolerations_and_adds_to_the_node_selector():
    plain = daemon_set()
    wanted = overridden(affinity=UNFIT, tolerations=[], nodeSelector={"kubernetes.io/os": "windows", "zone": "a"})
    pod = render.calico_node(plain, plain, wanted)["template"]["spec"]
    assert (pod["affinity"], pod["tolerations"]) == (UNFIT, [])
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "zone": "a"}
    rendered = {"spec": {**plain["spec"], "template": {**plain["spec"]["template"], "spec": pod}}}
    assert render.calico_node(rendered, plain, {"calicoNetwork": {}}) == plain["spec"]


def test_a_pool_has_the_modes_of_its_encapsulation():
    filled = render.computed({"calicoNetwork": {"ipPools": [{**POOL, "encapsulation": "IPIPCrossSubnet"}]}}, {}, {})["calicoNetwork"]["ipPools"][0]
    made = render.pool(filled)
    assert (made["ipipMode"], made["vxlanMode"], made["natOutgoing"], made["blockSize"]) == ("CrossSubnet", "Never", True, 26)
    assert filled["name"] == render.DEFAULT_POOL


def test_what_somebody_adds_to_a_template_stays():
    wanted = daemon_set()["spec"]
    current = {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now", render.CNI_CONFIG: "by hand"}}}}
    annotations = render.kept(wanted, current)["template"]["metadata"]["annotations"]
    assert annotations == {"kubectl.kubernetes.io/restartedAt": "now", render.CNI_CONFIG: "health"}
