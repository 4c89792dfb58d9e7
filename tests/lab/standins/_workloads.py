# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DaemonSets, Deployments and further objects that the Submariner operator makes of a Submariner resource.

Imitates submariner-operator controllers/submariner/{gateway,route_agent,metrics_proxy,servicediscovery}_resources.go and
controllers/servicediscovery/servicediscovery_controller.go at v0.16.0, v0.17.3, v0.18.1 and v0.19.0-rc3. What no reader of the
objects can miss is there: names, labels, selectors, strategies, images, environment, mounts; host paths of OVN are not.
"""

from __future__ import annotations

import typing as t

from tests.lab.standins._objects import (
    GATEWAY,
    GATEWAY_NODE_LABEL,
    LIGHTHOUSE_AGENT,
    LIGHTHOUSE_COREDNS,
    METRICS_PROXY,
    NAMESPACE,
    ROUTE_AGENT,
    UNINSTALL,
)
from tests.lab.standins._version import SubmarinerVersion

Object = dict[str, t.Any]

_IMAGES = {
    GATEWAY: "submariner-gateway",
    ROUTE_AGENT: "submariner-route-agent",
    METRICS_PROXY: "nettest",
    LIGHTHOUSE_AGENT: "lighthouse-agent",
    LIGHTHOUSE_COREDNS: "lighthouse-coredns",
}
_NETTEST = "submariner-nettest"
_SECRETS = "/run/secrets/submariner.io"
_EVERYWHERE = [{"operator": "Exists"}]
_PRIVILEGED = {"allowPrivilegeEscalation": True, "privileged": True, "readOnlyRootFilesystem": False, "runAsNonRoot": False}
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Workloads:
    """Builds the objects for one Submariner resource.

    :param submariner: the resource; its spec as given.
    :param status: ``clusterCIDR``, ``serviceCIDR`` and ``networkPlugin`` as they are going to be in its status.
    :param version: the release played.
    :param proxies: the operator's own proxy variables, in the order of PROXY_VARIABLES.
    """

    def __init__(self, submariner: Object, status: t.Mapping[str, str], version: SubmarinerVersion, proxies: t.Mapping[str, str]) -> None:
        self._submariner = submariner
        self._spec: Object = submariner["spec"]
        self._status = status
        self._version = version
        self._proxies = {name: proxies[name] for name in PROXY_VARIABLES if proxies.get(name)} if version.copies_proxies else {}

    def gateway(self) -> Object:
        spec, name = self._spec, GATEWAY
        volumes: list[Object] = [
            {"name": "ipsecd", "emptyDir": {}},
            {"name": "ipsecnss", "emptyDir": {}},
            {"name": "libmodules", "hostPath": {"path": "/lib/modules", "type": "DirectoryOrCreate"}},
        ]
        mounts: list[Object] = [
            {"name": "ipsecd", "mountPath": "/etc/ipsec.d"},
            {"name": "ipsecnss", "mountPath": "/var/lib/ipsec/nss"},
            {"name": "libmodules", "mountPath": "/lib/modules", "readOnly": True},
        ]
        for volume, secret, folder in (
            ("brokersecret", spec.get("brokerK8sSecret"), _SECRETS),
            ("psksecret", spec.get("ceIPSecPSKSecret"), f"/var{_SECRETS}"),
        ):
            if secret:
                volumes.append({"name": volume, "secret": {"secretName": secret}})
                mounts.append({"name": volume, "mountPath": f"{folder}/{secret}", "readOnly": True})
        natt_port = spec.get("ceIPSecNATTPort", 0)
        container = {
            **self._container(name, name, self._gateway_environment()),
            "securityContext": {**_PRIVILEGED, "capabilities": {"add": ["net_admin"], "drop": ["all"]}},
            "ports": [
                {"name": "cable-encaps", "hostPort": natt_port or 4500, "containerPort": natt_port or 4500, "protocol": "UDP"},
                {"name": "natt-discovery", "hostPort": 4490, "containerPort": 4490, "protocol": "UDP"},
            ],
            "volumeMounts": mounts,
        }
        if self._version < (0, 19):
            container["command"] = ["submariner.sh"]
        apart = {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": "kubernetes.io/hostname"}
        pod = {
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}},
            "nodeSelector": {GATEWAY_NODE_LABEL: "true"},
            "containers": [container],
            "serviceAccountName": name,
            "hostNetwork": True,
            "dnsPolicy": "ClusterFirstWithHostNet",
            "terminationGracePeriodSeconds": 1,
            "tolerations": _EVERYWHERE,
            "volumes": volumes,
        }
        return self._daemon_set(name, "gateway", {"app": name}, pod, max_unavailable=1, history=5)

    def route_agent(self) -> Object:
        name = ROUTE_AGENT
        node_name = _from_field("NODE_NAME", "spec.nodeName")
        environment = self._environment(
            ("SUBMARINER_NAMESPACE", self._spec["namespace"]),
            ("SUBMARINER_CLUSTERID", self._spec["clusterID"]),
            ("SUBMARINER_DEBUG", self._spec.get("debug", False)),
            ("SUBMARINER_CLUSTERCIDR", self._status["clusterCIDR"]),
            ("SUBMARINER_SERVICECIDR", self._status["serviceCIDR"]),
            ("SUBMARINER_GLOBALCIDR", self._spec.get("globalCIDR", "")),
            ("SUBMARINER_NETWORKPLUGIN", self._status["networkPlugin"]),
        )
        environment.append(node_name)
        if self._version.agents_check_health:
            environment.extend(self._health_check())
        agent = {
            **self._container(name, name, environment + self._proxy_environment()),
            "securityContext": {**_PRIVILEGED, "capabilities": {"add": ["ALL"]}},
            "volumeMounts": [
                {"name": "host-sys", "mountPath": "/sys", "readOnly": True},
                {"name": "host-run-xtables-lock", "mountPath": "/run/xtables.lock"},
            ],
        }
        waiting = self._environment(("SUBMARINER_WAITFORNODE", "true"))
        init = self._container(f"{name}-init", name, [*waiting, node_name, *self._proxy_environment()])
        init["command"] = ["submariner-route-agent.sh"]
        if self._version < (0, 19):
            agent["command"] = ["submariner-route-agent.sh"]
        labels = {"app": name, "component": "routeagent"}
        pod = {
            "initContainers": [init],
            "containers": [agent],
            "serviceAccountName": name,
            "hostNetwork": True,
            "dnsPolicy": "ClusterFirstWithHostNet",
            "terminationGracePeriodSeconds": 1,
            "tolerations": _EVERYWHERE,
            "volumes": [
                {"name": "host-run-xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": ""}},
                {"name": "host-sys", "hostPath": {"path": "/sys", "type": ""}},
            ],
        }
        return self._daemon_set(name, "routeagent", labels, pod, max_unavailable="100%", history=10)

    def metrics_proxy(self) -> Object:
        name = METRICS_PROXY
        container = self._container("gateway-metrics-proxy", name, [_from_field("NODE_IP", "status.hostIP"), *self._proxy_environment()])
        container.update(command=["/app/metricsproxy"], args=["8080", "$(NODE_IP)", "32780"])
        pod = {"containers": [container], "nodeSelector": {GATEWAY_NODE_LABEL: "true"}, "tolerations": _EVERYWHERE}
        return self._daemon_set(name, "metrics", {"app": name, "component": "metrics"}, pod, max_unavailable=1, history=10)

    def uninstall(self, daemon_set: Object) -> Object:
        """The one-time DaemonSet that cleans a component's nodes (controllers/uninstall/uninstall.go): the component runs as init container.

        It has no owner, or garbage collection would take it away when the resource is deleted in the foreground.
        """
        name = daemon_set["metadata"]["name"] + UNINSTALL
        template = daemon_set["spec"]["template"]
        cleaner = {**template["spec"]["containers"][0], "name": name}
        cleaner["env"] = [*cleaner["env"], {"name": "SUBMARINER_UNINSTALL", "value": "true"}]
        pause = {**self._container("pause", _NETTEST, []), "command": ["sleep", "infinity"]}
        pod = {**template["spec"], "initContainers": [cleaner], "containers": [pause]}
        labels = {**template["metadata"]["labels"], "app": name}
        return {
            **daemon_set,
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {**daemon_set["metadata"]["labels"], "app": name}},
            "spec": {
                **daemon_set["spec"],
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }

    def service_discovery(self) -> Object:
        spec = self._spec
        copied = (
            "version", "repository", "brokerK8sCA", "brokerK8sRemoteNamespace", "brokerK8sApiServerToken", "brokerK8sApiServer", "brokerK8sInsecure",
            "haltOnCertificateError", "clusterID", "namespace", "clustersetIPEnabled", "clustersetIPCIDR", "imageOverrides",
            "coreDNSCustomConfig", "nodeSelector", "tolerations", "customDomains",
        )  # fmt: skip
        wanted: Object = {key: spec[key] for key in copied if spec.get(key)}
        if self._lighthouse_secret():
            wanted["brokerK8sSecret"] = self._lighthouse_secret()
        wanted["debug"] = spec.get("debug", False)
        if spec.get("globalCIDR"):
            wanted["globalnetEnabled"] = True
        return self._owned("submariner.io/v1alpha1", "ServiceDiscovery", "service-discovery", {}) | {"spec": wanted}

    def lighthouse_agent(self, discovery: Object) -> Object:
        """
        :param discovery: the ServiceDiscovery as the API server has it, which owns everything of Lighthouse's.
        """
        spec, name = self._spec, LIGHTHOUSE_AGENT
        clusterset_ips: list[tuple[str, str | bool]] = [
            ("SUBMARINER_CLUSTERSET_IP_CIDR", spec.get("clustersetIPCIDR", "")),
            ("SUBMARINER_CLUSTERSET_IP_ENABLED", spec.get("clustersetIPEnabled", False)),
        ]
        halt: list[tuple[str, str | bool]] = [("SUBMARINER_HALT_ON_CERT_ERROR", spec.get("haltOnCertificateError", False))]
        secret = self._lighthouse_secret()
        environment = self._environment(
            ("SUBMARINER_NAMESPACE", spec["namespace"]),
            ("SUBMARINER_CLUSTERID", spec["clusterID"]),
            *(clusterset_ips if self._version.has_clusterset_ips else ()),
            ("SUBMARINER_DEBUG", spec.get("debug", False)),
            ("SUBMARINER_GLOBALNET_ENABLED", bool(spec.get("globalCIDR"))),
            *(halt if self._version.has_halt_on_certificate_error else ()),
            *self._broker_environment(secret),
        )
        container = self._container(name, name, environment + self._proxy_environment())
        pod: Object = {"containers": [container], "serviceAccountName": name, "terminationGracePeriodSeconds": 0}
        if secret:
            container["volumeMounts"] = [{"name": "brokersecret", "mountPath": f"{_SECRETS}/{secret}", "readOnly": True}]
            pod["volumes"] = [{"name": "brokersecret", "secret": {"secretName": secret}}]
        return self._deployment(name, 1, pod, discovery)

    def lighthouse_coredns(self, discovery: Object) -> Object:
        name = LIGHTHOUSE_COREDNS
        container = self._container(name, name, [*self._environment(("SUBMARINER_CLUSTERID", self._spec["clusterID"])), *self._proxy_environment()])
        container["args"] = ["-conf", "/etc/coredns/Corefile"]
        container["securityContext"] = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["net_bind_service"], "drop": ["all"]},
            "readOnlyRootFilesystem": True,
        }
        container["volumeMounts"] = [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}]
        config = {"name": name, "items": [{"key": "Corefile", "path": "Corefile"}], "defaultMode": 0o644}
        pod = {
            "containers": [container],
            "serviceAccountName": name,
            "terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "config-volume", "configMap": config}],
        }
        return self._deployment(name, 2, pod, discovery)

    def lighthouse_services(self, discovery: Object) -> list[Object]:
        dns = [{"name": "udp", "port": 53, "protocol": "UDP", "targetPort": 53}, {"name": "tcp", "port": 53, "protocol": "TCP", "targetPort": 53}]
        labels = {"app": LIGHTHOUSE_COREDNS, "component": "submariner-lighthouse"}
        return [
            self._service(LIGHTHOUSE_COREDNS, labels, {"app": LIGHTHOUSE_COREDNS}, dns, discovery),
            self._metrics_service(LIGHTHOUSE_COREDNS, LIGHTHOUSE_COREDNS, 9153, discovery),
            self._metrics_service(LIGHTHOUSE_AGENT, LIGHTHOUSE_AGENT, 8082, discovery),
        ]

    def gateway_service(self) -> Object:
        return self._metrics_service(GATEWAY, METRICS_PROXY, 8080, None)

    def lighthouse_config(self, discovery: Object) -> Object:
        domains = ["clusterset.local", *(self._spec.get("customDomains") or ())]
        block = "{\nlighthouse\nerrors\nhealth\nready\nprometheus :9153\n}"
        labels = {"app": LIGHTHOUSE_COREDNS, "component": "submariner-lighthouse"}
        return self._owned("v1", "ConfigMap", LIGHTHOUSE_COREDNS, labels, discovery) | {
            "data": {"Corefile": "".join(f"{domain}:53 {block}\n" for domain in domains)},
        }

    def service_accounts(self) -> list[Object]:
        """Those that the pods run as; ``subctl`` makes them, and an admission plugin refuses pods without."""
        names = [GATEWAY, ROUTE_AGENT]
        if self._spec.get("serviceDiscoveryEnabled"):
            names += [LIGHTHOUSE_AGENT, LIGHTHOUSE_COREDNS]
        return [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}} for name in names]

    def _gateway_environment(self) -> list[Object]:
        spec = self._spec
        environment = self._environment(
            ("SUBMARINER_NAMESPACE", spec["namespace"]),
            ("SUBMARINER_CLUSTERCIDR", self._status["clusterCIDR"]),
            ("SUBMARINER_SERVICECIDR", self._status["serviceCIDR"]),
            ("SUBMARINER_GLOBALCIDR", spec.get("globalCIDR", "")),
            ("SUBMARINER_CLUSTERID", spec["clusterID"]),
            ("SUBMARINER_COLORCODES", spec.get("colorCodes", "")),
            ("SUBMARINER_DEBUG", spec.get("debug", False)),
            ("SUBMARINER_NATENABLED", spec.get("natEnabled", False)),
            ("AIR_GAPPED_DEPLOYMENT", spec.get("airGappedDeployment", False)),
            ("SUBMARINER_BROKER", spec.get("broker", "")),
            ("SUBMARINER_CABLEDRIVER", spec.get("cableDriver", "")),
            *self._broker_environment(spec.get("brokerK8sSecret", "")),
            ("CE_IPSEC_PSK", spec.get("ceIPSecPSK", "")),
            ("CE_IPSEC_PSKSECRET", spec.get("ceIPSecPSKSecret", "")),
            ("CE_IPSEC_DEBUG", spec.get("ceIPSecDebug", False)),
        )
        environment.extend(self._health_check())
        environment.extend(self._environment(("SUBMARINER_METRICSPORT", "32780")))
        if self._version.has_halt_on_certificate_error:
            environment.extend(self._environment(("SUBMARINER_HALT_ON_CERT_ERROR", spec.get("haltOnCertificateError", False))))
        environment += [_from_field("NODE_NAME", "spec.nodeName"), _from_field("POD_NAME", "metadata.name"), *self._proxy_environment()]
        if spec.get("ceIPSecNATTPort"):
            environment.extend(self._environment(("CE_IPSEC_NATTPORT", str(spec["ceIPSecNATTPort"]))))
        preferred = bool(spec.get("ceIPSecPreferredServer") or spec.get("loadBalancerEnabled"))
        forced = spec.get("ceIPSecForceUDPEncaps", False)
        return environment + self._environment(("CE_IPSEC_PREFERREDSERVER", preferred), ("CE_IPSEC_FORCEENCAPS", forced))

    def _lighthouse_secret(self) -> str:
        return self._spec.get("brokerK8sSecret", "") if self._version.lighthouse_has_broker_secret else ""

    def _health_check(self) -> list[Object]:
        check = self._spec.get("connectionHealthCheck")
        if check is None:
            check = {"enabled": True, "intervalSeconds": 1, "maxPacketLossCount": 5}
        return self._environment(
            ("SUBMARINER_HEALTHCHECKENABLED", check.get("enabled", False)),
            ("SUBMARINER_HEALTHCHECKINTERVAL", str(check.get("intervalSeconds", 0))),
            ("SUBMARINER_HEALTHCHECKMAXPACKETLOSSCOUNT", str(check.get("maxPacketLossCount", 0))),
        )

    def _broker_environment(self, secret: str) -> list[tuple[str, str | bool]]:
        spec = self._spec
        return [
            ("BROKER_K8S_APISERVER", spec.get("brokerK8sApiServer", "")),
            ("BROKER_K8S_APISERVERTOKEN", spec.get("brokerK8sApiServerToken", "")),
            ("BROKER_K8S_REMOTENAMESPACE", spec.get("brokerK8sRemoteNamespace", "")),
            ("BROKER_K8S_CA", spec.get("brokerK8sCA", "")),
            ("BROKER_K8S_INSECURE", spec.get("brokerK8sInsecure", False)),
            ("BROKER_K8S_SECRET", secret),
        ]

    def _proxy_environment(self) -> list[Object]:
        return self._environment(*self._proxies.items())

    def _environment(self, *pairs: tuple[str, str | bool]) -> list[Object]:
        texts = ((name, str(value).lower() if isinstance(value, bool) else value) for name, value in pairs)
        return [{"name": name, "value": value} if value else {"name": name} for name, value in texts]

    def _container(self, name: str, component: str, environment: list[Object]) -> Object:
        repository, version = self._spec.get("repository", "quay.io/submariner"), self._spec.get("version", "")
        override = (self._spec.get("imageOverrides") or {}).get(component)
        image = override or f"{repository}/{_IMAGES.get(component, 'nettest')}:{version}"
        moving = version in ("devel", "local") or version.startswith("release-")
        return {"name": name, "image": image, "imagePullPolicy": "Always" if moving else "IfNotPresent", "env": environment}

    def _daemon_set(self, name: str, component: str, labels: Object, pod: Object, *, max_unavailable: int | str, history: int) -> Object:
        return self._owned("apps/v1", "DaemonSet", name, {"app": name, "component": component}) | {
            "spec": {
                "revisionHistoryLimit": history,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": labels}, "spec": pod},
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": max_unavailable}},
            },
        }

    def _deployment(self, name: str, replicas: int, pod: Object, owner: Object) -> Object:
        labels = {"app": name, "component": "submariner-lighthouse"}
        return self._owned("apps/v1", "Deployment", name, labels, owner) | {
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }

    def _metrics_service(self, component: str, app: str, port: int, owner: Object | None) -> Object:
        ports = [{"name": "metrics", "port": port, "protocol": "TCP", "targetPort": port}]
        return self._service(f"{component}-metrics", {"app": app}, {"app": app}, ports, owner)

    def _service(self, name: str, labels: Object, selector: Object, ports: list[Object], owner: Object | None) -> Object:
        return self._owned("v1", "Service", name, labels, owner) | {"spec": {"type": "ClusterIP", "ports": ports, "selector": selector}}

    def _owned(self, api_version: str, kind: str, name: str, labels: Object, owner: Object | None = None) -> Object:
        owning = self._submariner if owner is None else owner
        reference = {
            "apiVersion": "submariner.io/v1alpha1",
            "kind": "Submariner" if owner is None else "ServiceDiscovery",
            "name": owning["metadata"]["name"],
            "uid": owning["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        metadata = {"name": name, "namespace": NAMESPACE, "labels": labels, "ownerReferences": [reference]}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _from_field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
