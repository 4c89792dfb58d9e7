# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file broker-info.subm: URL-safe base64 of one JSON object (subctl pkg/broker/info.go, file.go). Pure but for its writing."""

from __future__ import annotations

import base64
import datetime
import json
import os
import string
import typing as t
from pathlib import Path

from tests.lab.client import Object

NAME = "broker-info.subm"
PSK_SECRET = "submariner-ipsec-psk"

_ALPHABET = frozenset(string.ascii_letters + string.digits + "-_")


class BrokerInfo(t.NamedTuple):
    """What the file holds. Secrets are Secret objects; their data is base64."""

    broker_url: str
    client_token: Object
    ipsec_psk: Object
    service_discovery: bool
    components: list[str]
    custom_domains: list[str] | None

    @property
    def namespace(self) -> str:
        return self.secret_text("namespace")

    def secret_text(self, key: str) -> str:
        """A value of the client token's Secret."""
        return base64.b64decode(self.client_token.get("data", {}).get(key, "")).decode()

    @property
    def connectivity(self) -> bool:
        return "connectivity" in self.components

    @property
    def discovers_services(self) -> bool:
        return self.service_discovery or "service-discovery" in self.components


class BrokerInfoError(Exception):
    """Why a file cannot be read, in subctl's words."""


def encode(info: BrokerInfo) -> str:
    """The struct's tags are malformed upstream, so that keys are in mixed case and empty values are kept."""
    document = {
        "brokerURL": info.broker_url,
        "ClientToken": info.client_token,
        "IPSecPSK": info.ipsec_psk,
        "ServiceDiscovery": info.service_discovery,
        "Components": sorted(info.components),
        "CustomDomains": info.custom_domains,
    }
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def read(path: str) -> BrokerInfo:
    """Keys are found whatever their case, as Go's decoder does."""
    try:
        raw = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise BrokerInfoError(f'error reading file "{path}": open {path}: {reason}') from None
    offset = corrupt_at(raw)
    if offset is not None:
        raise BrokerInfoError(f'error decoding data from file "{path}": illegal base64 data at input byte {offset}')
    found = {key.lower(): value for key, value in _unmarshalled(base64.urlsafe_b64decode(raw)).items()}
    return BrokerInfo(
        found.get("brokerurl", ""),
        found.get("clienttoken") or {},
        found.get("ipsecpsk") or {},
        bool(found.get("servicediscovery")),
        found.get("components") or [],
        found.get("customdomains"),
    )


def corrupt_at(text: str) -> int | None:
    """Offset of the byte at which Go's encoding/base64 gives up, or None for well-formed text; line ends do not count as data."""
    data = [(offset, char) for offset, char in enumerate(text) if char not in "\r\n"]
    for number, (offset, char) in enumerate(data):
        if char in _ALPHABET:
            continue
        if char != "=" or number % 4 < 2:
            return offset
        rest = data[number + 1 :]
        if number % 4 == 2:
            if not rest:
                return len(text)
            if rest[0][1] != "=":
                return rest[0][0] - 1
            rest = rest[1:]
        return rest[0][0] if rest else None
    return len(text) - len(data) % 4 if len(data) % 4 else None


def _unmarshalled(decoded: bytes) -> Object:
    """Raises BrokerInfoError with the words of Go's encoding/json."""
    text = decoded.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :].strip()
        why = f"invalid character '{rest[0]}' looking for beginning of value" if rest else "unexpected end of JSON input"
        raise BrokerInfoError(f"error unmarshalling data: {why}") from None
    if document is not None and not isinstance(document, dict):
        kind = {list: "array", str: "string", bool: "bool"}.get(type(document), "number")
        raise BrokerInfoError(f"error unmarshalling data: json: cannot unmarshal {kind} into Go value of type broker.Info")
    return document or {}


def psk_secret(psk: bytes) -> Object:
    return {"metadata": {"name": PSK_SECRET, "creationTimestamp": None}, "data": {"psk": base64.b64encode(psk).decode()}}


def write(folder: Path, info: BrokerInfo) -> str:
    """Writes the file for its owner alone. An older one is renamed; its new name is returned, or ""."""
    path = folder / NAME
    backup = ""
    if path.exists():
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        backup = f"{NAME}.{now.replace('+00:00', 'Z').replace(':', '_')}"
        path.rename(folder / backup)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(encode(info))
    return backup
