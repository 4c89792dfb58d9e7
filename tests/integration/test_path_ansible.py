# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probing modules through Ansible on namespaces as hosts: as root, and as an ordinary user who may do less and says so."""

from __future__ import annotations

import json

import pytest

from tests.netns import shapes

pytestmark = pytest.mark.netns


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_pair_of_nodes_probes_each_other_side_by_side(world, user):
    line = shapes.line(world, (1500, 1400, 1500))
    pair = (line.a, line.b)
    for host, other in (pair, pair[::-1]):
        host.variables = {"own": [line.address(host), line.address(host, 6)], "others": [{"address": line.address(other, family)} for family in (4, 6)]}
        host.variables["results"] = str(world.folder / f"{host.name}.json")
    tasks = [
        {"fathom.submariner.path_responder": {"addresses": "{{ own }}", "lifetime": 200}, "register": "started"},
        {"fathom.submariner.path_responder": {"addresses": "{{ own }}", "lifetime": 200}, "register": "again"},
        {"fathom.submariner.path_mtu": {"name": "{{ inventory_hostname }}", "cluster": "cluster-1", "targets": "{{ others }}"}, "register": "paths"},
        {"fathom.submariner.path_probe": {"name": "{{ inventory_hostname }}", "targets": "{{ others }}"}, "register": "contrasts"},
        # Whoever has finished must not end the responder that the other one still asks.
        {"ansible.builtin.copy": {"content": "{{ {'paths': paths, 'contrasts': contrasts} | to_json }}", "dest": "{{ results }}"}, "delegate_to": "localhost"},
        {"fathom.submariner.path_responder": {"state": "absent"}, "register": "ended"},
        {"ansible.builtin.assert": {"that": ["started is changed", "again is not changed", "ended is changed", "ended.responder.answered.tcp > 0"]}},
    ]
    done = world.playbook([{"hosts": "nodes", "gather_facts": False, "tasks": tasks}], user=user, nodes=pair)
    assert done.returncode == 0 and "WARNING" not in done.stdout, done.stdout
    for host in pair:
        results = json.loads((world.folder / f"{host.name}.json").read_text())
        assert results["paths"]["probes"]["kind"] == "NodeProbes" and results["paths"]["probes"]["metadata"] == {"name": host.name, "cluster": "cluster-1"}
        for each in results["paths"]["probes"]["paths"]:
            if each["protocol"] == "icmp" and user == "nobody":
                assert each["answer"] == "unknown" and "become: true" in each["why"]
            else:
                assert (each["answer"], each["mtu"], each["next_hop_mtu"]) == ("refused", 1400, 1400), each
        assert {(each["answer"], each["corrupt"]) for each in results["contrasts"]["probes"]["contrasts"]} == {("open", False)}
