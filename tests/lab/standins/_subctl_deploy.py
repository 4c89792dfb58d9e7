# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What join and deploy-broker of subctl have in common, and deploy-broker (pkg/operator, pkg/deploy/broker.go, pkg/broker).

The CRDs are the lab's own; subctl brings them all, where upstream leaves some to the operator.
"""

from __future__ import annotations

import json
import secrets
import time
import typing as t
from pathlib import Path

import yaml

from tests.lab.client import ApiError, Object
from tests.lab.standins import _broker_info as broker_info
from tests.lab.standins import _subctl_objects as objects
from tests.lab.standins._objects import BROKER_NAMESPACE, DEPLOYMENTS, NAMESPACE, OPERATOR
from tests.lab.standins._subctl_access import Access
from tests.lab.standins._subctl_reporter import Reporter
from tests.lab.standins._version import SubmarinerVersion

CRDS = Path(__file__).parent.parent / "crds" / "submariner.yaml"
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
RBAC_PATH = "/apis/rbac.authorization.k8s.io/v1"
AVAILABLE_SECONDS = 600.0
TOKEN_SECONDS = 10.0
POLL_SECONDS = 0.2
COMPONENTS = ("service-discovery", "connectivity")

Values = t.Mapping[str, t.Any]


class Failed(Exception):
    """The command ends with exit code 1; the reporter has said why."""


class Context(t.NamedTuple):
    """What every command needs.

    :ivar version: the release that is played.
    :ivar tag: the same as the images' tag.
    """

    access: Access
    reporter: Reporter
    version: SubmarinerVersion
    tag: str

    def fail(self, message: str, error: object = "") -> Failed:
        """Says why and ends the phase. The caller raises what it returns."""
        self.reporter.failure(f"{message}: {error}" if error else message)
        self.reporter.end()
        return Failed(message)


def image_tag(context: Context, values: Values) -> str:
    return values["version"] or context.tag


def ensure_operator(context: Context, values: Values) -> None:
    """CRDs, namespace, accounts, roles and Deployment of the operator; returns when that is Available."""
    access, reporter = context.access, context.reporter
    if any([access.ensure(CRD_PATH, each) for each in yaml.safe_load_all(CRDS.read_text(encoding="utf-8")) if each]):
        reporter.success("Created operator CRDs")
    if access.ensure("/api/v1/namespaces", objects.namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "privileged"})):
        reporter.success(f"Created operator namespace: {NAMESPACE}")
    created = [_ensure_account(access, *each) for each in objects.member_accounts()]
    for name, new in (("operator", created[0]), ("submariner", any(created[1:3])), ("lighthouse", any(created[3:]))):
        if new:
            reporter.success(f"Created {name} service account and role")
    proxies = {f"{kind.upper()}_PROXY": str(values.get(f"{kind}-proxy") or "") for kind in ("http", "https", "no")}
    deployment = objects.operator_deployment(objects.image(values, image_tag(context, values)), values["operator-debug"], proxies)
    if access.ensure(DEPLOYMENTS, deployment):
        reporter.success("Deployed the operator successfully")
    timed_out = "error awaiting Deployment ready: timed out waiting for the condition"
    until(lambda: _available(access.get(f"{DEPLOYMENTS}/{OPERATOR}")), AVAILABLE_SECONDS, timed_out)


def until(done: t.Callable[[], t.Any], seconds: float, otherwise: str) -> t.Any:
    """Asks again and again until the answer is true, and returns it. Raises TimeoutError with the given text."""
    deadline = time.monotonic() + seconds
    while True:
        answer = done()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(POLL_SECONDS)


def ensure_token(access: Access, account: str, where: str) -> Object:
    """The Secret with a token of a service account, made if there is none (pkg/serviceaccount/ensure.go EnsureTokenSecret)."""
    path = f"/api/v1/namespaces/{where}/secrets"

    def found() -> Object | None:
        for each in access.items(path):
            if (each["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name") == account:
                return each
        return None

    if found() is None:
        access.request("POST", path, objects.token_secret(account, where))

    def with_token() -> Object | None:
        secret = found()
        return secret if secret and (secret.get("data") or {}).get("token") else None

    return t.cast(Object, until(with_token, TOKEN_SECONDS, f"the token was not generated for service account {account!r}"))


def deploy_broker(context: Context, values: Values) -> None:
    """The command. Leaves broker-info.subm in the working directory."""
    where = values["namespace"] or BROKER_NAMESPACE
    for each in values["components"]:
        if each not in COMPONENTS:
            raise context.fail("invalid components parameter", f"unknown component: {each}")
    if values["globalnet"]:
        raise context.fail("the stand-in of subctl does not play Globalnet")
    try:
        _deploy_broker(context, values, where)
        info = _new_info(context, values, where)
    except (ApiError, TimeoutError) as error:
        raise context.fail("error deploying the broker", error) from None
    context.reporter.start(f'Saving broker info to file "{broker_info.NAME}"')
    backup = broker_info.write(Path.cwd(), info)
    if backup:
        context.reporter.success(f'Backed up previous file "{broker_info.NAME}" to "{backup}"')
    context.reporter.end()


def _deploy_broker(context: Context, values: Values, where: str) -> None:
    access, reporter = context.access, context.reporter
    reporter.start("Setting up broker RBAC")
    access.ensure("/api/v1/namespaces", objects.namespace(where, {}))
    access.ensure(f"/api/v1/namespaces/{where}/serviceaccounts", objects.service_account(objects.BROKER_ADMIN, where))
    ensure_token(access, objects.BROKER_ADMIN, where)
    for each in objects.broker_roles(where):
        access.ensure(f"{RBAC_PATH}/namespaces/{where}/roles", each)
    access.ensure(f"{RBAC_PATH}/namespaces/{where}/rolebindings", objects.broker_admin_binding(where))
    reporter.start("Deploying the Submariner operator")
    ensure_operator(context, values)
    reporter.start("Deploying the broker")
    until(lambda: access.find(f"/apis/submariner.io/v1alpha1/namespaces/{where}/brokers"), TOKEN_SECONDS, "the Broker kind is not served")
    access.ensure(f"/apis/submariner.io/v1alpha1/namespaces/{where}/brokers", objects.broker_resource(values, context.version, where))
    for name, data in _broker_config(values, context.version).items():
        if access.find(f"/api/v1/namespaces/{where}/configmaps/{name}") is None:
            config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": where}, "data": data}
            access.ensure(f"/api/v1/namespaces/{where}/configmaps", config)
    reporter.end()


def _broker_config(values: Values, version: SubmarinerVersion) -> dict[str, dict[str, str]]:
    """ConfigMaps from which members are dealt their CIDRs; values are JSON."""
    found = {"submariner-globalnet-info": {"globalnetEnabled": "false", "clusterinfo": "[]"}}
    if version >= (0, 19):
        found["submariner-clustersetip-info"] = {
            "clustersetIPEnabled": json.dumps(values["enable-clusterset-ip"]),
            "clustersetIPCidrRange": json.dumps(values["clusterset-ip-cidr-range"]),
            "clustersetIPClusterSize": "4096",
            "clusterinfo": "[]",
        }
    return found


def _new_info(context: Context, values: Values, where: str) -> broker_info.BrokerInfo:
    psk = broker_info.psk_secret(secrets.token_bytes(48))
    if values["ipsec-psk-from"]:
        try:
            psk = broker_info.read(values["ipsec-psk-from"]).ipsec_psk
        except broker_info.BrokerInfoError as error:
            raise context.fail(f'error importing IPsec PSK from file "{values["ipsec-psk-from"]}"', error) from None
    return broker_info.BrokerInfo(
        broker_url=values.get("broker-url") or context.access.server,
        client_token=ensure_token(context.access, objects.BROKER_ADMIN, where),
        ipsec_psk=psk,
        service_discovery="service-discovery" in values["components"],
        components=values["components"],
        custom_domains=values["custom-domains"] or None,
    )


def _ensure_account(access: Access, account: Object, role: Object, binding: Object) -> bool:
    created = access.ensure(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
    access.ensure(f"{RBAC_PATH}/clusterroles", role)
    access.ensure(f"{RBAC_PATH}/clusterrolebindings", binding)
    return created


def _available(deployment: Object) -> bool:
    return any(each["type"] == "Available" and each["status"] == "True" for each in (deployment.get("status") or {}).get("conditions") or [])
