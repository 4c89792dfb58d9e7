# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a dead APIService when the API never answers: ours goes, whenever it was made; that of others is left, and the message says how it goes."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_manifest as manifest
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_operator as operator
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_wait as waiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_objects as objects
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, Bench
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import FaultyApi

OURS = objects.api_service("calico-apiserver", "")
OTHERS = {**OURS, "metadata": {"name": objects.API_SERVICE}}
HARM = "stalls the deletion of namespaces"


@pytest.fixture
def api():
    with FaultyApi() as server:
        for collection in (waiting.API_SERVICES, LEASES, MAPS):
            server.objects[collection] = {}
        yield server


@pytest.fixture
def task(api, tmp_path):
    bench = Bench(api, tmp_path)
    return Task({"wait": True}, bench.member, bench.writer(), bench.deadline, check_mode=False)


def registered(api):
    return objects.API_SERVICE in api.objects[waiting.API_SERVICES]


def give_up(api, task, found, *, before, dead=True):
    api.put(waiting.API_SERVICES, objects.API_SERVICE, **found)
    return manifest._given_up(task, waiting.NeverServed("It does not answer.", dead=dead), found if before else None)


@pytest.mark.parametrize("before", [False, True], ids=["made by this task", "made by an earlier run"])
def test_ours_is_removed_when_it_is_dead(api, task, before):
    error = give_up(api, task, OURS, before=before)
    assert not registered(api) and not error.dead
    assert "It does not answer." in error.message and "The APIService was removed again" in error.message and HARM in error.message
    assert task.lines[-1].startswith("Delete APIService v3.projectcalico.org again")


def test_that_of_others_is_left_and_the_message_says_how_it_goes(api, task):
    error = give_up(api, task, OTHERS, before=True)
    assert registered(api) and error.dead and task.lines == []
    assert "was not made by this collection" in error.message and HARM in error.message
    assert "state=absent removes it, or kubectl delete apiservice v3.projectcalico.org" in error.message


@pytest.mark.parametrize("found", [OURS, OTHERS], ids=["ours", "others"])
def test_one_that_was_there_and_is_not_known_to_be_dead_is_left(api, task, found):
    error = give_up(api, task, found, before=True, dead=False)
    assert registered(api) and error.message == "It does not answer."


@pytest.mark.parametrize("dead", [True, False])
def test_what_was_asked_of_the_operator_before_is_left(task, monkeypatch, dead):
    def never(task):
        raise waiting.NeverServed("It does not answer.", dead=dead)

    monkeypatch.setattr(operator.waiting, "await_served", never)
    with pytest.raises(waiting.NeverServed) as raised:
        operator.await_operator(task)
    assert raised.value.dead is dead
    assert ("was asked for before this task" in raised.value.message and "state=absent takes the request back" in raised.value.message) is dead
