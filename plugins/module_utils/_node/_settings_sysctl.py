# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Kernel parameters as files of sysctl.d(5) spell them, and what rp_filter of an interface amounts to. Nothing here reads or writes."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import header

# Its name sorts behind 99-sysctl.conf, which Debian links to /etc/sysctl.conf and Kubespray writes.
FILE = "/etc/sysctl.d/99-zz-fathom-submariner.conf"
FOLDERS = ("/lib/sysctl.d", "/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d")  # later ones hide files of the same name
_PART = re.compile(r"[A-Za-z0-9_.:@+-]+")
_INTERFACE_TREES = (("net", "ipv4", "conf"), ("net", "ipv4", "neigh"), ("net", "ipv6", "conf"), ("net", "ipv6", "neigh"))
_WAS = "# was "
_ADVERTISED = 0x10000 | 0x40000  # RTF_DEFAULT, RTF_ADDRCONF (include/uapi/linux/ipv6_route.h)
STRICTNESS = {1: 2, 2: 1, 0: 0}  # of rp_filter: strict, loose, none (RFC 3704)


def path_of(name: str) -> str:
    """A parameter's path below /proc/sys: the first separator decides what dots and slashes mean (sysctl.d(5)).

    A dot in an interface's name, as in ``net.ipv4.conf.vxlan.calico.rp_filter``, is taken for one, since no other reading makes sense.

    :raises InputError: it is no name of a parameter.
    """
    first = re.search(r"[./]", name)
    parts = name.split("/") if first and first.group() == "/" else [part.replace("/", ".") for part in name.split(".")]
    if tuple(parts[:3]) in _INTERFACE_TREES and len(parts) > 5:
        parts = [*parts[:3], ".".join(parts[3:-1]), parts[-1]]
    if len(parts) < 2 or not all(_PART.fullmatch(part) and part.strip(".") for part in parts):
        raise InputError(f"{name!r} is no name of a kernel parameter.")
    return "/".join(parts)


def name_of(path: str) -> str:
    """As files and people write it: with dots, or with slashes where a part has a dot of its own."""
    return path if "." in path else path.replace("/", ".")


def interface_of(path: str) -> str:
    """The interface that a parameter belongs to; empty for any other, and for ``all`` and ``default``."""
    parts = path.split("/")
    return parts[3] if len(parts) == 5 and tuple(parts[:3]) in _INTERFACE_TREES and parts[3] not in ("all", "default") else ""


def canonical(value: object) -> str:
    """A value as text, with single spaces: the kernel prints tabs between numbers."""
    return " ".join(str(int(value) if isinstance(value, bool) else value).split())


def assignments(text: str) -> dict[str, str]:
    """Paths to values of one file; patterns and lines that only exclude are left out.

    An explicit assignment wins over a pattern wherever that stands (systemd src/sysctl/sysctl.c).
    """
    found = {}
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;" or "=" not in line:
            continue
        name, _equals, value = line.partition("=")
        try:
            found[path_of(name.strip().lstrip("-"))] = canonical(value)
        except InputError:
            continue
    return found


def remembered(text: str) -> dict[str, str]:
    """What our file says that parameters were before."""
    return assignments("\n".join(line[len(_WAS) :] for line in text.splitlines() if line.startswith(_WAS)))


def in_order(paths: t.Iterable[str]) -> list[str]:
    """What resets others first: ip_forward and ``all`` set every interface (Documentation/networking/ip-sysctl.rst), then ``default``, then the rest.

    Before all of them ``accept_ra``, which decides whether forwarding takes the default route away.
    """

    def rank(path: str) -> tuple[int, str]:
        if path.endswith("/accept_ra"):
            return -1, path
        if path == "net/ipv4/ip_forward":
            return 0, path
        parts = path.split("/")
        return (1 if "all" in parts[3:4] else 2 if "default" in parts[3:4] else 3), path

    return sorted(paths, key=rank)


def render(values: t.Mapping[str, str], was: t.Mapping[str, str]) -> str:
    """:param was: what they were before, for those where it is known."""
    lines = []
    for path in in_order(values):
        lines += [f"{_WAS}{name_of(path)} = {was[path]}"] if path in was else []
        lines.append(f"{name_of(path)} = {values[path]}")
    return header("node_sysctl") + "".join(f"{line}\n" for line in lines)


def overriding(path: str, value: str, later: t.Iterable[tuple[str, str]]) -> str:
    """The last of some files that are read after ours and say something else; empty where none does.

    :param later: path and text of each, in the order in which they are read.
    """
    found = ""
    for file, text in later:
        said = assignments(text).get(path)
        if said is not None:
            found = f"{file} ({said})" if said != value else ""
    return found


def accept_ra_path(interface: str) -> str:
    return f"net/ipv6/conf/{interface}/accept_ra"


def forwards_ipv6(path: str) -> bool:
    """Whether a parameter switches IPv6 forwarding on for packets that are there already; ``default`` is for interfaces to come."""
    return bool(re.fullmatch(r"net/ipv6/conf/(?!default/)[^/]+/forwarding", path))


def advertised(text: str) -> list[str]:
    """The interfaces of default routes that the kernel itself has taken from router advertisements.

    :param text: /proc/net/ipv6_route.
    """
    rows = (line.split() for line in text.splitlines())
    found = [row[9] for row in rows if len(row) == 10 and row[1] == "00" and not row[0].strip("0") and int(row[8], 16) & _ADVERTISED]
    return list(dict.fromkeys(found))


class Loosened(t.NamedTuple):
    interface: str
    before: int
    after: int


def rp_filter_path(interface: str) -> str:
    return f"net/ipv4/conf/{interface}/rp_filter"


def loosened(own: t.Mapping[str, int], after: t.Mapping[str, int]) -> list[Loosened]:
    """The interfaces on which rp_filter would act less strictly than now. The kernel acts by the larger of an interface's own value and that of ``all``.

    :param own: rp_filter of each interface and of ``all``, now. :param after: the same, as they would be.
    """
    found = []
    for interface in sorted(set(own) - {"all", "default"}):
        now, then = max(own[interface], own.get("all", 0)), max(after.get(interface, own[interface]), after.get("all", own.get("all", 0)))
        if STRICTNESS.get(then, 0) < STRICTNESS.get(now, 0):
            found.append(Loosened(interface, now, then))
    return found
