# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the options of the modules that probe can be: one range for each name, and which addresses can be probed or answered on.

What cannot be is refused before anything is sent. A probe with it would end as "dead" or "open", which would be told of the path.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import PATHS
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets, _talk

Number = t.Union[int, float]

LEAST_IPV6 = 1280  # bytes; no link of IPv6 carries less (RFC 8200, section 5)
BOUNDS: t.Mapping[str, t.Tuple[Number, Number]] = {
    "bytes": (1, _talk.MOST_ECHO),
    "exchange_packets": (1, 1_000_000),
    "gather_timeout": (0, _talk.MOST_LIFETIME),
    "lifetime": (1, _talk.MOST_LIFETIME),
    "max_mtu": (_packets.LEAST[4], _packets.MOST),
    "neighbours": (1, 1000),
    "packets": (1, 1_000_000),
    "pairs": (1, 100_000),
    "port": (1, 65535),
    "read_timeout": (1, 3600),
    "retries": (0, 100),
    "throughput_bytes": (1, _talk.MOST_SINK),
    "throughput_seconds": (0, 3600),
    "timeout": (0.01, 60),
    "wait_timeout": (1, _talk.MOST_LIFETIME),
    "workers": (1, 64),
}


def require_number(option: str, value: Number, least: t.Optional[Number] = None, where: str = "") -> None:
    """
    :param least: in place of the usual least.
    :param where: what the option belongs to, for the message.
    :raises InputError: it is out of its range. What is no number at all (``nan``) is in none.
    """
    usual, most = BOUNDS[option]
    least = usual if least is None else least
    if not least <= value <= most:
        raise InputError(f"{where}{': ' if where else ''}{option} is {value}, and can be {least} to {most}. Nothing was sent.")


def require_numbers(values: t.Mapping[str, t.Optional[Number]], zero: t.Container[str] = ()) -> None:
    """Of options by name; None is one that was not given.

    :param zero: those that may be 0, too.
    :raises InputError: one is out of its range.
    """
    for option, value in values.items():
        if value is not None:
            require_number(option, value, 0 if option in zero else None)


def require_address(text: str, option: str = "targets") -> None:
    """
    :raises InputError: it is no address of one host, or lacks the device that a link-local one needs.
    """
    plain, percent, zone = text.partition("%")
    try:
        address = ipaddress.ip_address(plain)
    except ValueError as error:
        raise InputError(f"{option}: {text!r} is no IP address. Names are not resolved here, since one may have several addresses.") from error
    if address.is_unspecified or address.is_multicast or address == ipaddress.IPv4Address("255.255.255.255"):
        raise InputError(f"{option}: {text} is no address of one host. Nothing was sent.")
    scoped = address.version == 6 and address.is_link_local
    if percent and not scoped:
        raise InputError(f"{option}: {text} names a device, which only a link-local IPv6 address does: write {plain}. Nothing was sent.")
    if scoped and not zone:
        raise InputError(f"{option}: {text} is link-local, and there is one on every device: write the device as well, such as {plain}%eth0. Nothing was sent.")


def require_target(address: str, path: str, port: int = 0) -> None:
    """
    :raises InputError: the address cannot be probed, or the path or the port is none.
    """
    require_address(address)
    if path not in PATHS:
        raise InputError(f"targets: {address}: path is {path!r}, and can be {', '.join(PATHS)}.")
    require_number("port", port, 0, f"targets: {address}")


def require_max_mtu(most: t.Optional[int], addresses: t.Iterable[str]) -> None:
    """
    :raises InputError: it is smaller than any link of a target's family.
    """
    for address in addresses:
        if most is not None and ":" in address and most < LEAST_IPV6:
            raise InputError(f"max_mtu is {most}, and {address} is of IPv6, whose links carry {LEAST_IPV6} bytes at least. Nothing was sent.")
