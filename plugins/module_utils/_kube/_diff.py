# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What Ansible shows of an object: without the server's book-keeping and without secrets."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._values_text import hide_secret_values, hide_secrets

_BOOK_KEEPING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink", "deletionGracePeriodSeconds")
# Copies of the object, secrets included, by kubectl and by Rancher's Wrangler (k3s, RKE2), the latter with the first 64 characters of each text.
_COPIES = ("kubectl.kubernetes.io/last-applied-configuration", "objectset.rio.cattle.io/applied")

# Submariner's own: submariner-operator api/v1alpha1/submariner_types.go and servicediscovery_types.go.
_SECRET_FIELDS = frozenset(("brokerK8sApiServerToken", "brokerK8sCA", "ceIPSecPSK"))
# The same values as environment variables of its pods (BROKER_K8S_APISERVERTOKEN, BROKER_K8S_CA, CE_IPSEC_PSK), and others' alike.
_SECRET_VARIABLE = re.compile(r"TOKEN|PSK|PASSWORD|PASSWD|SECRET_?KEY|CREDENTIAL|PRIVATE_KEY|API_?KEY|BROKER_K8S_CA$", re.IGNORECASE)

HIDDEN = "(hidden)"
HIDDEN_BEFORE = "(hidden, will change)"
HIDDEN_AFTER = "(hidden, changed)"


def clean(obj: t.Any) -> t.Any:
    """Return a copy of a Kubernetes object fit for output: no book-keeping of the server, every secret replaced by ``(hidden)``.

    :param obj: the object's JSON; None (no such object) becomes an empty dict, as Ansible's diff wants it.
    """
    if not obj:
        return {}
    return _mask(_trim(obj), _is_secret(obj))


def before_after(before: t.Any, after: t.Any, header: str) -> dict[str, t.Any]:
    """Return Ansible's diff of two states of one object; a secret that differs shows that it does, and nothing more.

    :param before: JSON of the object as it was; None where there was none.
    :param after: JSON of the object as it is or, with ``dryRun=All``, would be; None where it is deleted.
    :param header: names the object, such as ``cluster-1: Submariner submariner-operator/submariner``.
    """
    shown_before, shown_after = _abridged(clean(before)), _abridged(clean(after))
    if not before:
        shown_after = _without_address(shown_after)
    _mark_changes(_trim(before or {}), _trim(after or {}), shown_before, shown_after)
    return {"before_header": header, "after_header": header, "before": shown_before, "after": shown_after}


def _abridged(shown: dict[str, t.Any]) -> dict[str, t.Any]:
    """Without what is no secret, but no reading either: the certificates of an APIService, which are others in each dry run, as the uid of an owner that is
    created in the same run is, and that of a Job in its selector; and the bytes of a ConfigMap.
    """
    owners = (shown.get("metadata") or {}).get("ownerReferences")
    if isinstance(owners, list):
        told = [{key: value for key, value in owner.items() if key != "uid"} for owner in owners]
        shown = {**shown, "metadata": {**shown["metadata"], "ownerReferences": told}}
    if shown.get("kind") == "ConfigMap" and shown.get("binaryData"):
        shown = {**shown, "binaryData": {name: _bytes(value) for name, value in shown["binaryData"].items()}}
    spec = shown.get("spec")
    if shown.get("kind") == "Job" and isinstance(spec, dict):
        return {**shown, "spec": _without_uid(spec)}
    if shown.get("kind") == "APIService" and isinstance(spec, dict) and spec.get("caBundle"):
        return {**shown, "spec": {**spec, "caBundle": HIDDEN}}
    return shown


def _without_address(created: dict[str, t.Any]) -> dict[str, t.Any]:
    """A new Service without the addresses that kube-apiserver chooses: a dry run has a placeholder instead, the first of the range (kubernetes
    pkg/registry/core/service/ipallocator/ipallocator.go). A headless one is headless by choice."""
    spec = created.get("spec")
    if created.get("kind") != "Service" or not isinstance(spec, dict) or spec.get("clusterIP") == "None":
        return created
    return {**created, "spec": {key: value for key, value in spec.items() if key not in ("clusterIP", "clusterIPs")}}


def _without_uid(node: t.Any) -> t.Any:
    """What kube-apiserver adds to a Job so that it finds its own pods (kubernetes pkg/registry/batch/job/strategy.go)."""
    if isinstance(node, list):
        return [_without_uid(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_uid(value) for key, value in node.items() if key not in ("controller-uid", "batch.kubernetes.io/controller-uid")}


def _bytes(encoded: str) -> str:
    return f"({len(encoded)} characters of base64, SHA-256 {hashlib.sha256(encoded.encode()).hexdigest()[:16]})"


def _is_secret(obj: t.Mapping[str, t.Any]) -> bool:
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def _trim(obj: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    trimmed = dict(obj)
    metadata = {key: value for key, value in dict(obj.get("metadata") or {}).items() if key not in _BOOK_KEEPING}
    annotations = {key: value for key, value in dict(metadata.get("annotations") or {}).items() if key not in _COPIES}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    if "metadata" in obj:
        trimmed["metadata"] = metadata
    return trimmed


def _mask(node: t.Any, secret: bool = False) -> t.Any:
    if isinstance(node, list):
        return [_mask(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    masked = {}
    for key, value in node.items():
        if secret and key in ("data", "stringData") and isinstance(value, dict):
            masked[key] = {name: HIDDEN for name in value}
        elif key in _SECRET_FIELDS and value:
            masked[key] = HIDDEN
        elif key == "value" and isinstance(value, str) and value and _SECRET_VARIABLE.search(str(node.get("name", ""))):
            masked[key] = HIDDEN
        elif key == "valuesContent" and isinstance(value, str):  # of HelmChart and HelmChartConfig (helm.cattle.io)
            masked[key] = hide_secrets(value, HIDDEN)
        elif key in ("values", "set") and isinstance(value, dict):  # of the same kinds; a patch may come without its kind
            masked[key] = hide_secret_values(_mask(value), HIDDEN, dotted=key == "set")
        else:
            masked[key] = _mask(value)
    return masked


def holds_hidden(node: t.Any) -> bool:
    """Whether a secret was replaced in what :func:`clean` returned, so that it cannot be written back as it stands."""
    if isinstance(node, dict):
        return any(map(holds_hidden, node.values()))
    if isinstance(node, list):
        return any(map(holds_hidden, node))
    return isinstance(node, str) and HIDDEN in node


def _mark_changes(before: t.Any, after: t.Any, shown_before: t.Any, shown_after: t.Any) -> None:
    """Walk both trees alike; where both show HIDDEN for values that differ, say so in both."""
    if not (isinstance(shown_before, (dict, list)) and type(shown_before) is type(shown_after)):
        return
    keys = [key for key in shown_before if key in shown_after] if isinstance(shown_before, dict) else range(min(len(shown_before), len(shown_after)))
    for key in keys:
        one, other = shown_before[key], shown_after[key]
        if isinstance(one, str) and one == other and HIDDEN in one and before[key] != after[key]:
            shown_before[key], shown_after[key] = one.replace(HIDDEN, HIDDEN_BEFORE), one.replace(HIDDEN, HIDDEN_AFTER)
        else:
            _mark_changes(before[key], after[key], shown_before[key], shown_after[key])


def missing_from(found: t.Any, wanted: t.Any, path: str = "") -> tuple[str, ...]:
    """Return the paths of the fields of ``wanted`` that ``found`` does not have just so, such as ``spec.cidr``; () where it has all.

    Fields that only ``found`` has do not count: a server adds defaults. None in ``wanted`` stands for absence, as in a merge patch.
    Tells a lost answer's effect, and what an admission webhook made of an object.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        missing: tuple[str, ...] = ()
        for key, value in wanted.items():
            missing += missing_from(found.get(key), value, f"{path}.{key}" if path else str(key))
        return missing
    if isinstance(wanted, dict):  # absent: only a wish for absence is fulfilled
        return tuple(name for key, value in wanted.items() for name in missing_from(None, value, f"{path}.{key}" if path else str(key)))
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return tuple(name for index, value in enumerate(wanted) for name in missing_from(found[index], value, f"{path}[{index}]"))
    return () if found == wanted or (wanted == [] and found is None) else (path,)
