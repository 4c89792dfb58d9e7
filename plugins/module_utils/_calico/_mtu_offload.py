# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Felix switches off the checksum offload of its VXLAN device, and where that matters.

Network cards and hypervisors that miscalculate the checksum of wrapped packets make TCP and UDP between nodes fail while ping works: projectcalico/calico
#3145, #4727, #9433, kubernetes-sigs/kubespray#12412, rancher/rke2#7932. When Felix switches it off by itself has changed with its releases
(felix/environment/feature_detect_linux.go).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import Version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node, containers_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_mtu import offloaded
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

FEATURE = "ChecksumOffloadBroken"
FIELD = "spec.featureDetectOverride"
VARIABLE = "FELIX_FEATUREDETECTOVERRIDE"
DEVICE = "vxlan.calico"
VSPHERE = "vsphere://"
VIRTUAL = ("openstack://", "proxmox://")  # virtio: seen in some of the threads, far from always

_FIXED_IN_KERNEL = (5, 7, 0)  # the kernel's own defect with VXLAN behind NAT


class Override(t.NamedTuple):
    """What ``featureDetectOverride`` says; ``switched_off`` is None where it says nothing of checksums."""

    switched_off: bool | None
    where: str
    field: str
    value: str


def override(snapshot: Snapshot) -> Override:
    """The environment of calico-node wins over FelixConfiguration."""
    daemon_set = calico_node(snapshot)
    for container in containers_of(daemon_set) if daemon_set else ():
        value = container.env_value(VARIABLE)
        if value is not None and daemon_set is not None:
            return Override(said(value), str(daemon_set.ref), f"env {VARIABLE}", value)
    felix = next((entry for entry in snapshot.felix_configurations.items if entry.ref.name == "default"), None)
    if felix is None:
        return Override(None, "FelixConfiguration default", FIELD, "")
    value = str(felix.spec.get("featureDetectOverride") or "")
    return Override(said(value), str(felix.ref), FIELD, value)


def said(value: str) -> bool | None:
    """``ChecksumOffloadBroken`` out of ``A=true,B=false``; None where it is not among them."""
    for part in value.split(","):
        name, equals, setting = part.partition("=")
        if name.strip() == FEATURE and equals:
            return setting.strip().lower() == "true"
    return None


def off_by_itself(calico: Version, kernel: Version) -> bool:
    """Whether Felix of that release switches the offload off on that kernel when nobody overrides it.

    Up to 3.25 on kernels before 5.7; 3.26 and 3.27 always; from 3.28 on up to kernel 5.7.0 alone.
    """
    if calico[:2] in ((3, 26), (3, 27)):
        return True
    return kernel < _FIXED_IN_KERNEL if calico < (3, 26, 0) else kernel <= _FIXED_IN_KERNEL


class Exposed(t.NamedTuple):
    """Nodes whose offload stays on under a hypervisor that is known for the defect."""

    hypervisor: str
    nodes: tuple[str, ...]
    kernels: tuple[str, ...]


def exposed(snapshot: Snapshot, calico: Version) -> tuple[tuple[Exposed, ...], tuple[str, ...]]:
    """The nodes at risk by hypervisor, and those of them whose kernel is not known; without those whose own host shows that the offload is off."""
    found: dict[str, list[tuple[str, str]]] = {}
    unknown = []
    off = {host.node for host in snapshot.node_hosts.items for link in host.links if link.name == DEVICE and offloaded(link) is False}
    for node in snapshot.nodes.items:
        hypervisor = next((prefix for prefix in (VSPHERE, *VIRTUAL) if node.provider_id.startswith(prefix)), "")
        if not hypervisor or node.operating_system == "windows" or node.ref.name in off:
            continue
        kernel = parse_calico_version(node.kernel_version)  # a kernel's version has the same three numbers in front
        if kernel is None:
            unknown.append(node.ref.name)
        elif not off_by_itself(calico, kernel):
            found.setdefault(hypervisor, []).append((node.ref.name, node.kernel_version))
    return tuple(_exposed(name, nodes) for name, nodes in sorted(found.items())), tuple(unknown)


def _exposed(hypervisor: str, nodes: t.Sequence[tuple[str, str]]) -> Exposed:
    return Exposed(hypervisor, tuple(name for name, _kernel in nodes), tuple(sorted({kernel for _name, kernel in nodes})))
