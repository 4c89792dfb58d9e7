# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What chart rke2-calico renders of its values, and what a Helm upgrade makes of that. Pure.

rancher/rke2-charts charts/rke2-calico v3.30.001 (values.yaml, templates/crs/custom-resources.yaml): the whole of ``installation`` becomes the
Installation's spec; pools and ``firstFound`` come from ``global.clusterCIDRv4`` unless the values name pools themselves. Keys that no Installation has
(``natOutgoing``, ``backend``) are left out, as its CRD prunes them. Helm merges three ways (helm pkg/kube/client.go createPatch, JSON merge patch for
custom resources): what the chart said and says no more goes, what it says is put back, and what only the cluster says stays.
"""

from __future__ import annotations

import typing as t

import yaml

from tests.lab.merging import merged

Object = dict[str, t.Any]

RELEASE, RELEASE_NAMESPACE = "rke2-calico", "kube-system"
HELM_LABELS = {"app.kubernetes.io/managed-by": "Helm"}
HELM_ANNOTATIONS = {"meta.helm.sh/release-name": RELEASE, "meta.helm.sh/release-namespace": RELEASE_NAMESPACE}
ONLY_THE_CHARTS = ("enabled", "natOutgoing", "backend", "kubernetesProvider", "imagePullSecrets")
DEFAULTS: Object = {
    "installation": {
        "enabled": True,
        "kubeletVolumePluginPath": "None",
        "natOutgoing": "Enabled",
        "backend": "VXLAN",
        "calicoNetwork": {"bgp": "Disabled"},
        "imagePath": "rancher",
        "imagePrefix": "mirrored-calico-",
    },
    "apiServer": {"enabled": False},
    "global": {"clusterCIDRv4": "", "clusterCIDRv6": ""},
}
AUTODETECTION = {"clusterCIDRv4": "nodeAddressAutodetectionV4", "clusterCIDRv6": "nodeAddressAutodetectionV6"}
OPERATOR = "operator.tigera.io/v1"


class ChartError(Exception):
    """Helm's Job fails; the text is in its log."""


def values(chart: Object, config: Object | None) -> Object:
    """The chart's values: its defaults, then those of HelmChart and HelmChartConfig, then ``spec.set`` (helm-controller pkg/controllers/chart).

    Raises ChartError for content that is no YAML, or no mapping.
    """
    found = DEFAULTS
    for name, spec in (("HelmChart", chart["spec"]), ("HelmChartConfig", (config or {}).get("spec") or {})):
        try:
            given = yaml.safe_load(spec.get("valuesContent") or "") or {}
        except yaml.YAMLError as error:
            raise ChartError(f"failed to parse valuesContent of {name}: {error}") from error
        if not isinstance(given, dict):
            raise ChartError(f"valuesContent of {name} is no mapping")
        found = merged(found, given)
    for key, value in (chart["spec"].get("set") or {}).items():
        *parents, last = key.split(".")
        given = {last: value}
        for each in reversed(parents):
            given = {each: given}
        found = merged(found, given)
    return t.cast(Object, found)


def rendered(given: Object) -> dict[str, Object]:
    """Installation and APIServer by kind, those that the values switch on."""
    found = {}
    installation = given.get("installation") or {}
    if installation.get("enabled"):
        spec = {key: value for key, value in installation.items() if key not in ONLY_THE_CHARTS}
        spec["calicoNetwork"] = _network(installation, given.get("global") or {})
        found["Installation"] = _object("Installation", spec)
    api_server = given.get("apiServer") or {}
    if api_server.get("enabled"):
        found["APIServer"] = _object("APIServer", {key: value for key, value in api_server.items() if key != "enabled"})
    return found


def upgraded(before: Object, after: Object, live: Object) -> Object:
    """A live spec after the upgrade of a release from one rendered spec to another."""
    result = dict(live)
    for key in before:
        if key not in after:
            result.pop(key, None)
    for key, value in after.items():
        if isinstance(value, dict) and isinstance(live.get(key), dict):
            result[key] = upgraded(before.get(key) if isinstance(before.get(key), dict) else {}, value, live[key])
        elif not _has(live.get(key), value):
            result[key] = value
    return result


def _network(installation: Object, given: Object) -> Object:
    network = dict(installation.get("calicoNetwork") or {})
    if network.get("ipPools"):
        return network
    cidrs = [(family, given[family]) for family in AUTODETECTION if given.get(family)]
    if cidrs:
        options = {"natOutgoing": installation.get("natOutgoing"), "encapsulation": installation.get("backend")}
        network["ipPools"] = [{**options, "cidr": cidr} for _family, cidr in cidrs]
    for family, _cidr in cidrs:
        if not network.get(AUTODETECTION[family]):
            network[AUTODETECTION[family]] = {"firstFound": True}
    return network


def _has(live: t.Any, wanted: t.Any) -> bool:
    """Whether a live list or value is the wanted one, apart from what the operator has filled in."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_has(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return len(live) == len(wanted) and all(_has(*pair) for pair in zip(live, wanted))
    return bool(live == wanted)


def _object(kind: str, spec: Object) -> Object:
    return {"apiVersion": OPERATOR, "kind": kind, "metadata": {"name": "default", "labels": HELM_LABELS, "annotations": HELM_ANNOTATIONS}, "spec": spec}
