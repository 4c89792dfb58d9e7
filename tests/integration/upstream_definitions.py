# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upstream's own CustomResourceDefinitions, and whether an API server that has them takes what remedies have written, no unknown field among it.

They are not part of this repository. Where they are: a folder for each project and release, one definition a file, in ``../shared/crds`` beside the checkout
or where the environment variable LAB_UPSTREAM_CRDS says.
"""

from __future__ import annotations

import os
import re
import time
import typing as t
from pathlib import Path

from tests.integration.written_objects import Written
from tests.lab import documents
from tests.lab.client import ApiError, Client, Object
from tests.lab.definitions import CRD_PATH, is_established

FOLDER = Path(os.environ.get("LAB_UPSTREAM_CRDS") or Path(__file__).parents[3] / "shared/crds")
# What is installed together, the oldest and the newest release that is supported.
RELEASES = {
    "Calico 3.26, tigera-operator 1.30": ("calico-v1-3.26", "tigera-operator-1.30", "helm-controller", "submariner-0.19"),
    "Calico 3.32, tigera-operator 1.42": ("calico-v1-3.32", "calico-v3-3.32", "tigera-operator-1.42", "helm-controller", "submariner-0.19"),
}
# An aggregated API keeps its objects in this group, with the same spec.
AGGREGATED, KEPT = "projectcalico.org/v3", "crd.projectcalico.org/v1"
WAIT_SECONDS = 30.0
DECIDED_METADATA = ("name", "namespace", "labels", "annotations")
UNKNOWN = re.compile(r'unknown field "[^"]+"')


def present() -> bool:
    return FOLDER.is_dir()


def refused(client: Client, release: str, written: t.Sequence[Written]) -> tuple[int, list[str]]:
    """How many of the objects are of a kind that a release defines, and what its API server says against what was written to them.

    What it says against an object as it was before is the lab's own.
    """
    collections = install(client, release)
    known, told = 0, set()
    for each in written:
        collection = _collection(collections, each.stored)
        if collection is None:
            continue
        known += 1
        new = _objections(client, collection, each.stored) - (_objections(client, collection, each.before) if each.before else set())
        told |= {f"{release}: {each.verb} {each.object}: {objection}" for objection in new}
    return known, sorted(told)


def _collection(collections: t.Mapping[tuple[str, str], Object], obj: Object) -> tuple[str, Object] | None:
    """Where a release keeps an object: apiVersion and definition; None for a kind that is not its own."""
    version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    if version == AGGREGATED and (version, kind) not in collections:
        version = KEPT
    return (version, collections[version, kind]) if (version, kind) in collections else None


def _objections(client: Client, collection: tuple[str, Object], obj: Object) -> set[str]:
    """Unknown fields, and what is wrong with the known ones, of which the API server does not tell together."""
    version, definition = collection
    metadata = {key: value for key, value in obj["metadata"].items() if key in DECIDED_METADATA}
    plain = {**{key: value for key, value in obj.items() if key != "status"}, "apiVersion": version, "metadata": metadata}
    _create_namespace(client, plain)
    told: set[str] = set()
    for validation in ("Strict", "Ignore"):
        try:
            client.request("POST", _path(version, definition, plain), plain, {"dryRun": "All", "fieldValidation": validation})
        except ApiError as error:
            causes = (error.body.get("details") or {}).get("causes") or ()
            told |= set(UNKNOWN.findall(error.message)) or {f"{each.get('field')}: {each.get('message')}" for each in causes} or {error.message}
    return told


def install(client: Client, release: str) -> dict[tuple[str, str], Object]:
    """Installs the definitions, over those of another release; returns them by apiVersion and kind."""
    found: dict[tuple[str, str], Object] = {}
    for folder in RELEASES[release]:
        for path in sorted((FOLDER / folder).glob("*.yaml")):
            for definition in documents.parse(path.read_text(encoding="utf-8")):
                client.apply(definition)
                spec = definition["spec"]
                found.update({(f"{spec['group']}/{each['name']}", spec["names"]["kind"]): spec for each in spec["versions"]})
    names = {f"{each['names']['plural']}.{each['group']}" for each in found.values()}
    deadline = time.monotonic() + WAIT_SECONDS
    while not names <= {each["metadata"]["name"] for each in client.list(CRD_PATH) if is_established(each)}:
        assert time.monotonic() < deadline, f"{release}: not all of its definitions are established"
        time.sleep(0.1)
    time.sleep(1.0)  # until all of the API server goes by what has just been replaced
    return found


def _path(api_version: str, spec: Object, obj: Object) -> str:
    place = f"namespaces/{obj['metadata']['namespace']}/" if spec["scope"] == "Namespaced" else ""
    return f"/apis/{api_version}/{place}{spec['names']['plural']}"


def _create_namespace(client: Client, obj: Object) -> None:
    name = obj["metadata"].get("namespace")
    if name and client.find(f"/api/v1/namespaces/{name}") is None:
        client.create("/api/v1/namespaces", {"metadata": {"name": name}})
