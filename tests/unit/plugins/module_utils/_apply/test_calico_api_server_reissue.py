# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate of the operator's own is deleted, so that another one comes; a user's is never touched."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_operator as operator
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_secret import issued_by_operator
from ansible_collections.fathom.submariner.plugins.module_utils._calico._dead_api import EXPIRED, DeadCause
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, Bench
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import FaultyApi

NAME = "calico-apiserver-certs"
OPERATORS, COPIES = "/api/v1/namespaces/tigera-operator/secrets", "/api/v1/namespaces/calico-system/secrets"
NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)


def named(name):
    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])


def certificate(issuer):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(named("calico-api")).issuer_name(named(issuer)).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + datetime.timedelta(days=9))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


MINE = certificate("corp-ca")
THEIRS = certificate("tigera-operator-signer@1763721600")
SIGNER = certificate("tigera-operator-signer")


def encoded(pem):
    return base64.b64encode(pem).decode()


def secret(pem, field="tls.crt", **metadata):
    return {"kind": "Secret", "metadata": {"name": NAME, "uid": "u", **metadata}, "data": {field: encoded(pem), "tls.key": encoded(b"key")}}


@pytest.mark.parametrize(
    ("found", "issued"),
    [
        (secret(THEIRS), True),
        (secret(SIGNER), True),
        (secret(THEIRS, "apiserver.crt"), True),
        (secret(MINE), False),
        (secret(MINE + THEIRS), False),  # a chain: the first one is the server's
        (secret(b"tigera-operator-signer"), False),
        (secret(b"-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----"), False),
        ({"data": {"tls.crt": "%"}}, False),
        ({"data": {}}, False),
        ({}, False),
    ],
)
def test_who_issued_it(found, issued):
    assert issued_by_operator(found) is issued


@pytest.fixture
def api():
    with FaultyApi() as server:
        for collection in (OPERATORS, COPIES, LEASES, MAPS):
            server.objects[collection] = {}
        yield server


@pytest.fixture
def reissue(api, tmp_path):
    bench = Bench(api, tmp_path)
    task = Task({"wait": False}, bench.member, bench.writer(), bench.deadline, check_mode=False)
    cause = DeadCause(EXPIRED, "its certificate has expired", "calico-system")

    def go(**found):
        for collection, pem in found.items():
            api.put({"own": OPERATORS, "copy": COPIES}[collection], NAME, **pem)
        operator.reissue(task, operator.Decision("reissue", "operator", None, None, cause.why, cause))
        return task, {collection: NAME in api.objects[path] for collection, path in (("own", OPERATORS), ("copy", COPIES))}

    return go


def test_the_operators_own_is_deleted(reissue):
    task, left = reissue(own=secret(THEIRS), copy=secret(THEIRS))
    assert left == {"own": False, "copy": False}
    assert [line.partition(",")[0] for line in task.lines] == [f"Delete Secret {where}/{NAME}" for where in ("tigera-operator", "calico-system")]
    assert task.people == []


def test_a_secret_that_is_not_there_needs_nothing(reissue):
    task, left = reissue(copy=secret(THEIRS))
    assert (len(task.lines), task.people, left) == (1, [], {"own": False, "copy": False})


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"certificates.operator.tigera.io/signer": "corp-ca"}, "annotations": {"cert-manager.io/certificate-name": "calico"}},
        {"ownerReferences": [{"kind": "APIServer", "name": "default"}]},  # stays where a user puts another certificate into the operator's Secret
    ],
)
def test_a_users_is_kept_and_its_names_are_told(reissue, api, metadata):
    task, left = reissue(own=secret(MINE, **metadata), copy=secret(MINE))
    assert left == {"own": True, "copy": True}
    assert (task.lines, [call for call in api.calls if call.writes]) == ([], [])
    (person,) = task.people
    assert person.target == f"Secret tigera-operator/{NAME}" and "its certificate has expired" in person.text
    assert "calico-api, calico-api.calico-system, calico-api.calico-system.svc, calico-api.calico-system.svc.DOMAIN" in person.text


def test_a_copy_that_is_a_users_keeps_both(reissue):
    task, left = reissue(own=secret(THEIRS), copy=secret(MINE))
    assert left == {"own": True, "copy": True} and "Secret calico-system/" in task.people[0].text
