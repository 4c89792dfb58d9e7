# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a node's kernel is set to: whether it forwards packets, and whether its connection table has room."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import (
    Flaw,
    Gap,
    Judged,
    NodePlan,
    gap,
    is_calico_device,
    is_submariner_device,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost

IPV4 = "net.ipv4.ip_forward"
IPV6 = "net.ipv6.conf.all.forwarding"
WITHOUT_IPV6 = "net.ipv6.conf.all.disable_ipv6"
NEARLY_FULL = 0.9  # of nf_conntrack_max; kubelet and node-problem-detector warn in the same region
FULL = 0.99


def judge_forwarding(host: NodeHost, plan: NodePlan) -> Judged:
    """Forwarding that is off for the whole host, or for a device of Calico's or Submariner's alone; IPv6 that is switched off and wanted.

    net.ipv4.conf.all.forwarding is the same switch as ip_forward, and writing it changes every device's own (Documentation/networking/ip-sysctl.rst).
    """
    off = False
    for name, wanted in ((IPV4, True), (IPV6, plan.wants_ipv6)):
        value = host.sysctls.get(name)
        if not wanted:
            continue
        if value is None:
            yield gap(host, "sysctls", f"the document says nothing of {name}")
        elif value != "1":
            off = True
            yield Flaw(f"does not forward {'IPv6' if name == IPV6 else 'packets'}: {name} is {value}", f"sysctls[{name}]", value, "1 is needed", keys=(name,))
    value = host.sysctls.get(WITHOUT_IPV6)
    if plan.wants_ipv6 and value not in (None, "0"):
        yield Flaw(f"has IPv6 switched off: {WITHOUT_IPV6} is {value}", f"sysctls[{WITHOUT_IPV6}]", value, "0 is needed", keys=(WITHOUT_IPV6,))
    if off:
        return
    for link in host.links:
        if link.forwarding is False and link.up and (is_calico_device(link.name) or is_submariner_device(link.name)):
            yield Flaw(f"does not forward on {link.name}", f"links[{link.name}].forwarding", "0", "although the host forwards", keys=(link.name,))


def judge_conntrack(host: NodeHost, _plan: NodePlan) -> Judged:
    """A connection table that is nearly full: new connections are dropped then, existing ones go on (nf_conntrack: table full, dropping packet)."""
    maximum, count = host.conntrack.maximum, host.conntrack.count
    if maximum is None or count is None:
        # Without connection tracking there are no such files: iptables loads it with the first rule that needs it.
        yield Gap("conntrack", host.why_unseen("conntrack") or "nf_conntrack_max and nf_conntrack_count were not found: connection tracking is not loaded")
    elif maximum and count >= maximum * NEARLY_FULL:
        severity = "error" if count >= maximum * FULL else ""
        yield Flaw("has a connection table that is nearly full", "conntrack.count", str(count), f"of {maximum}", severity, (str(maximum),))
