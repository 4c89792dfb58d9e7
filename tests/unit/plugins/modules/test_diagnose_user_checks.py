# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module diagnose with checks of the user's own."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils import _deps, _user_files
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.fake_api import FakeConnection
from ansible_collections.fathom.submariner.tests.unit.plugins.modules.test_diagnose import run

CHECK = """
- id: site-empty
  severity: error
  expression: length(nodes.items) == `0`
  message: The cluster has no nodes
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "site.yml"
    path.write_text(CHECK, encoding="utf-8")
    return path


def empty():
    return FakeConnection({"/api/v1/nodes": []})


def test_it_runs_beside_the_others(capsys, module_args, monkeypatch, file):
    code, result = run(capsys, module_args, monkeypatch, empty(), context="one", user_checks=[str(file)])
    found = [entry for entry in result["findings"] if entry["id"] == "site-empty"]
    assert code == 0
    assert [(entry["severity"], entry["verdict"], entry["title"]) for entry in found] == [("error", "fail", "The cluster has no nodes")]
    assert len(result["findings"]) > 1


def test_it_can_be_selected(capsys, module_args, monkeypatch, file):
    options = {"context": "one", "user_checks": [str(file)]}
    chosen = run(capsys, module_args, monkeypatch, empty(), checks=["tag:user"], **options)[1]
    assert [entry["id"] for entry in chosen["findings"]] == ["site-empty"]
    left_out = run(capsys, module_args, monkeypatch, empty(), skip_checks=["site-*"], **options)[1]
    assert "site-empty" not in [entry["id"] for entry in left_out["findings"]]


@pytest.mark.parametrize(("text", "says"), [("- id: 7", "line 1"), (CHECK.replace("nodes.items", "node.items"), "line 4: expression: there is no 'node'")])
def test_a_bad_file_fails_before_anything_is_read(capsys, module_args, monkeypatch, file, text, says):
    file.write_text(text, encoding="utf-8")
    connection = empty()
    code, result = run(capsys, module_args, monkeypatch, connection, context="one", user_checks=[str(file)])
    assert code == 1
    assert result["msg"].startswith(str(file)) and says in result["msg"]
    assert connection.asked == []


def test_ids_are_unique_over_files_and_catalogue(tmp_path, file):
    twin = tmp_path / "twin.yml"
    twin.write_text(CHECK, encoding="utf-8")
    with pytest.raises(InputError, match="twin.yml, line 2: id site-empty is taken"):
        _user_files.read_user_checks([str(file), str(twin)])
    twin.write_text(CHECK.replace("site-empty", "kube-proxy-mode"), encoding="utf-8")
    with pytest.raises(InputError, match="id kube-proxy-mode is taken: a check of this collection"):
        _user_files.read_user_checks([str(twin)])


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"#" * (_user_files.LARGEST + 1)])
def test_what_is_no_file_of_checks(tmp_path, content):
    path = tmp_path / "site.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="site.yml"):
        _user_files.read_user_checks([str(path)])


def test_without_jmespath_the_package_is_named(monkeypatch, file):
    real = _deps.importlib.import_module

    def absent(name):
        if name == "jmespath":
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(_deps.importlib, "import_module", absent)
    with pytest.raises(_deps.MissingLibraryError) as caught:
        _user_files.read_user_checks([str(file)])
    assert "jmespath" in caught.value.message and "user_checks" in caught.value.message
    assert _user_files.read_user_checks([]) == ()
