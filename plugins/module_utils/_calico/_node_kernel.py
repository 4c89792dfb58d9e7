# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whether a node's architecture and kernel are ones on which Calico and Submariner run."""

from __future__ import annotations

import re

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import Version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import EBPF, NFTABLES, Flaw, Judged, NodePlan, gap
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost

# Of the images that are published (projectcalico/calico lib.Makefile VALIDARCHES, submariner Makefile PLATFORMS), as uname -m spells them.
CALICO = ("x86_64", "aarch64", "ppc64le", "s390x")
SUBMARINER = ("x86_64", "aarch64")
# https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements, .../operations/ebpf/install, .../kubernetes/nftables
_LEAST = (3, 10, 0)
_LEAST_SINCE_3_32 = (5, 10, 0)
_LEAST_OF: dict[str, tuple[Version, str]] = {EBPF: ((5, 10, 0), "Calico's eBPF data plane"), NFTABLES: ((5, 13, 0), "Calico's nftables data plane")}
_RHEL_8 = re.compile(r"^4\.18\.0-(\d+)\..*el8")
_RHEL_8_LEAST = 305  # Red Hat took over into 4.18.0-305 what eBPF needs


def judge_kernel(host: NodeHost, plan: NodePlan) -> Judged:
    """Architectures without images, and kernels that are too old."""
    machine = host.system.architecture
    if not machine:
        yield gap(host, "system.architecture", "the document names no architecture")
    elif plan.data_plane and machine not in CALICO:
        yield Flaw(f"is of an architecture for which Calico has no images: {machine}", "system.architecture", machine, f"there are {', '.join(CALICO)}")
    elif plan.cable and machine not in SUBMARINER:
        yield Flaw(f"is of an architecture for which Submariner has no images: {machine}", "system.architecture", machine, f"there are {', '.join(SUBMARINER)}")
    kernel = parse_calico_version(host.system.kernel)
    if kernel is None:
        yield gap(host, "system.kernel", "the document names no kernel")
        return
    least, why = _LEAST_OF.get(plan.data_plane, (_LEAST, "Calico"))
    if kernel < least and not (plan.data_plane == EBPF and _is_recent_rhel_8(host.system.kernel)):
        yield Flaw(
            f"has a kernel that is too old: {host.system.kernel}", "system.kernel", host.system.kernel, f"{why} needs {'.'.join(map(str, least[:2]))} or newer"
        )
    elif plan.data_plane and (parse_calico_version(plan.calico) or _LEAST) >= (3, 32, 0) and kernel < _LEAST_SINCE_3_32:
        if not _is_recent_rhel_8(host.system.kernel):
            note = f"Calico {plan.calico} is supported from 5.10 on"
            yield Flaw(f"has a kernel that Calico no longer supports: {host.system.kernel}", "system.kernel", host.system.kernel, note, severity="warning")


def _is_recent_rhel_8(kernel: str) -> bool:
    found = _RHEL_8.match(kernel)
    return found is not None and int(found.group(1)) >= _RHEL_8_LEAST
