# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a finished search means: black hole, refused, dead or open, and why. Sends nothing."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import BLACK_HOLE, DEAD, OPEN, REFUSED, UNKNOWN

STALE = "`ip route get {address}` shows whether a router said so lately (cache, mtu) or the route has it, `ip route flush cache` forgets the former"


class Heard(t.NamedTuple):
    """What a search heard.

    :param arrived: largest size that arrived.
    :param lost: smallest that did not.
    :param refusals: (next-hop MTU or None, reporter or empty for this host) of each "too big".
    :param said: the last other thing that came back, in words.
    :param largest_silent: the largest size was lost without a word, again when it was tried once more at the end.
    :param believed: path MTU that this host went by before the search; None when unknown.
    :param complete: no size was given up because the allowance of packets ended.
    :param silent_means_lost: who gets a packet answers it for certain.
    """

    address: str
    least: int
    most: int
    arrived: t.Optional[int] = None
    lost: t.Optional[int] = None
    refusals: t.Tuple[t.Tuple[t.Optional[int], str], ...] = ()
    said: str = ""
    believed: t.Optional[int] = None
    complete: bool = True
    silent_means_lost: bool = True
    packets: int = 0
    largest_silent: bool = False


class Judged(t.NamedTuple):
    answer: str
    next_hop_mtu: t.Optional[int] = None
    reporter: str = ""
    why: str = ""


def judge(heard: Heard) -> Judged:
    """The answer of one search."""
    if heard.arrived is None:
        return _nothing_arrived(heard)
    if not heard.complete:
        left = heard.lost or heard.most
        return Judged(UNKNOWN, why=f"the allowed packets were used up: {heard.arrived} bytes arrive, {left} were not settled; raise packets")
    if heard.lost is None:
        return _belief(heard, Judged(OPEN))
    return _belief(heard, _something_lost(heard, heard.arrived))


def _nothing_arrived(heard: Heard) -> Judged:
    if heard.refusals:
        mtu, reporter = _smallest(heard.refusals)
        return Judged(REFUSED, mtu, reporter, f"not even {heard.least} bytes are let through")
    if heard.said:
        return Judged(DEAD, why=heard.said)
    if not heard.complete:
        return Judged(UNKNOWN, why="the allowed packets were used up before anything could be told; raise packets")
    if not heard.silent_means_lost:
        return Judged(
            UNKNOWN,
            why=f"no \"port unreachable\" came back to {heard.packets} datagrams of {heard.least} bytes: they are lost, or the target answers none,"
            " as many firewalls make it; with the port of a responder (module path_responder) it can be told",
        )
    return Judged(DEAD, why=f"no answer to {heard.packets} packets of {heard.least} bytes")


def _something_lost(heard: Heard, arrived: int) -> Judged:
    if not heard.refusals:
        if heard.believed is not None and heard.believed <= arrived:
            why = f"beyond {arrived} bytes packets vanish in silence, but this host's own route says {heard.believed}, so that it sends none"
            return Judged(REFUSED, heard.believed, "", why)
        return Judged(BLACK_HOLE, why=f"{arrived} bytes arrive, {heard.lost} are lost, and nobody says so")
    mtu, reporter = _smallest(heard.refusals)
    who = reporter or "this host"
    if heard.largest_silent:
        said = f"{who} refused some sizes" + (f" and named {mtu}" if mtu is not None else "")
        return Judged(BLACK_HOLE, mtu, reporter, f"{said}, but those of {heard.most} bytes, which this host sends, vanish in silence")
    if mtu is None:
        return Judged(REFUSED, None, reporter, f"{who} refused and named no MTU (a router older than RFC 1191): senders must guess")
    if mtu > arrived:
        return Judged(BLACK_HOLE, mtu, reporter, f"{who} named {mtu}, but beyond {arrived} bytes packets vanish in silence: a further link is smaller")
    if mtu < arrived:
        return Judged(REFUSED, mtu, reporter, f"{who} named {mtu}, though {arrived} bytes arrive")
    return Judged(REFUSED, mtu, reporter)


def _smallest(refusals: t.Tuple[t.Tuple[t.Optional[int], str], ...]) -> t.Tuple[t.Optional[int], str]:
    """The refusal that counts: the smallest MTU that was named; a router's before this host's own."""
    return min(refusals, key=lambda each: (each[0] is None, each[0] or 0, not each[1]))


def _belief(heard: Heard, judged: Judged) -> Judged:
    """Adds that this host sends less than the path takes, where that is so."""
    if heard.believed is None or heard.arrived is None or heard.believed >= heard.arrived:
        return judged
    why = f"this host's own route says {heard.believed} bytes, though {heard.arrived} arrive: {STALE.format(address=heard.address)}"
    if judged.next_hop_mtu is None:
        judged = judged._replace(next_hop_mtu=heard.believed)
    return judged._replace(why=f"{judged.why}; {why}" if judged.why else why)
