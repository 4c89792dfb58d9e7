# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kubespray's inventory: its variables, with the defaults of its roles/kubespray_defaults and roles/network_plugin/calico_defaults (2.24 to 2.32)."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory import Asked, Said, setting, truth

WHERE = "Kubespray's inventory"
NAMES = (
    "kube_network_plugin",
    "kube_proxy_mode",
    "kube_proxy_remove",
    "calico_bpf_enabled",
    "kube_pods_subnet",
    "kube_pods_subnet_ipv6",
    "kube_service_addresses",
    "kube_service_addresses_ipv6",
    "enable_dual_stack_networks",
    "ipv4_stack",
    "ipv6_stack",
    "calico_apiserver_enabled",
    "calico_datastore",
    "calico_pool_cidr",
    "calico_mtu",
    "calico_veth_mtu",
    "calico_ip_auto_method",
)
HOW = {
    "kube-proxy-mode": "Set kube_proxy_mode: iptables (Kubespray's default is ipvs), and leave kube_proxy_remove out.",
    "calico-ebpf": "Leave calico_bpf_enabled out, and set kube_proxy_mode: iptables.",
    "calico-api-unavailable": "Set calico_apiserver_enabled: true (Kubespray's default is false).",
    "calico-datastore-etcd": "Set calico_datastore: kdd; Calico's API server needs it, too.",
    "mtu-setting-ignored": "Set calico_mtu alone, as a number: in YAML without quotes, on the command line as -e '{\"calico_mtu\": 1400}'.",
    "mtu-pod-exceeds-tunnel": "Leave calico_veth_mtu out: despite its name it sets the tunnels' MTU; calico_mtu sets both.",
    "autodetection-picks-submariner": "Set calico_ip_auto_method: kubernetes-internal-ip, or leave it out (Kubespray then reaches for the node's own address).",
    "planned-network-plugin": "Set kube_network_plugin: calico.",
    "planned-cidr-unusable": "Correct kube_pods_subnet, kube_service_addresses or calico_pool_cidr: they cannot be changed once the cluster is built.",
}


def kubespray(cluster: str, variables: t.Mapping[str, t.Any]) -> Asked:
    """What ``cluster.yml`` would make of these variables, of which those of NAMES are looked at."""
    four = truth(setting(variables, "ipv4_stack", True).value)
    six = truth(setting(variables, "ipv6_stack", variables.get("enable_dual_stack_networks") or False).value)
    plugin = setting(variables, "kube_network_plugin", "calico")
    api_server = setting(variables, "calico_apiserver_enabled", False)
    ebpf, no_proxy = (setting(variables, name, False) for name in ("calico_bpf_enabled", "kube_proxy_remove"))
    return Asked(
        cluster=cluster,
        where=WHERE,
        cni=plugin._replace(value=(str(plugin.value),)),
        proxy_mode=setting(variables, "kube_proxy_mode", "ipvs"),
        pods=_families(variables, four, six, ("kube_pods_subnet", "10.233.64.0/18"), ("kube_pods_subnet_ipv6", "fd85:ee78:d8a6:8607::1:0/112")),
        services=_families(variables, four, six, ("kube_service_addresses", "10.233.0.0/18"), ("kube_service_addresses_ipv6", "fd85:ee78:d8a6:8607::1000/116")),
        api_server=api_server._replace(value=truth(api_server.value)),
        datastore=setting(variables, "calico_datastore", "kdd"),
        autodetection=_given(variables, "calico_ip_auto_method"),
        pool=_given(variables, "calico_pool_cidr"),
        pod_mtu=_given(variables, "calico_mtu"),
        tunnel_mtu=_given(variables, "calico_veth_mtu"),
        ebpf=ebpf._replace(value=truth(ebpf.value)),
        no_proxy=no_proxy._replace(value=truth(no_proxy.value)),
        how=HOW,
    )


def _families(variables: t.Mapping[str, t.Any], four: bool, six: bool, v4: tuple[str, str], v6: tuple[str, str]) -> tuple[Said, ...]:
    return tuple(setting(variables, *each) for each, wanted in ((v4, four), (v6, six)) if wanted)


def _given(variables: t.Mapping[str, t.Any], name: str) -> Said | None:
    said = setting(variables, name, None)
    return said if said.given else None
