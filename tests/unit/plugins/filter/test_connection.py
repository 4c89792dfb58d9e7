# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.fathom.submariner.plugins.filter.connection import FilterModule


def connection(variables):
    return FilterModule().filters()["connection"](variables)


def test_connection_options_are_picked_and_nothing_else():
    variables = {"inventory_hostname": "west", "kubeconfig": "/k", "context": "west", "validate_certs": False, "submariner_cluster_id": "w", "api_key": ""}
    assert connection(variables) == {"name": "west", "kubeconfig": "/k", "context": "west", "validate_certs": False}


@pytest.mark.parametrize("wrong", ["west", {}, ["west"], None])
def test_what_is_no_hosts_variables_is_refused(wrong):
    with pytest.raises(AnsibleFilterError, match="variables of one host"):
        connection(wrong)
