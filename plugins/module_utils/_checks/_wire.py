# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What probes on the nodes found: packets that do not arrive, and which of the causes that look alike it is."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _differential as tree
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_cases import Case, Scene, cases, untried
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_results import ICMP, UDP, full
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import is_submariner_device
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._kube_proxy import modes
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_remedies import on_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._wire_policy import dropper
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_READ
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import (
    BLACK_HOLE,
    CALICO,
    CROSS_CLUSTER,
    SUBMARINER,
    UNDERLAY,
    PathMtu,
)

FELIX = "featureDetectOverride ChecksumOffloadBroken=true"
SHOWN = 3  # paths that evidence names one by one
_WORDS: t.Mapping[str, str] = {
    UNDERLAY: "between the nodes' own addresses",
    CALICO: "through Calico's network",
    SUBMARINER: "through vx-submariner",
    CROSS_CLUSTER: "between clusters",
}
_IMPACT: t.Mapping[str, str] = {
    UNDERLAY: "Everything between these nodes is concerned, Calico's tunnels and Submariner's included.",
    CALICO: "Pods on these nodes do not reach each other, nor what comes from other clusters over them.",
    SUBMARINER: "Pods on nodes that are no gateway do not reach other clusters.",
    CROSS_CLUSTER: "Traffic to other clusters is lost.",
}
_OF_GATEWAYS = ("UDP 4500", "UDP 4490", "UDP 500")
_UNTUNNELLED = (
    "These packets travel with pods' addresses and without a tunnel. Where machines may send none but their own addresses they are lost: switch the source and "
    "destination check (AWS), port security (OpenStack) or what else does so off, or let Calico encapsulate always. "
)
_DOCS = "https://submariner.io/operations/nat-traversal/"


def of_cluster(facts: Facts) -> tuple[Case, ...]:
    """Everything that was probed on this cluster.

    :raises NotApplicable: nobody probed anything.
    :raises CannotJudge: what probes found could not be read.
    """
    probes = facts.snapshot.node_probes
    if not probes.items:
        unread = "" if probes.state == NOT_READ else missing(probes, "what probes found")
        if unread:
            raise CannotJudge(unread)
        raise NotApplicable()
    if __name__ not in facts.memo:  # eight checks look at the same cases
        facts.memo[__name__] = cases(Scene(facts.snapshot, _is_ipvs(facts), dropper(facts)))
    found: tuple[Case, ...] = facts.memo[__name__]
    return found


def _is_ipvs(facts: Facts) -> bool | None:
    """None where nothing says in which mode kube-proxy runs; all that says so must agree."""
    if not (facts.snapshot.pods.known and facts.snapshot.config_maps.known and facts.snapshot.nodes.known):
        return None
    seen = {entry.mode == "ipvs" for entry in modes(facts.snapshot)}
    return seen.pop() if len(seen) == 1 else None


def _claimed(facts: Facts, cause: str) -> t.Iterator[tuple[str, list[Case]]]:
    """The cases that are proved to have one cause, by kind of path."""
    by_path: dict[str, list[Case]] = {}
    for case in of_cluster(facts):
        if case.verdict.cause == cause:
            by_path.setdefault(case.path, []).append(case)
    yield from by_path.items()


def _by_devices(found: t.Sequence[Case], name: str) -> t.Iterator[tuple[list[str], list[str], list[Case]]]:
    """The nodes that an observation is true of, those with the same devices together: the nodes, the devices, and the cases."""
    devices: dict[str, set[str]] = {}
    for node, device in (pair for case in found for pair in case.at.get(name, ())):
        devices.setdefault(node, set()).add(device)
    alike: dict[tuple[str, ...], list[str]] = {}
    for node, own in devices.items():
        alike.setdefault(tuple(sorted(own)), []).append(node)
    for own_devices, nodes in alike.items():
        yield nodes, list(own_devices), [case for case in found if any(node in nodes for node, _device in case.at.get(name, ()))]


def _open(facts: Facts, cause: str, title: str) -> t.Iterator[Problem]:
    """One unknown verdict for all cases that may have the cause, and may have another one."""
    doubtful = [case for case in of_cluster(facts) if not case.verdict.cause and cause in case.verdict.possible]
    if doubtful:
        wanted = dict.fromkeys(name for case in doubtful for name in case.verdict.wanted if _concerns(cause, name))
        yield Problem(
            subject=names(map(str, doubtful)),
            title=title,
            evidence=few(row for case in doubtful[:SHOWN] for row in _rows(case, tree.symptoms(case.observed))),
            missing=f"what would tell: {tree.telling(wanted)}",
        )


def _concerns(cause: str, name: str) -> bool:
    return any(name in signature for each, signature in tree.SIGNATURES if each == cause)


def _rows(case: Case, observations: t.Iterable[str]) -> t.Iterator[Evidence]:
    """What was observed of one case, a row each: the observations that tell its cause from every other one."""
    where = f"probe {case} ({case.path}, {case.address}{f' port {case.port}' if case.port else ''})"
    for name in observations:
        words = tree.in_words(name, case.observed.get(name))
        if words:
            yield Evidence(where, name, words, case.words.get(name, "") or _figures(case, name))


def _figures(case: Case, name: str) -> str:
    found = case.mtu.get({tree.DATAGRAM: UDP, tree.FULL: ICMP, tree.SMALL: ICMP, tree.REFUSAL: ICMP}.get(name, ""))
    if found is None or found.mtu is None:
        return ""
    parts = [f"{found.mtu} bytes pass"]
    parts += [f"{found.lost} do not"] if found.lost else []
    parts += [f"{found.device or 'the device'} promises {found.link_mtu}"] if found.link_mtu else []
    parts += [f"{found.reporter or 'this host'} says {found.next_hop_mtu}"] if found.next_hop_mtu else []
    return ", ".join(parts)


def _evidence(found: t.Sequence[Case]) -> tuple[Evidence, ...]:
    """All of the first case's signature, so that each observation that rules another cause out is there; of the others what they are."""
    first = tuple(_rows(found[0], found[0].verdict.because))
    others = tuple(Evidence(f"probe {case} ({case.path}, {case.address})", "", "alike", _figures(case, tree.FULL)) for case in found[1 : 1 + SHOWN])
    more = len(found) - 1 - len(others)
    return (*first, *others, *((Evidence(f"{more} more", "", "alike"),) if more else ()))


@check(
    "wire-mtu",
    title="Packets as large as the devices promise pass between the probed nodes",
    severity="error",
    references=("RFC 4821", "RFC 2923", "submariner-io/submariner#1774", "submariner-io/submariner#2132"),
    tags=("wire", "mtu"),
    remedy="Give every device on the path the same MTU, or Calico the one that the path really carries.",
)
def path_mtu(facts: Facts) -> t.Iterator[Problem]:
    """Small packets pass and large ones do not, pings and something else, or somebody says that they must be fragmented.

    Checksum offload loses TCP and UDP of every size and no ping; a route or a policy does not look at sizes. A filter may drop large pings, and those alone:
    where UDP and TCP as large pass, it is no MTU. Where somebody answers that fragmentation is needed TCP adapts, and it is a warning; where nobody does it is
    a black hole. Between clusters the cable takes its share and TCP is clamped to the rest: that counts only where large TCP exchanges are lost. What the path
    carries is told by UDP, or by who answers; pings may be limited further.
    """
    for path, found in _claimed(facts, tree.MTU):
        silent = [case for case in found if any(each.answer == BLACK_HOLE for each in _lossy(case)) or not case.mtu]
        carries = min((size for case in found for size in _carried(case)), default=None)
        pings = min((each.mtu for case in found for each in _lossy(case) if each.mtu), default=None)
        fits = f"packets of {carries} bytes" if carries else f"pings of {pings} bytes" if pings else "small packets"
        yield Problem(
            subject=names(map(str, found)),
            title=f"{_WORDS[path][0].upper()}{_WORDS[path][1:]} {fits} pass, and larger ones that the device promises to carry "
            + ("are lost without an answer" if silent else "are refused by a router that says so"),
            evidence=_evidence(found),
            impact="Connections open and stall with the first large packet; ping and DNS work."
            if silent
            else "TCP adapts; UDP that must not be fragmented is lost.",
            remedy=_mtu_remedy(path, carries),
            severity="" if silent else "warning",
        )
    yield from _open(facts, tree.MTU, "Whether it is the MTU that packets are lost by is not known")


def _lossy(case: Case) -> list[PathMtu]:
    """The searches that lost something."""
    return [each for each in case.mtu.values() if full(each) is False]


def _carried(case: Case) -> t.Iterator[int]:
    """What the path carries, by UDP and by who says so."""
    for each in _lossy(case):
        yield from (size for size in (each.mtu if each.protocol == UDP else None, each.next_hop_mtu) if size)


def _mtu_remedy(path: str, carries: int | None) -> t.Any:
    if path == UNDERLAY and carries:
        return by_role(
            "calico_mtu",
            f"Raise the MTU of what lies between the nodes, if that is to carry more; else tell Calico that the links carry {carries}.",
            {"calico_mtu_link_mtu": carries},
            target="Calico's MTU",
            disruptive=True,
        )
    if path == CROSS_CLUSTER:
        return by_hand("Annotate the gateway nodes with submariner.io/tcp-clamp-mss=1300, then restart the route agents' pods there.", "Node annotations")
    return by_hand("Let role calico_mtu compute the MTU from the links' real one (option link_mtu), which wire-mtu shows for path underlay.", "Calico's MTU")


@check(
    "wire-checksum-offload",
    title="Checksums of what goes through tunnels arrive whole",
    severity="error",
    references=("projectcalico/calico#9433", "projectcalico/calico#4727", "kubernetes-sigs/kubespray#12412", "rancher/rke2#7932"),
    tags=("wire", "mtu"),
    remedy="Switch checksum offload off on the tunnel's device: role node_offload, and featureDetectOverride ChecksumOffloadBroken=true for Calico's.",
)
def checksum_offload(facts: Facts) -> t.Iterator[Problem]:
    """A ping of full size passes through the tunnel, TCP and UDP fail at any size, or TCP at large ones, and the same exchange succeeds beside the tunnel.

    The full-sized ping rules the MTU out, the exchange beside it a firewall on the responder's port, and no policy drops it; checksums are left to the
    hardware.
    """
    for path, every in _claimed(facts, tree.OFFLOAD):
        for nodes, devices, found in _by_devices(every, tree.OFFLOADED):
            felix = "" if all(is_submariner_device(name) for name in devices) else f" For Calico's own device Felix does it with {FELIX}."
            yield Problem(
                subject=names(map(str, found)),
                title=f"TCP and UDP fail {_WORDS[path]} where ping of any size passes: checksums that are left to the hardware arrive broken",
                evidence=_evidence(found),
                impact=_IMPACT[path],
                remedy=on_nodes(
                    facts.snapshot.cluster,
                    "node_offload",
                    sorted(nodes),
                    f"Switch checksum offload off on {', '.join(devices)} of {names(sorted(nodes))} for good.{felix}",
                    {"node_offload_devices": [{"name": name} for name in devices]},
                    disruptive=True,
                ),
            )
    yield from _open(facts, tree.OFFLOAD, "Whether broken checksums are what exchanges fail by is not known")


@check(
    "wire-service-ipvs",
    title="Services answer where the pods behind them do",
    severity="error",
    references=("submariner-io/submariner#1559", "https://submariner.io/operations/known-issues/"),
    tags=("wire", "kube-proxy"),
    remedy="Run kube-proxy in iptables mode.",
)
def service_ipvs(facts: Facts) -> t.Iterator[Problem]:
    """The Service's address does not answer, all pods behind it do on their own addresses, and kube-proxy runs in IPVS mode: no path is broken."""
    for _path, found in _claimed(facts, tree.IPVS):
        yield Problem(
            subject=names(map(str, found)),
            title="A Service does not answer on its address while the pods behind it do, and kube-proxy runs in IPVS mode",
            evidence=_evidence(found),
            impact="Clients of the Service fail; pods reach each other. Submariner does not support IPVS.",
            remedy=by_hand("Set kube-proxy's mode to iptables, as the finding of check kube-proxy-mode says.", "kube-proxy's mode", disruptive=True),
        )
    yield from _open(facts, tree.IPVS, "Whether IPVS is what the Service fails by is not known")


@check(
    "wire-udp-blocked",
    title="No tunnel's port is blocked between the probed nodes",
    severity="blocker",
    references=(_DOCS, "submariner-io/submariner#2841", "submariner-io/submariner#1670", "projectcalico/calico#4727"),
    tags=("wire", "health"),
    remedy="Let UDP 4789 (or Calico's own port; of IPIP IP protocol 4) and 4800 between all nodes, 4500 and 4490 between gateways through every firewall "
    "and security group.",
)
def udp_blocked(facts: Facts) -> t.Iterator[Problem]:
    """Nothing passes through the tunnel although both ends lead into it, no filter and no policy of theirs drops it, and UDP passes beside it.

    4789 or 8472 is Calico's VXLAN, IP protocol 4 its IPIP, 4800 vx-submariner, 4500 the cable. Where a rule of a node's own firewall drops it, evidence shows
    the rule; else it is something between the nodes, such as a security group. Packets that travel without a tunnel have no port of one: see wire-path.
    """
    for path, found in _claimed(facts, tree.BLOCKED):
        here = next((case.words[tree.RULE] for case in found if case.observed.get(tree.RULE) is True), "")
        blocked = ", ".join(dict.fromkeys(case.carrier for case in found))
        ends = "the gateways" if any(case.carrier in _OF_GATEWAYS for case in found) else "all nodes"
        yield Problem(
            subject=names(map(str, found)),
            title=f"{blocked} is blocked {'by a firewall rule of a node' if here else 'between the nodes'} ({_WORDS[path]})",
            evidence=_evidence(found) + ((Evidence("firewall", "", here),) if here else ()),
            impact=_IMPACT[path],
            remedy=by_hand(
                f"Allow {blocked} between {ends} "
                + ("in the firewall of the node that evidence names." if here else "in the security groups and firewalls between the nodes."),
                "firewall",
            ),
        )
    yield from _open(facts, tree.BLOCKED, "Whether a blocked port is what packets are lost by is not known")


@check(
    "wire-route",
    title="The probed nodes have routes to each other through the devices that are meant",
    severity="error",
    references=("projectcalico/calico#7832", "submariner-io/submariner#3156", "submariner pkg/routeagent_driver/handlers/kubeproxy"),
    tags=("wire", "health"),
    remedy="Look at calico-node (BGP, Felix) and at the route agent of the node that has no route.",
)
def missing_routes(facts: Facts) -> t.Iterator[Problem]:
    """Nothing passes, and one of the ends has no route to the other that leads into the tunnel, or a device that does not fit the other's or leads elsewhere.

    That is what BGP that is not established, a Felix that does not run and a route agent that gave up leave behind. The routes are those of the hosts, so that
    it is told apart from a port that is blocked, where both have them.
    """
    for path, found in _claimed(facts, tree.ROUTE):
        words = next((case.words[tree.WIRED] for case in found if case.words.get(tree.WIRED)), "")
        agent = "the route agent" if path in (SUBMARINER, CROSS_CLUSTER) else "calico-node (Felix, and BIRD where BGP is on)"
        yield Problem(
            subject=names(map(str, found)),
            title=f"Nothing passes {_WORDS[path]}, for want of a route: {words}",
            evidence=_evidence(found),
            impact=_IMPACT[path],
            remedy=by_role("route_agent", "Restart the route agents that gave up.", target="route agents", disruptive=True)
            if path in (SUBMARINER, CROSS_CLUSTER)
            else by_hand(f"Look why {agent} of that node does not write the route: its log and its readiness, and NetworkManager, which may remove it."),
        )
    yield from _open(facts, tree.ROUTE, "Whether a missing route is what packets are lost by is not known")


@check(
    "wire-policy",
    title="No policy drops what the probes send",
    severity="error",
    references=("https://docs.tigera.io/calico/latest/reference/host-endpoints/overview",),
    tags=("wire", "policy"),
    remedy="Allow the traffic in a GlobalNetworkPolicy that selects the HostEndpoints.",
)
def dropped_by_policies(facts: Facts) -> t.Iterator[Problem]:
    """Calico's policies, evaluated for what the probe sends, drop it, and it is lost: while routes, filters and other sizes are as they must be."""
    for path, found in _claimed(facts, tree.POLICY):
        yield Problem(
            subject=names(map(str, found)),
            title=f"A policy of Calico drops what goes {_WORDS[path]}",
            evidence=_evidence(found),
            impact=_IMPACT[path],
            remedy=by_hand(
                "Allow it in a GlobalNetworkPolicy that selects the HostEndpoints of both nodes and comes before what drops it.", "GlobalNetworkPolicy"
            ),
        )
    yield from _open(facts, tree.POLICY, "Whether a policy drops it is not known")


@check(
    "wire-rp-filter",
    title="Reverse path filtering lets the probed paths pass",
    severity="error",
    references=("submariner-io/submariner#2953", "https://docs.kernel.org/networking/ip-sysctl.html"),
    tags=("wire", "agents"),
    remedy="Set rp_filter to 2 (loose) on the interface, for good: role node_sysctl.",
)
def rp_filter(facts: Facts) -> t.Iterator[Problem]:
    """Nothing passes, both ends have their routes, and one drops what comes in since strict filtering acts on the interface and its route back leads elsewhere.

    What acts is the larger of net.ipv4.conf.all.rp_filter and the interface's own. Submariner relaxes Calico's interface and vx-submariner when its route
    agent starts, and not where the agent did not find them.
    """
    for path, every in _claimed(facts, tree.RP_FILTER):
        for nodes, devices, found in _by_devices(every, tree.STRICT):
            words = next((case.words[tree.STRICT] for case in found if case.words.get(tree.STRICT)), "")
            yield Problem(
                subject=names(map(str, found)),
                title=f"Strict reverse path filtering drops what comes in {_WORDS[path]}: {words}",
                evidence=_evidence(found),
                impact=_IMPACT[path],
                remedy=_loosened(facts.snapshot.cluster, path, sorted(nodes), devices),
            )
    yield from _open(facts, tree.RP_FILTER, "Whether reverse path filtering drops it is not known")


def _loosened(cluster: str, path: str, nodes: t.Sequence[str], devices: t.Sequence[str]) -> Remedy:
    if path == CROSS_CLUSTER:
        text = f"Restart the route agent of {names(nodes)}, which relaxes the filter."
        return by_role("route_agent", text, {"route_agent_nodes": list(nodes)}, target="route agents", disruptive=True)
    text = f"Set rp_filter to 2 (loose) on {', '.join(devices)}, for good."
    return on_nodes(cluster, "node_sysctl", nodes, text, {"node_sysctl_sysctls": {}, "node_sysctl_rp_filter": dict.fromkeys(devices, 2)})


@check(
    "wire-path",
    title="What was probed passes, or is known to be lost by one cause",
    severity="error",
    references=(_DOCS,),
    tags=("wire", "health"),
    remedy="Give the observation that is missing: each finding says which one would tell the cause.",
)
def lost_paths(facts: Facts) -> t.Iterator[Problem]:
    """What is lost and has no proved cause is told here, with what rules causes out so far; probes that could not run make it unknown."""
    lost: dict[tuple[str, tuple[str, ...]], list[Case]] = {}
    for case in of_cluster(facts):
        if not case.verdict.cause and tree.symptoms(case.observed):
            lost.setdefault((case.path, case.verdict.possible), []).append(case)
    for (kind, possible), found in lost.items():
        left = f"it may be {', '.join(possible)}" if possible else "it is none of the causes that are known"
        seen = [name for name, value in found[0].observed.items() if value is not None]
        wanted = tree.telling(found[0].verdict.wanted)
        hint = _UNTUNNELLED if kind == CALICO and any(map(_untunnelled, found)) else ""
        yield Problem(
            subject=names(map(str, found)),
            title=f"Packets are lost {_WORDS[kind]}, and the cause is not told apart: {left}",
            evidence=(*_rows(found[0], seen), *((Evidence(f"{len(found) - 1} more", "", "alike"),) if len(found) > 1 else ())),
            impact=_IMPACT[kind],
            remedy=by_hand(hint + (f"Find out: {wanted}." if wanted else "Capture packets at both ends (tcpdump -ni any) while a probe runs.")),
        )
    reasons: dict[str, list[str]] = {}
    for each in untried(facts.snapshot, of_cluster(facts)):
        reasons.setdefault(each.why, []).append(f"{each.source} to {each.target}")
    for why, pairs in reasons.items():
        yield Problem(subject=names(pairs), title=f"{len(pairs)} probes could not run, or tell nothing", missing=why)


def _untunnelled(case: Case) -> bool:
    """Everything is lost, on a way that has no tunnel."""
    return case.observed.get(tree.SMALL) is False and case.observed.get(tree.CARRIER) is False
