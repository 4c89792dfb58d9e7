# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role hands to its module, computed by Ansible itself from the role's own files, without the seconds that ``ansible-playbook`` takes."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar

from tests.integration.clusterset import environment
from tests.lab.info import LabInfo

COLLECTION = "fathom.submariner"
ROLES = Path(__file__).parents[2] / "roles"


def module_arguments(lab: LabInfo, cluster: str, role: str, variables: t.Mapping[str, t.Any]) -> tuple[str, dict[str, t.Any]]:
    """The module of a remedy's role and what the role hands to it.

    :param role: with the collection's name.
    :param variables: beside those of the lab's inventory, and instead of the role's defaults.
    """
    name = role.rpartition(".")[2]
    defaults, task = _role(name)
    known = {**defaults, **_inventory(lab.inventory)[cluster], **task.get("vars", {}), **variables}
    arguments = Templar(loader=DataLoader(), variables=known).template(task[f"{COLLECTION}.{name}"])
    return name, dict(arguments)


@functools.lru_cache(maxsize=None)
def _role(name: str) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The defaults of a role and its first task, which calls its module."""
    init_plugin_loader([environment()["ANSIBLE_COLLECTIONS_PATH"]])
    loader = DataLoader()
    read = functools.partial(loader.load_from_file, trusted_as_template=True)
    return read(str(ROLES / name / "defaults/main.yml")), read(str(ROLES / name / "tasks/main.yml"))[0]


@functools.lru_cache(maxsize=None)
def _inventory(path: Path) -> dict[str, dict[str, t.Any]]:
    """By host, the variables that Ansible has of a lab's inventory; the magic ones among them."""
    ((group, content),) = yaml.safe_load(path.read_text(encoding="utf-8"))["all"]["children"].items()
    hosts = {name: {**content["vars"], **own, "inventory_hostname": name} for name, own in content["hosts"].items()}
    return {name: {**own, "hostvars": hosts, "groups": {group: list(hosts)}} for name, own in hosts.items()}
