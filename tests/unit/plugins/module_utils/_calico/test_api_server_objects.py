# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the Calico API server: complete, of one piece, and with no more rights than a release needs."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects

OLD = objects.Release((3, 26, 4), (1, 27), "registry.example/calico/apiserver:v3.26.4")
NEW = objects.Release((3, 32, 1), (1, 34), "quay.io/calico/apiserver:v3.32.1", pull_secrets=("mirror",))
RELEASES = [OLD, OLD._replace(calico=(3, 27, 5)), OLD._replace(calico=(3, 28, 0)), OLD._replace(calico=(3, 29, 7)), NEW]


def everything(release):
    secret = objects.secret(release.namespace, {"apiserver.crt": "YQ==", "apiserver.key": "Yg=="})
    return [*objects.supporting_objects(release), secret, objects.deployment(release)]


def of_kind(release, kind):
    return {body["metadata"]["name"]: body for body in everything(release) if body["kind"] == kind}


def container(release):
    return objects.deployment(release)["spec"]["template"]["spec"]["containers"][0]


def rights(release):
    return {
        (group, resource, verb)
        for role in of_kind(release, "ClusterRole").values()
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: str(release.calico))
class TestEveryRelease:
    def test_names_are_those_of_calicos_own_manifest(self, release):
        assert sorted((body["kind"], body["metadata"]["name"]) for body in everything(release)) == [
            ("ClusterRole", "calico-crds"),
            ("ClusterRole", "calico-extension-apiserver-auth-access"),
            ("ClusterRole", "calico-webhook-reader"),
            ("ClusterRoleBinding", "calico-apiserver-access-crds"),
            ("ClusterRoleBinding", "calico-apiserver-delegate-auth"),
            ("ClusterRoleBinding", "calico-apiserver-webhook-reader"),
            ("ClusterRoleBinding", "calico-extension-apiserver-auth-access"),
            ("Deployment", "calico-apiserver"),
            ("Namespace", "calico-apiserver"),
            ("NetworkPolicy", "allow-apiserver"),
            ("Secret", "calico-apiserver-certs"),
            ("Service", "calico-api"),
            ("ServiceAccount", "calico-apiserver"),
        ]

    def test_every_object_is_marked_as_made_here_and_has_a_path(self, release):
        for body in everything(release):
            assert objects.made_here(body)
            assert objects.path_of(body).startswith(("/api/v1/", "/apis/"))
            assert objects.path_of(body).endswith(f"/{body['metadata']['name']}")

    def test_what_refers_to_something_refers_to_what_is_there(self, release):
        pod = objects.deployment(release)["spec"]["template"]
        selector = objects.deployment(release)["spec"]["selector"]["matchLabels"]
        for chosen in (selector, of_kind(release, "Service")["calico-api"]["spec"]["selector"]):
            assert chosen.items() <= pod["metadata"]["labels"].items()
        policy = of_kind(release, "NetworkPolicy")["allow-apiserver"]["spec"]
        assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        port = of_kind(release, "Service")["calico-api"]["spec"]["ports"][0]["targetPort"]
        assert port == policy["ingress"][0]["ports"][0]["port"] == 5443
        assert f"--secure-port={port}" in container(release)["args"]
        assert pod["spec"]["volumes"][0]["secret"]["secretName"] in of_kind(release, "Secret")
        assert container(release)["volumeMounts"][0]["name"] == pod["spec"]["volumes"][0]["name"]
        assert pod["spec"]["serviceAccountName"] in of_kind(release, "ServiceAccount")
        for binding in of_kind(release, "ClusterRoleBinding").values():
            role = binding["roleRef"]["name"]
            assert role in of_kind(release, "ClusterRole") or role == "system:auth-delegator"
            assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "calico-apiserver", "namespace": "calico-apiserver"}]

    def test_no_right_is_a_wildcard_and_only_calicos_storage_may_be_written(self, release):
        granted = rights(release)
        assert not any("*" in part for right in granted for part in right)
        assert {group for group, dummy, verb in granted if verb not in ("get", "list", "watch")} == {"crd.projectcalico.org"}
        assert not {resource for dummy, resource, dummy2 in granted} & {"secrets", "podsecuritypolicies"}
        configuration = [rule for role in of_kind(release, "ClusterRole").values() for rule in role["rules"] if "configmaps" in rule["resources"]]
        assert [rule["resourceNames"] for rule in configuration] == [["extension-apiserver-authentication"]]

    def test_the_container_has_no_privilege(self, release):
        context = container(release)["securityContext"]
        assert (context["privileged"], context["allowPrivilegeEscalation"], context["capabilities"]) == (False, False, {"drop": ["ALL"]})

    def test_another_namespace_moves_everything_that_is_in_one(self, release):
        moved = everything(release._replace(namespace="calico-system"))
        assert {body["metadata"].get("namespace") for body in moved} == {None, "calico-system"}
        assert "calico-apiserver" not in {subject["namespace"] for body in moved for subject in body.get("subjects", [])}


@pytest.mark.parametrize(
    ("calico", "resources"),
    [
        ((3, 25, 2), set()),
        ((3, 26, 0), {"bgpfilters"}),
        ((3, 29, 0), {"bgpfilters", "tiers"}),
        ((3, 30, 0), {"bgpfilters", "tiers", "stagednetworkpolicies", "stagedglobalnetworkpolicies", "stagedkubernetesnetworkpolicies"}),
    ],
)
def test_rights_on_what_a_release_stores_and_nothing_else(calico, resources):
    stored = {resource for group, resource, dummy in rights(OLD._replace(calico=calico)) if group == "crd.projectcalico.org"}
    later = {"bgpfilters", "tiers", "stagednetworkpolicies", "stagedglobalnetworkpolicies", "stagedkubernetesnetworkpolicies"}
    assert stored & later == resources
    assert {"ippools", "ipamblocks", "felixconfigurations", "clusterinformations"} <= stored


def test_admission_policies_may_be_watched_where_they_are():
    assert ("admissionregistration.k8s.io", "validatingadmissionpolicies", "watch") in rights(NEW)
    assert not any("validatingadmissionpolicies" in right for right in rights(OLD))


@pytest.mark.parametrize(
    ("calico", "kubernetes", "switched_off"),
    [((3, 29, 2), (1, 29), True), ((3, 32, 1), (1, 28), True), ((3, 29, 2), (1, 30), False), ((3, 29, 1), (1, 29), False), ((3, 26, 4), (1, 27), False)],
)
def test_admission_policies_are_switched_off_where_kubernetes_does_not_serve_them(calico, kubernetes, switched_off):
    args = container(OLD._replace(calico=calico, kubernetes=kubernetes))["args"]
    assert ("--enable-validating-admission-policy=false" in args) == switched_off


def test_probes_are_those_that_the_image_has():
    assert container(OLD)["readinessProbe"]["exec"] == {"command": ["/code/filecheck"]}
    assert container(OLD)["livenessProbe"]["httpGet"] == {"path": "/version", "port": 5443, "scheme": "HTTPS"}
    assert container(NEW)["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": 5443, "scheme": "HTTPS"}
    assert "livenessProbe" not in container(NEW)


def test_root_only_where_the_image_needs_it():
    assert container(OLD)["securityContext"]["runAsUser"] == 0
    assert container(NEW)["securityContext"]["runAsNonRoot"] is True
    levels = [of_kind(release, "Namespace")["calico-apiserver"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for release in (OLD, NEW)]
    assert levels == ["baseline", "restricted"]


def test_pull_secrets_are_taken_over():
    assert objects.deployment(NEW)["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "mirror"}]
    assert "imagePullSecrets" not in objects.deployment(OLD)["spec"]["template"]["spec"]


def test_the_api_service_names_the_service():
    spec = objects.api_service("calico-system", "YWJj", 8443)["spec"]
    assert spec["service"] == {"name": "calico-api", "namespace": "calico-system", "port": 8443}
    assert (spec["group"], spec["version"], spec["caBundle"]) == ("projectcalico.org", "v3", "YWJj")
    assert objects.server_name("calico-system") == "calico-api.calico-system.svc"


def test_the_operators_request_can_be_taken_over_by_helm():
    assert objects.operator_request() == {"apiVersion": "operator.tigera.io/v1", "kind": "APIServer", "metadata": {"name": "default"}, "spec": {}}
    metadata = objects.operator_request("calico", "tigera-operator")["metadata"]
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert metadata["annotations"] == {"meta.helm.sh/release-name": "calico", "meta.helm.sh/release-namespace": "tigera-operator"}
