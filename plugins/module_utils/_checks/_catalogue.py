# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The catalogue: every check of this release. A new file of checks is imported and listed here."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._checks import (
    _autodetection,
    _broker,
    _calico_api,
    _calico_migration,
    _cidr_truth,
    _clusterset_cidrs,
    _clusterset_members,
    _clusterset_overlap,
    _connections,
    _discovery_gates,
    _dns,
    _gateways,
    _globalnet,
    _health,
    _kube_proxy,
    _leftovers,
    _membership,
    _mtu,
    _mtu_changes,
    _mtu_path,
    _ownership,
    _policy,
    _policy_hosts,
    _pool_relations,
    _proxy,
    _remote_pools,
    _rollout,
    _rollout_nodes,
    _route_agents,
    _signatures,
    _submariner_cidrs,
    _version_skew,
    _versions,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Check

SUBJECTS = (
    _membership,
    _cidr_truth,
    _submariner_cidrs,
    _discovery_gates,
    _kube_proxy,
    _calico_api,
    _calico_migration,
    _remote_pools,
    _pool_relations,
    _autodetection,
    _rollout,
    _rollout_nodes,
    _mtu,
    _mtu_changes,
    _mtu_path,
    _versions,
    _gateways,
    _health,
    _connections,
    _route_agents,
    _version_skew,
    _broker,
    _dns,
    _globalnet,
    _leftovers,
    _signatures,
    _policy,
    _policy_hosts,
    _ownership,
    _proxy,
    _clusterset_members,
    _clusterset_overlap,
    _clusterset_cidrs,
)
# In the order of their definition, subject by subject.
CHECKS: tuple[Check, ...] = tuple(entry for subject in SUBJECTS for entry in vars(subject).values() if isinstance(entry, Check))
