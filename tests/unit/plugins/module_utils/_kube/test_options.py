# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection options: where each comes from, and which of them are secret."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import resolve, secrets_of


def test_unset_options_are_left_out_and_others_ignored():
    assert resolve({"kubeconfig": "k", "context": None, "host": "", "validate_certs": False, "other": 1}, {}) == {
        "kubeconfig": "k", "validate_certs": False
    }


def test_every_variable_of_kubernetes_core_is_read():
    environ = {
        "K8S_AUTH_HOST": "https://a", "K8S_AUTH_API_KEY": "key", "K8S_AUTH_USERNAME": "u", "K8S_AUTH_PASSWORD": "p", "K8S_AUTH_CERT_FILE": "c",
        "K8S_AUTH_KEY_FILE": "k", "K8S_AUTH_SSL_CA_CERT": "ca", "K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_PROXY": "http://p", "K8S_AUTH_NO_PROXY": "b",
        "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH": "a:b", "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH": "c:d", "K8S_AUTH_PROXY_HEADERS_USER_AGENT": "ua",
        "K8S_AUTH_IMPERSONATE_USER": "jane", "K8S_AUTH_IMPERSONATE_GROUPS": "a, b,", "K8S_AUTH_KUBECONFIG": "kc", "K8S_AUTH_CONTEXT": "ctx",
    }
    assert resolve({}, environ) == {
        "host": "https://a", "api_key": "key", "username": "u", "password": "p", "client_cert": "c", "client_key": "k", "ca_cert": "ca",
        "validate_certs": False, "proxy": "http://p", "no_proxy": "b", "impersonate_user": "jane", "impersonate_groups": ["a", "b"],
        "proxy_headers": {"proxy_basic_auth": "a:b", "basic_auth": "c:d", "user_agent": "ua"}, "kubeconfig": "kc", "context": "ctx",
    }


@pytest.mark.parametrize("name", ["CLIENT_CERT", "CLIENT_KEY", "CA_CERT", "VALIDATE_CERTS"])
def test_the_options_own_names_work_as_variables_too(name):
    assert resolve({}, {f"K8S_AUTH_{name}": "yes"}) == {name.lower(): True if name == "VALIDATE_CERTS" else "yes"}


def test_options_win_over_variables():
    assert resolve({"proxy": "http://a", "proxy_headers": {"user_agent": "a", "basic_auth": None}}, {
        "K8S_AUTH_PROXY": "http://b", "K8S_AUTH_PROXY_HEADERS_USER_AGENT": "b", "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH": "c:d"
    }) == {"proxy": "http://a", "proxy_headers": {"user_agent": "a", "basic_auth": "c:d"}}


@pytest.mark.parametrize("given", [{"kubeconfig": "k"}, {"context": "c"}])
def test_a_kubeconfig_of_the_task_hides_the_servers_and_credentials_of_the_environment(given):
    environ = {"K8S_AUTH_HOST": "https://a", "K8S_AUTH_API_KEY": "key", "K8S_AUTH_SSL_CA_CERT": "ca", "K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_PROXY": "http://p"}
    assert resolve(given, environ) == {**given, "proxy": "http://p"}


def test_a_host_of_the_task_hides_the_kubeconfig_of_the_environment_and_takes_its_token():
    environ = {"K8S_AUTH_KUBECONFIG": "k", "K8S_AUTH_CONTEXT": "c", "K8S_AUTH_API_KEY": "key"}
    assert resolve({"host": "https://a"}, environ) == {"host": "https://a", "api_key": "key"}


def test_a_variable_that_is_no_boolean_is_refused():
    with pytest.raises(InputError, match="K8S_AUTH_VERIFY_SSL is 'perhaps'"):
        resolve({}, {"K8S_AUTH_VERIFY_SSL": "perhaps"})


def test_only_the_secret_leaves_are_secrets():
    kubeconfig = {
        "clusters": [{"name": "cluster-1", "cluster": {"server": "https://a", "certificate-authority-data": "PUBLIC"}}],
        "users": [
            {"name": "admin", "user": {"client-certificate-data": "PUBLIC", "client-key-data": "S1", "token": "S2", "username": "u", "password": "S3"}},
            {"name": "oidc", "user": {"auth-provider": {"config": {"id-token": "S4", "refresh-token": "S5", "client-secret": "S6", "client-id": "x"}}}},
            {"name": "exec", "user": {"exec": {"command": "aws", "env": [
                {"name": "AWS_PROFILE", "value": "prod"}, {"name": "AWS_SECRET_ACCESS_KEY", "value": "S7"}
            ]}}},
        ],
    }
    options = {
        "kubeconfig": kubeconfig, "api_key": "S8", "password": "S9", "username": "me", "proxy": "http://me:S%31%30@proxy:3128",
        "proxy_headers": {"basic_auth": "u:S11", "proxy_basic_auth": "u:S12", "user_agent": "x"},
    }
    assert secrets_of(options) == {*(f"S{number}" for number in range(1, 11)), "S%31%30", "u:S11", "u:S12"}


def test_a_path_holds_no_secret_until_it_is_read():
    assert secrets_of({"kubeconfig": "/home/me/.kube/config", "proxy": "http://proxy:3128"}) == set()
    assert secrets_of({"kubeconfig": "/home/me/.kube/config"}, {"users": [{"user": {"token": "S"}}]}) == {"S"}
