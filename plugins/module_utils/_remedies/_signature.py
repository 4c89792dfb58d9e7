# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Digests and signatures of a plan: what makes an altered one tell which step and which field were altered.

A digest protects against accidents and against careless editing: whoever can compute SHA-256 can make a new one. Only the signature, an HMAC with a key that
the reviewer and the pipeline share, protects against somebody who wants a plan carried out that nobody has reviewed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import typing as t

DIGEST = "sha256:"
SIGNATURE = "hmac-sha256:"
_OWN = ("digest", "digests", "signature")


def canonical(value: t.Any) -> bytes:
    """JSON that is the same bytes for the same value: sorted keys, no white space (as RFC 8785, but for the spelling of floating-point numbers)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def digest(value: t.Any) -> str:
    return DIGEST + hashlib.sha256(canonical(value)).hexdigest()


def sealed(record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A record with the digest of each of its fields, and one of all of them."""
    fields = {name: digest(value) for name, value in record.items() if name not in _OWN}
    return {**{name: value for name, value in record.items() if name not in _OWN}, "digests": fields, "digest": digest(fields)}


def altered(record: t.Mapping[str, t.Any]) -> list[str]:
    """Names of the fields of a sealed record that are not what was sealed, those that came and went included; [] where all are."""
    fields = record.get("digests")
    if not isinstance(fields, dict):
        return ["digests"]
    names = sorted({*fields, *(name for name in record if name not in _OWN)})
    wrong = [name for name in names if name not in record or name not in fields or digest(record[name]) != fields[name]]
    return wrong if wrong or record.get("digest") == digest(fields) else ["digest"]


def sign(plan_digest: str, key: str) -> str:
    """The signature of a plan by its digest, which covers all of it."""
    return SIGNATURE + hmac.new(key.encode("utf-8"), plan_digest.encode("utf-8"), hashlib.sha256).hexdigest()


def signed_with(plan_digest: str, signature: str, key: str) -> bool:
    return hmac.compare_digest(sign(plan_digest, key).encode("utf-8"), signature.encode("utf-8"))
