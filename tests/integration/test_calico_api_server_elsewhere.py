# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Calico API server asked for in each other way of installing Calico: where the request lasts, or a person's."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.integration import calico_api
from tests.integration.calico_api import DEPLOYMENT, MADE
from tests.integration.pools_and_records import Trial, without_state

pytestmark = pytest.mark.lab

POOLS = "/apis/crd.projectcalico.org/v1/ippools"


@pytest.fixture
def planted(bench):
    """Plants an incident of a layout, and gives cluster-1 and a trial on it."""
    with contextlib.ExitStack() as stack:

        def plant(layout, incident, **options):
            lab = stack.enter_context(bench.planted(layout, incident))
            stack.enter_context(without_state(*lab.clusters))
            return lab.cluster("cluster-1"), Trial(bench, lab.cluster("cluster-1"), "calico_api_server", **options)

        yield plant


@pytest.mark.xdist_group("kubespray")
def test_kubespray_is_printed_and_applied_on_request(planted):
    cluster, trial = planted("kubespray", "000-kubespray-no-api-server", wait=False)
    told, written = trial.writes()
    assert (told["changed"], written) == (False, [])
    assert [(each["paste"], "k8s-net-calico.yml" in each["target"]) for each in told["needs_person"]] == [("calico_apiserver_enabled: true\n", True)]
    try:
        done = trial.run(apply_live=True)
        assert not done.get("failed"), done
        assert done["changed"] and [each["paste"] for each in done["needs_person"]] == ["calico_apiserver_enabled: true\n"]
        image = cluster.admin().get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image == "quay.io/calico/apiserver:v3.28.1"
    finally:
        calico_api.remove(cluster, *MADE)


def issued_by(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject, issuer = (x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, each)]) for each in ("calico-api", name))
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now - datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    return {"stringData": {"tls.crt": made.public_bytes(serialization.Encoding.PEM).decode(), "tls.key": "a key"}}


@pytest.mark.xdist_group("operator")
def test_an_expired_certificate_of_the_operators_is_issued_anew_and_a_users_is_a_users(planted):
    cluster, trial = planted("operator", "000-operator-dead-certificate", wait=False)
    client = cluster.client(calico_api.IDENTITY)
    secrets = ["tigera-operator", "calico-system"]
    for namespace in secrets:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "calico-apiserver-certs", "namespace": namespace}, **issued_by("corp-ca")}
        client.create(f"/api/v1/namespaces/{namespace}/secrets", body)
    try:
        told, written = trial.writes()
        assert (told["changed"], written) == (False, []), told
        assert "was not issued by the operator" in told["needs_person"][0]["text"]
        for namespace in secrets:
            client.merge_patch(f"/api/v1/namespaces/{namespace}/secrets/calico-apiserver-certs", issued_by("tigera-operator-signer@1763721600"))
        result = trial.run()
        assert not result.get("failed"), result
        assert [line.split(",")[0] for line in result["lines"]] == [f"Delete Secret {namespace}/calico-apiserver-certs" for namespace in secrets]
        assert "its certificate is not for calico-api.calico-system.svc" in result["lines"][0]
        assert not any(cluster.admin().find(f"/api/v1/namespaces/{namespace}/secrets/calico-apiserver-certs") for namespace in secrets)
    finally:
        calico_api.remove(cluster, *(f"/api/v1/namespaces/{namespace}/secrets/calico-apiserver-certs" for namespace in secrets))


@pytest.mark.xdist_group("operator")
def test_a_pool_that_the_operator_would_delete_needs_consent(planted):
    cluster, trial = planted("rke2", "000-rke2-no-api-server", wait=False)
    client = cluster.client(calico_api.IDENTITY)
    metadata = {"name": "old", "labels": {"app.kubernetes.io/managed-by": "tigera-operator"}}
    spec = {"cidr": "10.99.0.0/16", "natOutgoing": True}
    client.create(POOLS, {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": metadata, "spec": spec})
    try:
        refused, written = trial.writes()
        assert refused["failed"] and "the operator deletes IPPool old (10.99.0.0/16)" in refused["msg"] and written == [], refused
        done = trial.run(allow_disruption=True)
        assert not done.get("failed"), done
        assert done["changed"] and "IPPool old" in done["disruptive"][0]
    finally:
        calico_api.remove(cluster, f"{POOLS}/old")


@pytest.mark.parametrize(("layout", "kind"), [("operator", "APIServer"), ("rke2", "HelmChartConfig")])
@pytest.mark.xdist_group("operator")
def test_the_operator_is_asked_where_the_request_lasts(planted, layout, kind):
    cluster, trial = planted(layout, f"000-{layout}-no-api-server", wait=False)
    check = trial.run(check=True)
    assert not check.get("failed"), check
    done = trial.run(preconditions=check["preconditions"])
    assert not done.get("failed"), done
    assert done["diff"] == check["diff"] and done["changed"]
    assert [each["after_header"].split()[1] for each in done["diff"]] == [kind]
    again, written = trial.writes()
    assert (again["changed"], written) == (False, []), again
    undone = trial.run(state="absent", force=True)
    assert not undone.get("failed") and undone["changed"], undone


@pytest.mark.xdist_group("helm")
def test_a_helm_release_is_its_owners(planted):
    cluster, trial = planted("helm", "000-helm-no-api-server", wait=False)
    told, written = trial.writes()
    assert (told["changed"], written) == (False, []), told
    assert "apiServer" in told["needs_person"][0]["paste"] and "enabled: true" in told["needs_person"][0]["paste"]


@pytest.mark.xdist_group("roks")
def test_ibm_clouds_is_a_persons(planted):
    cluster, trial = planted("roks", "000-roks-no-api-server", wait=False)
    result, written = trial.writes()
    assert written == [] and (result.get("failed") or result["needs_person"]), result
