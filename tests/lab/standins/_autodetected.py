# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node finds out when it starts: its node's address, and the pods' MTU. Pure.

calico node/pkg/lifecycle/startup/autodetection: ``first-found`` looks at the newest interface first, and knows nothing of Submariner's
(``vx-submariner`` has 240.0.0.0/8, the last three bytes those of the node's address: submariner pkg/vxlan GetVtepIPAddressFrom). Every other method
asks for something that only the node's own interface has here. MTU: felix dataplane/linux/int_dataplane.go determinePodMTU.
"""

from __future__ import annotations

import re
import typing as t

Object = dict[str, t.Any]

FIRST_FOUND = "first-found"
SKIP = "skip-interface="
SUBMARINERS_INTERFACE = "vx-submariner"
PREFIX = 24
MTU_VARIABLES = {"vxlan": "FELIX_VXLANMTU", "ipip": "FELIX_IPINIPMTU"}
MTU_FIELDS = {"vxlan": "vxlanMTU", "ipip": "ipipMTU"}


def environment(pod: Object, config_maps: t.Mapping[str, Object]) -> dict[str, str]:
    """The environment of the pod's first container, with what it takes from ConfigMaps.

    :param config_maps: those of its namespace, by name.
    """
    found = {}
    for each in pod["spec"]["containers"][0].get("env") or ():
        source = (each.get("valueFrom") or {}).get("configMapKeyRef")
        if source:
            found[each["name"]] = str((config_maps.get(source["name"], {}).get("data") or {}).get(source["key"], ""))
        elif "valueFrom" not in each:
            found[each["name"]] = each.get("value", "")
    return found


def address(env: t.Mapping[str, str], node_ip: str, with_submariner: bool) -> tuple[str, str]:
    """Address with prefix and the line of the log that tells of it; empty texts when none is to be detected."""
    if env.get("IP", "") not in ("", "autodetect"):
        return "", ""
    method = env.get("IP_AUTODETECTION_METHOD") or FIRST_FOUND
    skipped = method[len(SKIP) :].split(",") if method.startswith(SKIP) else []
    newest_first = method == FIRST_FOUND or bool(skipped)
    if newest_first and with_submariner and not any(re.search(each, SUBMARINERS_INTERFACE) for each in skipped):
        found = f"240.{node_ip.partition('.')[2]}/8"
        return found, f"Using autodetected IPv4 address on interface {SUBMARINERS_INTERFACE}: {found}"
    found = f"{node_ip}/{PREFIX}"
    if method == "kubernetes-internal-ip":
        return found, f"Using autodetected IPv4 address from Kubernetes node address: {found}"
    return found, f"Using autodetected IPv4 address on interface ens3: {found}"


def pod_mtu(env: t.Mapping[str, str], felix: Object, encapsulation: str, detected: int) -> int:
    """What pods get: the environment wins over FelixConfiguration ``default``, and 0 stands for what was detected.

    :param felix: the spec of FelixConfiguration ``default``.
    :param encapsulation: ``vxlan`` or ``ipip``.
    :param detected: the link's MTU without the encapsulation's overhead.
    """
    text = env.get(MTU_VARIABLES[encapsulation])
    chosen = int(text) if text is not None and text.isdigit() else int(felix.get(MTU_FIELDS[encapsulation]) or 0)
    return chosen or detected
