# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of dead clusters at the broker and on members, and pools of remote subnets, on clusters whose Calico the operator keeps."""

from __future__ import annotations

import contextlib
import copy
import datetime
import threading
import time

import pytest

from tests.integration.clusterset import playbook, recap
from tests.integration.pools_and_records import Trial, without_state
from tests.lab.client import ApiError

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("operator")]

POOLS = "/apis/projectcalico.org/v3/ippools"
MEMBER, BROKER = "submariner-operator", "submariner-k8s-broker"
DEAD = "cluster-old"
NAME = "cluster-old-submariner-cable-cluster-old-192-168-10-21"
SERVICE_IMPORTS = f"/apis/multicluster.x-k8s.io/v1alpha1/namespaces/{BROKER}/serviceimports"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{BROKER}/endpointslices"


@pytest.fixture
def planted(bench):
    """Plants an incident, and gives the lab."""
    with contextlib.ExitStack() as stack:

        def plant(incident):
            lab = stack.enter_context(bench.planted("operator", incident))
            stack.enter_context(without_state(*lab.clusters))
            return lab

        yield plant


def trial(bench, lab, name="cluster-1", **options):
    """The removal of the dead cluster's records on one cluster, with the other one to ask."""
    peers = [{"name": each.name, "kubeconfig": str(each.kubeconfig)} for each in lab.clusters if each.name != name]
    return Trial(bench, lab.cluster(name), "broker_records", **{"cluster_id": [DEAD], "peers": peers, "observe": 2, "allow_disruption": True, **options})


def records(cluster, dead=DEAD):
    """(namespace, plural) of everything that is left of an id."""
    found = []
    for plural in ("endpoints", "clusters"):
        for each in cluster.admin().list(f"/apis/submariner.io/v1/{plural}"):
            found += [(each["metadata"]["namespace"], plural)] if each["spec"]["cluster_id"] == dead else []
    return sorted(found)


def endpoint_path(namespace, name=NAME):
    return f"/apis/submariner.io/v1/namespaces/{namespace}/endpoints/{name}"


def refused(result, written, *words):
    assert result.get("failed") and result["changed"] is False and written == [], (result, written)
    assert all(word in result["msg"] for word in words), result["msg"]
    assert "othing was written" in result["msg"]


def test_records_of_an_earlier_id(planted, bench):
    lab = planted("broker-stale-records")
    first, second = lab.cluster("cluster-1"), lab.cluster("cluster-2")
    living = records(first, "cluster-1"), records(first, "cluster-2")
    assert len(records(first)) == 4 and len(records(second)) == 2
    refused(*trial(bench, lab, allow_disruption=False).writes(), "allow_disruption", "cluster-1, which lives")
    done = trial(bench, lab).repair()
    assert [each.partition("/")[0] for each in done["records"]] == [f"Endpoint {BROKER}", f"Cluster {BROKER}", f"Endpoint {MEMBER}", f"Cluster {MEMBER}"]
    assert records(first) == [] and (records(first, "cluster-1"), records(first, "cluster-2")) == living
    assert len(trial(bench, lab, "cluster-2").repair()["records"]) == 2
    diagnosed = bench.modules.report(bench.modules.diagnose(lab))
    assert not {each["id"] for each in diagnosed["findings"]} & {"broker-stale-records", "clusterset-dead-member"}


def test_what_lives_stays(planted, bench):
    lab = planted("operator")
    refused(*trial(bench, lab, cluster_id=["cluster-2"]).writes(), "cluster-2 lives", "cluster-2 is joined under that id")
    refused(*trial(bench, lab, cluster_id=["cluster-2"], peers=[]).writes(), "cluster-2 lives", "is connected to it")
    refused(*trial(bench, lab, cluster_id=["cluster-1"]).writes(), "cluster-1 lives")
    refused(*trial(bench, lab, cluster_id=["Cluster_1"]).writes(), "is no cluster id")
    refused(*trial(bench, lab, cluster_id=[""]).writes(), "names none")
    result, written = trial(bench, lab).writes()
    assert (result["changed"], written) == (False, [])


def test_one_that_lives_beside_one_that_is_dead_keeps_both(planted, bench):
    lab = planted("broker-stale-records")
    refused(*trial(bench, lab, cluster_id=[DEAD, "cluster-2"]).writes(), "cluster-2 lives")
    assert len(records(lab.cluster("cluster-1"))) == 4


def test_a_site_built_alike_is_not_taken_for_dead(planted, bench):
    """Same host name and private address, but other public addresses: the records are young, so they may be those of a cluster that is joining."""
    lab = planted("broker-stale-records")
    first = lab.cluster("cluster-1")
    own = next(each for each in first.admin().list(f"/apis/submariner.io/v1/namespaces/{MEMBER}/endpoints") if each["spec"]["cluster_id"] == "cluster-1")
    name = own["metadata"]["name"]
    changed = []
    try:
        for cluster in lab.clusters:
            for namespace in (MEMBER, BROKER):
                for which, address in ((NAME, "203.0.113.9"), (name, "198.51.100.7")):
                    with contextlib.suppress(ApiError):
                        cluster.admin().merge_patch(endpoint_path(namespace, which), {"spec": {"public_ip": address}})
                        changed.append((cluster, namespace, which))
        assert len(changed) == 6
        refused(*trial(bench, lab).writes(), "cluster-old may live", "min_age")
    finally:
        for cluster, namespace, which in changed:
            cluster.admin().merge_patch(endpoint_path(namespace, which), {"spec": {"public_ip": ""}})


def test_silence_alone_needs_consent_and_a_token_in_use_breaks_it(planted, bench):
    """A cluster that is joined and whose tunnels are down: nobody is connected to it, and its gateway wrote its records long ago."""
    lab = planted("operator")
    admin, now = lab.cluster("cluster-1").admin(), datetime.datetime.now(datetime.timezone.utc)
    record = {"apiVersion": "submariner.io/v1", "kind": "Cluster", "metadata": {"name": "cluster-9", "namespace": BROKER}}
    spec = {"cluster_id": "cluster-9", "cluster_cidr": ["10.60.0.0/16"], "service_cidr": ["10.61.0.0/16"], "global_cidr": [], "color_codes": ["blue"]}
    labels = {"kubernetes.io/legacy-token-last-used": f"{now - datetime.timedelta(days=2):%Y-%m-%d}"}
    metadata = {"name": "cluster-9-token-x", "annotations": {"kubernetes.io/service-account.name": "cluster-cluster-9"}, "labels": labels}
    secrets = f"/api/v1/namespaces/{BROKER}/secrets"
    admin.create(f"/apis/submariner.io/v1/namespaces/{BROKER}/clusters", {**record, "spec": spec})
    admin.create(secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"canary": "Q0FOQVJZ"}})
    silent = {"cluster_id": ["cluster-9"], "min_age": 0}
    try:
        refused(*trial(bench, lab, **{**silent, "min_age": 86400}).writes(), "cluster-9 may live", "min_age")
        refused(*trial(bench, lab, **silent, allow_disruption=False).writes(), "nothing but silence says that cluster-9 is dead")
        admin.merge_patch(f"{secrets}/cluster-9-token-x", {"metadata": {"labels": {"kubernetes.io/legacy-token-last-used": f"{now:%Y-%m-%d}"}}})
        refused(*trial(bench, lab, **{**silent, "min_age": 1}).writes(), "cluster-9 may live", "its token was used on")
        done = trial(bench, lab, **silent).run()
        assert done["changed"] and f"Cluster {BROKER}/cluster-9" in done["records"] and "CANARY" not in str(done), done
    finally:
        admin.delete(f"{secrets}/cluster-9-token-x")
        with contextlib.suppress(ApiError):
            admin.delete(f"/apis/submariner.io/v1/namespaces/{BROKER}/clusters/cluster-9")


def test_a_member_that_cannot_be_asked_is_a_reason_to_refuse(planted, bench):
    lab = planted("broker-stale-records")
    peers = [{"name": "cluster-9", "host": "https://127.0.0.1:9", "validate_certs": False}]
    refused(*trial(bench, lab, peers=peers, wait_timeout=20).writes(), "take it out of the peers")


def test_a_record_that_returns_names_who_publishes_it(planted, bench):
    lab = planted("broker-stale-records")
    admin = lab.cluster("cluster-1").admin()
    record = admin.get(endpoint_path(BROKER))
    again = {key: copy.deepcopy(record[key]) for key in ("apiVersion", "kind", "spec")}
    again["metadata"] = {"name": NAME, "namespace": BROKER, "labels": {"submariner-io/clusterID": "cluster-7"}}
    stop = threading.Event()

    def publish():
        """What a gateway does that still holds the record as its own."""
        while not stop.is_set():
            with contextlib.suppress(ApiError):
                admin.create(endpoint_path(BROKER).rpartition("/")[0], again)
            time.sleep(0.2)

    publisher = threading.Thread(target=publish, daemon=True)
    publisher.start()
    try:
        result = trial(bench, lab, observe=10).run()
    finally:
        stop.set()
        publisher.join()
    assert result.get("failed") and result["changed"] and len(result["lines"]) == 4
    assert f"{BROKER}/{NAME} was deleted and is there again: cluster-7 still publishes it" in result["msg"]


def test_a_peer_that_publishes_it_is_named(planted, bench):
    lab = planted("broker-stale-records")
    lab.cluster("cluster-2").admin().merge_patch(endpoint_path(MEMBER), {"metadata": {"labels": {"submariner-io/clusterID": None}}})
    told = trial(bench, lab).run(check=True)
    assert f"cluster-2 still publishes Endpoint {MEMBER}/{NAME}" in str(told["warnings"])
    result = trial(bench, lab).run()
    assert result.get("failed") and f"cluster-2 still publishes Endpoint {MEMBER}/{NAME}" in result["msg"]
    done = trial(bench, lab, "cluster-2").repair()
    assert "this cluster publishes it" in done["lines"][0]


def test_what_the_dead_cluster_exported(planted, bench):
    lab = planted("broker-stale-records")
    admin = lab.cluster("cluster-1").admin()
    labels = {"multicluster.kubernetes.io/source-cluster": DEAD, "endpointslice.kubernetes.io/managed-by": "lighthouse-agent.submariner.io"}
    metadata = {"name": "web-cluster-old", "labels": labels}
    made = [admin.create(SLICES, {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4", "endpoints": []})]
    for name, clusters in (("web", [DEAD]), ("shared", [DEAD, "cluster-2"])):
        spec = {"type": "ClusterSetIP", "ports": []}
        obj = {"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "metadata": {"name": name}, "spec": spec}
        made.append(admin.create(SERVICE_IMPORTS, obj))
        admin.merge_patch(f"{SERVICE_IMPORTS}/{name}/status", {"status": {"clusters": [{"cluster": each} for each in clusters]}})
    try:
        done = trial(bench, lab).repair()
        assert done["records"][-2:] == [f"EndpointSlice {BROKER}/web-cluster-old", f"ServiceImport {BROKER}/web"]
        (person,) = done["needs_person"]
        assert person["target"] == f"ServiceImport {BROKER}/shared" and '[{"cluster":"cluster-2"}]' in person["paste"]
        assert [each["metadata"]["name"] for each in admin.list(SERVICE_IMPORTS)] == ["shared"] and admin.list(SLICES) == []
    finally:
        for each in made:
            with contextlib.suppress(ApiError):
                collection = SLICES if each["kind"] == "EndpointSlice" else SERVICE_IMPORTS
                admin.delete(f"{collection}/{each['metadata']['name']}")


def test_wrong_fields_of_a_pool(planted, bench):
    cluster = planted("pool-nat-outgoing").cluster("cluster-1")
    done = Trial(bench, cluster, "remote_ippools").repair()
    assert [(each["action"], each["cidr"]) for each in done["pools"]] == [("patch", "10.245.0.0/16")]
    assert cluster.admin().get(f"{POOLS}/submariner-cluster-2-10.245.0.0-16")["spec"]["natOutgoing"] is False


def test_native_crds_get_every_default_spelled_out(planted, bench):
    cluster = planted("native-v3").cluster("cluster-1")
    admin = cluster.admin()
    name = "submariner-cluster-2-10.245.0.0-16"
    before = admin.get(f"{POOLS}/{name}")["spec"]
    admin.delete(f"{POOLS}/{name}")
    admin.merge_patch(f"{POOLS}/submariner-cluster-2-10.97.0.0-16", {"spec": {"disableBGPExport": False, "vxlanMode": "Always"}})
    done = Trial(bench, cluster, "remote_ippools").repair()
    assert sorted(each["action"] for each in done["pools"]) == ["create", "patch"]
    assert admin.get(f"{POOLS}/{name}")["spec"] == before
    assert admin.get(f"{POOLS}/submariner-cluster-2-10.97.0.0-16")["spec"] == {**before, "cidr": "10.97.0.0/16"}


def test_a_pool_that_the_operator_owns_is_left_to_it(planted, bench):
    cluster = planted("pool-nat-outgoing").cluster("cluster-1")
    admin = cluster.admin()
    path = f"{POOLS}/submariner-cluster-2-10.245.0.0-16"
    admin.merge_patch(path, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "tigera-operator"}}})
    result, written = Trial(bench, cluster, "remote_ippools").writes()
    assert (result["changed"], written) == (False, []), result
    (person,) = result["needs_person"]
    assert "the tigera operator looks after IPPool submariner-cluster-2-10.245.0.0-16" in person["text"] and "10.244.0.0/16" in person["paste"]


def test_no_pool_is_written_while_calico_migrates(planted, bench):
    cluster = planted("migration-in-flight").cluster("cluster-1")
    result, written = Trial(bench, cluster, "remote_ippools").writes()
    assert result.get("failed") and "no IPPool is written" in result["msg"] and written == [], result


def test_the_roles_on_all_clusters_at_once_with_answers_of_a_survey(planted, tmp_path):
    """Every answer of a survey is a text, and one that was not given is empty."""
    lab = planted("broker-stale-records")
    pool = f"{POOLS}/submariner-cluster-1-10.244.0.0-16"
    admin = lab.cluster("cluster-2").admin()
    admin.merge_patch(pool, {"spec": {"natOutgoing": True}})
    play = tmp_path / "play.yml"
    play.write_text(
        "- hosts: submariner_clusters\n  gather_facts: false\n  roles:\n"
        "    - {role: fathom.submariner.broker_records, broker_records_observe: 2}\n    - role: fathom.submariner.remote_ippools\n"
    )
    answers = ["-e", "submariner_dead_cluster_ids=cluster-old", "-e", "submariner_allow_disruption=true", "-e", "submariner_broker_namespace="]
    answers += ["-e", "submariner_remote_subnets=", "-e", "submariner_run=", "-e", "submariner_state_namespace=", "-e", f"submariner_journal_dir={tmp_path}/journal"]
    tried = playbook(lab, str(play), "--check", "--diff", *answers)
    assert tried.returncode == 0, tried.stdout
    assert admin.get(pool)["spec"]["natOutgoing"] is True and len(records(lab.cluster("cluster-1"))) == 4
    done = playbook(lab, str(play), *answers)
    assert done.returncode == 0, done.stdout
    assert {host: counts["changed"] for host, counts in recap(done).items()} == {"cluster-1": 1, "cluster-2": 2}
    assert "repair IPPool submariner-cluster-1-10.244.0.0-16 (10.244.0.0/16): natOutgoing: false" in done.stdout
    assert [records(each) for each in lab.clusters] == [[], []] and admin.get(pool)["spec"]["natOutgoing"] is False
    assert sorted(path.name for path in (tmp_path / "journal").rglob("*.jsonl")) == ["cluster-1.jsonl", "cluster-2.jsonl", "cluster-2.jsonl"]
    again = playbook(lab, str(play), *answers)
    assert again.returncode == 0 and {counts["changed"] for counts in recap(again).values()} == {0}, again.stdout
