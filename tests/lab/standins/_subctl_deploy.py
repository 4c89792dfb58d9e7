# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What join and deploy-broker of subctl have in common, and deploy-broker (pkg/operator, pkg/deploy/broker.go, pkg/broker).

The CRDs are the lab's own; subctl brings them all, where upstream leaves some to the operator.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
import typing as t
from pathlib import Path

import yaml

from tests.lab.client import ApiError, Object
from tests.lab.standins import _broker_info as broker_info
from tests.lab.standins import _subctl_objects as objects
from tests.lab.standins._objects import BROKER_NAMESPACE, DEPLOYMENTS, LIGHTHOUSE_AGENT, LIGHTHOUSE_COREDNS, NAMESPACE, OPERATOR
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


class NilPointerPanic(Exception):
    """Go dereferenced what is not there: the process ends with a stack trace and exit code 2."""


def capitalised(message: str) -> str:
    """As admiral's pkg/reporter prints every error: its own first letter is a capital, those of wrapped errors stay."""
    return message[:1].upper() + message[1:]


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
        self.reporter.failure(capitalised(f"{message}: {error}" if error else message))
        self.reporter.end()
        return Failed(message)

    @contextlib.contextmanager
    def failing(self, *messages: str) -> t.Iterator[None]:
        """Turns what goes wrong inside into Failed with these texts, outermost first; each is reported with all those inside it, as upstream does."""
        try:
            yield
        except (ApiError, TimeoutError, ValueError) as error:
            why = error.message if isinstance(error, ApiError) else str(error)
            for message in reversed(messages[1:]):
                why = f"{message}: {why}"
                self.reporter.failure(capitalised(why))
            raise self.fail(messages[0], why) from None


def image_tag(context: Context, values: Values) -> str:
    return values["version"] or context.tag


def ensure_operator(context: Context, values: Values) -> None:
    """CRDs, namespace, accounts, roles and Deployment of the operator; returns when that is Available."""
    access, reporter = context.access, context.reporter
    definitions = [each for each in yaml.safe_load_all(CRDS.read_text(encoding="utf-8")) if context.version.has_kind(each["spec"]["names"]["kind"])]
    if any([access.ensure(CRD_PATH, each) for each in definitions]):
        reporter.success("Created operator CRDs")
    access.ensure("/api/v1/namespaces", objects.namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "privileged"}))
    # Upstream takes its update of a namespace that is there for a creation.
    reporter.success(f"Created operator namespace: {NAMESPACE}")
    created = {account["metadata"]["name"]: _ensure_account(access, account, *rights) for account, *rights in objects.member_accounts(context.version)}
    lighthouse = (LIGHTHOUSE_AGENT, LIGHTHOUSE_COREDNS)
    groups = (("operator", (OPERATOR,)), ("submariner", tuple(each for each in created if each not in (OPERATOR, *lighthouse))), ("lighthouse", lighthouse))
    for name, accounts in groups:
        if any(created[each] for each in accounts):
            reporter.success(f"Created {name} service account and role")
    proxies = {f"{kind.upper()}_PROXY": str(values.get(f"{kind}-proxy") or "") for kind in ("http", "https", "no")}
    deployment = objects.operator_deployment(objects.image(values, image_tag(context, values), context.version), values["operator-debug"], proxies)
    deployed = access.ensure(DEPLOYMENTS, deployment)
    timed_out = "error awaiting Deployment ready: context deadline exceeded"
    until(lambda: _available(access.get(f"{DEPLOYMENTS}/{OPERATOR}")), AVAILABLE_SECONDS, timed_out)
    if deployed:
        reporter.success("Deployed the operator successfully")


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
    if not values["components"]:
        raise context.fail("invalid components parameter", "at least one component must be provided for deployment")
    for each in values["components"]:
        if each not in COMPONENTS:
            raise context.fail("invalid components parameter", f"unknown component: {each}")
    if values["globalnet"]:
        raise context.fail("the stand-in of subctl does not play Globalnet")
    _deploy_broker(context, values, where)
    with context.failing("error getting broker admin SA secret"):
        info = _new_info(context, values, where)
    context.reporter.start(f'Saving broker info to file "{broker_info.NAME}"')
    backup = broker_info.write(Path.cwd(), info)
    if backup:
        context.reporter.success(f'Backed up previous file "{broker_info.NAME}" to "{backup}"')
    context.reporter.end()


def _deploy_broker(context: Context, values: Values, where: str) -> None:
    access, reporter = context.access, context.reporter
    reporter.start("Setting up broker RBAC")
    with context.failing("error setting up broker RBAC"):
        access.ensure("/api/v1/namespaces", objects.namespace(where, {}))
        access.ensure(f"/api/v1/namespaces/{where}/serviceaccounts", objects.service_account(objects.BROKER_ADMIN, where))
        ensure_token(access, objects.BROKER_ADMIN, where)
        for each in objects.broker_roles(where):
            access.ensure(f"{RBAC_PATH}/namespaces/{where}/roles", each)
        access.ensure(f"{RBAC_PATH}/namespaces/{where}/rolebindings", objects.broker_admin_binding(where))
    reporter.start("Deploying the Submariner operator")
    with context.failing("error deploying Submariner operator"):
        ensure_operator(context, values)
    reporter.start("Deploying the broker")
    with context.failing("Broker deployment failed"):
        until(lambda: access.find(f"/apis/submariner.io/v1alpha1/namespaces/{where}/brokers"), TOKEN_SECONDS, "the Broker kind is not served")
        access.ensure(f"/apis/submariner.io/v1alpha1/namespaces/{where}/brokers", objects.broker_resource(values, context.version, where))
        for config in broker_config_maps(values, context.version, where):
            if access.find(f"/api/v1/namespaces/{where}/configmaps/{config['metadata']['name']}") is None:
                access.ensure(f"/api/v1/namespaces/{where}/configmaps", config)
    reporter.end()


def broker_config_maps(values: Values, version: SubmarinerVersion, where: str) -> list[Object]:
    """Those from which members are dealt their CIDRs; values are JSON (submariner-operator pkg/discovery/{globalnet,clustersetip}).

    A list of members is there from the start up to 0.18, whose join cannot do without; since 0.19 the first join writes it.
    """
    globalnet = {"globalnetEnabled": "false", **({} if version >= (0, 19) else {"clusterinfo": "[]"})}
    found = [("submariner-globalnet-info", {"labels": {"component": "submariner-globalnet"}}, globalnet)]
    if version >= (0, 19):
        clusterset = {
            "clustersetIPEnabled": json.dumps(values["enable-clusterset-ip"]),
            "clustersetIPCidrRange": json.dumps(values["clusterset-ip-cidr-range"]),
            "clustersetIPClusterSize": "0",
        }
        found.append(("submariner-clustersetip-info", {}, clusterset))
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": where, **labels}, "data": data} for name, labels, data in found
    ]


def _new_info(context: Context, values: Values, where: str) -> broker_info.BrokerInfo:
    psk = broker_info.psk_secret(secrets.token_bytes(48))
    if values["ipsec-psk-from"]:
        try:
            psk = broker_info.read(values["ipsec-psk-from"]).ipsec_psk
        except broker_info.BrokerInfoError as error:
            raise context.fail(f'error importing IPsec PSK from file "{values["ipsec-psk-from"]}"', error) from None
        if not psk:
            raise NilPointerPanic
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
