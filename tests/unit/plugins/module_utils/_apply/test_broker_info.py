# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply._broker_info import read_broker_info
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

TOKEN, PSK = "CANARY-TOKEN", "CANARY-PSK"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def broker_file(tmp_path, data, strip=False):
    raw = base64.urlsafe_b64encode(json.dumps(data).encode())
    path = tmp_path / "broker-info.subm"
    path.write_bytes(raw.rstrip(b"=") if strip else raw)
    return str(path)


DATA = {
    "brokerURL": "https://192.168.100.11:6443",
    "ClientToken": {"metadata": {}, "data": {"token": encoded(TOKEN), "ca.crt": encoded("CA"), "namespace": encoded("submariner-k8s-broker")}},
    "IPSecPSK": {"data": {"psk": encoded(PSK)}},
    "Components": ["connectivity", "globalnet"],
    "CustomDomains": None,
}


@pytest.mark.parametrize("strip", [False, True])
def test_what_is_public_is_read_and_every_form_of_a_secret_is_known(tmp_path, strip):
    info = read_broker_info(broker_file(tmp_path, DATA, strip))
    assert (info.url, info.components) == ("https://192.168.100.11:6443", ("connectivity", "globalnet"))
    assert {TOKEN, PSK, encoded(TOKEN), encoded(PSK)} <= set(info.secrets)
    assert (tmp_path / "broker-info.subm").read_text() in info.secrets
    assert TOKEN not in repr(info) and PSK not in repr(info) and encoded(TOKEN) not in repr(info)


def test_keys_are_read_without_regard_to_case(tmp_path):
    info = read_broker_info(broker_file(tmp_path, {key.lower(): value for key, value in DATA.items()}))
    assert info.url == DATA["brokerURL"]


@pytest.mark.parametrize("content", [b"", b"$ANSIBLE_VAULT;1.1;AES256", base64.urlsafe_b64encode(b'{"a": 1}'), base64.urlsafe_b64encode(b"[1]"), b"\xff\xfe\x00"])
def test_another_file_is_refused_without_being_quoted(tmp_path, content):
    path = tmp_path / "broker-info.subm"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no broker file"):
        read_broker_info(str(path))


def test_a_truncated_file_is_refused_without_being_quoted(tmp_path):
    path = broker_file(tmp_path, DATA)
    with open(path, "rb+") as file:
        file.truncate(200)
    with pytest.raises(InputError, match="is no broker file") as caught:
        read_broker_info(path)
    assert encoded(TOKEN)[:12] not in caught.value.message


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_broker_info(str(tmp_path / "nothing"))
