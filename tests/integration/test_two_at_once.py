# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two remediations of one clusterset at once, real processes all of them, and one that is cancelled as AWX does."""

from __future__ import annotations

import base64
import json
import threading
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._process import process_of, written
from tests.integration.clusterset import Watch, playbook, recap
from tests.integration.damaged_pools import POOLS, REMOTE, Clusterset, forget
from tests.integration.killing import playbook_process
from tests.integration.modules import Modules
from tests.integration.pools_and_records import LEASES
from tests.integration.test_examples_awx import Jobs, answers, artifacts

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rke2, awake")]

LOCK = f"{LEASES}/fathom-submariner"


@pytest.fixture(scope="module")
def lab(awake_labs):
    with awake_labs.planted("rke2") as planted:
        yield planted


@pytest.fixture
def clusterset(lab, tmp_path):
    modules = Modules()
    made = Clusterset(lab, modules, tmp_path / "journals")
    made.reset()
    yield made
    made.killer.arm()
    made.reset()
    made.remediate("last")
    made.killer.close()
    modules.close()
    for cluster in lab.clusters:
        forget(cluster)


class TestLocks:
    def test_of_those_who_want_it_at_the_same_moment_one_has_it_and_the_others_name_that_one(self, clusterset):
        cluster = clusterset.clusters[0]
        with playbook_process() as holder:
            process = written(process_of(holder.pid))
            orders = [("lease", clusterset.on(cluster, run=f"run-{number}", process=process)) for number in range(4)]
            results = clusterset.modules.run(*orders)
        held = [f"run-{number}" for number, result in enumerate(results) if not result.get("failed")]
        assert held == [clusterset.holders()[cluster.name]]
        for result in results:
            if result.get("failed"):
                assert result["holder"] == held[0] and f"run {held[0]} is at work on this cluster" in result["msg"]
                assert f"process {holder.pid} on " in result["msg"] and "held since 20" in result["msg"] and " s ago)" in result["msg"]

    def test_two_remedies_at_the_same_moment_do_it_once(self, clusterset):
        cluster = clusterset.clusters[0]
        orders = [("remote_ippools", clusterset.on(cluster, wait=False, wait_timeout=60)) for dummy in range(2)]
        results = clusterset.modules.run(*orders)
        changed = [each for each in results if each["changed"]]
        assert len(changed) == 1 and len(changed[0]["lines"]) == 3 and not changed[0].get("failed"), results
        (other,) = [each for each in results if not each["changed"]]
        assert not other.get("failed") or f"run {changed[0]['run']} is at work on this cluster" in other["msg"], other
        assert clusterset.found()[cluster.name] == clusterset.healthy[cluster.name] and clusterset.holders()[cluster.name] == ""

    def test_one_that_waits_goes_on_as_soon_as_the_other_has_ended(self, clusterset):
        cluster = clusterset.clusters[0]
        with playbook_process() as holder:
            process = written(process_of(holder.pid))
            clusterset.modules.run(("lease", clusterset.on(cluster, run="first", process=process)))
            threading.Timer(1.0, holder.kill).start()
            began = time.monotonic()
            (result,) = clusterset.modules.run(("lease", clusterset.on(cluster, run="second", wait_timeout=60)))
        assert not result.get("failed") and "run first ended without giving back the lock" in result["taken"], result
        assert 0.5 < time.monotonic() - began < 40

    def test_a_kept_lock_lasts_no_longer_than_its_playbook(self, clusterset):
        """As the role has it kept, in the background."""
        cluster = clusterset.clusters[0]
        with playbook_process() as holder:
            process = written(process_of(holder.pid))
            options = clusterset.on(cluster, run="kept", process=process)
            assert clusterset.modules.run(("lease", options))[0]["keepable"] is True
            kept = threading.Thread(target=lambda: clusterset.modules.run(("lease", {**options, "state": "kept"})))
            kept.start()
            until(lambda: cluster.admin().get(LOCK)["spec"]["leaseDurationSeconds"] == 120, "the lock that is kept lasts two minutes")
            assert kept.is_alive()
        kept.join(30)
        assert not kept.is_alive() and clusterset.holders()[cluster.name] == "kept"


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it never came to this: {what}"
        time.sleep(0.1)


def kubeconfig(urls):
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in urls.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "x"}} for name in urls],
        "users": [{"name": "x", "user": {"token": "none"}}],
    }


@pytest.mark.exhaustive
def test_a_job_that_is_cancelled_while_it_holds_the_locks_and_the_one_beside_and_the_one_after_it(clusterset, lab, tmp_path):
    jobs = Jobs(tmp_path / "runner")
    jobs.write(kubeconfig({**clusterset.killer.urls, "cluster-3": "http://127.0.0.1:9"}), "env/kubeconfig")
    inventory = (jobs.folder / "inventory/clusters.yml").read_text().rstrip() + "\n    cluster-3:\n      context: cluster-3\n"
    jobs.write(inventory, "inventory/clusters.yml")

    planned = jobs.run("plan", answers("plan"))
    assert (planned.status, planned.rc) == ("successful", 0), planned.output
    made, content = artifacts(planned)["submariner_plan_made"], artifacts(planned)["submariner_plan_content"]
    assert base64.b64decode(content).decode() == (jobs.folder / "project/submariner-plan.json").read_text()
    plan = json.loads(base64.b64decode(content))
    assert plan["digest"] == made["digest"] and {step["cluster"] for step in plan["steps"]} == set(REMOTE)
    (unread,) = [each for each in plan["needs_a_person"] if each["cluster"] == "cluster-3"]
    assert unread["blocked"] and "could not be read, so nothing is planned for it: " in unread["text"] and "127.0.0.1:9" in unread["text"]

    # The first write to a pool does not come through before the job was cancelled.
    clusterset.killer.hold(POOLS)
    beside = []

    def look():
        """Is asked again and again whether somebody has pressed Cancel."""
        if clusterset.killer.waiting.is_set() and not beside:
            watch = Watch(lab)
            beside.append(playbook(lab, "remediate", "-e", f"submariner_plan={jobs.folder}/project/submariner-plan.json"))  # the very same
            beside.append(watch.writes())
        return len(beside) == 2

    cancelled = jobs.run("remediate", {**answers("remediate"), "submariner_plan_content": content}, cancel_callback=look)
    assert cancelled.status == "canceled" and cancelled.rc != 0, cancelled.output
    done, writes = beside
    assert done.returncode == 2 and f"run {plan['run']} is at work on this cluster" in done.stdout, done.stdout
    assert "That process lives" in done.stdout and " s ago)" in done.stdout and "was started twice" in done.stdout
    assert {each.resource for events in writes.values() for each in events} <= {"leases"}  # the first run's, which keeps them
    assert set(clusterset.holders().values()) == {plan["run"]}

    # What that job was about to write may still come through, and nothing after it.
    sent = len(clusterset.killer.writes)
    clusterset.killer.go_on()
    after = playbook(lab, "remediate")
    assert after.returncode == 0, after.stdout
    assert f"run {plan['run']} ended without giving back the lock" in " ".join(after.stdout.split()), after.stdout
    assert len([each for each in clusterset.killer.writes[sent:] if each[2].startswith(POOLS)]) == 0
    assert clusterset.found() == clusterset.healthy and set(clusterset.holders().values()) == {""}
    assert all(counts["failed"] == 0 for counts in recap(after).values())
