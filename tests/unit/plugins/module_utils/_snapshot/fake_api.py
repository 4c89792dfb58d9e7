# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory, for the live reader: lists of raw objects by path, failures by path."""

from __future__ import annotations

import re

from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Usage
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import NOT_SERVED, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._pages import entry_of, page_of


def chosen(item, field_selector, label_selector):
    """Whether an object is what two selectors choose: FIELD=VALUE and FIELD!=VALUE; KEY=VALUE, KEY in (...) and KEY notin (...)."""
    if field_selector:
        field, negated, wanted = re.fullmatch(r"([\w.]+)(!?)=(.*)", field_selector).groups()
        found = item
        for key in field.split("."):
            found = found.get(key, {})
        if (found == wanted) == bool(negated):
            return False
    labels = (item.get("metadata") or {}).get("labels") or {}
    for key, operator, values in re.findall(r"([\w./-]+)(=| in | notin )\(?([^()]*?)\)?(?:,(?=[\w./-]+ )|$)", label_selector or ""):
        if (labels.get(key) in values.split(",")) == (operator == " notin "):
            return False
    return True


class FakeConnection:
    """``lists`` maps a collection's path to its raw objects; ``failures`` maps a path to the KubeError that it raises. Other paths are not served.

    ``groups`` are the group/versions that discovery lists; it is not served where they are None.
    """

    name = "fake"
    label = "fake"
    server = "https://fake.invalid:6443"

    def __init__(self, lists=None, failures=None, version="v1.27.9+rke2r1", resources=None, groups=None, logs=None):
        self.lists = lists or {}
        self.failures = failures or {}
        self.logs = logs or {}
        self.objects = {"/version": {"gitVersion": version}}
        for group_version, names in (resources or {}).items():
            self.objects[group_version] = {"kind": "APIResourceList", "resources": [{"name": name} for name in names]}
        if groups is not None:
            listed = [{"name": name.partition("/")[0], "versions": [{"groupVersion": name}]} for name in groups]
            self.objects["/apis"] = {"kind": "APIGroupList", "groups": listed}
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
        query = query or {}
        items = [item for item in items if chosen(item, query.get("fieldSelector"), query.get("labelSelector"))]
        start, limit = int(query.get("continue") or 0), query.get("limit") or len(items)
        metadata = {"continue": str(start + limit)} if start + limit < len(items) else {}
        items = items[start : start + limit]
        return {"kind": "List", "metadata": metadata, "items": items}

    def request_page(self, path, query, project, deadline):
        answer = self.request("GET", path, query, deadline)
        entries = [entry_of(item, project) for item in answer.pop("items")]
        return page_of(answer, [entry for entry in entries if entry is not None])

    def request_text(self, path, query=None, deadline=None):
        assert deadline is not None
        self.asked.append(path)
        if path in self.failures:
            raise self.failures[path]
        if path not in self.logs:
            raise KubeError(f"{path} is not there", NOT_SERVED, status=404)
        text = self.logs[path]
        if "tailLines" in query:
            text = "".join(text.splitlines(keepends=True)[-query["tailLines"] :])
        return text[: query["limitBytes"]]

    def usage(self):
        return Usage(len(self.asked), 1000, 1, 0.5)

    def close(self):
        self.asked.append("closed")
