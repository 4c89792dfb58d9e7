# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply._kubeconfig import kubeconfig_flags
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError


def test_a_file_is_passed_on_as_it_is():
    with kubeconfig_flags({"kubeconfig": "/etc/rancher/rke2/rke2.yaml", "context": "west"}) as flags:
        assert flags == ["--kubeconfig", "/etc/rancher/rke2/rke2.yaml", "--context", "west"]


def test_a_token_goes_into_a_private_file_that_is_removed_and_never_onto_the_command_line():
    with kubeconfig_flags({"host": "https://10.0.0.1:6443", "api_key": "CANARY", "ca_cert": "/ca.crt", "impersonate_user": "jane"}) as flags:
        assert flags[0] == "--kubeconfig" and "CANARY" not in " ".join(flags)
        path = flags[1]
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    assert config["users"][0]["user"] == {"token": "CANARY", "as": "jane"}
    assert config["clusters"][0]["cluster"] == {"server": "https://10.0.0.1:6443", "certificate-authority": "/ca.crt"}
    assert not os.path.exists(path)


def test_certificates_that_are_not_to_be_verified_are_not():
    with kubeconfig_flags({"host": "https://10.0.0.1:6443", "validate_certs": False, "ca_cert": "/ca.crt"}) as flags:
        with open(flags[1], encoding="utf-8") as file:
            assert json.load(file)["clusters"][0]["cluster"] == {"server": "https://10.0.0.1:6443", "insecure-skip-tls-verify": True}


@pytest.mark.parametrize("given", [{"apiVersion": "v1", "kind": "Config", "clusters": []}, "apiVersion: v1\nkind: Config\n"])
def test_an_inline_kubeconfig_is_written_down_and_removed(given):
    with kubeconfig_flags({"kubeconfig": given, "context": "west"}) as flags:
        assert flags[2:] == ["--context", "west"]
        with open(flags[1], encoding="utf-8") as file:
            text = file.read()
        assert text == given if isinstance(given, str) else json.loads(text) == given
    assert not os.path.exists(flags[1])


def test_what_a_kubeconfig_cannot_say_is_refused():
    with pytest.raises(InputError, match="proxy_headers"):
        with kubeconfig_flags({"host": "https://10.0.0.1:6443", "proxy_headers": {"user_agent": "x"}}):
            pass
