# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The responder: answers probes for a bounded time, and then ends by itself.

It answers datagrams with what they carried, never with more than it got and never an answer of another responder (``_packets.answer_to``), echoes and counts
over TCP (``_talk``), to the peers that it was told and to no one else. It keeps no file: a later run finds it at its port and ends it there.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import selectors
import socket
import threading
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._wire import _counters, _packets, _talk
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import FAMILY, LARGEST_ANSWER, socket_address

CONNECTIONS = 32  # served side by side; more are closed at once
PATIENCE = 60.0  # seconds that one connection may take
CONTROL = "127.0.0.1"
REMEMBERED = 4096  # nonces whose datagrams are counted, and peers; the oldest are forgotten
_FREEBIND = {4: (0, 15), 6: (41, 78)}  # IP_FREEBIND, IPV6_FREEBIND: an address that its device brings later may be listened on now
_V6ONLY = 26


class Terms(t.NamedTuple):
    """
    :param addresses: IP literals to listen on.
    :param peers: networks that are answered; empty answers everybody.
    :param lifetime: seconds from now.
    """

    addresses: t.Tuple[str, ...]
    port: int = _talk.PORT
    lifetime: float = 300.0
    peers: t.Tuple[str, ...] = ()


class Responder:
    """Listens from its construction on; ``serve`` answers until the end.

    :param on_renewal: called with the seconds of a lifetime that was set anew.
    :raises OSError: an address cannot be listened on; it says which, and over which protocol.
    """

    def __init__(self, terms: Terms, on_renewal: t.Callable[[float], t.Any] = float) -> None:
        self._terms = terms
        self._on_renewal = on_renewal
        self._peers = [ipaddress.ip_network(each, strict=False) for each in terms.peers]
        self._end = time.monotonic() + terms.lifetime
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._heard: t.Dict[bytes, int] = {}
        self._from: t.Dict[str, t.Dict[str, int]] = {}
        self._errors = _counters.checksum_errors()
        self._sockets: t.List[socket.socket] = []
        try:
            # The loopback is for orders of this host, whatever became of the other addresses; it also keeps a second responder off the port.
            self._sockets.append(_listening(CONTROL, terms.port, socket.SOCK_STREAM))
            for address in terms.addresses:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    if (address, kind) != (CONTROL, socket.SOCK_STREAM):
                        self._sockets.append(_listening(address, terms.port, kind))
        except OSError:
            self._close()
            raise

    def serve(self) -> None:
        """Returns at the end of the lifetime, or when told to stop."""
        with selectors.DefaultSelector() as selector:
            for each in self._sockets:
                selector.register(each, selectors.EVENT_READ)
            while True:
                with self._lock:
                    left = self._end - time.monotonic()
                if left <= 0:
                    break
                for key, _events in selector.select(min(left, 1.0)):
                    if key.fileobj.type == socket.SOCK_DGRAM:
                        self._datagram(key.fileobj)
                    else:
                        self._connection(key.fileobj)
        self._close()

    def _close(self) -> None:
        for each in self._sockets:
            each.close()

    def _welcome(self, address: str) -> bool:
        plain = ipaddress.ip_address(address.partition("%")[0])
        return not self._peers or any(plain in network for network in self._peers if network.version == plain.version)

    def _note(self, peer: str, protocol: str) -> None:
        with self._lock:
            if peer not in self._from and len(self._from) >= REMEMBERED:
                self._from.pop(next(iter(self._from)))
            counts = self._from.setdefault(peer, {"tcp": 0, "udp": 0})
            counts[protocol] += 1

    def _datagram(self, listening: socket.socket) -> None:
        try:
            data, sender = listening.recvfrom(LARGEST_ANSWER, socket.MSG_DONTWAIT)
        except OSError:
            return  # an ICMP error about an answer of ours, or a wrong checksum found late
        answer = _packets.answer_to(data) if self._welcome(sender[0]) else None
        if answer is None:
            return
        self._note(sender[0], "udp")
        nonce = data[4:12]
        with self._lock:
            if nonce not in self._heard and len(self._heard) >= REMEMBERED:
                self._heard.pop(next(iter(self._heard)))
            self._heard[nonce] = self._heard.get(nonce, 0) + 1
        try:
            listening.sendto(answer, socket.MSG_DONTWAIT, sender)
        except OSError:
            return  # no way back: who asked learns it by ``HEARD``

    def _connection(self, listening: socket.socket) -> None:
        try:
            accepted, peer = listening.accept()
        except OSError:
            return
        if self._welcome_connection(accepted, peer[0]) and self._slots.acquire(blocking=False):
            threading.Thread(target=self._serve_connection, args=(accepted, peer[0]), daemon=True).start()
        else:
            accepted.close()

    def _welcome_connection(self, accepted: socket.socket, peer: str) -> bool:
        return self._welcome(peer) or peer == accepted.getsockname()[0]

    def _serve_connection(self, accepted: socket.socket, peer: str) -> None:
        try:
            with accepted:
                accepted.settimeout(PATIENCE)
                order = _talk.order_of(received(accepted, _talk.HEAD))
                if order is None or (order.kind in _talk.LOCAL and peer != accepted.getsockname()[0]):
                    return
                if order.kind in (_talk.ECHO, _talk.SINK):
                    self._note(peer, "tcp")
                self._answer(accepted, order)
                accepted.shutdown(socket.SHUT_WR)
                # The other side closes in its turn; closing with unread bytes would reset what it still reads.
                accepted.recv(1)
        except OSError:
            return  # the path is what is being tested: connections that break are expected
        finally:
            self._slots.release()

    def _answer(self, accepted: socket.socket, order: _talk.Order) -> None:
        if order.kind == _talk.ECHO:
            data = received(accepted, order.length)
            if len(data) == order.length:
                accepted.sendall(_talk.RECEIVED + hashlib.sha256(data).digest())
                accepted.sendall(data)
        elif order.kind == _talk.SINK:
            accepted.sendall(_talk.counted(*_drain(accepted, order.length)))
        elif order.kind == _talk.HEARD:
            with self._lock:
                heard = self._heard.get(order.nonce, 0)
            accepted.sendall(_talk.told({"heard": heard, "checksum_errors": self._checksum_errors()}))
        else:
            with self._lock:
                if order.kind == _talk.RENEW:
                    self._end = time.monotonic() + order.length
                    self._on_renewal(float(order.length))
                status = self._status()
            accepted.sendall(_talk.told(status))
            if order.kind == _talk.STOP:  # not before it is answered: the process ends with its loop, whatever its threads still have to say
                with self._lock:
                    self._end = time.monotonic()

    def _checksum_errors(self) -> t.Dict[str, int]:
        return _counters.since(self._errors, _counters.checksum_errors())

    def _status(self) -> t.Dict[str, t.Any]:
        """With the lock held."""
        return {
            "addresses": list(self._terms.addresses),
            "port": self._terms.port,
            "peers": list(self._terms.peers),
            "left": round(max(0.0, self._end - time.monotonic()), 1),
            "answered": {name: sum(counts[name] for counts in self._from.values()) for name in ("tcp", "udp")},
            "heard_from": {peer: dict(counts) for peer, counts in sorted(self._from.items())[:256]},
            "checksum_errors": self._checksum_errors(),
        }


def _listening(address: str, port: int, kind: int) -> socket.socket:
    family = ipaddress.ip_address(address.partition("%")[0]).version
    opened = socket.socket(FAMILY[family], kind)
    try:
        if family == 6:
            opened.setsockopt(socket.IPPROTO_IPV6, _V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(*_FREEBIND[family], 1)
        opened.bind(socket_address(address, port))
        if kind == socket.SOCK_STREAM:
            opened.listen(CONNECTIONS)
        return opened
    except OSError as error:
        opened.close()
        protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        holders = "another program has it" if protocol == "TCP" else "another program or a device of the kernel's own (VXLAN, the cable) has it"
        held = f"; {holders}" if error.errno == errno.EADDRINUSE else ""
        raise OSError(error.errno, f"{protocol} on {address}: {error.strerror or error}{held}") from error


def received(connection: socket.socket, length: int) -> bytes:
    """So many bytes, or fewer when the other side ended before.

    :raises OSError: the connection broke, or its timeout passed without a byte.
    """
    parts, missing = [], length
    while missing:
        part = connection.recv(min(missing, 1 << 16))
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _drain(connection: socket.socket, most: int) -> t.Tuple[int, int]:
    """Reads to the end or the bound; bytes, and microseconds from the first to the last."""
    total, begun, ended = 0, 0.0, 0.0
    while total < most:
        part = connection.recv(min(most - total, 1 << 16))
        if not part:
            break
        ended = time.monotonic()
        begun = begun or ended
        total += len(part)
    return total, int((ended - begun) * 1_000_000)


def responder_line(status: t.Mapping[str, t.Any]) -> str:
    """What a responder says of itself, for a person."""
    answered = status.get("answered", {})
    heard = ", ".join(f"{peer} ({counts.get('tcp', 0)} tcp, {counts.get('udp', 0)} udp)" for peer, counts in status.get("heard_from", {}).items())
    errors = _counters.told(status.get("checksum_errors", {}))
    where = f"{', '.join(status.get('addresses', []))} port {status.get('port')}"
    text = f"responder on {where}: {answered.get('tcp', 0)} tcp, {answered.get('udp', 0)} udp answered"
    text += f", of {heard}" if heard else ""
    return f"{text}, {errors} dropped for wrong checksums" if errors else text
