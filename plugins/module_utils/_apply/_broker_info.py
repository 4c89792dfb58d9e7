# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reading ``broker-info.subm``: what is public of it, and which texts must never be shown.

The file is URL-safe base64 of one JSON object whose keys have mixed case and are read without regard to it (subctl
pkg/broker/info.go). It holds the broker's admin token and the pre-shared key: whoever has it can join.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError


class BrokerInfo(t.NamedTuple):
    path: str
    url: str
    components: tuple[str, ...]
    secrets: tuple[str, ...]  # the token and the key, in every form in which a program might print them

    def __repr__(self) -> str:
        return f"BrokerInfo(path={self.path!r}, url={self.url!r})"


def read_broker_info(path: str) -> BrokerInfo:
    """Read the file.

    :raises InputError: when it cannot be read or is no broker file; the message never quotes its content.
    """
    path = os.path.expanduser(path)
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise InputError(f"broker_info: {path} cannot be read: {error.strerror}. It is the file broker-info.subm that 'subctl deploy-broker' wrote.") from error
    try:
        text = raw.strip()
        data = json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
        fields = {str(key).lower(): value for key, value in data.items()}
        url = str(fields["brokerurl"])
        token = {str(key).lower(): value for key, value in fields["clienttoken"].items()}.get("data") or {}
        psk = {str(key).lower(): value for key, value in (fields.get("ipsecpsk") or {}).items()}.get("data") or {}
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise InputError(
            f"broker_info: {path} is no broker file (base64 of a JSON object with brokerURL and ClientToken). It may be truncated, or "
            "still encrypted by Ansible Vault; "
            "'subctl recover-broker-info' writes it anew."
        ) from error
    secrets = []
    for value in (token.get("token"), psk.get("psk")):
        secrets += _forms(value)
    return BrokerInfo(path, url, tuple(fields.get("components") or ()), (*secrets, raw.decode("ascii", "replace").strip()))


def _forms(encoded: t.Any) -> list[str]:
    """A Secret's value as it stands (base64) and decoded."""
    if not isinstance(encoded, str) or not encoded:
        return []
    forms = [encoded]
    try:
        forms.append(base64.b64decode(encoded, validate=True).decode())
    except (ValueError, UnicodeDecodeError):
        pass
    return forms
