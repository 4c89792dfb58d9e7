# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:

    # Options of a module that takes what was read on a cluster's nodes.
    DOCUMENTATION = r"""
options:
  node_reports:
    description:
      - Documents that M(fathom.submariner.node_info) and the probing modules returned on the cluster's nodes, as JSON, one a file. Files, or folders of which
        every C(*.json) file is looked at, also in folders inside.
      - A document that names a cluster counts for the cluster that is called so, by its inventory host or its cluster id, and one that names none for each
        cluster that has a Node of its name. Of several of one node the newest counts.
      - A bundle may hold such documents anywhere. They need not be named here.
    type: list
    elements: path
    default: []
"""
