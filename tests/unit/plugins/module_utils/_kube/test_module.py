# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import open_connection

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: west
contexts: [{name: west, context: {cluster: west, user: admin}}]
clusters: [{name: west, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: admin, user: {token: CANARY-TOKEN}}]
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("KUBECONFIG", "K8S_AUTH_KUBECONFIG", "K8S_AUTH_HOST", "K8S_AUTH_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def opened(**params):
    module = SimpleNamespace(no_log_values=set())
    connection = open_connection(module, params)
    connection.close()
    return module.no_log_values


def test_the_token_of_an_inline_kubeconfig_is_declared_and_innocent_words_are_not():
    hidden = opened(kubeconfig=KUBECONFIG)
    assert "CANARY-TOKEN" in hidden
    assert not {"west", "admin", "https://127.0.0.1:1"} & hidden


def test_a_bearer_token_is_declared():
    assert opened(host="https://127.0.0.1:1", api_key="CANARY-KEY") == {"CANARY-KEY"}


def test_what_cannot_be_parsed_is_hidden_as_a_whole_and_refused():
    module = SimpleNamespace(no_log_values=set())
    broken = "users:\n- token: CANARY-TOKEN: [\n"
    with pytest.raises(SubmarinerError) as caught:
        open_connection(module, {"kubeconfig": broken})
    assert broken in module.no_log_values
    assert "CANARY" not in caught.value.message
