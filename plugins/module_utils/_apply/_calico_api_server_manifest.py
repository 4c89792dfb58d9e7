# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The Calico API server where no operator installs it: its objects made or repaired, its certificate renewed, and all of it removed again.

The APIService comes last, once the pods behind it are ready: one with nothing behind it stalls the deletion of namespaces in the whole cluster. A new
certificate is trusted before it is served, beside the old one, so that the API does not go away in between; killed at any point, the next run goes on.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_certificate as certificates
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_pull_secrets as pull_secrets
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_wait as waiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_drift as drift
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _dead_api as dead
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_repair import repair
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_decision import Decision
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_image import api_server_image
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import DEAD, api_service
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

CERT_MANAGER = "cert-manager.io/certificate-name"

Object = t.Dict[str, t.Any]


class Certified(t.NamedTuple):
    """:param pem: what the APIService must trust in any case.
    :param also: what it goes on trusting until the pods have the new certificate.
    :param new: a Secret's data to be written, None where the Secret is good.
    :param why: of ``new``.
    """

    pem: bytes
    also: bytes
    new: dict[str, str] | None
    why: str
    trusted: bool
    not_after: str


def converge(task: Task, snapshot: Snapshot, decision: Decision) -> None:
    """Make everything that is missing, repair what is broken, renew what is worn out, and wait for the API to answer.

    :raises InputError: the image cannot be told.
    :raises RefusedError: what keeps it from answering cannot be repaired from here.
    """
    release = _release(task, snapshot, answers=decision.state.answers)
    found_api = task.writer.read(waiting.API_SERVICE)
    found_secret = task.writer.read(objects.path_of(objects.secret(release.namespace, {})))
    certified = _certified(task, release.namespace, found_secret, found_api, answers=decision.state.answers)
    if found_api is not None:
        _trust(task, found_api, certified)
    for body in objects.supporting_objects(release):
        _apply(task, body)
    if certified.new is not None:
        _write_secret(task, release.namespace, found_secret, certified)
    _apply(task, objects.deployment(release), image_fails=decision.cause is not None and decision.cause.cause == dead.IMAGE)
    restarted = _restart_outdated(task, release.namespace)
    if decision.state.state == DEAD and not task.writer.changed:
        cause = t.cast(dead.DeadCause, decision.cause)
        step = repair(cause, decision.request, calico_version(snapshot)).text
        raise RefusedError(f"{task.member.name}: the Calico API server does not answer, and all of its objects are as they should be: {cause.why}. {step}")
    waits = task.params["wait"] and not task.check_mode and task.writer.changed
    if found_api is None:
        if waits:
            waiting.await_pods(task, release.namespace, restarted, waiting.patience(task))
        service = task.writer.read(objects.path_of(_service(release)))
        body = objects.api_service(release.namespace, certificates.bundle(certified.pem), drift.service_port(service))
        task.writer.create(waiting.API_SERVICES, body)
        task.lines.append(f"Create {objects.named(body)}, which trusts that certificate.")
        waits = task.params["wait"] and not task.check_mode
        restarted = ""
    task.facts["certificate_expires"] = certified.not_after
    if not waits:
        return
    try:
        if restarted:
            waiting.await_pods(task, release.namespace, restarted, waiting.patience(task))
        waiting.await_served(task)
    except waiting.NeverServed as error:
        raise _given_up(task, error, found_api) from error


def remove(task: Task, *, everything: bool, is_dead: bool) -> None:
    """Delete what :func:`converge` made, the APIService first.

    :param everything: also where somebody else made it.
    :param is_dead: the API does not answer: then its APIService goes, whoever made it.
    :raises RefusedError: the APIService is somebody else's, works, and ``everything`` was not asked.
    """
    found = task.writer.read(waiting.API_SERVICE)
    namespace = _namespace_of(found)
    if found is not None and not everything and not is_dead and not objects.made_here(found):
        raise RefusedError(
            f"{task.member.name}: APIService {objects.API_SERVICE} was not made by this collection. Nothing was written. To remove it, with everything that "
            "belongs to it, delete what made it (kubectl delete -f apiserver.yaml), or give force=true."
        )
    release = objects.Release((0, 0, 0), (0, 0), "", namespace)
    first = (objects.api_service(namespace, ""), objects.deployment(release), objects.secret(namespace, {}))
    for body in (*first, *reversed(objects.supporting_objects(release))):
        path = objects.path_of(body)
        there = task.writer.read(path)
        if there is None or there["metadata"].get("deletionTimestamp"):
            continue
        # Whoever made a namespace may have put other things into it.
        others = (everything and body["kind"] != "Namespace") or (is_dead and body["kind"] == "APIService")
        if others or objects.made_here(there):
            task.writer.delete(path, there)
            task.lines.append(f"Delete {objects.named(body)}.")
    if task.writer.changed and task.params["wait"] and not task.check_mode:
        waiting.await_gone(task)


def _release(task: Task, snapshot: Snapshot, *, answers: bool) -> objects.Release:
    """
    :param answers: the API works.
    :raises InputError: the image cannot be told.
    :raises RefusedError: the release cannot be told, or the image could not be pulled.
    """
    daemon_set = calico_node(snapshot)
    version = calico_version(snapshot)
    parsed, kubernetes = parse_calico_version(version), parse_calico_version(next(iter(snapshot.server_version.items), ""))
    if daemon_set is None or parsed is None or kubernetes is None:
        missing = "the DaemonSet of calico-node" if daemon_set is None else "Calico's release" if parsed is None else "the version of Kubernetes"
        raise RefusedError(f"{task.member.name}: {missing} could not be told, on which the API server's objects depend. Nothing was written.")
    raw = task.writer.read(f"/apis/apps/v1/namespaces/{daemon_set.ref.namespace}/daemonsets/{daemon_set.ref.name}") or {}
    pod = ((raw.get("spec") or {}).get("template") or {}).get("spec") or {}
    running = next((entry.image for entry in daemon_set.containers if entry.name == "calico-node"), "")
    service = api_service(snapshot)
    namespace = service.service.partition("/")[0] if service and service.service else objects.NAMESPACE
    image = task.params["image"] or api_server_image(running, version) or _present_image(task, namespace)
    if not image:
        raise InputError(
            f"{task.member.name}: calico-node runs {running or 'no image that was found'}, which does not tell what the API server's image is called in that "
            "registry. Give it as image. Nothing was written."
        )
    secrets = tuple(str(entry["name"]) for entry in pod.get("imagePullSecrets") or [] if entry.get("name"))
    present = _present(task, namespace)
    if present is None or objects.made_here(present):  # else nothing is said of its Secrets here
        secrets = pull_secrets.usable(task, secrets, pull_secrets.Place(daemon_set.ref.namespace, namespace), answers=answers)
    return objects.Release(parsed, kubernetes[:2], image, namespace, secrets)


def _present(task: Task, namespace: str) -> Object | None:
    """The Deployment that is there already."""
    return task.writer.read(objects.path_of(objects.deployment(objects.Release((0, 0, 0), (0, 0), "", namespace))))


def _present_image(task: Task, namespace: str) -> str:
    """The image of a Deployment that is there already, "" where none is."""
    found = _present(task, namespace) or {}
    containers = ((((found.get("spec") or {}).get("template") or {}).get("spec") or {}).get("containers")) or []
    return next((str(entry.get("image") or "") for entry in containers if entry.get("name") == objects.NAME), "")


def _certified(task: Task, namespace: str, secret: Object | None, api: Object | None, *, answers: bool) -> Certified:
    """
    :param answers: the API works, so that what its APIService trusts now must be trusted until the pods have the new certificate.
    :raises RefusedError: cert-manager makes this certificate, and would put its own back.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    name = objects.server_name(namespace)
    trusted_now = str(((api or {}).get("spec") or {}).get("caBundle") or "")
    data = (secret or {}).get("data") or {}
    verdict = certificates.judge(data, trusted_now, name, task.params["renew_before"], now) if secret is not None else certificates.Verdict("there is none")
    unchecked = bool(((api or {}).get("spec") or {}).get("insecureSkipTLSVerify"))
    if not verdict.problem:
        return Certified(verdict.pem, b"", None, "", verdict.trusted or unchecked, verdict.not_after)
    issuer = (((secret or {}).get("metadata") or {}).get("annotations") or {}).get(CERT_MANAGER)
    if issuer:
        raise RefusedError(
            f"{task.member.name}: Secret {namespace}/{objects.SECRET}: {verdict.problem}, and cert-manager makes it (Certificate {namespace}/{issuer}). "
            f"Nothing was written. Correct that Certificate: dnsNames must hold {name}."
        )
    made = certificates.make(name, task.params["certificate_days"], now)
    return Certified(made.pem, certificates.still_valid(trusted_now, now) if answers else b"", made.data, verdict.problem, False, made.not_after)


def _trust(task: Task, found: Object, certified: Certified) -> None:
    if certified.trusted:
        return
    patch: Object = {"spec": {"caBundle": certificates.bundle(certified.pem, certified.also)}}
    if found["spec"].get("insecureSkipTLSVerify"):
        patch["spec"]["insecureSkipTLSVerify"] = None
    task.writer.patch(waiting.API_SERVICE, found, patch)
    beside = " beside those that it trusts already" if certified.also else ""
    task.lines.append(f"Let APIService {objects.API_SERVICE} trust the certificate of Secret {objects.SECRET}{beside}.")


def _write_secret(task: Task, namespace: str, found: Object | None, certified: Certified) -> None:
    body = objects.secret(namespace, certified.new or {})
    until = f"for {objects.server_name(namespace)} until {certified.not_after[:10]}"
    if found is None:
        task.writer.create(objects.collection_of(body), body)
        task.lines.append(f"Create {objects.named(body)} with a certificate {until}.")
        return
    # With its kind, so that whoever shows or keeps the patch knows what it holds.
    task.writer.patch(objects.path_of(body), found, {"apiVersion": "v1", "kind": "Secret", "data": body["data"]})
    task.lines.append(f"Put a new certificate {until} into {objects.named(body)}: {certified.why}.")


def _apply(task: Task, body: Object, *, image_fails: bool = False) -> None:
    path = objects.path_of(body)
    found = task.writer.read(path)
    if found is None:
        task.writer.create(objects.collection_of(body), body)
        image = f" with image {body['spec']['template']['spec']['containers'][0]['image']}" if body["kind"] == "Deployment" else ""
        task.lines.append(f"Create {objects.named(body)}{image}.")
        return
    patch = drift.correction(found, body, image_fails=image_fails)
    if patch:
        task.writer.patch(path, found, patch)
        task.lines.append(f"Correct {objects.named(body)}: {', '.join(sorted(_fields(patch)))}.")


def _fields(patch: Object) -> t.Iterator[str]:
    for key, value in patch.items():
        if key == "spec" and isinstance(value, dict):
            yield from (f"spec.{inner}" for inner in value)
        else:
            yield key


def _restart_outdated(task: Task, namespace: str) -> str:
    """Delete the pods that were made before the certificate: the server does not read a new one (projectcalico/calico#9419).

    :return: when the Secret got its certificate, by the API server's clock, where pods were deleted; "" where none were.
    """
    secret = task.writer.read(objects.path_of(objects.secret(namespace, {})))
    written = _written(secret or {})
    outdated = [pod for pod in waiting.list_pods(task, namespace) if waiting.is_running(pod) and waiting.serving_since(pod) < written]
    for pod in outdated:
        path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
        task.writer.delete(path, pod, restart=True)
        task.lines.append(f"Restart pod {namespace}/{pod['metadata']['name']}, which still has the old certificate.")
    return written if outdated else ""


def _written(secret: Object) -> str:
    """When the data of a Secret was last written, by the API server's clock (in check mode: would be); "" where nothing tells."""
    metadata = secret.get("metadata") or {}
    times = [str(entry["time"]) for entry in metadata.get("managedFields") or [] if "f:data" in (entry.get("fieldsV1") or {}) and entry.get("time")]
    return max(times, default=str(metadata.get("creationTimestamp") or ""))


def _service(release: objects.Release) -> Object:
    return next(body for body in objects.supporting_objects(release) if body["kind"] == "Service")


def _namespace_of(api: Object | None) -> str:
    service = ((api or {}).get("spec") or {}).get("service") or {}
    return str(service.get("namespace") or objects.NAMESPACE)


def _given_up(task: Task, error: waiting.NeverServed, before: Object | None) -> Exception:
    """Remove an APIService of ours that is dead, and say how to remove one of others.

    :param before: the APIService that was registered before this task; None where it was this task that did.
    """
    if before is not None and not error.dead:
        return error
    if before is not None and not objects.made_here(before):
        return waiting.NeverServed(
            f"{error.message} The APIService is dead and was not made by this collection, so that it was left. Until it answers it stalls the deletion of "
            f"namespaces and garbage collection: state=absent removes it, or kubectl delete apiservice {objects.API_SERVICE}.",
            dead=True,
        )
    waiting.grant_cleaning(task)
    found = task.writer.read(waiting.API_SERVICE)
    if found is None:
        return error
    task.writer.delete(waiting.API_SERVICE, found)
    task.lines.append(f"Delete APIService {objects.API_SERVICE} again: a dead one stalls the deletion of namespaces.")
    return waiting.NeverServed(f"{error.message} The APIService was removed again, since a dead one stalls the deletion of namespaces.", dead=False)
