# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""With which CIDRs a cluster may be joined: those of its own evidence, or the user's where evidence allows them."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, IPV6, overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import ABSENT, CidrTruth
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import Wanted

_OPTION = {POD: "cluster_cidr", SERVICE: "service_cidr"}


class JoinCidrs(t.NamedTuple):
    cluster_cidr: str
    service_cidr: str
    warnings: list[str]


def wanted_cidrs(snapshot: Snapshot, given: t.Mapping[str, str | None]) -> JoinCidrs:
    """Take what the user gives, else what the evidence agrees on; both must hold every address in use.

    Submariner up to 0.19 handles IPv4 only, so IPv6 ranges are left out where there are IPv4 ones.

    :param given: ``cluster_cidr`` and ``service_cidr``; None or "" where the user did not say.
    :raises InputError: when a given value is no CIDR.
    :raises RefusedError: when the evidence is in conflict, absent or unreadable, or addresses in use lie outside.
    """
    stated = {subject: _parse(option, given[option]) for subject, option in _OPTION.items() if given.get(option)}
    truth = cidr_truth(snapshot, stated)
    warnings: list[str] = []
    answers = [_answer(snapshot.cluster, truth, subject, warnings) for subject in (POD, SERVICE)]
    return JoinCidrs(answers[0], answers[1], warnings)


def _parse(option: str, text: str) -> str:
    parsed = parse_cidrs(text)
    if parsed.problems or not parsed.networks:
        reason = f": {'; '.join(parsed.problems)}" if parsed.problems else ""
        raise InputError(f"{option}: {text!r} is no CIDR{reason}. Give for example 10.42.0.0/16. Nothing was written.")
    return ",".join(str(network) for network in parsed.networks)


def _answer(cluster: str, truth: CidrTruth, subject: str, warnings: list[str]) -> str:
    verdict = truth.of(subject, IPV4)
    if verdict.status == ABSENT and truth.of(subject, IPV6).agreed:
        verdict = truth.of(subject, IPV6)
    if not verdict.agreed:
        outside = f" Outside, for example: {', '.join(verdict.outside)}." if verdict.outside else ""
        missing = f" Could not be read: {'; '.join(verdict.missing)}." if verdict.missing else ""
        raise RefusedError(
            f"{cluster}: the {subject} CIDR is not certain ({verdict.status}): {verdict.because}.{outside}{missing} Nothing was written. "
            f"Run fathom.submariner.cluster_cidrs_info for the evidence, then give {_OPTION[subject]} explicitly; it is checked against the addresses in use.",
            evidence=[claim._asdict() for claim in verdict.claims],
        )
    if not verdict.verified:
        found = ", ".join(verdict.cidrs)
        warnings.append(f"{cluster}: the {subject} CIDR {found} could not be compared with all addresses in use: {'; '.join(verdict.missing)}.")
    return ",".join(verdict.cidrs)


def require_no_overlap(wanted: Wanted, local: Snapshot, peers: t.Sequence[Snapshot]) -> list[str]:
    """Refuse ranges that overlap another cluster's: Submariner skips such an Endpoint, and Calico refuses its pools.

    Compares with the peers' own evidence, and with what clusters that cannot be asked announce: as this cluster holds it, or the peers where it is no member.

    :returns: warnings about peers whose ranges are not certain, so that an overlap cannot be excluded.
    :raises RefusedError: naming both clusters and ranges.
    """
    ours = parse_cidrs(wanted.subnets).networks
    theirs: list[tuple[str, t.Any]] = []
    certain = {wanted.cluster_id, *((local.submariner.cluster_id,) if local.submariner else ())}
    warnings = []
    for peer in peers:
        truth = cidr_truth(peer)
        theirs += [(peer.cluster, network) for subject in (POD, SERVICE) for network in truth.networks(subject)]
        uncertain = [subject for subject in (POD, SERVICE) if not truth.networks(subject)]
        if uncertain:
            warnings.append(f"{peer.cluster}: its {' and '.join(uncertain)} CIDR is not certain, so an overlap with {local.cluster} cannot be excluded.")
        elif peer.submariner is not None:
            certain.add(peer.submariner.cluster_id)
        if peer.submariner is not None and not peer.endpoints.known:
            warnings.append(f"{peer.cluster}: its Endpoints could not be read, so an overlap with members that are not among the peers cannot be excluded.")
    for holder in (local,) if local.submariner is not None else (local, *peers):
        theirs += [
            (_named(endpoint.cluster_id, local, holder), network)
            for endpoint in holder.endpoints.items
            if endpoint.cluster_id not in certain
            for network in parse_cidrs(endpoint.subnets).networks
        ]
    for name, network in theirs:
        for mine, other in overlap(ours, [network]):
            raise RefusedError(
                f"{local.cluster}: {mine} overlaps {other} of {name}. Submariner ignores the Endpoint of a cluster whose subnets overlap its own, "
                "and Calico refuses an IPPool that overlaps another. Nothing was written. Use Globalnet for these clusters, or rebuild one with other ranges."
            )
    return warnings


def _named(cluster_id: str, local: Snapshot, holder: Snapshot) -> str:
    if holder is local:
        return cluster_id
    records = "where that cluster is no more, remove its records first, with role fathom.submariner.broker_records"
    return f"{cluster_id}, of which {holder.cluster} holds an Endpoint ({records})"
