# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The Calico API server as objects, where no operator makes them: named as in projectcalico/calico manifests/apiserver.yaml, so that applying that file
later on takes these over.

Compared with it, up to v3.32: no rights on PodSecurityPolicies and on the group ``extensions``, which Kubernetes has not had since 1.25 and 1.22; resources
that a release does not have are left out; the container gets no privilege that it does not use (tigera/operator pkg/render/apiserver.go runs it as user
10001 from operator 1.32, Calico 3.27, on).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import Version

Object = t.Dict[str, t.Any]

NAME = "calico-apiserver"
NAMESPACE = "calico-apiserver"  # of a manifest in every release; the operator's is calico-system from Calico 3.31 on
SERVICE = "calico-api"
SECRET = "calico-apiserver-certs"
CERTIFICATE_KEY, KEY_KEY = "apiserver.crt", "apiserver.key"  # in the Secret; the server's defaults in its working directory
API_SERVICE = "v3.projectcalico.org"
GROUP = "projectcalico.org"
PORT = 443
TARGET_PORT = 5443
POD_LABEL = "k8s-app"

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "fathom.submariner"

_SELECTOR = {"apiserver": "true"}
_LABELS = {**_SELECTOR, POD_LABEL: NAME}
_READ = ("get", "list", "watch")
_STORED = (
    "globalnetworkpolicies",
    "networkpolicies",
    "clusterinformations",
    "hostendpoints",
    "globalnetworksets",
    "networksets",
    "bgpconfigurations",
    "bgppeers",
    "felixconfigurations",
    "kubecontrollersconfigurations",
    "ippools",
    "ipreservations",
    "ipamblocks",
    "blockaffinities",
    "caliconodestatuses",
    "ipamconfigs",
)
# The release from which on the API server watches these, too, and is not ready without (manifests/apiserver.yaml of each).
_STORED_SINCE = (
    ((3, 26, 0), ("bgpfilters",)),
    ((3, 29, 0), ("tiers",)),
    ((3, 30, 0), ("stagednetworkpolicies", "stagedglobalnetworkpolicies", "stagedkubernetesnetworkpolicies")),
)
_NON_ROOT = (3, 27, 0)
_READYZ = (3, 28, 0)
_ADMISSION_POLICIES = (3, 29, 0)
_ADMISSION_FLAG = (3, 29, 2)  # projectcalico/calico apiserver/cmd/apiserver/server/options.go
_ADMISSION_SERVED = (1, 30)  # Kubernetes: ValidatingAdmissionPolicy is served by default
_USER = 10001  # tigera/operator pkg/render/common/securitycontext


class Release(t.NamedTuple):
    """What the objects depend on.

    :param calico: the running release.
    :param kubernetes: (major, minor) of the cluster.
    :param image: of the API server.
    :param pull_secrets: names of Secrets that the image is pulled with: those of calico-node's pods, which are in calico-node's namespace and must be in
        ``namespace`` as well, see :mod:`_apply._calico_api_server_pull_secrets`.
    """

    calico: Version
    kubernetes: tuple[int, int]
    image: str
    namespace: str = NAMESPACE
    pull_secrets: tuple[str, ...] = ()


def server_name(namespace: str) -> str:
    """The name that kube-aggregator asks for, which the certificate must have as a SAN."""
    return f"{SERVICE}.{namespace}.svc"


def supporting_objects(release: Release) -> tuple[Object, ...]:
    """Everything that the Deployment needs, less the Secret."""
    namespace = release.namespace
    return (
        _object("v1", "Namespace", namespace, labels={"name": namespace, "pod-security.kubernetes.io/enforce": _security_level(release)}),
        _object("v1", "ServiceAccount", NAME, namespace),
        _role("calico-crds", *_storage_rules(release)),
        _role("calico-extension-apiserver-auth-access", *_authorization_rules(release)),
        _role("calico-webhook-reader", _rule("admissionregistration.k8s.io", ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"])),
        _binding("calico-apiserver-access-crds", "calico-crds", namespace),
        _binding("calico-apiserver-delegate-auth", "system:auth-delegator", namespace),
        _binding("calico-apiserver-webhook-reader", "calico-webhook-reader", namespace),
        _binding("calico-extension-apiserver-auth-access", "calico-extension-apiserver-auth-access", namespace),
        _object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "allow-apiserver",
            namespace,
            spec={
                "podSelector": {"matchLabels": dict(_SELECTOR)},
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": [{"protocol": "TCP", "port": TARGET_PORT}]}],
            },
        ),
        _object(
            "v1",
            "Service",
            SERVICE,
            namespace,
            spec={
                "type": "ClusterIP",
                "selector": dict(_SELECTOR),
                "ports": [{"name": "apiserver", "port": PORT, "protocol": "TCP", "targetPort": TARGET_PORT}],
            },
        ),
    )


def secret(namespace: str, data: t.Mapping[str, str]) -> Object:
    """:param data: CERTIFICATE_KEY and KEY_KEY, each in base64."""
    return {**_object("v1", "Secret", SECRET, namespace), "type": "Opaque", "data": dict(data)}


def deployment(release: Release) -> Object:
    """One replica: a restart takes the API away for seconds, and no traffic with it."""
    pod: Object = {
        "serviceAccountName": NAME,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": f"node-role.kubernetes.io/{role}", "effect": "NoSchedule"} for role in ("master", "control-plane")],
        "containers": [_container(release)],
        "volumes": [{"name": SECRET, "secret": {"secretName": SECRET}}],
    }
    if release.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in release.pull_secrets]
    return _object(
        "apps/v1",
        "Deployment",
        NAME,
        release.namespace,
        labels=_LABELS,
        spec={
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": dict(_SELECTOR)},
            "template": {"metadata": {"labels": dict(_LABELS)}, "spec": pod},
        },
    )


def api_service(namespace: str, ca_bundle: str, port: int = PORT) -> Object:
    """:param ca_bundle: PEM certificates in base64.
    :param port: of the Service.
    """
    return _object(
        "apiregistration.k8s.io/v1",
        "APIService",
        API_SERVICE,
        spec={
            "group": GROUP,
            "version": "v3",
            "groupPriorityMinimum": 1500,
            "versionPriority": 200,
            "service": {"name": SERVICE, "namespace": namespace, "port": port},
            "caBundle": ca_bundle,
        },
    )


def operator_request(release_name: str = "", release_namespace: str = "") -> Object:
    """The operator's APIServer.

    :param release_name: Helm release that owns the Installation, "" for none: with its marks on it a later ``apiServer.enabled: true`` takes the object
        over instead of failing on it (helm.sh/docs, "import existing resources").
    """
    body: Object = {"apiVersion": "operator.tigera.io/v1", "kind": "APIServer", "metadata": {"name": "default"}, "spec": {}}
    if release_name:
        body["metadata"]["labels"] = {MANAGED_BY: "Helm"}
        body["metadata"]["annotations"] = {"meta.helm.sh/release-name": release_name, "meta.helm.sh/release-namespace": release_namespace}
    return body


def made_here(found: t.Mapping[str, t.Any]) -> bool:
    """Whether this collection made an object."""
    return ((found.get("metadata") or {}).get("labels") or {}).get(MANAGED_BY) == MANAGER


_PLURALS = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "NetworkPolicy": "networkpolicies",
    "Service": "services",
    "Secret": "secrets",
    "Deployment": "deployments",
    "APIService": "apiservices",
    "APIServer": "apiservers",
}


def collection_of(body: t.Mapping[str, t.Any]) -> str:
    """Path of the collection that an object of this room is created in."""
    version, namespace = body["apiVersion"], body["metadata"].get("namespace")
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{root}/{f'namespaces/{namespace}/' if namespace else ''}{_PLURALS[body['kind']]}"


def path_of(body: t.Mapping[str, t.Any]) -> str:
    return f"{collection_of(body)}/{body['metadata']['name']}"


def named(body: t.Mapping[str, t.Any]) -> str:
    """For people: ``Secret calico-apiserver/calico-apiserver-certs``."""
    namespace = body["metadata"].get("namespace")
    return f"{body['kind']} {f'{namespace}/' if namespace else ''}{body['metadata']['name']}"


def _object(version: str, kind: str, name: str, namespace: str = "", *, labels: t.Mapping[str, str] | None = None, **content: t.Any) -> Object:
    metadata: Object = {"name": name, "labels": {**(labels or {}), MANAGED_BY: MANAGER}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def _role(name: str, *rules: Object) -> Object:
    return _object("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=list(rules))


def _rule(group: str, resources: t.Iterable[str], verbs: t.Iterable[str] = _READ, **more: t.Any) -> Object:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs), **more}


def _binding(name: str, role: str, namespace: str) -> Object:
    return _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        name,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    )


def _storage_rules(release: Release) -> tuple[Object, ...]:
    stored = [*_STORED, *(name for since, names in _STORED_SINCE if release.calico >= since for name in names)]
    return (
        _rule("", ["nodes", "namespaces", "pods", "serviceaccounts"]),
        _rule("networking.k8s.io", ["networkpolicies"]),
        _rule("crd.projectcalico.org", stored, [*_READ, "create", "update", "delete"]),
    )


def _authorization_rules(release: Release) -> tuple[Object, ...]:
    rules = [
        _rule("", ["configmaps"], resourceNames=["extension-apiserver-authentication"]),
        _rule("rbac.authorization.k8s.io", ["clusterroles", "clusterrolebindings", "roles", "rolebindings"]),
    ]
    if release.calico >= _ADMISSION_POLICIES:
        rules.append(_rule("admissionregistration.k8s.io", ["validatingadmissionpolicies", "validatingadmissionpolicybindings"]))
    return tuple(rules)


def _container(release: Release) -> Object:
    args = [f"--secure-port={TARGET_PORT}"]
    if release.calico >= _ADMISSION_FLAG and release.kubernetes < _ADMISSION_SERVED:
        args.append("--enable-validating-admission-policy=false")
    return {
        "name": NAME,
        "image": release.image,
        "args": args,
        "env": [{"name": "DATASTORE_TYPE", "value": "kubernetes"}],
        **_probes(release),
        "securityContext": _security_context(release),
        "volumeMounts": [{"name": SECRET, "mountPath": "/code/apiserver.local.config/certificates", "readOnly": True}],
    }


def _probes(release: Release) -> Object:
    """Until 3.27 the image has a program of its own for readiness; from 3.28 on ``/readyz`` asks kube-apiserver, hence its long period."""
    if release.calico >= _READYZ:
        return {"readinessProbe": {"httpGet": _get("/readyz"), "periodSeconds": 60, "timeoutSeconds": 5}}
    return {
        "livenessProbe": {"httpGet": _get("/version"), "initialDelaySeconds": 90, "periodSeconds": 10},
        "readinessProbe": {"exec": {"command": ["/code/filecheck"]}, "initialDelaySeconds": 5, "periodSeconds": 10, "failureThreshold": 5},
    }


def _get(path: str) -> Object:
    return {"path": path, "port": TARGET_PORT, "scheme": "HTTPS"}


def _security_context(release: Release) -> Object:
    context: Object = {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if release.calico >= _NON_ROOT:
        return {**context, "runAsNonRoot": True, "runAsUser": _USER, "runAsGroup": _USER}
    return {**context, "runAsUser": 0}


def _security_level(release: Release) -> str:
    """Of Pod Security: the strictest that the container fulfils, so that a cluster-wide default neither refuses it nor lets more in."""
    return "restricted" if release.calico >= _NON_ROOT else "baseline"
