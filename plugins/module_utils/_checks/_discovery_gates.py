# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a version of Submariner can and cannot find out by itself on this cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, correct_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import WRONG, Detection, would_detect
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import SERVICE_CIDR_OBJECTS

# One release for each way in which discovery works: before and after every change of it that touches CIDRs (see _version.CHANGES).
RELEASES = ("0.16.7", "0.17.3", "0.18.0", "0.18.1", "0.19.0", "0.20.0", "0.21.0", "0.21.1")


@check(
    "discovery-fails",
    title="The operator's discovery of CIDRs does not fail on this cluster",
    severity="error",
    needs=("server_version", "pods"),
    joined=True,
    references=("submariner-io/submariner-operator#3627", "submariner-io/submariner-operator#3630", "submariner-io/submariner#3676"),
    tags=("cidr",),
)
def discovery_fails(facts: Facts) -> t.Iterator[Problem]:
    """The operator runs discovery even where both CIDRs are pinned, and stops before it reconciles anything when discovery fails.

    That is so on Kubernetes 1.33 and newer without a kube-apiserver pod whose options can be read (k3s, hosted control planes), before 0.21.1.
    """
    detection = facts.detection
    if detection.fatal:
        upgrade = SERVICE_CIDR_OBJECTS.upgrade_for(facts.submariner.version)
        yield Problem(
            subject=str(facts.submariner.ref),
            title=f"Submariner {facts.submariner.version} cannot discover the service CIDR of this cluster and reconciles nothing",
            evidence=(
                Evidence(str(facts.submariner.ref), "spec.version", facts.submariner.version),
                Evidence(f"cluster {facts.snapshot.cluster}", "Kubernetes version", facts.snapshot.server_version.items[0], detection.fatal),
            ),
            impact="At its next restart the operator stops before it creates or corrects anything; pinned CIDRs do not help.",
            remedy=by_hand(f"Upgrade Submariner to {upgrade} or newer."),
        )
    elif detection.pod.value is None and detection.service.value is None:
        raise CannotJudge("; ".join(detection.missing or detection.notes) or detection.pod.words)


@check(
    "discovery-before-join",
    title="Any release of Submariner would find the right CIDRs by itself",
    severity="info",
    needs=("server_version", "pods", "nodes"),
    joined=False,
    references=("submariner-io/submariner-operator#3180", "submariner-io/submariner-operator#3627"),
    tags=("cidr",),
)
def discovery_before_join(facts: Facts) -> t.Iterator[Problem]:
    """For a cluster that is not joined: which releases would get its CIDRs wrong when left to discovery, and which would fail altogether."""
    detections = [would_detect(facts.snapshot, release, facts.truth) for release in RELEASES]
    fatal = [detection for detection in detections if detection.fatal]
    wrong = [detection for detection in detections if not detection.fatal and WRONG in (detection.pod.judgement, detection.service.judgement)]
    if fatal:
        yield Problem(
            subject="Submariner",
            title=f"Submariner before {SERVICE_CIDR_OBJECTS.first[0]} cannot be deployed here: its discovery fails",
            evidence=tuple(
                Evidence(f"Submariner {detection.version}", "discovery", "fails", detection.fatal)
                for detection in (fatal[0], fatal[-1])[: len(fatal)]
            ),
            impact="Giving --clustercidr and --servicecidr does not help: discovery runs nevertheless.",
            remedy=by_hand(f"Join with Submariner {SERVICE_CIDR_OBJECTS.first[0]} or newer."),
            severity="warning",
        )
    if wrong:
        proposal = correct_cidrs(facts)
        releases = " to ".join(dict.fromkeys((wrong[0].version, wrong[-1].version)))
        yield Problem(
            subject="Submariner",
            title=f"Left to discovery, Submariner {releases} would get this cluster's CIDRs wrong",
            evidence=tuple(_would_find(wrong)),
            impact="subctl join without explicit CIDRs would produce a connection that looks healthy and carries no pods.",
            remedy=Remedy(
                "Join with explicit CIDRs.", variables={name: value for name, value in proposal.variables.items() if name.endswith("_cidr")}
            ),
        )


def _would_find(detections: t.Iterable[Detection]) -> t.Iterator[Evidence]:
    for detection in detections:
        for detected in (detection.pod, detection.service):
            if detected.judgement == WRONG:
                yield Evidence(
                    f"Submariner {detection.version}", f"{detected.subject} CIDR", detected.value or "", f"{detected.words}; {detected.why}"
                )
