# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies against what works against them: it is said what stopped them, and nothing is left half-written without a word."""

from __future__ import annotations

import time
import types

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import LABEL_RUN
from tests.integration.autodetection_trials import CONFIG, INSTALLATION
from tests.integration.modules import Modules
from tests.integration.pools_and_records import LEASES, STATE, Trial
from tests.lab import adversaries

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rke2, awake")]

GROUP, PLURAL = "helm.cattle.io", "helmchartconfigs"
REAL = "!request.dryRun"
VALUES = "# of our site\napiServer:\n  enabled: true\ninstallation:\n  calicoNetwork:\n    nodeAddressAutodetectionV4:\n      kubernetes: NodeInternalIP\n"
AGENT = ("app", "submariner-routeagent")


@pytest.fixture(scope="module")
def bench():
    made = types.SimpleNamespace(modules=Modules())
    yield made
    made.modules.close()


@pytest.fixture(scope="module")
def cluster(awake_labs):
    """One whose chart has values of somebody's; every test that changes them puts them back."""
    with awake_labs.planted("rke2") as lab:
        found = lab.cluster("cluster-1")
        put_back(found)
        yield found


def put_back(cluster):
    cluster.client("planter").merge_patch(CONFIG, {"spec": {"valuesContent": VALUES}})


def values(cluster):
    return cluster.admin().get(CONFIG)["spec"]["valuesContent"]


def mtu(cluster):
    return cluster.admin().get(INSTALLATION)["spec"]["calicoNetwork"].get("mtu")


def remedy(bench, cluster, **options):
    """Changes the Installation and, so that it lasts, the values of its chart: both or neither."""
    return Trial(bench, cluster, "calico_mtu", **{"mtu": "1300", "allow_disruption": True, "wait": False, "wait_timeout": 60, **options})


def journal(cluster):
    """{run: {key: text}} of all journals."""
    maps = cluster.admin().list(STATE, labelSelector="app.kubernetes.io/managed-by=fathom.submariner")
    return {each["metadata"]["labels"][LABEL_RUN]: each.get("data", {}) for each in maps}


def free(cluster):
    lease = cluster.admin().find(f"{LEASES}/fathom-submariner")
    return not lease or not lease["spec"].get("holderIdentity")


def rolled_back(bench, cluster, run):
    options = {"kubeconfig": str(cluster.kubeconfig), "name": cluster.name, "run": run, "allow_disruption": True}
    (result,) = bench.modules.run(("rollback", options))
    return result


def untouched(cluster, before, result, written):
    assert result["failed"] and result["changed"] is False and result["run"] == "", result
    assert [each for each in written if "dryRun" not in each and "/leases" not in each] == [] and values(cluster) == VALUES and mtu(cluster) is None and journal(cluster) == before


class TestWhoDenies:
    def test_is_heard_before_anything_is_written(self, bench, cluster):
        before = journal(cluster)
        with adversaries.denier(cluster, GROUP, PLURAL, message="frozen for the audit"):
            result, written = remedy(bench, cluster).writes()
            told = remedy(bench, cluster).run(check=True)
        untouched(cluster, before, result, written)
        assert "frozen for the audit" in result["msg"] and "frozen for the audit" in told["msg"]

    def test_real_writes_alone_leaves_a_journal_that_says_so(self, bench, cluster):
        with adversaries.denier(cluster, GROUP, PLURAL, message="frozen for the audit", condition=REAL):
            result = remedy(bench, cluster, run="denied").run()
        assert result["failed"] and "frozen for the audit" in result["msg"] and result["changed"], result
        assert "Written until then: Installation default: calicoNetwork.mtu set" in result["msg"] and "rollback -e submariner_run=denied" in result["msg"]
        assert sorted(journal(cluster)["denied"]) == ["00001.done", "00001.intended", "00002.failed", "00002.intended"] and values(cluster) == VALUES
        assert mtu(cluster) == 1300 and free(cluster)
        back = rolled_back(bench, cluster, "denied")
        assert len(back["lines"]) == 1 and back["cannot"] == back["refused"] == [] and mtu(cluster) is None, back

    @pytest.mark.parametrize("group, resource, said", [("coordination.k8s.io", "leases", "fathom-submariner"), ("", "configmaps", "the journal, ConfigMap")])
    def test_the_lock_or_the_journal_keeps_everything_from_being_written(self, bench, cluster, group, resource, said):
        before = journal(cluster)
        with adversaries.denier(cluster, group, resource, message="not in this namespace", condition=REAL):
            result = remedy(bench, cluster).run()
        assert result["failed"] and "not in this namespace" in result["msg"] and said in result["msg"] and result["changed"] is False, result
        assert mtu(cluster) is None
        assert values(cluster) == VALUES and journal(cluster) == before and free(cluster)


def test_a_webhook_that_cannot_predict_costs_the_prediction_and_nothing_else(bench, cluster):
    with adversaries.webhook(cluster, GROUP, PLURAL, dry_run_only=True) as seen:
        told = remedy(bench, cluster).run(check=True)
        done = remedy(bench, cluster, preconditions=told["preconditions"]).run()
    assert not done.get("failed") and done["diff"] == told["diff"] and done["lines"] == told["lines"], done
    assert "the diff is computed here, because the API server cannot predict the write" in str(done["warnings"])
    # Tried by check mode, before the Installation is written, and before itself.
    assert [each.get("dryRun", False) for each in seen] == [True, True, True, False]
    assert rolled_back(bench, cluster, done["run"])["lines"] and values(cluster) == VALUES


class TestWhoChangesWhatIsWritten:
    OTHER = 'Object{spec: Object.spec{valuesContent: "a: 1"}}'
    LABEL = 'Object{metadata: Object.metadata{labels: {"a": "b"}}}'

    def test_keeps_it_from_being_sent(self, bench, cluster):
        before = journal(cluster)
        with adversaries.mutator(cluster, GROUP, PLURAL, self.OTHER):
            result, written = remedy(bench, cluster).writes()
        untouched(cluster, before, result, written)
        assert "the API server would store something else in spec.valuesContent" in result["msg"] and "Nothing was written" in result["msg"]

    def test_unseen_by_a_dry_run_is_told_with_the_way_back(self, bench, cluster):
        with adversaries.mutator(cluster, GROUP, PLURAL, self.OTHER, condition=REAL):
            result = remedy(bench, cluster).run()
        assert result["failed"] and result["changed"] and "was written, and the API server stored something else in spec.valuesContent" in result["msg"], result
        assert f"rollback -e submariner_run={result['run']}" in result["msg"] and values(cluster) == "a: 1" and free(cluster)
        refused = rolled_back(bench, cluster, result["run"])
        assert refused["failed"] and "HelmChartConfig kube-system/rke2-calico has been changed since by somebody else" in refused["msg"]
        assert mtu(cluster) is None, "the Installation was put back"
        put_back(cluster)

    def test_beside_it_is_no_reason_to_stop(self, bench, cluster):
        with adversaries.mutator(cluster, GROUP, PLURAL, self.LABEL):
            done = remedy(bench, cluster).run()
        assert not done.get("failed") and done["changed"], done
        assert rolled_back(bench, cluster, done["run"])["lines"] and values(cluster) == VALUES


def test_who_puts_it_back_is_noticed_while_its_effect_is_awaited(bench, cluster):
    with adversaries.reverter(cluster, CONFIG, seconds=0.2) as reverts:
        result = remedy(bench, cluster, wait=True, wait_timeout=15).run()
    assert result["failed"] and result["changed"] and reverts and values(cluster) == VALUES, result
    said = "HelmChartConfig kube-system/rke2-calico was written and is not so any more, in spec.valuesContent: argocd-controller has put it back"
    assert said in result["msg"] and f"rollback -e submariner_run={result['run']}" in result["msg"], result["msg"]
    assert free(cluster)
    rolled_back(bench, cluster, result["run"])
    assert mtu(cluster) is None


def test_an_agent_that_never_becomes_ready_stops_the_restarts(bench, cluster):
    admin = cluster.admin()
    agents = admin.list("/api/v1/pods", labelSelector="=".join(AGENT))
    before = {each["metadata"]["uid"] for each in agents}
    node = agents[0]["spec"]["nodeName"]
    with adversaries.never_ready(cluster, namespace="submariner-operator", selector=AGENT):
        trial = Trial(bench, cluster, "route_agent", allow_disruption=True, nodes=[each["spec"]["nodeName"] for each in agents], wait_timeout=10)
        began = time.monotonic()
        result = trial.run()
    assert result["failed"] and result["changed"] and time.monotonic() - began < 60, result
    now = {each["metadata"]["uid"] for each in admin.list("/api/v1/pods", labelSelector="=".join(AGENT))}
    assert len(before & now) == len(before) - 1, "one agent was restarted, and no other after it"
    assert len(result["lines"]) == 1 and node, result
    assert free(cluster)
