# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory, for the live reader: lists of raw objects by path, failures by path."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Usage
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import NOT_SERVED, KubeError


class FakeConnection:
    """``lists`` maps a collection's path to its raw objects; ``failures`` maps a path to the KubeError that it raises. Other paths are not served."""

    name = "fake"
    label = "fake"
    server = "https://fake.invalid:6443"

    def __init__(self, lists=None, failures=None, version="v1.27.9+rke2r1", resources=None):
        self.lists = lists or {}
        self.failures = failures or {}
        self.objects = {"/version": {"gitVersion": version}}
        for group_version, names in (resources or {}).items():
            self.objects[group_version] = {"kind": "APIResourceList", "resources": [{"name": name} for name in names]}
        self.asked = []

    def request(self, method, path, query=None, deadline=None):
        assert method == "GET"
        assert deadline is not None
        self.asked.append(path)
        if path in self.failures:
            raise self.failures[path]
        if path in self.objects:
            return self.objects[path]
        if path not in self.lists:
            raise KubeError(f"{path} is not served", NOT_SERVED, status=404)
        items = self.lists[path]
        selector = (query or {}).get("fieldSelector")
        if selector:
            field, _equals, wanted = selector.partition("=")
            assert field == "metadata.name"
            items = [item for item in items if item["metadata"]["name"] == wanted]
        return {"kind": "List", "metadata": {}, "items": items}

    def usage(self):
        return Usage(len(self.asked), 1000, 1, 0.5)

    def close(self):
        self.asked.append("closed")
