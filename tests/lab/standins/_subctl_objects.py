# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that subctl makes: on a member for the operator, on the broker for its members. Pure.

Names and rights after submariner-operator config/rbac and config/broker, v0.16; rights on OpenShift's and Lighthouse's kinds are left out.
"""

from __future__ import annotations

import base64
import typing as t

from tests.lab.client import Object
from tests.lab.standins._broker_info import PSK_SECRET, BrokerInfo
from tests.lab.standins._objects import BROKER_NAMESPACE, GATEWAY, LIGHTHOUSE_AGENT, LIGHTHOUSE_COREDNS, NAMESPACE, OPERATOR, ROUTE_AGENT
from tests.lab.standins._version import SubmarinerVersion

RBAC = "rbac.authorization.k8s.io"
BROKER_ADMIN = "submariner-k8s-broker-admin"
BROKER_CLUSTER = "submariner-k8s-broker-cluster"
BROKER_SECRET = "submariner-broker-secret"
_MOUNTED = {GATEWAY: (BROKER_SECRET, PSK_SECRET), LIGHTHOUSE_AGENT: (BROKER_SECRET,)}
REPOSITORY = "quay.io/submariner"
OVERRIDABLE = (
    "submariner-operator",
    "submariner-gateway",
    "submariner-routeagent",
    "submariner-globalnet",
    "submariner-lighthouse-agent",
    "submariner-lighthouse-coredns",
    "submariner-nettest",
    "submariner-metrics-proxy",
)

_READ = ["get", "list", "watch"]
_WRITE = [*_READ, "create", "update", "patch", "delete"]

Rule = tuple[str, list[str], list[str]]

_SYNCED: list[Rule] = [
    ("submariner.io", ["clusters", "endpoints"], _WRITE),
    ("submariner.io", ["brokers"], ["get", "list"]),
    ("multicluster.x-k8s.io", ["*"], _WRITE),
    ("discovery.k8s.io", ["endpointslices", "endpointslices/restricted"], _WRITE),
]
_BROKER_ROLES: dict[str, list[Rule]] = {
    BROKER_ADMIN: [
        *_SYNCED,
        ("", ["serviceaccounts", "secrets", "configmaps"], [*_READ, "create", "update", "delete"]),
        (RBAC, ["rolebindings"], ["create", "get", "list", "delete"]),
    ],
    BROKER_CLUSTER: [*_SYNCED, ("", ["secrets"], _READ), ("", ["serviceaccounts"], ["get", "list"])],
}
_SUBMARINER: Rule = ("submariner.io", ["*"], ["*"])
_MEMBER_ROLES: dict[str, list[Rule]] = {
    OPERATOR: [
        _SUBMARINER,
        ("", ["pods", "services", "nodes", "configmaps", "secrets", "namespaces", "serviceaccounts"], _WRITE),
        ("apps", ["deployments", "daemonsets", "replicasets", "statefulsets"], _WRITE),
        ("apiextensions.k8s.io", ["customresourcedefinitions"], _WRITE),
        ("config.openshift.io", ["networks"], ["get", "list"]),
    ],
    GATEWAY: [_SUBMARINER, ("", ["pods", "services", "nodes", "namespaces"], _READ), ("", ["pods"], ["update", "patch"])],
    "submariner-globalnet": [_SUBMARINER, ("", ["pods", "services", "nodes", "namespaces"], _READ)],
    "submariner-diagnose": [_SUBMARINER, ("", ["pods", "services", "nodes", "configmaps", "namespaces"], _READ)],
    # Calico's pools through projectcalico.org only, and without list or watch.
    ROUTE_AGENT: [
        _SUBMARINER,
        ("", ["pods", "services", "nodes", "configmaps"], _READ),
        ("projectcalico.org", ["ippools"], ["get", "create", "delete", "update", "deletecollection"]),
    ],
    LIGHTHOUSE_AGENT: [_SUBMARINER, ("multicluster.x-k8s.io", ["*"], _WRITE), ("discovery.k8s.io", ["endpointslices"], _WRITE)],
    LIGHTHOUSE_COREDNS: [_SUBMARINER, ("multicluster.x-k8s.io", ["*"], _READ), ("discovery.k8s.io", ["endpointslices"], _READ)],
}


def namespace(name: str, labels: t.Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def service_account(name: str, where: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": where}}


def member_account(name: str, version: SubmarinerVersion) -> Object:
    """A component's ServiceAccount. Where Secrets have fixed names its pods may mount those alone that it lists."""
    account = service_account(name, NAMESPACE)
    if version.names_broker_secret:
        account["metadata"]["annotations"] = {"kubernetes.io/enforce-mountable-secrets": "true"}
        if name in _MOUNTED:
            account["secrets"] = [{"name": each} for each in _MOUNTED[name]]
    return account


def member_accounts(version: SubmarinerVersion) -> list[tuple[Object, Object, Object]]:
    """ServiceAccount, ClusterRole and ClusterRoleBinding of each component; the operator's come first."""
    return [
        (member_account(name, version), _role("ClusterRole", name, rules), _binding("ClusterRoleBinding", name, "ClusterRole", name, name, NAMESPACE))
        for name, rules in _MEMBER_ROLES.items()
    ]


def broker_roles(where: str) -> list[Object]:
    return [_role("Role", name, rules, where) for name, rules in _BROKER_ROLES.items()]


def broker_admin_binding(where: str) -> Object:
    return _binding("RoleBinding", BROKER_ADMIN, "Role", BROKER_ADMIN, BROKER_ADMIN, where)


def broker_cluster_binding(account: str, where: str) -> Object:
    return _binding("RoleBinding", f"{account}-{BROKER_CLUSTER}", "Role", BROKER_CLUSTER, account, where)


def token_secret(account: str, where: str) -> Object:
    annotations = {"kubernetes.io/service-account.name": account, "kubernetes.io/created-by": "subctl"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"generateName": f"{account}-token-", "namespace": where, "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }


def operator_deployment(image: str, debug: bool, proxies: t.Mapping[str, str]) -> Object:
    """The operator's Deployment.

    :arg proxies: environment variables for it, which it hands to every component.
    """
    fields = {"WATCH_NAMESPACE": "metadata.namespace", "POD_NAME": "metadata.name"}
    container = {
        "name": OPERATOR,
        "image": image,
        "command": [OPERATOR, "-v=3" if debug else "-v=1"],
        "imagePullPolicy": "IfNotPresent" if image.endswith(":local") else "Always",
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
        "env": [
            *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
            {"name": "OPERATOR_NAME", "value": OPERATOR},
            *({"name": name, "value": value} for name, value in proxies.items() if value),
        ],
    }
    labels = {"name": OPERATOR}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": OPERATOR, "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"serviceAccountName": OPERATOR, "containers": [container]}},
        },
    }


def broker_resource(values: t.Mapping[str, t.Any], version: SubmarinerVersion, where: str = BROKER_NAMESPACE) -> Object:
    spec: Object = {
        "components": values["components"],
        "defaultGlobalnetClusterSize": values["globalnet-cluster-size"],
        "globalnetCIDRRange": values["globalnet-cidr-range"],
    }
    if values["globalnet"]:
        spec["globalnetEnabled"] = True
    if values["custom-domains"]:
        spec["defaultCustomDomains"] = values["custom-domains"]
    if version >= (0, 19):
        spec["clustersetIPCIDRRange"] = values["clusterset-ip-cidr-range"]
        if values["enable-clusterset-ip"]:
            spec["clustersetIPEnabled"] = True
    return {"apiVersion": "submariner.io/v1alpha1", "kind": "Broker", "metadata": {"name": "submariner-broker", "namespace": where}, "spec": spec}


def submariner(
    values: t.Mapping[str, t.Any], info: BrokerInfo, token: Object, secret: str, image_version: str, clusterset_cidr: str | None, version: SubmarinerVersion
) -> Object:
    """The Submariner resource of a join (pkg/deploy/submariner.go populateSubmarinerSpec).

    :arg token: the Secret with the token that the broker gave this cluster.
    :arg secret: name of its local copy.
    :arg clusterset_cidr: None for releases that know none.
    :arg version: the release that is played.
    """
    data = token["data"]
    spec: Object = {
        "broker": "",
        "brokerK8sApiServer": info.broker_url.partition("://")[2] or info.broker_url,
        "brokerK8sApiServerToken": base64.b64decode(data["token"]).decode(),
        "brokerK8sCA": data["ca.crt"],
        "brokerK8sRemoteNamespace": base64.b64decode(data["namespace"]).decode(),
        "brokerK8sSecret": secret,
        "cableDriver": values["cable-driver"],
        "ceIPSecDebug": values["ipsec-debug"],
        "ceIPSecNATTPort": values["nattport"],
        "ceIPSecPSK": info.ipsec_psk["data"]["psk"],
        "ceIPSecPSKSecret": info.ipsec_psk["metadata"]["name"],
        "clusterCIDR": values["clustercidr"],
        "clusterID": values["clusterid"],
        "connectionHealthCheck": _given(
            enabled=values["health-check"],
            intervalSeconds=values["health-check-interval"],
            maxPacketLossCount=values["health-check-max-packet-loss-count"],
        ),
        "debug": values["pod-debug"],
        "namespace": NAMESPACE,
        "natEnabled": values["natt"],
        "repository": values["repository"] or REPOSITORY,
        "serviceCIDR": values["servicecidr"],
        "version": image_version,
        **_given(
            airGappedDeployment=values["air-gapped"],
            brokerK8sInsecure=not values["check-broker-certificate"],
            ceIPSecForceUDPEncaps=values["force-udp-encaps"],
            ceIPSecPreferredServer=values["preferred-server"],
            customDomains=values["custom-domains"] or info.custom_domains,
            imageOverrides=image_overrides(values["image-override"], version),
            loadBalancerEnabled=values["load-balancer"],
            serviceDiscoveryEnabled=info.discovers_services,
            clustersetIPCIDR=clusterset_cidr,
            clustersetIPEnabled=values.get("enable-clusterset-ip"),
        ),
    }
    if values["coredns-custom-configmap"]:
        where, _slash, name = values["coredns-custom-configmap"].rpartition("/")
        spec["coreDNSCustomConfig"] = _given(configMapName=name, namespace=where)
    return {"apiVersion": "submariner.io/v1alpha1", "kind": "Submariner", "metadata": {"name": "submariner", "namespace": NAMESPACE}, "spec": spec}


def image_overrides(entries: t.Sequence[str], version: SubmarinerVersion) -> dict[str, str]:
    """``component=image`` entries. Raises ValueError with subctl's text (pkg/cluster MergeImageOverrides)."""
    overrides = {}
    for each in entries:
        component, equals, overriding = each.partition("=")
        if not equals:
            raise ValueError(f"invalid override {each} provided. Please use `a=b` syntax")
        if component not in OVERRIDABLE:
            shown = " ".join(f'"{name}"' for name in OVERRIDABLE)
            if version.checks_image_overrides_first:
                raise ValueError(f'invalid image override component "{component}" provided. Valid components are [{shown}]')
            raise ValueError(f"invalid override component {component} provided. Please choose from [{shown}]")
        overrides[component] = overriding
    return overrides


def image(values: t.Mapping[str, t.Any], tag: str, version: SubmarinerVersion) -> str:
    """The operator's image."""
    return image_overrides(values.get("image-override", ()), version).get(OPERATOR) or f"{values['repository'] or REPOSITORY}/{OPERATOR}:{tag}"


def _given(**values: t.Any) -> Object:
    """As Go's omitempty."""
    return {key: value for key, value in values.items() if value}


def _role(kind: str, name: str, rules: list[Rule], where: str = "") -> Object:
    metadata = {"name": name, "namespace": where} if where else {"name": name}
    shown = [{"apiGroups": [group], "resources": resources, "verbs": verbs} for group, resources, verbs in rules]
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": shown}


def _binding(kind: str, name: str, role_kind: str, role: str, account: str, where: str) -> Object:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": where} if kind == "RoleBinding" else {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": where}],
    }
