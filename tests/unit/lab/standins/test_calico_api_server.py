# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Calico API server over HTTPS, as the front proxy asks it, on top of a store in memory."""

from __future__ import annotations

import copy
import http.client
import itertools
import json
import ssl
import threading
from pathlib import Path

import pytest
import yaml

from tests.lab import pki
from tests.lab.client import ApiError
from tests.lab.definitions import CRDS
from tests.lab.info import ClusterInfo
from tests.lab.standins._calico_api import CalicoApi
from tests.lab.standins._calico_http import Server
from tests.lab.standins._front_proxy import FrontProxy

POOLS = "/apis/projectcalico.org/v3/ippools"
ADMIN = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
DEFAULT = {"cidr": "10.46.0.0/16", "vxlanMode": "Always", "natOutgoing": True}


class Store:
    """The cluster's API server, as far as CalicoApi uses it: request() on IPPools, their CRD and SubjectAccessReviews."""

    def __init__(self) -> None:
        self.pools: dict = {}
        self.versions = itertools.count(100)
        self.allowed: set[tuple[str, str]] = set()
        self.writes: list[str] = []

    def put(self, name: str, obj: dict) -> dict:
        known = self.pools.get(name, {}).get("metadata", {"uid": f"uid-{name}", "creationTimestamp": "2026-01-01T00:00:00Z"})
        metadata = {**obj["metadata"], "uid": known["uid"], "creationTimestamp": known["creationTimestamp"], "resourceVersion": str(next(self.versions))}
        self.pools[name] = {**obj, "kind": "IPPool", "metadata": metadata}
        return copy.deepcopy(self.pools[name])

    def get(self, path: str) -> dict:
        assert path.endswith("/customresourcedefinitions/ippools.crd.projectcalico.org")
        documents = yaml.safe_load_all((CRDS / "calico.yaml").read_text())
        return next(each for each in documents if each["metadata"]["name"] == "ippools.crd.projectcalico.org")

    def request(self, method: str, path: str, body=None, query=None) -> dict:
        if path.endswith("/subjectaccessreviews"):
            asked = (body["spec"]["user"], body["spec"]["resourceAttributes"]["verb"])
            return {"status": {"allowed": asked in self.allowed, "reason": ""}}
        name = path.partition("/ippools")[2].strip("/")
        if method != "GET":
            self.writes.append(f"{method} {name or body['metadata']['name']}")
        if method == "POST":
            if body["metadata"]["name"] in self.pools:
                raise ApiError(409, "AlreadyExists", "it is there")
            return self.put(body["metadata"]["name"], body)
        if not name:
            items = [each for each in self.pools.values() if not query or _selected(each, query.get("labelSelector", ""))]
            return {"metadata": {"resourceVersion": "99"}, "items": copy.deepcopy(items)}
        if name not in self.pools:
            raise ApiError(404, "NotFound", "it is not there")
        if method == "DELETE":
            return self.pools.pop(name)
        return self.put(name, body) if method == "PUT" else copy.deepcopy(self.pools[name])


def _selected(pool: dict, selector: str) -> bool:
    key, _equals, value = selector.partition("=")
    return not selector or pool["metadata"].get("labels", {}).get(key) == value


class Proxy:
    """kube-apiserver's side: a client that may hold the front proxy's certificate."""

    def __init__(self, port: int, folder: Path, cert: str | None) -> None:
        self._tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        self._tls.check_hostname = False
        if cert:
            self._tls.load_cert_chain(folder / f"{cert}.crt", folder / f"{cert}.key")
        self._port = port
        self.warning = ""

    def __call__(self, method: str, path: str, body=None, headers=None, content_type: str = "application/json") -> tuple[int, dict]:
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._tls, timeout=10)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": content_type, **(ADMIN if headers is None else headers)})
            response = connection.getresponse()
            self.warning = response.headers.get("Warning", "")
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("lab") / "pki"
    pki.create(folder, "10.45.0.0/16", ["calico-api-server"])
    pki.issue(folder, "calico-api", "calico-api", names=["calico-api.calico-apiserver.svc"])
    pki.issue(folder, "impostor", "someone-else", authority="front-proxy-ca")
    return folder


@pytest.fixture
def store() -> Store:
    store = Store()
    store.put("default-ipv4-ippool", {"metadata": {"name": "default-ipv4-ippool"}, "spec": dict(DEFAULT)})
    return store


@pytest.fixture
def served(certificates: Path, store: Store):
    trust = FrontProxy(
        {
            "requestheader-client-ca-file": (certificates / "front-proxy-ca.crt").read_text(),
            "requestheader-allowed-names": json.dumps([pki.FRONT_PROXY_USER]),
            "requestheader-username-headers": '["X-Remote-User"]',
            "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        }
    )
    cluster = ClusterInfo("cluster-1", certificates.parent, "https://127.0.0.1:1", "10.46.0.0/16", "10.45.0.0/16", "v1.27.9", "0.16.3")
    api = CalicoApi(cluster, store, "standin-calico-api-server", 0)
    server = Server(api, trust, trust.tls(str(certificates / "calico-api.crt"), str(certificates / "calico-api.key")), threading.Event())
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def ask(served: Server, certificates: Path) -> Proxy:
    return Proxy(served.port, certificates, "front-proxy-client")


def pool(name: str, **spec) -> dict:
    return {"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": name}, "spec": spec}


def test_nobody_but_the_front_proxy_is_believed(served, certificates):
    assert Proxy(served.port, certificates, None)("GET", POOLS)[0] == 401
    assert Proxy(served.port, certificates, "impostor")("GET", POOLS)[0] == 401
    assert Proxy(served.port, certificates, "front-proxy-client")("GET", POOLS, headers={})[0] == 401


def test_rights_are_asked_of_the_cluster(ask, store):
    agent = {"X-Remote-User": "system:serviceaccount:submariner-operator:submariner-routeagent"}
    store.allowed.add((agent["X-Remote-User"], "get"))
    assert ask("GET", f"{POOLS}/default-ipv4-ippool", headers=agent)[0] == 200
    status, answer = ask("GET", POOLS, headers=agent)
    assert status == 403
    assert answer["message"] == (
        'ippools.projectcalico.org is forbidden: User "system:serviceaccount:submariner-operator:submariner-routeagent" '
        'cannot list resource "ippools" in API group "projectcalico.org" at the cluster scope'
    )


def test_discovery_names_the_kinds(ask):
    _status, answer = ask("GET", "/apis/projectcalico.org/v3")
    served = {each["name"]: each["namespaced"] for each in answer["resources"]}
    assert served["ippools"] is False and served["networkpolicies"] is True
    assert "tiers" not in served, "open-source Calico 3.26 has none"
    for path in ("tiers", "namespaces/shop/ippools", "networkpolicies/without-namespace", "nonsense"):
        assert ask("GET", f"/apis/projectcalico.org/v3/{path}")[0] == 404, path


def test_an_overlapping_pool_is_refused_in_upstreams_words_and_not_stored(ask, store):
    status, answer = ask("POST", POOLS, pool("right", cidr="10.46.0.0/24", disabled=True))
    assert (status, answer["reason"]) == (422, "Invalid")
    assert answer["message"] == (
        'IPPool.projectcalico.org "right" is invalid: IPPool.Spec.CIDR: Invalid value: "10.46.0.0/24": '
        "IPPool(right) CIDR overlaps with IPPool(default-ipv4-ippool) CIDR 10.46.0.0/16"
    )
    assert answer["details"]["causes"][0]["field"] == "IPPool.Spec.CIDR"
    assert store.writes == []


def test_a_dry_run_is_answered_before_calico_looks(ask, store):
    status, answer = ask("POST", f"{POOLS}?dryRun=All", pool("right", cidr="10.46.0.0/24"))
    assert status == 201
    assert answer["spec"] == {"cidr": "10.46.0.0/24"}
    assert ask("POST", f"{POOLS}?dryRun=All", pool("default-ipv4-ippool", cidr="10.46.0.0/24"))[1]["reason"] == "AlreadyExists"
    assert ask("DELETE", f"{POOLS}/default-ipv4-ippool?dryRun=All")[0] == 200
    assert store.writes == []


def test_what_is_created_is_stored_with_defaults_and_labels(ask, store):
    labelled = pool("submariner-b-10.43.0.0-16", cidr="10.43.0.0/16", disabled=True)
    labelled["metadata"]["labels"] = {"submariner.io/ippool": "true"}
    status, answer = ask("POST", POOLS, labelled)
    assert status == 201
    assert answer["spec"]["blockSize"] == 26
    stored = store.pools["submariner-b-10.43.0.0-16"]
    assert stored["apiVersion"] == "crd.projectcalico.org/v1"
    assert stored["metadata"]["labels"] == {"submariner.io/ippool": "true"}
    assert answer["metadata"]["uid"] == stored["metadata"]["uid"]
    assert ask("POST", POOLS, labelled)[1]["reason"] == "AlreadyExists"
    names = [each["metadata"]["name"] for each in ask("GET", f"{POOLS}?labelSelector=submariner.io/ippool=true")[1]["items"]]
    assert names == ["submariner-b-10.43.0.0-16"]


def test_unknown_fields(ask, store):
    status, answer = ask("POST", f"{POOLS}?fieldValidation=Strict", pool("a", cidr="10.9.0.0/16", mtu=1400))
    assert status == 400
    assert answer["message"] == 'IPPool in version "v3" cannot be handled as a IPPool: strict decoding error: unknown field "spec.mtu"'
    assert ask("POST", POOLS, pool("a", cidr="10.9.0.0/16", mtu=1400))[0] == 201
    assert 'unknown field \\"spec.mtu\\"' in ask.warning
    assert "mtu" not in store.pools["a"]["spec"]


def test_merge_patch(ask, store):
    path = f"{POOLS}/default-ipv4-ippool"
    version = ask("GET", path)[1]["metadata"]["resourceVersion"]
    merge = "application/merge-patch+json"
    status, answer = ask("PATCH", path, {"metadata": {"resourceVersion": version}, "spec": {"natOutgoing": None, "disabled": True}}, content_type=merge)
    assert status == 200
    assert "natOutgoing" not in answer["spec"] and answer["spec"]["disabled"] is True
    status, answer = ask("PATCH", path, {"metadata": {"resourceVersion": version}, "spec": {"disabled": False}}, content_type=merge)
    assert (status, answer["reason"]) == (409, "Conflict")
    assert "IPPool CIDR cannot be modified" in ask("PATCH", path, {"spec": {"cidr": "10.0.0.0/8"}}, content_type=merge)[1]["message"]
    assert ask("PATCH", path, [], content_type="application/json-patch+json")[0] in (400, 415)


def test_a_replace_needs_the_version_that_it_replaces(ask):
    path = f"{POOLS}/default-ipv4-ippool"
    current = ask("GET", path)[1]
    without = {**current, "metadata": {"name": "default-ipv4-ippool"}}
    assert "must be specified for an update" in ask("PUT", path, without)[1]["message"]
    assert ask("PUT", path, current)[1] == current
    assert ask("PUT", path, {**current, "spec": {**current["spec"], "natOutgoing": False}})[1]["spec"]["natOutgoing"] is False
    assert ask("PUT", path, current)[1]["reason"] == "Conflict"


def test_an_enabled_pool_is_disabled_before_it_goes(ask, store):
    path = f"{POOLS}/default-ipv4-ippool"
    assert ask("DELETE", path, {"preconditions": {"uid": "another"}})[1]["reason"] == "Conflict"
    assert ask("DELETE", path, {"preconditions": {"uid": "uid-default-ipv4-ippool"}})[1]["status"] == "Success"
    assert store.writes == ["PUT default-ipv4-ippool", "DELETE default-ipv4-ippool"]
    assert ask("DELETE", path)[1]["reason"] == "NotFound"


def test_a_collection_is_deleted_by_label(ask, store):
    for name, cidr in (("one", "10.9.0.0/16"), ("two", "10.10.0.0/16")):
        store.put(name, {"metadata": {"name": name, "labels": {"submariner.io/ippool": "true"}}, "spec": {"cidr": cidr, "disabled": True}})
    assert ask("DELETE", f"{POOLS}?labelSelector=submariner.io/ippool=true")[0] == 200
    assert list(store.pools) == ["default-ipv4-ippool"]


def test_forms_for_kubectl_and_for_the_garbage_collector(ask):
    table = ask("GET", POOLS, headers={**ADMIN, "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"})[1]
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Created At"]
    assert table["rows"][0]["cells"] == ["default-ipv4-ippool", "2026-01-01T00:00:00Z"]
    wanted = "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    accept = f"application/vnd.kubernetes.protobuf;{wanted},application/json;{wanted}"
    partial = ask("GET", POOLS, headers={**ADMIN, "Accept": accept})[1]
    assert partial["kind"] == "PartialObjectMetadataList"
    assert set(partial["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_a_body_that_is_no_object(ask):
    assert ask("POST", POOLS, [1])[0] == 400
    assert ask("POST", POOLS, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x"}})[0] == 400
    assert ask("POST", POOLS, {"metadata": {}})[0] == 422
