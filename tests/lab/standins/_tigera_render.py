# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tigera operator makes of an Installation: its effective spec, and the parts of DaemonSet calico-node that depend on it. Pure.

tigera/operator pkg/controller/installation/{core_controller,defaults,validation}.go, pkg/render/node.go (``getAutodetectionMethod``, ``nodeEnvVars``)
and pkg/render/common/components/components.go (what an override replaces and what it only adds to).
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from tests.lab.merging import merged

Object = dict[str, t.Any]

V4, V6 = "nodeAddressAutodetectionV4", "nodeAddressAutodetectionV6"
WHOLE = (V4, V6)
METHODS = {"canReach": "can-reach=", "interface": "interface=", "skipInterface": "skip-interface="}
MTU_VARIABLES = ("FELIX_VXLANMTU", "FELIX_WIREGUARDMTU", "FELIX_IPINIPMTU", "FELIX_VXLANMTUV6", "FELIX_WIREGUARDMTUV6")
REPLACED = ("affinity", "tolerations", "topologySpreadConstraints", "priorityClassName", "terminationGracePeriodSeconds")
CNI_CONFIG = "hash.operator.tigera.io/cni-config"
POOL_DEFAULTS = {"blockSize": 26, "disableBGPExport": False, "encapsulation": "IPIP", "natOutgoing": "Enabled", "nodeSelector": "all()"}
MODES = {
    "IPIP": ("Always", "Never"),
    "IPIPCrossSubnet": ("CrossSubnet", "Never"),
    "VXLAN": ("Never", "Always"),
    "VXLANCrossSubnet": ("Never", "CrossSubnet"),
    "None": ("Never", "Never"),
}
DEFAULT_POOL = "default-ipv4-ippool"


def computed(spec: Object, before: Object, before_spec: Object) -> Object:
    """The effective spec: what the user says over what the operator fills in.

    :param before: the effective spec of an earlier ``before_spec``; what that one did not say are defaults.
    """
    made = t.cast(Object, merged(_without(before, before_spec), spec))
    network = made.setdefault("calicoNetwork", {})
    asked = spec.get("calicoNetwork") or {}
    for key in WHOLE:
        if key in asked:
            network[key] = asked[key]
    pools = asked.get("ipPools")
    if pools is not None:
        named = [{"name": DEFAULT_POOL, **each} if number == 0 else each for number, each in enumerate(pools)]
        network["ipPools"] = [{**POOL_DEFAULTS, **each} for each in named]
    if V4 not in network and any(":" not in each["cidr"] for each in network.get("ipPools") or ()):
        network[V4] = {"firstFound": True}
    return made


def problem(spec: Object) -> str:
    """Why the operator refuses an Installation; empty when it does not."""
    for key in WHOLE:
        chosen = [name for name, value in ((spec.get("calicoNetwork") or {}).get(key) or {}).items() if value not in (None, False, "", [])]
        if len(chosen) > 1:
            return "no more than one node address autodetection method can be specified per-family"
    return ""


def autodetection(methods: Object | None) -> str:
    """The value of IP_AUTODETECTION_METHOD; empty for none."""
    for key, value in (methods or {}).items():
        if key == "firstFound" and value:
            return "first-found"
        if key == "kubernetes" and value == "NodeInternalIP":
            return "kubernetes-internal-ip"
        if key == "cidrs" and value:
            return f"cidr={','.join(value)}"
        if key in METHODS and value:
            return f"{METHODS[key]}{value}"
    return ""


def workload(rendered: Object, plain: Object, overrides: Object | None) -> Object:
    """The spec of a DaemonSet or Deployment with what the Installation overrides of it.

    A nodeSelector only adds keys that the operator does not set itself; all else replaces what the operator has.

    :param rendered: as the operator rendered it last.
    :param plain: one without any override.
    :param overrides: for example ``calicoNodeDaemonSet.spec``.
    """
    spec, unchanged = rendered["spec"], plain["spec"]
    wanted = ((overrides or {}).get("template") or {}).get("spec") or {}
    pod = {key: value for key, value in spec["template"]["spec"].items() if key not in (*REPLACED, "nodeSelector")}
    pod.update({key: unchanged["template"]["spec"][key] for key in (*REPLACED, "nodeSelector") if key in unchanged["template"]["spec"]})
    pod.update({key: wanted[key] for key in REPLACED if key in wanted})
    selector = {**(wanted.get("nodeSelector") or {}), **(pod.pop("nodeSelector", None) or {})}
    made = {**spec, "template": {**spec["template"], "spec": {**pod, **({"nodeSelector": selector} if selector else {})}}}
    made.pop("minReadySeconds", None)
    seconds = (overrides or {}).get("minReadySeconds")
    return {**made, **({"minReadySeconds": seconds} if seconds else {})}


def calico_node(rendered: Object, plain: Object, effective: Object) -> Object:
    """The spec of DaemonSet calico-node; parameters as for ``workload``.

    :param effective: the Installation's ``status.computed``.
    """
    network = effective.get("calicoNetwork") or {}
    made = workload(rendered, plain, (effective.get("calicoNodeDaemonSet") or {}).get("spec"))
    template = made["template"]
    containers = template["spec"]["containers"]
    pod = {**template["spec"], "containers": [_with_environment(containers[0], network), *containers[1:]]}
    annotations = {**template["metadata"].get("annotations", {}), CNI_CONFIG: _cni_hash(network, plain["spec"]["template"])}
    update = merged(plain["spec"]["updateStrategy"], effective.get("nodeUpdateStrategy") or {})
    return {**made, "updateStrategy": update, "template": {**template, "metadata": {**template["metadata"], "annotations": annotations}, "spec": pod}}


def kept(wanted: Object, current: Object) -> Object:
    """A spec of a workload with the labels and annotations that somebody has added to its template: these the operator leaves alone, so that
    ``kubectl rollout restart`` works (pkg/controller/utils/component.go mergeState).
    """
    found, now = wanted["template"].get("metadata") or {}, current["template"].get("metadata") or {}
    metadata = {key: {**(now.get(key) or {}), **(found.get(key) or {})} for key in ("labels", "annotations") if now.get(key) or found.get(key)}
    return {**wanted, "template": {**wanted["template"], "metadata": {**found, **metadata}}}


def pool(wanted: Object) -> Object:
    """The spec of the IPPool of an entry of ``ipPools`` (pkg/controller/ippool/pool_controller.go)."""
    ipip, vxlan = MODES[wanted["encapsulation"]]
    made = {
        "cidr": wanted["cidr"],
        "ipipMode": ipip,
        "vxlanMode": vxlan,
        "natOutgoing": wanted["natOutgoing"] == "Enabled",
        "blockSize": wanted["blockSize"],
        "nodeSelector": wanted["nodeSelector"],
    }
    return {**made, **({"disableBGPExport": True} if wanted.get("disableBGPExport") else {})}


def _with_environment(container: Object, network: Object) -> Object:
    wanted = {"IP_AUTODETECTION_METHOD": method} if (method := autodetection(network.get(V4))) else {}
    if network.get("mtu"):
        names = ["FELIX_VXLANMTU", "FELIX_WIREGUARDMTU"]
        names += ["FELIX_VXLANMTUV6", "FELIX_WIREGUARDMTUV6"] if network.get(V6) else []
        names += ["FELIX_IPINIPMTU"] if network.get("bgp") == "Enabled" else []
        wanted.update(dict.fromkeys(names, str(network["mtu"])))
    found = []
    for each in container.get("env") or ():
        if each["name"] in wanted:
            found.append({**each, "value": wanted.pop(each["name"])})
        elif each["name"] not in MTU_VARIABLES:
            found.append(each)
    return {**container, "env": [*found, *({"name": name, "value": value} for name, value in wanted.items())]}


def _cni_hash(network: Object, unchanged: Object) -> str:
    """Changes with the MTU in the CNI configuration; with that of health it is that of health."""
    env = {each["name"]: each.get("value") for each in unchanged["spec"]["containers"][0].get("env") or ()}
    if str(network.get("mtu") or "") == (env.get(MTU_VARIABLES[0]) or ""):
        return str(unchanged["metadata"].get("annotations", {}).get(CNI_CONFIG, ""))
    return hashlib.sha1(json.dumps({"mtu": network["mtu"]}).encode()).hexdigest()


def _without(obj: t.Any, part: t.Any) -> t.Any:
    """A tree of mappings without the leaves that another one has."""
    found = {}
    for key, value in obj.items():
        if key not in part:
            found[key] = value
        elif isinstance(value, dict) and isinstance(part[key], dict):
            inner = _without(value, part[key])
            if inner:
                found[key] = inner
    return found
