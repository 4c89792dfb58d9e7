# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The certificate of a Calico API server that no operator looks after: made, and judged.

It signs itself and is what the APIService trusts (``spec.caBundle``), as in Calico's own instructions; Go takes a leaf that is itself among the roots.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_objects import CERTIFICATE_KEY, KEY_KEY
from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_cryptography

_BACKDATED = datetime.timedelta(hours=1)  # so that a cluster whose clock is behind does not refuse it


class Made(t.NamedTuple):
    """A new certificate: the Secret's data, and the PEM text for ``caBundle``."""

    data: dict[str, str]
    pem: bytes
    not_after: str


class Verdict(t.NamedTuple):
    """What a certificate that is there is worth.

    :param problem: why it must be replaced, in words; "" where it is good.
    :param trusted: whether the APIService trusts it.
    :param pem: of the certificate, b"" where it is none.
    :param not_after: RFC 3339, "" where it is no certificate.
    """

    problem: str
    trusted: bool = False
    pem: bytes = b""
    not_after: str = ""


def make(name: str, days: int, now: datetime.datetime) -> Made:
    """A key (EC P-256) and a certificate for a server of one DNS name.

    :param days: for how long from now.
    :param now: in UTC.
    :raises MissingLibraryError: the package cryptography cannot be used.
    """
    library = load_cryptography()
    x509, serialization = library.x509, library.serialization
    key = library.ec.generate_private_key(library.ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, library.hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    data = {CERTIFICATE_KEY: base64.b64encode(pem).decode(), KEY_KEY: base64.b64encode(private).decode()}
    return Made(data, pem, _text(_not_after(certificate)))


def judge(data: t.Mapping[str, str], ca_bundle: str, name: str, renew_before: int, now: datetime.datetime) -> Verdict:
    """Whether the certificate of a Secret serves ``name`` for long enough, and is trusted.

    :param data: of the Secret, in base64.
    :param ca_bundle: of the APIService, in base64; "" where it trusts nothing of its own.
    :param renew_before: days before its end at which it counts as worn out.
    :param now: in UTC.
    """
    x509 = load_cryptography().x509
    missing = [key for key in (CERTIFICATE_KEY, KEY_KEY) if not data.get(key)]
    if missing:
        return Verdict(f"it has no {' and no '.join(missing)}")
    try:
        pem = base64.b64decode(data[CERTIFICATE_KEY])
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, binascii.Error):
        return Verdict(f"{CERTIFICATE_KEY} is no certificate")
    end, begin = _not_after(certificate), _not_before(certificate)
    shown = _text(end)
    if end <= now:
        return Verdict(f"the certificate has expired on {shown}", False, pem, shown)
    trusted = _is_trusted(certificate, ca_bundle)
    problem = ""
    if not _matches(certificate, data[KEY_KEY]):
        problem = f"{KEY_KEY} is not the key of {CERTIFICATE_KEY}"
    elif name not in _names(certificate):
        problem = f"the certificate is for {', '.join(_names(certificate)) or 'no name'} and not for {name}"
    elif begin > now:
        problem = f"the certificate is not valid before {_text(begin)}"
    elif end - now <= datetime.timedelta(days=renew_before):
        problem = f"the certificate expires on {shown}"
    return Verdict(problem, trusted, pem, shown)


def still_valid(ca_bundle: str, now: datetime.datetime) -> bytes:
    """The certificates of an APIService's bundle whose time is not over, as PEM text.

    :param now: in UTC.
    """
    load = load_cryptography().x509.load_pem_x509_certificate
    kept = []
    for text in _certificates_in(ca_bundle):
        try:
            if _not_after(load(text)) > now:
                kept.append(text)
        except ValueError:
            continue
    return b"".join(kept)


def bundle(*certificates: bytes) -> str:
    """``spec.caBundle`` of an APIService: some PEM certificates in base64."""
    return base64.b64encode(b"".join(pem if pem.endswith(b"\n") else pem + b"\n" for pem in certificates if pem)).decode()


def _names(certificate: t.Any) -> list[str]:
    x509 = load_cryptography().x509
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return list(found.get_values_for_type(x509.DNSName))


def _matches(certificate: t.Any, key: str) -> bool:
    library = load_cryptography()
    serialization = library.serialization
    try:
        private = serialization.load_pem_private_key(base64.b64decode(key), None)
    except (ValueError, TypeError, binascii.Error, library.exceptions.UnsupportedAlgorithm):
        return False
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return bool(private.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form))


def _is_trusted(certificate: t.Any, ca_bundle: str) -> bool:
    """The certificate itself is in the bundle, or one in it has signed it."""
    library = load_cryptography()
    for text in _certificates_in(ca_bundle):
        try:
            root = library.x509.load_pem_x509_certificate(text)
        except ValueError:
            continue
        if root == certificate:
            return True
        try:
            certificate.verify_directly_issued_by(root)
            return True
        except (ValueError, TypeError, library.exceptions.InvalidSignature):
            continue
    return False


def _certificates_in(ca_bundle: str) -> list[bytes]:
    try:
        content = base64.b64decode(ca_bundle)
    except (ValueError, binascii.Error):
        return []
    end = b"-----END CERTIFICATE-----"
    return [part.lstrip() + end + b"\n" for part in content.split(end)[:-1]]


def _not_after(certificate: t.Any) -> datetime.datetime:
    return _utc(certificate, "not_valid_after")


def _not_before(certificate: t.Any) -> datetime.datetime:
    return _utc(certificate, "not_valid_before")


def _utc(certificate: t.Any, name: str) -> datetime.datetime:
    """cryptography 42 has the times with their zone; the names without it warn from then on."""
    found = getattr(certificate, f"{name}_utc", None)
    return found if found is not None else getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)


def _text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
