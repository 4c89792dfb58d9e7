# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing, keeping a journal of it, and putting it all back: against an API server on loopback."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Entry, Journal
from ansible_collections.fathom.submariner.plugins.module_utils._apply._rollback import Rollback
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _undo as undoing
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import Record
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, NAMESPACE, SECRETS, THINGS, Bench, StampingApi
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import status


@pytest.fixture
def api():
    with StampingApi() as server:
        server.objects.update({path: {} for path in (MAPS, LEASES, THINGS, SECRETS)})
        server.put(THINGS, "one", spec={"a": 1, "keep": 1})
        yield server


@pytest.fixture
def bench(api, tmp_path):
    made = Bench(api, tmp_path)
    yield made
    made.member.connection.close()


def changes(bench, writer):
    """A change of each sort, two of them to the same object."""
    found = writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": 2, "new": {"x": 1}}})
    writer.patch(f"{THINGS}/one", found, {"spec": {"a": 3}})
    writer.create(THINGS, {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "two"}, "spec": {"b": 1}})
    writer.delete(f"{THINGS}/three", writer.read(f"{THINGS}/three"))


@pytest.fixture
def changed(bench):
    bench.api.put(THINGS, "three", spec={"c": 1}, status={"ready": True})
    before = copy.deepcopy(bench.things())
    changes(bench, bench.writer())
    bench.last_lease.release(bench.deadline)
    assert bench.things() == {
        "one": {"apiVersion": "v1", "kind": "Thing", "spec": {"a": 3, "keep": 1, "new": {"x": 1}}},
        "two": {"apiVersion": "example.org/v1", "kind": "Thing", "spec": {"b": 1}},
    }
    before["three"].pop("status")
    return before


@pytest.mark.parametrize("file", [True, False], ids=["both copies", "the cluster's copy"])
def test_a_rollback_puts_everything_back_and_a_second_one_writes_nothing(bench, changed, file):
    work = bench.rollback(file=file)
    assert bench.things() == changed
    assert [line.partition(" ")[0:3:2] for line in work.lines] and len(work.lines) == 4 and work.changed
    sent = len(bench.writes())
    again = bench.rollback(file=file)
    assert (again.changed, again.lines, again.refused, len(bench.writes())) == (False, [], [], sent)


def test_a_rollback_from_the_controller_s_files_when_the_cluster_has_lost_its_copy(bench, changed):
    bench.api.objects[MAPS].clear()
    bench.rollback()
    assert bench.things() == changed


def test_check_mode_shows_what_the_real_rollback_does_and_writes_nothing(bench, changed):
    sent = len(bench.writes())
    shown = bench.rollback(check_mode=True)
    assert len(bench.writes()) == sent
    real = bench.rollback()
    assert (shown.lines, shown.diff) == (real.lines, real.diff)


def test_what_others_changed_in_other_fields_is_kept(bench, changed):
    bench.api.objects[THINGS]["one"]["spec"]["theirs"] = 7
    assert bench.rollback().refused == []
    assert bench.things()["one"]["spec"] == {"a": 1, "keep": 1, "theirs": 7}


def test_what_others_added_to_what_the_run_made_is_kept(bench, changed):
    bench.api.objects[THINGS]["one"]["spec"]["new"]["theirs"] = 7
    work = bench.rollback()
    assert (work.refused, work.cannot) == ([], [])
    assert bench.things()["one"]["spec"] == {"a": 1, "keep": 1, "new": {"theirs": 7}}


def test_an_object_that_somebody_changes_while_it_is_removed_is_looked_at_again(bench, changed):
    def meanwhile(handler, call):
        theirs = bench.api.objects[THINGS]["two"]
        bench.api.put(THINGS, "two", **{**theirs, "spec": {"b": 2}})
        handler.proceed(call)

    bench.api.inject("DELETE", "/things/two", meanwhile)
    assert bench.rollback().refused == ["Thing two has been changed since by somebody else, in spec.b"]
    assert "two" in bench.things()


@pytest.mark.parametrize(
    ("theirs", "restart", "left"),
    [({"spec": {"a": 9}}, False, True), ({"status": {"ready": 1}}, False, False), ({"spec": {"a": 9}}, True, False)],
    ids=["changed", "its status alone", "of what nothing lasts"],
)
def test_an_object_that_changed_since_it_was_judged_is_not_deleted(bench, theirs, restart, left):
    writer = bench.writer()
    found = writer.read(f"{THINGS}/one")
    bench.api.put(THINGS, "one", **{"spec": {"a": 1, "keep": 1}, **theirs})
    if left:
        with pytest.raises(ConflictError):
            writer.delete(f"{THINGS}/one", found)
        assert bench.writes() == []
    else:
        writer.delete(f"{THINGS}/one", found, restart=restart)
    bench.last_lease.pause()
    assert ("one" in bench.things()) is left


def test_an_object_that_somebody_else_deletes_meanwhile_is_deleted(bench):
    writer = bench.writer()
    found = writer.read(f"{THINGS}/one")
    bench.api.put(THINGS, "one", spec={}, metadata={"name": "one", "uid": "uid-one", "deletionTimestamp": "2026-01-01T00:00:00Z"})
    writer.delete(f"{THINGS}/one", found)
    bench.last_lease.pause()
    assert writer.changed


def test_what_others_changed_in_the_same_fields_is_left_alone_and_named_and_the_rest_put_back(bench, changed):
    bench.api.put(THINGS, "one", spec={"a": 9, "keep": 1, "new": {"x": 1}})
    work = bench.rollback()
    assert "Thing one has been changed since by somebody else, in spec.a" in work.refused[0] and "newer write" in work.refused[1]
    assert bench.things()["one"]["spec"]["a"] == 9 and "two" not in bench.things() and "three" in bench.things()
    assert bench.rollback(force=True).refused == []
    assert bench.things() == changed


def test_an_object_that_somebody_made_anew_is_not_deleted(bench, changed):
    bench.api.objects[THINGS]["two"]["metadata"]["uid"] = "another"
    assert bench.rollback().refused == ["Thing two has been changed since by somebody else, in metadata.uid"]
    assert "two" in bench.things()


def test_one_remedy_alone_can_be_undone(bench, changed):
    assert bench.rollback(remedy="another").lines == []
    assert len(bench.rollback(remedy="some_remedy").lines) == 4


def test_an_owner_is_kept_only_while_it_is_the_same(bench):
    owners = [{"apiVersion": "example.org/v1", "kind": "Thing", "name": "one", "uid": uid} for uid in ("uid-one", "gone")]
    bench.api.objects["/apis/example.org"] = {
        "v1": {"kind": "APIResourceList", "metadata": {"name": "v1"}, "resources": [{"name": "things", "kind": "Thing", "namespaced": False}]}
    }
    bench.api.put(THINGS, "four", spec={}, metadata={"name": "four", "uid": "uid-four", "ownerReferences": owners})
    writer = bench.writer()
    writer.delete(f"{THINGS}/four", writer.read(f"{THINGS}/four"))
    bench.last_lease.release(bench.deadline)
    bench.rollback()
    assert bench.api.objects[THINGS]["four"]["metadata"]["ownerReferences"] == owners[:1]


def test_a_deleted_secret_is_said_to_be_lost(bench):
    bench.api.put(SECRETS, "s", kind="Secret", data={"k": "c2VjcmV0"}, metadata={"name": "s", "uid": "u", "namespace": "other"})
    writer = bench.writer()
    writer.delete(f"{SECRETS}/s", writer.read(f"{SECRETS}/s"))
    bench.last_lease.release(bench.deadline)
    work = bench.rollback()
    assert any("Secret other/s" in said and "data.k" in said for said in work.cannot) and not work.changed
    assert "c2VjcmV0" not in json.dumps(bench.api.objects[MAPS])


def test_a_restart_is_said_to_be_final_once(bench):
    bench.api.put(THINGS, "one", kind="Pod", spec={"a": 1, "keep": 1})
    writer = bench.writer()
    writer.delete(f"{THINGS}/one", writer.read(f"{THINGS}/one"), restart=True)
    bench.last_lease.release(bench.deadline)
    assert "was restarted" in bench.rollback().cannot[0]
    assert bench.rollback().cannot == [] and bench.things() == {}


def test_what_a_patch_leaves_elsewhere_is_said_once(bench):
    bench.api.put(THINGS, "one", spec={"a": 1})
    writer = bench.writer()
    writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": 2}}, irreversible="the file on the servers is not put back")
    bench.last_lease.release(bench.deadline)
    work = bench.rollback()
    assert work.cannot == ["the file on the servers is not put back"] and bench.things()["one"]["spec"] == {"a": 1}
    assert bench.rollback().cannot == []


def test_a_patch_that_no_rollback_undoes_leaves_what_came_before_it_undone(bench):
    bench.api.put(THINGS, "one", spec={"a": 1})
    writer = bench.writer()
    away = writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": 2}})
    writer.patch(f"{THINGS}/one", away, {"spec": {"a": 1}}, irreversible="one came back", one_way=True)
    bench.last_lease.release(bench.deadline)
    bench.api.calls.clear()
    work = bench.rollback()
    assert work.cannot == ["one came back"] and not work.changed and work.refused == []
    assert bench.things()["one"]["spec"] == {"a": 1} and not [call for call in bench.writes() if call.path.startswith(THINGS)]


@pytest.mark.parametrize(
    ("remedy", "path", "verb", "interrupts"),
    [
        ("calico_mtu", THINGS, undoing.WRITE_PATCH, True),
        ("node_maintenance", THINGS, undoing.WRITE_PATCH, True),
        ("calico_mtu", THINGS, undoing.NOTHING, False),
        ("remote_ippools", "/apis/projectcalico.org/v3/ippools", undoing.REMOVE, True),
        ("remote_ippools", "/apis/projectcalico.org/v3/ippools", undoing.MAKE, False),
        ("broker_records", THINGS, undoing.MAKE, False),
    ],
)
def test_what_undoing_interrupts(bench, remedy, path, verb, interrupts):
    work = Rollback(bench.member, None, None, bench.deadline, check_mode=True, force=False)
    record = Record(1, path=f"{path}/one", object="Thing one", remedy=remedy)
    assert bool(work.disruptive([(record, undoing.Undo(verb))])) is interrupts


class Killed(BaseException):
    """kill -9: nothing of the process runs any more."""


def killing(bench, monkeypatch, at, *, after):
    """Let the process die before, or just after, its write number ``at`` reaches the server."""
    connection = bench.member.connection
    real, seen = connection.request, []

    def request(method, path, query=None, *args, **keywords):
        if method == "GET" or (query or {}).get("dryRun"):
            return real(method, path, query, *args, **keywords)
        seen.append(path)
        if len(seen) == at and not after:
            raise Killed
        answer = real(method, path, query, *args, **keywords)
        if len(seen) == at:
            raise Killed
        return answer

    monkeypatch.setattr(connection, "request", request)
    return seen


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 14))
def test_a_run_that_was_killed_at_any_write_can_be_rolled_back(bench, monkeypatch, at, after):
    bench.api.put(THINGS, "three", spec={"c": 1})
    before = copy.deepcopy(bench.things())
    with monkeypatch.context() as patched:
        killing(bench, patched, at, after=after)
        with pytest.raises(Killed):
            changes(bench, bench.writer())
    bench.last_lease.pause()
    bench.api.now = 600  # the dead run's lock has expired
    if bench.history() is not None:
        assert bench.rollback().refused == []
    assert bench.things() == before


@pytest.mark.parametrize("at", range(1, 10))
def test_a_rollback_that_was_killed_at_any_write_can_be_repeated(bench, changed, monkeypatch, at):
    with monkeypatch.context() as patched:
        killing(bench, patched, at, after=True)
        with pytest.raises(Killed):
            bench.rollback()
    bench.api.now = 600
    assert bench.rollback().refused == []
    assert bench.things() == changed


def test_an_interrupted_run_is_told_with_what_the_object_shows(bench, monkeypatch):
    from ansible_collections.fathom.submariner.plugins.module_utils._apply._cluster_state import interrupted

    assert interrupted(bench.member, NAMESPACE, bench.deadline) == {}
    with monkeypatch.context() as patched:
        killing(bench, patched, 3, after=True)  # the lock, the entry, and the write itself
        with pytest.raises(Killed):
            changes(bench, bench.writer())
    bench.last_lease.pause()
    found = interrupted(bench.member, NAMESPACE, bench.deadline)
    assert found["run"] == "run-1" and [(entry["object"], entry["state"]) for entry in found["entries"]] == [("Thing one", "was written")]
    assert "submariner_run=run-1" in found["lines"][-1]


def test_what_another_one_made_at_that_moment_is_not_deleted(bench, monkeypatch):
    """The run died before its write; a route agent made the same object then."""
    thing = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "two"}, "spec": {"b": 1}}
    with monkeypatch.context() as patched:
        killing(bench, patched, 3, after=False)
        with pytest.raises(Killed):
            bench.writer().create(THINGS, thing)
    bench.last_lease.pause()
    bench.api.now = 600
    bench.api.put(THINGS, "two", **{**thing, "metadata": {"name": "two", "uid": "theirs", "managedFields": [{"manager": "submariner-route-agent"}]}})
    work = bench.rollback()
    assert (work.lines, work.refused, "two" in bench.things()) == ([], [], True)


def test_a_run_whose_journal_in_the_cluster_was_removed_does_not_count_from_one_again(bench):
    for value in (2, 3):
        writer = bench.writer()
        writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": value}})
        bench.last_lease.release(bench.deadline)
        bench.api.objects[MAPS].clear()
    assert [record.n for record in bench.history().records] == [1, 2]
    bench.rollback()
    assert bench.things()["one"]["spec"] == {"a": 1, "keep": 1}


@pytest.mark.parametrize("apart", [False, True], ids=["on one controller", "on two"])
def test_two_that_write_under_one_run_lose_no_entry_of_each_other(bench, tmp_path, apart):
    bench.api.put(THINGS, "five", spec={"a": 1})
    before = copy.deepcopy(bench.things())
    other = Bench(bench.api, tmp_path / "other" if apart else tmp_path)
    writers = {"one": bench.writer(), "five": other.writer()}
    for value in (2, 3):
        for name, writer in writers.items():
            writer.patch(f"{THINGS}/{name}", writer.read(f"{THINGS}/{name}"), {"spec": {"a": value}})
    found = [(each.n, each.object, each.state) for each in bench.history(file=False).records]
    assert found == [(1, "Thing one", "done"), (2, "Thing five", "done"), (3, "Thing one", "done"), (4, "Thing five", "done")]
    for each in (other, bench):
        each.last_lease.pause()
    bench.last_lease.release(bench.deadline)
    assert bench.rollback().refused == [] and bench.things() == before
    other.member.connection.close()


def test_one_that_notes_an_end_takes_no_number_that_another_has_taken_meanwhile(bench):
    """The version that it knows then is one with the other's entry in it."""
    one, two = (Journal(bench.member, NAMESPACE, "run-1", None) for dummy in range(2))
    entry = Entry("patch", "/x", "Thing x", "u", "1", None, {}, {}, "some_remedy")
    assert one.intend(entry, bench.deadline) == 1
    assert two.intend(entry, bench.deadline) == 2
    one.mark(1, "done", None, "", bench.deadline)
    assert one.intend(entry, bench.deadline) == 3


def test_a_number_that_cannot_be_had_is_a_failure_before_the_write(bench):
    writer = bench.writer()
    found = writer.read(f"{THINGS}/one")
    bench.api.inject("POST", "/configmaps", *[status(409, "AlreadyExists", "there is one")] * 10)
    with pytest.raises(SubmarinerError, match="somebody else writes the journal of run run-1 .*Look whether the same run was started twice"):
        writer.patch(f"{THINGS}/one", found, {"spec": {"a": 2}})
    bench.last_lease.pause()
    assert bench.things()["one"]["spec"]["a"] == 1


def test_two_copies_that_differ_are_not_trusted(bench, changed):
    journal = bench.api.objects[MAPS]["fathom-submariner-journal-run-1"]["data"]
    entry = json.loads(journal["00001.intended"])
    entry["undo"]["spec"]["a"] = 99
    journal["00001.intended"] = json.dumps(entry)
    with pytest.raises(RefusedError, match="entry 1 .Thing one. has undo otherwise in the file than in the cluster"):
        bench.rollback()
    bench.rollback(force=True)
    assert bench.things() == changed, "the controller's file counts"


def test_a_write_that_cannot_be_kept_is_not_made(bench):
    bench.api.inject("POST", "/configmaps", status(403, "Forbidden", "configmaps is forbidden"))
    writer = bench.writer()
    with pytest.raises(SubmarinerError, match="journal.*cannot be written, so nothing more was written"):
        writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": 2}})
    bench.last_lease.pause()
    assert bench.things()["one"]["spec"]["a"] == 1


def test_nothing_to_do_sends_nothing(bench):
    writer = bench.writer()
    writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": 1, "absent": None}})
    assert not writer.changed and not writer.locked and bench.writes() == [] and writer.diff == []


def test_check_mode_s_diff_is_the_real_run_s_and_nothing_is_sent(bench):
    bench.api.put(THINGS, "three", spec={"c": 1})
    shown = bench.writer(check_mode=True)
    changes(bench, shown)
    assert bench.writes() == [] and shown.changed
    real = bench.writer()
    changes(bench, real)
    bench.last_lease.release(bench.deadline)
    assert shown.diff == real.diff


def test_check_mode_predicts_what_goes_into_a_namespace_that_it_would_make(bench):
    bench.api.objects["/api/v1/namespaces"] = {}
    writer = bench.writer(check_mode=True)
    writer.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}})
    writer.create("/api/v1/namespaces/new/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "new"}})
    assert [entry["after"]["kind"] for entry in writer.diff] == ["Namespace", "ConfigMap"]


def test_a_stale_precondition_is_refused_with_the_field_before_anything_is_sent(bench):
    from ansible_collections.fathom.submariner.plugins.module_utils._apply._cluster_state import stale
    planning = bench.writer(check_mode=True)
    planning.read(f"{THINGS}/one")
    planning.read(f"{THINGS}/missing")
    assert stale(bench.member, planning.preconditions, bench.deadline) == []
    bench.api.put(THINGS, "one", spec={"a": 5, "keep": 1})
    assert stale(bench.member, planning.preconditions, bench.deadline) == [
        {"path": f"{THINGS}/one", "object": "Thing one", "fields": ["spec.a"], "said": "Thing one in spec.a"}
    ]
    with pytest.raises(RefusedError, match="Thing one has changed since the plan was made, in spec.a"):
        bench.writer(expected=planning.preconditions).read(f"{THINGS}/one")
    assert bench.writes() == []


def test_all_preconditions_are_looked_at_before_the_first_write(bench):
    planning = bench.writer(check_mode=True)
    for name in ("one", "missing"):
        planning.read(f"{THINGS}/{name}")
    unserved = {"path": "/apis/other.example.org/v1/things/x", "uid": "", "resource_version": "", "content": {}}
    listed = {key: value for key, value in planning.preconditions[0]["content"].items() if key not in ("apiVersion", "kind")}
    expected = [{**planning.preconditions[0], "content": listed}, planning.preconditions[1], unserved]
    bench.writer(expected=expected).require_preconditions()
    with pytest.raises(RefusedError, match="/apis/other.example.org/v1/things/x has changed since the plan was made"):
        bench.writer(expected=[{**unserved, "content": {"spec": {"a": 1}}}]).require_preconditions()
    bench.api.put(THINGS, "one", spec={"a": 5, "keep": 1})
    with pytest.raises(RefusedError, match=r"in spec.a\. Nothing was written\. Make a new plan"):
        bench.writer(expected=planning.preconditions).require_preconditions()
    assert bench.writes() == []


def test_a_precondition_that_is_met_after_a_write_does_not_say_that_nothing_was_written(bench):
    planning = bench.writer(check_mode=True)
    planning.read(f"{THINGS}/one")
    writer = bench.writer(expected=planning.preconditions)
    writer.require_preconditions()
    writer.create(THINGS, {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "two"}, "spec": {"b": 1}})
    bench.api.put(THINGS, "one", spec={"a": 5, "keep": 1})
    with pytest.raises(RefusedError, match=r"in spec.a\. Nothing more was written\. Make a new plan"):
        writer.read(f"{THINGS}/one")


def test_a_journal_goes_on_in_further_config_maps_and_across_tasks(bench, monkeypatch):
    from ansible_collections.fathom.submariner.plugins.module_utils._apply import _journal

    monkeypatch.setattr(_journal, "_FULL", 700)
    for value in range(2, 8):
        writer = bench.writer()
        writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": value}})
        bench.last_lease.pause()
    assert len(bench.api.objects[MAPS]) > 2 and "fathom-submariner-journal-run-1.1" in bench.api.objects[MAPS]
    assert [record.n for record in bench.history(file=False).records] == [1, 2, 3, 4, 5, 6]
    bench.api.now = 600
    bench.rollback(file=False)
    assert bench.things()["one"]["spec"] == {"a": 1, "keep": 1}


@pytest.mark.parametrize("run", ["", "Upper", "a.b", "-a", "a-", "x" * 64, "a/b", "../etc"])
def test_a_run_id_that_cannot_be_part_of_a_name_is_bad_input(run):
    from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import require_run
    from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

    with pytest.raises(InputError, match="must be 1 to 63"):
        require_run(run)


def test_the_controller_s_copy_is_for_its_owner_only(bench, changed, tmp_path):
    file = tmp_path / "run-1" / "c1.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text() + '{"n": 5, "sta')  # cut short by a kill
    assert len(bench.history().records) == 4 and bench.history().problems == ()


@pytest.mark.parametrize("fails", [False, True])
def test_what_subctl_did_is_said_to_be_final_and_what_was_written_beside_it_put_back(bench, fails):
    from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import SUBCTL_JOIN, Entry
    from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError

    writer = bench.writer()
    writer.patch(f"{THINGS}/one", writer.read(f"{THINGS}/one"), {"spec": {"a": 2}})
    entry = Entry(SUBCTL_JOIN, f"{THINGS}/two", "Submariner x", "", "", None, {"command": []}, None, "join", "Run subctl uninstall on this cluster.")

    def write():
        if fails:
            raise SubmarinerError("subctl exits with 1")

    if fails:
        with pytest.raises(SubmarinerError):
            writer.go_outside(entry, write)
    else:
        writer.go_outside(entry, write)
    bench.last_lease.release(bench.deadline)
    work = bench.rollback()
    assert work.cannot == ["Run subctl uninstall on this cluster."] and bench.things()["one"]["spec"]["a"] == 1
    assert bench.rollback().cannot == []


def test_what_the_server_does_not_take_back_keeps_nothing_else_from_being_put_back(bench, changed):
    overlap = status(422, "Invalid", "CIDR overlaps with another pool")
    bench.api.inject("POST", "/things", overlap, overlap)
    work = bench.rollback()
    assert work.refused == ["Thing three: the API server refuses it as it was: CIDR overlaps with another pool"]
    assert bench.things() == {"one": changed["one"]}
    assert bench.rollback().refused == [] and bench.things() == changed


def test_what_stood_in_the_way_and_was_put_back_itself_is_no_reason_to_give_up(bench, changed):
    bench.api.inject("POST", "/things", status(422, "Invalid", "CIDR overlaps with Thing two"))
    assert bench.rollback().refused == [] and bench.things() == changed
