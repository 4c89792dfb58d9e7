# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The way that this host would take to an address: its device, gateway and source, asked of the kernel over rtnetlink.

Needs neither rights nor the ``ip`` program.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import os
import socket
import struct
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr
_NEWROUTE, _GETROUTE, _REQUEST, _ERROR = 24, 26, 1, 2
_BROADCAST = 3  # RTN_BROADCAST
_DESTINATION, _OUT, _GATEWAY, _SOURCE = 1, 4, 5, 7  # RTA_*
_SIOCGIFMTU = 0x8921
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Route(t.NamedTuple):
    """:param mtu: of the device, in bytes.
    :param gateway: empty when the address is on the link.
    """

    device: str
    mtu: int
    source: str = ""
    gateway: str = ""


class NoRoute(Exception):
    """This host knows no way to the address.

    :param why: what the kernel said.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def request(address: str) -> bytes:
    """An RTM_GETROUTE message for one address, without a zone."""
    parsed = ipaddress.ip_address(address)
    destination = parsed.packed
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(destination), _DESTINATION) + destination
    body = _ROUTE.pack(_FAMILY[parsed.version], len(destination) * 8, 0, 0, 0, 0, 0, 0, 0) + attribute
    return _HEADER.pack(_HEADER.size + len(body), _GETROUTE, _REQUEST, 1, 0) + body


def attributes_of(answer: bytes) -> t.Dict[int, bytes]:
    """The attributes of the route in an answer.

    :raises NoRoute: the kernel answered with an error, or with something else.
    """
    if len(answer) < _HEADER.size + 4:
        raise NoRoute("the kernel gave no answer about its route")
    length, kind = _HEADER.unpack_from(answer)[:2]
    if kind == _ERROR:
        code = -struct.unpack_from("=i", answer, _HEADER.size)[0]
        raise NoRoute(os.strerror(code) if code in errno.errorcode else f"error {code}")
    found, at = {}, _HEADER.size + _ROUTE.size
    while at + _ATTRIBUTE.size <= min(length, len(answer)):
        size, number = _ATTRIBUTE.unpack_from(answer, at)
        if size < _ATTRIBUTE.size:
            break
        found[number] = answer[at + _ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3
    return found


def _text(packed: t.Optional[bytes]) -> str:
    return str(ipaddress.ip_address(packed)) if packed and len(packed) in (4, 16) else ""


def device_mtu(device: str) -> int:
    """
    :raises NoRoute: there is no such device any more.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _SIOCGIFMTU, struct.pack("16si12x", device.encode(), 0))
        except OSError as error:
            raise NoRoute(f"device {device}: {error.strerror}") from error
    return struct.unpack_from("i", answer, 16)[0]


def _asked(plain: str) -> bytes:
    """
    :raises OSError: the kernel cannot be asked.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(5.0)
        kernel.send(request(plain))
        return kernel.recv(65536)


def kind_of(answer: bytes) -> int:
    """The kind of route in an answer (RTN_*); 0 in one that holds none."""
    if len(answer) < _HEADER.size + _ROUTE.size or _HEADER.unpack_from(answer)[1] != _NEWROUTE:
        return 0
    return _ROUTE.unpack_from(answer, _HEADER.size)[7]


def require_one_host(address: str) -> None:
    """
    :raises InputError: as this host sees it, the address is that of all hosts on a link; or its device is none of this host's.
    """
    plain, _percent, zone = address.partition("%")
    if zone:
        try:
            socket.if_nametoindex(zone)
        except OSError as error:
            raise InputError(f"targets: {address}: this host has no device {zone}. Nothing was sent.") from error
        return
    try:
        kind = kind_of(_asked(plain))
    except OSError:
        return  # what becomes of it, the probe itself says
    if kind == _BROADCAST:
        raise InputError(f"targets: {address} is the broadcast address of a network of this host, and no address of one host. Nothing was sent.")


def route_to(address: str) -> Route:
    """
    :param address: a literal; an IPv6 one may have a zone, which is the device.
    :raises NoRoute: there is none, or the device vanished.
    """
    plain, _percent, zone = address.partition("%")
    if zone:
        return Route(zone, device_mtu(zone))
    try:
        found = attributes_of(_asked(plain))
        device = socket.if_indextoname(struct.unpack("=I", found[_OUT])[0])
    except KeyError as error:
        raise NoRoute("the route leads to no device: it rejects or discards") from error
    except OSError as error:
        raise NoRoute(str(error.strerror or error)) from error
    return Route(device, device_mtu(device), _text(found.get(_SOURCE)), _text(found.get(_GATEWAY)))
