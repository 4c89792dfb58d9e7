# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:

    # Options of a module that reads what was saved of a cluster in place of the cluster.
    DOCUMENTATION = r"""
options:
  bundle:
    description:
      - What was saved of a cluster, to be read in place of it. All options of the connection are then ignored.
      - A folder, a tar archive (plain, or compressed with gzip, bzip2 or xz), a zip, or one file; archives inside it are opened.
      - Known are what the playbook C(fathom.submariner.collect) and M(fathom.submariner.collect) wrote, C(subctl gather), C(kubectl cluster-info dump),
        C(oc adm must-gather) (C(oc adm inspect)), and what C(kubectl get -o yaml) or C(-o json) wrote into files of any names, with logs as
        C(logs/NAMESPACE/POD/CONTAINER.log). Formats are told by their content, and several of one cluster are read together.
      - What a bundle does not hold is unknown. Nothing is unpacked onto the disk, and links and names that lead out of the bundle are left out.
    type: path
  bundle_cluster:
    description:
      - Which cluster of O(bundle) to read, by its name in the bundle (see M(fathom.submariner.bundle_info)) or its cluster id.
      - Needed only where the bundle holds several.
    type: str
"""
