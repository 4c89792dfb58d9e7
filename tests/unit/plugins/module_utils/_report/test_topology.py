# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusterset as members and tunnels, and the picture of it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_map import drawn
from ansible_collections.fathom.submariner.plugins.module_utils._report._html_map_section import map_section
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import Report
from ansible_collections.fathom.submariner.plugins.module_utils._report._topology import topology
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import cluster, connection, gateway, ok
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._report import reports


def of(*snapshots):
    return topology(assemble([reports.diagnosed(snapshot) for snapshot in snapshots], CHECKS))


def states(picture):
    return {(tunnel.one, tunnel.other): tunnel.state for tunnel in picture.tunnels}


class TestTopology:
    def test_a_healthy_pair(self):
        picture = of(*reports.HEALTHY)
        assert [(member.name, member.pods, member.announced) for member in picture.members] == [
            ("cluster-1", "10.46.0.0/16", ""),
            ("cluster-2", "10.42.0.0/16", ""),
        ]
        assert [(tunnel.state, tunnel.latency_ms, len(tunnel.views)) for tunnel in picture.tunnels] == [("connected", 1.0, 2)]
        assert picture.members[0].gateways == (("node-1", "active"),)

    def test_the_worse_view_counts(self):
        lost = cluster("cluster-1", gateways=ok(gateway(connection("cluster-2", "error", "no answer"))))
        picture = of(lost, cluster("cluster-2"))
        assert states(picture) == {("cluster-1", "cluster-2"): "error"}
        assert picture.tunnels[0].message == "no answer"

    def test_a_gateway_that_does_not_name_the_other_has_no_connection(self):
        assert states(of(cluster("cluster-1", gateways=ok(gateway())), cluster("cluster-2"))) == {("cluster-1", "cluster-2"): "no connection"}

    def test_who_was_not_diagnosed_is_there_all_the_same(self):
        picture = of(cluster("cluster-1"))
        assert [(member.name, member.diagnosed) for member in picture.members] == [("cluster-1", True), ("cluster-2", False)]
        assert states(picture) == {("cluster-1", "cluster-2"): "connected"}

    def test_who_could_not_be_read_is_no_second_member(self):
        report = assemble([reports.diagnosed(cluster("cluster-1")), {"failed": True, "msg": "refused", "cluster": "cluster-2"}], CHECKS)
        picture = topology(report)
        assert [(member.name, member.verdict) for member in picture.members] == [("cluster-1", picture.members[0].verdict), ("cluster-2", "unread")]
        assert states(picture) == {("cluster-1", "cluster-2"): "connected"}

    def test_what_was_not_read_is_not_known(self):
        picture = topology(reports.ring(3, silent=[1, 2]))
        assert states(picture)["site-01", "site-02"] == "not known"
        assert states(picture)["site-01", "site-03"] == "error"

    def test_a_blocker_breaks_a_connected_tunnel(self):
        picture = topology(reports.incident())
        assert [(tunnel.state, tunnel.blocked_by, tunnel.healthy) for tunnel in picture.tunnels] == [("connected", ("cluster-1", "cluster-2"), False)]
        assert picture.members[0].announced == "10.45.0.0/16, 10.46.0.0/24"

    def test_but_not_where_the_blocker_is_about_another_tunnel(self):
        picture = topology(reports.ring(3, down=[(1, 2)]))
        assert {name: tunnel.blocked_by for tunnel in picture.tunnels for name in [(tunnel.one, tunnel.other)]}["site-01", "site-03"] == ()


class TestPicture:
    @pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 30])
    def test_every_member_and_tunnel_is_drawn(self, count):
        picture = topology(reports.ring(count))
        figure = ElementTree.fromstring(f"<x>{drawn(picture, 'All is well.')}</x>")
        images = list(figure.iter("svg"))
        assert len(images) == (2 if count <= 2 else 1)
        for image in images:
            names = " ".join("".join(text.itertext()) for text in image.iter("text"))
            assert all(member.name in names for member in picture.members)
            assert sum("tunnel" in path.get("class", "") for path in image.iter("path")) == count * (count - 1) // 2
            assert f"{count} cluster" in image.find("desc").text and "All is well." in image.find("desc").text

    @pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 9, 17, 30])
    def test_nothing_lies_outside_of_the_picture(self, count):
        figure = ElementTree.fromstring(f"<x>{drawn(topology(reports.ring(count)), '')}</x>")
        for image in figure.iter("svg"):
            _left, _top, width, height = map(float, image.get("viewBox").split())
            for box in image.iter("rect"):
                x, y = float(box.get("x")), float(box.get("y"))
                assert -1 <= x and x + float(box.get("width")) <= width + 1
                assert -1 <= y and y + float(box.get("height")) <= height + 1

    def test_cards_do_not_overlap(self):
        for count in range(2, 9):
            figure = ElementTree.fromstring(f"<x>{drawn(topology(reports.ring(count)), '')}</x>")
            boxes = [box for box in next(figure.iter("svg")).iter("rect") if "box" in box.get("class")]
            frames = [tuple(float(box.get(name)) for name in ("x", "y", "width", "height")) for box in boxes]
            assert len(frames) == count
            for position, (x, y, width, height) in enumerate(frames):
                for other_x, other_y, _width, _height in frames[position + 1 :]:
                    assert abs(x - other_x) >= width or abs(y - other_y) >= height, count

    def test_the_words_beneath_say_what_is_broken(self):
        section = map_section(reports.ring(4, down=[(1, 3)]))
        assert "Not connected: site-01 – site-03 (error)." in section
        assert "and traffic is broken all the same" in map_section(reports.incident())
        assert "Every tunnel is connected." in map_section(reports.ring(3))
        assert map_section(Report((), ())) is None

    def test_many_healthy_tunnels_are_folded(self):
        assert "433 tunnels are connected" in map_section(reports.ring(30, down=[(1, 3), (4, 20)]))
