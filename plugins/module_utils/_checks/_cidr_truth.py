# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The true CIDRs themselves: is there an answer at all?"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, why_not_agreed
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import SUBJECTS
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import ABSENT, CONFLICT, REFUTED, UNKNOWN, CidrVerdict

WORDS = {"pod": "pod CIDR", "service": "service CIDR"}


@check(
    "cidr-truth",
    title="The sources of this cluster agree on its pod and service CIDRs",
    severity="error",
    references=("kubernetes-sigs/kubespray#11346", "submariner-io/submariner#2489", "tigera/operator#1512"),
    tags=("cidr",),
    remedy="Correct the source that is wrong, or state the CIDRs with submariner_cluster_cidr and submariner_service_cidr.",
)
def cidr_truth(facts: Facts) -> t.Iterator[Problem]:
    """Every source that names a CIDR, weighed by trust, with the addresses that pods and Services really have as the last word.

    Contradicting sources are a finding of their own with all of them listed: nothing is picked silently, and nothing is compared with a guess.
    """
    for subject in SUBJECTS:
        verdicts = [facts.truth.of(subject, family) for family in FAMILIES]
        if all(verdict.status == ABSENT for verdict in verdicts):
            yield _unknown(verdicts[0])
            continue
        agreed = any(verdict.agreed for verdict in verdicts)
        for verdict in verdicts:
            # A family that nobody uses beside one that is agreed is a question that nobody has.
            if verdict.status == UNKNOWN and (verdict.addresses or not agreed):
                yield _unknown(verdict)
            elif verdict.status in (CONFLICT, REFUTED):
                yield _contradiction(verdict)
    for problem in facts.truth.problems:
        yield Problem(
            subject="pod and service CIDR",
            title=f"In this cluster {problem}",
            impact="An address of the overlap may be a pod's or a Service's: traffic to it goes astray inside the cluster already.",
            remedy=by_hand("One of the two ranges must change; on a running cluster that means rebuilding it."),
        )


def _unknown(verdict: CidrVerdict) -> Problem:
    return Problem(
        subject=WORDS[verdict.subject], title=f"The true {WORDS[verdict.subject]} of this cluster is not known", missing=why_not_agreed(verdict)
    )


def _contradiction(verdict: CidrVerdict) -> Problem:
    what = WORDS[verdict.subject]
    outside = tuple(
        Evidence(owner.rpartition(" ")[0], "address in use", owner.rpartition(" ")[2], "outside every range that is named")
        for owner in verdict.outside
    )
    return Problem(
        subject=what,
        title=f"The sources of this cluster's {what} contradict each other"
        if verdict.status == CONFLICT
        else f"Addresses in use lie outside this cluster's {what}",
        evidence=(*(Evidence(claim.object, claim.field, ", ".join(claim.cidrs), claim.relation) for claim in verdict.claims), *outside),
        impact=f"Whichever value Submariner is given, part of the cluster may be unreachable: {verdict.because}.",
        remedy=by_hand(
            f"Find out which one the cluster really uses (ranges were changed after installation, or a pool was added), correct the others, "
            f"or state the {what} yourself with the module fathom.submariner.cluster_cidrs_info."
        ),
    )
