# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One size, tried a few times: sent, awaited, and what came back."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets
from ansible_collections.fathom.submariner.plugins.module_utils._wire._allowance import Allowance
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import LARGEST_ANSWER, Way

BURST = 5  # answers that a host gives before it rations them; Linux gives six
_QUOTED = 2048  # bytes of an ICMP error's quotation that are read


class Refusal(t.NamedTuple):
    """Somebody said that a packet was too big.

    :param mtu: what the next link takes; None when the router named none (RFC 792's routers do not).
    :param reporter: address of the router; empty when it was this host.
    """

    mtu: t.Optional[int]
    reporter: str


class Outcome(t.NamedTuple):
    """
    :param milliseconds: from the packet that was answered to its answer; None when it cannot be told which one was.
    :param changed: the contents came back otherwise than they were sent.
    :param said: what else came back in words: another ICMP error, or this host's own refusal to send.
    :param complete: all tries that it took were made; False when the allowance ended before.
    :param nonce: by which a responder knows these packets.
    :param answer: the datagram that came back.
    """

    arrived: bool = False
    milliseconds: t.Optional[float] = None
    changed: bool = False
    refusal: t.Optional[Refusal] = None
    said: str = ""
    packets: int = 0
    bytes: int = 0
    complete: bool = True
    nonce: bytes = b""
    answer: bytes = b""


class Pace:
    """Holds packets back where answers are rationed: ``BURST`` at once, then one each ``gap`` seconds."""

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._tokens = float(BURST)
        self._at = time.monotonic()

    def wait(self) -> None:
        if not self._gap:
            return
        now = time.monotonic()
        self._tokens = min(float(BURST), self._tokens + (now - self._at) / self._gap)
        self._at = now
        if self._tokens < 1:
            time.sleep((1 - self._tokens) * self._gap)
            self._tokens, self._at = 1.0, time.monotonic()
        self._tokens -= 1


class Exchange:
    """Sizes to one address, by one way.

    :param timeout: seconds that the answer to a packet is waited for.
    :param tries: packets of a size, sent spread over that time, until one is answered.
    """

    def __init__(self, way: Way, timeout: float, tries: int, allowance: Allowance) -> None:
        self._way = way
        self._timeout = timeout
        self._tries = tries
        self._gap = max(timeout / tries, way.gap)
        self._allowance = allowance
        self._pace = Pace(way.gap)

    def run(self, size: int) -> Outcome:
        """:param size: bytes of the whole IP packet."""
        try:
            opened = self._way.open()
        except OSError as error:
            return Outcome(said=f"this host: {error.strerror}")
        with opened:
            return _Attempt(self._way, opened, size).run(self._tries, self._timeout, self._gap, self._allowance, self._pace)


class _Attempt:
    def __init__(self, way: Way, opened: socket.socket, size: int) -> None:
        self._way = way
        self._socket = opened
        self._size = size
        self._nonce = os.urandom(8)
        self._sent: t.Dict[int, bytes] = {}
        self._times: t.Dict[int, float] = {}
        self._arrived = self._changed = self._stopped = False
        self._answer = b""
        self._milliseconds: t.Optional[float] = None
        self._refusal: t.Optional[Refusal] = None
        self._said = ""

    def run(self, tries: int, timeout: float, gap: float, allowance: Allowance, pace: Pace) -> Outcome:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLERR)
        tried, due, finish, complete = 0, time.monotonic(), 0.0, True
        while not self._over:
            if tried < tries and complete and time.monotonic() >= due:
                if allowance.take():
                    pace.wait()
                    if not self._send(tried):
                        allowance.give_back()
                    tried += 1
                    due = time.monotonic() + gap
                    finish = time.monotonic() + timeout
                    continue
                complete = False
            until = min(due, finish) if tried < tries and complete else finish
            poll.poll(max(0.0, until - time.monotonic()) * 1000)
            # What came while this process waited for the processor counts, however late it is read.
            late = time.monotonic() >= finish and (tried >= tries or not complete)
            self._receive()
            if late:
                break
        return Outcome(
            self._arrived,
            self._milliseconds,
            self._changed,
            self._refusal,
            self._said,
            len(self._sent),
            len(self._sent) * self._size,
            complete or self._over,
            self._nonce,
            self._answer,
        )

    @property
    def _over(self) -> bool:
        return self._arrived or self._stopped or self._refusal is not None

    def _send(self, sequence: int) -> bool:
        """Whether a packet left this host."""
        message = self._way.message(self._nonce, sequence, _packets.payload_length(self._way.family, self._size))
        for _attempt in range(2):
            self._receive()
            if self._over:
                return False
            self._sent[sequence], self._times[sequence] = message, time.monotonic()
            try:
                self._socket.send(message)
                return True
            except OSError as error:
                del self._sent[sequence]
                self._refused_by_this_host(error)
            if self._over:
                return False
        return False

    def _refused_by_this_host(self, error: OSError) -> None:
        """An error of ``send`` is this host's own, or that of an ICMP error about an earlier packet, which stands in the error queue."""
        before = self._said
        self._receive()
        if self._over or self._said != before or error.errno in (errno.EAGAIN, errno.ENOBUFS, errno.ECONNREFUSED):
            return
        if error.errno == errno.EMSGSIZE:
            self._refusal = Refusal(None, "")
        elif error.errno == errno.EPERM:
            self._said, self._stopped = "this host's own firewall does not let it out", True
        else:
            self._said, self._stopped = f"this host: {error.strerror}", True

    def _receive(self) -> None:
        self._read_errors()
        while True:
            try:
                data = self._socket.recv(LARGEST_ANSWER, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                # The error of an ICMP message that came meanwhile; reading it here has cleared it.
                self._read_errors()
                continue
            self._read_answer(data)

    def _read_answer(self, data: bytes) -> None:
        found = self._way.matched(self._nonce, self._sent, data)
        if found is None:
            return
        sequence, changed = found
        self._arrived, self._answer = True, data
        self._changed = self._changed or changed
        self._milliseconds = (time.monotonic() - self._times[sequence]) * 1000

    def _read_errors(self) -> None:
        while True:
            try:
                quoted, ancillary, _flags, _address = self._socket.recvmsg(_QUOTED, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            except OSError:
                return
            for _level, _type, data in ancillary:
                error = _packets.extended_error(data)
                if error is not None and (error.origin == _packets.ORIGIN_LOCAL or self._way.is_ours(quoted)):
                    self._read_error(error)

    def _read_error(self, error: _packets.ExtendedError) -> None:
        if error.origin == _packets.ORIGIN_LOCAL:
            if error.errno == errno.EMSGSIZE:
                self._refusal = Refusal(error.info or None, "")
            else:
                self._said = f"this host: {os.strerror(error.errno)}"
        elif _packets.is_too_big(error):
            # A router that names a size larger than the packet speaks of another packet, or lies: then the packet's fate tells.
            if self._way.refusal_ends and error.info < self._size:
                self._refusal = Refusal(error.info or None, error.offender)
        elif self._way.is_arrival(error):
            self._arrived = True
            if list(self._sent) == [0]:
                self._milliseconds = (time.monotonic() - self._times[0]) * 1000
        else:
            self._said = f"{error.offender or 'somebody'} answered: {_packets.meaning(error)}"
