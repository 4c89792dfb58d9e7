# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a node is fit to carry Calico and Submariner, by its document alone: before a cluster is built of it, or before it is added to one."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_clock import judge_clock, reference
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import judge_firewall, judge_listeners
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_kernel import judge_kernel
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_modules import judge_ipset, judge_modules
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_mtu import VMXNET3, drivers_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import (
    FLANNEL_DEVICES,
    Flaw,
    Gap,
    Judged,
    NodePlan,
    gap,
    is_calico_device,
    underlay,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_services import (
    judge_cloud_setup,
    judge_firewall_services,
    judge_network_manager,
    may_have_cloud_rules,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_sysctl import judge_forwarding
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import LOADABLE, NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._node_interfaces import cni_interface

FIT, UNFIT, UNKNOWN = "fit", "unfit", "unknown"
ERROR, WARNING, INFO = "error", "warning", "info"


class Reason(t.NamedTuple):
    """:param severity: error makes a node unfit, everything else is a remark.
    :param role: the role of this collection that repairs it on the host, "" where none does.
    :param calico: calico-node cannot run there until the node itself is another one, so that it is to be kept off.
    """

    severity: str
    what: str
    field: str
    value: str
    note: str
    role: str = ""
    calico: bool = False


class Fitness(t.NamedTuple):
    """:param unknown: what could not be judged, and why: first what may make the node unfit, which is all that makes it unknown, then what would be remarks."""

    node: str
    cluster: str
    verdict: str
    reasons: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def keep_calico_off(self) -> bool:
        return any(reason.calico for reason in self.reasons)


class _Judge(t.NamedTuple):
    """:param severity: of a flaw that has none of its own. :param calico: whether Calico cannot run with it until the node itself is another one.
    :param grave: whether what it could not see may make this host unfit; None: where its severity does.
    """

    judge: t.Callable[[NodeHost, NodePlan], Judged]
    severity: str
    calico: bool = False
    grave: t.Callable[[NodeHost], bool] | None = None


_JUDGES = (
    _Judge(judge_kernel, ERROR, calico=True),
    _Judge(judge_modules, ERROR, calico=True),
    _Judge(judge_ipset, WARNING),
    _Judge(judge_forwarding, ERROR),
    _Judge(judge_firewall, ERROR),
    _Judge(judge_firewall_services, WARNING),
    _Judge(judge_listeners, ERROR),
    _Judge(judge_network_manager, WARNING),
    _Judge(judge_cloud_setup, WARNING, grave=may_have_cloud_rules),
)


def judge_nodes(hosts: t.Sequence[NodeHost], plan: NodePlan, pod_cidrs: t.Sequence[str] = (), gateways: t.Container[str] = ()) -> tuple[Fitness, ...]:
    """:param pod_cidrs: of the cluster to come; an interface of the host must not lie in them.
    :param gateways: names of nodes that are to carry a gateway; the others are judged as workers.
    """
    middle = reference(hosts)
    usual = _usual_link(hosts)
    return tuple(_judge(host, plan._replace(gateway=host.node in gateways), parse_cidrs(pod_cidrs).networks, middle, usual) for host in hosts)


def without_document(node: str, cluster: str, why: str) -> Fitness:
    """A node of which there is none."""
    return Fitness(node, cluster, UNKNOWN, (), (why,))


def _judge(host: NodeHost, plan: NodePlan, pods: t.Sequence[Network], middle: float | None, usual: int | None) -> Fitness:
    reasons, unknown, remarks = [], [], []
    # What Submariner alone needs is no reason to keep calico-node off.
    of_calico = {found for entry in _JUDGES if entry.calico and plan.data_plane for found in entry.judge(host, plan._replace(cable=""))}
    rows = [
        (found, entry.severity, found in of_calico, entry.grave(host) if entry.grave is not None else entry.severity == ERROR)
        for entry in _JUDGES
        for found in entry.judge(host, plan)
    ]
    rows += [(found, WARNING, False, True) for found in judge_clock(host, middle)]  # a clock may be wrong by more than certificates allow
    rows += [(found, ERROR, False, True) for found in _addresses(host, pods)]
    rows += [(found, WARNING, False, False) for found in _link(host, plan, usual)]
    for found, severity, calico, grave in rows:
        if isinstance(found, Gap):
            (unknown if grave else remarks).append(f"{found.field}: {found.why}")
            continue
        severity = found.severity or severity
        role = _role(found)
        reasons.append(Reason(severity, found.what, found.field, found.value, found.note, role, calico and severity == ERROR and not role))
    reasons.sort(key=lambda reason: (ERROR, WARNING, INFO).index(reason.severity))
    verdict = UNFIT if any(reason.severity == ERROR for reason in reasons) else UNKNOWN if unknown else FIT
    return Fitness(host.node, host.cluster, verdict, tuple(reasons), tuple(dict.fromkeys((*unknown, *remarks))))


def _role(flaw: Flaw) -> str:
    """The role that repairs a flaw on the host; modules that are not there at all none can load."""
    if flaw.field.startswith("modules["):
        return "node_modules" if flaw.value == LOADABLE else ""
    if flaw.field.startswith("sysctls[") or flaw.field.endswith(".forwarding"):
        return "node_sysctl"
    if flaw.field == "network_manager.unmanaged" or any(key.startswith("nm-cloud-setup") for key in flaw.keys):
        return "node_network_manager"
    if flaw.field.endswith(".driver"):
        return "node_offload"
    return "node_link_mtu" if flaw.field.endswith(".mtu") else ""


def _addresses(host: NodeHost, pods: t.Sequence[Network]) -> Judged:
    """An interface of the host inside the pods' range: its routes win over Calico's, and Submariner's agent takes it for Calico's."""
    if not pods:
        return
    if not host.links or host.why_unseen("links.addresses"):
        yield gap(host, "links.addresses" if host.links else "links", "the document has no links")
        return
    strangers = host._replace(links=tuple(link for link in host.links if not is_calico_device(link.name) and link.name not in FLANNEL_DEVICES))
    found = cni_interface(strangers, [str(network) for network in pods])
    if found is not None:
        note = f"it lies inside {found.cidr}, the range of pods to come"
        yield Flaw(f"has an address of the pods' range on {found.link.name}", f"links[{found.link.name}].addresses", found.address, note)


def _usual_link(hosts: t.Iterable[NodeHost]) -> int | None:
    sizes = [link.mtu for link in (underlay(host) for host in hosts) if link is not None and link.mtu]
    return max(set(sizes), key=lambda mtu: (sizes.count(mtu), mtu)) if sizes else None


def _link(host: NodeHost, plan: NodePlan, usual: int | None) -> Judged:
    """The link between nodes: another MTU than the others', or a card that miscalculates checksums of what is wrapped."""
    link = underlay(host)
    if link is None or not link.mtu:
        yield gap(host, "routes" if host.links else "links", "which link leads to the other nodes is not known: there is no default route")
        return
    if usual is not None and link.mtu != usual:
        yield Flaw(f"has an MTU of {link.mtu} on {link.name}, and most nodes {usual}", f"links[{link.name}].mtu", str(link.mtu), "", keys=(link.name,))
    wraps = plan.cable or any("VXLAN" in tunnel for tunnel in plan.tunnels)
    if wraps and VMXNET3 in drivers_of(host, link):
        note = "known for wrong checksums of VXLAN packets; Felix from 3.28 on leaves the offload on"
        yield Flaw(f"has a {VMXNET3} card", f"links[{link.name}].driver", VMXNET3, note, keys=(link.name,))
