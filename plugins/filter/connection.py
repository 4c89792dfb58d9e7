# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the cluster that an inventory host stands for."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: connection
short_description: How to reach the cluster that an inventory host stands for
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Picks the connection options out of a host's variables, for option O(fathom.submariner.join#module:peers) of M(fathom.submariner.join).
options:
  _input:
    description:
      - The variables of one host, such as an entry of C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Correct this cluster's CIDRs, and what follows them on all others
  fathom.submariner.join:
    cluster_id: "{{ submariner_cluster_id }}"
    kubeconfig: "{{ kubeconfig }}"
    context: "{{ context }}"
    peers: "{{ groups.submariner_clusters | difference([inventory_hostname]) | map('extract', hostvars) | map('fathom.submariner.connection') }}"
"""

RETURN = r"""
_value:
  description:
    - The host's name as C(name), and those of the connection options that are set.
  type: dict
"""

OPTIONS = ("kubeconfig", "context", "host", "api_key", "client_cert", "client_key", "ca_cert", "validate_certs", "proxy")


def connection(variables: t.Any) -> dict[str, t.Any]:
    """Return ``{"name": ..., OPTION: ...}`` for the options that the host's variables set."""
    if not hasattr(variables, "get") or "inventory_hostname" not in variables:
        raise AnsibleFilterError("connection: wants the variables of one host, as hostvars holds them")
    options = {name: variables[name] for name in OPTIONS if variables.get(name) not in (None, "")}
    return {"name": variables["inventory_hostname"], **options}


class FilterModule:
    """Names the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return them."""
        return {"connection": connection}
