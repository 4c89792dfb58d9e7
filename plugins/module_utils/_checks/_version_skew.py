# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One version of Submariner inside a cluster, and close ones across the clusterset."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._clusterset_members import not_compared
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import SubmarinerVersion, parse_submariner_version

# Images that Submariner's release builds and tags alike (submariner-operator pkg/names); others in its namespace have versions of their own.
IMAGES = (
    "submariner-operator",
    "submariner-gateway",
    "submariner-route-agent",
    "submariner-globalnet",
    "lighthouse-agent",
    "lighthouse-coredns",
)


class Seen(t.NamedTuple):
    """A version and where it stands."""

    version: SubmarinerVersion
    evidence: Evidence


def _seen(version: str, evidence: Evidence) -> t.Iterator[Seen]:
    """Nothing where the text names no point in Submariner's history: a digest or a private tag can be any version."""
    parsed = parse_submariner_version(version)
    if parsed is not None:
        yield Seen(parsed, evidence)


def image_version(image: str) -> str:
    """The tag of one of Submariner's own images, "" for any other and for a digest."""
    path, _at, _digest = image.partition("@")
    name, _colon, tag = path.rpartition("/")[2].partition(":")
    return tag if name in IMAGES else ""


def versions_seen(facts: Facts) -> list[Seen]:
    """Every place of one cluster that says which version of Submariner it is: the object, the images that run, and what gateways report."""
    namespace = facts.submariner.ref.namespace
    submariner = facts.submariner
    found = list(_seen(submariner.version, Evidence(str(submariner.ref), "spec.version", submariner.version)))
    workloads: list[t.Any] = [*facts.snapshot.deployments.items, *facts.snapshot.daemon_sets.items]
    for workload in workloads:
        if workload.ref.namespace == namespace and not workload.ref.name.endswith("-uninstall"):
            for container in workload.containers:
                found += _of_container(str(workload.ref), container)
    for gateway in facts.gateways:
        found += _seen(gateway.version, Evidence(str(gateway.ref), "status.version", gateway.version))
    for discovery in facts.snapshot.service_discoveries.items:
        found += _seen(discovery.version, Evidence(str(discovery.ref), "spec.version", discovery.version))
    return found


def _of_container(owner: str, container: Container) -> t.Iterator[Seen]:
    tag = image_version(container.image)
    return _seen(tag, Evidence(owner, f"spec.template.spec.containers[{container.name}].image", container.image))


@check(
    "version-skew",
    title="All parts of Submariner on this cluster have one version",
    severity="warning",
    needs=("deployments", "daemon_sets", "gateways"),
    joined=True,
    references=("submariner-operator controllers/submariner/submariner_controller.go",),
    tags=("versions", "health"),
    remedy="Finish the upgrade of the operator.",
)
def version_skew(facts: Facts) -> t.Iterator[Problem]:
    """Operator, gateway, agents, Lighthouse and the Submariner object: an upgrade that stopped half-way leaves two versions.

    Images without a version in their tag (digests, private tags) say nothing.
    """
    seen = versions_seen(facts)
    points = {entry.version.point for entry in seen}
    if len(points) < 2:
        return
    wanted = parse_submariner_version(facts.submariner.version)
    odd = [entry for entry in seen if wanted is None or entry.version.point != wanted.point] or seen
    yield Problem(
        subject=names(entry.evidence.object for entry in odd),
        title=f"Parts of Submariner have different versions: {names(str(entry.version).lstrip('v') for entry in seen)}",
        evidence=few(
            (*(entry.evidence for entry in odd), Evidence(str(facts.submariner.ref), "spec.version", facts.submariner.version, "what should run")), 8
        ),
        impact="The operator deploys what it knows, not what the object says; parts of different versions are tested together by nobody.",
        remedy=by_hand(
            "Finish the upgrade: subctl upgrade, or with Helm the chart and the image tag; check spec.imageOverrides. Delete pods that stayed behind."
        ),
    )


@check(
    "clusterset-version-skew",
    title="The clusters of the set have close versions of Submariner",
    severity="warning",
    scope=CLUSTERSET,
    references=("https://submariner.io/operations/upgrading/",),
    tags=("versions",),
    remedy="Upgrade the older clusters.",
)
def clusterset_version_skew(cards: tuple[Card, ...]) -> t.Iterator[Problem]:
    """Clusters are upgraded one after the other, so neighbouring minor versions work together; further apart, and for long, nobody tests them."""
    yield from not_compared(tuple(card for card in cards if card.error))
    known = [(card, version) for card, version in ((card, parse_submariner_version(card.submariner_version)) for card in cards if card.joined) if version]
    if len({(version.major, version.minor) for _card, version in known}) < 2:
        return
    minors = sorted({(version.major, version.minor) for _card, version in known})
    apart = minors[-1][0] != minors[0][0] or minors[-1][1] - minors[0][1] > 1
    yield Problem(
        subject="Submariner of " + ", ".join(card.cluster for card, _version in known),
        title="The clusters run different versions of Submariner: " + ", ".join(f"{card.cluster} {version}" for card, version in known),
        evidence=tuple(Evidence(f"cluster {card.cluster}", "Submariner spec.version", str(version)) for card, version in known),
        impact="Versions that far apart are tested together by nobody." if apart else "Fine while an upgrade is going on.",
        remedy=by_hand("Upgrade the older ones; the cluster with the broker first."),
        severity="" if apart else "info",
    )
