# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of the lab's layouts as folders of what kubectl printed, before or after somebody joined them."""

from __future__ import annotations

import dataclasses
import json

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_kinds import TARGETS, resource_of

from tests.lab import layout as layouts, resting
from tests.lab.info import ClusterInfo, LabInfo

STORED, SERVED = "crd.projectcalico.org/v1", "projectcalico.org/v3"


def objects_of(name, folder):
    """The objects of both clusters of a layout, by cluster."""
    layout = layouts.load(name)
    clusters = [
        ClusterInfo(**{field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}, dir=folder / spec.name, server=f"https://127.0.0.1:{port}")
        for port, spec in enumerate(layout.clusters, start=6443)
    ]
    lab = LabInfo(dir=folder, clusters=tuple(clusters))
    return resting.objects([resting.prepare(layout, lab, each) for each in lab.clusters])


def unjoined(objects):
    """A cluster as it was before Submariner came."""
    return [each for each in objects if not any("submariner" in text for text in (each["apiVersion"], json.dumps(each["metadata"])))]


def written(folder, objects, api_server=True):
    """The folder, with one file for every question that a diagnosis asks.

    :param api_server: whether Calico's aggregated API is there.
    """
    folder.mkdir()
    v3 = [{**each, "apiVersion": SERVED} for each in objects if each["apiVersion"] == STORED]
    kept = [each for each in objects if "v3.projectcalico.org" != each["metadata"]["name"] or api_server]
    for target in {(each.api_version, each.resource): each for each in TARGETS.values()}.values():
        group = target.api_version.rpartition("/")[0]
        if target.api_version == SERVED and not api_server:
            continue
        items = [each for each in (*kept, *v3) if (each["apiVersion"], resource_of(each["kind"])) == (target.api_version, target.resource)]
        (folder / f"{target.resource}{'.' if group else ''}{group}.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return folder
