# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What RKE2, k3s and OpenShift say of their network, from raw JSON to records. Helm values are kept by name: any of the others may be a secret."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._deps import MissingLibraryError, load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import HelmChart, HelmChartConfig, OpenShiftDns, OpenShiftNetwork
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_origin import origin
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    condition_of,
    object_at,
    objects_at,
    ref_of,
    text_at,
    text_map_at,
    texts_at,
    value_at,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import redacted_message, redacted_text

HELM_VALUES = ("global.clusterCIDR", "global.serviceCIDR", "global.clusterDNS", "global.clusterDomain")
NETWORK_VALUES = ("apiServer", "installation", "felixConfiguration", "calico", "flannel")  # of the charts rke2-calico and rke2-canal
SECRET_VALUE = re.compile(r"secret|password|token|credential|privatekey|(^|\.)key$|certificate|(^|\.)(tls|ca)(\.|$)", re.IGNORECASE)
CHART_URL = "helm.cattle.io/chart-url"
_CHART_VERSION = re.compile(r"-(v?\d+\.\d+[^/]*)\.tgz$")
MOST_VALUES = 200
MOST_VISITS = 2000


def helm_chart(obj: JsonObject) -> HelmChart:
    values = text_map_at(obj, "spec", "set")
    sources = (text_at(obj, "metadata", "annotations", CHART_URL), text_at(obj, "spec", "chart"))
    named = next((found.group(1) for found in map(_CHART_VERSION.search, sources) if found), "")
    failed = condition_of(obj, "Failed")
    return HelmChart(
        ref=ref_of(obj, "HelmChart"),
        set_values={key: value for key, value in values.items() if key.startswith(HELM_VALUES)},
        version=text_at(obj, "spec", "version") or named,
        failed=(redacted_message(text_at(failed, "message")) or text_at(failed, "reason") or "Failed") if failed.get("status") == "True" else "",
    )


def helm_chart_config(obj: JsonObject) -> HelmChartConfig:
    """``spec.valuesContent`` (YAML in a string) and ``spec.values`` (an object, helm-controller >= 0.17), the latter winning as the CRD says.

    Both are given to Helm as ``--values``, which merges mappings deeply.
    """
    document, problem = _yaml_mapping(text_at(obj, "spec", "valuesContent"))
    values: dict[str, str] = {}
    for given in (document, object_at(obj, "spec", "values")):
        later = _leaves({key: value for key, value in given.items() if key in NETWORK_VALUES})
        lists = tuple({path.partition("[")[0] + "[" for path in later if "[" in path})  # a list replaces a list
        values = {**{path: value for path, value in values.items() if not path.startswith(lists)}, **later}
    return HelmChartConfig(ref=ref_of(obj, "HelmChartConfig"), values=values, problem=problem, origin=origin(obj))


def _yaml_mapping(text: str) -> tuple[dict[str, t.Any], str]:
    if not text.strip():
        return {}, ""
    try:
        yaml = load_yaml()
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except MissingLibraryError:
        return {}, "it could not be read: PyYAML is missing where this module runs"
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        return {}, f"it is no YAML{where}: {getattr(error, 'problem', None) or type(error).__name__}"
    if found is None:
        return {}, ""
    return (found, "") if isinstance(found, dict) else ({}, "it is YAML, and no mapping")


def _leaves(found: dict[str, t.Any]) -> dict[str, str]:
    """Scalars under their dotted path; entries of a list count as ``[0]``. Bounded, since anchors make small texts large, or endless."""
    values: dict[str, str] = {}
    pending: list[tuple[str, t.Any]] = [("", found)]
    for _visit in range(MOST_VISITS):
        if not pending or len(values) >= MOST_VALUES:
            break
        path, value = pending.pop()
        if isinstance(value, dict):
            pending.extend((f"{path}.{key}" if path else str(key), inner) for key, inner in reversed(list(value.items())[:MOST_VALUES]))
        elif isinstance(value, list):
            pending.extend((f"{path}[{number}]", inner) for number, inner in reversed(list(enumerate(value[:MOST_VALUES]))))
        elif not SECRET_VALUE.search(path):
            values[path] = ("true" if value else "false") if isinstance(value, bool) else "" if value is None else redacted_text(str(value))
    return values


def openshift_network(obj: JsonObject) -> OpenShiftNetwork:
    def networks(part: str) -> tuple[str, ...]:
        return tuple(cidr for cidr in (text_at(entry, "cidr") for entry in objects_at(obj, part, "clusterNetwork")) if cidr)

    return OpenShiftNetwork(
        ref=ref_of(obj, "Network"),
        network_type=text_at(obj, "status", "networkType") or text_at(obj, "spec", "networkType"),
        status_cluster_networks=networks("status"),
        status_service_networks=texts_at(obj, "status", "serviceNetwork"),
        spec_cluster_networks=networks("spec"),
        spec_service_networks=texts_at(obj, "spec", "serviceNetwork"),
    )


def openshift_dns(obj: JsonObject) -> OpenShiftDns:
    forwards = []
    for server in objects_at(obj, "spec", "servers"):
        upstreams = texts_at(value_at(server, "forwardPlugin"), "upstreams")
        forwards.extend((zone, upstreams) for zone in texts_at(server, "zones"))
    return OpenShiftDns(ref=ref_of(obj, "DNS"), forwards=tuple(forwards))
