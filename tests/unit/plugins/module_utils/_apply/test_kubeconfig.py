# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _kubeconfig
from ansible_collections.fathom.submariner.plugins.module_utils._apply._kubeconfig import access_to
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError


def test_a_file_is_passed_on_as_it_is():
    with access_to({"kubeconfig": "/etc/rancher/rke2/rke2.yaml", "context": "west"}) as access:
        assert access.flags == ("--kubeconfig", "/etc/rancher/rke2/rke2.yaml", "--context", "west") and not access.environment


def test_a_token_goes_into_a_private_file_that_is_removed_and_never_onto_the_command_line():
    with access_to({"host": "https://10.0.0.1:6443", "api_key": "CANARY", "ca_cert": "/ca.crt", "impersonate_user": "jane"}) as access:
        assert access.flags[0] == "--kubeconfig" and "CANARY" not in " ".join(access.flags)
        path = access.flags[1]
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    assert config["users"][0]["user"] == {"token": "CANARY", "as": "jane"}
    assert config["clusters"][0]["cluster"] == {"server": "https://10.0.0.1:6443", "certificate-authority": "/ca.crt"}
    assert not os.path.exists(path)


def test_certificates_that_are_not_to_be_verified_are_not():
    with access_to({"host": "https://10.0.0.1:6443", "validate_certs": False, "ca_cert": "/ca.crt"}) as access:
        with open(access.flags[1], encoding="utf-8") as file:
            assert json.load(file)["clusters"][0]["cluster"] == {"server": "https://10.0.0.1:6443", "insecure-skip-tls-verify": True}


@pytest.mark.parametrize("given", [{"apiVersion": "v1", "kind": "Config", "clusters": []}, "apiVersion: v1\nkind: Config\n"])
def test_an_inline_kubeconfig_is_written_down_and_removed(given):
    with access_to({"kubeconfig": given, "context": "west"}) as access:
        assert access.flags[2:] == ("--context", "west")
        with open(access.flags[1], encoding="utf-8") as file:
            text = file.read()
        assert text == given if isinstance(given, str) else json.loads(text) == given
    assert not os.path.exists(access.flags[1])


def test_what_a_kubeconfig_cannot_say_is_refused():
    with pytest.raises(InputError, match="proxy_headers"):
        with access_to({"host": "https://10.0.0.1:6443", "proxy_headers": {"user_agent": "x"}}):
            pass


def test_several_files_are_named_where_they_are_merged():
    with access_to({"kubeconfig": "/etc/a:/etc/b", "context": "west"}) as access:
        assert (access.flags, access.environment) == (("--context", "west"), {"KUBECONFIG": "/etc/a:/etc/b"})


def test_what_is_said_beside_a_kubeconfig_is_said_to_subctl_too():
    beside = {"host": "https://10.0.0.9:6443", "ca_cert": "/ca.crt", "validate_certs": False, "impersonate_user": "jane", "impersonate_groups": ["a", "b"]}
    with access_to({"kubeconfig": "/etc/k", "context": "west", "proxy": "http://proxy:3128", **beside}) as access:
        assert access.flags[4:] == (
            "--server=https://10.0.0.9:6443", "--certificate-authority=/ca.crt", "--proxy-url=http://proxy:3128", "--as=jane", "--as-group=a", "--as-group=b",
            "--insecure-skip-tls-verify=true",
        )  # fmt: skip


@pytest.mark.parametrize("secret", [{"api_key": "CANARY"}, {"username": "jane", "password": "CANARY"}, {"proxy": "http://jane:CANARY@proxy:3128"}])
def test_a_secret_beside_a_kubeconfig_is_refused_and_not_dropped(secret):
    with pytest.raises(InputError, match="beside a kubeconfig cannot be handed on to subctl") as caught:
        with access_to({"kubeconfig": "/etc/k", **secret}):
            pass
    assert "CANARY" not in caught.value.message


def test_a_pod_means_its_own_cluster_whatever_lies_in_its_home(monkeypatch, tmp_path):
    """As the connection does, which takes a pod's own cluster before a default kubeconfig."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text("current-context: another-cluster")
    (tmp_path / "token").write_text("CANARY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(_kubeconfig, "_SERVICE_ACCOUNT", str(tmp_path))
    with access_to({}) as access:
        with open(access.flags[1], encoding="utf-8") as file:
            config = json.load(file)
    assert config["clusters"][0]["cluster"] == {"server": "https://[fd00::1]:443", "certificate-authority": f"{tmp_path}/ca.crt"}
    assert config["users"][0]["user"] == {"tokenFile": f"{tmp_path}/token"}
