# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the releases that run here: defects, and pairs that do not belong together."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._component_versions import (
    calico_of_operator,
    component_versions,
    operator_version,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import NONE, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._version_conditions import condition, ebpf
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._known_bugs import CALICO, KNOWN_BUGS, SUBMARINER, KnownBug

NONE_YET = "no release has a fix"


@check(
    "known-bug",
    title="No release that runs here has a known defect that shows on this cluster",
    severity="warning",
    joined=True,
    references=("submariner-io/submariner#2576", "submariner-io/submariner#3120", "https://submariner.io/operations/known-issues/"),
    tags=("versions",),
)
def known_bugs(facts: Facts) -> t.Iterator[Problem]:
    """Defects of Submariner, Calico and its operator by release, as far as no other check judges them from the cluster's objects.

    Each has conditions (Kubernetes, Calico, platform, data plane) that must hold here, the first release without it and a source.
    """
    for row in KNOWN_BUGS:
        if not row.judged_by:
            yield from _known_bug(facts, row)


@check(
    "calico-ebpf",
    title="Calico runs a data plane that Submariner is tested with",
    severity="warning",
    joined=False,
    references=("https://submariner.io/operations/known-issues/", "https://docs.tigera.io/calico/latest/operations/ebpf/enabling-ebpf"),
    tags=("versions", "kube-proxy"),
)
def runs_ebpf(facts: Facts) -> t.Iterator[Problem]:
    """Calico's eBPF data plane replaces kube-proxy, on whose rules Submariner relies, and Submariner neither detects nor tests it.

    Told before a join, when it can still be changed; of a cluster that is joined ``known-bug`` tells it.
    """
    if detect_install_method(facts.snapshot).method == NONE:
        raise NotApplicable
    found = ebpf(facts.snapshot)
    if found is None:
        raise CannotJudge(missing(facts.snapshot.felix_configurations, "FelixConfigurations"))
    if found:
        yield Problem(
            subject="Calico's data plane",
            title="Calico runs its eBPF data plane, which Submariner neither detects nor is tested with",
            evidence=(Evidence("Calico", "data plane", "eBPF", "Installation linuxDataplane, FELIX_BPFENABLED or FelixConfiguration bpfEnabled"),),
            impact="Traffic of other clusters to Services here may be dropped, or answered around the tunnel.",
            remedy=by_hand(
                "Before the join run kube-proxy in iptables mode again, and then set Calico's linuxDataplane to Iptables (Installation default "
                "spec.calicoNetwork; on RKE2 in HelmChartConfig kube-system/rke2-calico), Kubespray's calico_bpf_enabled to false, or bpfEnabled of "
                "FelixConfiguration default to false.",
                disruptive=True,
            ),
        )


@check(
    "calico-operator-pair",
    title="Calico and its operator belong together",
    severity="warning",
    needs=("installations", "deployments"),
    references=("projectcalico/calico charts/tigera-operator/values.yaml",),
    tags=("versions", "rollout"),
)
def operator_pair(facts: Facts) -> t.Iterator[Problem]:
    """Each minor release of tigera-operator renders one minor release of Calico. Another one runs while an update is on its way, or with images set by hand."""
    if not facts.snapshot.installations.items or any(entry.variant not in ("", "Calico") for entry in facts.snapshot.installations.items):
        raise NotApplicable()  # Calico Enterprise counts its releases on its own
    operator, running = operator_version(facts.snapshot), calico_version(facts.snapshot)
    if not operator or not running:
        raise CannotJudge("the tag of Deployment tigera-operator/tigera-operator's image tells no release" if not operator else "Calico's version is not known")
    wanted, found = calico_of_operator(operator), parse_calico_version(running)
    if wanted is None:
        raise CannotJudge(f"which Calico tigera-operator {operator} installs is not known to this collection")
    if found is not None and found[:2] != wanted:
        yield Problem(
            subject="Deployment tigera-operator/tigera-operator",
            title=f"Calico {running} runs under tigera-operator {operator}, which installs {wanted[0]}.{wanted[1]}",
            evidence=(
                Evidence("Deployment tigera-operator/tigera-operator", "image", operator),
                Evidence("ClusterInformation default", "spec.calicoVersion", running, "written by calico-node"),
            ),
            impact="The operator writes settings that this Calico may not know, or an update of Calico has not got through.",
            remedy=by_hand("Find out what stops the update (TigeraStatus calico), or install the release of the operator that belongs to this Calico."),
        )


@check(
    "calico-components-differ",
    title="All parts of Calico are of one release",
    severity="warning",
    needs=("installations", "daemon_sets", "deployments"),
    references=("projectcalico/calico manifests/apiserver.yaml", "projectcalico/calico#8268"),
    tags=("versions",),
)
def components_differ(facts: Facts) -> t.Iterator[Problem]:
    """On installations without an operator the API server, typha and kube-controllers are manifests of their own, easily left behind by an update."""
    if facts.snapshot.installations.items:
        raise NotApplicable()
    versions = component_versions(facts.snapshot)
    node = next((entry for entry in versions if entry.component == "calico-node"), None)
    if node is None:
        raise NotApplicable()
    if parse_calico_version(node.version) is None:
        raise CannotJudge(f"the image of {node.where} has no tag that names a release: {node.version or 'a digest'}")
    for entry in versions:
        parsed = parse_calico_version(entry.version)
        if parsed is not None and parsed != parse_calico_version(node.version):
            yield Problem(
                subject=entry.where,
                title=f"{entry.component} is of release {entry.version}, calico-node of {node.version}",
                evidence=(Evidence(entry.where, "image", entry.version), Evidence(node.where, "image", node.version)),
                impact="Mixed releases are not tested by Calico; an older API server drops fields that it does not know.",
                remedy=by_hand(f"Set the image of {entry.component} to {node.version}.", entry.where),
            )


def _known_bug(facts: Facts, row: KnownBug) -> t.Iterator[Problem]:
    version = _version_of(facts, row.component)
    affected = row.affects(version)
    if affected is False:
        return
    held = [(need, condition(facts, need)) for need in row.needs]
    if any(answer is False for _need, answer in held):
        return
    unknown = [need for need, answer in held if answer is None]
    if affected is None or unknown:
        what = [f"the release of {row.component}{f' ({version})' if version else ''}"] if affected is None else []
        yield Problem(
            subject=row.component,
            title=f"Whether a known defect shows here: {row.symptom}",
            missing="; ".join(what + [f"whether {need}" for need in unknown]),
            severity=row.severity,
        )
        return
    yield _affected(facts, row, version)


def _affected(facts: Facts, row: KnownBug, version: str) -> Problem:
    upgrade = row.upgrade_for(version)
    workaround = f" Without an upgrade, {row.workaround} {'helps' if row.workaround_helps else 'does not help'}." if row.workaround else ""
    step = f"Upgrade {row.component} to {upgrade} or newer." if upgrade else f"There is no upgrade: {NONE_YET}."
    return Problem(
        subject=f"{row.component} {version}",
        title=row.symptom,
        evidence=(
            Evidence(row.component, "version", version, f"first release without it: {upgrade or NONE_YET}"),
            *(Evidence("this cluster", "condition", need) for need in row.needs),
            Evidence("known defect", row.id, ", ".join(row.sources), "source"),
        ),
        impact="It shows when the conditions named come together; nothing of it need be visible now.",
        remedy=by_hand(f"{step}{workaround}", f"{row.component}'s release"),
        severity=row.severity,
    )


def _version_of(facts: Facts, component: str) -> str:
    if component == SUBMARINER:
        return facts.submariner.version
    return calico_version(facts.snapshot) if component == CALICO else operator_version(facts.snapshot)
