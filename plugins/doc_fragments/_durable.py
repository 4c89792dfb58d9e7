# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:

    # Options of a module that writes Calico's configuration where it lasts (module_utils/_apply/_durable.py).
    DOCUMENTATION = r"""
options:
  write_live:
    description:
      - Where Calico was installed by a Helm release of its operator, write the Installation as well, so that the change takes effect at once.
        The next C(helm upgrade) keeps it only when the release's values say the same, which RV(ignore:needs_person) has ready to paste in any case.
      - When V(false), nothing is written there.
    type: bool
    default: false
  force:
    description:
      - On Red Hat OpenShift on IBM Cloud, write also what IBM does not support. IBM's master may undo it.
    type: bool
    default: false
  manifest_servers:
    description:
      - RKE2 only. Inventory names of the servers whose manifest files are edited afterwards with M(fathom.submariner.rke2_manifest), which the role does.
        RV(ignore:manifest_files) then says which file holds what was changed.
      - When empty, RV(ignore:needs_person) has the file's new content where the HelmChartConfig comes from a file.
    type: list
    elements: str
    default: []
requirements:
  - PyYAML, where RKE2's HelmChartConfig is written
notes:
  - On RKE2 the values of HelmChartConfig C(kube-system/rke2-calico) are changed in place; comments, order and all other values stay as they are.
    A text that cannot be changed without touching something else, such as one whose anchor is used elsewhere, is refused.
  - Values of the HelmChartConfig under keys that name a secret are never shown or journalled. A HelmChartConfig that holds one cannot be put back whole.
"""
