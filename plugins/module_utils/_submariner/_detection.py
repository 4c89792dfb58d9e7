# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a version of Submariner would detect on a cluster, by which step, and whether it would be right.

This imitates pkg/discovery/network of submariner-operator: the same function serves ``subctl join``, ``subctl show networks`` and the
operator. Read at the tags 0.14.9 to 0.19.0-rc3; what is newer was read from later sources whose first release is not always known
(see ``_version.CHANGES``). Submariner never reads an IPPool to find the pod CIDR: on Calico the generic steps below answer.

A value in ``spec`` of the Submariner wins over what is detected, but detection runs all the same, and when it fails, the operator
stops before it creates anything (controllers/submariner/submariner_controller.go; submariner-operator#3627).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, of_family, parse_cidrs, same
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import CidrTruth
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._discovery import Found, Network, Stopped, discover
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import SEVERAL_CIDRS, parse_submariner_version
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._wrong_cidr import identify_wrong_cidr

RIGHT = "right"
WRONG = "wrong"
UNKNOWN = "unknown"


class Detected(t.NamedTuple):
    """What would stand in the Submariner's status for one subject while its spec is empty.

    :param subject: ``pod`` or ``service``.
    :param value: as Submariner would write it; empty when it finds nothing, None when it cannot be told.
    :param step: id of the step that answered, such as ``kube-controller-manager``, ``only-node`` or ``invalid-service``.
    :param fallback: True when the step guesses, rather than reads what the cluster is configured with.
    :param object: what the step read, empty when nothing.
    :param field: where in the object.
    :param words: the step in words.
    :param judgement: ``right``, ``wrong`` or ``unknown``, against the truth that was given.
    :param why: the judgement in words, such as ``would be wrong: equals spec.podCIDR of the only node rke2-1``.
    """

    subject: str
    value: str | None
    step: str = ""
    fallback: bool = False
    object: str = ""
    field: str = ""
    words: str = ""
    judgement: str = UNKNOWN
    why: str = ""


class Detection(t.NamedTuple):
    """The outcome of discovery.

    :param version: the version that was asked about, as written.
    :param plugin: ``calico``, ``canal-flannel``, ``generic``...; None when it cannot be told.
    :param plugin_because: what it is recognised by.
    :param pod: what becomes of ``status.clusterCIDR``.
    :param service: what becomes of ``status.serviceCIDR``.
    :param fatal: why discovery fails, so that nothing is deployed, explicit CIDRs or not; empty when it does not.
    :param notes: what else the user should know, such as a gate whose first release is not established.
    :param missing: what could not be read.
    """

    version: str
    plugin: str | None
    plugin_because: str
    pod: Detected
    service: Detected
    fatal: str = ""
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types."""
        return {
            **self._asdict(), "pod": self.pod._asdict(), "service": self.service._asdict(), "notes": list(self.notes), "missing": list(self.missing),
        }


def would_detect(snapshot: Snapshot, version: str, truth: CidrTruth | None = None) -> Detection:
    """Run discovery as ``version`` would.

    :param version: of Submariner, such as ``0.17.3`` or ``release-0.18``.
    :param truth: what to compare with, where it has been judged already.
    """
    truth = cidr_truth(snapshot) if truth is None else truth
    if parse_submariner_version(version) is None:
        words = f"{version!r} names no release of Submariner, so it cannot be told what it would detect" if version else "no version of Submariner is known"
        return Detection(version, None, "", Detected(POD, None, words=words), Detected(SERVICE, None, words=words), notes=(words,))
    network = discover(snapshot, version, _service_range(truth))
    fatal = network.stopped.reason if network.stopped else ""
    return Detection(
        version, network.plugin, network.plugin_because, _detected(POD, network, version, snapshot, truth),
        _detected(SERVICE, network, version, snapshot, truth), fatal, network.notes, network.missing,
    )


def _service_range(truth: CidrTruth) -> str | None:
    """The range that the API server names when it refuses a ClusterIP: that of IPv4, since the address asked for is 1.1.1.1."""
    return truth.service(IPV4).cidrs[0] if truth.service(IPV4).agreed else None


def _detected(subject: str, network: Network, version: str, snapshot: Snapshot, truth: CidrTruth) -> Detected:
    found: Found | Stopped | None = network.pod if subject == POD else network.service
    if network.stopped is not None or found is None:
        reason = f"discovery fails: {network.stopped.reason}" if network.stopped else "cannot be told: " + ("; ".join(network.missing) or "nothing was read")
        return Detected(subject, None, network.stopped.step if network.stopped else "", words=reason, why=reason)
    value = _kept(found.values, version)
    detected = Detected(subject, value, found.step, found.fallback, found.object, found.field, found.words)
    if value is None:
        return detected._replace(why=f"cannot be told: the true {subject} CIDR is not established")
    judgement, why = _judge(value, subject, snapshot, truth)
    return detected._replace(judgement=judgement, why=why)


def _kept(values: tuple[str, ...] | None, version: str) -> str | None:
    """Of several detected values the first is kept, or all of them in newer versions."""
    if values is None:
        return None
    if SEVERAL_CIDRS.holds_in(version):
        return ",".join(values)
    return values[0] if values else ""


def _judge(value: str, subject: str, snapshot: Snapshot, truth: CidrTruth) -> tuple[str, str]:
    agreed = [verdict for verdict in truth.verdicts if verdict.subject == subject and verdict.agreed]
    if not agreed:
        return UNKNOWN, f"the true {subject} CIDR is not established: {truth.of(subject).because}"
    found = parse_cidrs(value)
    primary = next((verdict for verdict in agreed if verdict.family == IPV4), agreed[0])
    if not found.problems and all(same(of_family(found.networks, verdict.family), verdict.networks) for verdict in agreed):
        return RIGHT, f"equals the true {subject} CIDR"
    if not found.problems and same(of_family(found.networks, primary.family), primary.networks):
        return RIGHT, f"equals the true {primary.family} {subject} CIDR; the other family is not carried"
    reason = identify_wrong_cidr(value, snapshot, subject, truth) or f"the truth is {', '.join(primary.cidrs)}"
    return WRONG, f"would be wrong: {reason}"
