# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Traffic of the nodes themselves: HostEndpoints, the ports that Felix keeps open in any case, and what policies do with the rest.

After https://docs.tigera.io/calico/latest/reference/host-endpoints and projectcalico/calico felix/config/config_params.go: untracked (doNotTrack)
policies are asked first, then preDNAT ones, both without a default action; then the others, which drop what they do not allow, and so does a HostEndpoint
without policies that has no profile. Forwarded packets meet only policies with applyOnForward, and pass where there are none.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_evaluation import (
    ALLOWED,
    DROPPED,
    Outcome,
    Policies,
    evaluate,
    selection,
    together,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, PROTOCOLS, Entity, Flow, net
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels, Verdict
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, covers
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import CalicoPolicy, DaemonSet, FelixConfiguration, HostEndpoint

DEFAULT_PROFILE = "projectcalico-default-allow"  # which kube-controllers gives to the HostEndpoints that it makes
FAILSAFE_FIELD = {INGRESS: "failsafeInboundHostPorts", EGRESS: "failsafeOutboundHostPorts"}
FAILSAFE_ENVIRONMENT = {INGRESS: "FELIX_FAILSAFEINBOUNDHOSTPORTS", EGRESS: "FELIX_FAILSAFEOUTBOUNDHOSTPORTS"}
_ETCD_BGP_API = ("tcp:179", "tcp:2379", "tcp:2380", "tcp:5473", "tcp:6443", "tcp:6666", "tcp:6667")
FAILSAFE_DEFAULT = {INGRESS: ("tcp:22", "udp:68", *_ETCD_BGP_API), EGRESS: ("udp:53", "udp:67", *_ETCD_BGP_API)}


class Failsafe(t.NamedTuple):
    """One port that policies cannot close; ``network`` None means for every address."""

    protocol: int
    port: int
    network: Network | None = None


class Failsafes(t.NamedTuple):
    """``source`` names where the list was read, ``missing`` what keeps it from being known."""

    ports: t.Mapping[str, tuple[Failsafe, ...]]  # by direction
    source: str
    missing: str = ""

    def hold(self, flow: Flow) -> bool:
        """Whether the flow passes in any case."""
        peer = flow.source if flow.direction == INGRESS else flow.destination
        return any(
            (entry.protocol, entry.port) == (flow.protocol, flow.port)
            and (entry.network is None or bool(peer.networks and covers((entry.network,), peer.networks)))
            for entry in self.ports.get(flow.direction, ())
        )


def failsafes(node: str, configurations: t.Iterable[FelixConfiguration], calico_node: DaemonSet | None) -> Failsafes:
    """What Felix runs with on a node: its environment outranks FelixConfiguration ``node.NAME``, and that one ``default``."""
    by_name = {entry.ref.name: entry for entry in configurations}
    ports: dict[str, tuple[Failsafe, ...]] = {}
    sources: list[str] = []
    for direction in (INGRESS, EGRESS):
        stated = _environment(calico_node, FAILSAFE_ENVIRONMENT[direction])
        if stated is not None:
            ports[direction] = tuple(_read(entry) for entry in _entries(stated) if entry)
            sources.append(f"{calico_node.ref if calico_node else ''} {FAILSAFE_ENVIRONMENT[direction]}".strip())
            continue
        configuration = next(
            (by_name[name] for name in (f"node.{node}", "default") if name in by_name and by_name[name].spec.get(FAILSAFE_FIELD[direction]) is not None), None
        )
        if configuration is None:
            ports[direction] = tuple(_read(entry) for entry in FAILSAFE_DEFAULT[direction])
            sources.append("Felix's default")
        else:
            listed = configuration.spec[FAILSAFE_FIELD[direction]]
            ports[direction] = tuple(_of_object(entry) for entry in listed if isinstance(entry, dict)) if isinstance(listed, (list, tuple)) else ()
            sources.append(f"{configuration.ref} spec.{FAILSAFE_FIELD[direction]}")
    return Failsafes(ports, " and ".join(dict.fromkeys(sources)))


def host_action(configurations: t.Iterable[FelixConfiguration], calico_node: DaemonSet | None) -> tuple[str, str]:
    """defaultEndpointToHostAction (what becomes of a pod's packets to its own node) in lower case, and where it was read."""
    stated = _environment(calico_node, "FELIX_DEFAULTENDPOINTTOHOSTACTION")
    if stated:
        return stated.lower(), f"{calico_node.ref if calico_node else ''} FELIX_DEFAULTENDPOINTTOHOSTACTION".strip()
    for configuration in configurations:
        if configuration.ref.name == "default" and configuration.spec.get("defaultEndpointToHostAction"):
            return str(configuration.spec["defaultEndpointToHostAction"]).lower(), f"{configuration.ref} spec.defaultEndpointToHostAction"
    return "drop", "Felix's default"


def covers_address(endpoint: HostEndpoint, addresses: t.Sequence[Network]) -> Verdict:
    """Whether a HostEndpoint is what packets to or from one of its node's addresses meet; None where it names an interface and no addresses."""
    if endpoint.interface_name == "*":
        return True
    if endpoint.expected_ips:
        expected = {net(address) for address in endpoint.expected_ips}
        return any(address in expected for address in addresses)
    return None if endpoint.interface_name else False


def host_entity(endpoint: HostEndpoint | None, addresses: t.Sequence[Network]) -> Entity:
    """A node. Selectors of rules find it only by the expectedIPs of its HostEndpoint."""
    return Entity(tuple(addresses), None if endpoint is None else Labels(endpoint.labels))


def at_host(endpoint: HostEndpoint, flow: Flow, rules: Policies, failsafe: Failsafes, *, forwarded: bool = False) -> Outcome:
    """What becomes of a flow at a HostEndpoint that its packets meet."""
    if not forwarded and failsafe.hold(flow):
        return Outcome(frozenset((ALLOWED,)), allowed_by=(f"failsafe ports ({failsafe.source})",))
    own = Entity((), Labels(endpoint.labels))
    candidates = [policy for policy in rules.policies if policy.ref.kind == "GlobalNetworkPolicy"]
    chosen = selection(candidates, own, flow.direction)
    outcomes = [_staged(chosen.certain, endpoint, flow, rules, forwarded)]
    if chosen.perhaps:
        outcomes.append(_staged((*chosen.certain, *chosen.perhaps), endpoint, flow, rules, forwarded))
    result = together(outcomes)
    doubts = tuple(f"whether {policy.ref} selects it" for policy in chosen.perhaps) if len(result.possible) > 1 else ()
    return result._replace(unknown=(*result.unknown, *doubts))


def _staged(applied: t.Sequence[CalicoPolicy], endpoint: HostEndpoint, flow: Flow, rules: Policies, forwarded: bool) -> Outcome:
    """Untracked policies, then preDNAT ones, then the others: the first that decides does."""
    undecided = "undecided"
    results: list[Outcome] = []
    early = [[policy for policy in applied if policy.do_not_track]]
    if flow.direction == INGRESS:
        early.append([policy for policy in applied if policy.pre_dnat])
    for policies in filter(None, early):
        outcome = evaluate(policies, flow, rules, profile=undecided, at_end=False)
        if undecided not in outcome.possible:
            return together([*results, outcome])
        if len(outcome.possible) > 1:
            results.append(outcome._replace(possible=outcome.possible - {undecided}))
    late = [policy for policy in applied if not policy.do_not_track and not policy.pre_dnat and (policy.apply_on_forward or not forwarded)]
    return together([*results, evaluate(late, flow, rules, profile=ALLOWED if forwarded else _profile(endpoint))])


def _profile(endpoint: HostEndpoint) -> str | None:
    if not endpoint.profiles:
        return DROPPED
    return ALLOWED if DEFAULT_PROFILE in endpoint.profiles else None


def _environment(calico_node: DaemonSet | None, name: str) -> str | None:
    values = [value for container in (calico_node.containers if calico_node else ()) for value in (container.env_value(name),) if value is not None]
    return values[0] if values else None


def _entries(text: str) -> list[str]:
    return [] if text.strip().lower() == "none" else [entry.strip() for entry in text.split(",")]


def _read(text: str) -> Failsafe:
    """``protocol:port``, ``protocol:net:port`` or a port of TCP."""
    protocol, _colon, rest = text.partition(":") if ":" in text else ("tcp", ":", text)
    network, _last, port = rest.rpartition(":")
    return _failsafe(protocol, port, network.replace("[", "").replace("]", ""))


def _of_object(entry: t.Mapping[str, t.Any]) -> Failsafe:
    return _failsafe(str(entry.get("protocol") or "tcp"), str(entry.get("port") or ""), str(entry.get("net") or ""))


def _failsafe(protocol: str, port: str, network: str) -> Failsafe:
    """What cannot be read opens nothing."""
    parsed = net(network) if network else None
    readable = port.isdigit() and (parsed is not None or not network)
    return Failsafe(PROTOCOLS.get(protocol.upper(), -1), int(port) if readable else -1, parsed)
