# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of the nodes' links: as their hosts show it where module node_info read them, else as far as an API object or a log tells it.

No object of Kubernetes or Calico holds it. ``Installation.status.mtu`` is the *pods'* MTU: what spec sets, or what the operator reads in
/var/lib/calico/mtu on the node that it runs on (tigera/operator pkg/controller/installation/core_controller.go). Where all tunnels are automatic, the
link follows from it, since Felix takes the largest overhead of the enabled tunnels off. calico-node's log says it in so many words when the
configured MTU is larger than the link (projectcalico/calico felix/dataplane/linux/int_dataplane.go ``determinePodMTU``).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import TUNNELS, VXLAN, VXLAN_V6, overhead_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import MtuSettings
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import underlay
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import PodLog, Snapshot

# Logrus prints fields in the order of their names, so that hostMTU stands before mtu, and new before old.
_TOO_LARGE = re.compile(r"Configured MTU is larger than detected host interface MTU\b.*?\bhostMTU=(?P<host>\d+)")
_POD_MTU = re.compile(r"Determined pod MTU\b.*?\bmtu=(?P<mtu>\d+)")
_WANTED = re.compile(r"VXLAN device MTU needs to be updated\b.*?\bnew=(?P<new>\d+)\b.*?\bold=(?P<old>\d+)")
_REFUSED = re.compile(r"Failed to set vxlan tunnel device MTU\b.*invalid argument")
_GUESSED = "Failed to auto-detect host MTU - no interfaces matched"
_INTERFACE = re.compile(r'ipVersion=(?:0x)?6|device="?vxlan-v6')
ASSUMED = 1460  # bytes; what Felix takes when no interface matches (findHostMTU)
# What a cloud's documentation promises for any network card of any instance; others have cards of 1460 or less.
_AT_LEAST: t.Mapping[str, int] = {"ibm://": 1500, "aws://": 1500, "azure://": 1500}
TELLING = (
    "what would tell: `ip link` on a node (module node_info reads it for all of them), /var/lib/calico/mtu, or calico-node's log at its start "
    "(Determined pod MTU)"  # for messages of unknown
)


class Link(t.NamedTuple):
    """:param mtu: the smallest that some node shows, None where nothing tells it.
    :param source: how it is known, or why it is not.
    :param guessed: calico-node found no interface to ask and assumed 1460.
    :param proved: a node's own host shows it, whatever calico-node assumed.
    """

    mtu: int | None
    source: str
    where: str = ""
    field: str = ""
    guessed: bool = False
    guessed_line: str = ""
    proved: bool = False
    guessed_where: str = ""  # the log


class Refusal(t.NamedTuple):
    """The kernel refused an MTU of Calico's VXLAN device because the interface under it is too small.

    :param wanted: what Felix wanted to set.
    :param kept: what the device keeps.
    """

    tunnel: str
    wanted: int
    kept: int
    log: PodLog
    line: str


def read_link(snapshot: Snapshot, settings: MtuSettings) -> Link:
    guess = _guess(snapshot) or ("", "")
    known = _of_hosts(snapshot) or _of_log(snapshot, settings) or _of_status(snapshot, settings) or Link(None, _why_unknown(snapshot), guess[0])
    return known._replace(guessed=bool(guess[1]), guessed_line=guess[1], guessed_where=guess[0])


def promised_link(snapshot: Snapshot) -> int | None:
    """The smallest link that any node can have by its cloud's documentation, None where one of them may have any."""
    promised = [next((mtu for prefix, mtu in _AT_LEAST.items() if node.provider_id.startswith(prefix)), None) for node in snapshot.nodes.items]
    known = [mtu for mtu in promised if mtu is not None]
    return min(known) if known and len(known) == len(promised) else None


def refusals(snapshot: Snapshot) -> tuple[Refusal, ...]:
    """Of each log the last refusal of each tunnel: Felix tries again every few seconds, so it stands at the log's end as long as it holds."""
    found: dict[tuple[str, str], Refusal] = {}
    for log in _logs(snapshot):
        wanted: tuple[int, int] | None = None
        for line in log.lines:
            attempt = _WANTED.search(line)
            if attempt:
                wanted = int(attempt.group("new")), int(attempt.group("old"))
            elif _REFUSED.search(line) and wanted:
                tunnel = VXLAN_V6 if _INTERFACE.search(line) else VXLAN
                found[str(log.ref), tunnel] = Refusal(tunnel, *wanted, log, line)
    return tuple(found.values())


def is_accepted(snapshot: Snapshot, settings: MtuSettings) -> bool:
    """Whether the kernel has taken what is configured: only VXLAN's MTU is, and a ready calico-node, whose log goes back to its start, tells of no refusal.

    The device is bound to the interface under it, and takes no MTU that does not fit through that one (linux drivers/net/vxlan ``vxlan_change_mtu``).
    """
    configured = {tunnel for tunnel, mtu in (settings.tunnels or {}).items() if mtu}
    if not configured or not configured <= {VXLAN, VXLAN_V6} or refusals(snapshot):
        return False
    ready = {str(pod.ref) for pod in snapshot.pods.items if pod.ready}
    return any(str(log.ref) in ready and any(_POD_MTU.search(line) for line in log.lines) for log in _logs(snapshot))


def felix_tunnels(snapshot: Snapshot, settings: MtuSettings) -> tuple[str, ...]:
    """The tunnels that Felix counts as enabled when it derives the pods' MTU: of any pool, disabled ones and those of remote subnets included."""
    found = set(settings.tunnels or ())
    for pool in snapshot.ip_pools.items:
        if pool.vxlan_mode not in ("", "Never"):
            found.add(VXLAN_V6 if ":" in pool.cidr else VXLAN)
        if pool.ipip_mode not in ("", "Never"):
            found.add("IPIP")
    return tuple(tunnel for tunnel in TUNNELS if tunnel in found)


def _logs(snapshot: Snapshot) -> t.Iterator[PodLog]:
    for log in snapshot.logs.items:
        if log.container == "calico-node" and not log.previous:
            yield log


def _of_hosts(snapshot: Snapshot) -> Link | None:
    """The smallest link between nodes that a document shows: the interface with the Node's InternalIP, else that of its default route."""
    addresses = {node.ref.name: node.internal_ips for node in snapshot.nodes.items}
    found = []
    for host in snapshot.node_hosts.items:
        link = underlay(host, addresses.get(host.node, ()))
        if link is not None and link.mtu:
            found.append(Link(link.mtu, "the link between nodes, read on the node itself", f"Node {host.node}", f"links[{link.name}].mtu", proved=True))
    return min(found, key=lambda link: (link.mtu or 0, link.where)) if found else None


def _of_log(snapshot: Snapshot, settings: MtuSettings) -> Link | None:
    found: list[Link] = []
    for log in _logs(snapshot):
        for line in log.lines:
            said = _TOO_LARGE.search(line)
            if said:
                found.append(Link(int(said.group("host")), "calico-node detected it", str(log.ref), "log of container calico-node"))
            derived = _POD_MTU.search(line)
            if derived and _automatic(snapshot, settings):
                found.append(_derived(snapshot, settings, int(derived.group("mtu")), str(log.ref), "log of container calico-node"))
    return min(found, key=lambda link: link.mtu or 0) if found else None


def _of_status(snapshot: Snapshot, settings: MtuSettings) -> Link | None:
    for installation in snapshot.installations.items:
        if installation.mtu and settings.pod == 0 and _automatic(snapshot, settings):
            return _derived(snapshot, settings, installation.mtu, str(installation.ref), "status.mtu")
    return None


def _automatic(snapshot: Snapshot, settings: MtuSettings) -> bool:
    """True where Felix derives the MTU of every tunnel that it counts, so that it can be reckoned back to the link."""
    if settings.tunnels is None:
        return False
    tunnels = felix_tunnels(snapshot, settings)
    return not any(knob.effective and knob.consumer in tunnels and knob.value not in ("", "0") for knob in settings.knobs)


def _derived(snapshot: Snapshot, settings: MtuSettings, pod: int, where: str, field: str) -> Link:
    tunnels = felix_tunnels(snapshot, settings)
    largest = max(tunnels, key=lambda tunnel: overhead_of(tunnel, aks=settings.aks), default="")
    overhead = overhead_of(largest, aks=settings.aks) if largest else 0
    reckoned = f"{pod} for pods, automatic, and {overhead} for {largest}" if largest else f"{pod} for pods, automatic, without encapsulation"
    return Link(pod + overhead, reckoned, where, field)


def _guess(snapshot: Snapshot) -> tuple[str, str] | None:
    return next(((str(log.ref), line) for log in _logs(snapshot) for line in log.lines if _GUESSED in line), None)


def _why_unknown(snapshot: Snapshot) -> str:
    if snapshot.installations.items and not any(installation.mtu for installation in snapshot.installations.items):
        return f"Installation has no status.mtu; {TELLING}"
    if snapshot.installations.items:
        return f"status.mtu of Installation repeats an MTU that is set and tells nothing of the link; {TELLING}"
    return f"no object of the API holds it on this kind of installation; {TELLING}"
