# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets for pulling: where they are missing nothing is written, and what they hold is never asked for."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_api_server_pull_secrets import Place, usable
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import Bench
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import FaultyApi, status

PLACE = Place("kube-system", "calico-apiserver")
COPY = "kubectl -n kube-system get secret mirror -o yaml | sed 's/^  namespace: kube-system$/  namespace: calico-apiserver/' | kubectl apply -f -"


def secrets(namespace):
    return f"/api/v1/namespaces/{namespace}/secrets"


@pytest.fixture
def api():
    with FaultyApi() as server:
        for collection in ("/api/v1/namespaces", secrets("kube-system"), secrets("calico-apiserver")):
            server.objects[collection] = {}
        yield server


@pytest.fixture
def task(api, tmp_path):
    bench = Bench(api, tmp_path)
    return Task({}, bench.member, bench.writer(), bench.deadline, check_mode=False)


def there(api, namespace, *names):
    api.put("/api/v1/namespaces", namespace)
    for name in names:
        api.put(secrets(namespace), name, kind="Secret", data={".dockerconfigjson": "c2VjcmV0"})


def test_one_that_is_there_is_taken(api, task):
    there(api, "kube-system", "mirror")
    there(api, "calico-apiserver", "mirror")
    assert usable(task, ["mirror", "mirror"], PLACE, answers=False) == ("mirror",)
    assert task.warnings == []
    asked = [call for call in api.calls if "/secrets/" in call.path]
    assert asked and all("as=PartialObjectMetadata" in call.headers["Accept"] for call in asked)


def test_one_that_is_missing_is_refused_with_the_command_that_copies_it(api, task):
    there(api, "kube-system", "mirror")
    there(api, "calico-apiserver")
    with pytest.raises(RefusedError) as refused:
        usable(task, ["mirror"], PLACE, answers=False)
    assert "Secret kube-system/mirror, which namespace calico-apiserver lacks" in refused.value.message
    assert COPY in refused.value.message and "create namespace" not in refused.value.message
    assert refused.value.message.endswith("Nothing was written.")
    assert not any(call.writes for call in api.calls)


def test_the_namespace_comes_first_where_it_is_missing_too(api, task):
    there(api, "kube-system", "mirror")
    with pytest.raises(RefusedError) as refused:
        usable(task, ["mirror"], PLACE, answers=False)
    assert f"kubectl create namespace calico-apiserver && {COPY}" in refused.value.message


def test_an_api_that_answers_gets_a_warning(api, task):
    there(api, "kube-system", "mirror")
    there(api, "calico-apiserver")
    assert usable(task, ["mirror"], PLACE, answers=True) == ("mirror",)
    (warning,) = task.warnings
    assert "namespace calico-apiserver lacks Secret mirror" in warning and COPY in warning


def test_one_that_calico_node_runs_without_is_left_out(api, task):
    there(api, "kube-system")
    there(api, "calico-apiserver")
    assert usable(task, ["gone"], PLACE, answers=False) == () and task.warnings == []


def test_what_cannot_be_read_is_said_to_be_unknown(api, task):
    there(api, "kube-system", "mirror")
    there(api, "calico-apiserver")
    api.inject("GET", f"{secrets('calico-apiserver')}/mirror", status(403))
    assert usable(task, ["mirror"], PLACE, answers=False) == ("mirror",)
    (warning,) = task.warnings
    assert "is not known, since it could not be read" in warning and COPY in warning


def test_one_that_is_missing_is_refused_where_calico_nodes_cannot_be_read(api, task):
    there(api, "calico-apiserver")
    api.inject("GET", f"{secrets('kube-system')}/mirror", status(403))
    with pytest.raises(RefusedError, match="kube-system/mirror"):
        usable(task, ["mirror"], PLACE, answers=False)


def test_in_one_namespace_there_is_nothing_to_look_for(api, task):
    assert usable(task, ["mirror"], Place("kube-system", "kube-system"), answers=False) == ("mirror",)
    assert api.calls == []
