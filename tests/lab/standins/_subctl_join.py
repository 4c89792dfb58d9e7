# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""subctl join: cmd/subctl/join.go and pkg/join/join.go of submariner-io/subctl, v0.16 to v0.19, in their order.

It ends well as soon as the Submariner resource exists, before anything has reconciled. Globalnet is not played.
"""

from __future__ import annotations

import ipaddress
import json
import re
import sys
import time
import typing as t

from tests.lab.client import ApiError, Object
from tests.lab.standins import _broker_info as broker_info
from tests.lab.standins import _subctl_objects as objects
from tests.lab.standins._broker_info import BrokerInfo
from tests.lab.standins._discovery import ClusterNetwork, DiscoveryError, discover
from tests.lab.standins._objects import CLUSTERS, GATEWAY_NODE_LABEL, NAMESPACE, SUBMARINERS
from tests.lab.standins._subctl_access import Access, with_token
from tests.lab.standins._subctl_deploy import RBAC_PATH, Context, NilPointerPanic, Values, ensure_operator, ensure_token, image_tag, until
from tests.lab.standins._subctl_view import AccessView

OLDEST_CONNECTIVITY, OLDEST_SERVICE_DISCOVERY = (1, 19), (1, 21)
# What admiral's backoff adds up to. Not scaled: it ends as soon as the lab's controllers are done, and they take what they take.
CREATE_ANEW_SECONDS = 167.0
CREATE_ANEW_POLL_SECONDS = 0.2
SERVED_SECONDS = 10.0
MASTER_LABEL = "node-role.kubernetes.io/master"
WORKER_LABEL = "node-role.kubernetes.io/worker"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Of k8s.io/apimachinery pkg/util/validation IsDNS1123Label.
_NO_DNS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character "
    "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


class Join:
    """One run of the command.

    :arg user_agent: also for the broker.
    """

    def __init__(self, context: Context, values: Values, info: BrokerInfo, user_agent: str) -> None:
        self._context = context
        self._access = context.access
        self._reporter = context.reporter
        self._values = dict(values)
        self._info = info
        self._user_agent = user_agent

    def run(self) -> None:
        """Raises Failed after it has said why."""
        self._choose_cluster_id()
        network = self._discover()
        self._choose_cidr("pod", "Pod", "clustercidr", network.pod_cidrs if network else ())
        self._choose_cidr("service", "Service", "servicecidr", network.service_cidrs if network else ())
        failing = self._context.failing
        if self._info.connectivity and self._values["label-gateway"]:
            with failing("Error retrieving the gateway nodes"):
                self._label_gateway()
        with failing("unable to check version requirements"):
            self._check_requirements()
        broker = self._broker()
        if self._context.version >= (0, 17):
            with failing("error retrieving broker Cluster CR"):
                self._check_unique(broker)
        if self._values["globalnet"]:
            with failing("unable to retrieve Globalnet information"):
                self._check_globalnet(broker)
        clusterset_cidr = None
        if self._context.version >= (0, 19) and self._info.discovers_services:
            with failing("unable to retrieve ClustersetIP information"):
                clusterset_cidr = self._clusterset_cidr(broker)
        self._deploy(broker, clusterset_cidr)
        self._reporter.end()

    def _choose_cluster_id(self) -> None:
        chosen = self._values["clusterid"]
        if not chosen:
            chosen = self._access.name if _DNS_LABEL.fullmatch(self._access.name) else sanitized(self._access.name)
        if not _DNS_LABEL.fullmatch(chosen):
            self._reporter.failure(f"Invalid cluster ID: {chosen} is not a valid ClusterID [{_NO_DNS_LABEL}]")
            chosen = self._ask("What is your cluster ID?", "Error collecting cluster ID")
        self._values["clusterid"] = chosen

    def _discover(self) -> ClusterNetwork | None:
        self._reporter.start("Discovering network details")
        network, error, clusterset_cidr = None, None, ""
        try:
            network, error = discover(AccessView(self._access), self._context.version)
            clusterset_cidr = self._clusterset_cidr_in_use()
        except ApiError as api_error:
            error = DiscoveryError(str(api_error))
        if error:
            self._reporter.warning(f"Unable to discover network details: {error}")
        elif network is None:
            self._reporter.warning("No network details discovered")
        self._reporter.end()
        if network:
            print(shown(network, clusterset_cidr), flush=True)
        return network

    def _clusterset_cidr_in_use(self) -> str:
        """Of the Submariner resource that is there, which 0.19's discovery looks at too (submariner-operator pkg/discovery/network/network.go)."""
        joined = self._access.find(f"{SUBMARINERS}/submariner") if self._context.version >= (0, 19) else None
        return str(joined["spec"].get("clustersetIPCIDR") or "") if joined else ""

    def _choose_cidr(self, lower: str, upper: str, flag: str, found: tuple[str, ...]) -> None:
        given = self._values[flag]
        if given and found and found[0] != given:
            self._reporter.warning(f"The provided {lower} CIDR for the cluster ({given}) does not match the discovered CIDR ({found[0]})")
        elif not given and not found:
            self._values[flag] = self._ask(f"What's the {upper} CIDR for your cluster?", "Error collecting CIDR")

    def _ask(self, question: str, failure: str) -> str:
        while True:
            print(f"? {question} ", end="", flush=True)
            line = sys.stdin.readline()
            if not line:
                print(flush=True)
                raise self._context.fail(failure, "EOF")
            if line.strip():
                return line.strip()
            print("X Sorry, your reply was invalid: Value is required", flush=True)

    def _label_gateway(self) -> None:
        self._reporter.start("Retrieving the gateway nodes")
        nodes = self._access.items("/api/v1/nodes")
        labelled = [_name(each) for each in nodes if _labels(each).get(GATEWAY_NODE_LABEL) == "true"]
        if labelled:
            print(f"   There are {len(labelled)} node(s) labeled as gateways:", *(f"    - {each}" for each in labelled), sep="\n", flush=True)
            self._reporter.end()
            return
        self._reporter.start("Retrieving all worker nodes")
        workers = worker_names(nodes)
        self._reporter.end()
        if not workers:
            self._reporter.warning("No worker node available to label as the gateway")
            return
        chosen = workers[0] if len(workers) == 1 else self._ask_for_gateway(workers)
        self._reporter.start(f'Labeling node "{chosen}" as a gateway')
        patch = {"metadata": {"labels": {GATEWAY_NODE_LABEL: "true"}}}
        self._access.request("PATCH", f"/api/v1/nodes/{chosen}", patch, "application/merge-patch+json")
        self._reporter.end()

    def _ask_for_gateway(self, workers: list[str]) -> str:
        answer = self._ask("Which node should be used as the gateway?  [Use arrows to move, type to filter]", "Error getting gateway node")
        return next((each for each in workers if answer in each), workers[0])

    def _check_requirements(self) -> None:
        version = self._access.get("/version")
        running = (int(version["major"]), int(version["minor"].rstrip("+")))
        failed = []
        if self._info.discovers_services and running < OLDEST_SERVICE_DISCOVERY and self._context.version >= (0, 17):
            failed.append(("service discovery", OLDEST_SERVICE_DISCOVERY))
        if running < OLDEST_CONNECTIVITY:
            failed.append(("connectivity", OLDEST_CONNECTIVITY))
        if failed:
            lines = [f"* Submariner {what} requires Kubernetes {a}.{b}; your cluster is running {running[0]}.{running[1]}\n" for what, (a, b) in failed]
            message = "The target cluster fails to meet Submariner's version requirements:\n" + "".join(lines)
            if not self._values["ignore-requirements"]:
                raise self._context.fail(message)
            self._reporter.warning(message)
        if self._values["coredns-custom-configmap"].count("/") > 1:
            what = "coredns-custom-configmap should be in <namespace>/<name> format, namespace is optional"
            raise self._context.fail("error validating custom CoreDNS config", what)
        with self._context.failing("Error calculating image overrides"):
            objects.image_overrides(self._values["image-override"], self._context.version)

    def _broker(self) -> Access:
        """The broker's API as its administrator, which must answer."""
        self._reporter.start("Gathering relevant information from Broker")
        info = self._info
        if not info.client_token:
            self._reporter.end()
            raise NilPointerPanic
        verify = self._values["check-broker-certificate"]
        with self._context.failing("Error retrieving broker admin config"):
            broker = with_token(info.broker_url, info.secret_text("token"), info.secret_text("ca.crt").encode(), verify, self._user_agent)
            broker.find(f"/apis/submariner.io/v1/namespaces/{info.namespace}/clusters")
        return broker

    def _check_unique(self, broker: Access) -> None:
        cluster_id = self._values["clusterid"]
        if self._access.find(f"{CLUSTERS}/{cluster_id}"):
            return
        if broker.find(f"/apis/submariner.io/v1/namespaces/{self._info.namespace}/clusters/{cluster_id}"):
            what = f'Detected an existing joined cluster with the same ID "{cluster_id}" on the broker.'
            raise self._context.fail(f"{what} Cluster IDs must be unique across all clusters")

    def _check_globalnet(self, broker: Access) -> None:
        self._reporter.start("Retrieving Globalnet information from the Broker")
        config = _config_map(broker, self._info.namespace, "globalnet")
        if self._context.version < (0, 19) and not config["data"].get("clusterinfo"):
            raise ValueError("error reading globalnet clusterInfo: unexpected end of JSON input")
        self._reporter.start("Validating Globalnet configuration")
        if json.loads(config["data"]["globalnetEnabled"]):
            raise self._context.fail("the stand-in of subctl does not play Globalnet")
        for flag, what in (("globalnet-cidr", "global CIDR"), ("globalnet-cluster-size", "cluster size")):
            if self._values[flag]:
                self._reporter.warning(f"Globalnet is not enabled on the Broker - ignoring the specified {what}")

    def _clusterset_cidr(self, broker: Access) -> str:
        self._reporter.start("Retrieving ClustersetIP information from the Broker")
        config = _config_map(broker, self._info.namespace, "clustersetip")
        self._reporter.start("Validating ClustersetIP configuration")
        self._reporter.start("Assigning ClustersetIP IPs")
        cluster_id = self._values["clusterid"]
        dealt = {each["cluster_id"]: each["global_cidr"][0] for each in json.loads(config["data"].get("clusterinfo") or "[]")}
        if json.loads(config["data"]["clustersetIPEnabled"]):
            self._values["enable-clusterset-ip"] = True
        if cluster_id in dealt:
            self._reporter.success(f"Using pre-configured clustersetip CIDR {dealt[cluster_id]}")
            self._reporter.end()
            return dealt[cluster_id]
        wanted = self._values["clusterset-ip-cidr"]
        with self._context.failing("unable to allocate clustersetip CIDR"):
            dealt[cluster_id] = wanted or first_free(json.loads(config["data"]["clustersetIPCidrRange"]), list(dealt.values()))
        said = "Using specified" if wanted else "Allocated"
        self._reporter.success(f"{said} clustersetip CIDR {dealt[cluster_id]}")
        self._reporter.start("Updating the ClustersetIP information on the Broker")
        config["data"]["clusterinfo"] = json.dumps([{"cluster_id": key, "global_cidr": [value]} for key, value in dealt.items()], indent="\t")
        broker.request("PUT", f"/api/v1/namespaces/{self._info.namespace}/configmaps/{config['metadata']['name']}", config)
        return dealt[cluster_id]

    def _deploy(self, broker: Access, clusterset_cidr: str | None) -> None:
        info, values, failing = self._info, self._values, self._context.failing
        self._reporter.start("Deploying the Submariner operator")
        with failing("Error deploying the operator"):
            ensure_operator(self._context, values)
        self._reporter.start("Creating SA for cluster")
        with failing("Error creating SA for cluster"):
            token = self._account(broker)
        self._reporter.start("Connecting to Broker")
        with failing("Error creating broker secret for cluster"):
            secret = self._broker_secret(token)
        if not info.connectivity:
            raise self._context.fail("the stand-in of subctl does not play a broker for service discovery only")
        self._reporter.start("Deploying submariner")
        if not info.ipsec_psk:
            self._reporter.end()
            raise NilPointerPanic
        outermost = "Error deploying the Submariner resource"
        with failing(outermost, "Error creating PSK secret for cluster"):
            psk = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": broker_info.PSK_SECRET, "namespace": NAMESPACE}, "data": info.ipsec_psk["data"]}
            self._create_anew(SECRETS, psk)
        version = self._context.version
        resource = objects.submariner(values, info, token, secret, image_tag(self._context, values), clusterset_cidr, version)
        with failing(outermost, "Submariner deployment failed"):
            until(lambda: self._access.find(SUBMARINERS), SERVED_SECONDS, "the Submariner kind is not served")
            self._create_anew(SUBMARINERS, resource)
        self._reporter.success("Submariner is up and running")

    def _account(self, broker: Access) -> Object:
        """The Secret with the token of this cluster's account at the broker."""
        account, where = f"cluster-{self._values['clusterid']}", self._info.namespace
        broker.ensure(f"/api/v1/namespaces/{where}/serviceaccounts", objects.service_account(account, where))
        bindings = f"{RBAC_PATH}/namespaces/{where}/rolebindings"
        binding = objects.broker_cluster_binding(account, where)
        if broker.find(f"{bindings}/{binding['metadata']['name']}") is None:
            broker.request("POST", bindings, binding)
        return ensure_token(broker, account, where)

    def _broker_secret(self, token: Object) -> str:
        """The local copy of the broker's token. Up to v0.17.2 each join leaves one more, of a generated name."""
        named = self._context.version.names_broker_secret
        metadata = {"name": objects.BROKER_SECRET} if named else {"generateName": "broker-secret-"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {**metadata, "namespace": NAMESPACE}, "type": "Opaque", "data": token["data"]}
        created = self._create_anew(SECRETS, secret) if named else self._access.request("POST", SECRETS, secret)
        return str(created["metadata"]["name"])

    def _create_anew(self, path: str, obj: Object) -> Object:
        """Creates an object; one of that name is deleted first, in the foreground, and waited for (admiral pkg/util CreateAnew).

        Upstream repeats the deletion in every round; once is enough.
        """
        name = obj["metadata"]["name"]
        deadline = time.monotonic() + CREATE_ANEW_SECONDS
        while True:
            try:
                return self._access.request("POST", path, obj)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
            if time.monotonic() > deadline:
                raise TimeoutError(f"error creating {obj['kind']} resource: error creating resource anew: timed out waiting for the condition")
            existing = self._access.find(f"{path}/{name}")
            if existing and not existing["metadata"].get("deletionTimestamp"):
                self._delete(f"{path}/{name}")
            time.sleep(CREATE_ANEW_POLL_SECONDS)

    def _delete(self, path: str) -> None:
        try:
            self._access.request("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"})
        except ApiError as error:
            if not error.not_found:
                raise


def worker_names(nodes: list[Object]) -> list[str]:
    """Nodes with the worker label; if there is none, those without the old master label (internal/nodes/nodes.go)."""
    workers = [_name(each) for each in nodes if WORKER_LABEL in _labels(each)]
    return workers or [_name(each) for each in nodes if MASTER_LABEL not in _labels(each)]


def sanitized(name: str) -> str:
    """A cluster's name as cluster ID (pkg/cluster/id.go SanitizeID)."""
    result = re.sub("[^a-z0-9-]+", "-", name.lower())
    if result.startswith("-"):
        result = "0" + result[1:]
    return result[:-1] + "0" if result.endswith("-") else result


def first_free(supernet: str, dealt: list[str], prefix: int = 20) -> str:
    """The first network of a size in a supernet that overlaps with none of those dealt."""
    taken = [ipaddress.ip_network(each) for each in dealt]
    for candidate in ipaddress.ip_network(supernet).subnets(new_prefix=prefix):
        if not any(candidate.overlaps(each) for each in taken):
            return str(candidate)
    raise ValueError(f"allocation not available in {supernet}")


def shown(network: ClusterNetwork, clusterset_cidr: str = "") -> str:
    """What join and show print of a network."""
    return "\n".join(
        (
            f"        Network plugin:  {network.plugin}",
            f"        Service CIDRs:   [{' '.join(network.service_cidrs)}]",
            f"        Cluster CIDRs:   [{' '.join(network.pod_cidrs)}]",
            *((f"        ClustersetIP CIDR:     {clusterset_cidr}",) if clusterset_cidr else ()),
        )
    )


def _config_map(broker: Access, namespace: str, what: str) -> Object:
    """The ConfigMap from which members are dealt their CIDRs. Raises ValueError when it cannot be read."""
    try:
        return broker.get(f"/api/v1/namespaces/{namespace}/configmaps/submariner-{what}-info")
    except ApiError as error:
        raise ValueError(f"error retrieving {what} ConfigMap: {error.message}") from None


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _labels(obj: Object) -> t.Mapping[str, str]:
    return obj["metadata"].get("labels") or {}
