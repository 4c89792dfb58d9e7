# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies as records, for the tests of their evaluation."""

from __future__ import annotations

import ipaddress

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_evaluation import Policies
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS, TCP, Entity, Flow, pod_entity
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_rules import NetworkSets
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import CalicoPolicy, HostEndpoint, NetworkPolicy, NetworkSet, Ref, Tier

REMOTE = ipaddress.ip_network("10.42.0.0/16")
LOCAL = ipaddress.ip_network("10.46.0.0/16")
OUTSIDE = Entity((REMOTE,))
SHOP = pod_entity("shop", (LOCAL,), Labels({"team": "a", "projectcalico.org/name": "shop"}))


def gnp(name, *, ingress=None, egress=None, tier="default", order=None, selector="all()", types=(), **fields):
    listed = types or tuple(kind for kind, rules in ((INGRESS, ingress), (EGRESS, egress)) if rules is not None)
    ref = Ref(fields.pop("kind", "GlobalNetworkPolicy"), name, fields.pop("namespace", ""))
    return CalicoPolicy(ref, "projectcalico.org/v3", tier, order, selector, listed, tuple(ingress or ()), tuple(egress or ()), **fields)


def np(name, namespace="shop", **fields):
    return gnp(name, kind="NetworkPolicy", namespace=namespace, **fields)


def knp(name, namespace="shop", *, pod_selector=None, types=("Ingress",), ingress=(), egress=()):
    return NetworkPolicy(Ref("NetworkPolicy", name, namespace), pod_selector or {}, tuple(types), tuple(ingress), tuple(egress))


def tier(name, order, default_action="Deny"):
    return Tier(Ref("Tier", name), order, default_action)


def network_set(name, *nets, namespace="", **labels):
    return NetworkSet(Ref("NetworkSet" if namespace else "GlobalNetworkSet", name, namespace), nets, labels)


def host_endpoint(node="node-1", *, interface="*", ips=(), profiles=(), **labels):
    return HostEndpoint(Ref("HostEndpoint", f"{node}-hep"), node, interface, tuple(ips), tuple(profiles), labels)


def rules(*policies, tiers=(), sets=(), missing=""):
    return Policies(tuple(policies), tuple(tiers), NetworkSets(tuple(sets), missing))


def into(pod=SHOP, source=OUTSIDE, protocol=TCP, port=None):
    return Flow(INGRESS, source, pod, protocol, port)


def out_of(pod=SHOP, destination=OUTSIDE, protocol=TCP, port=None):
    return Flow(EGRESS, pod, destination, protocol, port)
