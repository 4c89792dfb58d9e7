# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who looks after an object, and would undo a change to it that they do not know of: read from what they leave on it."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import KUBESPRAY, OPERATOR_RKE2, config_map, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Origin, Ref, Snapshot

ACM = "acm"
ARGO_CD = "argo-cd"
FLUX = "flux"
FLEET = "fleet"
HELM_CONTROLLER = "helm-controller"
HELM = "helm"
IBM = "ibm"
KUBESPRAY_RUN = "kubespray"
MANIFEST_FILE = "manifest-file"
TIGERA = "tigera-operator"

_MANAGED_BY = "app.kubernetes.io/managed-by"
_RELEASE = "meta.helm.sh/release-name"
_ADDON = "objectset.rio.cattle.io/owner-gvk"  # k3s pkg/deploy: the Addon of a file in server/manifests
_ACM_MANAGERS = ("submariner-addon", "work-agent", "klusterlet-work-agent")
_GITOPS_MANAGERS = {"argocd-controller": ARGO_CD, "argocd-application-controller": ARGO_CD, "kustomize-controller": FLUX, "fleetagent": FLEET}
_GITOPS_KEYS = {
    "argocd.argoproj.io/tracking-id": ARGO_CD,
    "argocd.argoproj.io/instance": ARGO_CD,
    "kustomize.toolkit.fluxcd.io/name": FLUX,
    "helm.toolkit.fluxcd.io/name": FLUX,
    "fleet.cattle.io/bundle-id": FLEET,
}


class Owned(t.NamedTuple):
    """One object and one of those who look after it.

    :param owner: one of the constants of this module.
    :param name: the owner's own name for it (a release, an application), "" where it has none.
    """

    ref: Ref
    owner: str
    name: str
    seen: Seen


def owned(snapshot: Snapshot) -> tuple[Owned, ...]:
    """Every object that a repair touches, with everyone who looks after it; in the order of objects that people know best."""
    found: list[Owned] = []
    for ref, origin in _objects(snapshot):
        found.extend(owners_of(ref, origin))
    found.extend(_by_installation_method(snapshot, {entry.ref for entry in found if entry.owner == HELM_CONTROLLER}))
    return tuple(found)


def _objects(snapshot: Snapshot) -> t.Iterator[tuple[Ref, Origin]]:
    for answer in (
        snapshot.submariners,
        snapshot.installations,
        snapshot.operator_api_servers,
        snapshot.helm_chart_configs,
        snapshot.ip_pools,
        snapshot.felix_configurations,
    ):
        for item in answer.items:
            yield item.ref, item.origin
    daemon_set = calico_node(snapshot)
    if daemon_set is not None:
        yield daemon_set.ref, daemon_set.origin
    config = config_map(snapshot, "calico-config")
    if config is not None:
        yield config.ref, config.origin


def owners_of(ref: Ref, origin: Origin) -> t.Iterator[Owned]:
    """Those who left their mark on one object: labels, annotations, owners, or the managers of its fields."""
    keys = {**{key: ("labels", value) for key, value in origin.labels.items()}, **{key: ("annotations", value) for key, value in origin.annotations.items()}}
    managers = {entry.name: entry for entry in origin.managers}
    yield from _gitops(ref, keys, managers)
    if _RELEASE in keys:
        part, release = keys[_RELEASE]
        owner = HELM_CONTROLLER if release == "rke2-calico" else HELM
        yield Owned(ref, owner, release, Seen(str(ref), f"metadata.{part}[{_RELEASE}]", release))
    if keys.get(_ADDON, ("", ""))[1].endswith("Kind=Addon"):
        part, kind = keys[_ADDON]
        name = keys.get("objectset.rio.cattle.io/owner-name", ("", ""))[1]
        yield Owned(ref, MANIFEST_FILE, name, Seen(str(ref), f"metadata.{part}[{_ADDON}]", kind, name))
    acm = next((name for name in _ACM_MANAGERS if name in managers), "")
    work = next((owner for owner in origin.owners if owner.startswith("AppliedManifestWork/")), "")
    if acm or work:
        field = "metadata.managedFields[].manager" if acm else "metadata.ownerReferences"
        yield Owned(ref, ACM, work.partition("/")[2], Seen(str(ref), field, acm or work, managers[acm].time if acm else ""))
    tigera = next((owner for owner in origin.owners if owner.partition("/")[0] in ("Installation", "APIServer", "TigeraStatus")), "")
    if keys.get(_MANAGED_BY, ("", ""))[1] == TIGERA or tigera:
        field = "metadata.ownerReferences" if tigera else f"metadata.labels[{_MANAGED_BY}]"
        yield Owned(ref, TIGERA, "", Seen(str(ref), field, tigera or TIGERA))


def _gitops(ref: Ref, keys: t.Mapping[str, tuple[str, str]], managers: t.Mapping[str, t.Any]) -> t.Iterator[Owned]:
    told = set()
    for key, owner in _GITOPS_KEYS.items():
        if key in keys and owner not in told:
            part, value = keys[key]
            told.add(owner)
            yield Owned(ref, owner, value, Seen(str(ref), f"metadata.{part}[{key}]", value))
    for manager, owner in _GITOPS_MANAGERS.items():
        if manager in managers and owner not in told:
            told.add(owner)
            fields = ", ".join(managers[manager].fields[:3])
            yield Owned(ref, owner, "", Seen(str(ref), "metadata.managedFields[].manager", manager, f"{managers[manager].time} {fields}".strip()))


def _by_installation_method(snapshot: Snapshot, already: t.Collection[Ref]) -> t.Iterator[Owned]:
    """Owners that leave no mark on the objects themselves."""
    method = detect_install_method(snapshot)
    installation = next(iter(snapshot.installations.items), None)
    if method.platform == "roks" and installation is not None:
        yield Owned(installation.ref, IBM, "", Seen(str(installation.ref), "platform", "roks", "; ".join(method.evidence)))
    release = installation.annotations.get(_RELEASE, "") if installation else ""
    if method.method == OPERATOR_RKE2 and installation is not None and installation.ref not in already and release:
        yield Owned(installation.ref, HELM_CONTROLLER, release, Seen(str(installation.ref), f"metadata.annotations[{_RELEASE}]", release))
    if method.method == KUBESPRAY:
        refs = [item.ref for item in (calico_node(snapshot), config_map(snapshot, "calico-config")) if item is not None]
        refs += [pool.ref for pool in snapshot.ip_pools.items if pool.ref.name.startswith("default-pool")]
        refs += [entry.ref for entry in snapshot.felix_configurations.items if entry.ref.name == "default"]
        for ref in refs:
            yield Owned(ref, KUBESPRAY_RUN, "", Seen(str(ref), "", "applied by Kubespray", "; ".join(method.evidence)))
