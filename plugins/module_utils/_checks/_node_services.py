# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What else runs on nodes: NetworkManager, nm-cloud-setup, firewalls, and programs on Calico's and Submariner's ports."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import judge_firewall, judge_listeners
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import Flaw, NodePlan
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_services import (
    judge_cloud_setup,
    judge_firewall_services,
    judge_network_manager,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import GATEWAY, Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_hosts import Told, hosts, is_gateway, judged, keys_of, plan_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_remedies import on_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand


@check(
    "node-network-manager",
    title="NetworkManager leaves Calico's and Submariner's devices alone",
    severity="warning",
    references=("https://docs.tigera.io/calico/latest/operations/troubleshoot/troubleshooting#configure-networkmanager", "NetworkManager.conf(5)"),
    tags=("nodes",),
    remedy="List the devices in unmanaged-devices (role node_network_manager).",
)
def network_manager(facts: Facts) -> t.Iterator[Problem]:
    """Where it runs: cali*, Calico's tunnel devices, and vx-submariner, vxlan-tunnel or submariner, which the usual file for Calico does not name."""
    hosts(facts)
    plan = plan_of(facts)
    if not (plan.data_plane or plan.cable):
        raise NotApplicable()
    told = "NetworkManager may take addresses, routes and MTUs away from these devices, at a reload or a change of the network."
    yield from judged(
        facts,
        lambda host: judge_network_manager(host, plan),
        lambda nodes, flaws: Told(
            told, on_nodes(facts.snapshot.cluster, "node_network_manager", nodes, f"Tell NetworkManager to leave {', '.join(keys_of(flaws))} alone.")
        ),
    )


@check(
    "node-cloud-setup",
    title="No nm-cloud-setup makes routing tables of its own",
    severity="warning",
    references=("https://docs.rke2.io/known_issues#networkmanager", "NetworkManager src/nm-cloud-setup/main.c"),
    tags=("nodes",),
    remedy="Disable nm-cloud-setup.service and nm-cloud-setup.timer (role node_network_manager) and reboot.",
)
def cloud_setup(facts: Facts) -> t.Iterator[Problem]:
    """It comes with images of RHEL and its kin for clouds, and gives each address of a card a rule and a table without the routes of Calico and Submariner."""
    hosts(facts)
    plan = plan_of(facts)
    remedy = "Disable nm-cloud-setup.service and nm-cloud-setup.timer; a reboot takes its rules away."
    yield from judged(
        facts,
        lambda host: judge_cloud_setup(host, plan),
        lambda nodes, _flaws: Told(
            "Packets that the node answers or forwards from its card's addresses take its tables, and not the routes to pods and other clusters.",
            on_nodes(facts.snapshot.cluster, "node_network_manager", nodes, remedy, {"node_network_manager_disable_cloud_setup": True}),
        ),
    )


@check(
    "node-firewall",
    title="Firewalls of nodes let Calico's and Submariner's packets in",
    severity="error",
    references=(
        "https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements",
        "https://submariner.io/getting-started/#prerequisites",
        "https://docs.rke2.io/known_issues#firewalld-conflicts-with-default-networking",
    ),
    tags=("nodes", "connections"),
    remedy="Let the ports in between the nodes, and between gateways; or switch the host's own firewall off.",
)
def firewall(facts: Facts) -> t.Iterator[Problem]:
    """Rules of the hosts' own (nftables, iptables, firewalld, ufw) that drop or reject VXLAN, BGP, IPIP, Typha, UDP 4800, or on gateways the cable.

    Judged by the rules' text, which does not tell all; what Calico and kube-proxy write themselves is left out. A firewall outside of the host, such as a
    cloud's security groups, is not seen.
    """
    hosts(facts)
    plan = plan_of(facts)
    yield from judged(facts, lambda host: itertools.chain(judge_firewall(host, _at(facts, plan, host.node)), judge_firewall_services(host, plan)), _firewall)


def _at(facts: Facts, plan: NodePlan, node: str) -> NodePlan:
    return plan._replace(gateway=is_gateway(facts, node))


def _firewall(nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
    flaw = flaws[0]
    shown = ", ".join(nodes[:3])
    if flaw.field.startswith("services["):
        name = flaw.keys[0]
        ports = "firewall-cmd --permanent --add-port=4800/udp" if name == "firewalld" else "ufw allow 4800/udp"
        text = f"Switch it off on {shown} (systemctl disable --now {name}), or let in what Calico and Submariner need: {ports} and the others."
        return Told("Its rules and Calico's are two sets of rules on one host: what one accepts the other may drop, also after a reload.", by_hand(text))
    return Told(
        "These packets do not arrive: neighbours and tunnels look set up, and nothing comes through.",
        by_hand(f"Accept {', '.join(keys_of(flaws))} from the other nodes (on gateways from the other clusters) before the rule that drops it, on {shown}."),
        # Of some senders or packets: which, no text tells.
    )


@check(
    "node-port-taken",
    title="Nobody else uses Calico's and Submariner's ports on nodes",
    severity="error",
    references=("submariner-io/submariner pkg/port/ports.go", "submariner-io/submariner pkg/vxlan"),
    tags=("nodes", "connections"),
    remedy="Stop the other program, or give Submariner another port (ceIPSecNATTPort).",
)
def port_taken(facts: Facts) -> t.Iterator[Problem]:
    """A program on UDP 4800, or on a gateway that does not run yet on 4500 or 4490 (strongSwan of the host, say), or another VXLAN device in their place."""
    hosts(facts)
    plan = plan_of(facts)
    running = {pod.node for pod in facts.snapshot.pods.items if pod.labels.get("app") == GATEWAY}
    remedy = by_hand(
        "Find it with `ss -lunp` or `ss -ltnp`, and stop it; `ip -d link` shows VXLAN devices. The cable can have another port: spec.ceIPSecNATTPort."
    )
    told = Told("Submariner or Calico cannot open the port, or the kernel gives the packets to the other one.", remedy)
    yield from judged(
        facts, lambda host: judge_listeners(host, _at(facts, plan, host.node)._replace(running=host.node in running or not is_gateway(facts, host.node))),
        lambda _nodes, _flaws: told,
    )  # fmt: skip
