# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of what could not be seen."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost, Unseen


def refused():
    raise Unreadable("it may not be read")


def absent():
    raise Unreadable("there is none", absent=True)


def test_what_cannot_be_read_is_noted_and_what_is_absent_where_that_is_no_answer():
    sight = Sight()
    assert sight.of("ipset", lambda: 5, 0) == 5
    assert sight.of("firewall", refused, ()) == ()
    assert sight.of("firewall", absent, (), absent=("none",)) == ("none",)
    assert sight.of("links", absent, 7) == 7
    assert sight.of("calico", refused, 1, absent=2) == 1
    sight.miss("links", "a later reason")
    assert sight.unseen == (Unseen("firewall", "it may not be read"), Unseen("links", "there is none"), Unseen("calico", "it may not be read"))
    host = NodeHost("n", unseen=(*sight.unseen, Unseen("sysctls.net.ipv4.ip_forward", "why")))
    assert host.why_unseen("links") == "there is none" and host.why_unseen("sysctls") == "why" and not host.why_unseen("ipset")
