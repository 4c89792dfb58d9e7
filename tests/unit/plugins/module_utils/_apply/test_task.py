# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every remedy's module does around its remedy: against an API server on loopback, in this process."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils import basic

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _process as processes
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import PROCESS
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, run_remedy
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, THINGS, Bench, StampingApi
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import status

TOKEN = "the-very-secret-token"
LOCK = "fathom-submariner"


@pytest.fixture
def api():
    with StampingApi() as server:
        server.objects.update({path: {} for path in (MAPS, LEASES, THINGS)})
        server.put(THINGS, "one", spec={"a": 1})
        yield server


@pytest.fixture
def run(api, monkeypatch, capsys):
    """Runs a remedy as Ansible would, and gives its result and exit code."""

    def call(perform, check=False, spec=None, **arguments):
        given = {"host": api.url, "api_key": TOKEN, "name": "c1", "_ansible_check_mode": check, **arguments}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        monkeypatch.setattr(basic.AnsibleModule, "warn", lambda module, warning, **dummy: heard.append(warning))
        heard = []
        with pytest.raises(SystemExit) as ended:
            run_remedy("some_remedy", spec or {}, perform)
        text = capsys.readouterr().out
        assert TOKEN not in text
        return {**json.loads(text), "heard": heard}, ended.value.code or 0

    return call


def change(task):
    task.writer.patch(f"{THINGS}/one", task.writer.read(f"{THINGS}/one"), {"spec": {"a": 2}})
    task.lines.append("Thing one changed.")


def lock(api):
    return api.objects[LEASES].get(LOCK, {}).get("spec", {}).get("holderIdentity")


def sent(api):
    return [call for call in api.calls if call.writes]


def test_a_run_of_its_own_takes_the_lock_and_gives_it_back(api, run):
    result, code = run(change)
    assert (code, result["changed"], result["lines"]) == (0, True, ["Thing one changed."])
    assert api.objects[THINGS]["one"]["spec"] == {"a": 2} and lock(api) == ""
    assert list(api.objects[MAPS]) == [f"fathom-submariner-journal-{result['run']}"] and result["preconditions"] == []


def test_one_with_nothing_to_do_is_no_run_and_sends_nothing(api, run):
    result, code = run(lambda task: task.writer.read(f"{THINGS}/one"))
    assert (code, result["changed"], result["run"], result["diff"], sent(api)) == (0, False, "", [], [])


def test_check_mode_sends_nothing_and_tells_what_it_was_computed_from(api, run):
    result, code = run(change, check=True)
    assert (code, result["changed"], result["run"], sent(api)) == (0, True, "", [])
    assert [each.get("path") for each in result["preconditions"]] == [f"{THINGS}/one", None]
    real = run(change, preconditions=result["preconditions"])[0]
    assert (real["diff"], real["lines"]) == (result["diff"], result["lines"])


def test_a_plan_s_preconditions_are_looked_at_before_the_remedy_begins(api, run):
    begun = []
    stale = {"path": f"{THINGS}/one", "uid": "uid-one", "resource_version": "1", "content": {"apiVersion": "v1", "kind": "Thing", "spec": {"a": 7}}}
    result, code = run(begun.append, preconditions=[stale])
    assert code == 1 and begun == [] and sent(api) == []
    assert "Thing one has changed since the plan was made, in" in result["msg"] and "spec.a" in result["msg"] and "Nothing was written" in result["msg"]


class TestWithWhatAPlanWasMade:
    SPEC = {"mtu": {"type": "int"}, "values": {"type": "path"}, "pod_proxy": {"type": "str"}}

    def test_is_noted_without_paths_and_secrets(self, api, run):
        result, dummy = run(change, check=True, spec=self.SPEC, mtu="1380", values="/a", pod_proxy="http://me:hunter2@proxy:3128")
        assert result["preconditions"][-1] == {"remedy": "some_remedy", "options": {"mtu": 1380, "pod_proxy": "http://********@proxy:3128"}}

    def test_is_noted_of_what_cannot_be_predicted(self, api, run):
        def fail(task):
            raise RefusedError("not yet")

        result, code = run(fail, check=True, spec=self.SPEC, mtu=1380)
        assert code == 1 and result["preconditions"][-1]["options"]["mtu"] == 1380

    @pytest.mark.parametrize(("changed", "told"), [({"mtu": 9000}, "mtu was 1380 and is 9000"), ({}, "mtu was 1380 and is null")])
    def test_is_what_the_real_run_is_held_to(self, api, run, changed, told):
        plan = run(change, check=True, spec=self.SPEC, mtu=1380)[0]["preconditions"]
        begun = []
        result, code = run(begun.append, spec=self.SPEC, preconditions=plan, **changed)
        assert code == 1 and begun == [] and sent(api) == []
        assert "c1: some_remedy is told something else than when the plan was made" in result["msg"] and told in result["msg"]

    def test_leaves_it_to_the_real_run_where_files_lie_and_what_it_may_interrupt(self, api, run):
        plan = run(change, check=True, spec=self.SPEC, mtu=1380, values="/a", pod_proxy="http://me:hunter2@proxy:3128")[0]["preconditions"]
        again = {"values": "/b", "allow_disruption": True, "wait_timeout": 7, "pod_proxy": "http://me:other@proxy:3128"}
        result, code = run(change, spec=self.SPEC, preconditions=plan, mtu=1380, **again)
        assert (code, result["changed"]) == (0, True), result.get("msg")


class TestTheLockOfALongerRun:
    @pytest.fixture
    def held(self, api, tmp_path):
        bench = Bench(api, tmp_path)
        lease = bench.lease("nightly", lasting=True, process=processes.this_process())
        lease.acquire(bench.deadline)
        lease.pause()
        yield bench
        bench.member.connection.close()

    def test_is_left_to_the_next_task(self, api, run, held):
        assert run(change, run="nightly")[0]["run"] == "nightly"
        assert lock(api) == "nightly"

    def test_is_left_to_it_after_a_failure_too(self, api, run, held):
        def fail(task):
            change(task)
            raise SubmarinerError("it did not take effect")

        assert run(fail, run="nightly")[1] == 1
        assert lock(api) == "nightly"

    def test_keeps_another_run_out(self, api, run, held):
        result, code = run(change)
        assert code == 1 and "run nightly is at work on this cluster" in result["msg"] and result["holder"] == "nightly"
        assert (result["changed"], result["run"], api.objects[THINGS]["one"]["spec"], api.objects[MAPS]) == (False, "", {"a": 1}, {})

    def test_of_a_dead_one_is_taken_and_that_is_a_warning(self, api, run, held, monkeypatch):
        gone = processes.written(processes.this_process()._replace(started=1))
        api.objects[LEASES][LOCK]["metadata"]["annotations"] = {PROCESS: gone}
        result, code = run(change)
        assert code == 0 and "c1: run nightly ended without giving back the lock (process" in result["heard"][0]
        assert lock(api) == ""


def test_a_run_that_took_no_lock_of_its_own_gives_back_what_a_task_took(api, run):
    assert run(change, run="nightly")[1] == 0
    assert lock(api) == ""


def test_a_failure_tells_what_was_done_until_then_and_gives_the_lock_back(api, run):
    def fail(task):
        task.warnings.append("look out")
        task.facts["pools"] = ["one"]
        change(task)
        task.people.append(Person("Set it.", "values", "mtu: 1"))
        raise SubmarinerError("it did not take effect", object="one")

    result, code = run(fail)
    undo = f"fathom.submariner.rollback -e submariner_run={result['run']} puts back what can be put back."
    assert (code, result["object"]) == (1, "one")
    assert result["msg"] == f"it did not take effect Written until then: Thing one changed. {undo}"
    assert (result["changed"], result["lines"], result["pools"], result["heard"]) == (True, ["Thing one changed."], ["one"], ["look out"])
    assert result["needs_person"] == [{"text": "Set it.", "target": "values", "paste": "mtu: 1"}]
    assert result["run"] and lock(api) == ""


def test_a_lock_that_cannot_be_given_back_after_a_failure_hides_not_the_failure(api, run):
    def fail(task):
        change(task)
        api.inject("PATCH", f"/{LOCK}", *[status(403, "Forbidden", "not you")] * 9)
        raise SubmarinerError("it did not take effect")

    result, code = run(fail)
    assert code == 1 and result["msg"].startswith("it did not take effect")
    assert "The lock is not given back and expires by itself" in result["heard"][0] and "not you" in result["heard"][0]


class TestConsent:
    @staticmethod
    def interrupt(task):
        task.require_consent(["c1: restart the gateway"])
        change(task)

    def test_is_asked_before_the_first_write(self, api, run):
        result, code = run(self.interrupt)
        assert code == 1 and sent(api) == []
        assert "needs allow_disruption=true (submariner_allow_disruption in the playbooks). Nothing was written" in result["msg"]
        assert "c1: restart the gateway" in result["msg"] and result["disruptive"] == ["c1: restart the gateway"]

    def test_missing_is_a_warning_in_check_mode(self, api, run):
        result, code = run(self.interrupt, check=True)
        assert code == 0 and result["changed"] and "the real run is refused" in result["heard"][0]

    def test_given_nothing_is_said(self, api, run):
        result, code = run(self.interrupt, allow_disruption=True)
        assert (code, result["heard"], api.objects[THINGS]["one"]["spec"]) == (0, [], {"a": 2})


@pytest.mark.parametrize("arguments, said", [({"run": "Not An Id"}, "must be 1 to 63"), ({"host": "https://127.0.0.1:1"}, "127.0.0.1:1")])
def test_what_goes_wrong_before_there_is_a_task_is_a_message_too(api, run, arguments, said):
    def perform(task):
        task.writer.read(f"{THINGS}/one")

    result, code = run(perform, wait_timeout=2, **arguments)
    assert code == 1 and said in result["msg"] and "Traceback" not in json.dumps(result) and sent(api) == []


def test_its_own_options_and_its_peers_reach_the_remedy(api, run):
    spec = {"peers": {"type": "list", "elements": "dict", "default": []}, "subnet": {"type": "str"}}
    seen = {}

    def perform(task):
        seen.update(subnet=task.params["subnet"], peers=[peer.name for peer in task.peers])
        raise RefusedError("enough")

    result, code = run(perform, spec=spec, subnet="10.0.0.0/8", peers=[{"name": "c2", "host": api.url, "api_key": TOKEN}])
    assert code == 1 and seen == {"subnet": "10.0.0.0/8", "peers": ["c2"]} and result["msg"] == "enough"


def test_what_somebody_has_put_back_by_the_end_is_a_failure(api, run):
    def perform(task):
        change(task)
        task.writer.patch(f"{THINGS}/one", task.writer.read(f"{THINGS}/one"), {"spec": {"b": 1}, "metadata": {"labels": {"x": "y"}}})
        metadata = {"name": "one", "uid": "uid-one", "labels": {"x": "y"}, "managedFields": [{"manager": "argocd-controller", "time": "2099-01-01T00:00:00Z"}]}
        api.put(THINGS, "one", spec={"a": 1, "b": 1}, metadata=metadata)

    result, code = run(perform)
    assert code == 1 and result["changed"] and lock(api) == ""
    assert "Thing one was written and is not so any more, in spec.a: argocd-controller has put it back." in result["msg"]
    assert f"rollback -e submariner_run={result['run']}" in result["msg"]


def test_a_failure_that_may_come_of_that_says_so_too(api, run):
    def perform(task):
        change(task)
        api.put(THINGS, "one", spec={"a": 1})
        raise SubmarinerError("It did not take effect.")

    result, code = run(perform)
    assert code == 1 and result["msg"].startswith("It did not take effect. c1: Thing one was written and is not so any more, in spec.a: somebody has put it")


@pytest.mark.parametrize("theirs, refused", [({"status": {"ready": True}}, False), ({"spec": {"a": 1, "z": 1}}, True)])
def test_an_object_of_which_the_status_alone_has_changed_meanwhile_is_written_all_the_same(api, run, theirs, refused):
    def perform(task):
        found = task.writer.read(f"{THINGS}/one")
        api.put(THINGS, "one", **{"spec": {"a": 1}, **theirs})
        task.writer.patch(f"{THINGS}/one", found, {"spec": {"a": 2}})

    result, code = run(perform)
    assert (code == 1) is refused, result
    assert api.objects[THINGS]["one"]["spec"]["a"] == (1 if refused else 2)


def test_what_the_task_itself_took_back_or_wrote_anew_is_not_missed(api, run):
    def perform(task):
        change(task)
        task.writer.patch(f"{THINGS}/one", task.writer.read(f"{THINGS}/one"), {"spec": {"a": None}})
        made = task.writer.create(THINGS, {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "two"}, "spec": {"b": 1}})
        task.writer.delete(f"{THINGS}/two", made)

    result, code = run(perform)
    assert code == 0 and result["changed"], result


def test_what_an_admission_policy_would_change_is_not_sent(api, run):
    def mutated(handler, call):
        handler.reply(200, {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "one", "uid": "uid-one"}, "spec": {"a": 99}})

    for check in (True, False):
        api.inject("PATCH", "/things/one", mutated)
        result, code = run(change, check=check)
        assert code == 1 and "Thing one is left as it is: the API server would store something else in spec.a" in result["msg"], result
        assert "Nothing was written" in result["msg"] and sent(api) == []
