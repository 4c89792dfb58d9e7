# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrangements that several tests need."""

from __future__ import annotations

import typing as t

from tests.netns.host import Host
from tests.netns.world import World


class Line(t.NamedTuple):
    """A chain ``a - r1 - r2 ... - b``; device ``left`` looks to a, ``right`` to b. Link i is 10.9.i.0/24 and fd09:i::/64, the left end is .1, the right end .2.

    :param hosts: from a to b.
    """

    hosts: tuple[Host, ...]

    @property
    def a(self) -> Host:
        return self.hosts[0]

    @property
    def b(self) -> Host:
        return self.hosts[-1]

    @property
    def routers(self) -> tuple[Host, ...]:
        return self.hosts[1:-1]

    def address(self, host: Host, family: int = 4) -> str:
        """The address by which the other end reaches a or b: of its only device."""
        link, side = (0, 1) if host is self.a else (len(self.hosts) - 2, 2)
        return f"10.9.{link}.{side}" if family == 4 else f"fd09:{link}::{side}"


def line(world: World, mtus: t.Sequence[int | tuple[int, int]]) -> Line:
    """Two hosts with ``len(mtus) - 1`` routers between them, routes both ways and both families.

    :param mtus: of each link from a to b: of both its ends, or of the left and the right end.
    """
    last = len(mtus)
    names = ["a", *(f"r{number}" for number in range(1, last)), "b"]
    hosts = tuple(world.host(name, forwards=0 < number < last) for number, name in enumerate(names))
    for number, mtu in enumerate(mtus):
        left, right = mtu if isinstance(mtu, tuple) else (mtu, mtu)
        world.link(hosts[number], "right", hosts[number + 1], "left", mtu=left, other_mtu=right)
        hosts[number].address("right", f"10.9.{number}.1/24", f"fd09:{number}::1/64")
        hosts[number + 1].address("left", f"10.9.{number}.2/24", f"fd09:{number}::2/64")
    for number, host in enumerate(hosts):
        if number < last - 1:
            host.route("10.9.0.0/16", "via", f"10.9.{number}.2", "dev", "right", "metric", "10")
            host.route("fd09::/16", "via", f"fd09:{number}::2", "dev", "right", "metric", "2000")
        for link in range(number - 1):
            host.route(f"10.9.{link}.0/24", "via", f"10.9.{number - 1}.1", "dev", "left")
            host.route(f"fd09:{link}::/64", "via", f"fd09:{number - 1}::1", "dev", "left")
    return Line(hosts)


def no_icmp_errors(router: Host) -> None:
    """A router that, as many firewalls, lets no ICMP error of its own out: path MTU discovery is blind beyond it."""
    router.nft(
        "add table inet blind; add chain inet blind out { type filter hook output priority 0; };"
        "add rule inet blind out icmp type { destination-unreachable, time-exceeded } drop;"
        "add rule inet blind out icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } drop"
    )


def mesh(hosts: t.Mapping[Host, tuple[str, str]], device: str, vni: int, port: int, mtu: int, parent: str | None = None) -> None:
    """A VXLAN device on each of some hosts, each knowing all others without learning, as Calico and Submariner set theirs up.

    :param hosts: to its own address (that of the underlay) and its address on the tunnel with its length, such as ``("10.9.0.1", "240.9.0.1/8")``.
    :param device: such as ``vxlan.calico`` (4096, port 4789) or ``vx-submariner`` (100, port 4800).
    :param parent: the device below, by name; None leaves the choice to the route.
    """
    for host, (local, inside) in hosts.items():
        below = ["dev", parent] if parent else []
        host.ip(
            *("link", "add", device, "mtu", str(mtu), "address", mac(inside), "type", "vxlan", "id", str(vni), "local", local),
            *("dstport", str(port), "nolearning", *below),
        )
        host.address(device, inside)
    for host in hosts:
        for other, (remote, inside) in hosts.items():
            if other is host:
                continue
            host.run("bridge", "fdb", "append", mac(inside), "dev", device, "dst", remote)
            host.ip("neighbour", "replace", inside.split("/")[0], "lladdr", mac(inside), "dev", device, "nud", "permanent")


def mac(inside: str) -> str:
    """A locally administered hardware address made of an IPv4 one."""
    return ":".join(["02", "00", *(f"{int(part):02x}" for part in inside.split("/")[0].split("."))])
