# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.fathom.submariner.plugins.filter.local_path import FilterModule, local_path


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("bundle.tgz", "{here}/bundle.tgz"), ("./a/../b", "{here}/b"), ("/srv/b", "/srv/b"), ("~/b", "/home/somebody/b"), ("", ""), (None, "")],
)
def test_a_path_begins_where_the_user_stands(tmp_path, monkeypatch, given, wanted):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert local_path(given) == wanted.format(here=tmp_path)


def test_what_is_no_path_is_refused():
    with pytest.raises(AnsibleFilterError, match="wants a path"):
        local_path(["a"])


def test_the_filter_has_its_documented_name():
    assert FilterModule().filters() == {"local_path": local_path}
