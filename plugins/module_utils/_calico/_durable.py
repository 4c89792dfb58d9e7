# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Where a change of Calico's configuration lasts, and where nothing may be changed.

Whoever renders an object undoes what is written into it alone: RKE2's helm-controller renders the Installation from chart values, Kubespray its DaemonSet
from the inventory, the operator its DaemonSet from the Installation.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _install_method as install
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import SETTLED_PHASES
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import leaves
from ansible_collections.fathom.submariner.plugins.module_utils._calico._owners import ACM, ARGO_CD, FLEET, FLUX, owners_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import etcd_datastore
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Installation, Origin, Ref, Snapshot

OVERLAY = "overlay"  # the Installation that the operator merges over the other one (tigera/operator pkg/controller/utils, GetInstallation)
CHART = "rke2-calico"
RELEASE_NAME = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
MIGRATING = "projectcalico.org/operator-node-migration"
OWNER_KIND = "objectset.rio.cattle.io/owner-gvk"
OWNER_NAME = "objectset.rio.cattle.io/owner-name"
OWNER_NAMESPACE = "objectset.rio.cattle.io/owner-namespace"

INSTALLATIONS = "/apis/operator.tigera.io/v1/installations"
HELM_CHART_CONFIGS = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs"
HELM_CHARTS = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts"

IBM_LEAST_MTU = 1450  # IBM Cloud docs, openshift: "Changing the Calico maximum transmission unit (MTU)"
_TOOLS = {ARGO_CD: "Argo CD", FLUX: "Flux", FLEET: "Fleet", ACM: "Advanced Cluster Management"}


class Method:
    """How Calico came to the cluster, as far as it decides who would undo a change."""

    RKE2 = install.OPERATOR_RKE2
    HELM = install.OPERATOR_HELM
    OPERATOR = install.OPERATOR
    KUBESPRAY = install.KUBESPRAY
    MANIFEST = install.MANIFEST
    MICROK8S = install.MICROK8S
    OPENSHIFT = "openshift"
    ROKS = "roks"


WITH_INSTALLATION = (Method.RKE2, Method.HELM, Method.OPERATOR, Method.OPENSHIFT, Method.ROKS)
WITH_DAEMON_SET = (Method.KUBESPRAY, Method.MANIFEST, Method.MICROK8S)


class Target(t.NamedTuple):
    """Where a field of Installation.spec lasts.

    :param method: a constant of Method.
    :param object: for people, such as ``HelmChartConfig kube-system/rke2-calico``; "" where nothing holds such fields.
    :param prefix: what the field's path begins with there, such as ``spec.valuesContent: installation.``.
    :param path: of that object at the API server; "" where it is none of the cluster's.
    """

    method: str
    object: str
    prefix: str
    path: str


def method_of(snapshot: Snapshot) -> str:
    """A constant of Method, or one of ``_install_method`` for what is not written to (canal, none, unknown)."""
    found = install.detect_install_method(snapshot)
    if found.platform == Method.ROKS and found.method in (Method.OPERATOR, Method.HELM):
        return Method.ROKS
    return Method.OPENSHIFT if found.platform == Method.OPENSHIFT and found.method == Method.OPERATOR else found.method


def installation_target(snapshot: Snapshot) -> Target:
    """Where fields of Installation.spec last on this cluster."""
    method = method_of(snapshot)
    own = base_installation(snapshot)
    if method == Method.RKE2:
        return Target(method, f"HelmChartConfig kube-system/{CHART}", "spec.valuesContent: installation.", f"{HELM_CHART_CONFIGS}/{CHART}")
    if method == Method.HELM and own is not None:
        return Target(method, f"values of Helm release {release_of(own)}", "installation.", "")
    if method in WITH_INSTALLATION and own is not None:
        return Target(method, str(own.ref), "spec.", f"{INSTALLATIONS}/{own.ref.name}")
    return Target(method, "", "", "")


def base_installation(snapshot: Snapshot) -> Installation | None:
    """The Installation that is not the overlay."""
    return next((entry for entry in snapshot.installations.items if entry.ref.name != OVERLAY), None)


def release_of(installation: Installation) -> str:
    """``NAME`` or ``NAMESPACE/NAME`` of the Helm release that an Installation belongs to."""
    namespace, name = installation.annotations.get(RELEASE_NAMESPACE, ""), installation.annotations.get(RELEASE_NAME, "")
    return f"{namespace}/{name}" if namespace else name


def why_not(snapshot: Snapshot) -> str:
    """Why nothing of Calico may be written on this cluster, as a whole sentence; "" where it may."""
    for answer, what in ((snapshot.nodes, "the Nodes"), (snapshot.datastore_migrations, "the DatastoreMigrations")):
        if not answer.known:
            return f"Whether a migration of Calico is under way is unknown, since {what} could not be read: {install.unread(answer)}."
    moving = [node.ref.name for node in snapshot.nodes.items if node.labels.get(MIGRATING, "migrated") != "migrated"]
    if moving:
        return f"The migration from Calico's manifests to its operator is under way (label {MIGRATING} on {', '.join(moving[:5])}). Wait until it ends."
    migration = next((entry for entry in snapshot.datastore_migrations.items if entry.phase not in SETTLED_PHASES), None)
    if migration is not None:
        return f"{migration.ref} is in phase {migration.phase or 'Pending'}: nothing of Calico may be changed before it is Complete."
    found = install.detect_install_method(snapshot)
    if found.method == install.NONE:
        return "Calico is not installed here: there is neither an Installation nor a DaemonSet calico-node."
    if found.method == install.UNKNOWN:
        reason = "; ".join((*found.missing, *found.evidence)) or "nothing tells"
        right = f" These credentials need the right to list {', '.join(found.unlisted)}." if found.unlisted else ""
        return f"How Calico was installed is unknown, and so is where a change would last: {reason}.{right}"
    if found.method == install.CANAL:
        return "canal runs here, not Calico alone: flannel routes the pods, and Calico's own settings do not decide about it. Change canal's manifest or chart."
    etcd = etcd_datastore(snapshot)
    if etcd is not None:
        return f"Calico keeps its objects in etcd ({etcd.object}, {etcd.field} {etcd.value or etcd.note}), out of the Kubernetes API's reach. Use calicoctl."
    if found.missing:
        unread = "; ".join(f"{resource} {reason}" for resource, reason in zip(found.unlisted, found.missing))
        return (
            f"Calico seems to have been installed by {found.method}, but what could tell otherwise, and so who would undo a change, was not read: "
            f"{unread}. These credentials need the right to list {', '.join(found.unlisted)}, and the API server must answer."
        )
    return ""


def outside_ibm(fragment: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Which fields of a fragment of Installation.spec IBM does not let its users set: all but ``hostPorts: Disabled`` and an MTU of 1450 and more.

    Others are unsupported, and may be put back by IBM's master (IBM Cloud docs, openshift: Calico limitations).
    """
    network = fragment.get("calicoNetwork") or {}
    allowed = set()
    if isinstance(network.get("mtu"), int) and network["mtu"] >= IBM_LEAST_MTU:
        allowed.add("calicoNetwork.mtu")
    if network.get("hostPorts") == "Disabled":
        allowed.add("calicoNetwork.hostPorts")
    return tuple(path for path in leaves(fragment) if path not in allowed)


def other_owners(ref: Ref, origin: Origin) -> tuple[str, ...]:
    """Who keeps an object in git and would put it back, in words."""
    found = []
    for entry in owners_of(ref, origin):
        if entry.owner in _TOOLS:
            found.append(_TOOLS[entry.owner] + (f" ({entry.name})" if entry.name else ""))
    return tuple(dict.fromkeys(found))


def overlaid(fragment: t.Mapping[str, t.Any], overlay: t.Mapping[str, t.Any], replace: t.Collection[str] = (), path: str = "") -> dict[str, t.Any]:
    """The part of a fragment about which something that outranks its target decides: what that names itself.

    :param replace: dotted paths whose value counts as one.
    """
    found: dict[str, t.Any] = {}
    for key, value in fragment.items():
        own = f"{path}.{key}" if path else str(key)
        if key not in overlay:
            continue
        if isinstance(value, t.Mapping) and isinstance(overlay[key], dict) and own not in replace:
            inner = overlaid(value, overlay[key], replace, own)
            if inner:
                found[key] = inner
        else:
            found[key] = value
    return found
