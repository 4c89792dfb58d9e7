# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which format a file of a bundle belongs to, told from the paths around it.

A *part* of a bundle is what one run of one tool left: a folder in that tool's layout. Layouts:

- ours: the folder of an ``index.json`` that says so;
- ``subctl gather`` since 0.14: FOLDER/CLUSTER/RESOURCE_NAMESPACE_NAME.yaml; before: FOLDER/CLUSTER_RESOURCE_NAMESPACE_NAME.yaml, where CLUSTER is ``broker``
  for what was read from the broker (subctl internal/gather/resource.go);
- ``kubectl cluster-info dump``: ROOT/nodes.json and ROOT/NAMESPACE/replication-controllers.json with its siblings (kubectl pkg/cmd/clusterinfo);
- ``oc adm inspect``, which must-gather images run: ROOT/cluster-scoped-resources/GROUP/... and ROOT/namespaces/NAMESPACE/GROUP/...;
- everything else: what somebody wrote with ``kubectl get``, folder by folder.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_logs import LogName, log_of_gather, log_of_path

OURS, GATHER, DUMP, INSPECT, PLAIN = "ours", "gather", "dump", "inspect", "plain"
NAMES: t.Mapping[str, str] = {
    OURS: "a bundle of this collection",
    GATHER: "subctl gather",
    DUMP: "kubectl cluster-info dump",
    INSPECT: "oc adm must-gather",
    PLAIN: "output of kubectl get",
}
INDEX = "index.json"
SUMMARY = "summary.html"
BROKER = "broker"
_GATHERED = (
    "clusterglobalegressips|clusters|configmaps|daemonsets|deployments|endpoints|endpointslices|gatewayroutes|gateways|globalegressips|globalingressips"
    "|nongatewayroutes|routeagents|servicediscoveries|serviceexports|serviceimports|services|submariners"
)
_GATHER_FILE = re.compile(rf"(?:(?P<cluster>[^/]+?)_)?(?P<resource>{_GATHERED})_(?P<namespace>[^_/]*)_[^/]+\.yaml")
_DUMP_FILE = re.compile(r"(?:(?P<root>.*)/)?(?P<namespace>[^/]+)/replication-controllers\.(?:json|yaml)")
_INSPECT_FILE = re.compile(
    r"(?:(?P<root>.*)/)?(?:cluster-scoped-resources/[^/]+/[^/]+\.yaml|cluster-scoped-resources/[^/]+/[^/]+/[^/]+\.yaml"
    r"|namespaces/(?P<namespace>[^/]+)/(?:[^/]+\.yaml|[^/]+/[^/]+\.yaml|[^/]+/[^/]+/[^/]+\.yaml))"
)
_PLAIN_LOGS = re.compile(r"(?:(?P<root>.*)/)?logs/[^/]+/[^/]+/[^/]+\.log")


class Place(t.NamedTuple):
    """Where a file belongs. ``namespace`` is told by the paths of some formats."""

    format: str
    root: str
    namespace: str = ""
    log: LogName | None = None


class Roots(t.NamedTuple):
    """The parts of a bundle: their roots by format; gather's to the cluster's name."""

    ours: frozenset[str]
    gather: t.Mapping[str, str]
    dump: frozenset[str]
    inspect: frozenset[str]


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def roots_of(paths: t.Iterable[str], ours: t.Iterable[str], summaries: t.Iterable[str]) -> Roots:
    """Find the parts.

    :param ours: folders whose index says that they are a bundle of this collection.
    :param summaries: folders of a summary.html of ``subctl gather``.
    """
    gathered: dict[str, dict[str, set[str]]] = {}
    dump: set[str] = set()
    inspect: set[str] = set()
    for path in paths:
        name = path.rpartition("/")[2]
        found = _GATHER_FILE.fullmatch(name)
        if found is not None:
            gathered.setdefault(folder_of(path), {}).setdefault(found["cluster"] or "", set()).add(found["resource"])
            continue
        found = _DUMP_FILE.fullmatch(path)
        if found is not None:
            dump.add(found["root"] or "")
            continue
        found = _INSPECT_FILE.fullmatch(path)
        if found is not None:
            inspect.add(found["root"] or "")
    with_summary = set(summaries)
    gather = {
        _gather_root(folder, cluster): cluster or folder.rpartition("/")[2].rstrip("!")
        for folder, clusters in gathered.items()
        for cluster, resources in clusters.items()
        # A folder of somebody's own may hold a file that is called like one of gather's.
        if folder in with_summary or resources & {"submariners", "endpoints", "clusters", "gateways", "servicediscoveries"}
    }
    gather.update({folder: folder.rpartition("/")[2] for folder in with_summary if not gathered.get(folder)})
    return Roots(frozenset(ours), gather, frozenset(dump), frozenset(inspect))


def _gather_root(folder: str, cluster: str) -> str:
    return (f"{folder}/{cluster}_" if folder else f"{cluster}_") if cluster else folder


def place_of(path: str, roots: Roots) -> Place:
    """The part that a file belongs to."""
    own = next((root for root in roots.ours if not root or path.startswith(f"{root}/")), None)
    if own is not None:
        return Place(OURS, own)
    folder, _slash, name = path.rpartition("/")
    place = _place_in_gather(folder, name, roots)
    if place is not None:
        return place
    log = log_of_path(path, "inspect")
    if log is not None:
        return Place(INSPECT, path[: path.rindex("namespaces/")].rstrip("/"), log.namespace, log)
    found = _INSPECT_FILE.fullmatch(path)
    if found is not None:
        return Place(INSPECT, found["root"] or "", found["namespace"] or "")
    place = _place_in_dump(path, folder, name, roots)
    if place is not None:
        return place
    log = log_of_path(path, "plain")
    if log is not None:
        logs = _PLAIN_LOGS.fullmatch(path)
        return Place(PLAIN, (logs["root"] if logs else "") or "", log.namespace, log)
    return Place(PLAIN, folder)


def _place_in_gather(folder: str, name: str, roots: Roots) -> Place | None:
    if name == SUMMARY and folder in roots.gather:
        return Place(GATHER, folder)
    found = _GATHER_FILE.fullmatch(name)
    if found is not None:
        root = _gather_root(folder, found["cluster"] or "")
        return Place(GATHER, root, found["namespace"]) if root in roots.gather else None
    log = log_of_gather(name)
    if log is None:
        return None
    root = _gather_root(folder, log[0])
    return Place(GATHER, root, "", log[1]) if root in roots.gather else None


def _place_in_dump(path: str, folder: str, name: str, roots: Roots) -> Place | None:
    if folder in roots.dump and name.partition(".")[0] == "nodes":
        return Place(DUMP, folder)
    above = folder_of(folder)
    if "/" in folder or above == "":
        if above in roots.dump and name.endswith((".json", ".yaml")) and folder != above:
            return Place(DUMP, above, folder.rpartition("/")[2])
    if name == "logs.txt":
        log = log_of_path(path, "dump")
        root = folder_of(above)
        if log is not None and root in roots.dump:
            return Place(DUMP, root, log.namespace, log)
    return None
