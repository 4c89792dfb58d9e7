# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about the Calico API in each way of installing Calico and each state of it, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_decision as decisions
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _dead_api as dead
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_decision import Wanted, decide_absent, decide_present
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    TIMED_OUT,
    UNAVAILABLE,
    ApiService,
    ContainerStatus,
    DatastoreMigration,
    HelmChartConfig,
    Node,
    Pod,
    Ref,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, not_served, ok

AUTO = Wanted()
LIVE = Wanted(apply_live=True)
FORCED = Wanted(force=True)
OLD_NAME = "x509: certificate is valid for calico-api.calico-apiserver.svc, not calico-api.calico-system.svc"


def never(pod):
    return False


def always(pod):
    return True


def service(available, reason, message="", name="calico-system/calico-api"):
    return ok(ApiService(Ref("APIService", "v3.projectcalico.org"), name, available, reason, message))


def absent(method, **changes):
    return cluster(**{"ip_pools_v3": not_served(), **method(**changes)})


def broken(method, reason="FailedDiscoveryCheck", message=OLD_NAME, **changes):
    given = {"ip_pools_v3": answer(UNAVAILABLE), "api_services": service(False, reason, message)}
    if method in (methods.operator, methods.rke2, methods.helm):
        given["operator_api_servers"] = ok(methods.api_server(state=""))
    return cluster(**{**given, **method(**{**given, **changes})})


def config(value=None, problem=""):
    return ok(HelmChartConfig(Ref("HelmChartConfig", "rke2-calico", "kube-system"), {"apiServer.enabled": value} if value else {}, problem))


def present(snapshot, wanted=AUTO, is_fresh=never):
    return decide_present(snapshot, wanted, is_fresh)


class TestNotServed:
    @pytest.mark.parametrize(
        ("method", "wanted", "action", "route"),
        [
            (methods.rke2, AUTO, decisions.ENABLE, "rke2"),
            (methods.rke2, Wanted("operator"), decisions.ENABLE, "operator"),
            (methods.operator, AUTO, decisions.ENABLE, "operator"),
            (methods.helm, AUTO, decisions.PERSON, "helm"),
            (methods.helm, LIVE, decisions.ENABLE, "helm"),
            (methods.helm, Wanted("operator"), decisions.ENABLE, "operator"),
            (methods.kubespray, AUTO, decisions.PERSON, "kubespray"),
            (methods.kubespray, LIVE, decisions.CONVERGE, "kubespray"),
            (methods.kubespray, Wanted("manifest"), decisions.CONVERGE, "manifest"),
            (methods.manifest, AUTO, decisions.CONVERGE, "manifest"),
            (methods.manifest, Wanted("kubespray"), decisions.PERSON, "kubespray"),
            (methods.microk8s, AUTO, decisions.CONVERGE, "manifest"),
            (methods.roks, AUTO, decisions.PERSON, "operator"),
            (methods.roks, FORCED, decisions.ENABLE, "operator"),
        ],
    )
    def test_it_is_enabled_where_that_lasts(self, method, wanted, action, route):
        decision = present(absent(method), wanted)
        assert (decision.action, decision.route, decision.state.state) == (action, route, "none")

    @pytest.mark.parametrize(
        ("method", "wanted"),
        [(methods.rke2, "manifest"), (methods.operator, "rke2"), (methods.operator, "helm"), (methods.manifest, "operator"), (methods.kubespray, "helm")],
    )
    def test_a_method_that_cannot_be_is_an_error_of_input(self, method, wanted):
        with pytest.raises(InputError, match=f"method is '{wanted}'.*Possible here: auto, .*Nothing was written"):
            present(absent(method), Wanted(wanted))

    def test_what_was_asked_for_is_awaited(self):
        for snapshot in (
            absent(methods.operator, operator_api_servers=ok(methods.api_server(state=""))),
            absent(methods.helm, operator_api_servers=ok(methods.api_server(state=""))),
            absent(methods.rke2, operator_api_servers=ok(methods.api_server(state=""))),
            absent(methods.rke2, helm_chart_configs=config("true")),
        ):
            assert present(snapshot).action == decisions.AWAIT

    def test_a_chart_that_asks_by_default_is_asked_again(self):
        """Somebody deleted the APIServer; a value that Helm has not rendered yet brings it back."""
        assert present(absent(methods.rke2, version="v3.22.101")).action == decisions.ENABLE
        assert present(absent(methods.rke2, helm_chart_configs=config("false"))).action == decisions.ENABLE

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"operator_api_servers": ok(methods.api_server(), methods.api_server("tigera-secure"))}, "there are 2 APIServers.*Delete the"),
            ({"operator_api_servers": answer(FORBIDDEN)}, "whether the API server was asked for is unknown"),
            ({"helm_chart_configs": config(problem="line 3")}, "cannot be read .line 3.*Repair the YAML first"),
            ({"helm_chart_configs": answer(FORBIDDEN)}, "HelmChartConfigs could not be read"),
        ],
    )
    def test_what_is_unknown_is_not_guessed(self, changes, why):
        with pytest.raises(RefusedError, match=f"{why}.*Nothing was written"):
            present(absent(methods.rke2, **changes))

    @pytest.mark.parametrize("wanted", [AUTO, FORCED])
    @pytest.mark.parametrize(("version", "why"), [("v1.29.8+632b078", "on this cluster's version IBM"), ("", "could not be read")])
    def test_ibms_own_is_ibms(self, wanted, version, why):
        with pytest.raises(RefusedError, match=f"{why}.*open a case with IBM Cloud"):
            present(absent(lambda **more: methods.roks(version, **more)), wanted)


class TestServed:
    @pytest.mark.parametrize(
        ("method", "wanted", "action"),
        [
            (methods.rke2, AUTO, decisions.KEEP),
            (methods.operator, AUTO, decisions.KEEP),
            (methods.helm, LIVE, decisions.KEEP),
            (methods.kubespray, AUTO, decisions.KEEP),
            (methods.kubespray, LIVE, decisions.CONVERGE),
            (methods.manifest, AUTO, decisions.CONVERGE),
            (methods.roks, AUTO, decisions.KEEP),
        ],
    )
    def test_only_objects_that_nobody_looks_after_are_looked_at(self, method, wanted, action):
        assert present(cluster(**method()), wanted).action == action

    def test_ibms_own_is_left_alone(self):
        assert present(cluster(**methods.roks("v1.29.8+632b078"))).action == decisions.KEEP

    @pytest.mark.parametrize("decide", [present, lambda snapshot: decide_absent(snapshot, FORCED)])
    def test_native_definitions_need_nothing(self, decide):
        decision = decide(cluster(**methods.operator(api_services=service(True, "Local", name=""))))
        assert (decision.action, decision.state.state) == (decisions.KEEP, "native")


class TestDead:
    @pytest.mark.parametrize("method", [methods.rke2, methods.operator, methods.helm])
    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            (OLD_NAME, dead.WRONG_NAME),
            ("x509: certificate has expired or is not yet valid", dead.EXPIRED),
            ("x509: certificate signed by unknown authority", dead.UNTRUSTED),
        ],
    )
    def test_the_operator_issues_a_new_certificate(self, method, message, cause):
        decision = present(broken(method, message=message))
        assert (decision.action, decision.cause.cause, decision.cause.namespace) == (decisions.REISSUE, cause, "calico-system")

    def test_what_cannot_be_repaired_from_here_is_refused_with_what_can(self):
        with pytest.raises(RefusedError, match="does not answer: it has no pods.*Scale Deployment.*Nothing was written"):
            present(broken(methods.operator, "MissingEndpoints", "no endpoints"))
        with pytest.raises(RefusedError, match="does not reach its pods on TCP 5443. Open TCP 5443"):
            present(broken(methods.operator, message="dial tcp 10.0.0.1:5443: i/o timeout"))

    @pytest.mark.parametrize("method", [methods.rke2, methods.operator])
    def test_a_left_over_that_nobody_asked_for_is_replaced_by_a_request(self, method):
        snapshot = broken(method, "ServiceNotFound", operator_api_servers=ok())
        assert present(snapshot).action == decisions.ENABLE

    def test_objects_of_a_manifest_are_made_and_corrected(self):
        decision = present(broken(methods.manifest, "ServiceNotFound", "service is not present"))
        assert (decision.action, decision.cause.cause) == (decisions.CONVERGE, dead.SERVICE_GONE)
        assert present(broken(methods.kubespray), LIVE).action == decisions.CONVERGE

    def test_kubesprays_is_left_to_its_role(self):
        decision = present(broken(methods.kubespray))
        assert decision.action == decisions.PERSON
        assert "cluster.yml --tags network" in decision.person[0] and "calico-apiserver-certs" in decision.person[1]


class TestFirstRollout:
    WAITING = {"installations": ok(methods.installation(variant=""))}

    def calico_pods(self, *statuses):
        pods = [
            Pod(
                Ref("Pod", f"calico-node-{number}", "calico-system"), "u", f"node-{number}", True, "Running", not status, (), {"k8s-app": "calico-node"},
                created="2026-01-01T00:00:00Z", owner="DaemonSet/calico-node", statuses=status,
            )
            for number, status in enumerate(statuses)
        ]
        return {"pods": ok(*pods)}

    def test_it_is_asked_for_and_awaited_while_nothing_holds_it_back(self):
        assert present(absent(methods.operator, **self.WAITING)).action == decisions.ENABLE
        asked = absent(methods.operator, **self.WAITING, operator_api_servers=ok(methods.api_server(state="")))
        assert (present(asked).action, present(asked).why) == (decisions.AWAIT, "the operator waits for Calico's first rollout")

    def test_what_holds_it_back_is_named(self):
        pull = ContainerStatus("calico-node", False, 0, "docker.io/calico/node:v3.30.3", waiting_reason="ImagePullBackOff", waiting_message="not found")
        snapshot = absent(methods.operator, **self.WAITING, **self.calico_pods((), (pull,)))
        with pytest.raises(RefusedError, match=r"first rollout.*calico-node on node-1 \(image-pull: docker.io/calico/node:v3.30.3\).*Nothing was written"):
            present(snapshot)

    def test_a_pod_that_just_needs_its_time_holds_nothing_back(self):
        waits = ContainerStatus("calico-node", False, 0, "image")
        snapshot = absent(methods.operator, **self.WAITING, **self.calico_pods((waits,)))
        assert present(snapshot, is_fresh=always).action == decisions.ENABLE
        with pytest.raises(RefusedError, match="node-0"):
            present(snapshot)


class TestRefusedAltogether:
    @pytest.mark.parametrize("decide", [present, lambda snapshot: decide_absent(snapshot, FORCED)])
    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"datastore_migrations": ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), "Migrating"))}, "migrates to native"),
            ({"datastore_migrations": ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), "Converged"))}, "in phase Converged"),
            ({"nodes": ok(Node(Ref("Node", "n1"), {"projectcalico.org/operator-node-migration": "migrating"}, {}, (), (), True, "v1.30.4", ""))}, "on n1"),
            (methods.canal(), "canal"),
            ({"ip_pools_v3": answer(TIMED_OUT)}, "whether projectcalico.org/v3 is served is unknown"),
            ({"ip_pools_v3": answer(NOT_READ)}, "is unknown"),
            ({"installations": answer(FORBIDDEN), **{key: not_served() for key in ("helm_charts", "operator_api_servers")}}, "forbidden"),
        ],
    )
    def test_nothing_is_written(self, decide, changes, why):
        with pytest.raises(RefusedError, match=why):
            decide(cluster(**changes))

    def test_calico_with_etcd(self):
        node = methods.calico_node(DATASTORE_TYPE="etcdv3")
        with pytest.raises(RefusedError, match="etcd"):
            present(cluster(**methods.without_operator(node), ip_pools_v3=not_served(), ip_pools_v1=not_served()))


class TestAbsent:
    def test_it_stays_while_submariner_needs_it(self):
        with pytest.raises(RefusedError, match="Submariner submariner-operator/submariner is joined as cluster-1.*force=true.*Nothing was written"):
            decide_absent(cluster(**methods.operator()), AUTO)
        assert decide_absent(cluster(**methods.operator()), FORCED).action == decisions.REMOVE

    def test_it_may_go_without_submariner(self):
        assert decide_absent(cluster(joined=False, **methods.operator()), AUTO).action == decisions.REMOVE

    def test_whether_submariner_needs_it_must_be_known(self):
        snapshot = cluster(**methods.operator(), joined=False, submariners=answer(FORBIDDEN))
        with pytest.raises(RefusedError, match="whether Submariner needs the API server is unknown"):
            decide_absent(snapshot, AUTO)

    def test_a_dead_one_serves_nobody(self):
        assert decide_absent(broken(methods.manifest), AUTO).action == decisions.REMOVE

    def test_ibms_stays(self):
        with pytest.raises(RefusedError, match="IBM"):
            decide_absent(cluster(**methods.roks("v1.29.8+632b078")), FORCED)
        assert decide_absent(cluster(**methods.roks()), FORCED).action == decisions.REMOVE


def test_the_release_is_found_on_the_installation():
    assert decisions.release_of(cluster(**methods.helm())) == ("calico", "tigera-operator")
    assert decisions.release_of(cluster(**methods.operator())) == ("", "")
