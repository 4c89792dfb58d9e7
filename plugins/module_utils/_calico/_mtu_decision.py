# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which MTU a cluster is to have: the one that was asked for where it can work, or the one that the sum leaves."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import IBM_LEAST_MTU, Method, method_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import MtuPicture, mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_budget import IPV6_SMALLEST, Budget, Known, Term, budget, link_of, segment
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_link import promised_link, refusals
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_wish import AUTO, SMALLEST, SMALLEST_SEGMENT, Asked
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

# Where the CNI that routes pods has their MTU, as far as it is one setting.
_SET_AT: t.Mapping[str, str] = {"AmazonVPC": "POD_MTU, or AWS_VPC_ENI_MTU of older versions, in the environment of DaemonSet kube-system/aws-node"}
_TOO_SMALL = "See whether link_mtu and path_mtu are right; with across_clusters=false only the way within the cluster counts for the MTU."


class Basis(t.NamedTuple):
    """What the user knows of the network, beside what the cluster tells.

    :param cable: driver of a cable that is yet to come, "" takes the cluster's own.
    :param across: make packets to other clusters fit whole, too.
    :param ebpf: whether Calico runs its eBPF data plane.
    :param force: go beyond what IBM supports on ROKS.
    """

    link: int | None = None
    path: int | None = None
    cable: str = ""
    across: bool = True
    ebpf: bool = False
    force: bool = False


class Decision(t.NamedTuple):
    """:param mtu: bytes, 0 leaves it to Calico, None where no MTU was asked for.
    :param segment: likewise of the TCP segment size.
    :param terms: the lines of the sum, () where the link is not known.
    """

    mtu: int | None
    segment: int | None
    terms: tuple[Term, ...]
    warnings: tuple[str, ...]


def picture_of(snapshot: Snapshot) -> MtuPicture:
    """:raises RefusedError: there is no Calico, or what its MTU depends on could not be read."""
    picture = mtu_picture(snapshot)
    if picture is None or picture.tunnels is None or picture.settings.pod is None:
        missing = "; ".join(picture.settings.missing) if picture else "neither an Installation nor a DaemonSet calico-node was found"
        raise RefusedError(f"{snapshot.cluster}: what the MTU depends on is not known: {missing}. Nothing was written.")
    return picture


def refuse_policy_only(snapshot: Snapshot) -> None:
    """
    :raises RefusedError: another CNI gives pods their interfaces, so that no MTU of Calico's reaches them (tigera/operator pkg/render/node.go makes a CNI
        configuration where Calico is the CNI alone).
    """
    cni = policy_only(snapshot)
    if cni:
        where = f" ({_SET_AT[cni]})" if cni in _SET_AT else ""
        raise RefusedError(
            f"{snapshot.cluster}: Calico does policy alone here. {cni} gives pods their interfaces and their MTU, and reads none of Calico's: set the MTU "
            f"where {cni} has it{where}. tcp_clamp_mss works here without mtu and restart_workloads. Nothing was written."
        )


def decide(snapshot: Snapshot, mtu: Asked, segment_size: Asked, basis: Basis) -> Decision:
    """Choose, or judge what was asked for.

    :raises RefusedError: it cannot work, or it would have to be guessed.
    """
    if mtu is not None:
        refuse_policy_only(snapshot)
    if mtu is None and not segment_size:
        return Decision(None, 0 if segment_size == 0 else None, (), ())
    found = _budget(snapshot, basis, wanted=AUTO in (mtu, segment_size), judged=mtu is not None)
    made = Decision(None, None, found[1].terms if found else (), ())
    if mtu is not None:
        made = _with_mtu(snapshot, made, mtu, basis, found)
    return _with_segment(snapshot, made, segment_size, found)


def _budget(snapshot: Snapshot, basis: Basis, *, wanted: bool, judged: bool) -> tuple[MtuPicture, Budget] | None:
    """
    :param wanted: a number must come out; else the sum is only for judging one, as far as the link is known.
    :param judged: the MTU is to be set, for which Calico must be known well enough.
    """
    try:
        picture = picture_of(snapshot)
    except RefusedError:
        if wanted or judged:
            raise
        return None
    try:
        link = link_of(picture, basis.link, refusals(snapshot), promised_link(snapshot))
    except RefusedError as error:
        if wanted:
            raise RefusedError(f"{snapshot.cluster}: {error.message} Nothing was written.") from error
        return None
    path = Known(basis.path, "option path_mtu") if basis.path else None
    return picture, budget(picture, link, cable=basis.cable, path=path, ebpf=basis.ebpf)


def _with_mtu(snapshot: Snapshot, made: Decision, mtu: Asked, basis: Basis, found: tuple[MtuPicture, Budget] | None) -> Decision:
    name, roks = snapshot.cluster, method_of(snapshot) == Method.ROKS
    terms, warnings = made.terms, made.warnings
    if mtu == AUTO and found is not None:
        within, across = found[1].within, found[1].across
        number = min(within, across) if basis.across and across is not None else within
        terms += (Term("MTU for pods", 0, number, "the smallest of these lines: a packet is in one tunnel at a time"),)
        _require_enough(name, number, "IPv6" in found[0].family, terms)
    else:
        number = int(mtu or 0)
        if number and found is None:
            warnings += (_unchecked(snapshot, number),)
    if found is not None and number > found[1].within:
        shown = "; ".join(map(str, terms))
        raise RefusedError(
            f"{name}: an MTU of {number} does not fit the links between the nodes, at most {found[1].within} does ({shown}). Nothing was written."
        )
    if found is not None and found[1].across is not None and number > found[1].across:
        warnings += (
            f"{name}: packets of {number} bytes do not reach other clusters whole, at most {found[1].across} do. Submariner clamps TCP to what fits; UDP and "
            "ICMP are fragmented or lost.",
        )
    if number and number < IPV6_SMALLEST and "IPv6" in _family(snapshot, found):
        raise RefusedError(
            f"{name}: pods have IPv6 addresses, and IPv6 needs an MTU of {IPV6_SMALLEST} at least, not {number} (RFC 8200). Nothing was written."
        )
    if roks and number < IBM_LEAST_MTU and not basis.force:
        raise RefusedError(
            f"{name}: IBM supports an MTU of {IBM_LEAST_MTU} and more on this platform, and {number or 'leaving it to Calico'} is asked for. Take "
            "across_clusters=false, which leaves fitting packets to other clusters to tcp_clamp_mss. Nothing was written."
        )
    return made._replace(mtu=number, terms=terms, warnings=warnings)


def _with_segment(snapshot: Snapshot, made: Decision, segment_size: Asked, found: tuple[MtuPicture, Budget] | None) -> Decision:
    if segment_size is None:
        return made
    fits = segment(found[1].across, found[0].family) if found is not None and found[1].across is not None else None
    if segment_size != AUTO:
        if fits is not None and int(segment_size) > fits.leaves:
            raise RefusedError(
                f"{snapshot.cluster}: TCP segments of {segment_size} bytes do not fit through the cable, at most {fits.leaves} do "
                f"({'; '.join(map(str, (*made.terms, fits)))}). Nothing was written."
            )
        return made._replace(segment=int(segment_size))
    if fits is None:
        raise RefusedError(
            f"{snapshot.cluster}: this cluster has no cable to other clusters whose overhead could be reckoned with. Join it first, name the driver with "
            "cable_driver, or give tcp_clamp_mss as a number. Nothing was written."
        )
    if fits.leaves < SMALLEST_SEGMENT:
        raise RefusedError(
            f"{snapshot.cluster}: {fits.leaves} bytes are left for TCP segments ({'; '.join(map(str, (*made.terms, fits)))}), and {SMALLEST_SEGMENT} is the "
            f"least (RFC 9293). {_TOO_SMALL} Nothing was written."
        )
    return made._replace(segment=fits.leaves, terms=(*made.terms, fits))


def _require_enough(name: str, number: int, ipv6: bool, terms: t.Sequence[Term]) -> None:
    """
    :raises RefusedError: what the sum leaves is less than IP needs, as it is refused where it is given as a number.
    """
    least, family = (IPV6_SMALLEST, "IPv6 needs that (RFC 8200)") if ipv6 else (SMALLEST, "IPv4 needs that (RFC 791)")
    if number < least:
        raise RefusedError(
            f"{name}: {number} bytes are left for pods ({'; '.join(map(str, terms))}), and {least} is the least: {family}. {_TOO_SMALL} Nothing was written."
        )


def _unchecked(snapshot: Snapshot, number: int) -> str:
    link = picture_of(snapshot).link
    why = "calico-node found no interface to ask and assumed a value" if link.guessed else link.source
    return (
        f"{snapshot.cluster}: whether an MTU of {number} fits the links between the nodes was not checked, since theirs is not known ({why}). "
        "Where it does not fit, large packets are lost. Give link_mtu (the smallest that `ip link` shows for the interface between the nodes, on any node), "
        "with check mode first: then one that does not fit is refused."
    )


def _family(snapshot: Snapshot, found: tuple[MtuPicture, Budget] | None) -> str:
    return found[0].family if found is not None else picture_of(snapshot).family
