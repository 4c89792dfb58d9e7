# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Connecting on behalf of a module, whose invocation Ansible shows at high verbosity."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection, connect
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import is_inline, resolve, secrets_of


def declare_secrets(module: AnsibleModule, params: t.Mapping[str, t.Any]) -> None:
    """Keep the secrets among ``params`` out of everything that the module prints: a failure prints its arguments. To be called before anything can fail."""
    module.no_log_values.update(secrets_of(params, _inline(params.get("kubeconfig"))))


def open_connection(module: AnsibleModule, params: t.Mapping[str, t.Any]) -> Connection:
    """Connect with ``params`` (the module's own, or those of one of its peers), after every secret among them was declared as such.

    :raises SubmarinerError: as :func:`connect`.
    """
    declare_secrets(module, params)
    declare_secrets(module, resolve(params))
    return connect(params)


def _inline(kubeconfig: t.Any) -> t.Any:
    """The content of a kubeconfig that is given as text, None for a path; what cannot be parsed is complained of by connect."""
    if not isinstance(kubeconfig, str) or not is_inline(kubeconfig):
        return None
    yaml = load_yaml()
    try:
        return yaml.safe_load(kubeconfig)
    except yaml.YAMLError:
        # Then its leaves cannot be told apart, and the whole must not be shown.
        return {"token": kubeconfig}
