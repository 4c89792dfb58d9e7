# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``ip -j route show table all`` and ``ip -j rule show`` to records. The keys are iproute2's (ip/iproute.c, ip/iprule.c)."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_links import objects
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeRoute, NodeRule

MAIN = "main"
INTER_CLUSTER = "149"  # of Submariner's route agent: towards other clusters, on gateways
HOST_NETWORK = "150"  # of Submariner's route agent: from host networks
_NAMES = {"254": MAIN, "255": "local", "253": "default"}


def rules(text: str, family: int) -> tuple[NodeRule, ...]:
    """:param family: 4 or 6, which the answer does not say.

    :raises Unreadable: it is no JSON.
    """
    return tuple(_rule(each, family) for each in objects(text, f"ip -j -{family} rule show"))


def _rule(found: t.Mapping[str, t.Any], family: int) -> NodeRule:
    mark, mask = _text(found.get("fwmark")), _text(found.get("fwmask"))
    return NodeRule(
        priority=found["priority"] if isinstance(found.get("priority"), int) else 0,
        table=table_name(found.get("table")),
        family=family,
        source=_prefix(found, "src"),
        destination=_prefix(found, "dst"),
        mark=f"{mark}/{mask}" if mark and mask else mark,
    )


def _prefix(found: t.Mapping[str, t.Any], key: str) -> str:
    value = _text(found.get(key))
    if value in ("", "all"):
        return ""
    length = found.get(f"{key}len")
    return value if "/" in value or not isinstance(length, int) else f"{value}/{length}"


def routes(text: str, family: int) -> tuple[NodeRoute, ...]:
    """One record for each next hop.

    :raises Unreadable: it is no JSON.
    """
    return tuple(route for each in objects(text, f"ip -j -{family} route show table all") for route in _routes(each, family))


def _routes(found: t.Mapping[str, t.Any], family: int) -> t.Iterator[NodeRoute]:
    metrics = found.get("metrics")
    mtus = [entry.get("mtu") for entry in metrics if isinstance(entry, dict)] if isinstance(metrics, list) else [found.get("mtu")]
    route = NodeRoute(
        destination=_text(found.get("dst")) or "default",
        table=table_name(found.get("table")),
        family=family,
        via=_via(found),
        device=_text(found.get("dev")),
        source=_text(found.get("prefsrc")),
        metric=found["metric"] if isinstance(found.get("metric"), int) else 0,
        protocol=_text(found.get("protocol")),
        mtu=next((mtu for mtu in mtus if isinstance(mtu, int)), 0),
        kind=_text(found.get("type")) or "unicast",
    )
    hops = found.get("nexthops")
    hops = [hop for hop in hops if isinstance(hop, dict)] if isinstance(hops, list) else []
    if not hops:
        yield route
    for hop in hops:
        yield route._replace(via=_via(hop), device=_text(hop.get("dev")) or route.device)


def _via(found: t.Mapping[str, t.Any]) -> str:
    other = found.get("via")  # a gateway of the other family
    return _text(found.get("gateway")) or (_text(other.get("host")) if isinstance(other, dict) else "")


def table_name(value: t.Any) -> str:
    """A table as iproute2 prints it: main, where it prints none, and a name for the three that have one in every /etc/iproute2/rt_tables."""
    text = str(value) if isinstance(value, (str, int)) and value != "" else MAIN
    return _NAMES.get(text, text)


def wanted_tables(found: t.Iterable[NodeRule]) -> frozenset[str]:
    """The tables whose routes tell something: those of Submariner and Calico, and whatever a rule leads to. Not the kernel's own of local addresses."""
    return frozenset({MAIN, INTER_CLUSTER, HOST_NETWORK} | {rule.table for rule in found}) - {"local"}


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
