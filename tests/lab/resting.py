# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of every cluster of a layout, whole and in the order in which to plant them."""

from __future__ import annotations

import dataclasses
import typing as t

from tests.lab import joined, nodes
from tests.lab.addresses import Addresses
from tests.lab.at_rest import Machinery
from tests.lab.client import Object
from tests.lab.info import ClusterInfo, LabError, LabInfo
from tests.lab.joined import Member
from tests.lab.layout import Layout
from tests.lab.merging import merged
from tests.lab.standins._calico_storage import API_VERSION as CALICO_V3
from tests.lab.standins._calico_storage import to_stored
from tests.lab.standins._objects import BROKER_NAMESPACE
from tests.lab.templates import Values

CALICO_UID = "6b0f36aa-58a5-4c0c-8b7e-{:012x}"


@dataclasses.dataclass(frozen=True)
class Resting:
    """One cluster of a layout before it is planted.

    :ivar machinery: what completes its objects, and later those of an incident.
    :ivar given: its objects as the layout's files have them.
    """

    cluster: ClusterInfo
    values: Values
    addresses: Addresses
    machinery: Machinery
    nodes: tuple[Object, ...]
    given: tuple[Object, ...]

    def completed(self, objects: t.Iterable[Object]) -> list[Object]:
        """Objects with what controllers and kubelets, and Calico's API server, would have made of them."""
        return [self._as_stored(number, each) for number, each in enumerate(self.machinery.complete(objects))]

    def _as_stored(self, number: int, obj: Object) -> Object:
        if obj["apiVersion"] != CALICO_V3:
            return obj
        known = {"uid": CALICO_UID.format(number), "creationTimestamp": self.values["days_ago_40"]}
        version = str(self.cluster.options.get("calico_version", self.values.get("calico_version", "")))
        return to_stored({**obj, "metadata": {**known, **obj["metadata"]}}, version)


def prepare(layout: Layout, lab: LabInfo, cluster: ClusterInfo) -> Resting:
    """A cluster with its nodes and the objects of the layout's files."""
    values = layout.values(lab, cluster)
    addresses = Addresses(cluster.pod_cidr, [each.name for each in cluster.nodes], layout.encapsulation)
    made = []
    for number, each in enumerate(cluster.nodes):
        own = values | {"tunnel_ip": addresses.tunnel(each.name), "node_pod_cidr": addresses.node_cidr(number)}
        made.append(nodes.as_registered(layout.node_object(each, own), cluster))
    given = tuple(layout.objects(values, cluster.nodes))
    return Resting(cluster, values, addresses, Machinery(made, cluster.nodes, addresses), tuple(made), given)


def objects(clusters: t.Sequence[Resting]) -> dict[str, list[Object]]:
    """By cluster name: namespaces, nodes, the layout's own, Submariner's, and Calico's account of the pods' addresses."""
    members = [member for member in map(_member, clusters) if member is not None]
    found = {}
    for resting in clusters:
        mine = next((each for each in members if each.cluster == resting.cluster), None)
        given = list(resting.given)
        if mine is not None:
            overlays = {_key(each): each for each in given}
            made = joined.objects(mine, [each for each in members if each is not mine])
            if any(each["kind"] == "Namespace" and each["metadata"]["name"] == BROKER_NAMESPACE for each in given):
                made += joined.broker_objects(members)
            keys = {_key(each) for each in made}
            given = [each for each in given if _key(each) not in keys]
            given += [merged(each, overlays[_key(each)]) if _key(each) in overlays else each for each in made]
        completed = resting.completed(given)
        spaces = [each for each in completed if each["kind"] == "Namespace"]
        others = [each for each in completed if each["kind"] != "Namespace"]
        found[resting.cluster.name] = [*spaces, *resting.nodes, *others, *resting.addresses.blocks()]
    return found


def _member(resting: Resting) -> Member | None:
    found = [each for each in resting.given if each["kind"] == "Submariner"]
    if len(found) > 1:
        raise LabError(f"{resting.cluster.name}: a cluster has one Submariner, the layout has {len(found)}")
    return Member(resting.cluster, found[0], resting.nodes, resting.values) if found else None


def _key(obj: Object) -> tuple[str, str, str]:
    metadata = obj["metadata"]
    return obj["kind"], metadata.get("namespace", ""), metadata["name"]
