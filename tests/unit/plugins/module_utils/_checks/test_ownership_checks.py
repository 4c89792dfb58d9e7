# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who would undo a repair: every owner recognised by what it leaves on an object, and the checks that name it."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _owners as owners
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    DaemonSet,
    FelixConfiguration,
    HelmChartConfig,
    Manager,
    Origin,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, local_pool, ok, pool, submariner
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_pass, expect_unknown

REF = Ref("Submariner", "submariner", "submariner-operator")


def written_by(name, *fields):
    return Origin(managers=(Manager(name, "Update", "2026-01-01T00:00:00Z", "", fields),))


class TestOwnersOf:
    @pytest.mark.parametrize(
        ("origin", "owner", "name"),
        [
            (Origin(annotations={"argocd.argoproj.io/tracking-id": "net:submariner.io/Submariner:a/b"}), owners.ARGO_CD, "net:submariner.io/Submariner:a/b"),
            (Origin(labels={"argocd.argoproj.io/instance": "net"}), owners.ARGO_CD, "net"),
            (written_by("argocd-controller", "spec.clusterCIDR"), owners.ARGO_CD, ""),
            (Origin(labels={"kustomize.toolkit.fluxcd.io/name": "net"}), owners.FLUX, "net"),
            (Origin(labels={"helm.toolkit.fluxcd.io/name": "net"}), owners.FLUX, "net"),
            (written_by("kustomize-controller"), owners.FLUX, ""),
            (Origin(labels={"fleet.cattle.io/bundle-id": "net"}), owners.FLEET, "net"),
            (written_by("work-agent"), owners.ACM, ""),
            (Origin(owners=("AppliedManifestWork/abc-addon-submariner-deploy",)), owners.ACM, "abc-addon-submariner-deploy"),
            (Origin(annotations={"meta.helm.sh/release-name": "submariner"}), owners.HELM, "submariner"),
            (Origin(annotations={"meta.helm.sh/release-name": "rke2-calico"}), owners.HELM_CONTROLLER, "rke2-calico"),
            (Origin(labels={"app.kubernetes.io/managed-by": "tigera-operator"}), owners.TIGERA, ""),
            (Origin(owners=("Installation/default",)), owners.TIGERA, ""),
            (
                Origin(
                    annotations={
                        "objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon",
                        "objectset.rio.cattle.io/owner-name": "rke2-calico-config",
                    }
                ),
                owners.MANIFEST_FILE,
                "rke2-calico-config",
            ),
        ],
    )
    def test_by_its_mark(self, origin, owner, name):
        found = list(owners.owners_of(REF, origin))
        assert [(entry.owner, entry.name) for entry in found] == [(owner, name)]
        assert found[0].seen.object == str(REF)
        assert found[0].seen.value

    @pytest.mark.parametrize(
        "origin",
        [
            Origin(),
            written_by("kubectl-edit"),
            written_by("submariner-operator"),
            Origin(labels={"app.kubernetes.io/managed-by": "Helm"}),
            Origin(annotations={"objectset.rio.cattle.io/owner-gvk": "fleet.cattle.io/v1alpha1, Kind=Bundle"}),
        ],
    )
    def test_nobody(self, origin):
        assert list(owners.owners_of(REF, origin)) == []

    def test_two_at_once(self):
        managers = written_by("argocd-controller").managers
        both = Origin(labels={"argocd.argoproj.io/instance": "net"}, annotations={"meta.helm.sh/release-name": "calico"}, managers=managers)
        assert [entry.owner for entry in owners.owners_of(REF, both)] == [owners.ARGO_CD, owners.HELM]


def with_submariner(origin):
    return cluster(joined=submariner("cluster-1")._replace(origin=origin))


FAILING = {
    "owner-helm-controller": (cluster(**methods.rke2()), "HelmChartConfig kube-system/rke2-calico"),
    "owner-manifest-file": (
        cluster(
            helm_chart_configs=ok(
                HelmChartConfig(
                    Ref("HelmChartConfig", "rke2-calico", "kube-system"),
                    {},
                    origin=Origin(
                        annotations={
                            "objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon",
                            "objectset.rio.cattle.io/owner-name": "rke2-calico-config",
                        }
                    ),
                )
            )
        ),
        "file rke2-calico-config in server/manifests of every server",
    ),
    "owner-helm-release": (with_submariner(Origin(annotations={"meta.helm.sh/release-name": "submariner"})), "values of Helm release submariner"),
    "owner-tigera-operator": (
        cluster(daemon_sets=ok(DaemonSet(Ref("DaemonSet", "calico-node", "calico-system"), {}, (), 1, 1, origin=Origin(owners=("Installation/default",))))),
        "Installation default",
    ),
    "owner-kubespray": (
        cluster(**methods.kubespray(felix_configurations=ok(FelixConfiguration(Ref("FelixConfiguration", "default"), "v3", {})))),
        "Kubespray's inventory",
    ),
    "owner-gitops": (with_submariner(written_by("argocd-controller", "spec.clusterCIDR")), "the repository behind Argo CD "),
    "owner-acm": (with_submariner(written_by("work-agent")), "SubmarinerConfig on the hub"),
    "owner-ibm": (cluster(**methods.roks()), "IBM's support"),
}
NEEDED = {
    "owner-helm-controller": "installations",
    "owner-manifest-file": "helm_chart_configs",
    "owner-helm-release": "installations",
    "owner-tigera-operator": "ip_pools",
    "owner-kubespray": "config_maps",
    "owner-gitops": "submariners",
    "owner-acm": "submariners",
    "owner-ibm": "nodes",
}


class TestChecks:
    @pytest.mark.parametrize("check_id", FAILING)
    def test_fails(self, check_id):
        snapshot, target = FAILING[check_id]
        finding = expect_fail(snapshot, check_id)
        assert (finding.severity, finding.remedy.target) == ("info", target)
        assert finding.remedy.text

    @pytest.mark.parametrize("check_id", FAILING)
    def test_passes(self, check_id):
        expect_pass(cluster(), check_id)

    @pytest.mark.parametrize(("check_id", "needed"), NEEDED.items())
    def test_unknown(self, check_id, needed):
        expect_unknown(cluster(**{needed: answer(FORBIDDEN)}), check_id)

    def test_pools_of_the_operator(self):
        owned = pool("default-ipv4-ippool", "10.46.0.0/16", disabled=False, origin=Origin(labels={"app.kubernetes.io/managed-by": "tigera-operator"}))
        assert "IPPool default-ipv4-ippool" in expect_fail(cluster(ip_pools=ok(owned)), "owner-tigera-operator").title

    def test_kubespray_names_what_it_applies(self):
        own = local_pool("10.46.0.0/16")._replace(ref=Ref("IPPool", "default-pool"))
        finding = expect_fail(cluster(**methods.kubespray(ip_pools=ok(own))), "owner-kubespray")
        applied = ["DaemonSet kube-system/calico-node", "ConfigMap kube-system/calico-config", "IPPool default-pool"]
        assert [entry.object for entry in finding.evidence] == applied
