# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What can be said of a cluster before it exists. Where the diagnosis has a check for the same trouble, its id is used: waivers and guides hold for both."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection import DEVICES, Method, evaluate
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory import PUBLISHED_TOKEN, Asked, Said, shown, texts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, Check, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, covers, overlap, parse_cidrs

Problems = t.Iterator[Problem]


def _require(asked: Asked, check_id: str) -> None:
    if check_id in asked.unread:
        raise CannotJudge(asked.unread[check_id])


def _problem(asked: Asked, check_id: str, title: str, *said: Said, impact: str = "", severity: str = "") -> Problem:
    return Problem(
        subject=", ".join(each.name for each in said),
        title=title,
        evidence=asked.evidence(*said),
        impact=impact,
        remedy=by_hand(asked.how.get(check_id, ""), f"{asked.where}: {said[0].name}") if check_id in asked.how else None,
        severity=severity,
    )


def _calico_alone(asked: Asked) -> None:
    if not asked.calico:
        raise NotApplicable


@check("planned-network-plugin", title="The inventory asks for Calico", severity="info", tags=("inventory",))
def network_plugin(asked: Asked) -> Problems:
    """What is said here of Calico does not hold for other network plugins, and is not said then. RKE2's default is canal."""
    if not asked.calico:
        yield _problem(
            asked,
            "planned-network-plugin",
            f"The cluster will get {shown(asked.cni.value)}, and not Calico",
            asked.cni,
            impact="Nothing was judged of Calico's settings.",
        )


@check(
    "kube-proxy-mode",
    title="kube-proxy will run in a mode that Submariner supports",
    severity="error",
    references=("submariner-io/submariner#1559",),
    tags=("inventory",),
)
def proxy_mode(asked: Asked) -> Problems:
    """IPVS is not supported by Submariner, and is Kubespray's default; nftables is, but only from 0.21 on. Without kube-proxy there are no rules at all."""
    if asked.calico and asked.ebpf is not None and asked.ebpf.value:
        raise NotApplicable  # which leaves kube-proxy out: calico-ebpf tells it
    if asked.no_proxy is not None and asked.no_proxy.value:
        yield _problem(
            asked,
            "kube-proxy-mode",
            "kube-proxy will not be installed",
            asked.no_proxy,
            impact="Submariner relies on kube-proxy's rules to reach Services of this cluster.",
        )
        return
    mode = str(asked.proxy_mode.value)
    if mode not in ("iptables", ""):
        nftables = mode == "nftables"
        yield _problem(
            asked,
            "kube-proxy-mode",
            f"kube-proxy will run in {mode} mode, which Submariner {'handles from 0.21.0 on' if nftables else 'does not support'}",
            asked.proxy_mode,
            impact="" if nftables else "Traffic from other clusters to Services would be dropped or bypass Submariner's rules.",
            severity="warning" if nftables else "",
        )


@check(
    "calico-ebpf",
    title="Calico will run a data plane that Submariner is tested with",
    severity="error",
    references=("https://submariner.io/operations/known-issues/",),
    tags=("inventory", "kube-proxy"),
)
def data_plane(asked: Asked) -> Problems:
    """Calico's eBPF data plane replaces kube-proxy, and Submariner neither detects nor tests it."""
    _calico_alone(asked)
    _require(asked, "calico-ebpf")
    if asked.ebpf is not None and asked.ebpf.value:
        yield _problem(
            asked,
            "calico-ebpf",
            "Calico will run its eBPF data plane, which Submariner neither detects nor is tested with",
            asked.ebpf,
            impact="Traffic of other clusters to Services here may be dropped, or answered around the tunnel.",
        )


@check("planned-join-token", title="Nodes will join with a token that is not public", severity="error", tags=("inventory",))
def join_token(asked: Asked) -> Problems:
    """lablabs.rke2 has a token as its default that everybody can read in its source. Whoever reaches a server with it may join as a server."""
    if asked.token is None:
        raise NotApplicable
    if asked.token.value == PUBLISHED_TOKEN:
        yield _problem(
            asked,
            "planned-join-token",
            f"The token by which nodes join is the one that {asked.where} have published as their default",
            asked.token,
            impact="Whoever reaches port 9345 of a server can join the cluster with it, as a server, and then reads every Secret.",
        )


@check(
    "calico-api-unavailable",
    title="Calico's API server will be there",
    severity="error",
    references=("submariner-io/submariner#2953",),
    tags=("inventory",),
)
def api_server(asked: Asked) -> Problems:
    """Submariner's route agent writes IPPools through projectcalico.org/v3, and neither Kubespray nor RKE2 serves that unless it is asked to."""
    _calico_alone(asked)
    _require(asked, "calico-api-unavailable")
    if asked.api_server is not None and not asked.api_server.value:
        yield _problem(
            asked,
            "calico-api-unavailable",
            "Calico's API server will not be installed",
            asked.api_server,
            impact="Submariner's route agent cannot write the IPPools of remote subnets: replies to other clusters are masqueraded and lost.",
        )


@check("calico-datastore-etcd", title="Calico will keep its IPPools in the Kubernetes API", severity="error", tags=("inventory",))
def datastore(asked: Asked) -> Problems:
    """With etcd as its datastore Calico reads no IPPool of the Kubernetes API, and its API server cannot be installed."""
    _calico_alone(asked)
    if asked.datastore is not None and str(asked.datastore.value) != "kdd":
        yield _problem(asked, "calico-datastore-etcd", f"Calico's datastore will be {asked.datastore.value}", asked.datastore)


@check(
    "mtu-setting-ignored",
    title="Every MTU that is asked for will have an effect",
    severity="warning",
    references=("kubespray roles/network_plugin/calico/templates/calico-config.yml.j2",),
    tags=("inventory", "mtu"),
)
def mtu_effect(asked: Asked) -> Problems:
    """Kubespray writes calico_mtu into the CNI's configuration only where it is a number, and calico_veth_mtu only beside calico_mtu."""
    _calico_alone(asked)
    pod, tunnel = asked.pod_mtu, asked.tunnel_mtu
    if pod is not None and (isinstance(pod.value, bool) or not isinstance(pod.value, (int, float))):
        yield _problem(
            asked,
            "mtu-setting-ignored",
            f"{pod.name} is a text ({pod.value!r}): it reaches the tunnels, but not the pods",
            pod,
            impact="Pods keep an MTU that Calico finds by itself, and may send packets that the tunnels cannot carry.",
        )
    if tunnel is not None and pod is None:
        yield _problem(asked, "mtu-setting-ignored", f"{tunnel.name} has no effect without calico_mtu", tunnel)


@check("mtu-pod-exceeds-tunnel", title="Packets of pods will fit into Calico's tunnels", severity="error", tags=("inventory", "mtu"))
def mtu_fits(asked: Asked) -> Problems:
    """calico_veth_mtu sets the tunnels' MTU where calico_mtu is set, too (kubespray roles/network_plugin/calico/templates/calico-node.yml.j2)."""
    _calico_alone(asked)
    pod, tunnel = asked.pod_mtu, asked.tunnel_mtu
    if pod is None or tunnel is None:
        return
    pod_mtu, tunnel_mtu = _number(pod.value), _number(tunnel.value)
    if pod_mtu is None or tunnel_mtu is None:
        raise CannotJudge(f"{pod.name} and {tunnel.name} are not both numbers: {pod.value!r}, {tunnel.value!r}")
    if pod_mtu > tunnel_mtu:
        yield _problem(
            asked,
            "mtu-pod-exceeds-tunnel",
            f"Pods get an MTU of {pod_mtu}, and the tunnels one of {tunnel_mtu}",
            pod,
            tunnel,
            impact="Large packets between nodes are lost: connections are made and then hang.",
        )


def _number(value: t.Any) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None


@check("autodetection-picks-submariner", title="Calico will not take an address of Submariner's devices", severity="warning", tags=("inventory",))
def autodetection(asked: Asked) -> Problems:
    """Once Submariner's devices are there, some ways of finding a node's address find theirs (submariner#1231, calico#11355)."""
    _calico_alone(asked)
    _require(asked, "autodetection-picks-submariner")
    if asked.autodetection is None:
        return
    written = str(asked.autodetection.value)
    kind, _equals, argument = written.partition("=")
    verdict = evaluate(Method(IPV4, kind, argument, Seen(asked.where, asked.autodetection.name, written)), DEVICES)
    if verdict.picks is None:
        raise CannotJudge(verdict.why)
    if verdict.picks:
        yield _problem(
            asked,
            "autodetection-picks-submariner",
            f"Calico would take the address of a device of Submariner's: {verdict.why}",
            asked.autodetection,
            impact="At the next start of calico-node, nodes lose the tunnels between them.",
        )


@check("planned-cidr-unusable", title="The ranges that are asked for can be used", severity="error", tags=("inventory", "cidr"))
def ranges(asked: Asked) -> Problems:
    """They are CIDRs, those of pods and Services are apart, and Calico's own pool lies in that of the pods (Kubespray asserts that, too, but late)."""
    for each in (*asked.pods, *asked.services, *filter(None, (asked.pool,))):
        for problem in parse_cidrs(texts((each,))).problems:
            yield _problem(asked, "planned-cidr-unusable", f"{each.name}: {problem}", each)
    pods, services = parse_cidrs(texts(asked.pods)).networks, parse_cidrs(texts(asked.services)).networks
    for one, other in overlap(pods, services):
        yield _problem(asked, "planned-cidr-unusable", f"Pods ({one}) and Services ({other}) overlap", *asked.pods, *asked.services)
    if asked.pool is not None and not covers(pods, parse_cidrs(texts((asked.pool,))).networks):
        yield _problem(asked, "planned-cidr-unusable", f"{asked.pool.name} is outside the pods' range", asked.pool, *asked.pods)


PLANNED: tuple[Check, ...] = (network_plugin, proxy_mode, data_plane, join_token, api_server, datastore, mtu_effect, mtu_fits, autodetection, ranges)
