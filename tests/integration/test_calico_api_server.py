# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Calico API server made, repaired, renewed and removed where no operator does; a real API server checks its certificate."""

from __future__ import annotations

import base64
import contextlib
import pathlib

import pytest
import yaml
from cryptography import x509

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects
from tests.integration import calico_api
from tests.integration.calico_api import API_SERVICE, DEPLOYMENT, MADE, SECRET, Machinery
from tests.integration.pools_and_records import Trial, without_state
from tests.lab.client import ApiError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("manifest")]

UPSTREAM = pathlib.Path(__file__).resolve().parents[3] / "shared/crds"
V3 = "/apis/projectcalico.org/v3/ippools"


@pytest.fixture
def planted(bench):
    """Plants an incident of a layout, and gives cluster-1 and a trial on it."""
    with contextlib.ExitStack() as stack:

        def plant(layout, incident, **options):
            lab = stack.enter_context(bench.planted(layout, incident))
            stack.enter_context(without_state(*lab.clusters))
            return lab.cluster("cluster-1"), Trial(bench, lab.cluster("cluster-1"), "calico_api_server", **options)

        yield plant


@pytest.fixture
def empty(planted):
    """A manifest cluster without API server and without the Secret that the layout has; afterwards without what was made."""
    cluster, trial = planted("manifest", "000-manifest-no-api-server")
    client = cluster.client(calico_api.IDENTITY)
    secret = client.get(SECRET)
    client.delete(SECRET)
    try:
        yield cluster, trial
    finally:
        calico_api.remove(cluster, *MADE, SECRET)
        kept = {key: value for key, value in secret.items() if key != "metadata"}
        client.create(SECRET.rpartition("/")[0], {**kept, "metadata": {key: secret["metadata"][key] for key in ("name", "namespace")}})


def certificate(cluster):
    return x509.load_pem_x509_certificate(base64.b64decode(cluster.admin().get(SECRET)["data"]["apiserver.crt"]))


def bundle(cluster):
    return x509.load_pem_x509_certificates(base64.b64decode(cluster.admin().get(API_SERVICE)["spec"]["caBundle"]))


def test_a_manifest_gets_its_api_server_and_the_real_api_server_trusts_its_certificate(empty):
    cluster, trial = empty
    with Machinery(cluster) as machinery, calico_api.reachable(cluster, machinery):
        done = trial.repair()
        assert (done["method"], done["state_before"], done["restart_route_agents"]) == ("manifest", "none", True)
        assert done["certificate_expires"] == certificate(cluster).not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert [line.split()[:2] for line in done["lines"]][-1] == ["Create", "APIService"]
        assert "calico-apiserver with image docker.io/calico/apiserver:v3.27.4" in "\n".join(done["lines"])
        assert {"default-ipv4-ippool"} <= {each["metadata"]["name"] for each in cluster.admin().list(V3)}
        assert bundle(cluster) == [certificate(cluster)]
        secrets = str(done) + str(cluster.admin().list("/api/v1/namespaces/kube-system/configmaps"))
        assert "PRIVATE KEY" not in secrets and cluster.admin().get(SECRET)["data"]["apiserver.key"] not in secrets

        renewed = trial.run(renew_before=370, certificate_days=400)
        assert not renewed.get("failed"), renewed
        assert renewed["changed"] and "the certificate expires on" in "\n".join(renewed["lines"])
        assert len(bundle(cluster)) == 2 and certificate(cluster) in bundle(cluster)
        assert [line for line in renewed["lines"] if line.startswith("Restart pod")]
        assert cluster.admin().list(V3)
        again, written = trial.writes()
        assert (again["changed"], written) == (False, []), again

        refused, written = trial.writes(state="absent")
        assert refused["failed"] and "is joined as cluster-1" in refused["msg"] and written == []
        gone = trial.run(state="absent", force=True)
        assert not gone.get("failed"), gone
        assert gone["lines"][0] == "Delete APIService v3.projectcalico.org."
        assert not any(cluster.admin().find(path) for path in (*MADE, SECRET))
        again, written = trial.writes(state="absent", force=True)
        assert (again["changed"], written) == (False, []), again


def test_an_image_that_cannot_be_pulled_leaves_nothing_dead_behind(empty):
    cluster, trial = empty
    with Machinery(cluster, ready=False) as machinery, calico_api.reachable(cluster, machinery):
        failed = trial.run(wait_timeout=12)
    assert failed["failed"] and "the image docker.io/calico/apiserver:v3.27.4 cannot be pulled" in failed["msg"], failed
    assert cluster.admin().find(API_SERVICE) is None
    assert cluster.admin().find(DEPLOYMENT) is not None


def test_an_api_that_never_answers_is_unregistered_again(empty):
    cluster, trial = empty
    with Machinery(cluster, wrong_certificate=True) as machinery, calico_api.reachable(cluster, machinery):
        failed = trial.run(wait_timeout=16)
    assert failed["failed"], failed
    assert "the APIService does not trust its certificate" in failed["msg"] and "The APIService was removed again" in failed["msg"], failed["msg"]
    assert failed["lines"][-1].startswith("Delete APIService v3.projectcalico.org again")
    assert cluster.admin().find(API_SERVICE) is None


def test_one_of_ours_that_was_dead_before_is_unregistered_too(empty):
    cluster, trial = empty
    with Machinery(cluster, wrong_certificate=True) as machinery, calico_api.reachable(cluster, machinery):
        asked = trial.run(wait=False)
        assert not asked.get("failed") and cluster.admin().find(API_SERVICE), asked
        cluster.client(calico_api.IDENTITY).delete(SECRET)  # so that there is something to repair
        failed = trial.run(wait_timeout=16)
    assert failed["failed"] and "The APIService was removed again" in failed["msg"], failed
    assert cluster.admin().find(API_SERVICE) is None


def test_one_of_others_that_stays_dead_is_left_and_the_message_says_how_it_goes(planted):
    cluster, trial = planted("manifest", "000-manifest-missing-secret")
    try:
        failed = trial.run(wait_timeout=30)
        assert failed["failed"] and "was not made by this collection, so that it was left" in failed["msg"], failed
        assert "kubectl delete apiservice v3.projectcalico.org" in failed["msg"] and "state=absent removes it" in failed["msg"]
        assert cluster.admin().find(API_SERVICE)
        gone = trial.run(state="absent")
        assert not gone.get("failed"), gone
        assert cluster.admin().find(API_SERVICE) is None
    finally:
        calico_api.remove(cluster, *(path for path in MADE if "rbac" in path or "serviceaccounts" in path))


def test_a_secret_for_pulling_is_asked_for_before_anything_is_written(empty):
    """The command of the message is carried out as kubectl does it: with the metadata of the one that is copied, less its version."""
    cluster, trial = empty
    client = cluster.client(calico_api.IDENTITY)
    secrets = {namespace: f"/api/v1/namespaces/{namespace}/secrets" for namespace in ("kube-system", "calico-apiserver")}
    node = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
    body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "metadata": {"name": "mirror"}}
    body["data"] = {".dockerconfigjson": base64.b64encode(b'{"auths": {"mirror.example.com": {"auth": "bm9ib2R5"}}}').decode()}
    client.create(secrets["kube-system"], body)
    client.merge_patch(node, {"spec": {"template": {"spec": {"imagePullSecrets": [{"name": "mirror"}, {"name": "never-made"}]}}}})
    try:
        for check in (True, False):
            refused, written = trial.writes(check=check)
            assert refused["failed"] and written == [], (refused, written)
            assert "Secret kube-system/mirror, which namespace calico-apiserver lacks" in refused["msg"] and "never-made" not in refused["msg"]
            assert "kubectl -n kube-system get secret mirror -o yaml" in refused["msg"] and "bm9ib2R5" not in str(refused)
        client.create(secrets["calico-apiserver"], body)
        done = trial.run(wait=False)
        assert not done.get("failed"), done
        assert cluster.admin().get(DEPLOYMENT)["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "mirror"}]
        again, written = trial.writes(wait=False)
        assert (again["changed"], written) == (False, []), again
    finally:
        back = client.merge_patch(node, {"spec": {"template": {"spec": {"imagePullSecrets": None}}}})
        # Nobody rolls out on a lab at rest: this is not to look like a rollout that goes on.
        client.merge_patch(f"{node}/status", {"status": {"observedGeneration": back["metadata"]["generation"]}})
        calico_api.remove(cluster, *(f"{path}/mirror" for path in secrets.values()))


def test_a_missing_secret_of_others_is_made_and_nothing_else_of_theirs_is_touched(planted):
    cluster, trial = planted("manifest", "000-manifest-missing-secret", wait=False)
    before = cluster.admin().get(DEPLOYMENT)
    done = trial.run()
    assert not done.get("failed"), done
    try:
        assert done["state_before"] == "dead"
        assert "Create Secret calico-apiserver/calico-apiserver-certs" in "\n".join(done["lines"])
        assert certificate(cluster) in bundle(cluster)
        assert cluster.admin().get(DEPLOYMENT)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    finally:
        calico_api.remove(cluster, *(path for path in MADE if "rbac" in path or "serviceaccounts" in path))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"renew_before": 365}, "renew_before is 365"),
        ({"renew_before": -1}, "renew_before is -1"),
        ({"method": "operator"}, "method is 'operator'"),
        ({"method": "x"}, "value of method must be one of"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_written(planted, options, said):
    cluster, trial = planted("manifest", "000-manifest-no-api-server", **options)
    result, written = trial.writes()
    assert result["failed"] and said in result["msg"] and written == [], result


@pytest.mark.skipif(not UPSTREAM.exists(), reason="upstream's CRDs are not beside this checkout")
@pytest.mark.parametrize("release", ["tigera-operator-1.30", "tigera-operator-1.42"])
def test_upstreams_own_definition_takes_the_request_strictly(planted, release):
    cluster, _trial = planted("manifest", "manifest")
    client = cluster.client(calico_api.IDENTITY)
    definition = yaml.safe_load((UPSTREAM / release / "apiservers.yaml").read_text(encoding="utf-8"))
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    client.create(definitions, definition)
    try:
        for body in (objects.operator_request(), objects.operator_request("calico", "tigera-operator")):
            assert strictly(client, "/apis/operator.tigera.io/v1/apiservers", body)["spec"] == {}
    finally:
        client.delete(f"{definitions}/apiservers.operator.tigera.io")


@pytest.mark.parametrize("calico", [(3, 26, 4), (3, 28, 5), (3, 29, 7), (3, 32, 1)])
def test_kubernetes_takes_every_object_strictly_and_stores_what_was_sent(planted, calico):
    cluster, _trial = planted("manifest", "000-manifest-no-api-server")
    client = cluster.client(calico_api.IDENTITY)
    release = objects.Release(calico, (1, 29), f"docker.io/calico/apiserver:v{'.'.join(map(str, calico))}", "default", ("mirror",))
    bodies = [*objects.supporting_objects(release), objects.secret("default", {"apiserver.crt": "eA==", "apiserver.key": "eA=="}), objects.deployment(release)]
    for body in (*bodies, objects.api_service("default", "eA==")):
        if body["kind"] != "Namespace":
            assert lacks(strictly(client, objects.collection_of(body), body), body) == []


def lacks(stored, sent, path=""):
    """What of an object that was sent is not in the one that was stored."""
    if isinstance(sent, dict):
        return [each for key, value in sent.items() for each in lacks((stored or {}).get(key), value, f"{path}.{key}")]
    if isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        return [each for number, value in enumerate(sent) for each in lacks(stored[number], value, f"{path}[{number}]")]
    return [] if stored == sent else [f"{path}: {sent!r} became {stored!r}"]


def strictly(client, path, body):
    """The answer to a dry run that forgives nothing; a CRD that was just made may need a moment."""
    for _attempt in range(100):
        try:
            return client.request("POST", path, body, query={"dryRun": "All", "fieldValidation": "Strict"})
        except ApiError as error:
            if error.status != 404:
                raise
    raise AssertionError(f"{path} is never served")
