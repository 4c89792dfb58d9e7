# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw objects of the API."""

from __future__ import annotations


def named(name, namespace="", **parts):
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", **parts.pop("metadata", {})}
    return {"metadata": metadata, **parts}
