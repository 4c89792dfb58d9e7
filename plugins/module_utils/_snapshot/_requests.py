# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Every list that a snapshot is made of: where it stands in the API, and what is kept of each object.

A key is ``field[/part[/version]]``: the Snapshot's field; which of several questions that together make one answer; and through which version of
an API it was asked, where the same objects may be served by several. ``combined`` puts the answers together.
"""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_calico as calico
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_kubernetes as kubernetes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_nodes as nodes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_platform as platform
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_policies as policies
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_submariner as submariner

# By name, since a cluster may keep hundreds of megabytes of other people's ConfigMaps.
SYSTEM_CONFIG_MAPS = (
    "kubeadm-config",
    "kube-proxy",
    "canal-config",
    "rke2-canal-config",
    "kube-flannel-cfg",
    "coredns",
    "rke2-coredns-rke2-coredns",
    "nodelocaldns",
    "node-local-dns",
)
# A cluster may have a hundred thousand pods: whole are read those of the control plane, Calico, the cluster's DNS and Submariner, of agents that
# are alike on every node a few, and of all others as many as fit on one page. The API server chooses, by label.
_ALL = 0
_FEW = 50
MOST_OTHER_PODS = 500
PODS: tuple[tuple[str, str, int], ...] = (
    ("control-plane", "component in (kube-apiserver,kube-controller-manager)", _ALL),
    ("calico", "k8s-app in (calico-node,calico-typha,calico-kube-controllers,calico-apiserver,tigera-operator,canal,kube-dns)", _ALL),
    (
        "submariner",
        "app in (submariner-gateway,submariner-routeagent,submariner-globalnet,submariner-metrics-proxy,"
        "submariner-lighthouse-agent,submariner-lighthouse-coredns)",
        _ALL,
    ),
    ("submariner-operator", "name=submariner-operator", _ALL),
    ("kube-proxy", "component=kube-proxy", _FEW),  # RKE2: static pods
    ("kube-proxy-daemon-set", "k8s-app=kube-proxy", _FEW),
    ("node-local-dns", "k8s-app in (nodelocaldns,node-local-dns)", _FEW),
    ("other-plugins", "app in (kindnet,ovnkube-node)", _FEW),
    ("cilium", "k8s-app=cilium", _FEW),
    ("weave", "name=weave-net", _FEW),
    ("others", ",".join(f"{key} notin ({','.join(sorted(values))})" for key, values in kubernetes.SYSTEM_PODS.items()), MOST_OTHER_PODS),
)
EVENT_NAMESPACES = ("calico-system", "calico-apiserver", "tigera-operator", "kube-system", "submariner-operator")
MOST_EVENTS = 500  # of a namespace
_CORE = "/api/v1"
_V3 = "/apis/projectcalico.org/v3"
_V1 = "/apis/crd.projectcalico.org/v1"
_TIGERA = "/apis/operator.tigera.io/v1"
_SUBMARINER = "/apis/submariner.io/v1"
_SUBMARINER_OPERATOR = "/apis/submariner.io/v1alpha1"
_MULTICLUSTER = "/apis/multicluster.x-k8s.io/v1alpha1"

REQUESTS: tuple[ListRequest, ...] = (
    ListRequest("nodes", f"{_CORE}/nodes", nodes.node),
    *(ListRequest(f"pods/{part}", f"{_CORE}/pods", kubernetes.pod, label_selector=selector, most=most) for part, selector, most in PODS),
    # The CSI driver runs on each node and only holds a rollout back: those that do not run yet are of interest.
    ListRequest("pods/csi", f"{_CORE}/pods", kubernetes.pod, label_selector="k8s-app=csi-node-driver", field_selector="status.phase!=Running", most=100),
    ListRequest("services", f"{_CORE}/services", kubernetes.service),
    ListRequest("namespaces", f"{_CORE}/namespaces", kubernetes.namespace),
    ListRequest("daemon_sets", "/apis/apps/v1/daemonsets", kubernetes.daemon_set),
    ListRequest("deployments", "/apis/apps/v1/deployments", kubernetes.deployment),
    ListRequest("network_policies", "/apis/networking.k8s.io/v1/networkpolicies", policies.network_policy),
    # Submariner looks for calico-config in every namespace.
    ListRequest("config_maps/calico-config", f"{_CORE}/configmaps", kubernetes.config_map, field_selector="metadata.name=calico-config"),
    *(
        ListRequest(f"config_maps/{name}", f"{_CORE}/namespaces/kube-system/configmaps", kubernetes.config_map, field_selector=f"metadata.name={name}")
        for name in SYSTEM_CONFIG_MAPS
    ),
    # Of OpenShift's network operator, where the CNI is not its own (cluster-network-operator bindata/kube-proxy).
    ListRequest(
        "config_maps/proxy-config",
        f"{_CORE}/namespaces/openshift-kube-proxy/configmaps",
        kubernetes.config_map,
        field_selector="metadata.name=proxy-config",
    ),
    *(
        ListRequest(f"events/{name}", f"{_CORE}/namespaces/{name}/events", kubernetes.event, field_selector="type=Warning", most=MOST_EVENTS)
        for name in EVENT_NAMESPACES
    ),
    ListRequest("service_cidrs//v1", "/apis/networking.k8s.io/v1/servicecidrs", kubernetes.service_cidr),
    ListRequest("service_cidrs//v1beta1", "/apis/networking.k8s.io/v1beta1/servicecidrs", kubernetes.service_cidr),
    ListRequest("helm_charts", "/apis/helm.cattle.io/v1/helmcharts", platform.helm_chart),
    ListRequest("helm_chart_configs", "/apis/helm.cattle.io/v1/helmchartconfigs", platform.helm_chart_config),
    ListRequest("openshift_networks", "/apis/config.openshift.io/v1/networks", platform.openshift_network),
    ListRequest("openshift_dns", "/apis/operator.openshift.io/v1/dnses", platform.openshift_dns),
    ListRequest("api_services", "/apis/apiregistration.k8s.io/v1/apiservices", kubernetes.api_service),
    ListRequest("installations", f"{_TIGERA}/installations", calico.installation),
    ListRequest("tigera_statuses", f"{_TIGERA}/tigerastatuses", calico.tigera_status),
    ListRequest("operator_api_servers", f"{_TIGERA}/apiservers", calico.operator_api_server),
    ListRequest("ip_pools_v3", f"{_V3}/ippools", calico.ip_pool_v3),
    ListRequest("ip_pools_v1", f"{_V1}/ippools", calico.ip_pool_v1),
    ListRequest("ipam_blocks//v1", f"{_V1}/ipamblocks", calico.ipam_block),
    ListRequest("ipam_blocks//v3", f"{_V3}/ipamblocks", calico.ipam_block),
    ListRequest("datastore_migrations//v1", "/apis/migration.projectcalico.org/v1/datastoremigrations", calico.datastore_migration),
    ListRequest("datastore_migrations//v1beta1", "/apis/migration.projectcalico.org/v1beta1/datastoremigrations", calico.datastore_migration),
    *(
        ListRequest(f"{field}//{version}", f"{group}/{plural}", project)
        for version, group in (("v3", _V3), ("v1", _V1))
        for field, plural, project in (
            ("cluster_informations", "clusterinformations", calico.cluster_information),
            ("felix_configurations", "felixconfigurations", {"v3": calico.felix_configuration_v3, "v1": calico.felix_configuration_v1}[version]),
            ("bgp_configurations", "bgpconfigurations", calico.bgp_configuration),
            ("kube_controllers_configurations", "kubecontrollersconfigurations", calico.kube_controllers_configuration),
            ("tiers", "tiers", policies.tier),
            ("host_endpoints", "hostendpoints", {"v3": policies.host_endpoint_v3, "v1": policies.host_endpoint_v1}[version]),
        )
    ),
    *(
        ListRequest(f"calico_policies/{plural}/{version}", f"{group}/{plural}", policies.calico_policy(plural, version))
        for version, group in (("v3", _V3), ("v1", _V1))
        for plural in policies.CALICO_POLICIES
    ),
    *(
        ListRequest(f"network_sets/{plural}/{version}", f"{group}/{plural}", policies.network_set(plural, version))
        for version, group in (("v3", _V3), ("v1", _V1))
        for plural in policies.NETWORK_SETS
    ),
    ListRequest("submariners", f"{_SUBMARINER_OPERATOR}/submariners", submariner.submariner),
    ListRequest("service_discoveries", f"{_SUBMARINER_OPERATOR}/servicediscoveries", submariner.service_discovery),
    ListRequest("brokers", f"{_SUBMARINER_OPERATOR}/brokers", submariner.broker),
    ListRequest("endpoints", f"{_SUBMARINER}/endpoints", submariner.endpoint),
    ListRequest("submariner_clusters", f"{_SUBMARINER}/clusters", submariner.submariner_cluster),
    ListRequest("gateways", f"{_SUBMARINER}/gateways", submariner.gateway),
    ListRequest("route_agents", f"{_SUBMARINER}/routeagents", submariner.route_agent),
    ListRequest("global_egress_ips/clusterglobalegressips", f"{_SUBMARINER}/clusterglobalegressips", submariner.cluster_global_egress_ip),
    ListRequest("global_egress_ips/globalegressips", f"{_SUBMARINER}/globalegressips", submariner.global_egress_ip),
    ListRequest("service_exports", f"{_MULTICLUSTER}/serviceexports", submariner.service_export),
    ListRequest("service_imports", f"{_MULTICLUSTER}/serviceimports", submariner.service_import),
)


def group_version(path: str) -> str:
    """``projectcalico.org/v3`` of ``/apis/projectcalico.org/v3/ippools``; "" of the core API, which is always there."""
    parts = path.split("/")
    return "/".join(parts[2:4]) if parts[1:2] == ["apis"] else ""


def split_key(key: str) -> tuple[str, str, str]:
    """Field, part and version of a request's key."""
    parts = [*key.split("/"), "", ""]
    return parts[0], parts[1], parts[2]
