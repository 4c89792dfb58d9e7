# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which question an object of a bundle answers, and which questions a format answers even where it holds no object.

The questions are those of the live reader (``REQUESTS``): an object belongs to a question when its kind's resource, its namespace and its fields are what the
question's path and selectors ask for. So both readers know of the same kinds, and see each object through the same projection.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_selectors import Requirement, fields_match, labels_match, requirements
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import object_at, text_at
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._requests import REQUESTS, split_key

_PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[^/]+)")
_IRREGULAR = {"Endpoints": "endpoints"}
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
# Objects of which a cluster has one, under a name that everybody knows: seeing it is seeing them all.
SINGLETONS = frozenset(
    (
        "submariners",
        "service_discoveries",
        "brokers",
        "installations",
        "operator_api_servers",
        "cluster_informations",
        "openshift_networks",
        "openshift_dns",
        "kube_controllers_configurations",
    )
)
# Fields whose kinds stand in every namespace: a list of them may be of some namespaces only.
SPREAD = frozenset(("pods", "services", "daemon_sets", "deployments", "network_policies"))
# kubectl pkg/cmd/clusterinfo/clusterinfo_dump.go
DUMPED = frozenset(("pods", "services", "daemon_sets", "deployments"))
ALL_NAMESPACES = frozenset(("kube-node-lease", "kube-public"))  # nobody dumps these by name, and every cluster has them
# subctl internal/gather: what is listed whole wherever its component is installed.
GATHERED_OPERATOR = frozenset(("submariners", "service_discoveries"))
GATHERED_CONNECTIVITY = frozenset(
    ("endpoints", "submariner_clusters", "gateways", "global_egress_ips/clusterglobalegressips", "global_egress_ips/globalegressips")
)
GATHERED_ROUTE_AGENTS_SINCE = (0, 19)
GATHERED_DISCOVERY = frozenset(("service_exports", "service_imports"))


class Target(t.NamedTuple):
    """What a question asks for."""

    request: ListRequest
    api_version: str
    resource: str
    namespace: str
    labels: tuple[Requirement, ...]
    fields: tuple[Requirement, ...]

    @property
    def field(self) -> str:
        return split_key(self.request.key)[0]

    def matches(self, obj: t.Mapping[str, t.Any]) -> bool:
        """Whether the object is among the answer."""
        return (
            (not self.namespace or text_at(obj, "metadata", "namespace") == self.namespace)
            and (not self.labels or labels_match(self.labels, object_at(obj, "metadata", "labels")))
            and (not self.fields or fields_match(self.fields, obj))
        )


def _target(request: ListRequest) -> Target:
    found = _PATH.fullmatch(request.path)
    if found is None:
        raise ValueError(f"{request.key}: no path of a list: {request.path}")
    group, version = found["group"] or "", found["version"]
    return Target(
        request,
        f"{group}/{version}" if group else version,
        found["resource"],
        found["namespace"] or "",
        requirements(request.label_selector),
        requirements(request.field_selector),
    )


TARGETS: t.Mapping[str, Target] = {request.key: _target(request) for request in REQUESTS}
RESOURCES = frozenset(target.resource for target in TARGETS.values())
_BY_RESOURCE: dict[tuple[str, str], list[Target]] = {}
for _each in TARGETS.values():
    _BY_RESOURCE.setdefault((_each.api_version, _each.resource), []).append(_each)
_KINDS: dict[tuple[str, str], list[Target]] = {}


def resource_of(kind: str) -> str:
    """The resource of a kind, by the rule that CRDs follow (apimachinery pkg/api/meta/restmapper.go, UnsafeGuessKindToResource)."""
    lower = kind.lower()
    if kind in _IRREGULAR:
        return _IRREGULAR[kind]
    if lower.endswith("s"):
        return f"{lower}es"
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return f"{lower[:-1]}ies"
    return f"{lower}s"


def targets_of(api_version: str, kind: str) -> list[Target]:
    """The questions that objects of this kind may answer."""
    key = (api_version, kind)
    if key not in _KINDS:
        _KINDS[key] = _BY_RESOURCE.get((api_version, resource_of(kind)), [])
    return _KINDS[key]


def wants(api_version: str, kind: str) -> bool:
    return (api_version, kind) == CRD or bool(targets_of(api_version, kind))


def targets_of_file(name: str) -> list[Target]:
    """The questions that a file ``RESOURCE[.GROUP].yaml`` answers by its name: an empty List says not what it is a list of."""
    stem = re.sub(r"\.(?:ya?ml|json)$", "", name)
    resource, _dot, group = stem.partition(".")
    return [
        target
        for target in TARGETS.values()
        if target.resource == resource and (not group or target.api_version.partition("/")[0] == group) and (group or "/" not in target.api_version)
    ]


def kind_of_file(name: str) -> str:
    """The kind of items in a file called like its resource, such as nodes.yaml; "" where none is wanted."""
    stem = name.partition(".")[0].replace("-", "")
    return _KIND_OF_RESOURCE.get(stem, "")


_KIND_OF_RESOURCE = {"nodes": "Node", "pods": "Pod", "services": "Service", "daemonsets": "DaemonSet", "deployments": "Deployment", "events": "Event"}


def gathered_when_empty(*, operator: bool, connectivity: bool, discovery: bool, subctl: str) -> frozenset[str]:
    """Keys of questions that ``subctl gather`` has answered though it wrote no file for them.

    :param subctl: its version, "" where unknown; it lists RouteAgents since 0.19.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", subctl)[:2])
    found: set[str] = set(GATHERED_OPERATOR) if operator else set()
    if connectivity:
        found |= GATHERED_CONNECTIVITY
        if numbers >= GATHERED_ROUTE_AGENTS_SINCE:
            found.add("route_agents")
    return frozenset(found | (GATHERED_DISCOVERY if discovery else frozenset()))
