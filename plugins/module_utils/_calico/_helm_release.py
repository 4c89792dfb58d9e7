# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The command that changes the values of the Helm release of Calico's operator, and nothing else."""

from __future__ import annotations

import re

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Installation

_RELEASED = re.compile(r"v\d+\.\d+\.\d+")


def upgrade_command(installation: Installation, name: str, namespace: str, options: str, chart: str = "CHART", *, removes: bool = False) -> str:
    """Return ``helm upgrade`` with the chart's version pinned: without ``--version`` Helm takes the newest chart, and so upgrades Calico.

    :param options: what sets the values, such as ``--set apiServer.enabled=true``.
    :param chart: ``REPOSITORY/CHART`` where it is known.
    :param removes: some values are null: ``--reuse-values`` renders with the old ones all the same (helm pkg/action/upgrade.go, reuseValues).
    """
    reuse = "--reset-then-reuse-values" if removes else "--reuse-values"
    version = chart_version(installation)
    command = f"helm upgrade {name} {chart} --namespace {namespace} --version {version or 'INSTALLED_VERSION'} {reuse} {options}"
    return command if version else f"{command}, with the version of the chart that helm list -n {namespace} shows"


def chart_version(installation: Installation) -> str:
    """The version of the chart that runs, "" where it is not known.

    Chart tigera-operator is released with Calico, under Calico's version; Calico Enterprise has charts and versions of its own.
    """
    is_calico = installation.variant in ("", "Calico")
    return installation.calico_version if is_calico and _RELEASED.fullmatch(installation.calico_version) else ""
