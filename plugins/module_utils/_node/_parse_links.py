# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""``ip -j -d address show`` to records.

The keys are iproute2's (ip/ipaddress.c, ip/iplink_vxlan.c); old versions leave ``{}`` where a filter took a link out.
"""

from __future__ import annotations

import ipaddress
import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Address, CniInterface, NodeLink, Vxlan

VXLAN_PORT = 8472  # Linux' own, where a device says none (drivers/net/vxlan); the standard's is 4789


def objects(text: str, program: str) -> list[dict[str, t.Any]]:
    """The list of objects that a program of iproute2 prints; nothing at all is an empty list (older ones print that for no route).

    :raises Unreadable: it is no JSON, which programs of busybox and of iproute2 before 4.14 print.
    """
    if not text.strip():
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{program} printed no JSON: iproute2 4.14 or later is needed") from error
    if not isinstance(found, list):
        raise Unreadable(f"{program} printed no list")
    return [each for each in found if isinstance(each, dict) and each]


def links(text: str) -> tuple[NodeLink, ...]:
    """:raises Unreadable: as :func:`objects`."""
    found = [_link(each) for each in objects(text, "ip -j -d address show") if _text(each.get("ifname"))]
    return tuple(sorted(found, key=lambda link: link.index))


def _link(found: t.Mapping[str, t.Any]) -> NodeLink:
    flags = _list(found.get("flags"))
    info = _mapping(found.get("linkinfo"))
    kind = _text(info.get("info_kind"))
    parent = _text(found.get("link"))
    return NodeLink(
        name=_text(found["ifname"]),
        index=_int(found.get("ifindex")),
        mtu=_int(found.get("mtu")),
        kind=kind,
        up="UP" in flags,
        running="LOWER_UP" in flags,
        mac=_text(found.get("address")) if found.get("link_type") == "ether" else "",
        # A veth's "link" is its other end, which carries nothing for it.
        parent="" if kind == "veth" else parent,
        master=_text(found.get("master")),
        addresses=tuple(_address(each) for each in _list(found.get("addr_info")) if isinstance(each, dict) and each.get("local")),
        vxlan=_vxlan(_mapping(info.get("info_data")), parent) if kind == "vxlan" else None,
    )


def _address(found: t.Mapping[str, t.Any]) -> Address:
    local = _text(found["local"])
    length = _int(found.get("prefixlen"), 128 if ":" in local else 32)
    return Address(f"{local}/{length}", _text(found.get("scope")))


def _vxlan(data: t.Mapping[str, t.Any], parent: str) -> Vxlan | None:
    if "id" not in data and not data.get("external"):
        return None
    return Vxlan(
        id=_int(data.get("id")),
        port=_int(data.get("port"), VXLAN_PORT),
        local=_text(data.get("local") or data.get("local6")),
        group=_text(data.get("group") or data.get("group6") or data.get("remote") or data.get("remote6")),
        parent=_text(data.get("link")) or parent,
    )


def cni_interface(found: t.Sequence[NodeLink], cluster_cidrs: t.Sequence[str]) -> CniInterface:
    """The interface that Submariner takes for the CNI's: CIDR by CIDR, the first in the order of indices with an IPv4 address inside it.

    :param cluster_cidrs: what is no IPv4 network among them matches nothing, as there.
    """
    for cidr in cluster_cidrs:
        try:
            network = ipaddress.IPv4Network(cidr, strict=False)
        except ValueError:
            continue
        for link in sorted(found, key=lambda each: each.index):
            for each in link.addresses:
                address = each.address.partition("/")[0]
                if ":" not in address and ipaddress.IPv4Address(address) in network:
                    return CniInterface(link.name, address, cidr, tuple(cluster_cidrs))
    return CniInterface(looked_in=tuple(cluster_cidrs))


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def _int(value: t.Any, default: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


def _mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}
