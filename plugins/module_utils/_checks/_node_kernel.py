# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a node's kernel can do: modules, sets, version and architecture."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_kernel import judge_kernel
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_modules import judge_ipset, judge_modules
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import Flaw
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_hosts import Told, hosts, judged, keys_of, plan_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_remedies import on_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import LOADABLE

EXCLUDE = "keep calico-node off it with role calico_node_placement (never off a gateway or control plane)"


@check(
    "node-modules",
    title="Kernels of nodes have the modules that Calico and Submariner need",
    severity="error",
    references=("projectcalico/calico#9540", "https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements"),
    tags=("nodes", "rollout"),
    remedy="Load them now and at boot (role node_modules); install the kernel's package of further modules first where they are not there at all.",
)
def node_modules(facts: Facts) -> t.Iterator[Problem]:
    """Read on the nodes' hosts (module node_info): modules that are loaded, built in or can be loaded, for the data plane, tunnels and cable in use.

    Nothing else tells them: Calico and its operator look at none, calico-node crashes and Submariner's gateway or route agent logs an error of netlink.
    """
    hosts(facts)
    plan = plan_of(facts)
    yield from judged(facts, lambda host: judge_modules(host, plan), lambda nodes, flaws: _modules(facts.snapshot.cluster, nodes, flaws))


def _modules(cluster: str, nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
    missing = keys_of(flaws)
    impact = "What needs them fails when it is first used: calico-node does not get ready, or packets of this node take no tunnel."
    if flaws[0].value == LOADABLE:
        text = "Take away what keeps them from being loaded, and load them."
        return Told(impact, on_nodes(cluster, "node_modules", nodes, text, {"node_modules_modules": missing}))
    return Told(
        impact,
        by_hand(
            f"Install what holds {', '.join(missing)} for the running kernel (kernel-modules-extra on RHEL and Fedora, linux-modules-extra-$(uname -r) on "
            f"Ubuntu), or boot a kernel that has them, then run role fathom.submariner.node_modules on the hosts of {', '.join(nodes[:5])}. "
            f"Where there is none, {EXCLUDE}."
        ),
    )


@check(
    "node-ipset-revision",
    title="calico-node's ipset can read the sets of the nodes' kernels",
    severity="warning",
    references=("projectcalico/calico#8372", "projectcalico/calico#9551", "projectcalico/calico#11051", "projectcalico/calico#11340"),
    tags=("nodes", "rollout", "versions"),
    remedy="Upgrade Calico to 3.30.6, 3.31.3, 3.32.0 or newer; until then reboot a node where calico-node does not get ready, which drops its sets.",
)
def ipset_revision(facts: Facts) -> t.Iterator[Problem]:
    """calico-node brings ipset 7.11 up to Calico 3.31. Sets that a newer program made on a kernel from 6.2 on it cannot even list.

    Felix makes its own in a form that it knows, lists others' sets up to 3.28, and from 3.30.6, 3.31.3 and 3.32.0 on makes anew what it cannot read.
    """
    hosts(facts)
    plan = plan_of(facts)
    remedy = by_hand(
        "Upgrade Calico to 3.30.6, 3.31.3, 3.32.0 or newer. Until then reboot a node whose calico-node says `Kernel and userspace incompatible`: "
        "that drops the sets."
    )
    told = Told("calico-node may not get ready on these nodes: `ipset: Kernel and userspace incompatible`.", remedy)
    yield from judged(facts, lambda host: judge_ipset(host, plan), lambda _nodes, _flaws: told)


@check(
    "node-kernel",
    title="Nodes have an architecture and a kernel that Calico and Submariner support",
    severity="error",
    references=("https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements", "submariner-io/submariner Makefile"),
    tags=("nodes", "versions"),
    remedy="Upgrade the node's kernel, or keep calico-node off the node.",
)
def node_kernel(facts: Facts) -> t.Iterator[Problem]:
    """As the nodes' hosts say it: architectures for which there are images, and the least kernel of each data plane."""
    hosts(facts)
    plan = plan_of(facts)
    if not (plan.data_plane or plan.cable):
        raise NotApplicable()
    yield from judged(facts, lambda host: judge_kernel(host, plan), lambda _nodes, flaws: Told(_harm(flaws[0]), _newer(flaws[0])))


def _harm(flaw: Flaw) -> str:
    if flaw.field == "system.architecture":
        return "The pods of calico-node, or of Submariner, cannot start there."
    return "The data plane lacks what it builds on: calico-node does not get ready, or falls back to another data plane."


def _newer(flaw: Flaw) -> Remedy:
    return by_hand(f"Leave the node out: {EXCLUDE}." if flaw.field == "system.architecture" else f"Upgrade its kernel, or {EXCLUDE}.", disruptive=True)
