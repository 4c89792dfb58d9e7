# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Bytes of probes: ICMP echoes, the payload by which a probe is known again, and the kernel's extended errors. Opens no socket."""

from __future__ import annotations

import hashlib
import ipaddress
import struct
import typing as t

IP_HEADER = {4: 20, 6: 40}
TRANSPORT_HEADER = 8  # of ICMP echo and of UDP alike
ECHO_REQUEST = {4: 8, 6: 128}  # RFC 792, RFC 4443
ECHO_REPLY = {4: 0, 6: 129}
PLAIN = b"fsmp"  # marks at the beginning of payloads: whoever gets it need not know of us
RECEIPT = b"fsmr"  # a responder answers a datagram with its digest, in a small one: only the way there is tried
ECHO = b"fsme"  # a responder sends it back whole: both ways are tried
RECEIPT_ANSWER = b"fsmR"  # answers have marks of their own, so that two responders never answer each other
ECHO_ANSWER = b"fsmE"
ANSWERS = {RECEIPT: RECEIPT_ANSWER, ECHO: ECHO_ANSWER}
STAMP = 16  # bytes of mark, nonce and sequence at the beginning of a payload
DIGEST = 32
# Of IPv4 the size that every link must carry (RFC 791 section 3.2). IPv6's minimum is 1280, which a broken path may not reach: the search must see it.
LEAST = {4: 68, 6: 88}
MOST = 65535

_ERROR = struct.Struct("=IBBBBII")  # struct sock_extended_err of linux/errqueue.h
ORIGIN_LOCAL = 1  # SO_EE_ORIGIN_*
ORIGIN_ICMP = 2
ORIGIN_ICMP6 = 3


class ExtendedError(t.NamedTuple):
    """One entry of a socket's error queue.

    :param errno: as of errno(3).
    :param origin: 1 this host, 2 ICMP, 3 ICMPv6.
    :param info: next-hop MTU when the packet was too big.
    :param offender: address of the router or host that sent the ICMP error, empty when it was this host.
    """

    errno: int
    origin: int
    type: int
    code: int
    info: int
    offender: str


def payload_length(family: int, size: int) -> int:
    """Bytes of payload in an ICMP echo or UDP datagram of ``size`` bytes, IP header included."""
    return size - IP_HEADER[family] - TRANSPORT_HEADER


def payload(mark: bytes, nonce: bytes, sequence: int, length: int) -> bytes:
    """A payload that no other probe has and that shows when it was changed on its way.

    :param mark: one of the four bytes above.
    :param nonce: 8 bytes.
    :param length: at least ``STAMP``.
    """
    stamp = mark + nonce + struct.pack("!I", sequence)
    filler = hashlib.sha256(stamp).digest()
    return (stamp + filler * (length // len(filler) + 1))[:length]


def sequence_of(mark: bytes, nonce: bytes, data: bytes) -> t.Optional[int]:
    """The sequence of a payload of ours, even of one cut short after its stamp; None when it is another's."""
    if len(data) < STAMP or data[:12] != mark + nonce:
        return None
    return struct.unpack_from("!I", data, 12)[0]


def answer_to(data: bytes) -> t.Optional[bytes]:
    """What a responder answers to a datagram: never more bytes than it got; None to what is no question of ours.

    A receipt is not sent for a datagram that is smaller than it: a forged sender's address must not make us send more than was sent to us.
    """
    mark = data[:4]
    if len(data) < STAMP or mark not in ANSWERS:
        return None
    if mark == ECHO:
        return ECHO_ANSWER + data[4:]
    answer = RECEIPT_ANSWER + data[4:STAMP] + hashlib.sha256(data).digest()
    return answer[: len(data)]


def is_unchanged(sent: bytes, answer: bytes) -> bool:
    """Whether an answer is what ``answer_to`` makes of what was sent: the contents arrived, there and back, as they left."""
    return answer == answer_to(sent)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def echo_request(family: int, identifier: int, sequence: int, data: bytes) -> bytes:
    """An ICMP echo request. The kernel fills in ICMPv6's checksum (RFC 3542 section 3.1), and identifier and checksum on ping sockets (icmp(7))."""
    head = struct.pack("!BBHHH", ECHO_REQUEST[family], 0, 0, identifier, sequence & 0xFFFF)
    total = checksum(head + data) if family == 4 else 0
    return head[:2] + struct.pack("!H", total) + head[4:] + data


def echo_reply(family: int, packet: bytes, with_header: bool) -> t.Optional[bytes]:
    """The payload of an echo reply; None of anything else.

    :param with_header: an IPv4 header comes first, as on raw sockets.
    """
    if with_header and family == 4:
        packet = packet[(packet[0] & 15) * 4 :] if packet else b""
    if len(packet) < TRANSPORT_HEADER or packet[0] != ECHO_REPLY[family]:
        return None
    return packet[TRANSPORT_HEADER:]


def quoted_identifier(family: int, data: bytes) -> t.Optional[int]:
    """The identifier of our echo request that an ICMP error quotes; None when it quotes something else. Eight bytes are always quoted (RFC 792)."""
    if len(data) < TRANSPORT_HEADER or data[0] != ECHO_REQUEST[family]:
        return None
    return struct.unpack_from("!H", data, 4)[0]


def extended_error(data: bytes) -> t.Optional[ExtendedError]:
    """What the kernel hands over with ``IP_RECVERR`` or ``IPV6_RECVERR`` (ip(7), ipv6(7)); None when it is too short to be one."""
    if len(data) < _ERROR.size:
        return None
    errno, origin, kind, code, _padding, info, _data = _ERROR.unpack_from(data)
    return ExtendedError(errno, origin, kind, code, info, _offender(data[_ERROR.size :]) if origin != ORIGIN_LOCAL else "")


def _offender(address: bytes) -> str:
    """The address in a struct sockaddr_in or sockaddr_in6."""
    family = struct.unpack_from("=H", address)[0] if len(address) >= 2 else 0
    if family == 2 and len(address) >= 8:
        return str(ipaddress.IPv4Address(address[4:8]))
    if family == 10 and len(address) >= 24:
        return str(ipaddress.IPv6Address(address[8:24]))
    return ""


_UNREACHABLE = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    9: "network administratively prohibited",
    10: "host administratively prohibited",
    13: "communication administratively prohibited",
}
_UNREACHABLE_6 = {
    0: "no route to destination",
    1: "communication administratively prohibited",
    2: "beyond the scope of the source address",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed ingress policy",
    6: "reject route to destination",
}


def meaning(error: ExtendedError) -> str:
    """An ICMP error in words (RFC 792, RFC 1812, RFC 4443)."""
    if error.origin == ORIGIN_ICMP6:
        named = {1: _UNREACHABLE_6.get(error.code), 2: "packet too big", 3: "hop limit exceeded"}.get(error.type)
    else:
        named = {3: _UNREACHABLE.get(error.code), 11: "time to live exceeded"}.get(error.type)
    return named or f"ICMP{'v6' if error.origin == ORIGIN_ICMP6 else ''} type {error.type} code {error.code}"


def is_port_unreachable(error: ExtendedError) -> bool:
    return (error.origin, error.type, error.code) in ((ORIGIN_ICMP, 3, 3), (ORIGIN_ICMP6, 1, 4))


def is_too_big(error: ExtendedError) -> bool:
    """Whether it says that the packet was larger than the next link takes."""
    return (error.origin, error.type, error.code) == (ORIGIN_ICMP, 3, 4) or (error.origin, error.type) == (ORIGIN_ICMP6, 2)
