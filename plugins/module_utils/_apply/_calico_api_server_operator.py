# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The Calico API server where tigera-operator installs it: asked for, its certificate issued anew, and given up again.

It is asked for by an operator.tigera.io APIServer, which on RKE2 chart rke2-calico renders from its value ``apiServer.enabled``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_wait as waiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import set_values
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_request import VALUE
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_decision import HELM, RKE2, ROKS, Decision, chart_config, release_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_secret import SIGNER, issued_by_operator, names
from ansible_collections.fathom.submariner.plugins.module_utils._calico._dead_api import DeadCause
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

REQUESTS = "/apis/operator.tigera.io/v1/apiservers"
OPERATOR_NAMESPACE = "tigera-operator"
WHY = "Calico's projectcalico.org/v3 API, through which Submariner makes the IPPools of remote clusters, is served"
WHY_NOT = "the Calico API server is not installed any more"

_AFTER_UPGRADE = "Right before this cluster is upgraded to OpenShift 4.16, from which on IBM installs it, remove the API server again (state=absent)."


def enable(task: Task, snapshot: Snapshot, decision: Decision) -> None:
    """Ask for the API server where the request lasts, wait for it to answer, and take the request back where it leaves something dead."""
    if decision.route == RKE2:
        set_values(task, snapshot, {"apiServer": {"enabled": True}}, why=WHY)
    else:
        if decision.route == HELM:
            set_values(task, snapshot, {"apiServer": {"enabled": True}}, why=WHY)
        body = objects.operator_request(*release_of(snapshot))
        task.writer.create(REQUESTS, body)
        task.lines.append("Create operator.tigera.io/v1 APIServer default, so that the operator installs the Calico API server.")
        if decision.request.method.platform == ROKS:
            task.people.append(Person(_AFTER_UPGRADE, "APIServer default"))
    if task.check_mode or not task.params["wait"]:
        return
    try:
        waiting.await_served(task)
    except waiting.NeverServed as error:
        raise _taken_back(task, snapshot, decision, error) if error.dead else error from error


def tell_person(task: Task, snapshot: Snapshot, decision: Decision) -> None:
    """Hand over what this collection may not write: a Helm release's value, or an object on a cluster whose Calico is IBM's."""
    if decision.request.method.platform == ROKS:
        text = f"{decision.request.enable}. This task does it with force=true. {_AFTER_UPGRADE}"
        task.people.append(Person(text, "APIServer default", dump(objects.operator_request())))
    else:
        set_values(task, snapshot, {"apiServer": {"enabled": True}}, why=WHY)


def await_operator(task: Task) -> None:
    """Wait for what was asked for before this task, whose request is not this task's to take back.

    :raises NeverServed: it does not answer; where it is dead, says what ends the harm.
    """
    if not task.params["wait"] or task.check_mode:
        return
    try:
        waiting.await_served(task)
    except waiting.NeverServed as error:
        if not error.dead:
            raise
        # Removed alone it would be back at once: the operator makes it as long as it is asked for.
        raise waiting.NeverServed(
            f"{error.message} The APIService is dead, and was asked for before this task, so that it was left. Until it answers it stalls the deletion of "
            "namespaces and garbage collection: state=absent takes the request back, and the operator removes it.",
            dead=True,
        ) from error


def reissue(task: Task, decision: Decision) -> None:
    """Delete the certificate's Secrets: the operator makes them anew for the names that it has now, and rolls the pods out, since their template has a hash of
    the certificate (tigera/operator pkg/render/apiserver.go). A user's own key is nowhere else, so that a person gets that."""
    namespace = t.cast(DeadCause, decision.cause).namespace
    found = {where: task.writer.read(_secret(where)) for where in dict.fromkeys((OPERATOR_NAMESPACE, namespace))}
    foreign = next((where for where, secret in found.items() if secret is not None and not issued_by_operator(secret)), "")
    if foreign:
        own = f"Secret {OPERATOR_NAMESPACE}/{objects.SECRET}"
        task.people.append(
            Person(
                f"The Calico API server does not answer: {decision.why}. The certificate in Secret {foreign}/{objects.SECRET} was not issued by the operator "
                f"(its issuer is no {SIGNER}): it is a user's, which the operator does not renew, and nothing was deleted. Put one that is valid for "
                f"{', '.join(names(namespace))} with its key into tls.crt and tls.key of {own}: the operator copies it and restarts the pods. To have "
                "the operator issue one instead, save the Secret and delete it.",
                own,
            )
        )
        return
    for where, secret in found.items():
        if secret is not None:
            task.writer.delete(_secret(where), secret)
            task.lines.append(f"Delete Secret {where}/{objects.SECRET}, so that the operator makes another one: {decision.why}.")
    await_operator(task)


def _secret(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{objects.SECRET}"


def remove(task: Task, snapshot: Snapshot, decision: Decision) -> None:
    """Take the request back where it lasts; a left-over APIService goes, too."""
    servers = snapshot.operator_api_servers
    if not servers.known:
        raise SubmarinerError(f"{task.member.name}: whether the API server was asked for is unknown: {decision.request.why}. Nothing was written.")
    config = chart_config(snapshot)
    asked = config is not None and config.values.get(VALUE, "").lower() == "true"
    if decision.route == RKE2 and (servers.items or asked):
        set_values(task, snapshot, {"apiServer": {"enabled": False}}, why=WHY_NOT)
    elif decision.route == HELM and servers.items:
        set_values(task, snapshot, {"apiServer": {"enabled": False}}, why=WHY_NOT)
        if not task.params["write_live"]:
            return
    for server in servers.items:
        path = f"{REQUESTS}/{server.ref.name}"
        found = task.writer.read(path)
        if found is not None and (decision.route != RKE2 or not _of_helm(found)):
            task.writer.delete(path, found)
            task.lines.append(f"Delete operator.tigera.io/v1 {server.ref}.")
    if not servers.items:
        _remove_left_over(task)
    if task.writer.changed and task.params["wait"] and not task.check_mode:
        waiting.await_gone(task)


def _remove_left_over(task: Task) -> None:
    found = task.writer.read(waiting.API_SERVICE)
    if found is not None:
        task.writer.delete(waiting.API_SERVICE, found)
        task.lines.append(f"Delete the left-over APIService {objects.API_SERVICE}.")


def _of_helm(found: t.Mapping[str, t.Any]) -> bool:
    """Helm deletes what it made once its chart does not render it any more."""
    return ((found.get("metadata") or {}).get("labels") or {}).get(objects.MANAGED_BY) == "Helm"


def _taken_back(task: Task, snapshot: Snapshot, decision: Decision, error: waiting.NeverServed) -> Exception:
    """Undo the request of this task, so that the operator removes the dead APIService, or remove that where it does not."""
    waiting.grant_cleaning(task)
    if decision.route == RKE2:
        config = chart_config(snapshot)
        before = {"true": True, "false": False}.get(config.values.get(VALUE, "").lower()) if config else None
        set_values(task, snapshot, {"apiServer": {"enabled": before}}, why="nothing dead is left registered")
    else:
        path = f"{REQUESTS}/default"
        found = task.writer.read(path)
        if found is not None:
            task.writer.delete(path, found)
            task.lines.append("Delete operator.tigera.io/v1 APIServer default again.")
    try:
        waiting.await_gone(task)
    except SubmarinerError:
        _remove_left_over(task)
    return waiting.NeverServed(
        f"{error.message} What was asked for was taken back, and the APIService removed, since a dead one stalls the deletion of namespaces.", dead=False
    )
