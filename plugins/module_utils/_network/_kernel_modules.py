# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which modules of the Linux kernel each dataplane of Calico and each cable of Submariner needs, and which option of a kernel's configuration builds each.

Names and options are those of the kernel's Makefiles and Kconfig files (net/netfilter, net/ipv4/netfilter, drivers/net). What is needed follows from the rules
that Felix, kube-proxy and the route agent write, and from Calico's system requirements; a need with several alternatives is met by any of them, since
distributions build the same thing differently: RHEL 10 has no ip_tables, and iptables there is a front of nf_tables.
"""

from __future__ import annotations

import typing as t

IPSET = "ipset"
IPTABLES = "iptables"
NFTABLES = "nftables"
EBPF = "ebpf"
VXLAN = "vxlan"
IPIP = "ipip"
WIREGUARD = "wireguard"
IPVS = "ipvs"
IPSEC = "ipsec"  # Submariner's libreswan cable
CLAMPING = "clamping"  # of the MSS, by Submariner's route agent
CONNTRACK = "conntrack"

Alternative = t.Tuple[str, ...]


class Need(t.NamedTuple):
    """Something that a dataplane cannot do without.

    :param what: in the user's words.
    :param any_of: alternatives; of one that is taken, every module is needed.
    """

    what: str
    any_of: tuple[Alternative, ...]


def _one(what: str, *names: str) -> Need:
    return Need(what, tuple((name,) for name in names))


NEEDS: t.Mapping[str, tuple[Need, ...]] = {
    IPSET: (
        _one("sets of addresses", "ip_set"),
        _one("sets of type hash:ip", "ip_set_hash_ip"),
        _one("sets of type hash:net", "ip_set_hash_net"),
        _one("sets of type hash:ip,port", "ip_set_hash_ipport"),
    ),
    CONNTRACK: (
        _one("connection tracking", "nf_conntrack"),
        _one("reading and deleting tracked connections", "nf_conntrack_netlink"),
    ),
    IPTABLES: (
        Need("iptables' filter table", (("ip_tables", "iptable_filter"), ("nf_tables", "nft_compat"))),
        Need(
            "iptables' nat table",
            (("ip_tables", "iptable_nat"), ("nf_tables", "nft_compat", "nft_chain_nat"), ("nf_tables", "nft_compat", "nft_chain_nat_ipv4")),
        ),
        Need("iptables' mangle table", (("ip_tables", "iptable_mangle"), ("nf_tables", "nft_compat"))),
        Need("iptables' raw table", (("ip_tables", "iptable_raw"), ("nf_tables", "nft_compat"))),
        _one("matching a set", "xt_set"),
        _one("packet marks", "xt_mark"),
        _one("matching several ports", "xt_multiport"),
        _one("matching a connection's state", "xt_conntrack"),
        _one("comments in rules", "xt_comment"),
        _one("matching local addresses", "xt_addrtype"),
        _one("the reverse path match", "ipt_rpfilter", "nft_fib_ipv4"),
        _one("rejecting", "ipt_REJECT", "nft_reject_ipv4"),
        _one("masquerading", "xt_MASQUERADE", "ipt_MASQUERADE", "nft_masq", "nft_masq_ipv4"),
    ),
    NFTABLES: (
        _one("nftables", "nf_tables"),
        _one("matching a connection's state", "nft_ct"),
        _one("address translation", "nft_chain_nat", "nft_chain_nat_ipv4"),
        _one("masquerading", "nft_masq", "nft_masq_ipv4"),
        _one("reverse path lookups", "nft_fib_inet", "nft_fib_ipv4"),
        _one("rejecting", "nft_reject_inet", "nft_reject_ipv4"),
        _one("random choice among backends", "nft_numgen"),
    ),
    EBPF: (
        _one("programs that classify packets", "cls_bpf"),
        _one("the clsact queueing discipline", "sch_ingress"),
    ),
    VXLAN: (_one("VXLAN devices", "vxlan"),),
    IPIP: (_one("IP-in-IP devices", "ipip"),),
    WIREGUARD: (_one("WireGuard devices", "wireguard"),),
    IPVS: (_one("kube-proxy's IPVS mode", "ip_vs"),),
    IPSEC: (
        _one("configuring IPsec", "xfrm_user"),
        _one("ESP over IPv4", "esp4"),
    ),
    CLAMPING: (
        _one("clamping the MSS", "xt_TCPMSS"),
        _one("sets of type hash:net", "ip_set_hash_net"),
        _one("matching a set", "xt_set"),
    ),
}

# Older kernels only, or of use only beside others: asked for and told, and nobody's need. bpf and nft front ends load them by themselves.
ADVISORY = ("br_netfilter", "af_key", "ip6_tables", "ip_set_bitmap_port", "ip_set_hash_netnet", "udp_tunnel", "xt_u32")

# The first of these options that a configuration speaks of decides: kernels since 6.10 build ip_tables by IP_NF_IPTABLES_LEGACY, older ones know it not.
OPTIONS: t.Mapping[str, tuple[str, ...]] = {
    "af_key": ("NET_KEY",),
    "br_netfilter": ("BRIDGE_NETFILTER",),
    "cls_bpf": ("NET_CLS_BPF",),
    "esp4": ("INET_ESP",),
    "ip6_tables": ("IP6_NF_IPTABLES_LEGACY", "IP6_NF_IPTABLES"),
    "ip_set": ("IP_SET",),
    "ip_set_bitmap_port": ("IP_SET_BITMAP_PORT",),
    "ip_set_hash_ip": ("IP_SET_HASH_IP",),
    "ip_set_hash_ipport": ("IP_SET_HASH_IPPORT",),
    "ip_set_hash_net": ("IP_SET_HASH_NET",),
    "ip_set_hash_netnet": ("IP_SET_HASH_NETNET",),
    "ip_tables": ("IP_NF_IPTABLES_LEGACY", "IP_NF_IPTABLES"),
    "ip_vs": ("IP_VS",),
    "ipip": ("NET_IPIP",),
    "ipt_MASQUERADE": ("IP_NF_TARGET_MASQUERADE",),
    "ipt_REJECT": ("IP_NF_TARGET_REJECT",),
    "ipt_rpfilter": ("IP_NF_MATCH_RPFILTER",),
    "iptable_filter": ("IP_NF_FILTER",),
    "iptable_mangle": ("IP_NF_MANGLE",),
    "iptable_nat": ("IP_NF_NAT",),
    "iptable_raw": ("IP_NF_RAW",),
    "nf_conntrack": ("NF_CONNTRACK",),
    "nf_conntrack_netlink": ("NF_CT_NETLINK",),
    "nf_tables": ("NF_TABLES",),
    "nft_chain_nat": ("NFT_NAT",),
    "nft_chain_nat_ipv4": ("NFT_CHAIN_NAT_IPV4",),
    "nft_compat": ("NFT_COMPAT",),
    "nft_ct": ("NFT_CT",),
    "nft_fib_inet": ("NFT_FIB_INET",),
    "nft_fib_ipv4": ("NFT_FIB_IPV4",),
    "nft_masq": ("NFT_MASQ",),
    "nft_masq_ipv4": ("NFT_MASQ_IPV4",),
    "nft_numgen": ("NFT_NUMGEN",),
    "nft_reject_inet": ("NFT_REJECT_INET",),
    "nft_reject_ipv4": ("NFT_REJECT_IPV4",),
    "sch_ingress": ("NET_SCH_INGRESS",),
    "udp_tunnel": ("NET_UDP_TUNNEL",),
    "vxlan": ("VXLAN",),
    "wireguard": ("WIREGUARD",),
    "xfrm_user": ("XFRM_USER",),
    "xt_MASQUERADE": ("NETFILTER_XT_TARGET_MASQUERADE",),
    "xt_TCPMSS": ("NETFILTER_XT_TARGET_TCPMSS",),
    "xt_addrtype": ("NETFILTER_XT_MATCH_ADDRTYPE",),
    "xt_comment": ("NETFILTER_XT_MATCH_COMMENT",),
    "xt_conntrack": ("NETFILTER_XT_MATCH_CONNTRACK",),
    "xt_mark": ("NETFILTER_XT_MARK",),
    "xt_multiport": ("NETFILTER_XT_MATCH_MULTIPORT",),
    "xt_set": ("NETFILTER_XT_SET",),
    "xt_u32": ("NETFILTER_XT_MATCH_U32",),
}

# Types of sets and the modules that know them (net/netfilter/ipset).
SET_TYPES: t.Mapping[str, str] = {
    "hash:ip": "ip_set_hash_ip",
    "hash:net": "ip_set_hash_net",
    "hash:ip,port": "ip_set_hash_ipport",
    "hash:net,net": "ip_set_hash_netnet",
    "bitmap:port": "ip_set_bitmap_port",
}


def all_modules() -> tuple[str, ...]:
    """Every module that something needs or that is told, by name."""
    needed = {name for needs in NEEDS.values() for need in needs for alternative in need.any_of for name in alternative}
    return tuple(sorted(needed | set(ADVISORY)))


def is_met(need: Need, present: t.Callable[[str], bool | None]) -> bool | None:
    """Whether a kernel meets a need.

    :param present: whether it has a module (loaded, built in or to be loaded); None where nobody knows.
    :return: None when what is not known could decide.
    """
    verdicts = []
    for alternative in need.any_of:
        states = [present(name) for name in alternative]
        verdicts.append(False if False in states else None if None in states else True)
    if True in verdicts:
        return True
    return None if None in verdicts else False
