# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a change of Calico's configuration lasts, and where nothing may be changed."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import refuse_unknown
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import (
    Method,
    installation_target,
    method_of,
    other_owners,
    outside_ibm,
    overlaid,
    why_not,
)
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    TIMED_OUT,
    DatastoreMigration,
    Manager,
    Origin,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, not_served, ok


@pytest.mark.parametrize(
    ("changes", "method", "target"),
    [
        (methods.rke2(), Method.RKE2, "HelmChartConfig kube-system/rke2-calico"),
        (methods.helm(), Method.HELM, "values of Helm release calico"),
        (methods.operator(), Method.OPERATOR, "Installation default"),
        (methods.roks(), Method.ROKS, "Installation default"),
        (methods.kubespray(), Method.KUBESPRAY, ""),
        (methods.manifest(), Method.MANIFEST, ""),
        (methods.microk8s(), Method.MICROK8S, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_method_and_target(changes, method, target):
    snapshot = cluster(**changes)
    assert (method_of(snapshot), installation_target(snapshot).object) == (method, target)
    assert why_not(snapshot) == ""


def test_openshift_of_its_owners():
    node = methods.plain_node(kubelet="v1.28.14")
    assert method_of(cluster(**methods.roks(nodes=ok(node)))) == Method.OPENSHIFT


def test_the_overlay_is_not_the_target():
    overlay = methods.installation()._replace(ref=Ref("Installation", "overlay"))
    snapshot = cluster(**methods.operator(installations=ok(overlay, methods.installation())))
    assert installation_target(snapshot).path == "/apis/operator.tigera.io/v1/installations/default"


def migration(phase):
    return ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), phase))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (methods.canal(), "flannel routes the pods"),
        (methods.without_operator(cluster_informations=not_served()), "Calico is not installed here"),
        (methods.without_operator(methods.calico_node(namespace="elsewhere")), "How Calico was installed is unknown"),
        ({**methods.manifest(), "daemon_sets": answer(FORBIDDEN)}, "How Calico was installed is unknown"),
        (methods.without_operator(methods.calico_node(DATASTORE_TYPE="etcdv3")), "in etcd"),
        (methods.operator(nodes=answer(FORBIDDEN)), "the Nodes could not be read"),
        (methods.operator(datastore_migrations=answer(FORBIDDEN)), "the DatastoreMigrations could not be read"),
        (methods.operator(datastore_migrations=migration("Migrating")), "is in phase Migrating"),
        (methods.operator(datastore_migrations=migration("")), "is in phase Pending"),
        (methods.operator(nodes=ok(methods.plain_node(labels={"projectcalico.org/operator-node-migration": "migrating"}))), "is under way"),
    ],
)
def test_why_not(changes, reason):
    assert reason in why_not(cluster(**changes))


@pytest.mark.parametrize(
    ("changes", "method", "right"),
    [
        (methods.rke2(helm_charts=answer(TIMED_OUT)), Method.HELM, "helmcharts.helm.cattle.io"),
        (methods.roks(openshift_networks=answer(FORBIDDEN)), Method.OPERATOR, "networks.config.openshift.io"),
        (methods.manifest(config_maps=answer(FORBIDDEN)), Method.MANIFEST, "configmaps"),
    ],
)
def test_an_answer_that_is_missing_does_not_choose_the_owner(changes, method, right):
    snapshot = cluster(**changes)
    assert method_of(snapshot) == method, "a diagnosis still has one"
    assert f"need the right to list {right}, and the API server must answer." in why_not(snapshot)
    with pytest.raises(RefusedError, match=f"{right}.*Nothing was written"):
        refuse_unknown(snapshot)


def test_migrations_that_are_over_hinder_nothing():
    done = methods.plain_node(labels={"projectcalico.org/operator-node-migration": "migrated"})
    assert why_not(cluster(**methods.operator(nodes=ok(done), datastore_migrations=migration("Complete")))) == ""
    assert why_not(cluster(**methods.operator(datastore_migrations=not_served()))) == ""


@pytest.mark.parametrize(
    ("fragment", "outside"),
    [
        ({"calicoNetwork": {"mtu": 1450, "hostPorts": "Disabled"}}, ()),
        ({"calicoNetwork": {"mtu": 1449}}, ("calicoNetwork.mtu",)),
        ({"calicoNetwork": {"mtu": "1480"}}, ("calicoNetwork.mtu",)),
        ({"calicoNetwork": {"mtu": None}}, ("calicoNetwork.mtu",)),
        ({"calicoNetwork": {"hostPorts": "Enabled", "mtu": 1480}}, ("calicoNetwork.hostPorts",)),
        ({"registry": "x"}, ("registry",)),
    ],
)
def test_what_ibm_supports(fragment, outside):
    assert outside_ibm(fragment) == outside


def test_overlaid_is_what_the_overlay_names_itself():
    fragment = {"calicoNetwork": {"mtu": 1400, "node": {"kubernetes": "NodeInternalIP"}}, "registry": "x"}
    assert overlaid(fragment, {}) == {}
    assert overlaid(fragment, {"calicoNetwork": {"mtu": 9000}}) == {"calicoNetwork": {"mtu": 1400}}
    assert overlaid(fragment, {"calicoNetwork": {"node": {"firstFound": True}}}) == {}
    assert overlaid(fragment, {"calicoNetwork": {"node": {"firstFound": True}}}, ("calicoNetwork.node",)) == {
        "calicoNetwork": {"node": {"kubernetes": "NodeInternalIP"}}
    }
    assert overlaid(fragment, {"calicoNetwork": "odd"}) == {"calicoNetwork": fragment["calicoNetwork"]}


def test_owners_in_git():
    argo = Origin(annotations={"argocd.argoproj.io/tracking-id": "network:x"}, managers=(Manager("argocd-controller", "Apply", ""),))
    assert other_owners(Ref("Installation", "default"), argo) == ("Argo CD (network:x)",)
    assert other_owners(Ref("Installation", "default"), Origin(annotations={"meta.helm.sh/release-name": "calico"})) == ()
