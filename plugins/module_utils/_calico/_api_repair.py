# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The exact step that brings a dead Calico API server back, for each cause and method of installation."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_request import ApiRequest
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _dead_api as dead
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_secret import SIGNER, names
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import (
    KUBESPRAY,
    OPERATOR,
    OPERATOR_HELM,
    OPERATOR_RKE2,
)

_OPERATORS = (OPERATOR, OPERATOR_HELM, OPERATOR_RKE2)
_CERTIFICATES = (dead.WRONG_NAME, dead.EXPIRED, dead.UNTRUSTED, dead.NO_SECRET)


class Repair(t.NamedTuple):
    text: str
    target: str


def repair(cause: dead.DeadCause, request: ApiRequest, calico_version: str) -> Repair:
    """What to do about one cause. Where nothing repairs it at once, removing the APIService at least ends the harm to the whole cluster."""
    if request.first_rollout:
        return Repair(f"{request.enable}.", request.target)
    if cause.cause in _CERTIFICATES:
        return _certificate(cause, request, calico_version)
    if cause.cause == dead.SERVICE_GONE:
        wanted = f"or, if it is wanted, install it again: {request.enable}"
        return Repair(f"Delete the left-over APIService v3.projectcalico.org (kubectl delete apiservice v3.projectcalico.org), {wanted}.", request.target)
    if cause.cause == dead.UNREACHABLE:
        open_port = (
            "Open TCP 5443 from the control plane's nodes to the nodes and pods of calico-apiserver (security group, firewall, NetworkPolicy of namespace "
            f"{cause.namespace})"
        )
        host = "; with the operator, APIServer spec.apiServerDeployment may put it on the host network" if request.method.method in _OPERATORS else ""
        return Repair(f"{open_port}{host}.", f"the network to {cause.namespace}/calico-apiserver")
    step = {
        dead.PORT: f"Delete Service {cause.namespace}/calico-api so that the operator makes it again, or apply it again with port 443",
        dead.IMAGE: "Bring the image calico-apiserver of the running release into the registry that the nodes pull from (RKE2: mirrored-calico-apiserver)",
        dead.CRASH: f"Read the log of the pods with label k8s-app=calico-apiserver in {cause.namespace}",
        dead.UNSCHEDULED: "Give the scheduler a node for it: taints, selectors and resources are in the pod's condition PodScheduled",
        dead.NO_PODS: f"Scale Deployment {cause.namespace}/calico-apiserver up, or ask for it again: {request.enable}",
        dead.NOT_READY: f"Read the log and the readiness events of the pods with label k8s-app=calico-apiserver in {cause.namespace}",
    }.get(cause.cause, f"Read the condition of APIService v3.projectcalico.org and the log of the pods in {cause.namespace}")
    harm = "Until it works, deleting the APIService ends the harm to namespaces and garbage collection."
    return Repair(f"{step}. {harm}", f"Deployment {cause.namespace}/calico-apiserver")


def _certificate(cause: dead.DeadCause, request: ApiRequest, calico_version: str) -> Repair:
    secret = f"Secret {cause.namespace}/{dead.CERTIFICATE}"
    if request.method.method in _OPERATORS:
        fixed = at_least(calico_version, 3, 31, 5)
        upgrade = (
            " The operator of Calico 3.31.0 to 3.31.4 kept the certificate of the old namespace calico-apiserver; 3.31.5 and newer do not."
            if cause.cause == dead.WRONG_NAME and not fixed
            else ""
        )
        own = f"Secret tigera-operator/{dead.CERTIFICATE}"
        text = (
            f"Look who issued the certificate in {own} (tls.crt; openssl x509 -noout -issuer). Where it is {SIGNER}, or there is none, delete that Secret and "
            f"{secret}: the operator issues both again, then restart Deployment {cause.namespace}/calico-apiserver. Any other one is your own, which the "
            f"operator does not renew: put one that is valid for {', '.join(names(cause.namespace))} with its key into tls.crt and tls.key there.{upgrade}"
        )
        return Repair(text, own)
    if request.method.method == KUBESPRAY:
        text = f"Delete {secret} and run ansible-playbook cluster.yml --tags network: the role signs a new certificate and writes the APIService's caBundle."
        return Repair(text, secret)
    verb = "Create" if cause.cause == dead.NO_SECRET else "Replace"
    text = (
        f"{verb} {secret} with apiserver.key and apiserver.crt for calico-api.{cause.namespace}.svc, put that certificate into spec.caBundle of APIService "
        f"v3.projectcalico.org, and restart Deployment {cause.namespace}/calico-apiserver: it does not read a new certificate by itself."
    )
    return Repair(text, secret)
