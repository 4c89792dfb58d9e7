# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What works against a remedy, switched on for a while in a running lab::

    with adversaries.reverter(cluster, "/apis/operator.tigera.io/v1/installations/default") as reverts:
        ...
        assert reverts

Each returns when it works, and is gone afterwards. They act as CN=standin:NAME; only what CN=admin writes (the collection, and tests that write) is
denied or mutated, so the lab itself goes on.

* ``reverter``: puts an object back, or makes it again, a while after somebody else has changed it: a GitOps tool, Red Hat ACM's submariner-addon.
* ``denier``: a ValidatingAdmissionPolicy that refuses writes, tried ones too.
* ``webhook``: an admission webhook that refuses writes; with ``dry_run_only`` it takes real ones, and answers to tried ones what the API server says of a
  webhook with side effects ("does not support dry run"; kubernetes apiserver pkg/admission/plugin/webhook/errors). Such a webhook itself cannot be
  registered any more: admissionregistration.k8s.io/v1 wants sideEffects None or NoneOnDryRun.
* ``mutator``: a MutatingAdmissionPolicy (Kubernetes 1.36) that changes what is written.
* ``never_ready``: new pods never become ready.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import secrets
import ssl
import threading
import time
import typing as t

from tests.lab import pki
from tests.lab.client import ApiError, Client, Object
from tests.lab.info import ClusterInfo, LabError
from tests.lab.store import plain

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
COLLECTION = "admin"
HELD = "lab.fathom.submariner/held"
HOLD = f'Object{{metadata: Object.metadata{{labels: {{"{HELD}": "true"}}}}}}'
EFFECT_SECONDS = 30.0
POLL_SECONDS = 0.1
NO_DRY_RUN = "does not support dry run"


@contextlib.contextmanager
def reverter(cluster: ClusterInfo, path: str, *, seconds: float = 1.5, manager: str = "argocd-controller") -> t.Iterator[list[str]]:
    """Keeps one object as it is now.

    :param path: of the object, which must exist.
    :param seconds: after which a change is taken back.
    :param manager: who shall stand in managedFields.
    :return: a list to which every revert adds the path.
    """
    client = _identity(cluster, "reverter")
    wanted = client.get(path)
    stop, reverts = threading.Event(), []

    def keep() -> None:
        for _kind, changed in client.watch(path.rpartition("/")[0], stop):
            if changed["metadata"]["name"] == wanted["metadata"]["name"] and not stop.wait(seconds) and _put_back(client, path, wanted, manager):
                reverts.append(path)

    thread = threading.Thread(target=keep, name=f"reverter {path}", daemon=True)
    thread.start()
    try:
        yield reverts
    finally:
        stop.set()
        thread.join(10)


@contextlib.contextmanager
def denier(cluster: ClusterInfo, group: str, resource: str, *, operations: t.Sequence[str] = ("CREATE", "UPDATE", "DELETE"),
           message: str = "denied by the lab's policy", condition: str = "true") -> t.Iterator[None]:  # fmt: skip
    """Refuses what the collection writes to a resource.

    :param group: "" for the core group.
    :param resource: plural.
    :param condition: CEL: which writes; ``object``, ``oldObject`` and ``request`` are there.
    """
    name, probe = "lab-denier", _probe()
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_rule(group, resource, operations), _rule("", "configmaps", ("CREATE",))]},
        "matchConditions": [{"name": "whose", "expression": _whose(probe, condition, group, resource)}],
        "validations": [{"expression": "false", "message": message}],
    }
    with _policy(cluster, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", name, spec, {"validationActions": ["Deny"]}):
        _await_effect(cluster, probe, lambda client, body: _refused(client, body), name)
        yield


@contextlib.contextmanager
def mutator(cluster: ClusterInfo, group: str, resource: str, change: str, *, operations: t.Sequence[str] = ("CREATE", "UPDATE"),
            condition: str = "true", everybody: bool = False) -> t.Iterator[None]:  # fmt: skip
    """Changes what the collection writes to a resource.

    :param change: CEL that gives the applied configuration, for example ``Object{metadata: Object.metadata{labels: {"a": "b"}}}``.
    :param everybody: whether what others write is changed, too.
    """
    name, probe = f"lab-mutator-{resource}", _probe()
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [_rule(group, resource, operations)]},
        "matchConditions": [{"name": "whose", "expression": f"({condition})" if everybody else _whose(probe, condition, group, resource)}],
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": change}}],
    }
    marked = {
        **spec,
        "matchConstraints": {"resourceRules": [_rule("", "configmaps", ("CREATE",))]},
        "matchConditions": [{"name": "probe", "expression": f'request.name == "{probe}"'}],
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": HOLD}}],
    }
    kinds = ("mutatingadmissionpolicies", "MutatingAdmissionPolicy")
    # The second policy is made after the first, so that its effect tells of both.
    with _policy(cluster, *kinds, name, spec, {}), _policy(cluster, *kinds, f"{name}-probe", marked, {}):
        _await_effect(cluster, probe, lambda client, body: HELD in (_tried(client, body)["metadata"].get("labels") or {}), name)
        yield


@contextlib.contextmanager
def never_ready(cluster: ClusterInfo, *, namespace: str, selector: tuple[str, str]) -> t.Iterator[None]:
    """New pods of a namespace with a label never become ready: those of calico-node run without being so, others stay Pending.

    :param selector: key and value of the label.
    """
    key, value = selector
    labels = "object.metadata.labels"
    wanted = f'request.namespace == "{namespace}" && has({labels}) && "{key}" in {labels} && {labels}["{key}"] == "{value}"'
    with mutator(cluster, "", "pods", HOLD, operations=("CREATE",), condition=wanted, everybody=True):
        yield


@contextlib.contextmanager
def webhook(cluster: ClusterInfo, group: str, resource: str, *, operations: t.Sequence[str] = ("CREATE", "UPDATE", "DELETE"),
            message: str = "denied by the lab's webhook", dry_run_only: bool = False) -> t.Iterator[list[Object]]:  # fmt: skip
    """An admission webhook in front of what the collection writes to a resource.

    :param dry_run_only: whether only tried writes are refused, as by a webhook with side effects.
    :return: a list of the requests that it has seen.
    """
    name, probe = "lab-webhook.fathom.submariner.example", _probe()
    seen: list[Object] = []
    server = _serve(cluster, seen, f'admission webhook "{name}" {NO_DRY_RUN}' if dry_run_only else message, dry_run_only)
    ca = base64.b64encode((cluster.pki / "ca.crt").read_bytes()).decode()
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "lab-webhook"},
        "webhooks": [
            {
                "name": name,
                "admissionReviewVersions": ["v1"],
                "sideEffects": "NoneOnDryRun",
                "failurePolicy": "Fail",
                "clientConfig": {"url": f"https://localhost:{server.server_address[1]}/", "caBundle": ca},
                "rules": [_rule(group, resource, operations), _rule("", "configmaps", ("CREATE",))],
                "matchConditions": [{"name": "whose", "expression": _whose(probe, "true", group, resource)}],
            }
        ],
    }
    client = _identity(cluster, "denier")
    client.create(f"{ADMISSION}/validatingwebhookconfigurations", configuration)
    try:
        _await_effect(cluster, probe, lambda admin, body: _refused(admin, body), name)
        seen.clear()
        yield seen
    finally:
        client.delete(f"{ADMISSION}/validatingwebhookconfigurations/lab-webhook")
        server.shutdown()
        server.server_close()


def _probe() -> str:
    """A name that no earlier adversary, which may have its effect for a moment longer, knows."""
    return f"lab-probe-{secrets.token_hex(4)}"


def _identity(cluster: ClusterInfo, name: str) -> Client:
    identity = f"standin-{name}"
    if not (cluster.pki / f"{identity}.crt").exists():
        pki.issue(cluster.pki, identity, f"standin:{name}", (pki.MASTERS,))
    return cluster.identity(identity)


def _put_back(client: Client, path: str, wanted: Object, manager: str) -> bool:
    """Whether the object was another one, and is not any more."""
    try:
        current = client.find(path)
        if current is None:
            fresh = {key: value for key, value in wanted["metadata"].items() if key not in ("uid", "resourceVersion", "creationTimestamp", "managedFields")}
            client.request("POST", path.rpartition("/")[0], {**wanted, "metadata": fresh}, {"fieldManager": manager})
            return True
        if _own(current) == _own(wanted):
            return False
        metadata = {**wanted["metadata"], **{key: current["metadata"][key] for key in ("uid", "resourceVersion", "creationTimestamp")}}
        client.request("PUT", path, {**wanted, "metadata": metadata}, {"fieldManager": manager})
        return True
    except ApiError as error:
        if error.conflict or error.not_found:
            return False
        raise


def _own(obj: Object) -> Object:
    """What a GitOps tool compares: not the status."""
    return {key: value for key, value in plain(obj).items() if key != "status"}


def _rule(group: str, resource: str, operations: t.Sequence[str]) -> Object:
    return {"apiGroups": [group], "apiVersions": ["*"], "operations": list(operations), "resources": [resource], "scope": "*"}


def _whose(probe: str, condition: str, group: str, resource: str) -> str:
    """CEL: what the collection writes to a resource, and the probe, which is a ConfigMap."""
    of_resource = f'request.resource.group == "{group}" && request.resource.resource == "{resource}"'
    return f'request.name == "{probe}" || (request.userInfo.username == "{COLLECTION}" && {of_resource} && ({condition}))'


@contextlib.contextmanager
def _policy(cluster: ClusterInfo, plural: str, kind: str, name: str, spec: Object, binding: Object) -> t.Iterator[None]:
    client = _identity(cluster, "denier")
    bindings = f"{plural.removesuffix('ies')}ybindings"
    client.create(f"{ADMISSION}/{plural}", {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
    try:
        bound = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": f"{kind}Binding", "metadata": {"name": name}, "spec": {"policyName": name, **binding}}
        client.create(f"{ADMISSION}/{bindings}", bound)
        yield
    finally:
        for path in (f"{ADMISSION}/{bindings}/{name}", f"{ADMISSION}/{plural}/{name}"):
            with contextlib.suppress(ApiError):
                client.delete(path)


def _await_effect(cluster: ClusterInfo, probe: str, works: t.Callable[[Client, Object], bool], what: str) -> None:
    """Tries to make a ConfigMap until the adversary is noticed: a policy takes a moment to be so."""
    client = _identity(cluster, "denier")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": probe, "namespace": "default"}}
    deadline = time.monotonic() + EFFECT_SECONDS
    while not works(client, body):
        if time.monotonic() > deadline:
            raise LabError(f"{cluster.name}: {what} has no effect after {EFFECT_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _tried(client: Client, body: Object) -> Object:
    return client.request("POST", "/api/v1/namespaces/default/configmaps", body, {"dryRun": "All"})


def _refused(client: Client, body: Object) -> bool:
    try:
        _tried(client, body)
    except ApiError as error:
        if error.status in (400, 403, 422):
            return True
        raise
    return False


def _serve(cluster: ClusterInfo, seen: list[Object], message: str, dry_run_only: bool) -> http.server.ThreadingHTTPServer:
    certificate, key = pki.issue(cluster.pki, "webhook", "webhook", names=["localhost"])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that BaseHTTPRequestHandler calls
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            seen.append(request)
            allowed = dry_run_only and not request.get("dryRun")
            refusal = {} if allowed else {"status": {"code": 400 if dry_run_only else 403, "message": message}}
            review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": request["uid"], "allowed": allowed, **refusal}}
            body = json.dumps(review).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # the base class' signature
            """Requests are in ``seen``."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(str(certificate), str(key))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, name="webhook", daemon=True).start()
    return server
