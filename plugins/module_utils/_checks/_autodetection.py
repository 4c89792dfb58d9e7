# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Calico's own address on each node, and whether the way in which it is found survives Submariner's devices."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection import (
    DEVICES,
    FIRST_FOUND,
    INTERNAL_IP,
    Method,
    Verdict,
    devices,
    evaluate,
    methods,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection_repair import FIELD, Wanted, in_values
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least, calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import base_installation
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import (
    CANAL,
    KUBESPRAY,
    MANIFEST,
    MICROK8S,
    NONE,
    OPERATOR,
    OPERATOR_HELM,
    OPERATOR_RKE2,
    detect_install_method,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_addresses import (
    NodeAddress,
    calico_addresses,
    internal_addresses,
    of_submariner,
    outside_pools,
    tunnel_addresses,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node, etcd_datastore, policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, parse_cidrs

PICKED = "calico-address-of-submariner"
TAGS = ("autodetection",)
SHOWN = 5
SOURCE = "projectcalico/calico node/pkg/lifecycle/startup/autodetection"
SKIP = ",".join(f"^{name}$" for name in DEVICES)
_INTERNAL_IP = Wanted(INTERNAL_IP)


def _runs_calico(facts: Facts) -> None:
    """:raises NotApplicable: Calico gives the nodes no address here: it is not installed, or another CNI routes the pods."""
    method = detect_install_method(facts.snapshot)
    if method.method == NONE or (method.method != CANAL and policy_only(facts.snapshot)):
        raise NotApplicable()


def _addresses(facts: Facts) -> tuple[NodeAddress, ...]:
    """:raises CannotJudge: no Node shows one, though calico-node writes it to every Node (but for etcd as its datastore)."""
    _runs_calico(facts)
    found = calico_addresses(facts.snapshot.nodes.items)
    if not found and facts.snapshot.nodes.items:
        etcd = etcd_datastore(facts.snapshot)
        where = "Calico keeps its Nodes in etcd" if etcd else "no Node has an annotation projectcalico.org/IPv4Address"
        raise CannotJudge(f"the addresses that Calico uses could not be read: {where}")
    return found


def _remedy(facts: Facts, family: str = IPV4, *, before: str = "", after: str = "") -> Remedy:
    """The role, where it may write what lasts; else the exact step for a person.

    :param before: what is to be said before the step. :param after: after it.
    """
    step, target = _fix(facts, family)
    text = f"{before}{step}.{after}"
    method = detect_install_method(facts.snapshot)
    if method.platform == "roks" or method.method not in (OPERATOR, OPERATOR_RKE2, KUBESPRAY, MANIFEST, MICROK8S) or etcd_datastore(facts.snapshot):
        return by_hand(text, target, disruptive=True)
    old = at_least(calico_version(facts.snapshot), 3, 17) is False
    variables: dict[str, t.Any] = {"calico_autodetection_method": "skip-interface", "calico_autodetection_skip_interface": SKIP} if old else {}
    if family != IPV4:
        variables["calico_autodetection_families"] = [family]
    return by_role("calico_autodetection", text, variables, target=target, disruptive=True)


def _fix(facts: Facts, family: str = IPV4) -> tuple[str, str]:
    """The exact step that makes Calico take the Node's InternalIP, and the object in which it lasts."""
    number = "4" if family == IPV4 else "6"
    method = detect_install_method(facts.snapshot)
    path = f"calicoNetwork.nodeAddressAutodetectionV{number}"
    env = f"IP{'' if family == IPV4 else '6'}_AUTODETECTION_METHOD"
    old = at_least(calico_version(facts.snapshot), 3, 17) is False
    value = f"skip-interface={SKIP}" if old else "kubernetes-internal-ip"
    if method.platform == "roks":
        return "Ask IBM's support: on this platform they own nodeAddressAutodetection and undo other values", "Installation default, IBM's master"
    if method.method == OPERATOR_RKE2:
        return (
            f"Set installation.{path}: {_values(facts, family)} in the valuesContent of HelmChartConfig kube-system/rke2-calico",
            f"HelmChartConfig kube-system/rke2-calico spec.valuesContent: installation.{path}",
        )
    if method.method == OPERATOR_HELM:
        value = f"installation.{path}"
        how = "helm upgrade --reuse-values with the --version of the installed chart"
        return f"Set the release's value {value}: {_values(facts, family)} ({how})", f"{method.durable}: {value}"
    if method.method == OPERATOR:
        removed = dict.fromkeys(_written(facts, family)) or {"firstFound": None}
        patch = json.dumps({"spec": {"calicoNetwork": {FIELD[family]: {**removed, **_INTERNAL_IP.field(family)}}}}, separators=(",", ":"))
        return f"kubectl patch installation default --type=merge -p '{patch}' (one method only: null removes the old one)", f"Installation default spec.{path}"
    if method.method == KUBESPRAY:
        return (
            f'Set calico_ip{"" if family == IPV4 else "6"}_auto_method: "kubernetes-internal-ip" in the inventory and run cluster.yml --tags network',
            "Kubespray's inventory: calico_ip_auto_method",
        )
    daemon_set = calico_node(facts.snapshot)
    name = daemon_set.ref.name if daemon_set else "calico-node"
    manifest = "the manifest in microk8s' cni-network directory" if method.method == MICROK8S else "the manifest that is applied"
    return (
        f"kubectl -n kube-system set env daemonset/{name} {env}={value}, and the same in {manifest}",
        f"DaemonSet kube-system/{name} env {env}",
    )


def _written(facts: Facts, family: str) -> t.Mapping[str, t.Any]:
    installation = base_installation(facts.snapshot)
    network = (installation.spec.get("calicoNetwork") or {}) if installation is not None else {}
    return network.get(FIELD[family]) or {}


def _values(facts: Facts, family: str) -> str:
    """In YAML, on one line."""
    wanted = in_values(_INTERNAL_IP.field(family), _written(facts, family))
    return f"{{{', '.join(f'{key}: {value if value and isinstance(value, str) else json.dumps(value)}' for key, value in wanted.items())}}}"


@check(
    PICKED,
    title="Calico uses no address of Submariner's own devices",
    severity="error",
    needs=("nodes",),
    references=(
        "submariner-io/submariner#1231",
        "submariner-io/submariner#2810",
        "submariner-io/submariner#3705",
        "projectcalico/calico#11355",
        SOURCE,
    ),
    tags=TAGS,
)
def address_of_submariner(facts: Facts) -> t.Iterator[Problem]:
    """vx-submariner has an address of 240.0.0.0/8 on every node. Calico that takes it for the node's own peers with nobody, and sends its VXLAN nowhere.

    Where a gateway's node or every node is hit, no traffic to remote clusters is left.
    """
    hit = [entry for entry in _addresses(facts) if of_submariner(entry.address)]
    if not hit:
        return
    nodes = facts.snapshot.nodes.items
    gateways = [entry.node.ref.name for entry in hit if entry.node.is_gateway]
    found, _unread = methods(facts.snapshot)
    names = ", ".join(entry.node.ref.name for entry in hit[:SHOWN]) + (f" and {len(hit) - SHOWN} more" if len(hit) > SHOWN else "")
    yield Problem(
        subject=str(hit[0].node.ref),
        title=f"Calico took {hit[0].value}, the address of Submariner's vx-submariner, for that of {names}",
        evidence=(
            *(Evidence(*entry.seen._replace(note=f"InternalIP {', '.join(entry.node.internal_ips)}")) for entry in hit[:SHOWN]),
            *(Evidence(*method.seen) for method in found if method.family == IPV4),
        ),
        impact="Pods of these nodes lose the other nodes: BGP peers and VXLAN neighbours do not know that address, and calico-node turns not ready."
        + (f" The gateway {', '.join(gateways)} is among them: no traffic to remote clusters is left." if gateways else ""),
        remedy=_remedy(facts, after=" calico-node then restarts node by node and takes the Node's InternalIP; restart it where the annotation stays."),
        severity="blocker" if gateways or len({entry.node.ref for entry in hit}) == len(nodes) else "",
    )


@check(
    "calico-address-not-internal",
    title="Calico uses every Node's InternalIP",
    severity="warning",
    needs=("nodes",),
    references=(SOURCE, "projectcalico/calico#5705", "projectcalico/calico#7832"),
    tags=TAGS,
)
def address_not_internal(facts: Facts) -> t.Iterator[Problem]:
    """Submariner reaches the other nodes by their InternalIP. Calico on another address works where somebody chose so, and is an accident of
    autodetection where nobody did: then the next restart may bring yet another one."""
    chosen = {method.family: method for method in methods(facts.snapshot)[0] if method.kind != FIRST_FOUND}
    for family in (IPV4, "ipv6"):
        odd = [
            entry
            for entry in _addresses(facts)
            if entry.family == family
            and not of_submariner(entry.address)
            and internal_addresses(entry.node, family)
            and entry.address not in internal_addresses(entry.node, family)
        ]
        if odd:
            method: Method | None = chosen.get(family)
            step, target = _fix(facts, family)
            meant = "Leave it where the other network is meant. Else: "
            yield Problem(
                subject=str(odd[0].node.ref),
                title=f"Calico uses {odd[0].value} on {odd[0].node.ref.name}"
                + (f" (and another address than the InternalIP on {len(odd) - 1} more nodes)" if len(odd) > 1 else ", which is not its InternalIP"),
                evidence=(
                    *(Evidence(*entry.seen._replace(note=f"InternalIP {', '.join(entry.node.internal_ips)}")) for entry in odd[:SHOWN]),
                    *((Evidence(*method.seen),) if method else ()),
                ),
                impact="Traffic between nodes takes another network than Submariner's own, with another MTU and other firewall rules.",
                remedy=by_hand(f"{meant}{step}.", target, disruptive=True) if method else _remedy(facts, family, before=meant),
                severity="info" if method else "",
            )


@check(
    "calico-tunnel-address-outside-pools",
    title="Calico's tunnel addresses lie in this cluster's own IPPools",
    severity="warning",
    needs=("nodes", "ip_pools"),
    references=("projectcalico/calico node/pkg/allocateip", "submariner pkg/cni/cni_iface.go"),
    tags=TAGS,
)
def tunnel_outside_pools(facts: Facts) -> t.Iterator[Problem]:
    """Submariner finds the CNI's interface by an address within the cluster's CIDR: on Calico that is the tunnel's.

    Only nodes with a tunnel address are judged; without encapsulation there is none.
    """
    _runs_calico(facts)
    if not any(not pool.disabled and not pool.is_submariner for pool in facts.snapshot.ip_pools.items):
        raise NotApplicable()
    odd = outside_pools(tunnel_addresses(facts.snapshot.nodes.items), facts.snapshot.ip_pools.items)
    if odd:
        yield Problem(
            subject=str(odd[0].node.ref),
            title=f"Calico's tunnel has {odd[0].value} on {odd[0].node.ref.name}, which no IPPool of this cluster holds"
            + (f" ({len(odd) - 1} more such addresses)" if len(odd) > 1 else ""),
            evidence=tuple(Evidence(*entry.seen) for entry in odd[:SHOWN]),
            impact="The route agent and the gateway of these nodes find no CNI interface: host networking to remote clusters and the health check fail there.",
            remedy=by_hand(
                "Restart calico-node on these nodes: it takes a new tunnel address from an enabled pool whose allowedUses hold Tunnel. Then restart "
                "Submariner's pods there.",
                disruptive=True,
            ),
        )


@check(
    "autodetection-picks-submariner",
    title="Calico will not take an address of Submariner's devices at its next restart",
    severity="warning",
    references=("projectcalico/calico#8185", "projectcalico/calico#11355", "submariner-io/submariner#1195", SOURCE),
    tags=TAGS,
)
def picks_submariner(facts: Facts) -> t.Iterator[Problem]:
    """The method by which calico-node finds its address, tried against the names and addresses of Submariner's devices: before a join as well, since
    that is when the change costs least."""
    _runs_calico(facts)
    found, unread_because = methods(facts.snapshot)
    if unread_because:
        raise CannotJudge(unread_because)
    driver = str(facts.snapshot.submariner.spec.get("cableDriver") or "") if facts.joined else ""
    remote = parse_cidrs([subnet for endpoint in facts.remote_endpoints for subnet in endpoint.subnets]).networks if facts.joined else ()
    canal = detect_install_method(facts.snapshot).method == CANAL
    already = any(of_submariner(entry.address) for entry in calico_addresses(facts.snapshot.nodes.items))
    for method in found:
        verdict: Verdict = evaluate(method, devices(driver), remote)
        if verdict.picks is None:
            yield Problem(subject=method.seen.object, title="Whether Calico would pick Submariner's devices", missing=verdict.why)
        elif verdict.picks:
            written = f"{method.kind}={method.argument}" if method.argument else method.kind
            yield Problem(
                subject=method.seen.object,
                title=f"Calico finds its address by {written}, which may take vx-submariner at the next restart of calico-node",
                evidence=(Evidence(*method.seen._replace(note="; ".join(filter(None, (method.seen.note, verdict.why))))),),
                impact=(
                    "canal routes with flannel, so little depends on Calico's address."
                    if canal
                    else "Minutes after the join or at the next reboot, calico-node takes 240.x for the node's address and turns not ready."
                ),
                remedy=_remedy(facts, method.family, after=" Best before the join."),
                severity="info" if canal else "",
                caused_by=f"{facts.snapshot.cluster}/{PICKED}" if already else "",
            )
