# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the kernel's ipset offers: revisions of types, and sets. The kernel tells root alone, over netlink."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import SET_TYPES
from ansible_collections.fathom.submariner.plugins.module_utils._node import _netlink as netlink
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import BUILT_IN, LOADED, Ipset

TIMEOUT = 2.0  # seconds for each answer
MOST_SETS = 10000
_NETLINK_NETFILTER = 12
_RECEIVED = 1 << 16  # bytes: the kernel's pieces of a list are smaller
_VERSION = re.compile(r"\bipset v(\d[\w.]*)")
_PRESENT = (LOADED, BUILT_IN)

Exchange = t.Callable[[bytes, int], t.List[netlink.Attributes]]
Opener = t.Callable[[], t.ContextManager[Exchange]]


def read_ipset(host: Host, sight: Sight, modules: t.Mapping[str, str], open_exchange: Opener | None = None) -> Ipset:
    """:param modules: states by name. A type whose module is not in the kernel is not asked for: asking would load it."""
    state = modules.get("ip_set")
    if state not in _PRESENT:
        sight.miss("ipset", "ip_set is not in the kernel now" if state else "whether ip_set is in the kernel is not known, and asking would load it")
        return Ipset()
    tool = _tool(host, sight)
    try:
        with (open_exchange or open_kernel)() as exchange:
            return _asked(exchange, modules, tool)
    except netlink.KernelError as error:
        said = os.strerror(error.errno)
        sight.miss("ipset", f"the kernel answers only root: {said} (user id {os.geteuid()})" if error.errno == errno.EPERM else said)
    except OSError as error:
        sight.miss("ipset", f"netlink: {error.strerror or error}")
    return Ipset(tool=tool)


def _tool(host: Host, sight: Sight) -> str:
    """The version of ipset(8). It asks the kernel too, and where that refuses it says its version in the error."""
    try:
        done = host.run(["ipset", "--version"])
    except Unreadable as error:
        if not error.absent:
            sight.miss("ipset.tool", error.why)
        return ""
    match = _VERSION.search(done.out) or _VERSION.search(done.err)
    if match is None:
        sight.miss("ipset.tool", f"ipset --version ended with {done.code} and names no version")
    return match.group(1) if match is not None else ""


def _asked(exchange: Exchange, modules: t.Mapping[str, str], tool: str) -> Ipset:
    oldest = (netlink.ATTR_PROTOCOL, netlink.byte(netlink.OLDEST_PROTOCOL))
    answers = exchange(netlink.request(netlink.PROTOCOL, 1, [oldest]), 1)
    protocol = next((found for found in (netlink.first_byte(each, netlink.ATTR_PROTOCOL) for each in answers) if found is not None), None)
    spoken = (netlink.ATTR_PROTOCOL, netlink.byte(protocol or netlink.OLDEST_PROTOCOL))
    types = {}
    for number, (name, module) in enumerate(SET_TYPES.items()):
        if modules.get(module) in _PRESENT:
            revisions = _revisions(exchange, spoken, name, number + 10)
            if revisions is not None:
                types[name] = revisions
    flag = (netlink.FLAGS_NUMBER, netlink.flags(netlink.LIST_NAMES))
    names = {netlink.text(each, netlink.ATTR_NAME) for each in exchange(netlink.request(netlink.LIST, 2, [spoken, flag]), 2)}
    return Ipset(protocol, types, tuple(sorted(names - {""})[:MOST_SETS]), tool)


def _revisions(exchange: Exchange, spoken: tuple[int, bytes], name: str, sequence: int) -> tuple[int, int] | None:
    """Lowest and highest; None where the kernel knows no such type."""
    # A type without addresses is registered for every family, and one with addresses answers to IPv4.
    asked = [spoken, (netlink.ATTR_TYPE, netlink.name(name)), (netlink.ATTR_FAMILY, netlink.byte(socket.AF_INET))]
    try:
        answers = exchange(netlink.request(netlink.TYPE, sequence, asked), sequence)
    except netlink.KernelError as error:
        if error.errno == errno.EPERM:
            raise
        return None
    for each in answers:
        most, least = netlink.first_byte(each, netlink.ATTR_REVISION), netlink.first_byte(each, netlink.ATTR_LEAST)
        if most is not None:
            return (least if least is not None else most, most)
    return None


@contextlib.contextmanager
def open_kernel() -> t.Iterator[Exchange]:
    """A socket to the kernel's netfilter."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as handle:
        handle.settimeout(TIMEOUT)
        handle.bind((0, 0))

        def exchange(message: bytes, sequence: int) -> list[netlink.Attributes]:
            handle.send(message)
            found: list[netlink.Attributes] = []
            while True:
                answer = netlink.answer(handle.recv(_RECEIVED), sequence)
                found.extend(answer.messages)
                if answer.done:
                    return found

        yield exchange
