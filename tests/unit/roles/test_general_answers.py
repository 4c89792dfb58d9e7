# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is answered once for all steps of a remediation reaches every role that has the option."""

from __future__ import annotations

import pathlib

import pytest
import yaml

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
GENERAL = ("write_live", "force")
ELSEWHERE = {"rollback_force"}  # puts back over what others have changed since: another question


def answers():
    for path in sorted(ROLES.glob("*/defaults/main.yml")):
        role = path.parent.parent.name
        for name, default in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            if name.removeprefix(f"{role}_") in GENERAL and name not in ELSEWHERE:
                yield pytest.param(role, name, default, id=name)


@pytest.mark.parametrize("role, name, default", list(answers()))
def test_the_answer_for_all_steps_is_taken(role, name, default):
    general = f"submariner_{name.removeprefix(f'{role}_')}"
    assert default == f"{{{{ {general} | default(false, true) | bool }}}}"
    option = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"][name]
    assert f"Taken from C({general})" in str(option["description"]) and "default" not in option


def test_the_roles_of_all_ways_to_install_calico_are_among_them():
    assert len(list(answers())) == 8
