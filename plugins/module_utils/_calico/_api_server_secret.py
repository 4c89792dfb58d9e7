# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Whose certificate the operator's API server has, and for which names it must be.

The operator issues one where its namespace has none, replaces what it issued itself, and leaves a user's alone: it tells them apart by the name of the
issuer (tigera/operator pkg/controller/certificatemanager/certificatemanager.go, pkg/render/common/meta/meta.go).
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

SIGNER = "tigera-operator-signer"  # begins the issuer's common name
SERVICE = "calico-api"

_FIELDS = ("tls.crt", "apiserver.crt")  # the second one is that of old releases
_FIRST = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def issued_by_operator(secret: t.Mapping[str, t.Any]) -> bool:
    """Whether another one comes where a Secret is deleted; False where that cannot be told.

    Owner references do not tell: they stay where a user puts a certificate into the operator's Secret. A name is plain text in the certificate's DER, and the
    certificate's own names are of the Service.
    """
    data = secret.get("data") or {}
    encoded = next((data[field] for field in _FIELDS if data.get(field)), "")
    try:
        found = _FIRST.search(base64.b64decode(encoded))
        return found is not None and SIGNER.encode() in base64.b64decode(found.group(1))
    except (binascii.Error, ValueError):
        return False


def names(namespace: str) -> tuple[str, ...]:
    """What the operator wants in a certificate (pkg/dns, GetServiceDNSNames)."""
    return SERVICE, f"{SERVICE}.{namespace}", f"{SERVICE}.{namespace}.svc", f"{SERVICE}.{namespace}.svc.DOMAIN (the cluster's, mostly cluster.local)"
