# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod does not see of its host is unknown, whatever its image's files say."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._node._pod_sight import as_seen_from_pod
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    CalicoFiles,
    FirewallRule,
    HostService,
    Ipset,
    NetworkManager,
    NodeHost,
    NodeLink,
    System,
    Unseen,
)

IMAGE = NodeHost(
    "a",
    system=System("6.1", "debian", "12", ("x",), "x86_64", "2026-01-01T00:00:00Z", "VM"),
    modules={"vxlan": "loaded", "ip_set": "missing", "nf_tables": "builtin", "ipip": "loadable"},
    modules_barred={"ipip": "/etc/modprobe.d/x.conf"},
    ipset=Ipset(7),
    links=(NodeLink("eth0", 2, 1500),),
    calico=CalicoFiles(1400),
    network_manager=NetworkManager("active"),
    services=(HostService("firewalld", "absent"),),
    firewall=(FirewallRule("nftables", "c", "drop"),),
    sysctls={"net.ipv4.ip_forward": "1"},
    unseen=(Unseen("links.kind", "no ip"), Unseen("firewall.nftables", "no nft"), Unseen("services", "no systemctl"), Unseen("modules", "x")),
)


def test_what_is_the_images_is_gone_and_said_to_be():
    seen = as_seen_from_pod(IMAGE)
    assert seen.system == System("6.1", architecture="x86_64", booted_at="2026-01-01T00:00:00Z", virtualisation="VM")
    assert seen.modules == {"vxlan": "loaded", "nf_tables": "builtin"} and seen.modules_barred == {}
    assert (seen.ipset, seen.calico, seen.network_manager, seen.services, seen.firewall) == (Ipset(), CalicoFiles(), NetworkManager(), (), ())
    for field in ("ipset", "calico", "network_manager", "services", "firewall", "modules", "modules_barred", "system"):
        assert "read from a pod" in seen.why_unseen(field), field


def test_what_is_the_hosts_stays():
    seen = as_seen_from_pod(IMAGE)
    assert (seen.links, seen.sysctls) == (IMAGE.links, IMAGE.sysctls)
    assert seen.why_unseen("links") == "no ip" and [each.what for each in seen.unseen].count("modules") == 1
    assert not [each for each in seen.unseen if each.what == "firewall.nftables"]
