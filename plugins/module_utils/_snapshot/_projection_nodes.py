# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Nodes, from raw JSON to records. Their annotations hold node arguments, of RKE2 and k3s, in which a token may stand: that is masked."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, Node, Taint
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    condition,
    condition_holds,
    flag_at,
    interned,
    object_at,
    objects_at,
    ref_of,
    repeated_text_map_at,
    shared,
    text_at,
    text_map_at,
    text_of,
    texts_at,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import MASK, redacted_text

NODE_ANNOTATION_PREFIXES = ("k3s.io/", "rke2.io/", "projectcalico.org/", "gateway.submariner.io/", "submariner.io/", f"{DOMAIN}/")
NODE_ARGUMENTS = ("rke2.io/node-args", "k3s.io/node-args")
# The environment may hold a token; the others repeat what the Node says elsewhere.
LEFT_OUT = tuple(f"{prefix}/{name}" for prefix in ("rke2.io", "k3s.io") for name in ("node-env", "node-config-hash", "hostname", "internal-ip"))
SECRET_OPTION = re.compile(r"^--?[a-z0-9-]*(token|secret|password|passphrase|access-key|datastore-endpoint)[a-z0-9-]*$", re.IGNORECASE)


def masked_arguments(annotation: str) -> str:
    """The JSON list of ``rke2.io/node-args`` with the values of options that name a secret masked.

    RKE2 masks those that it knows itself (k3s pkg/nodeconfig); an argument list that is no JSON list is dropped.
    """
    try:
        arguments = json.loads(annotation)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(arguments, list):
        return ""
    kept: list[str] = []
    for argument in map(text_of, arguments):
        option, equals, _value = argument.partition("=")
        if equals and SECRET_OPTION.match(option):
            kept.append(f"{option}={MASK}")
        elif kept and SECRET_OPTION.match(kept[-1]) and not argument.startswith("-"):
            kept.append(MASK)
        else:
            kept.append(redacted_text(argument, assigned=True))
    return json.dumps(kept)


def _node_annotations(obj: JsonObject) -> dict[str, str]:
    kept = {}
    for key, value in text_map_at(obj, "metadata", "annotations").items():
        if key in NODE_ARGUMENTS:
            kept[interned(key)] = interned(masked_arguments(value))
        elif key.startswith(NODE_ANNOTATION_PREFIXES) and key not in LEFT_OUT:
            kept[interned(key)] = interned(value)
    return kept


def _telling(conditions: list[dict[str, t.Any]]) -> tuple[Condition, ...]:
    """Ready and NetworkUnavailable, and what is not as it should be: the pressures that there are not say nothing more."""
    return shared(tuple(condition(entry) for entry in conditions if entry.get("type") in ("Ready", "NetworkUnavailable") or entry.get("status") != "False"))


def node(obj: JsonObject) -> Node:
    pod_cidrs = texts_at(obj, "spec", "podCIDRs")
    single = text_at(obj, "spec", "podCIDR")
    addresses = objects_at(obj, "status", "addresses")
    info = object_at(obj, "status", "nodeInfo")

    def addresses_of(kind: str) -> tuple[str, ...]:
        return tuple(text_at(entry, "address") for entry in addresses if entry.get("type") == kind)

    return Node(
        ref=ref_of(obj, "Node"),
        labels=repeated_text_map_at(obj, "metadata", "labels"),
        annotations=_node_annotations(obj),
        pod_cidrs=pod_cidrs or ((single,) if single else ()),
        internal_ips=addresses_of("InternalIP"),
        ready=condition_holds(obj, "Ready"),
        kubelet_version=interned(text_at(info, "kubeletVersion")),
        created=interned(text_at(obj, "metadata", "creationTimestamp")),
        conditions=_telling(objects_at(obj, "status", "conditions")),
        taints=tuple(Taint(text_at(entry, "key"), text_at(entry, "value"), text_at(entry, "effect")) for entry in objects_at(obj, "spec", "taints")),
        unschedulable=flag_at(obj, "spec", "unschedulable"),
        external_ips=addresses_of("ExternalIP"),
        provider_id=text_at(obj, "spec", "providerID"),
        boot_id=text_at(info, "bootID"),
        kernel_version=interned(text_at(info, "kernelVersion")),
        os_image=interned(text_at(info, "osImage")),
        operating_system=interned(text_at(info, "operatingSystem")),
        architecture=interned(text_at(info, "architecture")),
    )
