# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The kinds of sockets that probes travel by, and what each needs.

Those that measure a path MTU set ``IP_MTU_DISCOVER`` to ``IP_PMTUDISC_PROBE`` (ip(7)): packets carry DF
and are as large as the device takes, whatever path MTU the host has cached, so that a stale cache does not answer in place of the path.
``IP_RECVERR`` hands over the ICMP errors, with the router's address and the MTU that it named.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets

# linux/in.h and linux/in6.h; Python's socket module lacks them on many platforms.
_LEVEL = {4: 0, 6: 41}  # IPPROTO_IP, IPPROTO_IPV6
_MTU_DISCOVER = {4: 10, 6: 23}
_RECVERR = {4: 11, 6: 25}
_MTU = {4: 14, 6: 24}
_PROBE = 3
_ICMP = {4: 1, 6: 58}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
CLOSED_PORT = 33533  # of the range that traceroute uses, in which nobody listens
LARGEST_ANSWER = 65536


class NotPermitted(Exception):
    """This process may not open such a socket.

    :param why: what was tried and what came back, and what would let it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def socket_address(address: str, port: int) -> t.Any:
    """What ``connect`` wants of an IP literal, which may have a zone."""
    return socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0][4]


def prepared(family: int, kind: int, protocol: int, address: str, port: int, discover: bool = True) -> socket.socket:
    """A connected socket for probes.

    :param discover: send with DF whatever path MTU is cached; else as the host sends for any program.
    :raises OSError: not permitted, or no route.
    """
    opened = socket.socket(FAMILY[family], kind, protocol)
    try:
        if discover:
            opened.setsockopt(_LEVEL[family], _MTU_DISCOVER[family], _PROBE)
        opened.setsockopt(_LEVEL[family], _RECVERR[family], 1)
        opened.connect(socket_address(address, port))
    except OSError:
        opened.close()
        raise
    return opened


def believed_mtu(family: int, address: str) -> t.Optional[int]:
    """The path MTU that this host goes by now: of its cache, of the route's ``mtu``, or of the device; None when it has no route."""
    try:
        with prepared(family, socket.SOCK_DGRAM, 0, address, CLOSED_PORT) as asking:
            return asking.getsockopt(_LEVEL[family], _MTU[family])
    except OSError:
        return None


class Way:
    """How probes go to one address. One socket a size, so that every error on it is about that size."""

    gap = 0.0  # least seconds between two packets, where answers are rationed
    echoes = True  # what arrives is answered for certain
    refusal_ends = True  # "too big" settles the size; else this host sends the next one in fragments, as it does for any program

    def __init__(self, family: int, address: str) -> None:
        self.family = family
        self.address = address

    def open(self) -> socket.socket:
        """
        :raises OSError: not permitted, or no route.
        """
        raise NotImplementedError

    def message(self, nonce: bytes, sequence: int, length: int) -> bytes:
        """The bytes to send for the n-th packet of a size.

        :param nonce: 8 bytes of this size alone.
        :param length: bytes of payload.
        """
        raise NotImplementedError

    def matched(self, nonce: bytes, sent: t.Mapping[int, bytes], data: bytes) -> t.Optional[t.Tuple[int, bool]]:
        """Which packet something that came answers, and whether its contents were changed; None when it is no answer to any.

        :param sent: what ``message`` made, by sequence.
        """
        raise NotImplementedError

    def is_ours(self, quoted: bytes) -> bool:
        """Whether an ICMP error that quotes this is about a packet of ours."""
        return True

    def is_arrival(self, error: _packets.ExtendedError) -> bool:
        """Whether an ICMP error proves that the packet reached its target."""
        return False


class Icmp(Way):
    """ICMP echo. By ping sockets (icmp(7)), which ordinary users may use where ``net.ipv4.ping_group_range`` holds one of their groups, else by raw ones.

    :raises NotPermitted: neither is allowed.
    """

    def __init__(self, family: int, address: str) -> None:
        super().__init__(family, address)
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._kind = self._permitted()

    def _permitted(self) -> int:
        said = []
        for kind, name in ((socket.SOCK_DGRAM, "ping socket"), (socket.SOCK_RAW, "raw socket")):
            try:
                socket.socket(FAMILY[self.family], kind, _ICMP[self.family]).close()
                return kind
            except OSError as error:
                said.append(f"{name}: {error.strerror}")
        raise NotPermitted(
            f"ICMP could not be sent ({', '.join(said)}): run as root (become: true), or let net.ipv4.ping_group_range hold a group of user id {os.geteuid()}"
        )

    def open(self) -> socket.socket:
        return prepared(self.family, self._kind, _ICMP[self.family], self.address, 0)

    def message(self, nonce: bytes, sequence: int, length: int) -> bytes:
        return _packets.echo_request(self.family, self._identifier, sequence, _packets.payload(_packets.PLAIN, nonce, sequence, length))

    def matched(self, nonce: bytes, sent: t.Mapping[int, bytes], data: bytes) -> t.Optional[t.Tuple[int, bool]]:
        answer = _packets.echo_reply(self.family, data, with_header=self._kind == socket.SOCK_RAW)
        sequence = _packets.sequence_of(_packets.PLAIN, nonce, answer or b"")
        if sequence not in sent:
            return None
        return sequence, answer != sent[sequence][_packets.TRANSPORT_HEADER :]

    def is_ours(self, quoted: bytes) -> bool:
        return self._kind == socket.SOCK_DGRAM or _packets.quoted_identifier(self.family, quoted) == self._identifier


class Udp(Way):
    """UDP to a responder: it answers with a small receipt, so that the size of the way there is found and no other."""

    mark = _packets.RECEIPT

    def __init__(self, family: int, address: str, port: int) -> None:
        super().__init__(family, address)
        self.port = port

    def open(self) -> socket.socket:
        return prepared(self.family, socket.SOCK_DGRAM, 0, self.address, self.port)

    def message(self, nonce: bytes, sequence: int, length: int) -> bytes:
        return _packets.payload(self.mark, nonce, sequence, length)

    def matched(self, nonce: bytes, sent: t.Mapping[int, bytes], data: bytes) -> t.Optional[t.Tuple[int, bool]]:
        sequence = _packets.sequence_of(_packets.ANSWERS[self.mark], nonce, data)
        return None if sequence not in sent else (sequence, not _packets.is_unchanged(sent[sequence], data))


class Datagrams(Udp):
    """UDP to a responder as any program sends it: fragmented where this host must, echoed whole, so that both ways count."""

    mark = _packets.ECHO
    refusal_ends = False

    def open(self) -> socket.socket:
        return prepared(self.family, socket.SOCK_DGRAM, 0, self.address, self.port, discover=False)


class ClosedPort(Udp):
    """UDP to a port where nobody listens: the target's "port unreachable" tells that the datagram arrived.

    Hosts ration these: Linux one a second to each peer after a burst of six (``net.ipv4.icmp_ratelimit``), others fewer. Firewalls often forbid them.
    """

    mark = _packets.PLAIN
    gap = 1.05
    echoes = False

    def __init__(self, family: int, address: str) -> None:
        super().__init__(family, address, CLOSED_PORT)
        # One IPv6 address can be written in many ways; the kernel's answers are told apart by the shortest.
        self._plain = str(ipaddress.ip_address(address.partition("%")[0]))

    def matched(self, nonce: bytes, sent: t.Mapping[int, bytes], data: bytes) -> t.Optional[t.Tuple[int, bool]]:
        return None

    def is_arrival(self, error: _packets.ExtendedError) -> bool:
        return _packets.is_port_unreachable(error) and error.offender == self._plain
