# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which range is the true one, for pods and for Services, in each address family: evidence in, verdict out.

A wrong answer is worse than none: Submariner routes, masquerades and clamps by it on every cluster of the set. So the judge
never picks silently. The rules, in order, for one subject and one family:

1. **Reality refutes.** A range that does not hold every address in use is not the truth, whoever claims it. A *live* claim
   that reality refutes is out of the running (it becomes dissent) as long as some claim is left that reality does not refute.
2. **The authority answers.** Where a source hands the addresses out itself (enabled IPPools under calico-ipam; Ready
   ServiceCIDRs), its union is the answer when every remaining live claim is equal to it. For Services a claim may also be some of
   its parts (the API server's flag made the first of several ServiceCIDRs). For pods it may not: an enabled pool outside
   ``--cluster-cidr`` without a single pod in it may be a hand-made pool for a remote cluster.
3. **The covering range answers** instead when every remaining live claim is one and the same range around the authority's
   union (pools cut out of ``--cluster-cidr``): the pools are then reported as inside.
4. Any other live claim contradicts the authority: *conflict*, with every source and value.
5. **Without an authority** the remaining live claims must be one and the same range; if not, *conflict*. If the authority exists
   but could not be read, their agreement counts only when reality confirms it, else *unknown*.
6. **Install-time claims** never outvote a live one: where they differ they are dissent. Alone they answer only when they
   are one and the same range, reality confirms it, and no authority was left unread.
7. **What the user states** resolves a conflict and fills a gap, but it is a claim like others: it must hold reality and cover
   the authority's union, and it does not overrule live claims that agree on something else (*conflict*).
8. **No claim at all** is *absent* when everything was read, or when what was read speaks of the other family only; *unknown* when
   something was not read; *refuted* when addresses are in use nevertheless.

Reality that could not be read, or is empty, does not stop rules 2 to 4; the answer then says ``verified: false`` and what was missing.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import (
    FAMILIES, IPV4, Network, collapse, covers, family_of, overlap, parse_address, parse_cidrs, same,
)
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import (
    AUTHORITY, INSTALL, LIVE, POD, SERVICE, SHOWN, STATED, SUBJECTS, SUMMED_SOURCES, CidrEvidence, Reality,
)

AGREED = "agreed"
CONFLICT = "conflict"
ABSENT = "absent"
REFUTED = "refuted"
UNKNOWN = "unknown"

EXAMPLES = 5  # how many addresses outside a range are named


class Claim(t.NamedTuple):
    """What one source says about one subject and family; ``relation`` tells how it stands to the answer.

    Relations: ``equal``, ``covers``, ``part`` (some of the authority's ranges), ``refuted`` (an address in use lies outside),
    ``differs``.
    """

    source: str
    object: str
    field: str
    cidrs: tuple[str, ...]
    standing: str
    rank: int
    relation: str = ""

    def __str__(self) -> str:
        return f"{self.source} ({self.object}): {', '.join(self.cidrs)}"


class CidrVerdict(t.NamedTuple):
    """The judgement on one subject and family.

    :param status: ``agreed``, ``conflict``, ``absent``, ``refuted`` or ``unknown``.
    :param cidrs: the answer when agreed, the refuted candidate when refuted, else empty. Collapsed and sorted.
    :param verified: True only when agreed, all addresses in use were read, there is at least one, and all lie inside.
    :param because: the reason in one line.
    :param claims: every source that was weighed, best first.
    :param dissent: claims that differ but were outvoted, in words.
    :param missing: what could not be read, and why.
    :param outside: up to ``EXAMPLES`` addresses in use outside the range, with their owners; ``outside_count`` counts all.
    :param addresses: how many addresses in use were compared.
    """

    subject: str
    family: str
    status: str
    cidrs: tuple[str, ...] = ()
    verified: bool = False
    because: str = ""
    claims: tuple[Claim, ...] = ()
    dissent: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    outside_count: int = 0
    addresses: int = 0

    @property
    def agreed(self) -> bool:
        return self.status == AGREED

    @property
    def networks(self) -> tuple[Network, ...]:
        """The answer as networks; empty unless agreed."""
        return parse_cidrs(self.cidrs).networks if self.agreed else ()

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types, for a module's result."""
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in self._asdict().items()}
        plain["claims"] = [{**claim._asdict(), "cidrs": list(claim.cidrs)} for claim in self.claims]
        return plain


@dataclass(frozen=True)
class CidrTruth:
    """The evidence of one cluster and the four verdicts on it; ``problems`` are contradictions between verdicts."""

    evidence: tuple[CidrEvidence, ...]
    verdicts: tuple[CidrVerdict, ...]
    problems: tuple[str, ...] = ()

    def of(self, subject: str, family: str = IPV4) -> CidrVerdict:
        return next(verdict for verdict in self.verdicts if (verdict.subject, verdict.family) == (subject, family))

    def pod(self, family: str = IPV4) -> CidrVerdict:
        return self.of(POD, family)

    def service(self, family: str = IPV4) -> CidrVerdict:
        return self.of(SERVICE, family)

    def networks(self, subject: str) -> tuple[Network, ...]:
        """The agreed ranges of a subject, IPv4 first, then IPv6; a family that is not agreed adds nothing."""
        return tuple(network for family in FAMILIES for network in self.of(subject, family).networks)

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types: ``{"evidence": [...], "pod": {"ipv4": ..., "ipv6": ...}, "service": {...}, "problems": [...]}``."""
        plain: dict[str, t.Any] = {"evidence": [row.to_dict() for row in self.evidence], "problems": list(self.problems)}
        for subject in SUBJECTS:
            plain[subject] = {family: self.of(subject, family).to_dict() for family in FAMILIES}
        return plain


def judge(evidence: t.Iterable[CidrEvidence], pods: Reality, services: Reality) -> CidrTruth:
    """Judge all evidence of one cluster against the addresses that its pods and Services use. The order of evidence has no influence.

    :param evidence: rows as :func:`_calico._cidr_sources.collect_cidr_evidence` makes them.
    :param pods: addresses of pods (without those on the host network).
    :param services: ClusterIPs.
    """
    rows = tuple(sorted(evidence, key=_order))
    verdicts = []
    for reality in (pods._replace(subject=POD), services._replace(subject=SERVICE)):
        about = [row for row in rows if row.subject == reality.subject]
        in_use, garbled = _parse_reality(reality)
        verdicts.extend(_Case(about, family, in_use, reality, garbled).verdict() for family in FAMILIES)
    return CidrTruth(rows, tuple(verdicts), _across(verdicts))


def _order(row: CidrEvidence) -> tuple[t.Any, ...]:
    subject = SUBJECTS.index(row.subject) if row.subject in SUBJECTS else len(SUBJECTS)
    return (subject, row.rank, row.source, row.object, row.field, row.family, row.cidrs, row.raw, row.standing, row.caveat, row.problem)


def _across(verdicts: t.Sequence[CidrVerdict]) -> tuple[str, ...]:
    pods = [network for verdict in verdicts if verdict.subject == POD for network in verdict.networks]
    services = [network for verdict in verdicts if verdict.subject == SERVICE for network in verdict.networks]
    return tuple(f"the pod CIDR {left} and the service CIDR {right} overlap" for left, right in overlap(pods, services))


_InUse = t.List[t.Tuple[t.Any, int, str]]  # owner, address as a number, address as text


def _parse_reality(reality: Reality) -> tuple[dict[str, _InUse], tuple[str, ...]]:
    in_use: dict[str, _InUse] = {family: [] for family in FAMILIES}
    garbled = []
    for owner, text in reality.addresses:
        address = parse_address(text)
        if address is None:
            garbled.append(f"{text!r} of {owner} is no IP address")
        else:
            in_use[family_of(address)].append((owner, int(address), text))
    return in_use, tuple(sorted(garbled)[:EXAMPLES])


class _Answer(t.NamedTuple):
    status: str
    networks: tuple[Network, ...] = ()
    because: str = ""
    rests_on_authority_alone: bool = False
    definite: bool = False  # for absent: a source that would have named this family was read


class _Case:
    """One subject and one family. ``rows`` are sorted and all of the subject."""

    def __init__(self, rows: t.Sequence[CidrEvidence], family: str, in_use: t.Mapping[str, _InUse], reality: Reality, garbled: tuple[str, ...]) -> None:
        self.rows, self.family, self.in_use, self.subject = rows, family, in_use[family], reality.subject
        # A pod of a dual-stack cluster has an address of each family; a Service usually has one only, so it tells nothing.
        others_only = not self.in_use and any(in_use[other] for other in FAMILIES if other != family)
        self.single_stack = self.subject == POD and others_only and not reality.missing and not garbled
        self._outsiders: dict[tuple[tuple[int, int], ...], _InUse] = {}
        self.what = f"{self.subject} addresses" if self.subject == POD else "ClusterIPs"
        self.reality_missing = tuple(filter(None, (reality.missing,))) + garbled
        claims = list(_claims(rows, family))
        self.authority = next((claim for claim in claims if claim[0].standing == AUTHORITY), None)
        self.live = [claim for claim in claims if claim[0].standing == LIVE]
        self.install = [claim for claim in claims if claim[0].standing == INSTALL]
        self.stated = [claim for claim in claims if claim[0].standing == STATED]
        self.unread = [row for row in rows if row.problem and not row.cidrs and row.standing not in (SHOWN, STATED)]
        self.authority_unread = self.authority is None and any(row.standing == AUTHORITY for row in self.unread)

    def verdict(self) -> CidrVerdict:
        answer = self._decide()
        stated_nonsense = [row.problem for row in self.rows if row.standing == STATED and row.problem]
        if stated_nonsense:
            answer = _Answer(CONFLICT, (), "the stated value is unusable: " + "; ".join(stated_nonsense))
        elif self.stated:
            answer = self._with_stated(answer, collapse(network for claim in self.stated for network in claim[1]))
        outside = self._outside(answer.networks) if answer.networks else []
        if answer.status == AGREED and outside:
            answer = answer._replace(status=REFUTED, because=f"{answer.because}, but {len(outside)} of {len(self.in_use)} {self.what} lie outside")
        examples = sorted(f"{owner} {text}" for owner, number, text in outside)[:EXAMPLES]
        kept = answer.networks if answer.status in (AGREED, REFUTED) else ()
        claims = tuple(self._related(claim, networks, answer) for claim, networks in self._all_claims())
        verified = answer.status == AGREED and bool(self.in_use) and not self.reality_missing
        return CidrVerdict(
            subject=self.subject, family=self.family, status=answer.status, cidrs=tuple(str(network) for network in kept), verified=verified,
            because=answer.because, claims=claims, dissent=self._dissent(claims, answer), missing=self._missing(answer, verified),
            outside=tuple(examples), outside_count=len(outside), addresses=len(self.in_use),
        )

    def _all_claims(self) -> list[tuple[Claim, tuple[Network, ...]]]:
        everything = ([self.authority] if self.authority else []) + self.live + self.install + self.stated
        return sorted(everything, key=lambda claim: (claim[0].rank, claim[0].source, claim[0].object, claim[0].cidrs))

    def _outside(self, networks: t.Iterable[Network]) -> _InUse:
        spans = tuple((int(network.network_address), int(network.broadcast_address)) for network in collapse(networks) if family_of(network) == self.family)
        if spans not in self._outsiders:  # many claims are the same range, and a cluster may have a hundred thousand addresses
            self._outsiders[spans] = [entry for entry in self.in_use if not any(first <= entry[1] <= last for first, last in spans)]
        return self._outsiders[spans]

    def _decide(self) -> _Answer:
        if self.authority is not None:
            return self._with_authority(*self.authority)
        if self.live:
            return self._equals(self.live, "live source")
        if self.install:
            return self._equals(self.install, "install-time source")
        return self._nothing()

    def _with_authority(self, authority: Claim, members: tuple[Network, ...]) -> _Answer:
        union = collapse(members)
        refuted = bool(self._outside(union))
        standing = [(claim, networks) for claim, networks in self.live if not self._outside(networks)]
        # Only when reality is on the authority's side may it silence a live claim; otherwise both are in question.
        claims = self.live if refuted and not standing else standing
        equal = [claim for claim, networks in claims if same(networks, union)]
        parts = [claim for claim, networks in claims if self.subject == SERVICE and not same(networks, union) and set(networks) <= set(members)]
        around = [(claim, networks) for claim, networks in claims if not same(networks, union) and covers(networks, union)]
        if len(equal) + len(parts) == len(claims):
            also = f", as {_names(equal + parts)} {'say' if len(equal + parts) > 1 else 'says'}" if claims else ""
            return _Answer(AGREED, union, f"{_names([authority])}{also}", rests_on_authority_alone=not claims)
        if len(around) == len(claims) and len({collapse(networks) for claim, networks in around}) == 1:
            inside = ", ".join(str(network) for network in union)
            return _Answer(AGREED, collapse(around[0][1]), f"{_names([claim for claim, networks in around])}; {authority.source} {inside} inside")
        return _Answer(CONFLICT, (), f"{authority} against {'; '.join(str(claim) for claim, networks in claims if claim not in equal + parts)}")

    def _equals(self, claims: list[tuple[Claim, tuple[Network, ...]]], kind: str) -> _Answer:
        remaining = [(claim, networks) for claim, networks in claims if not self._outside(networks)]
        if not remaining:
            best = claims[0]
            outside = len(self._outside(best[1]))
            reason = f"{best[0]}, but {outside} of {len(self.in_use)} {self.what} lie outside, and no other source holds them all"
            return _Answer(REFUTED, collapse(best[1]), reason)
        ranges = {collapse(networks) for claim, networks in remaining}
        if len(ranges) > 1:
            return _Answer(CONFLICT, (), "; ".join(str(claim) for claim, networks in remaining))
        confirmed = bool(self.in_use) and not self.reality_missing
        names = _names([claim for claim, networks in remaining])
        if kind == "install-time source" and (not confirmed or self.authority_unread):
            reason = "the source that hands out the addresses could not be read" if self.authority_unread else f"no {self.what} confirm it"
            return _Answer(UNKNOWN, (), f"only an {kind} names a range ({names}), and {reason}")
        if self.authority_unread and not confirmed:
            return _Answer(UNKNOWN, (), f"{names}, but the source that hands out the addresses could not be read, and no {self.what} confirm it")
        return _Answer(AGREED, next(iter(ranges)), names)

    def _nothing(self) -> _Answer:
        kinds = {row.standing for row in self.rows if row.cidrs and row.family != self.family}
        definite = self.single_stack or AUTHORITY in kinds or (LIVE in kinds and not any(row.standing == AUTHORITY for row in self.unread))
        label = "IPv4" if self.family == IPV4 else "IPv6"
        if not definite and self.unread:
            return _Answer(UNKNOWN, (), f"no source that could be read names an {label} range for {self.subject}s, and some could not be read")
        if self.in_use:
            return _Answer(REFUTED, (), f"no source names an {label} range for {self.subject}s, but {len(self.in_use)} {self.what} are in use")
        return _Answer(ABSENT, (), f"no source names an {label} range for {self.subject}s", definite=definite)

    def _with_stated(self, base: _Answer, stated: tuple[Network, ...]) -> _Answer:
        shown = ", ".join(str(network) for network in stated)
        if base.status == AGREED and same(base.networks, stated):
            return base._replace(because=f"{base.because}; as stated")
        if self._outside(stated):
            outside = len(self._outside(stated))
            return _Answer(REFUTED, stated, f"stated {shown}, but {outside} of {len(self.in_use)} {self.what} lie outside")
        if self.authority is not None and not covers(stated, self.authority[1]):
            return _Answer(CONFLICT, (), f"stated {shown} does not cover {self.authority[0]}")
        if base.status == AGREED and not base.rests_on_authority_alone:
            found = ", ".join(str(network) for network in base.networks)
            return _Answer(CONFLICT, (), f"stated {shown}, but the sources agree on {found} ({base.because})")
        if base.status == ABSENT and base.definite:
            return _Answer(CONFLICT, (), f"stated {shown}, but {base.because}")
        held = bool(self.in_use) and not self.reality_missing
        if base.status == CONFLICT and self.authority is None and not held:
            remaining = [networks for claim, networks in self.live or self.install if not self._outside(networks)]
            if not any(covers(stated, networks) for networks in remaining):
                return _Answer(CONFLICT, (), f"stated {shown} is none of what the sources say, and no {self.what} confirm it: {base.because}")
        resolved = {CONFLICT: ", which resolves a conflict", AGREED: f" around {_names([self.authority[0]]) if self.authority else ''}"}.get(base.status, "")
        return _Answer(AGREED, stated, f"stated{resolved}")

    def _related(self, claim: Claim, networks: tuple[Network, ...], answer: _Answer) -> Claim:
        members = set(self.authority[1]) if self.authority else set()
        if self._outside(networks):
            relation = "refuted"
        elif answer.networks and same(networks, answer.networks):
            relation = "equal"
        elif answer.networks and covers(networks, answer.networks):
            relation = "covers"
        elif answer.networks and (set(networks) <= members or (claim.standing == AUTHORITY and covers(answer.networks, networks))):
            relation = "part"
        else:
            relation = "differs"
        return claim._replace(relation=relation)

    def _dissent(self, claims: tuple[Claim, ...], answer: _Answer) -> tuple[str, ...]:
        if answer.status != AGREED:
            return ()
        dissent = []
        for claim in claims:
            if claim.relation in ("equal", "part") or claim.standing == STATED:
                continue
            refuted = f"but {self.what} lie outside it" if claim.relation == "refuted" else "outvoted by what the user states"
            dissent.append(f"{claim}, {'as asked for at installation' if claim.standing == INSTALL else refuted}")
        return tuple(dissent)

    def _missing(self, answer: _Answer, verified: bool) -> tuple[str, ...]:
        missing = list(self.reality_missing)
        if answer.status == AGREED and not self.in_use and not self.reality_missing:
            missing.append(f"no {self.what} of this family to compare with yet")
        if not verified or self.authority_unread:
            missing.extend(f"{row.object}: {row.problem}" for row in self.unread)
        return tuple(dict.fromkeys(missing))


def _names(claims: t.Sequence[Claim]) -> str:
    names = list(dict.fromkeys(claim.source for claim in claims))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _claims(rows: t.Iterable[CidrEvidence], family: str) -> t.Iterator[tuple[Claim, tuple[Network, ...]]]:
    """Rows of a summed source become one claim; rows of another that say the same become one, too."""
    grouped: dict[tuple[t.Any, ...], list[CidrEvidence]] = {}
    for row in rows:
        if row.family == family and row.cidrs and row.standing != SHOWN:
            key = (row.standing, row.source) if row.source in SUMMED_SOURCES else (row.standing, row.source, row.cidrs)
            grouped.setdefault(key, []).append(row)
    for members in grouped.values():
        networks = parse_cidrs([cidr for row in members for cidr in row.cidrs]).networks
        objects = list(dict.fromkeys(row.object for row in members))
        shown = objects[0] if len(objects) == 1 else f"{objects[0]} and {len(objects) - 1} more"
        fields = dict.fromkeys(row.field for row in members)
        claim = Claim(members[0].source, shown, ", ".join(fields), tuple(str(network) for network in networks), members[0].standing, members[0].rank)
        yield claim, networks
