# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook nodes on namespaces as hosts: documents on the controller, from which the fault that was built is told, and its repair in figures."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_cases import Scene, cases, untried
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import OK, Answer, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost
from tests.netns import shapes

PORT = 28470


def targets(own, other, device_addresses):
    served = {"name": other, "port": PORT}
    paths = [{"address": address, "path": path, **served} for path, address in device_addresses.items()]
    return {
        "path_mtu": [{**each, "protocols": ["icmp", "udp"]} for each in paths],
        "path_probe": [{**each, "protocols": ["tcp", "udp"], "sizes": ["small", "large"]} for each in paths],
        "answers_on": own,
    }


def scene_of(folder):
    records = [record_of(json.loads(path.read_text(encoding="utf-8")), str(path)) for path in sorted(folder.glob("*.json"))]
    hosts = tuple(record for record in records if isinstance(record, NodeHost))
    probes = tuple(record for record in records if not isinstance(record, NodeHost))
    snapshot = Snapshot("cluster-1", "https://test.invalid", "2026-01-01T00:00:00Z")
    return Scene(dataclasses.replace(snapshot, node_hosts=Answer(OK, hosts), node_probes=Answer(OK, probes)), False, lambda flow: False)


@pytest.mark.netns
def test_a_blocked_port_is_told_and_its_repair_is_shown(world, tmp_path):
    one, two = world.host("one"), world.host("two")
    world.link(one, "eth0", two, "eth0")
    underlay = {one: "10.1.0.1", two: "10.1.0.2"}
    inside = {one: "10.42.1.0", two: "10.42.2.0"}
    for host in (one, two):
        host.address("eth0", f"{underlay[host]}/24")
    shapes.mesh({host: (underlay[host], f"{inside[host]}/32") for host in (one, two)}, "vxlan.calico", 4096, 4789, 1450, parent="eth0")
    one.route("10.42.2.0/26", "via", "10.42.2.0", "dev", "vxlan.calico", "onlink")
    two.route("10.42.1.0/26", "via", "10.42.1.0", "dev", "vxlan.calico", "onlink")
    two.nft("table inet site {\n chain input {\n  type filter hook input priority 0;\n  udp dport 4789 drop\n }\n}\n")
    asked = {
        host.name: targets([underlay[host], inside[host]], other.name, {"underlay": underlay[other], "calico": inside[other]})
        for host, other in ((one, two), (two, one))
    }
    variables = {"nodes_targets": asked, "nodes_timeout": 0.4, "nodes_retries": 1}

    def run(dest, **more):
        given = tmp_path / f"{dest}.json"
        given.write_text(json.dumps({**variables, **more, "submariner_node_reports": str(tmp_path / dest)}), encoding="utf-8")
        done = world.playbook("fathom.submariner.nodes", "-e", f"@{given}", submariner_nodes=[one, two])
        assert done.returncode == 0, done.stdout
        assert "changed=0" in done.stdout and "changed=1" not in done.stdout, done.stdout
        return done.stdout

    run("before")
    assert {path.name for path in (tmp_path / "before").iterdir()} == {
        f"nodes.{host.name}.{what}.json" for host in (one, two) for what in ("info", "mtu", "exchanges")
    }
    found = {(case.source, case.path): case for case in cases(scene_of(tmp_path / "before"))}
    assert {key for key, case in found.items() if case.verdict.cause} == {(one.name, "calico"), (two.name, "calico")}
    assert {case.verdict.cause for case in found.values() if case.path == "calico"} == {"udp-blocked"}
    assert "udp dport 4789 drop" in found[one.name, "calico"].words["rule"]
    for host in (one, two):  # the responders have ended with the run
        assert not host.run("ss", "-Hlnut", "sport", "=", f":{PORT}").stdout
    two.nft("delete table inet site")
    said = run("after", submariner_node_reports_before=str(tmp_path / "before"))
    assert not [case for case in cases(scene_of(tmp_path / "after")) if case.verdict.cause]
    assert f"{one.name} to {two.name} (calico, icmp): better, dead before, open up to 1450 bytes now" in said


def port_targets(own, others, ports):
    """As probe_targets_info chooses them for ``nodes_ports``, without the paths' own targets."""
    usual = [{"address": address, "name": name, "path": "underlay", "port": PORT} for name, address in others.items()]
    tried = [{"address": address, "name": name, "path": "underlay", "protocols": ["udp"], "sizes": ["small"]} for name, address in others.items()]
    return {
        "path_mtu": [{**each, "protocols": ["icmp"]} for each in usual],
        "path_probe": [{**each, "protocols": ["tcp", "udp"], "sizes": ["small"]} for each in usual] + [{**each, "port": port} for each in tried for port in ports],
        "answers_on": [own],
        "answers_on_ports": [{"port": port, "addresses": [own]} for port in ports],
    }


@pytest.mark.netns
def test_ports_before_a_join_open_blocked_one_way_and_held(world, tmp_path):
    """UDP 4500 of ``two`` is blocked for what ``one`` sends; UDP 4800 of ``three`` is held by the kernel's own VXLAN socket."""
    switch = world.host("switch")
    hosts = [world.host(name) for name in ("one", "two", "three")]
    one, two, three = hosts
    own = {host.name: f"10.1.0.{number}" for number, host in enumerate(hosts, 1)}
    for number, host in enumerate(hosts, 1):
        world.link(host, "eth0", switch, f"port{number}")
        host.address("eth0", f"{own[host.name]}/24")
    world.bridge(switch, "br0", "port1", "port2", "port3")
    rule = "ip saddr 10.1.0.1 meta l4proto {tcp, udp} th dport 4500 drop"
    two.nft(f"table inet site {{\n chain input {{\n  type filter hook input priority 0;\n  {rule}\n }}\n}}\n")
    three.ip("link", "add", "vx-submariner", "type", "vxlan", "id", "100", "dstport", "4800", "dev", "eth0")
    three.ip("link", "set", "vx-submariner", "up")
    asked = {host.name: port_targets(own[host.name], {name: address for name, address in own.items() if name != host.name}, (4500, 4800)) for host in hosts}
    given = tmp_path / "given.json"
    variables = {"nodes_targets": asked, "nodes_timeout": 0.4, "nodes_retries": 1, "submariner_node_reports": str(tmp_path / "found")}
    given.write_text(json.dumps(variables), encoding="utf-8")
    done = world.playbook("fathom.submariner.nodes", "-e", f"@{given}", submariner_nodes=hosts)
    assert done.returncode == 0 and "failed=0" in done.stdout and "changed=1" not in done.stdout, done.stdout
    scene = scene_of(tmp_path / "found")
    ports = {(case.source, case.name, case.port): case for case in cases(scene) if case.port}
    assert {key for key, case in ports.items() if case.verdict.cause} == {(one.name, two.name, 4500)}
    assert ports[one.name, two.name, 4500].verdict.cause == "udp-blocked"
    assert all(case.observed["port_passes"] for key, case in ports.items() if key != (one.name, two.name, 4500) and key[1:] != (three.name, 4800))
    held = [each for each in untried(scene.snapshot) if each.target == three.name]
    assert {each.source for each in held} == {one.name, two.name} and all("Address already in use" in each.why for each in held)
    for host in hosts:  # all responders have ended with the run
        assert not [line for line in host.run("ss", "-Hlntu").stdout.splitlines() if f":{PORT} " in line or ":4500 " in line or "10.1.0" in line]
