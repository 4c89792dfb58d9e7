# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The catalogue: every check of this release. A new file of checks is imported and listed here."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._checks import (
    _calico_api,
    _cidr_truth,
    _clusterset_cidrs,
    _clusterset_members,
    _discovery_gates,
    _health,
    _kube_proxy,
    _leftovers,
    _membership,
    _remote_pools,
    _submariner_cidrs,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Check

SUBJECTS = (
    _membership,
    _cidr_truth,
    _submariner_cidrs,
    _discovery_gates,
    _kube_proxy,
    _calico_api,
    _remote_pools,
    _health,
    _leftovers,
    _clusterset_members,
    _clusterset_cidrs,
)
# In the order of their definition, subject by subject.
CHECKS: tuple[Check, ...] = tuple(entry for subject in SUBJECTS for entry in vars(subject).values() if isinstance(entry, Check))
