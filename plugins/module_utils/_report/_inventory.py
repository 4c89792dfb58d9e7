# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Lines of inventories that answer for findings: who installed the cluster with Kubespray, or ours with variables, can repair it there for good.

Only the settings below are looked for, by name; nothing else of an inventory is read into a report. A line is evidence where it holds a value that is
wrong by itself, or one that the finding shows.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t
from dataclasses import replace

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import FAIL, Evidence, Finding
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory import PUBLISHED_TOKEN

MOST_LINES = 5  # of one finding
VAULT = "$ANSIBLE_VAULT"


class Setting(t.NamedTuple):
    """``checks`` are shell patterns of the ids whose findings it answers for; ``wrong`` are values that are wrong whatever the finding shows."""

    name: str
    checks: tuple[str, ...]
    wrong: frozenset[str] = frozenset()


class Text(t.NamedTuple):
    """One file of an inventory. ``path`` is as the report shall name it."""

    path: str
    content: str


_FALSE = frozenset(("false", "no", "off"))
_TRUE = frozenset(("true", "yes", "on"))
_CIDR = ("*cidr*", "discovery-*", "globalnet-*", "pool-overlap")

# Kubespray's are those of its roles/kubespray_defaults and roles/network_plugin/calico_defaults, RKE2's those of its config.yaml, of lablabs.rke2 and of
# rancherfederal.rke2_ansible; the others are this collection's.
SETTINGS = (
    Setting("kube_proxy_mode", ("kube-proxy-*",), frozenset(("ipvs", "nftables"))),
    Setting("kube_proxy_remove", ("kube-proxy-*",), _TRUE),
    Setting("calico_bpf_enabled", ("calico-ebpf",), _TRUE),
    Setting("disable_kube_proxy", ("kube-proxy-*",), _TRUE),
    Setting("disable-kube-proxy", ("kube-proxy-*",), _TRUE),
    Setting("rke2_token", ("planned-join-token",), frozenset((PUBLISHED_TOKEN.lower(),))),
    Setting("kube_pods_subnet", _CIDR),
    Setting("kube_service_addresses", _CIDR),
    Setting("calico_pool_cidr", _CIDR),
    Setting("submariner_cluster_cidr", _CIDR),
    Setting("submariner_service_cidr", _CIDR),
    Setting("calico_apiserver_enabled", ("calico-api-*", "remote-pool-missing"), _FALSE),
    Setting("calico_datastore", ("calico-datastore-*",), frozenset(("etcd",))),
    Setting("calico_mtu", ("mtu-*",)),
    Setting("calico_veth_mtu", ("mtu-*",)),
    Setting("calico_ip_auto_method", ("autodetection-*", "calico-address-*")),
    Setting("calico_version", ("vxlan-checksum-offload", "*version*")),
    Setting("submariner_version", ("*version*",)),
    Setting("submariner_cluster_id", ("cluster-id-taken", "clusterset-duplicate-id")),
    Setting("kube_network_plugin", ("planned-network-plugin",)),
    Setting("rke2_cni", ("planned-network-plugin",)),
    Setting("cni", ("planned-network-plugin",)),
    Setting("proxy-mode", ("kube-proxy-*",), frozenset(("ipvs", "nftables"))),
    Setting("rke2_cluster_cidr", _CIDR),
    Setting("rke2_service_cidr", _CIDR),
    Setting("cluster-cidr", _CIDR),
    Setting("service-cidr", _CIDR),
    Setting("enable_nodelocaldns", ("dns-node-cache",), _TRUE),
)


class Line(t.NamedTuple):
    setting: Setting
    value: str
    path: str
    number: int


def settings_in(texts: t.Iterable[Text]) -> tuple[Line, ...]:
    """The lines that set one of SETTINGS, in YAML or INI; of a list, those of its entries. Encrypted files hold nothing that can be read."""
    names = "|".join(setting.name for setting in SETTINGS)
    pattern = re.compile(rf"(?<![\w.-])({names})['\"]?\s*[:=]\s*\[?\s*(\"[^\"]*\"|'[^']*'|[^\s#,}}\]\[]+)")
    opening = re.compile(rf"^\s*({names})\s*:\s*(?:#.*)?$")
    entry = re.compile(r"^\s*-\s+(\"[^\"]*\"|'[^']*'|[^\s#:=]+(?::[^\s#=]+)*)\s*(?:#.*)?$")
    by_name = {setting.name: setting for setting in SETTINGS}
    found = []
    for text in texts:
        if text.content.startswith(VAULT):
            continue
        listing: Setting | None = None
        for number, line in enumerate(text.content.splitlines(), 1):
            if line.lstrip().startswith(("#", ";")):
                continue
            item = entry.match(line)
            if item is not None and listing is not None:
                found.append(Line(listing, item[1].strip("\"'"), text.path, number))
                continue
            opened = opening.match(line)
            listing = by_name[opened[1]] if opened is not None else None
            found += [Line(by_name[match[1]], match[2].strip("\"'"), text.path, number) for match in pattern.finditer(line)]
    return tuple(found)


def located(findings: t.Iterable[Finding], lines: t.Sequence[Line]) -> tuple[Finding, ...]:
    """The findings, with the lines of the inventory that answer for them as further evidence."""
    result = []
    for finding in findings:
        matching = [line for line in lines if finding.verdict == FAIL and _answers(line, finding)][:MOST_LINES]
        evidence = tuple(Evidence(f"inventory {line.path}", line.setting.name, line.value, "set here", line.path, line.number) for line in matching)
        result.append(replace(finding, evidence=finding.evidence + evidence) if evidence else finding)
    return tuple(result)


def _answers(line: Line, finding: Finding) -> bool:
    if not any(fnmatch.fnmatchcase(finding.id, pattern) for pattern in line.setting.checks):
        return False
    owner = re.search(r"(?:^|/)host_vars/([^/]+?)(?:\.ya?ml|\.json)?(?:/|$)", line.path)
    if owner is not None and owner[1] != finding.cluster:
        return False
    shown = {value for entry in finding.evidence for value in (entry.value, *re.split(r"[,\s]+", entry.value)) if value}
    return line.value.lower() in line.setting.wrong or line.value in shown
