# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the Calico API server: what is made is good, and everything that is wrong with one is found."""

from __future__ import annotations

import base64
import datetime
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_certificate as certificates

NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.timezone.utc)
NAME = "calico-api.calico-apiserver.svc"
DAY = datetime.timedelta(days=1)
EMPTY = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n").decode()


def issue(names, *, begin=NOW - DAY, end=NOW + 300 * DAY, ca=False, issuer=None, key=None):
    """A certificate and its key; signed by ``issuer`` (such a pair), or by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, names[0] if names else "nobody")])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[0].subject if issuer else subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def data(certificate, key):
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return {"apiserver.crt": base64.b64encode(pem(certificate)).decode(), "apiserver.key": base64.b64encode(private).decode()}


def judge(secret, ca_bundle="", renew_before=30, now=NOW):
    return certificates.judge(secret, ca_bundle, NAME, renew_before, now)


class TestMade:
    def test_it_is_good_and_trusted_by_its_own_bundle(self):
        made = certificates.make(NAME, 365, NOW)
        verdict = judge(made.data, certificates.bundle(made.pem))
        assert verdict == certificates.Verdict("", True, made.pem, "2027-11-21T12:00:00Z")
        assert made.not_after == verdict.not_after
        assert not judge(made.data).trusted

    def test_it_wears_out_before_it_ends(self):
        made = certificates.make(NAME, 365, NOW)
        assert judge(made.data, now=NOW + 334 * DAY).problem == ""
        assert judge(made.data, now=NOW + 335 * DAY).problem == "the certificate expires on 2027-11-21T12:00:00Z"
        assert judge(made.data, now=NOW + 365 * DAY).problem == "the certificate has expired on 2027-11-21T12:00:00Z"

    def test_a_clock_that_is_behind_takes_it(self):
        assert judge(certificates.make(NAME, 365, NOW).data, now=NOW - datetime.timedelta(minutes=50)).problem == ""

    def test_no_two_are_alike(self):
        assert certificates.make(NAME, 365, NOW).data["apiserver.key"] != certificates.make(NAME, 365, NOW).data["apiserver.key"]

    def test_a_client_that_trusts_nothing_else_talks_to_it_by_its_name_and_by_no_other(self, tmp_path):
        made = certificates.make(NAME, 365, datetime.datetime.now(datetime.timezone.utc))
        for key, value in made.data.items():
            (tmp_path / key).write_bytes(base64.b64decode(value))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tmp_path / "apiserver.crt", tmp_path / "apiserver.key")
        client = ssl.create_default_context(cadata=made.pem.decode())
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # OpenSSL's word for what Go does of itself: a leaf among the roots is enough

        def shake(name):
            mine, other = socket.socketpair()

            def serve():
                try:
                    server.wrap_socket(other, server_side=True).close()
                except OSError:
                    other.close()

            thread = threading.Thread(target=serve)
            thread.start()
            try:
                client.wrap_socket(mine, server_hostname=name).close()
            finally:
                mine.close()
                thread.join(10)

        shake(NAME)
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            shake("calico-api.calico-system.svc")


class TestJudged:
    @pytest.mark.parametrize(
        ("secret", "problem"),
        [
            ({}, "it has no apiserver.crt and no apiserver.key"),
            ({"apiserver.crt": "eA=="}, "it has no apiserver.key"),
            ({"apiserver.crt": "", "apiserver.key": ""}, "it has no apiserver.crt and no apiserver.key"),
            ({"apiserver.crt": "eA==", "apiserver.key": "eA=="}, "apiserver.crt is no certificate"),
            ({"apiserver.crt": "not base64", "apiserver.key": "eA=="}, "apiserver.crt is no certificate"),
        ],
    )
    def test_what_is_none(self, secret, problem):
        assert judge(secret) == certificates.Verdict(problem)

    def test_a_key_of_another_certificate(self):
        certificate, dummy = issue([NAME])
        for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)):
            assert judge(data(certificate, key)).problem == "apiserver.key is not the key of apiserver.crt"
        assert judge({**data(*issue([NAME])), "apiserver.key": "eA=="}).problem == "apiserver.key is not the key of apiserver.crt"

    def test_the_name_of_the_namespace_that_it_was_moved_from(self):
        verdict = judge(data(*issue(["calico-api.calico-system.svc"])))
        assert verdict.problem == f"the certificate is for calico-api.calico-system.svc and not for {NAME}"
        assert judge(data(*issue([]))).problem == f"the certificate is for no name and not for {NAME}"

    def test_several_names_are_as_good(self):
        assert judge(data(*issue(["calico-api", NAME, f"{NAME}.cluster.local"]))).problem == ""

    def test_its_time(self):
        assert "expired" in judge(data(*issue([NAME], end=NOW - DAY / 2))).problem
        assert judge(data(*issue([NAME], begin=NOW + DAY))).problem == "the certificate is not valid before 2026-11-22T12:00:00Z"
        assert judge(data(*issue([NAME], end=NOW + 5 * DAY)), renew_before=0).problem == ""

    def test_one_that_an_authority_signed_is_trusted_through_it(self):
        authority = issue(["an authority"], ca=True)
        stranger = issue(["a stranger"], ca=True)
        leaf, key = issue([NAME], issuer=authority)
        assert judge(data(leaf, key), certificates.bundle(pem(authority[0]))).trusted
        assert judge(data(leaf, key), certificates.bundle(pem(stranger[0]), pem(authority[0]))).trusted
        assert not judge(data(leaf, key), certificates.bundle(pem(stranger[0]))).trusted
        impostor = issue(["an authority"], ca=True)
        assert not judge(data(leaf, key), certificates.bundle(pem(impostor[0]))).trusted

    @pytest.mark.parametrize("ca_bundle", ["", "not base64!", "eA==", EMPTY])
    def test_a_bundle_that_is_none_trusts_nothing(self, ca_bundle):
        assert not judge(data(*issue([NAME])), ca_bundle).trusted


def test_nobody_goes_on_trusting_what_has_expired():
    good, expired = pem(issue(["a"])[0]), pem(issue(["b"], end=NOW - DAY / 2)[0])
    assert certificates.still_valid(certificates.bundle(good, expired, good), NOW) == good + good
    for nothing in ("", "not base64!", certificates.bundle(expired), EMPTY):
        assert certificates.still_valid(nothing, NOW) == b""


def test_a_bundle_holds_what_there_is():
    first, second = pem(issue(["a"])[0]), pem(issue(["b"])[0])
    assert base64.b64decode(certificates.bundle(first.rstrip(), second, b"")) == first + second
