# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the probing modules, and asking ping, tracepath and ip the same."""

from __future__ import annotations

import re
import typing as t

from tests.netns.host import Host

PATIENCE = 0.6  # seconds for one packet: kernels of one machine answer at once, but its processors may be busy
HEADERS = {4: 28, 6: 48}


def paths(host: Host, *targets: dict[str, t.Any], user: str | None = None, **options: t.Any) -> dict[tuple[str, str], dict[str, t.Any]]:
    """What ``path_mtu`` says on a host, by target and protocol."""
    result = host.module("path_mtu", {"name": host.name, "targets": list(targets), "timeout": PATIENCE, **options}, user=user)
    assert not result.get("failed"), result
    assert result["changed"] is False and result["packets"] == sum(each["packets"] for each in result["probes"]["paths"])
    assert len(result["lines"]) == len(result["probes"]["paths"])
    return {(each["target"], each["protocol"]): each for each in result["probes"]["paths"]}


def contrasts(host: Host, *targets: dict[str, t.Any], user: str | None = None, **options: t.Any) -> dict[tuple[str, str], dict[str, t.Any]]:
    """What ``path_probe`` says on a host about one target, by protocol and size; the whole result under ``("", "")``."""
    result = host.module("path_probe", {"name": host.name, "targets": list(targets), "timeout": PATIENCE, **options}, user=user)
    assert not result.get("failed"), result
    return {("", ""): result, **{(each["protocol"], each["size"]): each for each in result["probes"]["contrasts"]}}


def respond(host: Host, *addresses: str, **options: t.Any) -> dict[str, t.Any]:
    """Starts a responder."""
    result = host.module("path_responder", {"addresses": list(addresses), "lifetime": 120, **options})
    assert not result.get("failed"), result
    return result


def pings(host: Host, address: str, size: int) -> bool:
    """Whether ``ping -M do`` gets one packet of a size there and back. What the host learned of the path before is forgotten."""
    family = 6 if ":" in address else 4
    forget(host)
    done = host.run("ping", f"-{family}", "-Mdo", "-c3", "-i0.2", f"-W{PATIENCE}", f"-s{size - HEADERS[family]}", address, check=False)
    return done.returncode == 0


def ping_finds(host: Host, address: str, mtu: int) -> bool:
    """Whether ``ping`` agrees that a size is the largest that arrives."""
    return pings(host, address, mtu) and not pings(host, address, mtu + 1)


def tracepath(host: Host, address: str) -> int:
    """The path MTU that ``tracepath`` ends with."""
    forget(host)
    said = host.run("tracepath", "-n", "-m5", address, check=False).stdout
    return int(re.findall(r"pmtu (\d+)", said)[-1])


def cached(host: Host, address: str) -> int | None:
    """The MTU that ``ip -j route get`` shows: of the route or of its cache."""
    (route,) = host.json("ip", "-j", "route", "get", address)
    metrics = route.get("metrics", [{}])[0]
    return metrics.get("mtu")


def forget(host: Host) -> None:
    """What routers said of paths."""
    host.ip("route", "flush", "cache")
    host.ip("-6", "route", "flush", "cache")
