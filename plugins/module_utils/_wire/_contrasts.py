# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Exchanges of a small and a large size, side by side: what separates faults that look alike."""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import BLACK_HOLE, OPEN, REFUSED, UNDERLAY, UNKNOWN, Contrast
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _counters, _dns, _packets, _talk
from ansible_collections.fathom.submariner.plugins.module_utils._wire._allowance import Allowance
from ansible_collections.fathom.submariner.plugins.module_utils._wire._bounds import require_numbers, require_target
from ansible_collections.fathom.submariner.plugins.module_utils._wire._exchange import Exchange, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._wire._route import require_one_host
from ansible_collections.fathom.submariner.plugins.module_utils._wire._tcp import BACK, THERE, Connection, TcpOutcome, reserve
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import Datagrams, Udp

TCP, UDP, DNS = "tcp", "udp", "dns"
SMALL, LARGE = "small", "large"
SMALL_BYTES = 64
LARGE_BYTES = {TCP: 16384, UDP: 1372}  # a datagram of 1400 bytes with IPv4's header: what most programs keep to
MOST_DATAGRAM = 65507
USED_UP = "the allowed packets were used up before; raise packets"


class ContrastTarget(t.NamedTuple):
    """
    :param address: an IP literal.
    :param port: of the responder, or of the DNS server; 0 takes the usual one of each.
    :param unserved: why no responder could be started there, so that nothing is sent; empty where one was, or nobody tried.
    """

    address: str
    name: str = ""
    path: str = UNDERLAY
    protocols: t.Tuple[str, ...] = (TCP, UDP)
    port: int = 0
    sizes: t.Tuple[str, ...] = (SMALL, LARGE)
    unserved: str = ""

    @property
    def family(self) -> int:
        return 6 if ":" in self.address else 4


class ContrastSettings(t.NamedTuple):
    """
    :param bytes: payload of a large exchange; None takes ``LARGE_BYTES``.
    :param dns_name: name whose address is asked for; empty asks for the root.
    :param dns_large_name: name with a large record of type ``dns_large_type``; empty tries no large answer.
    :param throughput_seconds: of each throughput, 0 for none; ``throughput_bytes`` bounds it too.
    :param timeout: seconds that an answer is waited for, before each of ``retries`` further tries.
    :param packets: bound of all packets together, those of throughputs aside.
    """

    bytes: t.Optional[int] = None
    dns_name: str = "."
    dns_large_name: str = ""
    dns_large_type: str = "TXT"
    throughput_seconds: float = 0.0
    throughput_bytes: int = 16 << 20
    timeout: float = 1.0
    retries: int = 2
    packets: int = 2000
    workers: int = 8


class Dns(Udp):
    """Queries to a DNS server. Its payloads are queries, so the length that is asked for does not count."""

    refusal_ends = False

    def __init__(self, family: int, address: str, port: int, asked: bytes, edns: bool) -> None:
        super().__init__(family, address, port)
        self._asked = asked
        self._edns = edns

    def open(self) -> t.Any:
        return Datagrams(self.family, self.address, self.port).open()

    def message(self, nonce: bytes, sequence: int, length: int) -> bytes:
        return _dns.query((int.from_bytes(nonce[:2], "big") + sequence) & 0xFFFF, self._asked, self._edns)

    def matched(self, nonce: bytes, sent: t.Mapping[int, bytes], data: bytes) -> t.Optional[t.Tuple[int, bool]]:
        answer = _dns.answer_of(data, self._asked)
        sequence = None if answer is None else (answer.identifier - int.from_bytes(nonce[:2], "big")) & 0xFFFF
        return None if answer is None or sequence not in sent else (sequence, not answer.same_question)


def probe_contrasts(targets: t.Sequence[ContrastTarget], settings: ContrastSettings) -> t.Tuple[Contrast, ...]:
    """The exchanges of each target, in the order of targets, protocols and sizes.

    :raises InputError: a target or a setting is not usable.
    """
    numbers = ("bytes", "throughput_seconds", "throughput_bytes", "timeout", "retries", "packets", "workers")
    require_numbers({name: getattr(settings, name) for name in numbers})
    for each in targets:
        require_target(each.address, each.path, each.port)
        require_one_host(each.address)
    asked = _dns.question(settings.dns_name.rstrip("."), "A") if settings.dns_name.rstrip(".") else b"\0" + b"\0\2\0\1"
    asked_large = _dns.question(settings.dns_large_name, settings.dns_large_type) if settings.dns_large_name else b""
    before = _counters.checksum_errors()
    probing = _Probing(settings, Allowance(settings.packets), asked, asked_large)
    with ThreadPoolExecutor(max_workers=max(1, min(settings.workers, len(targets) or 1))) as pool:
        found = [each for results in pool.map(probing.target, targets) for each in results]
    dropped = _counters.since(before, _counters.checksum_errors())
    return tuple(_with_drops(each, dropped) for each in found)


def _with_drops(contrast: Contrast, dropped: t.Mapping[str, int]) -> Contrast:
    protocol = UDP if contrast.protocol == DNS else contrast.protocol
    if contrast.answer != BLACK_HOLE or not dropped.get(protocol):
        return contrast
    return contrast._replace(why=f"{contrast.why}; meanwhile this host dropped {dropped[protocol]} {protocol} packets for wrong checksums")


class _Probing:
    def __init__(self, settings: ContrastSettings, allowance: Allowance, asked: bytes, asked_large: bytes) -> None:
        self._settings = settings
        self._allowance = allowance
        self._asked = asked
        self._asked_large = asked_large
        self._pouring = threading.Lock()  # two throughputs at a time would share the same link

    def target(self, target: ContrastTarget) -> t.List[Contrast]:
        results: t.List[Contrast] = []
        for protocol in target.protocols:
            failed = ""
            for size in (each for each in (SMALL, LARGE) if each in target.sizes):
                begun = Contrast(target.address, target.name, target.path, target.family, protocol, size, self._port(target, protocol))
                if target.unserved:
                    results.append(begun._replace(answer=UNKNOWN, why=target.unserved))
                    continue
                if failed:
                    results.append(begun._replace(why="not tried, since the small one did not succeed"))
                    continue
                results.append({TCP: self._tcp, UDP: self._udp, DNS: self._dns}[protocol](begun))
                failed = failed or (size if results[-1].answer != OPEN else "")
        return results

    def _port(self, target: ContrastTarget, protocol: str) -> int:
        return target.port or (_dns.PORT if protocol == DNS else _talk.PORT)

    def _length(self, begun: Contrast) -> int:
        return SMALL_BYTES if begun.size == SMALL else self._settings.bytes or LARGE_BYTES[begun.protocol]

    @property
    def _patience(self) -> float:
        return self._settings.timeout * (1 + self._settings.retries)

    def _tcp(self, begun: Contrast) -> Contrast:
        length = self._length(begun)
        reserved = reserve(length)
        if not self._allowance.reserve(reserved):
            return begun._replace(answer=UNKNOWN, why=USED_UP)
        connection = Connection(begun.family, begun.target, begun.port, self._patience)
        sent = reserved
        try:
            outcome = connection.echo(length)
            sent = outcome.cost.packets
        finally:
            self._allowance.settle(reserved, sent)
        contrast = _of_tcp(begun, outcome, length)
        if contrast.answer != OPEN or begun.size != LARGE or not self._settings.throughput_seconds:
            return contrast
        with self._pouring:
            poured, rate = connection.throughput(self._settings.throughput_seconds, self._settings.throughput_bytes)
        return contrast._replace(
            megabits_per_second=None if rate is None else round(rate, 2),
            packets=contrast.packets + poured.cost.packets,
            bytes=contrast.bytes + poured.cost.bytes,
            why=contrast.why if poured.done else f"{contrast.why}; the throughput was not measured: {poured.said or 'no answer'}",
        )

    def _udp(self, begun: Contrast) -> Contrast:
        length = min(self._length(begun), MOST_DATAGRAM)
        outcome = self._exchange(Datagrams(begun.family, begun.target, begun.port), length)
        contrast = _of_udp(begun, outcome, f"{length} bytes")
        if contrast.answer != BLACK_HOLE:
            return contrast
        told = Connection(begun.family, begun.target, begun.port, self._patience).ask(_talk.HEARD, outcome.nonce)
        if told is None:
            return contrast._replace(why=f"{contrast.why}; whether they arrived cannot be asked, since TCP to the responder fails too")
        heard, errors = told.get("heard"), told.get("checksum_errors")
        text = f"{contrast.why}; the responder heard {heard} of them"
        if errors:
            text += f", and since it began its host dropped for wrong checksums: {_counters.told(errors)}"
        return contrast._replace(direction=BACK if heard else THERE, why=text)

    def _dns(self, begun: Contrast) -> Contrast:
        large = begun.size == LARGE
        if large and not self._asked_large:
            return begun._replace(answer=UNKNOWN, why="no name with a large record was given (dns_large_name)")
        asked = self._asked_large if large else self._asked
        way = Dns(begun.family, begun.target, begun.port, asked, large)
        outcome = self._exchange(way, len(_dns.query(0, asked, large)))
        contrast = _of_udp(begun, outcome, "the query")
        if contrast.answer != OPEN:
            return contrast
        answer = _dns.answer_of(outcome.answer, asked)
        text = f"{answer.code if answer else 'an answer'} of {len(outcome.answer)} bytes"
        if large and len(outcome.answer) <= _dns.PLAIN_MOST:
            return contrast._replace(answer=UNKNOWN, why=f"{text}: too small to tell anything of large ones")
        return contrast._replace(why=text)

    def _exchange(self, way: Udp, length: int) -> Outcome:
        size = length + _packets.IP_HEADER[way.family] + _packets.TRANSPORT_HEADER
        return Exchange(way, self._settings.timeout, 1 + self._settings.retries, self._allowance).run(size)


def _of_tcp(begun: Contrast, outcome: TcpOutcome, length: int) -> Contrast:
    found = begun._replace(packets=outcome.cost.packets, bytes=outcome.cost.bytes, corrupt=outcome.corrupt, direction=outcome.direction)
    if outcome.milliseconds is not None:
        found = found._replace(milliseconds=round(outcome.milliseconds, 3))
    if outcome.done:
        why = f"{length} bytes each way in segments of at most {outcome.cost.segment}" if outcome.cost.segment else ""
        return found._replace(answer=OPEN, why="; ".join(filter(None, (why, "contents were changed" if outcome.corrupt else ""))))
    if outcome.stranger:
        return found._replace(answer=UNKNOWN, direction="", why=f"who listens on port {begun.port} is no responder; start one (module path_responder)")
    if not outcome.silent:
        return found._replace(answer=REFUSED, why=outcome.said)
    if not outcome.connected:
        return found._replace(answer=BLACK_HOLE, direction="", why="no answer to the opening of a connection")
    stalled = "did not arrive" if outcome.direction == THERE else "arrived, and did not come back"
    segment = f" (segments of at most {outcome.cost.segment})" if outcome.cost.segment else ""
    return found._replace(answer=BLACK_HOLE, why=f"connected, and then {length} bytes{segment} {stalled}")


def _of_udp(begun: Contrast, outcome: Outcome, what: str) -> Contrast:
    found = begun._replace(packets=outcome.packets, bytes=outcome.bytes, corrupt=outcome.changed)
    if outcome.milliseconds is not None:
        found = found._replace(milliseconds=round(outcome.milliseconds, 3))
    if outcome.arrived:
        return found._replace(answer=OPEN, why="contents were changed" if outcome.changed else "")
    if outcome.said:
        return found._replace(answer=REFUSED, why=outcome.said)
    if not outcome.complete:
        return found._replace(answer=UNKNOWN, why=USED_UP)
    return found._replace(answer=BLACK_HOLE, why=f"no answer to {outcome.packets} datagrams of {what}")


def contrast_line(result: Contrast) -> str:
    """One result for a person."""
    where = f"{result.name} ({result.target})" if result.name else result.target
    time = f", {result.milliseconds:g} ms" if result.milliseconds is not None else ""
    rate = f", {result.megabits_per_second:g} Mbit/s" if result.megabits_per_second is not None else ""
    corrupt = ", contents changed" if result.corrupt else ""
    why = f" ({result.why})" if result.why else ""
    return f"{result.path} {result.protocol} {result.size} to {where} port {result.port}: {result.answer.replace('_', ' ')}{corrupt}{time}{rate}{why}"
