# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Everything that one node's host says, in one pass."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._ethtool import Features
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_links import cni_interface
from ansible_collections.fathom.submariner.plugins.module_utils._node._parse_system import rfc3339
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_files import read_calico, read_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_ipset import Opener, read_ipset
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_modules import read_modules
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_network import (
    read_firewall,
    read_links,
    read_listeners,
    read_routes,
    read_rules,
)
from ansible_collections.fathom.submariner.plugins.module_utils._node._read_system import (
    kernel_clock,
    read_clock,
    read_conntrack,
    read_services,
    read_sysctls,
    read_system,
)
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost


class Question(t.NamedTuple):
    """What is asked of a host.

    :param node: name of its Node.
    :param cluster: inventory host of its cluster.
    :param cluster_cidrs: in which the CNI's interface is looked for.
    :param ports: further ports whose listeners and firewall rules matter.
    :param asked_at: seconds since the epoch, by the asker's clock; None: the clock is not compared.
    :param asked_within: seconds that the question took at most to come here.
    """

    node: str
    cluster: str = ""
    cluster_cidrs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    asked_at: float | None = None
    asked_within: float = 30.0


class Kernel(t.NamedTuple):
    """What is asked of the kernel without a file or a program; tests answer in its place."""

    ipset: Opener | None = None
    features: Features | None = None
    synchronised: t.Callable[[], bool] = kernel_clock
    now: t.Callable[[], float] = time.time


def read_node(host: Host, question: Question, kernel: Kernel = Kernel()) -> NodeHost:
    """Read a host. What cannot be read is in ``unseen``; nothing is changed, and no module is loaded by asking."""
    sight = Sight()
    now = kernel.now()
    clock = read_clock(sight, now, question.asked_at, question.asked_within, kernel.synchronised)
    system = read_system(host, sight)
    modules = read_modules(host, sight, system.kernel)
    links = read_links(host, sight, kernel.features)
    rules = read_rules(host, sight)
    services, manager = read_services(host, sight)
    if not question.cluster_cidrs:
        sight.miss("cni", "option cluster_cidrs was not given")
    no_addresses = any(each.what == "links.addresses" for each in sight.unseen)
    if question.cluster_cidrs and no_addresses:
        sight.miss("cni", "the addresses of links could not be read")
    return NodeHost(
        node=question.node,
        taken_at=rfc3339(now),
        cluster=question.cluster,
        system=system,
        modules=modules.states,
        ipset=read_ipset(host, sight, modules.states, kernel.ipset),
        sysctls=read_sysctls(host, sight),
        links=links,
        routes=read_routes(host, sight, rules),
        rules=rules,
        calico=read_calico(host, sight),
        conntrack=read_conntrack(host, sight),
        network_manager=read_network_manager(host, sight, manager),
        services=services,
        clock=clock,
        listeners=read_listeners(host, sight, question.ports),
        firewall=read_firewall(host, sight, modules.states, question.ports),
        modules_barred=modules.barred,
        cni=cni_interface(links, question.cluster_cidrs) if question.cluster_cidrs and not no_addresses else None,
        unseen=sight.unseen,
    )
