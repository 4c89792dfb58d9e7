# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server that goes wrong on demand, and connections to it that wait milliseconds where users' wait seconds.

Nothing of the collection is imported before a fixture is used: pytest-ansible installs the collection loader after this file is read.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    """Keep the developer's own clusters and proxies out."""
    for name in list(os.environ):
        if name.startswith(("K8S_AUTH_", "KUBE")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def api():
    from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import FaultyApi

    with FaultyApi() as server:
        yield server


@pytest.fixture
def connection(api):
    from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import connect
    from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import QUICK

    opened = connect({"host": api.url, "api_key": "the-token"}, patience=QUICK)
    yield opened
    opened.close()


class TlsApi(t.NamedTuple):
    """An API server behind TLS that asks for client certificates, and the files that belong to it (all paths)."""

    server: t.Any  # FaultyApi
    ca: str
    other_ca: str
    client_cert: str
    client_key: str
    stranger_cert: str  # signed by the other CA
    stranger_key: str


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Return a folder with ca.pem, other-ca.pem, and server, client, stranger and expired each as .pem and .key."""
    folder = tmp_path_factory.mktemp("pki")
    authorities = {name: _authority(folder, name) for name in ("ca", "other-ca")}
    for name, authority, hours in (("server", "ca", 1), ("client", "ca", 1), ("stranger", "other-ca", 1), ("expired", "ca", -1)):
        _issue(folder, name, authorities[authority], hours)
    return folder


@pytest.fixture
def tls_api(certificates):
    yield from _serve_tls(certificates, "server")


@pytest.fixture
def expired_tls_api(certificates):
    yield from _serve_tls(certificates, "expired")


def _serve_tls(folder, name):
    from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import FaultyApi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    files = ("ca.pem", "other-ca.pem", "client.pem", "client.key", "stranger.pem", "stranger.key")
    with FaultyApi(context) as server:
        yield TlsApi(server, *(str(folder / file) for file in files))


def _authority(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = _certificate(subject, subject, key.public_key(), key, 1, x509.BasicConstraints(ca=True, path_length=None))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return subject, key


def _issue(folder, name, authority, hours):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = _certificate(subject, authority[0], key.public_key(), authority[1], hours, names)
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(key.private_bytes(*form))


def _certificate(subject, issuer, public_key, signing_key, hours, extension):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=2))
        .not_valid_after(now + datetime.timedelta(hours=hours))
        .add_extension(extension, critical=True)
        .sign(signing_key, hashes.SHA256())
    )
