# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What is put before the judge of :mod:`_verdict`: who claims which range, and which addresses are really in use."""

from __future__ import annotations

import typing as t

POD = "pod"
SERVICE = "service"
SUBJECTS = (POD, SERVICE)

# What a source is worth, best first.
AUTHORITY = "authority"  # hands the addresses out itself: enabled IPPools under calico-ipam, Ready ServiceCIDRs
LIVE = "live"  # what a component runs with now
INSTALL = "install"  # what somebody asked for at installation; nothing updates it afterwards
STATED = "stated"  # what the user of this collection says
SHOWN = "shown"  # put on the table, never a candidate
STANDINGS = (AUTHORITY, LIVE, INSTALL, STATED, SHOWN)

# Sources whose objects are the parts of one claim. In every other source each object makes a claim of its own.
SUMMED_SOURCES = frozenset(("ip_pool", "service_cidr"))


class CidrEvidence(t.NamedTuple):
    """One value and where it was read; one row of the evidence table.

    :param subject: ``pod`` or ``service``.
    :param family: ``ipv4`` or ``ipv6``; empty when the row holds no range (not readable, or no CIDR).
    :param cidrs: the ranges of that family, normalised.
    :param source: id of the kind of source, such as ``kube_controller_manager`` or ``ip_pool``.
    :param object: the object as text (``Pod kube-system/kube-controller-manager-1``), or the question that was not answered.
    :param field: where in the object.
    :param raw: the value as it stands there, shortened to 200 characters.
    :param rank: trust among the sources of the subject, 1 the best.
    :param standing: one of ``STANDINGS``.
    :param caveat: what to bear in mind when reading the value.
    :param problem: why the source is of no use: it could not be read, or its value is no CIDR. Empty when it is of use.
    """

    subject: str
    family: str
    cidrs: tuple[str, ...]
    source: str
    object: str
    field: str = ""
    raw: str = ""
    rank: int = 99
    standing: str = SHOWN
    caveat: str = ""
    problem: str = ""

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types."""
        return {**self._asdict(), "cidrs": list(self.cidrs)}


class UsedAddress(t.NamedTuple):
    """An address in use; ``owner`` is anything whose ``str()`` names the object that has it."""

    owner: t.Any
    ip: str


class Reality(t.NamedTuple):
    """The addresses that one subject really uses.

    ``missing`` is empty when all of them were read, and otherwise says what could not be read and why.
    """

    subject: str
    addresses: tuple[UsedAddress, ...] = ()
    missing: str = ""
